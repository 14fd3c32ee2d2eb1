"""The command line: what it says of itself, what it does, and how it says no."""

import dataclasses
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from test_run import Killed

from bardgpt import cli, pretrained
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.evaluation import estimate, evaluate, losses_in_context
from bardgpt.presets import PRESETS
from bardgpt.training import checkpoint
from bardgpt.training.run import load_run
from bardgpt.training.trainer import Trainer

SMALL = ["--model.n-layer", "1", "--model.n-embd", "8", "--model.n-head", "2"]
SHORT = ["--training.steps", "3", "--training.batch-size", "2"]


@pytest.fixture
def said(capsys, monkeypatch):
    """What a command printed: its exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments):
        try:
            code = cli.main([str(a) for a in arguments])
        except SystemExit as error:  # of --help, and of arguments that cannot be read
            code = error.code or 0
        return code, *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of a short run, on the real text."""
    folder = tmp_path_factory.mktemp("cli") / "runs" / "short"
    assert cli.main(["train", "tiny", "--folder", str(folder), *SMALL, *SHORT]) == 0
    return folder


def assert_fits_on_a_screen(err):
    assert "Traceback" not in err
    assert 0 < len(err.splitlines()) <= 24
    assert len(err) < 24 * 80


def plain(text):
    """Without the frames and breaks that depend on the terminal's width."""
    return re.sub(r"[\s│]+", " ", text)


# --- help -------------------------------------------------------------------------------------


def test_help_names_the_commands(said):
    code, out, _ = said("--help")
    assert code == 0
    for command in ("train", "sample", "evaluate"):
        assert f"• {command} " in out
    assert "Train a character-level GPT on Shakespeare" in plain(out)


def test_help_of_train_names_the_presets(said):
    code, out, _ = said("train", "--help")
    assert code == 0
    for name in PRESETS:
        assert f"• {name} " in out
    assert "10,788,929 parameters" in plain(out)
    assert "The same command again goes on where a run stopped." in plain(out)


@pytest.mark.parametrize("preset", PRESETS)
def test_help_of_a_preset_explains_every_field_with_its_value(said, preset):
    code, out, _ = said("train", preset, "--help")
    out = plain(out)
    assert code == 0
    for prefix in ("model", "training"):
        config = getattr(PRESETS[preset], prefix)
        for field in dataclasses.fields(config):
            option = f"--{prefix}.{field.name.replace('_', '-')}"
            assert option in out
            explained = out[out.index(option + " ") if option + " " in out else out.index(option) :]
            told, _, rest = explained.partition("(default: ")
            assert len(told.split()) > 3, field.name
            assert rest.startswith(f"{getattr(config, field.name)})"), field.name
    assert "a folder in `runs` with the preset's name" in out


@pytest.mark.parametrize("command", ["sample", "evaluate"])
def test_help_of_the_other_commands(said, command):
    code, out, _ = said(command, "--help")
    assert code == 0
    for option in ("--run", "--weights", "--device"):
        assert option in out
    assert "A folder that `bardgpt train` wrote; the recorded model if not given" in plain(out)


def test_it_is_a_command_of_its_own():
    done = subprocess.run(
        [sys.executable, "-m", "bardgpt.cli", "evaluate", "--run", "nowhere"],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "COLUMNS": "80"},
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "bardgpt: nowhere holds no run: there is no config.json in it\n"


# --- train, sample, evaluate ------------------------------------------------------------------


