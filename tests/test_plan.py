"""How a machine trains the full model: decisions, messages and times, also of absent machines."""

import dataclasses
from pathlib import Path

import pytest
import torch
from planned import SMALL, planned

from bardgpt.config import ConfigError
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.lab import plan as module
from bardgpt.lab.plan import OutOfMemoryError
from bardgpt.presets import PRESETS
from bardgpt.shakespeare import shakespeare
from bardgpt.training.devices import Facts
from bardgpt.training.trainer import Trainer

T4 = Facts(cuda=True, capability=(7, 5), gpu="Tesla T4")
A100 = Facts(cuda=True, capability=(8, 0), gpu="A100")


@pytest.fixture
def small(monkeypatch):
    return planned(monkeypatch)


# What a machine should do.


@pytest.mark.parametrize(
    ("machine", "device", "precision", "words"),
    [
        (T4, "cuda", "float16", "Tesla T4"),
        (A100, "cuda", "bfloat16", "A100"),
        (Facts(mps=True), "mps", "float32", "Apple GPU"),
    ],
)
def test_a_gpu_trains_the_whole_run(machine, device, precision, words):
    plan = module.plan(machine, "sprint")
    assert (plan.device, plan.precision, plan.whole) == (device, precision, True)
    assert plan.preset == PRESETS["sprint"]
    for word in (words, "1,500 steps", "32 windows", precision):
        assert word in plan.message


@pytest.mark.parametrize("bfloat16", [False, True])
def test_a_processor_trains_the_beginning_of_the_same_model(bfloat16):
    plan = module.plan(Facts(cpu_bfloat16=bfloat16), "sprint")
    assert plan.device == "cpu"
    assert not plan.whole
    assert plan.preset.model == PRESETS["sprint"].model
    assert plan.preset.training.steps * plan.preset.training.batch_size < 100
    # What nbval compares must not depend on the processor.
    assert plan.message == module.plan(Facts(), "sprint").message
    assert "record" in plan.message


def test_no_such_preset():
    with pytest.raises(KeyError, match="huge"):
        module.plan(T4, "huge")


# Its folder.


def test_a_run_lives_on_drive_if_that_is_mounted(tmp_path):
    plan = module.plan(T4, "sprint")
    assert module.run_folder(plan, tmp_path / "nowhere") == Path("runs/sprint")
    assert module.run_folder(plan, tmp_path) == tmp_path / "bardgpt/sprint"


def test_another_batch_is_another_run(tmp_path):
    plan = module.with_batch(module.plan(T4, "sprint"), 16)
    assert module.run_folder(plan, tmp_path / "nowhere") == Path("runs/sprint-16-windows")
    assert "16 windows" in plan.message


# Its memory.


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    ],
)
def test_a_full_memory_says_what_to_do(error):
    plan = module.plan(T4, "sprint")
    with pytest.raises(OutOfMemoryError) as raised, module.memory_explained(plan):
        raise error
    said = str(raised.value)
    assert "32 windows of 256 characters" in said
    remedy = next(line for line in said.splitlines() if line.startswith("    "))
    namespace = {"scaling": module, "plan": plan}
    exec(remedy.strip(), namespace)  # what the message says can be pasted
    assert namespace["plan"].preset.training.batch_size == 16


def test_other_errors_pass():
    with (
        pytest.raises(RuntimeError, match="shapes"),
        module.memory_explained(module.plan(T4, "sprint")),
    ):
        raise RuntimeError("shapes do not match")


def test_one_window_cannot_be_halved():
    plan = module.with_batch(module.plan(T4, "sprint"), 1)
    assert "with_batch" not in module.out_of_memory(plan.preset)
    with pytest.raises(ConfigError, match="batch_size=0"):
        module.with_batch(plan, 0)


def test_memory_is_explained_where_it_runs_out(small, monkeypatch):
    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(GPT, "forward", full)
    with pytest.raises(OutOfMemoryError, match="2 windows of 7 characters"):
        module.time_steps(small)


# Its time.


def test_timing_takes_what_it_says_and_leaves_the_run_alone(small, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    steps = []
    real = module.Trainer.advance
    monkeypatch.setattr(module.Trainer, "advance", lambda t: (steps.append(t.step), real(t)))
    assert module.time_steps(small) > 0
    assert len(steps) == 20 + 3
    assert list(tmp_path.iterdir()) == []


def test_a_beginning_times_a_step_of_the_whole_run(monkeypatch):
    made = []

    class Stub:
        def __init__(self, current):
            made.append(current.preset)

        def advance(self):
            made.append("step")

    monkeypatch.setattr(module, "_trainer", Stub)
    assert module.time_steps(module.plan(Facts(), "sprint")) > 0
    assert made == [PRESETS["sprint"], "step", "step"]


def test_whole_run_is_steps_and_evaluations(small):
    """6 steps of 14 characters, and 3 evaluations of 500, at a third of a step's work each."""
    expected = (6 * 14 + 500) / 14
    assert module.whole_run_seconds(1.0, small) == pytest.approx(expected)


def test_a_beginning_reckons_the_whole_preset():
    """1,500 steps of 32 windows of 256; 11 evaluations of 111,540 characters, a third each."""
    seconds = module.whole_run_seconds(2.0, module.plan(Facts(), "sprint"))
    training = PRESETS["sprint"].training
    assert (training.steps, training.evaluate_every) == (1_500, 150)
    assert seconds == pytest.approx(2 * (1_500 + 11 * 111_540 / 3 / (32 * 256)))


@pytest.mark.parametrize(("whole", "seconds"), [(True, 2.0), (False, 40.0)])
def test_seconds_are_those_of_one_step(small, monkeypatch, whole, seconds):
    """40 for the work that is timed: of a whole plan 20 steps, of a beginning one."""
    steps, counted = [], []
    monkeypatch.setattr(module.Trainer, "advance", lambda trainer: steps.append(trainer.config))

    def timed(work, device):
        warm = len(steps)
        work()
        counted.append((warm, len(steps) - warm, device))
        return 40.0

    monkeypatch.setattr(module, "timed", timed)
    current = dataclasses.replace(small, whole=whole)
    assert module.time_steps(current) == seconds
    assert counted == [(3, 20, "cpu") if whole else (1, 1, "cpu")]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_short_run_by_hand(monkeypatch, precision):
    """Of a seed that is no default: its weights, its windows, judged on the validation text."""
    monkeypatch.setattr(module, "SHORT_JUDGED", 300)
    preset = dataclasses.replace(SMALL, training=dataclasses.replace(SMALL.training, seed=5))
    finished = module.short_run(module.Plan("sprint", preset, "cpu", precision, False, ""))
    text = shakespeare()
    torch.manual_seed(5)
    trainer = Trainer(GPT(SMALL.model), text.train, preset.training, precision=precision)
    before = evaluate(trainer.model, text.validation[:300])
    for _ in range(6):
        trainer.advance()
    after = evaluate(trainer.model, text.validation[:300])
    assert finished.validation == (before, after)
    assert abs(after - evaluate(trainer.model, text.train[:300])) > 1e-3
    for p, expected in zip(finished.model.parameters(), trainer.model.parameters(), strict=True):
        assert torch.equal(p, expected)
