"""A block as a drawing: the one program that stands parts and norms beside the stream or on it.

A *piece* is a box whose place is still open. A `Column` is a way from top to bottom; it places one
piece after the other, on the way itself or in a branch beside it, as a block's wiring says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bardgpt.teaching.diagrams.shapes import (
    INK,
    LINE,
    MUTED,
    box,
    label,
    named_box,
    plus,
    route,
)
from bardgpt.teaching.palette import COLOURS

PARTS = ("attention", "feed-forward")  # of a block, in the order of its forward pass
THICK = 4  # a stream that passes by; a path through everything is thin
SIGN = 11  # radius of an addition
FORK, END = 6, 10  # of the way above a fork, and below what ends a part


@dataclass(frozen=True)
class Piece:
    """A box that a block is made of.

    Attributes:
        height: of the box.
        draw: its shapes, from the middle and the top of the box.
    """

    height: float
    draw: Callable[[float, float], list[str]]


def look(role: str) -> dict[str, object]:
    """Edge and filling of a box of this role; dropout, which is no layer, has a dashed edge."""
    strength = {"norm": 0.3, "dropout": 0.35}.get(role, 0.15)
    edge = INK if role == "dropout" else COLOURS[role]
    dash = {"dash": "5 4"} if role == "dropout" else {}
    return {"edge": edge, "fill": COLOURS[role], "strength": strength} | dash


def named(text: str, style: dict[str, object], width: float, height: float = 36) -> Piece:
    """A box with its name in it; style: as of `look`."""
    return Piece(
        height,
        lambda middle, top: [named_box(middle - width / 2, top, width, height, text, **style)],
    )


class Column:
    """A way from top to bottom through blocks; `y` is how far it has come.

    Args:
        y: where it begins.
        stream: the middle of the way.
        branch: the middle of the branches beside it.
        colour: of a stream, to which is added; None for a way that leads through everything.
        gap: above each piece of a part.
        drop: below the last piece of a branch, down to the way back.
        backwards: turn the arrows round, and add where forward forked.
    """

    def __init__(
        self,
        y: float,
        stream: float,
        branch: float,
        *,
        colour: str | None,
        gap: float = 20,
        drop: float = 18,
        backwards: bool = False,
    ) -> None:
        self.y, self.stream, self.branch, self.colour = y, stream, branch, colour
        self.gap, self.drop, self.backwards = gap, drop, backwards
        self.shapes: list[str] = []

    def flow(
        self, length: float, text: str = "", *, tip: bool = False, stream: bool = True
    ) -> None:
        """The way goes on, with what flows there beside it.

        Args:
            length: how far.
            text: beside it.
            tip: whether its end is an arrow's.
            stream: False for what is no stream yet, or no longer.
        """
        colour, width = (self.colour, THICK) if stream and self.colour else (MUTED, 1.5)
        ends = [(self.stream, self.y), (self.stream, self.y + length)]
        ends = ends[::-1] if self.backwards else ends
        self.shapes.append(route(ends, colour=colour, width=width, tip=tip))
        if text:
            middle = self.y + length / 2 + (2 if tip else 5)
            self.shapes.append(label(self.stream + 12, middle, text, colour=MUTED))
        self.y += length

    def place(self, piece: Piece, middle: float | None = None) -> None:
        """A piece on the way itself, or with another middle."""
        self.shapes += piece.draw(self.stream if middle is None else middle, self.y)
        self.y += piece.height

    def part(
        self,
        wiring: str,
        pieces: Sequence[Piece],
        norm: Piece | None = None,
        *,
        colour: str = MUTED,
        note: str = "",
        **style: str,
    ) -> None:
        """Attention or feed-forward, in its place in a block's wiring.

        Args:
            wiring: of `bardgpt.layers.blocks.BLOCKS`.
            pieces: what the part consists of, from top to bottom.
            norm: its norm, if the wiring has one.
            colour: of the branch.
            note: a word where the branch comes back.
            style: SVG attributes of the note.
        """
        if wiring == "plain":
            for piece in pieces:
                self.flow(self.gap, tip=True)
                self.place(piece)
            return
        self._fork([norm, *pieces] if norm and wiring == "pre-norm" else pieces, colour)
        if note:
            self.shapes.append(label(self.stream + 18, self.y - SIGN - 8, note, **style))
        if norm and wiring == "post-norm":
            self.flow(self.gap, tip=True)
            self.place(norm)
        self.flow(END)

    def _fork(self, pieces: Sequence[Piece], colour: str) -> None:
        """A branch off the stream through some pieces, and back to it at a plus sign."""
        above, start = self.y, len(self.shapes)
        fork = self.y = above + FORK
        at_sign = self.stream + SIGN  # the tip of the way that is added stays outside the sign
        ways = [[(at_sign if self.backwards else self.stream, fork), (self.branch, fork)]]
        for piece in pieces:
            self.y += self.gap
            ways[-1].append((self.branch, self.y))
            self.place(piece, self.branch)
            ways.append([(self.branch, self.y)])
        joined = self.y + self.drop
        self.y = joined + SIGN
        ways[-1] += [(self.branch, joined), (self.stream if self.backwards else at_sign, joined)]
        stream = [(self.stream, above), (self.stream, self.y)]
        self.shapes[start:start] = [
            route(stream, colour=self.colour, width=THICK, tip=False),
            *(route(way[::-1] if self.backwards else way, colour=colour, width=2) for way in ways),
        ]
        sign = fork if self.backwards else joined
        self.shapes.append(plus(self.stream, sign, colour=self.colour, radius=SIGN))

    def frame(
        self,
        top: float,
        start: int,
        sides: tuple[float, float],
        text: str,
        edge: str = LINE,
        **style,
    ) -> None:
        """A dashed frame around what came since `top`, below all shapes since `start`.

        Args:
            top: of the frame; it ends where the way has come.
            start: how many shapes there were at the top.
            sides: left and right.
            text: in the lower right corner.
            edge: colour of the frame.
            style: SVG attributes of the text, and its `colour`.
        """
        left, right = sides
        style = {"colour": MUTED} | style
        self.shapes.append(label(right - 10, self.y - 10, text, at="end", **style))
        dashed = box(left, top, right - left, self.y - top, edge=edge, dash="5 4")
        self.shapes.insert(start, dashed)
