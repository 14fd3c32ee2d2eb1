"""One quantity over repeated runs: a mean and its spread."""

import math
import statistics
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Band:
    """One quantity over repeated runs.

    Attributes:
        mean: over the runs.
        sd: sample standard deviation (n - 1).
        n: runs.
    """

    mean: float
    sd: float
    n: int

    @classmethod
    def of(cls, values: list[float]) -> Self:
        """The band of some runs' values.

        Raises:
            ValueError: with fewer than three, whose spread says next to nothing; with one that is
                not finite, which leaves no mean.
        """
        if len(values) < 3:
            raise ValueError(f"{len(values)} runs give no spread; a band needs at least 3")
        if not all(map(math.isfinite, values)):
            raise ValueError(f"{values}: what is not finite leaves no mean; count such runs")
        return cls(statistics.fmean(values), statistics.stdev(values), len(values))

    def __str__(self) -> str:
        return f"{self.short} ({self.n} runs)"

    @property
    def short(self) -> str:
        """Mean and spread alone, for a table that says once how many runs there were."""
        return f"{self.mean:.3f} ± {self.sd:.3f}"


def bands(runs: list[dict[str, float]]) -> dict[str, Band]:
    """One band for each quantity that all the runs name."""
    return {name: Band.of([run[name] for run in runs]) for name in runs[0]}


def by_depth(runs: list[list[float]]) -> list[Band]:
    """One band for each place of lists of equal length, a list for each run."""
    return [Band.of(list(values)) for values in zip(*runs, strict=True)]
