"""What normalization changes: sizes, modes, who can move whom, and what gains learn."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from torch import Tensor

from bardgpt.teaching.figures.style import LOSS, STYLE, panels
from bardgpt.teaching.palette import COLOURS
from bardgpt.teaching.records import Band, Record


@plt.rc_context(STYLE)
def stream_sizes(
    trained: Mapping[str, Sequence[Band]], started: Mapping[str, Sequence[Band]]
) -> Figure:
    """The size of the stream by depth: of one model over training, and of deep ones at the start.

    trained, started: by the name to show, a band for each depth.
    """
    figure, (left, right) = panels(1, 2, figsize=(6.4, 3.3))
    looks = ((":", "o"), ("--", "s"), ("-", "^"))
    for axes, curves in ((left, trained), (right, started)):
        for (name, found), (line, marker) in zip(curves.items(), looks, strict=False):
            axes.errorbar(
                range(len(found)),
                [band.mean for band in found],
                yerr=[band.sd for band in found],
                linestyle=line,
                marker=marker,
                markersize=4,
                capsize=2,
                color=COLOURS["stream"],
                label=name,
            )
        axes.set_xlabel("blocks passed")
        axes.legend(fontsize=9, loc="upper left")
    left.set_ylim(0, 5.2)
    left.set_xticks(range(len(next(iter(trained.values())))))
    left.set_ylabel("size of the stream (RMS)")
    right.set_yscale("log")
    right.set_ylim(top=3e4)
    return figure


@plt.rc_context(STYLE)
def losses_by_mode(runs: Mapping[str, tuple[str, Sequence[Mapping[str, float]]]]) -> Figure:
    """The loss of the same models in both modes, a line for each run.

    runs: by title, the colour's role and for each run the loss by mode.
    """
    figure, axes = panels(1, len(runs), figsize=(6.4, 3.3), sharey=True)
    for axis, (title, (role, found)) in zip(axes, runs.items(), strict=True):
        modes = list(found[0])
        for run in found:
            axis.plot(
                range(len(modes)), [run[m] for m in modes], "o-", color=COLOURS[role], alpha=0.6
            )
        axis.set_xticks(range(len(modes)), [m.replace(" ", "\n") for m in modes])
        axis.set_xlim(-0.4, len(modes) - 0.6)
        axis.set_xlabel(f"mode, {len(found)} seeds")
        axis.set_title(title, fontsize=11)
    axes[0].set_ylabel(LOSS)
    return figure


@plt.rc_context(STYLE)
def who_moves(changes: Mapping[str, Tensor], changed: tuple[int, int]) -> Figure:
    """How far the logits of each position of each text move when one character is changed.

    changes: by title (B, T), 0 where nothing moved; changed: text and position.
    """
    figure, axes = panels(1, len(changes), figsize=(6.4, 2.6), sharey=True)
    scale = LogNorm(1e-2, 2)
    for axis, (title, change) in zip(axes, changes.items(), strict=True):
        B, T = change.shape
        moved = change.where(change > 1e-5, float("nan"))  # less is rounding
        picture = axis.imshow(moved.numpy(), cmap="cividis", norm=scale)
        for b, t in (change <= 1e-5).nonzero().tolist():
            axis.plot(t, b, ".", color=COLOURS["muted"], markersize=3)
        axis.plot(changed[1], changed[0], "s", color=COLOURS["key"], ms=12, mfc="none", mew=2)
        axis.set_title(title, fontsize=10)
        axis.set_xticks(range(0, T, 2))
        axis.set_yticks(range(B))
        axis.set_xlabel("position")
        axis.grid(visible=False)
    axes[0].set_ylabel("text of the batch")
    figure.colorbar(picture, ax=axes, label="largest change\nof a logit", shrink=0.6)
    return figure


@plt.rc_context(STYLE)
def norm_gains(record: Record, names: Sequence[str]) -> Figure:
    """What the gains and biases of a record's norms become, norm by norm.

    names: of the norms, in the order of the forward pass.
    """
    figure, (left, right) = panels(1, 2, figsize=(6.4, 3.5))
    places, steps = range(len(names)), record.probed("norms")
    end = steps[-1]
    least, most = (record.profile("norms", q, end) for q in ("least gain", "most gain"))
    left.vlines(
        places,
        [band.mean for band in least],
        [band.mean for band in most],
        color=COLOURS["norm"],
        alpha=0.35,
        linewidth=7,
        label="range over channels",
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
        axes.set_xticks(places, names, fontsize=8)
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("norm, in the order of the model")
    left.set_ylabel("gain (mean over channels)")
    right.set_ylabel("bias (RMS over channels)")
    left.legend(fontsize=8, loc="upper left")
    return figure
