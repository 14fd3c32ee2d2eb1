"""The model: ids in, one score for each possible next character out.

At this rung it is the smallest language model that deserves the name, the bigram: a character is
looked up as a row of C numbers, and a linear layer turns that row into V scores. It sees one
character and nothing before it.

Shapes: B batch, T time, C = n_embd, V = vocab_size.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from bardgpt.config import GPTConfig


class GPT(nn.Module):
    """embeddings -> logits.

    The chain E[x] @ W + b is a V x V table of logits of rank at most C, plus a row that all
    characters share: the bigram's whole table when C >= V, a compressed one when C < V.

    Source: the notes' starting point; the token embedding of Vaswani et al. 2017 (§3.4,
    arXiv:1706.03762), not tied to the output layer.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.n_embd)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size)

    def forward(self, ids: Tensor) -> Tensor:
        """Scores for the next character at every position.

        Args:
            ids: (B, T) int64, with T at most block_size.

        Returns:
            Logits (B, T, V); softmax over the last dimension gives probabilities.

        Raises:
            ValueError: if T is longer than block_size.
        """
        T = ids.shape[1]
        if T > self.config.block_size:
            raise ValueError(f"got {T} positions; block_size is {self.config.block_size}")
        x = self.token_embedding(ids)  # (B, T, C)
        return self.lm_head(x)  # (B, T, V)

    def n_parameters(self) -> int:
        """How many numbers training may change."""
        return sum(p.numel() for p in self.parameters())


def next_character_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of the true next characters, in nats per character.

    Args:
        logits: (B, T, V).
        targets: (B, T) int64.

    Returns:
        A scalar: the mean of -ln p(target) over all B x T positions.
    """
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())  # (B*T, V) against (B*T,)
