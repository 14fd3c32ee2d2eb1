"""Files that are written whole or not at all, and where the package keeps its records."""

import contextlib
import os
import secrets
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


def write_whole(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file so that no reader, and no crash, ever meets half of it.

    The bytes go to a neighbour first, reach the disk, and then take the file's name in one step.

    Raises:
        OSError: if the folder cannot be made or written; what stood at `path` is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    neighbour = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with neighbour.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        neighbour.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            neighbour.unlink()
        raise
