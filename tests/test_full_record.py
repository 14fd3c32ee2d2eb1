"""The record of the full model: packed from a run's last weights, and measured as packed."""

import dataclasses
import json
import math

import pytest
import torch

from bardgpt import pretrained
from bardgpt.config import PRESETS, Preset, TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.teaching import full_record
from bardgpt.training import run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A record of a small run."""
    with pytest.MonkeyPatch.context() as patch:
        training = TrainingConfig(steps=12, batch_size=4, evaluate_every=4)
        patch.setitem(PRESETS, "sprint", Preset(PRESETS["tiny"].model, training))
        patch.setattr(full_record, "SAMPLE_LENGTH", 50)
        patch.setattr(full_record, "SEEDS", (0, 1))
        folder, record = (tmp_path_factory.mktemp(name) for name in ("run", "record"))
        found = full_record.make(folder, record)
    return folder, record, found


def test_record_speaks(made):
    _, record, found = made
    model, tokenizer = pretrained.load_from(record)
    assert tokenizer.vocab_size == model.config.vocab_size == 65
    assert json.loads((record / "record.json").read_text()) == found
    assert (record / "metrics.jsonl").read_text().count("\n") == 7  # 0, 1, 2, 4, 8, 10, 12
    assert found["text"]
    assert len(found["samples"]) == 2


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
    monkeypatch.setattr(full_record, "MOST_LOST", -1.0)
    training = TrainingConfig(steps=12, batch_size=4, evaluate_every=4)
    monkeypatch.setitem(PRESETS, "sprint", Preset(PRESETS["tiny"].model, training))
    monkeypatch.setattr(full_record, "SAMPLE_LENGTH", 50)
    monkeypatch.setattr(full_record, "SEEDS", (0,))
    with pytest.raises(RuntimeError, match=r"8 bits a weight change the loss by .* more than -1"):
        full_record.make(folder, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_by_position_is_the_mean_over_windows():
    torch.manual_seed(0)
    model = GPT(dataclasses.replace(PRESETS["tiny"].model, vocab_size=5, block_size=4)).eval()
    ids = torch.randint(5, (11,))  # two whole windows of 4, and a ragged one that is left out
    found = full_record.by_position(model, ids)
    with torch.no_grad():
        p = model(ids[:8].view(2, 4)).log_softmax(dim=-1)  # (2, 4, 5)
    by_hand = -p.gather(-1, ids[1:9].view(2, 4, 1)).squeeze(-1).mean(dim=0)
    assert found == pytest.approx(by_hand.tolist(), abs=1e-5)
    assert all(math.isfinite(x) for x in found)
