"""The whole book as one document in Chromium, of which `pdf.py` and `epub.py` make files.

It is made of the pages of the built website, as they are read without JavaScript, so that nothing
has to be run or written twice. The site's own MathJax and style sheets then dress it once more.
"""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path, PurePosixPath

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build/html"
PIECES = [Path(__file__), Path(__file__).with_suffix(".js")]
FIRST = "book/index.html"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 300_000  # milliseconds: a busy machine needs time, and shows it
NEXT = re.compile(r'<link rel="next"[^>]* href="([^"]+)"')
STYLES = re.compile(r'<link (?=[^>]*rel="stylesheet")[^>]*href="([^"]+)"')
MATHJAX = re.compile(r"<script>(window\.MathJax = .*?)</script>", re.DOTALL)
SETTER = re.compile(r'<script[^>]* src="([^"]*mathjax[^"]*)"')


class NotBoundError(Exception):
    """Why there is no bound book; the message says what to do."""


def pages(site: Path = SITE) -> list[str]:
    """The built pages in the order in which they are read, as paths below the site.

    Raises:
        NotBoundError: The site is not built, or a page leads to one that is not there.
    """
    found, path = [], FIRST
    while path not in found:
        if not (site / path).is_file():
            raise NotBoundError(f"There is no {path} in {site}. Say: make book")
        found.append(path)
        follows = NEXT.search((site / path).read_text(encoding="utf-8"))
        if not follows:
            break
        path = beside(path, unescape(follows[1]))
    return found


def beside(page: str, href: str) -> str:
    """Where a page's link leads, as a path below the site; what follows a `?` is left out."""
    parts: list[str] = []
    for part in (PurePosixPath(page).parent / href.partition("?")[0]).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def browser() -> str:
    """The Chromium of this machine.

    Raises:
        NotBoundError: There is none.
    """
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if not found:
        raise NotBoundError("There is no Chromium. Debian and Ubuntu: bash .ci/browser")
    return found


def head(site: Path) -> str:
    """What the bound book has in its head: the site's style sheets, and its setting of formulas.

    A chapter is asked for the latter, for not every page has formulas.
    """
    chapter = next(path for path in pages(site) if "MathJax" in text(site, path))
    html, base = text(site, chapter), site.resolve().as_uri() + "/"
    styles = [base + style for style in sheets(site)]
    return "\n".join(
        [
            '<meta charset="utf-8"><title>bardGPT</title>',
            *(f'<link rel="stylesheet" href="{style}">' for style in styles),
            f"<script>{MATHJAX.search(html)[1]}</script>",
            f'<script defer src="{base + beside(chapter, SETTER.search(html)[1])}"></script>',
        ]
    )


def sheets(site: Path) -> list[str]:
    """The style sheets of all pages, as paths below the site, each after those that it follows.

    Not every page has every one: the toys' are with the toys.
    """
    found: list[str] = []
    for path in pages(site):
        place = 0
        for href in STYLES.findall(text(site, path)):
            style = beside(path, href)
            if style not in found:
                found.insert(place, style)
            place = found.index(style) + 1
    return found


def text(site: Path, path: str) -> str:
    """A built page."""
    return (site / path).read_text(encoding="utf-8")


@contextmanager
def bound(
    site: Path = SITE, *, style: str = "", front: Callable[[list[dict]], str] = lambda _: ""
) -> Iterator[Page]:
    """The whole book, open in a browser: one `article` for each page, formulas set.

    Args:
        site: the built website.
        style: rules that only this document has.
        front: from the book's contents, the HTML that stands in front of the first page.

    Raises:
        NotBoundError: Something is missing; the message says what.
    """
    order, program = pages(site), browser()
    base = site.resolve().as_uri() + "/"
    given = [{"path": path, "html": text(site, path)} for path in order]
    shell = site / "bound.html"  # beside the pages: from elsewhere a browser reads no such files
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=program, timeout=PATIENCE)
        try:
            binder = chromium.new_page()
            for script in (site / "_static/print.js", PIECES[1]):
                binder.add_script_tag(path=script)
            binder.evaluate("([pages, site]) => bind(pages, site)", [given, base])
            shell.write_text(
                f'<!DOCTYPE html><html lang="en" data-theme="light" data-mode="light"><head>'
                f"{head(site)}<style>{style}</style></head><body>"
                f"{front(binder.evaluate('contents()'))}"
                f"{binder.evaluate('document.body.innerHTML')}</body></html>",
                encoding="utf-8",
            )
            binder.close()
            page = chromium.new_page()
            page.set_default_timeout(PATIENCE)
            page.goto(shell.resolve().as_uri(), timeout=PATIENCE)
            page.add_script_tag(path=PIECES[1])
            page.evaluate("settle()")
            yield page
        finally:
            shell.unlink(missing_ok=True)
            chromium.close()
