"""What nbval ran and found equal need not be run again for the website; nothing else is kept."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest
from jupyter_cache import get_cache
from jupyter_cache.base import CacheBundleIn

ROOT = Path(__file__).resolve().parents[1]
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}


def write(path: Path, *cells: tuple[str, str]) -> None:
    """A chapter of these cells, as `.py` and as `.ipynb` with what each printed when stored."""
    code = [nbformat.v4.new_code_cell(source, execution_count=1) for source, _ in cells]
    for cell, (_, printed) in zip(code, cells, strict=True):
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=printed)]
    notebook = nbformat.v4.new_notebook(cells=code, metadata=KERNEL)
    nbformat.write(notebook, path)
    jupytext.write(notebook, path.with_suffix(".py"), fmt="py:percent")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """The cache after a test of three chapters: one as it was stored, one not, one that fails."""
    root = tmp_path_factory.mktemp("project")
    for file in ("book/_tools/kept.py", "book/_ext/bardgpt_book.py", "requirements.txt"):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    (root / "src").mkdir()
    stale = get_cache(root / "_build/.jupyter_cache")
    old = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("old")], metadata=KERNEL)
    stale.cache_notebook_bundle(CacheBundleIn(old, "old.py"), check_validity=False)
    write(root / "book/same.ipynb", ("x = 6\nprint(x)", "6\n"), ("print(x / 2)", "3.0\n"))
    write(root / "book/other.ipynb", ("x = 8\nprint(x)", "8\n"), ("print(x / 2)", "3.0\n"))
    write(root / "book/broken.ipynb", ("print(1)", "1\n"), ("print(1 / 0)", "1\n"))
    nbval = ["--nbval", "--nbval-current-env", "-n", "2", "--dist", "loadfile", "-p", "kept"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *nbval],
        cwd=root,
        env=os.environ | {"PYTHONPATH": f"{root}/book/_tools"},
        capture_output=True,
        encoding="utf-8",
    )
    assert "2 failed, 4 passed" in done.stdout, done.stdout + done.stderr
    return root


def kept(root: Path, name: str) -> nbformat.NotebookNode:
    """What the build would take for a chapter instead of running it; KeyError if it must."""
    text = (root / "book" / name).read_text(encoding="utf-8")
    chapter = jupytext.reads(text, fmt="py:percent")  # as _config.yml has it
    return get_cache(root / "_build/.jupyter_cache").merge_match_into_notebook(chapter)[1]


def test_a_chapter_that_passed_is_kept_with_what_it_put_out_now(cache):
    ran = kept(cache, "same.py")
    assert [cell.outputs[0].text for cell in ran.cells] == ["6\n", "3.0\n"]
    assert ran.metadata.language_info.pygments_lexer == "ipython3"


@pytest.mark.parametrize("name", ["other.py", "broken.py"])
def test_a_chapter_that_failed_is_not_kept(cache, name):
    with pytest.raises(KeyError):
        kept(cache, name)


def test_what_another_package_gave_is_forgotten(cache):
    assert len(get_cache(cache / "_build/.jupyter_cache").list_cache_records()) == 1
