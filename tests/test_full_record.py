"""The record of the full model: packed from a run's last weights, and measured as packed."""

import dataclasses
import json
import math

import pytest
import torch

from bardgpt import files, pretrained, records
from bardgpt.config import TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
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


def test_by_position_is_the_mean_over_windows():
    of_each = torch.tensor([1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 100.0])  # two windows of 3, a ragged one
    assert context.by_position(of_each, 3) == [3.0, 5.0, 8.0]


def test_context_is_compared_on_the_same_characters(made, shakespeare, monkeypatch):
    monkeypatch.setattr(context, "JUDGED", 20)
    torch.manual_seed(0)
    model = GPT(dataclasses.replace(PRESETS["tiny"].model, block_size=32)).eval()
    found = context.by_context(model, shakespeare.validation)
    assert found.pop("characters") == 20
    assert list(found) == ["1", "2", "4", "8", "16"]
    for least, after in zip(("1", "2", "4", "8"), ("2", "4", "8", "16"), strict=True):
        assert found[after]["gain"] == pytest.approx(
            found[least]["loss"] - found[after]["loss"], abs=2e-5
        )
        assert found[after]["standard error"] > 0
    ids = shakespeare.validation[: 16 + 1 + 20]
    by_hand = context.with_context(model, ids, 20, 4).mean().item()
    assert found["4"]["loss"] == pytest.approx(by_hand, abs=1e-5)


def test_names_apart_from_the_rest():
    """The loss of character i is i, so that every mean tells which characters it is of."""
    train = "ANN:\nHo.\n"
    validation = "ANN:\nHo.\n\nBOB:\nHo.\n\nBOB:\nHo.\n"
    names = context.names(torch.arange(1.0, len(validation)), train, validation, 100)
    assert names["speakers"] == {"all": 2, "new": 1}
    groups = {name: (of["characters"], of["loss"]) for name, of in names["groups"].items()}
    start, again = validation.index("BOB:"), validation.rindex("BOB:")
    assert groups["known"] == groups["known, first"] == (3, 2.0)  # the first character has no loss
    assert groups["new, first"] == (4, start + 1.5)
    assert groups["new, again"] == (4, again + 1.5)
    assert groups["new"] == (8, (start + again) / 2 + 1.5)
    assert groups["rest"][0] == len(validation) - 1 - 3 - 8
    assert names["by letter"]["new, first"][:5] == [start, start + 1, start + 2, start + 3, None]


def test_a_name_in_an_earlier_window_is_out_of_sight():
    validation = "\n\nBOB:\nHo.\n\nBOB:\nHo.\n"
    place = validation.rindex("BOB:")
    for block_size, kind in ((100, "again"), (place - 1, "first")):
        names = context.names(torch.ones(len(validation) - 1), "", validation, block_size)
        assert names["groups"].get(f"new, {kind}", {"characters": 0})["characters"] >= 4


def test_losses_with_context_are_those_of_a_window_that_ends_there():
    torch.manual_seed(0)
    config = dataclasses.replace(PRESETS["tiny"].model, vocab_size=5, block_size=6)
    model = GPT(config).eval()
    ids = torch.randint(5, (30,))
    found = context.with_context(model, ids, 8)
    assert found.shape == (8,)
    half = 3
    for i, loss in enumerate(found.tolist()):
        place = 22 + i
        begin = 22 + i // half * half - half - 1  # what its window begins with
        with torch.no_grad():
            p = model(ids[None, begin:place])[0, -1].log_softmax(dim=-1)
        assert loss == pytest.approx(-p[ids[place]].item(), abs=1e-5)


def test_passage_is_of_people_whom_the_training_text_does_not_know(made, shakespeare):
    passage = made[2]["passage"]
    assert len(passage["text"]) == len(passage["losses"])
    assert passage["text"] in shakespeare.tokenizer.decode(shakespeare.validation)
    assert all(math.isfinite(loss) and loss >= 0 for loss in passage["losses"])
    assert "\nCALIBAN:" not in shakespeare.tokenizer.decode(shakespeare.train)


def test_pieces_are_equally_long_and_next_to_each_other():
    assert full_record.cut("abcdefgh", 3) == ["abc", "def"]
    assert full_record.cut("ab", 3) == []
