"""A sign of life while work takes long: at a terminal a line that changes, elsewhere lines.

tqdm counts, times and draws. What is added is that a terminal's line fits its width, that where
nothing can be written over (a file, a pipe, a terminal of no width) lines come instead, the first
after `FIRST` seconds and each at most `LONGEST` after the one before, and that both go on while one
step of the work takes long.
"""

import contextlib
import os
import sys
import threading
import weakref
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO

from tqdm import tqdm

Counter = tqdm[Any] if TYPE_CHECKING else tqdm

TICK = 0.5  # seconds between two looks at whether there is something to say
FIRST, LONGEST = 4.0, 25.0  # seconds without a line: at first, and after a quarter of an hour
OF_BAR = 10  # columns of a bar and its percentage, at least
OF_NOTEBOOK = 80  # whose lines can be written over, and which says no width


def columns(stream: Any) -> int:
    """The width of lines that can be written over: a terminal's or a notebook's, else 0.

    The environment's COLUMNS says more than a terminal does of itself, also where it says 0.
    """
    if type(stream).__module__.startswith("ipykernel"):
        return OF_NOTEBOOK
    try:
        if stream.closed or not stream.isatty():
            return 0
        said = os.environ.get("COLUMNS", "")
        return int(said) if said.isdecimal() else os.get_terminal_size(stream.fileno()).columns
    except (AttributeError, OSError, ValueError):  # no stream, a stand-in, or a closed one
        return 0


class Bar(Counter):
    """How far work has come: a bar that vanishes at its end, or lines.

    A status, `set_postfix_str`, is told in parts that ", " separates; the last ones are left out
    where there is no room.
    """

    monitor_interval = 0  # of a thread of tqdm's, which looks every 10 seconds; see `_watch`

    def __init__(self, items: Iterable[Any] | None, stream: TextIO | None, **options: Any) -> None:
        self.stream, self.drawn, self.ended = stream, False, threading.Event()
        self.written_over = columns(stream) > 0
        self.begun = self.spoken = monotonic()
        super().__init__(items, file=stream, leave=False, ncols=OF_NOTEBOOK, nrows=20, **options)
        if not self.disable:
            watched = weakref.ref(self), self.ended
            threading.Thread(target=_watch, args=watched, daemon=True).start()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return monotonic() - self.begun

    def tick(self) -> None:
        """Say what is due, also if nothing has been counted."""
        if self.seconds >= self.delay:
            self.refresh()

    def display(self, msg: str | None = None, pos: int | None = None) -> Any:
        """Draw, where lines can be written over; elsewhere write a line, if one is due."""
        if msg is None and self.disable:  # closed while the thread came here
            return False
        if self.written_over:
            self.drawn = True
            return super().display(msg, pos)
        silent = monotonic() - self.spoken
        if silent >= FIRST and silent >= min(LONGEST, self.seconds / 30) and msg is None:
            self.spoken = monotonic()
            self.fp.write(f"{self}\n")
            self.fp.flush()
        return False

    def clear(self, *arguments: Any, **options: Any) -> None:
        """Wipe what is drawn."""
        if self.written_over:
            super().clear(*arguments, **options)

    def close(self) -> None:
        """End; what is drawn is wiped, and lines stay."""
        self.ended.set()
        if not self.disable:
            self.delay = 0 if self.drawn else self.delay  # or tqdm takes it for never drawn
        super().close()

    def __str__(self) -> str:
        """How far it has come, in a line."""
        parts = self._parts()
        if not self.written_over:
            return ", ".join(parts)
        room = columns(self.stream) - 1  # the last column would begin a new line here and there
        bar = OF_BAR if self.total and room > 3 * OF_BAR else 0
        while len(parts) > 1 and len(", ".join(parts)) > room - bar:
            parts.pop()
        told = ", ".join(parts)[: max(room - bar, 0)]
        if not bar:
            return told
        escaped = told.replace("{", "{{").replace("}", "}}")
        drawn = {"ncols": room, "bar_format": "{percentage:3.0f}%|{bar}| " + escaped}
        return self.format_meter(**{**self.format_dict, **drawn})

    def _parts(self) -> list[str]:
        facts = self.format_dict
        n, total = facts["n"], facts["total"]
        parts = [self.desc.removesuffix(": ")] if self.desc else []
        if total:
            parts.append(f"{self.unit} {n:,} of {total:,}")
            done = n - facts["initial"]
            rate = facts["rate"] or (done / self.seconds if done else 0)
            if rate:
                parts.append(f"{self.format_interval((total - n) / rate)} left")
        else:
            parts.append(f"{self.seconds:,.0f} s")
        return parts + (self.postfix.split(", ") if self.postfix else [])


Bar.set_lock(threading.RLock())  # tqdm's own is a semaphore of the system, which outlives a kill


def _watch(seen: "weakref.ref[Bar]", ended: threading.Event) -> None:
    """Let a bar tick until it is closed or forgotten."""
    while not ended.wait(TICK):
        bar = seen()
        if bar is None:
            return
        with contextlib.suppress(OSError, ValueError):  # of a stream that has gone
            bar.tick()
        del bar


def progress_bar(
    items: Iterable[Any] | None = None,
    *,
    shown: bool = True,
    stream: TextIO | None = None,
    **options: Any,
) -> Bar:
    """A bar for work that can be counted.

    Args:
        items: what is gone through, if it is one thing after the other.
        shown: False hides it; otherwise the environment decides: TQDM_DISABLE=1 hides it too.
        stream: stderr if none is given.
        options: of tqdm; a `desc` that says what is done, what is counted as `unit`, in one word,
            and seconds of `delay` for what is usually quick.
    """
    stream = sys.stderr if stream is None else stream
    if not shown or stream is None:  # which the caller of a program can have closed
        options["disable"] = True
    return Bar(items, stream, **options)


@contextlib.contextmanager
def working(what: str, *, shown: bool = True) -> Iterator[None]:
    """While the `with` block lasts, and it lasts some time, stderr says what is done."""
    with progress_bar(shown=shown, desc=what, delay=1):
        yield


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a line that stays, on stderr unless another stream is given, above any bar."""
    stream = sys.stderr if stream is None else stream
    if stream is not None:
        Bar.write(text, file=stream)
