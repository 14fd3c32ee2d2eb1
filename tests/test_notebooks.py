"""The chapters: each pair is one notebook in two files, and each keeps the rules of the book.

A rule is a function that takes a notebook and yields what is wrong with it. Every rule is first
shown a notebook with a planted fault, so that one which can no longer see is itself a failure.
"""

import ast
import math
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise, zip_longest
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupytext.config import load_jupytext_config
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = re.search(
    r"^  url: (\S+)$", (ROOT / "_config.yml").read_text(encoding="utf-8"), re.MULTILINE
)[1]
ALT_LENGTH = 40
CELL_LINES = 15
CODE_WIDTH = 80  # more is cut on the website at 1280 pixels
METADATA = ("tags", "mystnb", "jupyter", "cellView")
# What is folded, a solution or an aside, is folded wherever it is read: on the website, in
# JupyterLab, in Colab.
HIDDEN = {"source_hidden": True, "outputs_hidden": True}
FOLDED = {"tags": ["hide-cell"], "jupyter": HIDDEN, "cellView": "form"}
SOLUTION = "# @title Code of the solution\n"
ASIDE = "# @title Code of this aside\n"
FOLD = re.compile(
    r'<details class="fold (?:(?P<solution>solution)"><summary>Solution|aside"><summary>For the '
    r"curious: [^<]+)</summary>\n\n.+\n\n</details>",
    re.DOTALL,
)

CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
LINK = re.compile(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)


def chapters() -> list[Path]:
    """Every chapter and appendix, as the script that people edit."""
    return [*sorted(ROOT.glob("book/*.py")), *sorted(ROOT.glob("book/appendix/*.py"))]


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def outputs(cell: NotebookNode) -> Iterator[tuple[str, str]]:
    """The media types of a cell's outputs, each with its content."""
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.name, output.text
        yield from output.get("data", {}).items()


# The rules. A page is what is under test: its notebook, and the folder that its links start from.


def outputs_are_stored(notebook: NotebookNode, _: Path) -> Iterator[str]:
    """A cell that was never run has no outputs, and then nbval compares nothing."""
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"not one run from top to bottom: execution counts are {counts}"


def outputs_are_comparable(notebook: NotebookNode, _: Path) -> Iterator[str]:
    for cell in code_cells(notebook):
        for kind, content in outputs(cell):
            if kind.startswith("image/"):
                yield f"{kind} in the outputs of: {cell.source}"
            if 'class="bard-plot ' in content:
                yield f"a plot, drawn, in the outputs of: {cell.source}"
            if kind == "stderr":
                yield f"standard error in the outputs of: {cell.source}"


def metadata_is_clean(notebook: NotebookNode, _: Path) -> Iterator[str]:
    if set(notebook.metadata) != {"kernelspec"}:
        yield f"notebook metadata is {sorted(notebook.metadata)}, not kernelspec alone"
    for cell in notebook.cells:
        if extra := set(cell.metadata) - set(METADATA):
            yield f"{sorted(extra)} in the metadata of: {cell.source}"


