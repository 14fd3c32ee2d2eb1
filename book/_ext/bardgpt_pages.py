"""The book's second Sphinx extension: what a page hands to the browser.

The code of figures folds under words that say what is in it, the code of a solution or an aside
lies in the fold of its text, captions are marked as captions, plots say what is seen in them, and
what no page uses is not loaded.
"""

import re
from html import escape

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

PLAIN_CODE = re.compile(r'<span class="[npw]">([^<]*)</span>')
# What Jupyter Book brings along and this book has no use for: buttons on folded admonitions, code
# that runs on the page, tabs and cards. Each mark is in the name of a file or in a script's text.
UNUSED = (
    "togglebutton",
    "toggleHint",
    "toggleOpenOnPrint",
    "thebe",
    "design-tabs",
    "sphinx-design",
)
# MyST-NB's names for what is folded (`nb_code_prompt_show` hands them on).
CELL, CODE = "content", "source"
# Opened from the disk a page may not read its neighbours: search finds them, and shows no extract.
SEARCH_ON_DISK = (
    'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'
)
# What a folded cell puts out, by a mark in it; everything else is a figure.
KINDS = {"bard-table": "table"} | {
    f"<bard-{name}": name for name in ("writer", "reader", "trainer", "sweep", "toy")
}
TITLE = re.compile(r"\A# @title .*\n")
SIGNATURE = re.compile(r'(?<=<span class="sig-paren">\(</span>)\s*<dl>(.*?)</dl>', re.DOTALL)
DESCRIPTION = re.compile(r"(?<=-desc\">)[^<]*(?=</desc>)")


def has_picture(node: nodes.Node) -> bool:
    """Say whether a node shows a plot, or raw HTML such as a diagram."""
    return any(node.findall(lambda inside: isinstance(inside, nodes.image | nodes.raw)))


def is_caption(paragraph: nodes.paragraph) -> bool:
    """Say whether a paragraph is one italic text that follows a picture or a table."""
    place = paragraph.parent.index(paragraph)
    if not place or [type(child) for child in paragraph.children] != [nodes.emphasis]:
        return False
    above = paragraph.parent[place - 1]
    if isinstance(above, nodes.table):
        return True
    is_shown = isinstance(above, nodes.raw) or "cell" in above.get("classes", ())
    return is_shown and has_picture(above)


MARKS = re.compile(r"[,.;:)!?]+")


def keep_marks(_: Sphinx, document: nodes.document, __: str) -> None:
    """Keep a comma, or what else ends a clause, on the line of the formula or code before it."""
    for node in [*document.findall(nodes.math), *document.findall(nodes.literal)]:
        following = node.next_node(descend=False, siblings=True)
        marks = isinstance(following, nodes.Text) and MARKS.match(following)
        if marks:
            parent = node.parent
            place = parent.index(node)
            kept = nodes.inline("", "", classes=["kept"])
            rest = nodes.Text(following[marks.end() :])
            parent[place : place + 2] = [kept, rest]
            kept += [node, nodes.Text(marks[0])]


def mark_captions(_: Sphinx, document: nodes.document, __: str) -> None:
    """Give each figure's caption the class `caption`."""
    for paragraph in document.findall(nodes.paragraph):
        if is_caption(paragraph):
            paragraph["classes"].append("caption")


def describe_plots(_: Sphinx, document: nodes.document, __: str) -> None:
    """Let each plot say what is seen in it, as the metadata of its cell has it."""
    for cell in document.findall(nodes.container):
        metadata = cell.get("cell_metadata", {})
        seen = metadata.get("mystnb", {}).get("image", {}).get("alt")
        for plot in cell.findall(nodes.raw) if seen else ():
            if "bard-plot" in plot.astext():
                html = DESCRIPTION.sub(lambda _, seen=seen: escape(seen), plot.astext())
                plot.children = []
                plot += nodes.Text(html)
                plot.rawsource = html


def drop_titles_of_forms(_: Sphinx, document: nodes.document, __: str) -> None:
    """Leave Colab's `# @title` out of a cell: here the fold itself has that title."""
    for block in document.findall(nodes.literal_block):
        code = TITLE.sub("", block.astext())
        if code != block.astext():
            block.children = []
            block += nodes.Text(code)
            block.rawsource = code


