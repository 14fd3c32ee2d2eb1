"""How fast a step is, drawn: one mark for each case, placed by its number."""

from artists import error_bars, is_role, names, panel, ticks, uprights

from bardgpt.records.speeds import Spread
from bardgpt.teaching import figures


def test_step_speeds_are_medians_with_their_range():
    times = {
        "base, float32": Spread(1.0, 1.0, 1.0),
        "kernel, bfloat16": Spread(2.5, 2.25, 3.5),
        "kernel, bfloat16, dropout": Spread(1.75, 1.5, 1.875),
    }
    precisions = {case: case.split(", ")[1] for case in times}
    axes = panel(figures.step_speeds(times, precisions, than="base, float32"))
    assert error_bars(axes, along="x") == [
        (None, [1.0], [0], [(1.0, 1.0)]),
        (None, [2.5], [1], [(2.25, 3.5)]),
        (None, [1.75], [2], [(1.5, 1.875)]),
    ]
    marks = [container.lines[0] for container in axes.containers]
    assert [mark.get_marker() for mark in marks] == ["s", "o", "o"]
    roles = ("float32", "bfloat16", "bfloat16")
    assert all(is_role(m.get_color(), role) for m, role in zip(marks, roles, strict=True))
    fillings = ("float32", "bfloat16", "paper")  # hollow with dropout
    assert all(is_role(m.get_markerfacecolor(), f) for m, f in zip(marks, fillings, strict=True))
    assert uprights(axes) == [1]
    shown = ["base, float32", "kernel, bfloat16", "kernel, bfloat16,\ndropout"]  # in short lines
    assert ticks(axes.yaxis) == ([0, 1, 2], shown)
    low, high = axes.get_ylim()
    assert low > high  # the first on top
    assert axes.get_xlim()[0] == 0
    assert axes.get_xscale() == "linear"
    assert names(axes) == ("times as fast as the base, float32", "")
