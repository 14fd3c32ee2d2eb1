"""What chapter 9 shows of a run: the time, the curve, the report; and its cells as on a GPU."""

import dataclasses
import json
import types
from pathlib import Path

import jupytext
import pytest
import torch
from artists import drawn
from planned import SMALL, planned

from bardgpt import records
from bardgpt.gpt import GPT
from bardgpt.lab.plan import OutOfMemoryError
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching import scaling
from bardgpt.teaching.scaling import LiveCurve
from bardgpt.training.folder import RunError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True, scope="module")
def read_before(shakespeare):
    """The book's text is read once in a process: before another stands in for it."""


@pytest.fixture
def small(monkeypatch):
    return planned(monkeypatch)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (42.4, "42 seconds"),
        (99, "99 seconds"),
        (100, "2 minutes"),
        (600, "10 minutes"),
        (5_940, "99 minutes"),
        (6_000, "1.7 hours"),
        (8_000, "2.2 hours"),
    ],
)
def test_time_in_words(seconds, words):
    assert scaling.in_words(seconds) == words


def test_cost_table_by_hand(monkeypatch):
    """Operations in GFLOP, of a step, and how many times the row above's; bytes in MiB."""
    costs = {
        "a": scaling.Cost(1_234, 5_670_000_000, 512, 3 * 2**20, 2**19),
        "b": scaling.Cost(2_000, 56_700_000_000, 1, 0, 2**30),
    }
    monkeypatch.setattr(scaling, "cost", costs.get)
    shown = scaling.cost_table({"first": "a", "then": "b"})
    assert shown.rows == {
        "first": ["1,234", "5.67", "1", "3.0", "0.5"],
        "then": ["2,000", "56.70", "10", "0.0", "1,024.0"],
    }
    assert len(shown.columns) == len(shown.rows["then"])


def test_time_is_said_and_blanked_where_it_varies(small, capsys):
    scaling.say_time(0.5, small)
    assert "0.500 s a step; the whole run will take about" in capsys.readouterr().out
    scaling.say_time(0.5, dataclasses.replace(small, whole=False))
    assert capsys.readouterr().out.splitlines()[1].startswith("  your run: ")
    for impossible in (float("nan"), float("inf"), 0.0, -1.0):
        with pytest.raises(ValueError, match="cannot take"):
            scaling.say_time(impossible, small)


def test_time_of_the_whole_run_is_said_in_hours(small, capsys):
    """500 s a step: (6 · 14 + 500) / 14 steps' worth of work take 20,857 s."""
    scaling.say_time(500.0, dataclasses.replace(small, whole=False))
    assert capsys.readouterr().out.splitlines()[1] == "  your run: 5.8"


def test_a_whole_run_gives_its_first_and_its_last_loss(small, monkeypatch, tmp_path):
    """The last is neither the best nor the worst."""
    metrics = [{"validation": 4.25}, {"train": 2.0}, {"validation": 1.5}, {"validation": 1.75}]
    done = types.SimpleNamespace(model="the model", metrics=metrics)
    monkeypatch.setattr(scaling, "train_in_folder", lambda *_, **__: done)
    finished = scaling.train(small, tmp_path)
    assert (finished.model, finished.validation) == ("the model", (4.25, 1.75))


def test_what_there_is_to_beat_are_validation_losses(monkeypatch):
    table = {"validation": 1.75, "train": 1.25}
    monkeypatch.setattr(records, "best_table", lambda: table)
    assert scaling.to_beat() == {"best count table": 1.75, "the lecture's": 1.48}


class Screen:
    """Stands in for a notebook's display: keeps what is shown, and how often it is replaced."""

    def __init__(self):
        self.shown, self.updates = [], 0

    def __call__(self, figure, display_id):
        assert display_id
        self.shown.append(figure)
        return self

    def update(self, figure):
        self.shown[-1] = figure
        self.updates += 1


def test_whole_run_draws_one_curve_and_goes_on_after_a_disconnect(small, tmp_path, monkeypatch):
    text = shakespeare()
    whole = text.tokenizer.decode(torch.cat([text.train[:4_500], text.validation]))
    whole += text.tokenizer.vocabulary  # all 65 characters, which a cut text may lack
    monkeypatch.setattr("bardgpt.corpus.load", lambda: whole)
    first, screen = scaling.train(small, tmp_path / "run"), Screen()
    again = scaling.train(small, tmp_path / "run", show=screen)  # which finds it finished
    assert again.validation == first.validation
    assert len(screen.shown) == 1
    assert screen.updates == 2  # at step 1 for a start, at steps 3 and 6 for the evaluations
    other = scaling.with_batch(small, 1)
    with pytest.raises(RunError, match="batch_size is 2 there and 1 here"):
        scaling.train(other, tmp_path / "run")


