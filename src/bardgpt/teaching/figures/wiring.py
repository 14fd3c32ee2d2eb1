"""Norms after the addition and norms in the branch: at the start, with depth, over learning rates.

Wirings are named as in the records: "no-norm", "post-norm", "pre-norm", "no-final-norm".
"""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from bardgpt.records.band import Band
from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import each_run, is_narrow, named_once, panels, shaded
from bardgpt.teaching.palette import COLOURS

LOOKS = {
    "no-norm": ("D-.", "no norm"),
    "post-norm": ("s--", "post-norm"),
    "pre-norm": ("o-", "pre-norm"),
    "no-final-norm": ("^:", "pre-norm without the final norm"),
}
ROOM = 0.4  # nats above the letters' frequencies in which a loss has its own place
PLACES = ("on the stream", "of the feed-forward matrix")


@plot
def gradients_at_start(
    starts: Mapping[str, Mapping[str, tuple[Sequence[Band], Sequence[Band]]]],
) -> Figure:
    """Gradients by depth before the first step: on the stream (left), of weights (right).

    starts: a row for each title; by wiring, a band for each place of the stream, of which there is
        one more than there are blocks, and one for each block's feed-forward matrix.
    """
    share = {"sharex": "row", "sharey": False if is_narrow() else "col"}
    figure, axes = panels(len(starts), 2, 1 + 2 * len(starts), narrow=4 * len(starts), **share)
    cells = [(title, wirings, side) for title, wirings in starts.items() for side in (0, 1)]
    for i, (each, (title, wirings, side)) in enumerate(zip(axes, cells, strict=True)):
        each.set_yscale("log")
        for wiring, gradients in wirings.items():
            _profile(each, gradients[side], wiring, first=side)  # blocks are counted from 1
        each.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        each.yaxis.set_major_formatter("{x:g}")
        each.yaxis.set_minor_locator(NullLocator())
        each.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        each.set_title(f"{PLACES[side]}\n{title}" if is_narrow() or i < 2 else title)
        each.set_xlabel(("blocks passed", "block")[side])
        each.set_ylabel("RMS of the gradient")
    named_once(axes)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


@plot
def streams_by_depth(columns: Mapping[str, Mapping[str, Sequence[Band]]]) -> Figure:
    """The stream's size by depth, a panel for each title.

    columns: for each wiring a band for each block's input and the last output.
    """
    figure, axes = panels(1, len(columns), 3.3)
    for each, (title, wirings) in zip(axes, columns.items(), strict=True):
        for wiring, bands in wirings.items():
            _profile(each, bands, wiring)
        each.set_title(title)
        each.set_ylim(bottom=0)
        each.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8))
        each.set_xlabel("blocks passed")
        each.set_ylabel("RMS of the stream")
    named_once(axes)
    axes[-1].legend()
    return figure


@plot
def rate_sweep(
    losses: Mapping[tuple[str, int], Mapping[str, Mapping[float, Sequence[float]]]], level: float
) -> Figure:
    """Final loss against the learning rate, a line through the runs of each seed.

    Args:
        losses: by model (a row each) and steps of warm-up (a column each), row by row; by wiring
            and rate, the loss of each run, infinite if it was lost. The first row has every wiring.
        level: the loss of the letters' frequencies. What lies more than `ROOM` above it is drawn
            there, on a line of its own.
    """
    top = level + ROOM
    beyond = any(
        loss > top
        for wirings in losses.values()
        for by_rate in wirings.values()
        for runs in by_rate.values()
        for loss in runs
    )
    warmups = list(dict.fromkeys(warmup for _, warmup in losses))
    rows = len(losses) // len(warmups)
    figure, axes = panels(rows, len(warmups), 2.3 * rows, sharex="row", sharey=True)
    for each, ((model, warmup), wirings) in zip(axes, losses.items(), strict=True):
        for wiring, by_rate in wirings.items():
            look, name = LOOKS[wiring]
            rates = list(by_rate)
            shown = [[min(loss, top) for loss in at_rate] for at_rate in by_rate.values()]
            runs = zip(*shown, strict=True)
            style = {"color": COLOURS[wiring], "markersize": 6, "linewidth": 1.1, "alpha": 0.65}
            # Nothing lies outside, and a mark needs no edge: many of either weigh a page down.
            lean = {"clip_on": False, "markeredgewidth": 0}
            each_run(each, ((rates, run) for run in runs), look, label=name, **style, **lean)
        name = "letters' frequencies"
        each.axhline(level, color=COLOURS["count"], linestyle="--", linewidth=1, label=name)
        if beyond:
            name = "above this, or lost"
            each.axhline(top, color=COLOURS["muted"], linestyle=":", linewidth=1, label=name)
        each.set_xscale("log")
        each.set_xticks(rates, [f"{rate:g}" for rate in rates])
        each.xaxis.set_minor_locator(NullLocator())
        words = f"{warmup} steps of warm-up" if warmup else "no warm-up"
        each.set_title(f"{model}\n{words}" if len(warmups) > 1 else model)
        each.set_xlabel("learning rate")
        each.set_ylabel("validation loss\n(nats per character)")
    named_once(axes)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return figure


def _profile(axes: Axes, bands: Sequence[Band], wiring: str, first: int = 0) -> None:
    look, name = LOOKS[wiring]
    depths = range(first, first + len(bands))
    shaded(axes, depths, bands, look, markersize=4, color=COLOURS[wiring], label=name)
