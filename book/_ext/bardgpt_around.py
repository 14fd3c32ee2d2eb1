"""What a page says to those who do not read it yet: search engines, previews, and wrong links.

A description and a picture on every page; where the address is known also a map of the site, and a
page for addresses that lead nowhere.
"""

import re
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import urlsplit
from xml.sax.saxutils import escape as escape_xml

from bardgpt_search import text
from docutils import nodes
from sphinx.application import Sphinx

sys.path.append(str(Path(__file__).parents[1]))  # for _pages

PICTURE = "_static/preview.png"
LONGEST = 160  # characters of a description that a search engine shows
# What pages are that have no text of their own.
OTHERS = {
    "genindex": "Every name of the package bardgpt, and every term of the book, from A to Z.",
    "search": "Search the book.",
    "404": "There is no such page in the book.",
}
ENTRY = "index.html"  # leads to the first page, and is what people pass on
LOST = "404.html"
RELATIVE = re.compile(r'(?<= )(href|src|action|data-content_root)="(?![a-z]+:|/|#)(?:\./)?')


def shortened(words: str) -> str:
    """Return the first sentences of a text that have room in a description, or its first words."""
    words = " ".join(words.split())
    if len(words) <= LONGEST:
        return words
    whole = re.match(rf".{{60,{LONGEST - 1}}}[.!?](?= )", words)
    return whole[0] if whole else words[: LONGEST - 1].rpartition(" ")[0].rstrip(",;:") + "…"


def description(document: nodes.document) -> str:
    """Return what a page says of itself: its claim, where it opens with one, else how it begins."""
    section = next(document.findall(nodes.section), document)
    opening = [node for node in section.children if not isinstance(node, nodes.section)]
    claims = [
        strong
        for node in opening
        if isinstance(node, nodes.block_quote)
        for strong in node.findall(nodes.strong)
    ]
    paragraphs = [p for node in opening for p in node.findall(nodes.paragraph)]
    paragraphs = paragraphs or list(document.findall(nodes.paragraph))
    said = [text(node) for node in [*claims[:1], *paragraphs]]
    return shortened(next((words for words in said if len(words.split()) > 3), ""))


def tags(app: Sphinx, title: str, said: str, page: str) -> str:
    """Return a page's tags for search engines and previews.

    Args:
        app: The build.
        title: The page's title.
        said: Its description.
        page: Its file on the site; without an address only the picture can be named, from there.
    """
    from _pages import preview

    base = app.config.html_baseurl or "../" * page.count("/")
    properties = {
        "og:site_name": app.config.project,
        "og:type": "website",
        "og:title": title,
        "og:description": said,
        "og:image": base + PICTURE,
        "og:image:width": str(preview.WIDTH),
        "og:image:height": str(preview.HEIGHT),
        "og:image:alt": preview.DESCRIPTION,
    }
    if app.config.html_baseurl:
        properties["og:url"] = base + page
    lines = [f'<meta property="{name}" content="{escape(v)}" />' for name, v in properties.items()]
    named = {"description": said, "twitter:card": "summary_large_image"}
    lines += [f'<meta name="{name}" content="{escape(v)}" />' for name, v in named.items()]
    return "\n".join(["", *lines, ""])


def introduce(
    app: Sphinx, pagename: str, _: str, context: dict, document: nodes.document | None
) -> None:
    """Put the tags of a page into its head; the first page's also serve for the site's address."""
    if app.builder.name != "html":
        return
    said = OTHERS.get(pagename) or (description(document) if document else "")
    title = re.sub("<[^>]+>", "", context.get("title") or "") or app.config.project
    page = app.builder.get_target_uri(pagename)
    context["metatags"] = context.get("metatags", "") + tags(app, title, said, page)


def lead_in(app: Sphinx) -> None:
    """Give the page at the site's address, which only leads on, what the first page says."""
    first = Path(app.outdir, app.builder.get_target_uri(app.config.root_doc))
    entry = Path(app.outdir, ENTRY)
    said = re.findall(
        r'<meta (?:property="og:|name="(?:description|twitter)).*?/>|<link rel="canonical".*?/>',
        first.read_text(encoding="utf-8"),
    )
    above = "../" * app.builder.get_target_uri(app.config.root_doc).count("/")
    lines = "".join(f"  {tag}\n".replace(f'"{above}{PICTURE}', f'"{PICTURE}') for tag in said)
    html = entry.read_text(encoding="utf-8")
    if "og:title" not in html:
        entry.write_text(html.replace("</head>", f"{lines}</head>"), encoding="utf-8")


def map_site(app: Sphinx) -> None:
    """Write the list of all pages for search engines."""
    uris = [app.builder.get_target_uri(docname) for docname in sorted(app.env.found_docs)]
    entries = [f"<url><loc>{escape_xml(app.config.html_baseurl + uri)}</loc></url>" for uri in uris]
    urlset = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    content = "\n".join(['<?xml version="1.0" encoding="utf-8"?>', urlset, *entries, "</urlset>\n"])
    Path(app.outdir, "sitemap.xml").write_text(content, encoding="utf-8")


def stand_anywhere(app: Sphinx) -> None:
    """Let the page for wrong addresses name what it needs from the site's root.

    It is shown in place of whatever was asked for, at any depth.
    """
    page, root = Path(app.outdir, LOST), urlsplit(app.config.html_baseurl).path
    html = page.read_text(encoding="utf-8")
    page.write_text(RELATIVE.sub(rf'\1="{root}', html), encoding="utf-8")


def answer_wrong_addresses(app: Sphinx) -> Iterator[tuple[str, dict, str]]:
    """Have the page for wrong addresses written."""
    if app.builder.name == "html":
        yield LOST.removesuffix(".html"), {}, LOST


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Write what stands beside the pages."""
    if exception or app.builder.name != "html":
        return
    from _pages import preview

    preview.draw(Path(app.outdir, PICTURE))
    lead_in(app)
    if app.config.html_baseurl:
        map_site(app)
        stand_anywhere(app)


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the functions above to the build."""
    app.add_js_file("contents.js", loading_method="defer")
    app.connect("html-collect-pages", answer_wrong_addresses)
    app.connect("html-page-context", introduce)
    app.connect("build-finished", finish)
    return {
        "version": "1",
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
