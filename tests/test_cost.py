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
    with torch.device("meta"):
        listed = GPT(dataclasses.replace(SMALL.model, fused=False))
    assert cost.kept == module.kept_for_backward(listed, B)


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
    """But for what changes no cost."""
    stages = list(module.one_at_a_time().values())
    assert stages[0] == PRESETS["tiny"]
    last, full = stages[-1], PRESETS["full"]
    assert dataclasses.replace(last.model, initialization="normal") == full.model
    same_cost = {"evaluate_every": 500, "learning_rate": 3e-4}
    assert dataclasses.replace(last.training, **same_cost) == full.training
    assert module.cost(last) == module.cost(full)
    for before, after in zip(stages, stages[1:], strict=False):
        changed = [
            field
            for part in ("model", "training")
            for field, value in vars(getattr(before, part)).items()
            if value != getattr(getattr(after, part), field)
        ]
        assert len(changed) == 1


def test_dropout_is_on_where_memory_is_counted():
    """In training each mask is kept; in evaluation there would be none."""
    with torch.device("meta"):
        without, with_dropout = (
            GPT(dataclasses.replace(SMALL.model, fused=False, dropout=rate)) for rate in (0.0, 0.5)
        )
    B, T, C, L, nh = 2, 7, 15, 2, 3
    masks = L * (2 * B * T * C + nh * B * T * T)  # at the end of each branch, and on the weights
    more = module.kept_for_backward(with_dropout.eval(), B) - module.kept_for_backward(without, B)
    assert more >= masks  # a byte for each number, at least


def test_stages_are_named_by_what_changes_in_the_notes_order():
    assert list(module.one_at_a_time()) == [
        "the small model",
        "batch_size 64",
        "block_size 256",
        "n_embd 384",
        "n_head 6",
        "n_layer 6",
        "dropout 0.2",
    ]
