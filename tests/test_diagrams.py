"""Diagrams: what every one keeps to, and that those of the model say what is true of it."""

import re
import xml.etree.ElementTree as ET

import pytest
import torch

from bardgpt.config import TrainingConfig
from bardgpt.gpt import GPT
from bardgpt.lab import ladder
from bardgpt.presets import PRESETS
from bardgpt.teaching import diagrams
from bardgpt.teaching.diagrams.shapes import Diagram, Panels, label, named_box

SVG = "{http://www.w3.org/2000/svg}"


def drawings(name):
    """The drawings of a diagram, each with its root element: side by side, or wide and narrow."""
    diagram = diagrams.diagram(name)
    return [(part, ET.fromstring(part.svg())) for part in getattr(diagram, "parts", [diagram])]


@pytest.mark.parametrize("name", diagrams.DIAGRAMS)
def test_diagram_is_accessible_and_the_same_each_time(name):
    diagram = diagrams.diagram(name)
    shown = list(ET.fromstring(diagram._repr_html_()).iter(f"{SVG}svg"))
    assert sum(root.find(f"{SVG}style") is not None for root in shown) == 1
    assert len(shown) == len(drawings(name))
    for root in shown:
        assert root.get("role") == "img"
        title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
        assert root.get("aria-labelledby") == title.get("id")
        assert root.get("aria-describedby") == description.get("id")
        assert root[-1].get("aria-hidden") == "true"
        assert not [text for child in root[:-1] for text in child.iter(f"{SVG}text")]
        assert len(description.text) > 60
    assert diagrams.diagram(name).svg() == diagram.svg()
    assert not hasattr(diagram, "_repr_svg_")  # svg outputs are not for notebooks


@pytest.mark.parametrize("name", diagrams.DIAGRAMS)
def test_diagram_stays_inside_its_view_box(name):
    for diagram, root in drawings(name):
        for box in root.iter(f"{SVG}rect"):
            x, y = float(box.get("x", 0)), float(box.get("y", 0))
            assert x >= 0
            assert x + float(box.get("width")) <= diagram.width
            assert y + float(box.get("height")) <= diagram.height
        for text in root.iter(f"{SVG}text"):
            x, width = float(text.get("x")), 8 * len(text.text)  # 8: no wider than this at size 15
            left = {"start": x, "middle": x - width / 2, "end": x - width}[text.get("text-anchor")]
            assert left >= 0, text.text
            assert left + width <= diagram.width, text.text
            assert 0 < float(text.get("y")) < diagram.height


def test_no_id_is_there_twice():
    ids = [
        element.get("id")
        for name in diagrams.DIAGRAMS
        for _, root in drawings(name)
        for element in root.iter()
        if element.get("id")
    ]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", sorted(diagrams.DIAGRAMS))
def test_diagram_can_be_read_on_a_phone(name):
    """In a column of 328 pixels no text is below 11; what is wide is not shown there."""
    for diagram, root in drawings(name):
        if name + "-wide" in diagram.name:
            continue
        scale = min(1, 328 / diagram.width)
        sizes = [float(text.get("font-size", 15)) for text in root.iter(f"{SVG}text")]
        assert min(sizes) * scale >= 11


def words(name):
    return [text.text for _, root in drawings(name) for text in root.iter(f"{SVG}text")]


def test_whole_model_counts_its_parts():
    """Embeddings, output layer and final norm once, what is in a block as often as there are."""
    model = GPT(PRESETS["full"].model)
    shown = words("whole-model")
    assert f"{model.n_parameters():,} parameters" in shown
    block = sum(p.numel() for p in model.blocks[0].parameters())
    assert f"6 blocks of {block:,}" in shown
    counts = [int(text.replace(",", "")) for text in shown if re.fullmatch(r"[\d,]+", text)]
    once = sum(counts) - block
    assert once + 6 * block == model.n_parameters()


def test_whole_model_draws_no_random_numbers():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    diagrams.diagram("whole-model")
    diagrams.diagram("rung-pre-norm")
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize(
    ("rung", "new"),
    {
        "one-head": 2,
        "four-heads": 1,
        "feed-forward": 1,
        "plain-blocks": 3,
        "residual": 2,
        "post-norm": 2,
        "pre-norm": 3,
    }.items(),
)
def test_rung_marks_what_it_adds(rung, new):
    """The block that now repeats says so in its own line."""
    shown = words(f"rung-{rung}")
    assert shown.count("new") == new
    assert ("new: 3 blocks" in shown) == (rung == "plain-blocks")
    size = GPT(ladder.RUNGS[rung].config).n_parameters()
    assert any(text.startswith(f"{size:,} parameters, ") for text in shown)