def test_every_field_can_be_set(tmp_path, monkeypatch, said):
    """Each to something else than the preset has."""
    model = {
        "block_size": 16,
        "n_embd": 24,
        "n_layer": 2,
        "n_head": 3,
        "positions": False,
        "feed_forward": "one-layer",
        "expansion": 3,
        "activation": "none",
        "block": "post-norm",
        "norm": "batch",
        "final_norm": False,
        "projection": False,
        "initialization": "xavier",
        "dropout": 0.1,
        "attention_dropout": 0.3,
        "embedding_dropout": 0.4,
        "fused": False,
        "vocab_size": 66,
    }
    training = {
        "steps": 7,
        "batch_size": 5,
        "optimizer": "muon",
        "learning_rate": 2e-3,
        "muon_rate": 0.01,
        "schedule": "linear",
        "final_rate": 0.5,
        "warmup": 4,
        "weight_decay": 0.2,
        "muon_decay": 0.0,
        "decay": "matrices",
        "beta2": 0.95,
        "clip": 2.0,
        "evaluate_every": 3,
        "seed": 8,
    }
    arguments = []
    for prefix, fields in (("model", model), ("training", training)):
        for name, value in fields.items():
            option = name.replace("_", "-")
            if isinstance(value, bool):
                arguments.append(f"--{prefix}.{'' if value else 'no-'}{option}")
            else:
                arguments += [f"--{prefix}.{option}", str(value)]
    called = {}

    def spy(folder, preset, **others):
        called.update(folder=folder, preset=preset, **others)
        raise KeyboardInterrupt

    monkeypatch.setattr("bardgpt.cli.train.train_in_folder", spy)
    options = ["--folder", tmp_path, "--device", "cpu", "--precision", "bfloat16", "--compiled"]
    assert said("train", "tiny", *options, *arguments)[0] == 130
    assert called["preset"].model == GPTConfig(**model)
    assert called["preset"].training == TrainingConfig(**training)
    tiny = PRESETS["tiny"]
    for ours, theirs in ((called["preset"].model, tiny.model), (TrainingConfig(**training), tiny)):
        theirs = theirs if isinstance(theirs, GPTConfig) else theirs.training
        for field in dataclasses.fields(ours):
            assert getattr(ours, field.name) != getattr(theirs, field.name), field.name
    assert (called["folder"], called["device"]) == (tmp_path, "cpu")
    assert (called["precision"], called["compiled"]) == ("bfloat16", True)


@pytest.mark.parametrize("preset", PRESETS)
def test_without_options_a_preset_is_itself(monkeypatch, said, preset):
    called = []

    def spy(folder, preset, **_):
        called.extend([str(folder), preset])
        raise KeyboardInterrupt

    monkeypatch.setattr("bardgpt.cli.train.train_in_folder", spy)
    said("train", preset)
    assert called == [os.path.join("runs", preset), PRESETS[preset]]


def test_train_says_what_came_out_and_goes_on(tmp_path, said):
    """The same command again does nothing but say it again."""
    command = ("train", "tiny", "--folder", tmp_path, *SMALL, *SHORT)
    code, out, err = said(*command)
    assert code == 0
    assert re.search(r"^3 steps, 48 characters: validation loss 4\.\d{4} nats", out)
    assert f"`bardgpt sample --run {tmp_path}` lets them speak" in out
    assert [line.split(":")[0] for line in err.splitlines()] == ["step 0", "step 3"]
    before = (tmp_path / "last.safetensors").read_bytes()
    assert said(*command)[:2] == (0, out)
    assert (tmp_path / "last.safetensors").read_bytes() == before


def test_only_one_of_several_processes_speaks(trained, monkeypatch, said):
    """When `torchrun` has started them, each runs this command."""

    class Finished:
        metrics = ({"step": 3, "characters": 48, "validation": 1.0},)

    monkeypatch.setattr("bardgpt.cli.train.train_in_folder", lambda *_, **__: Finished)
    monkeypatch.setenv("RANK", "1")
    assert said("train", "tiny", "--folder", trained) == (0, "", "")


def test_sample_prints_the_prompt_and_what_follows(trained, said):
    command = ("sample", "--run", trained, "--length", 30, "--prompt", r"ROMEO:\nO ")
    code, out, _ = said(*command, "--seed", 3)
    assert code == 0
    assert out.startswith("ROMEO:\nO ")
    assert len(out) == len("ROMEO:\nO ") + 30 + 1
    assert said(*command, "--seed", 3)[1] == out
    assert said(*command, "--seed", 4)[1] != out
    greedy = {said(*command, "--temperature", 0, "--seed", seed)[1] for seed in (1, 2)}
    assert len(greedy) == 1
    assert {said(*command, "--top-k", 1)[1]} == greedy


