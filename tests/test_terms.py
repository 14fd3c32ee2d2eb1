"""Terms of the glossary in a chapter: in which forms they are found, where they are linked."""

import sys
from pathlib import Path

import pytest
from docutils import nodes
from docutils.utils import new_document
from sphinx import addnodes

sys.path.append(str(Path(__file__).parents[1] / "book/_ext"))
import bardgpt_terms
from bardgpt_terms import HOMONYMS, Term, first_use, link_in, may_occur, said, texts

GLOSSARY = (Path(__file__).parents[1] / "book/glossary.md").read_text(encoding="utf-8")


def term(name: str, *, says: str = "", chapter: str = "book/02-heads") -> Term:
    entry = nodes.paragraph("", says or f"What {name} is.")
    return Term(name, f"term-{name.replace(' ', '-')}", entry, (chapter, "Chapter 2"))


def found(name: str, text: str) -> str | None:
    match = first_use(term(name), text, opens=True)
    return match and match[0]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("softmax", "then softmax divides", "softmax"),
        ("softmax", "Softmax divides", "Softmax"),
        ("softmax", "It adds. Softmax divides", "Softmax"),
        ("softmax", "the softmax's sum", "softmax"),
        ("query", "with queries and keys", "queries"),
        ("loss", "the losses of two", "losses"),
        ("batch", "in batches of 32", "batches"),
        ("logits", "one logit more", "logit"),
        ("attention weights", "an attention weight of 1", "attention weight"),
        ("layer norm", "after layer-norm,", "layer-norm"),
        ("cross-entropy", "the cross entropy", "cross entropy"),
        ("cross-entropy", "the cross\nentropy", "cross\nentropy"),
        ("warm-up", "with warmup,", "warmup"),
        ("pre-norm", "Pre-norm, before", "Pre-norm"),
        ("FLOP", "many FLOPs", "FLOPs"),
        ("value", "queries, keys and values", "values"),
        ("bit", "in bits and nats", "bits"),
    ],
)
def test_forms_of_a_term(name, text, expected):
    assert found(name, text) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("window", "line ends from Windows"),
        ("RMS", "these rms"),
        ("Muon", "a muon"),
        ("embedding", "un-embedding, embeddings-based"),
        ("nat", "nature and innate"),
        ("token", "tokenizer"),
        ("bit", "to the last bit"),
        ("value", "its singular values"),
        ("block", "in blocks of 900"),
        ("record", "Record a model's stream"),
        ("key", "a missing key"),
        ("gain", "A gain below is the median"),
        ("block", "with other blocks, it can skip blocks, a block of scores"),
        ("mask", "for dropout, whose masks differ, and dropout's masks"),
        ("cache", "in the caches of a CPU"),
    ],
)
def test_words_that_are_no_term(name, text):
    assert found(name, text) is None


def chapter(*children: nodes.Node) -> nodes.document:
    document = new_document("chapter")
    document += nodes.section("", nodes.title("", "The loss"), *children)
    return document


def linked(document: nodes.document, *names: str) -> list[str]:
    """The texts that have got links, in order."""
    waiting = [term(name) for name in names]
    for text in texts(document):
        link_in(text, waiting, "glossary.html")
    return [a.astext() for a in document.findall(nodes.reference) if "bard-term" in a["classes"]]


def test_only_prose_is_linked():
    """Not titles, links, code, formulas, tables, outputs; nor a solution, which is folded."""
    cell = nodes.container("", nodes.paragraph("", "loss 2.1"), classes=["cell"])
    entry = nodes.entry("", nodes.paragraph("", "loss"))
    row = nodes.row("", entry)
    table = nodes.table("", nodes.tgroup("", nodes.tbody("", row), cols=1))
    document = chapter(
        nodes.paragraph("", "", nodes.reference("", "loss", refuri="a.html")),
        nodes.paragraph("", "", nodes.literal("", "loss"), nodes.math("", "loss")),
        nodes.paragraph("", "", addnodes.pending_xref("", nodes.inline("", "loss"))),
        cell,
        table,
        nodes.raw("", '<details class="solution">', format="html"),
        nodes.paragraph("", "the loss falls"),
        nodes.raw("", "</details>", format="html"),
        nodes.paragraph("", "", nodes.Text("Here "), nodes.emphasis("", "losses"), nodes.Text(".")),
        nodes.paragraph("", "a loss again"),
    )
    assert linked(document, "loss") == ["losses"]
    assert document.astext().count("loss") == 10  # no word is lost


def test_a_longer_term_is_not_cut():
    document = chapter(nodes.paragraph("", "First attention weights, then attention, are shown."))
    assert linked(document, "attention weights", "attention") == ["attention weights", "attention"]


def test_the_link_leads_to_the_entry():
    document = chapter(nodes.paragraph("", "A position embedding."))
    linked(document, "position embedding")
    (link,) = document.findall(nodes.reference)
    assert link["refuri"] == "glossary.html#term-position-embedding"


def test_two_names_of_one_entry_are_linked_once():
    document = chapter(nodes.paragraph("", "A layer norm is layer normalization."))
    waiting = [term(name, says="It.") for name in ("layer normalization", "layer norm")]
    for text in texts(document):
        link_in(text, waiting, "glossary.html")
    assert [a.astext() for a in document.findall(nodes.reference)] == ["layer normalization"]


def test_a_word_with_two_meanings_waits_for_its_chapter():
    order = ["book/01-text", "book/02-heads", "book/03-more"]
    assert [may_occur(term("head"), name, order) for name in order] == [False, True, True]
    assert may_occur(term("softmax"), "book/01-text", order)


def test_words_with_two_meanings_are_in_the_glossary():
    for name in HOMONYMS:
        assert f"\n{name}\n  " in GLOSSARY


def test_an_entry_is_said_without_its_link_to_a_chapter():
    """But with the words of another link, and with its formulas as formulas."""
    links = [addnodes.pending_xref("", nodes.inline("", words)) for words in ("norms", "Chapter 6")]
    formula = nodes.math("", "x^2")
    entry = nodes.paragraph(
        "", "", nodes.Text("See "), links[0], nodes.Text(", "), formula, links[1]
    )
    assert said(entry).astext() == "See norms, x^2"
    assert len(list(said(entry).findall(nodes.math))) == 1
    assert entry.astext().endswith("Chapter 6")  # the glossary itself keeps it


def test_a_page_that_is_no_chapter_keeps_its_words(monkeypatch):
    monkeypatch.setattr(bardgpt_terms, "is_chapter", lambda *_: False)
    document = chapter(nodes.paragraph("", "the loss"))

    class App:
        env = None

    bardgpt_terms.link_terms(App(), document, "book/results")
    assert list(document.findall(nodes.reference)) == []
