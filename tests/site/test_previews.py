"""What the site says to search engines, previews and wrong links; and the contents list.

Needs `make book`; `make test-site` does that first.
"""

import re
import struct
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
from _ext.bardgpt_around import LONGEST, RELATIVE, description, shortened
from bs4 import BeautifulSoup
from built import ADDRESS, PAGES, ROOT, SITE, UNDER
from docutils.core import publish_doctree
from playwright.sync_api import expect

PATIENCE = 120_000  # milliseconds: a busy machine is no fault of the page
DROPOUT = "book/08-dropout.html"


@cache
def head(page: Path) -> BeautifulSoup:
    text = page.read_text(encoding="utf-8").partition("</head>")[0]
    return BeautifulSoup(text, "html.parser")


def said(page: Path, name: str) -> str:
    """A page's only tag of a name."""
    kind = "property" if name.startswith("og:") else "name"
    (tag,) = head(page).find_all("meta", attrs={kind: name})
    return tag["content"]


@pytest.fixture(params=PAGES, ids=lambda path: str(path.relative_to(SITE)))
def page(request):
    return request.param


def test_page_describes_itself(page):
    words = said(page, "description")
    assert 10 < len(words) <= LONGEST
    assert words == said(page, "og:description")
    assert not re.search(r"\\\w|\$|[<>`]", words), words
    assert said(page, "og:title")


def test_pages_do_not_all_say_the_same():
    of_pages = [said(page, "description") for page in PAGES if page.parent != SITE]
    assert len(set(of_pages)) == len(of_pages)


def test_a_chapter_is_described_by_its_claim():
    assert said(SITE / DROPOUT, "description").startswith("Dropout sets a random share p of")


def test_page_has_a_picture_for_links_to_it(page):
    url = said(page, "og:image")
    if ADDRESS:
        assert url.startswith(ADDRESS.pages)
        path = SITE / url.removeprefix(ADDRESS.pages)
    else:
        path = page.parent / url
    data = path.read_bytes()
    size = struct.unpack(">II", data[16:24])
    assert size == (int(said(page, "og:image:width")), int(said(page, "og:image:height")))
    assert size == (1200, 630)
    assert len(data) < 100_000
    assert len(said(page, "og:image:alt")) > 40


def test_address_is_said_where_it_is_known(page):
    links = [link["href"] for link in head(page).find_all("link", rel="canonical")]
    if not ADDRESS:
        assert links == []
        return
    first = "book/index.html" if page == SITE / "index.html" else page.relative_to(SITE).as_posix()
    assert links == [ADDRESS.pages + first]
    assert said(page, "og:url") == links[0]


def test_map_lists_every_page_of_the_book():
    path = SITE / "sitemap.xml"
    assert path.is_file() == bool(ADDRESS)
    if ADDRESS:
        found = [
            place.text for place in ElementTree.parse(path).iter() if place.tag.endswith("loc")
        ]
        pages = [page.relative_to(SITE).as_posix() for page in PAGES if page.parent != SITE]
        assert sorted(found) == sorted(ADDRESS.pages + page for page in pages)


def test_wrong_address_is_answered_with_ways_on():
    text = (SITE / "404.html").read_text(encoding="utf-8")
    soup = BeautifulSoup(text, "html.parser")
    assert soup.article.h1.get_text() == "No such page"
    assert len(soup.article.select("a")) == 3
    if ADDRESS:
        assert not RELATIVE.search(text)
        assert f'data-content_root="{UNDER}"' in text


@pytest.mark.parametrize(
    ("said", "now"),
    [
        ('<a href="book/index.html">', '<a href="/b/book/index.html">'),
        ('<script src="./_static/x.js">', '<script src="/b/_static/x.js">'),
        ('<html data-content_root="./">', '<html data-content_root="/b/">'),
        ('<form action="search.html">', '<form action="/b/search.html">'),
        ('<a href="#main">', '<a href="#main">'),
        ('<a href="https://x.org/y">', '<a href="https://x.org/y">'),
    ],
)
def test_links_of_a_page_for_any_depth_begin_at_the_root(said, now):
    assert RELATIVE.sub(r'\1="/b/', said) == now


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Short.", "Short."),
        ("One sentence. " * 20, "One sentence. " * 10 + "One sentence."),
        ("word, " * 40, ("word, " * 26).rstrip(", ") + "…"),
    ],
)
def test_long_descriptions_end_with_a_sentence_or_a_word(text, words):
    assert shortened(text) == words
    assert len(words) <= LONGEST


def test_description_is_the_claim_or_the_beginning():
    beginning = "How it began is told here.\n\n"
    claim, short = "  **Four words are enough.** And more.\n", "  **Two words** are not.\n"
    assert description(publish_doctree(beginning)) == "How it began is told here."
    assert description(publish_doctree(beginning + claim)) == "Four words are enough."
    assert description(publish_doctree(beginning + short)) == "How it began is told here."


def test_icon_stands_out_in_both_themes():
    """A dark tile is lost on a dark tab: there the tile is light."""
    icon = (ROOT / "book/_static/favicon.svg").read_text(encoding="utf-8")
    assert re.findall(r"\.ground \{ fill: (#\w+) \}", icon) == ["#1f2933", "#6cb4ee"]
    assert "prefers-color-scheme: dark" in icon


def test_page_names_the_icon(page):
    (link,) = head(page).find_all("link", rel="icon")
    name = link["href"].removeprefix(UNDER)
    start = SITE if link["href"].startswith("/") else page.parent
    assert (start / name).resolve() == SITE / "_static/favicon.svg"


def test_contents_follow_the_reading(chromium, serving):
    """Jumps, scrolling and the page's end each mark the section that one sees."""
    with serving(SITE, "/a/") as served:
        context = chromium.new_context(
            viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(f"{served}{DROPOUT}", wait_until="load")
        current = page.locator("#bard-contents a[aria-current]")
        links = page.locator("#bard-contents a")
        sections = links.evaluate_all("(links) => links.map((link) => link.hash)")
        assert len(sections) > 5
        expect(current).to_have_count(0)  # at the top stands the title
        for section in (sections[4], sections[-1], sections[1]):
            page.locator(f"#bard-contents a[href='{section}']").click()
            expect(current).to_have_count(1)
            expect(current).to_have_attribute("href", section)
            expect(page.locator("#bard-contents li.active")).to_have_count(1)
        # In the middle of a section, whose heading is out of sight, after a move without a jump.
        page.mouse.move(500, 400)
        page.mouse.wheel(0, 10)
        page.evaluate(
            "(id) => scrollTo({top: document.querySelector(id).nextElementSibling"
            ".getBoundingClientRect().top + scrollY - 300, behavior: 'instant'})",
            sections[4],
        )
        expect(current).to_have_attribute("href", sections[4])
        page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
        expect(current).to_have_attribute("href", sections[-1])
        page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
        expect(current).to_have_count(0)
        page.goto(f"{served}{DROPOUT}{sections[3]}", wait_until="load")
        expect(current).to_have_attribute("href", sections[3])
        context.close()
