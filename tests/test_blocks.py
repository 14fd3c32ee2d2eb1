"""The four wirings: each against its formula, two against PyTorch's, all of them causal."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.layers.attention import CausalSelfAttention, MultiHeadAttention, causal_mask
from bardgpt.layers.blocks import (
    BLOCKS,
    PlainBlock,
    PostNormBlock,
    PreNormBlock,
    ResidualBlock,
    norm,
)
from bardgpt.layers.feed_forward import FeedForward
from bardgpt.layers.normalization import BatchNorm, LayerNorm

# Batch, time, heads and head size from different primes: a swapped axis cannot go unnoticed.
SHAPES = [(2, 7, 3, 5), (3, 11, 2, 7), (5, 2, 7, 3), (7, 1, 3, 2)]


def config(nh=3, hs=5, T=7, **others):
    """A grown block's config; `others` may replace anything."""
    fields = {"projection": True, "feed_forward": "two-layer", "block": "pre-norm"} | others
    return GPTConfig(vocab_size=11, block_size=T + 4, n_embd=nh * hs, n_head=nh, **fields)


def made(block, **others):
    """A block whose norms have gains and biases of their own, no two alike."""
    found = BLOCKS[block](config(block=block, **others))
    with torch.no_grad():
        for module in found.modules():
            if isinstance(module, LayerNorm | BatchNorm):
                module.weight.normal_()
                module.bias.normal_()
    return found


# --- the formulas --------------------------------------------------------------------------------


class Does(nn.Module):
    """A part so simple that whole formulas can be worked out by head."""

    def __init__(self, forward):
        super().__init__()
        self.forward = forward


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("plain", 3 * (2 * 1)),
        ("residual", (1 + 2) + 3 * (1 + 2)),
        ("post-norm", ((1 + 2 + 10) + 3 * (1 + 2 + 10)) + 100),
        ("pre-norm", (1 + 2 * (1 + 10)) + 3 * ((1 + 2 * (1 + 10)) + 100)),
    ],
)
def test_wiring_by_hand(block, expected):
    """Attention doubles, feed-forward triples, the norms add 10 and 100; what becomes of 1?"""
    found = made(block)
    found.attention, found.feed_forward = Does(lambda x: 2 * x), Does(lambda x: 3 * x)
    if "norm" in block:
        found.attention_norm = Does(lambda x: x + 10)
        found.feed_forward_norm = Does(lambda x: x + 100)
    assert found(torch.ones(1, 1, 1)).item() == expected


FORMULAS = {
    "plain": lambda f, x: f.feed_forward(f.attention(x)),
    "residual": lambda f, x: x + f.attention(x) + f.feed_forward(x + f.attention(x)),
    "post-norm": lambda f, x: f.feed_forward_norm(
        f.attention_norm(x + f.attention(x)) + f.feed_forward(f.attention_norm(x + f.attention(x)))
    ),
    "pre-norm": lambda f, x: (
        x
        + f.attention(f.attention_norm(x))
        + f.feed_forward(f.feed_forward_norm(x + f.attention(f.attention_norm(x))))
    ),
}


@pytest.mark.parametrize("normalization", ["layer", "batch"])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("block", BLOCKS)
def test_each_block_is_its_formula_and_no_other(block, fused, normalization):
    found, x = made(block, fused=fused, norm=normalization).eval(), torch.randn(2, 7, 15)
    for name, formula in FORMULAS.items():
        if "norm" in name and "norm" not in block:
            continue  # the block has no norm to put anywhere
        same = torch.allclose(found(x), formula(found, x), atol=1e-5)
        assert same is (name == block), name


@pytest.mark.parametrize("block", BLOCKS)
def test_parts_are_those_that_the_config_names(block):
    assert (
        type(made(block))
        is {
            "plain": PlainBlock,
            "residual": ResidualBlock,
            "post-norm": PostNormBlock,
            "pre-norm": PreNormBlock,
        }[block]
    )
    assert type(made(block).attention) is MultiHeadAttention
    assert type(made(block, fused=True).attention) is CausalSelfAttention
    assert type(made(block).feed_forward) is FeedForward
    norms = [m for m in made(block, norm="batch").modules() if isinstance(m, BatchNorm | LayerNorm)]
    assert [type(m) for m in norms] == ([BatchNorm] * 2 if "norm" in block else [])


def test_norm_is_the_one_that_the_config_names():
    assert type(norm(config())) is LayerNorm
    assert type(norm(config(norm="batch"))) is BatchNorm
    assert norm(config(nh=3, hs=5)).weight.shape == (15,)


def test_plain_block_without_feed_forward_is_its_attention():
    block = made("plain", feed_forward="none")
    x = torch.randn(2, 7, 15)
    assert torch.equal(block(x), block.attention(x))
    assert {name.split(".")[0] for name, _ in block.named_parameters()} == {"attention"}


