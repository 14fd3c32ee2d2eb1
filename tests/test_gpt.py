import math

import pytest
import torch

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT, next_character_loss
from bardgpt.layers.attention import CausalSelfAttention, MultiHeadAttention

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


def test_every_parameter_has_a_part_in_the_loss():
    model = seeded(projection=True)
    ids = torch.arange(13)[None] % 11  # every character and every position
    next_character_loss(model(ids), ids).backward()
    idle = [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
    assert idle == []


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
@pytest.mark.parametrize("fused", [False, True])
def test_the_future_cannot_change_the_past(fused, training):
    """Through the whole model, with the same dropout masks both times."""
    model = seeded(fused=fused, dropout=0.2, projection=True).train(training)
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


def test_fused_model_is_the_same_function():
    heads, fused = seeded(projection=True), seeded(projection=True, fused=True)
    assert all(isinstance(layer, MultiHeadAttention) for layer in heads.layers)
    assert all(isinstance(layer, CausalSelfAttention) for layer in fused.layers)
    copies = [CausalSelfAttention.from_heads(layer, fused.config) for layer in heads.layers]
    layers = torch.nn.ModuleList(copies).state_dict(prefix="layers.")
    others = {k: v for k, v in heads.state_dict().items() if not k.startswith("layers.")}
    fused.load_state_dict(others | layers)
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
