"""Numbers of figures, tables and equations, and the references to them."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

sys.path.append(str(Path(__file__).parents[1] / "book/_ext"))
import bardgpt_numbers
from bardgpt_numbers import count, forget, merge, show_numbers
from bardgpt_pages import mark_captions
from chapters import prefix

CONTENTS = ["book/02-heads", "book/10-last", "book/appendix/own-text", "book/appendix/whole"]


class Domain:
    """Stands in for Sphinx's: keeps what it is told."""

    def __init__(self) -> None:
        self.told = []

    def note_hyperlink_target(self, *told: str) -> None:
        self.told.append(told)


def environment(docname: str) -> SimpleNamespace:
    return SimpleNamespace(
        docname=docname,
        config=SimpleNamespace(root_doc="book/index"),
        toctree_includes={"book/index": CONTENTS},
        domains={"std": Domain()},
        doc2path=lambda name: f"{name}{'.py' if name in CONTENTS else '.md'}",
    )


def cell(html: str, name: str | None = None, *classes: str) -> nodes.container:
    raw = nodes.raw("", html, format="html")
    metadata = {"mystnb": {"image": {"alt": "Seen.", "name": name}}} if name else {}
    return nodes.container("", raw, classes=["cell", *classes], cell_metadata=metadata)


def caption(words: str) -> nodes.paragraph:
    return nodes.paragraph("", "", nodes.emphasis("", words))


def comment(name: str) -> nodes.raw:
    return nodes.raw("", f"<!-- {name} -->", format="html")


def built(
    *children: nodes.Node, docname: str = "book/02-heads", env=None
) -> tuple[nodes.document, SimpleNamespace]:
    """A page with its numbers, and the environment that knows them."""
    env = env or environment(docname)
    env.docname = docname
    document = new_document("page")
    document += nodes.section("", *children)
    app = SimpleNamespace(env=env)
    count(app, document)
    mark_captions(app, document, docname)
    show_numbers(app, document, docname)
    return document, env


def captions(document: nodes.document) -> list[str]:
    return [p.astext() for p in document.findall(nodes.paragraph) if "caption" in p["classes"]]


SVG, TABLE = "<svg></svg>", '<div class="bard-table"></div>'


def test_figures_and_tables_are_counted_apart():
    """A plot has a number if it has a caption; a table always, alone where it has none."""
    document, _ = built(
        cell(SVG),
        caption("The first."),
        cell(SVG),
        nodes.paragraph("", "No caption."),
        cell(TABLE),
        caption("Losses."),
        cell(SVG),
        caption("The second."),
        cell(TABLE),
        nodes.paragraph("", "Prose."),
    )
    assert captions(document) == [
        "Figure 2.1. The first.",
        "Table 2.1. Losses.",
        "Figure 2.2. The second.",
        "Table 2.2",
    ]


def test_solutions_have_no_numbers():
    document, _ = built(
        nodes.raw("", '<details class="solution">', format="html"),
        nodes.math_block("", "x"),
        nodes.raw("", "</details>", format="html"),
        cell(TABLE, None, "tag_hide-cell"),
        cell(TABLE),
    )
    assert captions(document) == ["Table 2.1"]
    assert "number" not in next(document.findall(nodes.math_block)).attributes


@pytest.mark.parametrize(
    ("docname", "said"),
    [
        ("book/02-heads", "2"),
        ("book/10-last", "10"),
        ("book/appendix/own-text", "A"),
        ("book/appendix/whole", "B"),
    ],
)
def test_numbers_begin_with_the_chapter_s(docname, said):
    document, env = built(nodes.math_block("", "x"), nodes.math_block("", "y"), docname=docname)
    assert prefix(env, docname) == said
    numbers = [block["number"] for block in document.findall(nodes.math_block)]
    assert numbers == [f"{said}.1", f"{said}.2"]


def test_a_page_around_the_chapters_has_no_numbers():
    document, _ = built(cell(SVG), caption("Words."), docname="book/results")
    assert captions(document) == ["Words."]


def test_a_reference_says_the_number():
    """On the same page by id and on another by address; in place of the words of the notebook."""
    env = environment("book/02-heads")
    _, env = built(
        cell(SVG),
        caption("One."),
        cell(SVG, "fig-x"),
        caption("Two."),
        comment("eq-y"),
        nodes.math_block("", "y"),
        env=env,
    )
    document, _ = built(
        cell(SVG, "fig-here"),
        caption("Here."),
        nodes.paragraph("", "", nodes.reference("", "the figure above", refid="fig-here")),
        nodes.paragraph("", "", nodes.reference("", "there", refuri="02-heads.html#fig-x")),
        nodes.paragraph("", "", nodes.reference("", "so", refuri="02-heads.html#eq-y")),
        nodes.paragraph("", "", nodes.reference("", "words", refuri="02-heads.html#a-section")),
        docname="book/10-last",
        env=env,
    )
    assert [link.astext() for link in document.findall(nodes.reference)] == [
        "Figure 10.1",
        "Figure 2.2",
        "Equation 2.1",
        "words",
    ]
    assert env.domains["std"].told == [
        ("fig-x", "book/02-heads", "fig-x", "Figure 2"),
        ("eq-y", "book/02-heads", "eq-y", "Equation 1"),
        ("fig-here", "book/10-last", "fig-here", "Figure 1"),
    ]


def test_what_has_a_number_has_a_place():
    document, _ = built(cell(SVG), caption("One."), cell(SVG, "fig-x"), caption("Two."))
    assert [one["ids"] for one in document.findall(nodes.container)] == [["figure-1"], ["fig-x"]]


def test_a_page_that_is_read_again_is_counted_again():
    _, env = built(cell(SVG, "fig-old"), caption("Old."), cell(SVG, "fig-x"), caption("X."))
    forget(None, env, "book/02-heads")
    _, env = built(cell(SVG, "fig-x"), caption("X."), env=env)
    assert bardgpt_numbers.places(env) == {"fig-x": ("book/02-heads", "Figure", 1)}


def test_pages_read_by_two_processes_are_brought_together():
    _, one = built(cell(SVG, "fig-x"), caption("X."))
    _, other = built(cell(SVG, "fig-y"), caption("Y."), docname="book/10-last")
    merge(None, one, ["book/10-last"], other)
    assert set(bardgpt_numbers.places(one)) == {"fig-x", "fig-y"}
