"""The reader in Chromium: what it says of a text is what PyTorch says, and what it survives."""

import re

import pytest
import torch
from element_page import block_storage
from engine_page import LIVE
from playwright.sync_api import expect

from bardgpt import pretrained
from bardgpt.lab.probes.stream import recorded_stream
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching import live
from bardgpt.teaching.live import readers
from bardgpt.teaching.live.models import live_models
from bardgpt.teaching.live.readers import step
from bardgpt.teaching.live.reading import costs, looks

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
AT = 34


@pytest.fixture(scope="session", autouse=True)
def _written(pages):
    write(pages)


def write(pages):
    four = live.reader("four-heads", show="heads", at=AT, switches=True).html()
    small, full = live.reader("pre-norm").html(), live.reader("full", readers.READ[:60]).html()
    writer, counts = live.writer("full").html(), live.reader("bigram").html()
    pages.write("heads.html", four)
    pages.write("small.html", small)
    pages.write("full.html", full)
    pages.write("many.html", writer, small, full, counts)
    pages.write("dark.html", four, small, full, theme="dark")


def reader(page, place=0):
    return page.locator("bard-reader").nth(place)


def status(element):
    return element.locator(".live-foot [role=status]")


def area(element):
    return element.locator("[name=text]")


def marks(element):
    return element.locator("[role=option]")


def said_costs(element):
    """Costs as the element has them, once all is read."""
    n = len(area(element).input_value())
    expect(status(element)).to_have_text(f"{n:,} characters read.")
    element.page.wait_for_function("e => e.dataset.state === 'idle'", arg=element.element_handle())
    return element.evaluate("element => element.costs")


def wake(element):
    area(element).focus()
    expect(status(element)).to_contain_text("characters read.")


def test_colours_are_the_still_pictures(visit):
    """It loads nothing before a touch, then the one model, and says what PyTorch said."""
    with visit("small.html") as page:
        element = reader(page)
        expect(marks(element)).to_have_count(len(readers.READ))
        page.wait_for_load_state("networkidle")
        loaded = [name for name in page.asked if name.endswith((".js", ".bin", ".txt"))]
        assert loaded == ["elements.js"]
        levels = "marks => marks.map((mark) => mark.className)"
        before = marks(element).evaluate_all(levels)
        wake(element)
        wanted = costs(live_models()["pre-norm"], readers.READ)
        assert said_costs(element) == pytest.approx(wanted, abs=1e-3)
        assert marks(element).evaluate_all(levels) == before == [f"s{step(c)}" for c in wanted]
        mean = f"{sum(wanted) / len(wanted):.3f} nats per character"
        assert element.locator("figcaption span").text_content() == mean
        weights = [name for name in page.asked if name.endswith((".bin", ".txt"))]
        assert weights == ["pre-norm-0.bin"]


def test_a_character_is_chosen_and_told_of(visit):
    """Cost in three units, the ten likeliest, and the right one marked among them."""
    with visit("small.html") as page:
        element = reader(page)
        marks(element).nth(AT).click()
        wanted = costs(live_models()["pre-norm"], readers.READ)[AT]
        nats = (
            f"{wanted:.2f} nats · {wanted / 0.6931472:.2f} bits · one in {2.718281828**wanted:.1f}"
        )
        expect(element.locator(".reader-cost")).to_have_text(nats)
        expect(element.locator(".reader-step p")).to_have_text("n after “guage;␣a”")
        model, tokenizer = pretrained.load_rung("pre-norm")
        with torch.no_grad():
            p = model(tokenizer.encode(readers.READ[AT - 8 : AT])[None])[0, -1].softmax(dim=-1)
        best = p.topk(10)
        expect(element.locator(".next-bars i").first).to_have_text(f"{100 * best.values[0]:.0f}")
        shown = element.locator(".next-bars b").all_text_contents()
        signs = tokenizer.decode(best.indices.tolist()).replace(" ", "␣").replace("\n", "↵")
        assert shown == list(signs)
        expect(element.locator(".next-bars .drawn b")).to_have_text("n")
        spoken = element.locator("[aria-live=polite]")
        expect(spoken).to_contain_text(f"n: {wanted:.2f} nats")
        chosen = element.locator(".voice").get_attribute("aria-activedescendant")
        assert page.locator(f"#{chosen}").text_content() == "n"
        assert page.locator(f"#{chosen}").get_attribute("aria-selected") == "true"


