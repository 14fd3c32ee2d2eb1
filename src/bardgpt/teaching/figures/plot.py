"""A plot in a page: one function, drawn for a column with room and again for a phone."""

import functools
import hashlib
import inspect
from collections.abc import Callable

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from bardgpt.teaching.figures.names import beside_curves, plain_numbers, upright
from bardgpt.teaching.figures.style import FONT, NARROW_FONT, PHONE, STYLE
from bardgpt.teaching.figures.vector import shapes
from bardgpt.teaching.svg import picture

STEM = "plot-stem"  # of ids until the drawing is there


class Plot:
    """A plot that a notebook or website shows as inline SVG, in the page's colours.

    Attributes:
        name: of the function that draws it.
        title: what it shows, in a few words.
        wide: the drawing for a column with room, as Matplotlib has it.
    """

    def __init__(self, name: str, title: str, draw: Callable[[], Figure]) -> None:
        """Draw the wide one.

        Args:
            name: of the function that draws it.
            title: what it shows, in a few words.
            draw: the same figure each time, in the style and width that is set.
        """
        self.name, self.title, self._draw = name, title, draw
        with plt.style.context(["default", STYLE]):
            self.wide = draw()

    def description(self) -> str:
        """What its axes are; a page that knows what is seen there says that instead."""
        said = {
            " ".join(f"{name}".split()): None
            for axes in self.wide.axes
            for name in (axes.get_title(), axes.get_ylabel(), axes.get_xlabel())
            if name
        }
        return f"Its parts and axes: {'; '.join(said)}."

    def svg(self, *, narrow: bool) -> str:
        """One of the two drawings as an `<svg>` element."""
        with plt.style.context(["default", PHONE if narrow else STYLE]):
            figure = self._draw()
            upright(figure)
            plain_numbers(figure)
            beside_curves(figure)
            marks, size = shapes(figure, STEM)
        # Two plots on a page differ in what they show, and one is the same each time it is drawn.
        stem = f"plot-{hashlib.sha256(''.join(marks).encode()).hexdigest()[:6]}"
        return picture(
            stem,
            self.title,
            self.description(),
            size,
            [mark.replace(STEM, stem) for mark in marks],
            look=f"bard-plot bard-{'narrow' if narrow else 'wide'}",
            font=NARROW_FONT if narrow else FONT,
            sheet=not narrow,
        )

    def _repr_html_(self) -> str:
        drawings = (self.svg(narrow=narrow) for narrow in (False, True))
        return "\n".join(['<div class="bard-figure">', *drawings, "</div>"])

    def __repr__(self) -> str:
        return f"<Plot {self.name}: {self.title}>"


def plot(draw: Callable[..., Figure]) -> Callable[..., Plot]:
    """Make of a function that draws a figure one that returns it as a `Plot`.

    Its title is the first sentence of the docstring.
    """
    title = (inspect.getdoc(draw) or draw.__name__).partition("\n")[0].rstrip(".")

    @functools.wraps(draw)
    def plotted(*numbers: object, **options: object) -> Plot:
        return Plot(draw.__name__, title, functools.partial(draw, *numbers, **options))

    del plotted.__wrapped__  # its signature is told by its annotations, with what it returns now
    plotted.__signature__ = inspect.signature(draw).replace(return_annotation=Plot)
    return plotted
