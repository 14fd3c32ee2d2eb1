"""What depth does: to gradients, to losses, and to the branches beside the stream."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from bardgpt import records
from bardgpt.records.record import Record
from bardgpt.teaching.figures.style import LOSS, STYLE, canvas, panels
from bardgpt.teaching.palette import COLOURS

PARTS = ("attention", "feed-forward")
BLOCK_LINES = ("-", "--", ":")
MARKS = {"plain": "s", "residual": "o"}  # one mark for a wiring
START_LINES = {"zero": "--", "xavier": ":"}  # of the initializations; else solid


@plt.rc_context(STYLE)
def gradients_by_depth(variants: Mapping[str, tuple[str, str]]) -> Figure:
    """The loss gradient's size at each block's input before training, every seed a line.

    variants: by the name to show, a variant of record "starts" and the role of its colour; from the
        uppermost line to the lowest, for the legend.
    """
    figure, axes = canvas(figsize=(5.6, 4.6))
    record = records.read("starts")
    for name, (variant, role) in variants.items():
        wiring = record["experiment"][variant]["model"]["block"]
        for seed, run in enumerate(record["variants"][variant]["runs"]):
            sizes = run["stream"]["gradient"]
            axes.plot(
                range(len(sizes)),
                sizes,
                START_LINES.get(role, "-"),
                marker=MARKS[wiring],
                markersize=4,
                linewidth=1.2,
                color=COLOURS[role],
                alpha=0.6,
                label=None if seed else name,
            )
    axes.set_yscale("log")
    axes.set_xlabel("blocks passed (0: the first block's input)")
    axes.set_ylabel("RMS of the gradient, loss\nsummed over 2,048 positions")
    axes.legend(fontsize=10, loc="lower right")
    return figure


@plt.rc_context(STYLE)
def losses_by_depth(sweep: Mapping[str, Record], levels: Mapping[str, float]) -> Figure:
    """Final validation loss against the number of blocks, every seed a dot, lines through means.

    sweep: variants "plain-L" and "residual-L"; levels: lines beside it, by name.
    """
    figure, axes = canvas(figsize=(5.6, 3.8))
    for wiring, mark in MARKS.items():
        found = {
            record.model.n_layer: record
            for record in sweep.values()
            if record.model.block == wiring
        }
        depths = sorted(found)
        style = {"color": COLOURS[wiring], "marker": mark, "markersize": 5}
        for depth in depths:
            losses = [history.validation[-1] for history in found[depth].histories]
            axes.plot([depth] * len(losses), losses, linestyle="", alpha=0.6, **style)
        means = [found[depth].band().mean for depth in depths]
        axes.plot(depths, means, "-", color=style["color"])
        axes.plot([], [], "-", label=f"{wiring} blocks", **style)
    for (name, level), line in zip(levels.items(), (":", "-."), strict=False):
        axes.axhline(level, color=COLOURS["count"], linestyle=line, linewidth=1.4)
        axes.annotate(
            name,
            (0.02, level),
            xycoords=("axes fraction", "data"),
            xytext=(0, 3),
            textcoords="offset points",
            fontsize=9,
            color=COLOURS["count"],
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks(depths, [str(depth) for depth in depths])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("blocks")
    axes.set_ylabel("validation " + LOSS)
    axes.legend(fontsize=10)
    return figure


@plt.rc_context(STYLE)
def branches_over_training(sweep: Mapping[str, Record], starts: Sequence[str]) -> Figure:
    """How loud each branch is beside its stream, over training: a panel for each start and wiring.

    sweep: records with the probe "stream", by variant "wiring-start"; starts: a row for each.
    """
    wirings = {"residual": "residual", "pre-norm": "pre-norm"}
    figure, axes = panels(
        len(starts), len(wirings), figsize=(5.2, 1.2 + 1.9 * len(starts)), sharex=True, sharey=True
    )
    cells = [(start, wiring) for start in starts for wiring in wirings]
    for place, (each, (start, wiring)) in enumerate(zip(axes, cells, strict=True)):
        _branch_lines(each, sweep[f"{wiring}-{start}"])
        each.set_yscale("symlog", linthresh=0.01, linscale=0.4)
        each.set_ylim(-0.001, 8)
        each.set_yticks([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
        each.yaxis.set_minor_locator(NullLocator())
        each.set_xticks([0, 500, 1_000])
        name = {"x": 0.97, "y": 0.06, "s": start, "transform": each.transAxes, "ha": "right"}
        each.text(**name, color=COLOURS["ink"], fontsize=12, fontweight="bold")
        if place < len(wirings):
            each.set_title(wirings[wiring], fontsize=12)
        if place % len(wirings) == 0:
            each.set_ylabel("branch / stream")
    for each in axes[-len(wirings) :]:
        each.set_xlabel("steps")
    keys = [Line2D([], [], color=COLOURS[part], label=part) for part in PARTS]
    keys.append(Line2D([], [], linestyle="", label=" "))  # keeps parts and blocks in columns apart
    keys += [
        Line2D([], [], color=COLOURS["ink"], linestyle=line, label=f"block {block}")
        for block, line in enumerate(BLOCK_LINES, start=1)
    ]
    figure.legend(handles=keys, loc="outside upper center", ncols=2, fontsize=11)
    return figure


def _branch_lines(axes: Axes, record: Record) -> None:
    steps = record.probed("stream")
    profiles = [record.profile("stream", "branch", step) for step in steps]
    for place in range(len(profiles[0])):
        bands = [profile[place] for profile in profiles]
        colour, line = COLOURS[PARTS[place % 2]], BLOCK_LINES[place // 2 % len(BLOCK_LINES)]
        axes.plot(steps, [band.mean for band in bands], line, color=colour, linewidth=1.4)
        axes.fill_between(
            steps,
            [band.mean - band.sd for band in bands],
            [band.mean + band.sd for band in bands],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
    axes.axhline(1, color=COLOURS["muted"], linewidth=1)