def test_sample_begins_with_a_line_break_if_not_told_otherwise(trained, said):
    _, out, _ = said("sample", "--run", trained, "--length", 5)
    assert out[0] == "\n"
    assert len(out) == 1 + 5 + 1


@pytest.mark.parametrize("weights", ["best", "last"])
def test_evaluate_is_the_loss_on_the_whole_validation_split(trained, said, shakespeare, weights):
    model, _ = load_run(trained, weights)
    expected = evaluate(model, shakespeare.validation)
    code, out, _ = said("evaluate", "--run", trained, "--weights", weights, "--device", "cpu")
    assert (code, out) == (0, f"validation loss {expected:.4f} nats per character\n")


def test_evaluate_also_judges_as_others_report_it(trained, said, shakespeare):
    model, _ = load_run(trained)
    in_context = losses_in_context(model, shakespeare.validation, 3).double().mean().item()
    code, out, _ = said("evaluate", "--run", trained, "--least-context", "3")
    assert (code, out) == (
        0,
        f"validation loss {in_context:.4f} nats per character, with 3 characters or more before "
        "each\n",
    )
    mean, error = estimate(model, shakespeare.validation, batches=5)
    code, out, _ = said("evaluate", "--run", trained, "--random-batches", "5")
    assert (code, out) == (
        0,
        f"validation loss {mean:.4f} ± {error:.4f} nats per character, on random windows\n",
    )


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["--least-context", "0"], "--least-context 0: must be from 1 to "),
        (["--least-context", "99999"], "--least-context 99999: must be from 1 to "),
        (["--random-batches", "1"], "--random-batches 1: must be at least 2"),
        (["--random-batches", "9", "--least-context", "3"], "take one of them"),
    ],
)
def test_evaluate_refuses_what_cannot_be(trained, said, given, why):
    code, out, err = said("evaluate", "--run", trained, *given)
    assert (code, out) == (1, "")
    assert why in err


@pytest.mark.parametrize("command", ["evaluate", "sample"])
def test_best_and_last_weights_are_told_apart(trained, said, tmp_path, command):
    """Of a run whose best weights are others than its last, and never the default for both."""
    folder = tmp_path / "run"
    shutil.copytree(trained, folder)
    best = folder / "best.safetensors"
    tensors, values = checkpoint.load(best)
    tensors["model.lm_head.bias"] = torch.linspace(-4.0, 4.0, 65)
    checkpoint.save(best, tensors, values)
    options = ["--seed", 1, "--length", 50] if command == "sample" else []
    answers = {
        weights: said(command, "--run", folder, *asked, *options, "--device", "cpu")[1]
        for weights, asked in (
            ("best", ["--weights", "best"]),
            ("last", ["--weights", "last"]),
            ("default", []),
        )
    }
    assert answers["best"] != answers["last"]
    assert answers["default"] == answers["best"]
    untouched = said(command, "--run", trained, "--weights", "last", *options, "--device", "cpu")[1]
    assert answers["last"] == untouched


