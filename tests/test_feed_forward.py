"""The feed-forward layer: its formula, and that it works on each position by itself."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bardgpt.config import GPTConfig
from bardgpt.layers.feed_forward import FeedForward

ACTIVATIONS = {
    "relu": lambda h: h.clamp(min=0),
    # h times the share of a standard normal distribution that lies below h
    "gelu": lambda h: h * (1 + torch.erf(h / math.sqrt(2))) / 2,
    "none": lambda h: h,
}
KINDS = [(depth, activation) for depth in ("one-layer", "two-layer") for activation in ACTIVATIONS]
SHAPES = [(2, 7, 5), (3, 11, 2), (1, 2, 13), (5, 1, 3)]  # B, T, C


def layer(C=5, feed_forward="two-layer", activation="relu", dropout=0.0, expansion=4):
    return FeedForward(
        GPTConfig(
            vocab_size=11,
            n_embd=C,
            feed_forward=feed_forward,
            activation=activation,
            dropout=dropout,
            expansion=expansion,
        )
    )


def with_numbers(model, **numbers):
    """The layer with its weights and biases set."""
    with torch.no_grad():
        for name, values in numbers.items():
            model.get_parameter(name.replace("__", ".")).copy_(torch.tensor(values))
    return model


@pytest.mark.parametrize(("activation", "expected"), [("relu", [0.0, 1.0]), ("none", [-2.0, 1.0])])
def test_one_layer_by_hand(activation, expected):
    """W x + b = (1 - 3, 2 - 1); the ReLU comes last."""
    one = with_numbers(
        layer(2, "one-layer", activation),
        hidden__weight=[[1.0, -1.0], [2.0, 0.0]],
        hidden__bias=[0.0, -1.0],
    )
    assert one(torch.tensor([1.0, 3.0])).tolist() == expected


@pytest.mark.parametrize(("activation", "expected"), [("relu", 3302.5), ("none", 3282.5)])
def test_two_layers_by_hand(activation, expected):
    """Of x = 2 four hidden units make 2, -2, 3 and 3; the second counts 10 each, after the ReLU."""
    two = with_numbers(
        layer(1, "two-layer", activation),
        hidden__weight=[[1.0], [-1.0], [2.0], [0.0]],
        hidden__bias=[0.0, 0.0, -1.0, 3.0],
        proj__weight=[[1.0, 10.0, 100.0, 1000.0]],
        proj__bias=[0.5],
    )
    assert two(torch.tensor([2.0])).item() == expected


@pytest.mark.parametrize(("B", "T", "C"), SHAPES)
@pytest.mark.parametrize(("feed_forward", "activation"), KINDS)
def test_equals_the_functions_that_it_is_made_of(feed_forward, activation, B, T, C):
    """In outputs and gradients, from the same tensors."""
    ours = layer(C, feed_forward, activation)
    x = torch.randn(B, T, C, requires_grad=True)
    expected = ACTIVATIONS[activation](F.linear(x, ours.hidden.weight, ours.hidden.bias))
    if feed_forward == "two-layer":
        expected = F.linear(expected, ours.proj.weight, ours.proj.bias)
    torch.testing.assert_close(ours(x), expected)
    among = [x, *ours.parameters()]
    weigh = torch.randn(B, T, C)
    for one, other in zip(
        torch.autograd.grad((ours(x) * weigh).sum(), among),
        torch.autograd.grad((expected * weigh).sum(), among),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("activation", "theirs"), [("relu", nn.ReLU), ("gelu", nn.GELU)])
def test_the_activation_is_pytorchs(activation, theirs):
    """In the notes' program `nn.ReLU()` stands between two linear layers; here it, or another."""
    ours = layer(5, "two-layer", activation)
    sequence = nn.Sequential(ours.hidden, theirs(), ours.proj)
    x = torch.randn(3, 7, 5)
    assert torch.equal(ours(x), sequence(x))


def test_gelu_by_hand():
    """84.13 % of a standard normal distribution lie below 1, 2.28 % below -2."""
    f = layer(3, "one-layer", "gelu")
    with_numbers(f, hidden__weight=torch.eye(3).tolist(), hidden__bias=[0.0, 0.0, 0.0])
    assert f(torch.tensor([1.0, -2.0, 0.0])).tolist() == pytest.approx(
        [0.8413, -0.0455, 0], abs=1e-4
    )


