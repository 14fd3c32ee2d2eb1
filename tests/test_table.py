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
    root = ET.fromstring(made._repr_html_())
    assert [(td.get("class"), td.get("style")) for td in root.iter("td")] == [
        ("bard-heat", "background: rgb(179 32 44 / 0%)"),
        ("bard-heat", "background: rgb(179 32 44 / 18%)"),
        ("bard-stuck bard-heat", "background: rgb(179 32 44 / 35%)"),
    ]
    assert repr(made).splitlines()[1].split() == ["rates", "2.20", "2.9", "99", "✗"]
