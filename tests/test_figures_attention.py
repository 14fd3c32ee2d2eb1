"""Attention, drawn: who looks at whom, in which direction, in which colour."""

import torch
from artists import (
    bars,
    curves,
    drawn,
    error_bars,
    image,
    is_role,
    legend,
    lines,
    looks,
    names,
    panel,
    ticks,
)

from bardgpt.records.band import Band
from bardgpt.teaching import figures


def test_keys_chosen_is_a_bar_for_each_key():
    weights = {"plain": torch.tensor([0.25, 0.5, 0.25]), "scaled": torch.tensor([0.75, 0.25])}
    figure = drawn(figures.keys_chosen(weights))
    left, right = figure.axes
    assert bars(left) == [(None, [0, 1, 2], [0.25, 0.5, 0.25])]
    assert bars(right) == [(None, [0, 1], [0.75, 0.25])]
    for axes in (left, right):
        assert all(is_role(bar.get_facecolor()[:3], "key") for bar in axes.patches)
        assert axes.get_ylim() == (0, 1)
        assert axes.get_xlabel() == "key"
    assert [axes.get_title() for axes in figure.axes] == ["plain", "scaled"]
    assert (left.get_ylabel(), right.get_ylabel()) == ("weight", "")
    assert ticks(left.xaxis)[0] == [0, 1, 2]
    hatches = [axes.patches[0].get_hatch() for axes in figure.axes]
    assert hatches == ["", "//"]


def test_keys_chosen_of_six_stand_in_two_rows():
    weights = {str(i): torch.eye(8)[i] for i in range(6)}
    figure = drawn(figures.keys_chosen(weights))
    assert [axes.get_title() for axes in figure.axes] == list("012345")
    assert [axes.get_subplotspec().rowspan.start for axes in figure.axes] == [0, 0, 0, 1, 1, 1]
    assert [axes.patches[0].get_hatch() for axes in figure.axes] == [""] * 3 + ["//"] * 3


def test_gradient_histogram_counts_every_query():
    ratios = {"unscaled": torch.tensor([1e-9, 0.5, 0.5, 20.0]), "scaled": torch.tensor([1.0, 1.0])}
    axes = panel(figures.gradient_histogram(ratios))
    unscaled, scaled = (heights for *_, heights in bars(axes))
    assert (sum(unscaled), sum(scaled)) == (4, 2)
    assert unscaled[0] == 1  # less than is drawn is counted at the end
    assert axes.get_xscale() == "log"
    assert legend(axes) == ["unscaled", "scaled"]
    assert names(axes) == ("gradient at a query (1: typical, with the scale)", "queries")


# No two numbers are equal, so that nothing can be turned, swapped or taken for its neighbour.
WEIGHTS = torch.tensor(
    [
        [[0.10, 0.11, 0.12], [0.13, 0.14, 0.15], [0.16, 0.17, 0.18]],
        [[0.20, 0.21, 0.22], [0.23, 0.24, 0.25], [0.26, 0.27, 0.28]],
        [[0.30, 0.31, 0.32], [0.33, 0.34, 0.35], [0.36, 0.37, 0.38]],
        [[0.40, 0.41, 0.42], [0.43, 0.44, 0.45], [0.46, 0.47, 0.48]],
    ]
)


def test_maps_have_a_picture_for_each_head_whose_rows_look_at_columns():
    figure = drawn(figures.maps(WEIGHTS, "a \n"))
    *heads, bar = figure.axes
    assert [image(axes)[0] for axes in heads] == [
        [0.10, 0.11, 0.12], [0.20, 0.21, 0.22], [0.30, 0.31, 0.32], [0.40, 0.41, 0.42],
    ]  # fmt: skip
    assert image(heads[1]) == [[0.20, 0.21, 0.22], [0.23, 0.24, 0.25], [0.26, 0.27, 0.28]]
    assert [axes.get_title() for axes in heads] == ["head 1", "head 2", "head 3", "head 4"]
    for i, axes in enumerate(heads):
        assert is_role(axes.title.get_color(), f"head {i}")
        assert axes.images[0].get_clim() == (0, 1)
        assert axes.images[0].origin == "upper"  # the first position on top
    assert [names(axes) for axes in heads] == [
        ("", "position"), ("", ""), ("looks at", "position"), ("looks at", ""),
    ]  # fmt: skip
    assert ticks(heads[2].xaxis) == ticks(heads[2].yaxis) == ([0, 1, 2], ["a", "␣", "↵"])
    assert bar.get_ylabel() == "weight"


def test_maps_may_have_other_titles():
    figure = drawn(figures.maps(WEIGHTS[:2], "a \n", ("before", "after")))
    assert [axes.get_title() for axes in figure.axes[:2]] == ["before", "after"]


def test_head_profiles_stand_by_distance_and_by_class():
    distances = torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.375, 0.5]])
    classes = torch.tensor([[0.75, 0.25], [0.0625, 0.9375]])
    figure = drawn(figures.head_profiles(distances, classes, ["vowel", "space"]))
    above, below = figure.axes
    assert curves(above) == [
        ("head 1", [0, 1, 2], [0.5, 0.25, 0.25]),
        ("head 2", [0, 1, 2], [0.125, 0.375, 0.5]),
    ]
    assert curves(below) == [
        ("head 1", [-0.18, 0.82], [0.75, 0.25]),  # side by side, around the class
        ("head 2", [-0.06, 0.94], [0.0625, 0.9375]),
    ]
    for axes in (above, below):
        assert [mark for _, mark, _ in looks(axes)] == ["o", "s"]
        for i, line in enumerate(lines(axes)):
            assert is_role(line[3], f"head {i}")
        assert axes.get_yscale() == "linear"
    assert {style for style, _, _ in looks(below)} == {"None"}
    assert ticks(below.xaxis) == ([0, 1], ["vowel", "space"])
    assert names(above) == ("characters back (0: itself)", "mean attention weight")
    assert names(below) == ("class of character", "mean attention weight")
    assert legend(above) == ["head 1", "head 2"]


def test_head_spreads_are_bars_of_means_with_one_deviation():
    axes = panel(
        figures.head_spreads(
            {
                "before": {"distance": Band(0.25, 0.125, 4), "class": Band(0.5, 0.0625, 4)},
                "after": {"distance": Band(0.75, 0.25, 4), "class": Band(0.625, 0.125, 4)},
            }
        )
    )
    assert bars(axes) == [
        ("distance", [-0.18, 0.82], [0.25, 0.75]),
        ("class", [0.18, 1.18], [0.5, 0.625]),
    ]
    assert [spans for *_, spans in error_bars(axes)] == [
        [(0.125, 0.375), (0.5, 1.0)],
        [(0.4375, 0.5625), (0.5, 0.75)],
    ]
    assert all(is_role(bar.get_facecolor()[:3], "model") for bar in axes.patches)
    assert [bar.get_hatch() for bar in axes.patches] == ["", "", "//", "//"]
    assert ticks(axes.xaxis) == ([0, 1], ["before", "after"])
    assert axes.get_yscale() == "linear"
    assert axes.get_ylabel() == "how much the heads differ\n(total variation, 0 to 1)"
    assert legend(axes) == ["distance", "class"]
