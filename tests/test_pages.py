"""Pages and pictures that come from records: what stands on them, and that they are up to date."""

import html
import re
import subprocess
from pathlib import Path

import made_up
import pytest
from _pages import continuations, landing
from _pages.write import BOOK, PAGES, write
from _pages.yardsticks import yardsticks

from bardgpt import files
from bardgpt.teaching.palette import COLOURS

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Stands in for the folder of records, for as long as a test runs."""
    monkeypatch.setattr(files, "RECORDED", tmp_path)
    return tmp_path


# --- up to date ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_committed_page_is_the_one_that_the_records_give(name):
    assert (BOOK / name).read_text(encoding="utf-8") == PAGES[name](), "say: make pages"


def test_writing_replaces_what_has_changed_and_nothing_else(tmp_path):
    pages = {"one.md": lambda: "1 ± 0\n", "_static/two.html": lambda: "<p>2</p>\n"}
    one, two = tmp_path / "one.md", tmp_path / "_static" / "two.html"
    assert write(pages, tmp_path) == [one, two]
    assert (one.read_text(encoding="utf-8"), two.read_text(encoding="utf-8")) == (
        "1 ± 0\n",
        "<p>2</p>\n",
    )
    one.write_text("2 ± 0\n", encoding="utf-8")  # as long, and another number
    assert write(pages, tmp_path) == [one]
    assert one.read_text(encoding="utf-8") == "1 ± 0\n"
    assert write(pages, tmp_path) == []


def test_a_page_that_cannot_be_made_leaves_the_others_as_they_were(tmp_path):
    def without_record() -> str:
        raise FileNotFoundError("no record")

    with pytest.raises(FileNotFoundError, match="no record"):
        write({"one.md": lambda: "1", "two.md": without_record}, tmp_path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("task", ["pages", "experiments", "record"])
def test_whatever_makes_records_writes_the_pages_too(task):
    """Last: the records must be there."""
    said = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", task],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert said.stdout.splitlines()[-1] == "cd book && ../.venv/bin/python -m _pages.write"


# --- from records made up by hand ----------------------------------------------------------------

# Rungs in their order, each with its title and the losses of three runs. The mean of 2.4, 2.4 and
# 2.7 is 2.5: neither the first, nor the smallest, nor the middle one.
LADDER = {
    "bigram": ("bigram model", (2.7, 2.4, 2.4)),
    "one-head": ("one head of 32", (2.3, 2.3, 2.6)),
    "four-heads": ("four heads of 8", (2.2, 2.2, 2.5)),
    "feed-forward": ("feed-forward", (2.15, 2.15, 2.45)),
    "plain-blocks": ("three plain blocks", (2.25, 2.25, 2.55)),
    "residual": ("residual connections", (2.0, 2.0, 2.3)),
    "post-norm": ("layer norm after the addition", (1.9, 1.9, 2.2)),
    "pre-norm": ("layer norm before the branch", (1.8, 1.8, 2.1)),
}
COUNTS = (3.3, 2.45, 2.05, 1.75, 1.625, 1.65)
FULL = 1.4512
LONG = "\nI pray" + 50 * " you" + "."  # 208 characters with the prompt


@pytest.fixture
def all_records(folder):
    for name, (_, lasts) in LADDER.items():
        made_up.write(folder, **{name: made_up.record(*lasts)})
    texts = {name: {"0.5": " cold", "1": f" a {name} & <more>"} for name in LADDER}
    made_up.write(
        folder,
        count_tables=made_up.tables(*COUNTS),
        continuations={
            "experiment": {"prompt": "JULIET:", "context": 4},
            "texts": {"counts": {"1": " by counting"}, **texts, "pre-norm": {"1": LONG}},
        },
    )
    made_up.write_full(folder, text=" full size", **{"validation of the packed weights": FULL})


@pytest.mark.usefixtures("all_records")
def test_every_model_continues_in_order():
    """The ladder, the table, the full model: title, loss and what was made of the prompt."""
    assert [(one.title, round(one.loss, 6), one.text) for one in continuations.continuations()] == [
        ("bigram model", 2.5, "JULIET: a bigram & …"),
        ("one head of 32", 2.4, "JULIET: a one-head & …"),
        ("four heads of 8", 2.3, "JULIET: a four-heads & …"),
        ("feed-forward", 2.25, "JULIET: a feed-forward & …"),
        ("three plain blocks", 2.35, "JULIET: a plain-blocks & …"),
        ("residual connections", 2.1, "JULIET: a residual & …"),
        ("layer norm after the addition", 2.0, "JULIET: a post-norm & …"),
        ("layer norm before the branch", 1.9, "JULIET:\nI pray" + 38 * " you" + " …"),
        ("counts, 4 before", 1.625, "JULIET: by …"),
        ("the full model", 1.4512, "JULIET: full …"),
    ]


@pytest.mark.usefixtures("all_records")
def test_table_that_continues_is_the_one_that_was_asked(folder):
    content = {"prompt": "JULIET:", "context": 2}
    texts = {name: {"1": " so be it"} for name in [*LADDER, "counts"]}
    made_up.write(folder, continuations={"experiment": content, "texts": texts})
    table = continuations.continuations()[-2]
    assert (table.title, table.loss) == ("counts, 2 before", 2.05)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ntwo three", "one\ntwo …"),
        ("one two\nthree", "one two …"),  # cut at the end of a line, which goes with it
        ("a " * 85 + "late", "a " * 84 + "a …"),  # 170 characters end in a space
        ("b " * 84 + "bcd e", "b " * 84 + "…"),  # the 170th is inside of a word
    ],
)
def test_beginning_ends_with_a_whole_word(text, shown):
    assert continuations.beginning(text) == shown


@pytest.mark.usefixtures("all_records")
def test_continuations_stand_on_the_page_in_order():
    """What a browser shows: each figure's caption and text, with nothing taken for HTML."""
    figures = re.findall(
        r'<figure class="continuation">\n<figcaption>([^<]*) <span>([^<]*)</span></figcaption>\n'
        r"<pre>([^<]*)</pre>\n</figure>\n",
        continuations.page(),
    )
    assert len(figures) == 10
    assert [tuple(map(html.unescape, figure)) for figure in figures] == [
        (one.title, f"{one.loss:.3f}", one.text) for one in continuations.continuations()
    ]
    assert figures[0] == ("bigram model", "2.500", "JULIET: a bigram &amp; …")


