"""Exercises of chapter 6: what a norm forgets, and what its gain and bias can do."""

import torch
from torch import Tensor

from bardgpt.teaching.exercises.answer import Answer, Check, asked, expect, tensor

CLOSE = 1e-3


def rms_norm(function: Answer) -> str:
    """6.1: RMSNorm, from `function(x, gain)`; x has any shape whose last dimension is C."""
    random = torch.Generator().manual_seed(0)
    x = 3 * torch.randn(2, 5, 8, generator=random) + 2  # (B, T, C)
    ones = torch.ones(8)

    def ask(x: Tensor, gain: Tensor, words: str) -> Tensor:
        answer = asked(function, x, gain, with_words=words)
        return tensor(answer, tuple(x.shape), f"what comes back for {words}")

    y = ask(x, ones, "a gain of 1")
    changed = x.clone()
    changed[:, -1] += 1
    earlier = (ask(changed, ones, "a gain of 1") - y)[:, :-1].abs().max()
    expect(
        float(earlier) < CLOSE,
        f"when the last position changes, an earlier one moves by up to {earlier:.2f}; each "
        "position should be divided by an RMS of its own",
    )
    found = y.square().mean(dim=-1).sqrt()  # (B, T)
    furthest = float(found.flatten()[(found - 1).abs().argmax()])
    expect(
        abs(furthest - 1) < CLOSE,
        f"with a gain of 1 a position comes out with RMS {furthest:.2f}; it should be 1",
    )
    along = torch.cosine_similarity(y, x.double(), dim=-1).min()
    expect(
        float(along) > 1 - CLOSE,
        "a position that comes out does not point where it pointed before; RMSNorm divides, and "
        "does not subtract anything",
    )
    gains = torch.linspace(0.5, 2, 8)
    off = (ask(x, gains, "other gains") - gains * y).abs().max()
    expect(
        float(off) < CLOSE,
        f"with other gains the result is up to {off:.2f} away; channel c should be multiplied by "
        "gain c",
    )
    zeros = ask(torch.zeros(1, 2, 8), ones, "zeros")
    expect(float(zeros.abs().max()) < CLOSE, "of a row of zeros it makes something else than zeros")
    return "each position has RMS 1 and points where it pointed; the size is all that it forgets"


def fold(function: Answer) -> str:
    """6.2: `function(weight, bias, gain, shift)` gives a linear layer that needs no gain and bias.

    The layer that it is given is `weight @ (gain * y + shift) + bias`.
    """
    random = torch.Generator().manual_seed(0)
    weight = torch.randn(6, 4, generator=random)  # (V, C)
    bias, shift = torch.arange(6.0), torch.tensor([1.0, -2, 3, 1])
    gain = torch.tensor([2.0, 0.5, 3, 1.5])
    words = "a weight (6, 4), a bias (6,), a gain (4,) and a shift (4,)"
    pair = asked(function, weight, bias, gain, shift, with_words=words)
    expect(
        isinstance(pair, (tuple, list)) and len(pair) == 2,
        "two tensors should come back: the new weight, and the new bias",
    )
    new_weight = tensor(pair[0], (6, 4), "the new weight")
    new_bias = tensor(pair[1], (6,), "the new bias")

    def differ(found: Tensor, wanted: Tensor) -> float:
        return float((found - wanted.double()).abs().max())

    expect(differ(new_weight, weight) > CLOSE, "the gain is lost: the weight is what it was")
    off = differ(new_weight, weight * gain)
    expect(
        off < CLOSE,
        f"the new weight is up to {off:.2f} off; a gain belongs to a channel of y, and which "
        "entries of the weight does that channel meet?",
    )
    expect(differ(new_bias, bias) > CLOSE, "the shift is lost: the bias is what it was")
    expect(
        differ(new_bias, weight @ (gain * shift) + bias) > CLOSE,
        "the shift was multiplied by the gain; the gain is for y alone",
    )
    expect(
        differ(new_bias, weight @ shift) > CLOSE,
        "the layer's own bias is lost: only the shift is there",
    )
    off = differ(new_bias, weight @ shift + bias)
    expect(off < CLOSE, f"for y = 0 the logits are up to {off:.2f} off")
    return "the same logits, without gain and bias"


CHECKS: dict[str, Check] = {"6.1": rms_norm, "6.2": fold}
