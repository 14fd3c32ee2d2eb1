"""What a model costs: parameters, operations, memory."""

import dataclasses
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.gpt import GPT, next_character_loss
from bardgpt.presets import PRESETS, Preset
from bardgpt.training.trainer import Trainer


@dataclass(frozen=True)
class Cost:
    """What one training step of a model takes.

    Attributes:
        parameters: numbers that are learned.
        flops: floating-point operations of a step, in all matrix products.
        characters: that a step learns from.
        state: bytes of weights, gradients and AdamW's two averages, four float32 numbers each.
        kept: bytes that the forward pass keeps for the backward pass.
    """

    parameters: int
    flops: int
    characters: int
    state: int
    kept: int


def cost(preset: Preset) -> Cost:
    """The cost of a training step, counted on shapes alone, with the list of heads in float32."""
    model, B = replace(preset.model, fused=False), preset.training.batch_size
    with torch.device("meta"):
        counted = GPT(model)
    n = counted.n_parameters()
    return Cost(n, flops(model, B), B * model.block_size, 4 * 4 * n, kept_for_backward(counted, B))


def kept_for_backward(model: GPT, batch_size: int) -> int:
    """Bytes that a forward pass in training keeps, besides the weights, each tensor once.

    Args:
        model: on the "meta" device, which has shapes and no numbers.
        batch_size: B, windows in the pass.
    """
    weights = {id(p) for p in model.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if id(tensor) not in weights:
            kept[tensor.untyped_storage()._cdata] = tensor  # alive, or its place is given away
        return tensor

    ids = torch.zeros(  # (B, T)
        batch_size, model.config.block_size, dtype=torch.int64, device="meta"
    )
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        next_character_loss(model.train()(ids), ids)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def flops(model: GPTConfig, batch_size: int) -> int:
    """Floating-point operations of a training step: all matrix products, forward and backward.

    Counted by PyTorch as it would run them, on the "meta" device, which has shapes and no numbers;
    the list of heads shows it every product.
    """
    with torch.device("meta"):
        shapes = GPT(dataclasses.replace(model, fused=False))
    ids = torch.zeros(model.block_size + 1, dtype=torch.int64, device="meta")  # (N,)
    with FlopCounterMode(display=False) as counter:
        Trainer(shapes, ids, TrainingConfig(batch_size=batch_size)).advance()
    return counter.get_total_flops()


def one_at_a_time() -> dict[str, Preset]:
    """From the last small rung to the notes' model, a change after the other, by its name.

    Only what changes the cost: no learning rate, and no initialization.
    """
    small, full = PRESETS["tiny"], PRESETS["full"]
    stages = {"the small model": small}
    for part, field in (
        ("training", "batch_size"),
        ("model", "block_size"),
        ("model", "n_embd"),
        ("model", "n_head"),
        ("model", "n_layer"),
        ("model", "dropout"),
    ):
        last = list(stages.values())[-1]
        value = getattr(getattr(full, part), field)
        changed = replace(getattr(last, part), **{field: value})
        stages[f"{field} {value}"] = replace(last, **{part: changed})
    return stages
