"""Plant a known mistake in a copy of the project, and see what notices.

`make break` lists the mistakes of `tests/faults`, and `make break FAULT=name` shows one at work.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))  # the catalogue lies beside what convicts

from faults import FAULTS, TOPICS  # noqa: E402
from faults.kinds import Cell, Fault, UnitTest  # noqa: E402


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


def place(cell: Cell, root: Path = ROOT) -> int:
    """Where a cell stands among all cells of its notebook.

    Raises:
        ValueError: if not exactly one code cell holds the piece of source.
    """
    cells = nbformat.read(root / cell.file, as_version=4).cells
    places = [i for i, c in enumerate(cells) if c.cell_type == "code" and cell.holding in c.source]
    if len(places) != 1:
        raise ValueError(f"{cell.holding!r} is in {len(places)} code cells of {cell.file}")
    return places[0]


def name_of(check: Cell | UnitTest) -> str:
    """How pytest reports it; nbval counts code cells from 0.

    Raises:
        ValueError: as `place`.
    """
    if isinstance(check, UnitTest):
        return check.name
    before = nbformat.read(ROOT / check.file, as_version=4).cells[: place(check)]
    return f"Cell {sum(c.cell_type == 'code' for c in before)}"


def edit(fault: Fault) -> tuple[str, str]:
    """The file as it is, and with the fault.

    Raises:
        ValueError: if the right text does not stand exactly once in the file.
    """
    source = (ROOT / fault.file).read_text(encoding="utf-8")
    if source.count(fault.right) != 1:
        raise ValueError(f"{fault.name}: {fault.right!r} is not exactly once in {fault.file}")
    return source, source.replace(fault.right, fault.wrong)


def diff(fault: Fault) -> str:
    """The lines that the fault changes: - right, + wrong.

    Raises:
        ValueError: as `edit`.
    """
    right, wrong = (source.splitlines() for source in edit(fault))
    lines = list(difflib.unified_diff(right, wrong, n=0, lineterm=""))[2:]  # without its header
    return "\n".join(line for line in lines if not line.startswith("@@"))


def plant(fault: Fault, copy: Path) -> None:
    """Copy what the checks need, and make the edit there.

    Raises:
        ValueError: as `edit`.
    """
    _, wrong = edit(fault)
    made = shutil.ignore_patterns("__pycache__", "node_modules", ".ipynb_checkpoints")
    for folder in ("src", "tests", "book"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=made)
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / fault.file).write_text(wrong, encoding="utf-8")


def try_check(check: Cell | UnitTest, copy: Path) -> Verdict:
    """Run the check's file in a copy of the project, whatever is installed elsewhere.

    Of a notebook only the cells up to the mapped one are run, which is all that it depends on.

    Raises:
        ValueError: if the file has no such check.
    """
    if isinstance(check, Cell):
        cut_after(check, copy)
    name, verdict, others = name_of(check), None, 0
    for case in run([check.file], copy):
        problems = [part for part in case if part.tag in ("failure", "error")]
        if case.get("name").split("[")[0] != name:
            others += bool(problems)
        elif verdict is None or not verdict[0]:  # of several parameters, the first that failed
            verdict = _plain(problems[0]) if problems else ("", "")
    if verdict is None:
        raise ValueError(f"{check.file} has no check {name!r}")
    return Verdict(*verdict, others)


def run(files: list[str], copy: Path) -> list[ET.Element]:
    """Run test files or notebooks of a copy, and return pytest's report of each check."""
    report = copy / "report.xml"
    # Without its plugin hypothesis works all the same, and most files need not wait for it.
    options = ["-q", f"--junitxml={report}", "-p", "no:hypothesispytest"]
    if files[0].endswith(".ipynb"):
        options += ["--nbval", "--nbval-current-env", "-n", str(min(len(files), 2))]
        options += ["--dist", "loadfile", "--nbval-sanitize-with", "tests/nbval_sanitize.cfg"]
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "TQDM_DISABLE": "1"},
        capture_output=True,
    )
    return list(ET.parse(report).iter("testcase"))


