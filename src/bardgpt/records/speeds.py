"""What `make bench` measured: read from `recorded/bench.json`, compared turn by turn.

A machine is not always equally busy. So two ways to do the same work are compared within one turn,
in which they ran one after the other, and a `Spread` says what all the turns gave.
"""

import json
import os
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bardgpt.records.content import read


@dataclass(frozen=True)
class Spread:
    """One quantity over the turns of a bench.

    Attributes:
        median: over the turns.
        least: of all turns.
        most: of all turns.
    """

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: list[float]) -> Self:
        """The spread of some turns' values.

        Raises:
            ValueError: without any.
        """
        if not values:
            raise ValueError("no turns, no spread")
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f} to {self.most:.2f})"


@dataclass(frozen=True)
class Speeds:
    """One run of the bench, on one machine.

    Attributes:
        device: where it ran.
        threads: that computed, on a processor.
        characters: in a training step.
        flops: of a training step, in all matrix products, forward and backward.
        peak: the best operations a second of a large matrix product, by precision.
        steps: seconds of a training step, by case and turn.
        precisions: by case.
        bytes: the most memory that a training step took, by case; None where nobody could say.
        length: characters that were sampled.
        samples: seconds of a sample, by case and turn.
        made: machine, versions, commit and seconds.
    """

    device: str
    threads: int
    characters: int
    flops: int
    peak: dict[str, float]
    steps: dict[str, list[float]]
    precisions: dict[str, str]
    bytes: dict[str, int | None]
    length: int
    samples: dict[str, list[float]]
    made: dict[str, Any]

    @property
    def turns(self) -> int:
        """Turns in which every case took its time once."""
        return len(next(iter(self.steps.values())))

    def per_second(self, case: str) -> Spread:
        """Characters a second, in training or in sampling.

        Raises:
            KeyError: if there is no such case.
        """
        many = self.characters if case in self.steps else self.length
        return Spread.of([many / seconds for seconds in self._seconds(case)])

    def times(self, case: str, than: str) -> Spread:
        """How many times faster one case is than another, within a turn.

        Raises:
            KeyError: if there is no such case.
        """
        pairs = zip(self._seconds(than), self._seconds(case), strict=True)
        return Spread.of([slow / fast for slow, fast in pairs])

    def share_of_peak(self, case: str) -> Spread:
        """A training step's operations a second, over the best of its precision.

        All cases are credited with the same operations, those of the list of heads, which computes
        the future's half of the weights too: what counts is the work done, not the way.
        """
        best = self.peak[self.precisions[case]]
        return Spread.of([self.flops / seconds / best for seconds in self.steps[case]])

    def _seconds(self, case: str) -> list[float]:
        known = self.steps | self.samples
        if case not in known:
            raise KeyError(f"no case {case!r}; there are {list(known)}")
        return known[case]


def load(file: str | os.PathLike[str] | None = None) -> Speeds:
    """The committed run of the bench, or one in another file.

    Raises:
        FileNotFoundError: if there is none; `make bench` writes it.
    """
    if file is None:
        return Speeds(**read("bench"))
    return Speeds(**json.loads(Path(file).read_text(encoding="utf-8")))
