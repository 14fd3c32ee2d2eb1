"""Blocks as drawings: what stands on the stream, what beside it, in which order, which way."""

import re
import xml.etree.ElementTree as ET

import pytest

from bardgpt.teaching import diagrams
from bardgpt.teaching.diagrams.block import Column, look, named
from bardgpt.teaching.diagrams.shapes import Diagram
from bardgpt.teaching.palette import COLOURS

SVG = "{http://www.w3.org/2000/svg}"


def roots(name):
    """The drawings of a diagram, with each colour as its light value."""
    diagram = diagrams.diagram(name)
    return [light(part) for part in getattr(diagram, "parts", [diagram])]


def light(drawing):
    return ET.fromstring(re.sub(r"var\(--bard-[\w-]+, (#\w{6})\)", r"\1", drawing.svg()))


def texts(root, *wanted):
    """The texts from top to bottom, or some of them: what, and the middle or start of each."""
    every = [(t.text, float(t.get("x")), float(t.get("y"))) for t in root.iter(f"{SVG}text")]
    chosen = [text for text in every if not wanted or text[0] in wanted]
    return [(text, x) for text, x, _ in sorted(chosen, key=lambda text: (text[2], text[1]))]


def heights(root, word):
    return sorted(float(t.get("y")) for t in root.iter(f"{SVG}text") if t.text == word)


def signs(root):
    """The plus signs: their places, from top to bottom."""
    return sorted((float(c.get("cx")), float(c.get("cy"))) for c in root.iter(f"{SVG}circle"))


def ways(root, colour):
    """The lines of a colour that end in a tip, as corners from start to tip."""
    lines = []
    for path in root.iter(f"{SVG}path"):
        line, *tip = path.get("d").removeprefix("M").split("M")
        if (
            tip
            and "H" not in line
            and f"stroke: {colour}" in path.get("style")
            and "fill: none" in path.get("style")
        ):
            lines.append([tuple(map(float, corner.split())) for corner in line.split("L")])
    return lines


STREAM, BRANCH = 76, 204


def test_post_norm_has_its_norms_on_the_stream_below_the_additions():
    post, _ = roots("pre-and-post-norm")
    parts = ("attention", "norm", "feed-forward")
    assert texts(post, *parts) == [
        ("attention", BRANCH), ("norm", STREAM), ("feed-forward", BRANCH), ("norm", STREAM),
    ]  # fmt: skip
    for (x, y), norm in zip(signs(post), heights(post, "norm"), strict=True):
        assert x == STREAM
        assert norm > y
    assert "norm(x + f(x))" in dict(texts(post))


def test_pre_norm_has_its_norms_in_the_branches_and_one_after_the_blocks():
    _, pre = roots("pre-and-post-norm")
    assert texts(pre, "attention", "norm", "feed-forward", "the final norm") == [
        ("norm", BRANCH),
        ("attention", BRANCH),
        ("norm", BRANCH),
        ("feed-forward", BRANCH),
        ("norm", STREAM),
        ("the final norm", STREAM + 40),
    ]
    assert [x for x, _ in signs(pre)] == [STREAM, STREAM]
    assert signs(pre)[1][1] < heights(pre, "norm")[2]
    assert "x + f(norm(x))" in dict(texts(pre))


def test_forward_forks_above_a_part_and_adds_below_it():
    forward, _ = roots("residual-stream")
    assert texts(forward)[0] == ("forward: numbers", 20)
    assert [text for text, _ in texts(forward, "attention", "feed-forward")] == [
        "attention", "feed-forward",
    ] * 2  # fmt: skip
    middles = sorted(heights(forward, "attention") + heights(forward, "feed-forward"))
    added = [y for _, y in signs(forward)]
    assert len(added) == len(heights(forward, "added")) == 4
    for middle, sign, below in zip(middles, added, [*middles[1:], 1e9], strict=True):
        assert middle < sign < below
    (stream,) = ways(forward, COLOURS["stream"])
    assert stream[0][1] < stream[1][1]  # down
    fork, back, *_ = ways(forward, COLOURS["attention"])
    assert fork[0] == (STREAM, fork[1][1])
    assert fork[-1][0] == BRANCH
    assert back[0][0] == BRANCH
    assert back[-1] == (STREAM + 11, added[0])  # the tip touches the sign


def test_backward_adds_where_forward_forked_and_turns_every_arrow():
    forward, backward = roots("residual-stream")
    assert texts(backward)[0] == ("backward: gradients", 20)
    middles = sorted(heights(backward, "attention") + heights(backward, "feed-forward"))
    added = [y for _, y in signs(backward)]
    for above, sign, middle in zip([0, *middles[:-1]], added, middles, strict=True):
        assert above < sign < middle
    assert len(heights(backward, "copied")) == 4
    (stream,) = ways(backward, COLOURS["gradient"])
    assert stream[0][1] > stream[1][1]  # up
    for role in ("attention", "feed-forward"):
        there, back = ways(forward, COLOURS[role]), ways(backward, COLOURS[role])
        assert len(there) == len(back) == 4
        for one, other in zip(there, back, strict=True):
            turned = other[::-1]
            assert [x for x, _ in one[1:-1]] == [x for x, _ in turned[1:-1]]
            assert (other[0][1] > other[-1][1]) == (one[0][1] < one[-1][1])


