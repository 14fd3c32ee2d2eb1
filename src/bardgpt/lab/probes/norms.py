"""What norms learn, and what batch norm does differently while it trains.

Shapes: B windows, T positions, C channels.
"""

import copy
from collections.abc import Sequence

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


EVALUATION = "evaluation mode"
BATCH_SIZES = (8, 32, 128, 512)


@torch.no_grad()
def losses_by_mode(
    model: GPT,
    ids: Tensor,
    targets: Tensor,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    seed: int = 0,
) -> dict[str, float]:
    """The loss of one model on the same windows, as evaluation and as training compute it.

    Of a model with layer norm all are the same. Batch norm in training mode normalizes with the
    batch at hand, so there the windows are dealt into batches at random, as in training. The model
    is left as it was, its buffers too, and so is the global random state.

    Args:
        model: of any kind.
        ids: (B, T).
        targets: (B, T).
        batch_sizes: numbers of windows that training mode takes together.
        seed: of the dealing, and of masks, if the model has dropout.

    Returns:
        `EVALUATION` and, for each batch size n, "training mode, n windows": nats per character.
    """
    order = torch.randperm(len(ids), generator=torch.Generator().manual_seed(seed))
    ids, targets = ids[order], targets[order]
    cases = {EVALUATION: (False, len(ids))}
    cases |= {training_mode(n): (True, n) for n in batch_sizes}
    losses = {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, (training, batch_size) in cases.items():
            in_mode = copy.deepcopy(model).train(training)
            total = sum(
                F.cross_entropy(in_mode(x).flatten(0, 1), y.flatten(), reduction="sum").item()
                for x, y in zip(ids.split(batch_size), targets.split(batch_size), strict=True)
            )
            losses[name] = total / targets.numel()
    return losses


def training_mode(batch_size: int) -> str:
    """The name of a loss in training mode, with so many windows in a batch."""
    return f"training mode, {batch_size} windows"
