"""Causal self-attention: the one layer in which positions exchange content.

Three classes, one idea. `Head` is attention by itself. `MultiHeadAttention` is a list of heads,
side by side. `CausalSelfAttention` is the same function again, all heads in one product.

Shapes: B batch, T time, C = n_embd, nh = n_head, hs = head_size = C // nh (the paper's d_k = d_v).
"""

from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bardgpt.config import GPTConfig
from bardgpt.layers.dropout import Dropout, drop, is_bfloat16_on_cpu

WHOLE = 512  # positions up to which training in bfloat16 on a CPU keeps whole T x T matrices


def causal_mask(size: int) -> Tensor:
    """True where a query (row) may look at a key (column): at itself and at what came before.

    Returns:
        (size, size) bool, True on and below the diagonal.
    """
    return torch.ones(size, size, dtype=torch.bool).tril()


def attention_weights(q: Tensor, k: Tensor, mask: Tensor) -> Tensor:
    """How much each position takes from each position: softmax(q k^T / sqrt(hs)), masked.

    A dot product sums hs terms. If these are independent, of variance 1, the score would have
    variance hs without the scale, and the softmax of such scores all but picks one key. It is the
    number of terms that counts: hs, not C.

    Source: Vaswani et al. 2017, eq. (1) and §3.2.1 (arXiv:1706.03762).

    Args:
        q: (..., T, hs) queries.
        k: (..., T, hs) keys.
        mask: (T, T) bool, True where a query may look.

    Returns:
        (..., T, T); each row (a query) sums to 1 over its keys and is 0 where the mask is False.
    """
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5  # (..., T, T)
    return F.softmax(scores.masked_fill(~mask, float("-inf")), dim=-1)


def attention_dropout(config: GPTConfig) -> float:
    """The share of attention weights that dropout sets to 0."""
    return config.dropout if config.attention_dropout is None else config.attention_dropout


class Head(nn.Module):
    """One head of causal self-attention.

    Every position asks with a query, offers a key, and hands out a value; what it receives is the
    mean of the values up to its own, weighted by how well query and key agree.

    Source: the notes' single head; Vaswani et al. 2017, eq. (1).
    Differs: causal only; no bias on q, k, v; dropout on the weights.
    """

    causal: Tensor  # (block_size, block_size) bool

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.query = nn.Linear(config.n_embd, config.head_size, bias=False)
        self.key = nn.Linear(config.n_embd, config.head_size, bias=False)
        self.value = nn.Linear(config.n_embd, config.head_size, bias=False)
        self.dropout = Dropout(attention_dropout(config))
        self.register_buffer("causal", causal_mask(config.block_size), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, hs), T at most block_size."""
        T = x.shape[1]
        q, k, v = self.query(x), self.key(x), self.value(x)  # each (B, T, hs)
        weights = attention_weights(q, k, self.causal[:T, :T])  # (B, T, T)
        return self.dropout(weights) @ v  # (B, T, hs)


class MultiHeadAttention(nn.Module):
    """Several heads in parallel, their outputs concatenated over the channels.

    Source: the notes' list of heads; Vaswani et al. 2017, §3.2.2.
    Differs: the output projection (with bias, as in the lecture) is optional.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.heads = nn.ModuleList(Head(config) for _ in range(config.n_head))
        self.proj = nn.Linear(config.n_embd, config.n_embd) if config.projection else nn.Identity()
        self.dropout = Dropout(config.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C), T at most block_size."""
        y = torch.cat([head(x) for head in self.heads], dim=-1)  # (B, T, nh * hs = C)
        return self.dropout(self.proj(y))


class KeyValueCache:
    """The keys and values of the positions so far: a new character needs only its own.

    What a position offers depends on itself and its past alone, so it never changes later.

    Attributes:
        k: (B, nh, T, hs), or None before the first positions.
        v: likewise.
    """

    def __init__(self) -> None:
        self.k: Tensor | None = None
        self.v: Tensor | None = None

    def __len__(self) -> int:
        """T, the positions so far."""
        return 0 if self.k is None else self.k.shape[2]

    def clear(self) -> None:
        """Forget all positions."""
        self.k = self.v = None

    def append(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add positions at the end: many if there are none yet, else one at a time.

        Args:
            k: (B, nh, new, hs).
            v: likewise.

        Returns:
            The keys and the values of all positions so far.

        Raises:
            ValueError: if several positions are added to others: which of the new ones may look at
                which is no longer a triangle.
        """
        if self.k is None or self.v is None:
            self.k, self.v = k, v
        elif k.shape[2] != 1:
            raise ValueError(
                f"{k.shape[2]} positions after {len(self)}: fill an empty cache with as many as "
                "you like, then add one at a time"
            )
        else:
            self.k, self.v = torch.cat([self.k, k], dim=2), torch.cat([self.v, v], dim=2)
        return self.k, self.v


class CausalSelfAttention(nn.Module):
    """`MultiHeadAttention` in one product: all queries, keys and values at once, one fused kernel.

    Equal to the list of heads in outputs and gradients (at dropout 0: the kernel draws its dropout
    masks in another order). Training in bfloat16 on a CPU does without the kernel.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.n_head = config.n_head
        self.rate = attention_dropout(config)
        self.cache: KeyValueCache | None = None  # set by `bardgpt.sampling.cached` alone
        self.qkv = nn.Linear(config.n_embd, 3 * config.n_embd, bias=False)
        self.proj = nn.Linear(config.n_embd, config.n_embd) if config.projection else nn.Identity()
        self.dropout = Dropout(config.dropout)

    @classmethod
    def from_heads(cls, attention: MultiHeadAttention, config: GPTConfig) -> Self:
        """The same function with copied weights.

        Row i of a linear layer's weight makes channel i of its output. So the queries of all heads,
        stacked, are the first C rows of qkv, and likewise for keys and values.

        Args:
            attention: the list of heads.
            config: the one that the list was made from.
        """
        fused = cls(config)
        parts = [
            getattr(head, part).weight  # (hs, C)
            for part in ("query", "key", "value")
            for head in attention.heads
        ]
        with torch.no_grad():
            fused.qkv.weight.copy_(torch.cat(parts))  # (3C, C)
        fused.proj.load_state_dict(attention.proj.state_dict())
        return fused.train(attention.training)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, C) -> (B, T, C); with a cache, the T new positions see the cached ones too."""
        B, T, C = x.shape
        q, k, v = (
            z.view(B, T, self.n_head, -1).transpose(1, 2)  # (B, nh, T, hs)
            for z in self.qkv(x).split(C, dim=-1)
        )
        if self.cache is not None:
            k, v = self.cache.append(k, v)  # each (B, nh, all so far, hs)
        rate = self.rate if self.training else 0.0
        if self.training and T <= WHOLE and is_bfloat16_on_cpu(q):
            # The kernel saves memory; whole matrices take less time, forward and back. So does the
            # scale on q: `attention_weights`, which has it on the scores, takes an eighth longer.
            scores = (q / q.shape[-1] ** 0.5) @ k.transpose(-2, -1)  # (B, nh, T, T)
            later = scores.new_full((T, T), float("-inf")).triu(1)  # 0 where a query may look
            y = drop(F.softmax(scores + later, dim=-1), rate) @ v  # (B, nh, T, hs)
        else:
            # A single query stands last: it may look at every key there is.
            y = F.scaled_dot_product_attention(q, k, v, is_causal=T > 1, dropout_p=rate)
        y = y.transpose(1, 2).reshape(B, T, C)  # (B, T, C)
        return self.dropout(self.proj(y))
