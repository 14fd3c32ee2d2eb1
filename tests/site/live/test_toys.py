"""The toys in Chromium: what they compute, against Python, and what they survive."""

import math
import re
from contextlib import contextmanager

import pytest
import torch
import toy_page
from engine_page import LIVE
from playwright.sync_api import Locator, Page, expect

from bardgpt.lab.count_tables import CountTable
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching import live
from bardgpt.teaching.live.toys import TOYS
from bardgpt.teaching.live.toys.stacks import STARTS, sizes

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
NAMES = ("temperature", "scores", "stack", "norm-table", "norm-place", "mask", "masks")


def toy_of(name: str) -> live.Toy:
    """A toy with all the controls that it can have."""
    return TOYS[name](**({"head_size": True} if name == "scores" else {}))


def write_pages(folder):
    """A page for each toy, and all of them on one, light and dark."""
    toys = {name: toy_of(name) for name in NAMES}
    for name, one in toys.items():
        toy_page.page(folder, f"{name}.html", one)
    toy_page.page(folder, "four.html", live.toy_scores())
    toy_page.page(folder, "all.html", *toys.values())
    toy_page.page(folder, "dark.html", *toys.values(), theme="dark")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("toys")
    toy_page.build(folder)
    write_pages(folder)
    return folder


@pytest.fixture(scope="session")
def address(folder, serving):
    with serving(folder, "/bardgpt/") as address:
        yield address


@pytest.fixture
def open_toy(visit):
    """A page with one toy."""

    @contextmanager
    def open_toy(name):
        with visit(f"{name}.html") as page:
            yield page

    return open_toy


def numbers(place: Page | Locator, selector: str) -> list[float]:
    """What is written in some places, as numbers."""
    texts = place.locator(selector).all_text_contents()
    return [float(text.replace("\N{MINUS SIGN}", "-").replace(",", "")) for text in texts]


def say(page: Page) -> str:
    """The sentences below a picture."""
    return " ".join(page.locator(".toy-says").all_text_contents())


def put(page: Page, **settings: float | str) -> None:
    """Set controls by name, as a reader would."""
    for name, value in settings.items():
        control = page.locator(f"[name={name.replace('_', '-')}]")
        if control.evaluate("control => control.tagName") == "SELECT":
            control.select_option(str(value))
        elif isinstance(value, bool):
            control.set_checked(value)
        else:
            control.fill(str(value))


def do(page: Page, button: str) -> None:
    page.locator(f"[data-do={button}]").click()


def near(found: list[float], wanted: torch.Tensor | list[float], digits: int = 2) -> None:
    """Assert that numbers on a page are those wanted, but for their rounding."""
    wanted = torch.as_tensor(wanted, dtype=torch.float64).flatten()
    torch.testing.assert_close(
        torch.tensor(found, dtype=torch.float64), wanted, rtol=0, atol=0.501 * 10**-digits
    )


def check_scores(page: Page) -> None:
    """Weights and the mean, after a slider, both buttons, and the head size."""
    values = torch.tensor([1.0, 3, -2, 2])
    scores = torch.tensor([0, 1.5, 0.5, -1])

    def holds(used: torch.Tensor) -> None:
        weights = used.softmax(dim=-1)
        near(numbers(page, "[data-score]"), used, 1)
        near(numbers(page, "[data-weight]"), weights)
        near(numbers(page, "[data-mean] span"), weights @ values)
        bars = page.locator("[data-bar]").evaluate_all(
            "bars => bars.map(b => b.offsetWidth / b.parentElement.offsetWidth)"
        )
        torch.testing.assert_close(
            torch.tensor(bars, dtype=torch.float32), weights, rtol=0, atol=0.02
        )
        assert say(page).startswith("mean = ")
        assert f"The largest weight is {weights.max():.2f}." in say(page)

    holds(scores)
    page.locator("[name=score]").nth(3).fill("-0.3")
    scores[3] = -0.3
    holds(scores)
    do(page, "add")
    holds(scores + 1)
    do(page, "double")
    holds(2 * (scores + 1))
    if not page.locator("[name=hs]").count():
        return
    put(page, hs=6)  # 64
    holds(2 * (scores + 1))
    put(page, scale=False)
    holds(2 * (scores + 1) * 8)
    assert "head size 64 are 8.0 times as large" in say(page)
    assert page.locator("[data-do=double]").is_disabled()  # a score would leave the slider