def markdown_is_plain(notebook: NotebookNode, _: Path) -> Iterator[str]:
    """MyST's roles, directives and targets are noise in Colab and Jupyter."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            if re.search(r"^\s*(`{3,}|~{3,}|:{3,})\s*\{|^\s*:{3,}|^\([\w-]+\)=", cell.source, re.M):
                yield f"directive or target in: {cell.source}"
            for span in CODE_SPAN.finditer(cell.source):
                if re.search(r"\{[\w:.+-]+\}$", cell.source[: span.start()]):
                    yield f"role before {span.group()}"


def code_cells_are_short(notebook: NotebookNode, _: Path) -> Iterator[str]:
    for cell in code_cells(notebook):
        lines = sum(bool(line.strip()) for line in unfolded(cell.source).splitlines())
        if lines > CELL_LINES:
            yield f"{lines} lines that are not blank, at most {CELL_LINES}: {cell.source}"


def code_is_narrow(notebook: NotebookNode, _: Path) -> Iterator[str]:
    for cell in code_cells(notebook):
        for line in cell.source.splitlines():
            if len(line) > CODE_WIDTH:
                yield f"{len(line)} characters, at most {CODE_WIDTH}: {line}"


def unfolded(source: str) -> str:
    """What a folded cell says, without the line that Colab shows in its place."""
    return source.removeprefix(SOLUTION).removeprefix(ASIDE)


def draws(cell: NotebookNode) -> bool:
    """Whether a cell shows a plot: one of the book's, or a figure of Matplotlib's own."""
    return any(content.startswith(("<Plot ", "<Figure ")) for _kind, content in outputs(cell))


def shows_a_diagram(cell: NotebookNode) -> bool:
    """A drawing by itself; what one can touch says inside what it shows."""
    shown = [content for kind, content in outputs(cell) if kind == "text/html"]
    return any("<svg" in content and not content.startswith("<bard-") for content in shown)


def figures_have_alt_text(notebook: NotebookNode, _: Path) -> Iterator[str]:
    for cell in code_cells(notebook):
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        if draws(cell) and len(alt) < ALT_LENGTH:
            yield f"alt text {alt!r} has fewer than {ALT_LENGTH} characters: {cell.source}"


def figures_have_captions(notebook: NotebookNode, _: Path) -> Iterator[str]:
    """A caption is Markdown in italics below the figure: so Jupyter and Colab show it too."""
    for cell, below in pairwise([*notebook.cells, new_markdown_cell()]):
        if cell.cell_type != "code" or "hide-cell" in tags(cell):
            continue
        captioned = below.cell_type == "markdown" and re.match(r"\*[^*]", below.source)
        if (draws(cell) or shows_a_diagram(cell)) and not captioned:
            yield f"no caption below the figure of: {cell.source}"


def folds_are_folded(notebook: NotebookNode, _: Path) -> Iterator[str]:
    """A fold is a text and, below it, folded cells with its code; an aside may do without code."""
    title = None  # what the cells here have to begin with: none are folded, if no fold is above
    for cell, below in pairwise([*notebook.cells, new_markdown_cell()]):
        if cell.cell_type == "markdown":
            fold = FOLD.fullmatch(cell.source)
            title = None if not fold else SOLUTION if fold["solution"] else ASIDE
            if "<details" in cell.source and not fold:
                yield f"a fold that is no solution and no aside: {cell.source}"
            if title == SOLUTION and "hide-cell" not in tags(below):
                yield f"a solution without code: {cell.source}"
            continue
        if cell.cell_type != "code":
            continue
        begins = cell.source.startswith((SOLUTION, ASIDE))
        if "hide-cell" not in tags(cell):
            title = None
            if begins or {"jupyter", "cellView"} & {*cell.metadata}:
                yield f"folded, and without the tag hide-cell: {cell.source}"
            continue
        folded = {key: value for key, value in cell.metadata.items() if key != "mystnb"} | {
            "tags": [
                tag for tag in tags(cell) if tag != "nbval-ignore-output"
            ]  # it has its own rule
        } == FOLDED
        if title is None:
            yield f"folded code without its text above: {cell.source}"
        elif not (folded and cell.source.startswith(title)):
            yield f"not folded as its text is, {FOLDED} and {title!r}: {cell.source}"


def names_are_made_in_sight(notebook: NotebookNode, _: Path) -> Iterator[str]:
    """What a cell in sight uses was made in sight, or the text says `name`: what it is, and why."""
    seen, hidden = set(), set()
    for cell in notebook.cells:
        if cell.cell_type != "code":
            seen |= {*re.findall(r"`(\w+)`", cell.source)}
            continue
        is_folded = {"hide-cell", "hide-input", "remove-cell"} & {*tags(cell)}
        made, used = names(cell.source)
        if not is_folded:
            for name in sorted((used - made - seen) & hidden):
                yield f"{name} is made in a folded cell alone: {cell.source}"
        (hidden if is_folded else seen).update(made)


def names(source: str) -> tuple[set[str], set[str]]:
    """The names that code makes, and those that it uses."""
    made, used = set(), set()
    for node in ast.walk(ast.parse(re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE))):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef | ast.ExceptHandler):
            made.add(node.name)  # None where an error has no name
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, ast.alias):
            made.add((node.asname or node.name).partition(".")[0])
    return made, used


def links_lead_to_files(notebook: NotebookNode, folder: Path) -> Iterator[str]:
    """A chapter is linked to by its notebook, which website, GitHub and Jupyter all understand."""
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        for match in LINK.finditer(CODE_SPAN.sub("", cell.source)):
            target = (match[1] or match[2]).partition("#")[0]
            if not target or re.match(r"[a-z]+:", target):
                continue
            path = folder / target
            if not path.is_file():
                yield f"link to {target}, which is not there"
            elif path.suffix == ".py" and path.with_suffix(".ipynb").is_file():
                yield f"link to {target}: say .ipynb"


def setup_comes_first(notebook: NotebookNode, _: Path) -> Iterator[str]:
    first = code_cells(notebook)[0]
    if REPOSITORY not in first.source:
        yield f"the first code cell does not name {REPOSITORY}"
    if "remove-cell" not in tags(first):
        yield "the first code cell is not tagged remove-cell"


def nothing_escapes_comparison(notebook: NotebookNode, _: Path) -> Iterator[str]:
    for cell in code_cells(notebook):
        if "NBVAL_" in cell.source:
            yield f"NBVAL_ comment in: {cell.source}"
        for tag in tags(cell):
            allowed = tag == "nbval-ignore-output" and is_listing(cell.source)
            if not allowed and (tag == "raises-exception" or tag.startswith("nbval-")):
                yield f"{tag} on: {cell.source}"


def is_listing(source: str) -> bool:
    """Whether a cell imports at most, and then calls `listing`, which only shows package code."""
    try:
        *before, last = ast.parse(source).body
    except (SyntaxError, ValueError):
        return False
    call = getattr(last, "value", None)
    return (
        all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in before)
        and isinstance(last, ast.Expr)
        and isinstance(call, ast.Call)
        and getattr(call.func, "id", getattr(call.func, "attr", None)) == "listing"
    )


RULES = [
    outputs_are_stored,
    outputs_are_comparable,
    metadata_is_clean,
    markdown_is_plain,
    code_cells_are_short,
    code_is_narrow,
    figures_have_alt_text,
    figures_have_captions,
    folds_are_folded,
    names_are_made_in_sight,
    links_lead_to_files,
    setup_comes_first,
    nothing_escapes_comparison,
]


# The chapters under the rules.


def test_there_are_chapters():
    assert chapters()


def test_no_notebook_without_a_chapter():
    notebooks = {*ROOT.glob("book/*.ipynb"), *ROOT.glob("book/appendix/*.ipynb")}
    assert sorted(notebooks) == sorted(chapter.with_suffix(".ipynb") for chapter in chapters())


@pytest.fixture(params=chapters(), ids=lambda path: path.stem)
def chapter(request):
    return request.param


@pytest.fixture
def notebook(chapter):
    return nbformat.read(chapter.with_suffix(".ipynb"), as_version=4)


def remedy(chapter: Path) -> str:
    """What to say when a notebook is not as `make notebooks` writes it, say after JupyterLab."""
    name = chapter.relative_to(ROOT)
    return (
        f"The .py counts; say: make notebooks CHAPTER={name}\n"
        "If an edit is in the .ipynb alone (JupyterLab writes both), say first: "
        f".venv/bin/jupytext --to py:percent {name.with_suffix('.ipynb')}"
    )


def test_pair_is_one_notebook(chapter, notebook):
    def content(cells):
        return [(cell.cell_type, cell.source, kept(cell.metadata)) for cell in cells]

    def kept(metadata):
        return {key: metadata[key] for key in METADATA if key in metadata}

    script = jupytext.read(chapter, fmt="py:percent")
    pairs = enumerate(zip_longest(content(notebook.cells), content(script.cells)), start=1)
    differ = [number for number, (stored, said) in pairs if stored != said]
    assert not differ, f"cells {differ} differ in the two files. {remedy(chapter)}"
    assert notebook.metadata.kernelspec == script.metadata.kernelspec


def test_notebook_is_valid(notebook):
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_chapter_keeps_the_rule(chapter, notebook, rule):
    faults = list(rule(notebook, chapter.parent))
    as_stored = rule in (outputs_are_stored, outputs_are_comparable, metadata_is_clean)
    assert not faults, remedy(chapter) if as_stored else "the text itself is to be changed"


def test_jupyterlab_opens_a_chapter_as_both_files_and_whichever_is_newer(chapter):
    """Its default is HTTP 400 where the .ipynb is newer, as it may be after any clone."""
    config = load_jupytext_config(str(chapter))
    assert config.default_formats(str(chapter)) == "ipynb,py:percent"
    assert config.outdated_text_notebook_margin == math.inf


def test_setup_is_the_same_everywhere():
    notebooks = [jupytext.read(chapter, fmt="py:percent") for chapter in chapters()]
    assert len({code_cells(notebook)[0].source for notebook in notebooks}) == 1


def test_setup_says_nothing_outside_colab(notebook):
    assert code_cells(notebook)[0].outputs == []


# The rules under test.


KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
FIGURE = {"text/plain": "<Plot ladder: Final validation loss of each rung>"}
DIAGRAM = {"text/html": "<svg role='img'></svg>"}
SHORT_ALT = {"image": {"alt": "A plot."}}
LONG_ALT = {"image": {"alt": "A line that falls from 4.2 to 2.5 nats and stays there."}}


def book(*cells: NotebookNode) -> NotebookNode:
    """A notebook as it should be, with these cells at its end."""
    setup = new_code_cell(f"# from {REPOSITORY}", metadata={"tags": ["remove-cell"]})
    notebook = new_notebook(cells=[setup, *cells], metadata={"kernelspec": KERNEL})
    for count, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = count
    return notebook


def text(source: str) -> NotebookNode:
    return book(new_markdown_cell(source))


def code(source: str, output: dict[str, str] | None = None, **metadata) -> NotebookNode:
    made = [] if output is None else [new_output("display_data", data=output)]
    return book(new_code_cell(source, outputs=made, metadata=metadata))


def solution(*below: NotebookNode) -> NotebookNode:
    """A notebook with a solution's text, and below it these cells."""
    fold = '<details class="fold solution"><summary>Solution</summary>\n\nSeven.\n\n</details>'
    return book(new_markdown_cell(fold), *below)


