"""The feed-forward layer, drawn: who hears whom, what it gains, where its units fire."""

import pytest
import torch
from artists import (
    curves,
    drawn,
    error_bars,
    image,
    is_role,
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

from bardgpt.records.band import Band
from bardgpt.teaching import figures
from bardgpt.training.loop import History


def test_jacobians_have_outputs_as_rows_and_leave_zeros_empty():
    across = torch.tensor([[1.0, 0.0], [2.0, 3.0]])
    within = torch.tensor([[4.0, 0.0], [0.0, 5.0]])
    figure = drawn(figures.jacobians({"attention": across, "feed-forward": within}, "a "))
    left, right, bar = figure.axes
    assert image(left) == [[1, None], [2, 3]]
    assert image(right) == [[4, None], [None, 5]]
    for axes in (left, right):  # one scale of colours for both
        assert axes.images[0].get_clim() == (0, 5)
        assert ticks(axes.xaxis) == ([0, 1], ["a", "␣"])
        assert axes.images[0].origin == "upper"
    assert ticks(left.yaxis) == ([0, 1], ["a", "␣"])
    assert [axes.get_title() for axes in (left, right)] == ["attention", "feed-forward"]
    assert names(left) == ("input position", "output position")
    assert names(right) == ("input position", "")
    assert bar.get_ylabel() == "size of the derivatives\n(empty: exactly 0)"


def test_seeds_compared_join_equal_seeds_and_mark_means():
    """Each row's mean lies at no run, and is not the middle one."""
    plot = figures.seeds_compared({"one": [2.0, 2.5, 3.75], "two": [1.0, 1.25, 2.25]})
    axes = panel(plot)
    assert curves(axes) == [
        (None, [2.0, 1.0], [0, 1]),
        (None, [2.0, 1.0], [0, 1]),
        (None, [2.5, 1.25], [0, 1]),
        (None, [2.5, 1.25], [0, 1]),
        (None, [3.75, 2.25], [0, 1]),
        (None, [3.75, 2.25], [0, 1]),
        ("mean", [2.75, 1.5], [0, 1]),
    ]
    assert [mark for _, mark, _ in looks(axes)[1::2]] == ["o", "s", "^"]
    assert [style for style, _, _ in looks(axes)[::2]] == [":", ":", ":", "None"]
    assert all(is_role(line[3], "model") for line in lines(axes)[1::2])
    assert is_role(lines(axes)[-1][3], "ink")
    assert looks(axes)[-1][1] == "|"
    assert ticks(axes.yaxis) == ([0, 1], ["one", "two"])
    low, high = axes.get_ylim()
    assert low > high  # from top to bottom
    assert axes.get_xscale() == "linear"
    assert names(axes) == ("validation loss (nats per character)", "after attention")
    assert legend(plot.wide) == ["mean"]


def test_seeds_compared_wants_as_many_runs_of_each():
    with pytest.raises(ValueError, match="zip"):
        figures.seeds_compared({"one": [2.0, 2.5], "two": [1.0]})


def test_leads_are_loss_before_minus_loss_after_of_the_same_seed():
    steps = [0, 10, 40]
    base = [History(steps, [9] * 3, [5.0, 3.0, 2.0]), History(steps, [9] * 3, [5.0, 3.5, 2.75])]
    better = [History(steps, [8] * 3, [4.0, 2.5, 1.75]), History(steps, [8] * 3, [4.0, 3.25, 1.0])]
    worse = [History(steps, [8] * 3, [4.0, 4.0, 2.0]), History(steps, [8] * 3, [4.0, 3.5, 2.75])]
    axes = panel(figures.leads(base, {"control": worse, "layer": better}))
    assert curves(axes) == [
        (None, [10, 40], [-1.0, 0.0]),
        (None, [10, 40], [0.0, 0.0]),
        ("control", [10, 40], [-0.5, 0.0]),
        (None, [10, 40], [0.5, 0.25]),
        (None, [10, 40], [0.25, 1.75]),
        ("layer", [10, 40], [0.375, 1.0]),
    ]
    assert [style for style, _, _ in looks(axes)] == [":"] * 3 + ["-"] * 3
    widths = [line.get_linewidth() for line in axes.lines[1:]]
    assert widths == [1, 1, 3, 1, 1, 3]  # the mean is the thick one
    roles = ["target"] * 3 + ["feed-forward"] * 3
    assert all(is_role(c, role) for (*_, c), role in zip(lines(axes), roles, strict=True))
    assert levels(axes) == [(None, 0)]
    assert axes.get_yscale() == "linear"
    assert names(axes) == (
        "steps (from the first evaluation, after 10)",
        "lead over four heads alone\n(nats per character)",
    )
    assert legend(axes) == ["control", "layer"]


def test_unit_scores_are_sorted_by_the_first_kind_and_end_at_one():
    """The second kind's order would be another; a bar that would pass 1 ends there."""
    plot = figures.unit_scores(
        {
            "chosen": {"a": Band(0.75, 0.125, 5), "b": Band(0.9375, 0.125, 5)},
            "untrained": {"a": Band(0.625, 0.0625, 5), "b": Band(0.5, 0.125, 5)},
        }
    )
    axes = panel(plot)
    assert error_bars(axes, along="x") == [
        ("chosen", [0.9375, 0.75], [-0.2, 0.8], [(0.8125, 1.0), (0.625, 0.875)]),
        ("untrained", [0.5, 0.625], [0.0, 1.0], [(0.375, 0.625), (0.5625, 0.6875)]),
    ]
    centres = [container.lines[0] for container in axes.containers]
    assert [c.get_marker() for c in centres] == ["o", "s"]
    roles = ("model", "target")
    assert all(is_role(c.get_color(), role) for c, role in zip(centres, roles, strict=True))
    assert uprights(axes) == [0.5]
    assert ticks(axes.yaxis) == ([0, 1], ["b", "a"])
    assert axes.get_ylim() == (1.5, -0.5)
    assert axes.get_xscale() == "linear"
    assert names(axes) == (
        "AUC on the validation text\n(0.5: chance, 1: perfect)",
        "property of a position",
    )
    assert legend(plot.wide) == ["chosen", "untrained"]


def test_firing_is_deepest_where_the_unit_is_largest():
    """50 characters are two rows of 48; there is no ground where the unit is 0."""
    text = "ab" * 23 + " \ncd"
    unit = torch.zeros(50)
    unit[1], unit[49] = 2.0, 4.0
    figure = drawn(figures.firing(text, {"one": unit, "silent": torch.zeros(50)}))
    above, below = figure.axes
    half, deepest = above.patches
    assert (half.get_alpha(), deepest.get_alpha()) == (0.23, 0.46)
    assert [patch.get_bbox().bounds for patch in above.patches] == [
        (0.5, -0.5, 1, 1), (0.5, 0.5, 1, 1),
    ]  # fmt: skip
    assert all(is_role(patch.get_facecolor()[:3], "feed-forward") for patch in above.patches)
    assert not below.patches
    assert (above.get_xlim(), above.get_ylim()) == ((-0.5, 47.5), (1.5, -0.5))
    words = written(above)
    assert words[0] == ("a", [0, 0])
    assert words[46:] == [("␣", [46, 0]), ("↵", [47, 0]), ("c", [0, 1]), ("d", [1, 1])]
    assert [axes.get_title() for axes in figure.axes] == ["one", "silent"]
    assert names(below) == ("no colour: 0; strongest: the unit's largest here", "")
