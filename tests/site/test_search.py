"""The book's search: what it finds, in which order, and that it needs no mouse and no network.

Needs `make book`; `make test-site` does that first.
"""

import json
import re
from contextlib import contextmanager

import pytest
from built import SITE
from playwright.sync_api import expect

UNDER = "/a/book/"  # below a path, as GitHub's pages are
PATIENCE = 120_000  # milliseconds: a busy machine is no fault of the page
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
FIRST = "book/index.html"
INDEX = SITE / "_static/pagefind"

# What somebody who types this is looking for: the place that comes first.
WANTED = {
    "dropout": "book/08-dropout.html#dropout",
    "cache": "book/appendix/cache.html#",
    "temperature": "book/(01-text-and-yardstick.html#first-samples|glossary.html#term-temperature)",
    "perplexity": "book/01-text-and-yardstick.html#how-wrong-is-a-guess",
    "layer norm": "book/06-layer-normalization.html#layer-normalization",
    "GELU": "book/04-feed-forward.html#",
    "learning rate": "book/0[1789].*html#",
    "training loop": "book/01-text-and-yardstick.html#the-first-rung",
}
HITS = """(hits) => hits.map((hit) => ({
  place: hit.href.split("/a/book/")[1],
  title: hit.querySelector(".bard-hit-title").textContent,
  said: hit.querySelector(".bard-hit-text").textContent.trim(),
  marks: [...hit.querySelectorAll("mark")].map((mark) => mark.textContent),
}))"""


@pytest.fixture(scope="module")
def served(serving):
    with serving(SITE, UNDER) as address:
        yield address


