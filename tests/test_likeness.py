"""What is counted in a text that looks like a play, on texts made for it."""

import pytest

from bardgpt import corpus
from bardgpt.lab import likeness
from bardgpt.lab.likeness import Reference

TEXT = """ROMEO:
Is the day so young?
But new struck nine.

First Citizen:
ay me! sad hours seem long.
Note: this is no speaker
NOR THIS:

ROMEO:
Not having that, which makes them song.
"""


def test_speakers():
    assert likeness.speakers(TEXT) == ["ROMEO", "First Citizen", "ROMEO"]
    assert [TEXT[a:b] for a, b in likeness.speaker_spans(TEXT)] == [
        "ROMEO:",
        "First Citizen:",
        "ROMEO:",
    ]


def test_speakers_of_the_text(shakespeare):
    """As counted without this code (`CORPUS.md`): 7,222 speeches by 309, 39 in the last tenth."""
    text = corpus.load()
    assert len(likeness.speakers(text)) == 7_222
    assert len(set(likeness.speakers(text))) == 309
    part = len(shakespeare.train)
    there = set(likeness.speakers(text[part:]))
    assert len(there) == 39
    assert len(there - set(likeness.speakers(text[:part]))) == 26


def test_spoken_lines_are_the_rest():
    assert likeness.spoken(TEXT) == [
        "Is the day so young?",
        "But new struck nine.",
        "ay me! sad hours seem long.",
        "Note: this is no speaker",
        "NOR THIS:",
        "Not having that, which makes them song.",
    ]


@pytest.mark.parametrize(
    ("text", "source", "longest"),
    [
        ("xxabcdyy", "abcabcd", "abcd"),
        ("abc", "abc", "abc"),
        ("abxab", "ab", "ab"),
        ("xyz", "abc", ""),
        ("", "abc", ""),
    ],
)
def test_longest_copy(text, source, longest):
    assert likeness.longest_copy(text, source) == longest


def test_longest_copy_is_the_longest_of_all_pieces():
    text, source = "to be or not to bee that", "not to be, or to be not; that that"
    pieces = (text[i:j] for i in range(len(text)) for j in range(i + 1, len(text) + 1))
    best = max((len(p) for p in pieces if p in source), default=0)
    assert len(likeness.longest_copy(text, source)) == best


def test_form_by_hand():
    """Of its 27 words of three letters and more, the training text has six."""
    form = likeness.form(TEXT, Reference.of("the day But new struck nine."), "new struck nine. x")
    assert form == {
        "speaker lines": pytest.approx(3 / 9),
        "characters per spoken line": pytest.approx((20 + 20 + 27 + 24 + 9 + 39) / 6),
        "known words": pytest.approx(6 / 27),
        "longest copy": len("new struck nine."),
    }


def test_statistics_by_hand():
    """Stretches of 15 characters: of 20 characters there are six, and of those three are known."""
    reference = Reference.of("xxto be or not to be!")
    statistics = likeness.text_statistics("to be or not to b\n\nz", reference)
    assert statistics == {
        "known words": 1.0,  # "not", the only one of three letters
        "copied stretches": pytest.approx(3 / 6),
        "letters per word": 3.0,
        "characters per line": pytest.approx(20 / 3),
    }
    statistics = likeness.text_statistics("not nothing at all", reference)
    assert statistics["known words"] == pytest.approx(1 / 3)
    assert statistics["letters per word"] == pytest.approx((3 + 7 + 3) / 3)


def test_a_line_is_one_thing_in_the_statistics_and_a_spoken_one_in_the_form():
    """The statistics count every line with its break, the form spoken lines without."""
    reference = Reference.of("")
    statistics = likeness.text_statistics("KING:\nIs the day\n\n", reference)
    assert statistics["characters per line"] == pytest.approx(18 / 3)
    assert "characters per spoken line" not in statistics
    form = likeness.form("KING:\nIs the day\n\n", reference, "")
    assert form["characters per spoken line"] == 10
    assert "characters per line" not in form


def test_habits_by_hand():
    assert likeness.habits(TEXT, {"ROMEO"}) == {
        "lines begin with a capital": pytest.approx(5 / 6),
        "speakers are known": pytest.approx(2 / 3),
        "the same speaker again": 0.0,
        "neighbouring lines rhyme": 0.0,
    }


def test_each_habit_has_its_own_denominator():
    """Speeches, pairs of speeches, lines, pairs of lines."""
    text = (
        "ROMEO:\nBright night\nso slight a light\n\nROMEO:\nA knight\n\nJULIET:\n'tis day\nAy\n"
        "\nROMEO:\nO\n"
    )
    assert likeness.habits(text, {"JULIET"}) == {
        "lines begin with a capital": pytest.approx(4 / 6),  # not "so" and not "'tis"
        "speakers are known": pytest.approx(1 / 4),
        "the same speaker again": pytest.approx(1 / 3),
        "neighbouring lines rhyme": pytest.approx(2 / 5),  # night, light, knight
    }


def test_a_rhyme_is_another_word_with_the_same_end():
    def share(text):
        return likeness.habits(text, set())["neighbouring lines rhyme"]

    assert share("Come, night;\nSo bright") == 1.0
    assert share("Come, night;\nA night") == 0.0
    assert share("Come, night;\nA day") == 0.0
    assert share("The sun\nA gun") == 0.0  # two letters are too few
    assert share("...\n--") == 0.0


def test_an_empty_text_has_a_form():
    assert set(likeness.form("", Reference.of(""), "").values()) == {0.0}
    assert set(likeness.habits("", set()).values()) == {0.0}