def check_norm_table(page: Page) -> None:
    """Both norms against PyTorch's, training and evaluating, and the edges of both tables."""
    x = torch.tensor(
        [[2, 0, 1, -1], [4, 2, 3, 1], [0, -2, 5, 1], [3, 1, -1, -3]], dtype=torch.float64
    )
    batch_norm = torch.nn.BatchNorm1d(4, dtype=torch.float64)
    layer_norm = torch.nn.LayerNorm(4, dtype=torch.float64)

    def holds(out: torch.Tensor) -> None:
        near(numbers(page, "[data-out]"), out)
        for name, table in (("in", x), ("out", out)):
            for of, dim in (("row", 1), ("column", 0)):
                near(numbers(page, f"[data-{name}-{of}-mean]"), table.mean(dim))
                near(numbers(page, f"[data-{name}-{of}-sd]"), table.std(dim, correction=0))
        near(numbers(page, "[data-kept]"), batch_norm.running_mean)
        near(numbers(page, "[data-spread]"), batch_norm.running_var)

    with torch.no_grad():
        holds(layer_norm(x))
        page.locator("[name=cell]").nth(6).fill("-7,5")  # row 1, channel 2
        x[1, 2] = -7.5
        holds(layer_norm(x))
        assert "Row 1 has mean \N{MINUS SIGN}0.13" in say(page)
        put(page, gain=2.5, bias=-0.4)
        holds(layer_norm(x) * 2.5 - 0.4)
        put(page, mode="eval")
        holds(layer_norm(x) * 2.5 - 0.4)
        assert page.locator("[data-do=pass]").is_disabled()
        put(page, dim="0", mode="train", gain=1, bias=0)
        statistics = torch.nn.BatchNorm1d(4, dtype=torch.float64, track_running_stats=False)
        holds(statistics(x))
        for _ in range(3):
            do(page, "pass")
            batch_norm(x)
        holds(statistics(x))
        put(page, mode="eval")
        holds(batch_norm.eval()(x))
        assert "running statistics" in say(page)


def test_a_wrong_number_gets_a_word_and_loses_nothing(visit):
    """The reader's text stays, the table goes on with what was right, and then takes what is."""
    with visit("norm-table.html") as page:
        cell, warning = page.locator("[name=cell]").nth(1), page.locator(".toy-warn")
        before = numbers(page, "[data-out]")
        for text, word in (
            ("", "Row 0, channel 1 is empty; 0 still counts."),
            ("two", "Row 0, channel 1 is no number; 0 still counts."),
            ("1e9", "Row 0, channel 1 is not from \N{MINUS SIGN}999 to 999; 0 still counts."),
            ("<b>", "Row 0, channel 1 is no number; 0 still counts."),
        ):
            cell.fill(text)
            expect(warning).to_have_text(word)
            assert cell.input_value() == text
            assert cell.get_attribute("aria-invalid") == "true"
            assert numbers(page, "[data-out]") == before
        cell.fill("\N{MINUS SIGN}2")
        expect(warning).to_have_text("")
        assert cell.get_attribute("aria-invalid") == "false"
        assert numbers(page, "[data-out]") != before


