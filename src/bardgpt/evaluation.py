"""How good a model is: its loss over a whole split, every character once.

No random evaluation batches: the same weights always give the same number, and two models are
compared on the same characters.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from bardgpt.batches import evaluation_windows
from bardgpt.gpt import GPT
from bardgpt.progress import progress_bar
from bardgpt.threads import suited


@torch.no_grad()
def losses(model: GPT, ids: Tensor, *, progress: bool = False) -> Tensor:
    """-ln p of every target of the split, in the text's order.

    The model is in evaluation mode meanwhile and back in its own afterwards.

    Args:
        model: any model whose `config.block_size` says how much it may see.
        ids: (N,).
        progress: show a bar on stderr, which vanishes at the end; TQDM_DISABLE=1 hides it too.

    Returns:
        (N - 1,) nats. Position i was predicted from i % block_size characters and the one before.

    Raises:
        WindowError: if the split is too short for one window.
    """
    windows = evaluation_windows(ids, model.config.block_size)
    was_training = model.training
    model.eval()
    try:
        bar = progress_bar(windows, shown=progress, desc="evaluating", unit="batch")
        return torch.cat([_losses(model, x, y) for x, y in bar])
    finally:
        model.train(was_training)


def _losses(model: GPT, x: Tensor, y: Tensor) -> Tensor:
    """-ln p of the targets y (B, T) of one batch x (B, T): (B * T,)."""
    with suited(x.numel(), model.config.n_embd):
        return F.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="none")


def evaluate(model: GPT, ids: Tensor, *, progress: bool = False) -> float:
    """Loss over the whole split, in nats per character.

    A mean over characters, not over windows: the ragged last window counts for what it holds.
    Summed in float64, so that the result does not depend on how the split was cut into batches.

    Args:
        model: see `losses`.
        ids: (N,).
        progress: see `losses`.

    Raises:
        WindowError: if the split is too short for one window.
    """
    # On the host: not every device has float64.
    return losses(model, ids, progress=progress).cpu().double().mean().item()
