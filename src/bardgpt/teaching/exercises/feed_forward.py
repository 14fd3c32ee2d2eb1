"""Exercises of chapter 4: the feed-forward layer."""

from collections.abc import Callable

import torch
from torch import Tensor

from bardgpt.layers.attention import attention_weights
from bardgpt.teaching.exercises.answer import Answer, Check, asked, expect, tensor, truth

T, C = 6, 4


def exactly_one(function: Answer) -> str:
    """4.5: of two findings exactly one; `function(a, b)` with tensors of zeros and ones."""
    a, b = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]).T
    given = asked(function, a, b, with_words="a = 0, 1, 0, 1 and b = 0, 0, 1, 1")
    found = tensor(given, (4,), "what comes back")
    for one, other, value in zip(a.tolist(), b.tolist(), found.tolist(), strict=True):
        wanted = float(one + other == 1)
        expect(
            abs(value - wanted) < 1e-6,
            f"for a = {one:.0f} and b = {other:.0f} it gives {value:.2f}; it should give "
            f"{wanted:.0f}",
        )
    return "it rises with the first finding and comes down again with the second"


def _attending(x: Tensor) -> Tensor:
    past = torch.ones(T, T, dtype=torch.bool).tril()
    return attention_weights(x, x, past) @ x


def _from_right(x: Tensor) -> Tensor:
    return x + x.roll(-1, dims=1) * (torch.arange(T) < T - 1)[:, None]


def _early_leak(x: Tensor) -> Tensor:
    leaked = x.clone()
    leaked[:, 0] += x[:, 1]
    return leaked


def _late_leak(x: Tensor) -> Tensor:
    leaked = x.clone()
    leaked[:, T - 2, 0] += x[:, T - 1, 0] / 100
    return leaked


LAYERS: dict[str, tuple[Callable[[Tensor], Tensor], bool]] = {
    "a layer that treats each position alone": (torch.relu, False),
    "attention with its mask": (_attending, False),
    "a layer that adds to each position the one after it": (_from_right, True),
    "a layer in which position 0 hears position 1, and nothing else looks ahead": (
        _early_leak,
        True,
    ),
    "a layer in which the last but one hears the last, softly, and nothing else looks ahead": (
        _late_leak,
        True,
    ),
}


def sees_the_future(function: Answer) -> str:
    """4.6: whether a layer leaks; `function(layer, x)` with x (1, T, C)."""
    x = torch.randn(1, T, C, generator=torch.Generator().manual_seed(0))
    for words, (layer, leaks) in LAYERS.items():
        answer = truth(asked(function, layer, x, with_words=words))
        expect(answer == leaks, f"for {words} it says {answer}; {leaks} is right")
    return f"all {len(LAYERS)} layers are told right"


CHECKS: dict[str, Check] = {"4.5": exactly_one, "4.6": sees_the_future}
