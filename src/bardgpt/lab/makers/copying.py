"""One more kind of experiment: attention alone on a toy task (`bardgpt.lab.copying`)."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bardgpt.lab.copying import Copying, judge, train
from bardgpt.lab.ladder import SEEDS


@dataclass(frozen=True)
class Copyings:
    """Several toys, each trained from several seeds, by name."""

    toys: Mapping[str, Copying]
    seeds: tuple[int, ...] = SEEDS

    def parts(self) -> list[tuple[str, int]]:
        """Each toy's name with each seed."""
        return [(name, seed) for name in self.toys for seed in self.seeds]

    def run(self, part: tuple[str, int]) -> dict[str, Any]:
        """Train and judge."""
        name, seed = part
        toy = self.toys[name]
        return judge(train(toy, seed), toy)

    def definition(self) -> dict[str, Any]:
        """The toys and the seeds."""
        toys = {name: dataclasses.asdict(toy) for name, toy in self.toys.items()}
        return {"toys": toys, "seeds": list(self.seeds)}

    def results(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """The runs, dealt out to their toys."""
        n = len(self.seeds)
        return {"toys": {name: runs[i * n : (i + 1) * n] for i, name in enumerate(self.toys)}}

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """The losses of each toy."""
        return {
            f"{name}: loss": [run["loss"] for run in runs] for name, runs in record["toys"].items()
        }