@pytest.mark.parametrize("feed_forward", ["one-layer", "two-layer"])
def test_without_its_relu_it_is_one_linear_layer(feed_forward):
    """An affine map takes a mean of inputs to the mean of outputs; with the ReLU it does not."""
    a, b = torch.randn(2, 50, 5)
    for activation, affine in (("none", True), ("relu", False), ("gelu", False)):
        f = layer(5, feed_forward, activation)
        same = torch.allclose(f((a + b) / 2), (f(a) + f(b)) / 2, atol=1e-6)
        assert same is affine, activation


def test_two_linear_layers_fold_into_one():
    f = layer(5, "two-layer", "none")
    weight = f.proj.weight @ f.hidden.weight  # (C, C)
    bias = f.proj.weight @ f.hidden.bias + f.proj.bias
    x = torch.randn(3, 7, 5)
    torch.testing.assert_close(f(x), F.linear(x, weight, bias))


def test_relu_stands_between_the_layers_and_not_at_the_end():
    """An output of one layer is never negative; one of two layers may be, and often is."""
    x = torch.randn(500, 5)
    assert (layer(5, "one-layer")(x) >= 0).all()
    assert (layer(5, "two-layer")(x) < 0).any()


@pytest.mark.parametrize(
    ("feed_forward", "expected"),
    [("one-layer", 32 * 32 + 32), ("two-layer", (32 * 128 + 128) + (128 * 32 + 32))],
)
def test_number_of_parameters(feed_forward, expected):
    found = sum(p.numel() for p in layer(32, feed_forward).parameters())
    assert found == expected == {"one-layer": 1_056, "two-layer": 8_352}[feed_forward]


@pytest.mark.parametrize("expansion", [1, 2, 8])
def test_a_hidden_layer_of_another_width(expansion):
    """So many times C units between the two maps; what goes in and comes out keeps its width."""
    ours, x = layer(6, expansion=expansion), torch.randn(3, 7, 6)
    assert ours.hidden.weight.shape == (6 * expansion, 6)
    hidden = F.linear(x, ours.hidden.weight, ours.hidden.bias).clamp(min=0)
    torch.testing.assert_close(ours(x), F.linear(hidden, ours.proj.weight, ours.proj.bias))
    assert layer(6, "one-layer", expansion=expansion).hidden.weight.shape == (6, 6)


@pytest.mark.parametrize(("feed_forward", "activation"), KINDS)
def test_each_position_by_itself(feed_forward, activation):
    """Move one position's input: its output moves, and no other, in no sequence of the batch."""
    f = layer(15, feed_forward, activation)
    before = torch.randn(3, 7, 15)
    for t in range(7):
        after = before.clone()
        after[1, t] += 1.0
        moved = (f(after) != f(before)).any(dim=-1)  # (B, T)
        assert moved.nonzero().tolist() == [[1, t]]


@pytest.mark.parametrize(("feed_forward", "activation"), KINDS)
def test_commutes_with_any_order_of_positions(feed_forward, activation):
    f = layer(5, feed_forward, activation)
    x, order = torch.randn(3, 7, 5), torch.tensor([4, 0, 6, 2, 5, 1, 3])
    torch.testing.assert_close(f(x[:, order]), f(x)[:, order])


@pytest.mark.parametrize("shape", [(5,), (4, 5), (2, 3, 4, 5)])
def test_any_shape_that_ends_in_c(shape):
    f = layer(5)
    x = torch.randn(shape)
    rows = torch.stack([f(row) for row in x.view(-1, 5)])
    torch.testing.assert_close(f(x), rows.view(shape))


@pytest.mark.parametrize("feed_forward", ["one-layer", "two-layer"])
def test_dropout_is_at_the_end(feed_forward):
    """What is left is the whole result, scaled: a hole further in would change all channels."""
    holey = layer(500, feed_forward, dropout=0.4)
    x = torch.randn(2, 500)
    kept = holey.eval()(x)
    y = holey.train()(x)
    on = y != 0
    torch.testing.assert_close(y[on], kept[on] / 0.6)
    silenced = (y == 0)[kept != 0]  # the ReLU's own zeros aside
    n = len(silenced)
    assert silenced.double().mean().item() == pytest.approx(0.4, abs=5 * (0.24 / n) ** 0.5)


def test_dropout_is_off_at_test_time_and_new_each_time_in_training():
    holey, x = layer(dropout=0.4), torch.randn(3, 7, 5)
    assert not torch.equal(holey(x), holey(x))
    plain = layer()
    plain.load_state_dict(holey.state_dict())
    assert torch.equal(holey.eval()(x), plain(x))
