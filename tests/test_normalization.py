"""Both norms against PyTorch's, and the difference between them: what belongs together.

Tolerances. Unless a comment says otherwise they are `assert_close`'s own for the dtype, which allow
a few roundings more than each of these short computations makes.
"""

import math

import pytest
import torch
from torch import nn

from bardgpt.layers.normalization import EPS, BatchNorm, LayerNorm, standardize

SHAPES = [(4, 7), (2, 1, 5), (3, 5, 2), (1, 11, 13), (2, 3, 5, 7)]  # (..., C)
DTYPES = [torch.float32, torch.float64]


def spread_parameters(ours, theirs, dtype=None):
    """Give both the same gains and biases, no two alike; fresh ones are all 1 and 0."""
    gain, bias = torch.randn(2, len(ours.weight))
    for norm in (ours, theirs):
        with torch.no_grad():
            norm.weight.copy_(gain)
            norm.bias.copy_(bias)
        norm.to(dtype)
    return ours, theirs


def both_layer_norms(C, dtype=None):
    return spread_parameters(LayerNorm(C), nn.LayerNorm(C), dtype)


def both_batch_norms(C, dtype=None):
    return spread_parameters(BatchNorm(C), nn.BatchNorm1d(C), dtype)


def flat(norm, x):
    """PyTorch's batch norm wants (N, C)."""
    return norm(x.flatten(end_dim=-2)).view(x.shape)


def assert_same(ours, theirs, x, dim):
    """Two (module, its forward pass) pairs: outputs and all gradients.

    The gradient of x is a difference of numbers of size g w / sd, for output gradients g, gains w
    and the standard deviation sd over `dim` of the examples; it is as exact as these. PyTorch's
    kernels take x as it is, not centred, where numbers of x / sd times that size cancel.
    """
    weigh = torch.randn(x.shape, dtype=x.dtype)
    results = []
    for norm, forward in (ours, theirs):
        y = forward(x)
        assert y.dtype == x.dtype
        gradients = torch.autograd.grad((y * weigh).sum(), [norm.weight, norm.bias, x])
        results.append([y, *gradients])
    *pairs, (one_dx, other_dx) = zip(*results, strict=True)
    for one, other in pairs:
        torch.testing.assert_close(one, other)
    least_sd = (x.detach().flatten(end_dim=-2).var(dim, correction=0).min() + EPS).sqrt()
    size = (weigh * ours[0].weight.detach() / least_sd).abs().max().item()
    size *= 1 + x.detach().abs().max().item() / least_sd.item()
    exact = torch.finfo(x.dtype).eps
    torch.testing.assert_close(one_dx, other_dx, rtol=20 * exact, atol=8 * exact * size)


def assert_same_buffers(ours, theirs):
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_variance, theirs.running_var)


# --- standardize ---------------------------------------------------------------------------------


def test_standardize_by_hand():
    """1, 1, 5 and 5: mean 3, and mean squared deviation 4, where n - 1 would give 16 / 3."""
    y = standardize(torch.tensor([1.0, 1, 5, 5], dtype=torch.double), dim=0)
    one = 2 / math.sqrt(4 + 1e-5)
    torch.testing.assert_close(y, torch.tensor([-one, -one, one, one], dtype=torch.double))


def test_eps_is_added_to_the_variance_under_the_root():
    """Numbers so close together that eps decides: variance 1e-6 beside eps 1e-5."""
    x = torch.tensor([-1e-3, 1e-3], dtype=torch.double)
    one = 1e-3 / math.sqrt(1e-6 + 1e-5)  # 0.30; outside the root it would be 0.99
    torch.testing.assert_close(standardize(x, 0), torch.tensor([-one, one], dtype=torch.double))
    without = standardize(x, 0, eps=0.0)
    torch.testing.assert_close(without, torch.tensor([-1.0, 1.0], dtype=torch.double))


