"""Norms, drawn: sizes of the stream, gaps between modes, who moves, what gains become."""

import pytest
import torch
from artists import (
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
    uprights,
)

from bardgpt.records.band import Band
from bardgpt.teaching import figures


def bands(*means, sd=0.25):
    return [Band(mean, sd, 5) for mean in means]


def test_stream_sizes_stand_by_depth_with_their_deviations():
    figure = drawn(
        figures.stream_sizes(
            {"0 steps": bands(1.0, 2.0, 4.0), "9 steps": bands(1.5, 3.0, 3.5, sd=0.5)},
            {"default": bands(1.0, 2.0), "xavier": bands(10.0, 100.0, sd=5.0)},
        )
    )
    left, right = figure.axes
    assert error_bars(left) == [
        ("0 steps", [0, 1, 2], [1.0, 2.0, 4.0], [(0.75, 1.25), (1.75, 2.25), (3.75, 4.25)]),
        ("9 steps", [0, 1, 2], [1.5, 3.0, 3.5], [(1.0, 2.0), (2.5, 3.5), (3.0, 4.0)]),
    ]
    assert error_bars(right) == [
        ("Default start", [0, 1], [1.0, 2.0], [(0.75, 1.25), (1.75, 2.25)]),
        ("Xavier start", [0, 1], [10.0, 100.0], [(5.0, 15.0), (95.0, 105.0)]),
    ]
    centres = [container.lines[0] for axes in figure.axes for container in axes.containers]
    assert [(c.get_linestyle(), c.get_marker()) for c in centres] == [
        (":", "o"), ("--", "s"), ("-", "v"), ("-", "D"),
    ]  # fmt: skip
    roles = ("stream", "stream", "default", "xavier")
    assert all(is_role(c.get_color(), role) for c, role in zip(centres, roles, strict=True))
    assert (left.get_title(), right.get_title()) == (
        "2 blocks, over training",
        "1 blocks, at the start",
    )
    assert (left.get_yscale(), right.get_yscale()) == ("linear", "log")
    assert (left.get_ylim(), right.get_ylim()[1]) == ((0, 5.2), 3e4)
    assert names(left) == ("blocks passed", "size of the stream (RMS)")
    assert names(right) == ("blocks passed", "size (RMS), logarithmic")
    assert legend(left) == ["0 steps", "9 steps"]
    assert legend(right) == ["Default start", "Xavier start"]


def test_mode_gaps_join_the_sizes_of_each_run():
    axes = panel(
        figures.mode_gaps(
            {
                "layer norm": ("norm", {8: [0.0, 0.1], 32: [0.2, 0.3], 512: [0.4, 0.5]}),
                "batch norm": ("batch norm", {8: [1.0], 32: [2.0], 512: [3.0]}),
            }
        )
    )
    sizes = [8, 32, 512]
    assert curves(axes) == [
        ("layer norm, 2 seeds", sizes, [0.0, 0.2, 0.4]),
        (None, sizes, [0.1, 0.3, 0.5]),
        ("batch norm, 1 seeds", sizes, [1.0, 2.0, 3.0]),
    ]
    roles = ("norm", "norm", "batch norm")
    assert all(is_role(c, role) for (*_, c), role in zip(lines(axes), roles, strict=True))
    assert [mark for _, mark, _ in looks(axes)] == ["s", "s", "o"]
    assert uprights(axes) == [32]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert ticks(axes.xaxis) == (sizes, ["8", "32", "512"])
    assert names(axes) == (
        "windows in a batch",
        "training minus evaluation mode\n(nats per character)",
    )
    assert legend(axes) == ["layer norm, 2 seeds", "batch norm, 1 seeds"]


