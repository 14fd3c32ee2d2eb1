"""Files that are written whole or not at all, and where the package keeps its records."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

RECORDED = Path(__file__).parent / "recorded"  # what came out, as data: JSON and weights


def remove_leftovers(path: str | os.PathLike[str]) -> None:
    """Remove what a process that was killed while it wrote this file has left beside it.

    Only where nobody else is writing it.
    """
    path = Path(path)
    for leftover in path.parent.glob(f".{path.name}.{'[0-9a-f]' * 8}"):
        with contextlib.suppress(OSError):
            leftover.unlink()


def replaceable(path: str | os.PathLike[str]) -> Path:
    """The file that is meant by a path: there, or where a link leads; it may be missing.

    Raises:
        OSError: if a folder, pipe or device stands there, which no file may replace.
    """
    file = Path(os.path.realpath(path) if os.path.islink(path) else path)
    if file.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    if file.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if file.exists() and not file.is_file():
        raise FileExistsError(errno.EEXIST, "Is a pipe or a device, not a file", str(path))
    return file


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that no reader, and no crash, ever meets half of it.

    The bytes go to a neighbour first, reach the disk, and then take the file's name in one step.
    Where a link stands, what it leads to is written, and the link stays.

    Raises:
        OSError: if the folder cannot be made or written, or something else than a file stands
            there; what stood at `path` is untouched.
    """
    path = replaceable(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    neighbour = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with named(path):
            with neighbour.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            neighbour.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            neighbour.unlink()
        raise


@contextlib.contextmanager
def named(path: str | os.PathLike[str]) -> Iterator[None]:
    """While the `with` block lasts, the system's errors name this file.

    Those of a write alone, say on a full disk, name none, and others a temporary one.
    """
    try:
        yield
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
