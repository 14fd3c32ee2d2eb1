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
        train: final loss on the whole training split, one for each run; empty for a sweep's.
        samples: for each length of training, the text statistics of each run; empty for a sweep's.
        probes: by probe and by step, what each run gave: a number by name, or a list of numbers by
            depth.
        made: machine, versions, commit and seconds.
    """

    name: str
    model: GPTConfig
    training: TrainingConfig
    seeds: list[int]
    histories: list[History]
    train: list[float]
    samples: dict[int, list[dict[str, float]]]
    probes: dict[str, dict[int, list[dict[str, Any]]]]
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

    def probed(self, probe: str) -> list[int]:
        """The steps at which a probe looked."""
        return list(self.probes[probe])

    def probe_bands(self, probe: str, step: int) -> dict[str, Band]:
        """Each number that a probe gives, over the seeds, after `step` steps."""
        return bands(self.probes[probe][step])

    def profile(self, probe: str, quantity: str, step: int) -> list[Band]:
        """One of the lists that a probe gives, by depth, over the seeds, after `step` steps."""
        return by_depth([run[quantity] for run in self.probes[probe][step]])

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


def ensemble_lags(record: Record, quantity: str = "loss") -> list[Band]:
    """How much an ensemble's loss lies above that of the model at test time, seed by seed.

    Args:
        record: with the probe "ensemble".
        quantity: "loss" or "geometric loss".

    Returns:
        A band for each number of masks.
    """
    runs = record.probes["ensemble"][record.training.steps]
    return by_depth([[loss - run["test-time loss"][0] for loss in run[quantity]] for run in runs])


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
    return _record(name, content["experiment"], content["runs"], content["made"])


def load_sweep(name: str) -> dict[str, Record]:
    """The records of a sweep over trained models, by variant.

    Raises:
        FileNotFoundError: if there is none of that name.
    """
    content = read(name)
    return {
        variant: _record(variant, content["experiment"][variant], found["runs"], content["made"])
        for variant, found in content["variants"].items()
    }


def at_start(variant: str, quantity: str) -> list[Band]:
    """Sizes by depth before the first step, over the seeds: of record "starts".

    Args:
        variant: size, block and initialization, as in "full-pre-norm-normal".
        quantity: of `bardgpt.teaching.probes.stream_statistics`.

    Raises:
        KeyError: if there is no such variant or quantity.
    """
    variants = read("starts")["variants"]
    if variant not in variants:
        raise KeyError(f"no variant {variant!r}; there are {sorted(variants)}")
    return by_depth([run["stream"][quantity] for run in variants[variant]["runs"]])


@dataclass(frozen=True)
class FullRecord:
    """The run of the full model whose weights come with the package (`make record`).

    Attributes:
        model: the architecture.
        training: the run.
        metrics: its log, a line for each reading (`bardgpt.training.run`).
        found: what was measured of the packed weights (`bardgpt.teaching.full_record`).
    """

    model: GPTConfig
    training: TrainingConfig
    metrics: list[dict[str, Any]]
    found: dict[str, Any]

    @property
    def validation(self) -> float:
        """Loss of the packed weights on the whole validation split, in nats per character."""
        return self.found["validation of the packed weights"]

    @property
    def train(self) -> float:
        """The same on the whole training split."""
        return self.found["train"]

    @property
    def hours(self) -> float:
        """How long the run took."""
        return self.metrics[-1]["seconds"] / 3_600

    def short_run(self) -> Band:
        """Loss after chapter 9's short run on a processor, over seeds."""
        return Band.of(self.found["short run"])

    def form(self, of: str) -> dict[str, Band]:
        """Each number of `plays.form` over equally long pieces: of "full", a rung, a table."""
        return bands(self.found["form"][of])

    def pieces(self) -> dict[str, Band]:
        """The text statistics of samples as long as the one that chapter 9 draws."""
        return bands(self.found["pieces"])

    def habits(self, of: str) -> dict[str, Band]:
        """Each share of `plays.habits` over pieces: of "full" or "real text"."""
        return bands(self.found["habits"][of])


def full() -> FullRecord:
    """The record of the full model.

    Raises:
        FileNotFoundError: if it is not there; `make record` writes it.
    """
    folder = FOLDER / "sprint"

    def content(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    about = json.loads(content("config.json"))
    return FullRecord(
        GPTConfig.from_json(json.dumps(about["model"])),
        TrainingConfig.from_json(json.dumps(about["training"])),
        [json.loads(line) for line in content("metrics.jsonl").splitlines()],
        json.loads(content("record.json")),
    )


def by_depth(runs: list[list[float]]) -> list[Band]:
    """One band for each place of lists of equal length, a list for each run."""
    return [Band.of(list(values)) for values in zip(*runs, strict=True)]


def _record(name: str, experiment: dict[str, Any], runs: list[dict[str, Any]], made: Any) -> Record:
    return Record(
        name=name,
        model=GPTConfig.from_json(json.dumps(experiment["model"])),
        training=TrainingConfig.from_json(json.dumps(experiment["training"])),
        seeds=experiment["seeds"],
        histories=[History(**run["history"]) for run in runs],
        train=[run["train"] for run in runs if "train" in run],
        samples=_by_step([run["samples"] for run in runs]),
        probes={
            probe: _by_step([run["probes"][probe] for run in runs]) for probe in runs[0]["probes"]
        },
        made=made,
    )


def _by_step(runs: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    return {int(step): [run[step] for run in runs] for step in runs[0]}
