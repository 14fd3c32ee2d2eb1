"""Read a plot back: what stands where in it, in the numbers of its axes.

The tests of figures compare what they read with values written by hand, so a plot that draws other
numbers, or the right ones in a wrong place, is seen.
"""

from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import same_color, to_hex
from matplotlib.container import BarContainer, ErrorbarContainer

from bardgpt.teaching.palette import COLOURS


def drawn(plot):
    """A plot's wide figure, after it has been drawn; left open, its cell would show it twice."""
    figure = plot.wide
    assert plt.get_fignums() == []
    figure.savefig(BytesIO(), format="png")
    return figure


def panel(plot):
    """The only axes of a plot."""
    (axes,) = drawn(plot).axes
    return axes


def names(axes):
    """The labels of both axes."""
    return axes.get_xlabel(), axes.get_ylabel()


def numbers(values):
    """As a list of floats, free of rounding in the last digits."""
    return [round(float(value), 9) for value in values]


def _follows(line):
    """Whether a line's places, and its heights, are in the numbers of its axes."""
    return line.get_transform().contains_branch_seperately(line.axes.transData)


def lines(axes):
    """Each line or row of marks that has points: label (None without), places, heights, colour.

    Caps and centres of error bars are read by `error_bars`, lines across the plot by `levels`.
    """
    inside = [part for container in axes.containers for part in _parts(container)]
    return [
        (_label(line), numbers(line.get_xdata()), numbers(line.get_ydata()), line.get_color())
        for line in axes.lines
        if all(_follows(line)) and len(line.get_xdata()) and line not in inside
    ]


def curves(axes):
    """The same without colours."""
    return [line[:3] for line in lines(axes)]


def looks(axes):
    """Of each such line: style, mark and colour."""
    inside = [part for container in axes.containers for part in _parts(container)]
    return [
        (line.get_linestyle(), line.get_marker(), line.get_color())
        for line in axes.lines
        if all(_follows(line)) and len(line.get_xdata()) and line not in inside
    ]


def _parts(container):
    if not isinstance(container, ErrorbarContainer):
        return []
    centre, caps, _ = container
    return [centre, *caps]


def _label(artist):
    label = artist.get_label()
    return None if str(label).startswith("_") else label


def levels(axes):
    """Lines all across the plot: label and height."""
    return [
        (_label(line), round(float(line.get_ydata()[0]), 9))
        for line in axes.lines
        if _follows(line) == (False, True)
    ]


def uprights(axes):
    """Lines all the way up: their places."""
    return [
        round(float(line.get_xdata()[0]), 9)
        for line in axes.lines
        if _follows(line) == (True, False)
    ]


def error_bars(axes, along="y"):
    """Each row of marks with bars: label, places, heights, and what each bar spans along an axis.

    Means drawn as bars have no marks: their error bars have no places, only spans.
    """
    column = {"x": 0, "y": 1}[along]
    rows = []
    for container in axes.containers:
        if not isinstance(container, ErrorbarContainer):
            continue
        centre, _, (collection,) = container
        spans = [tuple(numbers(np.array(s)[:, column])) for s in collection.get_segments()]
        if centre is None:
            rows.append((_label(container), None, None, spans))
        else:
            places, heights = numbers(centre.get_xdata()), numbers(centre.get_ydata())
            rows.append((_label(container), places, heights, spans))
    return rows


def bars(axes):
    """Each row of bars: label, middles and heights."""
    return [
        (
            _label(container),
            numbers(bar.get_x() + bar.get_width() / 2 for bar in container),
            numbers(bar.get_height() for bar in container),
        )
        for container in axes.containers
        if isinstance(container, BarContainer)
    ]


def shades(axes):
    """What each shaded band spans: for each a dict of place: (low, high)."""
    bands = []
    for collection in axes.collections:
        (path,) = collection.get_paths()
        at = {}
        for x, y in path.vertices[:-1]:
            at.setdefault(round(float(x), 9), []).append(round(float(y), 9))
        bands.append({x: (min(ys), max(ys)) for x, ys in at.items()})
    return bands


def image(axes):
    """The numbers of a picture, as nested lists; None where it is left empty."""
    (picture,) = axes.images
    return [
        [None if np.ma.is_masked(v) or np.isnan(v) else round(float(v), 6) for v in row]
        for row in picture.get_array()
    ]


def legend(place):
    """The names in the legend of a plot or figure, in order."""
    shown = place.get_legend() if hasattr(place, "get_legend") else place.legends[0]
    return [text.get_text() for text in shown.get_texts()]


def keys(place):
    """The same with the colour that stands beside each name."""
    shown = place.get_legend() if hasattr(place, "get_legend") else place.legends[0]
    return [
        (text.get_text(), handle.get_color())
        for text, handle in zip(shown.get_texts(), shown.legend_handles, strict=True)
    ]


def ticks(axis):
    """Where an axis has marks, and what it says there."""
    return numbers(axis.get_ticklocs()), [text.get_text() for text in axis.get_ticklabels()]


def written(axes):
    """Texts in a plot: what and where they point."""
    return [
        (text.get_text(), numbers(getattr(text, "xy", text.get_position()))) for text in axes.texts
    ]


def is_role(colour, role):
    """Whether a colour is that of a role."""
    return same_color(to_hex(colour), COLOURS[role])
