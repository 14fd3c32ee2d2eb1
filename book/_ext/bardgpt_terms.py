"""The glossary where it is needed: each chapter links a term where it is first used.

The link leads to the glossary's entry, and `terms.js` shows the entry beside the word. The entries
lie hidden at the end of a page's text, so a page works from the disk and without a server. They
are no part of what the search finds: they come when the page is put together.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from chapters import ancestors, is_chapter, outside_folds, reading_order
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

GLOSSARY = "book/glossary"
# Words that also have an everyday meaning: what of them is the term. They are not linked before
# the chapter that explains them.
HOMONYMS = {
    "bit": r"(?<=in )bits",
    "block": r"(?<!in )(?<!other )(?<!skip )blocks?(?! of scores)",  # nor those of keys
    "branch": r"branch(?:es)?",
    "buffer": r"buffers?",
    "cache": r"cache",
    "control": r"(?<=[Aa] )control",
    "gain": r"(?<=[Aa] )gain(?! comes| below)|(?<=its )gain",
    "head": r"heads?",
    "kernel": r"kernels?(?! size)",
    "key": r"keys",
    "mask": r"(?<!whose )(?<!dropout's )masks?",  # dropout's are others
    "record": r"(?<=[Tt]he )records?",
    "stream": r"streams?",
    "value": r"(?<=keys and )values|(?<=keys, )values",
}
# What has no room for a link: titles, links, code, formulas, tables and what cells put out.
CLOSED = (
    nodes.title,
    nodes.reference,
    addnodes.pending_xref,
    nodes.literal,
    nodes.math,
    nodes.raw,
    nodes.table,
    nodes.container,
)
GAP = r"[\s\u00a0\u2011-]"  # between the words of a term: a space or a hyphen
BEFORE, AFTER = r"(?<![\w\u2011-])", r"(?![\w\u2011-])"  # "block-diagonal" has no block in it
SENTENCE = re.compile(r"(?:^|[.!?:]\W*\s)\W*$")


@dataclass(frozen=True)
class Term:
    """An entry of the glossary, or another name of one.

    Attributes:
        name: as the glossary has it.
        anchor: of the entry, on the glossary's page.
        entry: what it says, without its link to a chapter.
        chapter: the page that explains it, and the words that link to it; None if it names none.
    """

    name: str
    anchor: str
    entry: nodes.paragraph
    chapter: tuple[str, str] | None

    @property
    def pattern(self) -> str:
        """A regular expression for the forms in which the term may stand in a text."""
        return HOMONYMS.get(self.name) or forms(self.name)


def forms(name: str) -> str:
    """A regular expression for a term: one or several of it, with hyphens or without."""
    *words, last = re.split(r"[\s-]", name)
    return f"{GAP}?".join([*map(re.escape, words), plural(last)]) if words else plural(last)


def plural(word: str) -> str:
    """A regular expression for a word in the singular and in the plural."""
    if re.search(r"[^s]s$", word):  # one of "logits" is a logit
        return f"{re.escape(word[:-1])}s?"
    if re.search(r"[^aeiou]y$", word):
        return f"{re.escape(word[:-1])}(?:y|ies)"
    return f"{re.escape(word)}(?:es)?" if re.search(r"(?:s|x|ch|sh)$", word) else f"{word}s?"


def first_use(term: Term, text: str, *, opens: bool) -> re.Match | None:
    """Where a text uses a term, if it does.

    A term without capitals may have one at the beginning of a sentence only: Windows are no
    windows.

    Args:
        term: of the glossary.
        text: a piece of a paragraph.
        opens: whether the paragraph begins with it.
    """
    flags = re.IGNORECASE if term.name.islower() else 0
    for found in re.finditer(f"{BEFORE}(?:{term.pattern}){AFTER}", text, flags):
        before = text[: found.start()]
        begins = bool(SENTENCE.search(before)) and (opens or bool(before.strip()))
        if not flags or found[0].islower() or (begins and found[0][1:].islower()):
            return found
    return None


def glossary(env: BuildEnvironment) -> list[Term]:
    """The terms of the glossary, the longest first: "attention weights" is more than attention."""
    document = env.get_doctree(GLOSSARY)
    terms = []
    for item in document.findall(nodes.definition_list_item):
        paragraph = next(item.findall(nodes.paragraph))
        link = next(paragraph.findall(addnodes.pending_xref), None)
        chapter = (link["reftarget"], link.astext()) if link is not None else None
        for name in item.findall(nodes.term):
            terms.append(Term(name.astext(), name["ids"][0], said(paragraph), chapter))
    return sorted(terms, key=lambda term: (-len(term.name), term.name))


def said(paragraph: nodes.paragraph) -> nodes.paragraph:
    """What an entry says: its link to a chapter left out, other links as their words."""
    copy = paragraph.deepcopy()
    links = list(copy.findall(addnodes.pending_xref))
    for link in links:
        link.parent.replace(link, [] if link is links[-1] else [nodes.Text(link.astext())])
    return copy


def texts(document: nodes.document) -> Iterator[nodes.Text]:
    """The pieces of a page's prose that may get links, in order; nothing of a fold."""
    for node in outside_folds(document):
        if isinstance(node, nodes.Text):
            above = list(ancestors(node))
            in_prose = any(isinstance(one, nodes.paragraph) for one in above)
            if in_prose and not any(isinstance(one, CLOSED) for one in above):
                yield node


