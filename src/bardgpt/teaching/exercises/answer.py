"""How an exercise asks a reader's function, and says what is wrong with what comes back."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Answer = Callable[..., Any]
Check = Callable[[Answer], str]  # gives a sentence about what is right, or raises NotYet


class NotYet(Exception):  # noqa: N818, because the reader is on the way
    """What an answer does not do yet, in words for the reader."""


def expect(holds: bool, otherwise: str) -> None:
    """Go on if something holds.

    Args:
        holds: what the answer must do.
        otherwise: what the reader is told; it names what came and what was asked for.

    Raises:
        NotYet: if it does not hold.
    """
    if not holds:
        raise NotYet(otherwise)


def asked(function: Answer, *given: Any, with_words: str) -> Any:
    """What a reader's function gives back.

    Args:
        function: the reader's.
        given: what it is called with; a tensor is copied first, so that a function that changes
            what it is given does not change the next question.
        with_words: what it is called with, in words: "8 positions", say.

    Raises:
        NotYet: if it is not a function, raises anything, or gives nothing back.
    """
    expect(callable(function), f"a function is asked for, and this is {_article(function)}")
    copies = [one.clone() if isinstance(one, Tensor) else one for one in given]
    try:
        answer = function(*copies)
    except Exception as error:
        name = type(error).__name__
        raise NotYet(f"called with {with_words} it raises {name}: {error}") from error
    expect(
        answer is not None and answer is not ...,
        f"called with {with_words} it gives nothing back; write its body, with a return",
    )
    return answer


def tensor(answer: Any, shape: tuple[int, ...], what: str) -> Tensor:
    """An answer as a tensor of numbers that the check can use.

    Args:
        answer: what the reader's function gave.
        shape: what it must have.
        what: its name for the reader, "the weights", say.

    Returns:
        The tensor, of the shape, in float64 and detached.

    Raises:
        NotYet: if it is no tensor, of another shape, or has a NaN.
    """
    expect(isinstance(answer, Tensor), f"{what} should be a tensor, and this is {_article(answer)}")
    given = tuple(answer.shape)
    expect(given == shape, f"{what} should have the shape {shape}, and this has {given}")
    numbers = answer.detach().to(torch.float64)
    expect(not numbers.isnan().any(), f"{what} has a NaN, a number that is none")
    return numbers


def rows(answer: Any, n: int, what: str) -> Tensor:
    """An answer as a matrix of n rows, as wide as the reader likes.

    Args:
        answer: what the reader's function gave.
        n: the rows that are asked for.
        what: its name for the reader, "the queries", say.

    Returns:
        The matrix (n, any), in float64 and detached.

    Raises:
        NotYet: if it is no matrix, has other rows, or has a NaN.
    """
    expect(
        isinstance(answer, Tensor) and answer.ndim == 2,
        f"{what} should be a matrix, a tensor with one row for each position",
    )
    found, width = answer.shape
    expect(found == n, f"{what} should have {n} rows, one for each position, and have {found}")
    return tensor(answer, (n, width), what)


def number(answer: Any, what: str) -> float:
    """An answer as one number.

    Args:
        answer: what the reader's function gave: a number, or a tensor with one.
        what: its name for the reader.

    Raises:
        NotYet: if it is not one number, or a NaN.
    """
    if isinstance(answer, Tensor):
        expect(answer.numel() == 1, f"{what} should be one number, and this has {answer.numel()}")
        answer = answer.item()
    is_number = isinstance(answer, (int, float)) and not isinstance(answer, bool)
    expect(is_number, f"{what} should be a number, and this is {_article(answer)}")
    expect(answer == answer, f"{what} is a NaN, a number that is none")
    return float(answer)


def truth(answer: Any) -> bool:
    """An answer as True or False.

    Args:
        answer: what the reader's function gave: a bool, or a tensor with one.

    Raises:
        NotYet: if it is neither.
    """
    if isinstance(answer, Tensor) and answer.numel() == 1:
        answer = answer.item()
    expect(
        isinstance(answer, bool), f"True or False should come back, and this is {_article(answer)}"
    )
    return answer


def _article(value: Any) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
