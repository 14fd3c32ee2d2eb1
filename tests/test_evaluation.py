import dataclasses
import math

import pytest
import torch

from bardgpt.batches import WindowError, random_windows
from bardgpt.config import GPTConfig
from bardgpt.evaluation import estimate, evaluate, losses, losses_in_context
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


# --- as others report it --------------------------------------------------------------------------


@pytest.mark.parametrize("least", range(1, 8))
@pytest.mark.parametrize("n", [8, 9, 12, 30])
def test_each_target_in_context_counts_once_and_has_enough_before_it(model, least, n):
    """A window of 7 slides by as much as leaves `least` characters before all that it judges."""
    ids = torch.randint(11, (n,))
    step, expected = 7 - least + 1, []
    for target in range(least, n):  # its place in the text; it has `target` characters before it
        window = (target - least) // step  # the first that judges it
        start = min(window * step, n - 8)  # the last one ends with the text
        p = model(ids[None, start:target])[0, -1].detach().double().softmax(dim=0)
        assert target - start >= least
        expected.append(-math.log(p[ids[target]]))
    found = losses_in_context(model, ids, least)
    torch.testing.assert_close(
        found.double(), torch.tensor(expected, dtype=torch.double), rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("least", [0, 8, -1])
def test_context_must_fit_into_a_window(model, least):
    with pytest.raises(ValueError, match=rf"least is {least}; it must lie between 1 and .*7"):
        losses_in_context(model, torch.randint(11, (30,)), least)


def test_estimate_is_the_mean_of_random_batches_with_its_standard_error(model):
    ids = torch.randint(11, (60,))
    generator = torch.Generator().manual_seed(5)
    means = []
    for _ in range(4):
        x, y = random_windows(ids, 7, 3, generator)
        logits = model(x).detach().double()
        means.append(torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten()))
    means = torch.stack(means)
    mean, error = estimate(model, ids, batches=4, batch_size=3, seed=5)
    assert mean == pytest.approx(means.mean().item(), abs=1e-6)
    assert error == pytest.approx(means.std().item() / 2, abs=1e-6)
    assert estimate(model, ids, batches=4, batch_size=3, seed=6)[0] != mean


def test_estimate_needs_a_spread(model):
    with pytest.raises(ValueError, match="batches is 1; a standard error needs at least 2"):
        estimate(model, torch.randint(11, (60,)), batches=1)


@pytest.mark.parametrize("way", [estimate, lambda *a: losses_in_context(*a, 2)])
def test_other_ways_leave_mode_and_gradients_alone_and_need_a_window(model, way):
    holey = GPT(dataclasses.replace(model.config, dropout=0.5)).train()
    way(holey, torch.randint(11, (30,)))
    assert holey.training
    assert all(p.grad is None for p in holey.parameters())
    with pytest.raises(WindowError, match="the text has 7 characters"):
        way(holey, torch.randint(11, (7,)))
