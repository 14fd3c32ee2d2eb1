"""Where and at what attention heads look, and how much they differ in it.

Shapes: B windows, T positions, nh heads, L blocks.
"""

import torch
from torch import Tensor

from bardgpt.gpt import GPT
from bardgpt.layers.attention import Head

CLASSES = ("vowel", "consonant", "space", "line break", "other")


@torch.no_grad()
def attention_maps(model: GPT, ids: Tensor) -> Tensor:
    """The attention weights with which a model really looks at some windows.

    Args:
        model: with at least one layer of heads; in evaluation mode meanwhile.
        ids: (B, T).

    Returns:
        (L, B, nh, T, T): for each query (row) the weights of its keys (columns).

    Raises:
        ValueError: if the model has no separate heads to look into.
    """
    heads = [module for module in model.modules() if isinstance(module, Head)]
    if not heads:
        raise ValueError("the model has no heads to look into: it needs n_layer > 0, fused=False")
    seen: list[Tensor] = []
    # A head hands its weights to dropout, and dropout's input is what this hook is given.
    hooks = [
        head.dropout.register_forward_pre_hook(lambda _, x: seen.append(x[0])) for head in heads
    ]
    was_training = model.training
    model.eval()
    try:
        model(ids)
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    maps = torch.stack(seen)  # (L * nh, B, T, T), layer by layer
    return maps.unflatten(0, (model.config.n_layer, -1)).transpose(1, 2)


def character_classes(vocabulary: str) -> Tensor:
    """The class of each character of a vocabulary, as an index into `CLASSES`: (V,)."""

    def of(character: str) -> str:
        if character in "aeiouAEIOU":
            return "vowel"
        if character.isalpha():
            return "consonant"
        return {" ": "space", "\n": "line break"}.get(character, "other")

    return torch.tensor([CLASSES.index(of(character)) for character in vocabulary])


def by_distance(maps: Tensor) -> Tensor:
    """How far back each head looks from the last position of a window.

    Args:
        maps: (B, nh, T, T), one layer's.

    Returns:
        (nh, T): the mean weight at distance 0 (the position itself), 1, …, T - 1.
    """
    return maps[:, :, -1].mean(dim=0).flip(-1)


def by_class(maps: Tensor, classes: Tensor) -> Tensor:
    """What each head looks at from the last position of a window.

    Args:
        maps: (B, nh, T, T), one layer's.
        classes: (B, T), each key's class.

    Returns:
        (nh, number of classes): the mean weight on keys of each class.
    """
    one_hot = torch.nn.functional.one_hot(classes, len(CLASSES)).to(maps.dtype)  # (B, T, classes)
    return torch.einsum("bht,btc->bhc", maps[:, :, -1], one_hot).mean(dim=0)


def variations(profiles: Tensor) -> Tensor:
    """How much heads differ: the total variation distance of each pair of them.

    Half of the summed absolute difference of two distributions: 0 if they are the same, 1 if they
    have nothing in common.

    Args:
        profiles: (nh, n), each row a distribution, with nh at least 2.

    Returns:
        (nh (nh - 1) / 2,), in the order of `torch.combinations`.
    """
    pairs = torch.combinations(torch.arange(len(profiles)))  # (pairs, 2)
    first, second = profiles[pairs[:, 0]], profiles[pairs[:, 1]]
    return (first - second).abs().sum(dim=-1) / 2


def head_spreads(model: GPT, ids: Tensor, classes: Tensor, seed: int = 0) -> dict[str, float]:
    """How much the first layer's heads differ in where and at what they look, with a null for both.

    Each figure is a mean over the pairs of heads; the closest pair is given too, since a mean can
    come from one head that stands apart. The null deals the keys' labels (their distances, their
    classes) out anew within each window, at random but the same to all heads: what is left then is
    the difference that so many windows leave by chance.

    Args:
        model: with at least two heads.
        ids: (B, T) windows of new text.
        classes: (V,) of the vocabulary, from `character_classes`.
        seed: of the shuffling.
    """
    maps = attention_maps(model, ids)[0]  # (B, nh, T, T)
    generator = torch.Generator().manual_seed(seed)
    order = torch.rand(ids.shape, generator=generator).argsort(dim=1)  # (B, T), a deal per window
    dealt = maps.gather(-1, order[:, None, None].expand_as(maps))  # (B, nh, T, T)
    labels = classes[ids]  # (B, T)
    distances = {
        "by distance": variations(by_distance(maps)),
        "by class": variations(by_class(maps, labels)),
        "by distance, shuffled": variations(by_distance(dealt)),
        "by class, shuffled": variations(by_class(dealt, labels)),
    }
    means = {name: of_pairs.mean().item() for name, of_pairs in distances.items()}
    closest = {f"{name}, closest pair": pairs.min().item() for name, pairs in distances.items()}
    return means | closest
