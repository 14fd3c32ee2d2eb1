"""Exercises of chapter 2: one head."""

import torch

from bardgpt.layers.attention import attention_weights
from bardgpt.teaching.exercises.answer import Answer, Check, asked, expect, rows, tensor

LEAST_BACK = 0.99  # of a position's weight, to the one before
NEAR = 1e-5
NAMES = ("the queries", "the keys")


def back_one(function: Answer) -> str:
    """2.1: queries and keys with which each position looks at the one before it.

    `function(T)` gives a query for each of T positions and a key for each, both (T, hs).
    """
    for T in (8, 5):
        pair = asked(function, T, with_words=f"T = {T}")
        expect(
            isinstance(pair, (tuple, list)) and len(pair) == 2,
            "two tensors should come back: the queries, and the keys",
        )
        queries, keys = (rows(one, T, what) for one, what in zip(pair, NAMES, strict=True))
        expect(
            queries.shape == keys.shape,
            f"a query has {queries.shape[1]} numbers and a key {keys.shape[1]}; for a dot product "
            "both need as many",
        )
        past = torch.ones(T, T, dtype=torch.bool).tril()
        weights = attention_weights(queries, keys, past)  # (T, T)
        for t in reversed(range(1, T)):  # a late row has the most places for a mistake to show
            most = int(weights[t].argmax())
            strays = f", and most, {weights[t, most]:.2f}, to position {most}"
            expect(
                float(weights[t, t - 1]) >= LEAST_BACK,
                f"row {t} gives {weights[t, t - 1]:.2f} to position {t - 1}"
                f"{strays if most != t - 1 else ''}; it should give at least {LEAST_BACK} to "
                f"position {t - 1}",
            )
    return "every position but the first looks at the one before it"


def in_sight(function: Answer) -> str:
    """2.2: weights of a head that sees itself and the `width` - 1 positions before it.

    `function(scores, width)` gets scores (T, T) and gives weights (T, T).
    """
    for T, width in ((6, 3), (5, 1), (4, 9)):
        scores = torch.linspace(-1, 1, T * T).reshape(T, T).sin()  # (T, T), some of them negative
        words = f"scores of {T} positions and width {width}"
        p = tensor(asked(function, scores, width, with_words=words), (T, T), "the weights")
        for t in reversed(range(T)):  # what the last row shows tells most mistakes apart
            for s in range(T):
                if s > t:
                    expect(
                        float(p[t, s]) == 0,
                        f"with {words} position {t} gives {p[t, s]:.2f} to position {s}, which is "
                        "its future",
                    )
                elif s <= t - width:
                    expect(
                        float(p[t, s]) == 0,
                        f"with {words} position {t} gives {p[t, s]:.2f} to position {s}, which is "
                        f"{t - s} back; it may look at most {width - 1} back",
                    )
                else:
                    expect(
                        float(p[t, s]) > 0,
                        f"with {words} position {t} gives nothing to position {s}, which it may "
                        "see",
                    )
            expect(
                abs(float(p[t].sum()) - 1) < NEAR,
                f"with {words} row {t} sums to {p[t].sum():.2f}, not to 1",
            )
            seen = slice(max(0, t - width + 1), t + 1)
            right = scores[t, seen].double().softmax(dim=-1)
            expect(
                bool((p[t, seen] - right).abs().max() < NEAR),
                f"with {words} row {t} is not the softmax of the scores in sight: it gives "
                f"{p[t, t]:.2f} to itself, and the scores say {right[-1]:.2f}",
            )
    return "it sees so far and no further, and each row is a softmax"


CHECKS: dict[str, Check] = {"2.1": back_one, "2.2": in_sight}
