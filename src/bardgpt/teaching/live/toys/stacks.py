"""Chapter 5: the sizes of stream and gradient in a stack of layers, with or without `x +`.

Each layer is the feed-forward layer of chapter 4 without biases, f(x) = s W2 relu(W1 x), with as
many hidden units as channels, so that the page can compute it at once.

Shapes: N inputs, C channels.
"""

import itertools
import math

import torch
from torch import Tensor

from bardgpt.initialization import STD
from bardgpt.teaching.live.toys.draws import normal, uniform
from bardgpt.teaching.live.toys.frame import (
    MINUS,
    RESET,
    Toy,
    choice,
    fixed,
    hands,
    says,
    slider,
    switch,
)
from bardgpt.teaching.palette import COLOURS
from bardgpt.teaching.svg import paint

N, C = 8, 16
DEPTH, MOST = 8, 24
SEEDS = {"inputs": 1, "gradient": 2, "uniform": 3, "normal": 4}
LOW, HIGH = -16, 8  # powers of ten that the axis shows
STARTS = {
    "default": "default",
    "zero": "zero",
    "xavier": "xavier",
    "normal": "normal",
    "depth-scaled": "depth-scaled",
}


def toy_stack() -> Toy:
    """Layers whose stream and gradient grow or shrink with depth.

    The page computes forward and backward, with weights from a fixed seed.

    Returns:
        An object that a cell shows.
    """
    found = sizes(DEPTH, adds=False, scale=1.0, start="default")
    controls = hands(
        switch("adds", "x + (residual connections)", is_on=False),
        choice("start", "Initialization", STARTS, "default"),
        slider("depth", "Layers", (1, MOST, 1), DEPTH, says=f"{DEPTH}"),
        slider("scale", "Branch times", (0.1, 2, 0.1), 1, says="1.0"),
        f'<div class="toy-buttons">{RESET}</div>',
    )
    return Toy(
        "stack",
        "Toy: sizes of stream and gradient in a stack of layers",
        f"{_plot(*found)}{says(_words(*found))}{controls}",
        {"N": N, "C": C, "seeds": SEEDS, "std": STD, "low": LOW, "high": HIGH},
    )


def sizes(
    depth: int, *, adds: bool, scale: float, start: str
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The RMS of the stream before and after each layer, and of the gradient there.

    The gradient is that of a sum with random weights of size 1 over what the last layer gives, so
    that it has size 1 there.

    Args:
        depth: layers.
        adds: whether each layer adds to the stream instead of replacing it.
        scale: what each layer's result is multiplied by.
        start: how the weights start, of `STARTS`.

    Returns:
        Two rows of depth + 1 numbers, from the first layer's input to the last one's result.
    """
    x = _matrix(normal(SEEDS["inputs"]), N).requires_grad_()
    stream = [x]
    for first, last in _weights(depth, start):
        branch = scale * (x @ first.T).relu() @ last.T  # (N, C)
        x = x + branch if adds else branch
        x.retain_grad()
        stream.append(x)
    direction = _matrix(normal(SEEDS["gradient"]), N)
    (x * direction).sum().backward()
    top = _rms(direction)
    return (
        tuple(_rms(x.detach()) for x in stream),
        tuple(0.0 if x.grad is None else _rms(x.grad) / top for x in stream),
    )


def _weights(depth: int, start: str) -> list[tuple[Tensor, Tensor]]:
    """Both matrices of each layer."""
    is_normal = start in ("normal", "depth-scaled")
    numbers = normal(SEEDS["normal"]) if is_normal else uniform(SEEDS["uniform"])
    bound = math.sqrt(3 / C) if start == "xavier" else 1 / math.sqrt(C)
    pairs = []
    for _ in range(depth):
        pair = [_matrix(numbers, C) for _ in range(2)]
        first, last = (w * STD if is_normal else (2 * w - 1) * bound for w in pair)
        if start == "depth-scaled":
            last = last / math.sqrt(depth)  # as many branches as layers
        pairs.append((first, last * 0 if start == "zero" else last))
    return pairs


def _matrix(numbers: itertools.chain | object, rows: int) -> Tensor:
    values = list(itertools.islice(numbers, rows * C))
    return torch.tensor(values, dtype=torch.float64).reshape(rows, C)


def _rms(x: Tensor) -> float:
    return x.square().mean().sqrt().item()


def size(value: float) -> str:
    """A size in three digits, as a power of ten where it is very small or large."""
    if value == 0:
        return "0"
    if 0.01 <= value < 1000:
        return fixed(value)
    power = math.floor(math.log10(value))
    return f"{fixed(value / 10**power, 1)} · 10<sup>{str(power).replace('-', MINUS)}</sup>"


def _words(stream: tuple[float, ...], gradient: tuple[float, ...]) -> str:
    return (
        f"From the first layer to the last the stream's size goes from {size(stream[0])} to "
        f"{size(stream[-1])}. On the way back the gradient's goes from {size(gradient[-1])} to "
        f"{size(gradient[0])}."
    )


def _plot(stream: tuple[float, ...], gradient: tuple[float, ...]) -> str:
    """Both rows on a logarithmic axis; the sizes stand in the lines, too."""
    ticks = "".join(
        f'<span style="position:absolute;left:0;right:0;top:{100 * (HIGH - power) / (HIGH - LOW)}%;'
        f'border-top:1px solid {paint(COLOURS["grid"])}"></span>'
        f'<span style="position:absolute;right:100%;padding-right:0.5em;white-space:nowrap;'
        f"top:{100 * (HIGH - power) / (HIGH - LOW)}%;transform:translateY(-50%);"
        f'font-size:0.8125rem">10<sup>{str(power).replace("-", MINUS)}</sup></span>'
        for power in range(LOW, HIGH + 1, 8)
    )
    lines = "".join(
        f'<polyline data-curve data-sizes="{" ".join(map(repr, row))}" points="{_points(row)}" '
        f'fill="none" vector-effect="non-scaling-stroke" style="stroke:{paint(COLOURS[role])};'
        f'stroke-width:3px{";stroke-dasharray:7px 4px" if role == "gradient" else ""}"/>'
        for role, row in (("stream", stream), ("gradient", gradient))
    )
    return (
        '<div class="toy-caption">Size (root of the mean square) before and after each layer, '
        "first to last</div>\n"
        '<div class="toy-plot" aria-hidden="true" style="position:relative;height:12rem;'
        f'margin:0.5rem 0.5rem 0.5rem 3.25rem">{ticks}<svg viewBox="0 0 100 100" '
        'preserveAspectRatio="none" style="position:absolute;inset:0;width:100%;height:100%;'
        f'overflow:visible">{lines}</svg></div>\n'
        '<div class="toy-plot-names">'
        f'<b style="color:{paint(COLOURS["stream"], words=True)}">━ stream</b> &nbsp; '
        f'<b style="color:{paint(COLOURS["gradient"])}">╍ gradient, 1 at the last layer</b></div>\n'
    )


def _points(row: tuple[float, ...]) -> str:
    points = []
    for i, value in enumerate(row):
        power = min(max(math.log10(value), LOW), HIGH) if value else LOW
        points.append(f"{100 * i / (len(row) - 1):.2f},{100 * (HIGH - power) / (HIGH - LOW):.3f}")
    return " ".join(points)
