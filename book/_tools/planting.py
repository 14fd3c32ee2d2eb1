"""Plant a fault of `tests/faults` in a copy of the project, and read what a check makes of it."""

import difflib
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from runner import Runner, printed

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))  # the catalogue lies beside what convicts

from faults import FAULTS, TOPICS  # noqa: E402
from faults.kinds import Cell, Fault, UnitTest  # noqa: E402

COPIED = ("src", "tests", "book")
MADE = shutil.ignore_patterns("__pycache__", "node_modules", ".ipynb_checkpoints")
REPORT = "report-{}.xml"
CELL_TIMEOUT = 120  # seconds, as in `make test`


@dataclass(frozen=True)
class Verdict:
    """What a check said about the copy with the fault.

    Attributes:
        name: the check's, as pytest reports it.
        message: its failure in short; empty if it passed.
        details: the same at length.
    """

    name: str
    message: str = ""
    details: str = ""

    @property
    def raised(self) -> bool:
        """Whether this is a cell that has come to no end."""
        return self.message.startswith("Notebook cell execution failed")

    @property
    def convicts(self) -> bool:
        """Whether the check failed by what it asserts, and not by a crash on the way."""
        asserts = ("AssertionError", "assert ", "Failed: DID NOT RAISE", "Failed: DID NOT WARN")
        return (
            self.message.startswith(asserts)
            or "Cell outputs differ" in self.message
            or bool(re.search(r"^AssertionError +Traceback", self.details, re.MULTILINE))
        )


def catalogue() -> str:
    """All faults by topic, a line each: the name, then the story."""
    width = max(len(fault.name) for fault in FAULTS) + 2
    topics = [
        "\n".join([said, *(f"  {fault.name:<{width}}{fault.story}" for fault in faults)])
        for said, faults in TOPICS.values()
    ]
    return "\n\n".join(topics)


def by_name(name: str) -> Fault:
    """The fault of that name.

    Raises:
        KeyError: if there is none; it says which names are near.
    """
    faults = {fault.name: fault for fault in FAULTS}
    if name not in faults:
        near = [other for other in faults if name in other]
        near += difflib.get_close_matches(name, faults, n=3, cutoff=0.4)
        hint = f"; did you mean {', '.join(dict.fromkeys(near))}?" if near else ""
        raise KeyError(f"there is no fault {name!r}{hint}")
    return faults[name]


def place(cell: Cell, root: Path) -> int:
    """Where a cell stands among all cells of its notebook, in the project or a copy.

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
    before = nbformat.read(ROOT / check.file, as_version=4).cells[: place(check, ROOT)]
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
    for folder in COPIED:
        shutil.copytree(ROOT / folder, copy / folder, ignore=MADE)
    for file in ROOT.iterdir():
        if file.is_file():
            shutil.copy(file, copy)
    (copy / fault.file).write_text(wrong, encoding="utf-8")


def options(file: str, name: str | None = None) -> list[str]:
    """What pytest is told: to run a test file or a notebook, or one test of the file alone."""
    report = REPORT.format(Path(file).stem)
    # Without its plugin hypothesis works all the same, and most files need not wait for it.
    said = ["-q", f"--junitxml={report}", "-p", "no:hypothesispytest"]
    if file.endswith(".ipynb"):
        said += ["--nbval", "--nbval-current-env", "--nbval-cell-timeout", str(CELL_TIMEOUT)]
        said += ["--nbval-sanitize-with", "tests/nbval_sanitize.cfg"]
    return [*said, f"{file}::{name}" if name else file]


def verdicts(file: str, copy: Path) -> list[Verdict]:
    """What each check of a file has said, once pytest has run it in the copy.

    Raises:
        RuntimeError: if pytest came to no end; it quotes the last that was printed.
    """
    report = copy / REPORT.format(Path(file).stem)
    if not report.is_file():
        raise RuntimeError(f"pytest has not reported on {file}:\n{printed(copy)[-2_000:]}")
    return [
        Verdict(case.get("name"), *_plain(problems[0]) if problems else ())
        for case in ET.parse(report).iter("testcase")
        for problems in [[part for part in case if part.tag in ("failure", "error")]]
    ]


def _plain(problem: ET.Element) -> tuple[str, str]:
    """A failure's short and long text, without the terminal colours of nbval."""
    colour = re.compile(r"#x1B(\[[\d;]*m)?")
    return colour.sub("", problem.get("message")), colour.sub("", problem.text or "")


def verdict_of(check: Cell | UnitTest, of_file: Sequence[Verdict]) -> Verdict:
    """What the check said, among all of its file; of several parameters, the first that failed.

    If the file could not even be read, because what it imports crashes, that is the verdict.

    Raises:
        ValueError: if the file has no such check.
    """
    name = name_of(check)
    own = [verdict for verdict in of_file if verdict.name.split("[")[0] == name]
    own = own or [verdict for verdict in of_file if verdict.message == "collection failure"]
    if not own:
        raise ValueError(f"{check.file} has no check {name!r}")
    return next((verdict for verdict in own if verdict.message), own[0])


def try_check(check: Cell | UnitTest, copy: Path, runner: Runner) -> Verdict:
    """Run a check in a copy of the project, with nothing that it does not depend on.

    Of a test file that is the one test, and of a notebook the cells up to the mapped one: those
    after it are dropped in the copy.

    Raises:
        ValueError: if the file has no such check.
    """
    if isinstance(check, Cell):
        notebook = nbformat.read(copy / check.file, as_version=4)
        del notebook.cells[place(check, copy) + 1 :]
        nbformat.write(notebook, copy / check.file)
        runner.start(copy, options(check.file))
    else:
        runner.start(copy, options(check.file, check.name))
    runner.has_ended()
    return verdict_of(check, verdicts(check.file, copy))


def telling(verdict: Verdict, most: int) -> list[str]:
    """The lines of a failure that say what was asserted and what came instead.

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
    if not lines:  # a cell that raised without a word: the line in it
        lines = [f">   {line}" for line in re.findall(r"-> +\d+ (.*)", verdict.details)]
    return [f"    {line[:110]}" for line in lines[:most] or [verdict.message or "passed"]]


def describe(fault: Fault, verdict: Verdict) -> str:
    """A fault, its check, and what that said."""
    head = f"{fault.name} -> {fault.check.file}::{name_of(fault.check)}"
    return "\n".join([head, *telling(verdict, 4)])