def aside(*below: NotebookNode, title: str = "For the curious: seven") -> NotebookNode:
    """A notebook with an aside's text, and below it these cells."""
    fold = f'<details class="fold aside"><summary>{title}</summary>\n\nSeven.\n\n</details>'
    return book(new_markdown_cell(fold), *below)


def after_a_fold(source: str, *others: str) -> NotebookNode:
    """A notebook with a cell whose code is folded, and below it cells in sight."""
    cells = [new_code_cell(other) for other in others]
    return book(new_code_cell(source, metadata={"tags": ["hide-input"]}), *cells)


def solved(source: str, **metadata) -> NotebookNode:
    """A notebook with a solution whose code this is."""
    return solution(new_code_cell(source, metadata=metadata))


def drawn(below: NotebookNode | None, output: dict[str, str], *cell_tags: str) -> NotebookNode:
    """A notebook with a figure, and below it this cell."""
    metadata = {"mystnb": LONG_ALT, "tags": [*cell_tags]}
    if "hide-cell" in cell_tags:
        metadata |= FOLDED
    cell = new_code_cell(f"{SOLUTION if 'hide-cell' in cell_tags else ''}plot()", metadata=metadata)
    cell.outputs = [new_output("display_data", data=output)]
    cells = [cell, *([] if below is None else [below])]
    return solution(*cells) if "hide-cell" in cell_tags else book(*cells)


