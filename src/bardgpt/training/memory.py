"""Memory that a training run will surely need, reckoned before any of it is asked for."""

import contextlib
import os
from pathlib import Path

import torch

from bardgpt.config import ConfigError, GPTConfig
from bardgpt.presets import Preset

LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container, on Linux


def least(preset: Preset, processes: int = 1) -> int:
    """Bytes without which no step can be made: never more than what is really used.

    Of each parameter four numbers of 4 bytes are kept (its value, its gradient, and the optimizer's
    averages, of which Muon has one); of the activations at least the blocks' inputs, the scores
    and, where heads are a list, their weights.
    """
    model, training = preset.model, preset.training
    B, T = max(training.batch_size // processes, 1), model.block_size
    averages_and_gradient = 2 if training.optimizer == "muon" else 3
    heads = 0 if model.fused else model.n_layer * model.n_head
    activations = B * T * (model.n_layer * model.n_embd + model.vocab_size + heads * T)
    return at_rest(model) + 4 * (averages_and_gradient * model.n_parameters() + activations)


def at_rest(model: GPTConfig) -> int:
    """Bytes of a model that does nothing: its weights and, where heads are a list, their masks."""
    heads = 0 if model.fused else model.n_layer * model.n_head
    return 4 * model.n_parameters() + heads * model.block_size**2


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
    what = (
        f"a model of {preset.model.n_parameters():,} parameters and batches of "
        f"{preset.training.batch_size:,} windows of {preset.model.block_size:,}"
    )
    _require(least(preset, processes), device, what)


def require_room(model: GPTConfig) -> None:
    """Let a model pass that fits into this machine's memory.

    Raises:
        ConfigError: if it surely does not.
    """
    _require(at_rest(model), "cpu", f"a model of {model.n_parameters():,} parameters")


def _require(needed: int, device: str, what: str) -> None:
    available = there_is(device)
    if available is not None and needed > available:
        raise ConfigError(
            f"{what}: at least {needed / 1e9:,.1f} GB of memory are needed, and this {device} has "
            f"{available / 1e9:,.1f} GB; take smaller sizes"
        )
