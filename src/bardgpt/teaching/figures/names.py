"""Names at what they name: a curve's beside it in place of a legend, an axis' above it."""

import itertools
import math
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatter, NullFormatter, ScalarFormatter
from matplotlib.transforms import Bbox

from bardgpt.teaching.figures.style import FONT

LETTER = 0.52  # width of a letter, in its size
SCALE = 100  # for the name of a scale of colours, in units of the picture
GAP = 4  # between a curve and its name, in units of the picture
HALO = "halo"  # marks a text that stands out from what is behind
KEYED = "keyed"  # marks a curve whose name stays in the legend, with those of its like
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
NEAR = 14  # from a name's edge to its curve at most


def upright(figure: Figure) -> None:
    """Put each vertical axis' name above it, unturned, and the titles of plots to the left.

    Where all plots have the same name there, the first says it for all.
    """
    plots = [axes for axes in figure.axes if axes.get_subplotspec()]
    names = {axes: axes.get_ylabel() for axes in figure.axes}
    if len({name for axes in plots if (name := names[axes])}) == 1:
        names |= dict.fromkeys(plots[1:], "")
    above: dict[int, float] = defaultdict(float)  # what stands between a row's plots and titles
    for axes, name in names.items():
        size, colour = axes.yaxis.label.get_size(), axes.yaxis.label.get_color()
        columns = axes.get_gridspec().ncols if axes in plots else 1
        width = figure.get_figwidth() * 72 * 0.9 / columns
        below = (_in_lines(line, width, size) for line in axes.get_xlabel().split("\n"))
        axes.set_xlabel("\n".join(itertools.chain(*below)))
        lines = _in_lines(name, 0.9 * width if axes in plots else SCALE, size)
        axes.set_ylabel("")
        if lines:
            frame = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
            style = {"fontsize": size, "color": colour, "annotation_clip": False}
            axes.annotate("\n".join(lines), (0, 1), (0, 5), **frame, **style)
        if axes in plots:
            row = axes.get_subplotspec().rowspan.start
            above[row] = max(above[row], 1.3 * size * len(lines))
    for axes in plots:
        title, look = axes.get_title(), axes.title
        style = {"color": look.get_color(), "fontsize": look.get_size(), "fontweight": "bold"}
        axes.set_title("")
        pad = 6 + above[axes.get_subplotspec().rowspan.start]
        axes.set_title(title, loc="left", pad=pad, **style)


def _in_lines(words: str, width: float, size: float) -> list[str]:
    return textwrap.wrap(words, int(width / (LETTER * size)))


def plain_numbers(figure: Figure) -> None:
    """Write the numbers at axes as the text does, and not as formulas."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            kind = type(axis.get_major_formatter())
            if kind is ScalarFormatter and max(axis.get_ticklocs(), default=0) >= 1_000:
                axis.set_major_formatter("{x:,.0f}")
            elif issubclass(kind, LogFormatter):
                axis.set_major_formatter(lambda value, _: power(value))
                axis.set_minor_formatter(NullFormatter())


def power(value: float) -> str:
    """A number at a logarithmic axis."""
    if 1e-4 <= value < 1e5:
        return f"{value:,g}"
    return "10" + f"{math.log10(value):.0f}".translate(RAISED)


def beside_curves(figure: Figure) -> None:
    """Write names beside their curves, and leave in the legend only what finds no room."""
    legends = list(_legends(figure))
    for legend, _ in legends:
        legend.set_in_layout(False)
    figure.draw_without_rendering()
    renderer = FigureCanvasAgg(figure).get_renderer()
    grown = False
    for legend, axes in legends:
        handles, labels = axes.get_legend_handles_labels()
        curves = dict(zip(labels, handles, strict=True))
        shown = {text.get_text(): curves[text.get_text()] for text in legend.get_texts()}
        rest = _without_room(axes, shown, renderer)
        inside = legend not in figure.legends and len(figure.axes) > 1
        legend.remove()
        if inside and rest:
            axes.legend([*rest.values()], [*rest])
        elif rest:
            _above(figure, rest, legend)
            grown = True
    if grown:
        figure.draw_without_rendering()
    figure.set_layout_engine("none")  # all is in its place
    for axes in figure.axes:
        label = axes.xaxis.label
        if label.get_window_extent(renderer).x1 > figure.bbox.x1:
            axes.set_xlabel(label.get_text(), loc="right")


def _above(figure: Figure, handles: dict[str, Artist], like: Legend) -> None:
    """A legend above all plots, for which the figure grows, with marks as in another legend."""
    width, height = figure.get_size_inches()
    letters = max(map(len, handles)) + 8  # with the mark
    columns = min(len(handles), int(width * 72 / (LETTER * FONT * letters)) or 1)
    figure.set_size_inches(width, height + 0.2 * -(-len(handles) // columns))
    look = {"loc": "outside upper left", "ncols": columns}
    look |= {"markerscale": like.markerscale, "handlelength": like.handlelength}
    figure.legend([*handles.values()], [*handles], **look)


def _legends(figure: Figure) -> Iterator[tuple[Legend, Axes]]:
    """Each legend with the first plot that has what it names."""
    for axes in figure.axes:
        if legend := axes.get_legend():
            yield legend, axes
    for legend in list(figure.legends):
        shown = {text.get_text() for text in legend.get_texts()}
        for axes in figure.axes:
            if shown <= set(axes.get_legend_handles_labels()[1]):
                yield legend, axes
                break


def _curve(handle: object) -> Line2D | None:
    """The line that a name stands for; None for bars and for marks without a line."""
    line = handle.lines[0] if isinstance(handle, ErrorbarContainer) else handle
    return line if isinstance(line, Line2D) and _is_drawn(line) else None


def _is_drawn(line: Line2D) -> bool:
    """Whether a line joins its points, and not only marks them."""
    return line.get_linestyle() not in ("None", "", " ")


def _places(line: Line2D) -> np.ndarray:
    """Where the values of a line stand in the drawing, those that are numbers. (N, 2)."""
    places = line.get_transform().transform(np.column_stack(line.get_data()).astype(float))
    return places[np.isfinite(places).all(axis=1)]


def _points(line: Line2D) -> np.ndarray:
    """Points along a line as it is drawn, 2 units from each other. (N, 2)."""
    path = _places(line)
    if not _is_drawn(line) or len(path) < 2:
        return path
    along = np.concatenate([[0], np.hypot(*np.diff(path, axis=0).T).cumsum()])
    places = np.arange(0, along[-1] + 2, 2)
    return np.column_stack([np.interp(places, along, axis) for axis in path.T])


def _marks(line: Line2D) -> list[Bbox]:
    """What the marks of a line cover."""
    if line.get_marker() in ("None", "", " ", None):
        return []
    size = line.get_markersize() * line.get_figure().dpi / 72
    return [Bbox.from_bounds(x - size / 2, y - size / 2, size, size) for x, y in _places(line)]


def _belongs(other: Line2D, line: Line2D) -> bool:
    """Whether a line is one of a curve's runs, or marks the points or bars of such a one."""
    looks = ((x.get_linestyle(), x.get_marker()) for x in (line, other))
    alike = not _is_drawn(other) or next(looks) == next(looks)
    return alike and line.get_color() == other.get_color()


