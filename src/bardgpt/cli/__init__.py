"""The command line: `bardgpt train`, `sample`, `evaluate`, `plot` and `runs`."""

import signal
import sys


def main(arguments: list[str] | None = None) -> int:
    """Run a command: see `bardgpt.cli.command.main`.

    Importing PyTorch takes seconds; Ctrl-C in them is as quiet as one that comes later.
    """
    try:
        from bardgpt.cli.command import main as run
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return run(sys.argv[1:] if arguments is None else arguments)
