"""What full runs gave: read from the JSON files of `bardgpt.recorded`, never typed into the text.

`make experiments` writes them; chapters, figures and checks read them through `load`.
"""

import json
import statistics
from dataclasses import dataclass
from importlib import resources
from typing import Any, Self

from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.training.loop import History

FOLDER = resources.files("bardgpt") / "recorded"


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
            ValueError: with fewer than three, whose spread says next to nothing.
        """
        if len(values) < 3:
            raise ValueError(f"{len(values)} runs give no spread; a band needs at least 3")
        return cls(statistics.fmean(values), statistics.stdev(values), len(values))

    def __str__(self) -> str:
        return f"{self.mean:.3f} ± {self.sd:.3f} ({self.n} runs)"


@dataclass(frozen=True)
class Record:
    """One experiment: the same model trained from several seeds.

    Attributes:
        name: its file's name without the ending.
        model: the architecture.
        training: the run, but for the seed.
        seeds: one for each run.
        histories: one for each run.
        train: final loss on the whole training split, one for each run.
        samples: for each length of training, the text statistics of each run.
        heads: for each length of training from 0 on, how much the heads of each run differ; empty
            for a model with fewer than two.
        made: machine, versions, commit and seconds.
    """

    name: str
    model: GPTConfig
    training: TrainingConfig
    seeds: list[int]
    histories: list[History]
    train: list[float]
    samples: dict[int, list[dict[str, float]]]
    heads: dict[int, list[dict[str, float]]]
    made: dict[str, Any]

    def band(self, step: int | None = None) -> Band:
        """Validation loss over the seeds after `step` steps, or at the end, in nats per character.

        Raises:
            KeyError: if the runs were not evaluated there.
        """
        step = self.training.steps if step is None else step
        return Band.of([history.at(step) for history in self.histories])

    def band_on_training_text(self) -> Band:
        """Final loss on the whole training split over the seeds, in nats per character."""
        return Band.of(self.train)

    def head_bands(self, step: int) -> dict[str, Band]:
        """Each spread of the heads over the seeds, after `step` steps."""
        return bands(self.heads[step])

    def sample_bands(self, step: int) -> dict[str, Band]:
        """Each text statistic over the seeds, of samples drawn after `step` steps."""
        return bands(self.samples[step])


def gain(before: Record, after: Record) -> Band:
    """How much lower the second record's final validation loss is, seed by seed.

    Raises:
        ValueError: if the two were not run from the same seeds.
    """
    if before.seeds != after.seeds:
        raise ValueError(f"{before.name} has seeds {before.seeds}, {after.name} {after.seeds}")
    pairs = zip(before.histories, after.histories, strict=True)
    return Band.of([old.validation[-1] - new.validation[-1] for old, new in pairs])


def bands(runs: list[dict[str, float]]) -> dict[str, Band]:
    """One band for each quantity that all the runs name."""
    return {name: Band.of([run[name] for run in runs]) for name in runs[0]}


def read(name: str) -> dict[str, Any]:
    """A record as it stands in its file.

    Raises:
        FileNotFoundError: if there is none of that name; says which there are.
    """
    file = FOLDER / f"{name}.json"
    if not file.is_file():
        there = sorted(f.name.removesuffix(".json") for f in FOLDER.iterdir())
        raise FileNotFoundError(
            f"no record {name!r}; there are {[n for n in there if not n.startswith('_')]}. "
            "`make experiments` writes them"
        )
    return json.loads(file.read_text(encoding="utf-8"))


def load(name: str) -> Record:
    """The record of a trained model.

    Raises:
        FileNotFoundError: if there is none of that name.
    """
    content = read(name)
    experiment, runs = content["experiment"], content["runs"]
    return Record(
        name=name,
        model=GPTConfig.from_json(json.dumps(experiment["model"])),
        training=TrainingConfig.from_json(json.dumps(experiment["training"])),
        seeds=experiment["seeds"],
        histories=[History(**run["history"]) for run in runs],
        train=[run["train"] for run in runs],
        samples=_by_step(runs, "samples"),
        heads=_by_step(runs, "heads"),
        made=content["made"],
    )


def _by_step(runs: list[dict[str, Any]], part: str) -> dict[int, list[dict[str, float]]]:
    return {int(step): [run[part][step] for run in runs] for step in runs[0][part]}
