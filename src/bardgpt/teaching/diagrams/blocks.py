"""Blocks as paths: what a number passes on its way forward, and a gradient on its way back."""

from bardgpt.teaching.diagrams.shapes import (
    LINE,
    MUTED,
    PANEL,
    Diagram,
    Panels,
    box,
    label,
    named_box,
    plus,
    route,
)
from bardgpt.teaching.palette import COLOURS

BRANCH = 112  # height of one branch, from its fork to the next
PARTS = ("attention", "feed-forward")


def residual_stream() -> Panels:
    """Two blocks on a residual stream: forwards the sums, backwards the gradient."""
    return Panels(
        "residual-stream",
        "The residual stream of two blocks, forwards and backwards",
        (
            _two_blocks(
                "residual-stream-forward",
                "Two blocks on a residual stream, forwards",
                "A thick vertical line, the stream, runs from the embeddings at the top down to "
                "the logits and the loss. Four times a thin line forks off to a box, attention or "
                "feed-forward in turn, and comes back to the stream at a plus sign, where it is "
                "added. Each pair of boxes is framed as a block.",
                backwards=False,
            ),
            _two_blocks(
                "residual-stream-backward",
                "The same two blocks, backwards",
                "The same picture with all arrows turned round. The gradient runs up the stream "
                "from the loss. Where forward added, it is copied into the branch and also goes "
                "on; where a branch had forked off, a plus sign adds what comes out of it.",
                backwards=True,
            ),
        ),
    )


def _two_blocks(name: str, title: str, description: str, *, backwards: bool) -> Diagram:
    stream, top, n_branches = 76, 96, 4
    floor = top + n_branches * BRANCH + 40
    colour = COLOURS["gradient" if backwards else "stream"]
    ends = [(stream, top - 30), (stream, floor)]
    shapes = [
        label(20, 32, "backward: gradients" if backwards else "forward: numbers", font_weight="600")
    ]
    for block in range(2):
        y = top + 2 * block * BRANCH - 4
        shapes += [
            box(20, y, PANEL - 40, 2 * BRANCH - 6, edge=LINE, dash="5 4"),
            label(PANEL - 30, y + 2 * BRANCH - 16, f"block {block + 1}", at="end", colour=MUTED),
        ]
    shapes += [
        label(stream + 16, top - 18, "embeddings", colour=MUTED),
        route(ends[::-1] if backwards else ends, colour=colour, width=4),
        label(stream + 16, floor - 2, "logits and loss", colour=MUTED),
    ]
    for i in range(n_branches):
        shapes += _branch(stream, top + i * BRANCH, PARTS[i % 2], colour, backwards=backwards)
    return Diagram(name, title, description, floor + 22, shapes, width=PANEL)


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
