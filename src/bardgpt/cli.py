"""The command line: `bardgpt train`, `bardgpt sample`, `bardgpt evaluate`."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro

from bardgpt import corpus, pretrained
from bardgpt.batches import WindowError
from bardgpt.config import ConfigError, GPTConfig, TrainingConfig
from bardgpt.corpus import CorpusError
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.presets import PRESETS, Preset
from bardgpt.sampling import SamplingError, sample
from bardgpt.text import Text
from bardgpt.tokenizer import CharTokenizer, UnknownCharacterError
from bardgpt.training import devices
from bardgpt.training.checkpoint import CheckpointError
from bardgpt.training.devices import DeviceName, Precision
from bardgpt.training.folder import RunError
from bardgpt.training.run import load_run, train_in_folder
from bardgpt.training.trainer import DivergedError


@dataclass(frozen=True)
class Train:
    """Train a model on Tiny Shakespeare; the same command again goes on where a run stopped."""

    model: GPTConfig
    """The architecture."""
    training: TrainingConfig
    """The run."""
    folder: Path
    """Where the run keeps its config, log and checkpoints."""
    device: DeviceName | None = None
    """Where to compute; the best there is if not given."""
    precision: Precision | None = None
    """Of the matrix products; what suits the device if not given."""
    compiled: bool = False
    """Use torch.compile, where it pays (CUDA)."""

    def __call__(self) -> None:
        """Train, and say what came out."""
        at_terminal = sys.stderr.isatty()  # elsewhere lines are better than a bar
        try:
            finished = train_in_folder(
                self.folder,
                Preset(self.model, self.training),
                device=self.device,
                precision=self.precision,
                compiled=self.compiled,
                progress=at_terminal,
                watch=None if at_terminal else _say,
            )
        except KeyboardInterrupt:
            print(
                f"stopped; the same command goes on from the last checkpoint in {self.folder}",
                file=sys.stderr,
            )
            raise
        if os.environ.get("RANK", "0") != "0":  # of several processes one speaks
            return
        last = finished.metrics[-1]
        print(
            f"{last['step']:,} steps, {last['characters']:,} characters: validation loss "
            f"{last['validation']:.4f} nats per character\n"
            f"weights in {self.folder}; `bardgpt sample --run {self.folder}` lets them speak"
        )


def _say(line: dict[str, Any]) -> None:
    if "validation" in line:
        print(
            f"step {line['step']:,}: validation loss {line['validation']:.4f}, "
            f"{line['seconds']:,.0f} s",
            file=sys.stderr,
            flush=True,
        )


@dataclass(frozen=True)
class Sample:
    """Print text from a model: the recorded one, or one of your runs."""

    prompt: str = "\\n"
    """What the text begins with; \\n is a line break."""
    length: int = 500
    """Characters to add."""
    temperature: float = 1.0
    """Below 1 safer, above 1 wilder, 0 always the likeliest character."""
    top_k: int | None = None
    """Draw from the k likeliest characters alone."""
    seed: int | None = None
    """The same seed gives the same text."""
    run: Path | None = None
    """A folder that `bardgpt train` wrote; the recorded model if not given."""
    weights: Literal["best", "last"] = "best"
    """Of a run: those with the lowest validation loss, or those after its last step."""
    device: DeviceName | None = None
    """Where to compute; the best there is if not given."""

    def __call__(self) -> None:
        """Sample and print."""
        device = devices.choose_device(devices.facts(), self.device)
        model, tokenizer = _model(self.run, self.weights)
        prompt = self.prompt.replace("\\n", "\n")
        new = sample(
            model.to(device),
            tokenizer,
            prompt=prompt,
            length=self.length,
            temperature=self.temperature,
            top_k=self.top_k,
            seed=self.seed,
        )
        print(prompt + new)


@dataclass(frozen=True)
class Evaluate:
    """Print a model's loss on the whole validation split: the recorded one's, or a run's."""

    run: Path | None = None
    """A folder that `bardgpt train` wrote; the recorded model if not given."""
    weights: Literal["best", "last"] = "best"
    """Of a run: those with the lowest validation loss, or those after its last step."""
    device: DeviceName | None = None
    """Where to compute; the best there is if not given."""

    def __call__(self) -> None:
        """Evaluate and print."""
        device = devices.choose_device(devices.facts(), self.device)
        model, tokenizer = _model(self.run, self.weights)
        text = Text.of(corpus.load(), tokenizer)
        loss = evaluate(model.to(device), text.validation.to(device))
        print(f"validation loss {loss:.4f} nats per character")


def _model(folder: Path | None, weights: Literal["best", "last"]) -> tuple[GPT, CharTokenizer]:
    return pretrained.load() if folder is None else load_run(folder, weights)


TrainPreset = tyro.extras.subcommand_type_from_defaults(
    {
        name: Train(preset.model, preset.training, Path("runs") / name)
        for name, preset in PRESETS.items()
    },
    {
        "tiny": "The book's last small model: 42,369 parameters, some minutes on a processor.",
        "full": "The notes' run: 10,788,929 parameters, 5,000 steps; made for a GPU.",
        "sprint": "The same architecture with Muon and a schedule: a seventh of the characters.",
    },
    prefix_names=False,
)


@dataclass(frozen=True)
class TrainCommand:
    """Train a model on Tiny Shakespeare; the same command again goes on where a run stopped."""

    preset: TrainPreset  # pyright: ignore[reportInvalidTypeForm]  # tyro makes the type
    """Where to start from; any field can be changed."""

    def __call__(self) -> None:
        """Train."""
        self.preset()


Command = (
    Annotated[TrainCommand, tyro.conf.subcommand("train")]
    | Annotated[Sample, tyro.conf.subcommand("sample")]
    | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
)
# What the user can do something about: said in a line or two, without a traceback. No class that
# a slip in the program raises too (ValueError, RuntimeError) is among them.
ERRORS = (
    CheckpointError,
    ConfigError,
    CorpusError,
    devices.DeviceError,
    DivergedError,
    OSError,
    RunError,
    SamplingError,
    UnknownCharacterError,
    WindowError,
    torch.cuda.OutOfMemoryError,
)


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: of the command line; the process's own if none are given.

    Returns:
        0, or 1 after an error that the user can do something about, or 130 after Ctrl-C.
    """
    try:
        command = tyro.cli(
            Command,
            prog="bardgpt",
            description="Train a character-level GPT on Shakespeare, sample from it, evaluate it.",
            args=arguments,
            config=(tyro.conf.OmitSubcommandPrefixes,),
        )
        command()
    except KeyboardInterrupt:
        return 130
    except ERRORS as error:
        print(f"bardgpt: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
