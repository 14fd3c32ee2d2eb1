"""Exercises of chapter 1: losses, and tables of counts."""

import torch

from bardgpt.teaching.exercises.answer import Answer, Check, asked, expect, number, tensor

NEAR = 1e-4  # relative: an answer may compute in float32


def faces(function: Answer) -> str:
    """1.1: the faces of a die whose throw is as hard to guess as a text.

    `function(p)` gets the probabilities (N,) of the characters that came, and gives a number.
    """
    for p, is_right in (([0.25, 0.25, 0.25], 4.0), ([0.5, 0.125], 4.0), ([1.0, 1.0], 1.0)):
        given = torch.tensor(p, dtype=torch.float64)
        words = f"the probabilities {p}"
        found = number(asked(function, given, with_words=words), "the number of faces")
        expect(
            abs(found - is_right) <= NEAR * is_right,
            f"with {words} it gives {found:.3f}; {_reason(p, is_right)}",
        )
    return "it is e to the mean of the losses, whatever the probabilities are"


def _reason(p: list[float], is_right: float) -> str:
    if len({*p}) > 1:
        return (
            "a die with that many faces has another mean loss per character than these two have: "
            "losses are averaged, not probabilities"
        )
    return f"a fair die that gives each of its faces {p[0]} has {is_right:.0f}"


def smoothed(function: Answer) -> str:
    """1.2: probabilities from counts of pairs, with something added to each count.

    `function(counts, alpha)` gets the counts (V, V), a row for each current character, and gives
    probabilities (V, V).
    """
    counts = torch.tensor([[4.0, 0.0, 0.0], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0]], dtype=torch.float64)
    for alpha in (1.0, 0.5):
        words = f"counts of three characters and alpha = {alpha}"
        made = asked(function, counts, alpha, with_words=words)
        p = tensor(made, (3, 3), "the table")
        sums = p.sum(dim=1)  # (3,)
        for i in range(3):
            expect(
                abs(float(sums[i]) - 1) <= NEAR,
                f"with {words} row {i} sums to {sums[i]:.3f}; a row holds the chances of what "
                "follows one character, so it must sum to 1",
            )
        expect(
            float(p.min()) > 0,
            f"with {words} a pair that was never counted has the probability {p.min():.3f}; "
            "smoothing is there to give it some",
        )
        ratio, counted = float(p[1, 2] / p[1, 0]), (3 + alpha) / (1 + alpha)
        expect(
            abs(ratio - counted) <= NEAR * counted,
            f"with {words} a pair counted three times has {ratio:.2f} times the probability of one "
            f"counted once in the same row; with {alpha} added to both counts it is {counted:.2f}",
        )
    return "each row sums to 1, and what was never counted has its share"


CHECKS: dict[str, Check] = {"1.1": faces, "1.2": smoothed}
