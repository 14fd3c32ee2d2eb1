"""What full runs gave: read from the JSON files of `bardgpt.recorded`, never typed into the text.

`make experiments` writes them; chapters, figures and checks read them through `load`.
"""

import json
import math
from dataclasses import dataclass
from typing import Any

from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.records.band import Band, bands, by_depth
from bardgpt.records.content import read
from bardgpt.training.loop import History


@dataclass(frozen=True)
class Record:
    """One experiment: the same model trained from several seeds.

    Attributes:
        name: its file's name without the ending.
        model: the architecture.
        training: the run, but for the seed.
        seeds: one for each run.
        histories: one for each run; one that was lost, for its loss was no number any more, has
            an infinite validation loss all along.
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

    @property
    def validation(self) -> list[float]:
        """Final loss on the whole validation split, one for each run."""
        return [history.at(self.training.steps) for history in self.histories]

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

    def profiles(self, probe: str, quantity: str) -> dict[int, list[Band]]:
        """One of the lists that a probe gives, by depth, at every step at which it looked."""
        return {step: self.profile(probe, quantity, step) for step in self.probed(probe)}

    def probe_runs(self, probe: str, quantity: str) -> list[dict[int, Any]]:
        """One of the numbers or lists that a probe gives, for each run by step."""
        return [
            {step: runs[i][quantity] for step, runs in self.probes[probe].items()}
            for i in range(len(self.seeds))
        ]

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
        variant: _record(variant, content["experiment"][variant], part["runs"], content["made"])
        for variant, part in content["variants"].items()
    }


def runs_at_start(variant: str, quantity: str) -> list[list[float]]:
    """Sizes by depth before the first step, for each run of record "starts".

    Args:
        variant: size, block and initialization, as in "full-pre-norm-normal".
        quantity: of `bardgpt.lab.probes.stream_statistics`.

    Raises:
        KeyError: if there is no such variant or quantity.
    """
    variants = read("starts")["variants"]
    if variant not in variants:
        raise KeyError(f"no variant {variant!r}; there are {sorted(variants)}")
    return [run["stream"][quantity] for run in variants[variant]["runs"]]


def at_start(variant: str, quantity: str) -> list[Band]:
    """The same over the seeds."""
    return by_depth(runs_at_start(variant, quantity))


def _record(name: str, experiment: dict[str, Any], runs: list[dict[str, Any]], made: Any) -> Record:
    return Record(
        name=name,
        model=GPTConfig.from_json(json.dumps(experiment["model"])),
        training=TrainingConfig.from_json(json.dumps(experiment["training"])),
        seeds=experiment["seeds"],
        histories=[_history(run["history"]) for run in runs],
        train=[run["train"] for run in runs if "train" in run],
        samples=_by_step([run["samples"] for run in runs]),
        probes={
            probe: _by_step([run["probes"][probe] for run in runs]) for probe in runs[0]["probes"]
        },
        made=made,
    )


def _history(kept: dict[str, Any]) -> History:
    losses = [math.inf if loss is None else loss for loss in kept["validation"]]
    return History(kept["step"], kept["train"], losses)


def _by_step(runs: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    return {int(step): [run[step] for run in runs] for step in runs[0]}