@pytest.mark.parametrize("block", ["residual", "pre-norm"])
def test_silent_branches_leave_the_stream_alone(block):
    """With projections of 0 nothing is added, to the bit: the path is clean."""
    found, x = made(block), torch.randn(2, 7, 15)
    with torch.no_grad():
        for part in (found.attention, found.feed_forward):
            part.proj.weight.zero_()
            part.proj.bias.zero_()
    assert torch.equal(found(x), x)


def test_silent_branches_of_post_norm_still_normalize():
    found, x = BLOCKS["post-norm"](config(block="post-norm")), 5 * torch.randn(2, 7, 15)
    with torch.no_grad():
        for part in (found.attention, found.feed_forward):
            part.proj.weight.zero_()
            part.proj.bias.zero_()
    expected = nn.functional.layer_norm(nn.functional.layer_norm(x, (15,)), (15,))
    torch.testing.assert_close(found(x), expected)


def test_addition_hands_the_gradient_on_unchanged():
    """The Jacobian of x + f(x) is that of f, and the identity besides."""
    block = made("residual", nh=1, hs=3).double()
    x = torch.randn(2, 3, dtype=torch.double)

    def jacobian(of):
        return torch.func.jacrev(lambda x: of(x[None])[0])(x).reshape(6, 6)

    middle = x + block.attention(x[None])[0]
    of_feed_forward = torch.func.jacrev(lambda x: block.feed_forward(x[None])[0])(middle)
    identity = torch.eye(6, dtype=torch.double)
    expected = (identity + of_feed_forward.reshape(6, 6)) @ (identity + jacobian(block.attention))
    torch.testing.assert_close(jacobian(block), expected)


# --- PyTorch's layer as oracle -------------------------------------------------------------------


def qkv(attention):
    """The q, k and v weights as one (3C, C) matrix, of either class."""
    if isinstance(attention, CausalSelfAttention):
        return attention.qkv.weight
    parts = [getattr(h, part).weight for part in ("query", "key", "value") for h in attention.heads]
    return torch.cat(parts)


def pytorchs(block, c, norm_first):
    """PyTorch's layer with a block's weights; it has biases on q, k and v, which are set to 0."""
    theirs = nn.TransformerEncoderLayer(
        c.n_embd,
        c.n_head,
        4 * c.n_embd,
        dropout=0.0,
        batch_first=True,
        norm_first=norm_first,
        dtype=torch.double,
    )
    copies = {
        "self_attn.in_proj_weight": qkv(block.attention),
        "self_attn.in_proj_bias": torch.zeros(3 * c.n_embd),
        **{
            f"{name}.{kind}": getattr(module, kind)
            for name, module in named_parts(block)
            for kind in ("weight", "bias")
        },
    }
    theirs.load_state_dict({name: tensor.detach() for name, tensor in copies.items()})
    return theirs


def named_parts(block):
    """Our modules under PyTorch's names."""
    return [
        ("self_attn.out_proj", block.attention.proj),
        ("linear1", block.feed_forward.hidden),
        ("linear2", block.feed_forward.proj),
        ("norm1", block.attention_norm),
        ("norm2", block.feed_forward_norm),
    ]


def compared(block, theirs, x):
    """Pairs (ours, PyTorch's): the output, then the gradients of x and of every shared weight."""
    weigh = torch.randn_like(x)
    y, expected = block(x), theirs(x, src_mask=~causal_mask(x.shape[1]))
    attention = block.attention
    separate = (
        [attention.qkv.weight]
        if isinstance(attention, CausalSelfAttention)
        else [
            getattr(h, part).weight for part in ("query", "key", "value") for h in attention.heads
        ]
    )
    shared = [(m.weight, theirs.get_submodule(name).weight) for name, m in named_parts(block)]
    shared += [(m.bias, theirs.get_submodule(name).bias) for name, m in named_parts(block)]
    of_x, *of_ours = torch.autograd.grad((y * weigh).sum(), [x, *(p for p, _ in shared), *separate])
    expected_x, *of_theirs = torch.autograd.grad(
        (expected * weigh).sum(), [x, *(p for _, p in shared), theirs.self_attn.in_proj_weight]
    )
    n = len(shared)
    return [
        (y, expected),
        (of_x, expected_x),
        (torch.cat(of_ours[n:]), of_theirs[n]),
        *zip(of_ours[:n], of_theirs[:n], strict=True),
    ]


@pytest.mark.parametrize("fused", [False, True], ids=["heads", "fused"])
@pytest.mark.parametrize("block", ["post-norm", "pre-norm"])
@pytest.mark.parametrize(("B", "T", "nh", "hs"), SHAPES)
def test_equals_torch_encoder_layer(B, T, nh, hs, block, fused):
    """In float64, so that nothing but the formula decides."""
    c = config(nh, hs, T, block=block, fused=fused)
    ours = made(block, nh=nh, hs=hs, T=T, fused=fused).double()
    x = torch.randn(B, T, nh * hs, dtype=torch.double, requires_grad=True)
    theirs = pytorchs(ours, c, norm_first=block == "pre-norm")
    for one, other in compared(ours, theirs, x):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("fused", [False, True], ids=["heads", "fused"])
