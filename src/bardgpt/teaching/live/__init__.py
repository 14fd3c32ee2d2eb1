"""What a reader can touch in a page of the website, and what stands there where nothing moves.

On the website a script puts life into an element (`book/_live`); in Jupyter, in Colab and on paper
its still picture stands.
"""

from collections.abc import Mapping, Sequence

from bardgpt.lab.ladder import LIVE_STEPS
from bardgpt.teaching.live.models import live_models
from bardgpt.teaching.live.still import Still, Writer, still_of
from bardgpt.teaching.live.sweeps import Sweep
from bardgpt.teaching.live.toys.frame import Toy
from bardgpt.teaching.live.toys.masks import toy_mask, toy_masks
from bardgpt.teaching.live.toys.norms import toy_norm_table
from bardgpt.teaching.live.toys.places import toy_norm_place
from bardgpt.teaching.live.toys.scores import toy_scores
from bardgpt.teaching.live.toys.stacks import toy_stack
from bardgpt.teaching.live.toys.temperatures import toy_temperature
from bardgpt.teaching.live.trainers import BREAK, CONTROLS, Trainer, recorded

__all__ = [
    "Still",
    "Sweep",
    "Toy",
    "Trainer",
    "Writer",
    "sweep",
    "toy_mask",
    "toy_masks",
    "toy_norm_place",
    "toy_norm_table",
    "toy_scores",
    "toy_stack",
    "toy_temperature",
    "trainer",
    "writer",
]


def writer(model: str, beside: str | None = None, prompt: str | None = None) -> Writer:
    """A text that goes on by a model of the book, or by two side by side.

    Args:
        model: "counts-0" to "counts-5", a rung's name, or "full".
        beside: likewise.
        prompt: what the reader finds there to begin with; what the models were recorded with if
            none is given. The still picture shows what they wrote then.

    Returns:
        An object that a cell shows.

    Raises:
        ValueError: if there is no such model; says which there are.
        FileNotFoundError: if a record is not there.
    """
    models = live_models()
    names = [model] if beside is None else [model, beside]
    for name in names:
        if name not in models:
            raise ValueError(f"no model {name!r}; there are {', '.join(models)}")
    if prompt is None:
        prompt = models["full"].prompt
    return Writer(prompt, tuple(still_of(name, models[name]) for name in names))


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


def sweep() -> Sweep:
    """The recorded runs of chapter 7 over wiring, blocks, initialization, rate and warm-up.

    Returns:
        An object that a cell shows.

    Raises:
        FileNotFoundError: if a record is not there.
    """
    return Sweep()
