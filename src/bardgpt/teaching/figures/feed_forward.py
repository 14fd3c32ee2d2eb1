"""What the feed-forward layer may see, what it gains, and what its units fire on."""

import itertools
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch import Tensor

from bardgpt.records.band import Band
from bardgpt.teaching.figures.style import LOSS, STYLE, canvas, panels, visible
from bardgpt.teaching.palette import COLOURS
from bardgpt.training.loop import History


@plt.rc_context(STYLE)
def jacobians(pictures: Mapping[str, Tensor], text: str) -> Figure:
    """How strongly each output position depends on each input position; an exact 0 stays empty.

    pictures: for each layer's name (T, T), rows outputs; text: the T characters.
    """
    marks = [visible(c) for c in text]
    figure, axes = panels(1, len(pictures), figsize=(5.6, 3.1), sharex=True, sharey=True)
    top = max(picture.max().item() for picture in pictures.values())
    for axis, (name, picture) in zip(axes, pictures.items(), strict=True):
        shown = axis.imshow(
            picture.where(picture != 0, float("nan")).numpy(), cmap="cividis", vmin=0, vmax=top
        )
        axis.set_title(name, fontsize=11)
        axis.set_xticks(range(len(marks)), marks, fontsize=10, family="monospace")
        axis.set_yticks(range(len(marks)), marks, fontsize=10, family="monospace")
        axis.grid(visible=False)
        axis.set_xlabel("input position")
    axes[0].set_ylabel("output position")
    figure.colorbar(shown, ax=axes, label="size of the derivatives\n(white: exactly 0)", shrink=0.7)
    return figure


@plt.rc_context(STYLE)
def seeds_compared(models: Mapping[str, Sequence[float]]) -> Figure:
    """Final validation loss of several models; equal seeds share a mark and a line.

    models: by the name to show, from top to bottom, the loss of each run.
    """
    figure, axes = canvas(figsize=(5.6, 1.6 + 0.6 * len(models)))
    losses, places = list(models.values()), range(len(models))
    for seed, mark in zip(zip(*losses, strict=True), itertools.cycle("os^Dv")):
        axes.plot(seed, places, linestyle=":", color=COLOURS["muted"], linewidth=1)
        axes.plot(seed, places, mark, color=COLOURS["model"], fillstyle="none", markersize=7)
    means = [sum(row) / len(row) for row in losses]
    axes.plot(
        means, places, "|", color=COLOURS["ink"], markersize=28, markeredgewidth=2, label="mean"
    )
    axes.set_yticks(places, list(models), fontsize=10)
    axes.set_ylim(len(losses) - 0.6, -0.4)
    axes.set_ylabel("after attention")
    axes.set_xlabel("validation " + LOSS)
    figure.legend(loc="outside upper right", fontsize=9, markerscale=0.5)
    return figure


@plt.rc_context(STYLE)
def leads(base: Sequence[History], models: Mapping[str, Sequence[History]]) -> Figure:
    """How far models lie below another one while they train, each run against that of its seed.

    base: its runs; models: by the name to show, theirs, a thin line each, and a thick one for the
        mean. What was evaluated before the first step is left out.
    """
    figure, axes = canvas(figsize=(5.6, 3.6))
    axes.axhline(0, color=COLOURS["count"], linestyle="--", linewidth=1)
    steps = base[0].step[1:]
    looks = (("muted", ":"), ("feed-forward", "-"), ("model", "-."))
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
    axes.legend(fontsize=9)
    return figure


@plt.rc_context(STYLE)
def unit_scores(scores: Mapping[str, Mapping[str, Band]]) -> Figure:
    """How well single units tell properties: a row for each property, a mark for each kind of unit.

    scores: for each kind of unit, by property, its AUC over the seeds; the first kind sorts. No bar
    is drawn beyond 1, where no score can be.
    """
    figure, axes = canvas(figsize=(5.6, 4.8))
    names = sorted(next(iter(scores.values())), key=lambda n: -next(iter(scores.values()))[n].mean)
    axes.axvline(0.5, color=COLOURS["count"], linestyle="--", linewidth=1)
    looks = (("model", "o"), ("target", "s"), ("muted", "x"))
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
    axes.set_yticks(range(len(names)), names, fontsize=9)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_ylabel("property of a position")
    axes.set_xlabel("AUC on the validation text\n(0.5: chance, 1: perfect)")
    figure.legend(loc="outside upper center", ncols=3, fontsize=9)
    return figure


@plt.rc_context(STYLE)
def firing(text: str, units: Mapping[str, Tensor]) -> Figure:
    """Where units fire in a text: the deeper a character's ground, the larger the unit is there.

    text: N characters; units: for each name (N,) activations, shown relative to their largest.
    """
    columns = 32  # a phone can still show them
    rows = -(-len(text) // columns)
    figure, axes = panels(len(units), 1, figsize=(5.6, len(units) * (0.5 + 0.26 * rows)))
    colour = to_rgb(COLOURS["feed-forward"])
    for axis, (name, unit) in zip(axes, units.items(), strict=True):
        strength = torch.zeros(rows * columns)
        strength[: len(text)] = unit / unit.max().clamp(min=1e-9)
        ground = torch.tensor(colour).expand(rows, columns, 3)
        axis.imshow(
            torch.cat([ground, 0.75 * strength.view(rows, columns, 1)], dim=-1).numpy(),
            aspect="auto",
        )
        for i, character in enumerate(text):
            place = (i % columns, i // columns)
            axis.text(*place, visible(character), ha="center", va="center", family="monospace")
        axis.set_title(name, fontsize=11, loc="left")
        axis.set_xticks([])
        axis.set_yticks([])
        axis.grid(visible=False)
        axis.set_ylabel("rows of text")
    axes[-1].set_xlabel("white: 0; deepest: the unit's largest here")
    return figure
