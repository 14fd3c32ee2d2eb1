"""What helps while one reads: terms, arrow keys, verdicts; and eyes and hands that need more.

Large letters, narrow windows, a system's own colours, no motion.
"""

import re
from contextlib import contextmanager

import pytest
from built import CHAPTERS, SITE, page_of
from playwright.sync_api import expect

HEADS = page_of(next(path for path in CHAPTERS if "one-head" in path.stem))
NORMS = page_of(next(path for path in CHAPTERS if "layer-norm" in path.stem))
CLAIMS, GLOSSARY = SITE / "book/claims.html", SITE / "book/glossary.html"
PAGES = [HEADS, NORMS, CLAIMS, GLOSSARY, SITE / "book/reading-and-running.html"]
WIDE = {"width": 1280, "height": 800}
PATIENCE = 120_000  # milliseconds: a busy machine is no fault of the page
# How a picture's words and the ground behind them are painted.
PAINT = """() => {
  const text = [...document.querySelectorAll("article svg text")].find((t) => t.checkVisibility());
  return [getComputedStyle(text).fill, getComputedStyle(document.body).backgroundColor];
}"""
MOVES = """() => [...document.querySelectorAll("article, article *")]
  .filter((element) => {
    const style = getComputedStyle(element);
    const longest = (times) => Math.max(...times.split(",").map(parseFloat));
    return longest(style.transitionDuration) > 0.01 ||
      (style.animationName !== "none" && longest(style.animationDuration) > 0.01);
  })
  .map((element) => element.outerHTML.slice(0, 100))"""


@pytest.fixture
def opened(chromium):
    """Opens a page from the disk, in a window of its own."""

    @contextmanager
    def opened(page, *, size=WIDE, **options):
        context = chromium.new_context(viewport=size, **options)
        context.set_default_timeout(PATIENCE)
        tab = context.new_page()
        tab.goto(page.as_uri(), wait_until="load")
        yield tab
        context.close()

    return opened


@pytest.fixture(params=PAGES, ids=lambda path: path.stem)
def built(request):
    return request.param


# Terms


def term(page, words: str):
    return page.locator("a.bard-term", has_text=re.compile(f"^{words}$")).first


def entry(page, name: str):
    return page.locator(f"#entry-term-{name}")


def test_a_term_is_linked_once_in_a_chapter(opened):
    with opened(HEADS) as page:
        targets = page.eval_on_selector_all("a.bard-term", "links => links.map((a) => a.hash)")
        assert len(targets) == len(set(targets)) > 15
        for place in ("h1 a", "h2 a", "pre a", "code a", ".cell_output a", ".math a"):
            assert page.locator(f"article {place}.bard-term").count() == 0
        assert page.locator(".bard-entry").count() == len(targets)
        assert not any("$" in text for text in page.locator(".bard-entry").all_inner_texts())


def test_a_term_says_what_it_means_under_the_mouse(opened):
    with opened(HEADS) as page:
        expect(entry(page, "bigram")).to_be_hidden()
        term(page, "bigram").hover()
        expect(entry(page, "bigram")).to_be_visible()
        expect(entry(page, "bigram")).to_contain_text("A pair of neighbouring characters")
        entry(page, "bigram").hover()
        page.wait_for_timeout(400)
        expect(entry(page, "bigram")).to_be_visible()  # so its links can be reached
        page.mouse.move(5, 5)
        expect(entry(page, "bigram")).to_be_hidden()


def test_a_term_says_what_it_means_to_the_keyboard(opened):
    with opened(HEADS) as page:
        page.locator("article h1").first.evaluate("h => { h.tabIndex = -1; h.focus(); }")
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.matches('a.bard-term')"):
                break
        shown = page.locator(".bard-entry:popover-open")
        expect(shown).to_have_count(1)
        name = page.evaluate("document.activeElement.getAttribute('aria-describedby')")
        assert shown.get_attribute("id") == name
        page.keyboard.press("Escape")
        expect(shown).to_have_count(0)
        page.keyboard.press("Enter")
        page.wait_for_url("**/glossary.html#term-*")


def test_a_tap_opens_an_entry_and_its_link_leads_to_the_glossary(opened):
    with opened(HEADS, size={"width": 360, "height": 740}, has_touch=True) as page:
        term(page, "bigram").tap()
        expect(entry(page, "bigram")).to_be_visible()
        box = entry(page, "bigram").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        entry(page, "bigram").locator("a", has_text="Glossary").tap()
        page.wait_for_url("**/glossary.html#term-bigram")


def test_without_scripts_a_term_is_a_link(opened):
    with opened(HEADS, java_script_enabled=False) as page:
        expect(entry(page, "bigram")).to_be_hidden()
        term(page, "bigram").click()
        page.wait_for_url("**/glossary.html#term-bigram")


def test_on_paper_a_term_is_text(opened):
    with opened(HEADS) as page:
        page.emulate_media(media="print")
        style = "a => [getComputedStyle(a).textDecorationLine, getComputedStyle(a).color]"
        line, colour = term(page, "bigram").evaluate(style)
        around = term(page, "bigram").evaluate("a => getComputedStyle(a.parentElement).color")
        assert (line, colour) == ("none", around)


