"""The bench: the same work in turns, and ratios within a turn."""

import dataclasses
import json
import sys
from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from bardgpt import files, threads
from bardgpt.lab import clock
from bardgpt.lab.makers import bench
from bardgpt.layers.attention import CausalSelfAttention
from bardgpt.layers.normalization import LayerNorm
from bardgpt.presets import PRESETS
from bardgpt.records import speeds
from bardgpt.records.speeds import Speeds, Spread


@pytest.fixture
def small(monkeypatch):
    """The full preset at a size that a test can afford."""
    full = PRESETS["full"]
    model = replace(full.model, n_layer=2, n_embd=24, n_head=3, block_size=16)
    monkeypatch.setitem(PRESETS, "full", replace(full, model=model))
    return model


class Kernels(TorchDispatchMode):
    """Names of all that PyTorch runs, below autograd."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


FLASH = "_scaled_dot_product_flash_attention_for_cpu"


@pytest.mark.parametrize("name", bench.CASES)
def test_case_is_what_its_name_says(small, name):
    case, made = bench.CASES[name], bench.trainer(name, "cpu", batch_size=2)
    assert name.startswith(f"{case.path}, {case.precision}")
    assert made.precision == case.precision
    assert made.model.config.dropout == (0.2 if "dropout" in name else 0.0)
    on_weights = 0.2 if name.endswith("dropout") else 0.0
    attentions = [m for m in made.model.modules() if isinstance(m, CausalSelfAttention)]
    assert [m.rate for m in attentions] == [on_weights] * (0 if "list" in name else 2)
    norms = [m.fused for m in made.model.modules() if isinstance(m, LayerNorm)]
    assert norms == ["all kernels" in name or "whole" in name] * 5
    with Kernels() as ran:
        bench.step(name, made)
    # On a processor the kernel knows no dropout: then the softmax is written out after all.
    assert (FLASH in ran.names) == ("kernel" in case.path and not on_weights)
    assert ("native_layer_norm" in ran.names) == all(norms)
    assert made.read_losses() == pytest.approx(4.2, abs=0.7)


def test_cases_do_the_same_work(small):
    """The same text and windows, and with the same weights the same losses."""
    paths = [name for name, case in bench.CASES.items() if case == bench.Case(case.path)]
    assert len(paths) == 4
    made = [bench.trainer(name, "cpu", batch_size=2) for name in paths]
    for other in made[1:]:
        assert torch.equal(made[0].train_ids, other.train_ids)
    listed, weights = made[0].model, made[1].model.state_dict()
    weights |= {k: v for k, v in listed.state_dict().items() if "heads" not in k}
    for i, block in enumerate(listed.blocks):
        fused = CausalSelfAttention.from_heads(block.attention, replace(small, fused=True))
        weights[f"blocks.{i}.attention.qkv.weight"] = fused.qkv.weight
    for other in made[1:]:
        other.model.load_state_dict(weights)
    losses = []
    for name, of in zip(paths, made, strict=True):
        for _ in range(3):
            bench.step(name, of)
        losses.append(of.read_losses())
    assert losses == pytest.approx([losses[0]] * 4, abs=1e-4)


def test_whole_matrices_do_the_kernels_work(small):
    made = [
        bench.trainer(f"{path}, bfloat16", "cpu", 2) for path in ("all kernels", "whole matrices")
    ]
    losses = []
    for name, of in zip(("all kernels, bfloat16", "whole matrices, bfloat16"), made, strict=True):
        for _ in range(3):
            bench.step(name, of)
        losses.append(of.read_losses())
    assert losses[0] == pytest.approx(losses[1], abs=1e-2)  # 16 bits have two to three digits


def test_every_work_has_its_turn_forwards_and_backwards_and_the_first_does_not_count():
    done = []
    seconds = bench.in_turns(
        {"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 3, "cpu"
    )
    assert "".join(done) == "abbaabba"
    assert {name: len(taken) for name, taken in seconds.items()} == {"a": 3, "b": 3}


def test_flops_of_a_step_by_hand(small, monkeypatch):
    """Three times the forward pass's products, two operations each: 2 n m k for (n, k) @ (k, m)."""
    monkeypatch.setattr(bench, "BATCH_SIZE", 5)
    C, T, L, V, hs = 24, 16, 2, 65, 8
    linear = 3 * C * C + C * C + 2 * 4 * C * C  # q, k, v; projection; feed-forward
    attention = 2 * 3 * T * hs  # scores and values, for each position and each of 3 heads
    per_position = L * (linear + attention) + C * V
    assert bench.step_flops() == 5 * T * 3 * 2 * per_position


