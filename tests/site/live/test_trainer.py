"""The trainer in Chromium: what is trained, what is said of it, and what it survives."""

import json
import re

import pytest
import torch
import trainer_page
from engine_page import LIVE, ROOT
from playwright.sync_api import expect
from trainer_page import FEW, NARROW, WIDE, button, put, status, trainer, watched

from bardgpt import records
from bardgpt.pretrained import load_rung
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching import live

DONE = re.compile(r"steps done: loss \d\.\d{3}\.")
RUN = "document.querySelector('bard-trainer').run"
# The same run by the engine alone.
ALONE = """async ({ model, training }) => {
  const engine = await import(new URL("_static/live/engine.js", location).href);
  await engine.ready();
  const list = JSON.parse(document.getElementById("bard-live").textContent);
  const tokenizer = new engine.Tokenizer(list.vocabulary);
  const read = async (file) => {
    const parts = list.files[file].map(async ({ path }) =>
      (await fetch(new URL(`_static/live/${path}`, location))).text());
    return tokenizer.encode((await Promise.all(parts)).join(""));
  };
  const trainer = new engine.Trainer(model, training, await read("text"));
  const losses = [];
  while (trainer.step < training.steps) losses.push(await trainer.advance());
  const all = new engine.Evaluation(trainer.model, await read("validation"));
  return { losses, end: await all.loss(trainer.state.weights) };
}"""
SHARED = """async () => {
  const engine = await import(new URL("_static/live/engine.js", location).href);
  await engine.ready();
  const ids = Int32Array.from({ length: 57 }, (_, i) => (i * 29) % 65);
  const trainer = new engine.Trainer({}, {}, ids);
  const loss = (ids, share) =>
    new engine.Evaluation(trainer.model, ids, { batch: 2, share }).loss(trainer.state.weights);
  const each = [];
  for (const at of [8, 24, 40]) each.push(await loss(ids.subarray(at, at + 9)));
  return [await loss(ids, { every: 2, from: 1 }), each];
}"""
# What a control is set to, and what changes with it in what the worker is asked to train.
SWITCHES = {
    "wiring": ("post-norm", {"block": "post-norm", "final_norm": False}),
    "blocks": ("5", {"n_layer": 5}),
    "heads": ("8", {"n_head": 8}),
    "feed-forward": ("gelu-2", {"activation": "gelu"}),
    "start": ("xavier", {"initialization": "xavier"}),
    "rate": ("0.01", {"learning_rate": 0.01}),
    "warm-up": ("200", {"warmup": 200}),
    "dropout": ("0.2", {"dropout": 0.2}),
    "seed": ("7", {"seed": 7}),
}
BREAKS = {
    "mask": {"mask": False},
    "scale": {"scale": False},
    "positions": {"positions": False},
    "shift": {"shift": False},
    "queries": {"softmax": "queries"},
}


@pytest.fixture(scope="session", autouse=True)
def _written(pages):
    trainer_page.write(pages)


@pytest.fixture
def visit(visit):
    return watched(visit)


def asked(page):
    """What the worker was last asked to train, model and training as one."""
    given = page.evaluate("window.asked.findLast(({ what }) => what === 'train').given")
    return {**given["model"], **given["training"]}


def train_shortly(page):
    """Begin a run and stop it; return what was asked for."""
    element = trainer(page)
    button(element).click()
    expect(button(element)).to_have_text("Stop")
    page.wait_for_function("window.asked.some(({ what }) => what === 'advance')")
    button(element).click()
    expect(button(element)).to_have_text("Go on")
    page.evaluate("window.asked.splice(0, window.asked.length - 40)")
    return asked(page)


def test_a_run_is_the_engines_own(visit):
    """Each batch's loss, and in the end the loss on all of the validation text."""
    with visit("short.html") as page:
        element = trainer(page)
        expect(button(element)).to_have_text("Train 20 steps (loads 1.0 MB)")
        button(element).click()
        expect(status(element)).to_have_text(DONE)
        found = page.evaluate(RUN)
        given = page.evaluate("window.asked.find(({ what }) => what === 'train').given")
        expected = page.evaluate(ALONE, given)
        assert found["losses"] == pytest.approx(expected["losses"], abs=1e-6)
        assert len(found["losses"]) == FEW
        assert found["end"] == pytest.approx(expected["end"], abs=1e-5)
        cells = element.locator("tbody tr").first.locator("th, td").all_text_contents()
        assert cells[0] == "1"
        assert cells[1].startswith("3 blocks, pre-norm; 4 heads; ReLU, 2 layers; 42,369 ")
        assert cells[2:] == ["20", f"{expected['end']:.3f}"]
        assert re.match(r"ROMEO:(.|\n){160}$", element.locator(".voice").text_content())


