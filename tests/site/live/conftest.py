"""The engine of the pages in Chromium, for the tests that hold it against the package."""

import shutil
import threading
from functools import partial
from http.server import ThreadingHTTPServer

import pytest
from engine_page import LIVE, Engine, Quiet, build_engine
from playwright.sync_api import sync_playwright

from bardgpt import corpus, pretrained

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 300_000  # milliseconds: a busy machine is no fault of the engine


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """A folder with the built modules, and its address."""
    folder = tmp_path_factory.mktemp("live")
    build_engine(LIVE, folder)
    (folder / "index.html").write_text(
        '<!doctype html><title>engine</title><link rel="icon" href="data:,">', encoding="utf-8"
    )
    handler = partial(Quiet, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    assert found, "no Chromium: apt-get install chromium"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def engine_in(browser, served):
    """What loads the engine from a part of the served folder: "" for the one that is right."""
    folder, address = served
    pages = []

    def engine_in(part: str) -> Engine:
        page = browser.new_page()
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
