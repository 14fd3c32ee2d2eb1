"""The text and its count tables, drawn."""

import pytest
import torch
from artists import (
    bars,
    curves,
    drawn,
    error_bars,
    image,
    is_role,
    legend,
    levels,
    lines,
    looks,
    names,
    panel,
    ticks,
    uprights,
    written,
)

from bardgpt.records.band import Band
from bardgpt.teaching import figures


def marks(axis):
    """The names at an axis with two rows of them, in the order of their places."""
    near = zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True)
    far = zip(axis.get_ticklocs(minor=True), axis.get_ticklabels(minor=True), strict=True)
    return [label.get_text() for _, label in sorted([*near, *far], key=lambda pair: pair[0])]


def test_frequencies_are_shares_with_the_commonest_first():
    axes = panel(figures.frequencies(torch.tensor([1, 5, 2]), "a \n"))
    assert bars(axes) == [(None, [0, 1, 2], [0.625, 0.25, 0.125])]
    assert marks(axes.xaxis) == ["␣", "↵", "a"]
    assert all(is_role(bar.get_facecolor()[:3], "train") for bar in axes.patches)
    assert axes.get_yscale() == "log"
    assert axes.get_xlim() == (-1, 3)
    assert names(axes) == ("character (␣ space, ↵ line break)", "share of the training text")


def test_bigram_table_has_a_row_for_the_current_character_and_a_column_for_the_next():
    table = torch.tensor([[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.0625, 0.1875, 0.75]])
    figure = drawn(figures.bigram_table(table, "ab\n", {"\na": "then a name", "ab": "so"}))
    axes, bar = figure.axes
    assert image(axes) == [[0.5, 0.25, 0.25], [0.125, 0.75, 0.125], [0.0625, 0.1875, 0.75]]
    assert (axes.images[0].norm.vmin, axes.images[0].norm.vmax) == (1e-4, 1)
    assert type(axes.images[0].norm).__name__ == "LogNorm"
    assert axes.images[0].origin == "upper"
    assert marks(axes.xaxis) == marks(axes.yaxis) == ["a", "b", "↵"]
    assert written(axes) == [("then a name", [0, 2]), ("so", [1, 0])]  # column, row
    assert names(axes) == ("next character (␣ space, ↵ line break)", "current character")
    assert bar.get_xlabel() == "probability"


def test_count_ladder_has_both_texts_and_the_numbers_of_the_one():
    axes = panel(figures.count_ladder([3.0, 2.0, 1.5], [3.25, 2.5, 2.75], 4.125))
    assert curves(axes) == [
        ("validation text", [0, 1, 2], [3.25, 2.5, 2.75]),
        ("training text", [0, 1, 2], [3.0, 2.0, 1.5]),
    ]
    assert is_role(lines(axes)[0][3], "validation")
    assert is_role(lines(axes)[1][3], "train")
    assert [look[:2] for look in looks(axes)] == [("-", "o"), ("--", "s")]
    assert written(axes) == [("3.250", [0, 3.25]), ("2.500", [1, 2.5]), ("2.750", [2, 2.75])]
    assert levels(axes) == [("uniform guess", 4.125)]
    assert axes.get_ylim() == (0.8, 4.4)
    assert axes.get_yscale() == "linear"
    assert ticks(axes.xaxis)[0] == [0, 1, 2]
    assert names(axes) == ("characters of context", "loss (nats per character)")
    assert legend(axes) == ["uniform guess", "validation text", "training text"]


def test_descent_counts_steps_from_one_on_logarithmic_axes():
    gaps = {"slow": torch.tensor([1.0, 0.5, 0.25]), "fast": torch.tensor([1.0, 0.125])}
    axes = panel(figures.descent(gaps))
    assert curves(axes) == [("slow", [1, 2, 3], [1.0, 0.5, 0.25]), ("fast", [1, 2], [1.0, 0.125])]
    assert [style for style, _, _ in looks(axes)] == ["-", "--"]
    assert all(is_role(line[3], "train") for line in lines(axes))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert names(axes) == ("gradient steps", "nats above the floor")
    assert legend(axes) == ["slow", "fast"]


