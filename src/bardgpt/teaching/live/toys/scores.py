"""Chapter 2: four scores, their softmax, and the mean of four values; and what hs does to it."""

import math
from collections.abc import Sequence
from html import escape

from bardgpt.teaching.live.toys.frame import (
    RESET,
    Toy,
    bar,
    button,
    fixed,
    hands,
    says,
    slider,
    switch,
)
from bardgpt.teaching.palette import COLOURS
from bardgpt.teaching.svg import paint

LOW, HIGH = -6, 6  # of a score
FIRST, LAST = 3, 10  # hs from 2^3 to 2^10
MOST = 8  # positions


def toy_scores(
    scores: Sequence[float] = (0, 1.5, 0.5, -1),
    values: Sequence[float] = (1, 3, -2, 2),
    keys: Sequence[str] = ("k", "i", "n", "g"),
    *,
    head_size: bool = False,
) -> Toy:
    """Scores to move, their weights after the softmax, and the mean of the values.

    The scores stand for dot products that were divided by the root of the head size. If the reader
    may leave that division out, they are as many times larger then.

    Args:
        scores: -6 to 6.
        values: one number for each.
        keys: the positions' characters.
        head_size: whether the reader can move it, and leave the division out.

    Returns:
        An object that a cell shows.

    Raises:
        ValueError: if the three have not the same length, of 2 to 8; or a score is out of range.
    """
    if not 2 <= len(scores) == len(values) == len(keys) <= MOST:
        raise ValueError(
            f"{len(scores)} scores, {len(values)} values and {len(keys)} keys; "
            f"there must be as many of each, 2 to {MOST}"
        )
    if not all(LOW <= score <= HIGH for score in scores):
        raise ValueError(f"a score must be from {LOW} to {HIGH}; they are {list(scores)}")
    weights = softmax(scores)
    rows = "".join(
        '<div class="toy-row" style="margin:0.25em 0">'
        f'<b class="toy-key">{escape(key)}</b> '
        f"{slider('score', f'Score of {key}', (LOW, HIGH, 0.1), score)}"
        '<span class="toy-number toy-k"><span class="visually-hidden">score </span>'
        f"<span data-score>{fixed(score, 1)}</span></span> "
        f"{bar(weight, 'key')}"
        f'<span class="toy-number"><span class="visually-hidden">weight </span>'
        f"<span data-weight>{fixed(weight)}</span></span> "
        '<span class="toy-number toy-v"><span class="toy-times" aria-hidden="true">'
        "\N{MULTIPLICATION SIGN} </span>"
        f'<span class="visually-hidden">value </span>{fixed(value, 0)}</span></div>\n'
        for key, score, weight, value in zip(keys, scores, weights, values, strict=True)
    )
    heads = (
        '<div class="toy-row toy-heads" aria-hidden="true"><span>key</span><span></span>'
        "<span>score</span><span>weight, after the softmax</span><span></span>"
        "<span>value</span></div>\n"
    )
    of_head = (
        slider("hs", "Head size", (FIRST, LAST, 1), FIRST, says=f"hs = {2**FIRST}"),
        switch("scale", "Dot products divided by √hs", is_on=True),
    )
    controls = hands(
        *(of_head if head_size else ()),
        '<div class="toy-buttons">',
        button("add", "Add 1 to each score"),
        button("double", "Double each score"),
        RESET,
        "</div>",
    )
    return Toy(
        "scores",
        "Toy: scores, their weights, and the mean of the values",
        f"{heads}{rows}{_line(keys, values, weights)}"
        f"{says(sentence(weights, values))}"
        '<p class="toy-says" data-largest>The largest weight is '
        f"{fixed(max(weights))}.</p>\n{controls}",
        {"values": list(values)},
    )


def softmax(scores: Sequence[float]) -> list[float]:
    """Shares that sum to 1."""
    top = max(scores)
    powers = [math.exp(score - top) for score in scores]
    return [power / sum(powers) for power in powers]


def sentence(weights: Sequence[float], values: Sequence[float]) -> str:
    """The mean as a sum."""
    terms = " + ".join(
        f'<b class="toy-k">{fixed(weight)}</b> · <b class="toy-v">'
        f"{fixed(value, 0) if value >= 0 else f'({fixed(value, 0)})'}</b>"
        for weight, value in zip(weights, values, strict=True)
    )
    return f'mean = {terms} = <b class="toy-output">{fixed(mean_of(weights, values))}</b>'


def mean_of(weights: Sequence[float], values: Sequence[float]) -> float:
    """The weighted mean."""
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def _line(keys: Sequence[str], values: Sequence[float], weights: Sequence[float]) -> str:
    """The values on a line, each as large as its weight, and their mean above."""
    low, high = min(values) - 1, max(values) + 1
    place = "position:absolute;transform:translate(-50%,-50%)"
    dots = ""
    for key, value, weight in zip(keys, values, weights, strict=True):
        left = 100 * (value - low) / (high - low)
        size = 6 + 34 * math.sqrt(weight)
        dots += (
            f'<span data-dot style="{place};left:{left:.2f}%;top:3.25rem;width:{size:.1f}px;'
            f"height:{size:.1f}px;border-radius:50%;border:1.5px solid {paint(COLOURS['value'])};"
            f'background:color-mix(in oklab,{paint(COLOURS["value"])} 28%,transparent)"></span>'
            f'<span style="{place};left:{left:.2f}%;top:5.25rem;white-space:nowrap">'
            f'<b>{escape(key)}</b> <span class="toy-v">{fixed(value, 0)}</span></span>'
        )
    mean = mean_of(weights, values)
    left = 100 * (mean - low) / (high - low)
    return (
        '<div class="toy-line" aria-hidden="true" style="position:relative;height:6.25rem">'
        '<span style="position:absolute;left:0;right:0;top:3.25rem;'
        f'border-top:1px solid {paint(COLOURS["edge"])}"></span>{dots}'
        f'<b class="toy-output" data-mean style="{place};left:{left:.2f}%;top:1rem;'
        f'text-align:center;line-height:1.1;white-space:nowrap">mean <span>{fixed(mean)}</span>'
        "<br>▼</b></div>\n"
    )
