"""What can be counted in a generated text, so that samples are compared and not admired."""

import re
from dataclasses import dataclass
from typing import Self

STRETCH = 15  # characters; shorter stretches are repeated by chance and by idiom


def words(text: str) -> list[str]:
    """Runs of at least three letters, in lower case: shorter ones are words by accident."""
    return re.findall(r"[a-z]{3,}", text.lower())


def stretches(text: str) -> list[str]:
    """Every run of `STRETCH` neighbouring characters, overlapping."""
    return [text[i : i + STRETCH] for i in range(len(text) - STRETCH + 1)]


@dataclass(frozen=True)
class Reference:
    """What samples are compared with: the words and the stretches of the training text."""

    words: frozenset[str]
    stretches: frozenset[str]

    @classmethod
    def of(cls, text: str) -> Self:
        """The reference of a training text."""
        return cls(frozenset(words(text)), frozenset(stretches(text)))


def text_statistics(text: str, reference: Reference) -> dict[str, float]:
    """Four numbers on a sample's form.

    Args:
        text: the sample.
        reference: of the training text.

    Returns:
        By name: the share of its words (of three letters and more) that the training text knows;
        the share of its stretches that stand in the training text as they are; the mean length of
        a word in letters, and of a line in characters.
    """
    found, runs = words(text), stretches(text)
    return {
        "known words": sum(word in reference.words for word in found) / max(len(found), 1),
        "copied stretches": sum(run in reference.stretches for run in runs) / max(len(runs), 1),
        "letters per word": sum(map(len, found)) / max(len(found), 1),
        "characters per line": len(text) / max(len(text.splitlines()), 1),
    }
