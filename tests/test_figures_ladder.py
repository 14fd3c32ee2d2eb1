"""Runs over their steps, and the ladder: which loss stands where."""

import pytest
from artists import (
    curves,
    is_role,
    keys,
    legend,
    levels,
    lines,
    looks,
    names,
    panel,
    ticks,
    uprights,
    written,
)

from bardgpt import records
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.lab import ladder
from bardgpt.records.record import Record
from bardgpt.teaching import figures
from bardgpt.training.loop import History

# Steps at unequal distances; a training loss that is another; the least loss is not the last.
FIRST = History([0, 10, 40], [None, 9.1, 9.2], [4.0, 2.5, 2.75])
SECOND = History([0, 10, 40], [None, 9.3, 9.4], [4.25, 2.625, 2.875])
OTHER = History([0, 20, 40], [None, 9.5, 9.6], [4.5, 3.5, 3.25])


def test_training_runs_are_lines_of_validation_loss_over_steps():
    axes = panel(
        figures.training_runs(
            {"one": [FIRST, SECOND], "other": [OTHER]}, {"low": 2.25, "high": 3.75}, zoom=(2.0, 4.1)
        )
    )
    assert curves(axes) == [
        ("one", [0, 10, 40], [4.0, 2.5, 2.75]),
        (None, [0, 10, 40], [4.25, 2.625, 2.875]),
        ("other", [0, 20, 40], [4.5, 3.5, 3.25]),
    ]
    assert levels(axes) == [("low", 2.25), ("high", 3.75)]
    assert legend(axes) == ["one", "other", "low", "high"]
    assert axes.get_ylim() == (2.0, 4.1)
    assert names(axes) == ("steps", "validation loss (nats per character)")
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")


def test_losses_ten_times_apart_are_on_a_logarithmic_axis():
    axes = panel(figures.training_runs({"one": [FIRST]}, {}, zoom=(2.0, 20.0)))
    assert axes.get_yscale() == "log"
    assert axes.get_ylim() == (2.0, 20.0)


@pytest.mark.parametrize(
    ("models", "styles"),
    [(1, "-"), (2, ("--", "-")), (3, (":", "--", "-"))],
)
def test_training_runs_draw_the_model_in_question_last_and_solid(models, styles):
    runs = {name: [FIRST] for name in ("a", "b", "c")[:models]}
    axes = panel(figures.training_runs(runs, {}, zoom=(2, 4)))
    assert [style for style, _, _ in looks(axes)] == list(styles)
    roles = ("count", "target", "model")[-models:]
    assert all(is_role(c, role) for (_, c), role in zip(keys(axes), roles, strict=True))
    assert legend(axes) == list(runs)


# Three runs of which the mean (2.5) is none, and neither is the middle one.
RUNGS = {"lowest": ([2.25, 2.0, 3.25], 2.125), "next": ([1.75, 1.875], None)}
TABLES = [3.5, 2.5, 2.0, 1.9, 1.8, 1.7]


def test_ladder_has_a_row_for_each_rung_and_a_dot_for_each_run():
    plot = figures.ladder(RUNGS, TABLES)
    axes = panel(plot)
    assert curves(axes) == [
        ("lecture reports", [2.125], [0]),
        ("3 seeds", [2.25, 2.0, 3.25], [0, 0, 0]),
        (None, [1.75, 1.875], [1, 1]),
    ]
    assert [mark for _, mark, _ in looks(axes)] == ["x", "o", "o"]
    roles = ("ink", "model", "model")
    assert all(is_role(c, role) for (*_, c), role in zip(lines(axes), roles, strict=True))
    assert ticks(axes.yaxis) == ([0, 1], ["lowest", "next"])
    assert axes.get_ylim() == (1.5, -0.5)  # the lowest rung on top
    assert axes.get_xlim() == (1.6, 2.6)
    assert names(axes) == ("validation loss (nats per character)", "")
    assert legend(plot.wide) == ["lecture reports", "3 seeds"]


def test_ladder_shows_the_tables_of_one_two_and_four_characters():
    axes = panel(figures.ladder(RUNGS, TABLES))
    assert uprights(axes) == [2.5, 2.0, 1.8]
    assert written(axes) == [
        ("counts,\n1 before\n2.500", [2.5, 1]),
        ("counts,\n2 before\n2.000", [2.0, 1]),
        ("counts,\n4 before\n1.800", [1.8, 1]),
    ]


def test_ladder_ends_in_what_is_known_of_the_full_model():
    known = {"lecture reports": 1.48, "the recorded run": 1.45678, "nanoGPT": 1.4697}
    plot = figures.ladder(RUNGS, TABLES, known)
    axes = panel(plot)
    assert curves(axes)[3:] == [
        (None, [1.48], [1.95]),
        ("the recorded run", [1.45678], [2.4]),
        ("nanoGPT", [1.4697], [2.85]),
    ]
    assert [mark for _, mark, _ in looks(axes)[3:]] == ["x", "D", "+"]
    assert [text for text, _ in written(axes)[3:]] == ["1.48", "1.4568", "1.4697"]
    assert ticks(axes.yaxis) == ([0, 1, 2.4], ["lowest", "next", "the full model"])
    assert axes.get_ylim() == (3.3, -0.5)
    assert axes.get_xlim() == (1.2, 2.6)
    assert legend(plot.wide) == ["lecture reports", "3 seeds", "the recorded run", "nanoGPT"]


def a_record(*histories):
    seen = {0: [{"x": [1.0, 2.0]}] * 3, 40: [{"x": [i, 2.0 * i]} for i in (1, 2, 6)]}
    return Record(
        name="made up",
        model=GPTConfig(65),
        training=TrainingConfig(steps=40),
        seeds=[0, 1, 2],
        histories=list(histories),
        train=[],
        samples={},
        probes={"probe": seen},
        made={},
    )


def test_climbed_gives_the_last_losses_of_each_rung_up_to_one(monkeypatch):
    monkeypatch.setattr(records, "load", lambda name: a_record(FIRST, SECOND, OTHER))
    assert ladder.climbed("one-head") == {
        "bigram model": ([2.75, 2.875, 3.25], 2.5),
        "one head of 32": ([2.75, 2.875, 3.25], 2.4),
    }
    assert len(ladder.climbed()) == len(ladder.RUNGS)
    with pytest.raises(ValueError, match="no-rung"):
        ladder.climbed("no-rung")


def test_record_gives_what_a_probe_saw_step_by_step():
    record = a_record(FIRST, SECOND, OTHER)
    profiles = record.profiles("probe", "x")
    assert list(profiles) == [0, 40]
    assert [(band.mean, band.n) for band in profiles[40]] == [(3.0, 3), (6.0, 3)]
    assert [band.sd for band in profiles[40]] == pytest.approx([7**0.5, 28**0.5])
    assert record.probe_runs("probe", "x") == [
        {0: [1.0, 2.0], 40: [1, 2.0]},
        {0: [1.0, 2.0], 40: [2, 4.0]},
        {0: [1.0, 2.0], 40: [6, 12.0]},
    ]
