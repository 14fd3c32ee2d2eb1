"""Answers to the exercises that have a check: one that is right, and typical wrong ones."""

from collections.abc import Callable
from typing import Any, NamedTuple

from answers import attention


class Wrong(NamedTuple):
    """A wrong answer, and a part of what the reader must be told."""

    exercise: str
    function: Callable[..., Any]
    told: str


RIGHT: dict[str, Callable[..., Any]] = {**attention.RIGHT}
WRONG: list[Wrong] = [Wrong(*one) for one in attention.WRONG]
