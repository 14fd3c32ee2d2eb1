"""Planted faults: mistakes that people really make, each with the one check that must notice.

A fault is an edit of one place in `src`. It is applied to a copy of the project, and the file of
its check is run there. The check must fail because what it asserts is false: a fault that merely
crashes, by import, name or shape, proves nothing about the check.
"""

import os
import re
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

    file: str
    holding: str

    @property
    def name(self) -> str:
        """The name under which nbval reports it: code cells are counted from 0."""
        cells = nbformat.read(ROOT / self.file, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        (place,) = [i for i, cell in enumerate(code) if is_code_holding(cell, self.holding)]
        return f"Cell {place}"


def is_code_holding(cell: nbformat.NotebookNode, piece: str) -> bool:
    return cell.cell_type == "code" and piece in cell.source


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
    """What the check's file said about the copy with the fault.

    Attributes:
        message: the mapped check's failure in short; empty if it passed.
        details: the same at length.
        others: how many checks of the file failed besides.
    """

    message: str
    details: str
    others: int

    @property
    def convicts(self) -> bool:
        """Whether the mapped check failed by what it asserts, and not by a crash on the way."""
        asserts = ("AssertionError", "assert ", "Failed: DID NOT RAISE", "Failed: DID NOT WARN")
        return (
            self.message.startswith(asserts)
            or "Cell outputs differ" in self.message
            or bool(re.search(r"^AssertionError +Traceback", self.details, re.MULTILINE))
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
    """Run the check's file in a copy of the project, whatever is installed elsewhere.

    Of a notebook only the cells up to the mapped one are run, which is all that it depends on.

    Raises:
        ValueError: if the file has no such check.
    """
    report = copy / "report.xml"
    options = ["-q", f"--junitxml={report}"]
    if isinstance(check, Cell):
        options += ["--nbval", "--nbval-current-env"]
        options += ["--nbval-sanitize-with", "tests/nbval_sanitize.cfg"]
        cut_after(check, copy)
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, check.file],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "TQDM_DISABLE": "1"},
        capture_output=True,
    )
    verdict, others = None, 0
    for case in ET.parse(report).iter("testcase"):
        problems = [part for part in case if part.tag in ("failure", "error")]
        if case.get("name").split("[")[0] != check.name:
            others += bool(problems)
        elif verdict is None or not verdict[0]:  # of several parameters, the first that failed
            verdict = _plain(problems[0]) if problems else ("", "")
    if verdict is None:
        raise ValueError(f"{check.file} has no check {check.name!r}")
    return Verdict(*verdict, others)


def _plain(problem: ET.Element) -> tuple[str, str]:
    """A failure's short and long text, without the terminal colours of nbval."""
    colour = re.compile(r"#x1B(\[[\d;]*m)?")
    return colour.sub("", problem.get("message")), colour.sub("", problem.text or "")


def cut_after(cell: Cell, copy: Path) -> None:
    """Drop the cells that follow one, in the copy."""
    notebook = nbformat.read(copy / cell.file, as_version=4)
    (place,) = [i for i, c in enumerate(notebook.cells) if is_code_holding(c, cell.holding)]
    del notebook.cells[place + 1 :]
    nbformat.write(notebook, copy / cell.file)


def describe(fault: Fault, verdict: Verdict) -> str:
    """A fault, its check, what that said, and how many others said something too."""
    telling = [line.strip() for line in verdict.details.splitlines()]
    telling = [line for line in telling if line.startswith(("E ", "- ", "+ "))]
    lines = [f"{fault.name} -> {fault.check.file}::{fault.check.name}"]
    lines += [f"    {line[:110]}" for line in telling[:4] or [verdict.message or "passed"]]
    lines += [f"    other checks of that file that failed too: {verdict.others}"]
    return "\n".join(lines)