@pytest.fixture(scope="module")
def visit(chromium):
    """Open a page; `requests` lists what it has fetched, `complaints` what went wrong."""

    @contextmanager
    def visit(address: str, size=WIDE, theme="light"):
        context = chromium.new_context(viewport=size, color_scheme=theme, reduced_motion="reduce")
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.requests, page.complaints = [], []
        page.on("request", lambda request: page.requests.append(request.url))
        page.on("weberror", lambda error: page.complaints.append(str(error.error)))
        page.on(
            "console",
            lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        page.goto(address, wait_until="load")
        yield page
        context.close()

    return visit


@pytest.fixture(scope="module")
def page(visit, served):
    """One page for all that only look: the browser is slow to start."""
    with visit(served + FIRST) as page:
        yield page
        assert page.complaints == []
        assert [
            url for url in page.requests if not url.startswith((served, "data:", "blob:"))
        ] == []


def ask(page, words: str) -> list[dict]:
    """Type into the dialog and wait for its answer."""
    if not page.locator("dialog[open]").count():
        page.keyboard.press("Control+k")
    page.locator("dialog[open] input").fill("")
    expect(page.locator(".bard-hits-status")).to_be_empty(timeout=PATIENCE)
    page.locator("dialog[open] input").fill(words)
    expect(page.locator(".bard-hits-status")).not_to_be_empty(timeout=PATIENCE)
    return page.locator(".bard-hit").evaluate_all(HITS)


def test_index_is_light():
    """What no page uses is not there, and nobody fetches it all."""
    files = [path for path in INDEX.rglob("*") if path.is_file()]
    assert not [path.name for path in files if "ui" in path.name]
    assert sum(path.stat().st_size for path in files) < 2_000_000
    assert max(path.stat().st_size for path in files) < 200_000


def test_nothing_of_it_is_fetched_before_somebody_searches(visit, served):
    with visit(served + FIRST) as page:
        page.keyboard.press("Control+k")
        expect(page.locator("dialog[open] input")).to_be_focused()
        assert not [url for url in page.requests if "pagefind" in url]
        ask(page, "dropout")
        assert [url for url in page.requests if "pagefind" in url]


@pytest.mark.parametrize("words", WANTED)
def test_right_place_comes_first_and_the_api_last(page, words):
    hits = ask(page, words)
    assert hits, f"nothing found for {words}"
    assert re.match(WANTED[words], hits[0]["place"]), hits[0]
    of_api = [hit["place"].startswith("book/api/") for hit in hits]
    assert of_api == sorted(of_api)
    assert all(hit["marks"] for hit in hits[:1]) or words.lower() in hits[0]["title"].lower()


@pytest.mark.parametrize("words", ["dropout", "layer norm", "learning rate"])
def test_extracts_are_prose(page, words):
    for hit in ask(page, words):
        assert not re.search(r"\\[(\w]|\$|[{}_^]{2}|#$", hit["said"]), hit
        assert len(hit["said"]) < 400


def test_results_lead_to_places_that_are_there(page):
    for words in WANTED:
        for hit in ask(page, words):
            path, _, anchor = hit["place"].partition("#")
            assert f'id="{anchor}"' in (SITE / path).read_text(encoding="utf-8"), hit


def test_a_word_that_is_nowhere_finds_nothing(page):
    assert ask(page, "zzxqy") == []
    expect(page.locator(".bard-hits-status")).to_have_text("Nothing found for “zzxqy”")
    expect(page.locator("dialog[open] input")).to_have_attribute("aria-expanded", "false")


def test_code_is_found_by_its_words(page):
    """But an extract shows prose alone."""
    hits = ask(page, "safe_rate")
    assert hits[0]["place"].startswith("book/01-"), hits
    assert "safe_rate" not in hits[0]["said"]


def test_solutions_are_not_given_away(page):
    said = " ".join(hit["said"] for hit in ask(page, "frequencies takes away the most faces"))
    assert "takes away the most faces: 65" not in said


def test_enter_opens_the_first(visit, served):
    """Also when it comes before the answer."""
    with visit(served + FIRST) as page:
        page.keyboard.press("Control+k")
        page.keyboard.type("dropout")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{served}book/08-dropout.html#*")
        assert page.complaints == []


def test_arrow_keys_choose(visit, served):
    with visit(served + FIRST) as page:
        hits, field = ask(page, "attention"), page.locator("dialog[open] input")
        chosen = page.locator('.bard-hit[aria-selected="true"]')
        for key, place in (("Down", 0), ("Down", 1), ("Up", 0), ("Up", len(hits) - 1), ("Down", 0)):
            page.keyboard.press(f"Arrow{key}")
            expect(chosen).to_have_count(1)
            assert chosen.get_attribute("id") == f"bard-hit-{place}"
            assert field.get_attribute("aria-activedescendant") == f"bard-hit-{place}"
            expect(chosen).to_be_in_viewport()
        expect(field).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(served + hits[1]["place"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_on_a_phone(visit, served, theme):
    """By touch from the header's button; all of the list can be reached, and nothing is cut."""
    with visit(served + FIRST, NARROW, theme) as page:
        page.locator(".bd-header-article .search-button__button").click()
        hits = ask(page, "attention")
        wide = page.evaluate("""() => [...document.querySelectorAll("dialog[open] *")]
          .filter((part) => part.getBoundingClientRect().right > innerWidth).length""")
        assert wide == 0
        last = page.locator(".bard-hit").last
        last.scroll_into_view_if_needed()
        expect(last).to_be_in_viewport()
        last.click()
        page.wait_for_url(served + hits[-1]["place"])


def test_from_the_disk_the_theme_s_search_answers(visit):
    with visit((SITE / FIRST).as_uri()) as page:
        page.keyboard.press("Control+k")
        page.locator("dialog[open] input").fill("residual")
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html?q=residual")
        link = page.locator("#search-results li a").first
        expect(link).to_contain_text("Residual connections", timeout=PATIENCE)
        link.click()
        page.wait_for_url("**/05-residual-connections.html*")


def test_without_its_index_the_theme_s_search_answers(visit, served):
    with visit(served + FIRST) as page:
        page.route("**/_static/pagefind/**", lambda route: route.abort())
        assert ask(page, "residual") == []
        page.keyboard.press("Enter")
        page.wait_for_url("**/search.html?q=residual")


def test_every_section_can_be_found():
    """As many passages as the index says it has, and no fewer than there are headings."""
    (entry,) = json.loads((INDEX / "pagefind-entry.json").read_text(encoding="utf-8"))[
        "languages"
    ].values()
    pages = [*SITE.glob("book/*.html"), *SITE.glob("book/appendix/*.html")]
    headings = sum(
        len(re.findall(r"<h[1-6]>", page.read_text(encoding="utf-8").partition("<article")[2]))
        for page in pages
    )
    assert entry["page_count"] >= headings > 200
