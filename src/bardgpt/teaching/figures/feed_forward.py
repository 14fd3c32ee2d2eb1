"""What the feed-forward layer may see, what it gains, and what its units fire on."""

import itertools
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from bardgpt.records.band import Band
from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import (
    LOSS,
    across,
    as_picture,
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
from bardgpt.training.loop import History

DEEPEST = 0.46  # of a ground on which ink can be read in either theme


@plot
def jacobians(pictures: Mapping[str, Tensor], text: str) -> Figure:
    """How strongly each output position depends on each input position; an exact 0 stays empty.

    pictures: for each layer's name (T, T), rows outputs; text: the T characters.
    """
    marks = [visible(c) for c in text]
    figure, axes = panels(
        1, len(pictures), 3.6, narrow=3.5, narrow_columns=2, sharex=True, sharey=True
    )
    top = max(picture.max().item() for picture in pictures.values())
    for axis, (name, picture) in zip(axes, pictures.items(), strict=True):
        shown = axis.imshow(
            picture.where(picture != 0, float("nan")).numpy(), cmap="cividis", vmin=0, vmax=top
        )
        axis.set_title(name)
        between_characters(axis, marks, "input position", "output position")
    named_once(axes)
    scale(figure, shown, axes, label="size of the derivatives\n(empty: exactly 0)")
    return figure


@plot
def seeds_compared(models: Mapping[str, Sequence[float]]) -> Figure:
    """Final validation loss of several models; equal seeds share a mark and a line.

    models: by the name to show, from top to bottom, the loss of each run.
    """
    figure, axes = canvas(1.3 + 0.5 * len(models))
    losses, places = list(models.values()), range(len(models))
    for seed, mark in zip(zip(*losses, strict=True), itertools.cycle("os^Dv")):
        axes.plot(seed, places, linestyle=":", color=COLOURS["muted"], linewidth=1)
        axes.plot(seed, places, mark, color=COLOURS["model"], fillstyle="none", markersize=7)
    means = [sum(row) / len(row) for row in losses]
    axes.plot(
        means, places, "|", color=COLOURS["ink"], markersize=28, markeredgewidth=2, label="mean"
    )
    axes.set_yticks(places, in_lines(models, 16))
    axes.set_ylim(len(losses) - 0.6, -0.4)
    axes.set_ylabel("after attention")
    axes.set_xlabel("validation " + LOSS)
    across(axes)
    figure.legend(loc="outside upper right", markerscale=0.5)
    return figure


@plot
def leads(base: Sequence[History], models: Mapping[str, Sequence[History]]) -> Figure:
    """How far models lie below another one while they train, each run against that of its seed.

    base: its runs; models: by the name to show, theirs, a thin line each, and a thick one for the
        mean. What was evaluated before the first step is left out.
    """
    figure, axes = canvas(3.6)
    axes.axhline(0, color=COLOURS["count"], linestyle="--", linewidth=1)
    steps = base[0].step[1:]
    looks = (("target", ":"), ("feed-forward", "-"), ("model", "-."))
    for (name, runs), (role, look) in zip(models.items(), looks, strict=False):
        lines = [
            [before.at(step) - after.at(step) for step in steps]
            for before, after in zip(base, runs, strict=True)
        ]
        for lead in lines:
            axes.plot(steps, lead, look, color=COLOURS[role], alpha=0.6, linewidth=1)
        means = [sum(at) / len(at) for at in zip(*lines, strict=True)]
        axes.plot(steps, means, look, color=COLOURS[role], linewidth=3, label=name)
    axes.set_xlabel(f"steps (from the first evaluation, after {steps[0]})")
    axes.set_ylabel("lead over four heads alone\n(nats per character)")
    axes.legend()
    return figure


@plot
def unit_scores(scores: Mapping[str, Mapping[str, Band]]) -> Figure:
    """How well single units tell properties: a row for each property, a mark for each kind of unit.

    scores: for each kind of unit, by property, its AUC over the seeds; the first kind sorts. No bar
    is drawn beyond 1, where no score can be.
    """
    figure, axes = canvas(4.6, narrow=4.8)
    names = sorted(next(iter(scores.values())), key=lambda n: -next(iter(scores.values()))[n].mean)
    axes.axvline(0.5, color=COLOURS["count"], linestyle="--", linewidth=1)
    looks = (("model", "o"), ("target", "s"), ("count", "x"))
    for i, ((kind, by_name), (role, mark)) in enumerate(zip(scores.items(), looks, strict=False)):
        bands = [by_name[name] for name in names]
        axes.errorbar(
            [band.mean for band in bands],
            [place + 0.2 * (i - 1) for place in range(len(names))],
            xerr=[[band.sd for band in bands], [min(band.sd, 1 - band.mean) for band in bands]],
            fmt=mark,
            color=COLOURS[role],
            markersize=6,
            linewidth=1.2,
            capsize=2,
            label=kind,
        )
    axes.set_yticks(range(len(names)), in_lines(names, 16))
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_ylabel("property of a position")
    axes.set_xlabel("AUC on the validation text\n(0.5: chance, 1: perfect)")
    across(axes)
    figure.legend(loc="outside upper center", ncols=3)
    return figure


@plot
def firing(text: str, units: Mapping[str, Tensor]) -> Figure:
    """Where units fire in a text: the deeper a character's ground, the larger the unit is there.

    text: N characters; units: for each name (N,) activations, shown relative to their largest.
    """
    columns = 32 if is_narrow() else 48
    rows = -(-len(text) // columns)
    figure, axes = panels(len(units), 1, len(units) * (0.5 + 0.26 * rows))
    for axis, (name, unit) in zip(axes, units.items(), strict=True):
        strength = unit / unit.max().clamp(min=1e-9)
        for i, each in enumerate(strength.tolist()):
            corner = (i % columns - 0.5, i // columns - 0.5)
            style = {"color": COLOURS["feed-forward"], "alpha": DEEPEST * each, "linewidth": 0}
            if each > 0:
                axis.add_patch(Rectangle(corner, 1, 1, **style))
        axis.set_xlim(-0.5, columns - 0.5)
        axis.set_ylim(rows - 0.5, -0.5)
        for i, character in enumerate(text):
            place = (i % columns, i // columns)
            axis.text(*place, visible(character), ha="center", va="center", family="monospace")
        axis.set_title(name)
        axis.set_xticks([])
        axis.set_yticks([])
        as_picture(axis)
    axes[-1].set_xlabel("no colour: 0; strongest: the unit's largest here")
    return figure
