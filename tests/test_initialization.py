"""How the weights start: each scheme's sizes, and what it leaves as it was.

A sample standard deviation of n normal numbers is off by s / sqrt(2 n) in one standard error, of n
uniform ones by less; 5 of these are allowed.
"""

import math

import pytest
import torch
from torch import nn

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.initialization import STD, initialize

C = 64
SCHEMES = ["default", "normal", "depth-scaled", "zero", "xavier"]
CONFIG = GPTConfig(
    vocab_size=65,
    block_size=32,
    n_embd=C,
    n_layer=3,
    n_head=4,
    projection=True,
    feed_forward="two-layer",
    block="pre-norm",
    final_norm=True,
)
NORMAL = ("normal", "depth-scaled")


def model(initialization, seed=0, **others):
    torch.manual_seed(seed)
    return GPT(GPTConfig(**{**vars(CONFIG), **others, "initialization": initialization}))


def linears(found):
    return {n: m for n, m in found.named_modules() if isinstance(m, nn.Linear)}


def assert_std(weight, expected):
    allowed = 5 * expected / math.sqrt(2 * weight.numel())
    assert weight.std().item() == pytest.approx(expected, abs=allowed)
    assert weight.mean().item() == pytest.approx(0, abs=5 * expected / math.sqrt(weight.numel()))


def assert_uniform(weight, bound):
    """Of n numbers, none reaches the bound and the largest misses it by little."""
    assert weight.abs().max() <= bound
    # All n miss the last 20 / n of the range with probability e^-20.
    assert weight.abs().max() > bound * (1 - 20 / weight.numel())
    assert_std(weight, bound / math.sqrt(3))


def is_output_projection(name):
    return name.endswith((".attention.proj", ".feed_forward.proj"))


@pytest.mark.parametrize("fused", [False, True])
def test_normal(fused):
    found = model("normal", fused=fused)
    assert STD == 0.02
    for module in linears(found).values():
        assert_std(module.weight, 0.02)
    assert_std(found.token_embedding.weight, 0.02)
    assert_std(found.position_embedding.weight, 0.02)


@pytest.mark.parametrize("n_layer", [1, 3, 8])
@pytest.mark.parametrize("fused", [False, True])
def test_depth_scaled_divides_output_projections_by_the_root_of_2_l(fused, n_layer):
    """L blocks add 2 L branches; everything else is as in "normal"."""
    found = model("depth-scaled", fused=fused, n_layer=n_layer)
    scaled = [name for name in linears(found) if is_output_projection(name)]
    assert len(scaled) == 2 * n_layer
    for name, module in linears(found).items():
        assert_std(module.weight, 0.02 / math.sqrt(2 * n_layer) if name in scaled else 0.02)
    assert_std(found.token_embedding.weight, 0.02)


def test_depth_scaled_is_normal_but_for_the_scale():
    """To the rounding, from the same seed."""
    scaled, normal = model("depth-scaled").state_dict(), model("normal").state_dict()
    for name, weight in normal.items():
        shrunk = is_output_projection(name.removesuffix(".weight")) and name.endswith("weight")
        torch.testing.assert_close(scaled[name], weight / 6**0.5 if shrunk else weight)


@pytest.mark.parametrize("fused", [False, True])
def test_zero_silences_every_branch_and_touches_nothing_else(fused):
    zero, default = model("zero", fused=fused), model("default", fused=fused)
    silenced = [name for name in linears(zero) if is_output_projection(name)]
    assert len(silenced) == 6
    for (name, found), other in zip(zero.named_parameters(), default.parameters(), strict=True):
        if name.rpartition(".")[0] in silenced:
            assert not found.any()
            assert other.any()
        else:
            assert torch.equal(found, other)


def test_zero_starts_as_a_model_without_blocks():
    zero = model("zero", block="residual", final_norm=False)
    ids = torch.randint(65, (2, 9))
    x = zero.token_embedding(ids) + zero.position_embedding.weight[:9]
    assert torch.equal(zero(ids), zero.lm_head(x))


