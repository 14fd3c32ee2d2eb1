"""How fast a training step is, case by case."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from bardgpt.records.speeds import Speeds
from bardgpt.teaching.figures.style import STYLE, canvas
from bardgpt.teaching.palette import COLOURS


@plt.rc_context(STYLE)
def step_speeds(found: Speeds, cases: Sequence[str], than: str) -> Figure:
    """How many times faster than one case each of some is: median and range over the turns.

    Squares are float32, circles bfloat16; hollow with dropout.
    """
    figure, axes = canvas(figsize=(6.4, 0.32 * len(cases) + 0.9))
    axes.axvline(1, color=COLOURS["muted"], linestyle=":", linewidth=1.2)
    for place, case in enumerate(cases):
        times, precision = found.times(case, than=than), found.precisions[case]
        colour = COLOURS[precision]
        axes.errorbar(
            times.median,
            place,
            xerr=[[times.median - times.least], [times.most - times.median]],
            fmt={"float32": "s", "bfloat16": "o"}[precision],
            color=colour,
            markerfacecolor=COLOURS["paper"] if "dropout" in case else colour,
            markersize=7,
            capsize=3,
        )
    axes.set_yticks(range(len(cases)), cases, fontsize=10)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"times as fast as the {than}", fontsize=10)
    return figure
