"""The feed-forward layer: what each position computes by itself, after it has listened.

Attention moves content between positions; this layer works on one position at a time and knows
nothing of the others.

Shapes: B batch, T time, C = n_embd, H hidden units (the paper's d_ff).
"""

from torch import Tensor, nn

from bardgpt.config import GPTConfig
from bardgpt.layers.dropout import Dropout

ACTIVATIONS = {"relu": nn.ReLU, "gelu": nn.GELU, "none": nn.Identity}


class FeedForward(nn.Module):
    """Linear, ReLU and, once it has grown, linear: a small multi-layer perceptron at each position.

    "one-layer" is the notes' first version, H = C hidden units that are the output. "two-layer" is
    the grown one: H = 4 C hidden units (or another `expansion`), projected back to C channels, so
    that the result can be added to what came in.

    Source: the notes; Vaswani et al. 2017, §3.3, eq. (2) (arXiv:1706.03762).
    Differs: the version of one layer; GELU or nothing in the ReLU's place, to compare; dropout at
    the end, as §5.4 has it for each sub-layer.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        C, H = config.n_embd, config.n_hidden
        self.hidden = nn.Linear(C, H)
        self.activation = ACTIVATIONS[config.activation]()
        self.proj = nn.Linear(H, C) if config.feed_forward == "two-layer" else nn.Identity()
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C), or any other shape that ends in C."""
        h = self.activation(self.hidden(x))  # (B, T, H)
        return self.dropout(self.proj(h))  # (B, T, C)
