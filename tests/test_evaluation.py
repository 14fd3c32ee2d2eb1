import dataclasses
import math

import pytest
import torch

from bardgpt.config import GPTConfig
from bardgpt.evaluation import evaluate, losses
from bardgpt.gpt import GPT


@pytest.fixture
def model():
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=11, block_size=7, n_embd=5))


def by_hand(model, ids):
    """-ln p of each target, one at a time, from what its window of 7 holds before it."""
    out = []
    for i, target in enumerate(ids[1:]):
        window = ids[i - i % 7 : i + 1]
        p = model(window[None])[0, -1].detach().double().softmax(dim=0)
        out.append(-math.log(p[target]))
    return torch.tensor(out, dtype=torch.double)


@pytest.mark.parametrize("n", [8, 9, 30, 50])  # 7, 8, 29 and 49 targets, with and without a rest
def test_each_target_counts_once_in_the_texts_order(model, n):
    ids = torch.randint(11, (n,))
    torch.testing.assert_close(losses(model, ids).double(), by_hand(model, ids), rtol=0, atol=1e-6)
    assert evaluate(model, ids) == pytest.approx(by_hand(model, ids).mean().item(), abs=1e-6)


def test_mean_is_over_characters_not_windows(model):
    """7 targets and a rest of 1: a mean of window means would give the rest half the weight."""
    ids = torch.randint(11, (9,))
    each = by_hand(model, ids)
    of_windows = (each[:7].mean() + each[7]) / 2
    assert abs(each.mean() - of_windows) > 0.01  # else this test could not tell
    assert evaluate(model, ids) == pytest.approx(each.mean().item(), abs=1e-6)


def test_same_model_gives_the_same_number_whatever_the_random_state(model):
    ids = torch.randint(11, (500,))
    torch.manual_seed(1)
    first = evaluate(model, ids)
    torch.manual_seed(2)
    assert evaluate(model, ids) == first


def test_dropout_is_off_while_measuring(model):
    ids = torch.randint(11, (100,))
    holey = GPT(dataclasses.replace(model.config, dropout=0.5))
    holey.load_state_dict(model.state_dict())
    assert torch.equal(losses(holey.train(), ids), losses(model, ids))


@pytest.mark.parametrize("training", [True, False])
def test_mode_and_gradients_are_left_alone(model, training):
    model.train(training)
    assert not losses(model, torch.randint(11, (20,))).requires_grad
    assert model.training is training


def test_mode_comes_back_after_an_error(model):
    with pytest.raises(ValueError, match="has 3 characters"):
        evaluate(model.train(), torch.zeros(3, dtype=torch.long))
    assert model.training
