"""The sweep in Chromium: the recorded runs as a table to choose from."""

import re

import pytest
import trainer_page
from playwright.sync_api import expect
from trainer_page import NARROW, WIDE, watched

from bardgpt import records
from bardgpt.teaching import live


@pytest.fixture(scope="session", autouse=True)
def _written(pages):
    trainer_page.write(pages)


@pytest.fixture
def visit(visit):
    return watched(visit)


def cell(page, key):
    return page.locator(f"bard-sweep button[data-key='{key}']")


def words(page):
    return page.locator("bard-sweep [role=status]").text_content()


def warm(page):
    page.locator("bard-sweep label", has_text="200 steps").click()


def test_every_recorded_run_is_there(visit):
    """In both halves of the table, which are shown one at a time."""
    found = records.load_sweep("rates") | records.load_sweep("no-norm")
    with visit("sweep.html") as page:
        keys = page.locator("bard-sweep td button").evaluate_all(
            "all => all.map((b) => b.dataset.key)"
        )
        assert sorted(keys) == sorted(found)
        cold = page.locator("bard-sweep td button:visible").count()
        warm(page)
        assert cold == page.locator("bard-sweep td button:visible").count() == len(found) // 2


def test_says_and_draws_the_chosen_runs(visit):
    with visit("sweep.html") as page:
        said = {
            "3-default-pre-norm-0.001-0": r"2\.26, 2\.26, 2\.26\. No run is stuck",
            "12-default-post-norm-0.003-0": r"2\.26, 3\.35, 3\.32\. Two runs are stuck",
            "12-default-post-norm-0.01-0": r"All three runs are stuck",
            "12-default-no-norm-0.03-0": r"(no number, ){2}no number\. All three runs were lost",
        }
        for key, pattern in said.items():
            cell(page, key).click()
            assert re.search(pattern, words(page)), (key, words(page))
            expect(cell(page, key)).to_have_attribute("aria-pressed", "true")
            expect(page.locator("bard-sweep [aria-pressed=true]")).to_have_count(1)
        cell(page, "12-default-post-norm-0.003-0").click()
        expect(page.locator(".live-curves g.now.broken")).to_have_count(2)
        expect(page.locator(".live-curves g.now:not(.broken)")).to_have_count(1)
        warm(page)
        assert "warm-up 200" in words(page)
        assert "No run is stuck" in words(page)


def test_arrows_move_inside_and_tab_goes_on(visit):
    with visit("sweep.html") as page:
        cell(page, "12-default-post-norm-0.003-0").focus()
        page.keyboard.press("ArrowRight")
        assert "rate 0.01," in words(page)
        page.keyboard.press("ArrowDown")
        assert "pre-norm, rate 0.01" in words(page)
        page.keyboard.press("ArrowDown")  # over the group's head
        assert "12 blocks, Xavier's start, no norm, rate 0.01" in words(page)
        page.keyboard.press("ArrowRight")  # nothing was run there
        assert "rate 0.01," in words(page)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "copy"


def test_choice_stands_in_the_address(visit):
    with visit("sweep.html") as page:
        cell(page, "12-xavier-pre-norm-0.003-0").click()
        warm(page)
        page.wait_for_function("location.hash.includes('sweep.warmup=200')")
        link = page.url.rpartition("#")[2]
    with visit(f"sweep.html#{link}") as page:
        assert words(page).startswith(
            "12 blocks, Xavier's start, pre-norm, rate 0.003, warm-up 200"
        )
    with visit("sweep.html#sweep.cell=none&sweep.warmup=7") as page:
        assert words(page).startswith("3 blocks")


def test_no_barriers_and_nothing_moves_or_sticks_out(visit):
    for size in (WIDE, NARROW):
        with visit("sweep.html", size=size) as page:
            expect(page.locator("bard-sweep .live-curves")).to_be_visible()
            assert page.evaluate("window.shifts") == []
            assert page.evaluate("document.scrollingElement.scrollWidth") <= size["width"]
            page.evaluate(f"(() => {{ {trainer_page.axe()} }})()")
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []
            box = page.locator("bard-sweep td button:visible").first.bounding_box()
            assert box["height"] >= 44
            assert page.evaluate("window.asked") == []


@pytest.mark.parametrize("how", ["without scripts", "on paper"])
def test_whole_table_stands(visit, how):
    with visit("sweep.html", java_script_enabled=how != "without scripts") as page:
        page.emulate_media(media="print" if how == "on paper" else "screen")
        expect(page.locator("bard-sweep tr[data-warmup]:visible")).to_have_count(20)
        expect(page.locator("bard-sweep form:visible")).to_have_count(0)


def test_still_picture_marks_by_sign():
    html = live.sweep().html()
    key = 'data-key="12-default-post-norm-0.003-0"'
    assert re.search(rf'class="cell some"[^>]*{key}[^>]*>2\.26<span class="signs">●✕✕<', html)
