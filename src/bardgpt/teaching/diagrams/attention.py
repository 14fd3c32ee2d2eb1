"""Heads of attention at work on a window of text."""

import math

from bardgpt.teaching.diagrams.shapes import (
    LINE,
    MARGIN,
    MUTED,
    PANEL,
    Diagram,
    Panels,
    arrow,
    box,
    character,
    label,
    line,
    route,
)
from bardgpt.teaching.palette import COLOURS


def one_head(width: float) -> Diagram:
    """One position's query, the keys and values of a window, and what it receives."""
    text, asks, scores = "lords", 3, (1, 2, -1, 0)
    total = sum(math.exp(score) for score in scores)
    size, left = 40, 168
    step = (width - left - 4) // len(text)
    rows = {"x": 20, "query": 84, "key": 144, "score": 200, "weight": 246, "value": 304, "y": 388}
    query, key, value, output = (COLOURS[role] for role in ("query", "key", "value", "output"))
    here = left + asks * step
    shapes = [
        label(16, rows["x"] + 26, "character", font_weight="600"),
        label(16, rows["query"] + 26, "it asks: q", font_weight="600"),
        label(16, rows["key"] + 26, "all offer: k", font_weight="600"),
        label(16, rows["score"] + 18, "score q · k / √hs", font_weight="600"),
        label(16, rows["weight"] + 18, "softmax: weight", font_weight="600"),
        label(16, rows["value"] + 26, "all give: v", font_weight="600"),
        label(16, rows["y"] + 26, "it receives: y", font_weight="600"),
        box(here, rows["query"], size, size, edge=query, fill=query, strength=0.25),
        label(here + size / 2, rows["query"] + 26, "q₃", at="middle"),
        arrow(here + size / 2, rows["x"] + size + 4, 20),
    ]
    for s, letter in enumerate(text):
        x, past = left + s * step, s <= asks
        middle, dash = x + size / 2, {} if past else {"dash": "5 4"}
        weight = math.exp(scores[s]) / total if past else 0
        score = str(scores[s]).replace("-", "\N{MINUS SIGN}") if past else "\N{MINUS SIGN}∞"
        shapes += [
            character(x, rows["x"], size, letter, edge=COLOURS["input"]),
            box(x, rows["key"], size, size, edge=key, fill=key, strength=0.2 * past, **dash),
            label(middle, rows["key"] + 26, f"k{'₀₁₂₃₄'[s]}", at="middle"),
            label(middle, rows["score"] + 18, score, at="middle"),
            arrow(middle, rows["score"] + 26, 20),
            label(middle, rows["weight"] + 18, f"{weight:.2f}", at="middle", font_weight="600"),
            label(
                middle, rows["weight"] + 42, "\N{MULTIPLICATION SIGN}", at="middle", colour=MUTED
            ),
            box(x, rows["value"], size, size, edge=value, fill=value, strength=weight, **dash),
            label(middle, rows["value"] + 26, f"v{'₀₁₂₃₄'[s]}", at="middle"),
        ]
        if past:
            shapes.append(line(middle, rows["value"] + size + 6, middle, rows["value"] + size + 24))
    floor = rows["value"] + size + 24
    shapes += [
        line(left + size / 2, floor, here + size / 2, floor),
        label(left + size / 2 + 6, floor + 22, "sum", colour=MUTED),
        arrow(here + size / 2, floor, rows["y"] - floor - 4),
        box(here, rows["y"], size, size, edge=output, fill=output, strength=0.25),
        label(here + size / 2, rows["y"] + 26, "y₃", at="middle"),
    ]
    weights = ", ".join(f"{math.exp(score) / total:.2f}" for score in scores)
    return Diagram(
        "one-head",
        "How one position of one head collects from its past",
        "Five characters, l, o, r, d, s, each with a box for its key and one for its value. The "
        "fourth, d, also has a query. Query times key gives it a score with each character: "
        "1, 2, minus 1, 0, and minus infinity for s, which lies in the future. Softmax makes of "
        f"them the weights {weights} and 0. The values, times their weights, are summed: what d "
        "receives.",
        rows["y"] + size + 20,
        shapes,
        width=width,
    )


def heads() -> Panels:
    """One head of 32 channels beside four heads of 8."""
    return Panels(
        "heads",
        "One head of 32 channels beside four heads of 8",
        (
            Diagram(
                "heads-one",
                "One head of 32 channels",
                "x, a wide box of 32 channels, leads down to two boxes: q and k, and v. From q and "
                "k an arrow goes to a square A. From A and, past it, from v arrows go to A v, a "
                "wide box of 32 channels.",
                366,
                _heads(1),
                width=PANEL,
            ),
            Diagram(
                "heads-four",
                "Four heads of 8 channels",
                "The same x leads to four pairs of narrow boxes in four colours, each q and k, and "
                "v. From q and k arrows go to four squares, A1 to A4. From these and, past them, "
                "from v arrows go to four boxes of 8 channels, A1 v to A4 v. Side by side these "
                "are as wide as x.",
                366,
                _heads(4),
                width=PANEL,
            ),
        ),
    )