def test_pointing_shows_and_leaving_returns(visit):
    with visit("small.html") as page:
        element = reader(page)
        what = element.locator(".reader-step p b")
        marks(element).nth(AT).click()
        expect(what).to_have_text("n")
        marks(element).nth(2).hover()
        expect(what).to_have_text("L")
        page.mouse.move(2, 2)
        expect(what).to_have_text("n")
        element.get_by_role("button", name="Next character").click()
        expect(what).to_have_text("d")


def cells(element, head):
    return element.locator(".head").nth(head).locator("i:not(.none)")


def test_heads_are_the_models(visit):
    """Each head's weights before and after the engine has come; the picked one's under the text."""
    weight = "all => all.map((one) => Number(one.style.getPropertyValue('--w')))"
    wanted = looks(live_models()["four-heads"], readers.READ, AT).weights[0]
    with visit("heads.html") as page:
        element = reader(page)
        for state in ("still", "live"):
            if state == "live":
                wake(element)
                expect(element.locator(".reader-cost")).to_contain_text("nats")
                page.wait_for_timeout(300)
            for head in range(4):
                found = cells(element, head).evaluate_all(weight)
                assert found == pytest.approx(wanted[head].tolist(), abs=2e-3)
            under = element.locator(".looked")
            assert under.evaluate_all(weight) == pytest.approx(wanted[0].tolist(), abs=2e-3)
        element.locator("[type=radio]").nth(2).check()
        assert under.evaluate_all(weight) == pytest.approx(wanted[2].tolist(), abs=2e-3)
        assert "".join(under.all_text_contents()) == readers.READ[AT - 8 : AT]
        marks(element).nth(3).click()  # the window is filling: the line's end and three more
        expect(cells(element, 0)).to_have_count(4)
        assert "".join(under.all_text_contents()) == readers.READ[:3]


def test_hidden_units_that_fired(visit):
    model, tokenizer = pretrained.load_rung("pre-norm")
    with recorded_stream(model) as stream, torch.no_grad():
        model(tokenizer.encode(readers.READ[AT - 8 : AT])[None])
    fired = [int((hidden[0, -1] > 0).sum()) for hidden in stream.hidden]
    with visit("small.html") as page:
        element = reader(page)
        marks(element).nth(AT).click()
        words = " · ".join(f"{n} of 128" for n in fired)
        expect(element.locator(".units summary")).to_have_text(f"Hidden units that fired: {words}")


def test_a_head_is_turned_off(visit):
    """Its output is zero: the loss is the one that PyTorch gives without it."""
    model, tokenizer = pretrained.load_rung("four-heads")
    torch.nn.init.zeros_(model.blocks[0].attention.heads[1].value.weight)
    ids = tokenizer.encode("\n" + readers.READ)
    with torch.no_grad():
        logits = torch.stack(
            [model(ids[None, max(0, j - 7) : j + 1])[0, -1] for j in range(len(ids) - 1)]
        )
    wanted = torch.nn.functional.cross_entropy(logits, ids[1:]).item()
    whole = sum(costs(live_models()["four-heads"], readers.READ)) / len(readers.READ)
    assert abs(wanted - whole) > 0.02
    with visit("heads.html") as page:
        element = reader(page)
        wake(element)
        mean = element.locator("figcaption span")
        element.locator("[type=checkbox]").nth(1).uncheck()
        expect(mean).to_have_text(f"{wanted:.3f} nats per character, {whole:.3f} with all heads")
        element.locator("[type=checkbox]").nth(1).check()
        expect(mean).to_have_text(f"{whole:.3f} nats per character")


def test_a_model_that_is_not_here_yet_has_no_numbers(visit):
    """Not those of the one before it; and in its grid of 36 heads there is no room for switches."""
    with visit("heads.html") as page:
        element = reader(page)
        wake(element)
        marks(element).nth(AT).click()
        mean, cost = element.locator("figcaption span"), element.locator(".reader-cost")
        expect(mean).to_contain_text("nats per character")
        expect(cost).to_contain_text("nats")
        element.locator("[name=model]").select_option("full")
        expect(mean).to_have_text("not read yet")
        expect(cost).to_have_text("Known as soon as the model is loaded")
        expect(element.locator(".heads.grid")).to_have_count(1)
        expect(element.locator(".heads [type=checkbox]")).to_have_count(0)


