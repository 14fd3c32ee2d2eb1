"""The toys' still pictures: what they say, what they compute, and what they refuse."""

import html
import json
import re
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from _ext import bardgpt_live

from bardgpt.teaching import live
from bardgpt.teaching.live import toys
from bardgpt.teaching.live.toys import draws, norms, stacks, temperatures
from bardgpt.teaching.live.toys.frame import fixed

MINUS = "\N{MINUS SIGN}"
BOOK = Path(__file__).resolve().parents[1] / "book"


def words(toy: live.Toy) -> str:
    """The sentences below the picture, without marks."""
    return re.sub("<[^>]*>", "", " ".join(re.findall('<p class="toy-says".*?</p>', toy.html())))


def test_each_toy_is_an_element_with_its_numbers_and_hidden_controls():
    for name in toys.TOYS:
        toy = toys.TOYS[name]()
        text = toy._repr_html_()
        assert text.startswith(f'<bard-toy kind="{name}" role="group" aria-label="Toy: ')
        given = re.search('data-given="([^"]*)"', text)
        assert given
        assert json.loads(html.unescape(given[1])) == json.loads(json.dumps(toy.given))
        for control in re.findall(r"<(?:input|select|button)[^>]*>", text):
            hands = text.rfind('<div class="toy-hands" data-hand hidden>', 0, text.index(control))
            assert "data-hand hidden" in control or hands > 0
        assert "\n\n" not in text  # would end it where Markdown is read
        assert repr(toy) == f"<Toy: {name}>"
        assert words(toy).strip()


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(-1.5, 1, f"{MINUS}1.5"), (-0.001, 2, "0.00"), (12, 0, "12"), (0.126, 2, "0.13")],
)
def test_numbers_have_a_real_minus_and_no_negative_zero(value, digits, text):
    assert fixed(value, digits) == text


@pytest.mark.parametrize(
    ("name", "given", "says"),
    [
        ("scores", {"scores": (0, 1), "values": (1,), "keys": "ab"}, "2 scores, 1 values"),
        ("scores", {"scores": (0, 9, 0, 0)}, "from -6 to 6"),
        ("norm-table", {"rows": ((1, 2), (3, 4))}, "4 rows of 4"),
        ("norm-table", {"rows": ((0.5, 0, 0, 0),) * 4}, "must be whole"),
        ("norm-table", {"rows": ((1e9, 0, 0, 0),) * 4}, "from -999 to 999"),
        ("mask", {"characters": "four"}, "6 characters"),
        ("mask", {"weights": torch.full((6, 6), 1 / 6).tolist()}, "right of the diagonal"),
        ("masks", {"characters": "abc", "under": [[1.0]], "without": [1.0]}, "must be"),
        ("temperature", {"characters": "abc", "probabilities": [1.0]}, "for each character"),
        ("temperature", {"characters": "abcdefghijk", "probabilities": [1.0] * 11}, "sum to 1"),
    ],
)
def test_what_does_not_fit_is_refused(name, given, says):
    with pytest.raises(ValueError, match=says):
        toys.TOYS[name](**given)


def test_scores_say_their_mean():
    w = torch.tensor([0, 1.5, 0.5, -1]).softmax(0)
    mean = w @ torch.tensor([1.0, 3, -2, 2])
    assert f"({MINUS}2) + {w[3]:.2f} · 2 = {mean:.2f}" in words(live.toy_scores())


def test_table_is_normalized_as_pytorch_does_it():
    x = torch.tensor(norms.TABLE, dtype=torch.float64)
    out = torch.nn.functional.layer_norm(x, (4,))
    found = re.findall("<td data-out>([^<]*)<", live.toy_norm_table().html())
    torch.testing.assert_close(
        torch.tensor([float(one.replace(MINUS, "-")) for one in found], dtype=torch.float64),
        out.flatten(),
        rtol=0,
        atol=0.00501,
    )


def test_the_context_is_shown_and_given_numbers_are_taken():
    p = torch.tensor([0.5, 0.25, *[0.25 / 9] * 9], dtype=torch.float64)
    toy = live.toy_temperature("a b\n", "zyxwvutsrqp", p)
    assert "after “a\N{OPEN BOX}b\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}”" in toy.html()
    entropy = -(p * p.log()).sum()
    assert f"entropy is {entropy:.2f} nats" in words(toy)
    assert "The likeliest, z, comes one time in 2.0." in words(toy)


