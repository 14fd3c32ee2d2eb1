"""Processes of their own that need not import: a server has done it, and forks for each.

Importing PyTorch takes seconds, and forking milliseconds. What a child runs is the command itself.
"""

import multiprocessing
import os
import sys
import time
from functools import partial
from pathlib import Path

HALVES = 0.03  # seconds between the two halves of a file that is written

CONTEXT = multiprocessing.get_context("forkserver")
# The last is what an optimizer imports at its first step.
CONTEXT.set_forkserver_preload(["pytest", "bardgpt.cli.command", "torch._dynamo"])


class SlowFile:
    """A file whose content comes in two halves; between those of a checkpoint it tells so."""

    def __init__(self, file, tell):
        self.file, self.tell = file, tell

    def write(self, content):
        half = len(content) // 2
        self.file.write(content[:half])
        self.file.flush()
        if ".safetensors" in self.file.name:
            self.tell("writing")
        time.sleep(HALVES)
        return half + self.file.write(content[half:])

    def __getattr__(self, name):
        return getattr(self.file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()


def train(arguments, output, moments, progress=False):
    """Become a `bardgpt train` whose moments can be met, and whose log has no clock.

    Args:
        arguments: of the command.
        output: the file or terminal that takes what it says.
        moments: a connection that hears what it is about to do.
        progress: show it, whatever the environment says.
    """
    from bardgpt import progress as module
    from bardgpt.cli.command import main
    from bardgpt.training import log, run
    from bardgpt.training.trainer import Trainer

    opened, evaluate, advance = Path.open, run.evaluate, Trainer.advance

    def slow(path, mode="r", *others, **named):
        file = opened(path, mode, *others, **named)
        return file if mode == "r" else SlowFile(file, moments.send)

    def evaluating(*given, **named):
        moments.send("evaluating")
        return evaluate(*given, **named)

    def advancing(trainer):
        at_last = trainer.step == trainer.config.steps - 1
        moments.send("last step" if at_last else "step")
        advance(trainer)

    Path.open, run.evaluate, Trainer.advance = slow, evaluating, advancing
    log.time = type("Stopped", (), {"monotonic": staticmethod(lambda: 0.0)})
    if progress:
        module.Bar = partial(module.Bar, disable=False)
    taken = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(taken, 1)
    os.dup2(taken, 2)
    # Anew: those of the server remember what kind of file they were opened on.
    sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", buffering=1)
    os.environ.pop("COLUMNS", None)  # readline sets it behind Python's back, where it is loaded
    moments.send("alive")
    os._exit(main(arguments))  # at once: this process has no more to do
