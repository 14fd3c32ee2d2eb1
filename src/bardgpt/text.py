"""A text as a model takes it: encoded, and split into what it learns from and what judges it."""

from typing import NamedTuple, Self

from torch import Tensor

from bardgpt.batches import split
from bardgpt.tokenizer import CharTokenizer


class Text(NamedTuple):
    """A text, encoded and split.

    Attributes:
        tokenizer: of its characters.
        train: (int(0.9 * N),) ids, the first 90 %.
        validation: the other ids, the last 10 %.
    """

    tokenizer: CharTokenizer
    train: Tensor
    validation: Tensor

    @classmethod
    def of(cls, characters: str, tokenizer: CharTokenizer | None = None) -> Self:
        """Encode and split N characters.

        Args:
            characters: the text as it is read.
            tokenizer: of the model that is to read it; the text's own if none is given.

        Raises:
            UnknownCharacterError: if the given tokenizer lacks one of the characters.
            ValueError: if the text is empty.
        """
        if tokenizer is None:
            tokenizer = CharTokenizer.from_text(characters)
        return cls(tokenizer, *split(tokenizer.encode(characters)))
