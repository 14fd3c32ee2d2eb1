import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from bardgpt.lab.likeness import Reference, text_statistics, words
from bardgpt.records.band import Band
from bardgpt.teaching import checks

ROOT = Path(__file__).parent.parent
BAND = Band(mean=2.5, sd=0.01, n=5)


def test_a_run_inside_the_band_prints_both(capsys):
    checks.measured("loss", 2.512, BAND, below=3.0, above=2.0)
    assert capsys.readouterr().out == (
        "loss, in nats per character\n"
        "  your run: 2.512\n"
        "  recorded: 2.500 ± 0.010 (5 runs), above 2.000 and below 3.000\n"
    )


@pytest.mark.parametrize("value", [2.459, 2.541, float("nan"), float("inf")])
def test_a_run_outside_four_deviations_fails(value):
    with pytest.raises(AssertionError, match=r"loss: this run gave .* away from the recorded 2.5"):
        checks.measured("loss", value, BAND, below=3.0)


@pytest.mark.parametrize("value", [2.479, 2.521])
def test_a_run_further_off_than_half_the_effect_fails(value):
    """The effect is 0.04, so 0.02 is allowed although four deviations are 0.04."""
    checks.measured("loss", 2.481, BAND, below=2.54)
    with pytest.raises(AssertionError, match=r"0\.0200 is allowed"):
        checks.measured("loss", value, BAND, below=2.54)


@pytest.mark.parametrize(
    ("bounds", "said"),
    [
        ({"above": 0.2}, "above 0.2"),
        ({"below": 3.34688}, "below 3.347"),
        ({"below": 3, "above": 1e-4}, "above 0.0001 and below 3"),
    ],
)
def test_a_value_within_its_bounds_is_printed_with_them(capsys, bounds, said):
    checks.within("weight", 0.35671, **bounds)
    assert capsys.readouterr().out == f"weight; expected {said}\n  your run: 0.357\n"


@pytest.mark.parametrize("value", [0.2, 0.5, -1.0, 0.7, float("nan"), float("inf")])
def test_a_value_outside_its_bounds_fails(value, capsys):
    with pytest.raises(AssertionError, match=r"gave .*; above 0.2 and below 0.5"):
        checks.within("weight", value, above=0.2, below=0.5)
    assert capsys.readouterr().out == ""


def test_a_value_without_a_bound_is_refused():
    with pytest.raises(ValueError, match="say what is expected"):
        checks.within("weight", 0.3)


def test_a_narrower_tolerance_is_kept():
    with pytest.raises(AssertionError, match=r"0\.0050 is allowed"):
        checks.measured("loss", 2.506, BAND, below=3.0, tolerance=0.005)


@pytest.mark.parametrize(
    ("tolerance", "below"),
    [(0.041, 3.0), (0.021, 2.54)],
    ids=["over four deviations", "over half of the effect"],
)
def test_a_wider_tolerance_is_refused(tolerance, below):
    with pytest.raises(ValueError, match=f"tolerance of {tolerance} is wider than"):
        checks.measured("loss", 2.5, BAND, below=below, tolerance=tolerance)


@pytest.mark.parametrize(
    ("claim", "passes", "fails"),
    [
        ({"below": 4.0}, (2.0, 3.0), (1.996, 3.004)),  # four deviations of 0.125
        ({"below": 3.0}, (2.25, 2.75), (2.246, 2.754)),  # half of what separates 2.5 and 3
        ({"above": 2.25}, (2.375, 2.625), (2.371, 2.629)),
        ({"below": 4.0, "above": 2.25}, (2.375, 2.625), (2.371, 2.629)),  # the nearer bound
        ({"below": 2.625, "above": 1.0}, (2.4375, 2.5625), (2.433, 2.567)),
    ],
)
def test_what_is_allowed_by_hand(claim, passes, fails):
    """Numbers that a computer holds exactly, so that the edge itself passes."""
    band = Band(mean=2.5, sd=0.125, n=5)
    for value in passes:
        checks.measured("loss", value, band, **claim)
    for value in fails:
        with pytest.raises(AssertionError, match="away from the recorded"):
            checks.measured("loss", value, band, **claim)


