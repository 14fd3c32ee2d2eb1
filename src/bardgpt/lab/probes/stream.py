"""The stream through the blocks, the branches beside it, and the gradient that comes back.

Shapes: B windows, T positions, C channels, L blocks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from bardgpt.gpt import GPT, next_character_loss
from bardgpt.layers.blocks import Block, PreNormBlock
from bardgpt.layers.feed_forward import FeedForward


@dataclass
class Stream:
    """What passed through a model in one forward pass.

    Attributes:
        at: L + 1 tensors (B, T, C), the input of each block and the output of the last.
        branches: 2 L tensors (B, T, C), what attention and feed-forward gave, block by block.
        beside: 2 L tensors (B, T, C), the stream that each branch forks off from.
        hidden: L tensors (B, T, H), the hidden units after their activation.
    """

    at: list[Tensor] = field(default_factory=list)
    branches: list[Tensor] = field(default_factory=list)
    beside: list[Tensor] = field(default_factory=list)
    hidden: list[Tensor] = field(default_factory=list)


@contextmanager
def recorded_stream(model: GPT) -> Iterator[Stream]:
    """Record what passes through a model's blocks while the `with` block lasts.

    The tensors are the model's own, so gradients can be asked of them. A second forward pass adds
    to the lists.

    Raises:
        ValueError: if the model has no blocks, or blocks without a feed-forward layer.
    """
    blocks = _blocks(model)
    if not blocks:
        raise ValueError(
            "the model has no stream to record: it needs n_layer > 0 and a feed_forward layer"
        )
    stream, hooks = Stream(), []

    def keep_input(module: nn.Module, into: list[Tensor]) -> None:
        def keep(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            into.append(inputs[0])

        hooks.append(module.register_forward_pre_hook(keep))

    def keep_output(module: nn.Module, into: list[Tensor]) -> None:
        def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            into.append(output)

        hooks.append(module.register_forward_hook(keep))

    try:
        for block, feed_forward in blocks:
            keep_input(block, stream.at)
            keep_input(block, stream.beside)
            keep_output(block.attention, stream.branches)
            # Before a pre-norm the stream is the norm's input; elsewhere the feed-forward layer's.
            forks = block.feed_forward_norm if isinstance(block, PreNormBlock) else feed_forward
            keep_input(forks, stream.beside)
            keep_output(feed_forward.activation, stream.hidden)
            keep_output(feed_forward, stream.branches)
        keep_output(blocks[-1][0], stream.at)
        yield stream
    finally:
        for hook in hooks:
            hook.remove()


def _blocks(model: GPT) -> list[tuple[Block, FeedForward]]:
    """The blocks that have a feed-forward layer, each with it, in the order of the forward pass."""
    return [
        (block, block.feed_forward)
        for block in model.blocks
        if isinstance(block, Block) and isinstance(block.feed_forward, FeedForward)
    ]


def rms(x: Tensor) -> float:
    """Root of the mean square: the typical size of one number."""
    return x.square().mean().sqrt().item()


def stream_statistics(model: GPT, ids: Tensor, targets: Tensor) -> dict[str, list[float]]:
    """One forward and one backward pass, as sizes by depth.

    The loss is summed over positions, not averaged, so that gradients do not shrink with the batch.
    The model's own gradients are left as they were.

    Args:
        model: as it is, in its mode.
        ids: (B, T).
        targets: (B, T).

    Returns:
        By name a list, from the first block to the last:
        "stream": L + 1 RMS sizes of the stream, the input of each block and the last output;
        "mean": L + 1 means of the same numbers;
        "gradient": L + 1 RMS sizes of the gradient of the loss there;
        "weight gradient": L RMS sizes, of the gradient of the feed-forward layer's last matrix;
        "branch": 2 L ratios, the RMS of a branch over that of the stream that it forks off from,
        attention and feed-forward in turn (empty for plain blocks, which add to nothing);
        "silent": L shares of hidden units that are exactly 0.
    """
    with recorded_stream(model) as stream:
        loss = next_character_loss(model(ids), targets) * targets.numel()
    matrices = [
        feed_forward.proj.weight
        if isinstance(feed_forward.proj, nn.Linear)
        else feed_forward.hidden.weight
        for _, feed_forward in _blocks(model)
    ]
    gradients = torch.autograd.grad(loss, [*stream.at, *matrices])
    L = model.config.n_layer
    return {
        "stream": [rms(x) for x in stream.at],
        "mean": [x.mean().item() for x in stream.at],
        "gradient": [rms(g) for g in gradients[: L + 1]],
        "weight gradient": [rms(g) for g in gradients[L + 1 :]],
        "branch": []
        if model.config.block == "plain"
        else [
            rms(branch) / rms(beside)
            for branch, beside in zip(stream.branches, stream.beside, strict=True)
        ],
        "silent": [(h == 0).double().mean().item() for h in stream.hidden],
    }
