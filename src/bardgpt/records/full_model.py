"""Runs of the full model: the one whose weights come with the package, and the notes' own."""

import json
from dataclasses import dataclass
from typing import Any

from bardgpt import files
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.records.band import Band, bands


@dataclass(frozen=True)
class FullRecord:
    """A run of the full model.

    Attributes:
        model: the architecture.
        training: the run.
        metrics: its log, a line for each reading (`bardgpt.training.run`).
        results: what was measured of its weights; of the packed ones (`lab.makers.full_record`)
            more than of the notes' run (`lab.makers.notes_run`), which may be unfinished.
    """

    model: GPTConfig
    training: TrainingConfig
    metrics: list[dict[str, Any]]
    results: dict[str, Any]

    @property
    def validation(self) -> float:
        """Loss of the packed weights on the whole validation split, in nats per character."""
        return self.results["validation of the packed weights"]

    @property
    def train(self) -> float:
        """Loss of the packed weights on the whole training split, in nats per character."""
        return self.results["train"]

    @property
    def hours(self) -> float:
        """How long the run took."""
        return self.metrics[-1]["seconds"] / 3_600

    def short_run(self) -> Band:
        """Loss after chapter 9's short run on a processor, over seeds."""
        return Band.of(self.results["short run"])

    def form(self, of: str) -> dict[str, Band]:
        """Each number of `likeness.form` over equally long pieces: of "full", a rung, a table."""
        return bands(self.results["form"][of])

    def pieces(self) -> dict[str, Band]:
        """The text statistics of samples as long as the one that chapter 9 draws."""
        return bands(self.results["pieces"])

    def habits(self, of: str) -> dict[str, Band]:
        """Each share of `likeness.habits` over pieces: of "full" or "real text"."""
        return bands(self.results["habits"][of])


def full(preset: str = "sprint") -> FullRecord:
    """The record of a run of the full model.

    Args:
        preset: "sprint", whose weights come with the package (`make record`), or "full", the notes'
            own run, which has losses and two samples alone (`make notes-run`).

    Raises:
        FileNotFoundError: if it is not there.
    """
    folder = files.RECORDED / preset

    def content(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    about = json.loads(content("config.json"))
    return FullRecord(
        GPTConfig.from_json(json.dumps(about["model"])),
        TrainingConfig.from_json(json.dumps(about["training"])),
        [json.loads(line) for line in content("metrics.jsonl").splitlines()],
        json.loads(content("record.json")),
    )
