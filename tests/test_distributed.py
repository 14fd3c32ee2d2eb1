"""Several processes, started as readers would start them: by `torchrun`, on this machine."""

import os
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_run import ALPHABET, CPU, MODEL, TRAINING, metrics

from bardgpt.presets import Preset
from bardgpt.training import checkpoint, distributed
from bardgpt.training.devices import DeviceError
from bardgpt.training.distributed import Share, process_group, share_from_environment
from bardgpt.training.folder import RunError
from bardgpt.training.run import load_run, train_in_folder

# No dropout, whose masks differ. No Muon, which rounds to bfloat16: small differences become large.
STILL = Preset(
    replace(MODEL, dropout=0.0, embedding_dropout=0.0), replace(TRAINING, optimizer="adamw")
)
TEXT = ALPHABET * 130  # a rule that can be learned, so that the curve is one

WORKER = """
import os, sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
import torch
torch.set_num_threads(1)
from test_distributed import STILL, TEXT, CPU
from bardgpt.training import checkpoint, folder as of_run, log
from bardgpt.training import run as module
from bardgpt.training.trainer import Trainer

folder, dying = Path(sys.argv[1]), int(sys.argv[2])
rank, advance = os.environ["RANK"], Trainer.advance
module.CHECKPOINT_SECONDS = 0.0
(folder.parent / f"{folder.name}-pid-{rank}").write_text(str(os.getpid()))

def slower(self):
    if self.step == dying and rank == "1":
        os.kill(os.getpid(), 9)
    advance(self)

Trainer.advance = slower
written = []
really = checkpoint.write_whole
def spying(path, content):
    written.append(path.name)
    really(path, content)
of_run.write_whole = log.write_whole = checkpoint.write_whole = spying
seen = []
finished = module.train_in_folder(
    folder, STILL, text=TEXT, machine=CPU, progress=False, watch=seen.append
)
torch.save([finished.model.state_dict(), written, len(seen), len(finished.metrics)],
           folder.parent / f"{folder.name}-result-{rank}")
"""


def torchrun(folder, dying=-1):
    """Run it by two processes: the exit code, and all that was said.

    If one waited for another that has died, this would take half an hour.
    """
    program = folder.parent / "worker.py"
    program.write_text(WORKER, encoding="utf-8")
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    process = subprocess.Popen(
        [sys.executable, "-m", *launcher, program, folder, str(dying), Path(__file__).parent],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"},
    )
    try:
        output, _ = process.communicate(timeout=200)
    finally:
        process.terminate()  # which ends its workers too; nothing, if it has ended
    return process.returncode, output


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The same run by one process."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    train_in_folder(folder, STILL, text=TEXT, machine=CPU, progress=False)
    return folder


def assert_same_curve(one, other):
    """Within float tolerance: sums of gradients are taken in another order."""
    ones, others = metrics(one), metrics(other)
    assert [x["step"] for x in ones] == [x["step"] for x in others]
    for a, b in zip(ones, others, strict=True):
        assert a == pytest.approx(b, abs=1e-5)
    assert ones[0]["validation"] - ones[-1]["validation"] > 0.5


def test_two_processes_make_the_run_of_one(whole, tmp_path):
    """The same global batch; one of them writes; one that dies ends all, and the run goes on."""
    code, output = torchrun(tmp_path / "run", dying=25)
    assert code != 0
    assert "Signal 9 (SIGKILL)" in output  # torchrun says who it was, and of what it died
    for rank in (0, 1):  # the other one has not stayed behind
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / f"run-pid-{rank}").read_text(encoding="utf-8")), 0)
    assert checkpoint.load(tmp_path / "run" / "last.safetensors")[1]["trainer"]["step"] == 20

    code, output = torchrun(tmp_path / "run")
    assert code == 0, output
    assert_same_curve(whole, tmp_path / "run")
    results = [torch.load(tmp_path / f"run-result-{rank}") for rank in (0, 1)]
    alone = load_run(whole, "last")[0].state_dict()
    for name, value in results[0][0].items():
        assert torch.equal(results[1][0][name], value)  # of one another, to the bit
        torch.testing.assert_close(value, alone[name], rtol=1e-3, atol=1e-4)
    (_, written, seen, lines), (_, others_written, others_seen, others_lines) = results
    assert "last.safetensors" in written
    assert others_written == []
    assert (seen, others_seen) == (lines, 0)
    assert lines == others_lines == 8


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Share(0, 1)),
        ({"RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}, Share(3, 8)),
    ],
)
def test_torchruns_variables_say_which_share(environment, expected):
    assert share_from_environment(environment) == expected
    assert expected.writes is (expected.rank == 0)


