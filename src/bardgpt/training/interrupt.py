"""Ctrl-C in a training run: the step is finished and the state is written before anything ends."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A run that Ctrl-C has ended, after its state was written.

    Attributes:
        step: after which it goes on.
    """

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped after step {step:,}")
        self.step = step


@contextlib.contextmanager
def postponed(
    active: bool = True, worthwhile: Callable[[], bool] = lambda: True
) -> Iterator[Callable[[], bool]]:
    """While the `with` block lasts the first Ctrl-C waits to be asked for; a second acts at once.

    Only Python's main thread hears signals; elsewhere nothing is changed.

    Args:
        active: False changes nothing either.
        worthwhile: whether there is anything to lose; where there is not, the first acts at once.

    Yields:
        Whether Ctrl-C has come.
    """
    came = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        if came or not worthwhile():
            signal.default_int_handler(number, frame)
        came = True
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(
                "\nstopping: the state is written after this step; Ctrl-C again leaves at once\n"
            )
            sys.stderr.flush()

    before = signal.getsignal(signal.SIGINT)
    # Somebody else's handler, a test's or a debugger's, is not ours to replace.
    ours = active and threading.current_thread() is threading.main_thread()
    if not ours or before is not signal.default_int_handler:
        yield lambda: False
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: came
    finally:
        signal.signal(signal.SIGINT, before)
