"""Figures, tables and equations have numbers on the site, and a text can refer to them.

A chapter stays plain Markdown. What a text refers to has a name: a figure or a table in the header
of its cell (`mystnb={"image": {"name": "fig-gradients"}}`), an equation or a table in Markdown in
a comment above it (`<!-- eq-attention -->`). The text says "[the figure above](#fig-gradients)".
So it reads in Jupyter and Colab; here the words give way to the number, "Figure 5.3", wherever it
has moved to.
"""

import re
from collections import Counter
from collections.abc import Iterator

from bardgpt_pages import is_caption
from chapters import is_chapter, outside_folds, prefix
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

NAME = re.compile(r"<!-- ((?:eq|tab)-[\w-]+) -->")
# Where the environment keeps what can be referred to: by name, the page, the kind and the number.
Place = tuple[str, str, int]


def places(env: BuildEnvironment) -> dict[str, Place]:
    """What can be referred to, by name."""
    if not hasattr(env, "bardgpt_places"):
        env.bardgpt_places = {}
    return env.bardgpt_places


def numbered(document: nodes.document) -> Iterator[tuple[nodes.Element, str]]:
    """What gets a number, in order, with its kind.

    A plot or a diagram needs a caption for it, a table and an equation do not.
    """
    for node in outside_folds(document):
        if isinstance(node, nodes.math_block):
            yield node, "Equation"
        elif isinstance(node, nodes.table):
            yield node, "Table"
        elif isinstance(node, nodes.container) and "cell" in node["classes"]:
            if has_table(node):
                yield node, "Table"
            elif caption_of(node):
                yield node, "Figure"


def has_table(cell: nodes.Element) -> bool:
    """Say whether a cell puts out a table, in sight."""
    tables = (raw for raw in cell.findall(nodes.raw) if "bard-table" in raw.astext())
    return "tag_hide-cell" not in cell["classes"] and any(tables)


def caption_of(node: nodes.Element) -> nodes.paragraph | None:
    """The caption below a cell or a table, if it has one."""
    following = node.next_node(descend=False, siblings=True)
    captioned = isinstance(following, nodes.paragraph) and is_caption(following)
    return following if captioned else None


def name_of(node: nodes.Element) -> str | None:
    """The name under which a text may refer to something."""
    if name := node.get("cell_metadata", {}).get("mystnb", {}).get("image", {}).get("name"):
        return name
    place = node.parent.index(node)
    above = node.parent[place - 1] if place else None
    found = NAME.search(above.astext()) if isinstance(above, nodes.raw) else None
    return found[1] if found else None


def count(app: Sphinx, document: nodes.document) -> None:
    """Number what a chapter shows, each kind by itself, and keep what has a name."""
    env = app.env
    if not is_chapter(env, env.docname):
        return
    counts = Counter()
    for node, kind in list(numbered(document)):
        counts[kind] += 1
        node["bard_number"] = (kind, counts[kind])
        name = name_of(node)
        node["ids"].append(name or f"{kind.lower()}-{counts[kind]}")
        if name:
            places(env)[name] = (env.docname, kind, counts[kind])
            domain = env.domains["std"]
            domain.note_hyperlink_target(name, env.docname, name, f"{kind} {counts[kind]}")


def show_numbers(app: Sphinx, document: nodes.document, docname: str) -> None:
    """Write each number where it is looked for: at a caption's beginning, beside an equation."""
    for node in list(document.findall(nodes.Element)):
        if "bard_number" in node:
            kind, number = node["bard_number"]
            said = f"{prefix(app.env, docname)}.{number}"
            if kind == "Equation":
                node["number"] = said
            else:
                label = nodes.strong("", f"{kind} {said}", classes=["number"])
                put_at_caption(node, label)
    for reference in document.findall(nodes.reference):
        name = reference.get("refid") or reference.get("refuri", "").partition("#")[2]
        if name in places(app.env) and "number" not in reference["classes"]:
            there, kind, number = places(app.env)[name]
            words = f"{kind} {prefix(app.env, there)}.{number}"
            reference.children = []
            reference += nodes.Text(words)


def put_at_caption(node: nodes.Element, label: nodes.strong) -> None:
    """Begin a caption with a number; without a caption the number stands there alone."""
    caption = next_caption(node)
    if caption is None:
        caption = nodes.paragraph(classes=["caption"])
        node.parent.insert(node.parent.index(node) + 1, caption)
    else:
        label += nodes.Text(". ")
    caption.insert(0, label)


def next_caption(node: nodes.Element) -> nodes.paragraph | None:
    """The paragraph below that is marked as a caption."""
    following = node.next_node(descend=False, siblings=True)
    return (
        following
        if isinstance(following, nodes.paragraph) and ("caption" in following["classes"])
        else None
    )


def forget(_: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """Forget what a page had, before it is read again or because it is gone."""
    for name in [name for name, (page, *_) in places(env).items() if page == docname]:
        del places(env)[name]


def merge(_: Sphinx, env: BuildEnvironment, __: list[str], other: BuildEnvironment) -> None:
    """Take over what was read by another process."""
    places(env).update(places(other))


def number_equations_here(_: Sphinx, config: Config) -> None:
    """Keep Sphinx from numbering equations, which it does where chapters have numbers."""
    config.math_numfig = False


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the functions above to the build."""
    app.connect("config-inited", number_equations_here)
    app.connect("doctree-read", count)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("doctree-resolved", show_numbers, priority=600)  # once captions are marked
    app.add_css_file("numbers.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
