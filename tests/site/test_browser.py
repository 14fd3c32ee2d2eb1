"""The built website in Chromium: wide and narrow, light and dark, by mouse and by keyboard.

It is served under a sub-path, as GitHub's pages are, and opened from the disk as well. Needs
`make book`, Chromium, and the packages of book/_live; `make test-site` says what is missing.
"""

import json
import subprocess
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import playwright
import pytest
from built import ADDRESS, CHAPTERS, HAS_COLAB, PAGES, ROOT, SITE, UNDER, page_of
from playwright.sync_api import expect

from bardgpt.teaching.palette import HUES

HERE = Path(__file__).parent
PACKAGES = ROOT / "book/_live/node_modules"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
PATIENCE = 120_000  # milliseconds: a busy machine is no fault of the page
TEXTS = [page for page in PAGES if page != SITE / "index.html"]  # which leads to the first one
RESIDUAL = next(path for path in CHAPTERS if "residual" in path.stem)

# What axe finds in the theme's own markup, by rule: a mark of that markup, and why it may stand.
THEMES_OWN = {
    # The book's name in the sidebar lies beside the navigation, not in it; the link is reachable.
    "region": ("navbar-brand",),
    # "Search" and "Color mode" are the names of two buttons whose content also has a keyboard
    # shortcut, and three icons of which one is shown.
    "label-content-name-mismatch": ("search-button-field", "theme-switch-button"),
}

# What moves in the text; the theme's menus move while one scrolls.
RECORD_SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const nodes = entry.sources.map((source) => source.node?.parentElement && source.node);
    const moved = nodes.filter((node) => node?.parentElement.closest("article"));
    if (moved.length) window.shifts.push([entry.value, moved.map((node) => node.textContent)]);
  }
}).observe({type: "layout-shift", buffered: true});
"""
# Formulas set, and every figure fetched: those below the window come when it gets near.
LOOK_THROUGH = """async () => {
  await window.MathJax?.startup?.promise;
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight) {
    scrollTo({top: y, behavior: "instant"});
    await frame();
    await frame();
  }
  await Promise.all([...document.images].map((image) => image.decode().catch(() => null)));
  scrollTo({top: 0, behavior: "instant"});
  await frame();
}"""
TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("main *")]
    .filter((element) => element.getBoundingClientRect().right > width)
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 120));
}"""
# Letters of pictures that are lower than 11 pixels as they are shown.
SMALL_LETTERS = """() => [...document.querySelectorAll("article svg[role=img] text")]
  .map((text) => {
    const svg = text.ownerSVGElement;
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    return [parseFloat(getComputedStyle(text).fontSize) * scale, text.textContent];
  })
  .filter(([size]) => size > 0 && size < 11)"""
# Letters that their picture's edge cuts through.
CUT_LETTERS = """() => [...document.querySelectorAll("article svg")]
  .filter((svg) => svg.checkVisibility() && getComputedStyle(svg).overflow !== "visible")
  .flatMap((svg) => {
    const edge = svg.getBoundingClientRect();
    return [...svg.querySelectorAll("text")].filter((text) => {
      const box = text.getBoundingClientRect();
      return box.width && text.checkVisibility() &&
        (box.left < edge.left - 1 || box.top < edge.top - 1 ||
          box.right > edge.right + 1 || box.bottom > edge.bottom + 1);
    });
  })
  .map((text) => text.textContent)"""
# Of the two drawings of a picture, how many are shown: the wide ones, the narrow ones. (A trainer's
# curve is drawn anew for its width.)
FIGURES = "article .bard-figure:not(bard-trainer *)"
DRAWINGS = f"""() => [...document.querySelectorAll("{FIGURES}")].map((figure) =>
  [".bard-wide", ".bard-narrow"].map((kind) => figure.querySelector(kind).checkVisibility()))"""
FOCUSED = """() => {
  const element = document.activeElement;
  return `${element.tagName} ${element.className} ${element.getAttribute("href") || ""}`;
}"""


@pytest.fixture(scope="session")
def served(serving):
    with serving(SITE, UNDER) as address:
        yield address


@pytest.fixture
def visit(chromium):
    """Open pages; whatever the browser has to complain about fails the test at its end."""

    @contextmanager
    def visit(address: str, *, size=WIDE, theme="light", permissions=(), **options):
        context = chromium.new_context(
            viewport=size,
            color_scheme=theme,
            reduced_motion="reduce",
            permissions=list(permissions),
            **options,
        )
        context.set_default_timeout(PATIENCE)
        complaints = []
        start = address.rpartition("/book/")[0] or address.rpartition("/")[0]
        context.on("requestfailed", lambda r: complaints.extend(unanswered(r)))
        context.on("request", lambda r: complaints.extend(elsewhere(r.url, start)))
        context.on(
            "response",
            lambda r: complaints.append(f"{r.status}: {r.url}") if r.status >= 400 else None,
        )
        context.on("weberror", lambda error: complaints.append(f"error: {error.error}"))
        context.on(
            "console",
            lambda m: (
                complaints.append(f"{m.type}: {m.text}") if m.type in ("error", "warning") else None
            ),
        )
        context.add_init_script(RECORD_SHIFTS)
        page = context.new_page()
        page.goto(address, wait_until="load")
        yield page
        context.close()
        assert complaints == []

    return visit


