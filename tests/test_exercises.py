"""Exercises that answer: right ones pass, and each typical mistake is told what it is."""

import re
from pathlib import Path

import nbformat
import pytest
import torch
from answers import RIGHT, WRONG

from bardgpt.teaching import exercises
from bardgpt.teaching.exercises import answer

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted(ROOT.glob("book/[0-9]*.ipynb"))
CALL = re.compile(r'exercises\.check\("([^"]+)", \w+\)')
TYPICAL = 3  # mistakes that an exercise knows, at least


def told(exercise, function, capsys):
    exercises.check(exercise, function)
    return capsys.readouterr().out


def test_all_have_answers():
    assert exercises.CHECKS.keys() == RIGHT.keys()


@pytest.mark.parametrize("exercise", RIGHT)
def test_the_right_answer_passes(exercise, capsys):
    assert told(exercise, RIGHT[exercise], capsys).startswith(f"{exercise}, right: ")


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.exercise}: {wrong.told}")
def test_a_wrong_answer_is_told_what_is_wrong(wrong, capsys):
    said = told(wrong.exercise, wrong.function, capsys)
    assert said.startswith(f"{wrong.exercise}, not yet: ")
    assert wrong.told in said


@pytest.mark.parametrize("exercise", RIGHT)
def test_typical_mistakes_each_have_words_of_their_own(exercise, capsys):
    said = [told(exercise, one.function, capsys) for one in WRONG if one.exercise == exercise]
    assert len({*said}) >= TYPICAL
    assert len({*said}) == len(said)


@pytest.mark.parametrize("exercise", RIGHT)
@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda *_: None, "gives nothing back"),
        (lambda *_: ..., "gives nothing back"),
        (lambda *_: 1 / 0, "it raises ZeroDivisionError: division by zero"),
        (None, "a function is asked for, and this is a NoneType"),
        (lambda: 0, "it raises TypeError"),
    ],
)
def test_an_unfinished_answer_gets_a_word(exercise, function, said, capsys):
    assert said in told(exercise, function, capsys)


@pytest.mark.parametrize("exercise", RIGHT)
@pytest.mark.parametrize(
    "made",
    [
        "text",
        True,
        -1,
        float("nan"),
        [1, 2],
        ("a", "b"),
        {},
        torch.empty(0),
        torch.full((8, 8), float("nan")),
        (torch.ones(3), torch.ones(8, 8, 8)),
    ],
    ids=str,
)
def test_whatever_comes_back_the_notebook_goes_on(exercise, made, capsys):
    assert told(exercise, lambda *_: made, capsys).startswith(f"{exercise}, not yet: ")


def test_an_unknown_exercise_names_those_that_there_are():
    with pytest.raises(ValueError, match=r"no exercise '0\.7' has a check; there are .*2\.1"):
        exercises.check("0.7", lambda: 1)


def test_a_question_is_not_changed_by_an_answer():
    given = torch.ones(2)
    answer.asked(lambda x: x.zero_(), given, with_words="ones")
    assert given.tolist() == [1, 1]


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_show_a_starter_and_a_solution_that_passes(path):
    """First the reader's cell, without its output on the website, then the folded solution."""
    notebook = nbformat.read(path, as_version=4)
    started, solved = [], {}
    for cell in notebook.cells:
        for exercise in CALL.findall(cell.source) if cell.cell_type == "code" else ():
            tags = cell.metadata.get("tags", [])
            if "remove-output" in tags:
                started.append(exercise)
            else:
                assert "hide-cell" in tags, "a solution is folded"
                solved[exercise] = "".join(output.get("text", "") for output in cell.outputs)
    number = int(path.stem[:2])
    assert started == list(solved) == [id for id in RIGHT if id.startswith(f"{number}.")]
    for exercise, said in solved.items():
        assert f"{exercise}, right: " in said
