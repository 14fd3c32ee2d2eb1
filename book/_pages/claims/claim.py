"""What a claim is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """One claim of the notes, as the book tests it.

    Attributes:
        id: its name in the book.
        statement: the claim, in one sentence.
        chapter: the stem of the chapter that tests it.
        finding: what came out; a function, for it may read records.
    """

    id: str
    statement: str
    chapter: str
    finding: Callable[[], str]


def exact(words: str) -> Callable[[], str]:
    """A finding that a cell asserts to the bit or to rounding: it has no figure that could vary."""
    return lambda: words
