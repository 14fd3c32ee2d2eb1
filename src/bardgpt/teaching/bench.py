"""How fast the full model trains and samples, one step of the fast path after the other.

`make bench` runs this and writes `recorded/bench.json`. All cases do the same work in one run, in
turns, so that whatever else the machine does falls on all of them; what is compared is the ratio
within a turn, and its spread over turns is given.
"""

import dataclasses
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from bardgpt.config import PRESETS, GPTConfig, TrainingConfig
from bardgpt.files import write_whole
from bardgpt.gpt import GPT
from bardgpt.sampling import generate
from bardgpt.teaching.experiments import RECORDED, provenance
from bardgpt.training import devices
from bardgpt.training.devices import Precision
from bardgpt.training.trainer import Trainer

TURNS = 5
BATCH_SIZE = 16  # windows of 256: enough to keep the cores busy, and a step ends in seconds
SAMPLED = 255  # characters after a prompt of one: a window, filled
MATRIX = 2_048  # side of the matrices that measure the peak

# Name: kernels, precision of products, dropout.
CASES: dict[str, tuple[bool, Precision, float]] = {
    "list of heads, float32": (False, "float32", 0.0),
    "one product, float32": (True, "float32", 0.0),
    "list of heads, bfloat16": (False, "bfloat16", 0.0),
    "one product, bfloat16": (True, "bfloat16", 0.0),
    "one product, float32, dropout": (True, "float32", 0.2),
    "one product, bfloat16, dropout": (True, "bfloat16", 0.2),
}
BASELINE = next(iter(CASES))


def trainer(case: str, device: str, batch_size: int = BATCH_SIZE) -> Trainer:
    """A full-size model in training, as a case has it, on random text."""
    fused, precision, dropout = CASES[case]
    torch.manual_seed(0)
    config: GPTConfig = dataclasses.replace(PRESETS["full"].model, fused=fused, dropout=dropout)
    ids = torch.randint(config.vocab_size, (100_000,))  # (N,) speed does not depend on the text
    training = TrainingConfig(batch_size=batch_size, learning_rate=3e-4)
    return Trainer(GPT(config).to(device), ids, training, precision=precision)


def timed(work: Callable[[], object], device: str) -> float:
    """Seconds that some work takes, until the device has really done it."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: str) -> None:
    if device != "cpu":
        getattr(torch, device).synchronize()


def in_turns(works: dict[str, Callable[[], object]], turns: int, device: str) -> dict[str, list]:
    """Seconds of each work in each turn; one turn before the first warms up and does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for turn in tqdm(range(turns + 1), desc="turns", leave=False):
        for name, work in works.items():
            taken = timed(work, device)
            if turn:
                seconds[name].append(taken)
    return seconds


def ratios(seconds: dict[str, list[float]], baseline: str) -> dict[str, dict[str, float]]:
    """How many times faster than the baseline, turn by turn: median and range."""
    found = {}
    for name, taken in seconds.items():
        of_turns = [a / b for a, b in zip(seconds[baseline], taken, strict=True)]
        found[name] = {
            "median": statistics.median(of_turns),
            "least": min(of_turns),
            "most": max(of_turns),
        }
    return found


def step_flops() -> int:
    """Floating-point operations of a training step: all matrix products, forward and backward.

    Counted by PyTorch as it runs them; the list of heads shows it every product.
    """
    judged = trainer(BASELINE, "cpu", batch_size=1)
    with FlopCounterMode(display=False) as counter:
        judged.advance()
    return counter.get_total_flops() * BATCH_SIZE


def peak_flops(precision: Precision, device: str) -> float:
    """Operations a second in the best of some large matrix products: what a step could reach."""
    a = torch.randn(MATRIX, MATRIX, device=device, dtype=getattr(torch, precision))
    best = min(timed(lambda: a @ a, device) for _ in range(8))
    return 2 * MATRIX**3 / best


def _peak_bytes(case: str, device: str) -> int:
    """The most memory that one step needs, in a process of its own."""
    judged = trainer(case, device)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    judged.advance()
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1_024  # of ru_maxrss
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit


def bench(device: str | None = None, turns: int = TURNS) -> dict[str, Any]:
    """Run everything; the record."""
    device = devices.choose_device(devices.facts(), device)
    started = time.perf_counter()
    trainers = {case: trainer(case, device) for case in CASES}
    steps = in_turns({case: t.advance for case, t in trainers.items()}, turns, device)
    model = trainers["one product, float32"].model
    prompt = torch.zeros(1, dtype=torch.int64, device=device)
    samples = in_turns(
        {
            name: lambda cache=cache: generate(model, prompt, SAMPLED, cache=cache)
            for name, cache in (("without a cache", False), ("with a cache", True))
        },
        turns,
        device,
    )
    characters = BATCH_SIZE * model.config.block_size
    flops = step_flops()
    peaks = {p: peak_flops(p, device) for p in ("float32", "bfloat16")}
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        memory = {case: pool.apply(_peak_bytes, (case, device)) for case in CASES}
    return {
        "device": device,
        "threads": torch.get_num_threads(),
        "turns": turns,
        "characters in a step": characters,
        "flops of a step": flops,
        "peak flops a second": peaks,
        "training": {
            case: {
                "characters a second": characters / statistics.median(steps[case]),
                "times the list of heads in float32": ratios(steps, BASELINE)[case],
                "share of the peak": flops / statistics.median(steps[case]) / peaks[CASES[case][1]],
                "bytes": memory[case],
                "seconds": steps[case],
            }
            for case in CASES
        },
        "sampling": {
            case: {
                "characters a second": SAMPLED / statistics.median(samples[case]),
                "times without a cache": ratios(samples, "without a cache")[case],
                "seconds": samples[case],
            }
            for case in samples
        },
        "made": provenance(time.perf_counter() - started, torch.get_num_threads()),
    }


def main() -> None:
    """`python -m bardgpt.teaching.bench [FILE]`: run, write the record, say it in a table."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDED / "bench.json"
    found = bench()
    write_whole(file, (json.dumps(found, indent=1) + "\n").encode())
    print(f"{'training':32}{'characters/s':>14}{'times':>8}{'of peak':>9}{'memory':>10}")
    for case, row in found["training"].items():
        times = row["times the list of heads in float32"]["median"]
        print(
            f"{case:32}{row['characters a second']:14,.0f}{times:8.2f}"
            f"{row['share of the peak']:9.0%}{row['bytes'] / 2**20:7,.0f} MiB"
        )
    for case, row in found["sampling"].items():
        times = row["times without a cache"]["median"]
        print(f"sampling {case:23}{row['characters a second']:14,.0f}{times:8.2f}")


if __name__ == "__main__":
    main()