def check_temperature(page: Page) -> None:
    """Bars, entropy and odds at five temperatures, from the count table's numbers."""
    text = shakespeare()
    table = CountTable(text.train, 2, len(text.tokenizer.vocabulary))
    logits = table.probabilities(text.tokenizer.encode("th")).log()
    for T in (1.0, 0.2, 0.5, 1.7, 3.0):
        put(page, T=T)
        shares = (logits / T).softmax(dim=-1).sort(descending=True).values
        near(numbers(page, "[data-percent]"), 100 * shares[:10], 0)
        entropy = -(shares * shares.log()).sum().item()
        assert f"At temperature {T} the entropy is {entropy:.2f} nats" in say(page)
        assert f"a die with {math.exp(entropy):.1f} faces" in say(page)
        assert say(page).endswith(f"one time in {1 / shares[0]:.1f}.")
        height = page.locator("[data-column]").first.evaluate(
            "bar => bar.offsetHeight / bar.parentElement.clientHeight"
        )
        assert abs(height - shares[0].item()) < 0.02


def check_mask(page: Page) -> None:
    """What is kept is divided by 1 - p, rows sum to what they show, about p of all are dropped."""
    given = page.locator("bard-toy").evaluate("toy => JSON.parse(toy.dataset.given)")
    weights = torch.tensor([one for row in given["weights"] for one in row])
    rows = torch.tensor([t for t, row in enumerate(given["weights"]) for _ in row])
    seen = []

    def holds(p: float) -> torch.Tensor:
        found = torch.tensor(numbers(page, "[data-weight]"))
        kept = found > 0
        near(found.tolist(), torch.where(kept, weights / (1 - p), 0))
        sums = torch.zeros(6).index_add(0, rows, torch.where(kept, weights / (1 - p), 0))
        near(numbers(page, "[data-sum]"), sums)
        assert say(page).startswith(f"{21 - kept.sum()} of 21 weights are 0.")
        assert f"= {1 / (1 - p):.2f}." in say(page)
        return kept

    holds(0.2)
    for _ in range(30):
        do(page, "new")
        seen.append(holds(0.2))
    assert len({tuple(kept.tolist()) for kept in seen}) > 25
    assert 0.13 < 1 - torch.stack(seen).double().mean() < 0.27  # 630 draws: 4 standard errors
    put(page, p=0.6)
    more = holds(0.6)
    assert (more <= seen[-1]).all()  # the same draws: what was dropped stays dropped
    put(page, p=0)
    assert holds(0).all()


def check_masks(page: Page) -> None:
    """The mean over so many masks, and how far it is from the prediction without them."""
    given = page.locator("bard-toy").evaluate("toy => JSON.parse(toy.dataset.given)")
    under, without = torch.tensor(given["under"]) / 1000, torch.tensor(given["without"])
    assert under.shape == (64, 10)
    assert (0.2 < under.sum(1)).all()
    for place, many in enumerate((1, 4, 16, 64)):
        put(page, many=place)
        mean = under[:many].mean(0)
        near(numbers(page, "[data-percent]"), 100 * mean, 0)
        assert f"At most {100 * (mean - without).abs().max():.0f} per cent lie" in say(page)
    assert page.locator("[data-do=other]").is_disabled()
    put(page, many=1)
    do(page, "other")
    near(numbers(page, "[data-percent]"), 100 * under[4:8].mean(0), 0)


def check_stack(page: Page) -> None:
    """Sizes in every layer against PyTorch's own, with autograd's gradients, in ten settings."""
    settings = [(8, True, 1.0, start) for start in STARTS]
    settings += [(8, False, 1.0, start) for start in ("default", "xavier")]
    settings += [(24, True, 2.0, "default"), (1, True, 0.1, "xavier"), (16, False, 0.5, "zero")]
    for depth, adds, scale, start in settings:
        put(page, depth=depth, adds=adds, scale=scale, start=start)
        found = page.locator("[data-curve]").evaluate_all(
            "lines => lines.map(line => line.dataset.sizes.split(' ').map(Number))"
        )
        wanted = sizes(depth, adds=adds, scale=scale, start=start)
        torch.testing.assert_close(
            torch.tensor(found, dtype=torch.float64), torch.tensor(wanted, dtype=torch.float64)
        )
        for line, sizes_ in zip(page.locator("[data-curve]").all(), wanted, strict=True):
            points = [point.split(",") for point in line.get_attribute("points").split()]
            heights = torch.tensor([float(y) for _, y in points])
            logs = torch.tensor(sizes_).clamp(min=1e-30).log10().clamp(-16, 8)
            torch.testing.assert_close(heights, 100 * (8 - logs) / 24, rtol=0, atol=0.01)


