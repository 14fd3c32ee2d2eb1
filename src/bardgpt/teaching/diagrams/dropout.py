"""Where dropout stands in a block."""

from bardgpt.teaching.diagrams.shapes import (
    INK,
    LINE,
    MUTED,
    NARROW,
    Diagram,
    box,
    label,
    named_box,
    plus,
    route,
)
from bardgpt.teaching.palette import COLOURS

STREAM, MIDDLE = 36, 142  # of the stream, and of the branches beside it
TOP, STEP, HEIGHT = 76, 52, 34  # of the first branch; from box to box; of a box
BRANCHES = {
    "attention": (
        ("norm", "norm", ""),
        ("scores, softmax", "attention", "each row sums to 1"),
        ("dropout", "dropout", "sets weights to 0:"),
        ("mix the values", "attention", ""),
        ("proj", "attention", ""),
        ("dropout", "dropout", "sets numbers to 0"),
    ),
    "feed-forward": (
        ("norm", "norm", ""),
        ("hidden, ReLU", "feed-forward", ""),
        ("proj", "feed-forward", ""),
        ("dropout", "dropout", "sets numbers to 0"),
    ),
}
NOTES = ("someone is not heard", "just before the addition", "just before the addition")


def dropout_places() -> Diagram:
    """A pre-norm block with its three places of dropout."""
    notes = iter(NOTES)
    shapes: list[str] = []
    top = TOP
    for part, steps in BRANCHES.items():
        joined = top + 34 + len(steps) * STEP + 10
        shapes.append(label(STREAM + 24, top + 2, part, colour=INK, font_weight="600"))
        shapes += _branch(top, joined, part, steps, notes)
        top = joined + 34
    floor = top + 34
    outline = box(8, TOP - 22, NARROW - 16, top - TOP + 14, edge=LINE, dash="5 4")
    stream = route([(STREAM, TOP - 44), (STREAM, floor)], colour=COLOURS["stream"], width=4)
    shapes = [
        outline,
        stream,
        label(STREAM + 16, TOP - 34, "the stream, from the embeddings", colour=MUTED),
        label(NARROW - 20, top - 16, "block", at="end", colour=MUTED),
        label(STREAM + 16, floor - 4, "more such blocks", colour=MUTED),
        *shapes,
    ]
    return Diagram(
        "dropout-places",
        "One block, with dropout at three places",
        "A thick vertical line, the stream, runs down through one block. Twice a thin line forks "
        "off to a column of boxes and comes back to the stream at a plus sign. First, attention: "
        "norm; scores and softmax; dropout, which sets attention weights to 0, so that some "
        "positions are not heard; mix the values; proj; dropout, which sets numbers to 0 just "
        "before the addition. Second, feed-forward: norm; hidden and ReLU; proj; dropout, just "
        "before the addition. The three dropout boxes have a dashed outline. There is none on the "
        "stream itself.",
        floor + 22,
        shapes,
        width=NARROW,
    )


def _branch(top: float, joined: float, part: str, steps, notes) -> list[str]:
    """One branch: fork, a column of boxes with words beside some, and the way back."""
    role = COLOURS[part]
    fork = top + 14
    shapes = [
        route(
            [(STREAM, fork), (MIDDLE, fork), (MIDDLE, joined), (STREAM + 11, joined)],
            colour=role,
            width=2,
        ),
        plus(STREAM, joined, colour=COLOURS["stream"]),
        label(STREAM + 18, joined - 8, "added"),
    ]
    for i, (name, kind, words) in enumerate(steps):
        y = top + 34 + i * STEP
        strength = {"norm": 0.3, "dropout": 0.35}.get(kind, 0.15)
        edge = INK if kind == "dropout" else COLOURS[kind]
        style = {"fill": COLOURS[kind], "strength": strength}
        if kind == "dropout":
            style["dash"] = "5 4"
        shapes.append(named_box(MIDDLE - 70, y, 140, HEIGHT, name, edge=edge, **style))
        lines = [words, next(notes)] if kind == "dropout" else [words]
        for n, text in enumerate(lines):
            if text:
                shift = 22 if len(lines) == 1 else 14 + 18 * n
                shapes.append(
                    label(MIDDLE + 84, y + shift, text, colour=INK if len(lines) > 1 else MUTED)
                )
    return shapes
