"""Losses of runs: over their steps, and at the end, rung by rung."""

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import (
    LOSS,
    across,
    canvas,
    each_run,
    in_lines,
    is_narrow,
    levels,
)
from bardgpt.teaching.palette import COLOURS
from bardgpt.training.loop import History

LOOKS = (("count", ":"), ("target", "--"), ("model", "-"))  # the last model is the one in question
SHOWN = (1, 2, 4)  # characters before: the count tables beside the ladder


@plot
def training_runs(
    models: Mapping[str, Sequence[History]],
    beside: Mapping[str, float],
    *,
    zoom: tuple[float, float],
) -> Figure:
    """Validation loss over the steps, every run a line, with other losses as lines across.

    models: by the name to show, its runs; three at most. beside: losses by name. zoom: the least
    and the largest loss that is shown; the axis is logarithmic if they differ by ten times.
    """
    figure, axes = canvas(4.0 if len(models) > 1 else 3.5)
    for (name, runs), (role, look) in zip(models.items(), LOOKS[-len(models) :], strict=True):
        curves = ((run.step, run.validation) for run in runs)
        each_run(axes, curves, look, label=name, color=COLOURS[role], alpha=0.6, linewidth=1.3)
    levels(axes, beside)
    if zoom[1] >= 10 * zoom[0]:
        axes.set_yscale("log")
    axes.set_ylim(*zoom)
    axes.set_xlabel("steps")
    axes.set_ylabel("validation " + LOSS)
    axes.legend()
    return figure


@plot
def ladder(
    rungs: Mapping[str, tuple[Sequence[float], float | None]],
    tables: Sequence[float],
    full: Mapping[str, float] | None = None,
) -> Figure:
    """Final validation loss of each rung, every run a dot, beside count tables and the lecture.

    rungs: by title, the loss of each run, and what the lecture reports, if it does. tables: with
    0, 1, 2, … characters before. full: what is known of the full model, by name: the lecture's, the
    recorded run's, nanoGPT's.
    """
    extra = 1.0 if full else 0.0  # the full model's row is higher: its marks would hide each other
    figure, axes = canvas(
        2.0 + 0.38 * (len(rungs) + 2 * extra), narrow=1.5 + 0.42 * (len(rungs) + 2 * extra)
    )
    # On a phone the full model's row leaves the tables little room: the caption names them there.
    named = "{}\nbefore" if is_narrow() and full else "counts,\n{} before"
    for context in SHOWN:
        axes.axvline(tables[context], color=COLOURS["count"], linestyle="--", linewidth=1)
        axes.annotate(
            f"{named.format(context)}\n{tables[context]:.3f}",
            (tables[context], 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            color=COLOURS["count"],
        )
    for place, (losses, reported) in enumerate(rungs.values()):
        if reported is not None:
            label = None if place else "lecture reports"
            cross = {"ms": 8, "mew": 1.6, "zorder": 3}  # over the runs
            axes.plot(reported, place, "x", color=COLOURS["ink"], label=label, **cross)
        label = None if place else f"{len(losses)} seeds"
        places = [place] * len(losses)
        axes.plot(losses, places, "o", color=COLOURS["model"], alpha=0.6, label=label)
    titles, places = list(rungs), [float(place) for place in range(len(rungs))]
    if full:
        _full_model(axes, full, len(rungs))
        titles, places = [*titles, "the full model"], [*places, len(rungs) + 0.4]
    axes.set_yticks(places, in_lines(titles, 17))
    axes.set_ylim(places[-1] + 0.5 + 0.4 * extra, -0.5)
    axes.set_xlim((1.0 if is_narrow() else 1.2) if full else 1.6, 2.6)
    axes.set_xlabel("validation " + LOSS)
    across(axes)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _full_model(axes: Axes, losses: Mapping[str, float], row: int) -> None:
    """The last row: one mark above the other, each with its number."""
    ink = {"color": COLOURS["ink"], "mew": 1.6}
    looks = (
        (row - 0.05, {"marker": "x", "ms": 8, **ink}),  # whose name the rungs' crosses have
        (row + 0.4, {"marker": "D", "ms": 7, "color": COLOURS["model"]}),
        (row + 0.85, {"marker": "+", "ms": 10, **ink}),
    )
    for (name, loss), (place, look) in zip(losses.items(), looks, strict=True):
        label = None if look["marker"] == "x" else name
        axes.plot(loss, place, linestyle="", label=label, **look)
        axes.annotate(
            f"{loss:.5g}",
            (loss, place),
            xytext=(-8, 0),
            textcoords="offset points",
            ha="right",
            va="center",
        )
