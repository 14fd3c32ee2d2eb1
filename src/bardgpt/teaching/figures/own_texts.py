"""A text of one's own, drawn: when a model begins to learn it by heart."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import LOSS, panels
from bardgpt.teaching.palette import COLOURS

HIGHEST = 3.5  # of the losses that are drawn; those before the first steps lie above


@plot
def by_heart(
    logs: Mapping[str, Sequence[Mapping[str, Any]]], tables: Mapping[str, float]
) -> Figure:
    """Training and validation loss of a run on each text; the lowest validation loss is marked.

    logs: readings by text; tables: the loss of its best count table, by text.
    """
    figure, every = panels(1, len(logs), 3.2, sharey=True)
    for axes, (text, log) in zip(every, logs.items(), strict=True):
        for name, look in (("train", "--"), ("validation", "-")):
            read = [(line["step"], line[name]) for line in log if name in line]
            axes.plot(*zip(*read, strict=True), look, color=COLOURS[name], label=name)
        best = min(log, key=lambda line: line["validation"])
        axes.plot(best["step"], best["validation"], "o", ms=6, color=COLOURS["validation"])
        axes.axhline(tables[text], color=COLOURS["count"], linestyle=":", label="count table")
        axes.set_title(text)
        axes.set_xlabel("steps")
    every[0].set_ylim(0, HIGHEST)
    every[0].set_ylabel(LOSS)
    every[-1].legend()
    return figure
