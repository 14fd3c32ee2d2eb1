"""Wirings, drawn: gradients and streams by depth."""

from artists import curves, drawn, is_role, legend, lines, looks, names, shades

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