@pytest.mark.parametrize("dim", [0, 1, -1, (0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_what_is_taken_together_gets_mean_0_and_variance_1(dim):
    """And nothing else does: the other dimensions keep their differences."""
    x = torch.randn(5, 7, 11, dtype=torch.double) * 3 + 1
    y = standardize(x, dim)
    variance = x.var(dim, correction=0)
    torch.testing.assert_close(y.mean(dim), torch.zeros_like(variance))
    torch.testing.assert_close(y.var(dim, correction=0), variance / (variance + EPS))
    for other in {0, 1, 2} - {d % 3 for d in ((dim,) if isinstance(dim, int) else dim)}:
        assert y.mean(other).abs().max() > 0.01


def test_columns_are_the_rows_of_the_transpose():
    x = torch.randn(5, 7)
    torch.testing.assert_close(standardize(x, dim=0), standardize(x.T, dim=1).T)
    assert not torch.allclose(standardize(x, dim=0), standardize(x, dim=1), atol=0.1)


def test_size_and_offset_are_forgotten():
    x = torch.randn(5, 7, dtype=torch.double)
    torch.testing.assert_close(standardize(3 * x + 8, 1, eps=0), standardize(x, 1, eps=0))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, *DTYPES])
def test_statistics_are_taken_in_float32_at_least(dtype):
    """300 numbers about 256: in bfloat16, whose next number is 258, their mean would be lost."""
    x = (torch.randn(3, 300) * 3 + 256).to(dtype)
    y = standardize(x, dim=-1)
    assert y.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    expected = standardize(x.double(), dim=-1)
    # The mean of numbers about 256 is off by a few times 256 * 2^-24 in float32.
    torch.testing.assert_close(y.double(), expected, rtol=1e-5, atol=8 * 256 * 2**-24)


@pytest.mark.parametrize("value", [0.0, 0.1, -3.0, 1e4])
def test_equal_numbers_give_0_and_finite_gradients(value):
    """Without eps it would be 0 / 0."""
    x = torch.full((4, 7), value, requires_grad=True)
    y = standardize(x, dim=1)
    # Their mean may be off by a rounding, which 1 / sqrt(eps) = 316 enlarges.
    torch.testing.assert_close(y, torch.zeros(4, 7), rtol=0, atol=316 * abs(value) * 2**-23)
    (y * torch.randn(4, 7)).sum().backward()
    assert x.grad.isfinite().all()


# --- layer norm ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_layer_norm_equals_pytorchs(shape, dtype):
    ours, theirs = both_layer_norms(shape[-1], dtype)
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    assert_same((ours, ours), (theirs, theirs), x, dim=1)


@pytest.mark.parametrize("training", [True, False])
def test_layer_norm_knows_no_modes(training):
    ours, theirs = both_layer_norms(5)
    x = torch.randn(3, 7, 5)
    torch.testing.assert_close(ours.train(training)(x), theirs(x))
    assert list(ours.buffers()) == []


@pytest.mark.parametrize("offset", [1e2, 1e4])
def test_layer_norm_with_a_large_offset(offset):
    """The mean of numbers near 1e4 is off by a few of their roundings: 1e4 * 2^-24 = 6e-4 each."""
    ours, theirs = both_layer_norms(64)
    x = torch.randn(20, 64) + offset
    allowed = 8 * offset * 2**-24 * ours.weight.abs().max().item()
    expected = nn.functional.layer_norm(
        x.double(), (64,), theirs.weight.double(), theirs.bias.double()
    )
    torch.testing.assert_close(ours(x).double(), expected, rtol=1e-5, atol=allowed)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=2 * allowed)


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_layer_norm_of_equal_features_is_its_bias(value):
    ours, theirs = both_layer_norms(8)
    x = torch.full((2, 8), value, requires_grad=True)  # eight equal numbers have an exact mean
    assert torch.equal(ours(x), ours.bias.expand(2, 8))
    assert_same((ours, ours), (theirs, theirs), x, dim=1)


def test_layer_norm_of_bfloat16():
    """As PyTorch: computed in float32 with the float32 parameters, rounded once at the end."""
    ours, theirs = both_layer_norms(32)
    x = torch.randn(50, 32).bfloat16()
    y = ours(x)
    assert y.dtype == torch.bfloat16
    expected = nn.functional.layer_norm(x.float(), (32,), ours.weight, ours.bias)
    # Half of a unit in the last of 8 bits, and what float32 did before.
    torch.testing.assert_close(y.float(), expected, rtol=2**-8, atol=1e-5)
    torch.testing.assert_close(y, theirs(x), rtol=2**-7, atol=1e-5)  # either may round either way


def test_layer_norm_of_a_row_alone_is_that_of_the_row_in_a_batch():
    norm = both_layer_norms(32)[0]
    batch = torch.randn(64, 32)
    for i in (0, 17, 63):
        torch.testing.assert_close(norm(batch[i]), norm(batch)[i])
        torch.testing.assert_close(norm(batch[i : i + 1])[0], norm(batch)[i])
        others = torch.randn(64, 32) * 100
        others[i] = batch[i]
        assert torch.equal(norm(others)[i], norm(batch)[i])


# --- batch norm ----------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_equals_pytorchs_in_training(shape, dtype):
    ours, theirs = both_batch_norms(shape[-1], dtype)
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    assert_same((ours, ours), (theirs, lambda x: flat(theirs, x)), x, dim=0)
    assert_same_buffers(ours, theirs)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_batch_norm_equals_pytorchs_in_evaluation(shape, dtype):
    """After some steps, so that the buffers say something; and evaluating leaves them alone."""
    ours, theirs = both_batch_norms(shape[-1], dtype)
    for _ in range(3):
        x = torch.randn(shape, dtype=dtype) * 2 + 1
        ours(x)
        flat(theirs, x)
    before = [buffer.clone() for buffer in ours.buffers()]
    ours.eval()
    theirs.eval()
    x = torch.randn(shape, dtype=dtype, requires_grad=True)
    assert_same((ours, ours), (theirs, lambda x: flat(theirs, x)), x, dim=0)
    assert all(torch.equal(a, b) for a, b in zip(before, ours.buffers(), strict=True))


