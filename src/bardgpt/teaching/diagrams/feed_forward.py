"""The pair that repeats: attention across positions, then the same small network at each."""

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


def feed_forward() -> Diagram:
    """Attention mixes positions, the feed-forward layer works at each one; together a block."""
    text, size, step, left = "lords", 44, 84, 180
    top, heard, layers, out, width = 24, 172, 256, 344, 76
    attention, own = COLOURS["attention"], COLOURS["feed-forward"]
    middles = [left + i * step + step / 2 for i in range(len(text))]
    shapes = [
        box(left - 8, top + size + 14, len(text) * step + 16, 274, dash="5 4"),
        label(MARGIN, top + 28, "x", font_weight="600"),
        label(MARGIN, 116, "attention:", font_weight="600"),
        label(MARGIN, 136, "across positions", colour=MUTED),
        label(MARGIN, layers + 12, "feed-forward:", font_weight="600"),
        label(MARGIN, layers + 32, "each by itself,", colour=MUTED),
        label(MARGIN, layers + 52, "the same weights", colour=MUTED),
        label(620, 200, "a block:", font_weight="600"),
        label(620, 220, "repeated", colour=MUTED),
    ]
    for t, (middle, letter) in enumerate(zip(middles, text, strict=True)):
        shapes += [
            line(earlier, 88, middle, heard - 14, colour=attention) for earlier in middles[:t]
        ]
        shapes += [
            character(middle - size / 2, top, size, letter, edge=COLOURS["input"]),
            line(middle, top + size + 2, middle, heard - 14, colour=attention),
            arrow(middle, heard - 16, 16, colour=attention),
            box(middle - size / 2, heard, size, size, edge=attention, fill=attention, strength=0.2),
            arrow(middle, heard + size + 4, layers - heard - size - 8, colour=own),
            box(middle - width / 2, layers, width, 54, edge=own, fill=own, strength=0.2),
            label(middle, layers + 23, "Linear", at="middle"),
            label(middle, layers + 43, "ReLU", at="middle"),
            arrow(middle, layers + 58, out - layers - 30, colour=own),
            box(middle - size / 2, out + 32, size, size, edge=COLOURS["input"]),
        ]
    shapes += [
        label(MARGIN, out + 50, "the same shape,", font_weight="600"),
        label(MARGIN, out + 70, "new content", font_weight="600"),
        label(left, out + 100, "into the next block, or to the logits", colour=MUTED),
    ]
    return Diagram(
        "feed-forward",
        "Attention across positions, then a small network at each: a block",
        "Five characters, l, o, r, d, s, in a row. In the band of attention, lines lead from each "
        "character to its own place and to all later places in the row below. In the band of "
        "the feed-forward layer a single arrow leads from each place straight down, through a box "
        "of its own that says Linear, ReLU, the same in all columns. A dashed frame around both "
        "bands is called a block, repeated.",
        462,
        shapes,
    )