def test_seconds_are_each_works_own_and_those_of_the_first_turn_are_gone(monkeypatch):
    """Work a takes 1 and b 10 seconds in the first turn, 2 and 20 in the second, and so on."""
    taken = {"a": iter([1.0, 2.0, 3.0]), "b": iter([10.0, 20.0, 30.0])}
    monkeypatch.setattr(bench, "timed", lambda work, device: next(taken[work()]))
    seconds = bench.in_turns({"a": lambda: "a", "b": lambda: "b"}, 2, "cpu")
    assert seconds == {"a": [2.0, 3.0], "b": [20.0, 30.0]}


@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
def test_time_is_taken_until_the_device_has_done_its_work(monkeypatch, device):
    happened = []
    for name in ("cuda", "mps"):
        monkeypatch.setattr(getattr(torch, name), "synchronize", lambda: happened.append("wait"))
    ticks = iter([10.0, 12.5])
    monkeypatch.setattr(
        clock.time, "perf_counter", lambda: (happened.append("clock"), next(ticks))[1]
    )
    assert clock.timed(lambda: happened.append("work"), device) == 2.5
    wait = [] if device == "cpu" else ["wait"]
    assert happened == [*wait, "clock", "work", *wait, "clock"]


def test_peak_bytes_are_what_the_step_adds(small, monkeypatch):
    """What stood before the step, weights and text, is not counted."""
    happened, most = [], iter([100, 350])
    monkeypatch.setattr(
        bench, "_most_bytes_so_far", lambda device: (happened.append("look"), next(most))[1]
    )
    monkeypatch.setattr(bench, "step", lambda *_: happened.append("step"))
    assert bench.peak_bytes(bench.BASELINE, "cpu") == 250
    assert happened == ["look", "step", "look"]


def test_a_device_that_cannot_tell_its_memory_says_nothing(small, monkeypatch):
    assert bench._most_bytes_so_far("mps") is None
    monkeypatch.setattr(bench, "_most_bytes_so_far", lambda device: None)
    assert bench.peak_bytes(bench.BASELINE, "cpu") is None


@pytest.mark.parametrize(("platform", "unit"), [("linux", 1_024), ("darwin", 1)])
def test_a_systems_unit_of_memory(monkeypatch, platform, unit):
    """`getrusage` counts KiB on Linux, and bytes on a Mac."""
    resource = pytest.importorskip("resource")
    monkeypatch.setattr(sys, "platform", platform)
    usage = type("Usage", (), {"ru_maxrss": 3})
    monkeypatch.setattr(resource, "getrusage", lambda who: usage)
    assert bench._most_bytes_so_far("cpu") == 3 * unit


def test_work_of_the_peak_is_as_much_as_is_reckoned_and_in_its_precision(monkeypatch):
    """2 n³ operations for each product of two matrices n by n."""
    monkeypatch.setattr(bench, "MATRIX", 8)
    for precision in ("float32", "bfloat16"):
        work = bench.products(precision, "cpu")
        (matrix,) = (cell.cell_contents for cell in work.__closure__)
        assert matrix.dtype == getattr(torch, precision)
        with FlopCounterMode(display=False) as counter:
            work()
        assert counter.get_total_flops() == bench.products_flops() == bench.PRODUCTS * 2 * 8**3


