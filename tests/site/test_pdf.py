"""The book on paper: one PDF of all pages, and what the browser prints of one.

`make test-site` makes `bardgpt.pdf` first. It is looked at as it is: where links lead, and which
part of each sheet is white.
"""

import ctypes
from functools import cache

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as raw
import pytest
from binding import beside, pages
from bs4 import BeautifulSoup
from built import ROOT, SITE, page_of

PDF = SITE / "files/bardgpt.pdf"
CHAPTER = ROOT / "book/08-dropout.py"
WHOLE = ROOT / "book/appendix/whole-model.py"
SCALE = 0.5  # pixels for each point
MARGIN, FOOT = 40, 48  # points of a sheet that are left white at its sides, and above its number
WHITE = 250


@pytest.fixture(scope="module")
def book():
    assert PDF.is_file(), "no PDF: make pdf"
    with pdfium.PdfDocument(PDF) as document:
        yield document


@cache
def titles() -> list[str]:
    """The pages' titles in the order in which they are read."""
    return [title(path) for path in pages(SITE)]


@cache
def article(path: str) -> BeautifulSoup:
    html = (SITE / path).read_text(encoding="utf-8")
    return BeautifulSoup(html, "html.parser").select_one("article.bd-article")


def title(path: str) -> str:
    heading = article(path).select_one("h1")
    words = [part for part in heading.find_all(string=True) if not part.parent.has_attr("href")]
    return " ".join("".join(words).split())


@pytest.fixture(scope="module")
def outline(book):
    """Each entry's level, words and sheet."""
    return [
        (entry.level, " ".join(entry.get_title().split()), entry.get_dest().get_index())
        for entry in book.get_toc(max_depth=15)
    ]


@pytest.fixture(scope="module")
def sheets(book):
    """Every sheet as grey pixels, small."""
    return [page.render(scale=SCALE, grayscale=True).to_numpy().squeeze().copy() for page in book]


def test_it_is_small_enough_to_be_sent(book):
    assert PDF.stat().st_size < 15e6
    assert 150 < len(book) < 450


def test_outline_names_every_page_and_its_sections(outline):
    top = [words for level, words, _ in outline if level == 0]
    assert top == ["bardGPT", *titles()]
    assert [words for level, words, _ in outline if level == 1].count("Exercises") >= 9
    places = [sheet for _, _, sheet in outline]
    assert places == sorted(places)


def test_every_link_leads_somewhere(book):
    within, elsewhere = 0, set()
    for page in book:
        position, link = ctypes.c_int(0), raw.FPDF_LINK()
        while raw.FPDFLink_Enumerate(page, position, link):
            if destination := raw.FPDFLink_GetDest(book, link):
                assert 0 <= raw.FPDFDest_GetDestPageIndex(book, destination) < len(book)
                within += 1
            else:
                elsewhere.add(address(book, raw.FPDFLink_GetAction(link)))
    assert within > 300
    assert all(url.startswith(("https://", "http://", "mailto:")) for url in elsewhere), elsewhere


def address(book, action) -> str:
    """Where a link out of the book leads."""
    length = raw.FPDFAction_GetURIPath(book, action, None, 0)
    buffer = ctypes.create_string_buffer(length)
    raw.FPDFAction_GetURIPath(book, action, buffer, length)
    return buffer.value.decode()


def test_no_sheet_is_more_than_a_third_white(outline, sheets):
    """But the last of a page of the site."""
    last = {sheet - 1 for level, _, sheet in outline if level == 0} | {len(sheets) - 1}
    height = sheets[0].shape[0]
    below = round(FOOT * SCALE)
    white = {}
    for number, sheet in enumerate(sheets):
        rows = np.flatnonzero((sheet[: height - below] < WHITE).any(axis=1))
        share = 1 - (rows[-1] + 1) / (height - below) if len(rows) else 1
        if share > 1 / 3 and number not in last:
            white[number + 1] = round(float(share), 2)
    assert white == {}


def test_nothing_is_cut_at_a_sheet_s_sides(sheets):
    """What is too wide for the text would reach into the margins."""
    side = round(MARGIN * SCALE)
    for number, sheet in enumerate(sheets):
        assert (sheet[:, :side] >= WHITE).all(), number + 1
        assert (sheet[:, -side:] >= WHITE).all(), number + 1


