"""Characters as tokens: text -> ids -> text.

A language model does not see letters, it sees whole numbers. Here each character is one token and
its id is its rank in the sorted vocabulary: no merges, no special tokens, nothing to train.
"""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

MOST_SHOWN = 200  # characters of a vocabulary in an error


class UnknownCharacterError(ValueError):
    """A character that the vocabulary does not hold; says which, where, and what is allowed."""


@dataclass(frozen=True)
class CharTokenizer:
    """A bijection between the characters of a vocabulary and the ids 0 … V - 1.

    Attributes:
        vocabulary: the characters, each once; a character's id is its index.

    Raises:
        ValueError: if the vocabulary is empty or holds a character twice.
    """

    vocabulary: str

    def __post_init__(self) -> None:
        if not self.vocabulary:
            raise ValueError("the vocabulary is empty: a tokenizer needs at least one character")
        twice = sorted(c for c, times in Counter(self.vocabulary).items() if times > 1)
        if twice:
            raise ValueError(
                f"the vocabulary holds {twice[:10]} more than once, so decoding would be "
                "ambiguous; build it with CharTokenizer.from_text"
            )

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The tokenizer of a text: its distinct characters, in code-point order."""
        return cls("".join(sorted(set(text))))

    @property
    def vocab_size(self) -> int:
        """V, the number of different tokens."""
        return len(self.vocabulary)

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {character: i for i, character in enumerate(self.vocabulary)}

    def encode(self, text: str) -> Tensor:
        """Ids of a text's characters.

        Returns:
            (T,) int64, one id for each of the T characters.

        Raises:
            UnknownCharacterError: names the first character that is not in the vocabulary, its
                position and the vocabulary.
        """
        try:
            return torch.tensor([self._ids[character] for character in text], dtype=torch.long)
        except KeyError as error:
            character, shown = error.args[0], self.vocabulary[:MOST_SHOWN]
            more = " and so on" if len(shown) < self.vocab_size else ""
            raise UnknownCharacterError(
                f"character {character!r} (U+{ord(character):04X}) at position "
                f"{text.index(character)} is not among the {self.vocab_size} of the vocabulary: "
                f"{shown!r}{more}"
            ) from None

    def decode(self, ids: Tensor | Iterable[int]) -> str:
        """The text of some ids, a (T,) tensor or any iterable of ints.

        Raises:
            ValueError: if an id is not in 0 … V - 1 (a negative one would silently count from the
                end), or the tensor has more than one dimension.
        """
        if isinstance(ids, Tensor):
            if ids.dim() != 1:
                raise ValueError(f"decode takes one sequence (T,), got shape {tuple(ids.shape)}")
            ids = ids.tolist()
        ids = list(ids)
        for position, i in enumerate(ids):
            if not 0 <= i < self.vocab_size:
                raise ValueError(
                    f"id {i} at position {position} is outside 0 … {self.vocab_size - 1}"
                )
        return "".join(self.vocabulary[i] for i in ids)

    def to_json(self) -> str:
        """The tokenizer as JSON; `from_json` reads it back."""
        return json.dumps({"vocabulary": self.vocabulary})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The tokenizer that `to_json` wrote.

        Raises:
            ValueError: if the text is not such JSON.
        """
        try:
            fields = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"not a tokenizer: {error}") from None
        if not isinstance(fields, dict) or not isinstance(fields.get("vocabulary"), str):
            raise ValueError(f'not a tokenizer: expected {{"vocabulary": "…"}}, got {text[:60]!r}')
        return cls(fields["vocabulary"])
