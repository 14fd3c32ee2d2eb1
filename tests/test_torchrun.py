"""The lines that start several processes, as README and appendix print them."""

import json
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from torch.distributed.run import get_args_parser

from bardgpt import cli
from bardgpt.presets import PRESETS

ROOT = Path(__file__).resolve().parents[1]
APPENDIX = ROOT / "book/appendix/several-gpus.py"


def lines(page):
    """Commands that a page prints, each as words; one may go on after a backslash."""
    text = re.sub(r"\\\n(?:#\s+)?\s*", "", page.read_text(encoding="utf-8"))
    return [shlex.split(found) for found in re.findall(r"\btorchrun (--[^`\n]+)", text)]


PRINTED = [*lines(ROOT / "README.md"), *lines(APPENDIX)]
SEVERAL_MACHINES = [words for words in PRINTED if "--nnodes" in words]


def test_they_are_found():
    assert len(lines(ROOT / "README.md")) == 1
    assert len(lines(APPENDIX)) == 2
    assert len(SEVERAL_MACHINES) == 1


@pytest.mark.parametrize("words", PRINTED, ids=" ".join)
def test_torchrun_and_bardgpt_understand(words, monkeypatch):
    read = get_args_parser().parse_args(words)
    assert (read.module, read.training_script) == (True, "bardgpt.cli")
    machines = int(read.nnodes.split(":")[-1])  # from least to most; one if not said
    processes = machines * int(read.nproc_per_node)
    assert PRESETS["full"].training.batch_size % processes == 0
    seen = []
    monkeypatch.setattr(
        "bardgpt.cli.train.train_in_folder", lambda folder, preset, **_: seen.append(preset)
    )
    monkeypatch.setenv("RANK", "1")  # which says nothing at the end
    assert cli.main(read.training_script_args) == 0
    assert seen == [PRESETS["full"]]


def test_several_machines(tmp_path):
    """The line started twice here, as two machines would, on one another's port; a small model."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    (words,) = SEVERAL_MACHINES
    replaced = {"first-machine:29500": f"localhost:{port}", "4": "1", "full": "tiny"}
    words = [replaced.get(word, word) for word in words[: words.index("--folder")]]
    words += ["--folder", str(tmp_path / "run"), "--device", "cpu", "--model.n-layer", "1"]
    words += ["--training.steps", "2", "--training.evaluate-every", "2"]
    command = [sys.executable, "-m", "torch.distributed.run", *words]
    machines = [
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
        )
        for _ in range(2)
    ]
    try:
        said = [machine.communicate(timeout=300)[0] for machine in machines]
    finally:
        for machine in machines:
            machine.terminate()  # which ends its workers too; nothing, if it has ended
            machine.communicate()
    assert [machine.returncode for machine in machines] == [0, 0], said
    assert sum("2 steps, 512 characters: validation loss" in told for told in said) == 1
    log = (tmp_path / "run/metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["step"] for line in log] == [0, 1, 2]