def red_cells(copy: Path) -> list[str]:
    """Which cells of the book turn red in a copy, each with the first line that it prints by.

    Of a notebook whose cell raised an error, the cells after it say nothing and are left out.
    """
    found = [*copy.glob("book/*.ipynb"), *copy.glob("book/appendix/*.ipynb")]
    files = sorted(file.relative_to(copy).as_posix() for file in found)
    red = []
    for case in run(files, copy):
        if not any(part.tag in ("failure", "error") for part in case):
            continue
        notebook = next(file for file in files if Path(file).stem in case.get("classname"))
        cells = nbformat.read(copy / notebook, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        source = code[int(case.get("name").removeprefix("Cell "))].source.splitlines()
        line = next((line for line in source if "print(" in line or "(" in line), source[0])
        red.append(f"{Path(notebook).stem}, {case.get('name').lower()}: {line.strip()[:70]}")
    return red


def _plain(problem: ET.Element) -> tuple[str, str]:
    """A failure's short and long text, without the terminal colours of nbval."""
    colour = re.compile(r"#x1B(\[[\d;]*m)?")
    return colour.sub("", problem.get("message")), colour.sub("", problem.text or "")


def cut_after(cell: Cell, copy: Path) -> None:
    """Drop the cells that follow one, in the copy."""
    notebook = nbformat.read(copy / cell.file, as_version=4)
    del notebook.cells[place(cell, copy) + 1 :]
    nbformat.write(notebook, copy / cell.file)


def telling(verdict: Verdict, most: int) -> list[str]:
    """The lines of a failure that say what was asserted and what was found instead.

    Of a cell, nbval shows the stored output after a + and what came instead after a -: the other
    way round than the fault's diff, so they are given words.
    """
    lines = [line.strip() for line in verdict.details.splitlines()]
    words = {"- ": "E   now:    ", "+ ": "E   stored: "}
    lines = [words.get(line[:2], line[:2]) + line[2:] for line in lines]
    lines = [line for line in lines if re.match(r"[>E] +(?!\+ +(where|and) )\S", line)]
    if not lines and "AssertionError: " in verdict.details:  # a cell that raised: its last words
        said = verdict.details.rpartition("AssertionError: ")[2].splitlines()
        lines = [f"E   {line.strip()}" for line in said if line.strip()]
    return [f"    {line[:110]}" for line in lines[:most] or [verdict.message or "passed"]]


def describe(fault: Fault, verdict: Verdict) -> str:
    """A fault, its check, what that said, and how many others said something too."""
    lines = [f"{fault.name} -> {fault.check.file}::{name_of(fault.check)}", *telling(verdict, 4)]
    lines += [f"    other checks of that file that failed too: {verdict.others}"]
    return "\n".join(lines)


def demonstrate(fault: Fault) -> bool:
    """Plant a fault in a copy of the project, say what its check made of it, drop the copy.

    Returns:
        Whether the check noticed, by what it asserts.
    """
    print(f"{fault.name}: {fault.story}\n\n{fault.file}\n{diff(fault)}\n")
    print(f"Running {fault.check.file} and every notebook in a copy of the project …", flush=True)
    with tempfile.TemporaryDirectory(prefix="bardgpt-fault-") as folder:
        plant(fault, Path(folder))
        cells = red_cells(Path(folder))
        verdict = try_check(fault.check, Path(folder))
    said = "red by what it asserts" if verdict.message else "still green"
    if verdict.message and not verdict.convicts:
        said = "red, but by a crash, which proves nothing about the check"
    print(f"{name_of(fault.check)}: {said}")
    if verdict.message:
        print("\n".join(telling(verdict, 8)))
    print(f"Other checks of that file that turned red too: {verdict.others}")
    print(f"Cells of the book that turned red: {len(cells)}")
    print("".join(f"    {cell}\n" for cell in cells), end="")
    print("The copy is deleted; your own files were not touched.")
    return verdict.convicts


def main(arguments: list[str] | None = None) -> int:
    """Show one fault at work, or list them all.

    Returns:
        0, or 1 if the fault's check did not notice it.
    """
    faults = {fault.name: fault for fault in FAULTS}
    parser = argparse.ArgumentParser(description="Plant a known mistake and see what notices.")
    parser.add_argument("name", nargs="?", help="of the fault; without it, all are listed")
    name = parser.parse_args(arguments).name
    if name is None:
        for said, of_topic in TOPICS.values():
            print(said, *(f"  {fault.name:<34}{fault.story}" for fault in of_topic), "", sep="\n")
        print("make break FAULT=name plants one in a copy of the project.")
        return 0
    if name not in faults:
        parser.error(f"no fault {name!r}; there are {', '.join(faults)}")
    return int(not demonstrate(faults[name]))


if __name__ == "__main__":
    sys.exit(main())
