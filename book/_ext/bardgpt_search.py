"""The book's search: an index of its sections, which a browser reads only when somebody searches.

Pagefind makes it, from each section by itself rather than from whole pages: so a hit leads to the
place, and a section is ranked by its own words. What is shown of a hit is prose. Code can be found
by its words, but stands behind the prose, where no extract reaches; solutions stay folded.
`book/_static/search.js` is the other half.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from docutils import nodes
from pagefind_bin import get_executable
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

# Where the index lies on the site, and what of Pagefind's own interface the book does not use.
FOLDER = "_static/pagefind"
UNUSED = ("*-ui.js", "*-ui.css", "*-highlight.js")
# A match in a title counts more than one in the text, and one in code hardly at all.
TITLE, TERM, CODE = 10, 8, 0.1
CHAPTER = re.compile(r"book/(\d|appendix/)")
# A formula that reads as text: letters, digits and signs, and no command.
PLAIN = re.compile(r"[\w\s()+\-*/=.,<>|]*")
# Its words are none of the section's: other pages' titles, drawings, tables of outputs, comments.
PASSED_OVER = (addnodes.toctree, addnodes.index, nodes.raw, nodes.image, nodes.comment, nodes.title)


@dataclass
class Passage:
    """What can be found as one hit: a section, a term of the glossary, or an entry of the API.

    Attributes:
        page: The title of its page.
        title: Its own title; the page's where it is the page's beginning.
        place: The page's docname.
        anchor: The id of its heading.
        weight: How much more a match in the title counts than one in the text.
        prose: Its text, in pieces.
        code: Its code, in pieces.
    """

    page: str
    title: str
    place: str
    anchor: str
    weight: float = TITLE
    prose: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """What it belongs to: search.js orders hits by it. Exercises explain nothing."""
        if self.place.startswith("book/api/"):
            return "API"
        return "chapter" if CHAPTER.match(self.place) and self.title != "Exercises" else "around"

    def html(self, address: str) -> str:
        """Return it as a page of its own, as Pagefind reads pages.

        `from` and `to` say how many words its title and its prose have, for the extract.
        """
        prose = " ".join(" ".join(self.prose).split())
        return (
            '<html lang="en"><body data-pagefind-body>'
            f'<p data-pagefind-weight="{self.weight}">{escape(self.title)}</p>'
            f"<p>{escape(prose)}</p>"
            f'<p data-pagefind-weight="{CODE}">{escape(" ".join(self.code))}</p>'
            f'<i data-pagefind-filter="kind:{self.kind}"></i>'
            f"{meta('title', self.title)}{meta('page', self.page)}{meta('address', address)}"
            f"{meta('from', len(self.title.split()))}{meta('to', len(prose.split()))}"
            "</body></html>"
        )


def meta(name: str, value: object) -> str:
    """Return one thing that a hit says of itself and that is not searched."""
    return f'<i data-pagefind-meta="{name}[content]" content="{escape(str(value))}"></i>'


def formula(latex: str) -> str:
    """Return a formula as it may stand in an extract: as text where it is one, else as a gap."""
    return latex.strip() if PLAIN.fullmatch(latex) else "…"


def text(node: nodes.Node) -> str:
    """Return a node's words."""
    if isinstance(node, nodes.math | nodes.math_block):
        return formula(node.astext())
    if isinstance(node, nodes.Text):
        return node.astext()
    if isinstance(node, PASSED_OVER):
        return ""
    inner = "".join(map(text, node.children))
    return inner if isinstance(node, nodes.Inline) else f"{inner} "


def passages(document: nodes.document, place: str) -> Iterator[Passage]:
    """Yield what can be found on a page.

    Args:
        document: The page, as it was read.
        place: Its docname.
    """
    heading = next(document.findall(nodes.title), None)
    if heading is not None:
        section = heading.parent
        yield from gathered(section, Passage(text(heading).strip(), "", place, ""))


