"""What depth does: to gradients, to losses, and to the branches beside the stream."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from bardgpt.records.band import Band
from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import (
    LOSS,
    canvas,
    each_run,
    levels,
    named_once,
    panels,
    shaded,
)
from bardgpt.teaching.palette import COLOURS

PARTS = ("attention", "feed-forward")
BLOCK_LINES = ("-", "--", ":")
MARKS = {"plain": "s", "residual": "o"}  # one mark for a wiring
START_LINES = {"default": "-", "zero": "--", "xavier": ":"}  # one line for an initialization


@plot
def gradients_by_depth(
    gradients: Mapping[str, Sequence[Sequence[float]]], looks: Mapping[str, tuple[str, str]]
) -> Figure:
    """The loss gradient's size at each block's input before training, every seed a line.

    Args:
        gradients: by the name to show, for each run the size at each depth; from the uppermost line
            to the lowest, for the legend.
        looks: by the same name, wiring and initialization.
    """
    figure, axes = canvas(4.4)
    for name, runs in gradients.items():
        wiring, start = looks[name]
        each_run(
            axes,
            ((range(len(sizes)), sizes) for sizes in runs),
            START_LINES[start] + MARKS[wiring],
            label=name,
            color=COLOURS[wiring if start == "default" else start],
            markersize=4,
            linewidth=1.2,
            alpha=0.6,
        )
    axes.set_yscale("log")
    axes.set_xlabel("blocks passed (0: the first block's input)")
    axes.set_ylabel("RMS of the gradient, loss\nsummed over 2,048 positions")
    axes.legend(loc="lower right")
    return figure


@plot
def losses_by_depth(
    losses: Mapping[str, Mapping[int, Sequence[float]]], beside: Mapping[str, float]
) -> Figure:
    """Final validation loss against the number of blocks, every seed a dot, lines through means.

    losses: by wiring, "plain" or "residual", and by number of blocks, of each run; beside: losses
        by name, as lines across.
    """
    figure, axes = canvas(3.8)
    for wiring, by_depth in losses.items():
        depths = sorted(by_depth)
        style = {"color": COLOURS[wiring], "marker": MARKS[wiring], "markersize": 5}
        for depth in depths:
            places = [depth] * len(by_depth[depth])
            axes.plot(places, by_depth[depth], linestyle="", alpha=0.6, **style)
        means = [sum(by_depth[depth]) / len(by_depth[depth]) for depth in depths]
        axes.plot(depths, means, "-", color=style["color"], label=f"{wiring} blocks")
    levels(axes, beside)
    axes.set_xscale("log", base=2)
    axes.set_xticks(depths, [str(depth) for depth in depths])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("blocks")
    axes.set_ylabel("validation " + LOSS)
    axes.legend()
    return figure


@plot
def branches_over_training(branches: Mapping[str, Mapping[int, Sequence[Band]]]) -> Figure:
    """How large each branch is beside its stream, over training: a panel for each initialization.

    branches: by initialization; for each step a band for each branch, attention and feed-forward in
        turn.
    """
    share = {"sharex": True, "sharey": True}
    figure, axes = panels(1, len(branches), 3.4, narrow=1.6 + 2 * len(branches), **share)
    for each, (start, by_step) in zip(axes, branches.items(), strict=True):
        _branch_lines(each, by_step)
        each.set_yscale("symlog", linthresh=0.01, linscale=0.4)
        each.set_ylim(-0.001, 8)
        each.set_yticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
        each.yaxis.set_minor_locator(NullLocator())
        each.set_xticks([0, 500, 1_000])
        each.set_title(start)
        each.set_xlabel("steps")
        each.set_ylabel("branch / stream")
    named_once(axes)
    keys = [Line2D([], [], color=COLOURS[part], label=part) for part in PARTS]
    keys.append(Line2D([], [], linestyle="", label=" "))  # keeps parts and blocks in columns apart
    keys += [
        Line2D([], [], color=COLOURS["ink"], linestyle=line, label=f"block {block}")
        for block, line in enumerate(BLOCK_LINES, start=1)
    ]
    figure.legend(handles=keys, loc="outside upper center", ncols=2)
    return figure


def _branch_lines(axes: Axes, by_step: Mapping[int, Sequence[Band]]) -> None:
    for place, bands in enumerate(zip(*by_step.values(), strict=True)):
        look = BLOCK_LINES[place // len(PARTS) % len(BLOCK_LINES)]
        shaded(axes, list(by_step), bands, look, color=COLOURS[PARTS[place % len(PARTS)]])
    axes.axhline(1, color=COLOURS["muted"], linewidth=1)