def visit_fold(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """Fold the code of a figure; what is folded whole lies in the fold of its text already."""
    if node["prompt_show"] == CODE:
        kinds = [what for mark, what in KINDS.items() if shows(node, mark)]
        kinds += ["figure"] if has_picture(node.parent) else []
        words = f"Code of this {kinds[0]}" if kinds else "Code"
        self.body.append(f'<details class="fold code">\n<summary>{words}</summary>\n')


def depart_fold(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """Close a fold."""
    if node["prompt_show"] == CODE:
        self.body.append("</details>\n")


def shows(node: nodes.Node, mark: str) -> bool:
    """Say whether what a folded cell puts out has a mark in it."""
    return any(mark in raw.astext() for raw in node.parent.findall(nodes.raw))


def enclose_folded(_: Sphinx, document: nodes.document, __: str) -> None:
    """Draw the cells of a solution or an aside into the fold of its text, which ends just above.

    In Jupyter and Colab each of the two folds by itself.
    """
    for cell in list(document.findall(is_folded_whole)):
        siblings = cell.parent.children
        place = siblings.index(cell)
        end = siblings[place - 1] if place else None
        if isinstance(end, nodes.raw) and end.astext().strip() == "</details>":
            siblings[place - 1], siblings[place] = cell, end


def is_folded_whole(node: nodes.Node) -> bool:
    """Say whether a node is a cell that is folded whole."""
    return isinstance(node, nodes.container) and "tag_hide-cell" in node.get("classes", ())


def line_up_signatures(_: Sphinx, __: str, ___: str, context: dict, ____: object) -> None:
    """Write a signature of several lines as lines: Sphinx's definition lists define nothing."""

    def lines(signature: re.Match) -> str:
        return signature[1].replace("<dd>", '<span class="sig-line">').replace("</dd>", "</span>")

    if "body" in context:
        context["body"] = SIGNATURE.sub(lines, context["body"])


def name_index(_: Sphinx, pagename: str, __: str, context: dict, ___: object) -> None:
    """Give the index a title on paper; the theme takes titles from sources, and it has none."""
    if pagename == "genindex":
        context["pagetitle"] = "Index"


def drop_unused(_: Sphinx, __: str, ___: str, context: dict, ____: object) -> None:
    """Keep what no page uses out of the page's scripts and style sheets."""
    for kind in ("script_files", "css_files"):
        context[kind] = [
            file
            for file in context[kind]
            if not any(
                mark in f"{file.filename or ''} {file.attributes.get('body', '')}"
                for mark in UNUSED
            )
        ]


def drop_colours_of_plain_code(_: Sphinx, __: str, ___: str, context: dict, ____: object) -> None:
    """Leave out what marks names, punctuation and spaces in code: they have the colour of text."""
    if "body" in context:
        context["body"] = PLAIN_CODE.sub(r"\1", context["body"])


def set_formulas_where_some_are(_: Sphinx, __: str, ___: str, context: dict, ____: object) -> None:
    """Leave the script that sets formulas, a megabyte, to the pages that have some."""
    if 'class="math' not in context.get("body", ""):
        context["script_files"] = [
            file
            for file in context["script_files"]
            if "mathjax" not in f"{file.filename or ''} {file.attributes.get('body', '')}".lower()
        ]


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the functions above to the build."""
    app.add_node(HideCodeCellNode, override=True, html=(visit_fold, depart_fold))
    app.connect("doctree-resolved", enclose_folded)
    app.connect("doctree-resolved", mark_captions)
    app.connect("doctree-resolved", keep_marks)
    app.connect("doctree-resolved", drop_titles_of_forms)
    app.connect("doctree-resolved", describe_plots)
    app.add_js_file(None, body=SEARCH_ON_DISK)
    app.connect("html-page-context", line_up_signatures)
    app.connect("html-page-context", name_index, priority=900)  # after the theme
    app.connect("html-page-context", drop_unused, priority=950)
    app.connect("html-page-context", drop_colours_of_plain_code)
    app.connect("html-page-context", set_formulas_where_some_are, priority=950)
    return {
        "version": "1",
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
