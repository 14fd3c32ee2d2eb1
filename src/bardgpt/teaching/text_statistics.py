"""What can be counted in a generated text, so that samples are compared and not admired."""

import re


def words(text: str) -> list[str]:
    """Runs of at least three letters, in lower case: shorter ones are words by accident."""
    return re.findall(r"[a-z]{3,}", text.lower())


def text_statistics(text: str, known: set[str]) -> dict[str, float]:
    """Three numbers on a sample's form.

    Args:
        text: the sample.
        known: the words of the training text.

    Returns:
        The share of its words (of three letters and more) that are known, the mean length of a
        word, and the mean length of a line in characters.
    """
    found = words(text)
    return {
        "known words": sum(word in known for word in found) / max(len(found), 1),
        "letters per word": sum(map(len, found)) / max(len(found), 1),
        "characters per line": len(text) / max(len(text.splitlines()), 1),
    }
