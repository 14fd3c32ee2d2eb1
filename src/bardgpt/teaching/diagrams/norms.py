"""A batch as a table: what belongs together for batch norm, and what for layer norm."""

from bardgpt.teaching.diagrams.shapes import MUTED, PANEL, Diagram, Panels, box, label
from bardgpt.teaching.palette import COLOURS

CELL, PITCH = 28, 32  # the side of a cell, and from one to the next
ROWS, COLUMNS = 8, 6
TOP, GAP = 84, 14  # of the first row; between two texts
ROW, COLUMN = 2, 4  # the marked ones
LEFT, FLOOR = 118, TOP + ROWS * PITCH + GAP  # of the cells, and below the last row


def rows_and_columns() -> Panels:
    """A table of examples and features, and the same for the positions of two texts."""
    texts = []
    for i in range(2):
        middle = TOP + ROWS * PITCH / 4 + i * (ROWS * PITCH / 2 + GAP)
        texts += [
            label(20, middle - 4, f"text {i + 1}", colour=MUTED),
            label(20, middle + 16, f"T = {ROWS // 2}", colour=MUTED),
        ]
    marked = "One column is marked, for batch norm, and one row, for layer norm."
    return Panels(
        "rows-and-columns",
        "Batch norm takes a column of the batch, layer norm a row",
        (
            Diagram(
                "rows-and-columns-features",
                "A batch of examples with features",
                "A table: each of eight rows is an example, each of six columns a feature. "
                f"{marked} The column holds one feature of all examples, the row all features of "
                "one example.",
                FLOOR + 76,
                [
                    label(20, 30, "(N, C): N examples, C features", font_weight="600"),
                    label(LEFT, 66, "features", colour=MUTED),
                    *_table([f"example {i + 1}" for i in range(ROWS)], gap=0),
                    *_legend("one feature, all examples", "one example, all features"),
                ],
                width=PANEL,
            ),
            Diagram(
                "rows-and-columns-positions",
                "A batch of texts, with a row for each position",
                "A table of the same form. Its rows are the positions of two texts, l, o, r, d and "
                f"k, i, n, g; its columns are channels. {marked} The row is the single position r. "
                "The column runs through all positions of both texts, also through those that come "
                "later.",
                FLOOR + 76,
                [
                    label(20, 30, "(B, T, C): a row is one position", font_weight="600"),
                    label(LEFT, 66, "channels", colour=MUTED),
                    *_table([*"lordking"], gap=GAP),
                    *texts,
                    *_legend("all positions, all texts", "one position of one text"),
                ],
                width=PANEL,
            ),
        ),
    )


def _legend(column: str, row: str) -> list[str]:
    """What the two marks are."""
    shapes = []
    for y, role, words in (
        (FLOOR + 10, "batch norm", f"batch norm: {column}"),
        (FLOOR + 38, "norm", f"layer norm: {row}"),
    ):
        shapes += [
            box(20, y, 20, 20, edge=COLOURS[role], fill=COLOURS[role], strength=0.3),
            label(50, y + 15, words),
        ]
    return shapes


def _table(names: list[str], *, gap: float) -> list[str]:
    """Rows with their names, one row and one column marked; a gap after half of the rows."""
    batch, layer = COLOURS["batch norm"], COLOURS["norm"]
    tops = [TOP + i * PITCH + (gap if i >= ROWS // 2 else 0) for i in range(ROWS)]
    shapes = []
    for i, (y, name) in enumerate(zip(tops, names, strict=True)):
        shapes.append(label(LEFT - 14, y + 19, name, at="end"))
        for j in range(COLUMNS):
            x = LEFT + j * PITCH
            shapes.append(box(x, y, CELL, CELL))
            if j == COLUMN:
                shapes.append(box(x, y, CELL, CELL, edge=batch, fill=batch, strength=0.3))
            if i == ROW:
                shapes.append(box(x, y, CELL, CELL, edge=layer, fill=layer, strength=0.3))
    x, height = LEFT + COLUMN * PITCH - 4, tops[-1] - TOP + CELL + 8
    shapes.append(box(x, TOP - 4, CELL + 8, height, edge=batch))
    shapes.append(box(LEFT - 4, tops[ROW] - 4, COLUMNS * PITCH + 4, CELL + 8, edge=layer))
    return shapes
