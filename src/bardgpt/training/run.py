"""A training run in a folder: it shows its progress, survives being killed, and keeps a log."""

import contextlib
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from bardgpt import corpus
from bardgpt.batches import WindowError, require_window
from bardgpt.config import ConfigError, GPTConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.presets import Preset
from bardgpt.progress import Bar, progress_bar, say, working
from bardgpt.text import Text
from bardgpt.text_file import TextFile
from bardgpt.threads import suited
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training import checkpoint, devices, distributed
from bardgpt.training.devices import DeviceName, Precision
from bardgpt.training.distributed import Share
from bardgpt.training.folder import (
    BEST,
    CONFIG,
    LAST,
    METRICS,
    About,
    RunError,
    claimed,
    facts_of,
    read_about,
    remember,
    require_bound,
    text_of,
)
from bardgpt.training.interrupt import Interrupted, postponed
from bardgpt.training.log import Log
from bardgpt.training.memory import require_memory, require_room
from bardgpt.training.optimizers import rate_factor
from bardgpt.training.state import go_on, save_best, save_last
from bardgpt.training.trainer import DivergedError, Trainer

Begin = Literal["go on", "go on from best", "restart"]
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
        precision: in which it was computed.
    """

    model: GPT
    tokenizer: CharTokenizer
    metrics: list[dict[str, Any]]
    precision: Precision


def train_in_folder(
    folder: Path | str,
    preset: Preset,
    *,
    text: str | TextFile | None = None,
    begin: Begin = "go on",
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
        text: if none is given, that of the run in the folder, or Tiny Shakespeare.
        begin: "restart" puts a run's files aside; from best, the optimizer's averages begin anew.
        device: "cuda", "mps" or "cpu"; the best there is if none is given.
        precision: of matrix products; what suits the device if none is given.
        compiled: use `torch.compile`, where it pays.
        progress: show on stderr how far it is; TQDM_DISABLE=1 hides it too.
        watch: called with each line of metrics; when a run goes on, first with those so far.
        machine: the facts to decide from; this machine's if none are given.

    Returns:
        The model after the last step, and what was measured on the way.

    Raises:
        RunError: if the folder is another run's or process's, or has results and no state.
        CheckpointError: if the best weights are to be gone on from, and are damaged.
        ConfigError: if the model does not fit the text, or the batch the processes.
        WindowError: if the text is too short.
        DeviceError: if the machine lacks the device or precision.
        Interrupted: after Ctrl-C, once the state is written.
        DivergedError: if a loss or weight stops being a number; says when and what is left.
        OSError: if a file cannot be written; the last checkpoint stays as it was.
    """
    machine = devices.facts() if machine is None else machine
    kind = devices.choose_device(machine, device)
    in_precision = devices.choose_precision(machine, kind, precision)
    folder, share = Path(folder), distributed.share_from_environment()
    progress = progress and share.writes
    with working("reading the text", shown=progress):
        characters, encoded, about = _read(folder, text, preset)
    # Everything that can be wrong with the request shows before the folder is touched.
    if begin == "go on from best":
        _require_best(folder, share)
    with distributed.process_group(share, kind):
        with working("setting up the model", shown=progress):
            trainer, validation_ids = _prepare(preset, encoded, kind, in_precision, share, compiled)
        with _by_first(share, claimed(folder, about, restart=begin == "restart")):
            log = go_on(trainer, folder, about, from_best=begin == "go on from best")
            if share.writes:
                remember(folder, about, characters)
                log.write_to(folder / METRICS, watch)
            _train(trainer, validation_ids, log, folder, about, progress)
    return Run(trainer.model, encoded.tokenizer, log.lines, in_precision)


def load_run(
    folder: Path | str, weights: Literal["best", "last"] = "best"
) -> tuple[GPT, CharTokenizer]:
    """The model of a run, in evaluation mode, and its tokenizer.

    Args:
        folder: of the run.
        weights: "best" by validation loss, or "last".

    Raises:
        RunError: if there is no run, or it has written no weights yet.
        CheckpointError: if they are damaged, or another model's.
        ConfigError: if this machine's memory cannot hold the model.
    """
    folder = Path(folder)
    about = read_about(folder)
    kept = folder / {"best": BEST, "last": LAST}[weights]
    if not os.path.lexists(kept):
        raise RunError(f"{folder} has no {kept.name} yet: let it run until its first evaluation")
    tensors, values = checkpoint.load(kept)
    require_bound(values, about, kept)
    require_room(about.preset.model)
    model = GPT(about.preset.model)
    checkpoint.load_weights(model, tensors, kept)
    return model.eval(), CharTokenizer(about.vocabulary)


# --- before the first step ------------------------------------------------------------------------


def _read(folder: Path, text: str | TextFile | None, preset: Preset) -> tuple[str, Text, About]:
    """The characters to learn from, the same encoded, and what the run will say of itself."""
    characters = _characters(folder, text)
    encoded = _encoded(characters, preset.model)
    facts = facts_of(characters, text.path if isinstance(text, TextFile) else None)
    return characters, encoded, About(preset, encoded.tokenizer.vocabulary, facts)


