"""The text, its count tables, and how it was put together."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from matplotlib.axis import Axis
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from torch import Tensor

from bardgpt.records.band import Band
from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import (
    LOSS,
    across,
    as_picture,
    canvas,
    is_narrow,
    visible,
)
from bardgpt.teaching.palette import COLOURS


@plot
def frequencies(counts: Tensor, vocabulary: str) -> Figure:
    """How often each character occurs, commonest first, on a logarithmic axis.

    counts: (V,).
    """
    figure, axes = canvas(3.0)
    order = counts.argsort(descending=True)
    share = (counts[order] / counts.sum()).numpy()
    axes.bar(range(len(order)), share, color=COLOURS["train"], width=0.8)
    axes.set_yscale("log")
    _in_rows(axes.xaxis, [visible(vocabulary[i]) for i in order])
    axes.set_xlim(-1, len(order))
    axes.set_xlabel("character (␣ space, ↵ line break)")
    axes.set_ylabel("share of the training text")
    return figure


@plot
def bigram_table(
    probabilities: Tensor, vocabulary: str, pairs: Mapping[str, str] = MappingProxyType({})
) -> Figure:
    """P(next | current) as a picture: a row for the current character, a column for the next.

    probabilities: (V, V), rows summing to 1. pairs: two characters each, and what to write beside
    their cell.
    """
    figure, axes = canvas(7.6, narrow=4.7)
    picture = axes.imshow(probabilities.numpy(), cmap="cividis", norm=LogNorm(1e-4, 1))
    marks = [visible(c) for c in vocabulary]
    for axis in (axes.xaxis, axes.yaxis):
        _in_rows(axis, marks)
    away = 50 if is_narrow() else 90
    for (current, following), words in pairs.items():
        row, column = vocabulary.index(current), vocabulary.index(following)
        left = column > len(vocabulary) / 2
        axes.annotate(
            words,
            (column, row),
            xytext=((-away if left else away), 0),
            textcoords="offset points",
            va="center",
            ha="right" if left else "left",
            bbox={"facecolor": COLOURS["paper"], "edgecolor": "none", "pad": 2},
            arrowprops={"arrowstyle": "->", "color": COLOURS["over"], "linewidth": 1.8},
        )
    as_picture(axes)
    axes.set_xlabel("next character (␣ space, ↵ line break)")
    axes.set_ylabel("current character")
    figure.colorbar(
        picture, label="probability", location="bottom", format="%g", shrink=0.8, aspect=40
    )
    return figure


def _in_rows(axis: Axis, marks: Sequence[str]) -> None:
    """Names at an axis, too many for one row: they stand in two, on a phone in three."""
    rows, size = (3, 9.0) if is_narrow() else (2, 10.0)
    axis.set_ticks(range(len(marks)), marks, fontsize=size, family="monospace")
    for i, tick in enumerate(axis.get_major_ticks()):
        tick.set_pad(2 + i % rows * 1.15 * size)


@plot
def count_ladder(train: Sequence[float], validation: Sequence[float], uniform: float) -> Figure:
    """Loss of the count tables with 0, 1, 2, … characters of context, on both splits."""
    figure, axes = canvas()
    axes.axhline(uniform, color=COLOURS["count"], linestyle=":", label="uniform guess")
    contexts = range(len(train))
    axes.plot(contexts, validation, "o-", color=COLOURS["validation"], label="validation text")
    axes.plot(contexts, train, "s--", color=COLOURS["train"], label="training text")
    for context, loss in zip(contexts, validation, strict=True):
        axes.annotate(f"{loss:.3f}", (context, loss), xytext=(6, 6), textcoords="offset points")
    axes.set_xticks(contexts)
    axes.set_ylim(0.8, 4.4)
    axes.set_xlabel("characters of context")
    axes.set_ylabel(LOSS)
    axes.legend()
    return figure


@plot
def descent(gaps: Mapping[str, Tensor]) -> Figure:
    """How far gradient descent still is from the floor, step by step.

    gaps: for each name (steps,), nats above the minimum.
    """
    figure, axes = canvas()
    for (name, gap), line in zip(gaps.items(), ("-", "--", ":"), strict=False):
        axes.loglog(range(1, len(gap) + 1), gap.numpy(), line, color=COLOURS["train"], label=name)
    axes.set_xlabel("gradient steps")
    axes.set_ylabel("nats above the floor")
    axes.legend()
    return figure


@plot
def known_words(tables: Sequence[Band], model: Band, real: float) -> Figure:
    """Share of a sample's words that occur in the training text, for each table and for a model."""
    figure, axes = canvas(3.3)
    axes.axhline(real, color=COLOURS["count"], linestyle="--", label="real text (validation)")
    bars = {"capsize": 3, "ecolor": COLOURS["ink"]}
    axes.bar(
        range(len(tables)),
        [band.mean for band in tables],
        yerr=[band.sd for band in tables],
        color=COLOURS["count"],
        alpha=0.5,
        **bars,
    )
    axes.bar(
        [len(tables)], [model.mean], yerr=[model.sd], color=COLOURS["model"], alpha=0.9, **bars
    )
    axes.set_xticks(
        range(len(tables) + 1), [str(context) for context in range(len(tables))] + ["bigram\nmodel"]
    )
    axes.set_ylim(0, 1.15)
    axes.set_xlabel("characters of context in the count table")
    axes.set_ylabel("share of known words")
    axes.legend(loc="upper left")
    return figure


@plot
def plays(starts: Mapping[str, int], end: int, n_train: int) -> Figure:
    """Each play as a bar from its first character to its last, cut where the validation begins.

    starts: each play's first character, in order; end: characters in the text; n_train: of the
    training part.
    """
    figure, axes = canvas(3.2)
    ends = [*list(starts.values())[1:], end]
    for row, (start, stop) in enumerate(zip(starts.values(), ends, strict=True)):
        for role, low, high in (("train", 0, n_train), ("validation", n_train, end)):
            left, right = max(start, low), min(stop, high)
            if left < right:
                axes.barh(row, right - left, left=left, color=COLOURS[role], height=0.7)
    for role, label in (("train", "training text"), ("validation", "validation text")):
        axes.barh([0], [0], color=COLOURS[role], label=label)
    axes.axvline(n_train, color=COLOURS["muted"], linestyle="--", linewidth=1)
    axes.set_yticks(range(len(starts)), list(starts))
    axes.invert_yaxis()
    across(axes)
    ticks = range(0, end, 400_000 if is_narrow() else 200_000)
    axes.set_xticks(ticks, [f"{tick // 1_000:,}" for tick in ticks])
    axes.set_xlabel("thousands of characters from the start")
    axes.legend(loc="lower left")
    return figure


@plot
def losses_by_kind(losses: Mapping[str, Sequence[float]]) -> Figure:
    """Loss against characters of context, a line for each kind of character.

    losses: for each kind one loss for each length of context, from 0.
    """
    figure, axes = canvas(3.6)
    looks = ((COLOURS["target"], "s-"), (COLOURS["count"], "o--"), (COLOURS["model"], "^-"))
    for (name, values), (colour, line) in zip(losses.items(), looks, strict=True):
        axes.plot(range(len(values)), values, line, color=colour, label=name)
    axes.set_ylim(0, None)
    axes.set_xticks(range(max(map(len, losses.values()))))
    axes.set_xlabel("characters of context in the count table")
    axes.set_ylabel(LOSS)
    axes.legend(loc="lower left")
    return figure
