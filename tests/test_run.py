"""Runs in folders: what they leave there, what they refuse, and that nothing can stop them."""

import functools
import hashlib
import json
import random
import re
import sys
from dataclasses import replace

import pytest
import torch

from bardgpt import progress
from bardgpt.batches import WindowError, split
from bardgpt.config import ConfigError, GPTConfig, TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.presets import PRESETS, Preset
from bardgpt.threads import suited
from bardgpt.training import checkpoint
from bardgpt.training import run as module
from bardgpt.training.checkpoint import CheckpointError
from bardgpt.training.devices import DeviceError, Facts
from bardgpt.training.folder import RunError
from bardgpt.training.run import load_run, train_in_folder
from bardgpt.training.trainer import DivergedError, Trainer

ALPHABET = "abcdefg"
TEXT = "".join(random.Random(0).choices(ALPHABET, k=900)) + ALPHABET
BLOCKS = {"projection": True, "feed_forward": "two-layer", "block": "pre-norm", "final_norm": True}
MODEL = GPTConfig(7, 4, 8, 2, 2, fused=True, dropout=0.2, embedding_dropout=0.1, **BLOCKS)
TRAINING = TrainingConfig(
    steps=45, batch_size=4, learning_rate=1e-2, optimizer="muon", evaluate_every=20, clip=1.0
)
PRESET = Preset(MODEL, TRAINING)
CPU = Facts()  # of any machine: float32 on its processor
FILES = {"config.json", "text.txt", "metrics.jsonl", "last.safetensors", "best.safetensors"}


def do(folder, preset=PRESET, text=TEXT, **others):
    return train_in_folder(
        folder, preset, **{"text": text, "progress": False, "machine": CPU} | others
    )


