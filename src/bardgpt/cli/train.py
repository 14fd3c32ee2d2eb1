"""`bardgpt train`: a preset, on Tiny Shakespeare or on a text of the user's, in a folder."""

import os
import re
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro

from bardgpt.cli.models import RunFolder
from bardgpt.cli.screen import remark
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.corpus import VOCAB_SIZE
from bardgpt.presets import PRESETS, Preset
from bardgpt.progress import columns, working
from bardgpt.text_file import TextFile, read_text
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training.devices import DeviceName, Precision
from bardgpt.training.folder import CONFIG, RunError, read_about
from bardgpt.training.interrupt import Interrupted
from bardgpt.training.run import Begin, Run, train_in_folder


@dataclass(frozen=True)
class Train:
    """Train a model; the same command again goes on where a run stopped.

    Names of options will do without their section: `--steps 100` for `--training.steps 100`.
    """

    name: tyro.conf.SuppressFixed[tyro.conf.Fixed[str]]
    """Of the preset."""
    model: GPTConfig
    """The architecture."""
    training: TrainingConfig
    """The training."""
    run: RunFolder = None
    """The folder that keeps the run: its config, log and checkpoints. If not given, a folder in
    `runs` with the preset's name, and with that of a text of your own."""
    text: str | None = None
    """A text file of your own to learn from, UTF-8; the model gets its characters as vocabulary.
    If not given, the text of the run in the folder, and Tiny Shakespeare for a new one."""
    restart: bool = False
    """Begin anew where the folder holds a run; its files are put aside, by date."""
    from_best: bool = False
    """Go on from the best weights where the last state is missing or damaged."""
    device: DeviceName | None = None
    """Where to compute; the best there is if not given."""
    precision: Precision | None = None
    """Of the matrix products; what suits the device if not given."""
    compiled: bool = False
    """Use torch.compile, where it pays (CUDA)."""

    def __call__(self) -> None:
        """Train, and say what came out."""
        if self.restart and self.from_best:
            raise RunError("both --restart and --from-best are given; take one of them")
        with working("reading the text"):
            text = None if self.text is None else read_text(self.text)
        folder = self._folder(text)
        model = self.model
        speaks = os.environ.get("RANK", "0") == "0"  # of several processes one does
        if text is not None:
            different = CharTokenizer.from_text(text.text).vocab_size
            if speaks:
                _say_what_was_read(text, different)
            if model.vocab_size == VOCAB_SIZE:  # as in the preset; another one was asked for
                model = replace(model, vocab_size=different)
        elif (folder / CONFIG).is_file() and model.vocab_size == VOCAB_SIZE:
            model = replace(model, vocab_size=read_about(folder).preset.model.vocab_size)
        try:
            finished = train_in_folder(
                folder,
                Preset(model, self.training),
                text=text,
                begin=self._begin(),
                device=self.device,
                precision=self.precision,
                compiled=self.compiled,
                watch=None if columns(sys.stderr) else _say,  # what a bar shows, in lines
            )
        except Interrupted as stop:
            remark(f"{stop}; the same command goes on from there")
            raise
        if speaks:
            _say_what_came_out(finished, folder)

    def _begin(self) -> Begin:
        return "restart" if self.restart else "go on from best" if self.from_best else "go on"

    def _folder(self, text: TextFile | None) -> Path:
        """The run's folder; by default one of the preset's name, and of the text's."""
        if self.run is not None:
            return self.run
        name = self.name
        if text is not None:
            name += "-" + (re.sub(r"[^\w.-]+", "-", text.path.stem).strip("-.") or "text")
        return Path("runs") / name


def _say_what_was_read(text: TextFile, vocab_size: int) -> None:
    remark(f"{text.path.name}: {len(text.text):,} characters, {vocab_size:,} different ones")
    for line in text.remarks:
        remark(f"{text.path.name}: {line}")


def _say(line: dict[str, Any]) -> None:
    if "validation" in line:
        remark(
            f"step {line['step']:,}: validation loss {line['validation']:.4f}, "
            f"{line['seconds']:,.0f} s"
        )


def _say_what_came_out(finished: Run, folder: Path) -> None:
    last = finished.metrics[-1]
    best = min((x for x in finished.metrics if "validation" in x), key=lambda x: x["validation"])
    said = f"validation loss {last['validation']:.4f} nats per character"
    if best["step"] != last["step"]:
        said += f", at its best {best['validation']:.4f} after step {best['step']:,}"
    if finished.precision != "float32":
        said += f", computed in {finished.precision} (`bardgpt evaluate` computes in float32)"
    run = f"--run {shlex.quote(str(folder))}"
    print(
        f"{last['step']:,} steps, {last['characters']:,} characters: {said}\n"
        f"weights in {folder}; `bardgpt sample {run}` lets them speak"
    )


TrainPreset = tyro.extras.subcommand_type_from_defaults(
    {name: Train(name, preset.model, preset.training) for name, preset in PRESETS.items()},
    {
        "tiny": "The book's last small model: 42,369 parameters, some minutes on a CPU.",
        "full": "The notes' run: 10,788,929 parameters, 5,000 steps; made for a GPU.",
        "sprint": "The same architecture with Muon and a schedule: a seventh of the characters.",
    },
    prefix_names=False,
)


@dataclass(frozen=True)
class TrainCommand:
    """Train a model on Tiny Shakespeare or on a text of yours.

    The same command again goes on where a run stopped.
    """

    preset: TrainPreset  # pyright: ignore[reportInvalidTypeForm]  # tyro makes the type
    """Where to start from; any field can be changed."""

    def __call__(self) -> None:
        """Train."""
        self.preset()
