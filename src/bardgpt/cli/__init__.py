"""The command line: `bardgpt train`, `sample`, `evaluate`, `plot` and `runs`."""

import os
import signal
import sys

INTERRUPTED = 128 + signal.SIGINT


def main(arguments: list[str] | None = None) -> int:
    """Run a command, by default the one that this process was started with.

    See `bardgpt.cli.command.main`.
    """
    code = _run(sys.argv[1:] if arguments is None else arguments)
    if code == INTERRUPTED and arguments is None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one more would only disturb Python's end
    return code


def _run(arguments: list[str]) -> int:
    # Importing PyTorch takes seconds; Ctrl-C in them is as quiet as one that comes later.
    try:
        from bardgpt.cli.command import main as run
    except KeyboardInterrupt:
        return INTERRUPTED
    except ValueError as error:  # tqdm reads its variables when it is imported
        variables = sorted(name for name in os.environ if name.startswith("TQDM_"))
        if not variables:
            raise
        said = f"{', '.join(variables)} cannot be used ({error}); unset it"
        print(f"bardgpt: in the environment {said}", file=sys.stderr)
        return 1
    return run(arguments)
