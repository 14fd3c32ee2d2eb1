"""Normalization: give numbers mean 0 and variance 1, then let the model choose both anew.

The two classes differ in *which* numbers belong together. For a batch of N examples with C features
each, written as a table, `BatchNorm` takes a column (one feature of all examples) and `LayerNorm` a
row (all features of one example). That is one argument of `standardize`. Everything else that
`BatchNorm` has follows from it: an example's result depends on its batch, so at test time, when
there may be no batch, the layer needs statistics that it has kept from training.

Shapes: B batch, T time, C features; `...` any number of leading dimensions.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

EPS = 1e-5  # added to the variance, so that constant numbers give 0 and not 0 / 0


def standardize(x: Tensor, dim: int | tuple[int, ...], eps: float = EPS) -> Tensor:
    """Subtract the mean and divide by the standard deviation, over `dim`.

    The variance is the mean squared deviation (divided by n, not by n - 1), and eps is added to it
    under the root.

    Args:
        x: of any shape.
        dim: the dimensions whose numbers are taken together; for x of shape (N, C), 0 normalizes
            columns and 1 rows.
        eps: see above.

    Returns:
        The shape of x, in float32 at least: statistics in half precision would lose what they are
        after.
    """
    x = _wide(x)
    centred = x - x.mean(dim, keepdim=True)
    variance = centred.square().mean(dim, keepdim=True)
    return centred * (variance + eps).rsqrt()


def _wide(x: Tensor) -> Tensor:
    return x.to(torch.promote_types(x.dtype, torch.float32))


class LayerNorm(nn.Module):
    """Each example by itself: standardize its C features, then scale and shift each feature.

    Source: the notes; Ba, Kiros and Hinton 2016, eq. (4) (arXiv:1607.06450), with gain and bias of
    §3. Equal to `torch.nn.LayerNorm`, whose kernel does it in one pass if `fused`.
    """

    def __init__(self, n_features: int, *, fused: bool = False) -> None:
        super().__init__()
        self.fused = fused
        self.weight = nn.Parameter(torch.ones(n_features))  # (C,) the gain
        self.bias = nn.Parameter(torch.zeros(n_features))  # (C,)

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., C)."""
        if self.fused:
            return F.layer_norm(x, self.weight.shape, self.weight, self.bias, EPS)  # (..., C)
        y = standardize(x, dim=-1)  # (..., C)
        return (y * self.weight + self.bias).to(x.dtype)


class BatchNorm(nn.Module):
    """Each feature by itself: standardize it over all examples of the batch, then scale and shift.

    For (B, T, C) an example is a position, so a training step mixes what stands at all positions of
    all sequences: also at later ones. It is here to be compared with `LayerNorm`.

    In evaluation mode the running mean and variance take the batch's place, two buffers that each
    training step moves by `MOMENTUM` towards the batch's own. The running variance is the unbiased
    one (divided by n - 1), as in the paper's algorithm 2: it estimates the whole text's.

    Source: the notes; Ioffe and Szegedy 2015, algorithms 1 and 2 (arXiv:1502.03167). Equal to
    `torch.nn.BatchNorm1d` on (N, C); for (B, T, C) with the leading dimensions taken as one.
    """

    MOMENTUM = 0.1  # PyTorch's default

    running_mean: Tensor  # (C,)
    running_variance: Tensor  # (C,)

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n_features))  # (C,) the gain
        self.bias = nn.Parameter(torch.zeros(n_features))  # (C,)
        self.register_buffer("running_mean", torch.zeros(n_features))
        self.register_buffer("running_variance", torch.ones(n_features))

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., C).

        Raises:
            ValueError: in training mode with a single example, which has no spread.
        """
        if self.training:
            examples = x.flatten(end_dim=-2)  # (N, C)
            if len(examples) < 2:
                raise ValueError(
                    "batch norm got 1 example in training mode; its statistics need at least 2: "
                    "take a larger batch, or eval() for the running ones"
                )
            self._remember(examples.detach())
            y = standardize(examples, dim=0).view(x.shape)  # (..., C)
        else:
            y = (_wide(x) - self.running_mean) * (self.running_variance + EPS).rsqrt()  # (..., C)
        return (y * self.weight + self.bias).to(x.dtype)

    @torch.no_grad()
    def _remember(self, examples: Tensor) -> None:
        wide = examples.to(self.running_mean.dtype)  # (N, C)
        self.running_mean.lerp_(wide.mean(dim=0), self.MOMENTUM)
        self.running_variance.lerp_(wide.var(dim=0, correction=1), self.MOMENTUM)
