"""What dropout does: the gap between two losses, and many masks against none."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from bardgpt.lab.probes.dropout import MASKS
from bardgpt.records.record import Record, ensemble_lags
from bardgpt.teaching.figures.style import STYLE, panels
from bardgpt.teaching.palette import COLOURS


@plt.rc_context(STYLE)
def gaps(runs: Mapping[str, Record]) -> Figure:
    """Loss on the text learned from and on the validation text over the steps, a line a seed.

    runs: records with the probe "fit", a panel for each title.
    """
    figure, axes = panels(1, len(runs), figsize=(6.4, 3.4), sharey=True)
    for each, (title, record) in zip(axes, runs.items(), strict=True):
        steps = record.probed("fit")
        learned = [record.probes["fit"][step] for step in steps]
        for seed, history in enumerate(record.histories):
            for name, losses, colour, look in (
                ("validation", history.validation, COLOURS["validation"], "-"),
                (
                    "the text learned from",
                    [found[seed]["training text"] for found in learned],
                    COLOURS["train"],
                    "--",
                ),
            ):
                each.plot(
                    steps,
                    losses,
                    look,
                    color=colour,
                    alpha=0.7,
                    linewidth=1.3,
                    label=None if seed else name,
                )
        each.set_title(title, fontsize=10)
        each.set_xlabel("steps")
        each.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=3))
    axes[0].set_ylim(top=3.4)
    axes[0].set_ylabel("loss (nats per character)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


KINDS = {"": ("o", "-", "model", "mean"), "geometric ": ("s", "--", "target", "geometric mean")}


@plt.rc_context(STYLE)
def ensembles(record: Record) -> Figure:
    """The mean of N masked passes against the test-time model: KL (left), loss (right).

    record: with the probe "ensemble"; mean and standard deviation over its seeds, of the loss after
    that of the same seed's test-time model has been subtracted.
    """
    figure, (left, right) = panels(1, 2, figsize=(6.4, 3.6))
    step = record.training.steps
    for kind, (mark, look, colour, name) in KINDS.items():
        for axes, found in (
            (left, record.profile("ensemble", f"{kind}KL", step)),
            (right, ensemble_lags(record, f"{kind}loss")),
        ):
            axes.errorbar(
                MASKS,
                [band.mean for band in found],
                yerr=[band.sd for band in found],
                fmt=mark + look,
                markersize=4,
                capsize=2,
                linewidth=1.4,
                color=COLOURS[colour],
                label=name,
            )
    right.axhline(0, color=COLOURS["ink"], linestyle=":", label="test-time model")
    for axes in (left, right):
        axes.set_xscale("log", base=2)
        axes.set_xticks(MASKS, [str(n) for n in MASKS])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("masks, N")
    left.set_yscale("log")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_major_formatter("{x:g}")
    left.yaxis.set_minor_locator(NullLocator())
    left.set_ylim(bottom=0.018)
    left.set_ylabel("KL to the test-time model (nats)")
    right.set_ylabel("validation loss minus that of\ntest time (nats per character)")
    figure.legend(
        *right.get_legend_handles_labels(), loc="outside upper center", ncols=3, fontsize=9
    )
    return figure
