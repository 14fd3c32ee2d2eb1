"""The full model: its run, its context, its names, its texts."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from bardgpt.records.band import Band
from bardgpt.teaching.figures.names import KEYED
from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import FONT, LOSS, across, canvas, levels, panels
from bardgpt.teaching.palette import COLOURS


@plot
def full_run(lines: Sequence[Mapping[str, Any]], steps: int, beside: Mapping[str, float]) -> Figure:
    """The losses of a run of the full model so far, with other losses as lines across.

    lines: of the run's metrics; steps: of the whole run; beside: losses by name.
    """
    figure, axes = canvas(3.8)
    for name, line, mark in (("train", ":", ""), ("validation", "-", "o")):
        read = [(entry["step"], entry[name]) for entry in lines if name in entry]
        places = [*zip(*read, strict=True)] or [(), ()]
        label = {"train": "training batches (with dropout)", "validation": "validation text"}[name]
        axes.plot(*places, line, marker=mark, ms=4, color=COLOURS[name], label=label)
    levels(axes, {f"{name} {round(loss, 3):g}": loss for name, loss in beside.items()})
    axes.set_xlim(0, 1.015 * steps)  # the last mark is whole
    axes.set_ylim(1.0, 2.6)
    axes.set_xlabel("steps")
    axes.set_ylabel(LOSS)
    axes.legend()
    return figure


@plot
def orthogonalized(before: Sequence[float], after: Sequence[float]) -> Figure:
    """Singular values of a gradient, and of the step that Muon makes of it.

    Both from the largest to the smallest, and as they enter and leave Muon's rounds.
    """
    figure, axes = canvas(3.4)
    places = range(1, len(before) + 1)
    axes.plot(places, before, "s--", ms=3, color=COLOURS["count"], label="the gradient")
    axes.plot(places, after, "o-", ms=4, color=COLOURS["model"], label="after five rounds")
    axes.set_yscale("log")
    axes.set_xlabel("direction, from the largest to the smallest")
    axes.set_ylabel("singular value")
    axes.legend()
    return figure


@plot
def loss_by_position(losses: Sequence[float], tables: Sequence[float]) -> Figure:
    """What context is worth: the loss against the number of characters seen.

    losses: by position, of the full model; tables: with 0, 1, 2, … characters before.
    """
    figure, axes = canvas(3.8)
    seen = range(1, len(losses) + 1)
    axes.plot(seen, losses, ".", ms=3, color=COLOURS["model"], alpha=0.35)
    middles, means = [], []
    for start, end in octaves(len(losses)):
        middles.append((start * (end - 1)) ** 0.5)
        means.append(sum(losses[start - 1 : end - 1]) / (end - start))
    axes.plot(middles, means, "o-", ms=5, color=COLOURS["model"], label="the full model")
    axes.plot(
        range(1, len(tables)), tables[1:], "x--", color=COLOURS["count"], label="count tables"
    )
    axes.axvline(8, color=COLOURS["muted"], linestyle=":", linewidth=1)
    axes.annotate("the ladder's 8", (8, 2.5), xytext=(4, 0), textcoords="offset points")
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("characters that the prediction could see")
    axes.set_ylabel("validation " + LOSS)
    axes.legend()
    return figure


def octaves(length: int) -> list[tuple[int, int]]:
    """1, 2 to 3, 4 to 7, … as far as a length goes: first, and one more than the last.

    A rest shorter than the octave before belongs to it.
    """
    starts = [2**i for i in range(length.bit_length())]
    if len(starts) > 1 and length + 1 - starts[-1] < starts[-2]:
        starts.pop()
    return list(zip(starts, [*starts[1:], length + 1], strict=True))


@plot
def name_losses(by_letter: Mapping[str, Sequence[float | None]], rest: float) -> Figure:
    """Mean loss at each letter of speakers' names, by what is known of the name.

    by_letter: of "known, first", "known, again", "new, first" and "new, again"; rest: the mean
    loss of all other text.
    """
    figure, axes = canvas(4.2, narrow=3.6)
    looks = {
        "new, first": ("s-", COLOURS["key"], "new, not yet in the window"),
        "new, again": ("s--", COLOURS["key"], "new, stands in the window"),
        "known, first": ("o-", COLOURS["model"], "known, not yet in the window"),
        "known, again": ("o--", COLOURS["model"], "known, stands in the window"),
    }
    of_each = {  # a letter that no such name has is left out
        kind: [float("nan") if loss is None else loss for loss in losses]
        for kind, losses in by_letter.items()
    }
    for kind, (line, colour, name) in looks.items():
        letters = range(1, len(by_letter[kind]) + 1)
        axes.plot(letters, of_each[kind], line, color=colour, label=name, gid=KEYED)
    axes.axhline(rest, color=COLOURS["count"], linestyle=":", label="all other text")
    axes.set_xlabel("letter of the speaker's name")
    axes.set_ylabel(LOSS)
    figure.legend(loc="outside lower center", ncols=2, handlelength=3.4)  # dashes are seen
    return figure


FORM = {
    "speaker lines": "speakers' share of lines",
    "characters per spoken line": "characters per spoken line",
    "known words": "share of known words",
    "longest copy": "longest copy (characters)",
}


@plot
def forms(samples: Mapping[str, Mapping[str, Band]]) -> Figure:
    """How much samples look like plays, by model, beside real text: mean and spread.

    samples: for each name to show, the last being real text, the numbers of `likeness.form`.
    """
    figure, plots = panels(2, 2, 6.4, narrow=11.6, sharey=True)
    *models, real = samples
    for axes, (quantity, title) in zip(plots, FORM.items(), strict=True):
        aim = samples[real][quantity]
        axes.axvspan(aim.mean - aim.sd, aim.mean + aim.sd, color=COLOURS["line"], alpha=0.6)
        axes.axvline(aim.mean, color=COLOURS["ink"], linewidth=1)
        for role in ("count", "model"):
            places = [i for i, name in enumerate(models) if ("counts" in name) == (role == "count")]
            bands = [samples[models[place]][quantity] for place in places]
            means, sds = [band.mean for band in bands], [band.sd for band in bands]
            axes.errorbar(means, places, xerr=sds, fmt="o", color=COLOURS[role], capsize=3)
        axes.set_xlim(left=0)
        axes.set_xlabel(title)
        axes.set_yticks(range(len(models)), models)
        axes.set_ylim(len(models) - 0.5, -0.5)
        across(axes)
    figure.suptitle(f"line and grey band: {real}", fontsize=FONT - 1, color=COLOURS["muted"])
    return figure
