"""The built website: figures say what they show, links lead somewhere, nothing is fetched.

Needs `make book` first; `make test-site` does both.
"""

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from built import ADDRESS, CHAPTERS, HAS_COLAB, PAGES, ROOT, SITE, UNDER, page_of

NEVER_FETCHED = {
    "canonical",
    "index",
    "search",
    "next",
    "prev",
    "author",
    "license",
}  # <link rel=…>


@cache
def parse(page: Path) -> BeautifulSoup:
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(params=PAGES, ids=lambda path: str(path.relative_to(SITE)))
def page(request):
    return request.param


@pytest.fixture(params=CHAPTERS, ids=lambda path: path.stem)
def chapter(request):
    return request.param


@pytest.fixture
def chapter_page(chapter):
    return page_of(chapter)


def is_elsewhere(url: str) -> bool:
    return bool(re.match(r"(?:[a-z][a-z+.-]*:)?//", url, re.IGNORECASE))


def is_local(url: str) -> bool:
    return not is_elsewhere(url) and urlsplit(url).scheme == ""


def file_of(page: Path, url: str) -> Path:
    """The file that a local link on a page leads to."""
    path = unquote(urlsplit(url).path)
    start = SITE if path.startswith("/") else page.parent  # 404.html is shown at any depth
    target = (start / path.removeprefix(UNDER)).resolve() if path else page
    return target / "index.html" if target.is_dir() else target


def fetched(page: Path) -> list[str]:
    """Every address that a browser loads to show a page."""
    soup, found = parse(page), []
    for tag in soup.find_all(["script", "img", "iframe", "video", "audio", "source", "embed"]):
        found += [tag.get("src"), tag.get("poster")]
        found += [
            candidate.split()[0] for candidate in (tag.get("srcset") or "").split(",") if candidate
        ]
    found += [tag.get("data") for tag in soup.find_all("object")]
    found += [tag.get("href") or tag.get("xlink:href") for tag in soup.find_all(["image", "use"])]
    found += [tag["href"] for tag in soup.find_all("link") if not NEVER_FETCHED & set(tag["rel"])]
    for style in soup.find_all("style"):
        found += css_addresses(style.get_text())
    for tag in soup.find_all(style=True):
        found += css_addresses(tag["style"])
    return [url for url in found if url]


