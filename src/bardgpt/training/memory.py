"""Memory that a training run will surely need, reckoned before any of it is asked for."""

import contextlib
import os
from pathlib import Path

import torch

from bardgpt.config import ConfigError
from bardgpt.presets import Preset

# What Python's own objects take, as measured: a block with its layers, a head that is a module.
BYTES_OF_BLOCK, BYTES_OF_HEAD = 20_000, 8_000
LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container, on Linux


def least(preset: Preset, processes: int = 1) -> int:
    """Bytes without which no step can be made: never more than what is really used.

    Of each parameter four numbers of 4 bytes are kept (its value, its gradient, and the optimizer's
    averages, of which Muon has one), and of the activations at least the blocks' inputs and the
    scores.
    """
    model, training = preset.model, preset.training
    B, T = max(training.batch_size // processes, 1), model.block_size
    kept = 3 if training.optimizer == "muon" else 4
    heads = 0 if model.fused else model.n_layer * model.n_head
    objects = model.n_layer * BYTES_OF_BLOCK + heads * BYTES_OF_HEAD
    activations = B * T * (model.n_layer * model.n_embd + model.vocab_size)
    return 4 * (kept * model.n_parameters() + activations) + objects


def there_is(device: str) -> int | None:
    """Bytes that a device has, used or not; None if nobody says."""
    if device == "cuda":
        return torch.cuda.mem_get_info()[1]
    numbers = []
    with contextlib.suppress(AttributeError, OSError, ValueError):  # not every system tells
        numbers.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with contextlib.suppress(OSError, ValueError):  # "max" is no number, and no limit
        numbers.append(int(LIMIT.read_text("ascii")))
    return min(numbers, default=None)


def require_memory(preset: Preset, device: str, processes: int = 1) -> None:
    """Let a run pass that fits into the memory of its device.

    Raises:
        ConfigError: if it surely does not.
    """
    needed, available = least(preset, processes), there_is(device)
    if available is not None and needed > available:
        raise ConfigError(
            f"a model of {preset.model.n_parameters():,} parameters and batches of "
            f"{preset.training.batch_size:,} windows of {preset.model.block_size:,} need at least "
            f"{_gigabytes(needed)} of memory; this {device} has {_gigabytes(available)}: take "
            "smaller sizes"
        )


def _gigabytes(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:,.1f} GB"
