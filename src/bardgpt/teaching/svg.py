"""The frame around every picture: SVG that a page holds as text, in the page's own colours.

A picture names each colour as a variable of the page, with its light value where there is none.
The website sets the variables in `book/_static/custom.css`; for the dark themes of JupyterLab,
Colab and VS Code a picture brings its own, on paper of its own, so that it can be read everywhere.
"""

from collections.abc import Sequence
from html import escape

from bardgpt.teaching.palette import HUES, WORDS

BODY = 16  # pixels: a page's text, in which pictures are written as large at most
# The place of pictures in pages that are no website: how each says that it is dark.
DARK = (
    ":is([data-jp-theme-light=false],html[theme=dark],.vscode-dark,.vscode-high-contrast) "
    ":is(.bard-plot,.bard-diagram)"
)
NAMES = {light: name for name, (light, _) in HUES.items()}


def paint(colour: str, *, words: bool = False) -> str:
    """A colour of the palette as the page's variable, with its light value to fall back on.

    Args:
        colour: a light value of the palette, or "none".
        words: whether words are written in it.

    Raises:
        ValueError: if it is no colour of the palette.
    """
    if colour == "none":
        return colour
    if colour not in NAMES:
        raise ValueError(f"{colour} is no colour of the palette; there are {', '.join(NAMES)}")
    name = NAMES[colour]
    if words and name in WORDS:
        return f"var(--bard-{name}-text, {WORDS[name][0]})"
    return f"var(--bard-{name}, {colour})"


def variables(theme: int) -> str:
    """All variables as CSS.

    Args:
        theme: 0 for the light values, 1 for the dark ones.
    """
    every = HUES | {f"{name}-text": values for name, values in WORDS.items()}
    return "".join(f"--bard-{name}:{values[theme]};" for name, values in every.items())


# One of two drawings, chosen by the width of the column and not of the window.
SHEET = (
    ".bard-figure{container-type:inline-size}"
    ".bard-narrow{display:none}"
    "@container (max-width:36rem){.bard-wide{display:none}.bard-narrow{display:block}}"
    f".bard-halo{{paint-order:stroke;stroke:{paint('#ffffff')};stroke-width:3px}}"
    f"@media not print{{{DARK}{{{variables(1)}}}}}"
)


def picture(
    stem: str,
    title: str,
    description: str,
    size: tuple[float, float],
    shapes: Sequence[str],
    *,
    look: str,
    font: float,
    sheet: bool = True,
) -> str:
    """A whole `<svg>` element: as wide as the column, until its text is as large as the page's.

    Args:
        stem: of its ids, once in a page.
        title: what it is, in a few words.
        description: what is seen, for those who cannot see it.
        size: width and height of the view box.
        shapes: SVG elements, bottom first.
        look: its classes.
        font: size of most of its text, in units of the view box.
        sheet: whether it brings the style sheet; one of two drawings does.
    """
    width, height = size
    style = (
        f"display:block;width:{width / font:.4g}rem;max-width:100%;height:auto;margin:0 auto;"
        f"stroke-linejoin:round;fill:{paint(HUES['ink'][0])}"
    )
    if "bard-narrow" in look or "bard-wide" in look:
        style = style.removeprefix("display:block;")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="{look}" role="img" '
            f'viewBox="0 0 {width:g} {height:g}" font-size="{font:g}" '
            f'aria-labelledby="{stem}-title" aria-describedby="{stem}-desc" style="{style}">',
            f'<title id="{stem}-title">{escape(title)}</title>',
            f'<desc id="{stem}-desc">{escape(description)}</desc>',
            *([f"<style>{SHEET}</style>"] if sheet else []),
            f'<rect width="{width:g}" height="{height:g}" rx="8" '
            f'style="fill:{paint(HUES["paper"][0])}"/>',
            '<g aria-hidden="true">',
            *shapes,
            "</g>",
            "</svg>",
        ]
    )
