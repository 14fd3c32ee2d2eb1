"""One look for all plots, in two widths: a column of the page, and a phone.

A figure is a function that draws with what stands here and is marked with `plot`. It draws twice.
Most need not care, for `canvas` and `panels` know their width; one that does asks `is_narrow`.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib import cycler
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure

from bardgpt.records.band import Band
from bardgpt.teaching.palette import COLOURS

WIDE, NARROW = 7.0, 3.5  # inches; 72 units of the picture each
# Size of a text that is as large as the page's where a drawing is as wide as it may be; most of a
# plot's text is a little smaller, and on a phone 12 pixels.
FONT, NARROW_FONT = 11, 9
STYLE = {
    "figure.figsize": (WIDE, 3.6),
    "figure.dpi": 72,
    "figure.facecolor": COLOURS["paper"],
    "figure.constrained_layout.use": True,
    "font.size": 10,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["muted"],
    "axes.titlesize": FONT,
    "axes.edgecolor": COLOURS["edge"],
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.facecolor": COLOURS["paper"],
    "axes.prop_cycle": cycler(color=[COLOURS["ink"]]),
    "grid.color": COLOURS["grid"],
    "grid.linewidth": 0.8,
    "hatch.color": COLOURS["ink"],
    "hatch.linewidth": 0.8,
    "xtick.color": COLOURS["muted"],
    "ytick.color": COLOURS["muted"],
    "xtick.bottom": False,
    "ytick.left": False,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}
PHONE = STYLE | {
    "font.size": 9.5,
    "figure.figsize": (NARROW, 3.0),
    "axes.titlesize": 10,
}
LOSS = "loss (nats per character)"
Curve = tuple[Sequence[float], Sequence[float]]  # places and values


def is_narrow() -> bool:
    """Whether the drawing in hand is the one for a phone."""
    return plt.rcParams["figure.figsize"][0] < WIDE


def canvas(height: float = 3.6, *, narrow: float | None = None) -> tuple[Figure, Axes]:
    """A figure with one plot.

    Args:
        height: in inches.
        narrow: the height on a phone; five sixths if not given.
    """
    figure, (axes,) = panels(1, 1, height, narrow=narrow)
    return figure, axes


def panels(
    rows: int,
    columns: int,
    height: float,
    *,
    narrow: float | None = None,
    narrow_columns: int = 1,
    **options: Any,
) -> tuple[Figure, list[Axes]]:
    """Several plots side by side, row by row; on a phone one below the other.

    Args:
        rows: of plots.
        columns: of plots; what would be beyond the last is left out.
        height: of all, in inches.
        narrow: the height of all on a phone; five sixths of `height` for each row if not given.
        narrow_columns: how many stand side by side on a phone.
        options: of `plt.subplots`.
    """
    number, each = rows * columns, height / rows
    if is_narrow():
        columns = min(columns, narrow_columns)
        rows = -(-number // columns)
        height = rows * each * 5 / 6 if narrow is None else narrow
    figure, axes = plt.subplots(
        rows, columns, squeeze=False, figsize=(plt.rcParams["figure.figsize"][0], height), **options
    )
    plt.close(figure)  # shown once: as the value of its cell, and not by itself too
    if rows > 1:  # so that a title stands nearer to its own plot
        figure.get_layout_engine().set(h_pad=0.1)
    flat = axes.ravel().tolist()
    for each_axes in flat:
        each_axes.set_axisbelow(True)
    for left_over in flat[number:]:
        left_over.remove()
    return figure, flat[:number]


def visible(character: str) -> str:
    """A character as an axis can show it."""
    return {" ": "␣", "\n": "↵"}.get(character, character)


def in_lines(names: Iterable[str], letters: int, wide: int = 80) -> list[str]:
    """Names at an axis, in lines of at most so many letters on a phone, and elsewhere."""
    width = letters if is_narrow() else wide
    return [textwrap.fill(name, width, break_long_words=False) for name in names]


def across(axes: Axes) -> None:
    """Guide the eye from the horizontal axis up, where what is compared stands in rows."""
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")


def as_picture(axes: Axes) -> None:
    """Leave out what belongs to a plot, where the plot is a picture of cells."""
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def between_characters(
    axes: Axes, marks: Sequence[str], across: str = "looks at", down: str = "position"
) -> None:
    """Characters along both sides of a picture of cells, one for each pair of positions.

    On a phone there is room for about nine: of more, every second or third is named.
    """
    every = -(-len(marks) // 9) if is_narrow() else 1
    axes.set_xticks(range(0, len(marks), every), marks[::every], family="monospace")
    axes.set_yticks(range(0, len(marks), every), marks[::every], family="monospace")
    axes.set_xlabel(across)
    axes.set_ylabel(down)
    as_picture(axes)


def scale(
    figure: Figure, picture: ScalarMappable, axes: Sequence[Axes], **options: Any
) -> Colorbar:
    """What a picture's colours mean: beside it, on a phone below it; options: of `colorbar`."""
    place = {"location": "bottom", "aspect": 30} if is_narrow() else {"shrink": 0.7}
    return figure.colorbar(picture, ax=axes, **place | options)


def named_once(axes: Sequence[Axes]) -> None:
    """Leave out the name of an axis where the plot to the left, or below, has the same."""
    at = {
        (s.rowspan.start, s.colspan.start): each for each in axes if (s := each.get_subplotspec())
    }
    said = {place: (each.get_xlabel(), each.get_ylabel()) for place, each in at.items()}
    for (row, column), each in at.items():
        x, y = said[row, column]
        if x == said.get((row + 1, column), ("", ""))[0]:
            each.set_xlabel("")
        if y == said.get((row, column - 1), ("", ""))[1]:
            each.set_ylabel("")


def each_run(axes: Axes, curves: Iterable[Curve], look: str, *, label: str, **style: Any) -> None:
    """A line for each run, one name for all.

    Args:
        axes: to draw in.
        curves: for each run, places and values.
        look: line style, with or without a mark, as of `Axes.plot`.
        label: in the legend.
        style: of the lines.
    """
    for i, (places, values) in enumerate(curves):
        axes.plot(places, values, look, label=None if i else label, **style)


def with_bars(
    axes: Axes, places: Sequence[float], bands: Sequence[Band], look: str, **style: Any
) -> None:
    """Means, each with a bar of one standard deviation up and down."""
    means, sds = [band.mean for band in bands], [band.sd for band in bands]
    axes.errorbar(places, means, yerr=sds, fmt=look, capsize=2, **style)


def shaded(
    axes: Axes, places: Sequence[float], bands: Sequence[Band], look: str, **style: Any
) -> None:
    """A line through means, with a shade of one standard deviation up and down.

    On a logarithmic axis the shade ends at a third of the mean, or it could reach 0.
    """
    low = [band.mean - band.sd for band in bands]
    if axes.get_yscale() == "log":
        low = [max(each, band.mean / 3) for each, band in zip(low, bands, strict=True)]
    axes.plot(places, [band.mean for band in bands], look, linewidth=1.4, **style)
    high = [band.mean + band.sd for band in bands]
    axes.fill_between(places, low, high, color=style["color"], alpha=0.2, linewidth=0)


def levels(axes: Axes, losses: Mapping[str, float]) -> None:
    """A line across the plot for each loss that there is to compare with, by name."""
    for (name, loss), look in zip(losses.items(), ("--", "-.", ":"), strict=False):
        axes.axhline(loss, color=COLOURS["count"], linestyle=look, linewidth=1, label=name)