def test_who_comes_back_loads_nothing(visit):
    with visit("short.html") as page:
        button(trainer(page)).click()
        expect(status(trainer(page))).to_have_text(DONE)
        page.reload()
        expect(button(trainer(page))).to_have_text("Train 20 steps (loads 1.0 MB)")
        trainer(page).locator("[name=seed]").focus()
        expect(button(trainer(page))).to_have_text("Train 20 steps")


def test_same_seed_same_text_and_earlier_runs_stay(visit):
    with visit("short.html") as page:
        element = trainer(page)
        texts = []
        for seed in ("1", "1", "2"):
            put(element, "seed", seed)
            button(element).click()
            expect(status(element)).to_have_text(DONE)
            texts.append(element.locator(".voice").text_content())
        assert texts[0] == texts[1] != texts[2]
        names = element.locator("tbody th").all_text_contents()
        assert names == ["3", "2", "1", "\N{EN DASH}"]
        expect(element.locator(".live-curves g.before")).to_have_count(2)
        expect(element.locator(".live-curves g.now")).to_have_count(1)


@pytest.mark.parametrize("name", live.trainers.recorded())
def test_begins_with_the_recorded_model(visit, name):
    with visit(f"{name}.html") as page:
        found = train_shortly(page)
        record = records.load(name)
        kept = json.loads(record.model.to_json()) | json.loads(record.training.to_json())
        same = {key: kept[key] for key in found.keys() & kept.keys() - {"steps", "seed"}}
        if kept["feed_forward"] == "none":
            del same["activation"]  # of nothing
        assert {key: found[key] for key in same} == same
        assert {"n_layer", "n_head", "projection", "block", "feed_forward"} <= same.keys()
        assert (found["mask"], found["scale"], found["shift"]) == (True, True, True)
        expect(trainer(page).locator(".trainer-still")).to_have_text(
            re.compile("^Grey: five recorded runs of")
        )


def test_each_switch_changes_what_is_trained_and_nothing_else(visit):
    with visit("whole.html") as page:
        element = trainer(page)
        usual = train_shortly(page)
        changes = [(name, *change) for name, change in SWITCHES.items()]
        changes += [("break", name, change) for name, change in BREAKS.items()]
        for name, value, change in changes:
            before = element.locator(f"[name={name}]").input_value()
            put(element, name, value)
            expect(button(element)).to_have_text("Train 1,000 steps")
            found = train_shortly(page)
            assert found == {**usual, **change} != usual, name
            put(element, name, before)


def test_stops_at_once_and_goes_on(visit):
    with visit("whole.html") as page:
        element = trainer(page)
        button(element).click()
        page.wait_for_function(f"{RUN}?.step > 0")
        expect(element.locator("[name=blocks]")).to_be_disabled()
        button(element).click()
        expect(button(element)).to_have_text("Go on")
        said = status(element).text_content()
        assert re.fullmatch(r"Stopped after \d+ steps?\.", said)
        # The worker writes first: what would go on shows after that.
        expect(element.locator(".tag")).to_have_text(re.compile(r"Run 1 after \d+ steps"))
        stopped = page.evaluate(f"{RUN}.step")
        page.wait_for_timeout(1500)
        assert page.evaluate(f"{RUN}.step") == stopped < 1000
        button(element).click()
        page.wait_for_function(f"{RUN}.step > {stopped}")
        assert page.evaluate(f"{RUN}.losses.length === {RUN}.step || {RUN}.name === 1")
        page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
        expect(button(element)).to_have_text("Go on")
        expect(status(element)).to_have_text(re.compile(r"Stopped after \d+ steps?\."))
        put(element, "blocks", "4")
        expect(button(element)).to_have_text("Train 1,000 steps")
        expect(status(element)).to_have_text(re.compile("Set as before, run 1 goes on"))
        put(element, "blocks", "3")
        expect(button(element)).to_have_text("Go on")


@pytest.mark.parametrize("word", ["Measuring", "Writing"])
def test_stopped_after_its_last_step_it_goes_on_to_the_end(visit, word):
    """No run is begun anew, and nothing that was measured is measured again."""
    with visit("short.html") as page:
        element = trainer(page)
        page.evaluate(
            """word => {
              const go = document.querySelector("bard-trainer [data-go]");
              const status = document.querySelector("bard-trainer .live-foot [role=status]");
              new MutationObserver((_, observer) => {
                if (!status.textContent.startsWith(word)) return;
                observer.disconnect();
                go.click();
              }).observe(status, {childList: true});
              go.click();
            }""",
            word,
        )
        expect(status(element)).to_have_text(f"Stopped after {FEW} steps.")
        expect(button(element)).to_have_text("Go on")
        button(element).click()
        expect(status(element)).to_have_text(DONE)
        expect(button(element)).to_have_text(re.compile("Train"))
        expect(element.locator("tbody tr")).to_have_count(2)  # the run and the recorded ones
        counts = "what => window.asked.filter((one) => one.what === what).length"
        assert page.evaluate(counts, "train") == 1
        steps = page.evaluate(f"{RUN}.points.map(([step]) => step)")
        assert steps == [0, FEW]


