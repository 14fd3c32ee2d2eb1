"""The text and its count tables."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from torch import Tensor

from bardgpt.teaching.figures.style import LOSS, STYLE, canvas, visible
from bardgpt.teaching.palette import COLOURS
from bardgpt.teaching.records import Band


@plt.rc_context(STYLE)
def frequencies(counts: Tensor, vocabulary: str) -> Figure:
    """How often each character occurs, commonest first, on a logarithmic axis.

    counts: (V,).
    """
    figure, axes = canvas(figsize=(6.4, 3.0))
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
    figure, axes = canvas(figsize=(6.4, 5.4))
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
    figure, axes = canvas()
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
    figure, axes = canvas()
    for (name, gap), line in zip(gaps.items(), ("-", "--", ":"), strict=False):
        axes.loglog(range(1, len(gap) + 1), gap.numpy(), line, color=COLOURS["train"], label=name)
    axes.set_xlabel("gradient steps")
    axes.set_ylabel("nats above the floor")
    axes.legend()
    return figure


@plt.rc_context(STYLE)
def known_words(tables: Sequence[Band], model: Band, real: float) -> Figure:
    """Share of a sample's words that occur in the training text, for each table and for a model."""
    figure, axes = canvas(figsize=(5.6, 3.3))
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