@pytest.mark.parametrize("block", ["post-norm", "pre-norm"])
def test_does_not_equal_the_other_wiring(block, fused):
    ours = made(block, fused=fused).double()
    x = torch.randn(2, 7, 15, dtype=torch.double, requires_grad=True)
    other_way = pytorchs(ours, config(), norm_first=block != "pre-norm")
    (y, expected), (of_x, expected_x), *_ = compared(ours, other_way, x)
    assert (y - expected).abs().mean() > 0.1
    assert (of_x - expected_x).abs().mean() > 0.1


# --- causality -----------------------------------------------------------------------------------


@st.composite
def configs(draw, **fixed):
    """Any model with layer norm, of a small size."""
    block = draw(st.sampled_from(list(BLOCKS)))
    kinds = ["one-layer", "two-layer"] + ["none"] * (block == "plain")
    n_head = draw(st.integers(1, 4))
    return GPTConfig(
        vocab_size=7,
        block_size=draw(st.integers(2, 12)),
        n_embd=n_head * draw(st.integers(1, 5)),
        n_head=n_head,
        block=block,
        feed_forward=draw(st.sampled_from(kinds)),
        expansion=draw(st.integers(1, 5)),
        activation=draw(st.sampled_from(["relu", "gelu", "none"])),
        projection=draw(st.booleans()),
        fused=draw(st.booleans()),
        dropout=draw(st.sampled_from([0.0, 0.3])),
        **{name: draw(strategy) for name, strategy in fixed.items()},
    )


def twice(function, before, after):
    """With the same dropout masks both times."""
    torch.manual_seed(5)
    y0 = function(before)
    torch.manual_seed(5)
    return y0, function(after)


@settings(max_examples=60, deadline=None)
@given(configs(), st.integers(1, 3), st.booleans(), st.data())
def test_no_block_lets_the_future_change_the_past(c, B, training, data):
    T = data.draw(st.integers(2, c.block_size))
    t = data.draw(st.integers(1, T - 1))
    block = BLOCKS[c.block](c).train(training)
    before = torch.randn(B, T, c.n_embd)
    after = before.clone()
    after[:, t:] = torch.randn(B, T - t, c.n_embd)
    y0, y1 = twice(block, before, after)
    assert torch.equal(y0[:, :t], y1[:, :t])


MODEL = {
    "n_layer": st.integers(0, 3),
    "final_norm": st.booleans(),
    "positions": st.booleans(),
    "initialization": st.sampled_from(["default", "normal", "xavier"]),
}


@settings(max_examples=60, deadline=None)
@given(configs(**MODEL), st.integers(1, 3), st.booleans(), st.data())
def test_no_model_lets_the_future_change_the_past(c, B, training, data):
    T = data.draw(st.integers(2, c.block_size))
    t = data.draw(st.integers(1, T - 1))
    model = GPT(c).train(training)
    before = torch.randint(7, (B, T))
    after = before.clone()
    after[:, t:] = (after[:, t:] + 1) % 7
    y0, y1 = twice(model, before, after)
    assert torch.equal(y0[:, :t], y1[:, :t])


@pytest.mark.parametrize("block", BLOCKS)
def test_the_past_does_change_the_future(block):
    """Else a model that hears nothing would be causal too."""
    found, before = made(block), torch.randn(1, 7, 15)
    after = before.clone()
    after[:, 0] = torch.randn(15)  # an offset, layer norm would forget
    assert ((found(after) - found(before)).abs().amax(dim=-1) > 1e-6).all()


@pytest.mark.parametrize(("training", "leaks"), [(True, True), (False, False)])
@pytest.mark.parametrize("block", ["post-norm", "pre-norm"])
def test_batch_norm_in_training_is_not_causal(block, training, leaks):
    """The test above would have caught it; in evaluation mode there is nothing to catch."""
    found = made(block, norm="batch").train(training)
    before = torch.randn(2, 7, 15)
    after = before.clone()
    after[:, 4:] += 1.0
    assert (found(after) != found(before))[:, :4].any().item() is leaks


def test_norms_hold_the_stream_at_any_depth():
    """RMS after 16 blocks: post-norm keeps it at 1, pre-norm lets it grow a little."""
    sizes = {}
    for block in ("post-norm", "pre-norm"):
        x = torch.randn(4, 7, 32)
        for _ in range(16):
            x = BLOCKS[block](config(4, 8, block=block))(x)
        sizes[block] = x.square().mean().sqrt().item()
    assert math.isclose(sizes["post-norm"], 1, rel_tol=1e-4)
    assert 1.1 < sizes["pre-norm"] < 4
