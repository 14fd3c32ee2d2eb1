"""A training run in a folder: it shows its progress, survives being killed, and keeps a log.

config.json        what is trained on what; a run goes on only under the same
metrics.jsonl      a line for each reading: step, characters, rate, loss, seconds
last.safetensors   the whole state, from which a killed run goes on
best.safetensors   the weights with the lowest validation loss so far, to sample from
.lock              held while a process trains here
"""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from tqdm import tqdm

from bardgpt import corpus
from bardgpt.batches import require_window
from bardgpt.config import ConfigError, GPTConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.presets import Preset
from bardgpt.text import Text
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training import checkpoint, devices, distributed
from bardgpt.training.checkpoint import CheckpointError
from bardgpt.training.devices import DeviceName, Precision
from bardgpt.training.distributed import Share
from bardgpt.training.folder import BEST, CONFIG, LAST, METRICS, RunError, claimed, read_config
from bardgpt.training.log import Log
from bardgpt.training.loop import progress_bar
from bardgpt.training.optimizers import rate_factor
from bardgpt.training.trainer import DivergedError, Trainer

LOG_EVERY = 10  # steps between two readings of the training loss
LOG_FIRST = 2  # steps that are read one by one, so that somebody else can replay them
CHECKPOINT_SECONDS = 60.0  # between two writings of the state; so much a kill can cost


@dataclass
class Run:
    """A finished run: one training from one seed.

    Attributes:
        model: with the weights after the last step.
        tokenizer: of its text.
        metrics: the lines of `metrics.jsonl`.
    """

    model: GPT
    tokenizer: CharTokenizer
    metrics: list[dict[str, Any]]


def train_in_folder(
    folder: Path,
    preset: Preset,
    *,
    text: str | None = None,
    device: str | None = None,
    precision: str | None = None,
    compiled: bool = False,
    progress: bool = True,
    watch: Callable[[dict[str, Any]], None] | None = None,
    machine: devices.Facts | None = None,
) -> Run:
    """Train a model from its first step, or from where a run in this folder stopped.

    Args:
        folder: of the run; made if it is not there.
        preset: model and training.
        text: to train on, its first 90 %, and to validate on; Tiny Shakespeare if none is given.
        device: "cuda", "mps" or "cpu"; the best there is if none is given.
        precision: of matrix products; what suits the device if none is given.
        compiled: use `torch.compile`, where it pays.
        progress: show a bar with step, loss, characters a second and time left on stderr;
            TQDM_DISABLE=1 hides it too.
        watch: called with each line of metrics, say to draw a curve; when a run goes on, first with
            those that were there.
        machine: the facts to decide from; this machine's if none are given.

    Returns:
        The model after the last step, and what was measured on the way.

    Raises:
        RunError: if the folder holds another run, or another process trains there.
        CheckpointError: if its checkpoint is damaged, or another model's.
        ConfigError: if the model does not fit the text, or the batch the processes.
        WindowError: if the text is too short.
        DeviceError: if the machine lacks the device or precision.
        DivergedError: if a loss or weight stops being a number; says at which step and what is
            left.
        OSError: if a file cannot be written; the last checkpoint stays as it was.
    """
    machine = devices.facts() if machine is None else machine
    kind = devices.choose_device(machine, device)
    in_precision = devices.choose_precision(machine, kind, precision)
    characters = corpus.load() if text is None else text
    encoded = _encoded(characters, preset.model)
    share = distributed.share_from_environment()
    # Everything that can be wrong with the request shows before the folder is touched.
    with distributed.process_group(share, kind):
        trainer, validation_ids = _prepare(preset, encoded, kind, in_precision, share, compiled)
        with _by_first(share, claimed(folder, preset, encoded.tokenizer, characters)):
            log = _go_on(trainer, folder)
            if share.writes:
                log.write_to(folder / METRICS, watch)
            _train(trainer, validation_ids, log, folder, progress)
    return Run(trainer.model, encoded.tokenizer, log.lines)


def load_run(folder: Path, weights: Literal["best", "last"] = "best") -> tuple[GPT, CharTokenizer]:
    """The model of a run, in evaluation mode, and its tokenizer.

    Args:
        folder: of the run.
        weights: "best" by validation loss, or "last".

    Raises:
        RunError: if there is no run, or it has written no weights yet.
        CheckpointError: if they are damaged, or another model's.
    """
    if not (folder / CONFIG).is_file():
        raise RunError(f"{folder} holds no run: there is no {CONFIG} in it")
    preset, about = read_config(folder / CONFIG)
    kept = folder / {"best": BEST, "last": LAST}[weights]
    if not kept.is_file():
        raise RunError(f"{folder} has no {kept.name} yet: let it run until its first evaluation")
    tensors, _ = checkpoint.load(kept)
    model = GPT(preset.model)
    checkpoint.load_weights(model, tensors, kept)
    return model.eval(), CharTokenizer(about["vocabulary"])


# --- before the first step ------------------------------------------------------------------------


def _encoded(characters: str, model: GPTConfig) -> Text:
    text = Text.of(characters)
    if text.tokenizer.vocab_size != model.vocab_size:
        raise ConfigError(
            f"vocab_size={model.vocab_size}: the text has {text.tokenizer.vocab_size} different "
            "characters; set it to that"
        )
    return text


