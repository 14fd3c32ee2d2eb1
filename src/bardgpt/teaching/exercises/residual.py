"""Exercises of chapter 5: residual connections."""

import torch
from torch import nn
from torch.nn import functional as F

from bardgpt.config import GPTConfig
from bardgpt.layers.blocks import ResidualBlock
from bardgpt.teaching.exercises.answer import Answer, Check, asked, expect, tensor

CLOSE = 1e-4
STEPS = 3  # within which each parameter must get a gradient
CONFIG = GPTConfig(
    vocab_size=11,
    block_size=6,
    n_embd=8,
    n_layer=1,
    n_head=2,
    projection=True,
    feed_forward="two-layer",
    block="residual",
)


def carry_back(function: Answer) -> str:
    """5.1: `function(g, jacobians)`, the gradient before some residual branches from that behind.

    First branches that do nothing, then one, then two, which do not commute.
    """
    g = torch.tensor([1.0, 2.0, -1.0])
    first = torch.tensor([[0.0, 2.0, 0.0], [0.0, 0.0, 1.0], [3.0, 0.0, 0.0]])
    second = torch.tensor([[1.0, 0.0, 0.0], [2.0, 1.0, 0.0], [0.0, 0.0, -1.0]])

    def off(jacobians: torch.Tensor, wanted: torch.Tensor) -> float:
        words = f"a gradient (3,) and jacobians {tuple(jacobians.shape)}"
        answer = asked(function, g, jacobians, with_words=words)
        return float((tensor(answer, (3,), "the gradient") - wanted).abs().max())

    found = off(torch.zeros(2, 3, 3), g)
    expect(
        found < CLOSE,
        f"two branches whose Jacobians are 0 change g by up to {found:.2f}; an addition hands it "
        "on untouched",
    )
    identity = torch.eye(3)
    found = off(first[None], (identity + first).T @ g)
    expect(
        found < CLOSE,
        f"with one branch it is up to {found:.2f} off; the gradient comes in at a branch's outputs "
        "and goes out at its inputs: which of the two are the rows?",
    )
    found = off(torch.stack([first, second]), (identity + first).T @ (identity + second).T @ g)
    expect(
        found < CLOSE,
        f"with one branch it is right, with two up to {found:.2f} off; which branch does the "
        "gradient meet first, and what reaches the other?",
    )
    return "g goes on untouched, and each branch adds its own"


def silence(function: Answer) -> str:
    """5.2: `function(block)`, the same block, which gives back what it reads and still learns."""
    random = torch.Generator().manual_seed(0)
    block = ResidualBlock(CONFIG)
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=random) / 2)
    names = [name for name, _ in block.named_parameters()]
    x, target = torch.randn(2, 4, 6, 8, generator=random)  # each (B, T, C)
    answer = asked(function, block, with_words="a ResidualBlock")
    expect(isinstance(answer, ResidualBlock), "a ResidualBlock should come back")
    kept = [name for name, _ in answer.named_parameters()]
    expect(kept == names, "the block should keep its parameters, and it has others")
    with torch.no_grad():
        gap = float((answer(x) - x).abs().max())
    expect(
        gap < CLOSE,
        f"it changes what it reads by up to {gap:.2f}; neither branch should add anything",
    )
    frozen = sum(not parameter.requires_grad for parameter in answer.parameters())
    expect(
        not frozen,
        f"it leaves x as it is, but {frozen} parameters are frozen; change their numbers alone",
    )
    reached = _reached(answer, x, target)
    asleep = [name for name in names if name not in reached]
    expect(
        not asleep,
        f"it leaves x as it is, but in {STEPS} steps {len(asleep)} of {len(names)} parameters get "
        f"no gradient, {', '.join(asleep[:1])} among them",
    )
    return f"it leaves x as it is, and all {len(names)} parameters learn"


def _reached(block: nn.Module, x: torch.Tensor, target: torch.Tensor) -> set[str]:
    """The names of the parameters that get a gradient in the first steps of training."""
    optimizer = torch.optim.AdamW(block.parameters(), lr=0.01)
    found = set()
    for _ in range(STEPS):
        optimizer.zero_grad()
        F.mse_loss(block(x), target).backward()
        found |= {
            name
            for name, parameter in block.named_parameters()
            if parameter.grad is not None and parameter.grad.any()
        }
        optimizer.step()
    return found


CHECKS: dict[str, Check] = {"5.1": carry_back, "5.2": silence}
