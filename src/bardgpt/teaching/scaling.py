"""Chapter 9: what the full model costs, and how this machine trains it.

What to do is decided by pure functions from a machine's facts, so that tests can drive the way of
a GPU where there is none.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from bardgpt.batches import require_window
from bardgpt.config import PRESETS, Preset
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT, next_character_loss
from bardgpt.teaching import bench, checks, figures, records
from bardgpt.teaching.ladder import shakespeare
from bardgpt.training import devices
from bardgpt.training.devices import DeviceName, Facts, Precision
from bardgpt.training.run import run
from bardgpt.training.trainer import Trainer

# A processor shows the beginning: so few steps with so few windows, after so short a warm-up.
SHORT = {"steps": 12, "batch_size": 4, "warmup": 4}
SHORT_JUDGED = 4_097  # characters of the validation text that the short run is judged on
TIMED_STEPS = 20
DRIVE = Path("/content/drive/MyDrive")  # where Colab shows Google Drive, once it is mounted
REDRAW_SECONDS = 5.0


class OutOfMemoryError(RuntimeError):
    """A device whose memory is too small for a step; says what to do."""


# --- what a model costs ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Cost:
    """What one training step of a model takes.

    Attributes:
        parameters: numbers that are learned.
        flops: floating-point operations of a step, in all matrix products.
        characters: that a step learns from.
        state: bytes of weights, gradients and AdamW's two averages, four float32 numbers each.
        kept: bytes that the forward pass keeps for the backward pass.
    """

    parameters: int
    flops: int
    characters: int
    state: int
    kept: int


def cost(preset: Preset) -> Cost:
    """The cost of a training step, counted on shapes alone, with the list of heads in float32."""
    model, B = replace(preset.model, fused=False), preset.training.batch_size
    with torch.device("meta"):
        counted = GPT(model)
    n = counted.n_parameters()
    return Cost(
        n, bench.flops(model, B), B * model.block_size, 4 * 4 * n, kept_for_backward(counted, B)
    )


def kept_for_backward(model: GPT, batch_size: int) -> int:
    """Bytes that a forward pass in training keeps, besides the weights, each tensor once.

    model: on the "meta" device, which has shapes and no numbers.
    """
    weights = {id(p) for p in model.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        if id(tensor) not in weights:
            kept[tensor.untyped_storage()._cdata] = tensor  # alive, or its place is given away
        return tensor

    ids = torch.zeros(  # (B, T)
        batch_size, model.config.block_size, dtype=torch.int64, device="meta"
    )
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        next_character_loss(model.train()(ids), ids)
    return sum(tensor.untyped_storage().nbytes() for tensor in kept.values())


def one_at_a_time() -> dict[str, Preset]:
    """From the last small rung to the notes' model, a change after the other, by its name."""
    small, full = PRESETS["tiny"], PRESETS["full"]
    stages = {"the small model": small}
    for part, field in (
        ("training", "batch_size"),
        ("model", "block_size"),
        ("model", "n_embd"),
        ("model", "n_head"),
        ("model", "n_layer"),
        ("model", "dropout"),
        ("training", "learning_rate"),
    ):
        last = list(stages.values())[-1]
        value = getattr(getattr(full, part), field)
        changed = replace(getattr(last, part), **{field: value})
        stages[f"{field} {value}"] = replace(last, **{part: changed})
    return stages


