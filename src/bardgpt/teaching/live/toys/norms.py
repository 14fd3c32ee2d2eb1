"""Chapter 6: a table of four rows and four channels, normalized by row or by column."""

import math
from collections.abc import Sequence

from bardgpt.teaching.live.toys.frame import (
    MINUS,
    RESET,
    Toy,
    button,
    choice,
    fixed,
    hands,
    says,
    slider,
)

SIZE = 4
EPS = 1e-5  # as in PyTorch
LIMIT = 999  # of a number in the table
TABLE = ((2, 0, 1, -1), (4, 2, 3, 1), (0, -2, 5, 1), (3, 1, -1, -3))
Rows = Sequence[Sequence[float]]


def toy_norm_table(rows: Rows = TABLE) -> Toy:
    """A table to edit, its means and standard deviations, and what a norm makes of it.

    It begins as layer norm, each row by itself. The reader can choose batch norm, each column by
    itself, with its running statistics.

    Args:
        rows: 4 x 4 whole numbers, -999 to 999.

    Returns:
        An object that a cell shows.

    Raises:
        ValueError: if it is another table.
    """
    if len(rows) != SIZE or any(len(row) != SIZE for row in rows):
        raise ValueError(f"the table must have {SIZE} rows of {SIZE} numbers")
    if any(value != int(value) or abs(value) > LIMIT for row in rows for value in row):
        raise ValueError(f"its numbers must be whole, and from -{LIMIT} to {LIMIT}")
    out = [_normalized(row) for row in rows]
    cells = [[_cell(value, i, j) for j, value in enumerate(row)] for i, row in enumerate(rows)]
    results = [[f"<td data-out>{fixed(value)}</td>" for value in row] for row in out]
    running = "".join(
        f'<tr class="toy-of-columns"><th scope="row">running {word}</th>'
        f"{f'<td data-{name}>{value}</td>' * SIZE}<td></td></tr>\n"
        for word, name, value in (("mean", "kept", "0.00"), ("var.", "spread", "1.00"))
    )
    mean, sd = moments(rows[0])
    words = (
        f"Each row by itself. Row 0 has mean {fixed(mean)} and standard deviation {fixed(sd)}: "
        f"its {number(rows[0][0])} becomes ({number(rows[0][0])} {MINUS} {_in_brackets(mean)}) / "
        f"{fixed(sd)} = {fixed(out[0][0])}."
    )
    controls = hands(
        choice(
            "dim",
            "Normalize",
            {"1": "each row (layer norm)", "0": "each column (batch norm)"},
            "1",
        ),
        choice("mode", "Mode", {"train": "training", "eval": "evaluation"}, "train"),
        slider("gain", "Gain", (0, 3, 0.1), 1, says="1.0"),
        slider("bias", "Bias", (-3, 3, 0.1), 0, says="0.0"),
        '<div class="toy-buttons">',
        button("pass", "Pass this batch once"),
        RESET,
        "</div>",
    )
    tables = (
        '<div class="toy-tables" data-dim="1">\n'
        f"{_table('Before', cells, rows, 'in', running)}"
        f"{_table('After', results, out, 'out')}</div>\n"
    )
    return Toy(
        "norm-table",
        "Toy: a table of four rows and four channels, before and after a norm",
        f'{tables}<p class="toy-warn" role="status"></p>\n{says(words)}{controls}',
        {"eps": EPS, "limit": LIMIT},
    )


def moments(numbers: Sequence[float]) -> tuple[float, float]:
    """The mean, and the standard deviation over all n."""
    mean = sum(numbers) / len(numbers)
    return mean, math.sqrt(sum((one - mean) ** 2 for one in numbers) / len(numbers))


def _normalized(numbers: Sequence[float]) -> list[float]:
    mean, sd = moments(numbers)
    return [(one - mean) / math.sqrt(sd**2 + EPS) for one in numbers]


def number(value: float) -> str:
    """A number of the table, as the reader typed it, with a real minus sign."""
    return f"{value:g}".replace("-", MINUS)


def _in_brackets(value: float) -> str:
    text = fixed(value)
    return f"({text})" if text.startswith(MINUS) else text


def _cell(value: float, row: int, column: int) -> str:
    return (
        f'<td><span data-cell>{number(value)}</span><input type="text" name="cell" '
        f'inputmode="text" autocomplete="off" aria-label="Row {row}, channel {column}" '
        f'value="{number(value)}" data-hand hidden></td>'
    )


def _table(
    caption: str, cells: Sequence[Sequence[str]], numbers: Rows, name: str, more: str = ""
) -> str:
    """Cells with the mean and standard deviation of each row and column at the edges."""

    def pair(values: Sequence[float], of: str) -> str:
        mean, sd = moments(values)
        return (
            f'<td class="toy-of-{of}s"><span data-{name}-{of}-mean>{fixed(mean)}</span><br>'
            f"<span data-{name}-{of}-sd>{fixed(sd)}</span></td>"
        )

    heads = "".join(f'<th scope="col">{column}</th>' for column in range(SIZE))
    body = "".join(
        f'<tr><th scope="row">{i}</th>{"".join(row)}{pair(numbers[i], "row")}</tr>\n'
        for i, row in enumerate(cells)
    )
    columns = "".join(pair(column, "column") for column in zip(*numbers, strict=True))
    return (
        f'<table class="toy-table"><caption>{caption}</caption>\n'
        f'<thead><tr><td></td>{heads}<th scope="col">mean<br>sd</th></tr></thead>\n'
        f'<tbody>\n{body}<tr><th scope="row">mean<br>sd</th>{columns}<td></td></tr>\n{more}'
        "</tbody></table>\n"
    )