def weights(folder, name="last"):
    """A fingerprint of all that a checkpoint says of the training, to the bit."""
    tensors, _ = checkpoint.load(folder / f"{name}.safetensors")
    digest = hashlib.sha256()
    for key in sorted(tensors):
        digest.update(key.encode() + tensors[key].reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def files(folder):
    """The names of all but the lock, which not every system leaves there."""
    return {p.name for p in folder.iterdir()} - {".lock"}


def metrics(folder):
    """The lines without their times."""
    lines = [
        json.loads(line)
        for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    do(folder)
    return folder


class Killed(BaseException):
    """As if the process had died, without a process."""


def killed_at(step, monkeypatch, folder, **others):
    """A run that dies when it is about to make a step."""
    advance = Trainer.advance

    def dying(self):
        if self.step == step:
            raise Killed
        advance(self)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "advance", dying)
        with pytest.raises(Killed):
            do(folder, **others)


# --- what is there afterwards -----------------------------------------------------------------


def test_folder_holds_config_metrics_and_both_checkpoints(whole):
    assert files(whole) == FILES
    about = json.loads((whole / "config.json").read_text(encoding="utf-8"))
    assert GPTConfig.from_json(json.dumps(about["model"])) == MODEL
    assert TrainingConfig.from_json(json.dumps(about["training"])) == TRAINING
    assert about["vocabulary"] == ALPHABET
    assert (whole / "text.txt").read_bytes() == TEXT.encode()
    assert about["text"] == {
        "characters": len(TEXT),
        "sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
    }


def test_metrics_are_a_line_for_each_reading(whole):
    lines = metrics(whole)
    assert [line["step"] for line in lines] == [0, 1, 2, 10, 20, 30, 40, 45]
    assert [line["characters"] for line in lines] == [0, 16, 32, 160, 320, 480, 640, 720]
    assert [line["step"] for line in lines if "train" not in line] == [0]
    assert [line["step"] for line in lines if "validation" in line] == [0, 20, 40, 45]
    assert all(line["rate"] == 1e-2 for line in lines)
    times = [
        json.loads(x)["seconds"]
        for x in (whole / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert times == sorted(times)


def test_the_rate_is_that_of_the_step_before(tmp_path):
    falling = replace(TRAINING, schedule="linear", steps=20, evaluate_every=20)
    do(tmp_path, Preset(MODEL, falling))
    assert [line["rate"] for line in metrics(tmp_path)] == pytest.approx(
        [1e-2, 1e-2, 0.95e-2, 0.55e-2, 0.05e-2]
    )


def test_what_a_run_hands_back(tmp_path):
    seen = []
    finished = do(tmp_path, watch=seen.append)
    assert finished.metrics == seen
    assert [{k: v for k, v in x.items() if k != "seconds"} for x in seen] == metrics(tmp_path)
    assert finished.tokenizer.vocabulary == ALPHABET
    last = load_run(tmp_path, "last")[0].state_dict()
    for name, value in finished.model.state_dict().items():
        assert torch.equal(last[name], value)


def test_best_has_the_lowest_validation_loss_and_last_the_last(whole):
    _, validation_ids = split(load_run(whole)[1].encode(TEXT))
    lines = {x["step"]: x["validation"] for x in metrics(whole) if "validation" in x}
    best, tokenizer = load_run(whole)
    last, _ = load_run(whole, "last")
    assert tokenizer.vocabulary == ALPHABET
    assert not best.training
    assert evaluate(best, validation_ids) == min(lines.values())
    assert evaluate(last, validation_ids) == lines[45]
    _, values = checkpoint.load(whole / "best.safetensors")
    assert lines[values["step"]] == values["validation"] == min(lines.values())


def test_steps_are_the_trainers(whole):
    """Readings, evaluations and checkpoints between them change nothing."""
    torch.manual_seed(TRAINING.seed)
    model = GPT(MODEL)
    train_ids, _ = split(load_run(whole)[1].encode(TEXT))
    trainer = Trainer(model, train_ids, TRAINING)
    # With as many threads as the run took: they share a product's sum, and round otherwise.
    with suited(TRAINING.batch_size * MODEL.block_size, MODEL.n_embd):
        for _ in range(45):
            trainer.advance()
    last = load_run(whole, "last")[0].state_dict()
    for name, value in model.state_dict().items():
        assert torch.equal(last[name], value)


def test_evaluating_and_keeping_more_often_changes_no_weight(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.0)
    do(tmp_path, Preset(MODEL, replace(TRAINING, evaluate_every=7)))
    assert weights(tmp_path) == weights(whole)


def test_a_run_of_no_steps_is_an_evaluation(tmp_path):
    do(tmp_path, Preset(MODEL, replace(TRAINING, steps=0, schedule="linear")))
    assert [line["step"] for line in metrics(tmp_path)] == [0]
    load_run(tmp_path)


def test_precision_is_what_suits_the_machine_or_what_is_wanted(tmp_path, whole):
    do(tmp_path / "a", machine=Facts(cpu_bfloat16=True))
    do(tmp_path / "b", precision="bfloat16")
    assert weights(tmp_path / "a") == weights(tmp_path / "b") != weights(whole)


def test_bar_says_what_is_going_on(tmp_path, capsys, monkeypatch):
    """Also where TQDM_DISABLE is set, which tqdm has read when it was imported."""
    monkeypatch.setattr(progress, "Bar", functools.partial(progress.Bar, disable=False))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "132")
    do(tmp_path, progress=True)
    shown = capsys.readouterr().err
    assert "| step 0 of 45, cpu, float32" in shown
    losses = r"train [12]\.\d{3}, validation [12]\.\d{3}, [\d,]+ characters/s, cpu, float32"
    assert re.search(rf"\| step \d+ of 45, [\d:]+ left, {losses}", shown)


def test_what_is_compiled_is_tried_on_what_training_uses(tmp_path, monkeypatch):
    """Same shape, strides and precision, or it would be compiled once more, in the first step."""
    tried, trained = [], []

    def compiled_if_useful(model, device, example, precision):
        tried.append((example.shape, example.stride(), example.dtype, precision))
        model.register_forward_pre_hook(
            lambda m, x: trained.append((x[0].shape, x[0].stride(), x[0].dtype, precision))
        )
        return model, "compiled"

    monkeypatch.setattr(module.devices, "compiled_if_useful", compiled_if_useful)
    do(tmp_path, Preset(MODEL, replace(TRAINING, steps=1)), compiled=True, precision="bfloat16")
    assert tried[0] in trained


# --- the validation text ----------------------------------------------------------------------


def test_validation_text_changes_no_weight_of_preset_tiny(tmp_path, shakespeare):
    """Another of the same length and alphabet: bit-identical last weights, other losses."""
    text = shakespeare.tokenizer.decode(shakespeare.train[:40_000])
    alphabet = shakespeare.tokenizer.vocabulary
    train, validation = text[: 36_000 - len(alphabet)] + alphabet, text[36_000:]
    preset = replace(
        PRESETS["tiny"], training=replace(PRESETS["tiny"].training, steps=30, evaluate_every=10)
    )
    swapped = "".join(random.Random(1).sample(validation, len(validation)))
    assert len(swapped) == len(validation)
    assert set(swapped) == set(validation)
    do(tmp_path / "one", preset, train + validation)
    do(tmp_path / "other", preset, train + swapped)
    assert weights(tmp_path / "one") == weights(tmp_path / "other")
    ones, others = (metrics(tmp_path / name) for name in ("one", "other"))
    assert [line["step"] for line in ones if "validation" in line] == [0, 10, 20, 30]
    for a, b in zip(ones, others, strict=True):
        assert a.get("train") == b.get("train")
        assert a.get("validation") != b.get("validation") or "validation" not in a


# --- going on ---------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [0, 1, 19, 20, 21, 33, 44])
def test_a_run_that_died_goes_on_to_the_same_bits(whole, tmp_path, monkeypatch, step):
    killed_at(step, monkeypatch, tmp_path)
    seen = []
    finished = do(tmp_path, watch=seen.append)
    for name in ("last", "best"):
        assert weights(tmp_path, name) == weights(whole, name)
    assert metrics(tmp_path) == metrics(whole)
    assert finished.metrics == seen  # every line, also those from before
    assert files(tmp_path) == FILES


def test_a_run_that_died_often_ends_all_the_same(whole, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHECKPOINT_SECONDS", 0.0)  # at each reading
    for step in (3, 12, 13, 29, 31, 44):
        killed_at(step, monkeypatch, tmp_path)
    do(tmp_path)
    assert weights(tmp_path) == weights(whole)
    assert metrics(tmp_path) == metrics(whole)


def test_lines_of_lost_steps_are_written_once(whole, tmp_path, monkeypatch):
    """The log is ahead of the checkpoint, and may end in half a line."""
    killed_at(35, monkeypatch, tmp_path)
    assert metrics(tmp_path)[-1]["step"] == 30
    assert checkpoint.load(tmp_path / "last.safetensors")[1]["trainer"]["step"] == 20
    with (tmp_path / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"step": 3')
    do(tmp_path)
    assert metrics(tmp_path) == metrics(whole)


def test_a_finished_run_is_finished(tmp_path, monkeypatch):
    do(tmp_path)
    before = {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.glob("*.safe*")}
    monkeypatch.setattr(Trainer, "advance", None)
    finished = do(tmp_path)
    assert finished.metrics[-1]["step"] == 45
    assert before == {
        p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in tmp_path.glob("*.safe*")
    }


def test_seconds_go_on_where_they_stopped(tmp_path, monkeypatch):
    killed_at(21, monkeypatch, tmp_path)
    file = tmp_path / "last.safetensors"
    tensors, values = checkpoint.load(file)
    values["log"]["lines"][-1]["seconds"] = 1_000.0
    checkpoint.save(file, tensors, values)
    finished = do(tmp_path)
    assert 1_000 <= finished.metrics[-1]["seconds"] < 1_100


@pytest.mark.parametrize(
    "name", [".config.json.0a1b2c3d", ".last.safetensors.00000000", ".best.safetensors.ffffffff"]
)
def test_rests_of_writes_that_were_killed_are_removed(whole, tmp_path, monkeypatch, name):
    if "config" not in name:
        killed_at(21, monkeypatch, tmp_path)
    (tmp_path / name).write_bytes(b"half")
    do(tmp_path)
    assert files(tmp_path) == FILES
    assert weights(tmp_path) == weights(whole)


def test_a_write_that_fails_ends_the_run_and_leaves_the_last_checkpoint(
    whole, tmp_path, monkeypatch
):
    killed_at(30, monkeypatch, tmp_path)
    before = (tmp_path / "last.safetensors").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "write_whole", full)
        with pytest.raises(OSError, match="No space left"):
            do(tmp_path)
    assert (tmp_path / "last.safetensors").read_bytes() == before
    do(tmp_path)
    assert weights(tmp_path) == weights(whole)


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "text", "why"),
    [
        (Preset(MODEL, replace(TRAINING, muon_rate=0.5)), TEXT, "training.muon_rate is 0.02 there"),
        (Preset(MODEL, replace(TRAINING, clip=None)), TEXT, "clip is 1.0 there and None here"),
        (Preset(replace(MODEL, n_head=4), TRAINING), TEXT, "model.n_head is 2 there and 4 here"),
        (PRESET, TEXT[::-1], "its text is another"),
        (PRESET, TEXT.replace("a", "z"), "its text is another"),
    ],
)
def test_another_run_in_the_folder_is_refused_with_what_differs(tmp_path, preset, text, why):
    short = replace(TRAINING, steps=0)
    do(tmp_path, Preset(MODEL, short))
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    with pytest.raises(RunError) as caught:
        do(tmp_path, replace(preset, training=replace(preset.training, steps=0)), text)
    assert why in str(caught.value)
    assert "is 45 there" not in str(caught.value)  # what is the same is not named
    assert str(caught.value).endswith(
        "Go on with its config, name another folder, or begin anew with --restart, which puts "
        "aside what is there"
    )
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_a_config_from_before_a_field_existed_has_its_default(tmp_path):
    do(tmp_path, Preset(MODEL, replace(TRAINING, steps=0)))
    file = tmp_path / "config.json"
    about = json.loads(file.read_text(encoding="utf-8"))
    assert about["training"].pop("beta2") == 0.999
    file.write_text(json.dumps(about), encoding="utf-8")
    do(tmp_path, Preset(MODEL, replace(TRAINING, steps=0)))
    with pytest.raises(RunError, match=r"training\.beta2 is 0\.999 there and 0\.9 here"):
        do(tmp_path, Preset(MODEL, replace(TRAINING, steps=0, beta2=0.9)))


def test_a_folder_with_something_else_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(RunError, match="is not empty and holds no run; name another folder"):
        do(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "content", ["", "nonsense", "[]", '{"model_type": "gpt2"}', '{"model": {"vocab_size": 0}}']
)
def test_somebody_elses_config_is_refused(tmp_path, content):
    (tmp_path / "config.json").write_text(content, encoding="utf-8")
    for attempt in (do, load_run):
        with pytest.raises(RunError, match=r"config\.json is not a run's config .*another folder"):
            attempt(tmp_path)
    assert (tmp_path / "config.json").read_text(encoding="utf-8") == content


@pytest.mark.parametrize("how", ["cut", "changed", "nonsense"])
def test_a_damaged_checkpoint_is_named(tmp_path, monkeypatch, how):
    killed_at(30, monkeypatch, tmp_path)
    file = tmp_path / "last.safetensors"
    content = bytearray(file.read_bytes())
    content[-10] ^= 1
    file.write_bytes({"cut": content[:-20], "changed": content, "nonsense": b"hello"}[how])
    kept = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    damaged = r"last\.safetensors is damaged.*[Pp]ut a good copy in its place"
    with pytest.raises(CheckpointError, match=damaged) as caught:
        load_run(tmp_path, "last")
    with pytest.raises(RunError, match=damaged) as refused:
        do(tmp_path)
    assert "delete" not in f"{caught.value} {refused.value}"
    assert "best.safetensors, the best weights, of step 20" in str(refused.value)
    assert "metrics.jsonl, its log up to step 30" in str(refused.value)
    assert re.search("--from-best, or begin anew with --restart", str(refused.value))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept
    load_run(tmp_path)  # the best one is whole


def test_weights_in_place_of_the_state_are_named(tmp_path, monkeypatch):
    killed_at(30, monkeypatch, tmp_path)
    (tmp_path / "last.safetensors").write_bytes((tmp_path / "best.safetensors").read_bytes())
    with pytest.raises(RunError, match=r"last\.safetensors holds weights and no state"):
        do(tmp_path)


def test_another_models_checkpoint_is_named(tmp_path, monkeypatch):
    killed_at(1, monkeypatch, tmp_path / "a")
    killed_at(1, monkeypatch, tmp_path / "b", preset=Preset(replace(MODEL, n_embd=16), TRAINING))
    for name in ("last.safetensors", "best.safetensors"):
        (tmp_path / "a" / name).write_bytes((tmp_path / "b" / name).read_bytes())
    for attempt in (do, load_run):
        with pytest.raises(RunError, match=r"has been changed: model\.n_embd is 8 there, and \w+"):
            attempt(tmp_path / "a")
    for name in ("last.safetensors", "best.safetensors"):  # of before checkpoints knew their config
        file = tmp_path / "a" / name
        tensors, values = checkpoint.load(file)
        del values["of"]
        checkpoint.save(file, tensors, values)
    with pytest.raises(RunError, match=r"last\.safetensors holds another model's weights"):
        do(tmp_path / "a")
    with pytest.raises(CheckpointError, match=r"best\.safetensors holds another model's weights"):
        load_run(tmp_path / "a")


def test_two_runs_in_one_folder_at_once_are_refused(whole, tmp_path):
    """The second one, while the first goes on undisturbed."""
    refused = []

    def start_another(line):
        # A process of its own would have random states of its own.
        with torch.random.fork_rng(), pytest.raises(RunError, match="another process is training"):
            do(tmp_path)
        refused.append(line["step"])

    do(tmp_path, watch=start_another)
    assert len(refused) == 8
    assert weights(tmp_path) == weights(whole)
    do(tmp_path)  # nobody is there any more


def test_where_files_cannot_be_locked_one_trains_all_the_same(whole, tmp_path, monkeypatch):
    class Unable:
        def __init__(self, *_, **__): ...

        def __enter__(self):
            raise NotImplementedError("no locks here")

        def __exit__(self, *_): ...

    monkeypatch.setattr("bardgpt.training.folder.FileLock", Unable)
    do(tmp_path)
    assert weights(tmp_path) == weights(whole)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"text": TEXT + "!"}, ConfigError, "vocab_size=7: the text has 8 different characters"),
        (
            {"text": ALPHABET * 4},
            WindowError,
            r"the text has 28 characters, and its last tenth, which judges the model, 3; a "
            r"window of 4 needs 5: take block_size 2 or less, or take a text of 41 characters or "
            r"more",
        ),
        ({"device": "cuda"}, DeviceError, "device 'cuda': this machine has"),
        ({"precision": "half"}, DeviceError, "precision 'half': choose one of"),
    ],
)
def test_what_cannot_be_is_said_before_the_folder_is_touched(tmp_path, wrong, error, message):
    with pytest.raises(error, match=message):
        do(tmp_path / "folder", **wrong)
    assert list(tmp_path.iterdir()) == []


