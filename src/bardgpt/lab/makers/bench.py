"""How fast the full model trains and samples, one step of the fast path after the other.

`make bench` runs this and writes `recorded/bench.json`, which `bardgpt.records.speeds` reads. All
cases do the same work in one run, in turns, so that whatever else the machine does falls on all of
them; what is compared is the ratio within a turn.
"""

import dataclasses
import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Literal
from unittest.mock import patch

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from bardgpt import files
from bardgpt.config import TrainingConfig
from bardgpt.files import write_whole
from bardgpt.gpt import GPT
from bardgpt.lab.clock import timed
from bardgpt.lab.cost import flops
from bardgpt.lab.makers.provenance import provenance
from bardgpt.layers import attention
from bardgpt.layers.normalization import LayerNorm
from bardgpt.presets import PRESETS
from bardgpt.progress import progress_bar
from bardgpt.records import speeds
from bardgpt.records.speeds import Speeds
from bardgpt.sampling import generate
from bardgpt.training import devices
from bardgpt.training.devices import Precision
from bardgpt.training.trainer import Trainer

TURNS = 5
BATCH_SIZE = 16  # windows of 256: enough to keep the cores busy, and a step ends in seconds
SAMPLED = 500  # characters after a prompt of one, as `bardgpt sample` does; the window fills twice
MATRIX = 2_048  # side of the matrices that measure the peak
PRODUCTS = 4  # of such matrices in a turn
# Windows, their length and the width, from a sampling step's size to twice the fast path's.
SIZES = (
    *((1, 1, 384), (32, 8, 32), (8, 64, 128), (4, 128, 384), (8, 256, 256), (4, 256, 768)),
    *((16, 256, 384), (32, 256, 384)),
)


@dataclass(frozen=True)
class Case:
    """One way to compute a training step of the full model.

    Attributes:
        path: how far along: a list of heads; all heads in one product, with the softmax written
            out; attention in one kernel; layer norm in one kernel too, which is `fused`; the same
            with attention in whole matrices, as `fused` trains in bfloat16 on a CPU.
        precision: of the products.
        dropout: the share, everywhere.
        weights_dropout: the share of attention weights, if it is another.
    """

    path: Literal[
        "list of heads", "one product", "attention kernel", "all kernels", "whole matrices"
    ]
    precision: Precision = "float32"
    dropout: float = 0.0
    weights_dropout: float | None = None

    def kernels(self) -> AbstractContextManager[object]:
        """The context in which a step runs."""
        if self.path == "one product":
            return sdpa_kernel(SDPBackend.MATH)
        return (
            nullcontext() if self.path == "whole matrices" else patch.object(attention, "WHOLE", 0)
        )


CASES = {
    "list of heads, float32": Case("list of heads"),
    "one product, float32": Case("one product"),
    "attention kernel, float32": Case("attention kernel"),
    "all kernels, float32": Case("all kernels"),
    "list of heads, bfloat16": Case("list of heads", "bfloat16"),
    "all kernels, bfloat16": Case("all kernels", "bfloat16"),
    "whole matrices, bfloat16": Case("whole matrices", "bfloat16"),
    "list of heads, float32, dropout": Case("list of heads", "float32", 0.2),
    "all kernels, float32, dropout": Case("all kernels", "float32", 0.2),
    "list of heads, bfloat16, dropout": Case("list of heads", "bfloat16", 0.2),
    "all kernels, bfloat16, dropout": Case("all kernels", "bfloat16", 0.2),
    "whole matrices, bfloat16, dropout": Case("whole matrices", "bfloat16", 0.2),
    "all kernels, bfloat16, dropout at ends": Case("all kernels", "bfloat16", 0.2, 0.0),
    "whole matrices, bfloat16, dropout at ends": Case("whole matrices", "bfloat16", 0.2, 0.0),
}

BASELINE = next(iter(CASES))


def trainer(name: str, device: str, batch_size: int = BATCH_SIZE) -> Trainer:
    """A full-size model in training, as a case has it, on random text."""
    case = CASES[name]
    config = dataclasses.replace(
        PRESETS["full"].model,
        fused=case.path != "list of heads",
        dropout=case.dropout,
        attention_dropout=case.weights_dropout,
    )
    torch.manual_seed(0)
    ids = torch.randint(config.vocab_size, (100_000,))  # (N,) speed does not depend on the text
    model = GPT(config).to(device)
    for module in model.modules():
        if isinstance(module, LayerNorm):
            module.fused = case.path in ("all kernels", "whole matrices")
    training = TrainingConfig(batch_size=batch_size, learning_rate=3e-4)
    return Trainer(model, ids, training, precision=case.precision)


def step(name: str, of: Trainer) -> None:
    """One training step, as a case computes it."""
    with CASES[name].kernels():
        of.advance()


def in_turns(
    works: Mapping[str, Callable[[], object]], turns: int, device: str
) -> dict[str, list[float]]:
    """Seconds of each work in each turn.

    One turn before the first warms up and does not count. Every other turn goes backwards, so that
    a machine which slows down meanwhile favours nobody.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in progress_bar(range(turns + 1), unit="turn"):
        for name in list(works)[:: -1 if turn % 2 else 1]:
            taken = timed(works[name], device)
            if turn:
                seconds[name].append(taken)
    return seconds


def step_flops() -> int:
    """Floating-point operations of a step of the bench."""
    return flops(PRESETS["full"].model, BATCH_SIZE)


def products(precision: Precision, device: str) -> Callable[[], None]:
    """Work that comes as close to a machine's peak as PyTorch does: large matrix products."""
    a = torch.randn(MATRIX, MATRIX, device=device, dtype=getattr(torch, precision))

    def work() -> None:
        for _ in range(PRODUCTS):
            _ = a @ a

    return work


