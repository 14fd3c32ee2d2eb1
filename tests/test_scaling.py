"""Chapter 9's decisions, costs and messages, also those of machines that are not here."""

import dataclasses
import json
from pathlib import Path

import jupytext
import pytest
import torch

from bardgpt import records
from bardgpt.config import ConfigError, GPTConfig, TrainingConfig
from bardgpt.gpt import GPT
from bardgpt.lab import cost, plan
from bardgpt.lab.plan import OutOfMemoryError, Plan
from bardgpt.presets import PRESETS, Preset
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching import scaling
from bardgpt.teaching.scaling import LiveCurve
from bardgpt.training.devices import Facts
from bardgpt.training.folder import RunError

ROOT = Path(__file__).resolve().parents[1]
T4 = Facts(cuda=True, capability=(7, 5), gpu="Tesla T4")
A100 = Facts(cuda=True, capability=(8, 0), gpu="A100")
BLOCK = {"projection": True, "feed_forward": "two-layer", "block": "pre-norm", "final_norm": True}
SMALL = Preset(
    GPTConfig(65, block_size=7, n_embd=15, n_layer=2, n_head=3, fused=True, **BLOCK),
    TrainingConfig(steps=6, batch_size=2, evaluate_every=3),
)


@pytest.fixture
def small(monkeypatch):
    """A plan as a GPU has it, at a size and on a device that a test can afford."""
    monkeypatch.setitem(PRESETS, "sprint", SMALL)
    text = shakespeare()
    monkeypatch.setattr(
        plan, "shakespeare", lambda: text._replace(validation=text.validation[:500])
    )
    return Plan("sprint", SMALL, "cpu", "float32", True, "a stand-in for a GPU")


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
    plan = scaling.plan(machine, "sprint")
    assert (plan.device, plan.precision, plan.whole) == (device, precision, True)
    assert plan.preset == PRESETS["sprint"]
    for word in (words, "1,500 steps", "32 windows", precision):
        assert word in plan.message


@pytest.mark.parametrize("bfloat16", [False, True])
def test_a_processor_trains_the_beginning_of_the_same_model(bfloat16):
    plan = scaling.plan(Facts(cpu_bfloat16=bfloat16), "sprint")
    assert plan.device == "cpu"
    assert not plan.whole
    assert plan.preset.model == PRESETS["sprint"].model
    assert plan.preset.training.steps * plan.preset.training.batch_size < 100
    # What nbval compares must not depend on the processor.
    assert plan.message == scaling.plan(Facts(), "sprint").message
    assert "record" in plan.message


def test_an_older_pytorch_without_muon_trains_the_notes_run(monkeypatch):
    monkeypatch.delattr(torch.optim, "Muon", raising=False)
    assert scaling.plan(T4).name == "full"
    assert scaling.plan(T4, "sprint").name == "sprint"  # who asks for it hears from the optimizer


def test_no_such_preset():
    with pytest.raises(KeyError, match="huge"):
        scaling.plan(T4, "huge")


# Its folder.


def test_a_run_lives_on_drive_if_that_is_mounted(tmp_path):
    plan = scaling.plan(T4, "sprint")
    assert scaling.run_folder(plan, tmp_path / "nowhere") == Path("runs/sprint")
    assert scaling.run_folder(plan, tmp_path) == tmp_path / "bardgpt/sprint"


def test_another_batch_is_another_run(tmp_path):
    plan = scaling.with_batch(scaling.plan(T4, "sprint"), 16)
    assert scaling.run_folder(plan, tmp_path / "nowhere") == Path("runs/sprint-16-windows")
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
    plan = scaling.plan(T4, "sprint")
    with pytest.raises(OutOfMemoryError) as raised, scaling.memory_explained(plan):
        raise error
    said = str(raised.value)
    assert "32 windows of 256 characters" in said
    remedy = next(line for line in said.splitlines() if line.startswith("    "))
    namespace = {"scaling": scaling, "plan": plan}
    exec(remedy.strip(), namespace)  # what the message says can be pasted
    assert namespace["plan"].preset.training.batch_size == 16


def test_other_errors_pass():
    with (
        pytest.raises(RuntimeError, match="shapes"),
        scaling.memory_explained(scaling.plan(T4, "sprint")),
    ):
        raise RuntimeError("shapes do not match")


def test_one_window_cannot_be_halved():
    plan = scaling.with_batch(scaling.plan(T4, "sprint"), 1)
    assert "with_batch" not in scaling.out_of_memory(plan.preset)
    with pytest.raises(ConfigError, match="batch_size=0"):
        scaling.with_batch(plan, 0)


@pytest.mark.parametrize("work", [scaling.time_steps, scaling.train])
def test_memory_is_explained_where_it_runs_out(small, monkeypatch, tmp_path, work):
    monkeypatch.chdir(tmp_path)

    def full(*_):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(GPT, "forward", full)
    with pytest.raises(OutOfMemoryError, match="2 windows of 7 characters"):
        work(small)


