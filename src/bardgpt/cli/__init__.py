"""The command line: `bardgpt train`, `sample`, `evaluate`, `plot` and `runs`."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator


def main(arguments: list[str] | None = None) -> int:
    """Run a command: see `bardgpt.cli.command.main`."""
    try:
        with _ctrl_c_ends_at_once():
            # Beside an error that is told in a line, PyTorch's C++ would log dozens.
            os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")
            from bardgpt.progress import working

            with working("loading PyTorch"):
                from bardgpt.cli.command import main as run
        return run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


@contextlib.contextmanager
def _ctrl_c_ends_at_once() -> Iterator[None]:
    """While the `with` block lasts Ctrl-C ends the process, without a word.

    Importing PyTorch takes seconds, and some of what it imports swallows a KeyboardInterrupt. There
    is nothing to lose yet. A handler of somebody else's stays.
    """
    before = signal.getsignal(signal.SIGINT)
    ours = threading.current_thread() is threading.main_thread()
    if not ours or before is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
