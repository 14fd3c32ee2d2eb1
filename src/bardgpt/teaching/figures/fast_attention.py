"""How fast a training step is, case by case."""

from collections.abc import Mapping

from matplotlib.figure import Figure

from bardgpt.records.speeds import Spread
from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import across, canvas, in_lines
from bardgpt.teaching.palette import COLOURS

MARKS = {"float32": "s", "bfloat16": "o"}


@plot
def step_speeds(times: Mapping[str, Spread], precisions: Mapping[str, str], than: str) -> Figure:
    """How many times faster than one case each of some is: median and range over the turns.

    Squares are float32, circles bfloat16; hollow with dropout.

    times: by case; precisions: by case; than: the one that they are compared with.
    """
    figure, axes = canvas(0.55 * len(times) + 0.7)
    axes.axvline(1, color=COLOURS["muted"], linestyle=":", linewidth=1.2)
    for place, (case, spread) in enumerate(times.items()):
        colour = COLOURS[precisions[case]]
        axes.errorbar(
            spread.median,
            place,
            xerr=[[spread.median - spread.least], [spread.most - spread.median]],
            fmt=MARKS[precisions[case]],
            color=colour,
            markerfacecolor=COLOURS["paper"] if "dropout" in case else colour,
            markersize=7,
            capsize=3,
        )
    axes.set_yticks(range(len(times)), in_lines(times, 22, wide=24))
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    across(axes)
    axes.set_xlabel(f"times as fast as the {than}")
    return figure
