"""All commands together: what is typed, what it does, and how it says no."""

import contextlib
import errno
import re
import signal
import sys
from typing import Annotated

import torch
import tyro

from bardgpt import __version__
from bardgpt.batches import WindowError
from bardgpt.cli import arguments as words
from bardgpt.cli.evaluate import Evaluate
from bardgpt.cli.page import Page, PageError
from bardgpt.cli.plot import Plot
from bardgpt.cli.runs import Runs
from bardgpt.cli.sample import Sample
from bardgpt.cli.screen import OutputError, output, remark
from bardgpt.cli.train import TrainCommand
from bardgpt.config import ConfigError
from bardgpt.corpus import CorpusError
from bardgpt.sampling import SamplingError
from bardgpt.text_file import TextFileError
from bardgpt.tokenizer import UnknownCharacterError
from bardgpt.training.checkpoint import CheckpointError
from bardgpt.training.devices import DeviceError
from bardgpt.training.folder import RunError
from bardgpt.training.trainer import DivergedError

DESCRIPTION = (
    "Train a character-level GPT on Shakespeare or on a text of yours, and let it write. "
    "`bardgpt --version` says which version this is."
)
Command = (
    Annotated[TrainCommand, tyro.conf.subcommand("train")]
    | Annotated[Sample, tyro.conf.subcommand("sample")]
    | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
    | Annotated[Plot, tyro.conf.subcommand("plot")]
    | Annotated[Runs, tyro.conf.subcommand("runs")]
    | Annotated[Page, tyro.conf.subcommand("page")]
)
# What the user can do something about: said in a line or two, without a traceback. No class that
# a slip in the program raises too (ValueError, RuntimeError) is among them.
ERRORS = (
    CheckpointError,
    ConfigError,
    CorpusError,
    DeviceError,
    DivergedError,
    OSError,
    OutputError,
    PageError,
    RunError,
    SamplingError,
    TextFileError,
    UnknownCharacterError,
    WindowError,
    torch.cuda.OutOfMemoryError,
)


def main(arguments: list[str]) -> int:
    """Run a command.

    Returns:
        0; 1 after an error that the user can do something about; 2 if the arguments cannot be read;
        130 after Ctrl-C.
    """
    try:
        with output():
            if arguments[:1] == ["--version"]:
                print(f"bardgpt {__version__}, torch {torch.__version__}")
            else:
                words.read(Command, arguments, DESCRIPTION)()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except words.UsageError as error:
        remark(f"bardgpt: {error}")
        return 2
    except ERRORS as error:
        with contextlib.suppress(OSError):  # a closed stderr
            _say(error, arguments)
        return 1
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "DefaultCPUAllocator" not in str(error):
            raise  # a slip in the program
        remark("bardgpt: there is not enough memory; take a smaller model, batch or window")
        return 1
    except SystemExit as end:  # of --help
        return int(end.code or 0)
    return 0


def _say(error: Exception, arguments: list[str]) -> None:
    said = str(error)
    if isinstance(error, ConfigError | SamplingError):
        said = words.as_typed(said, arguments)
    elif isinstance(error, OSError) and error.errno == errno.ENOENT and error.filename is None:
        said = "the current folder is not there any more; change to another"
    elif isinstance(error, OSError):
        said = re.sub(r"^\[Errno -?\d+\] ", "", said)
    # The one error that has several lines by itself; in others a line break is a path's.
    lines = said.splitlines() if isinstance(error, CorpusError) else [said]
    for number, line in enumerate(lines):
        remark(line if number else f"bardgpt: {line}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
