"""The bench: the same work in turns, and ratios within a turn."""

import dataclasses

import pytest
import torch

from bardgpt.config import PRESETS
from bardgpt.teaching import bench


@pytest.fixture
def small(monkeypatch):
    """The full preset at a size that a test can afford."""
    full = PRESETS["full"]
    model = dataclasses.replace(full.model, n_layer=2, n_embd=24, n_head=3, block_size=16)
    monkeypatch.setitem(PRESETS, "full", dataclasses.replace(full, model=model))
    return model


@pytest.mark.parametrize("case", bench.CASES)
def test_case_is_what_its_name_says(small, case):
    made = bench.trainer(case, "cpu", batch_size=2)
    assert made.model.config.fused is ("one product" in case)
    assert made.precision == ("bfloat16" if "bfloat16" in case else "float32")
    assert made.model.config.dropout == (0.2 if "dropout" in case else 0.0)
    made.advance()
    assert made.read_losses() == pytest.approx(4.2, abs=0.7)


def test_cases_do_the_same_work(small):
    """The same text, from which one seed draws the same windows."""
    first = []
    for case in ("list of heads, float32", "one product, float32"):
        made = bench.trainer(case, "cpu", batch_size=2)
        first.append(made.train_ids.clone())
    assert torch.equal(*first)


def test_every_work_has_its_turn_and_the_first_does_not_count():
    done = []
    seconds = bench.in_turns(
        {"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 3, "cpu"
    )
    assert done == ["a", "b"] * 4
    assert {name: len(taken) for name, taken in seconds.items()} == {"a": 3, "b": 3}


def test_ratios_are_of_one_turn():
    """A slow turn slows both, and cancels; the ratio of medians would not see that."""
    found = bench.ratios({"slow": [2.0, 8.0, 2.0], "fast": [1.0, 2.0, 1.0]}, "slow")
    assert found["slow"] == {"median": 1.0, "least": 1.0, "most": 1.0}
    assert found["fast"] == {"median": 2.0, "least": 2.0, "most": 4.0}


def test_flops_of_a_step_by_hand(small, monkeypatch):
    """Three times the forward pass's products, two operations each: 2 n m k for (n, k) @ (k, m)."""
    monkeypatch.setattr(bench, "BATCH_SIZE", 5)
    C, T, L, V, hs = 24, 16, 2, 65, 8
    linear = 3 * C * C + C * C + 2 * 4 * C * C  # q, k, v; projection; feed-forward
    attention = 2 * 3 * T * hs  # scores and values, for each position and each of 3 heads
    per_position = L * (linear + attention) + C * V
    assert bench.step_flops() == 5 * T * 3 * 2 * per_position


def test_peak_is_positive_and_finite(monkeypatch):
    monkeypatch.setattr(bench, "MATRIX", 64)
    assert 0 < bench.peak_flops("float32", "cpu") < float("inf")
