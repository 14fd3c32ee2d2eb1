"""Exercises of chapters 2 and 3: one head, several heads."""

import torch

from bardgpt.layers.attention import attention_weights
from bardgpt.teaching.exercises.answer import Answer, Check, asked, expect, rows

LEAST_BACK = 0.99  # of a position's weight, to the one before
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
        for t in range(1, T):
            most = int(weights[t].argmax())
            expect(
                float(weights[t, t - 1]) >= LEAST_BACK,
                f"row {t} gives {weights[t, t - 1]:.2f} to position {t - 1}, and most, "
                f"{weights[t, most]:.2f}, to position {most}; it should give at least "
                f"{LEAST_BACK} to position {t - 1}",
            )
    return "every position but the first looks at the one before it"


CHECKS: dict[str, Check] = {"2.1": back_one}
