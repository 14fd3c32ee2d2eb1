"""How like the plays a text is: words, lines, speakers; and how much of it is copied.

All of it is counted, so that samples are compared and not admired.
"""

import re
from collections.abc import Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

STRETCH = 15  # characters; shorter stretches are repeated by chance and by idiom
# A name in a line of its own, with a colon, after an empty line or at the very start.
SPEAKER = re.compile(r"(?:\A|(?<=\n\n))([A-Z][^\n:]*:)\n")
RHYME = 3  # letters in which the last words of two lines agree


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
    return {
        "known words": known_words(text, reference),
        "copied stretches": _share([run in reference.stretches for run in stretches(text)]),
        "letters per word": _mean_length(words(text)),
        "characters per line": len(text) / max(len(text.splitlines()), 1),
    }


def known_words(text: str, reference: Reference) -> float:
    """The share of a text's words that the training text knows; 0 of a text without words."""
    return _share([word in reference.words for word in words(text)])


def speakers(text: str) -> list[str]:
    """The names that head the speeches, in order, without the colon."""
    return [match[1][:-1] for match in SPEAKER.finditer(text)]


def speaker_spans(text: str) -> list[tuple[int, int]]:
    """Where the names stand, each with its colon: first place, and the place after the last."""
    return [match.span(1) for match in SPEAKER.finditer(text)]


def spoken(text: str) -> list[str]:
    """The lines that are neither empty nor a speaker's name."""
    return [line for line in SPEAKER.sub("", text).splitlines() if line.strip()]


def longest_copy(text: str, source: str) -> str:
    """The longest piece of a text that stands in another as it is; of equals the first."""
    start, length = 0, 0
    for i in range(len(text)):
        while i + length < len(text) and text[i : i + length + 1] in source:
            start, length = i, length + 1
    return text[start : start + length]


def form(text: str, reference: Reference, source: str) -> dict[str, float]:
    """Four numbers on how much a text looks like a play.

    Args:
        text: the sample. The longest copy grows with its length: compare equally long ones.
        reference: of the training text.
        source: the training text.

    Returns:
        By name: the share of speakers' names among the lines that are not empty; characters of a
        spoken line, in the mean, without its line break; the share of words that the training text
        knows; characters of the longest piece that stands in the training text as it is.
    """
    lines, names = spoken(text), speakers(text)
    return {
        "speaker lines": len(names) / max(len(names) + len(lines), 1),
        "characters per spoken line": _mean_length(lines),
        "known words": known_words(text, reference),
        "longest copy": float(len(longest_copy(text, source))),
    }


def habits(text: str, known: Set[str]) -> dict[str, float]:
    """Four shares that tell what a model has picked up of the plays' ways.

    Args:
        text: the sample, some thousand characters at least.
        known: the names of those who speak in the training text.

    Returns:
        By name: of the spoken lines, those that begin with a capital letter; of the speeches,
        those whose speaker is known, and those by the speaker of the one before; of neighbouring
        lines, those whose last words differ and agree in their last `RHYME` letters.
    """
    lines, names = spoken(text), speakers(text)
    first = [re.search("[A-Za-z]", line) for line in lines]
    last = [(words(line) or [""])[-1] for line in lines]
    return {
        "lines begin with a capital": _share([m[0].isupper() for m in first if m]),
        "speakers are known": _share([name in known for name in names]),
        "the same speaker again": _share([a == b for a, b in pairwise(names)]),
        "neighbouring lines rhyme": _share(
            [a != b and a[-RHYME:] == b[-RHYME:] != "" for a, b in pairwise(last)]
        ),
    }


def _share(answers: list[bool]) -> float:
    return sum(answers) / max(len(answers), 1)


def _mean_length(pieces: list[str]) -> float:
    return sum(map(len, pieces)) / max(len(pieces), 1)
