"""Runs that learned next to nothing, counted over a sweep."""

from collections.abc import Mapping

from bardgpt import records
from bardgpt.records.record import Record

NEAR = 0.1  # nats: what ends less than this below the characters' frequencies is stuck
CASES = {
    "3-default": "3 blocks",
    "12-default": "12 blocks",
    "12-xavier": "12 blocks with Xavier's initialization",
}


def letters_frequencies() -> float:
    """The loss of whoever knows only how frequent each character is."""
    return records.tables()[0]["validation"]


def stuck(sweep: Mapping[str, Record], start: str) -> tuple[int, int]:
    """How many runs are stuck or lost, and how many there are, of the settings so named."""
    runs = [run for name in sweep if name.startswith(start) for run in sweep[name].histories]
    limit = letters_frequencies() - NEAR
    return sum(run.validation[-1] > limit for run in runs), len(runs)


def of(counts: tuple[int, int]) -> str:
    """In words."""
    return f"{counts[0]} of {counts[1]}"