def check_norm_place(page: Page) -> None:
    """The drawing, the marked row and the sentence are of one place."""
    seen = set()
    for place, formula in (
        ("after", "norm(x + f(x))"),
        ("nowhere", "x + f(x)"),
        ("before", "x + f(norm(x))"),
    ):
        page.locator(f"[name=place][value={place}]").check()
        assert f": {formula}." in say(page)
        row = page.locator("tr[aria-current=true]")
        assert row.locator("code").text_content() == f"x = {formula}"
        norm = page.locator("[data-norm]")
        assert norm.is_visible() == (place != "nowhere")
        seen.add(norm.evaluate("norm => getComputedStyle(norm).transform"))
    assert len(seen) >= 2
    page.locator("[value=before]").press("ArrowUp")
    assert ": norm(x + f(x))." in say(page)


CHECKS = {
    "stack": check_stack,
    "norm-place": check_norm_place,
    "mask": check_mask,
    "masks": check_masks,
    "temperature": check_temperature,
    "norm-table": check_norm_table,
    "scores": check_scores,
}


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_pythons(open_toy, name):
    with open_toy(name) as page:
        CHECKS[name](page)


@pytest.mark.parametrize("name", NAMES)
def test_waking_changes_no_word_and_the_start_comes_back(visit, address, name):
    """What the script shows first is what stands there without it; so again after a reset."""
    words = """toy => {
      const copy = toy.cloneNode(true);
      for (const part of copy.querySelectorAll("[data-hand], [role=status]")) part.remove();
      return copy.textContent.replace(/\\s+/g, " ");
    }"""
    with visit(f"{name}.html", java_script_enabled=False) as page:
        assert page.locator("[data-hand]:visible").count() == 0
        still = re.sub(r"\s+", " ", page.locator("bard-toy form").inner_html())
    with visit(f"{name}.html") as page:
        element = page.locator("bard-toy")
        awake = element.evaluate(words)
        page.evaluate(
            "html => { document.body.insertAdjacentHTML('beforeend', html) }",
            f'<div id="still">{still}</div>',
        )
        assert page.locator("#still").evaluate(words).strip() == awake.strip()
        page.evaluate("document.getElementById('still').remove()")
        for control in element.locator("input[type=range]").all():
            control.press("ArrowRight")
        for control in element.locator("input[type=checkbox]").all():
            control.click()
        element.evaluate("toy => toy.querySelector('form').reset()")
        expect(element.locator(".toy-says").first).to_be_visible()
        page.wait_for_timeout(50)  # a reset is heeded after the form has done it
        assert element.evaluate(words) == awake
        page.wait_for_timeout(700)
        assert element.locator(".visually-hidden[role=status]").text_content() == say(page)


