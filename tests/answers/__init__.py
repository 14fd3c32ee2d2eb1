"""Answers to the exercises that have a check: one that is right, and typical wrong ones."""

from collections.abc import Callable
from typing import Any, NamedTuple

from answers import (
    attention,
    dropout,
    feed_forward,
    heads,
    norms,
    residual,
    scaling,
    text,
    wiring,
)


class Wrong(NamedTuple):
    """A wrong answer, and a part of what the reader must be told."""

    exercise: str
    function: Callable[..., Any]
    told: str


TOPICS = (text, attention, heads, feed_forward, residual, norms, wiring, dropout, scaling)
RIGHT: dict[str, Callable[..., Any]] = {
    exercise: function for topic in TOPICS for exercise, function in topic.RIGHT.items()
}
WRONG: list[Wrong] = [Wrong(*one) for topic in TOPICS for one in topic.WRONG]