# Its time.


def test_timing_takes_what_it_says_and_leaves_the_run_alone(small, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    steps = []
    real = plan.Trainer.advance
    monkeypatch.setattr(plan.Trainer, "advance", lambda t: (steps.append(t.step), real(t)))
    assert scaling.time_steps(small) > 0
    assert len(steps) == 20 + 3
    assert list(tmp_path.iterdir()) == []


def test_a_beginning_times_a_step_of_the_whole_run(monkeypatch):
    made = []

    class Stub:
        def __init__(self, current):
            made.append(current.preset)

        def advance(self):
            made.append("step")

    monkeypatch.setattr(plan, "_trainer", Stub)
    assert scaling.time_steps(scaling.plan(Facts(), "sprint")) > 0
    assert made == [PRESETS["sprint"], "step", "step"]


def test_whole_run_is_steps_and_evaluations(small):
    """6 steps of 14 characters, and 3 evaluations of 500, at a third of a step's work each."""
    expected = (6 * 14 + 500) / 14
    assert scaling.whole_run_seconds(1.0, small) == pytest.approx(expected)


def test_a_beginning_reckons_the_whole_preset():
    plan = scaling.plan(Facts(), "sprint")
    found = scaling.whole_run_seconds(1.0, plan)
    training = PRESETS["sprint"].training
    assert training.steps < found < 1.1 * training.steps


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(42.4, "42 seconds"), (600, "10 minutes"), (8_000, "2.2 hours")],
)
def test_time_in_words(seconds, words):
    assert scaling.in_words(seconds) == words


def test_time_is_said_and_blanked_where_it_varies(small, capsys):
    scaling.say_time(0.5, small)
    assert "0.500 s a step; the whole run will take about" in capsys.readouterr().out
    scaling.say_time(0.5, dataclasses.replace(small, whole=False))
    assert capsys.readouterr().out.splitlines()[1].startswith("  your run: ")
    with pytest.raises(ValueError, match="cannot take"):
        scaling.say_time(float("nan"), small)


# Its run.


class Screen:
    """Stands in for a notebook's display: keeps what is shown, and how often it is replaced."""

    def __init__(self):
        self.shown, self.updates = [], 0

    def __call__(self, figure, display_id):
        assert display_id
        self.shown.append(figure)
        return self

    def update(self, figure):
        self.shown[-1] = figure
        self.updates += 1


def test_whole_run_draws_one_curve_and_goes_on_after_a_disconnect(small, tmp_path, monkeypatch):
    text = shakespeare()
    whole = text.tokenizer.decode(torch.cat([text.train[:4_500], text.validation]))
    whole += text.tokenizer.vocabulary  # all 65 characters, which a cut text may lack
    monkeypatch.setattr("bardgpt.corpus.load", lambda: whole)
    first, screen = scaling.train(small, tmp_path / "run"), Screen()
    again = scaling.train(small, tmp_path / "run", show=screen)  # which finds it finished
    assert again.validation == first.validation
    assert len(screen.shown) == 1
    assert screen.updates == 2  # at step 1 for a start, at steps 3 and 6 for the evaluations
    other = scaling.with_batch(small, 1)
    with pytest.raises(RunError, match="batch_size is 2 there and 1 here"):
        scaling.train(other, tmp_path / "run")


def test_curve_is_drawn_at_evaluations_and_every_few_seconds():
    screen = Screen()
    curve = LiveCurve(30, screen)
    curve({"step": 0, "validation": 4.2, "seconds": 1.0})
    assert screen.shown == []  # nothing trained yet
    for step, seconds in ((1, 2.0), (2, 3.0), (10, 8.0)):
        curve({"step": step, "train": 3.0, "seconds": seconds})
    curve({"step": 20, "train": 2.0, "validation": 2.1, "seconds": 8.5})
    assert (len(screen.shown), screen.updates) == (1, 2)
    assert screen.shown[0].axes[0].get_xlim()[1] == 30


def test_short_run_is_the_planned_one_and_repeats(small):
    plan = dataclasses.replace(small, whole=False)
    first, again = scaling.train(plan), scaling.train(plan)
    assert first.validation == again.validation
    assert first.validation[1] < first.validation[0]
    other = dataclasses.replace(
        plan,
        preset=dataclasses.replace(SMALL, training=dataclasses.replace(SMALL.training, seed=1)),
    )
    assert scaling.train(other).validation != first.validation


