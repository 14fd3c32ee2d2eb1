"""What norms learn, and the loss in both modes."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.lab.probes import EVALUATION, gains_and_biases, losses_by_mode, training_mode

CONFIG = GPTConfig(
    vocab_size=11,
    block_size=9,
    n_embd=4,
    n_layer=2,
    n_head=2,
    feed_forward="two-layer",
    block="pre-norm",
    final_norm=True,
)


def model(**others):
    return GPT(dataclasses.replace(CONFIG, **others))


@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_gains_and_biases_by_hand_in_the_order_of_the_forward_pass(norm):
    found = model(norm=norm)
    norms = [n for b in found.blocks for n in (b.attention_norm, b.feed_forward_norm)]
    with torch.no_grad():
        for i, module in enumerate([*norms, found.norm]):
            module.weight.copy_(torch.tensor([1.0, 2.0, 3.0, 6.0]) + i)
            module.bias.copy_(torch.tensor([1.0, -1.0, 7.0, -7.0]) * i)
    numbers = gains_and_biases(found)
    assert numbers.keys() == {"gain", "gain spread", "least gain", "most gain", "bias"}
    assert numbers["gain"] == pytest.approx([3.0, 4.0, 5.0, 6.0, 7.0])
    assert numbers["gain spread"] == pytest.approx([3.5**0.5] * 5)  # squares 4, 1, 0 and 9
    assert numbers["least gain"] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert numbers["most gain"] == [6.0, 7.0, 8.0, 9.0, 10.0]
    assert numbers["bias"] == pytest.approx([0.0, 5.0, 10.0, 15.0, 20.0])


@pytest.mark.parametrize(
    ("changes", "norms"),
    [
        ({"final_norm": False}, 4),
        ({"block": "post-norm", "final_norm": False}, 4),
        ({"block": "residual"}, 1),
    ],
)
def test_one_number_for_each_norm(changes, norms):
    fresh = gains_and_biases(model(**changes))
    assert fresh == {
        "gain": [1.0] * norms,
        "gain spread": [0.0] * norms,
        "least gain": [1.0] * norms,
        "most gain": [1.0] * norms,
        "bias": [0.0] * norms,
    }


def test_model_without_a_norm_is_refused():
    with pytest.raises(ValueError, match=r"no norm; it needs block='post-norm' or 'pre-norm'"):
        gains_and_biases(model(block="residual", final_norm=False))


@pytest.fixture
def windows():
    ids = torch.randint(11, (50, 8))
    return ids[:, :-1], ids[:, 1:]


def test_losses_by_mode_by_hand(windows):
    """Of batch norm: batches of 32 and 18 windows in training mode, each by its own statistics."""
    judged = model(norm="batch")
    judged(windows[0])  # so that the running statistics say something
    found = losses_by_mode(judged, *windows, batch_sizes=(32,), seed=5)
    reference = model(norm="batch")
    reference.load_state_dict(judged.state_dict())
    order = torch.randperm(50, generator=torch.Generator().manual_seed(5))
    total = sum(
        F.cross_entropy(
            reference(windows[0][of]).flatten(0, 1), windows[1][of].flatten(), reduction="sum"
        ).item()
        for of in order.split(32)
    )
    assert found.keys() == {EVALUATION, training_mode(32)}
    assert found[training_mode(32)] == pytest.approx(total / 350, rel=1e-5)
    judged.eval()
    expected = F.cross_entropy(judged(windows[0]).flatten(0, 1), windows[1].flatten()).item()
    assert found[EVALUATION] == pytest.approx(expected, rel=1e-5)
    assert abs(found[training_mode(32)] - found[EVALUATION]) > 0.001


def test_batches_are_dealt_at_random(windows):
    """Neighbouring windows have more in common than those of a training batch."""
    judged = model(norm="batch")
    dealt, otherwise = (
        losses_by_mode(judged, *windows, batch_sizes=(5,), seed=seed) for seed in (0, 1)
    )
    assert dealt[training_mode(5)] != otherwise[training_mode(5)]
    assert dealt[EVALUATION] == pytest.approx(otherwise[EVALUATION], rel=1e-6)


def test_of_layer_norm_all_are_the_same(windows):
    found = losses_by_mode(model(), *windows, batch_sizes=(2, 50))
    assert list(found.values()) == pytest.approx([found[EVALUATION]] * 3, rel=1e-6)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm", ["layer", "batch"])
def test_judging_leaves_buffers_gradients_mode_and_random_state(windows, norm, training):
    judged = model(norm=norm, dropout=0.2).train(training)
    before = {name: tensor.clone() for name, tensor in judged.state_dict().items()}
    state = torch.get_rng_state()
    losses = losses_by_mode(judged, *windows)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(7)
    assert losses_by_mode(judged, *windows) == losses  # its masks are its own
    assert all(torch.equal(t, before[name]) for name, t in judged.state_dict().items())
    assert all(p.grad is None for p in judged.parameters())
    assert judged.training is training
