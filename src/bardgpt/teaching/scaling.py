"""Chapter 9: what the full model costs, how this machine trains it, and what came out."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from bardgpt import records
from bardgpt.lab.cost import Cost, cost, one_at_a_time
from bardgpt.lab.ladder import LECTURE_FULL
from bardgpt.lab.plan import (
    Finished,
    OutOfMemoryError,
    Plan,
    memory_explained,
    out_of_memory,
    plan,
    run_folder,
    short_run,
    time_steps,
    whole_run_seconds,
    with_batch,
)
from bardgpt.presets import Preset
from bardgpt.teaching import checks, figures
from bardgpt.teaching.table import Table, table
from bardgpt.training.run import train_in_folder

__all__ = [
    "Cost",
    "Finished",
    "LiveCurve",
    "OutOfMemoryError",
    "Plan",
    "cost",
    "cost_table",
    "in_words",
    "one_at_a_time",
    "out_of_memory",
    "plan",
    "report",
    "run_folder",
    "say_time",
    "time_steps",
    "to_beat",
    "train",
    "with_batch",
]

REDRAW_SECONDS = 5.0


def cost_table(stages: dict[str, Preset]) -> Table:
    """What each stage costs, and how many times the operations of the one before.

    As few and as short columns as fit beside each other where a page is 1280 pixels wide.
    """
    costs = {name: cost(preset) for name, preset in stages.items()}
    befores = [next(iter(costs.values())), *costs.values()]
    rows = {}
    for before, (name, now) in zip(befores, costs.items(), strict=False):
        rows[name] = [
            f"{now.parameters:,}",
            f"{now.flops / 1e9:,.2f}",
            f"{now.flops / before.flops:.3g}",
            f"{now.state / 2**20:,.1f}",
            f"{now.kept / 2**20:,.1f}",
        ]
    heads = ["parameters", "GFLOP", "times", "state, MiB", "kept, MiB"]
    return table("change", heads, rows)


def say_time(seconds: float, current: Plan) -> None:
    """Tell how long the whole run will take, or would."""
    whole = whole_run_seconds(seconds, current)
    if not (math.isfinite(whole) and whole > 0):
        raise ValueError(f"a run cannot take {whole} seconds")
    if current.whole:
        print(f"{seconds:.3f} s a step; the whole run will take about {in_words(whole)}.")
    else:
        print(f"the whole run on this machine, in hours\n  your run: {whole / 3600:.1f}")


def in_words(seconds: float) -> str:
    """A length of time as one says it."""
    if seconds < 100:
        return f"{seconds:.0f} seconds"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"


def train(
    current: Plan,
    folder: Path | None = None,
    show: Callable[..., Any] | None = None,
) -> Finished:
    """Do what was planned. A whole run goes on where one in its folder stopped.

    Args:
        current: the plan.
        folder: of the run; `run_folder` of the plan if not given.
        show: IPython's `display`, to draw the curve while a whole run goes on; none draws nothing.

    Raises:
        OutOfMemoryError: if a step does not fit.
        RunError: if the folder holds another run, or another process trains there.
    """
    with memory_explained(current):
        if not current.whole:
            return short_run(current)
        curve = None if show is None else LiveCurve(current.preset.training.steps, show)
        done = train_in_folder(
            run_folder(current) if folder is None else folder,
            current.preset,
            device=current.device,
            precision=current.precision,
            watch=curve,
        )
    losses = [line["validation"] for line in done.metrics if "validation" in line]
    return Finished(done.model, (losses[0], losses[-1]))


def to_beat() -> dict[str, float]:
    """Validation losses to compare the full model's with, by name."""
    return {
        "best count table": records.best_table()["validation"],
        "the lecture's": LECTURE_FULL,
    }


def report(current: Plan, finished: Finished) -> None:
    """Print your run beside the record, and assert what it must bear out.

    Raises:
        AssertionError: if the run does not bear it out.
    """
    tables = records.tables()
    record = records.full()
    if not current.whole:
        checks.measured(
            f"the full model's loss after {current.preset.training.steps} small steps",
            finished.validation[1],
            record.short_run(),
            below=tables[0]["validation"],
        )
        return
    best_table = records.best_table()["validation"]
    print(f"validation loss, in nats per character\n  your run: {finished.validation[1]:.4f}")
    print(f"  recorded: {record.validation:.4f} (preset 'sprint')")
    if not finished.validation[1] < best_table:
        raise AssertionError(f"not below the best count table's {best_table:.3f}")


class LiveCurve:
    """The losses of a run, drawn again every few seconds while it goes on.

    To be given to `bardgpt.training.run` as its `watch`.
    """

    def __init__(self, steps: int, show: Callable[..., Any]) -> None:
        """Start empty.

        Args:
            steps: of the whole run.
            show: as IPython's `display`: called as `show(figure, display_id=True)`, it returns
                something whose `update` takes the next figure.
        """
        self.steps, self.show = steps, show
        self.lines: list[dict[str, Any]] = []
        self.place: Any = None
        self.drawn = -math.inf

    def __call__(self, line: dict[str, Any]) -> None:
        """Take a line of metrics; draw if there is something new to see."""
        self.lines.append(line)
        new = "validation" in line or line["seconds"] - self.drawn >= REDRAW_SECONDS
        if not new or "train" not in line:
            return
        self.drawn = line["seconds"]
        if self.place is None:
            self.place = self.show(self.figure(), display_id=True)
        else:
            self.place.update(self.figure())

    def figure(self) -> Figure:
        """The curve so far."""
        return figures.full_run(self.lines, self.steps, to_beat())
