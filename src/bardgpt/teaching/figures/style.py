"""One look for all plots: colours by role, labelled axes, light paper that reads on both themes."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