def test_load_run_says_what_is_missing(tmp_path, whole):
    with pytest.raises(RunError, match=r"holds no run: there is no config\.json in it"):
        load_run(tmp_path)
    (tmp_path / "config.json").write_text(
        (whole / "config.json").read_text(encoding="utf-8"), encoding="utf-8"
    )
    for name in ("best", "last"):
        with pytest.raises(RunError, match=rf"has no {name}\.safetensors yet: let it run"):
            load_run(tmp_path, name)


# --- numbers that are none --------------------------------------------------------------------


def poisoned_at(step, monkeypatch):
    advance = Trainer.advance

    def poisoning(self):
        if self.step == step - 1:
            with torch.no_grad():
                self.model.lm_head.bias[0] = float("nan")
        advance(self)

    monkeypatch.setattr(Trainer, "advance", poisoning)


@pytest.mark.parametrize(("step", "kept"), [(3, 0), (20, 0), (27, 20), (45, 40)])
def test_nan_stops_the_run_with_the_step_and_the_last_good_state(tmp_path, monkeypatch, step, kept):
    with monkeypatch.context() as patch:
        poisoned_at(step, patch)
        with pytest.raises(DivergedError) as caught:
            do(tmp_path)
    assert f"the loss was nan in step {step}: a learning rate that is too high" in str(caught.value)
    assert f"the last good state, after step {kept}, is in {tmp_path / 'last.safetensors'}" in str(
        caught.value
    )
    assert "a lower rate, a longer warm-up or clipping" in str(caught.value)
    tensors, values = checkpoint.load(tmp_path / "last.safetensors")
    assert values["trainer"]["step"] == kept
    assert all(v.isfinite().all() for v in tensors.values())


def test_weights_ruined_by_a_step_are_never_kept(tmp_path, monkeypatch):
    """Step 20 has a finite loss and leaves NaN; there a checkpoint is due."""
    advance = Trainer.advance

    def ruining(self):
        advance(self)
        if self.step == 20:
            with torch.no_grad():
                self.model.lm_head.bias[0] = float("nan")

    monkeypatch.setattr(Trainer, "advance", ruining)
    with pytest.raises(DivergedError, match="step 20 left weights that are not finite"):
        do(tmp_path)
    tensors, values = checkpoint.load(tmp_path / "last.safetensors")
    assert values["trainer"]["step"] == 0
    assert all(v.isfinite().all() for v in tensors.values())


def test_a_validation_loss_that_is_no_number_stops_the_run_too(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "evaluate", lambda *_, **__: float("inf"))
    with pytest.raises(
        DivergedError, match="the validation loss was inf after step 0; no state was kept"
    ):
        do(tmp_path)
