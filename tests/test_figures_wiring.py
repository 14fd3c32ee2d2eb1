"""Wirings, drawn: gradients and streams by depth, losses by rate."""

import math

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
    shades,
    ticks,
)

from bardgpt.records.band import Band
from bardgpt.teaching import figures


def bands(*means, sd=0.25):
    return [Band(mean, sd, 5) for mean in means]


def test_gradients_at_start_stand_by_depth_on_the_stream_and_by_block_in_the_weights():
    """The stream has one place more than there are blocks: the output of the last."""
    figure = drawn(
        figures.gradients_at_start(
            {
                "one start": {
                    "post-norm": (bands(1.0, 2.0, 0.3), bands(4.0, 5.0)),
                    "pre-norm": (bands(6.0, 7.0, 8.0), bands(9.0, 3.0)),
                },
                "another": {"pre-norm": (bands(0.5, 0.75, 1.0), bands(1.5, 2.5))},
            }
        )
    )
    stream, weights, below, beside = figure.axes
    assert curves(stream) == [
        ("post-norm", [0, 1, 2], [1.0, 2.0, 0.3]),
        ("pre-norm", [0, 1, 2], [6.0, 7.0, 8.0]),
    ]
    assert curves(weights) == [("post-norm", [1, 2], [4.0, 5.0]), ("pre-norm", [1, 2], [9.0, 3.0])]
    assert curves(below) == [("pre-norm", [0, 1, 2], [0.5, 0.75, 1.0])]
    assert curves(beside) == [("pre-norm", [1, 2], [1.5, 2.5])]
    # One deviation up and down, but on the logarithmic axis not below a third of the mean.
    assert shades(stream)[0] == {0: (0.75, 1.25), 1: (1.75, 2.25), 2: (0.1, 0.55)}
    assert shades(weights)[1] == {1: (8.75, 9.25), 2: (2.75, 3.25)}
    assert [look[:2] for look in looks(stream)] == [("--", "s"), ("-", "o")]
    for axes in (stream, weights):
        roles = zip(lines(axes), ("post-norm", "pre-norm"), strict=True)
        assert all(is_role(colour, role) for (*_, colour), role in roles)
    assert {(axes.get_xscale(), axes.get_yscale()) for axes in figure.axes} == {("linear", "log")}
    assert [axes.get_title() for axes in figure.axes] == [
        "on the stream\none start",
        "of the feed-forward matrix\none start",
        "another",
        "another",
    ]
    assert [names(axes) for axes in figure.axes] == [
        ("", "RMS of the gradient"),
        ("", ""),
        ("blocks passed", "RMS of the gradient"),
        ("block", ""),
    ]
    assert legend(figure) == ["post-norm", "pre-norm"]


def test_streams_by_depth_have_a_panel_for_each_title():
    figure = drawn(
        figures.streams_by_depth(
            {
                "left": {"post-norm": bands(1.0, 2.0, 3.0), "pre-norm": bands(2.0, 1.0, 0.5)},
                "right": {"no-final-norm": bands(5.0, 6.0)},
            }
        )
    )
    left, right = figure.axes
    assert curves(left) == [
        ("post-norm", [0, 1, 2], [1.0, 2.0, 3.0]),
        ("pre-norm", [0, 1, 2], [2.0, 1.0, 0.5]),
    ]
    assert curves(right) == [("pre-norm without the final norm", [0, 1], [5.0, 6.0])]
    assert shades(left)[0] == {0: (0.75, 1.25), 1: (1.75, 2.25), 2: (2.75, 3.25)}
    assert is_role(lines(left)[0][3], "post-norm")
    assert is_role(lines(left)[1][3], "pre-norm")
    assert is_role(lines(right)[0][3], "no-final-norm")
    assert [axes.get_title() for axes in figure.axes] == ["left", "right"]
    assert [axes.get_ylim()[0] for axes in figure.axes] == [0, 0]
    assert {axes.get_yscale() for axes in figure.axes} == {"linear"}
    assert names(left) == ("blocks passed", "RMS of the stream")
    assert names(right) == ("blocks passed", "")
    assert legend(right) == ["pre-norm without the final norm"]