@pytest.mark.usefixtures("all_records")
def test_yardsticks_are_bars_as_long_as_their_losses():
    """Longest first: name, number, role, and a length for every nat that is the same for all."""
    bars = re.findall(
        r'<text [^>]*text-anchor="end"[^>]*>([^<]*)</text>\n<rect ([^>]*)/>\n'
        r'<text [^>]*text-anchor="start"[^>]*>([^<]*)</text>',
        yardsticks().svg(),
    )
    counted, trained = COLOURS["count"], COLOURS["model"]
    reported = "stroke-dasharray"
    expected = [
        ("uniform guess", "4.174", counted),
        ("characters' frequencies", "3.300", counted),
        ("bigram model", "2.500", trained),
        ("counts, 1 before", "2.450", counted),
        ("one head of 32", "2.400", trained),
        ("three plain blocks", "2.350", trained),
        ("four heads of 8", "2.300", trained),
        ("feed-forward", "2.250", trained),
        ("residual connections", "2.100", trained),
        ("counts, 2 before", "2.050", counted),
        ("layer norm after the addition", "2.000", trained),
        ("layer norm before the branch", "1.900", trained),
        ("counts, 3 before", "1.750", counted),
        ("counts, 5 before", "1.650", counted),
        ("counts, 4 before", "1.625", counted),
        ("full model, as reported", "1.48", reported),
        ("the full model", "1.451", trained),
    ]
    assert [(html.unescape(name), number) for name, _, number in bars] == [
        row[:2] for row in expected
    ]
    assert [role in style for (_, style, _), (*_, role) in zip(bars, expected, strict=True)] == [
        True
    ] * len(bars)
    assert ["stroke-dasharray" in style for _, style, _ in bars].count(True) == 1
    widths = [float(re.search(r'\bwidth="([\d.]+)"', style)[1]) for _, style, _ in bars]
    # 1.451 of 4.174 is 1.4512 of ln 65; a width has six digits, a number three decimals.
    for width, (_, number, _) in zip(widths, expected, strict=True):
        assert width / widths[0] == pytest.approx(float(number) / 4.174387, abs=1e-4)
    # The longest bar leaves room for its number: five characters of 8 units each.
    (longest,) = re.search(r'<text x="([\d.]+)" [^>]*>4\.174</text>', yardsticks().svg()).groups()
    picture = float(re.search(r'viewBox="0 0 ([\d.]+)', yardsticks().svg())[1])
    assert picture / 2 < float(longest) < picture - 5 * 8
    tops = [float(re.search(r'\by="([\d.]+)"', style)[1]) for _, style, _ in bars]
    assert len({round(low - high, 3) for high, low in zip(tops, tops[1:], strict=False)}) == 1