@pytest.mark.parametrize(
    ("rung", "size"),
    {
        "bigram": "4,225 parameters",
        "one-head": "7,553 parameters, 3,328 more",
        "four-heads": "7,553 parameters, as many as before",
        "feed-forward": "8,609 parameters, 1,056 more",
        "plain-blocks": "41,921 parameters, 33,312 more",
        "residual": "41,921 parameters, as many as before",
        "post-norm": "42,305 parameters, 384 more",
        "pre-norm": "42,369 parameters, 64 more",
    }.items(),
)
def test_rung_says_how_many_parameters_it_adds(rung, size):
    assert size in words(f"rung-{rung}")


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("rung-feed-forward", "32 → 32, ReLU"),
        ("rung-residual", "32 → 128, ReLU"),
        ("rung-residual", "proj: 128 → 32"),
        ("rung-one-head", "1 head of 32"),
        ("rung-four-heads", "4 heads of 8"),
        ("whole-model", "384 → 1536, ReLU"),
    ],
)
def test_drawing_has_the_widths_of_its_config(name, row):
    assert row in words(name)


@pytest.mark.parametrize(
    ("name", "told"),
    {
        "rung-bigram": "A path leads from the ids of the characters through the token embedding to",
        "rung-plain-blocks": "In it the path runs straight through attention with 4 heads of 8 and",
        "rung-residual": "fork off, and to which each is added back. Below",
        "rung-post-norm": "are added, with a norm after each addition. Below",
        "rung-pre-norm": "are added, with a norm before each of them. Below the frame follow a fin",
        "whole-model": "are added, with a norm before each of them. Below the frame follow a fin",
    }.items(),
)
def test_drawing_is_told_in_words(name, told):
    """For those who do not see it, the wiring is in the description."""
    ((_, root),) = drawings(name)
    assert told in root.find(f"{SVG}desc").text


def test_values_go_around_the_weights():
    """A is made of queries and keys; v has an arrow of its own, past A."""
    one, four = drawings("heads")
    for (_, root), heads in ((one, 1), (four, 4)):
        shown = [text.text for text in root.iter(f"{SVG}text")]
        assert shown.count("q, k") == shown.count("v") == heads
        ways = [path.get("d") for path in root.iter(f"{SVG}path")]
        assert sum(re.match(r"M[\d.]+ 166V248M", way) is not None for way in ways) == heads
    assert any("T by T weights" in text for text in words("heads"))


def test_groups_of_the_convolution_do_not_meet():
    """Each group mixes its own values with its own weights, at one place and then the next."""
    shown = words("group-convolution")
    for group in "₁₂":
        assert [f"{name}{group}" in shown for name in "Av"] == [True, True]
        assert f"A{group} v{group}" in shown


def test_words_in_a_drawing_may_have_any_character():
    shapes = [label(0, 10, "a < b & c"), named_box(0, 0, 9, 9, "<d>")]
    drawing = Diagram("x", "e < f", "g & h", 20, shapes)
    words = ET.fromstring(drawing.svg(sheet=False)).itertext()
    assert [text for text in words if text.strip()] == ["e < f", "g & h", "a < b & c", "<d>"]


def test_panels_stand_from_left_to_right():
    drawings = [Diagram(name, name, name, 20, []) for name in ("one", "two")]
    titles = ET.fromstring(Panels("x", "x", drawings).svg()).iter(f"{SVG}title")
    assert [title.text for title in titles] == ["one", "two"]


def test_config_diff_names_what_changed_in_the_order_of_fields():
    assert ladder.config_diff(ladder.ONE_HEAD, ladder.FOUR_HEADS) == ["n_head: 1 → 4"]
    assert ladder.config_diff(ladder.POST_NORM, ladder.PRE_NORM) == [
        "block: post-norm → pre-norm",
        "final_norm: False → True",
    ]
    assert ladder.config_diff(TrainingConfig(steps=1), TrainingConfig(clip=1.0)) == [
        "steps: 1 → 5000",
        "clip: None → 1.0",
    ]
    assert ladder.config_diff(ladder.PRE_NORM, ladder.PRE_NORM) == []