def test_alone_nothing_is_set_up():
    share, layer, x = Share(), torch.nn.Linear(2, 2), torch.ones(3)
    with process_group(share, "cpu"):
        assert not torch.distributed.is_initialized()
        assert distributed.synchronised(layer, share) is layer
        assert distributed.mean(x, share) is x
        assert distributed.all_equal(3, share)
        distributed.raise_everywhere(None, share)
        with pytest.raises(RunError, match="taken"):
            distributed.raise_everywhere(RunError("taken"), share)


@pytest.mark.parametrize(
    ("share", "others"),
    [
        (Share(0, 2), "process 1"),
        (Share(1, 4), "processes 0, 2, 3"),
        (Share(7, 8), "processes 0, 1, 2, 3, 4, 5, 6"),
        (Share(3, 2_000), "the 1,999 others"),
    ],
)
def test_the_others_in_words(share, others):
    assert share.others == others


LONE = """
import os, sys, time
from bardgpt import cli, progress
cli.main(["--version"])
from bardgpt.training import distributed
distributed.WAIT_SECONDS, progress.TICK = 1, 0.01
progress.monotonic = lambda: 10 * time.monotonic()
for rank in "01":
    os.environ["RANK"] = rank
    begun = time.monotonic()
    print(cli.main(sys.argv[1:]), time.monotonic() - begun < 30, file=sys.stderr)
"""


def test_a_lone_worker_says_for_whom_it_waits_and_gives_up(tmp_path):
    """Whether the other is to come to it or it to the other; PyTorch's own log is not shown."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    (tmp_path / "mine.txt").write_text(TEXT, encoding="utf-8")
    words = ["train", "tiny", "--text", str(tmp_path / "mine.txt"), "--run", str(tmp_path / "run")]
    there = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TQDM_DISABLE": ""}
    done = subprocess.run(
        [sys.executable, "-c", LONE, *words, "--device", "cpu"],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | there,
    )
    of_ranks = re.split(r"^1 True\n", done.stderr, flags=re.MULTILINE)
    assert len(of_ranks) == 3
    for rank, other in ((0, 1), (1, 0)):
        *waits, error = of_ranks[rank].splitlines()
        place = f"127.0.0.1:{port}"
        assert error.startswith(
            f"bardgpt: process {rank} of 2 did not meet the others at {place} within 1 s; start "
            f"all of them with torchrun (waiting for process {other}: "
        )
        waits = [line for line in waits if line.startswith("process")]
        line = rf"process {rank} of 2 waits at {place} for process {other}, \d+ s"
        assert waits
        assert all(re.fullmatch(line, said) for said in waits)
        assert len(of_ranks[rank].splitlines()) < 20
    assert not (tmp_path / "run").exists()


def test_a_slip_while_processes_meet_keeps_its_traceback(monkeypatch):
    def slip(*_, **__):
        raise RuntimeError("not the user's fault")

    monkeypatch.setattr(torch.distributed, "init_process_group", slip)
    with pytest.raises(RuntimeError, match="not the user's fault"):
        process_group(Share(0, 2), "cpu").__enter__()


def test_apples_gpu_cannot_be_one_of_several():
    with pytest.raises(DeviceError, match="choose 'cpu', or start one process"):
        process_group(Share(0, 2), "mps").__enter__()
