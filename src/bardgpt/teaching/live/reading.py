"""What the characters of a text cost a model of the book, and where its heads looked.

A text is read as after a line's end, so that its first character has a cost, too; and with the
windows that the browser reads with (`book/_live/engine/neural.js`).
"""

from dataclasses import dataclass
from itertools import groupby

import torch
import torch.nn.functional as F
from torch import Tensor

from bardgpt import pretrained
from bardgpt.gpt import GPT
from bardgpt.lab.count_tables import CountTable
from bardgpt.lab.probes.attention import attention_maps
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching.live.models import LiveModel

BEGINNING = "\n"
SMALL = 16  # up to this window, each character is read from as many as the model may see


@dataclass(frozen=True)
class Looks:
    """Where the heads looked when one character was expected.

    Attributes:
        seen: the characters that they could see, the oldest first.
        weights: (L, nh, T) for each block and head, one weight for each of those.
        window: characters that they can see at most.
    """

    seen: str
    weights: Tensor
    window: int


def costs(model: LiveModel, text: str) -> list[float]:
    """-ln p of every character of a text, in nats.

    Raises:
        UnknownCharacterError: if the text has a character that the models have never seen.
    """
    if not text:
        return []
    ids = shakespeare().tokenizer.encode(BEGINNING + text)
    if model.folder is None:
        book = shakespeare()
        table = CountTable(book.train, model.context, book.tokenizer.vocab_size)
        return table.losses(ids).tolist()
    gpt, _ = pretrained.load_from(model.folder)
    return losses(gpt, ids)


@torch.no_grad()
def losses(model: GPT, ids: Tensor) -> list[float]:
    """-ln p of every id but the first. ids: (N,)."""
    n, block_size = len(ids) - 1, model.config.block_size
    found = []
    for start, positions in groupby(range(n), key=lambda j: window_start(j, block_size)):
        js = list(positions)
        logits = model(ids[None, start : js[-1] + 1])[0, js[0] - start :]  # (len(js), V)
        found += F.cross_entropy(logits, ids[js[0] + 1 : js[-1] + 2], reduction="none").tolist()
    return found


def window_start(j: int, block_size: int) -> int:
    """Where the window begins from which the character after position j is predicted.

    A small window slides. Of a large one that is full the last half begins the next, as when a text
    is written (`bardgpt.sampling.stream`).
    """
    if j < block_size:
        return 0
    if block_size <= SMALL:
        return j + 1 - block_size
    step = block_size - block_size // 2
    return step * ((j - block_size) // step + 1)


def looks(model: LiveModel, text: str, at: int) -> Looks:
    """Where the heads of a model looked when it expected the character at a place in a text.

    Raises:
        ValueError: if the model has no heads.
    """
    if model.folder is None:
        raise ValueError("a count table has no heads")
    gpt, tokenizer = pretrained.load_from(model.folder)
    ids = tokenizer.encode(BEGINNING + text)
    start = window_start(at, gpt.config.block_size)
    window = ids[start : at + 1]
    maps = attention_maps(gpt, window[None])  # (L, 1, nh, T, T)
    return Looks(tokenizer.decode(window.tolist()), maps[:, 0, :, -1], gpt.config.block_size)
