"""The book for e-readers: `epub.py` makes an EPUB 3 of the built website's pages, with Chromium.

Formulas are MathML, drawings the same SVG as on the site. A package of files is all that an EPUB
is: the pages as XHTML, a style sheet, pictures, a list of them, and a list of contents.
"""

import re
import sys
import time
import uuid
import zipfile
from datetime import UTC, datetime
from html import escape
from io import BytesIO
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import unquote, urlsplit

import offering
from binding import PIECES, SITE, NotBoundError, bound, pages
from playwright.sync_api import Error, Page

from bardgpt.files import write_whole

NAME = "bardgpt.epub"
SCRIPT, STYLE = (Path(__file__).with_suffix(suffix) for suffix in (".js", ".css"))
IDENTIFIER = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'bardgpt')}"
TITLE = "bardGPT: a GPT that writes Shakespeare, piece by piece"
AUTHOR = "the bardGPT authors"
LICENCE = "Text and figures: CC BY 4.0. Code: MIT."
# The site's colours of code, of which an e-reader gets the light ones.
LIGHT = re.compile(r'^html\[data-theme="light"\] (\.highlight \.\w+ \{[^}]*\}).*$', re.MULTILINE)
XML = '<?xml version="1.0" encoding="utf-8"?>\n'
CONTAINER = (
    XML + '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">'
    '<rootfiles><rootfile full-path="book/package.opf" '
    'media-type="application/oebps-package+xml"/></rootfiles></container>'
)
COVER = """
<body style="margin:0;width:1200px;height:1600px;background:#fff;color:#222832;
  font-family:system-ui,sans-serif;display:flex;flex-direction:column;justify-content:center">
<div style="padding:0 110px"><p style="font:700 150px/1 system-ui,sans-serif;margin:0">bardGPT</p>
<p style="font-size:58px;line-height:1.3;margin:50px 0 110px">Build a GPT that writes Shakespeare,
piece by piece</p>
<div style="height:26px;width:980px;background:#6e7a8a;margin:18px 0"></div>
<div style="height:26px;width:580px;background:#6e7a8a;margin:18px 0"></div>
<div style="height:26px;width:392px;background:#6e7a8a;margin:18px 0"></div>
<div style="height:26px;width:346px;background:#2846a0;margin:18px 0"></div></div></body>
"""


def xhtml(title: str, body: str) -> str:
    """A page of an EPUB."""
    return (
        f'{XML}<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" '
        'xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en">'
        f'<head><meta charset="utf-8"/><title>{escape(title)}</title>'
        f'<link rel="stylesheet" href="style.css"/></head><body>{body}</body></html>'
    )


def navigation(contents: list[dict]) -> str:
    """The list of contents: every page, and its sections below it."""

    def entry(page: dict) -> str:
        name = f"{page['key']}.xhtml"
        parts = "".join(
            f'<li><a href="{name}#{part["id"]}">{escape(part["title"])}</a></li>'
            for part in page["sections"]
        )
        below = f"<ol>{parts}</ol>" if parts else ""
        return f'<li><a href="{name}">{escape(page["title"])}</a>{below}</li>'

    entries = "".join(map(entry, contents))
    return xhtml("Contents", f'<nav epub:type="toc"><h1>Contents</h1><ol>{entries}</ol></nav>')


