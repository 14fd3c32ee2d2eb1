"""What a listing shows: a piece of the package as it stands in its file."""

from bardgpt import shakespeare as text
from bardgpt.gpt import GPT
from bardgpt.layers.blocks import PlainBlock
from bardgpt.teaching import listing


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
