"""Records made up by hand, with numbers that tell where they come from.

A test writes them into a folder that stands in for `bardgpt/recorded` (the fixture `folder`), and
says in full what must be made of them.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

from bardgpt.config import GPTConfig, TrainingConfig

MODEL = dataclasses.asdict(GPTConfig(vocab_size=65))
MADE = {"machine": "a made-up machine", "seconds": 1.0}


def three(least: float, step: float) -> list[float]:
    """Twice one value and once a larger one, so that mean, median, first and least tell apart.

    Their mean is `least + step`, their standard deviation √3 steps.
    """
    return [least, least, least + 3 * step]


def record(
    *lasts: float,
    steps: int = 1_000,
    batches: list[float] | None = None,
    probes: dict[str, dict[int, list[dict[str, Any]]]] | None = None,
    model: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The record of an experiment.

    Args:
        lasts: the final validation loss of each run. Halfway it is 1 nat above, at the start 2.
        steps: of each run.
        batches: the mean loss of each run's last training batches; 1 nat below `lasts` if not
            given.
        probes: by probe and by step, what each run gives.
        model: fields in which the model is another than `MODEL`.
    """
    training = dataclasses.asdict(TrainingConfig(steps=steps, evaluate_every=steps // 2))
    del training["seed"]
    return {
        "experiment": {
            "model": MODEL | (model or {}),
            "training": training,
            "seeds": [*range(len(lasts))],
        },
        "made": MADE,
        "runs": [
            {
                "seed": seed,
                "samples": {},
                "probes": {
                    probe: {str(step): of_runs[seed] for step, of_runs in by_step.items()}
                    for probe, by_step in (probes or {}).items()
                },
                "history": {
                    "step": [0, steps // 2, steps],
                    "train": [None, last + 0.5, batches[seed] if batches else last - 1],
                    "validation": [last + 2, last + 1, last],
                },
            }
            for seed, last in enumerate(lasts)
        ],
    }


def sweep(variants: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The record of a sweep, from the record of each variant."""
    return {
        "experiment": {name: one["experiment"] for name, one in variants.items()},
        "made": MADE,
        "variants": {name: {"runs": one["runs"]} for name, one in variants.items()},
    }


def starts(variants: dict[str, dict[str, list[list[float]]]]) -> dict[str, Any]:
    """The record "starts": by variant and quantity, the profile by depth of each run."""
    return {
        "variants": {
            name: {
                "runs": [
                    {"stream": dict(zip(of, profiles, strict=True))}
                    for profiles in zip(*of.values(), strict=True)
                ]
            }
            for name, of in variants.items()
        }
    }


def tables(*losses: float) -> dict[str, Any]:
    """The record "count-tables": the validation loss with 0, 1, … characters of context."""
    return {
        "tables": [
            {"context": context, "train": loss - 1, "validation": loss, "text": "all by itself"}
            for context, loss in enumerate(losses)
        ]
    }


def write(folder: Path, **contents: dict[str, Any]) -> None:
    """Write records; an underscore in a keyword is a hyphen in the file's name."""
    for name, content in contents.items():
        file = folder / f"{name.replace('_', '-')}.json"
        file.write_text(json.dumps(content), encoding="utf-8")


def write_full(folder: Path, *, step: int = 1_500, seconds: float = 3_600, **results: Any) -> None:
    """Write the full model's record: what its last step was, and what was measured."""
    (folder / "sprint").mkdir()
    training = dataclasses.asdict(TrainingConfig(steps=step))
    lines = [
        {"step": step // 2, "characters": 4_000 * step, "validation": 9.0, "seconds": seconds / 2},
        {"step": step, "characters": 8_000 * step, "validation": 8.0, "seconds": seconds},
    ]
    for name, content in (
        ("config.json", json.dumps({"model": MODEL, "training": training})),
        ("metrics.jsonl", "".join(f"{json.dumps(line)}\n" for line in lines)),
        ("record.json", json.dumps({"made": MADE, "validation": 7.0, **results})),
    ):
        (folder / "sprint" / name).write_text(content, encoding="utf-8")
