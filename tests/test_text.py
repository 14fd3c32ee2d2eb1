"""A text, encoded and split: on ten characters, by hand."""

import pytest

from bardgpt.text import Text
from bardgpt.tokenizer import CharTokenizer, UnknownCharacterError


def test_a_text_is_encoded_by_its_own_characters_and_split_after_nine_tenths():
    text = Text.of("banana ban")
    assert text.tokenizer.vocabulary == " abn"
    assert text.train.tolist() == [2, 1, 3, 1, 3, 1, 0, 2, 1]
    assert text.validation.tolist() == [3]


def test_a_models_tokenizer_can_read_another_text():
    """Ids are the model's, also where the text lacks some of its characters."""
    tokenizer = CharTokenizer(" abnz")
    text = Text.of("zanana ban", tokenizer)
    assert text.tokenizer is tokenizer
    assert text.train.tolist() == [4, 1, 3, 1, 3, 1, 0, 2, 1]
    with pytest.raises(UnknownCharacterError, match="'q'"):
        Text.of("quince", tokenizer)


def test_nothing_is_no_text():
    with pytest.raises(ValueError, match="vocabulary is empty"):
        Text.of("")


def test_the_books_text_is_that_of_its_corpus(shakespeare):
    assert isinstance(shakespeare, Text)
    assert (len(shakespeare.train), len(shakespeare.validation)) == (1_003_854, 111_540)
