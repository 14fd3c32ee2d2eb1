"""PyTorch's kernels in place of the book's own lines: the same functions."""

from dataclasses import replace

import pytest
import torch

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.layers.attention import CausalSelfAttention
from bardgpt.layers.normalization import LayerNorm

CONFIG = GPTConfig(11, 13, 15, 2, 3, projection=True, feed_forward="two-layer", block="pre-norm")


def layer_norms(C):
    plain, fused = LayerNorm(C), LayerNorm(C, fused=True)
    with torch.no_grad():
        plain.weight.normal_()
        plain.bias.normal_()
    fused.load_state_dict(plain.state_dict())
    return plain, fused


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(4, 7), (2, 1, 5), (3, 5, 2), (2, 3, 5, 384)])
def test_fused_layer_norm_is_the_same_function(shape, dtype):
    """Outputs and all gradients."""
    plain, fused = (norm.to(dtype) for norm in layer_norms(shape[-1]))
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    weigh = torch.randn(shape, dtype=dtype)
    results = [
        [norm(x), *torch.autograd.grad((norm(x) * weigh).sum(), [x, norm.weight, norm.bias])]
        for norm in (plain, fused)
    ]
    tolerance = {"rtol": 1e-4, "atol": 1e-4} if shape[-1] == 2 else {}  # nearly equal numbers
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, **tolerance)


def test_fused_layer_norm_has_the_same_eps():
    """Of numbers so close together that eps decides."""
    plain, fused = layer_norms(4)
    x = torch.randn(3, 4) * 1e-3
    torch.testing.assert_close(plain(x), fused(x))


@pytest.mark.parametrize("block", ["pre-norm", "post-norm"])
def test_the_config_chooses_the_kernels_everywhere(block):
    for fused in (False, True):
        model = GPT(replace(CONFIG, fused=fused, block=block, final_norm=True))
        norms = [m for m in model.modules() if isinstance(m, LayerNorm)]
        attentions = [m for m in model.modules() if isinstance(m, CausalSelfAttention)]
        assert [norm.fused for norm in norms] == [fused] * 5
        assert len(attentions) == (2 if fused else 0)


# --- where dropout acts -----------------------------------------------------------------------


def rates(model):
    """The share that each place drops, measured on the modules themselves."""
    return {
        "weights": {
            m.rate if isinstance(m, CausalSelfAttention) else m.dropout.p
            for m in model.modules()
            if type(m).__name__ in ("CausalSelfAttention", "Head")
        },
        "ends": {
            m.dropout.p
            for m in model.modules()
            if type(m).__name__ in ("CausalSelfAttention", "MultiHeadAttention", "FeedForward")
        },
        "embeddings": {model.dropout.p},
    }


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(
    ("fields", "weights", "ends", "embeddings"),
    [
        ({}, 0.0, 0.0, 0.0),
        ({"dropout": 0.2}, 0.2, 0.2, 0.0),
        ({"dropout": 0.2, "attention_dropout": 0.0}, 0.0, 0.2, 0.0),
        ({"dropout": 0.2, "attention_dropout": 0.4}, 0.4, 0.2, 0.0),
        ({"attention_dropout": 0.4, "embedding_dropout": 0.1}, 0.4, 0.0, 0.1),
    ],
)
def test_each_place_has_its_share(fields, weights, ends, embeddings, fused):
    model = GPT(replace(CONFIG, fused=fused, **fields))
    expected = {"weights": {weights}, "ends": {ends}, "embeddings": {embeddings}}
    assert rates(model) == expected


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(("share", "acts"), [(None, True), (0.4, True), (0.0, False)])
def test_attention_dropout_acts_on_the_weights_alone(fused, share, acts):
    """Nothing is dropped at the ends here, but for None, which stands for `dropout`."""
    dropout = 0.4 if share is None else 0.0
    model = GPT(replace(CONFIG, fused=fused, dropout=dropout, attention_dropout=share))
    attention = model.blocks[0].attention
    attention.dropout.p = 0.0
    x = torch.randn(3, 7, 15)
    assert torch.equal(attention(x), attention(x)) is not acts
    attention.eval()
    assert torch.equal(attention(x), attention(x))


@pytest.mark.parametrize("share", [0.0, 0.4])
def test_embedding_dropout_acts_on_the_sum_before_the_first_block(share):
    """Whole numbers of the sum vanish, as often as they should, and the rest is scaled up."""
    model = GPT(GPTConfig(vocab_size=11, block_size=8, n_embd=400, embedding_dropout=share))
    seen = []
    model.blocks[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    ids = torch.randint(11, (2, 8))
    model(ids)
    model.eval()(ids)
    dropped, kept = seen
    zero = dropped == 0
    assert zero.double().mean().item() == pytest.approx(share, abs=5 * (0.24 / 6_400) ** 0.5)
    torch.testing.assert_close(dropped[~zero], kept[~zero] / (1 - share))