def test_typing_goes_on_and_an_edit_in_the_middle_counts(visit):
    """What is typed is read at once, whatever was read before; the choice goes with the keys."""
    model = live_models()["pre-norm"]
    with visit("small.html") as page:
        element = reader(page)
        wake(element)
        area(element).press("Control+End")
        area(element).press_sequentially(" Go to,")
        text = readers.READ + " Go to,"
        assert said_costs(element) == pytest.approx(costs(model, text), abs=1e-3)
        expect(element.locator(".reader-step p b")).to_have_text(",")
        for _ in range(9):
            area(element).press("ArrowLeft")
        area(element).press("q")
        text = text[:-9] + "q" + text[-9:]
        assert area(element).input_value() == text
        assert said_costs(element) == pytest.approx(costs(model, text), abs=1e-3)
        expect(element.locator(".reader-step p b")).to_have_text("q")
        area(element).press("Backspace")
        assert said_costs(element) == pytest.approx(costs(model, text[:-10] + text[-9:]), abs=1e-3)


def test_every_model_answers(visit):
    """Tables, too, once their text is there; a table has no heads, a head no table."""
    with visit("small.html") as page:
        element = reader(page)
        wake(element)
        for name in ("one-head", "bigram"):
            element.locator("[name=model]").select_option(name)
            expect(element.locator("figcaption b")).to_have_text(live_models()[name].title)
            wanted = costs(live_models()[name], readers.READ)
            assert said_costs(element) == pytest.approx(wanted, abs=1e-3)
        element.locator("[name=model]").select_option("counts-3")
        expect(element.locator("[data-go]")).to_have_text("Load 1 MB")
        expect(element.locator("figcaption span")).to_have_text("not read yet")
        element.locator("[data-go]").click()
        wanted = costs(live_models()["counts-3"], readers.READ)
        assert said_costs(element) == pytest.approx(wanted, abs=1e-3)
        marks(element).nth(AT).click()
        expect(element.locator(".looked")).to_have_text(list("; a"))
        expect(element.locator(".heads")).to_have_count(0)


@pytest.mark.parametrize(
    ("text", "read", "says"),
    [
        ("", "", ""),
        ("né\U0001f600e 4\ttu", "ne tu", "have never seen them: é \U0001f600 4 tab. They know"),
        ("n\u00a0e\u200d w", "ne w", "have never seen them: U+00A0 U+200D. They know"),
        ("To be. " * 1428 + "long", ("To be. " * 286)[:2000], "the first 2,000 are read"),
        ("two\n\nlines\n", "two\n\nlines\n", ""),
    ],
    ids=["nothing", "unknown", "unseen", "long", "lines"],
)
def test_any_text_goes(visit, text, read, says):
    with visit("small.html") as page:
        element = reader(page)
        wake(element)
        area(element).fill(text)
        expect(status(element)).to_have_text(f"{len(read):,} characters read.")
        expect(element.locator(".live-note")).to_contain_text(says)
        assert element.locator(".voice").text_content() == read
        expect(marks(element)).to_have_count(len(read))
        element.locator(".voice").focus()
        for key in ("ArrowRight", "ArrowDown", "End", "ArrowUp", "ArrowLeft", "Home"):
            page.keyboard.press(key)
        element.locator("[data-clear]").click()
        area(element).press_sequentially("a")
        expect(element.locator(".reader-step p")).to_have_text("a at the beginning")


def weights_of_full(window, block, head):
    """Where a head of the full model looks after a window, from its queries and keys."""
    model, tokenizer = pretrained.load()
    found = []
    projection = model.blocks[block].attention.qkv
    projection.register_forward_hook(lambda _, __, qkv: found.append(qkv[0]))
    with torch.no_grad():
        model(tokenizer.encode(window)[None])
    (qkv,) = found
    width = model.config.n_embd // model.config.n_head
    q, k, _ = (part.split(width, dim=-1)[head] for part in qkv.chunk(3, dim=-1))  # (T, hs)
    return (q[-1] @ k.T / width**0.5).softmax(dim=-1)


