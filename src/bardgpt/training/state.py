"""What a run keeps of itself on the disk, and how it goes on from there."""

import contextlib
import os
from pathlib import Path
from typing import Any

from bardgpt.progress import say
from bardgpt.training import checkpoint, distributed
from bardgpt.training.checkpoint import CheckpointError
from bardgpt.training.folder import (
    BEST,
    CONFIG,
    LAST,
    TEXT,
    About,
    RunError,
    put_aside,
    read_metrics,
    require_bound,
    results,
)
from bardgpt.training.log import Log, is_line
from bardgpt.training.trainer import Trainer


def save_best(trainer: Trainer, folder: Path, about: About, line: dict[str, Any]) -> None:
    """Keep the weights, with the line of the log that says how good they are."""
    weights = trainer.model.state_dict(prefix=checkpoint.MODEL)
    checkpoint.save(folder / BEST, weights, line | {"of": about.bound()})


def save_last(trainer: Trainer, folder: Path, about: About, log: Log) -> None:
    """Keep all that the next step and the next reading depend on."""
    tensors, values = trainer.state()
    computed = f"{trainer.precision} on {trainer.device.type}"
    checkpoint.save(
        folder / LAST,
        tensors,
        {"trainer": values, "log": log.state(), "computed": computed, "of": about.bound()},
    )


def go_on(trainer: Trainer, folder: Path, about: About, from_best: bool) -> Log:
    """Bring a trainer to where a run in this folder stopped, if one did; the log as it was there.

    Raises:
        RunError: if there are results and no state to go on from, or the processes would go on from
            different steps.
    """
    last, log = folder / LAST, Log()
    if from_best:
        log = _from_best(trainer, folder, about)
    elif os.path.lexists(last):
        try:
            tensors, values = checkpoint.load(last)
            if not {"trainer", "log"} <= values.keys():
                raise CheckpointError(f"{last} holds weights and no state to go on from")
            require_bound(values, about, last)
            trainer.restore(tensors, values["trainer"], last)
            log = _log_of(values, last)
        except (CheckpointError, OSError) as error:
            raise RunError(f"{error}. {_choices(folder)}") from None
        _say_what_differs(trainer, values.get("computed"))
    elif results(folder, _step_of_best(folder)):
        raise RunError(f"{last} is missing. {_choices(folder)}")
    if trainer.step > trainer.config.steps:
        raise RunError(
            f"{folder} has made {trainer.step:,} steps, and {trainer.config.steps:,} are asked "
            "for: ask for as many at least, or name another folder"
        )
    if not distributed.all_equal(trainer.step, trainer.share):
        raise RunError(
            f"{folder} is not the same for all processes: they would go on from different "
            "steps; name a folder that all of them see"
        )
    return log


def _log_of(values: dict[str, Any], file: Path) -> Log:
    """The log in the values of a state.

    Raises:
        CheckpointError: if it is not one of ours.
    """
    lines = values["log"].get("lines") if isinstance(values["log"], dict) else None
    if not isinstance(lines, list) or not all(map(is_line, lines)):
        raise CheckpointError(f"{file} holds a log that this version cannot read")
    return Log(lines)


def _from_best(trainer: Trainer, folder: Path, about: About) -> Log:
    """Give a trainer the best weights of the folder; the log up to their step.

    The optimizer's averages begin anew, and windows and masks are others than they were. What the
    folder says of later steps is put aside.
    """
    best = folder / BEST
    tensors, line = checkpoint.load(best)
    require_bound(line, about, best)
    if not is_line(line):
        raise CheckpointError(f"{best} does not say of which step its weights are")
    lines = [x for x in read_metrics(folder) if x["step"] <= line["step"]]
    trainer.restore(tensors, {"step": line["step"], "scaler": {}}, best)
    if trainer.share.writes:
        place = put_aside(folder, keep=(CONFIG, TEXT))
        log = Log(lines or [{k: v for k, v in line.items() if k != "of"}])
        save_best(trainer, folder, about, line)
        save_last(trainer, folder, about, log)
        say(
            f"going on from the best weights, of step {line['step']:,}; what stood here is in "
            f"{place}"
        )
        return log
    return Log(lines)


def _choices(folder: Path) -> str:
    """What a user can do about a state that cannot be gone on from."""
    step = _step_of_best(folder)
    kept = results(folder, step)
    beside = f"Beside it there is {kept}. " if kept else ""
    from_best = "go on from the best weights with --from-best, " if step else ""
    return (
        f"{beside}Put a good copy in its place, {from_best}or begin anew with --restart, which "
        "puts these files aside"
    )


def _step_of_best(folder: Path) -> int | None:
    with contextlib.suppress(CheckpointError, OSError):
        line = checkpoint.load(folder / BEST)[1]
        return line["step"] if is_line(line) else None
    return None


def _say_what_differs(trainer: Trainer, before: str | None) -> None:
    now = f"{trainer.precision} on {trainer.device.type}"
    if before not in (None, now) and trainer.share.writes:
        say(
            f"so far this run was computed in {before}, and now in {now}: its losses will differ "
            "a little from those of a run in one go"
        )
