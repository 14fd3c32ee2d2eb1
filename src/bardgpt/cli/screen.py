"""What a command says: to terminals, pipes and files, of any encoding, full or closed."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator


def remark(text: str) -> None:
    """Say something beside the output: on stderr, at once."""
    print(text, file=sys.stderr, flush=True)


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
        if error.filename is not None:  # a file's own error
            raise
        _forget_output()
        raise OutputError(f"the output cannot be written: {error.strerror or error}") from None


def _forget_output() -> None:
    """Send what Python still holds to nowhere, or it would complain again when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
