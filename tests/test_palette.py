"""The palette: one hue a role, told apart by every eye, readable in both themes."""

import itertools
import re
from pathlib import Path

import pytest

from bardgpt.teaching.palette import COLOURS, HUES, ROLES, WORDS
from bardgpt.teaching.svg import paint, variables

CSS = Path(__file__).resolve().parents[1] / "book/_static/custom.css"
THEMES = {"light": 0, "dark": 1}
LEAST_DISTANCE = {"light": 12, "dark": 8}  # in OKLab, times 100
# Roles that meet in a picture.
MEETING = (
    ("query", "key", "value", "output", "input"),
    ("head 0", "head 1", "head 2", "head 3"),
    ("train", "validation", "count"),
    ("attention", "feed-forward", "norm", "dropout", "stream"),
    ("attention", "feed-forward", "gradient"),
    ("post-norm", "pre-norm", "no-final-norm"),
    ("plain", "residual", "xavier", "zero"),
    ("default", "xavier", "stream"),
    ("norm", "batch norm"),
    ("float32", "bfloat16"),
    ("model", "target", "count"),
    ("target", "feed-forward", "model"),
    ("input", "target"),
    ("key", "model", "count"),
)
# What a dichromat sees of linear light: Machado, Oliveira and Fernandes (2009), severity 1.
SEEN_BY = {
    "all": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopes": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopes": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopes": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
# Ottosson's OKLab (2020): to cones, and from their cube roots to lightness and two hues.
CONES = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
OPPONENTS = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def linear(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def oklab(light):
    cones = times(CONES, [min(max(channel, 0), 1) for channel in light])
    return times(OPPONENTS, [cone ** (1 / 3) for cone in cones])


def distance(one, other):
    """The least over all eyes."""
    pairs = [
        (oklab(times(eye, linear(one))), oklab(times(eye, linear(other))))
        for eye in SEEN_BY.values()
    ]
    return min(100 * sum((a - b) ** 2 for a, b in zip(*pair, strict=True)) ** 0.5 for pair in pairs)


def contrast(one, other):
    """WCAG 2.2."""
    low, high = sorted(times([(0.2126, 0.7152, 0.0722)], linear(c))[0] for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def test_distance_by_hand():
    """White and black are 1 apart in lightness; red and green are near for a deuteranope."""
    assert distance("#ffffff", "#000000") == pytest.approx(100, abs=0.1)
    assert distance("#c06000", "#808000") < 8


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("roles", MEETING, ids=lambda roles: "-".join(roles).replace(" ", ""))
def test_roles_that_meet_are_told_apart_by_every_eye(roles, theme):
    hues = {role: HUES[ROLES[role]][THEMES[theme]] for role in roles}
    near = {
        (one, other): round(apart, 1)
        for one, other in itertools.combinations(hues, 2)
        if (apart := distance(hues[one], hues[other])) < LEAST_DISTANCE[theme]
    }
    assert near == {}


@pytest.mark.parametrize("theme", THEMES)
def test_colours_have_contrast(theme):
    """WCAG 2.2, 1.4.11 and 1.4.3: lines and areas 3 to 1, words 4.5 to 1."""
    paper = HUES["paper"][THEMES[theme]]
    quiet = {"paper", "line", "grid", "over"}  # nothing is told by them
    for name, values in HUES.items():
        if name not in quiet:
            assert contrast(values[THEMES[theme]], paper) >= 3, name
    for name in {*ROLES.values(), "ink", "muted"}:
        words = WORDS.get(name, HUES[name])[THEMES[theme]]
        assert contrast(words, paper) >= 4.5, name


def test_captions_can_count_on_the_colours_that_they_name():
    """Orange and blue for the texts, grey for counts, blue for models, green for values."""
    named = {"train": "residual", "validation": "model", "count": "count", "value": "v"}
    named |= {"model": "model", "key": "k", "query": "q", "output": "output", "stream": "residual"}
    assert {role: ROLES[role] for role in named} == named
    assert COLOURS["key"] == "#b4350c"
    assert COLOURS["query"] == "#0668a9"


def test_a_colour_is_painted_as_the_page_s_variable():
    assert paint(COLOURS["value"]) == "var(--bard-v, #38a28a)"
    assert paint(COLOURS["value"], words=True) == "var(--bard-v-text, #0f7560)"
    assert paint(COLOURS["key"], words=True) == "var(--bard-k, #b4350c)"
    assert paint("none") == "none"
    with pytest.raises(ValueError, match="#123456 is no colour of the palette; there are #0668a9"):
        paint("#123456")


def test_a_light_value_names_one_hue():
    """A drawing is painted back from its light values."""
    assert len({light for light, _ in HUES.values()}) == len(HUES)
    assert {*WORDS} < {*HUES}


def test_the_website_has_the_same_colours():
    css = CSS.read_text(encoding="utf-8")

    def declared(block):
        return dict(re.findall(r"--bard-([\w-]+): (#\w{6});", block))

    light = declared(css.partition(":root {")[2].partition("}")[0])
    dark = declared(css.partition("@media not print {")[2].partition("}")[0])
    for theme, found in ((0, light), (1, dark)):
        assert found == dict(re.findall(r"--bard-([\w-]+):(#\w{6});", variables(theme)))
