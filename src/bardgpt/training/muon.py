"""Muon: a step that treats a matrix as a matrix.

A gradient summed over many steps has a few directions that are large and many that are small, and a
step along it moves little but the large ones. Muon keeps the sum's directions and makes all of them
about equally large: it steps along the nearest matrix whose rows (or columns, if these are fewer)
are orthonormal. Finding that matrix exactly takes a singular value decomposition; here it is
approached by five rounds of matrix products, which need few digits.

PyTorch has this optimizer too, from 2.9 on. It computes the rounds in bfloat16, everywhere. On a
processor without instructions for bfloat16, as most are, that took thirty times as long as
float32. Here the caller chooses.

Source: Jordan et al. 2024 (https://kellerjordan.github.io/posts/muon/).
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

ROUNDS = 5
# Of the odd polynomial a s + b s^3 + c s^5 that each round applies to every singular value s: steep
# at 0, so that small ones grow fast. After five rounds they lie between about 0.7 and 1.2, not at
# 1; that is near enough, says the source.
A, B, C = 3.4445, -4.7750, 2.0315
TINY = 1e-7  # keeps a matrix of zeros from a division by 0


def orthogonalize(matrix: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """About the nearest matrix with orthonormal rows, or columns if these are fewer.

    With the decomposition U S V^T of the matrix it is U V^T: the same directions, equally large.

    Args:
        matrix: (rows, columns).
        dtype: of the products.

    Returns:
        (rows, columns) in this dtype.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix).to(dtype)  # (r, c), r at most c: the smaller products
    x = x / x.norm().clamp(min=TINY)  # no singular value is larger than this norm
    for _ in range(ROUNDS):
        gram = x @ x.T  # (r, r)
        # a x + (b (x x^T) + c (x x^T)^2) x, that is, the polynomial of each singular value.
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=B, alpha=C), x, beta=A)
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal, with decoupled weight decay.

    In bfloat16 equal to `torch.optim.Muon` with its "original" rate.
    """

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        lr: float,
        *,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        """No step yet.

        Args:
            matrices: parameters of two dimensions.
            lr: the rate. A step along orthonormal rows has the same size whatever the gradient's;
                a tall matrix gets sqrt(rows / columns) times the rate, so that it changes its
                outputs about as much as a square one.
            weight_decay: share of the weights, times the rate, that a step takes away.
            momentum: share of the old average in the new one.
            dtype: of the products of `orthogonalize`.
        """
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        self.dtype = dtype

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """One step; a closure, which it does not need, is not asked."""
        for group in self.param_groups:
            rate, kept = group["lr"], group["momentum"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                average = self.state[p].setdefault("momentum_buffer", torch.zeros_like(p))
                average.lerp_(p.grad, 1 - kept)
                # Nesterov: the average as it will be if the next gradient is like this one.
                ahead = p.grad.lerp(average, kept)
                rows, columns = p.shape
                p.mul_(1 - rate * group["weight_decay"])
                update = orthogonalize(ahead, self.dtype)  # (rows, columns)
                p.add_(update, alpha=-rate * max(1, rows / columns) ** 0.5)
