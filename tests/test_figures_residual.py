"""What depth does, drawn: places, heights, shades and roles."""

import pytest
from artists import (
    curves,
    drawn,
    is_role,
    keys,
    legend,
    levels,
    lines,
    looks,
    names,
    panel,
    shades,
    ticks,
)

from bardgpt.records.band import Band
from bardgpt.teaching import figures


def test_gradients_by_depth_are_a_line_for_each_run_on_a_logarithmic_axis():
    axes = panel(
        figures.gradients_by_depth(
            {
                "residual, zero": [[3.0, 2.0, 1.0], [3.5, 2.5, 1.5]],
                "plain": [[0.01, 0.1, 1.0]],
                "residual, Xavier": [[9.0, 8.0, 7.0]],
            },
            {
                "plain": ("plain", "default"),
                "residual, zero": ("residual", "zero"),
                "residual, Xavier": ("residual", "xavier"),
            },
        )
    )
    assert curves(axes) == [
        ("residual, zero", [0, 1, 2], [3.0, 2.0, 1.0]),
        (None, [0, 1, 2], [3.5, 2.5, 1.5]),
        ("plain", [0, 1, 2], [0.01, 0.1, 1.0]),
        ("residual, Xavier", [0, 1, 2], [9.0, 8.0, 7.0]),
    ]
    assert [look[:2] for look in looks(axes)] == [("--", "o"), ("--", "o"), ("-", "s"), (":", "o")]
    roles = ("zero", "zero", "plain", "xavier")
    assert all(is_role(c, role) for (*_, c), role in zip(lines(axes), roles, strict=True))
    assert legend(axes) == ["residual, zero", "plain", "residual, Xavier"]
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "log")
    assert names(axes) == (
        "blocks passed (0: the first block's input)",
        "RMS of the gradient, loss\nsummed over 2,048 positions",
    )


def test_losses_by_depth_are_dots_of_runs_and_a_line_through_their_means():
    axes = panel(
        figures.losses_by_depth(
            {
                "plain": {1: [2.5, 2.75, 3.75], 8: [3.0, 3.0, 3.75]},
                "residual": {8: [2.0, 2.0, 2.75], 1: [2.25, 2.25, 2.25]},
            },
            {"frequencies": 3.25},
        )
    )
    assert curves(axes) == [
        (None, [1, 1, 1], [2.5, 2.75, 3.75]),
        (None, [8, 8, 8], [3.0, 3.0, 3.75]),
        ("plain blocks", [1, 8], [3.0, 3.25]),
        (None, [1, 1, 1], [2.25, 2.25, 2.25]),
        (None, [8, 8, 8], [2.0, 2.0, 2.75]),
        ("residual blocks", [1, 8], [2.25, 2.25]),
    ]
    roles = ["plain"] * 3 + ["residual"] * 3
    assert all(is_role(c, role) for (*_, c), role in zip(lines(axes), roles, strict=True))
    assert [mark for _, mark, _ in looks(axes)] == ["s", "s", "None", "o", "o", "None"]
    assert legend(axes) == ["plain blocks", "residual blocks", "frequencies"]
    roles = ("plain", "residual", "count")
    assert all(is_role(c, r) for (_, c), r in zip(keys(axes), roles, strict=True))
    assert levels(axes) == [("frequencies", 3.25)]
    assert (axes.get_xscale(), axes.xaxis.get_transform().base) == ("log", 2)
    assert axes.get_yscale() == "linear"
    assert ticks(axes.xaxis) == ([1, 8], ["1", "8"])
    assert names(axes) == ("blocks", "validation loss (nats per character)")


def bands(*means):
    """With a spread that is neither their standard error nor their variance."""
    return [Band(mean, mean / 4, 5) for mean in means]


def test_branches_over_training_have_a_panel_for_each_initialization():
    steps = {0: bands(0.5, 1.0, 2.0), 100: bands(1.0, 2.0, 4.0), 1_000: bands(4.0, 0.5, 1.0)}
    still = {0: bands(0.25, 0.25, 0.25), 50: bands(0.5, 0.5, 0.5)}
    figure = drawn(
        figures.branches_over_training({"default": steps, "zero": still, "normal": steps})
    )
    first, second, third = figure.axes
    moving = [
        (None, [0, 100, 1_000], [0.5, 1.0, 4.0]),
        (None, [0, 100, 1_000], [1.0, 2.0, 0.5]),
        (None, [0, 100, 1_000], [2.0, 4.0, 1.0]),
    ]
    assert curves(first) == curves(third) == moving
    assert curves(second) == [(None, [0, 50], [0.25, 0.5])] * 3
    assert shades(first) == [
        {0: (0.375, 0.625), 100: (0.75, 1.25), 1_000: (3.0, 5.0)},
        {0: (0.75, 1.25), 100: (1.5, 2.5), 1_000: (0.375, 0.625)},
        {0: (1.5, 2.5), 100: (3.0, 5.0), 1_000: (0.75, 1.25)},
    ]
    # attention and feed-forward in turn; a line style for each block
    roles = ("attention", "feed-forward", "attention")
    assert all(is_role(c, role) for (*_, c), role in zip(lines(first), roles, strict=True))
    assert [style for style, _, _ in looks(first)] == ["-", "-", "--"]
    shaded = [collection.get_facecolor()[0] for collection in first.collections]
    assert all(is_role(c[:3], role) for c, role in zip(shaded, roles, strict=True))
    assert [axes.get_title() for axes in figure.axes] == ["default", "zero", "normal"]
    assert [names(axes) for axes in figure.axes] == [
        ("steps", "branch / stream"),
        ("steps", ""),
        ("steps", ""),
    ]
    for axes in figure.axes:
        assert axes.get_yscale() == "symlog"
        assert axes.get_ylim() == pytest.approx((-0.001, 8))
        assert [height for _, height in levels(axes)] == [1]
    assert ticks(first.yaxis) == ([0, 0.01, 0.1, 1], ["0", "0.01", "0.1", "1"])
    shown = keys(figure)
    assert [name for name, _ in shown] == [
        "attention", "feed-forward", " ", "block 1", "block 2", "block 3",
    ]  # fmt: skip
    assert is_role(shown[0][1], "attention")
    assert is_role(shown[1][1], "feed-forward")
    styles = [handle.get_linestyle() for handle in figure.legends[0].legend_handles]
    assert styles[3:] == ["-", "--", ":"]