def test_sheets_are_light(sheets):
    assert all(sheet[0, 0] == 255 for sheet in sheets)
    assert np.mean([sheet.mean() for sheet in sheets]) > 200


def test_solutions_stand_at_the_end_of_their_page(outline):
    """As the outline has it: the last of the page's sections."""
    last = {}
    for level, words, _ in outline:
        if level == 0:
            page = words
        elif level == 1:
            last[page] = words
    expected = [title(path) for path in pages(SITE) if article(path).select("details.solution")]
    assert [page for page, section in last.items() if section == "Solutions"] == expected
    assert len(expected) >= 9


def test_solutions_have_their_exercises_names(outline):
    """Also where a cell for the answer stands between the two."""
    names = [words for level, words, _ in outline if level == 2]
    assert [name for name in names if name.startswith("Solution")] == []
    assert {"1. Faces of a die", "2. An ensemble by hand", "Three small experiments"} <= set(names)


def test_contents_say_on_which_sheet_each_page_begins(book, outline):
    words = book[0].get_textpage().get_text_bounded().split("Contents")[1].split()
    begins = [str(sheet + 1) for level, _, sheet in outline if level == 0][2:]
    assert " ".join(words) == " ".join(
        f"{title} {sheet}" for title, sheet in zip(titles()[1:], begins, strict=True)
    )


def test_whole_model_takes_the_three_sheets_that_it_promises(outline):
    begins = [(words, sheet) for level, words, sheet in outline if level == 0]
    at = [words for words, _ in begins].index("The whole model on one page")
    assert begins[at + 1][1] - begins[at][1] == 3


def test_toys_are_still_pictures_in_one_piece(book):
    """Their rows are rows, and their keys no lists."""
    texts = [" ".join(page.get_textpage().get_text_bounded().split()) for page in book]
    scores = [text for text in texts if "key score weight, after the softmax value" in text]
    assert len(scores) == 2
    assert all("The largest weight is" in text for text in scores)
    assert any("chance over 1 in 2 to 1 in 4" in text for text in texts)


def test_order_of_pages_is_that_of_the_site():
    order = pages(SITE)
    assert order[:2] == ["book/index.html", "book/01-text-and-yardstick.html"]
    assert len(order) == len(set(order)) > 20
    assert beside("book/api/text.html", "../api.html?v=1") == "book/api.html"


# One page, printed by a reader.


@pytest.fixture
def dark(chromium):
    context = chromium.new_context(color_scheme="dark", viewport={"width": 700, "height": 1000})
    page = context.new_page()
    page.goto(page_of(CHAPTER).as_uri())
    yield page
    context.close()


def test_dark_page_is_printed_light_with_its_title_and_solutions_last(dark):
    before = dark.inner_html("article")
    assert dark.evaluate("document.documentElement.dataset.theme") == "dark"
    with pdfium.PdfDocument(dark.pdf(format="A4", print_background=True)) as printed:
        first = printed[0]
        grey = first.render(scale=SCALE, grayscale=True).to_numpy()
        assert grey.min() < 120 < 250 < np.median(grey)
        text = [page.get_textpage().get_text_bounded() for page in printed]
    assert text[0].lstrip().startswith("8 · Dropout")
    assert "Contents" not in text[0]
    everything = "".join(text)
    assert everything.index("Solutions") > everything.index("What to remember")
    assert dark.inner_html("article") == before
    assert dark.evaluate("document.documentElement.dataset.theme") == "dark"


def test_each_solution_is_printed_once_under_its_exercise_s_name(dark):
    asked = dark.locator("article details.solution").count()
    dark.evaluate("dispatchEvent(new Event('beforeprint'))")
    names = dark.locator(".bard-solutions h3").all_text_contents()
    leads = dark.locator(".bard-to-solution a").count()
    dark.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(names) == len(set(names)) == leads == asked > 2
    assert dark.locator(".bard-solutions").count() == 0
    assert dark.locator("article details.solution").count() == asked


def test_whole_model_takes_three_sheets_from_the_browser_too(chromium):
    page = chromium.new_page()
    page.goto(page_of(WHOLE).as_uri())
    page.wait_for_function("window.MathJax?.startup?.promise?.then(() => true)")
    with pdfium.PdfDocument(page.pdf(format="A4", print_background=True)) as printed:
        assert len(printed) == 3
    page.close()
