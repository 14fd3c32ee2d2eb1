"""The book's plots: one style, labelled axes with units, one colour per role.

Each function takes numbers and returns a figure; the chapter's cell adds the alternative text.
Plots stay opaque and light, which reads on both themes.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from torch import Tensor

from bardgpt.teaching.diagrams import diagram
from bardgpt.teaching.palette import COLOURS
from bardgpt.teaching.records import Band, Record

__all__ = [
    "bigram_table",
    "count_ladder",
    "descent",
    "diagram",
    "frequencies",
    "head_profiles",
    "head_spreads",
    "keys_chosen",
    "known_words",
    "ladder",
    "maps",
    "runs_compared",
    "training_runs",
]

STYLE = {
    "figure.figsize": (5.6, 3.5),
    "figure.dpi": 150,
    "figure.facecolor": COLOURS["paper"],
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "text.color": COLOURS["ink"],
    "axes.labelcolor": COLOURS["ink"],
    "axes.edgecolor": COLOURS["muted"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.5,
    "xtick.color": COLOURS["ink"],
    "ytick.color": COLOURS["ink"],
    "legend.frameon": False,
    "lines.linewidth": 1.8,
}
LOSS = "loss (nats per character)"


def _canvas(**size: float) -> tuple[Figure, Axes]:
    """A figure that shows once: as the value of its cell, and not by itself too."""
    figure, axes = plt.subplots(**size)
    plt.close(figure)
    axes.set_axisbelow(True)
    return figure, axes


def visible(character: str) -> str:
    """A character as an axis can show it."""
    return {" ": "␣", "\n": "↵"}.get(character, character)


@plt.rc_context(STYLE)
def frequencies(counts: Tensor, vocabulary: str) -> Figure:
    """How often each character occurs, commonest first, on a logarithmic axis.

    counts: (V,).
    """
    figure, axes = _canvas(figsize=(6.4, 3.0))
    order = counts.argsort(descending=True)
    share = (counts[order] / counts.sum()).numpy()
    axes.bar(range(len(order)), share, color=COLOURS["train"], width=0.8)
    axes.set_yscale("log")
    axes.set_xticks(range(len(order)), [visible(vocabulary[i]) for i in order], fontsize=7)
    axes.grid(visible=False, axis="x")
    axes.set_xlim(-1, len(order))
    axes.set_xlabel("character (␣ space, ↵ line break)")
    axes.set_ylabel("share of the training text")
    return figure


@plt.rc_context(STYLE)
def bigram_table(probabilities: Tensor, vocabulary: str) -> Figure:
    """P(next | current) as a picture: a row for the current character, a column for the next.

    probabilities: (V, V), rows summing to 1.
    """
    figure, axes = _canvas(figsize=(6.4, 5.4))
    picture = axes.imshow(probabilities.numpy(), cmap="cividis", norm=LogNorm(1e-4, 1))
    marks = [visible(c) for c in vocabulary]
    axes.set_xticks(range(len(marks)), marks, fontsize=6.5, family="monospace")
    axes.set_yticks(range(len(marks)), marks, fontsize=6.5, family="monospace")
    axes.grid(visible=False)
    axes.set_xlabel("next character")
    axes.set_ylabel("current character")
    figure.colorbar(picture, label="probability", shrink=0.8)
    return figure


@plt.rc_context(STYLE)
def count_ladder(train: Sequence[float], validation: Sequence[float], uniform: float) -> Figure:
    """Loss of the count tables with 0, 1, 2, … characters of context, on both splits."""
    figure, axes = _canvas()
    axes.axhline(uniform, color=COLOURS["count"], linestyle=":", label="uniform guess")
    contexts = range(len(train))
    axes.plot(contexts, validation, "o-", color=COLOURS["validation"], label="validation text")
    axes.plot(contexts, train, "s--", color=COLOURS["train"], label="training text")
    for context, loss in zip(contexts, validation, strict=True):
        axes.annotate(
            f"{loss:.3f}", (context, loss), xytext=(6, 6), textcoords="offset points", fontsize=9
        )
    axes.set_xticks(contexts)
    axes.set_ylim(0.8, 4.4)
    axes.set_xlabel("characters of context")
    axes.set_ylabel(LOSS)
    axes.legend()
    return figure


@plt.rc_context(STYLE)
def descent(gaps: Mapping[str, Tensor]) -> Figure:
    """How far gradient descent still is from the floor, step by step.

    gaps: for each name (steps,), nats above the minimum.
    """
    figure, axes = _canvas()
    for (name, gap), line in zip(gaps.items(), ("-", "--", ":"), strict=False):
        axes.loglog(range(1, len(gap) + 1), gap.numpy(), line, color=COLOURS["train"], label=name)
    axes.set_xlabel("gradient steps")
    axes.set_ylabel("nats above the floor")
    axes.legend()
    return figure


@plt.rc_context(STYLE)
def training_runs(
    record: Record, levels: Mapping[str, float], *, zoom: tuple[float, float]
) -> Figure:
    """A record's validation loss over its steps, a line for each seed, with levels beside it."""
    figure, axes = _canvas()
    for history in record.histories:
        axes.plot(history.step, history.validation, color=COLOURS["validation"], alpha=0.6)
    band = record.band()
    axes.plot([], [], color=COLOURS["validation"], label=f"trained, {band.n} seeds")
    for (name, level), line in zip(levels.items(), ("--", ":", "-."), strict=False):
        axes.axhline(level, color=COLOURS["count"], linestyle=line, label=name)
    axes.set_ylim(*zoom)
    axes.set_xlabel("steps")
    axes.set_ylabel("validation " + LOSS)
    axes.legend()
    return figure


