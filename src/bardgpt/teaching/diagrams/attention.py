"""Heads of attention at work on a window of text."""

import math

from bardgpt.teaching.diagrams.shapes import (
    MUTED,
    PANEL,
    Diagram,
    Panels,
    arrow,
    box,
    character,
    label,
    line,
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
                "x, a wide box of 32 channels, leads down to q, k, v, from there to one "
                "square A, T by T weights, and to A v, a wide box of 32 channels.",
                346,
                _heads(1),
                width=PANEL,
            ),
            Diagram(
                "heads-four",
                "Four heads of 8 channels",
                "The same x leads to four narrow boxes in four colours, each a q, k, v, from there "
                "to four squares, A1 to A4, and to four boxes of 8 channels, A1 v to A4 v. "
                "Side by side these are as wide as x.",
                346,
                _heads(4),
                width=PANEL,
            ),
        ),
    )


def _heads(parts: int) -> list[str]:
    """The way from x through some heads, side by side."""
    bar, size, gap, left, width = 44, 44, 12, 20, 312
    one = parts == 1
    each = (width - gap * (parts - 1)) / parts
    shapes = [
        label(left, 30, "one head of 32" if one else "four heads of 8", font_weight="600"),
        box(left, 48, width, bar, edge=COLOURS["input"]),
        label(left + width / 2, 75, "x: 32 channels", at="middle"),
    ]
    for i in range(parts):
        x, colour = left + i * (each + gap), COLOURS[f"head {i}"]
        middle = x + each / 2
        shapes += [
            arrow(middle, 96, 18),
            box(x, 118, each, bar, edge=colour, fill=colour, strength=0.15),
            label(middle, 145, "q, k, v", at="middle"),
            arrow(middle, 166, 18),
            box(middle - size / 2, 188, size, size, edge=colour),
            label(middle, 215, "A" if one else f"A{'₁₂₃₄'[i]}", at="middle"),
            arrow(middle, 236, 18),
            box(x, 258, each, bar, edge=colour, fill=colour, strength=0.15),
            label(middle, 285, "A v: 32" if one else f"A{'₁₂₃₄'[i]} v: 8", at="middle"),
        ]
    note = "A: T by T weights, from q and k" if one else ""
    shapes.append(label(left, 328, note or "side by side: 32 channels again", colour=MUTED))
    return shapes
