"""What the catalogue consists of: a fault, and the two kinds of check that notice one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A code cell of a notebook, the only one that holds this piece of source."""

    file: str
    holding: str


@dataclass(frozen=True)
class UnitTest:
    """A test function of a file in tests/, any of its parameters."""

    file: str
    name: str


@dataclass(frozen=True)
class Fault:
    """One wrong edit, and the check that must turn red.

    Attributes:
        story: in one line, who makes this mistake, or what it looks like.
        file: the edited one, from the repository's root: a source of the package or of the book.
        right: what stands there, exactly once.
        wrong: what takes its place.
    """

    name: str
    story: str
    file: str
    right: str
    wrong: str
    check: Cell | UnitTest
