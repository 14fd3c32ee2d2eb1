"""Planted faults: mistakes that people really make, each with the one check that must notice.

A fault is an edit of one place in `src`. It is applied to a copy of the project, and the file of
its check is run there. The check must fail because what it asserts is false: a fault that merely
crashes, by import, name or shape, proves nothing about the check.
"""

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
PACKAGE = Path("src/bardgpt")


@dataclass(frozen=True)
class Cell:
    """A code cell of a chapter's notebook, found by a piece of its source."""

    notebook: str
    holding: str

    @property
    def file(self) -> str:
        return self.notebook

    @property
    def name(self) -> str:
        """The name under which nbval reports it: code cells are counted from 0."""
        cells = nbformat.read(ROOT / self.notebook, as_version=4).cells
        code = [cell.source for cell in cells if cell.cell_type == "code"]
        (place,) = [i for i, source in enumerate(code) if self.holding in source]
        return f"Cell {place}"


@dataclass(frozen=True)
class UnitTest:
    """A test function of a file in tests/, any of its parameters."""

    file: str
    name: str


@dataclass(frozen=True)
class Fault:
    """One wrong edit, and the check that must turn red."""

    name: str
    module: str
    right: str
    wrong: str
    check: Cell | UnitTest


FAULTS = [
    Fault(
        "targets-not-shifted",
        "batches.py",
        "return windows[:, :-1], windows[:, 1:]",
        "return windows[:, :-1], windows[:, :-1]",
        UnitTest("tests/test_batches.py", "test_targets_are_the_next_characters"),
    ),
    Fault(
        "split-leak",
        "batches.py",
        "return ids[:n_train], ids[n_train:]",
        "return ids[:n_train], ids[n_train - 100 :]",
        UnitTest("tests/test_batches.py", "test_split_is_in_order_without_gap_or_overlap"),
    ),
    Fault(
        "random-evaluation-windows",
        "evaluation.py",
        "for x, y in evaluation_windows(ids, model.config.block_size)",
        "for x, y in [(ids[s[:, None] + torch.arange(T)], ids[s[:, None] + torch.arange(1, T + 1)])"
        " for T in [model.config.block_size] for s in [torch.randint(len(ids) - T, (200,))]]",
        UnitTest(
            "tests/test_evaluation.py",
            "test_same_model_gives_the_same_number_whatever_the_random_state",
        ),
    ),
    Fault(
        "last-window-dropped",
        "batches.py",
        "if whole < len(targets):",
        "if False:",
        Cell("book/01-text-and-yardstick.ipynb", "evaluation_windows(validation, block_size=8)"),
    ),
    Fault(
        "softmax-over-wrong-dimension",
        "sampling.py",
        "return F.softmax(shifted / temperature, dim=-1)",
        "return F.softmax(shifted / temperature, dim=0)",
        UnitTest("tests/test_sampling.py", "test_probabilities_at_temperature_1_are_the_softmax"),
    ),
]


@dataclass(frozen=True)
class Verdict:
    """What the check's file said about the copy with the fault."""

    message: str | None  # of the mapped check's failure; None if it passed
    others: int  # checks of the same file that failed as well

    @property
    def convicts(self) -> bool:
        """Whether the mapped check failed by what it asserts."""
        return self.message is not None and any(
            sign in self.message for sign in ("AssertionError", "assert ", "Cell outputs differ")
        )


def plant(fault: Fault, copy: Path) -> None:
    """Copy what the checks need, and make the edit there.

    Raises:
        ValueError: if the right text does not stand exactly once in the module.
    """
    for folder in ("src", "tests", "book"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    module = copy / PACKAGE / fault.module
    source = module.read_text(encoding="utf-8")
    if source.count(fault.right) != 1:
        raise ValueError(f"{fault.name}: {fault.right!r} is not exactly once in {fault.module}")
    module.write_text(source.replace(fault.right, fault.wrong), encoding="utf-8")


def try_check(check: Cell | UnitTest, copy: Path) -> Verdict:
    """Run the check's file in a copy of the project, whatever is installed elsewhere."""
    report = copy / "report.xml"
    options = ["-q", f"--junitxml={report}"]
    if isinstance(check, Cell):
        options += ["--nbval", "--nbval-current-env"]
        options += ["--nbval-sanitize-with", "tests/nbval_sanitize.cfg"]
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, check.file],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "TQDM_DISABLE": "1"},
        capture_output=True,
        text=True,
    )
    message, others, found = None, 0, False
    for case in ET.parse(report).iter("testcase"):
        problem = case.find("failure") if case.find("failure") is not None else case.find("error")
        mapped = case.get("name").split("[")[0] == check.name
        found |= mapped
        if problem is not None and mapped:
            # nbval's own words come with terminal colours, which XML can't hold.
            text = problem.get("message") + "\n" + (problem.text or "")
            message = message or text.replace("#x1B", "")
        elif problem is not None:
            others += 1
    if not found:
        raise ValueError(f"{check.file} has no check {check.name!r}")
    return Verdict(message, others)
