"""The record of the full model: packed from a run's last weights, and measured as packed."""

import json
import math

import pytest

from bardgpt import files, pretrained, records
from bardgpt.config import TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.lab.likeness import text_statistics
from bardgpt.lab.makers import full_record
from bardgpt.lab.probes import context
from bardgpt.presets import PRESETS, Preset
from bardgpt.training import run


def small(patch):
    """The sprint at a size that a test can afford."""
    training = TrainingConfig(steps=12, batch_size=4, evaluate_every=4)
    patch.setitem(PRESETS, "sprint", Preset(PRESETS["tiny"].model, training))
    for name, value in {
        "SAMPLE_LENGTH": 120,
        "SEEDS": (0, 1, 2),
        "PIECE": 60,
        "REAL": 5,
    }.items():
        patch.setattr(full_record, name, value)
    patch.setattr(context, "JUDGED", 50)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A record of a small run."""
    with pytest.MonkeyPatch.context() as patch:
        small(patch)
        folder = tmp_path_factory.mktemp("run")
        record = tmp_path_factory.mktemp("recorded") / "sprint"
        found = full_record.make(folder, record)
    return folder, record, found


def test_record_speaks(made):
    _, record, found = made
    model, tokenizer = pretrained.load_from(record)
    assert tokenizer.vocab_size == model.config.vocab_size == 65
    assert json.loads((record / "record.json").read_text()) == found
    assert (record / "metrics.jsonl").read_text().count("\n") == 7  # 0, 1, 2, 4, 8, 10, 12
    assert found["text"]
    assert len(found["samples"]) == 3


def test_record_is_read_as_it_was_written(made, monkeypatch):
    _, record, found = made
    monkeypatch.setattr(files, "RECORDED", record.parent)
    full = records.full()
    assert full.results == found
    assert full.validation == found["validation of the packed weights"]
    assert full.train == found["train"]
    assert full.model == PRESETS["tiny"].model
    assert full.training.steps == full.metrics[-1]["step"] == 12
    assert full.hours == full.metrics[-1]["seconds"] / 3_600
    assert full.short_run().n == len(found["short run"]) == len(full_record.SHORT_SEEDS)
    assert full.form("full").keys() == full.form("real text").keys() == full.form("counts").keys()
    assert full.pieces().keys() == text_statistics("", full_record.Reference.of("")).keys()
    assert full.habits("full").keys() == full.habits("real text").keys()


def test_record_is_of_the_last_weights(made, shakespeare):
    folder, record, found = made
    last, _ = run.load_run(folder, "last")
    packed, _ = pretrained.load_from(record)
    for name, weight in last.state_dict().items():
        level = weight.abs().amax(dim=-1, keepdim=True) / 127 if weight.ndim == 2 else 0.0
        gap = (packed.state_dict()[name] - weight).abs()
        assert bool((gap <= 0.5001 * level).all()), name
    assert found["validation"] == pytest.approx(evaluate(last, shakespeare.validation), abs=1e-6)
    assert found["validation of the packed weights"] == pytest.approx(
        evaluate(packed, shakespeare.validation), abs=1e-6
    )


def test_weights_that_8_bits_spoil_are_no_record(made, tmp_path, monkeypatch):
    folder, _, _ = made
    small(monkeypatch)
    monkeypatch.setattr(full_record, "MOST_LOST", -1.0)
    with pytest.raises(RuntimeError, match=r"8 bits a weight change the loss by .* more than -1"):
        full_record.make(folder, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_passage_is_of_people_whom_the_training_text_does_not_know(made, shakespeare):
    passage = made[2]["passage"]
    assert len(passage["text"]) == len(passage["losses"])
    assert passage["text"] in shakespeare.tokenizer.decode(shakespeare.validation)
    assert all(math.isfinite(loss) and loss >= 0 for loss in passage["losses"])
    assert "\nCALIBAN:" not in shakespeare.tokenizer.decode(shakespeare.train)


def test_pieces_are_equally_long_and_next_to_each_other():
    assert full_record.cut("abcdefgh", 3) == ["abc", "def"]
    assert full_record.cut("ab", 3) == []
