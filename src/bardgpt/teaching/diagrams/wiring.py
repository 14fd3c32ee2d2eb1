"""Where the norms stand: after the addition, or at the entrance of each branch."""

from bardgpt.teaching.diagrams.block import PARTS, Column, look, named
from bardgpt.teaching.diagrams.shapes import MUTED, PANEL, Diagram, Panels, label
from bardgpt.teaching.palette import COLOURS

TOP = 72  # of the stream


def pre_and_post_norm() -> Panels:
    """One block in both wirings; only one of them leaves the stream alone."""
    return Panels(
        "pre-and-post-norm",
        "One block with its norms after the additions, and with its norms in the branches",
        (
            _block(
                "post-norm",
                "Post-norm: a norm after each addition",
                "A thick vertical line, labelled stream, runs from the embeddings at the top "
                "through one block and more such blocks to the output layer. Twice in the block a "
                "thin line forks off to a box, attention and then feed-forward, and comes back to "
                "the stream at a plus sign. Below each plus sign the stream itself runs through a "
                "box named norm.",
                "norm(x + f(x))",
            ),
            _block(
                "pre-norm",
                "Pre-norm: a norm at the entrance of each branch",
                "The same block, but the two norm boxes stand in the branches, one before "
                "attention and one before feed-forward. On the stream there are plus signs only, "
                "and one box below all blocks, the final norm.",
                "x + f(norm(x))",
            ),
        ),
    )


def _block(wiring: str, title: str, description: str, formula: str) -> Diagram:
    column = Column(TOP, 76, 204, colour=COLOURS["stream"], gap=24)
    norm = named("norm", look("norm"), 64, 30)
    column.flow(36, "embeddings")
    top, start = column.y, len(column.shapes)
    column.flow(10)
    for part in PARTS:
        if part == PARTS[0]:
            column.shapes.append(label(column.stream + 10, column.y + 30, "stream", colour=MUTED))
        column.part(wiring, [named(part, look(part), 124)], norm, colour=COLOURS[part])
    column.flow(6)
    column.frame(top, start, (20, PANEL - 20), "block")
    column.flow(42, "more such blocks", tip=wiring == "pre-norm")
    if wiring == "pre-norm":
        column.shapes.append(label(column.stream + 40, column.y + 20, "the final norm"))
        column.place(norm)
    else:
        column.flow(norm.height)
    column.flow(54, "output layer, logits", tip=True)
    headings = [
        label(20, 32, wiring, font_weight="600"),
        label(20, 54, formula, font_family="monospace"),
    ]
    return Diagram(
        f"{wiring}-block", title, description, column.y + 22, headings + column.shapes, width=PANEL
    )
