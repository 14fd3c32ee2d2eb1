"""Hand-made diagrams from a small set of shapes, as SVG that a page can hold as text.

Colours are light values of the palette, written as the page's variables. Ids are fixed by the
diagram's name, so its text never changes by itself and can be compared to the letter.

A unit is a pixel where text is a little smaller than the page's; a narrow page scales a drawing
down. What is made for a phone is at most `NARROW` wide, so that its text can be read there, too.
What has room to grow is drawn twice, as `Fitted`; two that belong together are `Panels`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from html import escape

from bardgpt.teaching.palette import COLOURS
from bardgpt.teaching.svg import paint, picture

WIDE = 720  # as wide as the page
NARROW = 432  # text of 15 is above 11 pixels in a column of 328
PANEL = 352  # two of them, and a gap of 16, are as wide as the page
MARGIN = 24
FONT = 15
INK, MUTED, LINE, PAPER = (COLOURS[name] for name in ("ink", "muted", "line", "paper"))


@dataclass(frozen=True)
class Diagram:
    """A finished diagram; a notebook or website shows it inline.

    Attributes:
        name: of `DIAGRAMS`; also the stem of its ids.
        title: what it is, in a few words.
        description: what is seen, for those who cannot see it.
        height: of the view box.
        shapes: SVG elements, bottom first.
        width: of the view box.
    """

    name: str
    title: str
    description: str
    height: float
    shapes: Sequence[str]
    width: float = NARROW

    def svg(self, look: str = "bard-diagram", *, sheet: bool = True) -> str:
        """The whole `<svg>` element; look: its classes; sheet: whether it brings the variables."""
        size = (self.width, self.height)
        return picture(
            f"bard-{self.name}", self.title, self.description, size, self.shapes,
            look=look, font=FONT, sheet=sheet,
        )  # fmt: skip

    def _repr_html_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<Diagram {self.name}: {self.title}>"


@dataclass(frozen=True)
class Panels:
    """Diagrams that belong together: side by side, or one below the other where there is no room.

    Attributes:
        name: of `DIAGRAMS`.
        title: what they show together.
        parts: from left to right; each has a name, title and description of its own.
    """

    name: str
    title: str
    parts: Sequence[Diagram]

    def svg(self) -> str:
        """The `<svg>` elements in a box where they shrink a little, and then wrap."""
        drawings = "\n".join(
            f'<div style="flex: 1 1 18rem; max-width: {part.width / FONT:.4g}rem">\n'
            f"{part.svg(sheet=part is self.parts[0])}\n</div>"
            for part in self.parts
        )
        style = "display: flex; flex-wrap: wrap; gap: 16px; justify-content: center"
        return f'<div style="{style}">\n{drawings}\n</div>'

    def _repr_html_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return f"<Diagram {self.name}: {self.title}>"


@dataclass(frozen=True)
class Fitted:
    """A diagram that is drawn for a column with room, and again for a phone.

    Attributes:
        wide: the one.
        narrow: the other; its name and title are those of both.
    """

    wide: Diagram
    narrow: Diagram

    @property
    def parts(self) -> tuple[Diagram, Diagram]:
        """Both drawings."""
        return self.wide, self.narrow

    def svg(self) -> str:
        """Both `<svg>` elements in a box whose width chooses between them."""
        wide = self.wide.svg("bard-diagram bard-wide")
        narrow = self.narrow.svg("bard-diagram bard-narrow", sheet=False)
        return f'<div class="bard-figure">\n{wide}\n{narrow}\n</div>'

    def _repr_html_(self) -> str:
        return self.svg()

    def __repr__(self) -> str:
        return repr(self.narrow)


def fitted(draw: Callable[[float], Diagram]) -> Fitted:
    """A diagram in both widths; draw: it in one."""
    return Fitted(replace(wide := draw(WIDE), name=f"{wide.name}-wide"), draw(NARROW))


def label(x: float, y: float, text: str, *, at: str = "start", colour: str = INK, **style) -> str:
    """Text whose base line begins, centres or ends (`at`) at a point; style: SVG attributes."""
    attributes = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in style.items())
    fill = paint(colour, words=True)
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{at}"{attributes} style="fill: {fill}; '
        f'white-space: pre">{escape(text)}</text>'
    )


def box(x: float, y: float, width: float, height: float, *, edge: str = LINE, **style) -> str:
    """A rounded rectangle with an outline; style: `fill`, `dash`, `strength` of the filling."""
    fill, strength = style.get("fill", "none"), style.get("strength", 1)
    dash = f' stroke-dasharray="{style["dash"]}"' if "dash" in style else ""
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="4"{dash} '
        f'style="fill: {paint(fill)}; fill-opacity: {strength:g}; stroke: {paint(edge)}; '
        f'stroke-width: 1.5"/>'
    )


def arrow(x: float, y: float, length: float, *, colour: str = MUTED) -> str:
    """An arrow that points straight down."""
    tip = y + length
    return (
        f'<path d="M{x:g} {y:g}V{tip - 6:g}M{x - 5:g} {tip - 7:g}L{x:g} {tip:g}L{x + 5:g} '
        f'{tip - 7:g}" style="fill: none; stroke: {paint(colour)}; stroke-width: 1.5"/>'
    )


def line(x: float, y: float, to_x: float, to_y: float, *, colour: str = MUTED) -> str:
    """A straight line."""
    return (
        f'<path d="M{x:g} {y:g}L{to_x:g} {to_y:g}" '
        f'style="fill: none; stroke: {paint(colour)}; stroke-width: 1.5"/>'
    )


def route(points: Sequence[tuple[float, float]], *, colour: str = MUTED, **style) -> str:
    """A line through points, with a tip at the last one; style: `width`, `dash`, `tip=False`."""
    width = style.get("width", 1.5)
    dash = f' stroke-dasharray="{style["dash"]}"' if "dash" in style else ""
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
    if style.get("tip", True):
        (from_x, from_y), (x, y) = points[-2:]
        length = math.hypot(x - from_x, y - from_y)
        along = ((x - from_x) / length, (y - from_y) / length)
        size = 5 + width
        sides = [
            (x - size * (along[0] - side * along[1]), y - size * (along[1] + side * along[0]))
            for side in (0.7, -0.7)
        ]
        (left_x, left_y), (right_x, right_y) = sides
        path += f"M{left_x:g} {left_y:g}L{x:g} {y:g}L{right_x:g} {right_y:g}"
    return (
        f'<path d="{path}"{dash} style="fill: none; stroke: {paint(colour)}; '
        f'stroke-width: {width:g}; stroke-linejoin: round"/>'
    )


def plus(x: float, y: float, *, colour: str = INK, radius: float = 11) -> str:
    """An addition: a circle around a plus sign, centred at a point; it hides what is below it."""
    arm = radius - 5
    return (
        f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" '
        f'style="fill: {paint(PAPER)}; stroke: {paint(colour)}; stroke-width: 1.5"/>'
        f'<path d="M{x - arm:g} {y:g}H{x + arm:g}M{x:g} {y - arm:g}V{y + arm:g}" '
        f'style="fill: none; stroke: {paint(colour)}; stroke-width: 1.5"/>'
    )


def named_box(
    x: float, y: float, width: float, height: float, text: str, *, edge: str = LINE, **style
) -> str:
    """A box with its name in the middle, on paper that hides what is below; style: as of `box`."""
    behind = box(x, y, width, height, edge=PAPER, fill=PAPER)
    name = label(x + width / 2, y + height / 2 + 5, text, at="middle")
    return behind + box(x, y, width, height, edge=edge, **style) + name


def character(x: float, y: float, size: float, text: str, *, edge: str = LINE, **style) -> str:
    """One character in its box, a space or line break as a mark; style: as of `box`."""
    mark = {" ": "␣", "\n": "↵"}.get(text, text)
    middle = label(
        x + size / 2, y + size / 2 + 6, mark, at="middle", font_family="monospace", font_size="18"
    )
    return box(x, y, size, size, edge=edge, **style) + middle