# --- what this machine does -----------------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """How this machine trains the full model.

    Attributes:
        name: of the preset.
        preset: model and training as they will be run.
        device: where.
        precision: of the matrix products.
        whole: whether it is the whole run, or only its beginning.
        message: what to tell the reader.
    """

    name: str
    preset: Preset
    device: DeviceName
    precision: Precision
    whole: bool
    message: str


def plan(machine: Facts, name: str | None = None) -> Plan:
    """What this machine should do: the whole run on a GPU, a few steps without one.

    Args:
        machine: its facts.
        name: of the preset; "sprint" if none is given, or "full" if this PyTorch lacks Muon.

    Raises:
        KeyError: if there is no such preset.
    """
    if name is None:
        name = "sprint" if hasattr(torch.optim, "Muon") else "full"
    preset = PRESETS[name]
    device = devices.choose_device(machine)
    precision = devices.choose_precision(machine, device)
    if device == "cpu":
        beginning = replace(preset, training=replace(preset.training, **SHORT))
        message = (
            f"No GPU here. You will train the same model for {SHORT['steps']} steps with "
            f"{SHORT['batch_size']} windows\neach; the whole run is read from its record."
        )
        return Plan(name, beginning, device, precision, False, message)
    gpu = machine.gpu or "Apple GPU"
    return Plan(name, preset, device, precision, True, f"{gpu}: {_whole(name, preset, precision)}")


def _whole(name: str, preset: Preset, precision: str) -> str:
    steps, B = preset.training.steps, preset.training.batch_size
    return f"the whole run {name!r}, {steps:,} steps with {B} windows each, in {precision}."


def with_batch(before: Plan, batch_size: int) -> Plan:
    """The same plan with fewer windows in a step, for a GPU with less memory.

    Raises:
        ConfigError: if it is less than one.
    """
    preset = replace(before.preset, training=replace(before.preset.training, batch_size=batch_size))
    message = f"On {before.device}: {_whole(before.name, preset, before.precision)}"
    return replace(before, preset=preset, message=message)


@contextmanager
def memory_explained(current: Plan) -> Iterator[None]:
    """Turn a device's complaint about its memory into one that says what to do.

    Raises:
        OutOfMemoryError: in place of the device's own error.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise OutOfMemoryError(out_of_memory(current.preset)) from None


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device ran out of memory; each kind says it in its own way."""
    said = str(error).lower()
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(
        words in said for words in ("out of memory", "can't allocate memory", "not enough memory")
    )


def out_of_memory(preset: Preset) -> str:
    """What to do when a step does not fit."""
    B, T = preset.training.batch_size, preset.model.block_size
    found = f"The memory is too small for {B} windows of {T} characters in a step."
    if B == 1:
        return f"{found} One is the fewest: close what else uses this device, or take another."
    return (
        f"{found}\nClose other notebooks that use this device. If that is not enough, take fewer:\n"
        f"    plan = scaling.with_batch(plan, {B // 2})\n"
        "and run the cells from here again. The result will differ from the record's."
    )


def time_steps(current: Plan, steps: int = TIMED_STEPS, warm: int = 3) -> float:
    """Seconds of a step of the whole run, over some steps after a few that do not count.

    The model is a throw-away one: the run starts from its own first step. Without a GPU it is one
    step after one. It has all windows of the whole run, for the optimizer's own work is the same
    with few: reckoned from the planned beginning, it would count several times.

    Raises:
        OutOfMemoryError: if a step does not fit.
    """
    if not current.whole:
        current, steps, warm = replace(current, preset=PRESETS[current.name]), 1, 1
    with memory_explained(current):
        trainer = _trainer(current)

        def work(n: int) -> None:
            for _ in range(n):
                trainer.advance()

        work(warm)
        return bench.timed(lambda: work(steps), current.device) / steps


def whole_run_seconds(seconds: float, current: Plan) -> float:
    """About how long the whole run takes, evaluations included.

    Args:
        seconds: of a step of the whole run (`time_steps`).
        current: the plan; if it is only a beginning, the whole preset's steps are reckoned.
    """
    preset = current.preset if current.whole else PRESETS[current.name]
    training = preset.training
    characters = training.batch_size * preset.model.block_size  # of a step
    evaluations = math.ceil(training.steps / training.evaluate_every) + 1
    # A forward pass is about a third of a step, which goes backward too.
    judged = evaluations * len(shakespeare().validation) / 3
    return seconds * (training.steps + judged / characters)


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


def run_folder(current: Plan, drive: Path = DRIVE) -> Path:
    """Where a run is kept: on Google Drive if that is mounted, else in `runs`, where we are.

    A plan with another number of windows is another run, and has a folder of its own.
    """
    B = current.preset.training.batch_size
    another = "" if B == PRESETS[current.name].training.batch_size else f"-{B}-windows"
    base = drive / "bardgpt" if drive.is_dir() else Path("runs")
    return base / f"{current.name}{another}"


# --- the run --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finished:
    """What a planned run gave.

    Attributes:
        model: with the weights after the last step.
        validation: before the first step and after the last, in nats per character.
    """

    model: GPT
    validation: tuple[float, float]


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
        done = run(
            run_folder(current) if folder is None else folder,
            current.preset,
            device=current.device,
            precision=current.precision,
            watch=curve,
        )
    losses = [line["validation"] for line in done.metrics if "validation" in line]
    return Finished(done.model, (losses[0], losses[-1]))


def short_run(current: Plan) -> Finished:
    """A few steps of the full model, judged on the first characters of the validation text."""
    trainer = _trainer(current)
    judged = shakespeare().validation[:SHORT_JUDGED].to(current.device)
    require_window(judged, trainer.model.config.block_size)
    before = evaluate(trainer.model, judged)
    for _ in tqdm(range(current.preset.training.steps), desc="training", leave=False):
        trainer.advance()
    trainer.read_losses()  # which also asks whether all is finite
    return Finished(trainer.model, (before, evaluate(trainer.model, judged)))


def _trainer(current: Plan) -> Trainer:
    torch.manual_seed(current.preset.training.seed)
    model = GPT(current.preset.model).to(current.device)
    model.train()
    text = shakespeare()
    return Trainer(model, text.train, current.preset.training, precision=current.precision)


def report(current: Plan, finished: Finished) -> None:
    """Print your run beside the record, and assert what it must bear out.

    Raises:
        AssertionError: if the run does not bear it out.
    """
    tables = records.read("count-tables")["tables"]
    record = records.full()
    if not current.whole:
        checks.measured(
            f"the full model's loss after {current.preset.training.steps} small steps",
            finished.validation[1],
            record.short_run(),
            below=tables[0]["validation"],
        )
        return
    best_table = min(table["validation"] for table in tables)
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
        return figures.full_run(self.lines, self.steps)


def table(stages: dict[str, Preset]) -> str:
    """The cost of each stage, to be read."""
    lines = [f"{'':22}{'parameters':>12}{'GFLOP a step':>14}{'state':>11}{'kept':>12}"]
    for name, preset in stages.items():
        n, flops, _, state, kept = dataclasses.astuple(cost(preset))
        lines.append(
            f"{name:22}{n:12,}{flops / 1e9:14,.2f}{state / 2**20:7,.1f} MiB{kept / 2**20:8,.1f} MiB"
        )
    return "\n".join(lines)