@pytest.mark.usefixtures("all_records")
def test_yardsticks_are_described_in_words():
    (words,) = re.findall(r"<desc [^>]*>(.*)</desc>", yardsticks().svg())
    assert html.unescape(words).startswith(
        "A bar for each loss on the validation text, longest first: uniform guess, 4.174; "
        "characters' frequencies, 3.300; bigram model, 2.500; counts, 1 before, 2.450; "
    )
    assert words.endswith(
        "; full model, as reported, 1.480; the full model, 1.451 nats per character."
    )


# --- the landing page -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("JULIET:\na\n\nb\nc\nd\ne", ["JULIET:", "a", "b", "c"]),
        ("JULIET:\n" + 12 * "you " + "\nb", ["JULIET:", 9 * "you " + "you", "b"]),  # 39 letters
        ("JULIET: " + 40 * "a", ["JULIET:"]),
    ],
)
def test_landing_page_shows_the_prompt_and_three_short_lines(text, shown):
    assert landing.lines(text) == shown


@pytest.mark.usefixtures("all_records")
def test_landing_page_shows_the_first_model_and_the_last():
    """In a writer, with the prompt ready and its other controls folded."""
    page = landing.texts()
    assert page.startswith('<bard-writer prompt="JULIET:" compact>\n')
    figures = re.findall(
        r"<figcaption><b>([^<]*)</b> <span>([^<]*)</span></figcaption>\n"
        r"<p [^>]*><b>([^<]*)</b>([^<]*)<",
        page,
    )
    assert figures == [
        ("Chapter 1 · bigram model", "loss 2.500", "JULIET:", " a bigram &amp; …"),
        ("Chapter 9 · the full model", "loss 1.451", "JULIET:", " full …"),
    ]


@pytest.mark.usefixtures("all_records")
def test_landing_page_has_four_bars_as_long_as_their_losses():
    bars = re.findall(
        r'<span class="name">([^<]*)</span><span class="bar (\w+)" style="width: ([\d.]+)%"></span>'
        r'<span class="number">([^<]*)</span>',
        landing.bars(),
    )
    assert [(name, role, number) for name, role, _, number in bars] == [
        ("uniform guess", "count", "4.174"),
        ("the best small network", "model", "1.900"),
        ("the best table of counts", "count", "1.625"),
        ("the full model, chapter 9", "model", "1.451"),
    ]
    for _, _, width, number in bars:
        assert float(width) / 100 == pytest.approx(float(number) / 4.174387, abs=2e-4)
