"""Norms after the addition and norms in the branch: at the start, with depth, over learning rates.

Wirings are named as in the records: "post-norm", "pre-norm", "no-final-norm".
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from bardgpt import records
from bardgpt.records.band import Band
from bardgpt.records.record import Record
from bardgpt.teaching.figures.style import STYLE, panels
from bardgpt.teaching.palette import COLOURS

LOOKS = {
    "post-norm": ("s", "--", "post-norm"),
    "pre-norm": ("o", "-", "pre-norm"),
    "no-final-norm": ("^", ":", "pre-norm without the final norm"),
}
QUANTITIES = {
    "gradient": "on the stream",
    "weight gradient": "of the feed-forward matrix",
}


@plt.rc_context(STYLE)
def gradients_at_start(starts: Mapping[str, tuple[str, str]]) -> Figure:
    """Gradients by depth before the first step: on the stream (left), of weights (right).

    starts: a row for each title, with size and initialization of record "starts".
    """
    figure, axes = panels(
        len(starts), 2, figsize=(6.4, 0.8 + 1.75 * len(starts)), sharex="row", sharey="col"
    )
    cells = [(title, start, q) for title, start in starts.items() for q in QUANTITIES]
    for each, (title, (size, start), quantity) in zip(axes, cells, strict=True):
        for wiring in ("post-norm", "pre-norm"):
            bands = records.at_start(f"{size}-{wiring}-{start}", quantity)
            # The stream has one place more than there are blocks: behind the last.
            first = 0 if quantity == "gradient" else 1
            _profile(each, range(first, first + len(bands)), bands, wiring)
        each.set_yscale("log")
        each.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
        each.yaxis.set_major_formatter("{x:g}")
        each.yaxis.set_minor_locator(NullLocator())
        each.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        each.set_title(title, fontsize=10)
    for each, name in zip(axes[-2:], ("blocks passed", "block"), strict=True):
        each.set_xlabel(name)
    for each in axes[::2]:
        each.set_ylabel("RMS of\nthe gradient")
    for each, quantity in zip(axes, QUANTITIES, strict=False):
        each.set_title(f"{QUANTITIES[quantity]}\n{each.get_title()}", fontsize=10)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


@plt.rc_context(STYLE)
def streams_by_depth(columns: Mapping[str, Mapping[str, Sequence[Band]]]) -> Figure:
    """The stream's size by depth, a panel for each title.

    columns: for each wiring a band for each block's input and the last output.
    """
    figure, axes = panels(1, len(columns), figsize=(6.4, 3.3))
    for each, (title, wirings) in zip(axes, columns.items(), strict=True):
        for wiring, bands in wirings.items():
            _profile(each, range(len(bands)), bands, wiring)
        each.set_title(title, fontsize=10)
        each.set_ylim(bottom=0)
        each.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        each.set_xlabel("blocks passed")
    axes[0].set_ylabel("RMS of the stream")
    axes[-1].legend(fontsize=9)
    return figure


@plt.rc_context(STYLE)
def rate_sweep(sweep: Mapping[str, Record], level: float) -> Figure:
    """Final loss against the learning rate, a line through the runs of each seed.

    sweep: record "rates", by variant; level: the loss of the letters' frequencies.
    """
    groups: dict[tuple[int, str], list[Record]] = {}
    for record in sweep.values():
        groups.setdefault((record.model.n_layer, record.model.initialization), []).append(record)
    warmups = sorted({record.training.warmup for record in sweep.values()})
    figure, axes = panels(
        len(groups), len(warmups), figsize=(6.4, 2.3 * len(groups)), sharex="row", sharey=True
    )
    cells = [(group, warmup) for group in groups for warmup in warmups]
    for each, (group, warmup) in zip(axes, cells, strict=True):
        found = [record for record in groups[group] if record.training.warmup == warmup]
        _losses_by_rate(each, found)
        each.axhline(
            level, color=COLOURS["count"], linestyle="--", linewidth=1, label="letters' frequencies"
        )
        blocks, start = group
        start = "Xavier's" if start == "xavier" else "PyTorch's"
        each.set_title(
            f"{blocks} blocks, {start} start\n"
            + (f"{warmup} steps of warm-up" if warmup else "no warm-up"),
            fontsize=10,
        )
    for each in axes[-len(warmups) :]:
        each.set_xlabel("learning rate")
    for each in axes[:: len(warmups)]:
        each.set_ylabel("validation loss\n(nats per character)", fontsize=10)
    # The first group has every wiring.
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, fontsize=9
    )
    return figure


def _losses_by_rate(axes: Axes, found: Sequence[Record]) -> None:
    rates = sorted({record.training.learning_rate for record in found})
    for wiring, (mark, line, name) in LOOKS.items():
        of = {r.training.learning_rate: r for r in found if wiring_of(r) == wiring}
        if not of:
            continue
        style = {"color": COLOURS[wiring], "marker": mark, "markersize": 5}
        losses = [[run.validation[-1] for run in of[rate].histories] for rate in rates]
        for seed in zip(*losses, strict=True):
            axes.plot(rates, seed, line, linewidth=1.1, alpha=0.65, **style)
        axes.plot([], [], line, label=name, **style)
    axes.set_xscale("log")
    axes.set_xticks(rates, [f"{rate:g}" for rate in rates], fontsize=9)
    axes.xaxis.set_minor_locator(NullLocator())


def wiring_of(record: Record) -> str:
    """Which of `LOOKS` a model is."""
    if record.model.block == "pre-norm" and not record.model.final_norm:
        return "no-final-norm"
    return record.model.block


def _profile(axes: Axes, depths: Sequence[int], bands: Sequence[Band], wiring: str) -> None:
    mark, line, name = LOOKS[wiring]
    colour = COLOURS[wiring]
    axes.plot(
        depths,
        [band.mean for band in bands],
        line,
        marker=mark,
        markersize=4,
        linewidth=1.4,
        color=colour,
        label=name,
    )
    axes.fill_between(
        depths,
        [max(band.mean - band.sd, band.mean / 3) for band in bands],  # an axis may be logarithmic
        [band.mean + band.sd for band in bands],
        color=colour,
        alpha=0.2,
        linewidth=0,
    )
