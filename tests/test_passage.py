"""The passage that carries its losses: readable in both themes, by eye and by screen reader."""

import math
import re
from html.parser import HTMLParser

import pytest

from bardgpt.teaching import figures
from bardgpt.teaching.figures.passage import HUE, LEVELS
from bardgpt.teaching.palette import COLOURS, HUES

TEXT = "O <b>,\nkind & true"
LOSSES = [0.1 * i for i in range(len(TEXT))]
THEMES = {"light": (COLOURS["ink"], COLOURS["paper"]), "dark": (HUES["ink"][1], HUES["paper"][1])}


class Reader(HTMLParser):
    """Text as a page shows it, and the titles of what is hovered over."""

    def __init__(self):
        super().__init__()
        self.open, self.body, self.titles, self.cells = [], "", [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.open.append((tag, attributes))
        if "title" in attributes:
            self.titles.append(attributes["title"])

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if any("aria-hidden" in attributes for _, attributes in self.open):
            return
        if any("title" in attributes for _, attributes in self.open):
            self.body += data
        if self.open and self.open[-1][0] == "td":
            self.cells.append(data)


@pytest.fixture
def read():
    reader = Reader()
    reader.feed(figures.passage(TEXT, LOSSES)._repr_html_())
    assert reader.open == []  # all closed
    return reader


def test_text_is_text(read):
    assert read.body == TEXT


def test_each_character_has_its_number(read):
    assert len(read.titles) == len(TEXT)
    assert read.titles[3] == f"{LOSSES[3]:.2f} nats, {math.exp(-LOSSES[3]):.0%}"


def test_words_stand_in_a_table_for_those_who_have_no_pointer(read):
    words, numbers = read.cells[::2], [float(cell) for cell in read.cells[1::2]]
    assert words == TEXT.split()
    assert sum(numbers) == pytest.approx(sum(LOSSES), abs=0.05 * len(words))


def test_a_loss_is_drawn_by_the_level_that_it_reaches():
    """ln 2, ln 8 and ln 32 are the edges: 1 in 2, 1 in 8, 1 in 32."""
    losses = [0.0, 0.69, 0.693, 2.07, 2.079, 3.46, 3.466, 9.0]
    html = figures.passage("abcdefgh", losses)._repr_html_()
    bars = re.findall(r'<span title="[^"]*" style="([^"]*)">', html)
    drawn = [int(match[1]) if (match := re.search(r"bottom: (\d)px solid", b)) else 0 for b in bars]
    assert drawn == [0, 0, 2, 2, 4, 4, 7, 7]
    tints = [int(match[1], 16) if (match := re.search(r"und: #\w{6}(..)", b)) else 0 for b in bars]
    assert tints == [0, 0, 20, 20, 46, 46, 76, 76]  # 255 times 0.08, 0.18, 0.3


def test_legend_says_what_each_level_means():
    html = figures.passage("a", [0.0])._repr_html_()
    legend = re.findall(r'<span style="([^"]*)">abc</span> ([^<]*)</span>', html)
    assert [words for _, words in legend] == [
        "1 in 2 or better", "down to 1 in 8", "down to 1 in 32", "less",
    ]  # fmt: skip
    bars = [re.findall(r"border-bottom: (\d)px", style) for style, _ in legend]
    assert bars == [[], ["2"], ["4"], ["7"]]


def test_a_larger_loss_is_never_drawn_smaller():
    for before, after in zip(LEVELS, LEVELS[1:], strict=False):
        assert all(a < b for a, b in zip(before, after, strict=True))


def channels(colour):
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def luminance(rgb):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", THEMES)
def test_ink_has_contrast_on_every_tint(theme):
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    ink, paper = map(channels, THEMES[theme])
    for *_, tint in LEVELS:
        mixed = [tint * h + (1 - tint) * p for h, p in zip(channels(HUE), paper, strict=True)]
        low, high = sorted((luminance(ink), luminance(mixed)))
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_colours_follow_the_theme():
    html = figures.passage(TEXT, LOSSES)._repr_html_()
    assert re.search(r"background: var\(--bard-paper, #\w{6}\); color: var\(--bard-ink,", html)


def test_as_many_losses_as_characters():
    with pytest.raises(ValueError, match="18 characters and 1 losses"):
        figures.passage(TEXT, [0.0])
