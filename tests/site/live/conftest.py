"""The engine in Chromium, for what holds it against the package; and pages with elements."""

import shutil
from contextlib import contextmanager

import pytest
from element_page import Pages
from engine_page import LIVE, Engine, build_engine
from playwright.sync_api import expect

from bardgpt import corpus, pretrained

PATIENCE = 300_000  # milliseconds: a busy machine is no fault of the engine
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifts.push(entry.value);
}).observe({type: "layout-shift", buffered: true});
"""


@pytest.fixture(scope="session")
def served(tmp_path_factory, serving):
    """A folder with the built modules, and its address."""
    folder = tmp_path_factory.mktemp("live")
    build_engine(LIVE, folder)
    (folder / "index.html").write_text(
        '<!doctype html><title>engine</title><link rel="icon" href="data:,">', encoding="utf-8"
    )
    with serving(folder) as address:
        yield folder, address


@pytest.fixture
def engine_in(chromium, served):
    """What loads the engine from a part of the served folder: "" for the one that is right."""
    folder, address = served
    pages = []

    def engine_in(part: str) -> Engine:
        page = chromium.new_page()
        pages.append(page)
        page.set_default_timeout(PATIENCE)
        page.goto(f"{address}index.html")
        return Engine(page, f"{address}{part}", folder / part)

    yield engine_in
    for page in pages:
        page.close()


@pytest.fixture
def engine(engine_in):
    return engine_in("")


@pytest.fixture
def text(served):
    """The address of the text."""
    folder, address = served
    (folder / "text.txt").write_text(corpus.load(), encoding="utf-8", newline="")
    return f"{address}text.txt"


@pytest.fixture
def full(served):
    """The address of the recorded model's weights, in 8 bits."""
    folder, address = served
    shutil.copy(pretrained.RECORD / pretrained.WEIGHTS, folder / "full.safetensors")
    return f"{address}full.safetensors"


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    """What pages of elements load; each module writes its own beside it."""
    return Pages(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="session")
def address(pages, serving):
    with serving(pages.folder, "/bardgpt/") as address:
        yield address


@pytest.fixture
def visiting(chromium):
    """`visiting(address)` opens pages there; an error in one fails the test at its end.

    Less motion, which is the default, writes in larger steps.
    """
    expect.set_options(timeout=PATIENCE)

    def visiting(address):
        @contextmanager
        def visit(
            name, *, size=None, at=None, init="", motion="reduce", patience=PATIENCE, **options
        ):
            size = size or {"width": 1280, "height": 800}
            context = chromium.new_context(viewport=size, reduced_motion=motion, **options)
            context.set_default_timeout(patience)
            context.add_init_script(SHIFTS + init)
            errors = []
            context.on("weberror", lambda error: errors.append(str(error.error)))
            page = context.new_page()
            page.asked = []
            page.on(
                "request", lambda r: page.asked.append(r.url.rpartition("/")[2].partition("?")[0])
            )
            page.goto((at or address) + name, wait_until="load")
            yield page
            context.close()
            assert errors == []

        return visit

    return visiting


@pytest.fixture
def visit(visiting, address):
    return visiting(address)
