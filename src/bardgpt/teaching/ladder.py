"""The ladder: one small model that gains one piece a chapter, always on the same text.

A rung is nothing but a config. What each gave over five seeds is in its record.
"""

from functools import cache
from typing import NamedTuple

from torch import Tensor

from bardgpt import corpus
from bardgpt.batches import split
from bardgpt.config import GPTConfig
from bardgpt.tokenizer import CharTokenizer

VOCAB_SIZE = 65  # of Tiny Shakespeare; `corpus` guarantees the text

RUNGS = {
    "bigram": GPTConfig(vocab_size=VOCAB_SIZE, n_layer=0, positions=False),
    "one-head": GPTConfig(vocab_size=VOCAB_SIZE, n_head=1),
    "four-heads": GPTConfig(vocab_size=VOCAB_SIZE, n_head=4),
}

# How figures and text call them.
TITLES = {"bigram": "bigram model", "one-head": "one head of 32", "four-heads": "four heads of 8"}

# What the lecture reports for the same steps, in nats per character, from batches that it drew at
# random: a mark to compare with, no measurement of ours (`book/references.md`, ng-video-lecture).
LECTURE = {"bigram": 2.5, "one-head": 2.40, "four-heads": 2.28}


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