def never_run() -> NotebookNode:
    notebook = code("1 + 1")
    notebook.cells[-1].execution_count = None
    return notebook


def with_stderr() -> NotebookNode:
    notebook = code("train()")
    notebook.cells[-1].outputs = [new_output("stream", name="stderr", text="50 %")]
    return notebook


def with_widgets() -> NotebookNode:
    notebook = code("1 + 1")
    notebook.metadata["widgets"] = {}
    return notebook


def without_setup(source: str, *setup_tags: str) -> NotebookNode:
    return new_notebook(cells=[new_code_cell(source, metadata={"tags": list(setup_tags)})])


@pytest.mark.parametrize(
    ("rule", "notebook"),
    [
        (outputs_are_stored, never_run()),
        (outputs_are_comparable, code("draw()", {"image/svg+xml": "<svg/>"})),
        (outputs_are_comparable, code("draw()", {"image/png": "iVBORw0KGgo="})),
        (
            outputs_are_comparable,
            code("draw()", {"text/html": '<svg class="bard-plot bard-wide">'}),
        ),
        (outputs_are_comparable, with_stderr()),
        (metadata_is_clean, with_widgets()),
        (metadata_is_clean, code("1 + 1", execution={})),
        (markdown_is_plain, text("As in {cite}`shannon`.")),
        (markdown_is_plain, text("See {py:func}`bardgpt.train` and `x`.")),
        (markdown_is_plain, text("```{note}\nMind this.\n```")),
        (markdown_is_plain, text("````{figure} x.png\n````")),
        (markdown_is_plain, text("Text.\n\n:::{tip}\nMind this.\n:::")),
        (markdown_is_plain, text("(here)=\n## A place")),
        (code_cells_are_short, code("\n\n".join(["x = 1"] * 16))),
        (code_cells_are_short, code(SOLUTION + "\n".join(["x = 1"] * 16), **FOLDED)),
        (code_is_narrow, code("x = 1\nx = 2  # " + "-" * 72)),
        (code_is_narrow, solved(f"{SOLUTION}x = {'1' * 77}", **FOLDED)),
        (figures_have_alt_text, code("plot()", FIGURE)),
        (
            figures_have_alt_text,
            code("plot()", {"text/plain": "<Figure size 600x300 with 1 Axes>"}),
        ),
        (figures_have_alt_text, code("plot()", FIGURE, mystnb=SHORT_ALT)),
        (figures_have_captions, drawn(None, FIGURE)),
        (figures_have_captions, drawn(new_code_cell("*a, b = c"), FIGURE)),
        (figures_have_captions, drawn(new_markdown_cell("**Bold** is no caption."), DIAGRAM)),
        (folds_are_folded, solved("answer()", tags=["hide-cell"])),
        (folds_are_folded, solved("answer()", **FOLDED)),
        (folds_are_folded, solved(f"{SOLUTION}answer()", tags=["hide-cell"], cellView="form")),
        (folds_are_folded, code(f"{SOLUTION}answer()", **FOLDED)),
        (folds_are_folded, solution()),
        (folds_are_folded, solved("answer()")),
        (folds_are_folded, text("<details><summary>More</summary>\n\nSeven.\n\n</details>")),
        (folds_are_folded, code("answer()", cellView="form")),
        (folds_are_folded, code("answer()", jupyter=HIDDEN)),
        (folds_are_folded, code(f"{SOLUTION}answer()")),
        (folds_are_folded, code(f"{ASIDE}answer()", **FOLDED)),
        (folds_are_folded, solved(f"{ASIDE}answer()", **FOLDED)),
        (folds_are_folded, aside(new_code_cell(f"{SOLUTION}answer()", metadata=FOLDED))),
        (folds_are_folded, aside(title="More")),
        (names_are_made_in_sight, after_a_fold("x = 1", "print(x)")),
        (names_are_made_in_sight, after_a_fold("from math import pi", "def area(r):\n    pi * r")),
        (names_are_made_in_sight, after_a_fold("def f(x):\n    x", "f(2)")),
        (links_lead_to_files, text("See [chapter 12](12-nowhere.ipynb#there).")),
        (links_lead_to_files, text("See [this][here].\n\n[here]: nowhere.md")),
        (links_lead_to_files, text("See [the next](chapter.py).")),
        (links_lead_to_files, text("See [the next](chapter.html).")),
        (setup_comes_first, without_setup("import bardgpt", "remove-cell")),
        (setup_comes_first, without_setup(f"# from {REPOSITORY}")),
        (nothing_escapes_comparison, code("1  # NBVAL_IGNORE_OUTPUT")),
        (nothing_escapes_comparison, code("1", tags=["nbval-skip"])),
        (nothing_escapes_comparison, code("1 / 0", tags=["raises-exception"])),
        (nothing_escapes_comparison, code("1 / 0", tags=["nbval-raises-exception"])),
        (nothing_escapes_comparison, code("loss(x)", tags=["nbval-ignore-output"])),
        (nothing_escapes_comparison, code("x = 1\nlisting(x)", tags=["nbval-ignore-output"])),
        (nothing_escapes_comparison, code("listing(x)\nimport y", tags=["nbval-ignore-output"])),
        (nothing_escapes_comparison, code("listing(x) + 1", tags=["nbval-ignore-output"])),
        (nothing_escapes_comparison, code("%time listing(x)", tags=["nbval-ignore-output"])),
    ],
)
def test_rule_sees_a_planted_fault(rule, notebook, tmp_path):
    (tmp_path / "chapter.py").touch()
    (tmp_path / "chapter.ipynb").touch()
    assert list(rule(notebook, tmp_path))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize(
    "notebook",
    [
        text("The set `{a}`, the code `f{x}`, then `more`; $\\mathrm{softmax}$ of {it}."),
        text("```python\nf'{x}'\n```\n\n[two](chapter.ipynb#part), [a](#b), [c](https://d.org/e)"),
        text("`[not a link](nowhere.md)`"),
        code("\n\n".join(["x = 1"] * 15)),
        code("x = 2  # " + "-" * 71),
        solved(SOLUTION + "\n".join(["x = 1"] * 15), **FOLDED),
        after_a_fold("x = 1", "x = 2", "print(x)"),
        book(*after_a_fold("x = 1").cells[1:], new_markdown_cell("`x` is 1."), new_code_cell("x")),
        after_a_fold("def f(x):\n    y = x", "def g(x, y):\n    return x + y"),
        aside(),
        aside(new_code_cell(ASIDE + "\n".join(["x = 1"] * 15), metadata=FOLDED)),
        aside(
            new_code_cell(
                f"{ASIDE}listing(Head)",
                metadata={**FOLDED, "tags": ["nbval-ignore-output", "hide-cell"]},
            )
        ),
        drawn(new_markdown_cell("*A line that falls.*"), FIGURE),
        drawn(new_markdown_cell("*Boxes and arrows.*"), DIAGRAM),
        drawn(None, {"text/html": "<bard-toy><svg></svg></bard-toy>"}),
        drawn(None, FIGURE, "hide-cell"),
        code("figures.listing(Head, 'forward')", tags=["nbval-ignore-output", "hide-input"]),
        code("from bardgpt import x\n\nlisting(x)", tags=["nbval-ignore-output"]),
    ],
)
def test_rule_is_quiet_about_good_notebooks(rule, notebook, tmp_path):
    (tmp_path / "chapter.ipynb").touch()
    assert not list(rule(notebook, tmp_path))


