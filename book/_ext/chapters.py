"""What the book's extensions ask of a chapter: which pages are one, and what a fold holds."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from docutils import nodes
from sphinx.environment import BuildEnvironment

APPENDIX = "book/appendix/"


def is_chapter(env: BuildEnvironment, docname: str) -> bool:
    """Say whether a page is a chapter or an appendix."""
    return str(env.doc2path(docname)).endswith(".py")


def reading_order(env: BuildEnvironment) -> list[str]:
    """The pages in the order of the contents."""
    root = env.config.root_doc
    return [root, *env.toctree_includes.get(root, [])]


def prefix(env: BuildEnvironment, docname: str) -> str:
    """What a chapter's figures are numbered under: "2", or "B" for the second appendix."""
    if docname.startswith(APPENDIX):
        appendices = [name for name in reading_order(env) if name.startswith(APPENDIX)]
        return chr(ord("A") + appendices.index(docname))
    return str(int(PurePosixPath(docname).name.partition("-")[0]))


def outside_folds(document: nodes.document) -> Iterator[nodes.Node]:
    """All nodes of a page in order, without those between a fold's raw beginning and end."""
    folded = False
    for node in list(document.findall()):
        if isinstance(node, nodes.raw):
            folded = (folded or "<details" in node.astext()) and "</details>" not in node.astext()
        if not folded:
            yield node


def ancestors(node: nodes.Node) -> Iterator[nodes.Node]:
    """What a node lies in, from the inside."""
    while node.parent is not None:
        node = node.parent
        yield node
