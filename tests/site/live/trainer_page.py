"""Pages with trainers and a sweep, without the rest of the book."""

import hashlib
import json
from collections.abc import Callable
from contextlib import AbstractContextManager

from element_page import Pages
from engine_page import LIVE
from playwright.sync_api import Locator, Page

from bardgpt.teaching import live

PREFIX = "trainer-"  # of the pages' names: other elements have pages beside them
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
FEW = 20  # steps of a short run
MEASURED = 16_000  # characters of the validation text
Visit = Callable[..., AbstractContextManager[Page]]
# Long tasks; what the status has said; what the worker was asked.
WATCH = """
window.longs = []; window.said = []; window.asked = [];
new PerformanceObserver((entries) => {
  for (const { duration } of entries.getEntries()) window.longs.push(duration);
}).observe({type: "longtask", buffered: true});
new MutationObserver((changes) => {
  for (const { target } of changes) {
    if (target.matches?.("bard-trainer [role=status]")) window.said.push(target.textContent);
  }
}).observe(document, {childList: true, subtree: true});
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message, ...rest) {
  window.asked.push(message);
  return post.call(this, message, ...rest);
};
"""


def write(pages: Pages) -> None:
    """Write the pages, which `watched` opens by their names here."""
    lost = {"wiring": "residual", "blocks": 8, "start": "xavier", "rate": "1"}
    whole, sweep = live.trainer().html(), live.sweep().html()
    trainers = {
        "whole.html": [whole],
        "dark.html": [whole, sweep],
        "short.html": [live.trainer(steps=FEW).html()],
        "spoken.html": [live.trainer("four-heads", steps=210).html()],
        "chapter.html": [live.trainer("four-heads", vary=["feed_forward"]).html()],
        "lost.html": [live.trainer(begin=lost).html()],
        "two.html": [live.trainer(name, steps=100).html() for name in ("four-heads", "one-head")],
        "sweep.html": [sweep],
        **{f"{rung}.html": [live.trainer(rung).html()] for rung in live.trainers.recorded()},
    }
    models = cut(pages)
    for name, elements in trainers.items():
        theme = "dark" if name == "dark.html" else "light"
        pages.write(PREFIX + name, *elements, theme=theme, models=models)


def cut(pages: Pages) -> str:
    """Less text to measure on, so that a run ends soon; return the list of models for it."""
    listed = json.loads(pages.models)
    (piece,) = listed["files"]["validation"]
    content = (pages.folder / "_static/live" / piece["path"]).read_bytes()[:MEASURED]
    piece |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    piece["path"] = "cut.txt"
    (pages.folder / "_static/live" / piece["path"]).write_bytes(content)
    return json.dumps(listed)


def watched(visit: Visit, **given: object) -> Visit:
    """What opens these pages and watches them."""
    return lambda name, *, init="", **options: visit(
        PREFIX + name, init=WATCH + init, **{"motion": "no-preference", **given, **options}
    )


def trainer(page: Page, place: int = 0) -> Locator:
    return page.locator("bard-trainer").nth(place)


def button(element: Locator) -> Locator:
    return element.locator("[data-go]")


def status(element: Locator) -> Locator:
    return element.locator(".live-foot [role=status]")


def put(element: Locator, name: str, value: str) -> None:
    """Set a control, as a reader would."""
    control = element.locator(f"[name={name}]")
    if control.evaluate("control => control.tagName") == "SELECT":
        control.select_option(value)
    else:
        control.fill(value)


def axe() -> str:
    """The script that looks for barriers."""
    return (LIVE / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
