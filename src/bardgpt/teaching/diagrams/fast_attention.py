"""The fast path: all heads in one product, and keys and values that are kept."""

from bardgpt.teaching.diagrams.shapes import (
    MARGIN,
    MUTED,
    PAPER,
    Diagram,
    arrow,
    box,
    character,
    label,
    line,
    named_box,
)
from bardgpt.teaching.palette import COLOURS

PARTS = (("q", "query"), ("k", "key"), ("v", "value"))
HEADS = 3
CELL = 38  # the side of a character's box


def one_product(room: float) -> Diagram:
    """The matrices of all heads, stacked into one; its product cut apart into heads again."""
    left, gap, middle = 18, 3, room / 2
    width = (room - 2 * left) / (len(PARTS) * HEADS)
    group, shapes = HEADS * width, []
    shapes += [
        label(MARGIN, 28, "three heads: nine matrices", font_weight="600"),
        label(MARGIN, 48, "each makes hs channels out of C", colour=MUTED),
        label(MARGIN, 138, "stacked: qkv, one matrix, 3C by C", font_weight="600"),
        label(middle + 14, 214, "times x, once"),
        arrow(middle, 196, 28),
        label(MARGIN, 292, "cut in three, seen as heads", font_weight="600"),
        label(MARGIN, 312, "each (B, nh, T, hs)", colour=MUTED),
    ]
    for i, (letter, role) in enumerate(PARTS):
        colour, start = COLOURS[role], left + i * group
        for head in range(HEADS):
            x, name = start + head * width, f"{letter}{'₁₂₃'[head]}"
            shapes += [
                box(x + gap, 62, width - 2 * gap, 34, edge=colour, fill=colour, strength=0.2),
                label(x + width / 2, 84, name, at="middle"),
                arrow(x + width / 2, 100, 18),
                box(x, 152, width, 34, edge=colour, fill=colour, strength=0.2),
                label(x + width / 2, 174, name, at="middle"),
            ]
        shapes += [
            box(start, 230, group, 36, edge=colour, fill=colour, strength=0.2),
            label(start + group / 2, 253, f"{letter}: (B, T, C)", at="middle"),
        ]
        pile = start + (group - 84 - 12 * (HEADS - 1)) / 2
        for head in reversed(range(HEADS)):
            x, y = pile + 12 * head, 324 + 12 * (HEADS - 1 - head)
            shapes += [
                box(x, y, 84, 48, edge=PAPER, fill=PAPER),
                box(x, y, 84, 48, edge=colour, fill=colour, strength=0.2),
            ]
        front = pile + 42, 324 + 12 * (HEADS - 1) + 30
        shapes += [
            label(*front, "(T, hs)", at="middle"),
            arrow(start + group / 2, 402, 24),
        ]
    attention, output = COLOURS["attention"], COLOURS["output"]
    shapes += [
        named_box(
            left, 430, 3 * group, 40, "attention, all heads at once", edge=attention,
            fill=attention, strength=0.15,
        ),
        arrow(middle, 474, 24),
        named_box(
            left, 502, 3 * group, 40, "heads side by side again: (B, T, C)", edge=output,
            fill=output, strength=0.2,
        ),
    ]  # fmt: skip
    return Diagram(
        "one-product",
        "From the matrices of a list of heads to one product",
        "From top to bottom. Nine small boxes in a row, three for queries, three for keys, three "
        "for values, one of each for every head. They are stacked without gaps into one long box, "
        "the matrix qkv. Times x it gives one long box again, in three parts, q, k and v, each "
        "(B, T, C). Each part is then drawn as a pile of three cards, one for each head, of T by "
        "hs. All of them go into one box, attention of all heads at once, and come out side by "
        "side, (B, T, C).",
        562,
        shapes,
        width=room,
    )


