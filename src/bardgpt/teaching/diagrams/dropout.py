"""Where dropout stands in a block."""

from bardgpt.teaching.diagrams.block import Column, Piece, look, named
from bardgpt.teaching.diagrams.shapes import MUTED, NARROW, Diagram, label
from bardgpt.teaching.palette import COLOURS

WIDTH, HEIGHT = 140, 34  # of a box
BEFORE_ADDITION = ("sets numbers to 0", "just before the addition")
BRANCHES = {  # what a part consists of: name, role, and the lines beside it
    "attention": (
        ("scores, softmax", "attention", ("each row sums to 1",)),
        ("dropout", "dropout", ("sets weights to 0:", "someone is not heard")),
        ("mix the values", "attention", ()),
        ("proj", "attention", ()),
        ("dropout", "dropout", BEFORE_ADDITION),
    ),
    "feed-forward": (
        ("hidden, ReLU", "feed-forward", ()),
        ("proj", "feed-forward", ()),
        ("dropout", "dropout", BEFORE_ADDITION),
    ),
}


def dropout_places() -> Diagram:
    """A pre-norm block with its three places of dropout."""
    column = Column(24, 36, 142, colour=COLOURS["stream"], drop=28)
    column.flow(32, "the stream, from the embeddings")
    top, start = column.y, len(column.shapes)
    column.flow(30)
    for part, boxes in BRANCHES.items():
        heading = label(column.stream + 24, column.y - 6, part, font_weight="600")
        column.part(
            "pre-norm",
            [_box(*each) for each in boxes],
            named("norm", look("norm"), WIDTH, HEIGHT),
            colour=COLOURS[part],
            note="added",
        )
        column.shapes.append(heading)
        column.flow(22 if part == "attention" else 14)
    column.frame(top, start, (8, NARROW - 8), "block")
    column.flow(40, "more such blocks", tip=True)
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
        column.y + 22,
        column.shapes,
        width=NARROW,
    )


def _box(name: str, role: str, lines: tuple[str, ...]) -> Piece:
    """A box with its name, and up to two lines to its right."""
    plain = named(name, look(role), WIDTH, HEIGHT)

    def draw(middle: float, top: float) -> list[str]:
        beside = middle + WIDTH / 2 + 14
        if len(lines) == 1:
            words = [label(beside, top + 22, lines[0], colour=MUTED)]
        else:
            words = [label(beside, top + 14 + 18 * n, text) for n, text in enumerate(lines)]
        return [*plain.draw(middle, top), *words]

    return Piece(HEIGHT, draw)
