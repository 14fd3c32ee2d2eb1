"""A text in which each character carries its loss: words on a page, not a picture.

The text stays in the page's ink on a light tint. What tells the loss is a bar below each
character, wider and darker the less it was expected; the number is in its title, and in a table
that opens below, word by word, for those who don't see it or have no pointer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import exp

from bardgpt.teaching.palette import COLOURS

# From this loss on: the bar's height in px, its colour and the tint's opacity. Each step of ln 4
# is a character four times less probable.
LEVELS = ((0.0, 0, 0.0), (0.693, 2, 0.08), (2.079, 4, 0.18), (3.466, 7, 0.30))
WORDS = ("1 in 2 or better", "down to 1 in 8", "down to 1 in 32", "less")
HUE = COLOURS["key"]


@dataclass(frozen=True)
class Passage:
    """A text with a loss for each character; a notebook or website shows it as HTML.

    Attributes:
        text: as it stands.
        losses: in nats, one for each character.
    """

    text: str
    losses: Sequence[float]

    def __post_init__(self) -> None:
        if len(self.text) != len(self.losses):
            raise ValueError(f"{len(self.text)} characters and {len(self.losses)} losses")

    def words(self) -> list[tuple[str, float]]:
        """Each word with the marks around it, and the sum of its losses with the space before."""
        words, start = [], 0
        for match in re.finditer(r"\S+", self.text):
            words.append((match[0], sum(self.losses[start : match.end()])))
            start = match.end()
        return words

    def _repr_html_(self) -> str:
        paper, ink, line = (
            f"var(--bard-{name}, {COLOURS[name]})" for name in ("paper", "ink", "line")
        )
        card = f"background: {paper}; color: {ink}; border-radius: 8px; padding: 0.8em 1em"
        body = "".join(map(_character, self.text, self.losses))
        legend = " ".join(
            f'<span style="white-space: nowrap; margin-right: 1em"><span style="{_look(low)}">'
            f"abc</span> {words}</span>"
            for (low, *_), words in zip(LEVELS, WORDS, strict=True)
        )
        rows = "".join(
            f"<tr><td>{escape(word)}</td><td>{loss:.1f}</td></tr>" for word, loss in self.words()
        )
        return (
            f'<div class="bard-passage" style="{card}">\n'
            f'<p style="font-size: 0.85em; line-height: 1.9; margin: 0 0 0.8em">'
            f"probability: {legend}</p>\n"
            f'<p style="font-family: monospace; line-height: 1.9; white-space: pre-wrap; '
            f'overflow-wrap: anywhere; margin: 0">{body}</p>\n'
            f'<details style="margin-top: 0.8em"><summary>The same in numbers: nats for each '
            f'word</summary>\n<table style="border-color: {line}; color: {ink}"><thead><tr>'
            f'<th scope="col">word</th><th scope="col">nats</th></tr></thead>'
            f"<tbody>{rows}</tbody></table></details>\n</div>"
        )

    def __repr__(self) -> str:
        return f"<Passage of {len(self.text)} characters>"


def passage(text: str, losses: Sequence[float]) -> Passage:
    """A text coloured by the loss of its characters.

    Raises:
        ValueError: if there is not one loss for each character.
    """
    return Passage(text, losses)


def _character(character: str, loss: float) -> str:
    shown = '<span aria-hidden="true">↵</span>\n' if character == "\n" else escape(character)
    title = f"{loss:.2f} nats, {exp(-loss):.0%}"
    return f'<span title="{title}" style="{_look(loss)}">{shown}</span>'


def _look(loss: float) -> str:
    _, bar, tint = next(level for level in reversed(LEVELS) if loss >= level[0] or not level[0])
    if not bar:
        return "padding-bottom: 2px"
    return (
        f"padding-bottom: 2px; border-bottom: {bar}px solid {HUE}; "
        f"background: {HUE}{round(255 * tint):02x}"
    )
