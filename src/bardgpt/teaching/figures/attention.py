"""What attention heads look at."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from torch import Tensor

from bardgpt.records.band import Band
from bardgpt.teaching.figures.style import STYLE, canvas, panels, visible
from bardgpt.teaching.palette import COLOURS


@plt.rc_context(STYLE)
def keys_chosen(weights: Mapping[str, Tensor]) -> Figure:
    """The weights that one query gives its keys, a row of bars for each name.

    weights: for each name (keys,), summing to 1.
    """
    figure, axes = panels(1, len(weights), figsize=(6.4, 2.8), sharey=True)
    for axis, (name, weight), hatch in zip(axes, weights.items(), ("", "//"), strict=False):
        axis.bar(range(len(weight)), weight.numpy(), color=COLOURS["key"], alpha=0.7, hatch=hatch)
        axis.set_title(name, fontsize=11)
        axis.set_xticks(range(len(weight)))
        axis.set_xlabel("key")
        axis.grid(visible=False, axis="x")
    axes[0].set_ylim(0, 1)
    axes[0].set_ylabel("weight")
    return figure


@plt.rc_context(STYLE)
def maps(weights: Tensor, text: str, titles: Sequence[str] = ()) -> Figure:
    """The attention weights of each head over one window: rows look at columns.

    weights: (nh, T, T); text: the T characters; titles: in place of "head 1", "head 2", …
    """
    marks = [visible(c) for c in text]
    rows = -(-len(weights) // 2)  # two in a row, so that a phone can show them
    figure, axes = panels(rows, 2, figsize=(5.6, 2.8 * rows), sharex=True, sharey=True)
    for i, (axis, head) in enumerate(zip(axes, weights, strict=True)):
        picture = axis.imshow(head.numpy(), cmap="cividis", vmin=0, vmax=1)
        if titles:
            axis.set_title(titles[i], fontsize=11)
        else:
            axis.set_title(f"head {i + 1}", color=COLOURS[f"head {i % 4}"], fontsize=11)
        axis.set_xticks(range(len(marks)), marks, fontsize=10, family="monospace")
        axis.set_yticks(range(len(marks)), marks, fontsize=10, family="monospace")
        axis.grid(visible=False)
    for axis in axes[-2:]:
        axis.set_xlabel("looks at")
    for axis in axes[::2]:
        axis.set_ylabel("position")
    figure.colorbar(picture, ax=axes, label="weight", shrink=0.7)
    return figure


@plt.rc_context(STYLE)
def head_profiles(distances: Tensor, classes: Tensor, names: Sequence[str]) -> Figure:
    """Where each head looks from the last position, by distance and by class of character.

    distances: (nh, T), weight at distance 0, 1, …; classes: (nh, len(names)).
    """
    figure, (above, below) = panels(2, 1, figsize=(5.6, 5.2), sharey=True)
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


@plt.rc_context(STYLE)
def head_spreads(columns: Mapping[str, Mapping[str, Band]]) -> Figure:
    """How much heads differ, for each column (say, trained) and each way of looking."""
    figure, axes = canvas(figsize=(5.6, 3.3))
    kinds = list(next(iter(columns.values())))
    for i, (kind, hatch) in enumerate(zip(kinds, ("", "//"), strict=False)):
        bands = [column[kind] for column in columns.values()]
        axes.bar(
            [j + (i - 0.5) * 0.36 for j in range(len(columns))],
            [band.mean for band in bands],
            width=0.34,
            yerr=[band.sd for band in bands],
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
