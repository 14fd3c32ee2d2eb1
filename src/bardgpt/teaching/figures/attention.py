"""What attention heads look at."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from torch import Tensor

from bardgpt.records.band import Band
from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import (
    between_characters,
    canvas,
    in_lines,
    is_narrow,
    named_once,
    panels,
    scale,
    visible,
)
from bardgpt.teaching.palette import COLOURS


@plot
def keys_chosen(weights: Mapping[str, Tensor]) -> Figure:
    """The weights that one query gives its keys, a row of bars for each name.

    The second half of the names, which the first is compared with, stands below it, on a phone
    beside it, and is hatched.

    weights: for each name (keys,), summing to 1.
    """
    half, names = len(weights) // 2, list(weights)
    rows, columns = (2, half) if half > 1 else (1, len(weights))
    if is_narrow():
        names = [name for pair in zip(names[:half], names[half:], strict=True) for name in pair]
    figure, axes = panels(rows, columns, 2.7 * rows, narrow_columns=2, sharey=True)
    for axis, name in zip(axes, names, strict=True):
        weight, hatch = weights[name], "//" if name in [*weights][half:] else ""
        style = {"facecolor": to_rgba(COLOURS["key"], 0.7), "edgecolor": COLOURS["key"]}
        axis.bar(range(len(weight)), weight.numpy(), hatch=hatch, linewidth=0, **style)
        axis.set_title(name)
        axis.set_xticks(range(len(weight)))
        axis.set_xlabel("key")
        axis.set_ylabel("weight")
    axes[0].set_ylim(0, 1)
    named_once(axes)
    return figure


@plot
def gradient_histogram(ratios: Mapping[str, Tensor]) -> Figure:
    """How much gradient arrives at each query, a histogram for each name.

    ratios: for each name (queries,), above 0, in units of a typical one.
    """
    figure, axes = canvas(3.1)
    edges = [10**decade for decade in torch.linspace(-5, 2, 57).tolist()]  # eight to a decade
    styles = {"scaled": ("key", "//"), "unscaled": ("query", "")}  # hatched as in `keys_chosen`
    for name, ratio in ratios.items():
        role, hatch = styles[name]
        axes.hist(
            ratio.double().clamp(edges[0], edges[-1]).numpy(),
            bins=edges,
            facecolor=to_rgba(COLOURS[role], 0.45),
            edgecolor=COLOURS[role],
            linewidth=0,
            hatch=hatch,
            label=name,
        )
    axes.set_xscale("log")
    axes.set_xlabel("gradient at a query (1: typical, with the scale)")
    axes.set_ylabel("queries")
    axes.legend()
    return figure


@plot
def maps(weights: Tensor, text: str, titles: Sequence[str] = ()) -> Figure:
    """The attention weights of each head over one window: rows look at columns.

    weights: (nh, T, T); text: the T characters; titles: in place of "head 1", "head 2", …
    """
    marks = [visible(c) for c in text]
    rows = -(-len(weights) // 2)
    figure, axes = panels(
        rows, 2, 3.1 * rows, narrow=1.3 * rows + 1.8, narrow_columns=2, sharex=True, sharey=True
    )
    for i, (axis, head) in enumerate(zip(axes, weights, strict=True)):
        picture = axis.imshow(head.numpy(), cmap="cividis", vmin=0, vmax=1)
        if titles:
            axis.set_title(titles[i])
        else:
            axis.set_title(f"head {i + 1}", color=COLOURS[f"head {i % 4}"])
        between_characters(axis, marks)
    named_once(axes)
    scale(figure, picture, axes, label="weight")
    return figure


@plot
def head_profiles(distances: Tensor, classes: Tensor, names: Sequence[str]) -> Figure:
    """Where each head looks from the last position, by distance and by class of character.

    distances: (nh, T), weight at distance 0, 1, …; classes: (nh, len(names)).
    """
    figure, (above, below) = panels(2, 1, 5.4, sharey=True)
    for i, (by_distance, by_class) in enumerate(zip(distances, classes, strict=True)):
        style = {
            "color": COLOURS[f"head {i % 4}"],
            "marker": "os^D"[i % 4],
            "label": f"head {i + 1}",
        }
        above.plot(range(len(by_distance)), by_distance.numpy(), **style)
        beside = [place + 0.12 * (i - 1.5) for place in range(len(names))]
        below.plot(beside, by_class.numpy(), linestyle="", markersize=8, **style)
    above.set_xlabel("characters back (0: itself)")
    above.legend(ncols=2)
    below.set_xticks(range(len(names)), names)
    below.set_xlabel("class of character")
    for axis in (above, below):
        axis.set_ylabel("mean attention weight")
    return figure


@plot
def head_spreads(columns: Mapping[str, Mapping[str, Band]]) -> Figure:
    """How much heads differ, for each column (say, trained) and each way of looking."""
    figure, axes = canvas(3.3)
    kinds = list(next(iter(columns.values())))
    for i, (kind, hatch) in enumerate(zip(kinds, ("", "//"), strict=False)):
        bands = [column[kind] for column in columns.values()]
        axes.bar(
            [j + (i - 0.5) * 0.36 for j in range(len(columns))],
            [band.mean for band in bands],
            width=0.34,
            yerr=[band.sd for band in bands],
            facecolor=to_rgba(COLOURS["model"], 0.4 if i else 0.85),
            edgecolor=COLOURS["model"],
            linewidth=0,
            hatch=hatch,
            ecolor=COLOURS["ink"],
            capsize=3,
            label=kind,
        )
    axes.set_xticks(range(len(columns)), in_lines(columns, 8))
    axes.set_ylabel("how much the heads differ\n(total variation, 0 to 1)")
    axes.legend()
    return figure