def test_without_a_run_the_recorded_model_speaks(trained, monkeypatch, said):
    monkeypatch.setattr(pretrained, "load", lambda: load_run(trained))
    recorded = said("sample", "--length", 20, "--seed", 1)
    assert recorded == said("sample", "--length", 20, "--seed", 1, "--run", trained)
    assert said("evaluate")[:2] == said("evaluate", "--run", trained)[:2]


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sample", "--run", "{run}", "--prompt", "Zoë"], "character 'ë' (U+00EB) at position 2"),
        (["sample", "--run", "{run}", "--prompt", ""], "at least one character"),
        (["sample", "--run", "{run}", "--temperature", "-1"], "--temperature is -1.0; it must be"),
        (["sample", "--run", "{run}", "--top-k", "0"], "--top-k is 0; it must be at least 1"),
        (["sample", "--run", "{run}", "--top-p", "1.5"], "--top-p is 1.5; it must be above 0"),
        (["sample", "--run", "{run}", "--length", "-1"], "--length is -1; it must be 0 or more"),
        (["sample", "--run", "{empty}"], "holds no run: there is no config.json in it"),
        (["evaluate", "--run", "{empty}"], "holds no run: there is no config.json in it"),
        (["train", "tiny", "--folder", "{full}"], "is not empty and holds no run; name another"),
        (["train", "tiny", "--folder", "{run}"], "holds another run: model.n_embd is 8 there and"),
        (
            ["train", "tiny", "--folder", "{new}", "--model.vocab-size", "64"],
            "--model.vocab-size 64: the text has 65 different characters; set it to that",
        ),
        (
            ["train", "tiny", "--folder", "{new}", "--model.block-size", "200000"],
            "the text has 1,115,394 characters, and its last tenth, which judges the model, "
            "111,540; a window of 200,000 needs 200,001: take block_size 111539 or less, or take a "
            "text of 2,000,001 characters or more",
        ),
        (["train", "tiny", "--folder", "{file}"], "file is no folder; name another one"),
    ],
)
def test_what_the_user_can_do_something_about_is_a_line(
    trained, tmp_path, said, arguments, message
):
    places = {name: tmp_path / name for name in ("empty", "full", "new", "file")}
    places["empty"].mkdir()
    places["full"].mkdir()
    (places["full"] / "thesis.txt").write_text("precious", encoding="utf-8")
    places["file"].write_text("precious", encoding="utf-8")
    code, out, err = said(*(a.format(run=trained, **places) for a in arguments))
    assert (code, out) == (1, "")
    assert err.startswith("bardgpt: ")
    assert message in err
    assert_fits_on_a_screen(err)
    assert not places["new"].exists()


@pytest.mark.parametrize("command", ["train", "sample", "evaluate"])
def test_a_device_that_is_not_there(trained, tmp_path, monkeypatch, said, command):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    arguments = ["tiny", "--folder", tmp_path / "new"] if command == "train" else ["--run", trained]
    code, _, err = said(command, *arguments, "--device", "cuda")
    assert code == 1
    assert err.startswith("bardgpt: device 'cuda': this machine has ")
    assert_fits_on_a_screen(err)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "tiny", "--device", "tpu"], "--device 'tpu': choose one of cpu, cuda, mps"),
        (["train", "huge"], "huge"),
        (
            ["train", "tiny", "--model.n-head", "5"],
            "--model.n-head 5: must divide --model.n-embd 32",
        ),
        (
            ["train", "tiny", "--training.clip", "0"],
            "--training.clip 0.0: must be finite and above 0",
        ),
        (["train", "tiny", "--training.warmth", "3"], "--training.warmup"),  # the nearest one
        (["sample", "--length", "long"], "long"),
        ([], "one of {train, sample, evaluate, plot, runs, page}"),
    ],
)
def test_arguments_that_cannot_be_read(said, arguments, message):
    code, out, err = said(*arguments)
    assert (code, out) == (2, "")
    assert message in plain(err)
    assert_fits_on_a_screen(err)


@pytest.mark.parametrize("name", ["best", "last"])
def test_a_damaged_checkpoint(trained, tmp_path, said, name):
    for file in trained.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    file = tmp_path / f"{name}.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    commands = [("sample", "--run", tmp_path, "--weights", name)]
    if name == "last":
        commands.append(("train", "tiny", "--folder", tmp_path, *SMALL, *SHORT))
    for command in commands:
        code, out, err = said(*command)
        assert (code, out) == (1, "")
        assert f"{file} is damaged" in err
        assert "ut a good copy in its place" in err
        assert "delete" not in err
        assert_fits_on_a_screen(err)


