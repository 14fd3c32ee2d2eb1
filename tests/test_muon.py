"""Muon: held against PyTorch's own, and against a singular value decomposition."""

import pytest
import torch
from torch import nn

from bardgpt.training.devices import Facts, muon_dtype
from bardgpt.training.muon import Muon, orthogonalize

SHAPES = [(8, 8), (24, 8), (8, 32), (1, 5)]


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_matrix_keeps_its_directions_and_gets_equal_sizes(shape, dtype):
    matrix = drawn(*shape)
    made = orthogonalize(matrix, dtype)
    assert made.dtype == dtype
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    sizes = u.T @ made.float() @ v.T  # (r, r): diagonal if the directions have stayed
    diagonal = sizes.diagonal()
    assert 0.6 < diagonal.min()
    assert diagonal.max() < 1.3
    # bfloat16 has 8 bits: its roundings are 0.4 %, and five rounds add them up.
    room = 1e-4 if dtype == torch.float32 else 0.05
    assert (sizes - torch.diag(diagonal)).abs().max() < room


def test_the_size_of_a_matrix_does_not_matter():
    matrix = drawn(6, 9)
    torch.testing.assert_close(orthogonalize(1e-3 * matrix), orthogonalize(matrix))


def test_zeros_stay_zeros():
    assert not orthogonalize(torch.zeros(4, 6)).any()


def stepped(optimizer, parameters, steps=5):
    """The parameters after some steps along gradients of one seed."""
    for step in range(steps):
        for i, p in enumerate(parameters):
            p.grad = drawn(*p.shape, seed=100 * step + i)
        optimizer.step()
    return [p.detach() for p in parameters]


def parameters():
    return [nn.Parameter(drawn(*shape, seed=i)) for i, shape in enumerate([*SHAPES, (8, 8)])]


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="this PyTorch has no Muon")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_steps_as_pytorchs_does(dtype):
    ours, theirs = parameters(), parameters()
    rate, decay = 0.02, 0.3
    reference = torch.optim.Muon(
        theirs, lr=rate, weight_decay=decay, momentum=0.95, nesterov=True, adjust_lr_fn="original"
    )
    made = stepped(Muon(ours, rate, weight_decay=decay, dtype=dtype), ours)
    expected = stepped(reference, theirs)
    for a, b, start in zip(made, expected, parameters(), strict=True):
        if dtype == torch.bfloat16:
            torch.testing.assert_close(a, b)
        moved = (b - start).abs().max()
        # PyTorch's rounds are in bfloat16. Measured in float32: at most 0.02 of the way.
        assert (a - b).abs().max() < 0.05 * moved
        assert moved > rate


def test_what_has_no_gradient_stays():
    moved, left = parameters()[:2]
    before = left.detach().clone()
    moved.grad = torch.ones_like(moved)
    Muon([moved, left], 0.1).step()
    assert torch.equal(left, before)
    assert not torch.equal(moved, parameters()[0])


@pytest.mark.parametrize(
    ("machine", "device", "expected"),
    [
        (Facts(cpu_bfloat16=True), "cpu", torch.bfloat16),
        (Facts(), "cpu", torch.float32),  # thirty times as fast there
        (Facts(cuda=True, capability=(8, 0)), "cuda", torch.bfloat16),
        (Facts(cuda=True, capability=(7, 5), cpu_bfloat16=True), "cuda", torch.float32),
        (Facts(mps=True, cpu_bfloat16=True), "mps", torch.float32),
        (Facts(), "meta", torch.float32),
    ],
)
def test_its_products_are_in_the_type_that_is_fast(machine, device, expected):
    assert muon_dtype(machine, device) == expected
