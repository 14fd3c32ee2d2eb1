"""What the site offers to take along: notebooks as one zip, the model as one file, PDF and EPUB.

Zip and file are made with the site. `make pdf` and `make epub` add theirs afterwards, from
the built pages; a build that changes a page takes them away again, for they would be old. The list
on the page names what is there, so no link is dead. This module is also a Sphinx extension.
"""

import os
import re
import zipfile
from collections.abc import Iterable
from html import escape
from io import BytesIO
from pathlib import Path

from sphinx.application import Sphinx

from bardgpt.files import write_whole

FOLDER = "files"
PAGE = "book/reading-and-running.html"
NOTEBOOKS = "bardgpt-notebooks.zip"
ONE_FILE = "bardgpt.py"
# In the order in which the page names them.
OFFERED = {
    "bardgpt.pdf": "the book as PDF",
    "bardgpt.epub": "the book as EPUB, for e-readers",
    NOTEBOOKS: "all notebooks, with the package that they import",
    ONE_FILE: "the model, its training and its sampling in one file, which needs PyTorch alone",
}
LIST = re.compile(r'(<ul class="offered">).*?(</ul>)', re.DOTALL)
SOURCES = {ONE_FILE: "src/bardgpt/teaching/one_file.py"}  # offered as they stand
# What a notebook needs in order to run, and the pages that it links to.
PARTS = ("book/*.ipynb", "book/appendix/*.ipynb", "book/*.md", "src/**/*", "LICENSE*")
NEEDED = ("pyproject.toml", "README.md", "CITATION.cff")
HOW = """\
The notebooks of bardGPT, and the package that they import. You need Python 3.11 or newer.

On Linux without a GPU, say this first; it spares some gigabytes:

    export PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu

Then say here:

    python3 -m venv .venv
    .venv/bin/python -m pip install . jupyterlab
    .venv/bin/python -m jupyterlab book

On Windows it is py in place of python3, and .venv\\Scripts\\ in place of .venv/bin/.
"""


def notebooks(root: Path) -> bytes:
    """The zip: the notebooks as they are stored, and what they need; the bytes of no other day.

    Args:
        root: the repository.
    """
    files = {path for part in PARTS for path in root.glob(part)} | {root / name for name in NEEDED}
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry("how-to-run.txt"), HOW)
        for path in sorted(filter(belongs, files)):
            archive.writestr(entry(path.relative_to(root).as_posix()), path.read_bytes())
    return buffer.getvalue()


def belongs(path: Path) -> bool:
    """Whether a file is one of the project's, and not what Python or a system left there."""
    return path.is_file() and path.suffix != ".pyc" and not path.name.startswith(".")


def entry(name: str) -> zipfile.ZipInfo:
    """A file's place in the zip, without the time at which it was written."""
    info = zipfile.ZipInfo(f"bardgpt/{name}")
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return info


def is_fresh(file: Path, site: Path, makers: Iterable[Path] = ()) -> bool:
    """Whether a file is there, and newer than every page and than what makes it."""
    if not file.is_file():
        return False
    newest = max(path.stat().st_mtime for path in [*site.rglob("*.html"), *makers])
    return file.stat().st_mtime >= newest


def offer(site: Path) -> None:
    """Let the page name the files that are there. It keeps its time: its text has not changed."""
    page = site / PAGE
    if not page.is_file():
        return
    items = "".join(
        f'<li><a href="../{FOLDER}/{name}" download>{escape(what)}</a> ({size(file)})</li>'
        for name, what in OFFERED.items()
        if (file := site / FOLDER / name).is_file()
    )
    html, time = page.read_text(encoding="utf-8"), page.stat()
    write_whole(page, LIST.sub(lambda found: found[1] + items + found[2], html).encode())
    os.utime(page, ns=(time.st_atime_ns, time.st_mtime_ns))


def size(file: Path) -> str:
    """A file's size, as people say it."""
    n = file.stat().st_size
    return f"{n / 1e6:.1f} MB" if n >= 1e5 else f"{n / 1e3:.0f} kB"


def renew(app: Sphinx, error: Exception | None) -> None:
    """After a build: take away what is older than a page, make the others, name what is there."""
    if error or app.builder.name != "html":
        return
    site = Path(app.outdir)
    (site / FOLDER).mkdir(exist_ok=True)
    for name in OFFERED:
        if not is_fresh(site / FOLDER / name, site):
            (site / FOLDER / name).unlink(missing_ok=True)
    write_whole(site / FOLDER / NOTEBOOKS, notebooks(Path(app.srcdir)))
    for name, source in SOURCES.items():
        write_whole(site / FOLDER / name, (Path(app.srcdir) / source).read_bytes())
    offer(site)


def setup(app: Sphinx) -> dict[str, object]:
    """Connect to the build's end, and give pages what they need to be printed."""
    app.connect("build-finished", renew)
    app.add_css_file("print.css", media="print", priority=900)
    app.add_js_file("print.js")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
