"""What normalization changes: sizes, modes, who can move whom, and what gains learn."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from bardgpt.records.band import Band
from bardgpt.records.record import Record
from bardgpt.teaching.figures.style import STYLE, canvas, panels
from bardgpt.teaching.palette import COLOURS


@plt.rc_context(STYLE)
def stream_sizes(
    trained: Mapping[str, Sequence[Band]], started: Mapping[str, Sequence[Band]]
) -> Figure:
    """The size of the stream by depth: of one model over training, and of deep ones at the start.

    trained: by the name to show, a band for each depth; started: by the initialization.
    """
    figure, (left, right) = panels(1, 2, figsize=(6.4, 3.5))
    looks = zip((":o", "--s", "-^"), trained.items(), strict=False)
    for look, (name, found) in looks:
        _sizes(left, found, look, COLOURS["stream"], name)
    for look, (start, found) in zip(("-v", "-D"), started.items(), strict=False):
        _sizes(right, found, look, COLOURS[start], f"{start.capitalize()} start")
    for axes, curves, title in (
        (left, trained, "over training"),
        (right, started, "at the start"),
    ):
        blocks = len(next(iter(curves.values()))) - 1
        axes.set_title(f"{blocks} blocks, {title}", fontsize=11)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
        axes.set_xlabel("blocks passed")
        axes.legend(fontsize=9, loc="upper left")
    left.set_ylim(0, 5.2)
    left.set_ylabel("size of the stream (RMS)")
    right.set_yscale("log")
    right.set_ylim(top=3e4)
    right.set_ylabel("size (RMS), logarithmic")
    return figure


def _sizes(axes: Axes, found: Sequence[Band], look: str, colour: str, name: str) -> None:
    axes.errorbar(
        range(len(found)),
        [band.mean for band in found],
        yerr=[band.sd for band in found],
        fmt=look,
        markersize=5,
        capsize=2,
        color=colour,
        label=name,
    )


@plt.rc_context(STYLE)
def mode_gaps(
    gaps: Mapping[str, tuple[str, Mapping[int, Sequence[float]]]], trained: int = 32
) -> Figure:
    """How much higher a loss is in training mode, by windows in a batch, a line for each run.

    gaps: by the name to show, the colour's role and for each batch size each run's gap; trained:
    the batch size of training.
    """
    figure, axes = canvas(figsize=(5.6, 3.5))
    axes.axvline(trained, color=COLOURS["muted"], linestyle=":", linewidth=1.2)
    sizes: list[int] = []
    for (name, (role, by_size)), look in zip(gaps.items(), ("-s", "-o"), strict=False):
        sizes = list(by_size)
        runs = list(zip(*by_size.values(), strict=True))
        for i, run in enumerate(runs):
            label = None if i else f"{name}, {len(runs)} seeds"
            axes.plot(sizes, run, look, color=COLOURS[role], alpha=0.7, lw=1.4, label=label)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [str(n) for n in sizes])
    axes.minorticks_off()
    axes.set_xlabel("windows in a batch")
    axes.set_ylabel("training minus evaluation mode\n(nats per character)")
    axes.legend(fontsize=10)
    return figure


@plt.rc_context(STYLE)
def who_moves(changes: Mapping[str, Tensor], changed: tuple[int, int]) -> Figure:
    """How far the logits of each position of each text move when one character is changed.

    The positions that may move, the changed one and later ones of its text, are framed.

    changes: by title (B, T), 0 where nothing moved; changed: text and position.
    """
    figure, axes = panels(1, len(changes), figsize=(6.4, 2.7), sharey=True)
    text, position = changed
    for axis, (title, change) in zip(axes, changes.items(), strict=True):
        B, T = change.shape
        moved = change.where(change > 1e-5, float("nan"))  # less is rounding
        picture = axis.imshow(moved.numpy(), cmap="viridis", norm=LogNorm(2e-2, 2))
        for b, t in (change <= 1e-5).nonzero().tolist():
            axis.plot(t, b, ".", color=COLOURS["ink"], markersize=6)
        for width, colour, line in (
            (T - position, COLOURS["ink"], 2.2),
            (1, COLOURS["key"], 2.6),
        ):
            corner = (position - 0.5, text - 0.5)
            axis.add_patch(
                Rectangle(corner, width, 1, fill=False, ec=colour, lw=line, zorder=3, clip_on=False)
            )
        axis.set_title(title.replace(", ", ",\n"), fontsize=11)
        axis.set_xticks(range(0, T, 2))
        axis.set_yticks(range(B))
        axis.set_xlabel("position")
        axis.grid(visible=False)
    axes[0].set_ylabel("text of the batch")
    bar = figure.colorbar(picture, ax=axes, label="largest change\nof a logit", shrink=0.7)
    bar.set_ticks([0.1, 1], labels=["0.1", "1"])
    return figure


@plt.rc_context(STYLE)
def norm_gains(record: Record, names: Sequence[str]) -> Figure:
    """What the gains and biases of a record's norms become, norm by norm.

    names: of the norms, in the order of the forward pass.
    """
    figure, (left, right) = panels(1, 2, figsize=(6.4, 3.5))
    places, steps = range(len(names)), record.probed("norms")
    end = steps[-1]
    runs = record.probes["norms"][end]
    left.vlines(
        places,
        [min(run["least gain"][i] for run in runs) for i in places],
        [max(run["most gain"][i] for run in runs) for i in places],
        color=COLOURS["norm"],
        alpha=0.35,
        linewidth=7,
        label="all gains,\nall runs",
    )
    for axes, quantity in ((left, "gain"), (right, "bias")):
        for step, marker in zip(steps, "xs^", strict=False):
            found = record.profile("norms", quantity, step)
            axes.errorbar(
                places,
                [band.mean for band in found],
                yerr=[band.sd for band in found],
                linestyle="",
                marker=marker,
                markersize=6,
                capsize=2,
                color=COLOURS["ink"] if step == end else COLOURS["muted"],
                label=f"{step:,} steps",
            )
        axes.set_xticks(places, names)
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("norm, in the model's order")
    left.set_ylabel("gain (mean over channels)")
    right.set_ylabel("bias (RMS over channels)")
    left.legend(fontsize=9, loc="upper left")
    return figure
