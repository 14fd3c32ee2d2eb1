"""The pair that repeats: attention across positions, then the same small network at each."""

from bardgpt.teaching.diagrams.shapes import (
    MUTED,
    Diagram,
    arrow,
    box,
    character,
    label,
    line,
)
from bardgpt.teaching.palette import COLOURS


def feed_forward(width: float) -> Diagram:
    """Attention mixes positions, the feed-forward layer works at each one; together a block."""
    text, size, left = "lord", 38, 148
    step = (width - 16 - left) / len(text)
    heard, layers, out = 164, 240, 348
    frame, floor = 70, 330
    attention, own = COLOURS["attention"], COLOURS["feed-forward"]
    middles = [left + i * step + step / 2 for i in range(len(text))]
    shapes = [
        box(8, frame, width - 16, floor - frame, dash="5 4"),
        label(16, 44, "x (B, T, C)", font_weight="600"),
        label(16, 110, "attention:", font_weight="600"),
        label(16, 130, "across positions", colour=MUTED),
        label(16, layers + 12, "feed-forward:", font_weight="600"),
        label(16, layers + 32, "each by itself,", colour=MUTED),
        label(16, layers + 52, "same weights", colour=MUTED),
        label(16, floor - 8, "the block", font_weight="600", colour=MUTED),
        label(16, out + 24, "x (B, T, C)", font_weight="600"),
        label(16, out + 62, "the same shape, new content: into the next block,", colour=MUTED),
        label(16, out + 82, "or to the logits", colour=MUTED),
    ]
    for t, (middle, letter) in enumerate(zip(middles, text, strict=True)):
        shapes += [
            line(earlier, 80, middle, heard - 14, colour=attention) for earlier in middles[:t]
        ]
        shapes += [
            character(middle - size / 2, 20, size, letter, edge=COLOURS["input"]),
            line(middle, 60, middle, heard - 14, colour=attention),
            arrow(middle, heard - 16, 16, colour=attention),
            box(
                middle - size / 2, heard, size, size, edge=attention, fill=attention, strength=0.15
            ),
            arrow(middle, heard + size + 4, layers - heard - size - 6, colour=own),
            box(middle - 27, layers, 54, 50, edge=own, fill=own, strength=0.15),
            label(middle, layers + 21, "Linear", at="middle"),
            label(middle, layers + 40, "ReLU", at="middle"),
            arrow(middle, layers + 52, out - layers - 56, colour=own),
            box(middle - size / 2, out, size, size, edge=COLOURS["input"]),
        ]
    return Diagram(
        "feed-forward",
        "Attention across positions, then a small network at each: a block",
        "Four characters, l, o, r, d, in a row. In the band of attention, lines lead from each "
        "character to its own place and to all later places in the row below. In the band of "
        "the feed-forward layer a single arrow leads from each place straight down, through a box "
        "of its own that says Linear, ReLU, the same in all columns. A dashed frame around both "
        "bands is called the block.",
        out + 96,
        shapes,
        width=width,
    )