@plt.rc_context(STYLE)
def known_words(tables: Sequence[Band], model: Band, real: float) -> Figure:
    """Share of a sample's words that occur in the training text, for each table and for a model."""
    figure, axes = _canvas(figsize=(5.6, 3.3))
    axes.axhline(real, color=COLOURS["count"], linestyle="--", label="real text (validation)")
    axes.bar(
        range(len(tables)),
        [band.mean for band in tables],
        yerr=[band.sd for band in tables],
        color=COLOURS["count"],
        alpha=0.5,
        capsize=3,
    )
    axes.bar(
        [len(tables)], [model.mean], yerr=[model.sd], color=COLOURS["model"], alpha=0.9, capsize=3
    )
    axes.set_xticks(
        range(len(tables) + 1), [str(context) for context in range(len(tables))] + ["bigram\nmodel"]
    )
    axes.grid(visible=False, axis="x")
    axes.set_ylim(0, 1.15)
    axes.set_xlabel("characters of context in the count table")
    axes.set_ylabel("share of known words")
    axes.legend(loc="upper left")
    return figure


@plt.rc_context(STYLE)
def keys_chosen(weights: Mapping[str, Tensor]) -> Figure:
    """The weights that one query gives its keys, a row of bars for each name.

    weights: for each name (keys,), summing to 1.
    """
    n = len(weights)
    figure, axes = plt.subplots(1, n, figsize=(6.4, 2.8), sharey=True, squeeze=False)
    plt.close(figure)
    for axis, (name, weight), hatch in zip(axes[0], weights.items(), ("", "//"), strict=False):
        axis.bar(range(len(weight)), weight.numpy(), color=COLOURS["key"], alpha=0.7, hatch=hatch)
        axis.set_title(name, fontsize=11)
        axis.set_xticks(range(len(weight)))
        axis.set_xlabel("key")
        axis.grid(visible=False, axis="x")
        axis.set_axisbelow(True)
    axes[0, 0].set_ylim(0, 1)
    axes[0, 0].set_ylabel("weight")
    return figure


@plt.rc_context(STYLE)
def runs_compared(
    records: Mapping[str, Record], levels: Mapping[str, float], *, zoom: tuple[float, float]
) -> Figure:
    """Validation loss over the steps of several records, every seed a line, with levels beside it.

    records, levels: by the name to show.
    """
    figure, axes = _canvas(figsize=(6.4, 4.0))
    looks = ((COLOURS["muted"], ":"), (COLOURS["target"], "--"), (COLOURS["model"], "-"))
    for (name, record), (colour, line) in zip(records.items(), looks, strict=False):
        for seed, history in enumerate(record.histories):
            axes.plot(
                history.step,
                history.validation,
                line,
                color=colour,
                alpha=0.6,
                linewidth=1.3,
                label=None if seed else name,
            )
    for level, line in zip(levels.items(), ("--", "-."), strict=False):
        axes.axhline(level[1], color=COLOURS["count"], linestyle=line, linewidth=1, label=level[0])
    axes.set_ylim(*zoom)
    axes.set_xlabel("steps")
    axes.set_ylabel("validation " + LOSS)
    axes.legend(fontsize=9)
    return figure


