"""The trainer: what can be set, what was recorded, and the still picture."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bardgpt import records
from bardgpt.config import GPTConfig
from bardgpt.lab.ladder import LIVE_STEPS, RUNGS
from bardgpt.records import Record
from bardgpt.teaching.live.page import FONT, HEIGHT, Axes, data
from bardgpt.teaching.svg import picture

MOST_SEED = 2**32 - 1  # the page's random numbers start from 32 bits
WIDE, NARROW = (4, 640), (2, 320)  # controls in a row, and the still picture's width
BREAK = "break"
NOTHING = "nothing"
# By the control's name: what it is called, and its choices by name, or from where to where it goes.
CONTROLS: dict[str, dict[str, Any]] = {
    "wiring": {
        "label": "Wiring",
        "options": {
            "plain": "plain",
            "residual": "residual, no norm",
            "post-norm": "post-norm",
            "pre-norm": "pre-norm",
            "no-final-norm": "pre-norm, no final norm",
        },
    },
    "blocks": {"label": "Blocks", "range": [1, 8, 1]},
    "heads": {"label": "Heads", "options": {"1": "1", "2": "2", "4": "4", "8": "8"}},
    "feed-forward": {
        "label": "Feed-forward",
        "options": {
            "none": "none",
            "linear-1": "linear, 1 layer",
            "relu-1": "ReLU, 1 layer",
            "linear-2": "linear, 2 layers",
            "relu-2": "ReLU, 2 layers",
            "gelu-2": "GELU, 2 layers",
        },
    },
    "start": {
        "label": "Initialization",
        "options": {
            "default": "default",
            "normal": "normal (std 0.02)",
            "depth-scaled": "depth-scaled",
            "zero": "zero (branches at 0)",
            "xavier": "xavier",
        },
    },
    "rate": {
        "label": "Learning rate",
        "options": {
            rate: rate for rate in ("0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "1")
        },
    },
    "warm-up": {"label": "Warm-up, steps", "range": [0, 500, 50]},
    "dropout": {"label": "Dropout", "range": [0, 0.5, 0.1]},
    "seed": {"label": "Seed", "number": [0, MOST_SEED]},
    BREAK: {
        "label": "Break it",
        "options": {
            NOTHING: "nothing",
            "mask": "no mask",
            "scale": "no scale 1/√hs",
            "positions": "no positions",
            "shift": "targets not shifted",
            "queries": "softmax over the queries",
        },
    },
}
# What a run's curve does not show, and its text does: said when the run is over.
BREAKS = {
    "mask": (
        "The curve is a triumph and the text is nonsense: in training a position sees the very "
        "character that it must predict, and when the model writes there is none to see."
    ),
    "scale": (
        "Neither curve nor text shows it: with heads of 8 the scores are small enough without "
        "the scale, and it is wide heads that need it."
    ),
    "positions": (
        "The curve does not show it: in so short a run the loss is about that of the recorded "
        "runs, though nothing tells the model in which order the characters before it stand."
    ),
    "shift": (
        "The curve goes nearly to 0, for the task has become to repeat what is there, and so "
        "the text says one character again and again."
    ),
    "queries": (
        "The curve is too good to be true: a weight that is shared out over the queries tells "
        "of later positions, and when the model writes there are none."
    ),
}
USUAL = {
    "start": "default",
    "rate": "0.001",
    "warm-up": "0",
    "dropout": "0",
    "seed": "1",  # as the writer has it; the page's random numbers are not PyTorch's
    BREAK: NOTHING,
}
MORE = {"pre-norm-no-final-norm": "layer norm before the branch, no final norm"}
FEED_FORWARD = {"one-layer": "1", "two-layer": "2"}


def settings(config: GPTConfig) -> dict[str, str]:
    """A model as the controls have it.

    >>> settings(RUNGS["four-heads"].config)["feed-forward"]
    'none'
    """
    is_bare = config.block == "pre-norm" and not config.final_norm
    activation = "linear" if config.activation == "none" else config.activation
    layers = FEED_FORWARD.get(config.feed_forward)
    return {
        "wiring": "no-final-norm" if is_bare else config.block,
        "blocks": str(config.n_layer),
        "heads": str(config.n_head),
        "feed-forward": f"{activation}-{layers}" if layers else "none",
    }


def recorded(steps: int = LIVE_STEPS) -> dict[str, dict[str, Any]]:
    """What the recorded runs of each model had lost on the validation text, up to a step.

    Returns:
        By name: the title, the model as the controls have it, the steps, and the mean, the lowest
        and the highest loss at each.

    Raises:
        FileNotFoundError: if a record is not there.
    """
    titles = {name: rung.title for name, rung in RUNGS.items() if rung.config.n_layer} | MORE
    return {name: _band(records.load(name), title, steps) for name, title in titles.items()}


def _band(record: Record, title: str, steps: int) -> dict[str, Any]:
    at = [step for step in record.histories[0].step if step <= steps]
    losses = [[history.at(step) for history in record.histories] for step in at]
    return {
        "title": title,
        "settings": settings(record.model),
        "steps": at,
        "mean": [round(sum(each) / len(each), 4) for each in losses],
        "low": [round(min(each), 4) for each in losses],
        "high": [round(max(each), 4) for each in losses],
    }


@dataclass(frozen=True)
class Trainer:
    """A trainer, which a notebook or website shows as HTML.

    Attributes:
        rung: the recorded model that it begins with.
        vary: the controls that are shown; all others stay.
        begin: what controls begin with, where it is not the rung's.
        steps: of a run.
    """

    rung: str
    vary: tuple[str, ...]
    begin: Mapping[str, str]
    steps: int = LIVE_STEPS

    def html(self) -> str:
        """The element, with its still picture inside."""
        bands = recorded()
        begin = {**bands[self.rung]["settings"], **USUAL, **self.begin}
        rows = [-(-len(self.vary) // columns) for columns, _ in (WIDE, NARROW)]
        given = {"controls": CONTROLS, "breaks": BREAKS, "usual": USUAL, "recorded": bands}
        return (
            f'<bard-trainer vary="{" ".join(self.vary)}" steps="{self.steps}" '
            f'begin="{escape(json.dumps(begin, separators=(",", ":")))}" '
            f'style="--wide:{rows[0]};--narrow:{rows[1]}">\n'
            f'<div class="live-stage">\n{still(self.rung, bands[self.rung])}</div>\n'
            f"{data(given)}</bard-trainer>\n"
        )

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        return f"<Trainer: {self.rung}, {', '.join(self.vary)}>"


def still(name: str, band: dict[str, Any]) -> str:
    """The recorded runs as a picture, wide and narrow, and in words."""
    steps, title = band["steps"], f"Five recorded runs: {band['title']}"
    ends = f"{band['low'][-1]:.2f} to {band['high'][-1]:.2f}"
    said = f"Validation loss falls from {band['mean'][0]:.2f} to {ends} after {steps[-1]:,} steps."
    low = min(2, band["low"][-1] - 0.1)
    drawings = []
    for look, width in (("wide", WIDE[1]), ("narrow", NARROW[1])):
        axes = Axes(width, steps[-1], low)
        shapes = [
            *axes.frame((2, 2.5, 3, 3.5), (0, 500, 1000)),
            axes.area(steps, band["low"], band["high"]),
            axes.line(steps, band["mean"]),
            axes.dots(steps, band["mean"]),
        ]
        drawings.append(
            picture(
                f"trainer-{name}-{look}",
                title,
                said,
                (width, HEIGHT),
                shapes,
                look=f"bard-plot bard-{look}",
                font=FONT,
                sheet=look == "wide",
            )
        )
    both = "\n".join(drawings)
    return (
        f'<div class="trainer-plot bard-figure">\n{both}\n</div>\n'
        f'<p class="trainer-still"><b>{escape(title)}.</b> {said}</p>\n'
    )


def trainer(
    rung: str = "pre-norm",
    *,
    vary: Sequence[str] | None = None,
    begin: Mapping[str, object] | None = None,
    break_it: bool = False,
    steps: int = LIVE_STEPS,
) -> Trainer:
    """A small model to train in the page, beside the recorded runs of one that is like it.

    Args:
        rung: the model to begin with: a rung with blocks, or "pre-norm-no-final-norm".
        vary: controls that are shown, of `trainers.CONTROLS`, with "_" for "-" if you like; all if
            none are named. What is not shown stays as the rung has it.
        begin: what controls begin with, where it is not the rung's, such as {"rate": 0.01}.
        break_it: whether the model can also be broken on purpose. With all controls it always can.
        steps: of a run.

    Returns:
        An object that a cell shows.

    Raises:
        ValueError: if there is no such rung, control or choice; says which there are.
        FileNotFoundError: if a record is not there.
    """
    known = recorded()
    if rung not in known:
        raise ValueError(f"no recorded model {rung!r}; there are {', '.join(known)}")
    shown = [_control(name) for name in (CONTROLS if vary is None else vary)]
    if break_it and BREAK not in shown:
        shown.append(BREAK)
    chosen = {_control(name): f"{value}" for name, value in (begin or {}).items()}
    for name, value in chosen.items():
        _require_choice(name, value)
    return Trainer(rung, tuple(name for name in CONTROLS if name in shown), chosen, steps)


def _control(name: str) -> str:
    found = name.replace("_", "-")
    if found not in CONTROLS:
        raise ValueError(f"no control {name!r}; there are {', '.join(CONTROLS)}")
    return found


def _require_choice(name: str, value: str) -> None:
    spec = CONTROLS[name]
    if "options" in spec:
        if value not in spec["options"]:
            raise ValueError(f"no {name} {value!r}; there are {', '.join(spec['options'])}")
        return
    least, most, *_ = spec.get("range", spec.get("number"))
    if not least <= float(value) <= most:
        raise ValueError(f"no {name} {value!r}; from {least} to {most}")