def gathered(section: nodes.Element, above: Passage) -> Iterator[Passage]:
    """Yield a section, then what is inside it and can be found by itself."""
    heading = next(section.findall(nodes.title))
    title = " ".join("".join(map(text, heading.children)).split())
    passage = Passage(above.page or title, title, above.place, section["ids"][0])
    inside = list(collect(section.children, passage))
    yield passage
    yield from inside


def collect(siblings: list[nodes.Node], passage: Passage) -> Iterator[Passage]:
    """Put the words of some nodes into a passage; yield the passages that begin among them."""
    folded = False
    for node in siblings:
        if isinstance(node, nodes.raw):
            folded = node.astext().lstrip().startswith("<details") or (
                folded and "</details>" not in node.astext()
            )
        elif folded or isinstance(node, PASSED_OVER):
            continue
        elif isinstance(node, nodes.section):
            yield from gathered(node, passage)
        elif isinstance(node, addnodes.glossary):
            yield from terms(node, passage)
        elif isinstance(node, addnodes.desc):
            yield from entry(node, passage)
        elif isinstance(node, nodes.literal_block):
            passage.code.append(node.astext())
        elif "cell" in node.get("classes", ()) or "cell_input" in node.get("classes", ()):
            yield from collect(node.children, passage)
        elif "cell_output" not in node.get("classes", ()):
            passage.prose.append(text(node))


def terms(glossary: addnodes.glossary, above: Passage) -> Iterator[Passage]:
    """Yield each term of a glossary with what is said about it."""
    for item in glossary.findall(nodes.definition_list_item):
        term = next(item.findall(nodes.term))
        said = [text(part) for part in item.findall(nodes.definition)]
        name = term.astext().strip()
        yield Passage(above.page, name, above.place, term["ids"][0], weight=TERM, prose=said)


def entry(description: addnodes.desc, above: Passage) -> Iterator[Passage]:
    """Yield what the API says of a name, then of each name inside it."""
    signature = next(description.findall(addnodes.desc_signature))
    if not signature["ids"]:
        return
    anchor = signature["ids"][0]
    passage = Passage(above.page, anchor.removeprefix("bardgpt."), above.place, anchor)
    content = [n for n in description.children if isinstance(n, addnodes.desc_content)]
    inside = [found for node in content for found in collect(node.children, passage)]
    yield passage
    yield from inside


def write(found: list[tuple[str, Passage]], folder: Path) -> None:
    """Write the index of some passages, each with its address, into a folder.

    Pagefind's program does it, and not its package for Python: that ends the program as soon as it
    is told that the files are written, and on a busy machine some are then cut off.
    """
    shutil.rmtree(folder, ignore_errors=True)
    with TemporaryDirectory() as pages:
        for number, (address, passage) in enumerate(found):
            Path(pages, f"{number}.html").write_text(passage.html(address), encoding="utf-8")
        where = ["--site", pages, "--output-path", str(folder)]
        command = [get_executable(), *where, "--force-language", "en", "--quiet"]
        told = subprocess.run(command, capture_output=True, encoding="utf-8")
    if told.returncode:
        raise ExtensionError(f"Pagefind made no index: {told.stderr or told.stdout}")
    for pattern in UNUSED:
        for path in folder.glob(pattern):
            path.unlink()


def index(app: Sphinx, exception: Exception | None) -> None:
    """Write the search's index beside the website's other static files."""
    if exception or app.builder.name != "html":
        return
    found = [
        (f"{app.builder.get_target_uri(place)}#{passage.anchor}", passage)
        for place in sorted(app.env.found_docs)
        for passage in passages(app.env.get_doctree(place), place)
    ]
    write(found, Path(app.outdir, FOLDER))


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the index to the end of a build, and its reader to every page."""
    app.add_js_file("search.js", loading_method="defer")
    app.add_css_file("search.css")
    app.connect("build-finished", index)
    return {
        "version": "1",
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
