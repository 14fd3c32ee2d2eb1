"""What makes a text look like one of the plays: speakers, lines, words; and how much is copied."""

import re
from collections.abc import Set
from itertools import pairwise

from bardgpt.teaching.text_statistics import Reference, words

# A name in a line of its own, with a colon, after an empty line or at the very start.
SPEAKER = re.compile(r"(?:\A|(?<=\n\n))([A-Z][^\n:]*:)\n")
RHYME = 3  # letters in which the last words of two lines agree


def speakers(text: str) -> list[str]:
    """The names that head the speeches, in order, without the colon."""
    return [found[1][:-1] for found in SPEAKER.finditer(text)]


def speaker_spans(text: str) -> list[tuple[int, int]]:
    """Where the names stand, each with its colon: first place, and the place after the last."""
    return [found.span(1) for found in SPEAKER.finditer(text)]


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
        spoken line, in the mean; the share of words that the training text knows; characters of
        the longest piece that stands in the training text as it is.
    """
    lines, names, found = spoken(text), speakers(text), words(text)
    return {
        "speaker lines": len(names) / max(len(names) + len(lines), 1),
        "characters per line": sum(map(len, lines)) / max(len(lines), 1),
        "known words": sum(word in reference.words for word in found) / max(len(found), 1),
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
