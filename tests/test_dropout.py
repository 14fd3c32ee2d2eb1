"""Dropout: PyTorch's, and the one with fewer random bits for bfloat16 on a CPU."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from bardgpt.config import GPTConfig
from bardgpt.layers.attention import CausalSelfAttention
from bardgpt.layers.dropout import Dropout, drop, is_bfloat16_on_cpu, stays

CONFIG = GPTConfig(vocab_size=11, block_size=16, n_embd=24, n_head=3, projection=True, fused=True)
# A bfloat16 number is off by up to 2^-9 of itself; what a few products of them add up to, by more.
ROUNDED = {"rtol": 2**-5, "atol": 2**-5}


def numbers(*shape):
    return torch.randn(*shape, dtype=torch.bfloat16)


def test_other_numbers_are_dropped_as_pytorch_does():
    x = torch.randn(5, 7)
    for share in (0.0, 0.3):
        torch.manual_seed(1)
        expected = nn.Dropout(share)(x)
        torch.manual_seed(1)
        assert torch.equal(Dropout(share)(x), expected)


def test_nothing_is_dropped_in_use():
    x = numbers(5, 7)
    layer = Dropout(0.3)
    assert not torch.equal(layer(x), x)
    assert torch.equal(layer.eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.97])
def test_a_share_falls_and_the_mean_stays(rate):
    x = numbers(1_001, 333) + 3
    y = drop(x, rate)
    fell = y == 0
    deviation = (rate * (1 - rate) / x.numel()) ** 0.5
    assert fell.double().mean().item() == pytest.approx(rate, abs=5 * deviation)
    torch.testing.assert_close(y[~fell].float(), x[~fell].float() / (1 - rate), rtol=2**-7, atol=0)
    assert (y.dtype, y.shape) == (x.dtype, x.shape)


def test_each_number_has_a_throw_of_its_own():
    """Four share one draw of 64 bits: none of them says anything about another, nor do rows."""
    kept = stays(numbers(100_000, 4), 0.3).double()
    together = torch.corrcoef(kept.T) - torch.eye(4)  # (4, 4)
    assert together.abs().max().item() < 5 / 100_000**0.5
    later = torch.corrcoef(torch.stack([kept[:-1].flatten(), kept[1:].flatten()]))[0, 1]
    assert abs(later.item()) < 5 / kept.numel() ** 0.5


def test_masks_follow_the_seed():
    x = numbers(9, 9)
    masks = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        masks.append(stays(x, 0.5))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


@pytest.mark.parametrize("shape", [(), (1,), (3, 5), (0, 4)])
def test_any_number_of_numbers(shape):
    assert drop(torch.ones(shape, dtype=torch.bfloat16), 0.5).shape == shape


@pytest.mark.parametrize(("rate", "share"), [(1e-9, 1.0), (1 - 1e-9, 2**-16)])
def test_a_share_near_an_end_is_the_nearest_that_there_is(rate, share):
    kept = stays(numbers(1_000, 1_000), rate).double().mean().item()
    assert kept == pytest.approx(share, abs=5 * (share * (1 - share) / 1e6) ** 0.5)


def test_what_fell_gets_no_gradient():
    x = numbers(50, 50).requires_grad_()
    y = drop(x, 0.3)
    y.sum().backward()
    factor = torch.tensor(1 / 0.7, dtype=torch.bfloat16)
    assert torch.equal(x.grad, (y != 0) * factor)


def test_it_is_for_bfloat16_on_a_cpu():
    assert is_bfloat16_on_cpu(numbers(2))
    assert not is_bfloat16_on_cpu(torch.randn(2))
    assert not is_bfloat16_on_cpu(numbers(2).to("meta"))


# --- attention in whole matrices --------------------------------------------------------------


def results(attention, x, precision):
    """Outputs and gradients, of the input and of each weight."""
    x = x.clone().requires_grad_()
    attention.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        y = attention(x)
    (y.float() * torch.linspace(-1, 1, y.numel()).view(y.shape)).sum().backward()
    return y.float(), x.grad, *(p.grad.clone() for p in attention.parameters())


@pytest.mark.parametrize("T", [1, 2, 16])
def test_training_in_bfloat16_is_the_same_function(T):
    attention, x = CausalSelfAttention(CONFIG).train(), torch.randn(4, T, 24)
    exact = results(attention, x, "float32")
    for got, expected in zip(results(attention, x, "bfloat16"), exact, strict=True):
        size = expected.abs().max()
        torch.testing.assert_close(got / size, expected / size, **ROUNDED)


def test_training_in_bfloat16_does_not_look_ahead():
    attention, x = CausalSelfAttention(CONFIG).train(), torch.randn(2, 16, 24)
    changed = x.clone()
    changed[:, 9:] += 1
    with torch.autocast("cpu", torch.bfloat16):
        one, two = attention(x), attention(changed)
    assert torch.equal(one[:, :9], two[:, :9])
    assert not torch.equal(one[:, 9:], two[:, 9:])


def test_training_in_bfloat16_drops_weights_alone():
    """Nothing is dropped at the end here; what the first position hands on to itself may fall."""
    attention = CausalSelfAttention(replace(CONFIG, attention_dropout=0.4)).train()
    attention.proj = nn.Identity()
    x = torch.randn(2_000, 2, 24)
    with torch.autocast("cpu", torch.bfloat16):
        y = attention(x).float()  # (B, T, C)
        of_heads = y[:, 0].view(-1, 3, 8)  # (B, nh, hs): one weight each, at the first position
        fell = (of_heads == 0).all(-1)  # (B, nh)
        whole = attention.eval()(x).float()[:, 0].view(-1, 3, 8)
    assert torch.equal(fell, (of_heads == 0).any(-1))  # a head's channels fall together
    assert fell.double().mean().item() == pytest.approx(0.4, abs=5 * (0.24 / 6_000) ** 0.5)
    torch.testing.assert_close(of_heads[~fell], whole[~fell] / 0.6, rtol=2**-6, atol=2**-6)