def test_enter_in_a_field_trains_what_the_field_then_shows(visit):
    """And another Enter stops it: the field cannot be written in meanwhile."""
    with visit("whole.html") as page:
        seed = trainer(page).locator("[name=seed]")
        for value, shown in (("-3", "0"), ("", "1"), ("2.7", "2")):
            seed.fill(value)
            page.keyboard.press("Tab")
            expect(seed).to_have_value(shown)
        seed.fill("7")
        page.keyboard.press("Enter")
        expect(button(trainer(page))).to_be_focused()
        page.wait_for_function(f"{RUN}?.step > 0")
        page.keyboard.press("Enter")
        expect(button(trainer(page))).to_have_text("Go on")
        assert asked(page)["seed"] == 7


def test_a_lost_run_says_so(visit):
    with visit("lost.html") as page:
        element = trainer(page)
        button(element).click()
        expect(status(element)).to_have_text(
            re.compile(r"Lost at step \d+: the loss is no number any more\.")
        )
        expect(element.locator("tbody tr").first.locator("td").last).to_have_text("lost")
        expect(button(element)).to_have_text("Train 1,000 steps")
        losses = page.evaluate(f"{RUN}.losses.map(Number.isFinite)")
        assert losses == [True] * (len(losses) - 1) + [False]  # it ends there
        assert "NaN" not in element.locator(".live-curves").inner_html()
        put(element, "rate", "0.001")
        assert train_shortly(page)["learning_rate"] == 0.001


def test_what_a_break_hides_is_folded_until_the_end(visit):
    with visit("short.html#trainer.break=mask") as page:
        element = trainer(page)
        verdict = element.locator(".trainer-verdict")
        expect(verdict.locator("summary")).to_be_hidden()
        button(element).click()
        expect(button(element)).to_have_text("Stop")
        expect(verdict.locator("summary")).to_be_hidden()
        expect(status(element)).to_have_text(DONE)
        expect(verdict.locator("summary")).to_be_visible()
        expect(verdict.locator("p")).to_be_hidden()
        verdict.locator("summary").click()
        expect(verdict.locator("p")).to_have_text(live.trainers.BREAKS["mask"])


def test_settings_stand_in_the_address(visit):
    """Of an address it takes what it understands; a change stands in it."""
    link = "#trainer.blocks=5&trainer.wiring=nonsense&trainer.warm-up=200&trainer.seed=x&y=1"
    with visit(f"whole.html{link}") as page:
        element = trainer(page)
        values = {
            name: element.locator(f"[name={name}]").input_value()
            for name in ("blocks", "wiring", "warm-up", "seed")
        }
        assert values == {"blocks": "5", "wiring": "pre-norm", "warm-up": "200", "seed": "1"}
        put(element, "rate", "0.01")
        page.wait_for_function("location.hash.includes('trainer.rate=0.01')")
        assert "trainer.blocks=5" in page.url
        assert "wiring" not in page.url


def test_two_take_turns(visit):
    with visit("two.html") as page:
        one, two = trainer(page), trainer(page, 1)
        button(one).click()
        button(two).click()
        for element in (one, two):
            expect(status(element)).to_have_text(DONE)
        turns = page.evaluate(
            "window.asked.filter(({ what }) => what === 'advance').map(({ given }) => given.number)"
        )
        assert len(set(turns)) == 2
        changes = sum(a != b for a, b in zip(turns, turns[1:], strict=False))
        assert changes >= 3


def test_page_stays_awake_and_the_loss_is_read_out_now_and_then(visit):
    """Tasks of the page are short, with a margin for a busy machine; nothing moves."""
    with visit("spoken.html") as page:
        element = trainer(page)
        page.evaluate("window.longs.length = window.shifts.length = window.said.length = 0")
        button(element).click()
        expect(status(element)).to_have_text(DONE)
        said = page.evaluate("window.said")
        kinds = [re.sub(r"\d+\.\d+", "…", words) for words in said]
        assert kinds == [
            "Loading the text.",
            "Training…",
            "Step 200 of 210, loss of the last batch ….",
            "Measuring on the whole validation text…",
            "Writing…",
            "210 steps done: loss ….",
        ]
        longs = page.evaluate("window.longs")
        assert len(longs) < 20
        assert max(longs, default=0) < 250
        assert page.evaluate("window.shifts") == []