@plt.rc_context(STYLE)
def maps(weights: Tensor, text: str, titles: Sequence[str] = ()) -> Figure:
    """The attention weights of each head over one window: rows look at columns.

    weights: (nh, T, T); text: the T characters; titles: in place of "head 1", "head 2", …
    """
    marks = [visible(c) for c in text]
    rows = -(-len(weights) // 2)  # two in a row, so that a phone can show them
    figure, axes = plt.subplots(
        rows, 2, figsize=(5.6, 2.8 * rows), sharex=True, sharey=True, squeeze=False
    )
    plt.close(figure)
    for i, (axis, head) in enumerate(zip(axes.flat, weights, strict=True)):
        picture = axis.imshow(head.numpy(), cmap="cividis", vmin=0, vmax=1)
        if titles:
            axis.set_title(titles[i], fontsize=11)
        else:
            axis.set_title(f"head {i + 1}", color=COLOURS[f"head {i % 4}"], fontsize=11)
        axis.set_xticks(range(len(marks)), marks, fontsize=10, family="monospace")
        axis.set_yticks(range(len(marks)), marks, fontsize=10, family="monospace")
        axis.grid(visible=False)
    for axis in axes[-1]:
        axis.set_xlabel("looks at")
    for axis in axes[:, 0]:
        axis.set_ylabel("position")
    figure.colorbar(picture, ax=axes.ravel().tolist(), label="weight", shrink=0.7)
    return figure


@plt.rc_context(STYLE)
def head_profiles(distances: Tensor, classes: Tensor, names: Sequence[str]) -> Figure:
    """Where each head looks from the last position, by distance and by class of character.

    distances: (nh, T), weight at distance 0, 1, …; classes: (nh, len(names)).
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.2), sharey=True)
    plt.close(figure)
    for i, (by_distance, by_class) in enumerate(zip(distances, classes, strict=True)):
        style = {
            "color": COLOURS[f"head {i % 4}"],
            "marker": "os^D"[i % 4],
            "label": f"head {i + 1}",
        }
        left.plot(range(len(by_distance)), by_distance.numpy(), **style)
        right.plot(range(len(names)), by_class.numpy(), linestyle="", markersize=8, **style)
    left.set_xlabel("characters back (0: itself)")
    left.set_ylabel("mean attention weight")
    left.legend(fontsize=9)
    right.set_xticks(range(len(names)), [name.replace(" ", "\n") for name in names], fontsize=8)
    right.set_xlabel("class of character")
    for axis in (left, right):
        axis.set_axisbelow(True)
    return figure


@plt.rc_context(STYLE)
def head_spreads(columns: Mapping[str, Mapping[str, Band]]) -> Figure:
    """How much heads differ, for each column (say, trained) and each way of looking."""
    figure, axes = _canvas(figsize=(5.6, 3.3))
    kinds = list(next(iter(columns.values())))
    for i, (kind, hatch) in enumerate(zip(kinds, ("", "//"), strict=False)):
        found = [column[kind] for column in columns.values()]
        axes.bar(
            [j + (i - 0.5) * 0.36 for j in range(len(columns))],
            [band.mean for band in found],
            width=0.34,
            yerr=[band.sd for band in found],
            color=COLOURS["model"],
            alpha=0.85 if i == 0 else 0.4,
            hatch=hatch,
            capsize=3,
            label=kind,
        )
    axes.set_xticks(range(len(columns)), list(columns))
    axes.grid(visible=False, axis="x")
    axes.set_ylabel("how much the heads differ\n(total variation, 0 to 1)")
    axes.legend()
    return figure


@plt.rc_context(STYLE)
def ladder(
    rungs: Mapping[str, Record], tables: Sequence[float], lecture: Sequence[float]
) -> Figure:
    """Validation loss of each rung, every seed a dot, over the count tables as dashed lines.

    rungs: by the name to show; tables: loss with 0, 1, … characters of context; lecture: what the
    lecture reports for the same rungs, NaN where it reports nothing.
    """
    figure, axes = _canvas(figsize=(6.4, 4.0))
    for context, loss in enumerate(tables):
        if context in (1, 2, 4):
            axes.axhline(loss, color=COLOURS["count"], linestyle="--", linewidth=1)
            axes.annotate(
                f"table of {context}: {loss:.3f}",
                (len(rungs) - 0.45, loss),
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                fontsize=9,
                color=COLOURS["count"],
            )
    axes.plot(
        range(len(rungs)), lecture, "x", color=COLOURS["reported"], label="lecture reports", ms=8
    )
    for place, record in enumerate(rungs.values()):
        losses = [history.validation[-1] for history in record.histories]
        label = "five seeds" if place == 0 else None
        axes.plot(
            [place] * len(losses), losses, "o", color=COLOURS["model"], alpha=0.6, label=label
        )
    axes.set_xticks(range(len(rungs)), list(rungs))
    axes.set_xlim(-0.5, len(rungs) - 0.4)
    axes.set_ylim(1.6, 2.6)
    axes.set_ylabel("validation " + LOSS)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.1))
    return figure
