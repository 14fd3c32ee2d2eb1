"""A window of text, as a model reads it."""

from bardgpt.teaching.diagrams.shapes import MUTED, Diagram, arrow, character, label
from bardgpt.teaching.palette import COLOURS


def windows(width: float) -> Diagram:
    """Inputs and targets: the same text, one character apart."""
    text, size, left = "First Cit", 38, 22
    step = (width - 2 * left + 12) / (len(text) - 1)
    top, bottom = 62, 156
    shapes = [label(left, 24, "inputs x", font_weight="600")]
    for t in range(len(text) - 1):
        x = left + t * step
        shapes += [
            label(x + size / 2, 50, str(t), at="middle", colour=MUTED),
            character(x, top, size, text[t], edge=COLOURS["input"]),
            arrow(x + size / 2, top + size + 8, bottom - top - size - 16),
            character(x, bottom, size, text[t + 1], edge=COLOURS["target"]),
        ]
    shapes += [
        label(left + len(text) * step - step - 12, 24, "position t", at="end", colour=MUTED),
        label(left, 220, "targets y", font_weight="600"),
        label(left, 242, "y at t is the character that follows x at t", colour=MUTED),
    ]
    return Diagram(
        "windows",
        "A window of eight characters and its eight targets",
        "Two rows of eight boxes. The upper row, the inputs, spells First, a space, C, i. The "
        "lower row, the targets, holds the same text one character later: irst, a space, C, i, t. "
        "An arrow leads from each input down to its target.",
        258,
        shapes,
        width=width,
    )
