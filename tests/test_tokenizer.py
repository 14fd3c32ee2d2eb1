import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bardgpt.tokenizer import CharTokenizer, UnknownCharacterError

# JSON cannot hold half of a surrogate pair, and no decoded text contains one.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(TEXT)
def test_decode_undoes_encode(text):
    tokenizer = CharTokenizer.from_text(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(TEXT)
def test_encode_undoes_decode(text):
    tokenizer = CharTokenizer.from_text(text)
    ids = list(range(tokenizer.vocab_size))
    assert tokenizer.encode(tokenizer.decode(ids)).tolist() == ids


@given(TEXT)
def test_json_round_trip(text):
    tokenizer = CharTokenizer.from_text(text)
    assert CharTokenizer.from_json(tokenizer.to_json()) == tokenizer


def test_ids_are_ranks_in_code_point_order():
    tokenizer = CharTokenizer.from_text("hello")
    assert tokenizer.vocabulary == "ehlo"
    ids = tokenizer.encode("hole")
    assert ids.tolist() == [1, 3, 2, 0]
    assert ids.dtype == torch.long


def test_the_text_has_65_characters(shakespeare):
    assert shakespeare.tokenizer.vocab_size == 65


def test_unknown_character_is_named_with_position_and_vocabulary():
    with pytest.raises(UnknownCharacterError) as error:
        CharTokenizer("abc").encode("abcabéa")
    message = str(error.value)
    assert "'é' (U+00E9)" in message
    assert "position 5" in message
    assert "'abc'" in message


@pytest.mark.parametrize("bad", [-1, 3, 99])
def test_id_out_of_range_is_named(bad):
    with pytest.raises(ValueError, match=rf"id {bad} at position 1 is outside 0 … 2"):
        CharTokenizer("abc").decode([0, bad])


def test_decode_refuses_a_batch():
    with pytest.raises(ValueError, match=r"got shape \(2, 3\)"):
        CharTokenizer("abc").decode(torch.zeros(2, 3, dtype=torch.long))


def test_empty_and_ambiguous_vocabularies_are_refused():
    with pytest.raises(ValueError, match="empty"):
        CharTokenizer("")
    with pytest.raises(ValueError, match=r"\['b'\] more than once"):
        CharTokenizer("abcb")


@pytest.mark.parametrize("bad", ["", "nonsense", "[1]", '{"vocabulary": 3}', '{"vocab": "abc"}'])
def test_json_that_is_no_tokenizer_is_refused(bad):
    with pytest.raises(ValueError, match="not a tokenizer"):
        CharTokenizer.from_json(bad)
