"""A batch as a table: what belongs together for batch norm, and what for layer norm."""

from bardgpt.teaching.diagrams.shapes import MARGIN, MUTED, Diagram, box, label
from bardgpt.teaching.palette import COLOURS

CELL, PITCH = 28, 32  # the side of a cell, and from one to the next
ROWS, COLUMNS = 8, 6
TOP, GAP = 84, 14  # of the first row; between two texts
ROW, COLUMN = 2, 4  # the marked ones


def rows_and_columns() -> Diagram:
    """A table of examples and features, and the same for the positions of two texts."""
    left = _table(122, [f"example {i + 1}" for i in range(ROWS)], gap=0)
    right = _table(494, [*"lordking"], gap=GAP)
    floor = TOP + ROWS * PITCH + GAP
    shapes = [
        label(MARGIN, 30, "(N, C): an example has C features", font_weight="600"),
        label(122, 66, "features", colour=MUTED),
        *left,
        label(396, 30, "(B, T, C): an example is one position", font_weight="600"),
        label(494, 66, "channels", colour=MUTED),
        *right,
    ]
    for i in range(2):
        middle = TOP + ROWS * PITCH / 4 + i * (ROWS * PITCH / 2 + GAP)
        shapes += [
            label(396, middle - 4, f"text {i + 1}", colour=MUTED),
            label(396, middle + 14, f"T = {ROWS // 2}", colour=MUTED),
        ]
    for y, role, words in (
        (floor + 18, "batch norm", "a column, batch norm: one feature, over all examples"),
        (floor + 46, "norm", "a row, layer norm: one example, over all its features"),
    ):
        shapes += [
            box(MARGIN, y, 20, 20, edge=COLOURS[role], fill=COLOURS[role], strength=0.3),
            label(MARGIN + 30, y + 15, words),
        ]
    return Diagram(
        "rows-and-columns",
        "Batch norm takes a column of the batch, layer norm a row",
        "Two tables. In the left one each of eight rows is an example and each of six columns a "
        "feature. One column is marked: batch norm takes one feature of all examples together. One "
        "row is marked: layer norm takes all features of one example. In the right one the rows "
        "are the positions of two texts, l, o, r, d and k, i, n, g. The marked row is the single "
        "position r. The marked column runs through all positions of both texts, also through "
        "those that come later.",
        floor + 84,
        shapes,
    )


def _table(left: float, names: list[str], *, gap: float) -> list[str]:
    """Rows with their names, one row and one column marked; a gap after half of the rows."""
    batch, layer = COLOURS["batch norm"], COLOURS["norm"]
    tops = [TOP + i * PITCH + (gap if i >= ROWS // 2 else 0) for i in range(ROWS)]
    shapes = []
    for i, (y, name) in enumerate(zip(tops, names, strict=True)):
        shapes.append(label(left - 14, y + 19, name, at="end"))
        for j in range(COLUMNS):
            x = left + j * PITCH
            shapes.append(box(x, y, CELL, CELL))
            if j == COLUMN:
                shapes.append(box(x, y, CELL, CELL, edge=batch, fill=batch, strength=0.3))
            if i == ROW:
                shapes.append(box(x, y, CELL, CELL, edge=layer, fill=layer, strength=0.3))
    x, height = left + COLUMN * PITCH - 4, tops[-1] - TOP + CELL + 8
    shapes.append(box(x, TOP - 4, CELL + 8, height, edge=batch))
    shapes.append(box(left - 4, tops[ROW] - 4, COLUMNS * PITCH + 4, CELL + 8, edge=layer))
    return shapes