# The tool that writes the notebooks, on a chapter in a folder that it takes for the book.


@pytest.fixture
def draft(tmp_path):
    script = tmp_path / "book/_tools/notebooks.py"
    script.parent.mkdir(parents=True)
    shutil.copy(ROOT / "book/_tools/notebooks.py", script)
    shutil.copy(ROOT / "book/jupytext.toml", tmp_path / "book")
    path = tmp_path / "book/01-draft.py"
    jupytext.write(solved(f"{SOLUTION}print('first')", **FOLDED), path, fmt="py:percent")
    return path


def make_notebooks(draft: Path) -> subprocess.CompletedProcess[str]:
    script = draft.parent / "_tools/notebooks.py"
    return subprocess.run([sys.executable, script], capture_output=True, encoding="utf-8")


def test_tool_writes_the_same_notebook_twice(draft):
    first = make_notebooks(draft)
    assert first.returncode == 0, first.stderr
    written = draft.with_suffix(".ipynb").read_bytes()
    notebook = nbformat.reads(written, as_version=4)
    assert [rule for rule in RULES if list(rule(notebook, draft.parent))] == []
    assert notebook.cells[-1].outputs[0].text == "first\n"
    assert make_notebooks(draft).stdout == "01-draft: unchanged\n"
    assert draft.with_suffix(".ipynb").read_bytes() == written
    saved = nbformat.reads(written, as_version=4)  # as by JupyterLab
    saved.metadata["jupytext"] = {"cell_metadata_filter": "tags,-all"}
    saved.cells[0].metadata["lines_to_next_cell"] = 2
    saved.cells[-1].outputs.append(new_output("display_data", data={"image/png": "iVBORw0KGgo="}))
    nbformat.write(saved, draft.with_suffix(".ipynb"))
    assert make_notebooks(draft).stdout == (
        "01-draft: written (metadata of cell 1; outputs of cell 3; metadata of the notebook)\n"
    )
    assert draft.with_suffix(".ipynb").read_bytes() == written


def test_tool_keeps_cell_ids_and_leaves_the_notebook_of_a_failing_chapter(draft):
    make_notebooks(draft)
    before = nbformat.read(draft.with_suffix(".ipynb"), as_version=4)
    draft.write_text(draft.read_text(encoding="utf-8").replace("first", "second"), encoding="utf-8")
    make_notebooks(draft)
    edited = nbformat.read(draft.with_suffix(".ipynb"), as_version=4)
    assert edited.cells[-1].outputs[0].text == "second\n"
    assert [cell.id for cell in edited.cells] == [cell.id for cell in before.cells]
    draft.write_text(
        draft.read_text(encoding="utf-8").replace("'second'", "second"), encoding="utf-8"
    )
    failed = make_notebooks(draft)
    assert failed.returncode == 1
    for word in ("01-draft.py, cell 3", "print(second)", "NameError"):
        assert word in failed.stderr
    assert nbformat.read(draft.with_suffix(".ipynb"), as_version=4) == edited


def test_tool_names_a_notebook_without_a_chapter(draft):
    draft.rename(draft.with_suffix(".ipynb"))
    failed = make_notebooks(draft)
    assert failed.returncode == 1
    assert "01-draft.ipynb" in failed.stderr
