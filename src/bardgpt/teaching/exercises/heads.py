"""Exercises of chapter 3: several heads, and how far apart two of them are."""

import torch
from torch import Tensor

from bardgpt.layers.attention import attention_weights, causal_mask
from bardgpt.teaching.exercises.answer import Answer, Check, asked, expect, number, tensor

NEAR = 1e-5
NAMES = ("query", "key", "value")
# What a total variation is asked of: two distributions in words, and as numbers.
PAIRS: dict[str, tuple[list[float], list[float]]] = {
    "two heads that look at the same": ([0.5, 0.25, 0.25], [0.5, 0.25, 0.25]),
    "two heads that share nothing": ([1.0, 0.0, 0.0], [0.0, 0.25, 0.75]),
    "two heads that share a quarter": ([0.5, 0.5, 0.0, 0.0], [0.0, 0.25, 0.25, 0.5]),
    "those two in the other order": ([0.0, 0.25, 0.25, 0.5], [0.5, 0.5, 0.0, 0.0]),
}


def many_heads(function: Answer) -> str:
    """3.1: attention of all heads at once; `function(q, k, v, nh)` with (B, T, C) each."""
    for B, T, nh, hs in ((2, 4, 2, 3), (1, 5, 3, 2)):
        words = f"{B} x {T} positions and {nh} heads of {hs}"
        generator = torch.Generator().manual_seed(0)
        given = torch.randn(3, B, T, nh * hs, generator=generator)  # q, k and v

        def answer(given: Tensor, words: str = words, nh: int = nh) -> Tensor:
            shape = tuple(given.shape[1:])
            return tensor(asked(function, *given, nh, with_words=words), shape, "what comes back")

        y = answer(given)
        _keeps_texts_and_time(answer, given, y, words)
        _keeps_heads(answer, given, y, words, hs)
        q, k, v = (
            torch.stack(part.split(hs, dim=-1), dim=1)  # (B, nh, T, hs)
            for part in given
        )
        right = torch.cat([*(attention_weights(q, k, causal_mask(T)) @ v).unbind(1)], dim=-1)
        off = (y - right).abs()
        expect(
            float(off.max()) < NEAR,
            f"with {words} each head keeps to itself and to the past, but its weights are not the "
            f"softmax of q · k / √hs: the last position is up to {off[:, -1].max():.2f} off",
        )
    return "each head has its own channels and its own weights, and their outputs stand in order"


def _keeps_texts_and_time(answer: Answer, given: Tensor, y: Tensor, words: str) -> None:
    """Expect that a change at the last position of the last text moves that position alone."""
    changed = given.clone()
    changed[:, -1, -1] += 1
    moved = (answer(changed) - y).abs().amax(dim=-1) > NEAR  # (B, T)
    last = y.shape[1] - 1
    for text, position in moved.nonzero().tolist():
        where = f"position {position} of text {text}"
        expect(
            (text, position) == (len(y) - 1, last),
            f"with {words} a change at position {last} of text {len(y) - 1} moves {where}; nothing "
            "but that position may hear of it",
        )
    expect(bool(moved[-1, -1]), f"with {words} what position {last} offers does not reach itself")


def _keeps_heads(answer: Answer, given: Tensor, y: Tensor, words: str, hs: int) -> None:
    """Expect that channel 0 of q, k or v moves channels of the first head alone."""
    for part, name in enumerate(NAMES):
        changed = given.clone()
        changed[part, ..., 0] += 2 * torch.arange(given.shape[2])  # not the same at all positions
        moved = (answer(changed) - y).abs().amax(dim=(0, 1)) > NEAR  # (C,)
        found = moved.nonzero().flatten().tolist()
        own = [0] if name == "value" else list(range(hs))
        expect(
            found == own,
            f"with {words} a change of channel 0 of each {name} moves the output's channels "
            f"{_listed(found)}; it should move {_listed(own)}",
        )


def _listed(channels: list[int]) -> str:
    return ", ".join(map(str, channels)) or "none"


def total_variation(function: Answer) -> str:
    """3.2: how far apart two heads look; `function(a, b)` with two distributions (n,)."""
    for words, pair in PAIRS.items():
        a, b = (torch.tensor(one) for one in pair)
        found = number(asked(function, a, b, with_words=words), "the total variation")
        wanted = sum(abs(x - y) for x, y in zip(*pair, strict=True)) / 2
        expect(
            abs(found - wanted) < NEAR,
            f"for {words}, {pair[0]} and {pair[1]}, it gives {found:.2f}; it should give "
            f"{wanted:.2f}",
        )
    return "0 for the same, 1 for nothing in common, and the share that would have to move between"


CHECKS: dict[str, Check] = {"3.1": many_heads, "3.2": total_variation}
