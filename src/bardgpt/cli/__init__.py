"""The command line: `bardgpt train`, `sample`, `evaluate`, `plot`, `runs` and `page`."""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

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
    try:
        with _ctrl_c_ends_at_once():
            # Beside an error that is told in a line, PyTorch's C++ would log dozens.
            os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "FATAL")
            from bardgpt.progress import working

            with working("loading PyTorch"):
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
    try:
        return run(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED


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
