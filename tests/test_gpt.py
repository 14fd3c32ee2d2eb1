import math

import pytest
import torch

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT, next_character_loss
from bardgpt.lab.ladder import RUNGS
from bardgpt.layers.attention import CausalSelfAttention, MultiHeadAttention
from bardgpt.layers.blocks import BLOCKS
from bardgpt.layers.normalization import BatchNorm, LayerNorm

BIGRAM = GPTConfig(vocab_size=11, block_size=13, n_embd=6, n_layer=0, positions=False)
CONFIG = GPTConfig(vocab_size=11, block_size=13, n_embd=6, n_layer=2, n_head=3)


def seeded(config=CONFIG, **others):
    """A model of a config, with some fields replaced."""
    torch.manual_seed(0)
    return GPT(GPTConfig(**{**vars(config), **others}))


def any_ids(B, T):
    return torch.randint(11, (B, T), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("config", [BIGRAM, CONFIG], ids=["bigram", "attention"])
@pytest.mark.parametrize("T", [1, 7, CONFIG.block_size])
def test_shapes(config, T):
    assert seeded(config)(any_ids(5, T)).shape == (5, T, 11)


def test_bigram_logits_are_the_squeezed_table():
    """E @ W + b, row by row: the whole model is one V x V table of rank at most C (plus bias)."""
    model = seeded(BIGRAM)
    table = model.token_embedding.weight @ model.lm_head.weight.T  # (V, V)
    assert torch.linalg.matrix_rank(table) == BIGRAM.n_embd
    ids = any_ids(2, 7)
    torch.testing.assert_close(model(ids), table[ids] + model.lm_head.bias)


def test_bigram_rung_has_as_many_parameters_as_the_full_table():
    model = GPT(GPTConfig(vocab_size=65, n_layer=0, positions=False))
    assert model.n_parameters() == 4_225 == 65**2


@pytest.mark.parametrize("n_head", [1, 4])
def test_attention_rungs_have_as_many_parameters_however_many_heads(n_head):
    """Both embeddings, q, k and v, the output layer with its bias."""
    model = GPT(GPTConfig(vocab_size=65, n_head=n_head))
    assert model.n_parameters() == 65 * 32 + 8 * 32 + 3 * 32**2 + (32 * 65 + 65) == 7_553


OUTSIDE = (65 * 32 + 8 * 32) + (32 * 65 + 65)  # of the blocks: both embeddings, the output layer
GROWN = 3 * 32**2 + (32**2 + 32) + (32 * 128 + 128) + (128 * 32 + 32)  # attention, feed-forward


COUNTS = {
    "bigram": (4_225, OUTSIDE - 8 * 32),
    "one-head": (7_553, OUTSIDE + 3 * 32**2),
    "four-heads": (7_553, OUTSIDE + 3 * 32**2),
    "feed-forward": (8_609, OUTSIDE + 3 * 32**2 + (32**2 + 32)),
    "plain-blocks": (41_921, OUTSIDE + 3 * GROWN),
    "residual": (41_921, OUTSIDE + 3 * GROWN),
    "post-norm": (42_305, OUTSIDE + 3 * GROWN + 6 * 64),
    "pre-norm": (42_369, OUTSIDE + 3 * GROWN + 7 * 64),
}


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("rung", RUNGS)
def test_parameters_of_each_rung(rung, fused):
    expected, sum_of_parts = COUNTS[rung]
    model = GPT(GPTConfig(**{**vars(RUNGS[rung].config), "fused": fused}))
    assert model.n_parameters() == expected == sum_of_parts


@pytest.mark.parametrize("fused", [False, True])
def test_parameters_of_the_full_model(fused):
    """On the meta device, where a tensor has a shape and no numbers."""
    config = GPTConfig(
        vocab_size=65,
        block_size=256,
        n_embd=384,
        n_layer=6,
        n_head=6,
        projection=True,
        feed_forward="two-layer",
        block="pre-norm",
        final_norm=True,
        fused=fused,
    )
    with torch.device("meta"):
        assert GPT(config).n_parameters() == 10_788_929


@pytest.mark.parametrize(
    ("block", "feed_forward"),
    [("plain", "none"), *((b, f) for b in BLOCKS for f in ("one-layer", "two-layer"))],
)
@pytest.mark.parametrize("final_norm", [False, True])
@pytest.mark.parametrize("fused", [False, True])
def test_every_parameter_has_a_part_in_the_loss(fused, final_norm, block, feed_forward):
    model = seeded(
        projection=True, block=block, fused=fused, final_norm=final_norm, feed_forward=feed_forward
    )
    ids = torch.arange(13)[None] % 11  # every character and every position
    next_character_loss(model(ids), ids).backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


@pytest.mark.parametrize(("norm", "kind"), [("layer", LayerNorm), ("batch", BatchNorm)])
@pytest.mark.parametrize("block", BLOCKS)
def test_final_norm_stands_between_the_last_block_and_the_output_layer(block, norm, kind):
    grown = {"projection": True, "feed_forward": "two-layer", "block": block, "norm": norm}
    model = seeded(final_norm=True, **grown)
    assert type(model.norm) is kind
    with torch.no_grad():
        model.norm.weight.normal_()
        model.norm.bias.normal_()
    ids = any_ids(3, 7)
    x = model.token_embedding(ids) + model.position_embedding.weight[:7]
    for part in model.blocks:
        x = part(x)
    expected = model.lm_head(model.norm(x))
    torch.testing.assert_close(model(ids), expected)
    without = seeded(**grown)  # the same weights: a norm draws nothing
    assert type(without.norm) is torch.nn.Identity
    torch.testing.assert_close(without(ids), without.lm_head(x))
    assert (without(ids) - expected).abs().mean() > 0.1


def test_final_norm_makes_the_output_layer_blind_to_the_streams_size():
    """Ten times as large an input of the last norm gives the same scores."""
    model = seeded(n_layer=0, final_norm=True)
    ids = any_ids(3, 7)
    before = model(ids)
    with torch.no_grad():
        model.token_embedding.weight.mul_(10)
        model.position_embedding.weight.mul_(10)
    torch.testing.assert_close(model(ids), before, rtol=1e-4, atol=1e-4)  # eps is felt a little


def test_positions_are_added_to_the_characters():
    """By hand, without layers: (E[id] + P[t]) @ W + b."""
    model = seeded(n_layer=0)
    ids = any_ids(3, 7)
    x = model.token_embedding.weight[ids] + model.position_embedding.weight[:7]  # (3, 7, C)
    expected = x @ model.lm_head.weight.T + model.lm_head.bias
    torch.testing.assert_close(model(ids), expected)


@pytest.mark.parametrize("n_layer", [0, 1, 2])
def test_position_matters_to_equal_characters(n_layer):
    """One character all over the window: only positions can tell its places apart."""
    ids = torch.full((1, 13), 4)
    apart = torch.pdist(seeded(n_layer=n_layer)(ids)[0])  # distances of all pairs of places
    assert apart.min() > 1e-3
    without = torch.pdist(seeded(n_layer=n_layer, positions=False)(ids)[0])
    assert without.max() < 1e-5


@pytest.mark.parametrize("positions", [True, False])
def test_without_positions_the_past_is_a_bag(positions):
    """What came before may change places: the last prediction of one layer cannot tell."""
    model = seeded(n_layer=1, positions=positions)
    ids = torch.arange(9)[None]
    shuffled = ids[:, [5, 2, 7, 0, 3, 1, 6, 4, 8]]
    same = torch.allclose(model(ids)[0, -1], model(shuffled)[0, -1], atol=1e-6)
    assert same is not positions


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("block", [None, *BLOCKS])
@pytest.mark.parametrize("fused", [False, True])
def test_the_future_cannot_change_the_past(fused, block, training):
    """Through the whole model, with the same dropout masks both times; None is attention alone."""
    grown = {"feed_forward": "two-layer", "block": block, "final_norm": True} if block else {}
    model = seeded(fused=fused, dropout=0.2, projection=True, **grown).train(training)
    before = any_ids(4, 13)
    for t in range(1, 13):
        after = before.clone()
        after[:, t:] = (after[:, t:] + 1) % 11
        torch.manual_seed(t)
        y0 = model(before)
        torch.manual_seed(t)
        y1 = model(after)
        assert torch.equal(y0[:, :t], y1[:, :t]), f"predictions before {t} know what stands there"
        assert not torch.equal(y0[:, t], y1[:, t])  # the change was felt at all


@pytest.mark.parametrize("block", BLOCKS)
def test_fused_model_is_the_same_function(block):
    grown = {"projection": True, "feed_forward": "two-layer", "block": block}
    heads, fused = seeded(**grown), seeded(**grown, fused=True)
    assert all(isinstance(block.attention, MultiHeadAttention) for block in heads.blocks)
    assert all(isinstance(block.attention, CausalSelfAttention) for block in fused.blocks)
    copied = heads.state_dict()
    for i, block in enumerate(heads.blocks):
        attention = CausalSelfAttention.from_heads(block.attention, fused.config)
        copied |= attention.state_dict(prefix=f"blocks.{i}.attention.")
    fused.load_state_dict({name: copied[name] for name in fused.state_dict()})
    ids = any_ids(3, 13)
    torch.testing.assert_close(fused(ids), heads(ids))


@pytest.mark.parametrize("config", [BIGRAM, CONFIG], ids=["bigram", "attention"])
def test_window_longer_than_the_block_is_an_error_with_both_numbers(config):
    with pytest.raises(ValueError, match=r"got 14 positions; block_size is 13"):
        seeded(config)(any_ids(1, 14))


def test_loss_is_minus_log_probability_of_the_target():
    """Against a number worked by hand: probabilities 1/2, 1/4, 1/4."""
    logits = torch.tensor([[[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]]]).log()  # (1, 2, 3)
    loss = next_character_loss(logits, torch.tensor([[0, 2]]))
    assert loss.item() == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_loss_is_blind_to_how_the_batch_is_laid_out():
    logits, targets = torch.randn(4, 6, 11), torch.randint(11, (4, 6))
    torch.testing.assert_close(
        next_character_loss(logits, targets),
        next_character_loss(logits.view(8, 3, 11), targets.view(8, 3)),
    )


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ([1, 2, 3], r"ids are a list; a tensor \(B, T\) .*torch.tensor\(ids\)\[None\]"),
        (torch.arange(3), r"ids have shape \(3,\); \(B, T\) is needed: ids\[None\]"),
        (
            torch.zeros(1, 2, 3).long(),
            r"ids have shape \(1, 2, 3\); \(B, T\) is needed$",
        ),
    ],
)
def test_ids_of_another_kind_are_an_error_with_the_remedy(ids, message):
    with pytest.raises(ValueError, match=message):
        seeded()(ids)
    with pytest.raises(ValueError, match=message):
        seeded()(ids=ids)