def test_known_words_are_bars_of_tables_and_then_of_the_model():
    tables = [Band(0.25, 0.125, 4), Band(0.5, 0.0625, 4)]
    axes = panel(figures.known_words(tables, Band(0.75, 0.25, 4), 0.9375))
    assert bars(axes) == [(None, [0, 1], [0.25, 0.5]), (None, [2], [0.75])]
    assert [spans for *_, spans in error_bars(axes)] == [
        [(0.125, 0.375), (0.4375, 0.5625)],
        [(0.5, 1.0)],
    ]
    colours = [bar.get_facecolor()[:3] for bar in axes.patches]
    roles = ("count", "count", "model")
    assert all(is_role(colour, role) for colour, role in zip(colours, roles, strict=True))
    assert levels(axes) == [("real text (validation)", 0.9375)]
    assert ticks(axes.xaxis) == ([0, 1, 2], ["0", "1", "bigram\nmodel"])
    assert axes.get_ylim() == (0, 1.15)
    assert axes.get_yscale() == "linear"
    assert names(axes) == ("characters of context in the count table", "share of known words")
    assert legend(axes) == ["real text (validation)"]


def test_plays_are_bars_cut_where_the_validation_text_begins():
    """The second play lies across the cut; the first is all training text, the last none."""
    axes = panel(figures.plays({"one": 0, "two": 100_000, "three": 400_000}, 450_000, 300_000))
    spans = [
        (bar.get_y() + bar.get_height() / 2, bar.get_x(), bar.get_width(), bar.get_facecolor())
        for bar in axes.patches
        if bar.get_width()
    ]
    assert [span[:3] for span in spans] == [
        (pytest.approx(0), 0, 100_000),
        (pytest.approx(1), 100_000, 200_000),
        (pytest.approx(1), 300_000, 100_000),
        (pytest.approx(2), 400_000, 50_000),
    ]
    roles = ("train", "train", "validation", "validation")
    assert all(is_role(span[3], role) for span, role in zip(spans, roles, strict=True))
    assert uprights(axes) == [300_000]
    assert ticks(axes.yaxis) == ([0, 1, 2], ["one", "two", "three"])
    low, high = axes.get_ylim()
    assert low > high
    assert ticks(axes.xaxis) == ([0, 200_000, 400_000], ["0", "200", "400"])
    assert axes.get_xlabel() == "thousands of characters from the start"
    assert legend(axes) == ["training text", "validation text"]
    colours = [handle[0].get_facecolor() for handle in axes.get_legend_handles_labels()[0]]
    assert is_role(colours[0], "train")
    assert is_role(colours[1], "validation")


def test_losses_by_kind_are_lines_over_characters_of_context():
    losses = {"first": [3.0, 2.0, 2.5], "all": [2.75, 1.5], "other": [2.25, 1.0, 1.25]}
    axes = panel(figures.losses_by_kind(losses))
    assert curves(axes) == [
        ("first", [0, 1, 2], [3.0, 2.0, 2.5]),
        ("all", [0, 1], [2.75, 1.5]),
        ("other", [0, 1, 2], [2.25, 1.0, 1.25]),
    ]
    assert [look[:2] for look in looks(axes)] == [("-", "s"), ("--", "o"), ("-", "^")]
    roles = ("target", "count", "model")
    assert all(is_role(c, role) for (*_, c), role in zip(lines(axes), roles, strict=True))
    assert axes.get_ylim()[0] == 0
    assert ticks(axes.xaxis)[0] == [0, 1, 2]
    assert axes.get_yscale() == "linear"
    assert names(axes) == ("characters of context in the count table", "loss (nats per character)")
    assert legend(axes) == ["first", "all", "other"]
