"""The full model, drawn: its run, its context, its names, its texts."""

from math import nan

import pytest
from artists import (
    curves,
    drawn,
    error_bars,
    is_role,
    legend,
    levels,
    lines,
    looks,
    names,
    panel,
    ticks,
    uprights,
)

from bardgpt.records.band import Band
from bardgpt.teaching import figures
from bardgpt.teaching.figures.scaling import octaves


def test_full_run_draws_each_loss_at_the_steps_where_it_was_read():
    metrics = [
        {"step": 0, "validation": 4.25},
        {"step": 10, "train": 2.5},
        {"step": 40, "train": 2.0, "validation": 2.25},
        {"step": 50, "train": 1.75},
    ]
    beside = {"best count table": 1.66949, "the lecture's": 1.48}
    axes = panel(figures.full_run(metrics, 80, beside))
    assert curves(axes) == [
        ("training batches (with dropout)", [10, 40, 50], [2.5, 2.0, 1.75]),
        ("validation text", [0, 40], [4.25, 2.25]),
    ]
    assert is_role(lines(axes)[0][3], "train")
    assert is_role(lines(axes)[1][3], "validation")
    assert [look[:2] for look in looks(axes)] == [(":", ""), ("-", "o")]
    assert levels(axes) == [("best count table 1.669", 1.66949), ("the lecture's 1.48", 1.48)]
    assert legend(axes) == [
        "training batches (with dropout)",
        "validation text",
        "best count table 1.669",
        "the lecture's 1.48",
    ]
    handles = axes.get_legend().legend_handles
    assert is_role(handles[0].get_color(), "train")
    assert is_role(handles[1].get_color(), "validation")
    left, right = axes.get_xlim()
    assert left == 0
    assert 80 < right < 82  # the last mark is whole
    assert axes.get_ylim() == (1.0, 2.6)
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")
    assert names(axes) == ("steps", "loss (nats per character)")


def test_full_run_can_be_drawn_before_anything_was_read():
    axes = panel(figures.full_run([], 80, {}))
    assert curves(axes) == []
    assert legend(axes) == ["training batches (with dropout)", "validation text"]


def test_orthogonalized_draws_both_in_the_order_of_directions():
    axes = panel(figures.orthogonalized([0.5, 0.25, 0.125], [1.25, 1.0, 0.75]))
    assert curves(axes) == [
        ("the gradient", [1, 2, 3], [0.5, 0.25, 0.125]),
        ("after five rounds", [1, 2, 3], [1.25, 1.0, 0.75]),
    ]
    assert [look[:2] for look in looks(axes)] == [("--", "s"), ("-", "o")]
    roles = ("count", "model")
    assert all(is_role(c, role) for (*_, c), role in zip(lines(axes), roles, strict=True))
    assert axes.get_yscale() == "log"
    assert names(axes) == ("direction, from the largest to the smallest", "singular value")


def test_loss_by_position_begins_at_one_character():
    """Position 0 sees one character; the table that sees none has no place on the axis."""
    losses = [3.0, 2.0, 1.0, 1.5, 1.25, 1.0, 0.25]
    axes = panel(figures.loss_by_position(losses, [9.0, 2.75, 2.25, 2.0]))
    assert curves(axes) == [
        (None, [1, 2, 3, 4, 5, 6, 7], losses),
        ("the full model", [1, pytest.approx(6**0.5), pytest.approx(28**0.5)], [3.0, 1.5, 1.0]),
        ("count tables", [1, 2, 3], [2.75, 2.25, 2.0]),
    ]
    assert uprights(axes) == [8]
    assert (axes.get_xscale(), axes.xaxis.get_transform().base) == ("log", 2)
    assert axes.get_yscale() == "linear"
    assert [look[:2] for look in looks(axes)] == [("None", "."), ("-", "o"), ("--", "x")]
    roles = ("model", "model", "count")
    assert all(is_role(c, role) for (*_, c), role in zip(lines(axes), roles, strict=True))
    assert names(axes) == (
        "characters that the prediction could see",
        "validation loss (nats per character)",
    )
    assert legend(axes) == ["the full model", "count tables"]


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        (1, [(1, 2)]),
        (2, [(1, 2), (2, 3)]),
        (7, [(1, 2), (2, 4), (4, 8)]),
        (8, [(1, 2), (2, 4), (4, 9)]),  # a rest shorter than the octave before belongs to it
        (11, [(1, 2), (2, 4), (4, 8), (8, 12)]),
        (16, [(1, 2), (2, 4), (4, 8), (8, 17)]),
    ],
)
def test_octaves_cover_every_position_once(length, expected):
    assert octaves(length) == expected


def test_name_losses_are_a_line_for_each_kind_of_name():
    by_letter = {
        "known, again": [1.0, 0.5, 0.25],
        "known, first": [2.0, None, 0.75],
        "new, again": [3.0, 3.5, 4.0],
        "new, first": [5.0, 5.5, 6.0],
    }
    plot = figures.name_losses(by_letter, 1.375)
    axes = panel(plot)
    letters = [1, 2, 3]
    assert curves(axes) == [
        ("new, not yet in the window", letters, [5.0, 5.5, 6.0]),
        ("new, stands in the window", letters, [3.0, 3.5, 4.0]),
        # A letter that no such name has is a gap.
        ("known, not yet in the window", letters, pytest.approx([2.0, nan, 0.75], nan_ok=True)),
        ("known, stands in the window", letters, [1.0, 0.5, 0.25]),
    ]
    assert [look[:2] for look in looks(axes)] == [("-", "s"), ("--", "s"), ("-", "o"), ("--", "o")]
    roles = ("key", "key", "model", "model")
    assert all(is_role(c, role) for (*_, c), role in zip(lines(axes), roles, strict=True))
    assert levels(axes) == [("all other text", 1.375)]
    assert axes.get_yscale() == "linear"
    assert names(axes) == ("letter of the speaker's name", "loss (nats per character)")
    assert legend(plot.wide) == [label for label, *_ in curves(axes)] + ["all other text"]


def form(start, sd):
    quantities = ("speaker lines", "characters per spoken line", "known words", "longest copy")
    return {name: Band(start + i, sd, 4) for i, name in enumerate(quantities)}


def test_forms_have_a_panel_for_each_quantity_and_a_band_for_real_text():
    figure = drawn(
        figures.forms(
            {
                "counts, 4 before": form(1.0, 0.5),
                "the model": form(2.0, 0.25),
                "real text": form(3.0, 0.125),
            }
        )
    )
    for i, axes in enumerate(figure.axes):
        assert error_bars(axes, along="x") == [
            (None, [1.0 + i], [0], [(0.5 + i, 1.5 + i)]),
            (None, [2.0 + i], [1], [(1.75 + i, 2.25 + i)]),
        ]
        assert uprights(axes) == [3.0 + i]
        (band,) = axes.patches
        assert (band.get_x(), band.get_width()) == (2.875 + i, 0.25)
        colours = [container.lines[0].get_color() for container in axes.containers]
        assert is_role(colours[0], "count")
        assert is_role(colours[1], "model")
        assert axes.get_xlim()[0] == 0
        assert axes.get_xscale() == "linear"
        assert axes.get_ylim() == (1.5, -0.5)
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "speakers' share of lines",
        "characters per spoken line",
        "share of known words",
        "longest copy (characters)",
    ]
    assert ticks(figure.axes[0].yaxis) == ([0, 1], ["counts, 4 before", "the model"])
    assert figure.get_suptitle() == "line and grey band: real text"
