"""Where the norms stand: after the addition, or at the entrance of each branch."""

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

TOP = 112  # of the first branch
BRANCH = 160  # height of one branch, from its fork to the next
PARTS = ("attention", "feed-forward")


def pre_and_post_norm() -> Panels:
    """One block in both wirings; only one of them leaves the stream alone."""
    return Panels(
        "pre-and-post-norm",
        "One block with its norms after the additions, and with its norms in the branches",
        (
            _block(
                "post-norm-block",
                "Post-norm: a norm after each addition",
                "A thick vertical line, labelled stream, runs from the embeddings at the top "
                "through one block and more such blocks to the output layer. Twice in the block a "
                "thin line forks off to a box, attention and then feed-forward, and comes back to "
                "the stream at a plus sign. Below each plus sign the stream itself runs through a "
                "box named norm.",
                pre=False,
            ),
            _block(
                "pre-norm-block",
                "Pre-norm: a norm at the entrance of each branch",
                "The same block, but the two norm boxes stand in the branches, one before "
                "attention and one before feed-forward. On the stream there are plus signs only, "
                "and one box below all blocks, the final norm.",
                pre=True,
            ),
        ),
    )


def _block(name: str, title: str, description: str, *, pre: bool) -> Diagram:
    stream, after = 76, TOP + len(PARTS) * BRANCH  # after: the end of the block
    floor, colour = after + 120, COLOURS["stream"]
    formula = "x + f(norm(x))" if pre else "norm(x + f(x))"
    shapes = [
        label(20, 32, "pre-norm" if pre else "post-norm", font_weight="600"),
        label(20, 54, formula, font_family="monospace"),
        box(20, TOP - 8, PANEL - 40, after - TOP + 16, edge=LINE, dash="5 4"),
        label(stream + 16, TOP - 20, "embeddings", colour=MUTED),
        route([(stream, TOP - 34), (stream, floor)], colour=colour, width=4),
        label(PANEL - 30, after - 2, "block", at="end", colour=MUTED),
        label(stream + 10, TOP + 38, "stream", colour=MUTED),
        label(stream + 16, after + 32, "more such blocks", colour=MUTED),
        label(stream + 16, floor - 2, "output layer, logits", colour=MUTED),
    ]
    for i, part in enumerate(PARTS):
        shapes += _branch(stream, TOP + i * BRANCH, part, pre=pre)
    if pre:
        shapes += [
            route([(stream, after), (stream, after + 50)], colour=colour, width=4),
            _norm(stream, after + 50),
            label(stream + 40, after + 70, "the final norm"),
        ]
    return Diagram(name, title, description, floor + 22, shapes, width=PANEL)


def _branch(stream: float, top: float, part: str, *, pre: bool) -> list[str]:
    """One branch beside the stream, and the norm in it or, after the addition, below it."""
    fork, joined, right = top + 14, top + BRANCH - 16, stream + 128
    if not pre:
        joined = top + 96
    part_top, height, role = joined - 52, 36, COLOURS[part]
    shapes = [
        route([(stream, fork), (right, fork), (right, part_top)], colour=role, width=2),
        route(
            [(right, part_top + height), (right, joined), (stream + 11, joined)],
            colour=role,
            width=2,
        ),
        named_box(right - 62, part_top, 124, height, part, edge=role, fill=role, strength=0.15),
        plus(stream, joined, colour=COLOURS["stream"]),
    ]
    if pre:
        entry = fork + 24
        shapes += [
            route([(right, fork), (right, entry)], colour=role, width=2),
            _norm(right, entry),
        ]
    else:
        entry = joined + 26
        shapes += [
            route([(stream, joined + 11), (stream, entry)], colour=COLOURS["stream"], width=4),
            _norm(stream, entry),
        ]
    return shapes


def _norm(middle: float, top: float) -> str:
    role = COLOURS["norm"]
    return named_box(middle - 32, top, 64, 30, "norm", edge=role, fill=role, strength=0.3)