def cache(width: float) -> Diagram:
    """What a new character costs with a cache, and what happens when the window is full."""
    below = 448
    return Diagram(
        "cache",
        "Keys and values that are kept, and what happens when the window is full",
        "Upper half: the six characters of ROMEO and a colon, each with a box for its key and one "
        "for its value. Those of the first five are filled: kept from before. Those of the colon "
        "are dashed: computed now, like its query, from which lines lead to all six keys, and like "
        "its output, to which lines lead from all six values. Lower half: a window of eight "
        "characters, to be or, is full. Its first four are crossed out. The last four move to "
        "positions 0 to 3 of a second row, a new space follows at position 4; all five are dashed, "
        "computed again in one pass. Positions 5 to 7 are free for the next characters.",
        below + 254,
        [*_new_character("ROMEO:", width), *_full_window("to be or", "e or ", below, width)],
        width=width,
    )


def _new_character(text: str, width: float) -> list[str]:
    """The keys and values of a text, its last character's query and output."""
    left = 96
    step = (width - MARGIN - CELL - left) // (len(text) - 1)
    rows = {"text": 48, "query": 108, "keys": 188, "values": 240, "output": 320}
    last = left + (len(text) - 1) * step
    shapes = [label(MARGIN, 30, "one new character", font_weight="600")]
    shapes += [label(MARGIN, row + 24, name) for name, row in rows.items()]
    for i, letter in enumerate(text):
        x, new = left + i * step, i == len(text) - 1
        middle, end = x + CELL / 2, last + CELL / 2
        shapes += [
            line(end, rows["query"] + CELL, middle, rows["keys"] - 3),
            line(middle, rows["values"] + CELL + 3, end, rows["output"] - 3),
            character(x, rows["text"], CELL, letter, edge=COLOURS["input"]),
        ]
        for name, colour in (("keys", COLOURS["key"]), ("values", COLOURS["value"])):
            look = {"dash": "5 4"} if new else {"strength": 0.3, "fill": colour}
            shapes += [
                box(x, rows[name], CELL, CELL, edge=colour, **look),
                label(middle, rows[name] + 24, f"{name[0]}{'₀₁₂₃₄₅'[i]}", at="middle"),
            ]
    for name, role in (("query", "q"), ("output", "y")):
        shapes += [
            box(last, rows[name], CELL, CELL, edge=COLOURS[name], dash="5 4"),
            label(last + CELL / 2, rows[name] + 24, f"{role}₅", at="middle"),
        ]
    return [
        *shapes,
        label(MARGIN, 386, "filled: kept from before", colour=MUTED),
        label(MARGIN, 406, "dashed: computed now", colour=MUTED),
    ]


def _full_window(before: str, after: str, heading: float, width: float) -> list[str]:
    """A window whose last half moves to its front, with a new character; the rest is free."""
    top, again = heading + 20, heading + 132
    step = (width - 2 * MARGIN - CELL) // (len(before) - 1)
    forgotten, key = len(before) - len(after) + 1, COLOURS["key"]
    shapes = [
        label(MARGIN, heading, "the window is full (block_size 8)", font_weight="600"),
        label(MARGIN, top + 66, "forgotten", colour=MUTED),
        label(MARGIN, again + 82, "computed again, in one pass, with the new one", colour=MUTED),
        label(MARGIN, again + 102, "at new positions; then there is room for more", colour=MUTED),
    ]
    for i, letter in enumerate(before):
        x = MARGIN + i * step
        shapes.append(label(x + CELL / 2, again + 56, str(i), at="middle", colour=MUTED))
        if i < forgotten:
            shapes += [
                character(x, top, CELL, letter, edge=MUTED),
                line(x, top + CELL, x + CELL, top),
            ]
        else:
            to = x - forgotten * step
            shapes += [
                character(x, top, CELL, letter, edge=key, fill=key, strength=0.3),
                line(x + CELL / 2, top + CELL + 4, to + CELL / 2, again - 4),
            ]
        if i < len(after):
            shapes.append(character(x, again, CELL, after[i], edge=key, dash="5 4"))
        else:
            shapes.append(box(x, again, CELL, CELL))
    return shapes
