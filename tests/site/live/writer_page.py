"""Pages with a writer, without the rest of the book: all that such a page loads."""

import json
from pathlib import Path

from _ext import bardgpt_live
from engine_page import LIVE, ROOT, build_engine

STATIC = ROOT / "book/_static"
# The theme's colours, which the style sheets stand on.
THEME = """
:root { --pst-color-primary: #176de8; --pst-color-text-base: #222832; --pst-color-surface: #f3f4f5;
  --pst-color-background: #fff; --pst-color-border: #d1d5da; --pst-color-danger: #b02a1b;
  --pst-color-text-muted: #48566b; color-scheme: light; }
html[data-theme="dark"] { --pst-color-primary: #528fe4; --pst-color-text-base: #ced6dd;
  --pst-color-surface: #29313d; --pst-color-background: #121212; --pst-color-border: #48566b;
  --pst-color-danger: #ff9585; --pst-color-text-muted: #9ca4af; color-scheme: dark; }
body { background: var(--pst-color-background); color: var(--pst-color-text-base);
  font: 16px/1.65 sans-serif; margin: 0; padding: 16px; }
"""


def build(folder: Path) -> str:
    """Build what pages load into a folder; return the list of models for them."""
    out = folder / "_static/live"
    out.mkdir(parents=True)
    build_engine(LIVE, out)
    for name in ("custom.css", "live.css"):
        (folder / "_static" / name).write_bytes((STATIC / name).read_bytes())
    return json.dumps(bardgpt_live.catalogue(out))


def page(folder: Path, name: str, models: str, *elements: str, theme: str = "light") -> Path:
    """Write a page with some elements."""
    body = "".join(f"<h2>Element {i}</h2>{html}" for i, html in enumerate(elements, 1))
    path = folder / name
    path.write_text(
        f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>A page</title><link rel="icon" href="data:,"><style>{THEME}</style>'
        '<link rel="stylesheet" href="_static/custom.css">'
        '<link rel="stylesheet" href="_static/live.css">'
        f'<script type="application/json" id="bard-live">{models}</script>'
        '<script defer src="_static/live/elements.js"></script></head>'
        f'<body><main class="bd-article"><h1>A page</h1>{body}<p>Below.</p></main></body></html>',
        encoding="utf-8",
    )
    return path