def _heads(parts: int) -> list[str]:
    """The way from x through some heads, side by side; the values go around the weights."""
    bar, size, gap, left, width = 44, 40, 12, 20, 312
    one = parts == 1
    each = (width - gap * (parts - 1)) / parts
    value = each / 3 if one else 26  # wide enough for one letter
    shapes = [
        label(left, 30, "one head of 32" if one else "four heads of 8", font_weight="600"),
        box(left, 48, width, bar, edge=COLOURS["input"]),
        label(left + width / 2, 75, "x: 32 channels", at="middle"),
    ]
    for i in range(parts):
        x, colour = left + i * (each + gap), COLOURS[f"head {i}"]
        asks, gives = x + (each - value - 3) / 2, x + each - value / 2  # where their boxes are
        weights = "A" if one else f"A{'₁₂₃₄'[i]}"
        shapes += [
            arrow(asks, 96, 18),
            arrow(gives, 96, 18),
            box(x, 118, each - value - 3, bar, edge=colour, fill=colour, strength=0.15),
            label(asks, 145, "q, k", at="middle"),
            box(x + each - value, 118, value, bar, edge=colour, fill=colour, strength=0.15),
            label(gives, 145, "v", at="middle"),
            arrow(asks, 166, 18),
            box(asks - size / 2, 188, size, size, edge=colour),
            label(asks, 213, weights, at="middle"),
            arrow(asks, 232, 22),
            arrow(gives, 166, 88),
            box(x, 258, each, bar, edge=colour, fill=colour, strength=0.15),
            label(x + each / 2, 285, f"{weights} v: {32 // parts}", at="middle"),
        ]
    return [
        *shapes,
        label(left, 328, "A: T by T weights" if one else "A₁ to A₄: T by T weights each"),
        label(
            left,
            350,
            "the same for all 32 channels of v" if one else "side by side: 32 channels again",
            colour=MUTED,
        ),
    ]


def group_convolution() -> Diagram:
    """Two heads' mixing of values, drawn as two groups of a convolution of width 1."""
    cell, places, positions, picked = 14, 8, 5, 2
    left, across = MARGIN, cell * positions
    values = left + across + 22
    outputs = values + cell * places + 22
    shapes = []
    for group in range(2):
        top, colour = 44 + 122 * group, COLOURS[f"head {group}"]
        number, middle = "₁₂"[group], top + across / 2 + 5
        shapes += [
            label(left + across / 2, top - 10, f"A{number}", at="middle"),
            label(values + cell * places / 2, top - 10, f"v{number}", at="middle"),
            label(outputs + cell * places / 2, top - 10, f"A{number} v{number}", at="middle"),
            *(
                box(left, top + cell * t, cell * (t + 1), cell, edge=colour, fill=colour,
                    strength=0.25)
                for t in range(positions)
            ),
            box(left, top, across, across, edge=colour),
            label(values - 11, middle, "\N{MULTIPLICATION SIGN}", at="middle"),
            label(outputs - 11, middle, "=", at="middle"),
        ]  # fmt: skip
        for start in (values, outputs):
            shapes += [
                box(start + cell * picked, top, cell, across, edge=colour, fill=colour,
                    strength=0.45),
                box(start, top, cell * places, across, edge=colour),
                *(
                    line(start, top + cell * t, start + cell * places, top + cell * t, colour=LINE)
                    for t in range(1, positions)
                ),
            ]  # fmt: skip
        slide = top + across + 14
        shapes += [
            route([(values + cell * picked, slide), (values + cell * places, slide)]),
            label(outputs, slide + 5, "A slides along", colour=MUTED),
        ]
    return Diagram(
        "group-convolution",
        "Two heads that mix their values, as two groups of a convolution",
        "Two rows, one above the other, in two colours. Each row shows a triangular square A of 5 "
        "by 5, times a grid v of 5 rows and 8 columns, equal to a grid A v of the same size. One "
        "column of v and the same column of A v are filled; an arrow below v points on to the "
        "columns on the right. No line leads from one row to the other.",
        342,
        [
            *shapes,
            label(left, 288, "a row: a position, the convolution's channel"),
            label(left, 310, "a column: a channel of v, a place to slide to"),
            label(left, 332, "a group: one head of one text", colour=MUTED),
        ],
        width=392,
    )
