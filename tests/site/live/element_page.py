"""Pages with elements, without the rest of the book: all that such a page loads."""

import json
from pathlib import Path

from _ext import bardgpt_live
from engine_page import LIVE, ROOT, build_engine
from playwright.sync_api import Page

STATIC = ROOT / "book/_static"
# The theme's colours, which the style sheets stand on, as a page of one's own model has them.
ALONE = (LIVE / "page.html").read_text(encoding="utf-8")
THEME = f"""{ALONE[ALONE.index(":root {") : ALONE.index("body {")]}
body {{ background: var(--pst-color-background); color: var(--pst-color-text-base);
  font: 16px/1.65 sans-serif; margin: 0; padding: 16px; }}
"""

NO_STORAGE = """Object.defineProperty(%s, "%s", { get() { throw new Error("no"); } });"""


def block_storage(page: Page) -> None:
    """Let neither a page nor its worker keep anything; a reload makes it so."""
    page.add_init_script(NO_STORAGE % ("window", "localStorage"))
    page.route(
        "**/worker.js*",
        lambda route: route.fulfill(
            content_type="text/javascript",
            body=NO_STORAGE % ("self", "caches") + route.fetch().text(),
        ),
    )
    page.reload()


class Pages:
    """A folder with what pages of elements load, and pages written into it."""

    def __init__(self, folder: Path, source: Path = LIVE) -> None:
        """Build the scripts of a folder like `book/_live`, and what they load."""
        self.folder = folder
        out = folder / "_static/live"
        out.mkdir(parents=True)
        build_engine(source, out)
        for name in ("custom.css", "live.css", *set(bardgpt_live.SHEETS.values())):
            (folder / "_static" / name).write_bytes((STATIC / name).read_bytes())
        self.models = json.dumps(bardgpt_live.catalogue(out))

    def write(
        self, name: str, *elements: str, theme: str = "light", models: str | None = None
    ) -> None:
        """Write a page with some elements; `models` instead of the list of all."""
        body = "".join(f"<h2>Element {i}</h2>{html}" for i, html in enumerate(elements, 1))
        sheets = "".join(
            f'<link rel="stylesheet" href="_static/{sheet}">'
            for sheet in ["custom.css", *bardgpt_live.sheets(body)]
        )
        (self.folder / name).write_text(
            f'<!doctype html><html lang="en" data-theme="{theme}"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<title>A page</title><link rel="icon" href="data:,"><style>{THEME}</style>'
            f"{sheets}"
            f'<script type="application/json" id="bard-live">{models or self.models}</script>'
            '<script defer src="_static/live/elements.js"></script></head>'
            f'<body><main class="bd-article"><h1>A page</h1>{body}<p id="below">Below.</p></main>'
            "</body></html>",
            encoding="utf-8",
        )
