"""Which optimizer has which parameter, with which decay, at which rate."""

from dataclasses import replace

import pytest
import torch

from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.gpt import GPT
from bardgpt.presets import PRESETS
from bardgpt.training.muon import Muon
from bardgpt.training.optimizers import Together, build_optimizers, rate_factor, set_rates

BLOCKS = {"projection": True, "feed_forward": "two-layer", "block": "pre-norm", "final_norm": True}
MODEL = GPTConfig(vocab_size=7, block_size=4, n_embd=8, n_head=2, n_layer=2, **BLOCKS)
BIGRAM = GPTConfig(vocab_size=7, n_layer=0, positions=False)
MUON = TrainingConfig(optimizer="muon", muon_rate=0.015, muon_decay=0.3, weight_decay=0.05)


def named_groups(model, config):
    """For each optimizer its groups, with the names of their parameters."""
    names = {id(p): name for name, p in model.named_parameters()}
    return [
        (type(optimizer), group, [names[id(p)] for p in group["params"]])
        for optimizer in build_optimizers(model, config)
        for group in optimizer.param_groups
    ]


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("decay", ["all", "matrices"])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("architecture", [MODEL, BIGRAM], ids=["blocks", "bigram"])
def test_each_parameter_is_in_exactly_one_group(architecture, fused, decay, optimizer):
    model = GPT(replace(architecture, fused=fused))
    groups = named_groups(model, TrainingConfig(optimizer=optimizer, decay=decay))
    held = [name for *_, names in groups for name in names]
    assert sorted(held) == sorted(name for name, _ in model.named_parameters())


@pytest.mark.parametrize("fused", [False, True])
def test_muon_has_the_matrices_inside_blocks_and_adamw_all_else(fused):
    model = GPT(replace(MODEL, fused=fused))
    shapes = {name: p.ndim for name, p in model.named_parameters()}
    of = {torch.optim.AdamW: set(), Muon: set()}
    for kind, _, names in named_groups(model, MUON):
        of[kind] |= set(names)
    assert {n for n in shapes if n.startswith("blocks.") and shapes[n] == 2} == of[Muon]
    outside = {"token_embedding.weight", "position_embedding.weight", "lm_head.weight"}
    assert outside < of[torch.optim.AdamW]
    assert {shapes[n] for n in of[torch.optim.AdamW] - outside} == {1}


def test_without_matrices_inside_blocks_there_is_no_muon():
    assert [kind for kind, *_ in named_groups(GPT(BIGRAM), MUON)] == [torch.optim.AdamW]


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_decay_on_matrices_spares_gains_and_biases(optimizer):
    config = TrainingConfig(
        optimizer=optimizer, decay="matrices", weight_decay=0.05, muon_decay=0.3
    )
    model = GPT(MODEL)
    shapes = {name: p.ndim for name, p in model.named_parameters()}
    for kind, group, names in named_groups(model, config):
        for name in names:
            matrix = 0.3 if kind is Muon else 0.05
            assert group["weight_decay"] == (matrix if shapes[name] == 2 else 0.0), name


def test_decay_on_all_is_on_all():
    ((_, group, names),) = named_groups(GPT(MODEL), TrainingConfig(weight_decay=0.05))
    assert group["weight_decay"] == 0.05
    assert "lm_head.bias" in names


def test_the_configs_numbers_reach_the_optimizers():
    config = replace(MUON, learning_rate=3e-3, beta2=0.97)
    adamw, muon = build_optimizers(GPT(MODEL), config)
    for group in adamw.param_groups:
        assert (group["lr"], group["betas"]) == (3e-3, (0.9, 0.97))
    (group,) = muon.param_groups
    assert (group["lr"], group["weight_decay"], group["momentum"]) == (0.015, 0.3, 0.95)


