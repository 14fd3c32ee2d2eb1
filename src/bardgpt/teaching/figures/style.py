"""One look for all plots: colours by role, labelled axes, light paper that reads on both themes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bardgpt.records.band import Band
from bardgpt.teaching.palette import COLOURS

STYLE = {
    "figure.figsize": (5.6, 3.5),
    "figure.dpi": 150,
    "figure.facecolor": COLOURS["paper"],
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.5,
    "xtick.color": COLOURS["ink"],
    "ytick.color": COLOURS["ink"],
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}
LOSS = "loss (nats per character)"
Curve = tuple[Sequence[float], Sequence[float]]  # places and values


def canvas(**size: float) -> tuple[Figure, Axes]:
    """A figure that shows once: as the value of its cell, and not by itself too."""
    figure, axes = plt.subplots(**size)
    plt.close(figure)
    axes.set_axisbelow(True)
    return figure, axes


def visible(character: str) -> str:
    """A character as an axis can show it."""
    return {" ": "␣", "\n": "↵"}.get(character, character)


def panels(rows: int, columns: int, **options: object) -> tuple[Figure, list[Axes]]:
    """Several axes side by side, row by row; shows once, as `canvas` does."""
    figure, axes = plt.subplots(rows, columns, squeeze=False, **options)
    plt.close(figure)
    flat = axes.ravel().tolist()
    for each in flat:
        each.set_axisbelow(True)
    return figure, flat


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
