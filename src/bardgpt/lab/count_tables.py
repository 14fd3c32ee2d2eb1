"""The yardstick: next-character probabilities by counting, with 0 to 5 characters of context.

No network, no training, no seed: these tables are closed form. Each book chapter asks what it takes
to beat them.

Shapes: N ids in a text, V = vocab_size.
"""

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from bardgpt.tokenizer import CharTokenizer

BEST_CONTEXT = 4  # characters of the table with the lowest loss: a fifth is seen too seldom


@dataclass(frozen=True)
class _Counts:
    """All sequences of k + 1 characters of a text, with what is needed to look one up.

    A sequence is written as one whole number, its characters being the digits in base V; the same
    number without its last digit is the context.

    Attributes:
        sequences: (S,) the distinct sequences, ascending.
        counts: (S,) how often each occurs.
        contexts: (K,) the distinct contexts, ascending.
        totals: (K,) how often each context is followed by anything.
        followers: (K,) how many different characters follow it.
    """

    sequences: Tensor
    counts: Tensor
    contexts: Tensor
    totals: Tensor
    followers: Tensor

    @classmethod
    def of(cls, ids: Tensor, k: int, vocab_size: int) -> Self:
        sequences, counts = _numbers(ids, k, vocab_size).unique(return_counts=True)
        contexts, place, followers = (sequences // vocab_size).unique(
            return_inverse=True, return_counts=True
        )
        totals = torch.zeros_like(contexts).index_add(0, place, counts)
        return cls(sequences, counts, contexts, totals, followers)

    def interpolate(self, sequences: Tensor, vocab_size: int, shorter: Tensor) -> Tensor:
        """Mix the counts with what a context shorter by one says; where never seen, keep that.

        sequences: (M,) numbers to look up; shorter: (M,) probabilities. Returns (M,).
        """
        count, _ = _look_up(self.sequences, self.counts, sequences)
        total, seen = _look_up(self.contexts, self.totals, sequences // vocab_size)
        followers, _ = _look_up(self.contexts, self.followers, sequences // vocab_size)
        mixed = (count + followers * shorter) / (total + followers).clamp(min=1)
        return torch.where(seen, mixed, shorter)


class CountTable:
    r"""P(next character | the last k characters), smoothed by Witten and Bell's rule.

    Let n(h, c) be how often c follows the context h, n(h) how often anything does, d(h) how many
    different characters have followed it, and h' the context without its oldest character. Then

        p(c | h) = (n(h, c) + d(h) p(c | h')) / (n(h) + d(h)),

    and p(c | h) = p(c | h') where h was never seen. Below the empty context lies the uniform 1 / V.
    So d(h) is the weight of "something new": a context with many different followers expects more.

    Source: Witten and Bell 1991 (doi:10.1109/18.87000), method C, interpolated as in Chen and
    Goodman 1999 (doi:10.1006/csla.1999.0128), §2.5.

    Args:
        ids: (N,) the text to count in.
        context: k, characters of context.
        vocab_size: V, different characters.

    Raises:
        ValueError: if the context is negative, or so long that a sequence exceeds 63 bits.
    """

    def __init__(self, ids: Tensor, context: int, vocab_size: int) -> None:
        if context < 0 or vocab_size ** (context + 1) >= 2**63:
            raise ValueError(
                f"context is {context}; with {vocab_size} characters it must be at least 0, and "
                f"{vocab_size} ** (context + 1) must fit into 63 bits"
            )
        self.context = context
        self.vocab_size = vocab_size
        self._levels = [_Counts.of(ids, k, vocab_size) for k in range(context + 1)]

    def losses_by_context(self, ids: Tensor) -> Tensor:
        """-ln p of every character of a text but the first, by tables of 0, 1, … k characters.

        The first few characters have fewer than k before them, and use what they have.

        Args:
            ids: (N,).

        Returns:
            (k + 1, N - 1) float64, nats; N - 1 is the number of targets that a model is judged on.
        """
        p = torch.full((len(ids) - 1,), 1 / self.vocab_size, dtype=torch.float64)
        rows = []
        for k, level in enumerate(self._levels):
            first = max(k, 1)  # the first target that has k characters before it
            sequences = _numbers(ids[first - k :], k, self.vocab_size)  # (N - first,)
            p[first - 1 :] = level.interpolate(sequences, self.vocab_size, p[first - 1 :])
            rows.append(-p.log())
        return torch.stack(rows)

    def losses(self, ids: Tensor) -> Tensor:
        """-ln p of every character but the first, by the whole table: (N,) -> (N - 1,), nats."""
        return self.losses_by_context(ids)[-1]

    def losses_in_windows(self, ids: Tensor, block_size: int) -> Tensor:
        """`losses` of one who sees no more than a model: nothing from before a window's start.

        Args:
            ids: (N,).
            block_size: T, of neighbouring windows, as the model is judged.

        Returns:
            (N - 1,) float64, nats.
        """
        by_context = self.losses_by_context(ids)  # (k + 1, N - 1)
        seen = (torch.arange(len(ids) - 1) % block_size + 1).clamp(max=self.context)  # (N - 1,)
        return by_context.gather(0, seen[None])[0]

    def probabilities(self, context: Tensor) -> Tensor:
        """The distribution of the next character after a context of any length.

        Args:
            context: (T,) ids; of these, the last k count.

        Returns:
            (V,) float64, summing to 1.
        """
        p = torch.full((self.vocab_size,), 1 / self.vocab_size, dtype=torch.float64)
        number = 0
        for k, level in enumerate(self._levels[: len(context) + 1]):
            if k:  # one more digit in front: the character k places back
                number += int(context[-k]) * self.vocab_size ** (k - 1)
            sequences = number * self.vocab_size + torch.arange(self.vocab_size)  # (V,)
            p = level.interpolate(sequences, self.vocab_size, p)
        return p

    def generate(self, ids: Tensor, length: int, generator: torch.Generator) -> Tensor:
        """Continue a sequence by drawing from the table.

        Args:
            ids: (T,) the prompt; may be empty.
            length: characters to add.
            generator: the source of randomness.

        Returns:
            (length,) the new ids.
        """
        start = len(ids)
        ids = torch.cat([ids, ids.new_empty(length)])
        for i in range(start, len(ids)):
            context = ids[max(0, i - self.context) : i]
            ids[i] = torch.multinomial(self.probabilities(context), 1, generator=generator)
        return ids[start:]

    def sample(
        self, tokenizer: CharTokenizer, *, prompt: str = "\n", length: int, seed: int
    ) -> str:
        """Text from the table: `generate`, with characters instead of ids.

        Args:
            tokenizer: of the text that was counted.
            prompt: what the text begins with.
            length: characters to add.
            seed: same seed, same text.

        Returns:
            The new characters, without the prompt.
        """
        generator = torch.Generator().manual_seed(seed)
        return tokenizer.decode(self.generate(tokenizer.encode(prompt), length, generator))


def _numbers(ids: Tensor, k: int, vocab_size: int) -> Tensor:
    """Each run of k + 1 neighbouring ids as one number: (N,) -> (N - k,)."""
    number = torch.zeros(max(len(ids) - k, 0), dtype=torch.long)
    for digit in range(k + 1):
        number = number * vocab_size + ids[digit : len(ids) - k + digit]
    return number


def _look_up(keys: Tensor, values: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """For each wanted key its value, or 0 where it is absent; and whether it is there."""
    place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
    there = keys[place] == wanted
    return torch.where(there, values[place], 0), there
