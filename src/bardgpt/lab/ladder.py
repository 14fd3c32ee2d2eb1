"""The ladder: one small model that gains one piece a chapter, always on the same text.

A rung is nothing but a config. What each gave over five seeds is in its record.
"""

from dataclasses import fields, replace
from typing import NamedTuple

from bardgpt import records
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.corpus import VOCAB_SIZE

BIGRAM = GPTConfig(vocab_size=VOCAB_SIZE, n_layer=0, positions=False)
ONE_HEAD = GPTConfig(vocab_size=VOCAB_SIZE, n_head=1)
FOUR_HEADS = replace(ONE_HEAD, n_head=4)
FEED_FORWARD = replace(FOUR_HEADS, feed_forward="one-layer")
PLAIN_BLOCKS = replace(FEED_FORWARD, n_layer=3, projection=True, feed_forward="two-layer")
RESIDUAL = replace(PLAIN_BLOCKS, block="residual")
POST_NORM = replace(RESIDUAL, block="post-norm")
PRE_NORM = replace(POST_NORM, block="pre-norm", final_norm=True)
# How every rung is trained, and what it is asked.
RUN = TrainingConfig(steps=5_000)
SEEDS = (0, 1, 2, 3, 4)
LIVE_STEPS = 1_000  # how far a chapter trains while you read
PROMPT = "ROMEO:"  # what every model of the book is asked to continue
SAMPLE_LENGTH = 5_000  # characters; long enough that the share of known words settles to 1 or 2 %
PIECE = 500  # characters that a record keeps of a sample: so long is what is compared


class Rung(NamedTuple):
    """One step of the ladder.

    Attributes:
        config: the model.
        title: how figures and text call it.
        chapter: the number of the chapter that climbs it.
        lecture: the validation loss that the lecture reports for as many steps, in nats per
            character, from batches that it drew at random: a mark to compare with, no measurement
            of ours (`book/references.md`, ng-video-lecture). None where it shows no such model.
    """

    config: GPTConfig
    title: str
    chapter: int
    lecture: float | None


RUNGS = {
    "bigram": Rung(BIGRAM, "bigram model", 1, 2.5),
    "one-head": Rung(ONE_HEAD, "one head of 32", 2, 2.40),
    "four-heads": Rung(FOUR_HEADS, "four heads of 8", 3, 2.28),
    "feed-forward": Rung(FEED_FORWARD, "feed-forward", 4, 2.24),
    "plain-blocks": Rung(PLAIN_BLOCKS, "three plain blocks", 5, None),
    "residual": Rung(RESIDUAL, "residual connections", 5, 2.08),
    "post-norm": Rung(POST_NORM, "layer norm after the addition", 6, None),
    "pre-norm": Rung(PRE_NORM, "layer norm before the branch", 7, 2.06),
}

# What others report, as `book/references.md` has it.
LECTURE_FULL = 1.48  # the lecture, for the full model
NANOGPT = 1.4697  # nanoGPT's page, for its near twin, at best


def climbed(last: str = "pre-norm") -> dict[str, tuple[list[float], float | None]]:
    """What the rungs gave, from the lowest up to one, as their records have it.

    Returns:
        By title, the final validation loss of each run and what the lecture reports, if it does.

    Raises:
        ValueError: if there is no such rung.
    """
    names = list(RUNGS)
    return {
        RUNGS[name].title: (records.load(name).validation, RUNGS[name].lecture)
        for name in names[: names.index(last) + 1]
    }


def config_diff(before: GPTConfig | TrainingConfig, after: GPTConfig | TrainingConfig) -> list[str]:
    """What changes from one config to another of its kind: a line for each field, in their order.

    >>> config_diff(ONE_HEAD, FOUR_HEADS)
    ['n_head: 1 → 4']
    """
    values = ((field.name, getattr(before, field.name)) for field in fields(before))
    return [
        f"{name}: {old} → {getattr(after, name)}"
        for name, old in values
        if old != getattr(after, name)
    ]