def test_curve_is_drawn_at_evaluations_and_every_few_seconds():
    screen = Screen()
    curve = LiveCurve(30, screen)
    curve({"step": 0, "validation": 4.2, "seconds": 1.0})
    assert screen.shown == []  # nothing trained yet
    for step, seconds in ((1, 2.0), (2, 3.0), (10, 8.0), (11, 8.25)):
        curve({"step": step, "train": 3.0, "seconds": seconds})
    curve({"step": 20, "train": 2.0, "validation": 2.1, "seconds": 8.5})
    assert (len(screen.shown), screen.updates) == (1, 2)
    assert 30 < drawn(screen.shown[0]).axes[0].get_xlim()[1] < 31  # the last mark is whole


def test_short_run_is_the_planned_one_and_repeats(small):
    plan = dataclasses.replace(small, whole=False)
    first, again = scaling.train(plan), scaling.train(plan)
    assert first.validation == again.validation
    assert first.validation[1] < first.validation[0]
    other = dataclasses.replace(
        plan,
        preset=dataclasses.replace(SMALL, training=dataclasses.replace(SMALL.training, seed=1)),
    )
    assert scaling.train(other).validation != first.validation


def test_memory_is_explained_where_it_runs_out(small, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(GPT, "forward", full)
    with pytest.raises(OutOfMemoryError, match="2 windows of 7 characters"):
        scaling.train(small)


def test_report_holds_a_whole_run_against_the_best_table(small, monkeypatch, capsys):
    record = records.FullRecord(
        SMALL.model,
        SMALL.training,
        [],
        {
            "validation of the packed weights": 1.4567,
            "short run": [2.8, 2.9, 3.0],
        },
    )
    monkeypatch.setattr(records, "full", lambda: record)
    finished = scaling.Finished(GPT(SMALL.model), (4.2, 1.5))
    scaling.report(small, finished)
    assert "your run: 1.5000\n  recorded: 1.4567" in capsys.readouterr().out
    with pytest.raises(AssertionError, match=r"best count table's 1\.669"):
        scaling.report(small, dataclasses.replace(finished, validation=(4.2, 1.7)))
    beginning = dataclasses.replace(small, whole=False)
    scaling.report(beginning, dataclasses.replace(finished, validation=(4.2, 2.95)))
    assert "recorded: 2.900 ± 0.100 (3 runs), below 3.347" in capsys.readouterr().out
    with pytest.raises(AssertionError, match="away from the recorded"):
        scaling.report(beginning, dataclasses.replace(finished, validation=(4.2, 3.4)))


# The chapter's cells on a GPU, as far as a processor can tell.


def test_the_chapters_cells_train_the_whole_run_where_the_plan_says_so(
    small, tmp_path, monkeypatch, capsys
):
    """From the choice of the device to the report, with a stand-in plan."""
    text = shakespeare()
    whole = text.tokenizer.decode(torch.cat([text.train[:4_500], text.validation]))
    monkeypatch.setattr("bardgpt.corpus.load", lambda: whole + text.tokenizer.vocabulary)
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(scaling, "plan", lambda machine: (asked.append(machine), small)[1])
    tables = [{"validation": 5.0}]
    monkeypatch.setattr(records, "tables", lambda: tables)
    monkeypatch.setattr(records, "best_table", lambda: tables[0])
    record = records.FullRecord(
        SMALL.model, SMALL.training, [], {"validation of the packed weights": 1.4567}
    )
    monkeypatch.setattr(records, "full", lambda: record)
    cells = [
        c for c in jupytext.read(ROOT / "book/09-scaling-up.py").cells if c.cell_type == "code"
    ]
    (first,) = [i for i, c in enumerate(cells) if "scaling.plan(devices" in c.source]
    (last,) = [i for i, c in enumerate(cells) if "scaling.report(" in c.source]
    screen = Screen()
    namespace = {"display": screen, "scaling": scaling}
    for cell in cells[first : last + 1]:
        exec(cell.source, namespace)
    said = capsys.readouterr().out
    assert len(asked) == 1
    for words in ("a stand-in for a GPU", "s a step; the whole run will take", "recorded: 1.4567"):
        assert words in said
    assert len(screen.shown) == 1
    lines = (tmp_path / "runs/sprint/metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(lines[-1])["step"] == SMALL.training.steps
