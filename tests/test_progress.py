"""Signs of life: a line that fits at a terminal, lines that come in time elsewhere, no silence."""

import fcntl
import importlib
import io
import itertools
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from functools import partial

import pytest
from forked import CONTEXT, train
from test_kills import RUN, reached
from test_run import TEXT

from bardgpt import cli, corpus, progress
from bardgpt.progress import columns, progress_bar, say, working
from bardgpt.training.trainer import Trainer

STATUS = "train 1.234, validation 2.345, 12,345 characters/s"


class Stream(io.StringIO):
    """A stream that keeps what is written, and may pass for a terminal."""

    encoding = "utf-8"

    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


class Clock:
    """Seconds that pass when the test says so."""

    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "monotonic", clock)
    monkeypatch.setattr("tqdm.std.time", clock)
    monkeypatch.setattr(progress, "TICK", 3600)  # the thread waits; the tests tick
    return clock


@pytest.fixture
def terminal():
    """Both ends of a terminal, whose width is 80 columns unless a test sets another."""
    ours, theirs = pty.openpty()
    set_width(ours, 80)
    yield ours, theirs
    os.close(ours)


def set_width(terminal, width):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))


def read_to_end(ours, theirs):
    """What is written to a terminal until nobody has it open any more."""
    os.close(theirs)
    pieces = []
    with suppress(OSError):  # how Linux says that it has ended
        while piece := os.read(ours, 4096):
            pieces.append(piece)
    return b"".join(pieces).decode()


def frames(written):
    """What stood in a line, one after the other, without what moves between lines."""
    return [frame for frame in re.split(r"[\r\n]+|\x1b\[A", written) if frame.strip()]


# --- where lines can be written over --------------------------------------------------------------


@pytest.mark.parametrize(
    ("terminal", "said", "width"),
    [(True, "100", 100), (True, "0", 0), (True, "", 0), (True, "wide", 0), (False, "100", 0)],
)
def test_width_of_a_stream(monkeypatch, terminal, said, width):
    monkeypatch.setenv("COLUMNS", said)
    assert columns(Stream(terminal)) == width


def test_width_of_a_terminal(monkeypatch, terminal):
    monkeypatch.delenv("COLUMNS", raising=False)
    ours, theirs = terminal
    for width in (80, 0, 132):
        set_width(ours, width)
        with open(theirs, "w", encoding="utf-8", closefd=False) as stream:
            assert columns(stream) == width
    os.close(theirs)


def test_no_stream_and_a_closed_one_have_no_width():
    closed = Stream(terminal=True)
    closed.close()
    assert columns(None) == columns(closed) == 0


# --- lines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("terminal", [False, True], ids=["no terminal", "a width of 0"])
@pytest.mark.parametrize("seconds_a_step", [0.1, 3.0, 300.0])
def test_lines_come_in_time_and_say_all(clock, monkeypatch, terminal, seconds_a_step):
    """Also while one step takes minutes; more seldom as time goes on."""
    monkeypatch.setenv("COLUMNS", "0")
    stream, told, last = Stream(terminal), [clock.now], 0
    with progress_bar(total=90_000, unit="step", stream=stream, disable=False) as bar:
        bar.set_postfix_str(STATUS)
        while clock.now < 1_000 + 7_200:
            clock.now += 0.5
            steps = int((clock.now - 1_000) / seconds_a_step) - bar.n
            if steps:
                bar.update(steps)
            bar.tick()
            if len(stream.getvalue()) > last:
                last = len(stream.getvalue())
                told.append(clock.now)
    pauses = [b - a for a, b in itertools.pairwise(told)]
    assert set(pauses[:25]) == {4.0}
    assert 20 < max(pauses) <= 25.5
    assert len(pauses) < 400
    assert "\r" not in stream.getvalue()
    lines = stream.getvalue().splitlines()
    for line in lines[-1:] if seconds_a_step > 30 else lines[5:]:
        assert re.fullmatch(r"step [\d,]+ of 90,000, [\d:]+ left, " + STATUS, line)


def test_what_is_quick_says_nothing(clock):
    stream = Stream(terminal=False)
    for item in progress_bar(range(3), stream=stream, unit="thing", disable=False):
        clock.now += item
    assert stream.getvalue() == ""