def _prepare(
    preset: Preset, text: Text, kind: DeviceName, precision: Precision, share: Share, compiled: bool
) -> tuple[Trainer, Tensor]:
    """A trainer at step 0 and the validation ids, both on this process's device."""
    where = distributed.local_device(kind)
    if kind == "cuda":
        torch.cuda.set_device(where)
    train_ids, validation_ids = text.train.to(where), text.validation.to(where)
    for part in (train_ids, validation_ids):
        require_window(part, preset.model.block_size)
    torch.manual_seed(preset.training.seed)
    model = GPT(preset.model).to(where)
    called: nn.Module = model
    if compiled:
        # Shape and strides of `random_windows`; others would be compiled for once more.
        B, T = preset.training.batch_size // share.world, preset.model.block_size
        example = train_ids.new_zeros(B, T + 1)[:, :-1]  # (B, T)
        called, message = devices.compiled_if_useful(model, kind, example, precision)
        if share.writes:
            tqdm.write(message)
    wrapped = distributed.synchronised(called, share)
    trainer = Trainer(
        model, train_ids, preset.training, precision=precision, share=share, wrapped=wrapped
    )
    return trainer, validation_ids


@contextlib.contextmanager
def _by_first(share: Share, claim: AbstractContextManager[None]) -> Iterator[None]:
    """While the `with` block lasts the first process holds a claim; if refused, all raise why."""
    with contextlib.ExitStack() as held:
        refusal = None
        if share.writes:
            try:
                held.enter_context(claim)
            except (RunError, OSError) as error:
                refusal = error
        distributed.raise_everywhere(refusal, share)
        yield


def _go_on(trainer: Trainer, folder: Path) -> Log:
    """Bring a trainer to where a run in this folder stopped, if one did; the log as it was there.

    Raises:
        RunError: if the processes would go on from different steps.
    """
    last, log = folder / LAST, Log()
    if last.is_file():
        tensors, values = checkpoint.load(last)
        if not {"trainer", "log"} <= values.keys():
            raise CheckpointError(
                f"{last} holds weights and no state to go on from: {checkpoint.REMEDY}"
            )
        trainer.restore(tensors, values["trainer"], last)
        log = Log(**values["log"])
    if not distributed.all_equal(trainer.step, trainer.share):
        raise RunError(
            f"{folder} is not the same for all processes: they would go on from different "
            "steps; name a folder that all of them see"
        )
    return log


# --- the steps ------------------------------------------------------------------------------------


def _train(
    trainer: Trainer, validation_ids: Tensor, log: Log, folder: Path, progress: bool
) -> None:
    """All steps that are left, under a bar; if they diverge, the error says what is left."""
    bar = progress_bar(
        shown=progress and trainer.share.writes,
        total=trainer.config.steps,
        initial=trainer.step,
        desc=f"{trainer.device}, {trainer.precision}",
        unit="step",
        mininterval=0.5,
    )
    with bar:
        try:
            _steps(trainer, validation_ids, log, folder, bar)
        except DivergedError as error:
            raise DivergedError(f"{error}; {_what_is_left(folder)}") from None


def _steps(
    trainer: Trainer, validation_ids: Tensor, log: Log, folder: Path, bar: "tqdm[Any]"
) -> None:
    """All steps that are left, and between them readings, evaluations and checkpoints."""
    config, saved = trainer.config, time.monotonic()
    while True:
        at_end = trainer.step == config.steps
        evaluating = at_end or trainer.step % config.evaluate_every == 0
        reading = evaluating or trainer.step % LOG_EVERY == 0 or trainer.step <= LOG_FIRST
        if reading and trainer.step > log.step:  # a run that goes on starts where it has read
            line = _line(trainer, validation_ids if evaluating else None)
            best = evaluating and line["validation"] < log.best
            log.add(line)
            bar.set_postfix_str(log.status())
            if best and trainer.share.writes:
                weights = trainer.model.state_dict(prefix=checkpoint.MODEL)
                checkpoint.save(folder / BEST, weights, line)
            waited = time.monotonic() - saved > CHECKPOINT_SECONDS
            if (evaluating or waited) and trainer.share.writes:
                tensors, values = trainer.state()
                checkpoint.save(folder / LAST, tensors, {"trainer": values, "log": log.state()})
                saved = time.monotonic()
        if at_end:
            return
        trainer.advance()
        bar.update()


def _line(trainer: Trainer, validation_ids: Tensor | None) -> dict[str, Any]:
    """What there is to say after a step."""
    step, config = trainer.step, trainer.config
    line: dict[str, Any] = {
        "step": step,
        "characters": step * config.batch_size * trainer.model.config.block_size,
        "rate": config.learning_rate * rate_factor(max(step - 1, 0), config),
    }
    if step:
        line["train"] = trainer.read_losses()
    if validation_ids is not None:
        with devices.autocast(trainer.device.type, trainer.precision):
            line["validation"] = evaluate(trainer.model, validation_ids)
        if not math.isfinite(line["validation"]):
            raise DivergedError(f"the validation loss was {line['validation']} after step {step}")
    return line


def _what_is_left(folder: Path) -> str:
    kept = folder / LAST
    left = "no state was kept"
    if kept.is_file():
        _, values = checkpoint.load(kept)
        left = f"the last good state, after step {values['trainer']['step']}, is in {kept}"
    return f"{left}. Start in another folder with a lower rate, a longer warm-up or clipping"