def test_full_model_reads_beyond_its_window(visit):
    """It comes by a click; 36 heads are there to pick from; half the window is forgotten once."""
    with visit("full.html") as page:
        element = reader(page)
        expect(element.locator("[data-go]")).to_have_text("Load 11 MB")
        area(element).focus()
        page.wait_for_timeout(300)
        assert not [name for name in page.asked if name.startswith("full-")]
        still = costs(live_models()["full"], readers.READ[:60])
        colours = "marks => marks.map((mark) => mark.className)"
        assert marks(element).evaluate_all(colours) == [f"s{step(c)}" for c in still]
        marks(element).nth(3).click()
        expect(element.locator(".reader-cost")).to_have_text("Known as soon as the model is loaded")
        element.locator("[data-go]").click()
        assert said_costs(element) == pytest.approx(still, abs=2e-3)
        book = shakespeare()
        text = book.tokenizer.decode(book.validation[:300].tolist())
        area(element).fill(text)
        wanted = costs(live_models()["full"], text)
        assert said_costs(element) == pytest.approx(wanted, abs=2e-3)
        element.locator(".more:not(.units) summary").click()
        expect(element.locator(".head")).to_have_count(36)
        element.locator("[type=radio]").nth(8).check(force=True)
        at = 275
        marks(element).nth(at).click()
        expect(element.locator(".looked")).to_have_count(at - 127)
        wanted = weights_of_full(text[127:at], block=1, head=2)
        page.wait_for_timeout(500)
        found = element.locator(".looked").evaluate_all(
            "all => all.map((one) => Number(one.style.getPropertyValue('--w')))"
        )
        assert found == pytest.approx(wanted.tolist(), abs=2e-3)
        newest = cells(element, 8).last.evaluate("one => one.style.getPropertyValue('--w')")
        assert float(newest) == pytest.approx(wanted[-1].item(), abs=2e-3)
        assert sum(
            cells(element, 8).evaluate_all(
                "all => all.map((one) => Number(one.style.getPropertyValue('--w')))"
            )
        ) == pytest.approx(1, abs=0.01)


def test_reading_can_be_stopped_and_goes_on(visit):
    """At any moment; what was read stays coloured, and is not read again."""
    book = shakespeare()
    text = book.tokenizer.decode(book.validation[:700].tolist())
    with visit("full.html") as page:
        element = reader(page)
        element.locator("[data-go]").click()
        expect(status(element)).to_have_text("60 characters read.")
        expect(element.locator("[data-go]")).to_be_hidden()
        area(element).fill(text)
        expect(element.locator("[data-go]")).to_have_text("Stop")
        element.locator("[data-go]").click()
        expect(status(element)).to_have_text(re.compile(r"Stopped after \d+ characters?\."))
        before = element.evaluate("element => element.costs")
        assert 0 < len(before) < len(text)
        page.wait_for_timeout(500)
        assert element.locator(".voice [class^=s]").count() == len(before)
        element.locator("[data-go]").click()
        after = said_costs(element)
        assert after == pytest.approx(costs(live_models()["full"], text), abs=2e-3)
        expect(element.locator("[data-go]")).to_be_hidden()
        expect(element.locator(".voice")).to_be_focused()  # where the button was, nothing is


def test_another_model_is_chosen_while_a_table_is_made(visit):
    """What has come too late does not call the reading of the other one done."""
    text = (readers.READ * 20)[:2000]
    with visit("small.html") as page:
        element = reader(page)
        wake(element)
        area(element).fill(text)
        said_costs(element)
        element.locator("[name=model]").select_option("counts-5")
        page.evaluate(
            """() => {
              const reader = document.querySelector("bard-reader");
              const select = reader.querySelector("[name=model]");
              const bar = reader.querySelector(".progress > div");
              window.early = false;
              const change = () => {
                select.value = "pre-norm";
                select.dispatchEvent(new Event("change"));
              };
              let soon;
              new MutationObserver(() => {
                if (select.value === "counts-5") {
                  // All has come; a moment later the table is being made.
                  if (bar.style.transform === "scaleX(1)") soon ??= setTimeout(change, 100);
                } else if (reader.dataset.state === "idle") {
                  window.early ||= reader.costs.length < reader.text.length;
                }
              }).observe(reader, {attributes: true, childList: true, subtree: true});
            }"""
        )
        element.locator("[data-go]").click()
        expect(element.locator("[name=model]")).to_have_value("pre-norm")
        wanted = costs(live_models()["pre-norm"], text)
        assert said_costs(element) == pytest.approx(wanted, abs=1e-3)
        assert not page.evaluate("window.early")