def test_dropout_stands_after_the_softmax_and_before_each_addition():
    (root,) = roots("dropout-places")
    boxes = [text for text, x in texts(root) if x == 142]
    assert boxes == [
        "norm", "scores, softmax", "dropout", "mix the values", "proj", "dropout",
        "norm", "hidden, ReLU", "proj", "dropout",
    ]  # fmt: skip
    dashed = [r for r in root.iter(f"{SVG}rect") if r.get("stroke-dasharray")]
    assert len(dashed) == 3 + 1  # and the frame of the block
    filled = [r for r in dashed if COLOURS["dropout"] in r.get("style")]
    assert len(filled) == 3
    last = heights(root, "dropout")
    assert all(y > above for (_, y), above in zip(signs(root), last[1:], strict=True))
    assert heights(root, "sets weights to 0:")[0] == pytest.approx(last[0], abs=10)
    assert len(heights(root, "just before the addition")) == 2


def test_whole_model_stands_in_the_order_of_its_forward_pass():
    (root,) = roots("whole-model")
    named_parts = (
        "token embedding", "position embedding", "norm", "attention", "dropout on A", "dropout",
        "feed-forward", "final norm", "output layer", "softmax",
    )  # fmt: skip
    assert texts(root, *named_parts) == [
        ("token embedding", 96),
        ("position embedding", 266),
        ("norm", 266),
        ("attention", 266),
        ("dropout on A", 266),
        ("dropout", 266),
        ("norm", 266),
        ("feed-forward", 266),
        ("dropout", 266),
        ("final norm", 96),
        ("output layer", 96),
        ("softmax", 96),
    ]
    assert [x for x, _ in signs(root)] == [96] * 3  # positions, attention, feed-forward


@pytest.mark.parametrize(
    ("rung", "x", "additions"),
    [("plain-blocks", 96, 0), ("residual", 266, 2), ("post-norm", 266, 2), ("pre-norm", 266, 2)],
)
def test_rung_stands_its_parts_where_its_wiring_does(rung, x, additions):
    (root,) = roots(f"rung-{rung}")
    assert texts(root, "attention", "feed-forward") == [("attention", x), ("feed-forward", x)]
    assert len(signs(root)) == 1 + additions  # one for the positions
    norms = {"post-norm": [("norm", 96)] * 2, "pre-norm": [("norm", 266)] * 2}
    assert texts(root, "norm") == norms.get(rung, [])


@pytest.mark.parametrize(
    ("wiring", "order"),
    [("plain", "ab"), ("residual", "ab+"), ("post-norm", "ab+n"), ("pre-norm", "nab+")],
)
def test_a_column_places_pieces_as_the_wiring_says(wiring, order):
    """From top to bottom: pieces a and b, the norm n, the addition."""
    column = Column(0, 50, 200, colour=None if wiring == "plain" else COLOURS["stream"])
    pieces = [named(name, look("attention"), 80) for name in "ab"]
    column.part(wiring, pieces, named("n", look("norm"), 80))
    root = light(Diagram("x", "x", "x", column.y, column.shapes))
    marks = [(float(t.get("y")), t.text) for t in root.iter(f"{SVG}text")]
    marks += [(y, "+") for _, y in signs(root)]
    assert "".join(mark for _, mark in sorted(marks)) == order
    assert all(0 < y < column.y for y, _ in marks)


def test_what_is_new_on_a_rung_is_in_colour_and_all_else_is_grey():
    (root,) = roots("rung-post-norm")
    fills = re.findall(r"fill: (#\w{6}); fill-opacity: 0\.", ET.tostring(root).decode())
    assert fills == [COLOURS["norm"]] * 2
    assert COLOURS["attention"] not in ET.tostring(root).decode()


def test_one_head_weighs_by_softmax_of_its_scores():
    """Scores 1, 2, -1, 0: e, e², 1/e, 1 over their sum, 11.4752; the future has none."""
    for root in roots("one-head"):
        shown = [text for text, _ in texts(root)]
        weights = [text for text in shown if re.fullmatch(r"0\.\d\d", text)]
        assert weights == ["0.24", "0.64", "0.03", "0.09", "0.00"]
        strengths = [
            float(m)
            for m in re.findall(
                rf"fill: {COLOURS['value']}; fill-opacity: ([\d.]+)", ET.tostring(root).decode()
            )
        ]
        assert strengths == pytest.approx([0.2369, 0.6439, 0.0321, 0.0871, 0], abs=1e-4)


def test_windows_have_each_target_one_character_later():
    for root in roots("windows"):
        marks = [
            (float(t.get("y")), t.text) for t in root.iter(f"{SVG}text") if t.get("font-family")
        ]
        rows = sorted({y for y, _ in marks})
        inputs, targets = ("".join(text for y, text in marks if y == row) for row in rows)
        assert (inputs, targets) == ("First␣Ci", "irst␣Cit")