def package(files: dict[str, bytes], order: list[str], modified: datetime) -> str:
    """The list of an EPUB's files, with what is in them, and the order in which they are read.

    Args:
        files: by name, within the book's folder.
        order: the names of the pages.
        modified: when the pages were made.
    """
    items = "".join(
        f'<item id="{identity(name)}" href="{name}" media-type="{kind(name)}"'
        f"{properties(name, content)}/>"
        for name, content in files.items()
    )
    spine = "".join(f'<itemref idref="{identity(name)}"/>' for name in order)
    return (
        f'{XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0" xml:lang="en" '
        'unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">{IDENTIFIER}</dc:identifier><dc:title>{TITLE}</dc:title>'
        f"<dc:language>en</dc:language><dc:creator>{AUTHOR}</dc:creator>"
        f"<dc:rights>{LICENCE}</dc:rights>"
        f'<meta property="dcterms:modified">{modified:%Y-%m-%dT%H:%M:%SZ}</meta>'
        '<meta property="schema:accessMode">textual</meta>'
        '<meta property="schema:accessMode">visual</meta>'
        '<meta property="schema:accessibilityFeature">alternativeText</meta>'
        '<meta property="schema:accessibilityFeature">MathML</meta>'
        '<meta property="schema:accessibilityFeature">tableOfContents</meta>'
        '<meta property="schema:accessibilityHazard">none</meta>'
        f"</metadata><manifest>{items}</manifest><spine>{spine}</spine></package>"
    )


def identity(name: str) -> str:
    """A file's name as an XML id."""
    return "file-" + re.sub(r"[^\w.-]", "-", name)


def kind(name: str) -> str:
    """A file's media type."""
    return "application/xhtml+xml" if name.endswith(".xhtml") else guess_type(name)[0] or ""


def properties(name: str, content: bytes) -> str:
    """What a reading system is to know of a file before it opens it."""
    marks = {"nav.xhtml": "nav", "images/cover.png": "cover-image"}
    found = [marks[name]] if name in marks else []
    if name.endswith(".xhtml"):
        found += [word for word in ("svg", "math") if f"<{word} ".encode() in content]
    words = " ".join("mathml" if word == "math" else word for word in found)
    return f' properties="{words}"' if words else ""


def cover(page: Page) -> bytes:
    """A picture of the book's title."""
    sheet = page.context.browser.new_page(viewport={"width": 1200, "height": 1600})
    sheet.set_content(COVER)
    picture = sheet.screenshot()
    sheet.close()
    return picture


def made(site: Path = SITE) -> bytes:
    """The book as an EPUB.

    Raises:
        NotBoundError: Something is missing; the message says what.
    """
    files: dict[str, bytes] = {}
    with bound(site) as page:
        page.add_script_tag(path=SCRIPT)
        contents = page.evaluate("contents()")
        titles = {entry["key"]: entry["title"] for entry in contents}
        files["nav.xhtml"] = navigation(contents).encode()
        for part in page.evaluate("takeApart()"):
            text = xhtml(titles[part["key"]], part["xhtml"])
            files[f"{part['key']}.xhtml"] = text.encode()
            for address in part["images"]:
                source = Path(unquote(urlsplit(address).path))
                files[f"images/{source.name}"] = source.read_bytes()
        files["images/cover.png"] = cover(page)
    colours = LIGHT.findall((site / "_static/pygments.css").read_text(encoding="utf-8"))
    files["style.css"] = (STYLE.read_text(encoding="utf-8") + "\n".join(colours) + "\n").encode()
    order = [f"{entry['key']}.xhtml" for entry in contents]
    newest = max((site / path).stat().st_mtime for path in pages(site))
    listing = package(files, ["nav.xhtml", *order], datetime.fromtimestamp(newest, UTC))
    return packed({**files, "package.opf": listing.encode()})


def packed(files: dict[str, bytes]) -> bytes:
    """The files in a zip, as an EPUB wants it: its kind comes first, and is not compressed."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr(zipfile.ZipInfo("META-INF/container.xml"), CONTAINER)
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(f"book/{name}"), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def main() -> int:
    """Make the EPUB and offer it on the site; return 0, or 1 after saying what is missing."""
    started = time.monotonic()
    target = SITE / offering.FOLDER / NAME
    try:
        if offering.is_fresh(target, SITE, [*Path(__file__).parent.glob("epub.*"), *PIECES]):
            print(f"{target}: up to date")
            return 0
        write_whole(target, made())
        offering.offer(SITE)
    except (NotBoundError, Error, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    size = target.stat().st_size / 1e6
    print(f"{target}: {size:.1f} MB, {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
