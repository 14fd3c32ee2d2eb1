"""Dropout, drawn: two losses over the steps, and what masks give."""

import torch
from artists import (
    curves,
    drawn,
    error_bars,
    image,
    is_role,
    keys,
    legend,
    levels,
    lines,
    looks,
    names,
    ticks,
    written,
)

from bardgpt.records.band import Band
from bardgpt.teaching import figures
from bardgpt.training.loop import History


def test_thinned_weights_stand_beside_the_whole_ones_with_the_sums_of_rows():
    """A cross where one fell; the future, which has no weight anyway, gets none."""
    whole = torch.tensor([[1.0, 0.0], [0.75, 0.25]])
    fell = torch.tensor([[0.0, 0.0], [1.5, 0.0]])
    figure = drawn(figures.thinned({"whole": whole, "one mask": fell}, "a "))
    left, right, bar = figure.axes
    assert image(left) == [[1, None], [0.75, 0.25]]
    assert image(right) == [[None, None], [1.5, None]]
    sums = [("1.00", [2, 0]), ("1.00", [2, 1]), ("sum", [2, -1])]
    assert written(left) == sums
    crosses = [("x", [0, 0]), ("0.00", [2, 0]), ("x", [1, 1]), ("1.50", [2, 1]), ("sum", [2, -1])]
    assert written(right) == crosses
    for axes in (left, right):  # one scale of colours for both
        assert axes.images[0].get_clim() == (0, 1.5)
        assert ticks(axes.xaxis) == ([0, 1], ["a", "␣"])
    assert ticks(left.yaxis) == ([0, 1], ["a", "␣"])
    assert [axes.get_title() for axes in (left, right)] == ["whole", "one mask"]
    assert names(left) == ("looks at", "position")
    assert names(right) == ("looks at", "")
    assert bar.get_ylabel() == "weight"


def test_gaps_are_both_losses_of_each_run_over_the_steps():
    runs = [
        History([0, 200, 1_000], [None, 9.1, 9.2], [4.2, 2.5, 2.75]),
        History([0, 200, 1_000], [None, 9.3, 9.4], [4.3, 2.6, 2.85]),
    ]
    learned = [{0: 4.0, 200: 2.25, 1_000: 1.25}, {0: 4.1, 200: 2.35, 1_000: 1.35}]
    other = [History([0, 500, 1_000], [None, 9.5, 9.6], [4.4, 3.5, 3.25])]
    figure = drawn(
        figures.gaps({"p = 0": (runs, learned), "p = 0.4": (other, [{0: 4.4, 500: 3.0}])})
    )
    left, right = figure.axes
    steps = [0, 200, 1_000]
    assert curves(left) == [
        ("validation", steps, [4.2, 2.5, 2.75]),
        (None, steps, [4.3, 2.6, 2.85]),
        ("the text learned from", steps, [4.0, 2.25, 1.25]),
        (None, steps, [4.1, 2.35, 1.35]),
    ]
    assert curves(right) == [
        ("validation", [0, 500, 1_000], [4.4, 3.5, 3.25]),
        ("the text learned from", [0, 500], [4.4, 3.0]),
    ]
    assert [style for style, _, _ in looks(left)] == ["-", "-", "--", "--"]
    roles = ("validation", "validation", "train", "train")
    assert all(is_role(c, role) for (*_, c), role in zip(lines(left), roles, strict=True))
    assert [axes.get_title() for axes in figure.axes] == ["p = 0", "p = 0.4"]
    assert names(left) == ("steps", "loss (nats per character)")
    assert names(right) == ("steps", "")
    assert left.get_ylim()[1] == right.get_ylim()[1] == 3.4  # the same axis for all
    assert left.get_ylim() == right.get_ylim()
    assert legend(figure) == ["validation", "the text learned from"]


def test_ensembles_stand_by_the_number_of_masks_with_their_deviations():
    def bands(*means):
        return [Band(mean, sd, 4) for mean, sd in zip(means, (0.125, 0.25, 0.0625), strict=True)]

    masks = [1, 4, 64]
    figure = drawn(
        figures.ensembles(
            masks,
            {"mean": bands(1.0, 0.5, 0.25), "geometric": bands(2.0, 1.0, 0.75)},
            {"mean": bands(0.5, -0.25, -1.0), "geometric": bands(0.25, 0.0, -0.5)},
        )
    )
    left, right = figure.axes
    assert error_bars(left) == [
        ("mean", masks, [1.0, 0.5, 0.25], [(0.875, 1.125), (0.25, 0.75), (0.1875, 0.3125)]),
        ("geometric", masks, [2.0, 1.0, 0.75], [(1.875, 2.125), (0.75, 1.25), (0.6875, 0.8125)]),
    ]
    assert error_bars(right) == [
        ("mean", masks, [0.5, -0.25, -1.0], [(0.375, 0.625), (-0.5, 0.0), (-1.0625, -0.9375)]),
        ("geometric", masks, [0.25, 0, -0.5], [(0.125, 0.375), (-0.25, 0.25), (-0.5625, -0.4375)]),
    ]  # fmt: skip
    assert (levels(left), levels(right)) == ([], [("test-time model", 0)])
    for axes in (left, right):
        assert (axes.get_xscale(), axes.xaxis.get_transform().base) == ("log", 2)
        assert ticks(axes.xaxis) == (masks, ["1", "4", "64"])
        assert axes.get_xlabel() == "masks, N"
    assert (left.get_yscale(), right.get_yscale()) == ("log", "linear")
    assert left.get_ylim()[0] == 0.018
    assert left.get_ylabel() == "KL to the test-time model (nats)"
    assert right.get_ylabel() == "validation loss minus that of\ntest time (nats per character)"
    assert legend(figure) == ["test-time model", "mean", "geometric"]
    assert is_role(keys(figure)[0][1], "ink")
    marks = [c.lines[0].get_marker() + c.lines[0].get_linestyle() for c in left.containers]
    assert marks == ["o-", "s--"]
    colours = [container.lines[0].get_color() for container in right.containers]
    assert all(is_role(c, role) for c, role in zip(colours, ("model", "target"), strict=True))
