"""The trainer and the sweep as a cell and a page have them, where nothing moves."""

import json
import re

import pytest

from bardgpt import records
from bardgpt.config import GPTConfig
from bardgpt.lab.ladder import RUNGS
from bardgpt.teaching import live
from bardgpt.teaching.live import sweeps, trainers


def content(html):
    """What the script is given."""
    return json.loads(re.search(r'<script type="application/json">(.*)</script>', html)[1])


def attribute(html, name):
    return re.search(rf'{name}="([^"]*)"', html)[1]


def test_bands_are_the_records():
    found = live.trainer().html()
    bands = content(found)["recorded"]
    assert list(bands) == [*list(RUNGS)[1:], "pre-norm-no-final-norm"]
    for name, band in bands.items():
        record = records.load(name)
        assert band["steps"] == [0, 250, 500, 750, 1000]
        ends = [history.at(1000) for history in record.histories]
        assert (band["low"][-1], band["high"][-1]) == (round(min(ends), 4), round(max(ends), 4))
        assert band["mean"][-1] == pytest.approx(record.band(1000).mean, abs=1e-4)


@pytest.mark.parametrize("name", list(RUNGS)[1:])
def test_every_rung_can_be_set(name):
    for control, value in trainers.settings(RUNGS[name].config).items():
        spec = trainers.CONTROLS[control]
        if "options" in spec:
            assert value in spec["options"]
        else:
            assert spec["range"][0] <= int(value) <= spec["range"][1]


def test_settings_tell_models_apart():
    linear = GPTConfig(65, feed_forward="one-layer", activation="none")
    assert trainers.settings(linear)["feed-forward"] == "linear-1"
    bare = records.load("pre-norm-no-final-norm").model
    assert trainers.settings(bare)["wiring"] == "no-final-norm"


def test_begins_with_the_rung_and_what_is_given():
    html = live.trainer("residual", vary=["wiring", "blocks"], begin={"blocks": 6}).html()
    begin = json.loads(attribute(html, "begin").replace("&quot;", '"'))
    assert attribute(html, "vary") == "wiring blocks"
    assert {name: begin[name] for name in ("wiring", "blocks", "heads", "rate", "break")} == {
        "wiring": "residual",
        "blocks": "6",
        "heads": "4",
        "rate": "0.001",
        "break": "nothing",
    }


def test_breaking_is_shown_when_asked_for():
    shown = {
        "": live.trainer("four-heads", vary=["feed_forward"]),
        "break": live.trainer("four-heads", vary=["feed_forward"], break_it=True),
    }
    assert shown[""].vary == ("feed-forward",)
    assert shown["break"].vary == ("feed-forward", "break")
    assert live.trainer().vary == tuple(trainers.CONTROLS)
    assert repr(shown[""]) == "<Trainer: four-heads, feed-forward>"


def test_every_break_has_one_sentence():
    broken = set(trainers.CONTROLS["break"]["options"]) - {trainers.NOTHING}
    assert broken == set(trainers.BREAKS)
    for sentence in trainers.BREAKS.values():
        assert sentence.endswith(".")
        assert ". " not in sentence


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rung": "bigram"}, "no recorded model 'bigram'; there are one-head, .*"),
        ({"vary": ["norm"]}, "no control 'norm'; there are wiring, .*"),
        ({"begin": {"rate": 0.02}}, "no rate '0.02'; there are 0.0003, .*"),
        ({"begin": {"blocks": 9}}, "no blocks '9'; from 1 to 8"),
    ],
)
def test_what_there_is_not_is_refused_with_a_list(given, said):
    with pytest.raises(ValueError, match=said):
        live.trainer(**given)


def test_still_picture_says_what_it_shows():
    html = live.trainer("four-heads")._repr_html_()
    assert html.startswith("<bard-trainer ")
    assert html.rstrip().endswith("</bard-trainer>")
    assert len(re.findall('<svg [^>]*role="img"', html)) == 2
    said = re.search(r"<desc [^>]*>([^<]*)</desc>", html)[1]
    ends = [history.at(1000) for history in records.load("four-heads").histories]
    assert f"to {min(ends):.2f} to {max(ends):.2f} after 1,000 steps" in said


def test_sweep_has_every_run_and_marks_what_became_of_it():
    html = live.sweep()._repr_html_()
    found = records.load_sweep("rates") | records.load_sweep("no-norm")
    cells = re.findall(r'data-key="([^"]*)"[^>]*>([^<]*)<span class="signs">([^<]*)<', html)
    assert {key for key, *_ in cells} == set(found)
    flat = records.tables()[0]["validation"]
    for key, word, signs in cells:
        ends = found[key].validation
        assert [sign == sweeps.TRAINED for sign in signs] == [end < flat - 0.1 for end in ends]
        trained = [end for end in ends if end < flat - 0.1]
        if trained:
            assert word == f"{sum(trained) / len(trained):.2f}"
        else:
            assert word in ("stuck", "lost")
