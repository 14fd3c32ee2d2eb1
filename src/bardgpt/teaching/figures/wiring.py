"""Norms after the addition and norms in the branch: at the start and with depth.

Wirings are named as in the records: "post-norm", "pre-norm", "no-final-norm".
"""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from bardgpt.records.band import Band
from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import is_narrow, named_once, panels, shaded
from bardgpt.teaching.palette import COLOURS

LOOKS = {
    "post-norm": ("s--", "post-norm"),
    "pre-norm": ("o-", "pre-norm"),
    "no-final-norm": ("^:", "pre-norm without the final norm"),
}
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


def _profile(axes: Axes, bands: Sequence[Band], wiring: str, first: int = 0) -> None:
    look, name = LOOKS[wiring]
    depths = range(first, first + len(bands))
    shaded(axes, depths, bands, look, markersize=4, color=COLOURS[wiring], label=name)
