"""Print the book: `pdf.py` makes one PDF of the built website's pages, with Chromium."""

import io
import sys
import time
from html import escape
from pathlib import Path

import offering
import pikepdf
from binding import PIECES, SITE, NotBoundError, bound
from playwright.sync_api import Error

from bardgpt.files import write_whole

NAME = "bardgpt.pdf"
STYLE = Path(__file__).with_suffix(".css")
# In the list of contents: where each page begins.
NUMBER = """(starts) => {
  for (const link of document.querySelectorAll(".front li a")) {
    link.dataset.sheet = starts[link.getAttribute("href").slice(1)];
  }
}"""


def front(contents: list[dict]) -> str:
    """The first sheet: the book's title, whose it is, and its pages, each a link.

    Args:
        contents: of each page its key and its title; the first page is the landing page.
    """
    entries = "".join(
        f'<li><a href="#{page["key"]}">{escape(page["title"])}</a></li>' for page in contents[1:]
    )
    return (
        '<section class="front"><h1>bardGPT</h1>'
        f'<p class="about">{escape(contents[0]["title"])}</p>'
        '<p class="by">The bardGPT authors. Text and figures: CC BY 4.0; code: MIT.</p>'
        f"<h2>Contents</h2><ol>{entries}</ol></section>"
    )


def printed(site: Path = SITE) -> bytes:
    """The book as a PDF: tagged, with an outline, its pages numbered.

    Raises:
        NotBoundError: Something is missing; the message says what.
    """
    paper = '<link rel="stylesheet" href="_static/print.css">'
    rules = STYLE.read_text(encoding="utf-8")
    with bound(
        site, front=lambda contents: f"{paper}<style>{rules}</style>{front(contents)}"
    ) as page:
        page.emulate_media(media="print")
        # Where a page begins is known when it is printed: once for the numbers, once with them.
        page.evaluate(NUMBER, starts(page.pdf(prefer_css_page_size=True)))
        sheets = page.pdf(
            outline=True, tagged=True, prefer_css_page_size=True, print_background=True
        )
    return packed(sheets)


def starts(sheets: bytes) -> dict[str, int]:
    """The sheets, counted from 1, on which the places that links lead to are, by their ids."""
    with pikepdf.open(io.BytesIO(sheets)) as whole:
        numbers = {page.obj.objgen: number for number, page in enumerate(whole.pages, start=1)}
        return {
            name.removeprefix("/"): numbers[place[0].objgen]
            for name, place in whole.Root.Dests.items()
        }


def packed(sheets: bytes) -> bytes:
    """The same PDF in half of the bytes.

    Chromium writes each tag of the text as an object by itself; together they can be compressed.
    """
    small = io.BytesIO()
    with pikepdf.open(io.BytesIO(sheets)) as whole:
        whole.save(small, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return small.getvalue()


def main() -> int:
    """Make the PDF and offer it on the site; return 0, or 1 after saying what is missing."""
    started = time.monotonic()
    target = SITE / offering.FOLDER / NAME
    try:
        if offering.is_fresh(target, SITE, [*Path(__file__).parent.glob("pdf.*"), *PIECES]):
            print(f"{target}: up to date")
            return 0
        write_whole(target, printed())
        offering.offer(SITE)
    except (NotBoundError, Error, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    size = target.stat().st_size / 1e6
    print(f"{target}: {size:.1f} MB, {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
