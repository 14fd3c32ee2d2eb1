"""Each planted fault turns its mapped check red, and by what that check asserts.

Then the tools that plant them, on a project of three files that plays the part of this one.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import breaking
import nbformat
import planting
import psutil
import pytest
from breaking import main, red_cells
from faults import FAULTS, TOPICS
from faults.kinds import Cell, Fault, UnitTest
from planting import Verdict, by_name, catalogue, describe, diff, name_of, plant, telling, try_check
from runner import Runner

ROOT = planting.ROOT
NOTEBOOKS = [*ROOT.glob("book/*.ipynb"), *ROOT.glob("book/appendix/*.ipynb")]


@pytest.fixture(scope="session")
def runner():
    with Runner() as runner:
        yield runner


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_noticed(fault: Fault, tmp_path, runner, record_property):
    plant(fault, tmp_path)
    verdict = try_check(fault.check, tmp_path, runner)
    shutil.rmtree(tmp_path)  # copies of the whole project add up
    record_property("fault", describe(fault, verdict))  # printed by conftest.py at the end
    assert verdict.convicts, verdict.details


# The catalogue


def test_names_are_unique():
    assert [name for name, n in Counter(fault.name for fault in FAULTS).items() if n > 1] == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_story_is_one_line(fault):
    assert 30 < len(fault.story) <= 90
    assert "\n" not in fault.story


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_of_every_chapter_are_put_to_the_test(notebook):
    file = notebook.relative_to(ROOT).as_posix()
    of_it = [
        fault for fault in FAULTS if isinstance(fault.check, Cell) and fault.check.file == file
    ]
    assert len(of_it) >= 2


def test_a_topic_is_every_file_of_the_catalogue():
    files = {path.stem for path in ROOT.glob("tests/faults/*.py")}
    assert set(TOPICS) == files - {"__init__", "kinds"}
    assert all(faults for _, faults in TOPICS.values())


def test_list_is_by_topic():
    topics = [text.splitlines() for text in catalogue().split("\n\n")]
    assert [head for head, *_ in topics] == [said for said, _ in TOPICS.values()]
    listed = [[line.split()[0] for line in lines] for _, *lines in topics]
    assert listed == [[fault.name for fault in faults] for _, faults in TOPICS.values()]


def test_an_unknown_name_says_which_are_near():
    assert by_name("no-mask").name == "no-mask"
    with pytest.raises(KeyError, match=r"no fault 'no-masks'; did you mean no-mask, "):
        by_name("no-masks")
    with pytest.raises(KeyError, match="did you mean depth-scale-without-the-2"):
        by_name("without-the-2")
    with pytest.raises(KeyError, match=r"no fault 'xyz'\"$"):
        by_name("xyz")


# A project of three files: a function, its test, a notebook with it.

HALF = Fault(
    "thirds", "Half of it is said, and a third is meant.", "src/half.py", "x / 2", "x / 3",
    UnitTest("tests/test_half.py", "test_half"),
)  # fmt: skip
PRINTED = Cell("book/01-half.ipynb", "print(half(6))")
CATALOGUE = f"from faults.kinds import Cell, Fault, UnitTest\n\nFAULTS = [{HALF!r}]\n"


def notebook(*cells: tuple[str, str]) -> nbformat.NotebookNode:
    """One of these cells, each with what it printed when it was stored."""
    code = [nbformat.v4.new_code_cell(source, execution_count=1) for source, _ in cells]
    for cell, (_, printed) in zip(code, cells, strict=True):
        if printed:
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{printed}\n")]
    return nbformat.v4.new_notebook(cells=code)


@pytest.fixture
def project(tmp_path, monkeypatch):
    root = tmp_path / "project"
    shutil.copytree(ROOT / "book/_tools", root / "book/_tools", ignore=planting.MADE)
    (root / "tests/faults").mkdir(parents=True)
    for name in ("nbval_sanitize.cfg", "faults/__init__.py", "faults/kinds.py"):
        shutil.copy(ROOT / "tests" / name, root / "tests" / name)
    (root / "tests/faults/numbers.py").write_text(
        f'"""Faults of numbers."""\n\n{CATALOGUE}', encoding="utf-8"
    )
    (root / "tests/test_half.py").write_text(
        "from half import half\n\ndef test_half():\n    assert half(6) == 3\n\n"
        "def test_too():\n    assert half(2) == 1\n\n"
        "def test_nothing():\n    assert half(0) == 0\n",
        encoding="utf-8",
    )
    (root / "src").mkdir()
    (root / "src/half.py").write_text("def half(x):\n    return x / 2\n", encoding="utf-8")
    (root / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\npythonpath = ["tests"]\n', encoding="utf-8"
    )
    cells = [("from half import half", ""), ("print(half(6))", "3.0"), ("print(half(0))", "0.0")]
    nbformat.write(notebook(*cells), root / "book/01-half.ipynb")
    monkeypatch.setattr(planting, "ROOT", root)
    monkeypatch.setattr(breaking, "ROOT", root)
    return root


def verdict_on(fault: Fault, copy: Path, runner: Runner) -> Verdict:
    plant(fault, copy)
    return try_check(fault.check, copy, runner)


def test_an_edit_that_changes_nothing_is_not_noticed(project, tmp_path, runner):
    """Else the copy would be red by itself, and every fault would seem to be caught."""
    for i, check in enumerate((HALF.check, PRINTED)):
        harmless = replace(HALF, wrong="x * 0.5", check=check)
        verdict = verdict_on(harmless, tmp_path / f"{i}", runner)
        assert verdict == Verdict(name_of(check))
        assert not verdict.convicts


def test_a_test_and_a_cell_convict_by_what_they_assert(project, tmp_path, runner):
    verdict = verdict_on(HALF, tmp_path / "test", runner)
    assert verdict.convicts
    assert telling(verdict, 2) == [
        "    >       assert half(6) == 3",
        "    E       assert 2.0 == 3",
    ]
    verdict = verdict_on(replace(HALF, check=PRINTED), tmp_path / "cell", runner)
    assert verdict.convicts
    assert telling(verdict, 8) == ["    E   now:    2.0", "    E   stored: 3.0"]


@pytest.mark.parametrize("check", [HALF.check, PRINTED], ids=["test", "cell"])
@pytest.mark.parametrize("wrong", ["x.nonsense", "x / 2\n\nraise ImportError"])
def test_a_crash_is_no_conviction(project, tmp_path, runner, wrong, check):
    verdict = verdict_on(replace(HALF, wrong=wrong, check=check), tmp_path / "copy", runner)
    assert verdict.message
    assert not verdict.convicts


def test_an_assertion_of_a_cell_convicts(project, tmp_path, runner):
    file = "book/01-half.ipynb"
    cells = [("from half import half", ""), ("assert half(6) == 3, 'not close'", "")]
    nbformat.write(notebook(*cells), project / file)
    fault = replace(HALF, check=Cell(file, "assert"))
    verdict = verdict_on(fault, tmp_path / "copy", runner)
    assert verdict.convicts
    assert telling(verdict, 8) == ["    E   not close"]


def test_a_fault_whose_place_is_gone_is_refused(project, tmp_path):
    with pytest.raises(ValueError, match=r"'x / 5' is not exactly once in src/half\.py"):
        plant(replace(HALF, right="x / 5"), tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_a_run_that_dies_is_an_error_with_its_last_words(project, tmp_path, runner):
    deadly = replace(HALF, wrong="print('half', flush=True) or __import__('os')._exit(3)")
    with pytest.raises(RuntimeError, match=r"not reported on tests/test_half\.py:\n"):
        verdict_on(deadly, tmp_path / "dead", runner)
    assert verdict_on(HALF, tmp_path / "next", runner).convicts


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (UnitTest("tests/test_half.py", "test_gone"), "has no check 'test_gone'"),
        (Cell("book/01-half.ipynb", "print(gone)"), "is in 0 code cells of book/01-half.ipynb"),
        (Cell("book/01-half.ipynb", "half("), "is in 2 code cells of book/01-half.ipynb"),
    ],
)
def test_a_check_that_is_gone_is_refused(project, tmp_path, runner, check, said):
    with pytest.raises(ValueError, match=said):
        verdict_on(replace(HALF, check=check), tmp_path / "copy", runner)


def test_diff_shows_whole_lines_of_the_file(project):
    assert diff(HALF) == "-    return x / 2\n+    return x / 3"


def test_red_cells_end_with_one_that_raised(project):
    raised = "Notebook cell execution failed"
    of_file = [
        Verdict("Cell 0"),
        Verdict("Cell 1", "Cell outputs differ"),
        Verdict("Cell 2", raised),
    ]
    red = ["01-half, cell 1: print(half(6))", "01-half, cell 2: print(half(0))"]
    assert red_cells("book/01-half.ipynb", of_file) == red
    of_file[1] = Verdict("Cell 1", raised)
    assert red_cells("book/01-half.ipynb", of_file) == red[:1]


# The command


def test_expected_seconds_are_those_that_were_measured(monkeypatch):
    monkeypatch.setattr(breaking, "measured", lambda: {"a": 100.0, "b": 20.0, "c": 30.0})
    monkeypatch.setattr(breaking, "AT_ONCE", 1)
    assert breaking.about(["tests/x.py", "book/a.ipynb", "book/b.ipynb"]) == 120 + breaking.START
    monkeypatch.setattr(breaking, "AT_ONCE", 2)
    assert breaking.about([f"book/{n}.ipynb" for n in "abc"]) == 100 + breaking.START


def test_break_refuses_an_unknown_name(capsys):
    with pytest.raises(SystemExit):
        main(["no-masks"])
    assert "no fault 'no-masks'; did you mean no-mask, " in capsys.readouterr().err


def begin(project: Path, *arguments: str) -> subprocess.Popen[str]:
    """`make break` in that project, which is under no version control."""
    scratch = project.parent / "scratch"
    scratch.mkdir()
    return subprocess.Popen(
        [sys.executable, project / "book/_tools/breaking.py", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"},
    )


def test_break_without_a_name_lists_all(project):
    said, _ = begin(project).communicate()
    assert said.startswith(
        "Faults of numbers.\n  thirds  Half of it is said, and a third is meant."
    )


@pytest.mark.parametrize(
    ("wrong", "code", "judged", "red"),
    [
        ("x / 3", 0, ["red by what it asserts", "    >       assert half(6) == 3"], 1),
        ("x * 0.5", 1, ["still green"], 0),
        ("x.half", 1, ["red, but by a crash, which proves nothing about the check"], 1),
    ],
    ids=["noticed", "unnoticed", "crash"],
)
def test_break_shows_a_fault_at_work_and_leaves_nothing_behind(project, wrong, code, judged, red):
    catalogue = project / "tests/faults/numbers.py"
    catalogue.write_text(
        catalogue.read_text(encoding="utf-8").replace("x / 3", wrong), encoding="utf-8"
    )
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    said, problems = (command := begin(project, "thirds")).communicate()
    assert command.returncode == code, problems
    assert f"src/half.py\n-    return x / 2\n+    return {wrong}\n" in said
    assert "Running tests/test_half.py and every notebook in a copy of the project" in said
    assert f"\nabout {breaking.START} seconds if the machine is idle, by what " in said
    assert "\ntest_half: " + "\n".join(judged) in said
    others = 0 if code and not red else 1 if wrong == "x / 3" else 2
    assert f"Other checks of that file that turned red too: {others}\n" in said
    assert f", 01-half: red cells: {red}\n" in said
    assert red == said.count("01-half, cell 1: print(half(6))")
    assert f"Cells of the book that turned red: {red}, after " in said
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before
    assert list((project.parent / "scratch").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_break_leaves_nothing_behind_when_it_is_stopped(project, number):
    reached = project.parent / "reached"
    endless = f"import pathlib, time\npathlib.Path({str(reached)!r}).touch()\ntime.sleep(600)"
    nbformat.write(notebook((endless, "")), project / "book/02-endless.ipynb")
    command = begin(project, "thirds")
    while not reached.exists():
        assert command.poll() is None, command.communicate()
        time.sleep(0.1)
    family = psutil.Process(command.pid).children(recursive=True)
    assert any("ipykernel_launcher" in " ".join(member.cmdline()) for member in family)
    assert list((project.parent / "scratch").iterdir()) != []
    command.send_signal(number)
    said, _ = command.communicate(timeout=60)
    assert command.returncode == 128 + number
    assert said.endswith("Stopped. The copy is deleted, and nothing of it runs on.\n")
    assert [member for member in family if member.is_running()] == []
    assert list((project.parent / "scratch").iterdir()) == []


# What is told of a failure


def test_a_cell_that_raised_is_shown_by_its_last_words_or_its_line():
    message = "Notebook cell execution failed\nCell 2: Cell execution caused an exception"
    details = (
        "AssertionError   Traceback (most recent call last)\nAssertionError: Not close!\n\n3 / 3"
    )
    verdict = Verdict("Cell 2", message, details)
    assert verdict.convicts
    assert telling(verdict, most=4) == ["    E   Not close!", "    E   3 / 3"]
    details = (
        "AssertionError   Traceback (most recent call last)\n      1 x = 1\n----> 2 assert x == 2"
    )
    verdict = Verdict("Cell 2", message, details)
    assert verdict.convicts
    assert telling(verdict, most=4) == ["    >   assert x == 2"]


def test_difference_of_a_cell_says_which_side_is_which():
    details = "assert reference_output == test_output failed:\n\n- 3 windows\n+ 4 windows\n"
    assert telling(Verdict("Cell 2", "Cell outputs differ", details), most=4) == [
        "    E   now:    3 windows",
        "    E   stored: 4 windows",
    ]