@pytest.mark.parametrize("fused", [False, True])
def test_xavier_bounds(fused):
    """sqrt(6 / (n + m)); q, k and v are C x C each, however the heads cut or stack them."""
    found = model("xavier", fused=fused)
    matrices = {"hidden": (C, 4 * C), "lm_head": (C, 65)}
    for name, module in linears(found).items():
        part = name.rpartition(".")[2]
        n, m = matrices.get(part, (C, C))
        if name.endswith("feed_forward.proj"):
            n, m = 4 * C, C
        assert_uniform(module.weight, math.sqrt(6 / (n + m)))
    for embedding in (found.token_embedding, found.position_embedding):
        assert_std(embedding.weight, 1.0)


@pytest.mark.parametrize("fused", [False, True])
def test_default_is_pytorchs_own(fused):
    """Linear layers within 1 / sqrt(n), weights and biases alike; embeddings N(0, 1)."""
    found = model("default", fused=fused)
    for module in linears(found).values():
        bound = 1 / math.sqrt(module.in_features)
        assert_uniform(module.weight, bound)
        if module.bias is not None:
            assert module.bias.any()
            assert module.bias.abs().max() <= bound
    assert_std(found.token_embedding.weight, 1.0)
    assert_std(found.position_embedding.weight, 1.0)


def test_default_touches_nothing_and_draws_nothing():
    """So a rung with the default start is what it was before there were others."""
    found = model("default")
    before = {name: p.clone() for name, p in found.named_parameters()}
    state = torch.get_rng_state()
    initialize(found, found.config)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(p, before[name]) for name, p in found.named_parameters())


@pytest.mark.parametrize("initialization", SCHEMES)
def test_heads_and_fused_start_with_the_same_distribution(initialization):
    """The same spread of q, k and v, whether cut into heads or stacked into one matrix."""
    heads = model(initialization).blocks[0].attention.heads
    of_heads = torch.cat([getattr(h, p).weight for h in heads for p in ("query", "key", "value")])
    fused = model(initialization, fused=True).blocks[0].attention.qkv.weight
    assert of_heads.shape == fused.shape == (3 * C, C)
    allowed = 5 * 2**0.5 / math.sqrt(2 * fused.numel())  # of the difference of two
    assert (of_heads.std() / fused.std()).item() == pytest.approx(1, abs=allowed)
    if initialization in NORMAL:
        assert (fused.abs() > 3 * fused.std()).any()  # tails, which a uniform one has not
    else:
        ends = of_heads.abs().max(), fused.abs().max()
        assert ends[0].item() == pytest.approx(ends[1].item(), rel=20 / fused.numel())


@pytest.mark.parametrize("initialization", ["normal", "depth-scaled", "xavier"])
@pytest.mark.parametrize("fused", [False, True])
def test_biases_start_at_0_and_gains_at_1(initialization, fused):
    found = model(initialization, fused=fused)
    for name, p in found.named_parameters():
        if name.endswith("bias"):
            assert not p.any(), name
    gains = [
        p for name, p in found.named_parameters() if "norm" in name and name.endswith("weight")
    ]
    assert len(gains) == 7
    assert all((gain == 1).all() for gain in gains)


@pytest.mark.parametrize("initialization", SCHEMES)
def test_a_start_is_its_seeds(initialization):
    first, again, other = (model(initialization, seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(
        first["blocks.0.feed_forward.hidden.weight"], other["blocks.0.feed_forward.hidden.weight"]
    )


@pytest.mark.parametrize("initialization", ["normal", "xavier"])
@pytest.mark.parametrize("changes", [{"n_layer": 0}, {"positions": False}, {"final_norm": False}])
def test_models_with_fewer_parts_can_start_too(initialization, changes):
    found = model(initialization, **changes)
    assert all(not m.bias.any() for m in linears(found).values() if m.bias is not None)


def test_one_layer_has_no_output_projection_to_scale():
    """Its only matrix is "hidden"; nn.Identity stands where the projection would be."""
    found = model("normal", feed_forward="one-layer", projection=False)
    assert [name for name in linears(found) if name.endswith(".proj")] == []


def test_gradients_are_on_afterwards():
    assert all(p.requires_grad for p in model("xavier").parameters())
