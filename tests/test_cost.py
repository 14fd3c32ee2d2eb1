"""What a model costs, counted by hand beside."""

import dataclasses

import torch
from planned import SMALL

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.lab import cost as module
from bardgpt.presets import PRESETS


def test_cost_by_hand():
    cost = module.cost(SMALL)
    C, L, V, T, B = 15, 2, 65, 7, 2
    assert cost.parameters == GPT(SMALL.model).n_parameters()
    assert cost.state == 16 * cost.parameters
    assert cost.characters == B * T
    per_position = L * (12 * C * C + 2 * T * C) + C * V
    assert cost.flops == 3 * 2 * B * T * per_position


def test_kept_tensors_are_counted_once_and_without_weights():
    """For y = relu(x W): autograd keeps x, and relu's result; W is a weight."""

    class Two(torch.nn.Module):
        config = GPTConfig(65, block_size=7)

        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.empty(7, 65, device="meta"))

        def forward(self, ids):
            x = ids.float()[..., None] * torch.ones(7, device="meta")  # (B, T, 7)
            return (x @ self.w).relu()  # (B, T, V)

    B, T = 2, 7
    kept = module.kept_for_backward(Two(), B)
    x, y = 4 * B * T * 7, 4 * B * T * 65
    ids, scores, weight = 8 * B * T, y, 4  # what cross_entropy keeps: targets, log p, its divisor
    assert kept == x + y + ids + scores + weight


def test_kept_memory_grows_with_the_batch_and_not_the_weights():
    with torch.device("meta"):
        model = GPT(dataclasses.replace(SMALL.model, fused=False))
    one, two, four = (module.kept_for_backward(model, B) for B in (1, 2, 4))
    assert four - two == 2 * (two - one)


def test_one_change_at_a_time_ends_at_the_notes_model():
    stages = list(module.one_at_a_time().values())
    assert stages[0] == PRESETS["tiny"]
    last, full = stages[-1], PRESETS["full"]
    assert last.model == full.model
    assert dataclasses.replace(last.training, evaluate_every=500) == full.training
    for before, after in zip(stages, stages[1:], strict=False):
        changed = [
            field
            for part in ("model", "training")
            for field, value in vars(getattr(before, part)).items()
            if value != getattr(getattr(after, part), field)
        ]
        assert len(changed) == 1


def test_table_has_a_row_for_each_stage():
    rows = module.table({"a": SMALL, "b": SMALL}).splitlines()
    assert len(rows) == 3
    assert f"{GPT(SMALL.model).n_parameters():,}" in rows[1]
