"""Losses of recorded runs."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from bardgpt import records
from bardgpt.lab.ladder import FULL, LECTURE_FULL, NANOGPT, RUNGS
from bardgpt.records.record import Record
from bardgpt.teaching.figures.style import LOSS, STYLE, canvas
from bardgpt.teaching.palette import COLOURS


@plt.rc_context(STYLE)
def training_runs(
    record: Record, levels: Mapping[str, float], *, zoom: tuple[float, float]
) -> Figure:
    """A record's validation loss over its steps, a line for each seed, with levels beside it."""
    figure, axes = canvas()
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
def runs_compared(
    runs: Mapping[str, Record], levels: Mapping[str, float], *, zoom: tuple[float, float]
) -> Figure:
    """Validation loss over the steps of several records, every seed a line, with levels beside it.

    runs, levels: by the name to show.
    """
    figure, axes = canvas(figsize=(6.4, 4.0))
    looks = ((COLOURS["muted"], ":"), (COLOURS["target"], "--"), (COLOURS["model"], "-"))
    for (name, record), (colour, line) in zip(runs.items(), looks, strict=False):
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
def ladder(last: str) -> Figure:
    """Validation loss of each rung up to `last`, every seed a dot, with the tables and the lecture.

    last: of `RUNGS`, or "full": all of them and the recorded run of the full model.
    """
    whole = last == FULL
    names = list(RUNGS) if whole else list(RUNGS)[: list(RUNGS).index(last) + 1]
    figure, axes = canvas(figsize=(5.6, 2.2 + 0.42 * (len(names) + 2 * whole)))
    tables = {t["context"]: t["validation"] for t in records.tables()}
    for context in (1, 2, 4):
        axes.axvline(tables[context], color=COLOURS["count"], linestyle="--", linewidth=1)
        axes.annotate(
            f"counts,\n{context} before\n{tables[context]:.3f}",
            (tables[context], 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 4),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            color=COLOURS["count"],
        )
    for place, name in enumerate(names):
        losses = [history.validation[-1] for history in records.load(name).histories]
        reported = RUNGS[name].lecture
        if reported is not None:
            label = None if place else "lecture reports"
            axes.plot(
                reported, place, "x", color=COLOURS["ink"], ms=8, mew=1.6, zorder=2, label=label
            )
        label = None if place else f"{len(losses)} seeds"
        axes.plot(
            losses, [place] * len(losses), "o", color=COLOURS["model"], alpha=0.6, label=label
        )
    titles = [RUNGS[name].title for name in names]
    if whole:
        titles.append("the full model")
        ink, run = {"color": COLOURS["ink"], "mew": 1.6}, records.full().validation
        for place, loss, look in (  # one above the other: side by side they hide each other
            (len(names) - 0.05, LECTURE_FULL, {"marker": "x", "ms": 8} | ink),
            (len(names) + 0.4, run, {"marker": "D", "ms": 7, "color": COLOURS["model"]}),
            (len(names) + 0.85, NANOGPT, {"marker": "+", "ms": 10} | ink),
        ):
            name = {"D": "the recorded run", "+": "nanoGPT"}.get(look["marker"])
            axes.plot(loss, place, linestyle="", label=name, **look)
            axes.annotate(
                f"{loss:.5g}",
                (loss, place),
                xytext=(-8, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=9,
            )
    places = [*range(len(names)), *([len(names) + 0.4] if whole else [])]
    axes.set_yticks(places, titles)
    axes.set_ylim(places[-1] + (0.9 if whole else 0.5), -0.5)
    axes.set_xlim(1.2 if whole else 1.6, 2.6)
    axes.set_xlabel("validation " + LOSS)
    figure.legend(fontsize=9, loc="outside lower center", ncols=2)
    return figure
