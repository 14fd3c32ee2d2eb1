"""Ends at random moments, of real processes: what is trained afterwards is the same, to the bit."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from types import SimpleNamespace

import pytest
from forked import CONTEXT, HALVES, train
from test_run import FILES, TEXT, files

from bardgpt.training import checkpoint

pytestmark = pytest.mark.skipif(os.name == "nt", reason="has other signals")

STEPS = 60
RUN = (
    *("--steps", str(STEPS), "--batch-size", "4", "--block-size", "8", "--evaluate-every", "5"),
    *("--n-layer", "1", "--n-embd", "8", "--n-head", "2", "--dropout", "0.1"),
    *("--optimizer", "muon", "--learning-rate", "0.01", "--device", "cpu"),
)
KILL, TERM, ONCE, TWICE = "SIGKILL", "SIGTERM", "Ctrl-C", "Ctrl-C twice"
STATUS = {KILL: -signal.SIGKILL, TERM: -signal.SIGTERM, ONCE: 130, TWICE: 130}
MOMENTS = {"alive": 3, "evaluating": 1, "writing": 3, "step": 3, "last step": 1}  # and how often
REST = "a checkpoint is half written"
ENDS = 48  # at least; and of every kind, in every moment, and with such a rest, at least
EACH = 4
MODULES = 1_000  # that the command imports, at least
GOES_ON = "\nstopped after step {}; the same command goes on from there\n"


class Training:
    """`bardgpt train` in a folder, as often as it takes."""

    def __init__(self, root, text):
        self.run, self.output = root / "run", root / "output"
        self.arguments = ["train", "tiny", "--text", str(text), "--run", str(self.run), *RUN]

    def start(self):
        """Begin or go on: the process, and a connection that hears of its moments."""
        moments, other_end = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=train, args=(self.arguments, self.output, other_end))
        process.start()
        other_end.close()
        return process, moments

    def said(self):
        return self.output.read_text(encoding="utf-8")

    def step(self):
        """Of the state in the folder, -1 without one; every checkpoint there is whole."""
        values = {file.stem: checkpoint.load(file)[1] for file in self.run.glob("*.safetensors")}
        return values["last"]["trainer"]["step"] if "last" in values else -1

    def result(self):
        """All that a run leaves: tensors as bytes, values, and the other files."""
        kept = {name: (self.run / name).read_bytes() for name in files(self.run)}
        for name in kept:
            if name.endswith(".safetensors"):  # whose header may have its lines in another order
                tensors, values = checkpoint.load(self.run / name)
                kept[name] = values, {k: v.numpy().tobytes() for k, v in tensors.items()}
        return kept


def reached(moments, wished, times=1):
    """Wait until a process comes to a moment for the nth time; or has ended before."""
    with contextlib.suppress(EOFError):
        while times:
            times -= moments.recv() == wished


def end(process, how, pause):
    """End a process; `pause`: seconds between the two times that Ctrl-C is pressed."""
    number = {KILL: signal.SIGKILL, TERM: signal.SIGTERM}.get(how, signal.SIGINT)
    with contextlib.suppress(ProcessLookupError):  # if it has ended by itself
        os.kill(process.pid, number)
        if how == TWICE:
            time.sleep(pause)
            os.kill(process.pid, number)
    process.join(timeout=60)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    file = tmp_path_factory.mktemp("text") / "mine.txt"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def whole(text, tmp_path_factory):
    """A run that nobody ended: what it left, and the seconds that it took."""
    training = Training(tmp_path_factory.mktemp("whole"), text)
    process, moments = training.start()
    reached(moments, "alive")
    begun = time.monotonic()
    process.join()
    assert process.exitcode == 0, training.said()
    return SimpleNamespace(result=training.result(), seconds=time.monotonic() - begun)


def test_ends_at_random_moments_change_no_bit(whole, text, tmp_path):
    """Runs, each begun again until it is done; each process is ended at some moment, or finishes.

    Moments are drawn from the time that a whole run takes, from the first sign of life on, or from
    just after one that it tells: an evaluation, a checkpoint that is half written, a step.
    """
    assert set(whole.result) == FILES
    chance, ends, runs = random.Random(14), Counter(), 0
    kinds = (*STATUS, *MOMENTS, REST)
    while sum(ends[how] for how in STATUS) < ENDS or min(ends[kind] for kind in kinds) < EACH:
        assert runs < ENDS, ends
        root = tmp_path / str(runs)
        root.mkdir()
        training, runs = Training(root, text), runs + 1
        while True:
            process, moments = training.start()
            how, wished = chance.choice([*STATUS]), *chance.choices([*MOMENTS], MOMENTS.values())
            times = {"writing": chance.randint(1, 4), "step": chance.randint(1, 9)}
            reached(moments, wished, times.get(wished, 1))
            # Most of them soon after what was told: a file's two halves take longer than a step.
            longest = whole.seconds if wished == "alive" else chance.random() ** 2 * HALVES / 2
            process.join(timeout=chance.uniform(0, longest))
            end(process, how, chance.uniform(0, HALVES))
            said, step = training.said(), training.step()
            if process.exitcode == 0:
                break
            assert process.exitcode == STATUS[how], said
            rest = any(training.run.glob(".*.safetensors.*"))
            ends.update((how, wished, *(REST,) * rest))
            assert "Traceback" not in said
            if how == ONCE:  # before the first step there is nothing to lose, and to speak of
                assert ("stopping" in said) <= (step > 0)
                assert ("stopping" in said) <= said.endswith(GOES_ON.format(step))
            elif "stopped" in said:
                assert said.endswith(GOES_ON.format(step))
        assert training.result() == whole.result


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.9])
def test_ctrl_c_during_imports_is_quiet(tmp_path, share):
    """In a process that really imports; `share` of what comes after the command's first module."""
    words = ["-m", "bardgpt", "train", "tiny", "--run", str(tmp_path / "run"), *RUN]
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    said, after = [], None
    with process:
        for line in process.stdout:
            if not line.startswith("import time:"):
                said.append(line)
            elif after is not None:
                after += 1
                if after == int(share * MODULES):
                    process.send_signal(signal.SIGINT)
            elif line.split()[-1] == "bardgpt.cli":
                after = 0
    assert (process.returncode, said) == (-signal.SIGINT, [])  # which a shell calls 130
    assert not (tmp_path / "run").exists()
