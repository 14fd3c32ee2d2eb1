"""Run chapters and write the notebook beside each: `notebooks.py [CHAPTER.py ...]`, or all of them.

A notebook is written whole or not at all, and one that comes out as it was is left alone. Cell ids
are kept; plots are not stored, for the website draws its own and no comparison looks at them.
"""

import argparse
import configparser
import os
import re
import sys
from pathlib import Path

import jupytext
import nbformat
from jupytext.combine import map_outputs_to_inputs
from jupytext.config import load_jupytext_config
from jupytext.formats import long_form_multiple_formats
from jupytext.metadata_filter import filter_metadata
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from bardgpt.files import write_whole

BOOK = Path(__file__).resolve().parents[1]
SANITIZING = BOOK.parent / "tests/nbval_sanitize.cfg"
CELL_TIMEOUT = 120  # seconds, as in `make test`
COLOUR = re.compile(r"\x1b\[[\d;]*m")  # a terminal's, in what IPython says of an error


class ChapterError(Exception):
    """A chapter did not run to its end; the message says where and why."""


def chapters(book: Path = BOOK) -> list[Path]:
    """Return every chapter, then every appendix."""
    return [*sorted(book.glob("*.py")), *sorted(book.glob("appendix/*.py"))]


def orphans(book: Path = BOOK) -> list[Path]:
    """Return every notebook whose chapter is gone."""
    notebooks = [
        *sorted(book.glob("*.ipynb")),
        *sorted(book.glob("appendix/*.ipynb")),
    ]
    return [path for path in notebooks if not path.with_suffix(".py").is_file()]


def read(chapter: Path) -> NotebookNode:
    """Return a chapter as a notebook without outputs, with the ids of its present notebook.

    How it is read, and which metadata stays, is said in `jupytext.toml`.
    """
    config = load_jupytext_config(str(chapter))
    formats = long_form_multiple_formats(config.default_formats(str(chapter)))
    fmt = next(fmt for fmt in formats if fmt["extension"] == chapter.suffix)
    notebook = jupytext.read(chapter, fmt=fmt, config=config)
    notebook.metadata = filter_metadata(notebook.metadata, config.notebook_metadata_filter)
    for cell in notebook.cells:
        cell.metadata = filter_metadata(cell.metadata, config.cell_metadata_filter)
    if chapter.with_suffix(".ipynb").is_file():
        old = nbformat.read(chapter.with_suffix(".ipynb"), as_version=4).cells
        for cell, match in zip(
            notebook.cells,
            map_outputs_to_inputs(notebook.cells, old),
            strict=True,
        ):
            if match is not None:
                cell.id = old[match].id
    return notebook


def run(notebook: NotebookNode, chapter: Path) -> None:
    """Execute a notebook where its chapter is, and keep of the outputs what is compared.

    Raises:
        ChapterError: A cell failed, took too long, or ended the kernel.
    """
    os.environ["TQDM_DISABLE"] = "1"  # the kernel inherits it: no progress bar is stored
    metadata = notebook.metadata.copy()
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT,
        record_timing=False,
        coalesce_streams=True,
        store_widget_state=False,
        resources={"metadata": {"path": str(chapter.parent)}},
    )
    reached: list[tuple[int, str]] = []
    client.on_cell_start = lambda cell, cell_index: reached.append((cell_index + 1, cell.source))
    try:
        client.execute()
    except Exception as error:
        message = str(error) if isinstance(error, CellExecutionError) else repr(error)
        if reached and not isinstance(error, CellExecutionError):  # that one quotes the cell
            message = f"{reached[-1][1]}\n{message}"
        where = f"{chapter.name}, cell {reached[-1][0]}" if reached else chapter.name
        raise ChapterError(f"{where}: {COLOUR.sub('', message)}") from error
    notebook.metadata = metadata  # without what the kernel said about itself
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            for picture in ("image/png", "image/jpeg"):
                data.pop(picture, None)  # "<Figure size ...>" stays
            if "text/html" in data:
                data["text/html"] = without_plots(data["text/html"])


def without_plots(html: str) -> str:
    """Return HTML with a word for each plot: what `nbval` is told to compare instead."""
    rules = configparser.ConfigParser(interpolation=None)
    rules.read(SANITIZING, encoding="ascii")
    return re.sub(rules["plot"]["regex"], rules["plot"]["replace"], html)


def write(notebook: NotebookNode, path: Path) -> str:
    """Put a notebook in place in one step, and say what it changes; the very same one is left."""
    text = nbformat.writes(notebook) + "\n"
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    if before == text:
        return "unchanged"
    write_whole(path, text.encode())
    return f"written ({differences(nbformat.reads(before, 4), notebook)})" if before else "written"


def differences(old: NotebookNode, new: NotebookNode) -> str:
    """Where two notebooks differ, in words; cells count from 1."""
    if len(old.cells) != len(new.cells):
        return f"{len(new.cells)} cells, not {len(old.cells)}"
    parts = {
        "text": lambda cell: (cell.cell_type, cell.source),
        "metadata": lambda cell: cell.metadata,
        "outputs": lambda cell: (cell.get("execution_count"), cell.get("outputs")),
    }
    words = []
    for name, part in parts.items():
        pairs = enumerate(zip(old.cells, new.cells, strict=True), start=1)
        if where := [str(number) for number, (one, other) in pairs if part(one) != part(other)]:
            words.append(f"{name} of cell {', '.join(where)}")
    if old.metadata != new.metadata:
        words.append("metadata of the notebook")
    return "; ".join(words) or "how it is written"


def main() -> int:
    """Run the chapters that the command line names; return 1 if anything is wrong, else 0."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("chapter", nargs="*", type=Path, help="a chapter's .py; default: all")
    named = [path.resolve() for path in parser.parse_args().chapter]
    problems = [f"{path}: its chapter is gone; delete it" for path in orphans()]
    for chapter in named or chapters():
        try:
            notebook = read(chapter)
            run(notebook, chapter)
            print(f"{chapter.stem}: {write(notebook, chapter.with_suffix('.ipynb'))}", flush=True)
        except (ChapterError, OSError, ValueError) as error:
            problems.append(str(error))
            print(f"{chapter.stem}: FAILED, its notebook is as it was", flush=True)
    for problem in problems:
        print(f"\n{problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
