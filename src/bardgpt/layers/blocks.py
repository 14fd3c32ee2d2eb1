"""The block: attention, then feed-forward; wired in four ways.

Attention gathers, the feed-forward layer thinks over what was gathered, and the pair repeats. The
four classes have the same parts and differ only in how `forward` connects them; each one's two
lines are its formula. f stands for either part::

    PlainBlock       f(x)
    ResidualBlock    x + f(x)
    PostNormBlock    norm(x + f(x))
    PreNormBlock     x + f(norm(x))

Shapes: B batch, T time, C = n_embd.
"""

from torch import Tensor, nn

from bardgpt.config import GPTConfig
from bardgpt.layers.attention import CausalSelfAttention, MultiHeadAttention
from bardgpt.layers.feed_forward import FeedForward
from bardgpt.layers.normalization import BatchNorm, LayerNorm


class _Parts(nn.Module):
    """What every block has."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        attention = CausalSelfAttention if config.fused else MultiHeadAttention
        self.attention = attention(config)
        self.feed_forward = nn.Identity() if config.feed_forward == "none" else FeedForward(config)


class _NormedParts(_Parts):
    """What a block with normalization has: a norm for each part."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__(config)
        self.attention_norm = norm(config)
        self.feed_forward_norm = norm(config)


class PlainBlock(_Parts):
    """f(x): one part after the other.

    Source: the notes, up to the feed-forward layer.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        x = self.attention(x)
        return self.feed_forward(x)


class ResidualBlock(_Parts):
    """x + f(x): each part adds to a stream that passes by.

    Source: the notes; He et al. 2015, eq. (1) (arXiv:1512.03385).
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        x = x + self.attention(x)
        return x + self.feed_forward(x)


class PostNormBlock(_NormedParts):
    """norm(x + f(x)): normalize after the addition, on the stream itself.

    Source: Vaswani et al. 2017, §3.1 (arXiv:1706.03762). Equal to PyTorch's
    `TransformerEncoderLayer(norm_first=False)` with a causal mask.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        x = self.attention_norm(x + self.attention(x))
        return self.feed_forward_norm(x + self.feed_forward(x))


class PreNormBlock(_NormedParts):
    """x + f(norm(x)): normalize before each part, off the stream.

    Nothing on the path from x to the output but additions. The stream grows with depth, so the
    model ends in a norm of its own.

    Source: the notes; Xiong et al. 2020, table 1 (arXiv:2002.04745). Equal to PyTorch's
    `TransformerEncoderLayer(norm_first=True)` with a causal mask.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C)."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.feed_forward_norm(x))


BLOCKS = {
    "plain": PlainBlock,
    "residual": ResidualBlock,
    "post-norm": PostNormBlock,
    "pre-norm": PreNormBlock,
}

Block = PlainBlock | ResidualBlock | PostNormBlock | PreNormBlock


def norm(config: GPTConfig) -> LayerNorm | BatchNorm:
    """The normalization that the config names, for C channels."""
    if config.norm == "batch":
        return BatchNorm(config.n_embd)
    return LayerNorm(config.n_embd, fused=config.fused)