def test_temperature_is_what_the_package_draws_from():
    p = [0.6, 0.3, 0.1]
    wanted = (torch.tensor(p, dtype=torch.float64).log() / 0.5).softmax(0)
    torch.testing.assert_close(torch.tensor(temperatures.at(p, 0.5), dtype=torch.float64), wanted)


def test_draws_are_uniform_and_normal():
    u = torch.tensor(list(islice(draws.uniform(0), 20_000)))
    z = torch.tensor(list(islice(draws.normal(0), 20_000)))
    assert 0 <= u.min() < 0.001
    assert 0.999 < u.max() < 1
    assert abs(u.mean() - 0.5) < 4 * (1 / 12 / 20_000) ** 0.5
    assert abs(z.mean()) < 4 / 20_000**0.5
    assert abs(z.std() - 1) < 0.02


def test_stack_is_what_its_words_say():
    """Branches of zero change nothing, and without `x +` they let nothing through."""
    stream, gradient = stacks.sizes(5, adds=True, scale=1.0, start="zero")
    assert stream == (stream[0],) * 6
    assert gradient == (1.0,) * 6
    assert stacks.sizes(5, adds=False, scale=1.0, start="zero")[0][1:] == (0.0,) * 5
    plain = stacks.sizes(8, adds=False, scale=1.0, start="default")
    added = stacks.sizes(8, adds=True, scale=1.0, start="default")
    assert plain[0][-1] < 1e-3 < 1 < added[0][-1]
    assert plain[1][0] < 1e-3 < 1 < added[1][0]
    halved = stacks.sizes(1, adds=False, scale=0.5, start="xavier")
    whole = stacks.sizes(1, adds=False, scale=1.0, start="xavier")
    assert halved[0][1] == pytest.approx(whole[0][1] / 2)
    deep = stacks.sizes(4, adds=False, scale=1.0, start="depth-scaled")
    same = stacks.sizes(4, adds=False, scale=1.0, start="normal")
    assert deep[0][1] == pytest.approx(same[0][1] / 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1.234, "1.23"), (2e-7, f"2.0 · 10<sup>{MINUS}7</sup>"), (4500, "4.5 · 10<sup>3")],
)
def test_sizes_are_told_in_few_digits(value, text):
    assert stacks.size(value).startswith(text)


@pytest.mark.parametrize(
    ("chapter", "kinds"),
    [
        ("01-text-and-yardstick", ["temperature"]),
        ("02-one-head", ["scores", "scores"]),
        ("05-residual-connections", ["stack"]),
        ("06-layer-normalization", ["norm-table"]),
        ("07-pre-and-post-norm", ["norm-place"]),
        ("08-dropout", ["mask", "masks"]),
    ],
)
def test_chapters_have_their_toys_with_folded_code(chapter, kinds):
    cells = json.loads((BOOK / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]
    shown = []
    for cell in cells:
        for output in cell.get("outputs", []):
            text = "".join(output.get("data", {}).get("text/html", []))
            if found := re.match('<bard-toy kind="([^"]*)"', text):
                shown.append(found[1])
                assert cell["metadata"]["tags"] == ["hide-input"]
                assert re.search(r"live\.toy_\w+\(.*\)$", "".join(cell["source"]))
    assert shown == kinds


def test_chapter_2_has_the_head_size_where_it_is_explained():
    """Before, there is nothing to move but scores: the chapter asks for a guess in between."""
    text = (BOOK / "02-one-head.py").read_text(encoding="utf-8")
    places = [
        text.index(what)
        for what in ("live.toy_scores()", "**Before you run", "live.toy_scores(head_size=True)")
    ]
    assert places == sorted(places)


@pytest.mark.parametrize(("body", "loads"), [("<bard-writer>", False), ("<bard-toy kind=", True)])
def test_only_a_page_with_a_toy_loads_their_sheet(body, loads):
    asked = []
    app = SimpleNamespace(
        bardgpt_live=None, add_css_file=asked.append, add_js_file=lambda *_, **__: None
    )
    bardgpt_live.load_where_needed(app, "page", "page.html", {"body": body}, None)
    assert ("toys.css" in asked) == loads
