"""Hand-made diagrams from a small set of shapes, as SVG that a page can hold as text.

Colours are CSS variables with a fallback: the website swaps them in dark mode, and elsewhere the
diagram brings its own light card. Ids are fixed by the diagram's name, so its text never changes
by itself and can be compared to the letter.

Units are those of the view box, 720 wide; a page scales the whole.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from bardgpt.teaching import records
from bardgpt.teaching.ladder import VOCAB_SIZE
from bardgpt.teaching.palette import COLOURS

WIDTH = 720
MARGIN = 24
INK, MUTED, LINE, PAPER = (
    f"var(--bard-{name}, {COLOURS[name]})" for name in ("ink", "muted", "line", "paper")
)


@dataclass(frozen=True)
class Diagram:
    """A finished diagram; a notebook or website shows it inline.

    Attributes:
        name: of `DIAGRAMS`; also the stem of its ids.
        title: what it is, in a few words.
        description: what is seen, for those who cannot see it.
        height: of the view box.
        shapes: SVG elements, bottom first.
    """

    name: str
    title: str
    description: str
    height: float
    shapes: Sequence[str]

    def svg(self) -> str:
        """The whole `<svg>` element."""
        stem = f"bard-{self.name}"
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="bard-diagram" role="img" '
            f'viewBox="0 0 {WIDTH} {self.height:g}" width="{WIDTH}" '
            f'aria-labelledby="{stem}-title {stem}-desc" style="max-width: 100%; height: auto" '
            f'font-family="system-ui, sans-serif" font-size="15">'
        )
        return "\n".join(
            [
                head,
                f'<title id="{stem}-title">{escape(self.title)}</title>',
                f'<desc id="{stem}-desc">{escape(self.description)}</desc>',
                f'<rect width="{WIDTH}" height="{self.height:g}" rx="8" style="fill: {PAPER}"/>',
                *self.shapes,
                "</svg>",
            ]
        )

    def _repr_html_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<Diagram {self.name}: {self.title}>"


def label(x: float, y: float, text: str, *, at: str = "start", colour: str = INK, **style) -> str:
    """Text whose base line begins, centres or ends (`at`) at a point; style: SVG attributes."""
    attributes = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in style.items())
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{at}"{attributes} style="fill: {colour}; '
        f'white-space: pre">{escape(text)}</text>'
    )


def box(x: float, y: float, width: float, height: float, *, edge: str = LINE, **style) -> str:
    """A rounded rectangle with an outline; style: `fill`, `dash`, `strength` of the filling."""
    fill, strength = style.get("fill", "none"), style.get("strength", 1)
    dash = f' stroke-dasharray="{style["dash"]}"' if "dash" in style else ""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4"{dash} '
        f'style="fill: {fill}; fill-opacity: {strength:g}; stroke: {edge}; stroke-width: 1.5"/>'
    )


def arrow(x: float, y: float, length: float, *, colour: str = MUTED) -> str:
    """An arrow that points straight down."""
    tip = y + length
    return (
        f'<path d="M{x:g} {y:g}V{tip - 6:g}M{x - 5:g} {tip - 7:g}L{x:g} {tip:g}L{x + 5:g} '
        f'{tip - 7:g}" style="fill: none; stroke: {colour}; stroke-width: 1.5"/>'
    )


def character(x: float, y: float, size: float, text: str, *, edge: str = LINE) -> str:
    """One character in its box; a space and a line break are drawn as marks."""
    mark = {" ": "␣", "\n": "↵"}.get(text, text)
    middle = label(
        x + size / 2, y + size / 2 + 6, mark, at="middle", font_family="monospace", font_size="18"
    )
    return box(x, y, size, size, edge=edge) + middle


def windows() -> Diagram:
    """Inputs and targets: the same text, one character apart."""
    text, size, step, left = "First Cit", 44, 64, 148
    top, bottom = 52, 150
    blue, orange = COLOURS["input"], COLOURS["target"]
    shapes = [
        label(MARGIN, top + 28, "inputs x", font_weight="600"),
        label(MARGIN, bottom + 28, "targets y", font_weight="600"),
        label(MARGIN, 32, "position t", colour=MUTED),
    ]
    for t in range(len(text) - 1):
        x = left + t * step
        shapes += [
            label(x + size / 2, 32, str(t), at="middle", colour=MUTED),
            character(x, top, size, text[t], edge=blue),
            arrow(x + size / 2, top + size + 8, bottom - top - size - 16),
            character(x, bottom, size, text[t + 1], edge=orange),
        ]
    shapes.append(
        label(left, 226, "y at t is the character of the text that follows x at t", colour=MUTED)
    )
    return Diagram(
        "windows",
        "A window of eight characters and its eight targets",
        "Two rows of eight boxes. The upper row, the inputs, spells First, a space, C, i. The "
        "lower row, the targets, holds the same text one character later: irst, a space, C, i, t. "
        "An arrow leads from each input down to its target.",
        246,
        shapes,
    )


def yardsticks() -> Diagram:
    """Every loss known so far as a bar, from a uniform guess to the full model's reported one."""
    tables = records.read("count-tables")["tables"]
    rows = [("count", f"counts, {t['context']} before", t["validation"]) for t in tables]
    rows[0] = ("count", "character frequencies", tables[0]["validation"])
    rows.append(("count", "uniform guess", math.log(VOCAB_SIZE)))
    rows.append(("model", "bigram model, trained", records.load("bigram").band().mean))
    rows.append(("reported", "full model, as reported", 1.48))
    rows.sort(key=lambda row: -row[2])
    left, top, height, gap = 210, 54, 22, 11
    per_nat = (WIDTH - MARGIN - 60 - left) / rows[0][2]
    shapes = [
        label(MARGIN, 30, "validation loss in nats per character: shorter is better", colour=MUTED)
    ]
    for i, (role, name, loss) in enumerate(rows):
        y, colour = top + i * (height + gap), COLOURS[role]
        style = {"fill": colour, "strength": {"count": 0.35, "model": 0.9, "reported": 0.1}[role]}
        if role == "reported":
            style["dash"] = "5 4"
        shapes += [
            label(left - 12, y + 16, name, at="end"),
            box(left, y, loss * per_nat, height, edge=colour, **style),
            label(
                left + loss * per_nat + 8,
                y + 16,
                f"{loss:.2f}" if role == "reported" else f"{loss:.3f}",
            ),
        ]
    listed = "; ".join(f"{name}, {loss:.3f}" for _, name, loss in rows)
    return Diagram(
        "yardsticks",
        "What there is to beat",
        f"A bar for each loss on the validation text, longest first: {listed} nats per character.",
        top + len(rows) * (height + gap) + 14,
        shapes,
    )


DIAGRAMS: dict[str, Callable[[], Diagram]] = {"windows": windows, "yardsticks": yardsticks}


def diagram(name: str) -> Diagram:
    """A diagram by name.

    Raises:
        KeyError: if there is none; says which there are.
    """
    if name not in DIAGRAMS:
        raise KeyError(f"no diagram {name!r}; there are {sorted(DIAGRAMS)}")
    return DIAGRAMS[name]()
