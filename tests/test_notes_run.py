"""The record of the notes' own run, also of one that was stopped."""

import json

import pytest
import torch

from bardgpt import corpus, files, records
from bardgpt.config import TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.lab.makers import notes_run
from bardgpt.presets import PRESETS, Preset
from bardgpt.sampling import sample
from bardgpt.training import devices, run

# At so high a rate the last weights are not the best.
TRAINING = TrainingConfig(steps=12, batch_size=4, evaluate_every=4, learning_rate=0.05)


class StoppedError(Exception):
    """In the place of a power cut."""


def stop_at(step):
    """What watches a run and ends it."""

    def watch(line):
        if line["step"] == step:
            raise StoppedError

    return watch


@pytest.fixture
def folder(shakespeare, tmp_path):
    """A run of 12 steps that was stopped after 8."""
    with pytest.raises(StoppedError):
        run.train_in_folder(
            tmp_path / "run",
            Preset(PRESETS["tiny"].model, TRAINING),
            device="cpu",
            precision="float32",
            progress=False,
            watch=stop_at(10),
        )
    return tmp_path / "run"


def test_a_run_that_was_stopped_is_recorded_as_far_as_it_came(
    folder, shakespeare, tmp_path, monkeypatch
):
    tokenizer, train, validation = shakespeare
    monkeypatch.setattr(notes_run, "SAMPLE", 40)
    results = notes_run.make(folder, tmp_path / "recorded" / "full")
    monkeypatch.setattr(files, "RECORDED", tmp_path / "recorded")
    record = records.full("full")
    assert record.results == results
    assert (record.model, record.training) == (PRESETS["tiny"].model, TRAINING)
    judged = [line for line in record.metrics if "validation" in line]
    assert [line["step"] for line in judged] == [0, 4, 8]
    assert record.metrics[-1]["step"] < record.training.steps
    last, _ = run.load_run(folder, "last")
    best, _ = run.load_run(folder, "best")
    assert results["validation"] == evaluate(last, validation)
    assert results["validation"] == pytest.approx(judged[-1]["validation"], abs=1e-5)
    with devices.autocast("cpu", devices.choose_precision(devices.facts(), "cpu")):
        assert results["train"] == evaluate(last, train)
    assert results["samples"] == {
        name: sample(model, tokenizer, prompt="ROMEO:", length=40, seed=0)
        for name, model in (("last", last), ("best", best))
    }
    assert results["made"]["text"] == corpus.SHA256
    assert results["made"]["seconds"] == round(record.metrics[-1]["seconds"], 1)
    assert json.loads((tmp_path / "recorded/full/record.json").read_text("utf-8")) == results


def test_there_has_to_be_a_run(tmp_path):
    with pytest.raises(run.RunError):
        notes_run.make(tmp_path / "none", tmp_path / "recorded")
    assert not (tmp_path / "recorded").exists()


def test_full_starts_as_the_lectures_program_does():
    """N(0, 0.02^2) for every matrix and embedding, 0 for every bias."""
    torch.manual_seed(0)
    for name, p in GPT(PRESETS["full"].model).named_parameters():
        if p.ndim == 2:
            assert p.std().item() == pytest.approx(0.02, rel=0.02), name
        elif name.endswith("bias"):
            assert not p.any(), name
