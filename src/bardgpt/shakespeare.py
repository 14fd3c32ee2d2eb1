"""Tiny Shakespeare as the book uses it: encoded, and split once in a process."""

from functools import cache
from typing import NamedTuple

from torch import Tensor

from bardgpt import corpus
from bardgpt.batches import split
from bardgpt.tokenizer import CharTokenizer


class Shakespeare(NamedTuple):
    """The text as chapters use it.

    Attributes:
        tokenizer: of its 65 characters.
        train: (1003854,) ids, the first 90 %.
        validation: (111540,) ids, the last 10 %.
    """

    tokenizer: CharTokenizer
    train: Tensor
    validation: Tensor


@cache
def shakespeare() -> Shakespeare:
    """Tiny Shakespeare, encoded and split; read once in a process.

    Raises:
        CorpusError: if the text cannot be had (`bardgpt.corpus.load`).
    """
    text = corpus.load()
    tokenizer = CharTokenizer.from_text(text)
    return Shakespeare(tokenizer, *split(tokenizer.encode(text)))
