"""Pages with toys, without the rest of the book: all that such a page loads."""

from pathlib import Path

from element_page import STATIC, THEME
from engine_page import LIVE, build_engine

from bardgpt.teaching.live import Toy

SHEETS = ("custom.css", "live.css", "toys.css")


def build(folder: Path, source: Path = LIVE) -> None:
    """Build what pages load into a folder."""
    out = folder / "_static/live"
    out.mkdir(parents=True)
    build_engine(source, out)
    for name in SHEETS:
        (folder / "_static" / name).write_bytes((STATIC / name).read_bytes())


def page(folder: Path, name: str, *toys: Toy, theme: str = "light") -> None:
    """Write a page with some toys."""
    body = "".join(f"<h2>Toy {i}</h2>{toy.html()}" for i, toy in enumerate(toys, 1))
    sheets = "".join(f'<link rel="stylesheet" href="_static/{sheet}">' for sheet in SHEETS)
    (folder / name).write_text(
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>A page</title><link rel="icon" href="data:,"><style>{THEME}</style>{sheets}'
        '<script defer src="_static/live/elements.js"></script></head>'
        f'<body><main class="bd-article"><h1>A page</h1>{body}<p>Below.</p></main></body></html>',
        encoding="utf-8",
    )