def test_buffers_after_two_steps_by_hand():
    """A tenth of the way to each batch's own: means 2 and 10, variances (n - 1) 2 and 8."""
    norm = BatchNorm(1)
    norm(torch.tensor([[1.0], [3.0]]))
    assert norm.running_mean.item() == pytest.approx(0.1 * 2)
    assert norm.running_variance.item() == pytest.approx(0.9 * 1 + 0.1 * 2)
    norm(torch.tensor([[8.0], [12.0]]))
    assert norm.running_mean.item() == pytest.approx(0.9 * 0.2 + 0.1 * 10)
    assert norm.running_variance.item() == pytest.approx(0.9 * 1.1 + 0.1 * 8)


def test_buffers_over_many_steps():
    ours, theirs = both_batch_norms(5)
    for step in range(60):
        x = torch.randn(4, 3, 5) * (step + 1) + step
        ours(x)
        flat(theirs, x)
        assert_same_buffers(ours, theirs)
    assert not any(buffer.requires_grad for buffer in ours.buffers())


def test_buffers_travel_with_the_weights():
    """They are part of the model's state, but nothing that the optimizer sees."""
    ours = BatchNorm(5)
    ours(torch.randn(9, 5) + 3)
    assert set(ours.state_dict()) == {"weight", "bias", "running_mean", "running_variance"}
    assert {name for name, _ in ours.named_parameters()} == {"weight", "bias"}
    other = BatchNorm(5).eval()
    other.load_state_dict(ours.state_dict())
    x = torch.randn(3, 5)
    assert torch.equal(other(x), ours.eval()(x))


@pytest.mark.parametrize("offset", [1e2, 1e4])
def test_batch_norm_with_a_large_offset(offset):
    """As for layer norm."""
    ours, theirs = both_batch_norms(8)
    x = torch.randn(64, 8) + offset
    allowed = 8 * offset * 2**-24 * ours.weight.abs().max().item()
    expected = nn.functional.batch_norm(
        x.double(), None, None, theirs.weight.double(), theirs.bias.double(), training=True
    )
    torch.testing.assert_close(ours(x).double(), expected, rtol=1e-5, atol=allowed)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-5, atol=2 * allowed)


@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_of_bfloat16(training):
    """The buffers stay in float32; the output is rounded once, at the end."""
    ours, theirs = both_batch_norms(8)
    ours(torch.randn(20, 8) + 1)
    theirs.load_state_dict(
        {
            "weight": ours.weight,
            "bias": ours.bias,
            "running_mean": ours.running_mean,
            "running_var": ours.running_variance,
            "num_batches_tracked": torch.tensor(1),
        }
    )
    x = torch.randn(50, 8).bfloat16()
    y = ours.train(training)(x)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(  # half of a unit in the last of 8 bits
        y.float(), theirs.train(training)(x.float()), rtol=2**-8, atol=1e-5
    )
    assert ours.running_mean.dtype == ours.running_variance.dtype == torch.float32
    assert_same_buffers(ours, theirs)


def test_batch_norm_of_a_constant_feature_is_its_bias():
    """In float64: PyTorch computes x * 316 - 7 * 316, which is not quite 0."""
    ours, theirs = both_batch_norms(3, torch.double)
    x = torch.full((8, 3), 7.0, dtype=torch.double, requires_grad=True)
    assert torch.equal(ours(x), ours.bias.expand(8, 3))
    assert_same((ours, ours), (theirs, theirs), x, dim=0)


@pytest.mark.parametrize("shape", [(1, 5), (1, 1, 5)])
def test_batch_norm_of_one_example_is_an_error_in_training_only(shape):
    norm = BatchNorm(5)
    before = [buffer.clone() for buffer in norm.buffers()]
    with pytest.raises(ValueError, match=r"got 1 example in training mode; .* at least 2"):
        norm(torch.randn(shape))
    assert all(torch.equal(a, b) for a, b in zip(before, norm.buffers(), strict=True))
    # The start's running statistics are 0 and 1.
    x = torch.randn(shape)
    torch.testing.assert_close(norm.eval()(x), x / math.sqrt(1 + EPS))


# --- the difference ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("norm", "training", "leaks"),
    [
        (LayerNorm, True, False),
        (LayerNorm, False, False),
        (BatchNorm, True, True),
        (BatchNorm, False, False),
    ],
)
def test_only_batch_norm_in_training_leaks(norm, training, leaks):
    """Change one position of one sequence: who else moves? Earlier ones and other sequences."""
    norm = norm(5).train(training)
    before = torch.randn(3, 7, 5)
    after = before.clone()
    after[1, 4] = torch.randn(5)  # no mere offset: layer norm would forget that
    moved = (norm(after) != norm(before)).any(dim=-1)  # (B, T)
    assert moved[1, 4]
    assert moved[1, :4].any().item() is leaks
    assert moved[[0, 2]].any().item() is leaks


def test_on_a_table_the_two_differ_by_one_dimension():
    x = torch.randn(6, 5)
    torch.testing.assert_close(LayerNorm(5)(x), standardize(x, dim=1))
    torch.testing.assert_close(BatchNorm(5)(x), standardize(x, dim=0))
    assert not torch.allclose(LayerNorm(5)(x), BatchNorm(5)(x), atol=0.1)
