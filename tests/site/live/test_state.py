"""Settings in a page's address: a link brings them back, and nothing in it does harm."""

from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import expect

from bardgpt.teaching import live


@pytest.fixture(scope="session", autouse=True)
def _written(pages):
    one, two = live.writer("bigram").html(), live.writer("one-head").html()
    pages.write("state.html", one, '<p style="height: 90rem"></p>', two)


def control(page, name, place=0):
    return page.locator("bard-writer").nth(place).locator(f"[name={name}]")


def said(page):
    """What the address says, once it has been written."""
    page.wait_for_timeout(400)
    return dict(parse_qsl(page.evaluate("location.hash.slice(1)"), keep_blank_values=True))


def test_what_is_changed_stands_in_the_address_and_comes_back(visit):
    with visit("state.html") as page:
        assert said(page) == {}
        control(page, "prompt").fill("A & B:\n#+ =%")
        control(page, "temperature").fill("0.5")
        control(page, "model", 1).select_option("pre-norm")
        assert said(page) == {
            "writer.prompt": "A & B:\n#+ =%",
            "writer.temperature": "0.5",
            "writer2.model": "pre-norm",
        }
        page.reload()
        expect(control(page, "prompt")).to_have_value("A & B:\n#+ =%")
        expect(page.locator("bard-writer output").first).to_have_text("0.5")
        expect(control(page, "model")).to_have_value("bigram")
        expect(control(page, "model", 1)).to_have_value("pre-norm")
        control(page, "temperature").fill("1")
        assert "writer.temperature" not in said(page)
        assert page.evaluate("history.length") <= 2  # "Back" leads out of the page


def test_an_address_that_makes_no_sense_is_ignored(visit, address):
    with visit("state.html") as page:
        for wrong in (
            "writer.model=gpt-2&writer.seed=x&writer.temperature=&writer.__proto__=1&writer.=1",
            "%E0%A4%A&writer.seed=%ZZ",
            "writer.model&writer.constructor=1&writer99.seed=2&.=&=&&",
        ):
            page.goto(f"{address}state.html?{len(wrong)}#{wrong}")
            expect(control(page, "model")).to_have_value("bigram")
            expect(control(page, "temperature")).to_have_value("1")
            expect(control(page, "seed")).to_have_value("1")
        page.goto(f"{address}state.html?x#writer.temperature=77&writer.prompt=" + "long" * 2500)
        expect(control(page, "temperature")).to_have_value("2")
        assert len(control(page, "prompt").input_value()) == 10_000


def test_a_link_leads_to_its_element_and_anchors_stay_anchors(visit, address):
    with visit("state.html#below") as page:
        page.wait_for_timeout(400)
        assert page.evaluate("location.hash") == "#below"
        page.evaluate("location.hash = '#writer2.seed=7'")  # a link that is followed in the page
        expect(control(page, "seed", 1)).to_have_value("7")
        expect(page.locator("bard-writer").nth(1)).to_be_in_viewport()
        page.goto(f"{address}state.html?new#writer2.seed=8")
        expect(control(page, "seed", 1)).to_have_value("8")
        expect(page.locator("bard-writer").nth(1)).to_be_in_viewport()
        page.evaluate("location.hash = '#below'")
        control(page, "seed").fill("3")
        assert said(page) == {"writer.seed": "3", "writer2.seed": "8"}


def test_link_can_be_copied(visit):
    with visit("state.html", permissions=["clipboard-read", "clipboard-write"]) as page:
        control(page, "seed").fill("5")
        control(page, "seed", 1).fill("6")
        page.locator("bard-writer .copy").first.click()
        expect(page.locator(".live-foot [role=status]").first).to_have_text("Link copied.")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.endswith("/bardgpt/state.html#writer.seed=5")
        control(page, "prompt").fill("no " * 1000)
        page.locator("bard-writer .copy").first.click()
        expect(page.locator(".live-foot [role=status]").first).to_have_text(
            "Link copied, with the first 2000 characters."
        )
    rejected = "() => Promise.reject(new Error('no'))"
    refuse = f"if (navigator.clipboard) navigator.clipboard.writeText = {rejected};"
    with visit("state.html", init=refuse) as page:
        control(page, "seed").fill("5")
        page.locator("bard-writer .copy").first.click()
        expect(page.locator(".live-foot [role=status]").first).to_contain_text("address bar")
        assert said(page) == {"writer.seed": "5"}
