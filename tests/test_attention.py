import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bardgpt.config import GPTConfig
from bardgpt.layers.attention import (
    CausalSelfAttention,
    Head,
    KeyValueCache,
    MultiHeadAttention,
    attention_weights,
    causal_mask,
)

# Batch, time, heads and head size from different primes: a swapped axis cannot go unnoticed.
SHAPES = [(2, 7, 3, 5), (3, 11, 2, 7), (5, 2, 7, 3), (1, 13, 5, 2), (7, 1, 3, 2)]


def config(nh, hs, T, **others):
    return GPTConfig(vocab_size=11, block_size=T + 4, n_embd=nh * hs, n_head=nh, **others)


def gradients(y, x, weights):
    """Of one scalar that weighs each output differently: with respect to x and to the weights."""
    torch.manual_seed(1)
    return torch.autograd.grad((y * torch.randn(y.shape)).sum(), [x, *weights])


def stacked(heads, part):
    return [getattr(head, part).weight for head in heads]


def shared_gradients(attention, y, x):
    """Gradients of x and of the q, k, v weights as one (3C, C) matrix, of either class."""
    if isinstance(attention, CausalSelfAttention):
        return gradients(y, x, [attention.qkv.weight])
    weights = [w for part in ("query", "key", "value") for w in stacked(attention.heads, part)]
    of_x, *of_weights = gradients(y, x, weights)
    return of_x, torch.cat(of_weights)


@pytest.mark.parametrize("projection", [False, True])
@pytest.mark.parametrize(("B", "T", "nh", "hs"), SHAPES)
def test_from_heads_is_the_same_function(B, T, nh, hs, projection):
    c = config(nh, hs, T, projection=projection)
    heads = MultiHeadAttention(c)
    fused = CausalSelfAttention.from_heads(heads, c)
    x = torch.randn(B, T, nh * hs, requires_grad=True)
    torch.testing.assert_close(fused(x), heads(x))
    for one, other in zip(
        shared_gradients(fused, fused(x), x), shared_gradients(heads, heads(x), x), strict=True
    ):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("B", "T", "nh", "hs"), SHAPES)
def test_heads_equal_scaled_dot_product_attention(B, T, nh, hs):
    """PyTorch's operator as oracle: it pins scale, mask and the order of the heads at once."""
    heads = MultiHeadAttention(config(nh, hs, T))
    x = torch.randn(B, T, nh * hs, requires_grad=True)
    q, k, v = (
        torch.stack([getattr(head, part)(x) for head in heads.heads], dim=1)  # (B, nh, T, hs)
        for part in ("query", "key", "value")
    )
    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
    torch.testing.assert_close(heads(x), expected)
    for one, other in zip(
        shared_gradients(heads, heads(x), x), shared_gradients(heads, expected, x), strict=True
    ):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(("B", "T", "nh", "hs"), SHAPES)
def test_equals_torch_multihead_attention(B, T, nh, hs, fused):
    C = nh * hs
    c = config(nh, hs, T, projection=True)
    ours = MultiHeadAttention(c)
    qkv = torch.cat([w for p in ("query", "key", "value") for w in stacked(ours.heads, p)])
    theirs = nn.MultiheadAttention(C, nh, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(qkv)
        theirs.in_proj_bias.zero_()
        theirs.out_proj.weight.copy_(ours.proj.weight)
        theirs.out_proj.bias.copy_(ours.proj.bias)
    if fused:
        ours = CausalSelfAttention.from_heads(ours, c)
    x = torch.randn(B, T, C, requires_grad=True)
    expected, _ = theirs(x, x, x, attn_mask=~causal_mask(T), need_weights=False)
    torch.testing.assert_close(ours(x), expected)
    of_x, of_qkv = shared_gradients(ours, ours(x), x)
    expected_x, expected_qkv = gradients(expected, x, [theirs.in_proj_weight])
    torch.testing.assert_close(of_x, expected_x)
    torch.testing.assert_close(of_qkv, expected_qkv)
    (of_proj,) = gradients(ours(x), x, [ours.proj.weight])[1:]
    (expected_proj,) = gradients(
        theirs(x, x, x, attn_mask=~causal_mask(T), need_weights=False)[0],
        x,
        [theirs.out_proj.weight],
    )[1:]
    torch.testing.assert_close(of_proj, expected_proj)


def test_weights_by_hand():
    """Two positions, hs = 4: the second scores 2 / sqrt(4) = 1 with the first, 0 with itself."""
    q = torch.tensor([[9.0, 9, 9, 9], [2, 0, 0, 0]])
    k = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0]])
    e = math.e
    expected = torch.tensor([[1.0, 0.0], [e / (e + 1), 1 / (e + 1)]])
    torch.testing.assert_close(attention_weights(q, k, causal_mask(2)), expected)


@pytest.mark.parametrize("hs", [3, 16, 50])
def test_scale_is_the_root_of_the_head_size(hs):
    """Scores of independent entries keep variance 1 whatever hs: 20,000, 5 standard errors."""
    q, k = torch.randn(2, 20_000, 1, hs)
    zero = torch.zeros_like(k)
    both = torch.cat([k, zero], dim=1)  # against a key whose score is 0
    weights = attention_weights(q, both, torch.ones(1, 2, dtype=torch.bool))  # (20000, 1, 2)
    scores = (weights[..., 0] / weights[..., 1]).log()
    assert scores.var().item() == pytest.approx(1, abs=5 * ((2 + 6 / hs) / 20_000) ** 0.5)


