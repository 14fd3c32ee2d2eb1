"""What norms learn, and what batch norm does differently while it trains.

Shapes: B windows, T positions, C channels.
"""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor

from bardgpt.gpt import GPT
from bardgpt.layers.normalization import BatchNorm, LayerNorm


def gains_and_biases(model: GPT) -> dict[str, list[float]]:
    """The learned gain and bias of each norm, in the order of the forward pass.

    Returns:
        "gain", "gain spread", "least gain", "most gain" (mean, standard deviation and range over
        the C channels) and "bias" (its RMS); in each list one number for each norm.

    Raises:
        ValueError: if the model has no norm.
    """
    norms = [module for module in model.modules() if isinstance(module, LayerNorm | BatchNorm)]
    if not norms:
        raise ValueError("the model has no norm; it needs block='post-norm' or 'pre-norm'")
    with torch.no_grad():
        gain = torch.stack([norm.weight for norm in norms])  # (norms, C)
        bias = torch.stack([norm.bias for norm in norms])  # (norms, C)
        return {
            "gain": gain.mean(dim=1).tolist(),
            "gain spread": gain.std(dim=1, correction=0).tolist(),
            "least gain": gain.amin(dim=1).tolist(),
            "most gain": gain.amax(dim=1).tolist(),
            "bias": bias.square().mean(dim=1).sqrt().tolist(),
        }


@torch.no_grad()
def losses_by_mode(
    model: GPT, ids: Tensor, targets: Tensor, batch_size: int = 32
) -> dict[str, float]:
    """The loss of one model on the same windows, as training and as evaluation compute it.

    Of a model with layer norm the two are the same. Batch norm in training mode normalizes with the
    batch at hand. The model is left as it was, its buffers too.

    Args:
        model: of any kind.
        ids: (B, T).
        targets: (B, T).
        batch_size: windows that training mode takes together.

    Returns:
        "training mode" and "evaluation mode", in nats per character.
    """
    found = {}
    for name, training in (("training mode", True), ("evaluation mode", False)):
        judged = copy.deepcopy(model).train(training)
        total = sum(
            F.cross_entropy(judged(x).flatten(0, 1), y.flatten(), reduction="sum").item()
            for x, y in zip(ids.split(batch_size), targets.split(batch_size), strict=True)
        )
        found[name] = total / targets.numel()
    return found
