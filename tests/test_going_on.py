"""A run whose state is lost, edited or interrupted: nothing is overwritten; the user chooses."""

import json
import os
import random
import signal
from dataclasses import replace

import pytest
import torch
from test_run import PRESET, TEXT, TRAINING, do, files, killed_at, metrics, weights

from bardgpt.presets import Preset
from bardgpt.training import checkpoint
from bardgpt.training.checkpoint import CheckpointError
from bardgpt.training.folder import RunError
from bardgpt.training.interrupt import Interrupted
from bardgpt.training.run import load_run
from bardgpt.training.trainer import Trainer


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    do(folder)
    return folder


def contents(folder):
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and path.name != ".lock"
    }


def dangling(path):
    path.symlink_to("nowhere")


LOSSES = {
    "missing": lambda path: None,
    "dangling": dangling,
    "pipe": os.mkfifo,
    "folder": lambda path: path.mkdir(),
    "empty": lambda path: path.write_bytes(b""),
    "nonsense": lambda path: path.write_bytes(b"hello" * 100),
}


@pytest.mark.parametrize("beside", ["best", "log"])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_lost_state_beside_results_is_told_and_nothing_is_touched(
    tmp_path, monkeypatch, loss, beside
):
    killed_at(30, monkeypatch, tmp_path)
    last = tmp_path / "last.safetensors"
    last.unlink()
    LOSSES[loss](last)
    if beside == "log":
        (tmp_path / "best.safetensors").unlink()
    before = contents(tmp_path)
    with pytest.raises(RunError) as caught:
        do(tmp_path)
    said = str(caught.value)
    assert str(last) in said
    assert "metrics.jsonl, its log up to step 30" in said
    assert ("best.safetensors, the best weights, of step 20" in said) == (beside == "best")
    assert ("--from-best" in said) == (beside == "best")
    assert "begin anew with --restart, which puts these files aside" in said
    assert "delete" not in said
    assert contents(tmp_path) == before


def test_restart_puts_the_old_files_aside_and_begins_anew(whole, tmp_path, monkeypatch):
    killed_at(30, monkeypatch, tmp_path)
    before = contents(tmp_path)
    (tmp_path / "last.safetensors").write_bytes(b"damaged")
    do(tmp_path, begin="restart")
    (old,) = tmp_path.glob("old-*")
    assert contents(old) == before | {"last.safetensors": b"damaged"}
    assert weights(tmp_path) == weights(whole)
    assert metrics(tmp_path) == metrics(whole)
    do(tmp_path, begin="restart")  # a second one loses nothing either
    assert len(list(tmp_path.glob("old-*"))) == 2
    assert contents(old) == before | {"last.safetensors": b"damaged"}


def test_going_on_from_the_best_weights(tmp_path, monkeypatch):
    killed_at(30, monkeypatch, tmp_path)
    before = contents(tmp_path)
    (tmp_path / "last.safetensors").unlink()
    finished = do(tmp_path, begin="go on from best")
    assert [x["step"] for x in finished.metrics] == [0, 1, 2, 10, 20, 30, 40, 45]
    (old,) = tmp_path.glob("old-*")
    assert (old / "best.safetensors").read_bytes() == before["best.safetensors"]
    assert (old / "metrics.jsonl").read_bytes() == before["metrics.jsonl"]
    load_run(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"), [("n_head", 4), ("block", "post-norm"), ("activation", "none")]
)
def test_an_edited_config_is_named(whole, tmp_path, name, value):
    for file, content in contents(whole).items():
        (tmp_path / file).write_bytes(content)
    about = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    trained, about["model"][name] = about["model"][name], value
    (tmp_path / "config.json").write_text(json.dumps(about), encoding="utf-8")
    for which in ("best", "last"):
        with pytest.raises(RunError) as caught:
            load_run(tmp_path, which)
        assert f"config.json has been changed: model.{name} is {value!r} there" in str(caught.value)
        assert f"{which}.safetensors was trained with {trained!r}" in str(caught.value)