NAN = float("nan")


@pytest.mark.parametrize("band", [Band(NAN, 0.01, 5), Band(2.5, NAN, 5), Band(NAN, NAN, 5)])
def test_a_record_that_is_no_number_fails(band):
    for value in (2.5, NAN):
        with pytest.raises(AssertionError):
            checks.measured("loss", value, band, below=3.0)


@pytest.mark.parametrize("claim", [{"below": NAN}, {"above": NAN}, {"below": 3.0, "above": NAN}])
def test_a_bound_that_is_no_number_fails(claim):
    with pytest.raises(AssertionError, match="claimed"):
        checks.measured("loss", 2.5, BAND, **claim)


def test_a_tolerance_that_is_no_number_fails():
    with pytest.raises(AssertionError):
        checks.measured("loss", 2.5, BAND, below=3.0, tolerance=NAN)


@pytest.mark.parametrize("claim", [{"below": 2.5}, {"above": 2.5}])
def test_no_effect_is_no_claim(claim):
    with pytest.raises(AssertionError, match="claimed"):
        checks.measured("loss", 2.5, BAND, **claim)


def test_a_claim_needs_a_direction():
    with pytest.raises(ValueError, match="say what is claimed"):
        checks.measured("loss", 2.5, BAND)


@pytest.mark.parametrize("claim", [{"below": 2.4}, {"above": 2.6}, {"below": 3, "above": 2.6}])
def test_a_record_that_contradicts_the_claim_fails(claim):
    with pytest.raises(AssertionError, match="claimed"):
        checks.measured("loss", 2.5, BAND, **claim)


@pytest.mark.parametrize(("value", "claim"), [(2.39, {"below": 2.4}), (2.61, {"above": 2.6})])
def test_what_bears_out_a_claim_is_the_record_and_not_this_run(value, claim):
    with pytest.raises(AssertionError, match="claimed"):
        checks.measured("loss", value, BAND, **claim)


def test_band_is_mean_and_sample_deviation():
    band = Band.of([1.0, 2.0, 3.0, 6.0])
    assert (band.mean, band.n) == (3.0, 4)
    assert band.sd == pytest.approx((14 / 3) ** 0.5)
    with pytest.raises(ValueError, match="2 runs give no spread"):
        Band.of([1.0, 2.0])


TEXT = "ROMEO:\nBut soft, what lixht\n"
KNOWN = Reference.of("Romeo, but soft! What light?\nBut soft, what light is this")


def test_text_statistics():
    assert words("To be, or NOT to be: Rome's dog") == ["not", "rome", "dog"]
    assert text_statistics(TEXT, KNOWN) == {
        "known words": 4 / 5,
        "copied stretches": 4 / 14,  # of 15; the line break and "But soft, what li" are 18
        "letters per word": 21 / 5,
        "characters per line": 14.0,
    }
    assert set(text_statistics("", KNOWN).values()) == {0.0}


def test_generated_text_of_the_recorded_form_passes(capsys):
    checks.generated(TEXT, KNOWN, {"known words": Band(0.7, 0.03, 5)}, show=9)
    out = capsys.readouterr().out
    assert out.startswith(f"{checks.FRAME}\nROMEO:\nBu\n{checks.FRAME}\n")
    assert out.endswith("  your run: 0.800\n  recorded: 0.700 ± 0.030 (5 runs)\n")


def test_bands_over_pieces_of_one_run_say_so(capsys):
    checks.generated(TEXT, KNOWN, {"known words": Band(0.7, 0.03, 50)}, of="pieces")
    assert capsys.readouterr().out.endswith("  recorded: 0.700 ± 0.030 (50 pieces)\n")


def test_a_share_that_was_always_zero_may_be_off_by_four_characters():
    """TEXT has 28 characters, so 4 / 28 = 0.14 is allowed; against KNOWN it is 0.29."""
    checks.generated(TEXT, Reference.of("nothing of it"), {"copied stretches": Band(0, 0, 5)})
    with pytest.raises(AssertionError, match="copied stretches"):
        checks.generated(TEXT, KNOWN, {"copied stretches": Band(0, 0, 5)})


