"""Each planted fault turns its mapped check red, and by what that check asserts."""

import dataclasses
import shutil

import nbformat
import pytest
from _tools import breaking
from _tools.breaking import (
    ROOT,
    Verdict,
    describe,
    diff,
    main,
    name_of,
    plant,
    red_cells,
    telling,
    try_check,
)
from faults import FAULTS, TOPICS
from faults.kinds import Fault

(EXAMPLE,) = [fault for fault in FAULTS if fault.name == "targets-not-shifted"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_noticed(fault: Fault, tmp_path, record_property):
    plant(fault, tmp_path)
    verdict = try_check(fault.check, tmp_path)
    record_property("fault", describe(fault, verdict))  # printed by conftest.py at the end
    assert verdict.convicts


def test_names_are_unique():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_an_edit_that_changes_nothing_is_not_noticed(tmp_path):
    """Else the copy would be red by itself, and every fault would seem to be caught."""
    harmless = dataclasses.replace(EXAMPLE, wrong=EXAMPLE.right)
    plant(harmless, tmp_path)
    assert try_check(harmless.check, tmp_path) == Verdict("", "", 0)


@pytest.mark.parametrize(
    "wrong", ["return windows[:, :-1], windows[:, 1:].nonsense", "return windows.view(1, 1)"]
)
def test_a_crash_is_no_conviction(tmp_path, wrong):
    plant(dataclasses.replace(EXAMPLE, wrong=wrong), tmp_path)
    verdict = try_check(EXAMPLE.check, tmp_path)
    assert verdict.message
    assert not verdict.convicts


def test_a_fault_whose_place_is_gone_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"is not exactly once in src/bardgpt/batches\.py"):
        plant(dataclasses.replace(EXAMPLE, right="no such line"), tmp_path)


def test_diff_shows_whole_lines_of_the_module():
    (fault,) = [fault for fault in FAULTS if fault.name == "mask-off-by-one"]
    line = "    return torch.ones(size, size, dtype=torch.bool).tril({})"
    assert diff(fault) == f"-{line.format('')}\n+{line.format(1)}"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_story_is_one_line(fault):
    assert 30 < len(fault.story) <= 90
    assert "\n" not in fault.story


def test_break_without_a_name_lists_all(capsys):
    assert main([]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in listed if line[:2] == "  "] == [f.name for f in FAULTS]
    assert {said for said, _ in TOPICS.values()} < set(listed)


def test_break_shows_a_fault_at_work_and_touches_nothing(capsys, monkeypatch):
    monkeypatch.setattr(breaking, "red_cells", lambda copy: ["a chapter, cell 3: print(loss)"])
    fault = EXAMPLE
    module = ROOT / fault.file
    before = module.read_bytes()
    assert main([fault.name]) == 0
    shown = capsys.readouterr().out
    assert fault.story in shown
    assert f"src/bardgpt/batches.py\n-    {fault.right}" in shown
    assert f"\n+    {fault.wrong}" in shown
    assert f"{name_of(fault.check)}: red by what it asserts\n    > " in shown
    assert "assert torch.equal(y, x + 1)" in shown
    assert "Cells of the book that turned red: 1\n    a chapter, cell 3: print(loss)\n" in shown
    assert module.read_bytes() == before


def test_red_cells_are_named_with_their_notebook(tmp_path):
    (tmp_path / "book/appendix").mkdir(parents=True)
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests/nbval_sanitize.cfg", tmp_path / "tests")
    for name, printed in (("01-right", "2"), ("02-wrong", "3"), ("appendix/wrong-too", "4")):
        cells = [nbformat.v4.new_code_cell(f"x = {n}\nprint(x)", execution_count=n) for n in (1, 2)]
        for cell, text in zip(cells, ("1", printed), strict=True):
            cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=f"{text}\n")]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / f"book/{name}.ipynb")
    red = red_cells(tmp_path)
    assert sorted(red) == ["02-wrong, cell 1: print(x)", "wrong-too, cell 1: print(x)"]


def test_a_cell_that_raised_is_shown_by_its_last_words():
    message = "Notebook cell execution failed\nCell 2: Cell execution caused an exception"
    details = (
        "AssertionError   Traceback (most recent call last)\nAssertionError: Not close!\n\n3 / 3"
    )
    verdict = Verdict(message, details, 0)
    assert verdict.convicts
    assert telling(verdict, most=4) == ["    E   Not close!", "    E   3 / 3"]


def test_difference_of_a_cell_says_which_side_is_which():
    details = "assert reference_output == test_output failed:\n\n- 3 windows\n+ 4 windows\n"
    assert telling(Verdict("Cell outputs differ", details, 0), most=4) == [
        "    E   now:    3 windows",
        "    E   stored: 4 windows",
    ]


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        (Verdict("", "", 0), "still green"),
        (Verdict("NameError: x", "E   NameError: x", 3), "red, but by a crash"),
    ],
)
def test_break_fails_if_the_check_does_not_notice(capsys, monkeypatch, verdict, said):
    monkeypatch.setattr(breaking, "try_check", lambda check, copy: verdict)
    monkeypatch.setattr(breaking, "red_cells", lambda copy: [])
    assert main([EXAMPLE.name]) == 1
    assert said in capsys.readouterr().out


def test_break_refuses_an_unknown_name(capsys):
    with pytest.raises(SystemExit):
        main(["no-such"])
    assert f"no fault 'no-such'; there are {FAULTS[0].name}, " in capsys.readouterr().err