def test_a_head_scales_by_its_own_size_and_not_by_the_width():
    """Four heads share C = 16; the second position scores 1 / sqrt(4) with itself, else 0.

    The field's most copied mistake is to take C, here sqrt(16).
    """
    head = Head(config(4, 4, 2))
    with torch.no_grad():
        for part in (head.query, head.key, head.value):
            part.weight.copy_(torch.eye(4, 16))
    y = head(torch.eye(2, 16)[None])[0, 1]  # the weights of the first two keys, then zeros
    e = math.exp(0.5)
    torch.testing.assert_close(y, torch.tensor([1 / (1 + e), e / (1 + e), 0, 0]))


@pytest.mark.parametrize("T", [1, 2, 9])
def test_weights_are_distributions_over_the_past(T):
    q, k = torch.randn(2, 3, T, 5)
    weights = attention_weights(q, k, causal_mask(T))
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(3, T))
    assert (weights.triu(1) == 0).all()
    assert (weights.tril() + torch.ones(T, T).triu(1) > 0).all()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("layer", [Head, MultiHeadAttention, CausalSelfAttention])
def test_the_future_cannot_change_the_past(layer, training):
    attention = layer(config(3, 5, 9)).train(training)
    before = torch.randn(2, 9, 15)
    after = before.clone()
    after[:, 5:] += 1.0
    y0, y1 = attention(before), attention(after)
    assert torch.equal(y0[:, :5], y1[:, :5])
    assert not torch.allclose(y0[:, 5], y1[:, 5])  # the change was felt at all


def test_each_head_has_weights_of_its_own_and_a_place_of_its_own():
    """Silence one head's values: its channels fall silent, the others' stay as they were."""
    attention = MultiHeadAttention(config(3, 5, 7))
    x = torch.randn(2, 7, 15)
    before = attention(x)
    with torch.no_grad():
        attention.heads[1].value.weight.zero_()
    after = attention(x)
    assert (after[..., 5:10] == 0).all()
    assert torch.equal(after[..., :5], before[..., :5])
    assert torch.equal(after[..., 10:], before[..., 10:])


@pytest.mark.parametrize("n_head", [1, 4])
def test_q_k_v_have_as_many_weights_however_many_heads(n_head):
    attention = MultiHeadAttention(GPTConfig(vocab_size=65, n_head=n_head))
    assert sum(p.numel() for p in attention.parameters()) == 3 * 32**2 == 3_072


@pytest.mark.parametrize("layer", [MultiHeadAttention, CausalSelfAttention])
def test_dropout_is_at_work_in_training_only(layer):
    attention = layer(config(3, 5, 7, dropout=0.4))
    x = torch.randn(2, 7, 15)
    assert not torch.equal(attention(x), attention(x))
    attention.eval()
    torch.testing.assert_close(attention(x), attention(x), rtol=0, atol=0)
    plain = layer(config(3, 5, 7)).eval()
    plain.load_state_dict(attention.state_dict())
    torch.testing.assert_close(attention(x), plain(x))


def test_dropout_sits_after_the_softmax_and_at_the_end():
    """With 500 channels the shares of zeros tell both places apart."""
    c = GPTConfig(vocab_size=11, block_size=2, n_embd=500, dropout=0.4)
    attention = MultiHeadAttention(c)
    attention.heads[0].value = nn.Identity()
    y = attention(torch.ones(1, 2, 500))[0, 0]  # the first position looks at itself alone
    share = (y == 0).double().mean().item()
    # Its one weight is dropped or not (0.4); what then arrives is dropped channel by channel.
    assert share == 1 or share == pytest.approx(0.4, abs=5 * (0.24 / 500) ** 0.5)
    kept = [attention(torch.ones(1, 2, 500))[0, 0] for _ in range(200)]
    silenced = sum(bool((y == 0).all()) for y in kept) / 200
    assert silenced == pytest.approx(0.4, abs=5 * (0.24 / 200) ** 0.5)


def test_a_cache_grows_by_one_and_can_be_emptied():
    cache = KeyValueCache()
    assert len(cache) == 0
    k, v = torch.randn(2, 2, 3, 5, 7)  # each (B, nh, T, hs)
    for new in (slice(0, 3), slice(3, 4), slice(4, 5)):
        so_far = cache.append(k[:, :, new], v[:, :, new])
        assert torch.equal(so_far[0], k[:, :, : new.stop])
        assert torch.equal(so_far[1], v[:, :, : new.stop])
        assert len(cache) == new.stop
    with pytest.raises(ValueError, match="2 positions after 5: fill an empty cache"):
        cache.append(k[:, :, :2], v[:, :, :2])
    assert len(cache) == 5
    cache.clear()
    assert len(cache) == 0
    assert torch.equal(cache.append(k, v)[0], k)


def test_with_a_cache_attention_is_that_of_all_positions_at_once():
    attention = CausalSelfAttention(config(3, 5, 7)).eval()
    x = torch.randn(2, 7, 15)
    expected = attention(x)
    attention.cache = KeyValueCache()
    pieces = [attention(x[:, :4])] + [attention(x[:, t : t + 1]) for t in range(4, 7)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), expected)
