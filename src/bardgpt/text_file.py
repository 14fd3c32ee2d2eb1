r"""A text of your own: read from a file, whatever program wrote it.

The text must be UTF-8. Two things that programs add without being asked are taken out, and said: a
byte order mark in front, and Windows' two characters for a line's end. Left in, they would be
characters to learn, "\r" on every line.
"""

import codecs
import os
import stat
from dataclasses import dataclass
from pathlib import Path

MOST_BYTES = 2**30  # ids take 8 bytes a character: 1 GiB of text is already 8 GiB of memory
# Marks in front of a file that is text, but not UTF-8. UTF-32's begins with UTF-16's: it is first.
OTHER_ENCODINGS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class TextFileError(RuntimeError):
    """A path that gives no text; says what is there, what was expected, and the remedy."""


@dataclass(frozen=True)
class TextFile:
    r"""What a file held.

    Attributes:
        path: of the file, absolute.
        text: its characters, with "\n" at the end of each line.
        remarks: what was taken out, a sentence each; empty if the text is as it stands there.
    """

    path: Path
    text: str
    remarks: tuple[str, ...] = ()


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The content of a regular file; nothing else is opened, for reading a pipe could wait forever.

    Args:
        path: a leading "~" is the home folder.

    Raises:
        TextFileError: if there is no such file, it is something else (a folder, pipe or device),
            it is larger than `MOST_BYTES`, or it cannot be read.
    """
    file = expanded(path)
    if not os.fspath(path):  # which would mean this folder
        raise TextFileError(f"{path!r} is no path; name a text file")
    try:
        status = file.stat()
        if stat.S_ISDIR(status.st_mode):
            raise TextFileError(f"{file} is a folder; name a text file in it")
        if not stat.S_ISREG(status.st_mode):
            raise TextFileError(f"{file} is a pipe or a device; save the text as a file first")
        if status.st_size > MOST_BYTES:
            raise TextFileError(
                f"{file} has {status.st_size:,} bytes; at most {MOST_BYTES:,} are read: "
                "cut it, for instance with `head -c`"
            )
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise TextFileError(
            f"{file} does not exist; check the path (in full: {file.absolute()})"
        ) from None
    except ValueError as error:  # a path that no system can have, with a NUL in it
        raise TextFileError(f"{str(file)!r} is no path: {error}") from None
    except OSError as error:
        raise TextFileError(
            f"{file} cannot be read ({error.strerror or error}); check the path and its permissions"
        ) from None


def read_text(path: str | os.PathLike[str]) -> TextFile:
    r"""The text of a UTF-8 file, without a byte order mark, its lines ending in "\n" alone.

    Args:
        path: a leading "~" is the home folder.

    Raises:
        TextFileError: as `read_bytes`; and if the file is not UTF-8, is no text, or is empty.
    """
    text, remarks = decoded(read_bytes(path), expanded(path))
    return TextFile(expanded(path).absolute(), text, remarks)


def decoded(data: bytes, source: object) -> tuple[str, tuple[str, ...]]:
    """The text that some bytes are, as `read_text` has it, and remarks on what was taken out.

    Args:
        data: in UTF-8.
        source: where they come from, for the error.

    Raises:
        TextFileError: if they are not UTF-8, no text, or none at all.
    """
    for mark, encoding in OTHER_ENCODINGS.items():
        if data.startswith(mark):
            raise TextFileError(_convert(source, f"is in {encoding.upper()}", encoding))
    remarks = []
    if data.startswith(codecs.BOM_UTF8):
        data = data.removeprefix(codecs.BOM_UTF8)
        remarks.append("the byte order mark in front was left out")
    if (nul := data.find(b"\0")) >= 0:  # first, for there it is found at once
        raise TextFileError(f"{source} is no text: it holds a NUL character, at position {nul:,}")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"is not UTF-8: byte 0x{data[error.start]:02x} in line {line:,}"
        raise TextFileError(_convert(source, where, "latin1")) from None
    if not text:
        raise TextFileError(f"{source} is empty; name a file with a text in it")
    n_returns = text.count("\r")
    if n_returns:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        remarks.append(rf"{n_returns:,} line ends of Windows or old Macs became \n")
    return text, tuple(remarks)


def expanded(path: str | os.PathLike[str]) -> Path:
    """A path with its leading "~" replaced, where that can be done."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # a user whom this system does not know
        return Path(path)


def _convert(source: object, what: str, encoding: str) -> str:
    return (
        f"{source} {what}; convert it, from its own encoding, for instance with "
        f"`iconv -f {encoding} -t utf-8` into another file"
    )