# Numbers


def test_captions_are_numbered_in_order(opened):
    with opened(NORMS) as page:
        labels = page.locator("p.caption > strong.number").all_inner_texts()
        figures = [label for label in labels if label.startswith("Figure")]
        assert len(figures) > 3
        numbers = range(1, len(figures) + 1)
        assert [label.strip() for label in figures] == [f"Figure 6.{n}." for n in numbers]
        equations = page.locator(".eqno").all_inner_texts()
        assert [e.rstrip("#") for e in equations] == [
            f"(6.{n})" for n in range(1, len(equations) + 1)
        ]


def test_a_reference_leads_to_its_figure(opened):
    with opened(NORMS) as page:
        link = page.locator("article a[href='#fig-modes']").first
        number = link.inner_text()
        assert re.fullmatch(r"Figure 6\.\d", number)
        caption = page.locator("#fig-modes + p.caption, #fig-modes ~ p.caption").first
        expect(caption).to_contain_text(number)


# Arrow keys


def test_arrow_keys_turn_pages(opened):
    with opened(CLAIMS) as page:
        page.keyboard.press("ArrowRight")
        page.wait_for_url(lambda url: not url.endswith("claims.html"))
        page.keyboard.press("ArrowLeft")
        page.wait_for_url("**/claims.html")


@pytest.mark.parametrize(
    "before",
    [
        "document.querySelector('input[name=chapter]').focus()",
        "document.querySelector('summary').focus()",
        "(() => { const pre = document.createElement('pre'); pre.tabIndex = 0;"
        " document.querySelector('article').append(pre); pre.focus(); })()",
        "document.querySelector('dialog').showModal()",
    ],
)
def test_arrow_keys_that_mean_something_else(opened, before):
    with opened(CLAIMS) as page:
        page.evaluate(before)
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(300)
        assert page.url.endswith("claims.html")


@pytest.mark.parametrize("key", ["Shift+ArrowRight", "Control+ArrowRight"])
def test_arrow_keys_with_a_modifier_are_the_browser_s(opened, key):
    with opened(CLAIMS) as page:
        page.keyboard.press(key)
        page.wait_for_timeout(300)
        assert page.url.endswith("claims.html")


# Claims


def test_claims_are_chosen_without_scripts(opened):
    with opened(CLAIMS, java_script_enabled=False) as page:
        shown = page.locator(".claim:visible")
        every = page.locator(".claim").count()
        expect(shown).to_have_count(every)
        for name in ("holds", "condition", "fails"):
            page.locator(f"input[value={name}]").check()
            expect(shown).to_have_count(page.locator(f".claim.{name}").count())
            assert page.locator("section > h2:visible").count() <= shown.count()
        page.locator("input[name=verdict][value=all]").check()
        page.locator("input[name=chapter][value='6']").check()
        expect(shown).to_have_count(page.locator("#chapter-6 .claim").count())
        expect(page.locator("h2:visible")).to_have_count(1)


def test_figures_of_a_claim_are_folded(opened):
    with opened(CLAIMS, java_script_enabled=False) as page:
        fold = page.locator("#mha-5 details")
        expect(fold.locator("p")).to_be_hidden()
        fold.locator("summary").click()
        expect(fold.locator("p")).to_contain_text("total variation")


# Eyes and hands that need more


def test_twice_as_large_nothing_is_lost(opened, built, too_large):
    """The browser's zoom, which halves the window, and letters alone."""
    with opened(built, size={"width": 640, "height": 400}, device_scale_factor=2) as page:
        assert too_large(page) == []
    with opened(built) as page:
        page.add_style_tag(content="html { font-size: 200% !important; }")
        assert too_large(page) == []


def test_four_times_as_large_the_page_is_one_column(opened, built, too_large):
    """1280 pixels at 400 % are 320."""
    with opened(built, size={"width": 320, "height": 256}) as page:
        page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        assert too_large(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_forced_colours_leave_words_and_focus_in_sight(opened, theme):
    with opened(NORMS, forced_colors="active", color_scheme=theme) as page:
        if page.locator("article svg text").count():
            ink, ground = page.evaluate(PAINT)
            assert ink != ground
        link = page.locator("a.bard-term").first
        link.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        outline = (
            "a => [getComputedStyle(a).outlineStyle, parseFloat(getComputedStyle(a).outlineWidth)]"
        )
        style, width = link.evaluate(outline)
        assert style != "none"
        assert width >= 1


def test_forced_colours_leave_the_signs_of_verdicts(opened):
    with opened(CLAIMS, forced_colors="active") as page:
        for name, sign in (("holds", "✓"), ("condition", "◐"), ("fails", "✗")):
            expect(page.locator(f".claim.{name} .verdict").first).to_contain_text(sign)


def test_nothing_moves_for_those_who_want_no_motion(opened, built):
    with opened(built, reduced_motion="reduce") as page:
        assert page.evaluate(MOVES) == []
        assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