def _is_thinner(run: Line2D, line: Line2D) -> bool:
    """Whether a run is drawn thinner than the mean, which then alone bears their name."""
    return _is_drawn(run) and run.get_linewidth() < line.get_linewidth()


def _without_room(
    axes: Axes, handles: dict[str, Artist], renderer: RendererAgg
) -> dict[str, Artist]:
    """Write names where nothing else is and no other curve is as near; return the others."""
    points = {line: _points(line) for line in axes.lines if len(line.get_xdata())}
    taken = [each.get_window_extent(renderer) for each in (*axes.texts, *axes.patches)]
    taken += [mark for line in points for mark in _marks(line)]
    inside, rest = axes.get_window_extent(renderer), {}
    for label, handle in handles.items():
        line = _curve(handle)
        runs = {other: p for other, p in points.items() if line and _belongs(other, line)}
        if not runs or line.get_gid() == KEYED:
            rest[label] = handle
            continue
        own = [p for run, p in runs.items() if not _is_thinner(run, line)]
        others = [p for other, p in points.items() if not _belongs(other, line)]
        style = {"fontsize": axes.xaxis.label.get_size(), "fontweight": "bold", "gid": HALO}
        # A curve may be pale; words in its colour are not, or they would be hard to read.
        style |= {"color": to_hex(line.get_color()), "va": "bottom", "transform": axes.transAxes}
        text = axes.text(0, 0, label, **style)
        text.set_in_layout(False)
        size = text.get_window_extent(renderer).size
        box = _best(np.concatenate(own), others, [*points.values()], taken, inside, size)
        if box is None:
            text.remove()
            rest[label] = handle
            continue
        text.set_transform(axes.transData)
        text.set_position(axes.transData.inverted().transform(box.p0))
        taken.append(box)
    return rest


def _best(
    own: np.ndarray,
    others: Sequence[np.ndarray],
    all_curves: Sequence[np.ndarray],
    taken: Sequence[Bbox],
    inside: Bbox,
    size: np.ndarray,
) -> Bbox | None:
    """The free place beside a curve that is least to be taken for another's, if there is one."""
    width, height = size
    all_points = np.concatenate(all_curves)
    rest = np.concatenate(others) if others else np.empty((0, 2))
    best, most = None, 0.0
    for x, y in own[:: max(1, len(own) // 120)]:
        for left in (x - width, x - width / 2, x):
            for bottom in (y + GAP, y - GAP - height, y + GAP + 5, y - GAP - 5 - height):
                box = Bbox.from_bounds(left, bottom, width, height)
                if (
                    box.x0 < inside.x0 or box.x1 > inside.x1 + 1
                    or box.y0 < inside.y0 or box.y1 > inside.y1 + 1
                    or _distance(box, all_points) < 2
                    or any(box.padded(1).overlaps(other) for other in taken)
                ):  # fmt: skip
                    continue
                near = _distance(box, own)
                far = min(_distance(box, rest), 40.0)
                score = far - 2 * near
                if near < NEAR and far > near and (best is None or score > most):
                    best, most = box, score
    return best


def _distance(box: Bbox, points: np.ndarray) -> float:
    """From a box to the nearest point; 0 if one is inside."""
    if not len(points):
        return np.inf
    x = np.maximum(np.maximum(box.x0 - points[:, 0], points[:, 0] - box.x1), 0)
    y = np.maximum(np.maximum(box.y0 - points[:, 1], points[:, 1] - box.y1), 0)
    return float(np.hypot(x, y).min())
