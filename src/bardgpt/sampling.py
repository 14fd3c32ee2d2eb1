"""From scores back to text: predict, draw, append, repeat.

Shapes: T characters so far, V = vocab_size.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

from bardgpt.gpt import GPT
from bardgpt.layers.attention import CausalSelfAttention, KeyValueCache
from bardgpt.tokenizer import CharTokenizer


class SamplingError(ValueError):
    """A prompt, length, temperature or top_k that cannot be; says what it must be."""


def next_character_probabilities(
    logits: Tensor, temperature: float = 1.0, top_k: int | None = None
) -> Tensor:
    """The distribution to draw from.

    Args:
        logits: (..., V).
        temperature: divides the logits: below 1 sharpens, above 1 flattens; 0 is the limit, all
            weight on the best character.
        top_k: keep only the k best characters and share out the rest's weight.

    Returns:
        (..., V), summing to 1 over the last dimension.

    Raises:
        SamplingError: if the temperature is negative or not finite, or top_k is not in 1 … V.
    """
    if not 0 <= temperature < float("inf"):
        raise SamplingError(
            f"temperature is {temperature}; it must be 0 (greedy) or a finite number above"
        )
    V = logits.shape[-1]
    if top_k is not None:
        if not 1 <= top_k <= V:
            raise SamplingError(f"top_k is {top_k}; it must lie in 1 … {V}, the vocabulary's size")
        best = logits.topk(top_k, dim=-1)  # values and indices (..., k)
        logits = torch.full_like(logits, float("-inf")).scatter(-1, best.indices, best.values)
    if temperature == 0:
        return F.one_hot(logits.argmax(dim=-1), V).to(logits.dtype)
    # Softmax is blind to a shared shift; without it a tiny temperature overflows to inf - inf.
    shifted = logits - logits.amax(dim=-1, keepdim=True)
    return F.softmax(shifted / temperature, dim=-1)


@contextmanager
def cached(model: GPT) -> Iterator[list[KeyValueCache]]:
    """While the `with` block lasts, a model's attention layers keep keys and values.

    Yields:
        The caches, empty, one for each `CausalSelfAttention`; no others have one.
    """
    layers = [module for module in model.modules() if isinstance(module, CausalSelfAttention)]
    caches = [KeyValueCache() for _ in layers]
    try:
        for layer, cache in zip(layers, caches, strict=True):
            layer.cache = cache
        yield caches
    finally:
        for layer in layers:
            layer.cache = None


@torch.no_grad()
def generate(
    model: GPT,
    ids: Tensor,
    length: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
    cache: bool = True,
) -> Tensor:
    """Continue a sequence of ids, one character at a time.

    A model sees at most `block_size` characters. When its window is full, all but the last
    `block_size // 2` characters are forgotten and it goes on from there. Sliding by one instead
    would move every character to a new position at every step, and nothing computed before could
    be kept; halving costs context, but lets a cache of past keys and values live for half a window.

    Args:
        model: put into evaluation mode meanwhile and back afterwards.
        ids: (T,) the prompt, at least one character. Of a prompt longer than the window the end
            counts.
        length: characters to add.
        temperature: see `next_character_probabilities`.
        top_k: see `next_character_probabilities`.
        generator: the source of randomness; PyTorch's global one if none is given.
        cache: keep keys and values, where the model's attention can (`fused`): a step then computes
            one new position instead of the whole window. Logits are the same up to rounding.

    Returns:
        (length,) the new ids, without the prompt.

    Raises:
        SamplingError: if the prompt is empty, or length, temperature or top_k is out of range.
    """
    if ids.dim() != 1 or len(ids) == 0:
        raise SamplingError(
            f"the prompt has shape {tuple(ids.shape)}; it must be one sequence of at least one "
            r"character, such as '\n', to predict from"
        )
    if length < 0:
        raise SamplingError(f"length is {length}; it must be 0 or more")
    block_size = model.config.block_size
    window, new = ids[-block_size:], ids.new_empty(length)
    was_training = model.training
    model.eval()
    try:
        with cached(model) if cache else nullcontext([]) as caches:
            for i in range(length):
                seen = len(caches[0]) if caches else 0
                logits = model(window[None, seen:], seen)[0, -1]  # (V,)
                p = next_character_probabilities(logits, temperature, top_k)  # (V,)
                new[i] = torch.multinomial(p, 1, generator=generator)
                if len(window) == block_size:
                    window = window[len(window) - block_size // 2 :]
                    for full in caches:
                        full.clear()  # what is left moves to other positions
                window = torch.cat([window, new[i : i + 1]])  # at most (block_size,)
    finally:
        model.train(was_training)
    return new


def sample(
    model: GPT,
    tokenizer: CharTokenizer,
    *,
    prompt: str = "\n",
    length: int = 500,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int | None = None,
) -> str:
    """Text from a model: `generate`, with characters instead of ids.

    Args:
        model: see `generate`.
        tokenizer: the one that the model was trained with.
        prompt: what the text begins with; the default, a line break, is how the plays begin.
        length: characters to add.
        temperature: see `next_character_probabilities`.
        top_k: see `next_character_probabilities`.
        seed: same seed, same text; None takes PyTorch's global state.

    Returns:
        The new characters, without the prompt.

    Raises:
        UnknownCharacterError: if the prompt holds a character that the model does not know.
        SamplingError: as `generate`.
        ValueError: if the tokenizer is not the model's.
    """
    if tokenizer.vocab_size != model.config.vocab_size:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocab_size} characters and the model "
            f"{model.config.vocab_size}: take the tokenizer that the model was trained with"
        )
    device = next(model.parameters()).device
    generator = None
    if seed is not None:
        generator = torch.Generator(device).manual_seed(seed)
    ids = tokenizer.encode(prompt).to(device)
    new = generate(model, ids, length, temperature=temperature, top_k=top_k, generator=generator)
    return tokenizer.decode(new.cpu())