def css_addresses(css: str) -> list[str]:
    found = re.findall(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""", css)
    return [(first or second).strip() for first, second in found]


def test_site_is_built():
    assert SITE / "book/index.html" in PAGES, f"no website in {SITE}: run `make book` first"
    assert CHAPTERS


def test_page_has_language_and_title(page):
    assert parse(page).html.get("lang")
    assert parse(page).title.get_text(strip=True)


def test_images_say_what_they_show(page):
    for image in parse(page).select("article img"):
        alt = image.get("alt", "").strip()
        assert alt, f"no alt text: {image}"
        assert not re.search(r"^\S*/\S*$|\.(?:png|svg|jpe?g|gif)$", alt), f"a path: {alt}"


def test_drawings_say_what_they_show(page):
    hidden = '[aria-hidden="true"]'  # what the words beside it say: the curve of a toy
    for drawing in parse(page).select(f"article svg:not({hidden}, {hidden} svg)"):
        assert drawing.get("role") == "img", str(drawing)[:200]
        title = drawing.find("title")
        assert title is not None, str(drawing)[:200]
        assert title.get_text(strip=True), str(drawing)[:200]
        assert len(drawing.find("desc").get_text(strip=True)) >= 40, str(drawing)[:200]


def test_plots_say_what_is_seen(chapter, chapter_page):
    """Both drawings of each, in the words that stand in the cell's header.

    The curve of a trainer says of itself what it shows: it changes.
    """
    cells = nbformat.read(chapter.with_suffix(".ipynb"), as_version=4).cells
    shown = [cell.metadata.get("mystnb", {}).get("image", {}).get("alt") for cell in cells]
    plots = parse(chapter_page).select("svg.bard-plot:not(bard-trainer svg)")
    said = [drawing.desc.get_text() for drawing in plots]
    assert said == [alt for alt in shown if alt for _ in range(2)]


def test_ids_are_unique(page):
    ids = [tag["id"] for tag in parse(page).select("article [id]")]
    assert {name for name in ids if ids.count(name) > 1} == set()


def test_nothing_is_fetched_from_elsewhere(page):
    assert [url for url in fetched(page) if is_elsewhere(url)] == []


def test_styles_fetch_nothing_from_elsewhere():
    found = {
        (path.name, url)
        for path in SITE.rglob("*.css")
        for url in css_addresses(path.read_text(encoding="utf-8"))
        if is_elsewhere(url)
    }
    assert found == set()


def test_links_and_anchors_resolve(page):
    soup, broken = parse(page), []
    links = [tag["href"] for tag in soup.find_all(["a", "link"], href=True)]
    for url in {url for url in [*links, *fetched(page)] if is_local(url)}:
        target, anchor = file_of(page, url), unquote(urlsplit(url).fragment)
        if not target.is_file():
            broken.append(f"{url}: no such file")
        elif anchor and target.suffix == ".html":
            there = parse(target)
            if not (there.find(id=anchor) or there.find(attrs={"name": anchor})):
                broken.append(f"{url}: no such place")
    assert broken == []


def test_page_is_not_sent_to_a_dead_end(page):
    refresh = parse(page).find("meta", attrs={"http-equiv": re.compile("refresh", re.IGNORECASE)})
    if refresh:
        assert file_of(page, refresh["content"].partition("url=")[2]).is_file()


def test_one_search_box(page):
    """It opens from a button. The theme's second one, always in sight, is turned off."""
    soup = parse(page)
    if soup.article or page.name == "search.html":  # the first page of all only leads to the book
        boxes = soup.select("input[type=search]")
        hidden = [box for box in boxes if box.find_parent("dialog")]
        assert len(hidden) == 1
        assert soup.select("button.search-button__button")
        assert len(boxes) - len(hidden) == (page.name == "search.html")


def test_formulas_are_set_by_a_script_of_our_own(page):
    scripts = [
        tag["src"] for tag in parse(page).find_all("script", src=re.compile("mathjax", re.I))
    ]
    assert len(scripts) == bool(parse(page).select("article .math"))
    for script in scripts:
        assert is_local(script)
        assert file_of(page, script).is_file()
        fonts = file_of(page, script).parent / "output/chtml/fonts/woff-v2"
        assert list(fonts.glob("*.woff"))


def branch() -> str:
    return ADDRESS.branch or "main"


def test_colab_opens_the_chapter_s_notebook(chapter, chapter_page):
    """Where Colab can have it; a link that leads nowhere is left out."""
    notebook = chapter.relative_to(ROOT).with_suffix(".ipynb").as_posix()
    assert (ROOT / notebook).is_file()
    links = [link["href"] for link in parse(chapter_page).find_all("a", href=re.compile("colab"))]
    if HAS_COLAB:
        there = f"/github/{ADDRESS.account}/{ADDRESS.name}/blob/{branch()}/{notebook}"
        assert links
        assert all(link.endswith(there) for link in links)
    else:
        assert links == []


def test_notebook_can_be_downloaded_as_it_is_in_the_repository(chapter, chapter_page):
    links = parse(chapter_page).select('a[href*="_sources/"][href$=".ipynb"]')
    assert len(links) == 1
    downloaded = file_of(chapter_page, links[0]["href"])
    assert downloaded.read_bytes() == chapter.with_suffix(".ipynb").read_bytes()


def edits(page: Path) -> list[str]:
    """Where a page's "Suggest edit" leads; nowhere, where the book has no address."""
    return [link["href"] for link in parse(page).select("a.btn-source-edit-button")]


def test_edit_this_page_opens_the_chapter_s_script(chapter, chapter_page):
    script = chapter.relative_to(ROOT).as_posix()
    there = [f"{ADDRESS.repository}/edit/{branch()}/{script}"] if ADDRESS else []
    assert edits(chapter_page) == there


def test_edit_this_page_opens_what_the_claims_are_written_from():
    origin = "book/_pages/claims"
    there = [f"{ADDRESS.repository}/tree/{branch()}/{origin}"] if ADDRESS else []
    assert edits(SITE / "book/claims.html") == there
    assert (ROOT / origin / "claim.py").is_file()


def test_no_link_names_an_account_that_cannot_be(page):
    """GitHub allows 39 characters: the placeholder has more."""
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"github(?:\.com)?/([\w-]{40,})", text) == []


def test_a_page_says_how_a_notebook_is_had():
    """By download and `make lab` always, in Colab where that has an address to install from."""
    said = parse(SITE / "book/reading-and-running.html").article.get_text()
    assert "downloads it (.ipynb)" in said
    assert "make lab" in said
    assert ("open it in Colab" in said) == HAS_COLAB
    assert ("git clone" in said) == bool(ADDRESS)


def test_pages_are_light(page):
    """HTML with our own style sheets and scripts; the theme's come once and stay in the cache."""
    ours = [page, *(ROOT / "book/_static").rglob("*.css"), *(ROOT / "book/_static").rglob("*.js")]
    assert sum(path.stat().st_size for path in ours) < 1_000_000
    assert page.stat().st_size < 400_000


def test_previous_and_next_walk_through_the_book():
    """From the first page to the last as _toc.yml has them, and the same way back."""
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    pages = re.findall(r"^(?:root| *- file): (\S+)$", contents, re.MULTILINE)
    walked = [SITE / f"{pages[0]}.html"]
    while following := parse(walked[-1]).select_one("a.right-next"):
        here = file_of(walked[-1], following["href"])
        assert file_of(here, parse(here).select_one("a.left-prev")["href"]) == walked[-1]
        walked.append(here)
    assert walked == [SITE / f"{page}.html" for page in pages]