def test_four_heads_divide_the_channels_of_one():
    one, four = roots("heads")
    assert [text for text, _ in texts(one) if "A v" in text] == ["A v: 32"]
    assert [text for text, _ in texts(four) if " v: " in text] == [f"A{n} v: 8" for n in "₁₂₃₄"]
    widths = [float(r.get("width")) for r in four.iter(f"{SVG}rect")]
    # A head's output is (312 - 3 · 12) / 4 wide; above it q and k, and v, share that but for a gap.
    assert widths[2:] == 4 * [40, 26, 40, 69]
    assert 40 + 3 + 26 == 69
    colours = re.findall(r"fill: (#\w{6}); fill-op", ET.tostring(four).decode())
    assert colours == [COLOURS[f"head {i}"] for i in range(4) for _ in ("q, k", "v", "A v")]


# Drawings that are no blocks.


def fills(root, word):
    """For each text of this word from top to bottom, the fillings of the boxes around it."""
    rects = [
        (*(float(r.get(side)) for side in ("x", "y", "width", "height")), r.get("style"))
        for r in root.iter(f"{SVG}rect")
        if r.get("x")
    ]
    return [
        [
            fill[1]
            for left, top, width, height, style in rects
            if left < x < left + width
            and top < y - 4 < top + height
            and (fill := COLOUR.search(style))
            and fill[1] != COLOURS["paper"]
        ]
        for y, x in sorted((float(t.get("y")), float(t.get("x"))) for t in named_texts(root, word))
    ]


COLOUR = re.compile(r"fill: (#\w{6})")


def named_texts(root, word):
    return [t for t in root.iter(f"{SVG}text") if t.text == word]


def straight(root, colour):
    """The lines of a colour without tips: where from, where to."""
    paths = [p for p in root.iter(f"{SVG}path") if f"stroke: {colour}" in p.get("style")]
    pattern = re.compile(r"M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)")
    return [
        tuple(map(float, match.groups()))
        for path in paths
        if (match := pattern.fullmatch(path.get("d")))
    ]


def test_attention_looks_back_and_feed_forward_straight_down():
    """Four places: six lines from earlier ones, four from a place to itself."""
    for root in roots("feed-forward"):
        lines = straight(root, COLOURS["attention"])
        assert sum(x == to for x, _, to, _ in lines) == 4
        assert sum(x < to for x, _, to, _ in lines) == 6
        assert len(lines) == 10
        assert len(named_texts(root, "Linear")) == 4
        assert {*map(tuple, fills(root, "Linear"))} == {(COLOURS["feed-forward"],)}


def test_batch_norm_has_a_column_and_layer_norm_a_row():
    for root in roots("rows-and-columns"):
        marked = {"batch norm": [], "norm": []}
        for rect in root.iter(f"{SVG}rect"):
            for role, cells in marked.items():
                if f"fill: {COLOURS[role]}; fill-opacity: 0.3" in rect.get("style"):
                    cells.append((float(rect.get("x")), float(rect.get("y"))))
        *column, batch_key = marked["batch norm"]
        *row, layer_key = marked["norm"]
        assert (len(column), len({x for x, _ in column})) == (8, 1)
        assert (len(row), len({y for _, y in row})) == (6, 1)
        said = {t.text.partition(":")[0]: float(t.get("y")) for t in root.iter(f"{SVG}text")}
        assert said["batch norm"] - 15 == batch_key[1]
        assert said["layer norm"] - 15 == layer_key[1]
    left, right = (dict(texts(root)) for root in roots("rows-and-columns"))
    assert {"batch norm: one feature, all examples", "layer norm: one example, all features"} <= {
        *left
    }
    assert {"batch norm: all positions, all texts", "layer norm: one position of one text"} <= {
        *right
    }


def test_one_product_keeps_queries_keys_and_values_in_their_colours():
    for root in roots("one-product"):
        for letter, role in (("q", "query"), ("k", "key"), ("v", "value")):
            for number in "₁₂₃":  # as nine matrices, and stacked
                assert fills(root, f"{letter}{number}") == [[COLOURS[role]]] * 2
            assert fills(root, f"{letter}: (B, T, C)") == [[COLOURS[role]]]


def test_cache_keeps_all_but_the_new_and_then_the_last_half():
    for root in roots("cache"):
        for letter, role in (("k", "key"), ("v", "value")):
            kept = [fills(root, f"{letter}{number}") for number in "₀₁₂₃₄₅"]
            assert kept == [[[COLOURS[role]]]] * 5 + [[[]]]
        # The full window, "to be or": its first four are crossed out, its last four stay.
        window = sorted(
            (float(r.get("x")), COLOURS["key"] in r.get("style") and "0.3" in r.get("style"))
            for r in root.iter(f"{SVG}rect")
            if r.get("y") == "468"
        )
        assert [stays for _, stays in window] == [False] * 4 + [True] * 4
        crossed = [x for x, y, _, to_y in straight(root, COLOURS["muted"]) if y > to_y > 460]
        assert crossed == [x for x, _ in window[:4]]
