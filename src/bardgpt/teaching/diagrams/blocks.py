"""Blocks as paths: what a number passes on its way forward, and a gradient on its way back."""

from bardgpt.teaching.diagrams.shapes import (
    LINE,
    MUTED,
    Diagram,
    box,
    label,
    named_box,
    plus,
    route,
)
from bardgpt.teaching.palette import COLOURS

BRANCH = 112  # height of one branch, from its fork to the next
PARTS = ("attention", "feed-forward")


def residual_stream() -> Diagram:
    """Two blocks on a residual stream: forwards the sums, backwards the gradient."""
    top, n_branches = 96, 4
    floor = top + n_branches * BRANCH + 40
    shapes: list[str] = []
    for stream, title, backwards in (
        (84, "forward: numbers", False),
        (464, "backward: gradients", True),
    ):
        colour = COLOURS["gradient" if backwards else "stream"]
        ends = [(stream, top - 30), (stream, floor)]
        for block in range(2):
            y = top + 2 * block * BRANCH - 4
            shapes.append(box(stream - 40, y, 250, 2 * BRANCH - 2, edge=LINE, dash="5 4"))
        shapes += [
            label(stream - 60, 32, title, font_weight="600"),
            label(stream + 16, top - 22, "embeddings", colour=MUTED),
            route(ends[::-1] if backwards else ends, colour=colour, width=4),
            label(stream + 16, floor - 2, "logits and loss", colour=MUTED),
        ]
        for i in range(n_branches):
            shapes += _branch(stream, top + i * BRANCH, PARTS[i % 2], colour, backwards=backwards)
    for block in range(2):
        middle = top + (2 * block + 1) * BRANCH
        shapes.append(label(359, middle - 4, f"block {block + 1}", at="middle", colour=MUTED))
    return Diagram(
        "residual-stream",
        "The residual stream of two blocks, forwards and backwards",
        "Two copies of one picture. A thick vertical line, the stream, runs from the embeddings at "
        "the top to the logits and the loss at the bottom. Four times a thin line forks off to a "
        "box, attention or feed-forward in turn, and comes back to the stream at a plus sign. In "
        "the left copy, forward, the arrows point down. In the right copy, backward, they point "
        "up: at each plus sign the gradient goes up the stream and, the same, into the branch; "
        "where the branch had forked off, what comes out of it is added.",
        floor + 22,
        shapes,
    )


def _branch(stream: float, top: float, part: str, colour: str, *, backwards: bool) -> list[str]:
    """One branch beside the stream, with the sign where forward passes or backward ones add."""
    fork, joined, right = top + 12, top + BRANCH - 18, stream + 128
    box_top, height = top + 34, 36
    role = COLOURS[part]
    ways = [
        [(stream, fork), (right, fork), (right, box_top)],
        [(right, box_top + height), (right, joined), (stream + 11, joined)],
    ]
    if backwards:
        ways = [
            [(right, box_top), (right, fork), (stream + 11, fork)],
            [(stream, joined), (right, joined), (right, box_top + height)],
        ]
    note = label(stream + 16, joined - 8, "copied" if backwards else "added")
    return [
        *(route(way, colour=role, width=2) for way in ways),
        named_box(right - 62, box_top, 124, height, part, edge=role, fill=role, strength=0.15),
        plus(stream, fork if backwards else joined, colour=colour),
        note,
    ]