def test_a_line_comes_though_nothing_is_counted(monkeypatch):
    """From the thread, while a program does something else."""
    monkeypatch.setattr(progress, "TICK", 0.01)
    monkeypatch.setattr(progress, "monotonic", lambda: 1_000 * time.monotonic())
    stream = Stream(terminal=False)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(progress, "Bar", partial(progress.Bar, disable=False))
    with working("reading"):
        begun = time.monotonic()
        while "\n" not in stream.getvalue():
            assert time.monotonic() < begun + 30
    assert re.match(r"reading, \d+ s\n", stream.getvalue())


# --- a terminal -----------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [200, 80, 60, 30, 12, 1])
def test_a_line_fits(clock, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    stream = Stream(terminal=True)
    with progress_bar(total=5_000, unit="step", stream=stream, disable=False) as bar:
        bar.set_postfix_str(f"{STATUS}, cpu, float32")
        for _ in range(99):
            clock.now += 30
            bar.update(50)
    shown = frames(stream.getvalue())
    assert all(len(frame) < width for frame in shown)
    if width >= 80:
        last = shown[-1]
        assert last.startswith(" 99%|█")
        assert "| step 4,950 of 5,000, 00:30 left, train 1.234, validation 2.345" in last
        assert ("12,345 characters/s, cpu, float32" in last) == (width == 200)
    assert stream.getvalue().endswith("\r")


def test_hours_and_losses_fit_80_columns(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    stream = Stream(terminal=True)
    with progress_bar(total=100_000, unit="step", stream=stream, disable=False) as bar:
        bar.set_postfix_str(STATUS)
        clock.now += 7_200
        bar.update(10_000)
    assert "18:00:00 left, train 1.234, validation 2.345" in frames(stream.getvalue())[-1]


def test_what_is_usually_quick_is_drawn_late_and_wiped(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    stream = Stream(terminal=True)
    with progress_bar(desc="reading {it}", delay=1, stream=stream, disable=False) as bar:
        clock.now += 0.9
        bar.tick()
        assert stream.getvalue() == ""
        clock.now += 0.2
        bar.tick()
        assert frames(stream.getvalue()) == ["reading {it}, 1 s"]
    assert re.fullmatch(r"\rreading {it}, 1 s\r +\r", stream.getvalue())
    bar.display()  # by a thread that asked before it was closed
    assert stream.getvalue().endswith(" \r")


def test_what_is_said_stays_above_the_bar(clock, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    stream = Stream(terminal=True)
    with progress_bar(total=2, desc="one of two", stream=stream, disable=False):
        say("done", stream)
    screen = [line.rpartition("\r")[2] for line in stream.getvalue().rstrip(" \r").split("\n")]
    assert screen[0] == "done"
    assert "one of two" in stream.getvalue()


# --- the commands ---------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [80, 0])
def test_training_at_a_terminal(tmp_path, terminal, monkeypatch, width):
    """A real process and a real terminal: with a width one line that changes, without one none."""
    monkeypatch.delenv("COLUMNS", raising=False)
    (tmp_path / "mine.txt").write_text(TEXT, encoding="utf-8")
    ours, theirs = terminal
    set_width(ours, width)
    words = ["train", "tiny", "--text", str(tmp_path / "mine.txt"), "--run", str(tmp_path / "run")]
    moments, other_end = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(
        target=train, args=([*words, *RUN], os.ttyname(theirs), other_end, True)
    )
    process.start()
    other_end.close()
    reached(moments, "alive")
    written = read_to_end(ours, theirs)
    process.join()
    assert process.exitcode == 0, written
    shown = frames(written)
    assert shown[0] == "mine.txt: 907 characters, 7 different ones"
    assert shown[-2].startswith("60 steps, 1,920 characters: validation loss")
    bars = [frame for frame in shown if "left" in frame]
    if width:
        assert all(len(frame) < 80 for frame in bars)
        assert re.search(r"\| step \d+ of 60, 00:0\d left, train \d\.\d+, validation \d", bars[-1])
        assert not [frame for frame in shown if frame.startswith("step")]
    else:
        assert "\r" not in written.replace("\r\n", "\n")
        assert all(frame.startswith("step ") for frame in bars)  # if it takes long
        told = re.findall(r"^step (\d+): validation loss", written, re.MULTILINE)
        assert [*map(int, told)] == [*range(0, 61, 5)]


@pytest.fixture
def hurried(monkeypatch, capsys):
    """A command in a world where a millisecond is a second: what it says, in lines."""
    monkeypatch.setattr(progress, "TICK", 0.001)
    monkeypatch.setattr(progress, "monotonic", lambda: 1_000 * time.monotonic())
    monkeypatch.setattr(progress, "Bar", partial(progress.Bar, disable=False))

    def said(*words):
        assert cli.main([str(word) for word in words]) == 0
        return capsys.readouterr().err

    return said


def slowly(monkeypatch, owner, name):
    """Let a function take so much longer that a busy machine, too, has time for a look."""
    really = getattr(owner, name)

    def slow(*given, **named):
        time.sleep(0.2)
        return really(*given, **named)

    monkeypatch.setattr(owner, name, slow)


def test_no_command_is_silent_for_long(tmp_path, monkeypatch, hurried):
    """Not in its first evaluation, nor before it has a model or a text."""
    file, run = tmp_path / "mine.txt", tmp_path / "run"
    file.write_text(TEXT, encoding="utf-8")
    for module, name in (
        ("bardgpt.cli.train", "read_text"),
        ("bardgpt.cli.evaluate", "text_of"),
        ("bardgpt.cli.models", "load_run"),
        ("bardgpt.cli.plot", "read_metrics"),
        ("bardgpt.training.run", "facts_of"),
        ("bardgpt.training.run", "require_memory"),
        ("bardgpt.evaluation", "_losses"),
    ):
        slowly(monkeypatch, importlib.import_module(module), name)
    slowly(monkeypatch, Trainer, "advance")  # or both steps can pass between two looks
    said = hurried("train", "tiny", "--text", file, "--run", run, *RUN, "--steps", 2)
    before, _, after = said.partition("step 0: validation loss")
    assert re.search(r"^reading the text, \d+ s$", before, re.MULTILINE)
    assert re.search(r"^setting up the model, \d+ s$", before, re.MULTILINE)
    assert re.search(r"^evaluating, character \d+ of 90, [\d:]+ left$", before, re.MULTILINE)
    assert re.search(r"^step 1 of 2, [\d:]+ left, .*validation .*, cpu, ", after, re.MULTILINE)
    said = hurried("evaluate", "--run", run)
    assert re.search(r"^loading the model, \d+ s$", said, re.MULTILINE)
    assert re.search(r"^reading the text, \d+ s$", said, re.MULTILINE)
    assert re.search(r"^evaluating, character \d+ of 90", said, re.MULTILINE)
    assert "loading the model, " in hurried("sample", "--run", run, "--length", 1)
    assert "drawing, " in hurried("plot", run, "--save", tmp_path / "losses.png")


def test_importing_pytorch_is_told(tmp_path):
    """In a process whose first import takes long, as from a cold disk."""
    program = """
import sys, time
from bardgpt import cli, progress
progress.FIRST = progress.TICK = 0.01
class Slow:
    def find_spec(self, name, *_):
        if name == "torch":
            time.sleep(1.5)
            raise ImportError("far enough")
sys.meta_path.insert(0, Slow())
cli.main(["--version"])
"""
    environment = os.environ | {"TQDM_DISABLE": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", env=environment
    )
    assert re.search(r"^loading PyTorch, 1 s$", done.stderr, re.MULTILINE)
    assert "ImportError: far enough" in done.stderr


def test_rebuilding_the_text_is_told(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(progress, "TICK", 0.001)
    monkeypatch.setattr(progress, "monotonic", lambda: 1_000 * time.monotonic())
    monkeypatch.setattr(progress, "Bar", partial(progress.Bar, disable=False))
    monkeypatch.setattr(corpus.rebuild, "rebuild", lambda: time.sleep(0.2) or b"nothing")
    with pytest.raises(corpus.CorpusError, match="wrong hash"):
        corpus._rebuilt()
    assert "rebuilding the text from the plays, " in capsys.readouterr().err
