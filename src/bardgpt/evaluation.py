"""How good a model is: its loss over a whole split, every character once.

No random evaluation batches: the same weights always give the same number, and two models are
compared on the same characters. Two other ways are here to compare with what others report: with
enough context for each character (`losses_in_context`), and from random windows (`estimate`).
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor

from bardgpt.batches import evaluation_windows, random_windows, sliding_windows
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
        progress: show on stderr how far it is; TQDM_DISABLE=1 hides it too.

    Returns:
        (N - 1,) nats. Position i was predicted from i % block_size characters and the one before.

    Raises:
        WindowError: if the split is too short for one window.
    """
    windows = evaluation_windows(ids, model.config.block_size)
    with _judged(model):
        of_batches = (_losses(model, x, y) for x, y in windows)  # each (B * T,)
        return _gathered(of_batches, len(ids) - 1, progress)


@contextmanager
def _judged(model: GPT) -> Iterator[None]:
    """A model in evaluation mode while the `with` block lasts, and back in its own afterwards."""
    was_training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(was_training)


def _losses(model: GPT, x: Tensor, y: Tensor) -> Tensor:
    """-ln p of the targets y (B, T) of one batch x (B, T): (B * T,)."""
    with suited(x.numel(), model.config.n_embd):
        return F.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="none")


def _gathered(of_batches: Iterator[Tensor], n: int, progress: bool) -> Tensor:
    """The losses of batches in a row: (n,)."""
    counted = {"total": n, "desc": "evaluating", "unit": "character"}
    gathered = []
    with progress_bar(shown=progress, delay=1, **counted) as bar:
        for each in of_batches:
            gathered.append(each)
            bar.update(len(each))
    return torch.cat(gathered)


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


@torch.no_grad()
def losses_in_context(model: GPT, ids: Tensor, least: int, *, progress: bool = False) -> Tensor:
    """-ln p of every target that a window can show at least so many characters before.

    In neighbouring windows the first characters of each are predicted from next to nothing. Here
    the windows overlap, and each is judged on its end alone; the fewer new characters a window has,
    the longer it takes.

    Args:
        model: see `losses`.
        ids: (N,).
        least: characters that the model sees before each target, from 1 to block_size.
        progress: see `losses`.

    Returns:
        (N - least,) nats, in the text's order: of all targets but the first least - 1.

    Raises:
        WindowError: if the split is too short for one window.
        ValueError: if `least` is out of its range.
    """
    windows = sliding_windows(ids, model.config.block_size, least)
    with _judged(model):
        of_batches = (  # each (B * judged,)
            _losses(model, x, y).view(y.shape)[:, -judged:].flatten() for x, y, judged in windows
        )
        return _gathered(of_batches, len(ids) - least, progress)


@torch.no_grad()
def estimate(
    model: GPT,
    ids: Tensor,
    *,
    batches: int = 200,
    batch_size: int = 64,
    seed: int = 0,
    progress: bool = False,
) -> tuple[float, float]:
    """The loss on random windows, as the lecture and nanoGPT report it.

    Some characters count several times and others never, so that two estimates of one model differ.

    Args:
        model: see `losses`.
        ids: (N,).
        batches: that are drawn; 200 in both.
        batch_size: windows in each; 64 in both.
        seed: of the windows.
        progress: see `losses`.

    Returns:
        Mean over the batches, and its standard error, in nats per character.

    Raises:
        WindowError: if the split is too short for one window.
        ValueError: with fewer than two batches, which have no spread.
    """
    if batches < 2:
        raise ValueError(f"batches is {batches}; a standard error needs at least 2")
    generator = torch.Generator(ids.device).manual_seed(seed)
    means = []
    with _judged(model):
        for _ in progress_bar(
            range(batches), shown=progress, delay=1, desc="evaluating", unit="batch"
        ):
            x, y = random_windows(  # both (B, T)
                ids, model.config.block_size, batch_size, generator
            )
            means.append(_losses(model, x, y).mean())
    values = torch.stack(means).cpu().double()  # (batches,)
    return values.mean().item(), (values.std() / batches**0.5).item()