def test_a_full_disk(trained, tmp_path, monkeypatch, said):
    def full(path, *_):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("bardgpt.training.checkpoint.write_whole", full)
    code, _, err = said("train", "tiny", "--folder", tmp_path / "run", *SMALL, *SHORT)
    assert code == 1
    assert re.search(r"bardgpt: .*No space left on device: '.*safetensors'\n$", err)


def test_a_run_that_diverges(tmp_path, said):
    wild = ["--training.learning-rate", "1e30", "--training.steps", "30"]
    code, _, err = said("train", "tiny", "--folder", tmp_path, *SMALL, *wild)
    assert code == 1
    error = err.splitlines()[-1]
    assert re.search(r"in step \d+: a learning rate that is too high is the usual cause", error)
    assert f"the last good state, after step 0, is in {tmp_path / 'last.safetensors'}" in error
    assert_fits_on_a_screen(err)


def test_ctrl_c_says_how_to_go_on(tmp_path, monkeypatch, said):
    """It comes in the second step: that is finished, the state written, and the rest is as ever."""
    command = ("train", "tiny", "--folder", tmp_path / "run", *SMALL, *SHORT)
    real = Trainer.advance

    def interrupt(self):
        real(self)
        if self.step == 2:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "advance", interrupt)
        code, out, err = said(*command)
    assert (code, out) == (130, "")
    assert "Ctrl-C again leaves at once" in err
    assert err.splitlines()[-1] == "stopped after step 2; the same command goes on from there"
    assert said(*command)[0] == 0
    assert said("train", "tiny", "--folder", tmp_path / "whole", *SMALL, *SHORT)[0] == 0
    for name in ("last", "best"):
        one, other = (
            checkpoint.load(tmp_path / run / f"{name}.safetensors")[0] for run in ("run", "whole")
        )
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_ctrl_c_before_there_is_a_state_does_not_speak_of_one(tmp_path, monkeypatch, said):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bardgpt.training.run.evaluate", interrupt)
    code, out, err = said("train", "tiny", "--folder", tmp_path, *SMALL, *SHORT)
    assert (code, out, err) == (130, "", "")


def test_ctrl_c_while_sampling_promises_nothing(trained, monkeypatch, said):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("bardgpt.cli.sample.stream", interrupt)
    assert said("sample", "--run", trained) == (130, "", "")


@pytest.mark.parametrize("slip", [ValueError, RuntimeError, TypeError, KeyError, Killed])
def test_a_slip_in_the_program_keeps_its_traceback(trained, monkeypatch, slip):
    def fail(*_, **__):
        raise slip("not the user's fault")

    monkeypatch.setattr("bardgpt.cli.sample.stream", fail)
    with pytest.raises(slip):
        cli.main(["sample", "--run", str(trained)])


def test_memory_that_runs_out_on_a_gpu_is_no_traceback(trained, monkeypatch, said):
    def fail(*_, **__):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.")

    monkeypatch.setattr("bardgpt.cli.sample.stream", fail)
    code, _, err = said("sample", "--run", trained)
    assert (code, err) == (1, "bardgpt: CUDA out of memory. Tried to allocate 2 GiB.\n")


@pytest.mark.parametrize(
    "fail", [lambda: torch.empty(2**50), lambda: bytearray(2**60)], ids=["PyTorch", "Python"]
)
def test_memory_that_runs_out_on_a_cpu_is_a_line(trained, monkeypatch, said, fail):
    monkeypatch.setattr("bardgpt.cli.sample.stream", lambda *_, **__: fail())
    code, out, err = said("sample", "--run", trained)
    line = "bardgpt: there is not enough memory; take a smaller model, batch or window\n"
    assert (code, out, err) == (1, "", line)


def test_the_run_writes_what_was_asked_for(trained):
    about = json.loads((trained / "config.json").read_text(encoding="utf-8"))
    expected = replace(PRESETS["tiny"].model, n_layer=1, n_embd=8, n_head=2)
    assert GPTConfig.from_json(json.dumps(about["model"])) == expected
