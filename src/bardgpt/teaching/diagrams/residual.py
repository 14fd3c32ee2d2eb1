"""Blocks as paths: what a number passes on its way forward, and a gradient on its way back."""

from bardgpt.teaching.diagrams.block import PARTS, Column, look, named
from bardgpt.teaching.diagrams.shapes import PANEL, Diagram, Panels, label
from bardgpt.teaching.palette import COLOURS

BLOCKS = 2
TOP = 60  # of the stream


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
    colour = COLOURS["gradient" if backwards else "stream"]
    column = Column(TOP, 76, 204, colour=colour, drop=24, backwards=backwards)
    column.flow(38, "embeddings", tip=backwards)
    for block in range(BLOCKS):
        top, start = column.y, len(column.shapes)
        column.flow(6)
        for part in PARTS:
            column.part(
                "residual",
                [named(part, look(part), 124)],
                colour=COLOURS[part],
                note="copied" if backwards else "added",
            )
        column.frame(top, start, (20, PANEL - 20), f"block {block + 1}")
        if block < BLOCKS - 1:
            column.flow(6)
    column.flow(46, "logits and loss", tip=not backwards)
    heading = label(
        20, 32, "backward: gradients" if backwards else "forward: numbers", font_weight="600"
    )
    return Diagram(name, title, description, column.y + 22, [heading, *column.shapes], width=PANEL)
