"""The picture that stands beside a link to the book: what the first model writes, and the last."""

from pathlib import Path

from matplotlib.figure import Figure

from _pages.continuations import continuations
from _pages.landing import lines

NAME, SAID = "bardGPT", "Build a GPT that writes Shakespeare, piece by piece"
WIDTH, HEIGHT = 1200, 630  # as the places that show such pictures ask for
GROUND, INK, FAINT, ACCENT = "#1f2933", "#ffffff", "#b6c2cf", "#6cb4ee"  # the favicon's, and dark's
DESCRIPTION = "The book's name, and beside it gibberish by its first model above lines by its last."


def texts() -> list[tuple[str, str]]:
    """Each of the two models with a few lines that it wrote."""
    written = continuations()
    chosen = (("Chapter 1", written[0]), ("Chapter 9", written[-1]))
    return [
        (f"{chapter} · {one.title} · loss {one.loss:.3f}", "\n".join(lines(one.text)))
        for chapter, one in chosen
    ]


def figure() -> Figure:
    """Return the picture."""
    drawn = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100, facecolor=GROUND)
    plain = {"va": "top", "family": "DejaVu Sans", "parse_math": False}
    drawn.text(0.06, 0.88, NAME, size=52, weight="bold", color=INK, **plain)
    drawn.text(0.06, 0.72, SAID, size=24, color=FAINT, **plain)
    for (left, shade), (model, text) in zip(((0.06, FAINT), (0.57, INK)), texts(), strict=True):
        drawn.text(left, 0.5, model, size=14, color=ACCENT, **plain)
        verse = plain | {"family": "DejaVu Serif", "linespacing": 1.6}
        drawn.text(left, 0.43, text, size=18, color=shade, **verse)
    return drawn


def draw(path: Path) -> None:
    """Write the picture into a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure().savefig(path, format="png", facecolor=GROUND, metadata={"Software": None})
