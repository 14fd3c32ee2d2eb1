"""A table of numbers as a cell shows it: in the browser a table, at a terminal text."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Mark = Literal["best", "stuck"]
SIGNS: dict[Mark, str] = {"best": "●", "stuck": "✗"}  # for eyes that do not tell the colours
# A hot cell's ground: the red of stuck runs, so thin that text stays readable in both schemes. It
# is said in few words, for a page may have a hundred such cells.
GROUND = "rgb(179 32 44 / {:.0f}%)"
MOST_HEAT = 35  # per cent: with more, words on it would be hard to read in the dark


@dataclass(frozen=True)
class Cell:
    """A cell that is marked, or coloured by its value.

    Attributes:
        text: as it is shown.
        mark: "best" of its kind, or "stuck": a run that learned nothing.
        heat: how strongly it is coloured, from 0 to 1.
    """

    text: str
    mark: Mark | None = None
    heat: float | None = None


class Table:
    """Rows of cells under column heads, each row with a head of its own."""

    def __init__(
        self, corner: str, columns: Sequence[str], rows: Mapping[str, Sequence[str | Cell]]
    ) -> None:
        self.corner, self.columns, self.rows = corner, columns, rows

    def __repr__(self) -> str:
        """In columns, numbers to the right."""
        lines = [
            [self.corner, *self.columns],
            *([head, *map(_plain, cells)] for head, cells in self.rows.items()),
        ]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                [line[0].ljust(widths[0])]
                + [text.rjust(width) for text, width in zip(line[1:], widths[1:], strict=True)]
            ).rstrip()
            for line in lines
        )

    def _repr_html_(self) -> str:
        """With a line for each row, so that a comparison names the row that differs."""
        heads = "".join(f'<th scope="col">{html.escape(head)}</th>' for head in self.columns)
        rows = "\n".join(
            f'<tr><th scope="row">{html.escape(head)}</th>{"".join(map(_cell, cells))}</tr>'
            for head, cells in self.rows.items()
        )
        return (
            '<div class="bard-table" tabindex="0"><table class="dataframe">\n'
            f'<thead><tr><th scope="col">{html.escape(self.corner)}</th>{heads}</tr></thead>\n'
            f"<tbody>\n{rows}\n</tbody></table></div>"
        )


def table(corner: str, columns: Sequence[str], rows: Mapping[str, Sequence[str | Cell]]) -> Table:
    """A table that a cell of a notebook shows as its value.

    Args:
        corner: the head of the column of heads.
        columns: the other heads.
        rows: the cells by their row's head, as texts; `Cell` marks one.

    Raises:
        ValueError: if a row has not a cell for each column.
    """
    for head, cells in rows.items():
        if len(cells) != len(columns):
            raise ValueError(f"row {head!r} has {len(cells)} cells for {len(columns)} columns")
    return Table(corner, columns, rows)


def _plain(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return cell
    return f"{cell.text} {SIGNS[cell.mark]}" if cell.mark else cell.text


def _cell(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return f"<td>{html.escape(cell)}</td>"
    names, inside, style = [], html.escape(cell.text), ""
    if cell.mark:
        names.append(f"bard-{cell.mark}")
        inside += f' <span title="{cell.mark}">{SIGNS[cell.mark]}</span>'
    if cell.heat is not None:
        names.append("bard-heat")
        share = MOST_HEAT * min(max(cell.heat, 0), 1)
        style = f' style="background: {GROUND.format(share)}"'
    of_class = f' class="{" ".join(names)}"' if names else ""
    return f"<td{of_class}{style}>{inside}</td>"