def test_rate_sweep_joins_the_runs_of_a_seed_over_the_rates():
    """Two seeds, three rates: what belongs to a seed is the n-th run of each rate."""
    figure = drawn(
        figures.rate_sweep(
            {
                ("3 blocks", 0): {
                    "post-norm": {0.001: [2.5, 2.75], 0.003: [2.25, 2.375], 0.01: [3.25, 3.5]},
                    "pre-norm": {0.001: [2.0, 2.1], 0.003: [1.9, 1.8], 0.01: [1.7, 1.6]},
                },
                ("3 blocks", 200): {"pre-norm": {0.001: [2.2], 0.003: [2.3], 0.01: [2.4]}},
                ("12 blocks", 0): {"no-final-norm": {0.0003: [3.1], 0.001: [3.2]}},
                ("12 blocks", 200): {"post-norm": {0.0003: [3.0], 0.001: [2.9]}},
            },
            3.375,
        )
    )
    first, second, third, last = figure.axes
    rates = [0.001, 0.003, 0.01]
    assert curves(first) == [
        ("post-norm", rates, [2.5, 2.25, 3.25]),
        (None, rates, [2.75, 2.375, 3.5]),
        ("pre-norm", rates, [2.0, 1.9, 1.7]),
        (None, rates, [2.1, 1.8, 1.6]),
    ]
    assert curves(second) == [("pre-norm", rates, [2.2, 2.3, 2.4])]
    assert curves(third) == [("pre-norm without the final norm", [0.0003, 0.001], [3.1, 3.2])]
    assert curves(last) == [("post-norm", [0.0003, 0.001], [3.0, 2.9])]
    assert [look[:2] for look in looks(first)] == [("--", "s")] * 2 + [("-", "o")] * 2
    assert [look[:2] for look in looks(third)] == [(":", "^")]
    for axes in figure.axes:
        assert levels(axes) == [("letters' frequencies", 3.375)]
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert ticks(third.xaxis) == ([0.0003, 0.001], ["0.0003", "0.001"])
    assert [axes.get_title() for axes in figure.axes] == [
        "3 blocks\nno warm-up",
        "3 blocks\n200 steps of warm-up",
        "12 blocks\nno warm-up",
        "12 blocks\n200 steps of warm-up",
    ]
    loss = "validation loss\n(nats per character)"
    assert [names(axes) for axes in figure.axes] == [
        ("", loss), ("", ""), ("learning rate", loss), ("learning rate", ""),
    ]  # fmt: skip
    shown = keys(figure)
    assert [name for name, _ in shown] == ["post-norm", "pre-norm", "letters' frequencies"]
    roles = ("post-norm", "pre-norm", "count")
    assert all(is_role(colour, role) for (_, colour), role in zip(shown, roles, strict=True))


def test_losses_beyond_the_plot_stand_on_a_line_of_their_own():
    """Of 20,000 nats the others would be one line at the bottom; a lost run has no loss at all."""
    losses = {
        ("blocks", 0): {
            "no-norm": {0.001: [2.5, 2.6], 0.01: [20_000.0, math.inf], 0.03: [3.75, 3.8]},
            "post-norm": {0.001: [2.25, 2.3], 0.01: [3.25, 3.5], 0.03: [3.25, 3.25]},
        },
        ("more", 0): {"post-norm": {0.001: [2.0, 2.1]}},
    }
    first, second = drawn(figures.rate_sweep(losses, 3.375)).axes
    rates = [0.001, 0.01, 0.03]
    assert curves(first)[:2] == [
        ("no norm", rates, [2.5, 3.775, 3.75]),
        (None, rates, [2.6, 3.775, 3.775]),
    ]
    assert curves(first)[2] == ("post-norm", rates, [2.25, 3.25, 3.25])
    assert is_role(lines(first)[0][3], "no-norm")
    for axes in (first, second):
        assert levels(axes) == [("letters' frequencies", 3.375), ("above this, or lost", 3.775)]
    assert [axes.get_title() for axes in (first, second)] == ["blocks", "more"]
