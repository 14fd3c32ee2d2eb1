"""Who can move whom: how each position's output depends on each position's input.

Shapes: T positions, C channels.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def position_jacobian(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The Jacobian of a layer, one number for each pair of positions.

    All C x C derivatives of output position i with respect to input position j are taken together
    as their Frobenius norm.

    Args:
        layer: (1, T, C) -> (1, T, C), without randomness.
        x: (T, C), where to differentiate.

    Returns:
        (T, T); row i is an output, column j an input. 0 where j cannot move i.
    """
    jacobian = torch.func.jacrev(lambda x: layer(x[None])[0])(x.detach())  # (T, C, T, C)
    return jacobian.square().sum(dim=(1, 3)).sqrt().detach()  # (T, T)
