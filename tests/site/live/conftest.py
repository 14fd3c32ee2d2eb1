"""The engine of the pages in Chromium, for the tests that hold it against the package."""

import shutil

import pytest
from engine_page import LIVE, Engine, build_engine

from bardgpt import corpus, pretrained

PATIENCE = 300_000  # milliseconds: a busy machine is no fault of the engine


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
