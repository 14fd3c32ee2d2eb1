"""Chapter 8: attention weights under a mask, and one prediction as the mean over many masks."""

import math
from collections.abc import Sequence
from html import escape

import torch
from torch import Tensor

from bardgpt import pretrained
from bardgpt.teaching.live.toys.draws import uniform
from bardgpt.teaching.live.toys.frame import (
    MINUS,
    RESET,
    Toy,
    button,
    columns,
    fixed,
    hands,
    says,
    shown,
    slider,
)
from bardgpt.teaching.palette import COLOURS
from bardgpt.teaching.svg import paint

POSITIONS = 6
RATE, FIRST = 0.2, 1  # p, and the seed of the first mask
HIGH = 0.9  # of p
MASKS = 64
BARS = 10


def toy_mask(characters: str = "To be,", weights: Sequence[Sequence[float]] | None = None) -> Toy:
    """A triangle of attention weights, some of which a mask sets to 0.

    Args:
        characters: six positions.
        weights: 6 x 6, each row sums to 1, with zeros right of the diagonal; made up if none are
            given.

    Returns:
        An object that a cell shows.

    Raises:
        ValueError: if the weights are no such triangle, or there are not six characters.
    """
    rows = _made_up() if weights is None else [[float(one) for one in row] for row in weights]
    if len(characters) != POSITIONS or [len(row) for row in rows] != [POSITIONS] * POSITIONS:
        raise ValueError(f"there must be {POSITIONS} characters and as many rows and columns")
    if any(
        abs(sum(row[: t + 1]) - 1) > 1e-3 or any(row[t + 1 :]) or min(row) < 0
        for t, row in enumerate(rows)
    ):
        raise ValueError("each row must sum to 1, with nothing right of the diagonal")
    rows = [[round(one, 6) for one in row[: t + 1]] for t, row in enumerate(rows)]
    draws = uniform(FIRST)
    kept = [[0 if next(draws) < RATE else one / (1 - RATE) for one in row] for row in rows]
    body = "".join(
        f'<tr><th scope="row">{escape(shown(characters[t]))}</th>'
        f"{''.join(map(_cell, row))}{'<td></td>' * (POSITIONS - 1 - t)}"
        f'<td class="toy-sum"><b data-sum>{fixed(sum(row))}</b></td></tr>\n'
        for t, row in enumerate(kept)
    )
    heads = "".join(f'<th scope="col">{escape(shown(one))}</th>' for one in characters)
    sums = [sum(row) for row in kept]
    gone = sum(one == 0 for row in kept for one in row)
    words = (
        f"{gone} of {POSITIONS * (POSITIONS + 1) // 2} weights are 0. The others are multiplied by "
        f"1 / (1 {MINUS} {fixed(RATE)}) = {fixed(1 / (1 - RATE))}. The rows sum to "
        f"{fixed(min(sums))} to {fixed(max(sums))}."
    )
    controls = hands(
        slider("p", "p, the share that is dropped", (0, HIGH, 0.05), RATE, says=f"p = {RATE:.2f}"),
        '<div class="toy-buttons">',
        button("new", "New mask"),
        RESET,
        "</div>",
    )
    return Toy(
        "mask",
        "Toy: attention weights under a mask of dropout",
        '<table class="toy-table toy-mask"><caption>Attention weights under a mask: who asks down '
        "the side, who answers across</caption>\n"
        f'<thead><tr><td></td>{heads}<th scope="col">sum</th></tr></thead>\n'
        f"<tbody>\n{body}</tbody></table>\n{says(words)}{controls}",
        {"weights": rows, "seed": FIRST},
    )


def _made_up() -> list[list[float]]:
    """Weights that differ, of nobody's model."""
    rows = []
    for t in range(POSITIONS):
        powers = [math.exp((7 * t + 5 * s) % 4 / 1.5) if s <= t else 0.0 for s in range(POSITIONS)]
        rows.append([power / sum(powers) for power in powers])
    return rows


def _cell(weight: float) -> str:
    tint = f"color-mix(in oklab,{paint(COLOURS['key'])} {min(35 * weight, 35):.0f}%,transparent)"
    return f'<td data-weight style="background:{tint}">{fixed(weight)}</td>'


def toy_masks(
    context: str = "ROMEO:\nWh",
    characters: Sequence[str] | None = None,
    under: Tensor | Sequence[Sequence[float]] | None = None,
    without: Tensor | Sequence[float] | None = None,
) -> Toy:
    """One prediction, the ten likeliest characters, as the mean over 1, 4, 16 or 64 masks.

    If no probabilities are given, they are the full model's, under 64 masks of the rate that it
    was trained with.

    Args:
        context: what stands before.
        characters: V of them.
        under: (64, V) probabilities, a row for each mask.
        without: (V,) probabilities at test time, with nothing dropped.

    Returns:
        An object that a cell shows.

    Raises:
        ValueError: if the shapes do not fit together.
    """
    if characters is None or under is None or without is None:
        characters, under, without = _of_the_full_model(context)
    under, without = torch.as_tensor(under), torch.as_tensor(without)
    V = len(characters)
    if under.shape != (MASKS, V) or without.shape != (V,) or V < BARS:
        raise ValueError(
            f"{tuple(under.shape)} and {tuple(without.shape)} probabilities of {V} characters; "
            f"there must be ({MASKS}, V) and (V,), V at least {BARS}"
        )
    best = without.topk(BARS).indices
    names = [characters[i] for i in best.tolist()]
    parts = (under[:, best] * 1000).round().int()
    marks = [round(one, 4) for one in without[best].tolist()]
    shares = [one / 1000 for one in parts[0].tolist()]
    farthest = max(abs(share - mark) for share, mark in zip(shares, marks, strict=True))
    words = (
        f"One mask. At most {fixed(100 * farthest, 0)} per cent lie between a bar and its line, "
        "the prediction at test time, when nothing is dropped."
    )
    controls = hands(
        slider("many", "Masks", (0, 3, 1), 0, says="1"),
        '<div class="toy-buttons">',
        button("other", "Other masks"),
        RESET,
        "</div>",
    )
    return Toy(
        "masks",
        "Toy: one prediction as the mean over several masks of dropout",
        '<p class="toy-caption">Likely after '
        f"“{''.join(map(shown, context))}”, in per cent; lines: with nothing dropped</p>\n"
        f"{columns(names, shares, 'dropout', marks)}{says(words)}{controls}",
        {"under": parts.tolist(), "without": marks},
    )


@torch.no_grad()
def _of_the_full_model(context: str) -> tuple[Sequence[str], Tensor, Tensor]:
    model, tokenizer = pretrained.load()
    ids = tokenizer.encode(context)[None]
    without = model.eval()(ids)[0, -1].softmax(-1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        under = model.train()(ids.expand(MASKS, -1))[:, -1].softmax(-1)
    return tokenizer.vocabulary, under, without
