"""What a listing shows: a piece of the package as it stands in its file."""

import ast
import inspect

import pytest

from bardgpt import shakespeare as text
from bardgpt.gpt import GPT
from bardgpt.lab import copying
from bardgpt.layers.attention import CausalSelfAttention
from bardgpt.layers.blocks import PlainBlock
from bardgpt.layers.feed_forward import FeedForward
from bardgpt.layers.normalization import LayerNorm
from bardgpt.teaching import listing
from bardgpt.teaching.listing import narrowed


def test_listing_is_the_source_under_its_modules_name():
    shown = listing(GPT.forward, text.shakespeare)
    assert shown.source.startswith(
        "# bardgpt.gpt\ndef forward(self, ids: Tensor, start: int = 0) -> Tensor:"
    )
    assert "\n\n# bardgpt.shakespeare\n@cache\ndef shakespeare()" in shown.source
    assert shown._repr_markdown_() == f"```python\n{shown.source}\n```"
    assert repr(shown) == shown.source


def test_listing_of_a_class_by_hand():
    assert listing(PlainBlock).source == (
        "# bardgpt.layers.blocks\n"
        "class PlainBlock(_Parts):\n"
        '    """f(x): one part after the other.\n'
        "\n"
        "    Source: the notes, up to the feed-forward layer.\n"
        '    """\n'
        "\n"
        "    def forward(self, x: Tensor) -> Tensor:\n"
        '        """(B, T, C) -> (B, T, C)."""\n'
        "        x = self.attention(x)\n"
        "        return self.feed_forward(x)"
    )


LONG = '''\
def f(x: Tensor, y: Tensor) -> Tensor:  # a line of code keeps what it says of shapes: (B, T, C)
    """What it does, in a first line that is too long for a page of the website, by some words.

    A paragraph whose first line is too long for a page by a word or two, so that they go over
    to its second line, which is short.

    Args:
        x: (B, T, C), with a description that is just too long for the columns of a page, so it
            goes on.
        y: another.
    """
    # A comment of a whole line may be too long as well; then the rest of it begins another line.
    return x + y'''

NARROW = '''\
def f(x: Tensor, y: Tensor) -> Tensor:  # a line of code keeps what it says of shapes: (B, T, C)
    """What it does, in a first line that is too long for a page of the website,
    by some words.

    A paragraph whose first line is too long for a page by a word or two, so
    that they go over to its second line, which is short.

    Args:
        x: (B, T, C), with a description that is just too long for the columns
            of a page, so it goes on.
        y: another.
    """
    # A comment of a whole line may be too long as well; then the rest of it
    # begins another line.
    return x + y'''


def test_prose_of_a_listing_fits_the_page():
    assert narrowed(LONG) == NARROW
    assert narrowed(NARROW) == NARROW


@pytest.mark.parametrize("piece", [FeedForward, LayerNorm, copying.by_hand, CausalSelfAttention])
def test_a_narrowed_listing_says_the_same(piece):
    source = inspect.getsource(piece)
    assert narrowed(source).replace("# ", "").split() == source.replace("# ", "").split()
    assert ast.dump(without_docstrings(narrowed(source))) == ast.dump(without_docstrings(source))


def without_docstrings(source):
    """The code of some source text alone."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    return tree