@pytest.fixture
def benched(small, monkeypatch):
    """A whole bench, small: call it."""
    for name, value in {"BATCH_SIZE": 2, "SAMPLED": 20, "MATRIX": 64}.items():
        monkeypatch.setattr(bench, name, value)

    class Here:
        """In place of processes that would not know of the small model."""

        def __init__(self, *_, **__): ...

        def __enter__(self):
            return self

        def __exit__(self, *_): ...

        def apply(self, function, arguments):
            return function(*arguments)

    context = type("Context", (), {"Pool": Here})
    monkeypatch.setattr(bench.multiprocessing, "get_context", lambda _: context)
    return lambda turns=3: bench.bench("cpu", turns=turns)


def test_every_case_and_both_ways_to_sample_do_what_their_names_say(benched, monkeypatch):
    """And what is written of each is its own: the n-th work of a turn takes n seconds."""
    done = []
    monkeypatch.setattr(bench, "step", lambda name, of: done.append((name, of.precision)))
    monkeypatch.setattr(
        bench, "generate", lambda m, p, length, *, cache: done.append((len(p), length, cache))
    )
    monkeypatch.setattr(bench, "products", lambda precision, device: lambda: done.append(precision))
    monkeypatch.setattr(bench, "peak_bytes", lambda name, device: len(name))
    started = []

    def in_turns(works, turns, device):
        assert (turns, device) == (2, "cpu")
        for work in works.values():
            work()
        started.append(list(works))
        return {name: [2.0 * n, 1.0 * n] for n, name in enumerate(works, start=1)}

    monkeypatch.setattr(bench, "in_turns", in_turns)
    speeds = benched(turns=2)
    cases = [(name, case.precision) for name, case in bench.CASES.items()]
    sampling = [(1, 20, False), (1, 20, True)]  # a prompt of one, 20 characters
    assert done == [*cases, "float32", "bfloat16", *sampling]
    assert started == [
        [*bench.CASES, "float32", "bfloat16"],
        ["without a cache", "with a cache"],
    ]
    assert speeds.steps == {name: [2.0 * n, 1.0 * n] for n, name in enumerate(bench.CASES, start=1)}
    assert speeds.samples == {"without a cache": [2.0, 1.0], "with a cache": [4.0, 2.0]}
    n = len(bench.CASES)
    assert speeds.peak == {
        "float32": 4 * 2 * 64**3 / (n + 1),  # the best turn's seconds
        "bfloat16": 4 * 2 * 64**3 / (n + 2),
    }
    assert speeds.bytes == {name: len(name) for name in bench.CASES}
    assert speeds.precisions == dict(cases)
    assert (speeds.characters, speeds.length) == (2 * 16, 20)
    assert speeds.flops == bench.step_flops()
    assert (speeds.device, speeds.threads) == ("cpu", torch.get_num_threads())


def test_bench_is_written_read_back_and_told(benched, monkeypatch, tmp_path, capsys):
    measured = benched()
    monkeypatch.setattr(bench, "bench", lambda: measured)
    monkeypatch.setattr(sys, "argv", ["bench", str(tmp_path / "bench.json")])
    bench.main()
    assert speeds.load(tmp_path / "bench.json") == measured
    assert measured.turns == 3
    assert all(0 < peak < float("inf") for peak in measured.peak.values())
    assert all(value > 0 for taken in measured.steps.values() for value in taken)
    told = capsys.readouterr().out
    assert all(name in told for name in [*bench.CASES, "with a cache"])


# --- the reader -------------------------------------------------------------------------------


SPEEDS = Speeds(
    device="cpu",
    threads=1,
    characters=100,
    flops=1_000,
    peak={"float32": 2_000.0, "bfloat16": 8_000.0},
    steps={"slow": [2.0, 8.0, 2.0], "fast": [1.0, 2.0, 1.0]},
    precisions={"slow": "float32", "fast": "bfloat16"},
    bytes={"slow": 2**20, "fast": None},
    length=30,
    samples={"drawn": [3.0, 3.0, 6.0]},
    made={},
)


def test_ratios_are_of_one_turn():
    """A slow turn slows both, and cancels; the ratio of medians would not see that."""
    assert SPEEDS.times("slow", than="slow") == Spread(1.0, 1.0, 1.0)
    assert SPEEDS.times("fast", than="slow") == Spread(2.0, 2.0, 4.0)
    # Turn by turn: sorted first, they would come in other pairs.
    assert SPEEDS.times("slow", than="drawn") == Spread(1.5, 0.375, 3.0)
    assert str(SPEEDS.times("fast", than="slow")) == "2.00 (2.00 to 4.00)"