def unanswered(request) -> list[str]:
    """A request that failed, but not because the page was left."""
    return [] if "ABORTED" in request.failure else [f"{request.failure}: {request.url}"]


def elsewhere(url: str, start: str) -> list[str]:
    return [] if url.startswith((start, "data:", "blob:")) else [f"from elsewhere: {url}"]


def address_of(served: str, page: Path) -> str:
    return served + page.relative_to(SITE).as_posix()


@cache
def axe() -> str:
    script = PACKAGES / "axe-core/axe.min.js"
    assert script.is_file(), "no axe-core: npm ci in book/_live"
    return script.read_text(encoding="utf-8")


def barriers(page, **rules) -> list[str]:
    """What axe finds on a page as it stands, but for the theme's own markup."""
    page.evaluate(f"window.axe || (() => {{ {axe()} }})()")
    found = page.evaluate(
        "(rules) => axe.run(document, {resultTypes: ['violations'], rules})", rules
    )
    return [
        f"{violation['id']}: {' '.join(node['target'])}: {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
        if not any(mark in node["html"] for mark in THEMES_OWN.get(violation["id"], ()))
    ]


def moved(page) -> list:
    """What moved most in a page's text since it was opened, if it is more than a good page may.

    Formulas, which a script sets, account for some; figures must not.
    """
    shifts = page.evaluate("window.shifts")
    return sorted(shifts, reverse=True)[:5] if sum(value for value, _ in shifts) > 0.1 else []


@pytest.fixture(params=TEXTS, ids=lambda path: path.relative_to(SITE).with_suffix("").as_posix())
def built(request):
    return request.param


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_is_sound(visit, served, built, theme):
    """Light begins wide and dark narrow, with all folds open; then each takes the other size."""
    first, second = (WIDE, NARROW) if theme == "light" else (NARROW, WIDE)
    with visit(address_of(served, built), size=first, theme=theme) as page:
        page.evaluate(LOOK_THROUGH)
        assert page.locator("html").get_attribute("data-theme") == theme
        assert page.evaluate(SMALL_LETTERS) == []
        assert moved(page) == []
        page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))")
        assert page.evaluate(TOO_WIDE) == []
        assert page.evaluate(CUT_LETTERS) == []
        assert barriers(page) == []
        page.set_viewport_size(second)
        page.wait_for_timeout(500)  # the theme lets the keyboard into what scrolls now
        assert page.evaluate(TOO_WIDE) == []
        assert page.evaluate(CUT_LETTERS) == []
        assert page.evaluate(SMALL_LETTERS) == []
        assert barriers(page, **{"color-contrast": {"enabled": False}}) == []  # as it was: slow


def test_page_works_from_the_disk(visit, built):
    if built.name == "404.html" and ADDRESS:
        pytest.skip("it is for a server: its links begin at the site's root")
    with visit(built.as_uri()) as page:
        page.evaluate(LOOK_THROUGH)
        formulas = page.locator("article .math").count()
        assert page.locator("article mjx-container").count() == formulas
        assert page.locator("mjx-merror").count() == 0


def test_address_of_the_site_leads_to_the_book(visit, served):
    with visit(f"{served}index.html") as page:
        page.wait_for_url("**/book/index.html")
        expect(page.locator("h1:visible")).to_contain_text("Build a GPT")


def test_solution_opens(visit, served):
    with visit(address_of(served, page_of(RESIDUAL))) as page:
        solution = page.locator("details.solution").first
        words, code = solution.locator("p").first, solution.locator("pre").first
        expect(solution.locator("summary")).to_have_text("Solution")
        for part in (words, code):
            expect(part).to_be_hidden()
        solution.locator("summary").click()
        for part in (words, code):
            expect(part).to_be_visible()


def test_copy_button_copies_the_cell(visit, served):
    cells = json.loads(RESIDUAL.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    first = next(c for c in cells if c["cell_type"] == "code" and not c["metadata"].get("tags"))
    address = address_of(served, page_of(RESIDUAL))
    with visit(address, permissions=["clipboard-read", "clipboard-write"]) as page:
        cell = page.locator("article div.cell > div.cell_input").first
        cell.hover()
        cell.locator("button.copybtn").click()
        copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == "".join(first["source"]).strip()


def test_keyboard_reaches_everything(visit, served):
    with visit(address_of(served, page_of(RESIDUAL))) as page:
        reached = []
        while not page.evaluate("document.activeElement.matches('details.solution > summary')"):
            page.keyboard.press("Tab")
            reached.append(page.evaluate(FOCUSED))
            assert len(reached) < 400, "no solution within 400 steps"
        assert "#main-content" in reached[0]
        for what in ("search-button", "theme-switch", "06-layer-normalization.html", "copybtn"):
            assert any(what in element for element in reached), f"{what} is not reached: {reached}"
        page.keyboard.press("Enter")
        expect(page.locator("details.solution").first).to_have_attribute("open", "")
        page.keyboard.press("Control+k")
        expect(page.locator("dialog[open] input[type=search]")).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)


