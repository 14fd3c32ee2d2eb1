"""A window of text, and heads of attention at work on it."""

import math

from bardgpt.teaching.diagrams.shapes import (
    MARGIN,
    MUTED,
    Diagram,
    arrow,
    box,
    character,
    label,
    line,
)
from bardgpt.teaching.palette import COLOURS


def windows() -> Diagram:
    """Inputs and targets: the same text, one character apart."""
    text, size, step, left = "First Cit", 44, 64, 148
    top, bottom = 52, 150
    blue, orange = COLOURS["input"], COLOURS["target"]
    shapes = [
        label(MARGIN, top + 28, "inputs x", font_weight="600"),
        label(MARGIN, bottom + 28, "targets y", font_weight="600"),
        label(MARGIN, 32, "position t", colour=MUTED),
    ]
    for t in range(len(text) - 1):
        x = left + t * step
        shapes += [
            label(x + size / 2, 32, str(t), at="middle", colour=MUTED),
            character(x, top, size, text[t], edge=blue),
            arrow(x + size / 2, top + size + 8, bottom - top - size - 16),
            character(x, bottom, size, text[t + 1], edge=orange),
        ]
    shapes.append(
        label(left, 226, "y at t is the character of the text that follows x at t", colour=MUTED)
    )
    return Diagram(
        "windows",
        "A window of eight characters and its eight targets",
        "Two rows of eight boxes. The upper row, the inputs, spells First, a space, C, i. The "
        "lower row, the targets, holds the same text one character later: irst, a space, C, i, t. "
        "An arrow leads from each input down to its target.",
        246,
        shapes,
    )


def one_head() -> Diagram:
    """One position's query, the keys and values of a window, and what it receives."""
    text, asks, scores = "lords", 3, (1, 2, -1, 0)
    total = sum(math.exp(score) for score in scores)
    size, step, left = 52, 104, 176
    rows = {"x": 24, "query": 104, "key": 180, "score": 256, "weight": 308, "value": 372, "y": 478}
    query, key, value, output = (COLOURS[role] for role in ("query", "key", "value", "output"))
    here = left + asks * step
    shapes = [
        label(MARGIN, rows["x"] + 32, "character", font_weight="600"),
        label(MARGIN, rows["query"] + 32, "it asks: q", font_weight="600"),
        label(MARGIN, rows["key"] + 32, "all offer: k", font_weight="600"),
        label(MARGIN, rows["score"] + 18, "score q · k / √hs", font_weight="600"),
        label(MARGIN, rows["weight"] + 18, "softmax: weight", font_weight="600"),
        label(MARGIN, rows["value"] + 32, "all give: v", font_weight="600"),
        label(MARGIN, rows["y"] + 32, "it receives: y", font_weight="600"),
        box(here, rows["query"], size, size, edge=query, fill=query, strength=0.25),
        label(here + size / 2, rows["query"] + 32, "q₃", at="middle"),
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
            label(middle, rows["key"] + 32, f"k{'₀₁₂₃₄'[s]}", at="middle"),
            label(middle, rows["score"] + 18, score, at="middle"),
            arrow(middle, rows["score"] + 28, 22),
            label(middle, rows["weight"] + 18, f"{weight:.2f}", at="middle", font_weight="600"),
            label(
                middle, rows["weight"] + 46, "\N{MULTIPLICATION SIGN}", at="middle", colour=MUTED
            ),
            box(x, rows["value"], size, size, edge=value, fill=value, strength=weight, **dash),
            label(middle, rows["value"] + 32, f"v{'₀₁₂₃₄'[s]}", at="middle"),
        ]
        if past:
            shapes.append(line(middle, rows["value"] + size + 6, middle, rows["value"] + size + 24))
    floor = rows["value"] + size + 24
    shapes += [
        line(left + size / 2, floor, here + size / 2, floor),
        label(left + size / 2 + 6, floor + 22, "sum", colour=MUTED),
        arrow(here + size / 2, floor, rows["y"] - floor - 4),
        box(here, rows["y"], size, size, edge=output, fill=output, strength=0.25),
        label(here + size / 2, rows["y"] + 32, "y₃", at="middle"),
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
        546,
        shapes,
    )


def heads() -> Diagram:
    """One head of 32 channels beside four heads of 8."""
    bar, size, gap, width = 44, 44, 12, 312
    shapes: list[str] = []
    for left, title, parts in ((24, "one head of 32", 1), (384, "four heads of 8", 4)):
        each = (width - gap * (parts - 1)) / parts
        shapes += [
            label(left, 30, title, font_weight="600"),
            box(left, 48, width, bar, edge=COLOURS["input"]),
            label(left + width / 2, 75, "x: 32 channels", at="middle"),
        ]
        for i in range(parts):
            x, colour = left + i * (each + gap), COLOURS[f"head {i}"]
            middle = x + each / 2
            shapes += [
                arrow(middle, 96, 18),
                box(x, 118, each, bar, edge=colour, fill=colour, strength=0.15),
                label(middle, 145, "q, k, v of 32" if parts == 1 else "of 8", at="middle"),
                arrow(middle, 166, 18),
                box(middle - size / 2, 188, size, size, edge=colour),
                label(middle, 215, "A" if parts == 1 else f"A{'₁₂₃₄'[i]}", at="middle"),
                arrow(middle, 236, 18),
                box(x, 258, each, bar, edge=colour, fill=colour, strength=0.15),
                label(middle, 285, "A v: 32" if parts == 1 else "8", at="middle"),
            ]
    shapes += [
        label(24, 328, "A: T x T weights, softmax of q k", colour=MUTED),
        label(384, 328, "side by side: 32 channels again", colour=MUTED),
    ]
    return Diagram(
        "heads",
        "One head of 32 channels beside four heads of 8",
        "Left: x, a wide box of 32 channels, leads down to q, k, v of 32, through one square A, to "
        "A v, a wide box of 32. Right: the same x leads to four narrow boxes in four colours, q, "
        "k, v of 8 each, through four squares A1 to A4, to four boxes of 8 that together are as "
        "wide as x again.",
        346,
        shapes,
    )
