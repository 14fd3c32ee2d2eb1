"""From scores back to text: predict, draw, append, repeat.

Shapes: T characters so far, V = vocab_size.
"""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor

from bardgpt.config import MOST_SEED, short
from bardgpt.gpt import GPT
from bardgpt.layers.attention import CausalSelfAttention, KeyValueCache
from bardgpt.threads import suited
from bardgpt.tokenizer import CharTokenizer


class SamplingError(ValueError):
    """A prompt, length, temperature, top_k or top_p that cannot be; says what it must be."""


def next_character_probabilities(
    logits: Tensor,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> Tensor:
    """The distribution to draw from.

    Args:
        logits: (..., V).
        temperature: divides the logits: below 1 sharpens, above 1 flattens; 0 is the limit, all
            weight on the best character.
        top_k: keep only the k best characters and share out the rest's weight; all of them if the
            vocabulary has fewer.
        top_p: keep only the best characters that together have at least this probability, at least
            one (Holtzman et al. 2020, §3.1, arXiv:1904.09751); after temperature and `top_k`.

    Returns:
        (..., V), summing to 1 over the last dimension.

    Raises:
        SamplingError: if the temperature is negative or not finite, top_k is below 1, or top_p is
            not above 0 and at most 1.
    """
    if not 0 <= temperature < float("inf"):
        raise SamplingError(
            f"temperature is {temperature}; it must be 0 (greedy) or a finite number above"
        )
    if top_k is not None and top_k < 1:
        raise SamplingError(f"top_k is {top_k}; it must be at least 1")
    if top_p is not None and not 0 < top_p <= 1:
        raise SamplingError(f"top_p is {top_p}; it must be above 0 and at most 1")
    V = logits.shape[-1]
    if top_k is not None and top_k < V:
        best = logits.topk(top_k, dim=-1)  # values and indices (..., k)
        logits = torch.full_like(logits, float("-inf")).scatter(-1, best.indices, best.values)
    if temperature == 0:
        return F.one_hot(logits.argmax(dim=-1), V).to(logits.dtype)
    # Softmax is blind to a shared shift; without it a tiny temperature overflows to inf - inf.
    shifted = logits - logits.amax(dim=-1, keepdim=True)
    least = torch.finfo(logits.dtype).tiny  # below it a divisor is 0 in the logits' precision
    p = F.softmax(shifted / max(temperature, least), dim=-1)
    return p if top_p is None else _nucleus(p, top_p)


def _nucleus(p: Tensor, top_p: float) -> Tensor:
    """The best characters whose probabilities reach `top_p`, scaled up to sum to 1.

    p: (..., V).
    """
    ranked = p.sort(dim=-1, descending=True)  # values and indices (..., V)
    before = ranked.values.cumsum(dim=-1) - ranked.values  # of those that are better
    kept = ranked.values.masked_fill(before >= top_p, 0.0)
    kept[..., 0] = ranked.values[..., 0]  # though rounding should say that 0 is not below top_p
    chosen = torch.zeros_like(p).scatter(-1, ranked.indices, kept)
    return chosen / chosen.sum(dim=-1, keepdim=True)


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
def stream(
    model: GPT,
    ids: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    cache: bool = True,
    sliding: bool = False,
) -> Generator[Tensor, None, None]:
    """Continue sequences of ids without end, one character at a time.

    When the window of `block_size` characters is full, all but the last `block_size // 2` are
    forgotten. Sliding by one instead moves every character to a new position at every step, and
    nothing computed before can be kept; halving costs context, but lets a cache of past keys and
    values live for half a window.

    Args:
        model: in evaluation mode until the stream ends or is closed, and then as it was before.
        ids: (T,) or (B, T), the prompts, at least one character; the end of a long one counts.
        temperature: see `next_character_probabilities`.
        top_k: see `next_character_probabilities`.
        top_p: see `next_character_probabilities`.
        generator: the source of randomness; PyTorch's global one if none is given.
        cache: keep keys and values, where the model's attention can (`fused`): a step then computes
            one new position instead of the whole window. Logits are the same up to rounding.
        sliding: forget one character when the window is full, and nothing more; without a cache.

    Yields:
        The next id of each prompt, of shape () or (B,).

    Raises:
        SamplingError: if a prompt is empty, or temperature, top_k or top_p is out of range.
    """
    _require_prompt(ids)
    block_size = model.config.block_size
    window = (ids if ids.dim() == 2 else ids[None])[:, -block_size:]  # (B, T)
    was_training = model.training
    model.eval()
    try:
        with cached(model) if cache and not sliding else nullcontext([]) as caches:
            while True:
                seen = len(caches[0]) if caches else 0
                unseen = window[:, seen:]  # (B, T)
                with suited(unseen.numel(), model.config.n_embd):  # between steps it is the user's
                    logits = model(unseen, seen)[:, -1]  # (B, V)
                    p = next_character_probabilities(logits, temperature, top_k, top_p)  # (B, V)
                    new = torch.multinomial(p, 1, generator=generator)  # (B, 1)
                yield new[:, 0] if ids.dim() == 2 else new[0, 0]
                if window.shape[1] == block_size:
                    kept = block_size - 1 if sliding else block_size // 2
                    window = window[:, block_size - kept :]
                    for full in caches:
                        full.clear()  # what is left moves to other positions
                window = torch.cat([window, new], dim=1)  # at most (B, block_size)
    finally:
        model.train(was_training)


def _require_prompt(ids: Tensor) -> None:
    if not isinstance(ids, Tensor):  # pyright: ignore[reportUnnecessaryIsInstance]  # users' slips
        raise SamplingError(
            f"the prompt is a {type(ids).__name__}; it must be a tensor of ids: "
            "tokenizer.encode(text) makes one of a text, torch.tensor(ids) of a list"
        )
    if ids.dim() not in (1, 2) or ids.numel() == 0:
        raise SamplingError(
            f"the prompt has shape {tuple(ids.shape)}; it must be (T,) or (B, T), of at least one "
            r"character, such as '\n', to predict from"
        )


def generate(
    model: GPT,
    ids: Tensor,
    length: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
    cache: bool = True,
    sliding: bool = False,
) -> Tensor:
    """The first `length` ids of a `stream`, which has the arguments.

    Returns:
        (length,) or (B, length) the new ids, without the prompt.

    Raises:
        SamplingError: if the length is below 0, or as `stream`.
    """
    if length < 0:
        raise SamplingError(f"length is {length}; it must be 0 or more")
    following = stream(
        model,
        ids,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        generator=generator,
        cache=cache,
        sliding=sliding,
    )
    with closing(following):
        new = [next(following) for _ in range(length)]  # each () or (B,)
    return torch.stack(new, dim=-1) if new else ids.new_empty((*ids.shape[:-1], 0))


def sample(
    model: GPT,
    tokenizer: CharTokenizer,
    *,
    prompt: str = "\n",
    length: int = 500,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    seed: int | None = None,
) -> str:
    """Text from a model: `generate`, with characters instead of ids.

    Args:
        model: see `stream`.
        tokenizer: the one that the model was trained with.
        prompt: what the text begins with; the default, a line break, is how the plays begin.
        length: characters to add.
        temperature: see `next_character_probabilities`.
        top_k: see `next_character_probabilities`.
        top_p: see `next_character_probabilities`.
        seed: same seed, same text; None takes PyTorch's global state.

    Returns:
        The new characters, without the prompt.

    Raises:
        UnknownCharacterError: if the prompt holds a character that the model does not know.
        SamplingError: as `generate`.
        ValueError: if the tokenizer is not the model's.
    """
    ids, generator = prepared(model, tokenizer, prompt, seed)
    new = generate(
        model,
        ids,
        length,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        generator=generator,
    )
    return tokenizer.decode(new.cpu())


def prepared(
    model: GPT, tokenizer: CharTokenizer, prompt: str, seed: int | None = None
) -> tuple[Tensor, torch.Generator | None]:
    """A prompt's ids (T,) on the model's device, and a generator with a seed, if one is given.

    Raises:
        UnknownCharacterError: if the prompt holds a character that the model does not know.
        SamplingError: if the prompt is empty, or the seed is none that generators take.
        ValueError: if the tokenizer is not the model's.
    """
    if not prompt:
        raise SamplingError(
            "the prompt is empty; it must have at least one character, such as a line break, to "
            "predict from"
        )
    if seed is not None and not 0 <= seed <= MOST_SEED:
        raise SamplingError(f"seed is {short(seed)}; it must be 0 or more, at most {MOST_SEED:,}")
    if tokenizer.vocab_size != model.config.vocab_size:
        raise ValueError(
            f"the tokenizer has {tokenizer.vocab_size} characters and the model "
            f"{model.config.vocab_size}: take the tokenizer that the model was trained with"
        )
    device = next(model.parameters()).device
    generator = None if seed is None else torch.Generator(device).manual_seed(seed)
    return tokenizer.encode(prompt).to(device), generator
