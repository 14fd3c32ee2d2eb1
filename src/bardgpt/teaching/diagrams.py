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
from bardgpt.teaching.ladder import RUNGS, TITLES, VOCAB_SIZE
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


def line(x: float, y: float, to_x: float, to_y: float, *, colour: str = MUTED) -> str:
    """A straight line."""
    return (
        f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" '
        f'style="fill: none; stroke: {colour}; stroke-width: 1.5"/>'
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


def heads() -> Diagram:
    """One head of 32 channels beside four heads of 8."""
    bar, size, gap, width = 44, 44, 12, 312
    shapes: list[str] = []
    for left, title, parts in ((24, "one head of 32", 1), (384, "four heads of 8", 4)):
        each = (width - gap * (parts - 1)) / parts
        shapes += [
            label(left, 30, title, font_weight="600"),
            box(left, 48, width, bar, edge=COLOURS["input"]),
            label(left + width / 2, 75, "x: 32 channels", at="middle"),
        ]
        for i in range(parts):
            x, colour = left + i * (each + gap), COLOURS[f"head {i}"]
            middle = x + each / 2
            shapes += [
                arrow(middle, 96, 18),
                box(x, 118, each, bar, edge=colour, fill=colour, strength=0.15),
                label(middle, 145, "q, k, v of 32" if parts == 1 else "of 8", at="middle"),
                arrow(middle, 166, 18),
                box(middle - size / 2, 188, size, size, edge=colour),
                label(middle, 215, "A" if parts == 1 else f"A{'₁₂₃₄'[i]}", at="middle"),
                arrow(middle, 236, 18),
                box(x, 258, each, bar, edge=colour, fill=colour, strength=0.15),
                label(middle, 285, "A v: 32" if parts == 1 else "8", at="middle"),
            ]
    shapes += [
        label(24, 328, "A: T x T weights, softmax of q k", colour=MUTED),
        label(384, 328, "side by side: 32 channels again", colour=MUTED),
    ]
    return Diagram(
        "heads",
        "One head of 32 channels beside four heads of 8",
        "Left: x, a wide box of 32 channels, leads down to q, k, v of 32, through one square A, to "
        "A v, a wide box of 32. Right: the same x leads to four narrow boxes in four colours, q, "
        "k, v of 8 each, through four squares A1 to A4, to four boxes of 8 that together are as "
        "wide as x again.",
        346,
        shapes,
    )


def one_head() -> Diagram:
    """One position's query, the keys and values of a window, and what it receives."""
    text, asks, scores = "lords", 3, (1, 2, -1, 0)
    total = sum(math.exp(score) for score in scores)
    size, step, left = 52, 104, 176
    rows = {"x": 24, "query": 104, "key": 180, "score": 256, "weight": 308, "value": 372, "y": 478}
    query, key, value, output = (COLOURS[role] for role in ("query", "key", "value", "output"))
    here = left + asks * step
    shapes = [
        label(MARGIN, rows["x"] + 32, "character", font_weight="600"),
        label(MARGIN, rows["query"] + 32, "it asks: q", font_weight="600"),
        label(MARGIN, rows["key"] + 32, "all offer: k", font_weight="600"),
        label(MARGIN, rows["score"] + 18, "score q · k / √hs", font_weight="600"),
        label(MARGIN, rows["weight"] + 18, "softmax: weight", font_weight="600"),
        label(MARGIN, rows["value"] + 32, "all give: v", font_weight="600"),
        label(MARGIN, rows["y"] + 32, "it receives: y", font_weight="600"),
        box(here, rows["query"], size, size, edge=query, fill=query, strength=0.25),
        label(here + size / 2, rows["query"] + 32, "q₃", at="middle"),
        arrow(here + size / 2, rows["x"] + size + 4, 20),
    ]
    for s, letter in enumerate(text):
        x, past = left + s * step, s <= asks
        middle, dash = x + size / 2, {} if past else {"dash": "5 4"}
        weight = math.exp(scores[s]) / total if past else 0
        score = str(scores[s]).replace("-", "\N{MINUS SIGN}") if past else "\N{MINUS SIGN}∞"
        shapes += [
            character(x, rows["x"], size, letter, edge=COLOURS["input"]),
            box(x, rows["key"], size, size, edge=key, fill=key, strength=0.2 * past, **dash),
            label(middle, rows["key"] + 32, f"k{'₀₁₂₃₄'[s]}", at="middle"),
            label(middle, rows["score"] + 18, score, at="middle"),
            arrow(middle, rows["score"] + 28, 22),
            label(middle, rows["weight"] + 18, f"{weight:.2f}", at="middle", font_weight="600"),
            label(
                middle, rows["weight"] + 46, "\N{MULTIPLICATION SIGN}", at="middle", colour=MUTED
            ),
            box(x, rows["value"], size, size, edge=value, fill=value, strength=weight, **dash),
            label(middle, rows["value"] + 32, f"v{'₀₁₂₃₄'[s]}", at="middle"),
        ]
        if past:
            shapes.append(line(middle, rows["value"] + size + 6, middle, rows["value"] + size + 24))
    floor = rows["value"] + size + 24
    shapes += [
        line(left + size / 2, floor, here + size / 2, floor),
        label(left + size / 2 + 6, floor + 22, "sum", colour=MUTED),
        arrow(here + size / 2, floor, rows["y"] - floor - 4),
        box(here, rows["y"], size, size, edge=output, fill=output, strength=0.25),
        label(here + size / 2, rows["y"] + 32, "y₃", at="middle"),
    ]
    weights = ", ".join(f"{math.exp(score) / total:.2f}" for score in scores)
    return Diagram(
        "one-head",
        "How one position of one head collects from its past",
        "Five characters, l, o, r, d, s, each with a box for its key and one for its value. The "
        "fourth, d, also has a query. Query times key gives it a score with each character: "
        "1, 2, minus 1, 0, and minus infinity for s, which lies in the future. Softmax makes of "
        f"them the weights {weights} and 0. The values, times their weights, are summed: what d "
        "receives.",
        546,
        shapes,
    )


def yardsticks() -> Diagram:
    """Every loss known so far as a bar, from a uniform guess to the full model's reported one."""
    tables = records.read("count-tables")["tables"]
    rows = [("count", f"counts, {t['context']} before", t["validation"]) for t in tables]
    rows[0] = ("count", "character frequencies", tables[0]["validation"])
    rows.append(("count", "uniform guess", math.log(VOCAB_SIZE)))
    rows += [("model", TITLES[name], records.load(name).band().mean) for name in RUNGS]
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


DIAGRAMS: dict[str, Callable[[], Diagram]] = {
    "windows": windows,
    "one-head": one_head,
    "heads": heads,
    "yardsticks": yardsticks,
}


def diagram(name: str) -> Diagram:
    """A diagram by name.

    Raises:
        KeyError: if there is none; says which there are.
    """
    if name not in DIAGRAMS:
        raise KeyError(f"no diagram {name!r}; there are {sorted(DIAGRAMS)}")
    return DIAGRAMS[name]()
