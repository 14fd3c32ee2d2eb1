"""Cuts the theme's icon fonts down to the icons that the site shows.

The theme brings some two thousand icons in three fonts, and each page would load 270 kB of them for
a handful of buttons. An icon is an element of a class like `fa-bars`; the theme's style sheet says
which letter of the fonts that is. So the letters are known once all pages are written.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from fontTools.subset import Options, Subsetter, load_font, save_font
from sphinx.application import Sphinx

FONTS = "_static/vendor/fontawesome/webfonts"
STYLES = "_static/styles/pydata-sphinx-theme.css"
# `.fa-bars:before,.fa-navicon:before{content:"\f0c9"}`: the names of an icon, and its letter.
ICON = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"(?:\\([0-9a-f]+) ?|\\?(.))"\}')
NAME = re.compile(r"\bfa-[a-z0-9-]+")
# A letter that a style sheet shows by itself, written as it is or by its number: the theme's signs
# beside notes and warnings.
LETTER = re.compile(r'"(?:\\([ef][0-9a-f]{3})|([\ue000-\uf8ff]))"')


def letters(styles: str, sources: Iterable[str]) -> set[int]:
    """Return the code points of the icons that pages, scripts and style sheets show.

    Args:
        styles: The theme's style sheet, which gives each icon's letter.
        sources: All that may name an icon: pages, scripts and other style sheets.
    """
    rest = ICON.sub("", styles)
    named = {name for source in (rest, *sources) for name in NAME.findall(source)}
    shown = [found for source in (rest, *sources) for found in LETTER.findall(source)]
    shown += [found for names, *found in ICON.findall(styles) if named & {*NAME.findall(names)}]
    return {int(code, 16) if code else ord(letter) for code, letter in shown}


def cut(font: Path, shown: set[int]) -> None:
    """Leave only those code points in a font file."""
    flavor = font.suffix.removeprefix(".") if font.suffix == ".woff2" else None
    options = Options(flavor=flavor, layout_features=[], notdef_outline=False)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=shown)
    with load_font(str(font), options, lazy=False) as loaded:
        subsetter.subset(loaded)
        save_font(loaded, str(font), options)


def cut_fonts(app: Sphinx, exception: Exception | None) -> None:
    """Cut the fonts of the site that was built."""
    if exception or app.builder.name != "html":
        return
    site = Path(app.outdir)
    styles = (site / STYLES).read_text(encoding="utf-8")
    sources = [
        *site.rglob("*.html"),
        *site.glob("_static/*.js"),
        *site.glob("_static/*.css"),
        *site.glob("_static/s*/*book-theme*.[cj]s*"),  # its scripts and styles
    ]
    shown = letters(styles, (path.read_text(encoding="utf-8") for path in sources))
    for font in sorted((site / FONTS).glob("*.*")):
        cut(font, shown)


def setup(app: Sphinx) -> dict[str, object]:
    """Cut the fonts when all pages are there."""
    app.connect("build-finished", cut_fonts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