@pytest.mark.parametrize("name", ["all.html", "dark.html"])
def test_no_barriers_and_nothing_moves_or_sticks_out(visit, name):
    """Axe, layout shift while the page comes, the width of a phone, and room for a finger."""
    axe = (LIVE / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
    for size in (WIDE, NARROW):
        with visit(name, size=size, motion="no-preference") as page:
            expect(page.locator("bard-toy button[type=reset]").first).to_be_visible()
            assert page.evaluate("window.shifts") == []
            assert page.evaluate("document.scrollingElement.scrollWidth") <= size["width"]
            low = page.locator("bard-toy :is(button, select, input[type=range], label)")
            heights = low.evaluate_all("all => all.map(one => one.offsetHeight)")
            assert min(heights) >= 44
            page.evaluate(f"(() => {{ {axe} }})()")
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []


@pytest.mark.parametrize("name", NAMES)
def test_room_is_kept_for_what_the_script_brings(visit, name):
    """A toy is as high before the script as after it: a slow line moves nothing."""
    height = "document.querySelector('bard-toy').offsetHeight"
    for size in (WIDE, NARROW):
        with visit(f"{name}.html", size=size) as page:
            after = page.evaluate(height)
            page.route("**/elements.js", lambda route: route.fulfill(body=""))
            page.reload()
            assert page.evaluate(height) == after, size


@pytest.mark.parametrize("name", NAMES)
def test_keyboard_reaches_every_control_and_leaves(visit, name):
    with visit(f"{name}.html") as page:
        all_of = page.locator("bard-toy :is(input, select, button, [tabindex]):enabled:visible")
        groups = page.locator("bard-toy input[type=radio]").count()
        count = all_of.count() - max(0, groups - 1)  # arrows move within a group
        inside = "document.activeElement.closest('bard-toy') !== null"
        for _ in range(count):
            page.keyboard.press("Tab")
            assert page.evaluate(inside)
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none"
        page.keyboard.press("Tab")
        assert not page.evaluate(inside)


@pytest.mark.parametrize("how", ["without scripts", "on paper"])
def test_still_picture_stands(visit, how):
    with visit("all.html", java_script_enabled=how != "without scripts") as page:
        page.emulate_media(media="print" if how == "on paper" else "screen")
        expect(page.locator("bard-toy .toy-says:visible").first).to_be_visible()
        expect(page.locator("bard-toy :is(input, select, button):visible")).to_have_count(0)


def test_a_label_is_of_one_control(visit):
    """A second part that can have a label, such as an `output`, would take it from the slider."""
    with visit("all.html") as page:
        labels = page.locator("bard-toy label")
        assert labels.count() > 10
        of = labels.evaluate_all(
            "all => all.map(one => [one.control?.tagName,"
            " one.querySelectorAll('input, select, output, button').length])"
        )
        assert {tuple(one) for one in of} == {("INPUT", 1), ("SELECT", 1)}


def test_scores_alone_know_of_no_head_size(visit):
    with visit("four.html") as page:
        check_scores(page)
        assert page.locator("bard-toy input:not([name=score])").count() == 0
        assert "head size" not in page.locator("bard-toy").inner_text()


@pytest.mark.parametrize("name", NAMES)
def test_who_comes_back_finds_picture_and_controls_as_one(visit, name):
    """A browser puts the controls back where they were left, and tells no script of it."""
    with visit(f"{name}.html") as page:
        element = page.locator("bard-toy")
        for control in element.locator("input[type=range]").all():
            control.press("ArrowRight")
        for control in element.locator("input[type=checkbox]").all():
            control.click()
        if name == "norm-place":
            page.locator("[value=nowhere]").check()
        controls = element.locator(":is(input, select)")
        state = "all => all.map(one => [one.value, one.checked])"
        left, said = controls.evaluate_all(state), say(page)
        page.goto(page.url.replace(name, "four"))
        page.go_back()
        assert controls.evaluate_all(state) == left
        expect(element.locator(".toy-says").first).to_be_visible()
        page.wait_for_function("document.readyState === 'complete'")
        assert say(page) == said


def test_from_the_disk_it_moves_too(visit, folder):
    with visit("scores.html", at=f"{folder.as_uri()}/") as page:
        check_scores(page)


def test_forced_colours_keep_bars(visit):
    with visit("scores.html", forced_colors="active") as page:
        colours = page.locator("[data-bar]").first.evaluate(
            "bar => [bar, bar.parentElement].map(e => getComputedStyle(e).backgroundColor)"
        )
        assert colours[0] != colours[1]
