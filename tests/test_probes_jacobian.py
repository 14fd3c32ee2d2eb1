"""Who can move whom: against finite differences, and where the structure is known."""

import pytest
import torch

from bardgpt.config import GPTConfig
from bardgpt.lab.probes import position_jacobian
from bardgpt.layers.attention import CausalSelfAttention, MultiHeadAttention
from bardgpt.layers.blocks import BLOCKS
from bardgpt.layers.feed_forward import FeedForward
from bardgpt.layers.normalization import BatchNorm, LayerNorm, standardize

T, C = 5, 6
CONFIG = GPTConfig(
    vocab_size=11, block_size=8, n_embd=C, n_head=2, projection=True, feed_forward="two-layer"
)


def by_differences(layer, x, h=1e-6):
    """Central differences in float64: off by about h^2 and 1e-16 / h."""
    found = torch.zeros(T, T, dtype=torch.double)  # sums of squares
    for j in range(T):
        for c in range(C):
            step = torch.zeros_like(x)
            step[j, c] = h
            moved = (layer((x + step)[None]) - layer((x - step)[None]))[0] / (2 * h)  # (T, C)
            found[:, j] += moved.detach().square().sum(dim=1)
    return found.sqrt()


@pytest.mark.parametrize("make", [MultiHeadAttention, FeedForward, *BLOCKS.values()])
def test_equals_finite_differences(make):
    layer = make(CONFIG).double()
    x = torch.randn(T, C, dtype=torch.double)
    expected = by_differences(layer, x)
    torch.testing.assert_close(position_jacobian(layer, x), expected, rtol=1e-5, atol=1e-7)


def test_a_known_matrix_by_hand():
    """Each position doubles and takes three times the one before: 2 I and 3 I, C channels each."""

    def layer(x):
        before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], dim=1)
        return 2 * x + 3 * before

    expected = 2 * C**0.5 * torch.eye(T) + 3 * C**0.5 * torch.eye(T).roll(1, 0).tril()
    torch.testing.assert_close(position_jacobian(layer, torch.randn(T, C)), expected)


def test_rows_are_outputs_and_columns_inputs():
    """Only the last output listens, and only to the first input."""

    def layer(x):
        return torch.cat([torch.zeros_like(x[:, 1:]), x[:, :1]], dim=1)

    found = position_jacobian(layer, torch.randn(T, C))
    assert found.nonzero().tolist() == [[T - 1, 0]]
    assert found[T - 1, 0].item() == pytest.approx(C**0.5)


@pytest.mark.filterwarnings("ignore:There is a performance drop")  # of the fused kernel in vmap
@pytest.mark.parametrize("make", [MultiHeadAttention, CausalSelfAttention, *BLOCKS.values()])
def test_attention_and_blocks_are_lower_triangular(make):
    found = position_jacobian(make(CONFIG), torch.randn(T, C))
    assert (found.triu(1) == 0).all()
    assert (found.tril() + torch.ones(T, T).triu(1) > 0).all()


@pytest.mark.parametrize("make", [FeedForward, lambda config: LayerNorm(config.n_embd)])
def test_feed_forward_and_layer_norm_are_diagonal(make):
    found = position_jacobian(make(CONFIG), torch.randn(T, C))
    assert found.nonzero().tolist() == [[t, t] for t in range(T)]


def test_statistics_over_columns_let_everybody_move_everybody():
    """What batch norm does in training; with its running statistics it is diagonal again."""
    x = torch.randn(T, C)
    columns = position_jacobian(lambda x: standardize(x, dim=(0, 1)), x)
    assert (columns > 0).all()
    running = position_jacobian(BatchNorm(C).eval(), x)
    assert running.nonzero().tolist() == [[t, t] for t in range(T)]


def test_nothing_is_left_attached_to_the_graph():
    layer = FeedForward(CONFIG)
    found = position_jacobian(layer, torch.randn(T, C, requires_grad=True))
    assert found.shape == (T, T)
    assert not found.requires_grad
    assert all(p.grad is None for p in layer.parameters())