def test_adamws_defaults_are_pytorchs():
    """The ladder's records were made with `AdamW(parameters, lr, weight_decay=0.01)`."""
    (ours,) = build_optimizers(GPT(MODEL), TrainingConfig())
    theirs = torch.optim.AdamW(GPT(MODEL).parameters(), lr=1e-3, weight_decay=0.01)
    ignored = {"params", "peak"}
    (a,), (b,) = ours.param_groups, theirs.param_groups
    assert {k: v for k, v in a.items() if k not in ignored} == {
        k: v for k, v in b.items() if k not in ignored
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, [1, 1, 1, 1]),
        ({"warmup": 1}, [1, 1, 1, 1]),
        ({"warmup": 2}, [1 / 2, 1, 1, 1]),
        ({"warmup": 4}, [1 / 4, 2 / 4, 3 / 4, 1]),
        ({"warmup": 8}, [1 / 8, 2 / 8, 3 / 8, 4 / 8]),  # a run that ends before its warm-up does
        ({"schedule": "linear"}, [1, 3 / 4, 2 / 4, 1 / 4]),
        ({"schedule": "linear", "final_rate": 0.2}, [1, 0.8, 0.6, 0.4]),
        ({"schedule": "linear", "warmup": 2}, [1 / 2, 1, 1, 1 / 2]),
        ({"schedule": "linear", "warmup": 2, "final_rate": 0.5}, [1 / 2, 1, 1, 3 / 4]),
        ({"schedule": "linear", "warmup": 4}, [1 / 4, 2 / 4, 3 / 4, 1]),
        ({"schedule": "linear", "warmup": 8}, [1 / 8, 2 / 8, 3 / 8, 4 / 8]),
        ({"final_rate": 0.5}, [1, 1, 1, 1]),  # a constant rate ends nowhere else
    ],
)
def test_rates_of_four_steps(fields, expected):
    config = TrainingConfig(steps=4, **fields)
    assert [rate_factor(step, config) for step in range(4)] == pytest.approx(expected)


@pytest.mark.parametrize("final_rate", [0.0, 0.05])
@pytest.mark.parametrize("warmup", [0, 3])
def test_linear_schedule_meets_its_end_after_the_last_step(warmup, final_rate):
    config = TrainingConfig(steps=9, schedule="linear", warmup=warmup, final_rate=final_rate)
    assert rate_factor(9, config) == pytest.approx(final_rate)


def test_a_run_of_no_steps_has_a_rate_all_the_same():
    assert rate_factor(0, TrainingConfig(steps=0, schedule="linear")) == 1


def test_the_records_falling_rate_is_found_again_to_the_bit():
    """Of record "bigram-long-falling": lr * (1 - step / steps)."""
    config = TrainingConfig(steps=30_000, schedule="linear")
    (optimizer,) = build_optimizers(GPT(BIGRAM), config)
    for step in (0, 1, 7, 12_345, 29_999):
        set_rates([optimizer], rate_factor(step, config))
        assert optimizer.param_groups[0]["lr"] == 1e-3 * (1 - step / 30_000)


def test_each_group_keeps_its_own_height():
    optimizers = build_optimizers(GPT(MODEL), replace(MUON, learning_rate=3e-3))
    for factor in (0.5, 0.1, 1.0):  # from the height, and not from the rate before
        set_rates(optimizers, factor)
        rates = [g["lr"] for optimizer in optimizers for g in optimizer.param_groups]
        assert rates == pytest.approx([3e-3 * factor, 0.015 * factor])


def test_together_is_all_of_them():
    model = GPT(MODEL)
    optimizers = build_optimizers(model, replace(MUON, decay="matrices"))
    together = Together(optimizers)
    held = [id(p) for group in together.param_groups for p in group["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())  # each once
    before = [p.clone() for p in model.parameters()]
    model(torch.tensor([[0, 1, 2, 3]])).square().sum().backward()
    together.step()
    assert not any(torch.equal(p, b) for p, b in zip(model.parameters(), before, strict=True))
    together.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_rates_of_the_sprint():
    training = PRESETS["sprint"].training
    assert rate_factor(0, training) == 1 / 50
    assert rate_factor(49, training) == rate_factor(50, training) == 1
    assert rate_factor(training.steps, training) == pytest.approx(0.05)
