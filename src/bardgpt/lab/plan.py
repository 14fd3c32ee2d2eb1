"""How this machine trains the full model: the whole run on a GPU, its beginning without one.

What to do is decided by pure functions from a machine's facts, so that tests can drive the way of
a GPU where there is none.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from bardgpt.batches import require_window
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.lab.clock import timed
from bardgpt.presets import PRESETS, Preset
from bardgpt.progress import progress_bar
from bardgpt.shakespeare import shakespeare
from bardgpt.training import devices
from bardgpt.training.devices import DeviceName, Facts, Precision
from bardgpt.training.trainer import Trainer

# A processor shows the beginning: so few steps with so few windows, after so short a warm-up.
SHORT = {"steps": 12, "batch_size": 4, "warmup": 4}
SHORT_JUDGED = 4_097  # characters of the validation text that the short run is judged on
TIMED_STEPS = 20
DRIVE = Path("/content/drive/MyDrive")  # where Colab shows Google Drive, once it is mounted


@dataclass(frozen=True)
class Plan:
    """How this machine trains the full model.

    Attributes:
        name: of the preset.
        preset: model and training as they will be run.
        device: where.
        precision: of the matrix products.
        whole: whether it is the whole run, or only its beginning.
        message: what to tell the reader.
    """

    name: str
    preset: Preset
    device: DeviceName
    precision: Precision
    whole: bool
    message: str


def plan(machine: Facts, name: str = "sprint") -> Plan:
    """What this machine should do: the whole run on a GPU, a few steps without one.

    Args:
        machine: its facts.
        name: of the preset.

    Raises:
        KeyError: if there is no such preset.
    """
    preset = PRESETS[name]
    device = devices.choose_device(machine)
    precision = devices.choose_precision(machine, device)
    if device == "cpu":
        beginning = replace(preset, training=replace(preset.training, **SHORT))
        message = (
            f"No GPU here. You will train the same model for {SHORT['steps']} steps with "
            f"{SHORT['batch_size']} windows\neach; the whole run is read from its record."
        )
        return Plan(name, beginning, device, precision, False, message)
    gpu = machine.gpu or "Apple GPU"
    return Plan(name, preset, device, precision, True, f"{gpu}: {_whole(name, preset, precision)}")


def _whole(name: str, preset: Preset, precision: str) -> str:
    steps, B = preset.training.steps, preset.training.batch_size
    return f"the whole run {name!r}, {steps:,} steps with {B} windows each, in {precision}."


def with_batch(before: Plan, batch_size: int) -> Plan:
    """The same plan with fewer windows in a step, for a GPU with less memory.

    Raises:
        ConfigError: if it is less than one.
    """
    preset = replace(before.preset, training=replace(before.preset.training, batch_size=batch_size))
    message = f"On {before.device}: {_whole(before.name, preset, before.precision)}"
    return replace(before, preset=preset, message=message)


def time_steps(current: Plan, steps: int = TIMED_STEPS, warm: int = 3) -> float:
    """Seconds of a step of the whole run, over some steps after a few that do not count.

    The model is a throw-away one: the run starts from its own first step. Without a GPU it is one
    step after one. It has all windows of the whole run, for the optimizer's own work is the same
    with few: reckoned from the planned beginning, it would count several times.

    Raises:
        OutOfMemoryError: if a step does not fit.
    """
    if not current.whole:
        current, steps, warm = replace(current, preset=PRESETS[current.name]), 1, 1
    with memory_explained(current):
        trainer = _trainer(current)

        def work(n: int) -> None:
            for _ in range(n):
                trainer.advance()

        work(warm)
        return timed(lambda: work(steps), current.device) / steps


def whole_run_seconds(seconds: float, current: Plan) -> float:
    """About how long the whole run takes, evaluations included.

    Args:
        seconds: of a step of the whole run (`time_steps`).
        current: the plan; if it is only a beginning, the whole preset's steps are reckoned.
    """
    preset = current.preset if current.whole else PRESETS[current.name]
    training = preset.training
    characters = training.batch_size * preset.model.block_size  # of a step
    evaluations = math.ceil(training.steps / training.evaluate_every) + 1
    # A forward pass is about a third of a step, which goes backward too.
    validation_characters = evaluations * len(shakespeare().validation)
    return seconds * (training.steps + validation_characters / 3 / characters)


def run_folder(current: Plan, drive: str | os.PathLike[str] = DRIVE) -> Path:
    """Where a run is kept: on Google Drive if that is mounted, else in `runs`, where we are.

    A plan with another number of windows is another run, and has a folder of its own.
    """
    B = current.preset.training.batch_size
    another = "" if B == PRESETS[current.name].training.batch_size else f"-{B}-windows"
    base = Path(drive) / "bardgpt" if Path(drive).is_dir() else Path("runs")
    return base / f"{current.name}{another}"


@dataclass(frozen=True)
class Finished:
    """What a planned run gave.

    Attributes:
        model: with the weights after the last step.
        validation: before the first step and after the last, in nats per character.
    """

    model: GPT
    validation: tuple[float, float]


def short_run(current: Plan) -> Finished:
    """A few steps of the full model, judged on the first characters of the validation text."""
    trainer = _trainer(current)
    validation_ids = shakespeare().validation[:SHORT_JUDGED].to(current.device)
    require_window(validation_ids, trainer.model.config.block_size)
    before = evaluate(trainer.model, validation_ids, progress=True)
    for _ in progress_bar(range(current.preset.training.steps), unit="step"):
        trainer.advance()
    trainer.read_losses()  # which also asks whether all is finite
    after = evaluate(trainer.model, validation_ids, progress=True)
    return Finished(trainer.model, (before, after))


def _trainer(current: Plan) -> Trainer:
    torch.manual_seed(current.preset.training.seed)
    model = GPT(current.preset.model).to(current.device)
    model.train()
    text = shakespeare()
    return Trainer(model, text.train, current.preset.training, precision=current.precision)


class OutOfMemoryError(RuntimeError):
    """A device whose memory is too small for a step; says what to do."""


@contextmanager
def memory_explained(current: Plan) -> Iterator[None]:
    """Turn a device's complaint about its memory into one that says what to do.

    Raises:
        OutOfMemoryError: in place of the device's own error.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryError(out_of_memory(current.preset)) from None


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device ran out of memory; each kind says it in its own way."""
    said = str(error).lower()
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(
        words in said for words in ("out of memory", "can't allocate memory", "not enough memory")
    )


def out_of_memory(preset: Preset) -> str:
    """What to do when a step does not fit."""
    B, T = preset.training.batch_size, preset.model.block_size
    fact = f"The memory is too small for {B} windows of {T} characters in a step."
    if B == 1:
        return f"{fact} One is the fewest: close what else uses this device, or take another."
    return (
        f"{fact}\nClose other notebooks that use this device. If that is not enough, take fewer:\n"
        f"    plan = scaling.with_batch(plan, {B // 2})\n"
        "and run the cells from here again. The result will differ from the record's."
    )