def test_report_holds_a_whole_run_against_the_best_table(small, monkeypatch, capsys):
    record = records.FullRecord(
        SMALL.model,
        SMALL.training,
        [],
        {
            "validation of the packed weights": 1.4567,
            "short run": [2.8, 2.9, 3.0],
        },
    )
    monkeypatch.setattr(records, "full", lambda: record)
    finished = scaling.Finished(GPT(SMALL.model), (4.2, 1.5))
    scaling.report(small, finished)
    assert "your run: 1.5000\n  recorded: 1.4567" in capsys.readouterr().out
    with pytest.raises(AssertionError, match=r"best count table's 1\.669"):
        scaling.report(small, dataclasses.replace(finished, validation=(4.2, 1.7)))
    beginning = dataclasses.replace(small, whole=False)
    scaling.report(beginning, dataclasses.replace(finished, validation=(4.2, 2.95)))
    assert "recorded: 2.900 ± 0.100 (3 runs), below 3.347" in capsys.readouterr().out
    with pytest.raises(AssertionError, match="away from the recorded"):
        scaling.report(beginning, dataclasses.replace(finished, validation=(4.2, 3.4)))


# Its cost.


def test_cost_by_hand():
    cost = scaling.cost(SMALL)
    C, L, V, T, B = 15, 2, 65, 7, 2
    assert cost.parameters == GPT(SMALL.model).n_parameters()
    assert cost.state == 16 * cost.parameters
    assert cost.characters == B * T
    per_position = L * (12 * C * C + 2 * T * C) + C * V
    assert cost.flops == 3 * 2 * B * T * per_position


def test_kept_tensors_are_counted_once_and_without_weights():
    """For y = relu(x W): autograd keeps x, and relu's result; W is a weight."""

    class Two(torch.nn.Module):
        config = GPTConfig(65, block_size=7)

        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.empty(7, 65, device="meta"))

        def forward(self, ids):
            x = ids.float()[..., None] * torch.ones(7, device="meta")  # (B, T, 7)
            return (x @ self.w).relu()  # (B, T, V)

    B, T = 2, 7
    found = cost.kept_for_backward(Two(), B)
    x, y = 4 * B * T * 7, 4 * B * T * 65
    ids, scores, weight = 8 * B * T, y, 4  # what cross_entropy keeps: targets, log p, its divisor
    assert found == x + y + ids + scores + weight


def test_kept_memory_grows_with_the_batch_and_not_the_weights():
    with torch.device("meta"):
        model = GPT(dataclasses.replace(SMALL.model, fused=False))
    one, two, four = (cost.kept_for_backward(model, B) for B in (1, 2, 4))
    assert four - two == 2 * (two - one)


def test_one_change_at_a_time_ends_at_the_notes_model():
    stages = list(scaling.one_at_a_time().values())
    assert stages[0] == PRESETS["tiny"]
    last, full = stages[-1], PRESETS["full"]
    assert last.model == full.model
    assert dataclasses.replace(last.training, evaluate_every=500) == full.training
    for before, after in zip(stages, stages[1:], strict=False):
        changed = [
            field
            for part in ("model", "training")
            for field, value in vars(getattr(before, part)).items()
            if value != getattr(getattr(after, part), field)
        ]
        assert len(changed) == 1


def test_table_has_a_row_for_each_stage():
    rows = scaling.table({"a": SMALL, "b": SMALL}).splitlines()
    assert len(rows) == 3
    assert f"{GPT(SMALL.model).n_parameters():,}" in rows[1]


# The chapter's cells on a GPU, as far as a processor can tell.


def test_the_chapters_cells_train_the_whole_run_where_the_plan_says_so(
    small, tmp_path, monkeypatch, capsys
):
    """From the choice of the device to the report, with a stand-in plan."""
    text = shakespeare()
    whole = text.tokenizer.decode(torch.cat([text.train[:4_500], text.validation]))
    monkeypatch.setattr("bardgpt.corpus.load", lambda: whole + text.tokenizer.vocabulary)
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(scaling, "plan", lambda machine: (asked.append(machine), small)[1])
    tables = [{"validation": 5.0}]
    monkeypatch.setattr(records, "tables", lambda: tables)
    monkeypatch.setattr(records, "best_table", lambda: tables[0])
    record = records.FullRecord(
        SMALL.model, SMALL.training, [], {"validation of the packed weights": 1.4567}
    )
    monkeypatch.setattr(records, "full", lambda: record)
    cells = [
        c for c in jupytext.read(ROOT / "book/09-scaling-up.py").cells if c.cell_type == "code"
    ]
    (first,) = [i for i, c in enumerate(cells) if "scaling.plan(devices" in c.source]
    (last,) = [i for i, c in enumerate(cells) if "scaling.report(" in c.source]
    screen = Screen()
    namespace = {"display": screen, "scaling": scaling}
    for cell in cells[first : last + 1]:
        exec(cell.source, namespace)
    said = capsys.readouterr().out
    assert len(asked) == 1
    for words in ("a stand-in for a GPU", "s a step; the whole run will take", "recorded: 1.4567"):
        assert words in said
    assert len(screen.shown) == 1
    lines = (tmp_path / "runs/sprint/metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["step"] == SMALL.training.steps
