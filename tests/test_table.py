"""Tables: text for a terminal, HTML for the page."""

import xml.etree.ElementTree as ET

import pytest

from bardgpt.teaching.table import Cell, table

ROWS = {"one head": ["2.39", Cell("2.41", "best")], "a < b & c": ["12.5", Cell("4.2", "stuck")]}


def test_text_stands_in_columns_with_signs():
    assert repr(table("rung", ["loss", "with <mask>"], ROWS)) == (
        "rung       loss  with <mask>\none head   2.39       2.41 ●\na < b & c  12.5        4.2 ✗"
    )


def test_html_has_scopes_marks_and_a_line_for_each_row():
    shown = table("rung", ["loss", "with <mask>"], ROWS)._repr_html_()
    root = ET.fromstring(shown)
    assert [(th.get("scope"), th.text) for th in root.iter("th")] == [
        ("col", "rung"),
        ("col", "loss"),
        ("col", "with <mask>"),
        ("row", "one head"),
        ("row", "a < b & c"),
    ]
    cells = [(td.get("class"), "".join(td.itertext())) for td in root.iter("td")]
    assert cells == [
        (None, "2.39"),
        ("bard-best", "2.41 ●"),
        (None, "12.5"),
        ("bard-stuck", "4.2 ✗"),
    ]
    assert [span.get("title") for span in root.iter("span")] == ["best", "stuck"]
    lines = shown.splitlines()
    assert sum("<td" in line for line in lines) == sum('scope="row"' in line for line in lines) == 2
    assert root.get("tabindex") == "0"  # it may scroll, so the keyboard must reach it


def test_row_needs_a_cell_for_each_column():
    with pytest.raises(ValueError, match="row 'short' has 1 cells for 2 columns"):
        table("", ["a", "b"], {"short": ["1"]})


def test_heat_colours_the_ground_by_its_share_and_no_further():
    cells = [Cell("2.20", heat=0), Cell("2.9", heat=0.5), Cell("99", "stuck", heat=7)]
    made = table("", ["a", "b", "c"], {"rates": cells})
    root = ET.fromstring(made._repr_html_())
    assert [(td.get("class"), td.get("style")) for td in root.iter("td")] == [
        ("bard-heat", "background: rgb(179 32 44 / 0%)"),
        ("bard-heat", "background: rgb(179 32 44 / 18%)"),
        ("bard-stuck bard-heat", "background: rgb(179 32 44 / 35%)"),
    ]
    assert repr(made).splitlines()[1].split() == ["rates", "2.20", "2.9", "99", "✗"]
