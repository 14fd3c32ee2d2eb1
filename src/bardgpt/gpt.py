"""The model: ids in, one score for each possible next character out.

A character is looked up as a row of C numbers, its position adds another row, each block lets every
position collect from those before it and compute on what it has, and a linear layer turns the
result into V scores.

Shapes: B batch, T time, C = n_embd, V = vocab_size.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bardgpt.config import GPTConfig
from bardgpt.initialization import initialize
from bardgpt.layers.blocks import BLOCKS, norm
from bardgpt.layers.dropout import Dropout


class GPT(nn.Module):
    """embeddings -> blocks -> logits.

    With no blocks and no positions it is a bigram model: the chain E[x] @ W + b is a V x V table of
    logits of rank at most C, plus a row that all characters share.

    Source: the notes; the embeddings of Vaswani et al. 2017 (§3.4 and §3.5, arXiv:1706.03762), with
    learned positions, and a token embedding that is not tied to the output layer.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.config = config
        self.token_embedding = nn.Embedding(config.vocab_size, config.n_embd)
        self.position_embedding = (
            nn.Embedding(config.block_size, config.n_embd) if config.positions else None
        )
        self.dropout = Dropout(config.embedding_dropout)
        self.blocks = nn.ModuleList(BLOCKS[config.block](config) for _ in range(config.n_layer))
        self.norm = norm(config) if config.final_norm else nn.Identity()
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size)
        initialize(self, config)

    def forward(self, ids: Tensor, start: int = 0) -> Tensor:
        """Scores for the next character at every position.

        Args:
            ids: (B, T) int64, with T at most block_size.
            start: the position of the first id; above 0 only while keys and values of those before
                are cached (`bardgpt.sampling`).

        Returns:
            Logits (B, T, V); softmax over the last dimension gives probabilities.

        Raises:
            ValueError: if the ids are no tensor (B, T), or the last position is beyond block_size.
        """
        _require_ids(ids)
        end = start + ids.shape[1]
        if end > self.config.block_size:
            raise ValueError(f"got {end} positions; block_size is {self.config.block_size}")
        x = self.token_embedding(ids)  # (B, T, C)
        if self.position_embedding is not None:
            positions = torch.arange(start, end, device=ids.device)  # (T,)
            x = x + self.position_embedding(positions)  # (T, C) added
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x)  # (B, T, C)
        return self.lm_head(self.norm(x))  # (B, T, V)

    def n_parameters(self) -> int:
        """How many numbers training may change."""
        return sum(p.numel() for p in self.parameters())


def _require_ids(ids: object) -> None:
    """Let ids pass that are a tensor (B, T); say of others how they become one."""
    if not isinstance(ids, Tensor):
        raise ValueError(
            f"ids are a {type(ids).__name__}; a tensor (B, T) of whole numbers is needed: "
            "torch.tensor(ids)[None] makes one of a list, with B = 1"
        )
    if ids.dim() != 2:
        hint = ": ids[None] makes one of a single sequence" if ids.dim() == 1 else ""
        raise ValueError(f"ids have shape {tuple(ids.shape)}; (B, T) is needed{hint}")


def next_character_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of the true next characters, in nats per character.

    Args:
        logits: (B, T, V).
        targets: (B, T) int64.

    Returns:
        A scalar: the mean of -ln p(target) over all B x T positions.
    """
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten())  # (B*T, V) against (B*T,)
