"""What presets make of texts of four sizes, as `recorded/own-texts.json` has it."""

from dataclasses import dataclass
from typing import Any

from bardgpt.records.content import read


@dataclass(frozen=True)
class Fit:
    """What a preset made of a text.

    Attributes:
        log: the readings of the run at which the validation loss was taken, in order: each has
            "step", "validation", and after the first step "train" and "seconds".
        copies: by weights, "best" and "last": characters of the longest piece of a sample that
            stands in the training text as it is.
        texts: by weights: the samples.
    """

    log: list[dict[str, Any]]
    copies: dict[str, int]
    texts: dict[str, str]

    @property
    def best(self) -> dict[str, Any]:
        """The reading with the lowest validation loss; its weights are kept as the best."""
        return min(self.log, key=lambda line: line["validation"])

    @property
    def last(self) -> dict[str, Any]:
        """The reading after the last step."""
        return self.log[-1]


@dataclass(frozen=True)
class OwnText:
    """A text, and what there is to compare on it.

    Attributes:
        characters: N, in the whole text.
        vocabulary: different characters.
        tables: validation losses of count tables with 0, 1, … characters of context, in nats.
        fits: by preset.
    """

    characters: int
    vocabulary: int
    tables: list[float]
    fits: dict[str, Fit]

    @property
    def best_context(self) -> int:
        """Characters of context of the count table with the lowest loss."""
        return min(range(len(self.tables)), key=self.tables.__getitem__)


def own_texts() -> dict[str, OwnText]:
    """The texts by name, smallest first.

    Raises:
        FileNotFoundError: if the record is not there; `bardgpt.lab.makers.own_texts` makes it.
    """
    return {
        name: OwnText(
            row["characters"],
            row["vocabulary"],
            row["tables"],
            {preset: _fit(row["presets"][preset]) for preset in row["presets"]},
        )
        for name, row in read("own-texts")["texts"].items()
    }


def _fit(kept: dict[str, Any]) -> Fit:
    written = kept["written"]
    return Fit(
        kept["log"],
        {weights: written[weights]["longest copy"] for weights in written},
        {weights: written[weights]["text"] for weights in written},
    )
