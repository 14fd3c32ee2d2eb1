"""The writer in Chromium: what a reader can do with it, and what it survives."""

import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from element_page import block_storage
from engine_page import LIVE
from playwright.sync_api import expect

from bardgpt.teaching import live

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
FOUR, FULL = "four-heads", "full"


@pytest.fixture(scope="session", autouse=True)
def _written(pages):
    one, two = live.writer(FOUR).html(), live.writer("bigram", beside="one-head").html()
    landing = live.Writer("ROMEO:", live.writer("bigram", beside=FULL).pictures, is_compact=True)
    pages.write("one.html", one)
    pages.write("two.html", one, two)
    pages.write("dark.html", one, two, theme="dark")
    pages.write("full.html", live.writer(FULL).html())
    pages.write("compact.html", landing.html())


def writer(page, place=0):
    return page.locator("bard-writer").nth(place)


def button(element):
    return element.locator("[data-go]")


def status(element):
    return element.locator(".live-foot [role=status]")


def text(element, place=0):
    return element.locator(".voice").nth(place)


def fill(element, **settings):
    """Set controls by name, as a reader would."""
    for name, value in settings.items():
        control = element.locator(f"[name={name.replace('_', '-')}]")
        if control.evaluate("control => control.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(str(value))


def write(element):
    """All that it writes at one go."""
    button(element).click()
    expect(status(element)).to_have_text("500 characters written.")
    return text(element).text_content()


def test_writes_and_loads_nothing_before(visit):
    """Before a touch the small script alone, then the one model; a seed is a text."""
    with visit("one.html") as page:
        element = writer(page)
        expect(button(element)).to_have_text("Write")
        page.wait_for_load_state("networkidle")
        assert [name for name in page.asked if name.endswith((".js", ".bin", ".txt"))] == [
            "elements.js"
        ]
        first = write(element)
        assert first.startswith("ROMEO:")
        assert len(first) == 506
        assert {name for name in page.asked if name.endswith((".bin", ".txt"))} == {
            "four-heads-0.bin"
        }
        expect(element.locator(".next .drawn b")).to_have_count(1)
        element.locator("[data-clear]").click()
        expect(text(element)).to_have_text("ROMEO:")
        assert write(element) == first
        fill(element, seed=2)
        assert write(element) != first


def test_bars_are_the_shares_that_are_drawn_from(visit):
    """They heed temperature and top-k, and stand there before anything is written."""
    with visit("one.html") as page:
        element = writer(page)
        numbers = element.locator(".next-bars i")
        element.locator("[name=prompt]").focus()
        expect(numbers.first).to_have_text(re.compile(r"\d+"))
        warm = [int(word or 0) for word in numbers.all_text_contents()]
        assert 20 < sum(warm) <= 105
        assert warm == sorted(warm, reverse=True)
        fill(element, top_k=3)
        expect(numbers.nth(3)).to_have_text("\N{EN DASH}")
        kept = [int(word or 0) for word in numbers.all_text_contents()[:3]]
        assert 98 <= sum(kept) <= 102
        fill(element, temperature=0)
        expect(numbers.first).to_have_text("100")
        label = element.locator(".next").first.get_attribute("aria-label")
        assert re.match(r"Likely after the prompt, in per cent: .+ 100 per cent", label)


def test_stops_at_once_and_goes_on(visit):
    with visit("one.html", motion="no-preference") as page:
        element = writer(page)
        button(element).click()
        expect(status(element)).to_have_text("Writing…")
        expect(text(element)).to_have_text(re.compile(r"ROMEO:(.|\n){20,}"))
        button(element).click()
        expect(button(element)).to_have_text("Go on")
        page.wait_for_timeout(200)  # what was on its way has come
        stopped = text(element).text_content()
        assert status(element).text_content() == f"Stopped after {len(stopped) - 6} characters."
        page.wait_for_timeout(200)
        assert text(element).text_content() == stopped
        button(element).click()
        expect(status(element)).to_have_text(re.compile("characters written"))
        assert text(element).text_content().startswith(stopped)
        assert len(text(element).text_content()) == len(stopped) + 500


def test_two_at_once_and_two_models_side_by_side(visit):
    with visit("two.html") as page:
        one, two = writer(page), writer(page, 1)
        button(one).click()
        button(two).click()
        for element in (one, two):
            expect(status(element)).to_have_text("500 characters written.")
        lengths = [len(t) for t in page.locator("figure:not([hidden]) .voice").all_text_contents()]
        assert lengths == [506] * 3
        fill(two, beside="")
        expect(two.locator("figure:visible")).to_have_count(1)


def test_every_text_keeps_its_line_ends(visit):
    """That of a model which is set beside the first one, too."""
    with visit("one.html") as page:
        element = writer(page)
        fill(element, beside="bigram")
        write(element)
        lines = text(element, 1).text_content().count("\n")
        assert lines > 3
        height, line = text(element, 1).evaluate(
            "e => [e.scrollHeight, parseFloat(getComputedStyle(e).lineHeight)]"
        )
        assert height > (lines - 1) * line


def test_what_is_written_is_in_sight_below_a_long_prompt(visit):
    with visit("one.html") as page:
        element = writer(page)
        fill(element, prompt="Speak, speak.\n" * 200)
        write(element)
        below = text(element).evaluate("e => e.scrollHeight - e.clientHeight - e.scrollTop")
        assert below < 30


@pytest.mark.parametrize(
    ("prompt", "given", "says"),
    [
        ("", "", "No prompt"),
        (
            "né\U0001f600e 4",
            "ne ",
            "Left out, for the models have never seen them: é \U0001f600 4.",
        ),
        ("To be. " * 1428 + "long", "To be. " * 1428 + "long", None),  # 10,000 characters
        ("two\nlines", "two\nlines", None),
    ],
    ids=["nothing", "unknown", "long", "lines"],
)
def test_any_prompt_goes(visit, prompt, given, says):
    with visit("one.html") as page:
        element = writer(page)
        fill(element, prompt=prompt)
        if says:
            expect(element.get_by_role("status").filter(has_text=says)).to_be_visible()
        written = write(element)
        assert written.startswith(given)
        assert len(written) == len(given) + 500


def test_full_model_comes_by_a_click_breaks_off_and_goes_on(visit):
    """What came before a break is not fetched again, nor anything by the next visit."""
    with visit("full.html") as page:
        element = writer(page)
        expect(button(element)).to_have_text("Load 11 MB")
        element.hover()
        element.locator("[name=prompt]").focus()
        page.wait_for_timeout(300)
        assert not [name for name in page.asked if name.startswith("full-")]
        page.route("**/full-5.bin*", lambda route: route.abort())
        button(element).click()
        expect(status(element)).to_have_text(
            re.compile(r"The connection broke after 5\.0 of 11\.0 MB\. .*kept")
        )
        expect(button(element)).to_have_text("Try again")
        assert text(element).text_content().startswith("ROMEO:\nWhy mhis")
        page.unroute("**/full-5.bin*")
        page.asked.clear()
        button(element).click()
        expect(button(element)).to_have_text("Stop")
        assert page.asked == [f"full-{i}.bin" for i in range(5, 11)]
        expect(text(element)).to_have_text(re.compile(r"ROMEO:(.|\n){10,}"))
        button(element).click()
        page.reload()
        page.asked.clear()
        element.locator("[name=prompt]").focus()
        expect(button(element)).to_have_text("Write")
        expect(element.locator(".next-bars i").first).to_have_text(re.compile(r"\d+"))
        assert not [name for name in page.asked if name.startswith("full-")]


def test_loading_can_be_cancelled_and_a_damaged_part_is_refused(visit):
    with visit("full.html") as page:
        element = writer(page)
        page.route("**/full-3.bin*", lambda route: None)  # never answered
        button(element).click()
        expect(status(element)).to_have_text(re.compile(r"Loading 11 MB 3\.0 of 11\.0 MB"))
        expect(button(element)).to_have_text("Cancel")
        button(element).click()
        expect(status(element)).to_have_text("Cancelled. What has come is kept.")
        expect(button(element)).to_have_text("Load 11 MB")
        page.unroute("**/full-3.bin*")
        page.route("**/full-3.bin*", lambda route: route.fulfill(body=b"\0" * 1_000_000))
        button(element).click()
        expect(status(element)).to_have_text(re.compile("arrived damaged"))


class Damaging(SimpleHTTPRequestHandler):
    """Damages one file once, and lets the browser keep what it got."""

    damaged: ClassVar[list[str]] = []

    def do_GET(self):
        if "/full-3.bin" not in self.path or self.damaged:
            super().do_GET()
            return
        self.damaged.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(b"\0" * 1_000_000)

    def log_message(self, *_):
        pass


def test_a_damaged_part_comes_anew_past_all_caches(visit, pages):
    """As long as the server allows, the browser's own cache would give it again."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Damaging, directory=str(pages.folder)))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with visit("full.html", at=f"http://127.0.0.1:{server.server_port}/") as page:
        element = writer(page)
        button(element).click()
        expect(status(element)).to_have_text(re.compile("arrived damaged"))
        assert Damaging.damaged
        button(element).click()
        page.wait_for_function(
            "['running', 'failed'].includes(document.querySelector('bard-writer').dataset.state)"
        )
        expect(button(element)).to_have_text("Stop", timeout=5000)
    server.shutdown()
    server.server_close()


def test_what_stands_out_by_its_ground_is_legible_in_the_systems_colours(visit):
    """A browser takes away a ground, or puts one of the page's colour behind the letters."""
    style = """e => {
      const { color, backgroundColor, forcedColorAdjust } = getComputedStyle(e);
      return [color, backgroundColor, forcedColorAdjust];
    }"""
    for scheme in ("light", "dark"):
        with visit("one.html", forced_colors="active", color_scheme=scheme) as page:
            element = writer(page)
            write(element)
            for one in (button(element), element.locator(".drawn b")):
                letter, ground, adjust = one.evaluate(style)
                assert letter != ground
                assert adjust == "none"


def test_blocked_storage_is_no_obstacle(visit):
    with visit("one.html") as page:
        block_storage(page)
        assert len(write(writer(page))) == 506


@pytest.mark.parametrize("name", ["dark.html", "two.html", "compact.html"])
def test_no_barriers_and_nothing_moves_or_sticks_out(visit, name):
    """Axe, layout shift while the page comes, and the width of a phone."""
    axe = (LIVE / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    for size in (WIDE, NARROW):
        with visit(name, size=size, motion="no-preference") as page:
            expect(button(writer(page))).to_be_visible()
            assert page.evaluate("window.shifts") == []
            page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
            assert page.evaluate("document.scrollingElement.scrollWidth") <= size["width"]
            page.evaluate(f"(() => {{ {axe} }})()")
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []


def test_room_is_kept_for_what_the_script_brings(visit):
    """The element is as high before the script as after it: a slow line moves nothing."""
    height = "document.querySelector('bard-writer').offsetHeight"
    for name in ("one.html", "compact.html"):
        for size in (WIDE, NARROW):
            with visit(name, size=size) as page:
                expect(button(writer(page))).to_be_visible()
                after = page.evaluate(height)
                page.route("**/elements.js", lambda route: route.fulfill(body=""))
                page.reload()
                assert page.evaluate(height) == after, (name, size)


def test_keyboard_alone(visit):
    """Tab goes through it and out; Enter in the prompt writes; the arrows move a slider."""
    with visit("one.html") as page:
        element = writer(page)
        element.locator("[name=prompt]").focus()
        names = []
        for _ in range(8):
            page.keyboard.press("Tab")
            names.append(
                page.evaluate("document.activeElement.name ?? document.activeElement.textContent")
            )
        assert names[:5] == ["model", "beside", "temperature", "top-k", "seed"]
        assert page.evaluate("document.activeElement.className") == "voice"
        element.locator("[name=temperature]").press("ArrowRight")
        expect(element.locator("output").first).to_have_text("1.1")
        element.locator("[name=prompt]").press("Enter")
        expect(status(element)).to_have_text("500 characters written.")
        assert "\n" not in element.locator("[name=prompt]").input_value()


@pytest.mark.parametrize("how", ["without scripts", "on paper"])
def test_still_picture_stands(visit, how):
    with visit("one.html", java_script_enabled=how != "without scripts") as page:
        page.emulate_media(media="print" if how == "on paper" else "screen")
        expect(text(writer(page))).to_contain_text("Thy mof dith henlter?")
        expect(
            writer(page).locator("form:visible, .next:visible, .live-foot:visible")
        ).to_have_count(0)


def test_from_the_disk_it_says_what_to_do(visit, pages):
    with visit("one.html", at=f"{pages.folder.as_uri()}/") as page:
        expect(status(writer(page))).to_have_text("To move this, serve the book: make serve")
        expect(text(writer(page))).to_contain_text("Thy mof dith henlter?")
        expect(page.locator("form")).to_have_count(0)
