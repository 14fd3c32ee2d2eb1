"""What normalization changes: sizes, modes, who can move whom, and what gains learn."""

from collections.abc import Mapping, Sequence

from matplotlib.colors import LogNorm, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from bardgpt.records.band import Band
from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import (
    as_picture,
    canvas,
    each_run,
    is_narrow,
    named_once,
    panels,
    scale,
    with_bars,
)
from bardgpt.teaching.palette import COLOURS


@plot
def stream_sizes(
    trained: Mapping[str, Sequence[Band]], started: Mapping[str, Sequence[Band]]
) -> Figure:
    """The size of the stream by depth: of one model over training, and of deep ones at the start.

    trained: by the name to show, a band for each depth; started: by the initialization.
    """
    figure, (left, right) = panels(1, 2, 3.5)
    looks = ((":o", 0.6), ("--s", 0.8), ("-^", 1))
    for (look, ink), (name, bands) in zip(looks, trained.items(), strict=False):
        style = {"color": to_rgba(COLOURS["stream"], ink), "label": name}
        with_bars(left, range(len(bands)), bands, look, markersize=5, **style)
    for look, (start, bands) in zip(("-v", "-D"), started.items(), strict=False):
        style = {"color": COLOURS[start], "label": f"{start.capitalize()} start"}
        with_bars(right, range(len(bands)), bands, look, markersize=5, **style)
    for axes, curves, title in (
        (left, trained, "over training"),
        (right, started, "at the start"),
    ):
        blocks = len(next(iter(curves.values()))) - 1
        axes.set_title(f"{blocks} blocks, {title}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
        axes.set_xlabel("blocks passed")
        axes.legend(loc="upper left")
    left.set_ylim(0, 5.2)
    left.set_ylabel("size of the stream (RMS)")
    right.set_yscale("log")
    right.set_ylim(top=3e4)
    right.set_ylabel("size (RMS), logarithmic")
    return figure


@plot
def mode_gaps(
    gaps: Mapping[str, tuple[str, Mapping[int, Sequence[float]]]], trained: int = 32
) -> Figure:
    """How much higher a loss is in training mode, by windows in a batch, a line for each run.

    gaps: by the name to show, the colour's role and for each batch size each run's gap; trained:
    the batch size of training.
    """
    figure, axes = canvas(3.5)
    axes.axvline(trained, color=COLOURS["muted"], linestyle=":", linewidth=1.2)
    sizes: list[int] = []
    for (name, (role, by_size)), look in zip(gaps.items(), ("-s", "-o"), strict=False):
        sizes = list(by_size)
        runs = list(zip(*by_size.values(), strict=True))
        style = {"color": COLOURS[role], "alpha": 0.7, "linewidth": 1.4}
        label = f"{name}, {len(runs)} seeds"
        each_run(axes, ((sizes, run) for run in runs), look, label=label, **style)
    axes.set_xscale("log")
    axes.set_xticks(sizes, [str(n) for n in sizes])
    axes.minorticks_off()
    axes.set_xlabel("windows in a batch")
    axes.set_ylabel("training minus evaluation mode\n(nats per character)")
    axes.legend()
    return figure


@plot
def who_moves(changes: Mapping[str, Tensor], changed: tuple[int, int]) -> Figure:
    """How far the logits of each position of each text move when one character is changed.

    The positions that may move, the changed one and later ones of its text, are framed.

    changes: by title (B, T), 0 where nothing moved; changed: text and position.
    """
    figure, axes = panels(1, len(changes), 2.4, narrow=2.2 * len(changes), sharey=True)
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
        axis.set_title(title if is_narrow() else title.replace(", ", ",\n"))
        axis.set_xticks(range(0, T, 2))
        axis.set_yticks(range(B))
        axis.set_xlabel("position")
        axis.set_ylabel("text of the batch")
        as_picture(axis)
    named_once(axes)
    bar = scale(figure, picture, axes, label="largest change\nof a logit")
    bar.set_ticks([0.1, 1], labels=["0.1", "1"])
    return figure


@plot
def norm_gains(
    names: Sequence[str],
    gains: Mapping[int, Sequence[Band]],
    biases: Mapping[int, Sequence[Band]],
    reach: Sequence[tuple[float, float]],
) -> Figure:
    """What the gains and biases of a model's norms become, norm by norm.

    names: of the norms, in the order of the forward pass; gains, biases: by step, a band for each
        norm; reach: the least and the greatest of each norm's gains, of all runs, at the end.
    """
    figure, (left, right) = panels(1, 2, 3.5)
    places = range(len(names))
    style = {"color": COLOURS["norm"], "alpha": 0.35, "linewidth": 7}
    left.vlines(places, *zip(*reach, strict=True), label="all gains,\nall runs", **style)
    for axes, by_step in ((left, gains), (right, biases)):
        for (step, bands), mark in zip(by_step.items(), "xs^", strict=True):
            colour = COLOURS["ink" if step == max(by_step) else "muted"]
            style = {"color": colour, "label": f"{step:,} steps"}
            with_bars(axes, places, bands, mark, markersize=6, **style)
        axes.set_xticks(places, names)
        axes.set_xlabel("norm, in the model's order")
    left.set_ylabel("gain (mean over channels)")
    right.set_ylabel("bias (RMS over channels)")
    paper = {"facecolor": COLOURS["paper"], "edgecolor": "none", "framealpha": 1}
    left.legend(loc="upper left", frameon=True, **paper)
    return figure
