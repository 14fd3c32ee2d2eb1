"""The icon fonts keep what is shown, by class or by letter, and nothing else."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import bardgpt_icons
import pytest
from fontTools.ttLib import TTFont

# What the book's theme stands on.
THEME = Path(find_spec("pydata_sphinx_theme").origin).parent / "theme/pydata_sphinx_theme/static"
STYLES = THEME / "styles/pydata-sphinx-theme.css"
BARS, LIGHT_BULB, GITHUB, PLUS, MUSIC = 0xF0C9, 0xF0EB, 0xF09B, ord("+"), 0xF001


@pytest.fixture(scope="module")
def styles():
    return STYLES.read_text(encoding="utf-8")


def test_letters_are_those_of_classes_and_of_style_sheets(styles):
    nothing = bardgpt_icons.letters(styles, [])
    assert LIGHT_BULB in nothing  # the theme's sign beside a hint, a letter in a variable
    assert not {BARS, PLUS, MUSIC} & nothing
    some = bardgpt_icons.letters(styles, ['<i class="fa-solid fa-navicon">', ".fa-plus {}"])
    assert some - nothing == {BARS, PLUS}  # navicon is the older name of bars
    assert bardgpt_icons.letters(styles, ['p::after {content: "\\f001"}']) - nothing == {MUSIC}


def glance(font: Path) -> dict[str, object]:
    """What a font file holds: its compression, its letters, and the measures of one."""
    with TTFont(font) as read:
        letters = read.getBestCmap()
        return {"flavor": read.flavor, "letters": [*letters], "bars": read["hmtx"][letters[BARS]]}


@pytest.mark.parametrize("suffix", ["woff2", "ttf"])
def test_a_cut_font_has_the_icons_that_are_shown(tmp_path, suffix):
    font = Path(shutil.copy(THEME / f"vendor/fontawesome/webfonts/fa-solid-900.{suffix}", tmp_path))
    before, size = glance(font), font.stat().st_size
    bardgpt_icons.cut(font, {BARS, LIGHT_BULB, GITHUB})  # the last is in another font
    after = glance(font)
    assert set(after.pop("letters")) == {BARS, LIGHT_BULB} < set(before.pop("letters"))
    assert after == before
    assert font.stat().st_size < size / 100
