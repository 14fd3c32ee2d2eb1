"""The fast path: all heads in one product, and keys and values that are kept."""

from bardgpt.teaching.diagrams.shapes import (
    MARGIN,
    MUTED,
    NARROW,
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
MIDDLE = NARROW / 2


def one_product() -> Diagram:
    """The matrices of all heads, stacked into one; its product cut apart into heads again."""
    left, width, gap = 18, 44, 3
    group, shapes = HEADS * width, []
    shapes += [
        label(MARGIN, 28, "three heads: nine matrices", font_weight="600"),
        label(MARGIN, 48, "each makes hs channels out of C", colour=MUTED),
        label(MARGIN, 138, "stacked: qkv, one matrix, 3C x C", font_weight="600"),
        label(MIDDLE + 14, 214, "times x, once"),
        arrow(MIDDLE, 196, 28),
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
        for head in reversed(range(HEADS)):
            x, y = start + 12 + 12 * head, 324 + 12 * (HEADS - 1 - head)
            shapes += [
                box(x, y, 84, 48, edge=PAPER, fill=PAPER),
                box(x, y, 84, 48, edge=colour, fill=colour, strength=0.2),
            ]
        front = start + 12 + 42, 324 + 12 * (HEADS - 1) + 30
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
        arrow(MIDDLE, 474, 24),
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
        width=NARROW,
    )


def cache() -> Diagram:
    """What a new character costs with a cache, and what happens when the window is full."""
    text, size, step, left = "ROMEO:", 38, 54, 96
    rows = {"text": 48, "query": 108, "keys": 188, "values": 240, "output": 320}
    query, key, value, output = (COLOURS[role] for role in ("query", "key", "value", "output"))
    last = left + (len(text) - 1) * step
    shapes = [label(MARGIN, 30, "one new character", font_weight="600")]
    for name, row in rows.items():
        shapes.append(label(MARGIN, row + 24, name))
    for i, letter in enumerate(text):
        x, new = left + i * step, i == len(text) - 1
        look = {"dash": "5 4"} if new else {"strength": 0.3}
        shapes += [
            line(last + size / 2, rows["query"] + size, x + size / 2, rows["keys"] - 3),
            line(x + size / 2, rows["values"] + size + 3, last + size / 2, rows["output"] - 3),
            character(x, rows["text"], size, letter, edge=COLOURS["input"]),
            box(x, rows["keys"], size, size, edge=key, **(look if new else look | {"fill": key})),
            label(x + size / 2, rows["keys"] + 24, f"k{'₀₁₂₃₄₅'[i]}", at="middle"),
            box(
                x,
                rows["values"],
                size,
                size,
                edge=value,
                **(look if new else look | {"fill": value}),
            ),
            label(x + size / 2, rows["values"] + 24, f"v{'₀₁₂₃₄₅'[i]}", at="middle"),
        ]
    shapes += [
        box(last, rows["query"], size, size, edge=query, dash="5 4"),
        label(last + size / 2, rows["query"] + 24, "q₅", at="middle"),
        box(last, rows["output"], size, size, edge=output, dash="5 4"),
        label(last + size / 2, rows["output"] + 24, "y₅", at="middle"),
        label(MARGIN, 386, "filled: kept from before", colour=MUTED),
        label(MARGIN, 406, "dashed: computed now", colour=MUTED),
    ]
    before, after, top, pitch, keep = "to be or", "e or ", 468, 48, 4
    again = top + 112
    shapes += [
        label(MARGIN, top - 20, "the window is full (block_size 8)", font_weight="600"),
        label(MARGIN, top + 66, "forgotten", colour=MUTED),
    ]
    for i, letter in enumerate(before):
        x, kept = MARGIN + i * pitch, i >= keep
        look = {"fill": key, "strength": 0.3} if kept else {}
        shapes += [
            box(x, top, size, size, edge=key if kept else MUTED, **look),
            label(
                x + size / 2, top + 25, letter.replace(" ", "␣"), at="middle",
                font_family="monospace", font_size="18",
            ),
        ]  # fmt: skip
        if not kept:
            shapes.append(line(x, top + size, x + size, top))
        else:
            to = MARGIN + (i - keep) * pitch + size / 2
            shapes.append(line(x + size / 2, top + size + 4, to, again - 4))
    for i in range(len(before)):
        x = MARGIN + i * pitch
        shapes.append(label(x + size / 2, again + 56, str(i), at="middle", colour=MUTED))
        if i < len(after):
            shapes += [
                box(x, again, size, size, edge=key, dash="5 4"),
                label(
                    x + size / 2, again + 25, after[i].replace(" ", "␣"), at="middle",
                    font_family="monospace", font_size="18",
                ),
            ]  # fmt: skip
        else:
            shapes.append(box(x, again, size, size))
    shapes += [
        label(MARGIN, again + 82, "computed again, in one pass, with the new one", colour=MUTED),
        label(MARGIN, again + 102, "at new positions; then there is room for more", colour=MUTED),
    ]
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
        again + 122,
        shapes,
        width=NARROW,
    )