def test_two_elements_share_a_download_and_each_can_leave_it(visit):
    """The writer's and the reader's: one cancels, the other goes on; nothing comes twice."""
    with visit("many.html") as page:
        writer, element = page.locator("bard-writer"), reader(page, 1)
        held = []
        page.route("**/full-3.bin*", lambda route: held.append(route))
        writer.locator("[data-go]").click()
        expect(status(writer)).to_have_text(re.compile(r"3\.0 of 11\.0 MB"))
        element.locator("[data-go]").click()
        expect(element.locator("[data-go]")).to_have_text("Cancel")
        writer.locator("[data-go]").click()
        expect(status(writer)).to_have_text("Cancelled. What has come is kept.")
        expect(element.locator("[data-go]")).to_have_text("Cancel")
        held[0].continue_()
        expect(status(element)).to_have_text("60 characters read.")
        names = [name for name in page.asked if name.startswith("full-")]
        assert sorted(names) == sorted(f"full-{i}.bin" for i in range(11))
        expect(writer.locator("[data-go]")).to_have_text("Write")


def test_a_download_breaks_off_is_cancelled_and_goes_on(visit):
    with visit("full.html") as page:
        element = reader(page)
        page.route("**/full-5.bin*", lambda route: route.abort())
        element.locator("[data-go]").click()
        expect(status(element)).to_have_text(re.compile(r"broke after 5\.0 of 11\.0 MB\. .*kept"))
        expect(element.locator("[data-go]")).to_have_text("Try again")
        page.unroute("**/full-5.bin*")
        page.route("**/full-5.bin*", lambda route: None)  # never answered
        element.locator("[data-go]").click()
        expect(element.locator("[data-go]")).to_have_text("Cancel")
        area(element).fill("While it comes, a text is typed.")
        expect(element.locator("[data-go]")).to_have_text("Cancel")
        element.locator("[data-go]").click()
        expect(status(element)).to_have_text("Cancelled. What has come is kept.")
        page.unroute("**/full-5.bin*")
        element.locator("[data-go]").click()
        expect(status(element)).to_have_text("32 characters read.")


def test_many_at_once_on_one_page(visit):
    with visit("many.html") as page:
        first, last = reader(page), reader(page, 2)
        area(first).focus()
        area(last).focus()
        for element, name in ((first, "pre-norm"), (last, "bigram")):
            wanted = costs(live_models()[name], readers.READ)
            assert said_costs(element) == pytest.approx(wanted, abs=1e-3)
        page.evaluate("document.querySelectorAll('bard-reader')[2].remove()")
        area(first).fill("Still there")
        expect(status(first)).to_have_text("11 characters read.")


def test_keyboard_alone(visit):
    """Tab comes into the text once and out again; arrows move in it, over lines as well."""
    with visit("heads.html") as page:
        element = reader(page)
        wake(element)
        stops = []
        for _ in range(14):
            page.keyboard.press("Tab")
            stops.append(
                page.evaluate(
                    "(({name, className, type, textContent}) =>"
                    " type === 'radio' ? 'head' : type === 'checkbox' ? 'switch' :"
                    " name || className || textContent)(document.activeElement)"
                )
            )
        assert stops[:4] == ["model", "button", "voice", "button"]
        assert stops.count("voice") == 1
        assert stops.count("head") == 1
        assert stops.count("switch") == 4
        text = element.locator(".voice")
        text.focus()
        what = element.locator(".reader-step p b")
        page.keyboard.press("Home")
        expect(what).to_have_text("C")
        page.keyboard.press("ArrowRight")
        expect(what).to_have_text("A")
        page.keyboard.press("ArrowDown")
        expect(what).to_have_text("o")  # of "You", below it
        page.keyboard.press("ArrowUp")
        expect(what).to_have_text("A")
        page.keyboard.press("End")
        expect(what).to_have_text("!")


