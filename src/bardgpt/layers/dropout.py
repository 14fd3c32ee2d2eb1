"""Dropout: in training a share of the numbers is set to 0, others each time.

What is left is made larger, so that the mean stays. In use nothing is dropped.

`torch.nn.Dropout` draws a random number for each number that it may drop. On a CPU that computes in
bfloat16 this took a tenth of a training step. Sixteen random bits decide as well, and four numbers
share one draw of 64.

Source: Srivastava et al. 2014 (https://jmlr.org/papers/v15/srivastava14a.html).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

BITS = 16
PER_DRAW = 64 // BITS


class Dropout(nn.Dropout):
    """PyTorch's layer, which draws as `drop` does."""

    def forward(self, input: Tensor) -> Tensor:
        """Any shape, kept."""
        return drop(input, self.p) if self.training else input


def drop(x: Tensor, rate: float) -> Tensor:
    """What training sees: each number is 0, or 1 / (1 - rate) times what it was.

    Args:
        x: of any shape.
        rate: the share that falls, at least 0 and below 1. In bfloat16 on a CPU it is a multiple of
            2^-16, the nearest one, and the masks are not those of PyTorch from the same seed.
    """
    if rate == 0 or not is_bfloat16_on_cpu(x):
        return F.dropout(x, rate)
    return x * stays(x, rate) * (1 / (1 - rate))


def is_bfloat16_on_cpu(x: Tensor) -> bool:
    """Whether these are numbers with which a CPU is faster than PyTorch's kernels expect."""
    return x.dtype == torch.bfloat16 and x.device.type == "cpu"


def stays(x: Tensor, rate: float) -> Tensor:
    """Which numbers are kept: bool, of x's shape, each by a throw of its own."""
    draws = torch.empty(-(-x.numel() // PER_DRAW), dtype=torch.int64)
    bits = draws.random_(-(2**63), None).view(torch.int16)  # each from -2^15 to 2^15 - 1
    least = round(rate * 2**BITS) - 2 ** (BITS - 1)
    least = min(least, 2 ** (BITS - 1) - 1)  # for a rate just below 1: one of 2^16 stays
    return bits[: x.numel()].view(x.shape) >= least