def test_an_edited_vocabulary_is_named(whole, tmp_path):
    for file, content in contents(whole).items():
        (tmp_path / file).write_bytes(content)
    about = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    about["vocabulary"] = about["vocabulary"][::-1]
    (tmp_path / "config.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(RunError, match="has been changed: its vocabulary is not the one"):
        load_run(tmp_path)


def test_weights_that_are_no_numbers_are_refused(whole, tmp_path):
    for file, content in contents(whole).items():
        (tmp_path / file).write_bytes(content)
    tensors, values = checkpoint.load(tmp_path / "best.safetensors")
    tensors["model.lm_head.bias"][0] = float("nan")
    checkpoint.save(tmp_path / "best.safetensors", tensors, values)
    with pytest.raises(CheckpointError, match="holds weights that are no finite numbers"):
        load_run(tmp_path)


def test_a_finished_run_is_made_longer(whole, tmp_path):
    do(tmp_path, Preset(PRESET.model, replace(TRAINING, steps=40)))
    do(tmp_path)
    assert weights(tmp_path) == weights(whole)
    assert metrics(tmp_path)[-1] == metrics(whole)[-1]


def test_a_run_whose_rate_falls_cannot_be_made_longer(tmp_path):
    falling = replace(TRAINING, steps=2, schedule="linear")
    do(tmp_path, Preset(PRESET.model, falling))
    before = contents(tmp_path)
    with pytest.raises(RunError, match=r"over which its rate falls; with 3 .* another rate"):
        do(tmp_path, Preset(PRESET.model, replace(falling, steps=3)))
    assert contents(tmp_path) == before


def test_another_precision_is_said(tmp_path, monkeypatch, capsys):
    killed_at(21, monkeypatch, tmp_path)
    do(tmp_path, precision="bfloat16")
    said = capsys.readouterr().err
    assert "computed in float32 on cpu, and now in bfloat16 on cpu" in said


def interrupted(step, monkeypatch, folder, times=1):
    """A run that hears Ctrl-C while it makes a step."""
    advance = Trainer.advance

    def interrupt(self):
        advance(self)
        if self.step == step:
            for _ in range(times):
                signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "advance", interrupt)
        do(folder)


def test_a_second_ctrl_c_leaves_at_once(whole, tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted(33, monkeypatch, tmp_path, times=2)
    assert not isinstance(caught.value, Interrupted)
    assert checkpoint.load(tmp_path / "last.safetensors")[1]["trainer"]["step"] == 20
    do(tmp_path)
    assert weights(tmp_path) == weights(whole)


@pytest.mark.parametrize("seed", range(4))
def test_forty_ends_at_random_steps_change_no_bit(whole, tmp_path, monkeypatch, seed):
    """Deaths and Ctrl-C, ten in each of four runs; all that is kept is the same, metrics too."""
    chance, ctrl_c = random.Random(seed), 0
    for step in sorted(chance.sample(range(1, 45), 10)):
        if chance.random() < 0.5:
            with pytest.raises(Interrupted) as caught:
                interrupted(step, monkeypatch, tmp_path)
            assert caught.value.step == step
            ctrl_c += 1
        else:
            killed_at(step, monkeypatch, tmp_path)
    do(tmp_path)
    assert 0 < ctrl_c < 10
    for name in ("last", "best"):
        assert weights(tmp_path, name) == weights(whole, name)
    assert metrics(tmp_path) == metrics(whole)
    assert files(tmp_path) == files(whole)


def test_the_text_is_in_the_folder(whole, tmp_path):
    """Going on needs no text again."""
    finished = do(whole, text=None)
    assert (whole / "text.txt").read_text(encoding="utf-8") == TEXT
    assert torch.isfinite(torch.tensor(finished.metrics[-1]["validation"]))