@pytest.mark.parametrize("name", ["whole.html", "chapter.html", "dark.html"])
def test_no_barriers_and_nothing_moves_or_sticks_out(visit, name):
    for size in (WIDE, NARROW):
        with visit(name, size=size) as page:
            expect(button(trainer(page))).to_be_visible()
            assert page.evaluate("window.shifts") == []
            assert page.evaluate("document.scrollingElement.scrollWidth") <= size["width"]
            page.evaluate(f"(() => {{ {trainer_page.axe()} }})()")
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []


def test_room_is_kept_for_what_the_script_brings(visit):
    for name in ("whole.html", "chapter.html", "sweep.html"):
        kind = "bard-sweep" if name == "sweep.html" else "bard-trainer"
        height = f"Math.round(document.querySelector('{kind}').offsetHeight)"
        for size in (WIDE, NARROW):
            with visit(name, size=size) as page:
                expect(page.locator(f"{kind} .copy")).to_be_visible()
                after = page.evaluate(height)
                page.route("**/elements.js", lambda route: route.fulfill(body=""))
                page.reload()
                assert page.evaluate(height) == pytest.approx(after, abs=1), (name, size)


def test_only_what_a_chapter_varies_is_shown(visit):
    with visit("chapter.html") as page:
        names = trainer(page).locator("form [name]").evaluate_all("all => all.map((c) => c.name)")
        assert names == ["feed-forward"]
        put(trainer(page), "feed-forward", "relu-1")
        expect(trainer(page).locator(".trainer-still")).to_have_text(
            "Grey: five recorded runs of 1 block, plain; 4 heads; ReLU, 1 layer, "
            "measured at the dots."
        )


def test_keyboard_alone(visit):
    with visit("whole.html") as page:
        element = trainer(page)
        element.locator("[name=wiring]").focus()
        names = []
        for _ in range(13):
            page.keyboard.press("Tab")
            names.append(
                page.evaluate(
                    "document.activeElement.name || document.activeElement.className"
                    " || document.activeElement.tagName"
                )
            )
        assert names[:9] == [name for name in live.trainers.CONTROLS if name != "wiring"]
        assert names[9:] == ["button primary", "voice", "trainer-runs", "copy"]
        element.locator("[name=seed]").press("Enter")
        expect(button(element)).to_have_text("Stop")


def test_without_webassembly_it_says_so(visit):
    with visit("whole.html", init="delete window.WebAssembly;") as page:
        element = trainer(page)
        button(element).click()
        expect(status(element)).to_have_text("It did not work: this browser has no WebAssembly.")
        expect(element.locator(".live-curves .area")).to_have_count(1)


@pytest.mark.parametrize("how", ["without scripts", "on paper"])
def test_still_picture_stands(visit, how):
    with visit("whole.html", java_script_enabled=how != "without scripts") as page:
        page.emulate_media(media="print" if how == "on paper" else "screen")
        expect(trainer(page).locator("form:visible, .live-foot:visible")).to_have_count(0)
        expect(trainer(page).locator("svg:visible").first).to_be_visible()


def test_from_the_disk_it_says_what_to_do(visit, pages):
    with visit("whole.html", at=f"{pages.folder.as_uri()}/") as page:
        expect(status(trainer(page))).to_have_text("To move this, serve the book: make serve")
        expect(trainer(page).locator(".bard-plot:visible")).to_have_count(1)


def test_a_share_of_the_windows(visit):
    with visit("short.html") as page:
        shared, each = page.evaluate(SHARED)
        assert shared == pytest.approx(sum(each) / 3, abs=1e-6)


def test_curve_is_drawn_from_windows_like_all_others():
    """The recorded models lose on them what they lose on all, within 0.01 nats."""
    source = (LIVE / "worker/runs.js").read_text(encoding="utf-8")
    every, first = map(int, re.search(r"every: (\d+), from: (\d+)", source).groups())
    ids = torch.as_tensor(shakespeare().validation).long()
    T = 8
    n = (len(ids) - 1) // T
    for name in ("four-heads", "pre-norm"):
        model, _ = load_rung(name)
        with torch.no_grad():
            windows, targets = ids[: n * T].view(n, T), ids[1 : n * T + 1].view(n, T)
            logits = model(windows).transpose(1, 2)
            losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none").mean(1)
        some = losses[first::every]
        assert abs(some.mean() - losses.mean()) < 0.01
        assert f"{len(some):,} windows" in (ROOT / "book/workshop.md").read_text(encoding="utf-8")
