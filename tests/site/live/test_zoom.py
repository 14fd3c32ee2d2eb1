"""Elements for eyes that need more: twice as large, nothing is lost, before and after they wake."""

import pytest
from playwright.sync_api import expect

from bardgpt.teaching import live

HALF = {"width": 640, "height": 400}
LETTERS = "html, body { font-size: 200% !important; }"
STATUS = ".live-foot [role=status]"
ELEMENTS = {
    "writer": lambda: live.writer("bigram", beside="four-heads"),
    "reader": lambda: live.reader("four-heads", show="heads", switches=True),
    "trainer": live.trainer,
    "sweep": live.sweep,
    "scores": live.toy_scores,
}


@pytest.fixture(scope="session", autouse=True)
def _written(pages):
    for name, make in ELEMENTS.items():
        pages.write(f"zoom-{name}.html", make().html())


@pytest.fixture
def lost(too_large):
    """What is lost of a page with all its folds open."""

    def lost(page):
        page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        return too_large(page)

    return lost


@pytest.mark.parametrize("name", ELEMENTS)
def test_twice_as_large_nothing_is_lost(visit, lost, name):
    """The browser's zoom, which halves the window, and letters alone."""
    with visit(f"zoom-{name}.html", size=HALF, device_scale_factor=2) as page:
        expect(page.locator("button:visible, input:visible").first).to_be_visible()
        assert lost(page) == []
    with visit(f"zoom-{name}.html") as page:
        page.add_style_tag(content=LETTERS)
        assert lost(page) == []


def test_a_choice_is_told_of_in_a_window_of_half_the_size(visit, lost):
    """A character is chosen, and the page does not scroll sideways for what is said of it."""
    with visit("zoom-reader.html", size=HALF, device_scale_factor=2) as page:
        page.locator("bard-reader [name=text]").focus()
        expect(page.locator(f"bard-reader {STATUS}")).to_contain_text("characters read.")
        page.locator("bard-reader [role=option]").nth(5).click()
        expect(page.locator("bard-reader .reader-cost")).to_contain_text("nats")
        assert lost(page) == []
