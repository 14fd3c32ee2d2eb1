"""Exercises of chapter 7: where a block has its norms."""

from collections.abc import Callable

import torch
from torch import Tensor

from bardgpt.teaching.exercises.answer import Answer, Check, asked, expect, tensor, truth

Part = Callable[[Tensor], Tensor]
CLOSE = 1e-4


def _norm(x: Tensor) -> Tensor:
    return torch.nn.functional.layer_norm(x, x.shape[-1:])


def _pre(x: Tensor, f: Part, g: Part, norm_f: Part = _norm, norm_g: Part = _norm) -> Tensor:
    x = x + f(norm_f(x))
    return x + g(norm_g(x))


def _post(x: Tensor, f: Part, g: Part, norm_f: Part = _norm, norm_g: Part = _norm) -> Tensor:
    x = norm_f(x + f(x))
    return norm_g(x + g(x))


def _on_branch(x: Tensor, f: Part, g: Part, norm_f: Part = _norm, norm_g: Part = _norm) -> Tensor:
    x = x + norm_f(f(x))
    return x + norm_g(g(x))


def _forks_late(x: Tensor, f: Part, g: Part) -> Tensor:
    x = _norm(x)
    x = x + f(x)
    x = _norm(x)
    return x + g(x)


def norm_on_stream(function: Answer) -> str:
    """7.1: whether a block has a norm on its stream, from calling `block(x, f, g)` alone."""
    for words, block, why in (
        ("x + f(norm(x))", _pre, "on its stream there are only additions"),
        ("norm(x + f(x))", _post, "the stream itself goes through the norm"),
        (
            "x + norm(f(x))",
            _on_branch,
            "what is normed there is the branch",
        ),
        (
            "x = norm(x), then x + f(x)",
            _forks_late,
            "the stream goes through the norm before the branch forks off",
        ),
    ):
        wanted = block in (_post, _forks_late)
        for _ in range(5):  # a test that draws numbers may be right by luck
            answer = truth(asked(function, block, with_words=f"the block {words}"))
            expect(answer == wanted, f"of the block {words} it says {answer}, but {why}")
    return "two blocks have norms on their streams, and two have not"


def third_wiring(function: Answer) -> str:
    """7.2: the norm on the branch's output, `function(x, f, g, norm_f, norm_g)`."""
    random = torch.Generator().manual_seed(0)
    x, first, second = (torch.randn(8, 8, generator=random) for _ in range(3))
    gain = torch.linspace(0.5, 2, 8)
    parts: tuple[Part, ...] = (
        lambda x: (x @ first).tanh(),
        lambda x: (x @ second).tanh(),
        lambda x: _norm(x) * gain,
        lambda x: _norm(x) - gain,
    )
    f, g, norm_f, norm_g = parts
    answer = asked(function, x, *parts, with_words="a stream (8, 8), two parts and their norms")
    y = tensor(answer, (8, 8), "the stream after the block")

    def is_like(other: Tensor) -> bool:
        return bool((y - other.double()).abs().max() < CLOSE)

    half = x + norm_f(f(x))
    for other, words in (
        (_post(x, *parts), "this is post-norm: the stream goes through the norms"),
        (_pre(x, *parts), "this is pre-norm: the norms stand before the parts, not after them"),
        (half, "this is only the first half: the second part has not been added"),
        (_on_branch(x, f, g, norm_g, norm_f), "the two norms have changed places"),
        (norm_f(x + f(x)), "this is only half of post-norm, and its norm is on the stream"),
        (half + norm_g(g(x)), "the second part reads the old stream, not what the first has left"),
        (norm_g(g(norm_f(f(x)))), "the branches are normed, but not added to the stream"),
    ):
        expect(not is_like(other), words)
    off = (y - _on_branch(x, *parts).double()).abs().max()
    expect(float(off) < CLOSE, f"the stream after the block is up to {off:.2f} off")
    return "both branches are normed, then added"


CHECKS: dict[str, Check] = {"7.1": norm_on_stream, "7.2": third_wiring}