def test_who_moves_leaves_out_what_is_still_and_frames_what_may_move():
    """Two texts of three positions; position 1 of text 1 was changed."""
    change = torch.tensor([[0.0, 1e-6, 0.5], [0.0, 0.125, 0.25]])
    figure = drawn(figures.who_moves({"a norm, moving": change, "none": change * 0}, (1, 1)))
    left, right, bar = figure.axes
    assert image(left) == [[None, None, 0.5], [None, 0.125, 0.25]]
    assert image(right) == [[None] * 3] * 2
    assert [(x, y) for _, x, y in curves(left)] == [([0], [0]), ([1], [0]), ([0], [1])]
    assert len(curves(right)) == 6
    rest, itself = left.patches
    assert (rest.get_xy(), rest.get_width(), rest.get_height()) == ((0.5, 0.5), 2, 1)
    assert (itself.get_xy(), itself.get_width(), itself.get_height()) == ((0.5, 0.5), 1, 1)
    assert is_role(itself.get_edgecolor(), "key")
    (picture,) = left.images
    assert (picture.norm.vmin, picture.norm.vmax) == (0.02, 2)
    assert type(picture.norm).__name__ == "LogNorm"
    assert [axes.get_title() for axes in (left, right)] == ["a norm,\nmoving", "none"]
    assert names(left) == ("position", "text of the batch")
    assert ticks(left.yaxis)[0] == [0, 1]
    assert bar.get_ylabel() == "largest change\nof a logit"


def test_norm_gains_stand_norm_by_norm():
    figure = drawn(
        figures.norm_gains(
            ["A1", "F1"],
            {0: bands(1.0, 1.5, sd=0.0), 50: bands(1.25, 1.75), 90: bands(2.0, 2.5, sd=0.5)},
            {0: bands(0.0, 0.1, sd=0.0), 50: bands(0.2, 0.3, sd=0.1), 90: bands(0.5, 0.75)},
            reach=[(0.5, 3.0), (0.75, 3.5)],
        )
    )
    left, right = figure.axes
    assert error_bars(left) == [
        ("0 steps", [0, 1], [1.0, 1.5], [(1.0, 1.0), (1.5, 1.5)]),
        ("50 steps", [0, 1], [1.25, 1.75], [(1.0, 1.5), (1.5, 2.0)]),
        ("90 steps", [0, 1], [2.0, 2.5], [(1.5, 2.5), (2.0, 3.0)]),
    ]
    assert error_bars(right) == [
        ("0 steps", [0, 1], [0.0, 0.1], [(0.0, 0.0), (0.1, 0.1)]),
        ("50 steps", [0, 1], [0.2, 0.3], [(0.1, 0.3), (0.2, 0.4)]),
        ("90 steps", [0, 1], [0.5, 0.75], [(0.25, 0.75), (0.5, 1.0)]),
    ]
    spans = left.collections[0].get_segments()
    assert [span.tolist() for span in spans] == [[[0, 0.5], [0, 3.0]], [[1, 0.75], [1, 3.5]]]
    assert is_role(left.collections[0].get_color()[0][:3], "norm")
    centres = [container.lines[0] for container in left.containers]
    assert [c.get_marker() for c in centres] == ["x", "s", "^"]
    roles = ("muted", "muted", "ink")  # what came out stands out
    assert all(is_role(c.get_color(), role) for c, role in zip(centres, roles, strict=True))
    for axes, quantity in (
        (left, "gain (mean over channels)"),
        (right, "bias (RMS over channels)"),
    ):
        assert ticks(axes.xaxis) == ([0, 1], ["A1", "F1"])
        assert names(axes) == ("norm, in the model's order", quantity)
        assert axes.get_yscale() == "linear"
    assert legend(left) == ["all gains,\nall runs", "0 steps", "50 steps", "90 steps"]


def test_norm_gains_know_three_looks():
    """A fourth step would have none of its own."""
    steps = {step: bands(1.0) for step in (0, 1, 2, 3)}
    with pytest.raises(ValueError, match="zip"):
        figures.norm_gains(["A1"], steps, steps, reach=[(0, 1)])
