"""From one long row of ids to what a model trains and is judged on.

Training draws random windows, with repetition; evaluation walks over the whole split once, so that
its result has no luck in it. In both, the target of each position is the character that follows.

Shapes: B windows of T characters; N ids in the split.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

MOST_WINDOWS, MOST_CHARACTERS = 512, 16_384  # in one batch of an evaluation; it bounds the memory


class WindowError(ValueError):
    """A text that is too short for one window; says how long it is, and how long it must be."""


def split(ids: Tensor, train_fraction: float = 0.9) -> tuple[Tensor, Tensor]:
    """The first part to train on, the rest to validate on.

    In order, not shuffled: neighbouring windows share most of their characters, so a random split
    would let the model see its own examination.

    Args:
        ids: (N,).
        train_fraction: share of the first part, strictly between 0 and 1.

    Returns:
        (int(train_fraction * N),) and the rest; views, no copies.

    Raises:
        ValueError: if the fraction is out of range.
        WindowError: if it leaves no part to train on.
    """
    if not 0 < train_fraction < 1:
        raise ValueError(f"train_fraction is {train_fraction}; it must lie between 0 and 1")
    n_train = int(train_fraction * len(ids))
    if n_train == 0:
        raise WindowError(
            f"a text of {len(ids)} characters, split at {train_fraction}, leaves no training part: "
            "take a longer text"
        )
    return ids[:n_train], ids[n_train:]


def random_windows(
    ids: Tensor, block_size: int, batch_size: int, generator: torch.Generator | None
) -> tuple[Tensor, Tensor]:
    """Training windows from random places, drawn independently and uniformly.

    Args:
        ids: (N,).
        block_size: T, characters in a window.
        batch_size: B, windows.
        generator: the only source of randomness, so one seed gives one training run; on the device
            of the ids, where everything happens. None takes PyTorch's global one.

    Returns:
        Inputs and targets, both (B, T); `targets[b, t]` is the id that follows `inputs[b, t]`.

    Raises:
        WindowError: if the ids are too few for one window and its last target.
    """
    require_window(ids, block_size)
    # The last start that leaves a target for the window's last character is N - T - 1.
    device = ids.device
    starts = torch.randint(  # (B, 1)
        len(ids) - block_size, (batch_size, 1), generator=generator, device=device
    )
    windows = ids[starts + torch.arange(block_size + 1, device=device)]  # (B, T + 1)
    return windows[:, :-1], windows[:, 1:]  # both (B, T)


def evaluation_windows(
    ids: Tensor, block_size: int, batch_size: int | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Every target of the split exactly once: neighbouring windows, and a shorter last one.

    N ids hold N - 1 targets. They are cut into (N - 1) // T windows of T and, if something is left
    over, one ragged window, which comes last and alone in its batch.

    Args:
        ids: (N,).
        block_size: T, the length of a window.
        batch_size: most windows in one batch; it changes the speed, not the windows. None takes as
            many as memory will surely hold.

    Yields:
        Inputs and targets, both (B, T), the last pair possibly (1, less than T).

    Raises:
        WindowError: if the ids are too few for one window and its last target.
    """
    require_window(ids, block_size)
    if batch_size is None:
        batch_size = max(1, min(MOST_WINDOWS, MOST_CHARACTERS // block_size))
    inputs, targets = ids[:-1], ids[1:]  # both (N - 1,)
    whole = len(targets) // block_size * block_size
    yield from zip(
        inputs[:whole].view(-1, block_size).split(batch_size),
        targets[:whole].view(-1, block_size).split(batch_size),
        strict=True,
    )
    if whole < len(targets):
        yield inputs[None, whole:], targets[None, whole:]


def sliding_windows(
    ids: Tensor, block_size: int, least: int
) -> Iterator[tuple[Tensor, Tensor, int]]:
    """Overlapping windows whose ends hold, together, every target but the first least - 1 once.

    Args:
        ids: (N,).
        block_size: T, the length of a window.
        least: characters that stand before a judged target in its window, its own input among them.

    Yields:
        Inputs and targets, both (B, T), and how many of the last targets of each are to be judged.

    Raises:
        WindowError: if the ids are too few for one window and its last target.
        ValueError: if `least` is not between 1 and T.
    """
    require_window(ids, block_size)
    if not 1 <= least <= block_size:
        raise ValueError(f"least is {least}; it must lie between 1 and block_size, {block_size}")
    step = block_size - least + 1
    windows = ids.unfold(0, block_size + 1, step)  # (W, T + 1)
    for some in windows.split(max(1, min(MOST_WINDOWS, MOST_CHARACTERS // block_size))):
        yield some[:, :-1], some[:, 1:], step
    left = (len(ids) - 1 - block_size) % step  # targets after the last of these windows
    if left:
        last = ids[None, -block_size - 1 :]  # (1, T + 1)
        yield last[:, :-1], last[:, 1:], left


def require_window(ids: Tensor, block_size: int) -> None:
    """Let a split pass that holds at least one window and its last target.

    Raises:
        WindowError: if it does not.
        ValueError: if a window would hold no character.
    """
    if block_size < 1:
        raise ValueError(f"block_size is {block_size}; a window holds at least 1 character")
    if len(ids) < block_size + 1:
        raise WindowError(
            f"the text has {len(ids)} characters; a window of {block_size} needs "
            f"{block_size + 1}, one more for its last target: take a longer text or a smaller "
            "block_size"
        )
