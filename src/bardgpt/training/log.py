"""The log of a run: a line for each reading, in memory and on disk."""

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bardgpt.files import named, write_whole

MOST = 1e300  # of any number in a line; below it is a float, and has a logarithm


def is_line(values: object) -> bool:
    """Whether something that was read is a line of a log: what it must have, and of which kind."""
    if not isinstance(values, dict):
        return False
    counts = [values.get(name) for name in ("step", "characters")]
    numbers = [values[name] for name in ("seconds", "train", "validation") if name in values]
    return (
        all(type(x) is int and 0 <= x < MOST for x in counts)  # a bool is an int, but no count
        and all(type(x) in (int, float) and abs(x) < MOST for x in numbers)
        and "seconds" in values
    )


class Log:
    """The metrics, in memory and on disk.

    The file is appended to, which costs little, so a reader may meet half a line at its end. A
    checkpoint has the lines too: when a run goes on, those of lost steps are gone.
    """

    def __init__(self, lines: list[dict[str, Any]] | None = None) -> None:
        self.lines = lines or []
        self.file: Path | None = None
        self.watch: Callable[[dict[str, Any]], None] | None = None
        self.started = time.monotonic() - (self.lines[-1]["seconds"] if self.lines else 0.0)

    @property
    def step(self) -> int:
        """The last step that has a line; -1 before the first."""
        return self.lines[-1]["step"] if self.lines else -1

    @property
    def best(self) -> float:
        """The lowest validation loss so far."""
        return min((x["validation"] for x in self.lines if "validation" in x), default=math.inf)

    def write_to(self, file: Path, watch: Callable[[dict[str, Any]], None] | None) -> None:
        """From now on keep a file, and call `watch`, with each line; with those so far at once."""
        write_whole(file, "".join(map(_as_json, self.lines)).encode())
        self.file, self.watch = file, watch
        if watch is not None:
            for line in self.lines:
                watch(line)

    def add(self, line: dict[str, Any]) -> None:
        """Take a line, with the seconds since the run began."""
        line["seconds"] = round(time.monotonic() - self.started, 2)
        self.lines.append(line)
        if self.file is not None:
            with named(self.file), self.file.open("a", encoding="utf-8") as file:
                file.write(_as_json(line))
        if self.watch is not None:
            self.watch(line)

    def status(self) -> str:
        """The last losses in a few words, and characters a second between the last two lines."""
        parts = []
        for name in ("train", "validation"):
            losses = [line[name] for line in self.lines if name in line]
            parts += [f"{name} {loss:.3f}" for loss in losses[-1:]]
        if len(self.lines) > 1:
            before, line = self.lines[-2:]
            seconds = max(line["seconds"] - before["seconds"], 0.01)  # as exact as they are kept
            parts.append(
                f"{(line['characters'] - before['characters']) / seconds:,.0f} characters/s"
            )
        return ", ".join(parts)

    def state(self) -> dict[str, Any]:
        """What `Log` takes to go on."""
        return {"lines": self.lines}


def _as_json(line: dict[str, Any]) -> str:
    return json.dumps(line) + "\n"
