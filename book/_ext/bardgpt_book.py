"""The book's Sphinx extension: a notebook to download, a place to edit, and no stale page.

MyST-NB knows a stored execution by the chapter's code cells alone, and Sphinx knows a page by its
source's time stamp. Neither sees that `src`, a pinned version or Python has changed. Here all of
that is one fingerprint: the cache of executions carries the one it was filled under, and Sphinx's
own memory of the pages carries the one they were read under.
"""

import hashlib
import shutil
import sys
from pathlib import Path

from docutils.nodes import TextElement
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

# A page that is written by `book/_pages/write.py`, and the folder that says what is on it.
WRITTEN_FROM = {"book/claims": "book/_pages/claims"}
FINGERPRINT = "bardgpt-fingerprint"  # a file in the cache of executions
BUILT = "page.html"  # in the package, but made by the build itself: bardgpt_live.py


def fingerprint(root: Path) -> str:
    """Return one SHA-256 of all that a chapter's outputs depend on besides its own cells.

    Args:
        root: The repository.
    """
    package = (
        path
        for path in (root / "src").rglob("*")
        if path.is_file()
        and path.parent.name != "__pycache__"
        and not path.name.startswith(".")
        and path.name != BUILT
    )
    digest = hashlib.sha256(repr(sys.version_info[:3]).encode())
    for path in sorted([root / "requirements.txt", *package]):
        content = path.read_bytes()
        digest.update(f"\n{path.relative_to(root).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def stored_fingerprint(app: Sphinx) -> Path:
    """Return the file, inside MyST-NB's cache, that says what the cache was filled under."""
    return Path(app.env.mystnb_config.execution_cache_path, FINGERPRINT)


def empty_if_stale(cache: Path, root: Path) -> None:
    """Forget every execution in the cache if the fingerprint has changed.

    The old fingerprint goes first and the new one comes last, so that an interrupted removal is
    done again by the next build.
    """
    stored, current = cache / FINGERPRINT, fingerprint(root)
    if not stored.is_file() or stored.read_text(encoding="utf-8") != current:
        stored.unlink(missing_ok=True)
        shutil.rmtree(cache, ignore_errors=True)
        cache.mkdir(parents=True, exist_ok=True)
        stored.write_text(current, encoding="utf-8")


def empty_stale_cache(app: Sphinx) -> None:
    """Let the build find no execution of another package than today's."""
    empty_if_stale(stored_fingerprint(app).parent, Path(app.srcdir))


def read_again(app: Sphinx, env: BuildEnvironment, *_: set[str]) -> list[str]:
    """Have every page read again if the fingerprint has changed since all of them were read.

    Sphinx writes `env` to disk only when every page has been read: an interrupted build leaves the
    old fingerprint there. What was executed before the interruption comes from the cache.
    """
    current = stored_fingerprint(app).read_text(encoding="utf-8")
    if getattr(env, "bardgpt_fingerprint", None) == current:
        return []
    env.bardgpt_fingerprint = current
    return sorted(env.found_docs)


def page_of(app: Sphinx, docname: str) -> Path:
    """Return the HTML file of a page."""
    return Path(app.outdir, f"{docname}.html")


def withdraw_undressed_pages(app: Sphinx) -> None:
    """Take pages off the site that are older than its style sheets, templates or extensions.

    Sphinx looks at none of them when it decides that there is nothing to do.
    """
    config = app.config
    folders = [*config.html_static_path, *config.html_extra_path, *config.templates_path]
    folders = [*(Path(app.srcdir, folder) for folder in folders), Path(__file__).parent]
    dress = [path for folder in folders for path in folder.rglob("*") if path.suffix != ".pyc"]
    newest = max(path.stat().st_mtime for path in dress if path.is_file())
    for page in (page_of(app, docname) for docname in app.env.all_docs):
        if page.is_file() and page.stat().st_mtime < newest:
            page.unlink()


def withdraw_pages(app: Sphinx, env: BuildEnvironment, docnames: list[str]) -> None:
    """Take all pages off the site when one is about to change, for each names the others.

    Sphinx would rewrite only that one, and after an interruption not even that.
    """
    for docname in env.found_docs if docnames else ():
        page_of(app, docname).unlink(missing_ok=True)


def write_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Have every page written that is not on the site."""
    return [docname for docname in env.found_docs if not page_of(app, docname).is_file()]


def notebook_of(app: Sphinx, docname: str) -> Path | None:
    """Return the `.ipynb` beside a chapter, which need not exist; None for another page."""
    source = Path(app.env.doc2path(docname))
    return source.with_suffix(".ipynb") if source.suffix == ".py" else None


def depend_on_notebook(app: Sphinx, docname: str, _: list[str]) -> None:
    """Make a chapter's page out of date when its notebook is newer."""
    if notebook := notebook_of(app, docname):
        app.env.note_dependency(str(notebook))


def offer_notebook(app: Sphinx, pagename: str, _: str, context: dict, __: object) -> None:
    """Put the notebook beside the page's source, and into the theme's download menu."""
    if app.builder.format != "html" or pagename not in app.env.all_docs:
        return
    notebook = notebook_of(app, pagename)
    if notebook and notebook.is_file():
        target = Path(app.outdir, "_sources", f"{pagename}.ipynb")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(notebook, target)
        context["ipynb_source"] = f"{pagename}.ipynb"


def lead_to_origin(_: Sphinx, pagename: str, __: str, context: dict, ___: object) -> None:
    """Let "Suggest edit" open the folder that a page is written from, where there is one."""
    if origin := WRITTEN_FROM.get(pagename):
        for menu in context["header_buttons"]:
            for button in menu.get("buttons", ()):
                if button["label"] == "source-edit-button":
                    head, _, _ = button["url"].partition(f"/{pagename}.")
                    button["url"] = f"{head.replace('/edit/', '/tree/')}/{origin}"


def drop_repeated_scripts(_: Sphinx, __: str, ___: str, context: dict, ____: object) -> None:
    """Keep each inline script once: a `const` written twice is an error in the browser."""
    once = {(js.filename or "", js.attributes.get("body")): js for js in context["script_files"]}
    context["script_files"] = list(once.values())


def leave_code(
    _: Sphinx, __: BuildEnvironment, node: pending_xref, content: TextElement
) -> TextElement | None:
    """Leave what stands between backticks in a docstring as code where it names nothing here."""
    return content if node["reftype"] == "obj" else None


def skip_tuple_fields(_: Sphinx, __: str, ___: str, member: object, *____: object) -> bool | None:
    """Leave out of the API what a named tuple says of its fields: "Alias for field number 0"."""
    return True if type(member).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the functions above to the build, in the order in which they are called."""
    app.connect("builder-inited", empty_stale_cache, priority=600)  # after MyST-NB's own, at 500
    app.connect("builder-inited", withdraw_undressed_pages)
    app.connect("env-get-outdated", read_again)
    app.connect("env-before-read-docs", withdraw_pages)
    app.connect("source-read", depend_on_notebook)
    app.connect("env-updated", write_again)
    app.connect("autodoc-skip-member", skip_tuple_fields)
    app.connect("missing-reference", leave_code)
    app.connect("html-page-context", offer_notebook, priority=400)  # before the theme's, at 500
    app.connect("html-page-context", lead_to_origin, priority=900)  # after the theme's
    app.connect("html-page-context", drop_repeated_scripts, priority=900)
    return {
        "version": "1",
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