def link_terms(app: Sphinx, document: nodes.document, docname: str) -> None:
    """Link each term where a chapter first uses it."""
    if is_chapter(app.env, docname):
        order = reading_order(app.env)
        waiting = [term for term in glossary(app.env) if may_occur(term, docname, order)]
        page = app.builder.get_relative_uri(docname, GLOSSARY)
        for text in texts(document):
            link_in(text, waiting, page)


def may_occur(term: Term, docname: str, order: list[str]) -> bool:
    """Whether a page may use a term: of words with two meanings, those explained by then."""
    if term.name not in HOMONYMS or term.chapter is None or term.chapter[0] not in order:
        return True
    return order.index(docname) >= order.index(term.chapter[0])


def link_in(text: nodes.Text, waiting: list[Term], page: str) -> None:
    """Link the terms of one piece of text, and take them from those that wait for a first use.

    Two names of one entry are one term.
    """
    parts: list[nodes.Node] = [text]
    paragraph = next(one for one in ancestors(text) if isinstance(one, nodes.paragraph))
    first = next(paragraph.findall(nodes.Text)) is text
    for term in list(waiting):
        if all(one is not term for one in waiting):
            continue  # another name of it was linked just now
        for place, part in enumerate(parts):
            opens = first and place == 0
            found = isinstance(part, nodes.Text) and first_use(term, str(part), opens=opens)
            if found:
                before, after = str(part)[: found.start()], str(part)[found.end() :]
                uri = f"{page}#{term.anchor}"
                link = nodes.reference("", found[0], refuri=uri, internal=True)
                link["classes"].append("bard-term")
                parts[place : place + 1] = [nodes.Text(before), link, nodes.Text(after)]
                waiting[:] = [one for one in waiting if one.entry.astext() != term.entry.astext()]
                break
    if len(parts) > 1:
        text.parent.replace(text, [part for part in parts if part.astext()])


def add_entries(
    app: Sphinx, pagename: str, _: str, context: dict, document: nodes.document | None
) -> None:
    """Put what the glossary says of a page's terms at the end of its text, hidden."""
    if document is None or app.builder.name == "epub" or "body" not in context:
        return
    links = [link for link in document.findall(nodes.reference) if "bard-term" in link["classes"]]
    anchors = {link["refuri"].partition("#")[2] for link in links}
    if anchors:
        terms = [term for term in glossary(app.env) if term.anchor in anchors]
        context["body"] += "".join(box(app, pagename, term) for term in terms)


def box(app: Sphinx, pagename: str, term: Term) -> str:
    """What the glossary says of a term, with a link to it and to the chapter that explains it."""
    sentence = app.builder.render_partial(term.entry)["fragment"]
    links = [(f"{app.builder.get_relative_uri(pagename, GLOSSARY)}#{term.anchor}", "Glossary")]
    if term.chapter and term.chapter[0] != pagename:
        links.insert(0, (app.builder.get_relative_uri(pagename, term.chapter[0]), term.chapter[1]))
    leads = " · ".join(f'<a href="{uri}" tabindex="-1">{escape(words)}</a>' for uri, words in links)
    return (
        f'<div class="bard-entry" id="entry-{term.anchor}" popover data-pagefind-ignore>\n'
        f"<p><strong>{escape(term.name)}</strong></p>\n{sentence}<p>{leads}</p>\n</div>\n"
    )


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the functions above to the build."""
    app.connect("doctree-resolved", link_terms, priority=700)  # once other links are resolved
    app.connect("html-page-context", add_entries)
    app.add_js_file("terms.js", loading_method="defer")
    app.add_css_file("terms.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
