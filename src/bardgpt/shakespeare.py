"""Tiny Shakespeare as the book uses it: encoded and split, once in a process."""

from functools import cache

from bardgpt import corpus
from bardgpt.text import Text


@cache
def shakespeare() -> Text:
    """Tiny Shakespeare: 65 characters, 1,003,854 to train on and 111,540 to validate on.

    Raises:
        CorpusError: if the text cannot be had (`bardgpt.corpus.load`).
    """
    return Text.of(corpus.load())