def test_speeds_of_training_and_of_sampling():
    assert SPEEDS.per_second("slow") == Spread(50.0, 12.5, 50.0)
    assert SPEEDS.per_second("drawn") == Spread(10.0, 5.0, 10.0)


def test_share_of_the_peak_of_its_precision():
    assert SPEEDS.share_of_peak("slow").median == 1_000 / 2.0 / 2_000
    assert SPEEDS.share_of_peak("fast").median == 1_000 / 1.0 / 8_000


def test_table_by_hand():
    """Medians over turns: characters a second, times the first case, share of its peak, MiB."""
    made = replace(
        SPEEDS,
        characters=100_000,
        length=6_000,
        flops=1_500,
        steps={bench.BASELINE: [2.0, 8.0, 2.0], "fast": [1.0, 2.0, 1.0]},
        precisions={bench.BASELINE: "float32", "fast": "bfloat16"},
        bytes={bench.BASELINE: 1_500 * 2**20, "fast": None},
        samples={"without a cache": [3.0, 3.0, 6.0], "with a cache": [1.0, 1.0, 3.0]},
    )
    assert [line.split() for line in bench.table(made).splitlines()] == [
        ["training", "characters/s", "times", "of", "peak", "memory"],
        [*bench.BASELINE.split(), "50,000", "1.00", "38%", "1,500", "MiB"],
        ["fast", "100,000", "2.00", "19%"],
        ["sampling", "without", "a", "cache", "2,000", "1.00"],
        ["sampling", "with", "a", "cache", "6,000", "3.00"],
    ]


def test_a_case_that_nobody_measured():
    with pytest.raises(KeyError, match=r"no case 'x'; there are .*slow"):
        SPEEDS.times("x", than="slow")
    with pytest.raises(ValueError, match="no turns"):
        Spread.of([])


def test_committed_bench_is_found_among_the_records(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "RECORDED", tmp_path)
    with pytest.raises(FileNotFoundError, match="no record 'bench'"):
        speeds.load()
    (tmp_path / "bench.json").write_text(json.dumps(dataclasses.asdict(SPEEDS)), encoding="utf-8")
    assert speeds.load() == SPEEDS


def test_threads_by_size_compares_one_thread_with_all(monkeypatch):
    """Each turn both, and afterwards as many as before; all take four times as long here."""
    chosen, asked = [3], []

    def timed(work, device):
        work()
        asked.append(chosen[0])
        return {1: 1.0, 3: 4.0}[chosen[0]]

    monkeypatch.setattr(torch, "set_num_threads", lambda n: chosen.__setitem__(0, n))
    monkeypatch.setattr(torch, "get_num_threads", lambda: chosen[0])
    monkeypatch.setattr(bench, "timed", timed)
    ratios = bench.threads_by_size([(2, 4, 12), (1, 1, 32)], turns=3)
    assert ratios == {96: 0.25, 32: 0.25}
    assert asked == [1, 3, 3, 1] * 4
    assert chosen == [3]


def test_sizes_lie_on_both_sides_of_small():
    numbers = [B * T * C for B, T, C in bench.SIZES]
    assert numbers == sorted(numbers)
    assert numbers[1] < threads.SMALL < numbers[-2]


def test_threads_are_told_in_lines(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench", "--threads"])
    monkeypatch.setattr(bench, "threads_by_size", lambda: {2**20: 1.5})
    bench.main()
    said = capsys.readouterr().out
    assert said.startswith("   1,048,576 numbers:  1.50 times as fast in ")


def test_committed_bench_has_every_case():
    """One made before a case was added or renamed would not be of this program."""
    measured = speeds.load()
    assert measured.precisions == {name: case.precision for name, case in bench.CASES.items()}
    assert set(measured.steps) == set(measured.bytes) == set(bench.CASES)
    assert measured.turns == bench.TURNS
    assert measured.length == bench.SAMPLED
