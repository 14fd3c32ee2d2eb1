"""How the text was put together, and what its parts cost a table of counts."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from bardgpt.teaching.figures.style import LOSS, STYLE, canvas
from bardgpt.teaching.palette import COLOURS


@plt.rc_context(STYLE)
def plays(starts: Mapping[str, int], end: int, n_train: int) -> Figure:
    """Each play as a bar from its first character to its last, cut where the validation begins.

    starts: each play's first character, in order; end: characters in the text; n_train: of the
    training part.
    """
    figure, axes = canvas(figsize=(6.4, 3.4))
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
    axes.grid(visible=False, axis="y")
    ticks = range(0, end, 200_000)
    axes.set_xticks(ticks, [f"{tick // 1_000:,}" for tick in ticks])
    axes.set_xlabel("thousands of characters from the start")
    axes.legend(loc="lower left", fontsize=9)
    return figure


@plt.rc_context(STYLE)
def losses_by_kind(losses: Mapping[str, Sequence[float]]) -> Figure:
    """Loss against characters of context, a line for each kind of character.

    losses: for each kind one loss for each length of context, from 0.
    """
    figure, axes = canvas(figsize=(6.4, 3.6))
    looks = ((COLOURS["target"], "s-"), (COLOURS["count"], "o--"), (COLOURS["model"], "^-"))
    for (name, values), (colour, line) in zip(losses.items(), looks, strict=True):
        axes.plot(range(len(values)), values, line, color=colour, label=name)
    axes.set_ylim(0, None)
    axes.set_xticks(range(max(map(len, losses.values()))))
    axes.set_xlabel("characters of context in the count table")
    axes.set_ylabel(LOSS)
    axes.legend(loc="lower left", fontsize=9)
    return figure
