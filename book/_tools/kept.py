"""A plugin of pytest: keeps what nbval has run for the next build of the book.

`make test` runs every chapter and holds it against its stored outputs. A chapter that passed needs
not be run again for the website: what its cells put out goes into the cache of executions, where
MyST-NB looks first. (The stored notebook itself can't serve: it has no plots, see `notebooks.py`.)
"""

import copy
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn
from nbformat.notebooknode import NotebookNode

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / "_build/.jupyter_cache"
sys.path.insert(0, str(ROOT / "book/_ext"))

from bardgpt_book import empty_if_stale  # noqa: E402

# By notebook and number of the code cell: what came out.
OUTPUTS: dict[Path, dict[int, list[NotebookNode]]] = defaultdict(dict)


def pytest_configure(config: pytest.Config) -> None:
    """Begin with a cache that belongs to this package; of several workers none does it."""
    if not hasattr(config, "workerinput"):
        empty_if_stale(CACHE, ROOT)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Note what a cell puts out if it passes, and keep its notebook when all cells have."""
    result = yield
    outputs = OUTPUTS[item.path]
    outputs[item.cell_num] = item.test_outputs
    cells = [cell for cell in item.parent.nb.cells if cell.cell_type == "code"]
    if len(outputs) == len(cells):
        language = item.parent.kernel.kc.kernel_info(reply=True)["content"]["language_info"]
        keep(item.path, item.parent.nb, outputs, language)
    return result


def keep(
    path: Path, stored: NotebookNode, outputs: dict[int, list[NotebookNode]], language: dict
) -> None:
    """Put a notebook with these outputs into the cache, under the name of its chapter.

    What the kernel says of its language goes with it, as nbclient has it: MyST-NB colours by that.
    """
    ran = copy.deepcopy(stored)
    ran.metadata["language_info"] = language
    cells = [cell for cell in ran.cells if cell.cell_type == "code"]
    for number, cell in enumerate(cells):
        cell.outputs, cell.execution_count = outputs[number], number + 1
    get_cache(CACHE).cache_notebook_bundle(
        CacheBundleIn(ran, str(path.with_suffix(".py"))), check_validity=False, overwrite=True
    )
