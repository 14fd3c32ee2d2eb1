"""What a command says: to terminals, pipes and files, of any encoding, full or closed."""

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from bardgpt.files import replaceable

MOST_SAID = 1_200  # characters of a remark; of a longer one, both ends


def remark(text: str) -> None:
    """Say something beside the output: on stderr, at once, in a line that fits on a screen."""
    if sys.stderr is not None:  # as it is where the caller has closed it
        print(in_a_line(text), file=sys.stderr, flush=True)


def in_a_line(text: str) -> str:
    r"""A text without what would move a terminal's cursor, and without its middle if it is long.

    >>> in_a_line("runs/a\nb holds no run")
    'runs/a\\nb holds no run'
    """
    plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    left_out = len(plain) - MOST_SAID
    if left_out <= 0:
        return plain
    half = MOST_SAID // 2
    return f"{plain[:half]} … ({left_out:,} characters) … {plain[-half:]}"


class OutputError(RuntimeError):
    """Standard output cannot be written, say because the disk behind it is full."""


@contextlib.contextmanager
def output() -> Iterator[None]:
    """While the `with` block lasts, what is printed arrives or is an error.

    A character that the output's encoding lacks is shown as "?". An output that nobody reads any
    more (`bardgpt sample | head -1`) ends the command without a word, as pipes have it.

    Raises:
        OutputError: if the output cannot be written.
    """
    _open_what_is_closed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # and no stand-in
            with contextlib.suppress(ValueError):  # of a closed one
                stream.reconfigure(errors="replace")
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
    except OSError as error:
        # A file's own error, one that is no system call's, or that the current folder is gone.
        if error.filename is not None or error.errno in (None, errno.ENOENT):
            raise
        _forget_output()
        raise OutputError(f"the output cannot be written: {error.strerror or error}") from None


def require_writable(file: Path) -> None:
    """Let a file pass that can be written, before the work that is to go there.

    Raises:
        OSError: if it cannot.
    """
    folder = replaceable(file).parent
    if not folder.is_dir():
        raise FileNotFoundError(errno.ENOENT, "No such folder", str(folder))
    if not os.access(folder, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def _open_what_is_closed() -> None:
    """Put nothing in the place of a standard stream that the caller has closed (`>&-`).

    Python has None there; and the next file to be opened would get the stream's number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


def _forget_output() -> None:
    """Send what Python still holds to nowhere, or it would complain again when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
