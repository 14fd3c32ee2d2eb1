"""Which optimizer moves which parameter, and at what rate.

AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101) treats each number by itself. Muon (Jordan et
al. 2024, `bardgpt.training.muon`) treats a matrix as a whole, so that all its directions move
alike. It is for the matrices inside blocks; embeddings, output layer, gains and biases stay with
AdamW.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from bardgpt.config import TrainingConfig
from bardgpt.gpt import GPT
from bardgpt.training import devices
from bardgpt.training.muon import Muon


def build_optimizers(model: GPT, config: TrainingConfig) -> list[torch.optim.Optimizer]:
    """The optimizers of a run, AdamW first; together they hold each parameter exactly once.

    Each group carries its highest rate as "peak"; `set_rates` makes the current one from it.

    Args:
        model: on its device already.
        config: optimizer, rates, decay and `beta2`.
    """
    hidden = [p for p in model.blocks.parameters() if p.ndim == 2]
    of_muon = {id(p) for p in hidden} if config.optimizer == "muon" else set()
    rest = [p for p in model.parameters() if id(p) not in of_muon]
    decayed = [p for p in rest if config.decay == "all" or p.ndim == 2]
    kept = [p for p in rest if not (config.decay == "all" or p.ndim == 2)]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": kept, "weight_decay": 0.0},
    ]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=config.learning_rate,
            betas=(0.9, config.beta2),
        )
    ]
    if of_muon:
        optimizers.append(
            Muon(
                hidden,
                config.muon_rate,
                weight_decay=config.muon_decay,
                dtype=devices.muon_dtype(devices.facts(), hidden[0].device.type),
            )
        )
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["peak"] = group["lr"]
    return optimizers


def rate_factor(step: int, config: TrainingConfig) -> float:
    """The rate of step 0, 1, … as a share of the highest.

    In a warm-up of w steps it is 1/w, 2/w, …, 1. Then it stays ("constant"), or falls in a straight
    line that meets `final_rate` after the last step ("linear").
    """
    if step < config.warmup:
        return (step + 1) / config.warmup
    if config.schedule == "constant":
        return 1.0
    done = (step - config.warmup) / max(1, config.steps - config.warmup)
    return 1 - done * (1 - config.final_rate)


def set_rates(optimizers: list[torch.optim.Optimizer], factor: float) -> None:
    """Give every group its current rate: its highest times a factor."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * factor


class Together(torch.optim.Optimizer):
    """Several optimizers that step as one: all of them, or none.

    A `GradScaler` skips the step of an optimizer whose gradients have overflowed. Asked about AdamW
    and Muon apart, it would let one of them make half a step, along gradients that clipping has
    scaled by the other's infinity.
    """

    def __init__(self, optimizers: list[torch.optim.Optimizer]) -> None:
        self.optimizers = optimizers
        groups = [group for optimizer in optimizers for group in optimizer.param_groups]
        self.parameters: list[nn.Parameter] = [p for group in groups for p in group["params"]]
        super().__init__(self.parameters, {})

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """One step of each; a closure, which none of them needs, is not asked."""
        for optimizer in self.optimizers:
            optimizer.step()