def products_flops() -> int:
    """Floating-point operations of such work: a product of two matrices n by n takes 2 n³."""
    return PRODUCTS * 2 * MATRIX**3


def peak_bytes(name: str, device: str) -> int | None:
    """The most memory that a first step takes beyond what stood before; ask in a fresh process.

    Beyond weights and text, that is: what the forward pass keeps, gradients, the optimizer's
    averages. None on a device that does not tell.
    """
    fresh = trainer(name, device)
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    before = _most_bytes_so_far(device)
    step(name, fresh)
    after = _most_bytes_so_far(device)
    return None if before is None or after is None else after - before


def _most_bytes_so_far(device: str) -> int | None:
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    if device == "mps" or sys.platform == "win32":  # neither keeps such a figure
        return None
    import resource  # which Windows does not have

    unit = 1 if sys.platform == "darwin" else 1_024  # of ru_maxrss
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def bench(device: str | None = None, turns: int = TURNS) -> Speeds:
    """Run everything."""
    device = devices.choose_device(devices.facts(), device)
    started = time.perf_counter()
    # A fresh process for each case, and before anything else needs memory.
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        memory = {name: pool.apply(peak_bytes, (name, device)) for name in CASES}
    trainers = {name: trainer(name, device) for name in CASES}
    works: dict[str, Callable[[], object]] = {
        name: partial(step, name, trainers[name]) for name in CASES
    }
    precisions: tuple[Precision, ...] = ("float32", "bfloat16")
    seconds = in_turns(works | {p: products(p, device) for p in precisions}, turns, device)
    model = trainers["all kernels, float32"].model
    prompt = torch.zeros(1, dtype=torch.int64, device=device)
    sampling = {
        name: partial(generate, model, prompt, SAMPLED, cache=cache)
        for name, cache in (("without a cache", False), ("with a cache", True))
    }
    samples = in_turns(sampling, turns, device)
    return Speeds(
        device=device,
        threads=torch.get_num_threads(),
        characters=BATCH_SIZE * model.config.block_size,
        flops=step_flops(),
        peak={p: products_flops() / min(seconds[p]) for p in precisions},
        steps={name: seconds[name] for name in CASES},
        precisions={name: case.precision for name, case in CASES.items()},
        bytes=memory,
        length=SAMPLED,
        samples=samples,
        made=provenance(time.perf_counter() - started, torch.get_num_threads()),
    )


def table(measured: Speeds) -> str:
    """A run of the bench, to be read: medians over the turns."""
    lines = [f"{'training':46}{'characters/s':>13}{'times':>7}{'of peak':>9}{'memory':>11}"]
    for name in measured.steps:
        memory = measured.bytes[name]
        lines.append(
            f"{name:46}{measured.per_second(name).median:13,.0f}"
            f"{measured.times(name, than=BASELINE).median:7.2f}"
            f"{measured.share_of_peak(name).median:9.0%}"
            + ("" if memory is None else f"{memory / 2**20:7,.0f} MiB")
        )
    for name in measured.samples:
        times = measured.times(name, than="without a cache").median
        lines.append(f"sampling {name:37}{measured.per_second(name).median:13,.0f}{times:7.2f}")
    return "\n".join(lines)


def threads_by_size(
    sizes: Sequence[tuple[int, int, int]] = SIZES, turns: int = 4 * TURNS
) -> dict[int, float]:
    """How many times faster a training step is with all threads than with one.

    For a machine that does nothing else; it tells where `bardgpt.threads.SMALL` should lie, which
    is where this passes 1.

    Args:
        sizes: windows, their length and the model's width; two layers, as all of them are alike.
        turns: of which the median counts.

    Returns:
        The ratio by numbers in an activation.
    """
    most, ratios = torch.get_num_threads(), {}
    for B, T, C in sizes:
        few = {"n_layer": 2, "n_head": 4, "n_embd": C, "block_size": T}
        config = dataclasses.replace(PRESETS["full"].model, **few)
        ids = torch.randint(config.vocab_size, (100_000,))  # (N,)
        of = Trainer(GPT(config), ids, TrainingConfig(batch_size=B))
        works = {str(n): partial(_step_in_threads, n, of) for n in (1, most)}
        seconds = in_turns(works, turns, "cpu")
        torch.set_num_threads(most)
        ratios[B * T * C] = median(seconds["1"]) / median(seconds[str(most)])
    return ratios


def _step_in_threads(number: int, of: Trainer) -> None:
    torch.set_num_threads(number)
    of.advance()


def main() -> None:
    """`python -m bardgpt.lab.makers.bench [FILE]`: run, write the record, say it in a table.

    With `--threads` in the file's place: only say what threads are worth, by size.
    """
    if sys.argv[1:] == ["--threads"]:
        for numbers, ratio in threads_by_size().items():
            print(f"{numbers:12,} numbers: {ratio:5.2f} times as fast in {torch.get_num_threads()}")
        return
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else files.RECORDED / "bench.json"
    write_whole(file, (json.dumps(dataclasses.asdict(bench()), indent=1) + "\n").encode())
    print(table(speeds.load(file)))


if __name__ == "__main__":
    main()