@pytest.mark.parametrize("mean", [0.6, 1.0])
def test_generated_text_of_another_form_fails(mean):
    with pytest.raises(AssertionError, match=r"known words: this sample has 0.800"):
        checks.generated(TEXT, KNOWN, {"known words": Band(mean, 0.03, 5)})


@pytest.mark.parametrize("second", [Band(9.0, 0.1, 5), Band(NAN, 0.1, 5), Band(4.2, NAN, 5)])
def test_every_statistic_is_asserted(second):
    """Letters per word are 4.2; the known words are as recorded."""
    bands = {"known words": Band(0.8, 0.02, 5), "letters per word": second}
    with pytest.raises(AssertionError, match="letters per word"):
        checks.generated(TEXT, KNOWN, bands)


def test_statistics_are_of_the_whole_text_and_not_of_what_is_shown(capsys):
    """Of the ten characters that are shown, all words would be known."""
    checks.generated(TEXT, KNOWN, {"known words": Band(0.8, 0.001, 5)}, show=10)
    shown = capsys.readouterr().out.split(checks.FRAME)[1]
    assert shown == "\nROMEO:\nBut\n"


# --- what nbval is told to overlook, and no more -------------------------------------------------


def sanitize(text):
    """Apply the rules of the file as nbval does."""
    rules = re.findall(
        r"^regex: (.*)\nreplace: (.*)$",
        (ROOT / "tests/nbval_sanitize.cfg").read_text(encoding="ascii"),
        flags=re.M,
    )
    assert len(rules) == 4  # the third is about plots: tests/test_plots.py
    for regex, replacement in rules:
        text = re.sub(regex, replacement, text)
    return text


def printed(capsys, value=2.512, recorded=BAND, text=TEXT):
    checks.measured("loss", value, recorded, below=3.0, above=2.0)
    checks.generated(text, KNOWN, {"letters per word": Band(4.2, 1.0, 5)})
    return sanitize(capsys.readouterr().out)


def test_sanitizer_overlooks_your_run_and_the_text(capsys):
    reference = printed(capsys)
    assert printed(capsys, value=2.49, text="ROMEO:\nSoft soft soft\nsoft\n") == reference


def test_sanitizer_sees_everything_else(capsys):
    reference = printed(capsys)
    assert printed(capsys, recorded=Band(2.501, 0.01, 5)) != reference
    for line in ("loss: 2.512", "your run: 2.512", "1.234", "  2.512", "──── text ────"):
        assert sanitize(line) == line


def test_sanitizer_overlooks_the_toy_of_random_masks_and_no_other():
    toy = '<p>Before.</p>\n<bard-toy kind="{}" role="group">\n{}\n</bard-toy>\n<p>After.</p>'
    assert sanitize(toy.format("masks", "0.25")) == sanitize(toy.format("masks", "0.26"))
    assert sanitize(toy.format("masks", "0.25")) == "<p>Before.</p>\nTOY OF MASKS\n<p>After.</p>"
    for other in ("mask", "stack"):
        assert sanitize(toy.format(other, "0.25")) == toy.format(other, "0.25")


@pytest.mark.parametrize(
    ("old", "new", "passes"),
    [
        ("print('  your run: 2.512')", "print('  your run: 2.498')", True),
        ("print('recorded: 2.512')", "print('recorded: 2.498')", False),
        ("print('a'); print('b')", "print('a')", False),
    ],
)
def test_nbval_itself_obeys(tmp_path, old, new, passes):
    """A notebook that stores one output and computes another, under the options of `make test`."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(new, execution_count=1)])
    stored = {"print('a'); print('b')": "a\nb\n"}.get(old, old[7:-2] + "\n")
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", name="stdout", text=stored)]
    nbformat.write(notebook, tmp_path / "one.ipynb")
    options = ["--nbval", "--nbval-current-env", "--rootdir", str(tmp_path)]
    options += ["--nbval-sanitize-with", str(ROOT / "tests/nbval_sanitize.cfg")]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, str(tmp_path)],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
    )
    assert (run.returncode == 0) is passes, run.stdout
    assert passes or "Cell outputs differ" in run.stdout
