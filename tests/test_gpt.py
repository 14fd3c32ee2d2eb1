import math

import pytest
import torch

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT, next_character_loss

CONFIG = GPTConfig(vocab_size=11, block_size=13, n_embd=5)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return GPT(CONFIG)


@pytest.mark.parametrize("T", [1, 7, CONFIG.block_size])
def test_shapes(model, T):
    assert model(torch.zeros(3, T, dtype=torch.long)).shape == (3, T, 11)


def test_logits_are_the_squeezed_table(model):
    """E @ W + b, row by row: the whole model is one V x V table of rank at most C (plus bias)."""
    table = model.token_embedding.weight @ model.lm_head.weight.T  # (V, V)
    assert torch.linalg.matrix_rank(table) == CONFIG.n_embd
    ids = torch.randint(11, (2, 7))
    torch.testing.assert_close(model(ids), table[ids] + model.lm_head.bias)


def test_rung_has_as_many_parameters_as_the_full_table():
    assert GPT(GPTConfig(vocab_size=65)).n_parameters() == 4_225 == 65**2


def test_window_longer_than_the_block_is_an_error_with_both_numbers(model):
    with pytest.raises(ValueError, match=r"got 14 positions; block_size is 13"):
        model(torch.zeros(1, 14, dtype=torch.long))


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
