"""What dropout does: to one head, to the gap between two losses; and many masks against none."""

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from torch import Tensor

from bardgpt.records.band import Band
from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import (
    LOSS,
    between_characters,
    each_run,
    named_once,
    panels,
    scale,
    visible,
    with_bars,
)
from bardgpt.teaching.palette import COLOURS
from bardgpt.training.loop import History

MEANS = (("o-", "model"), ("s--", "target"))  # looks of the ways to take a mean


@plot
def thinned(maps: Mapping[str, Tensor], text: str) -> Figure:
    """Attention weights of one head, whole and under a mask, with each row's sum beside it.

    maps: for each title (T, T), rows look at columns; a weight that is exactly 0 is left empty,
        and gets a cross where the past has one. text: the T characters.
    """
    marks = [visible(c) for c in text]
    figure, axes = panels(1, len(maps), 3.5, narrow=3.1 * len(maps), sharey=True)
    top = max(weights.max().item() for weights in maps.values())
    for axis, (title, weights) in zip(axes, maps.items(), strict=True):
        shown = axis.imshow(
            weights.where(weights != 0, float("nan")).numpy(), cmap="cividis", vmin=0, vmax=top
        )
        for row, given in enumerate(weights):
            for column in (given[: row + 1] == 0).nonzero().flatten().tolist():
                axis.text(column, row, "x", ha="center", va="center")
            axis.text(len(marks), row, f"{given.sum():.2f}", va="center")
        axis.text(len(marks), -1, "sum", va="center")
        axis.set_title(title)
        between_characters(axis, marks)
    named_once(axes)
    scale(figure, shown, axes, label="weight")
    return figure


@plot
def gaps(models: Mapping[str, tuple[Sequence[History], Sequence[Mapping[int, float]]]]) -> Figure:
    """Loss on the text learned from and on the validation text over the steps, a line a seed.

    models: a panel for each title; its runs, and for each of them the loss on the text learned
        from, by step.
    """
    figure, axes = panels(1, len(models), 3.3, narrow=2.1 * len(models), sharey=True)
    style = {"alpha": 0.7, "linewidth": 1.3}
    for each, (title, (runs, learned)) in zip(axes, models.items(), strict=True):
        curves = ((run.step, run.validation) for run in runs)
        each_run(each, curves, "-", label="validation", color=COLOURS["validation"], **style)
        curves = ((list(losses), list(losses.values())) for losses in learned)
        name = "the text learned from"
        each_run(each, curves, "--", label=name, color=COLOURS["train"], **style)
        each.set_title(title)
        each.set_xlabel("steps")
        each.set_ylabel(LOSS)
        each.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=3))
    axes[0].set_ylim(top=3.4)
    named_once(axes)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


@plot
def ensembles(
    masks: Sequence[int],
    divergences: Mapping[str, Sequence[Band]],
    lags: Mapping[str, Sequence[Band]],
) -> Figure:
    """The mean of N masked passes against the test-time model: KL (left), loss (right).

    masks: how many; divergences: by the mean's name, one or two, a band of the KL for each number
        of masks; lags: the same of the loss, from which that of the same seed's test-time model is
        subtracted.
    """
    figure, (left, right) = panels(1, 2, 3.5)
    for axes, quantity in ((left, divergences), (right, lags)):
        for (name, bands), (look, role) in zip(
            quantity.items(), MEANS[: len(quantity)], strict=True
        ):
            style = {"markersize": 4, "linewidth": 1.4, "color": COLOURS[role]}
            with_bars(axes, masks, bands, look, label=name, **style)
        axes.set_xscale("log", base=2)
        axes.set_xticks(masks, [str(n) for n in masks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("masks, N")
    right.axhline(0, color=COLOURS["ink"], linestyle=":", label="test-time model")
    left.set_yscale("log")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter("{x:g}")
    left.yaxis.set_minor_locator(NullLocator())
    left.set_ylim(bottom=0.018)
    left.set_ylabel("KL to the test-time model (nats)")
    right.set_ylabel("validation loss minus that of\ntest time (nats per character)")
    left.legend()
    figure.legend(*right.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure
