"""Chapter 7."""

import torch

X = torch.randn(2, 8, 32, generator=torch.Generator().manual_seed(1))


def norm_on_stream(block):
    return not torch.equal(block(X, torch.zeros_like, torch.zeros_like), X)


def always(block):
    return bool((block(X, torch.tanh, torch.tanh) != X).any())


def never(block):
    return block(X, torch.zeros_like, torch.zeros_like).shape != X.shape


def by_size(block):
    """Whether what comes out has RMS 1: so it has not if the last thing done is an addition."""
    return bool((block(X, torch.exp, torch.exp).square().mean(dim=-1) - 1).abs().max() < 1e-3)


def each_number(block):
    return block(X, torch.zeros_like, torch.zeros_like) != X


def third_wiring(x, f, g, norm_f, norm_g):
    x = x + norm_f(f(x))
    return x + norm_g(g(x))


def post(x, f, g, norm_f, norm_g):
    x = norm_f(x + f(x))
    return norm_g(x + g(x))


def pre(x, f, g, norm_f, norm_g):
    x = x + f(norm_f(x))
    return x + g(norm_g(x))


def half(x, f, g, norm_f, norm_g):
    return x + norm_f(f(x))


def half_of_post(x, f, g, norm_f, norm_g):
    return norm_f(x + f(x))


def swapped(x, f, g, norm_f, norm_g):
    return third_wiring(x, f, g, norm_g, norm_f)


def side_by_side(x, f, g, norm_f, norm_g):
    return x + norm_f(f(x)) + norm_g(g(x))


def without_stream(x, f, g, norm_f, norm_g):
    return norm_g(g(norm_f(f(x))))


def doubled(x, f, g, norm_f, norm_g):
    return 2 * third_wiring(x, f, g, norm_f, norm_g)


RIGHT = {"7.1": norm_on_stream, "7.2": third_wiring}
WRONG = [
    ("7.1", always, "of the block x + f(norm(x)) it says True"),
    ("7.1", never, "of the block norm(x + f(x)) it says False"),
    ("7.1", by_size, "of the block x = norm(x), then x + f(x) it says False"),
    ("7.1", each_number, "True or False should come back, and this is a Tensor"),
    ("7.2", post, "this is post-norm"),
    ("7.2", pre, "this is pre-norm"),
    ("7.2", half, "only the first half"),
    ("7.2", half_of_post, "only half of post-norm"),
    ("7.2", swapped, "have changed places"),
    ("7.2", side_by_side, "the second part reads the old stream"),
    ("7.2", without_stream, "not added to the stream"),
    ("7.2", doubled, "up to"),
]
