"""A toy for attention alone: copy what stood one place back, and what stood three places back.

A text is letters drawn at random, so that places are all there is to learn. At each position but
the first three the model is asked for two letters at once, `ids[t - 1]` and `ids[t - 3]`. It
answers with the logits of two alphabets, one for each question: V is twice the number of letters.

- "both": which letter stood one back, and which one three back?
- "either": which letters stood there, in whatever order? Only the first alphabet is asked, and both
  letters are right, each half of the time.

Shapes: B texts of T characters, A letters; the logits have V = 2 A.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT

Task = Literal["both", "either"]
FIRST = 3  # the first position that is asked: it has something three places back
JUDGED, JUDGES_SEED = 2_000, 1_000_003  # texts that a trained model is judged on, and their seed


@dataclass(frozen=True)
class Copying:
    """One head or several, without anything else, and how they are trained.

    A text is as long as there are letters, and the model twice as wide: as many channels as it
    takes to write down a letter and a place (`by_hand`).

    Attributes:
        n_head: nh, which share the width.
        task: what is asked.
        letters: A; also T.
        steps: of AdamW.
        learning_rate: its rate.
        batch_size: B, texts in a step, all new.
    """

    n_head: int
    task: Task = "both"
    letters: int = 16
    steps: int = 2_000
    learning_rate: float = 3e-3
    batch_size: int = 32

    @property
    def model(self) -> GPTConfig:
        """Embeddings, attention, output layer."""
        A = self.letters
        return GPTConfig(vocab_size=2 * A, block_size=A, n_embd=2 * A, n_head=self.n_head)

    @property
    def floor(self) -> float:
        """The least possible loss, which for "either" is that of a toss-up between two letters."""
        return math.log(2) * (1 - 1 / self.letters) if self.task == "either" else 0.0


def texts(n: int, letters: int, generator: torch.Generator) -> Tensor:
    """Random texts: (n, T) ids from 0 to A - 1, with T = A."""
    return torch.randint(letters, (n, letters), generator=generator)


def answers(ids: Tensor) -> tuple[Tensor, Tensor]:
    """What stood one back and three back, for each position from the fourth on.

    ids: (B, T). Returns two tensors (B, T - 3).
    """
    return ids[:, FIRST - 1 : -1], ids[:, :-FIRST]


def loss(model: GPT, ids: Tensor, task: Task) -> Tensor:
    """The mean of -ln p(right letter) over both answers and all positions that are asked.

    Args:
        model: of a `Copying`.
        ids: (B, T).
        task: what is asked.

    Returns:
        A scalar, in nats per answer.
    """
    one, three = _logits(model, ids)  # (B, T - 3, A) each
    if task == "either":
        three = one
    pairs = zip((one, three), answers(ids), strict=True)
    return torch.stack([F.cross_entropy(z.flatten(0, 1), a.flatten()) for z, a in pairs]).mean()


def right(model: GPT, ids: Tensor) -> float:
    """The share of positions at which both letters of "both" are the likeliest of their alphabet.

    ids: (B, T).
    """
    pairs = zip(_logits(model, ids), answers(ids), strict=True)
    hits = torch.stack([z.argmax(dim=-1) == a for z, a in pairs])  # (2, B, T - 3)
    return hits.all(dim=0).double().mean().item()


def _logits(model: GPT, ids: Tensor) -> tuple[Tensor, ...]:
    """The two alphabets' logits where answers are asked for, each (B, T - 3, A)."""
    return model(ids)[:, FIRST:].chunk(2, dim=-1)


def train(toy: Copying, seed: int) -> GPT:
    """A model trained from one seed, which its weights and its texts depend on.

    Returns:
        The model, in evaluation mode.
    """
    torch.manual_seed(seed)
    model = GPT(toy.model)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=toy.learning_rate)
    for _ in range(toy.steps):
        ids = texts(toy.batch_size, toy.letters, generator)  # (B, T)
        optimizer.zero_grad()
        loss(model, ids, toy.task).backward()
        optimizer.step()
    return model.eval()


@torch.no_grad()
def judge(model: GPT, toy: Copying) -> dict[str, float]:
    """The loss and the share of right answers on texts that are the same for all models."""
    generator = torch.Generator().manual_seed(JUDGES_SEED)
    ids = texts(JUDGED, toy.letters, generator)  # (2000, T)
    return {"loss": loss(model, ids, toy.task).item(), "right": right(model, ids)}


@torch.no_grad()
def by_hand(letters: int) -> GPT:
    """Two heads that copy without a mistake, nothing learned.

    The first A channels of the stream say which letter it is, the others at which place. A query
    says which place is wanted, a key which one this is, a value which letter stands here.
    """
    A, sure = letters, 1_000.0  # so sure that a softmax gives 1 and 0
    model = GPT(Copying(n_head=2, letters=A).model)
    for parameter in model.parameters():
        parameter.zero_()
    one = torch.eye(A)  # (A, A)
    model.token_embedding.weight[:A, :A] = one
    model.get_parameter("position_embedding.weight")[:, A:] = one
    for head, back in enumerate((1, FIRST)):
        query, key, value = (
            model.get_parameter(f"blocks.0.attention.heads.{head}.{part}.weight")  # (A, 2A)
            for part in ("query", "key", "value")
        )
        query[:, A:] = sure * one.roll(-back, dims=0)  # at place t it asks for t - back
        key[:, A:] = one
        value[:, :A] = one
    model.lm_head.weight.copy_(sure * torch.eye(2 * A))
    return model.eval()