def _require_best(folder: Path, share: Share) -> None:
    """Let a run pass that can go on from its best weights."""
    if share.world > 1:
        raise RunError("going on from the best weights is for one process; start it with one")
    if not (folder / BEST).is_file():
        raise RunError(f"{folder} has no {BEST} to go on from; name another folder")


def _characters(folder: Path, text: str | TextFile | None) -> str:
    if isinstance(text, TextFile):
        return text.text
    if text is not None:
        return text
    return text_of(folder) if (folder / CONFIG).is_file() else corpus.load()


def _encoded(characters: str, model: GPTConfig) -> Text:
    text = Text.of(characters)
    if text.tokenizer.vocab_size != model.vocab_size:
        raise ConfigError(
            f"vocab_size={model.vocab_size}: the text has {text.tokenizer.vocab_size} different "
            "characters; set it to that"
        )
    return text


def _require_windows(text: Text, block_size: int) -> None:
    """Let a text pass whose parts hold a window each, or say it in numbers of the whole text."""
    try:
        for part in (text.train, text.validation):
            require_window(part, block_size)
    except WindowError:
        n, n_validation = len(text.train) + len(text.validation), len(text.validation)
        least = 10 * block_size + 1  # so that the last tenth holds a window and its last target
        smaller = f"take block_size {n_validation - 1} or less, or " if n_validation > 1 else ""
        raise WindowError(
            f"the text has {n:,} characters, and its last tenth, which judges the model, "
            f"{n_validation:,}; a window of {block_size:,} needs {block_size + 1:,}: {smaller}"
            f"take a text of {least:,} characters or more"
        ) from None


def _prepare(
    preset: Preset, text: Text, kind: DeviceName, precision: Precision, share: Share, compiled: bool
) -> tuple[Trainer, Tensor]:
    """A trainer at step 0 and the validation ids, both on this process's device."""
    where = distributed.local_device(kind)
    if kind == "cuda":
        torch.cuda.set_device(where)
    train_ids, validation_ids = text.train.to(where), text.validation.to(where)
    _require_windows(text, preset.model.block_size)
    require_memory(preset, kind, share.world)
    torch.manual_seed(preset.training.seed)
    model = GPT(preset.model).to(where)
    called: nn.Module = model
    if compiled:
        # Shape and strides of `random_windows`; others would be compiled for once more.
        B, T = preset.training.batch_size // share.world, preset.model.block_size
        example = train_ids.new_zeros(B, T + 1)[:, :-1]  # (B, T)
        called, message = devices.compiled_if_useful(model, kind, example, precision)
        if share.writes:
            say(message)
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


# --- the steps ------------------------------------------------------------------------------------


def _train(
    trainer: Trainer,
    validation_ids: Tensor,
    log: Log,
    folder: Path,
    about: About,
    progress: bool,
) -> None:
    """All steps that are left; if they diverge, the error says what is left."""
    counted = {"total": trainer.config.steps, "initial": trainer.step, "unit": "step"}
    bar = progress_bar(shown=progress, mininterval=0.5, **counted)
    # Several processes must stop at the same step; there a kill costs what it costs. Before the
    # first step there is nothing to keep, and its evaluation can take a while.
    alone = trainer.share.world == 1
    with bar, postponed(active=alone, worthwhile=lambda: trainer.step > 0) as stopping:
        try:
            _steps(trainer, validation_ids, log, folder, about, bar, stopping)
        except DivergedError as error:
            raise DivergedError(f"{error}; {_what_is_left(folder)}") from None


def _steps(
    trainer: Trainer,
    validation_ids: Tensor,
    log: Log,
    folder: Path,
    about: About,
    bar: Bar,
    stopping: Callable[[], bool],
) -> None:
    """All steps that are left, and between them readings, evaluations and checkpoints."""
    config, saved = trainer.config, time.monotonic()
    bar.set_postfix_str(_status(trainer, log))
    while True:
        at_end = trainer.step == config.steps
        evaluating = at_end or trainer.step % config.evaluate_every == 0
        reading = evaluating or trainer.step % LOG_EVERY == 0 or trainer.step <= LOG_FIRST
        if reading and trainer.step > log.step:  # a run that goes on starts where it has read
            line = _line(trainer, validation_ids if evaluating else None, not bar.disable)
            best = evaluating and line["validation"] < log.best
            log.add(line)
            bar.set_postfix_str(_status(trainer, log))
            if best and trainer.share.writes:
                save_best(trainer, folder, about, line)
            waited = time.monotonic() - saved > CHECKPOINT_SECONDS
            if (evaluating or waited) and trainer.share.writes:
                save_last(trainer, folder, about, log)
                saved = time.monotonic()
        if at_end:
            return
        if stopping():
            save_last(trainer, folder, about, log)
            raise Interrupted(trainer.step)
        B, T = config.batch_size // trainer.share.world, trainer.model.config.block_size
        with suited(B * T, trainer.model.config.n_embd):
            trainer.advance()
        bar.update()


def _status(trainer: Trainer, log: Log) -> str:
    """The losses, and where they are computed."""
    where = f"{trainer.device}, {trainer.precision}"
    return f"{log.status()}, {where}" if log.lines else where


def _line(trainer: Trainer, validation_ids: Tensor | None, progress: bool) -> dict[str, Any]:
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
            line["validation"] = evaluate(trainer.model, validation_ids, progress=progress)
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