def test_a_setting_can_be_linked(visit):
    with visit("heads.html") as page:
        element = reader(page)
        area(element).fill("To be & not\nto be")
        marks(element).nth(6).click()
        element.locator("[type=radio]").nth(3).check()
        element.locator("[type=checkbox]").nth(0).uncheck()
        page.wait_for_timeout(500)
        link = page.evaluate("location.href")
        page.goto("about:blank")
        page.goto(link)
        element = reader(page)
        expect(status(element)).to_have_text("17 characters read.")
        assert area(element).input_value() == "To be & not\nto be"
        expect(element.locator("[type=radio]").nth(3)).to_be_checked()
        expect(element.locator("[type=checkbox]").nth(0)).not_to_be_checked()
        expect(element.locator(".reader-step p b")).to_have_text("&")
        wrong = "reader.model=x&reader.at=-1&reader.head=9.9&reader.off=1&reader.text=a%ff"
        page.goto(link.partition("#")[0] + "?new#" + wrong)
        expect(status(element)).to_contain_text("read.")
        assert element.locator("[name=model]").input_value() == "four-heads"


def test_blocked_storage_is_no_obstacle(visit):
    with visit("small.html") as page:
        block_storage(page)
        wake(reader(page))
        assert (
            page.evaluate("(() => { try { return localStorage } catch { return null } })()") is None
        )
        area(reader(page)).fill("Not kept, and read.")
        assert len(said_costs(reader(page))) == len("Not kept, and read.")


@pytest.mark.parametrize("name", ["dark.html", "many.html"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_no_barriers_and_nothing_moves_or_sticks_out(visit, name, size):
    axe = (LIVE / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    with visit(name, size=size, motion="no-preference") as page:
        element = reader(page)
        expect(area(element)).to_be_visible()
        assert page.evaluate("window.shifts") == []
        wake(element)
        if name == "dark.html":  # its heads stand there at once: the engine changes no height
            assert page.evaluate("window.shifts") == []
        marks(element).nth(AT).click()
        expect(element.locator(".reader-cost")).to_contain_text("nats")
        page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        assert page.evaluate("document.scrollingElement.scrollWidth") <= size["width"]
        page.evaluate(f"(() => {{ {axe} }})()")
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []


@pytest.mark.parametrize("name", ["heads.html", "small.html", "full.html"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_room_is_kept_for_what_the_script_brings(visit, name, size):
    """All stands where it stood: the element's height, its text and its heads."""
    tops = """(() => { const of = (s) => document.querySelector(s)?.getBoundingClientRect().top;
      return [of('.voice'), of('.groups'), of('#below')].map((y) => y && Math.round(y)) })()"""
    with visit(name, size=size) as page:
        expect(area(reader(page))).to_be_visible()
        after = page.evaluate(tops)
        page.route("**/elements.js", lambda route: route.fulfill(body=""))
        page.reload()
        before = page.evaluate(tops)
        assert before[0] == after[0]
        assert before[2] == after[2]
        if name == "heads.html":
            assert before[1] == after[1]


@pytest.mark.parametrize("how", ["without scripts", "on paper"])
def test_still_picture_stands(visit, how):
    with visit("heads.html", java_script_enabled=how != "without scripts") as page:
        page.emulate_media(media="print" if how == "on paper" else "screen")
        element = reader(page)
        assert element.locator(".voice").text_content() == readers.READ
        expect(element.locator(".key")).to_be_visible()
        expect(element.locator(".groups")).to_be_visible()
        colour = element.locator(".voice .s4").first.evaluate("e => getComputedStyle(e).background")
        assert "rgb(234, 132, 48)" in colour
        expect(element.locator("form:visible, .next:visible, .live-foot:visible")).to_have_count(0)


def test_from_the_disk_it_says_what_to_do(visit, pages):
    with visit("small.html", at=f"{pages.folder.as_uri()}/") as page:
        expect(status(reader(page))).to_have_text("To move this, serve the book: make serve")
        assert reader(page).locator(".voice").text_content() == readers.READ
        expect(page.locator("form")).to_have_count(0)


def test_colours_of_the_system_leave_marks(visit):
    """Where a system forces its colours, costs, weights and the choice still show."""
    with visit("heads.html", forced_colors="active") as page:
        element = reader(page)
        wake(element)
        style = "e => { const s = getComputedStyle(e); return [s.backgroundColor, s.outlineStyle] }"
        kinds = {element.locator(f".voice .s{i}").first.evaluate(style)[0] for i in (0, 2, 3, 4)}
        assert len(kinds) == 4
        assert element.locator("[aria-selected]").evaluate(style)[1] == "solid"
