"""The run of the full model whose weights come with the package."""

import json
from dataclasses import dataclass
from typing import Any

from bardgpt import files
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.records.band import Band, bands


@dataclass(frozen=True)
class FullRecord:
    """The run of the full model whose weights come with the package (`make record`).

    Attributes:
        model: the architecture.
        training: the run.
        metrics: its log, a line for each reading (`bardgpt.training.run`).
        results: what was measured of the packed weights (`bardgpt.lab.makers.full_record`).
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


def full() -> FullRecord:
    """The record of the full model.

    Raises:
        FileNotFoundError: if it is not there; `make record` writes it.
    """
    folder = files.RECORDED / "sprint"

    def content(name: str) -> str:
        return (folder / name).read_text(encoding="utf-8")

    about = json.loads(content("config.json"))
    return FullRecord(
        GPTConfig.from_json(json.dumps(about["model"])),
        TrainingConfig.from_json(json.dumps(about["training"])),
        [json.loads(line) for line in content("metrics.jsonl").splitlines()],
        json.loads(content("record.json")),
    )
