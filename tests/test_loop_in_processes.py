"""What of the training loop shows only in a process of its own: these tests take seconds each."""

import os
import re
import subprocess
import sys

import pytest
from test_loop import ATTENTION, fingerprint, trained


def test_same_seed_same_bits_in_another_process():
    """Of a model with dropout, whose masks are random too."""
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_loop import ATTENTION, fingerprint, trained\n"
        "model, history = trained(architecture=ATTENTION)\n"
        "print(fingerprint(model), history)"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
        ).stdout
        for _ in range(2)
    }
    model, history = trained(architecture=ATTENTION)
    assert runs == {f"{fingerprint(model)} {history}\n"}


@pytest.mark.parametrize(
    ("progress", "variable", "seen"), [(True, "", True), (False, "", False), (True, "1", False)]
)
def test_progress_bar_can_be_seen_and_hidden(progress, variable, seen):
    """In a process of its own, for tqdm reads TQDM_DISABLE when it is imported."""
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_loop import CONFIG, GPT, IDS, SHORT, train_model\n"
        "sys.stderr.isatty = lambda: True\n"
        f"train_model(GPT(CONFIG), IDS, IDS[:100], SHORT, progress={progress})"
    )
    environment = {**os.environ, "TQDM_DISABLE": variable, "COLUMNS": "80"}
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, env=environment
    )
    shown = run.stderr.decode()  # as bytes first: text mode would turn the carriage returns
    drawn = re.search(r"step \d+ of \d+, .*train \d\.\d+, validation \d", shown)
    assert (drawn is not None) is seen
    assert shown.endswith("\r") if seen else shown == ""  # wiped at the end