def test_bars_of_elements_fill_beside_the_theme(visit, served):
    """The theme has a class of the same name as their progress bars, and makes it flexible."""
    with visit(f"{served}/book/workshop.html") as page:
        bar = page.locator("bard-trainer .progress").first
        bar.evaluate(
            "bar => { bar.hidden = false; bar.firstElementChild.style.transform = 'none'; }"
        )
        widths = bar.evaluate("bar => [bar, bar.firstElementChild].map((e) => e.clientWidth)")
        assert widths[0] == widths[1] > 100


def test_theme_switch_is_remembered(visit, served):
    def ground(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    with visit(address_of(served, page_of(RESIDUAL))) as page:
        html, light = page.locator("html"), ground(page)
        for _ in range(3):  # light, dark, as the system has it
            page.locator(".theme-switch-button:visible").click()
            if html.get_attribute("data-mode") == "dark":
                break
        expect(html).to_have_attribute("data-theme", "dark")
        dark = ground(page)
        assert dark != light
        page.locator("a.right-next").click()
        page.wait_for_url("**/06-*.html")
        assert ground(page) == dark


def test_buttons_of_a_chapter(visit, served):
    """Each menu opens and shows its links; test_site.py knows where they lead."""
    menus = {
        "launch": "a[href*='//colab.']" if HAS_COLAB else None,
        "source": "a.btn-source-edit-button" if ADDRESS else None,
        "download": "a[href$='.ipynb']",
    }
    with visit(address_of(served, page_of(RESIDUAL)), size=NARROW) as page:
        for menu, link in menus.items():
            button = page.locator(f".dropdown-{menu}-buttons > button")
            if link is None:
                expect(button).to_have_count(0)
                continue
            button.click()
            expect(page.locator(f".dropdown-{menu}-buttons {link}")).to_be_visible()
            page.keyboard.press("Escape")


def test_menu_of_a_narrow_window(visit, served):
    with visit(address_of(served, page_of(RESIDUAL)), size=NARROW) as page:
        link = page.locator(".bd-docs-nav a", has_text="Layer normalization")
        expect(link).to_be_hidden()
        page.locator("button.primary-toggle").click()
        expect(link).to_be_visible()
        link.click()
        page.wait_for_url("**/06-*.html")


def test_a_phone_has_drawings_of_its_own(visit, served):
    with visit(address_of(served, page_of(RESIDUAL))) as page:
        wide = page.evaluate(DRAWINGS)
        page.set_viewport_size(NARROW)
        narrow = page.evaluate(DRAWINGS)
    assert wide == [[True, False]] * len(wide)
    assert narrow == [[False, True]] * len(wide)
    assert len(wide) > 3


@pytest.mark.parametrize("shown", ["light", "dark", "dark on paper"])
def test_pictures_wear_the_page_s_colours(visit, served, shown):
    """And on paper those of the light theme, whatever the screen has."""
    light = shown != "dark"
    with visit(address_of(served, page_of(RESIDUAL)), theme=shown.split()[0]) as page:
        page.emulate_media(media="print" if "paper" in shown else "screen")
        for name, hue in (("residual", HUES["residual"]), ("ink", HUES["ink"])):
            fill = page.evaluate(
                f"""() => {{
                  const part = document.querySelector("article svg [style*='bard-{name}']");
                  const {{fill, stroke}} = getComputedStyle(part);
                  return fill === "none" ? stroke : fill;
                }}"""
            )
            expected = hue[0 if light else 1]
            assert fill == "rgb({}, {}, {})".format(*bytes.fromhex(expected[1:]))


def test_paper_shows_text_and_solutions_alone(visit, served):
    with visit(address_of(served, page_of(RESIDUAL))) as page:
        page.set_viewport_size({"width": 700, "height": 1000})  # A4 within its margins
        page.emulate_media(media="print")
        expect(page.locator("details.solution pre").first).to_be_visible()
        for hidden in (".bd-sidebar-primary", ".bd-header-article", "details.code", ".copybtn"):
            expect(page.locator(hidden).first).to_be_hidden()
        assert page.evaluate(TOO_WIDE) == []
        assert page.pdf(format="A4").startswith(b"%PDF")


def test_page_can_be_read_without_scripts(visit, served):
    with visit(address_of(served, page_of(RESIDUAL)), java_script_enabled=False) as page:
        expect(page.locator("h1:visible")).to_contain_text("Residual connections")
        solution = page.locator("details.solution").first
        solution.locator("summary").click()
        expect(solution.locator("pre").first).to_be_visible()


def test_html_is_valid():
    """With the rules of htmlvalidate.mjs, run by the Node.js that Playwright brings along."""
    checker = PACKAGES / "html-validate/bin/html-validate.mjs"
    assert checker.is_file(), "no html-validate: npm ci in book/_live"
    node = Path(playwright.__file__).parent / "driver/node"
    rules = HERE / "htmlvalidate.mjs"
    command = [node, checker, "--config", rules, "--formatter", "text", *PAGES]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
