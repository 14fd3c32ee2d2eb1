"""One Chromium and one small server for whatever is opened in a browser."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 300_000  # milliseconds: a busy machine is no fault of the page
# Elements beyond the right edge of a page that scrolls sideways.
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 120));
}"""
# Text that its box cuts off: wider than the box, which does not scroll.
CUT_OFF = """() => [...document.querySelectorAll(
    ":is(article, main) :is(h1, h2, h3, p, li, th, td, label)")]
  .filter((element) => element.checkVisibility() && element.clientWidth > 0 &&
    !element.matches(".visually-hidden") &&
    ["hidden", "clip"].includes(getComputedStyle(element).overflowX) &&
    element.scrollWidth > element.clientWidth + 1)
  .map((element) => element.textContent.slice(0, 80))"""


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder without a word; below `under`, and nothing beside it."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *given, under: str, **options) -> None:
        self.under = under
        super().__init__(*given, **options)

    def send_head(self):
        if not self.path.startswith(self.under):
            self.send_error(404)
            return None
        self.path = "/" + self.path.removeprefix(self.under)
        return super().send_head()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def serving():
    """`serving(folder, under)`: for as long as it is entered, the address of a served folder."""

    @contextmanager
    def serving(folder: Path, under: str = "/") -> Iterator[str]:
        handler = partial(Quiet, directory=str(folder), under=under)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{under}"
        server.shutdown()
        server.server_close()

    return serving


@pytest.fixture(scope="session")
def chromium():
    """The browser: one for all, since Playwright can be started once in a process."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    assert found, "no Chromium: apt-get install chromium"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, timeout=PATIENCE)
        yield browser
        browser.close()


@pytest.fixture
def too_large():
    """`too_large(page)`: what its window is too small for, beyond its edge or cut off by a box."""
    return lambda page: page.evaluate(TOO_WIDE) + page.evaluate(CUT_OFF)
