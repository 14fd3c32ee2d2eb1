"""The record of the full model: packed from a run's last weights, and measured as packed."""

import dataclasses
import itertools
import json
import math
import re

import pytest
import torch

from bardgpt import corpus, evaluation, files, pretrained, records
from bardgpt.config import TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.lab.count_tables import CountTable
from bardgpt.lab.ladder import RUNGS
from bardgpt.lab.likeness import Reference, form, habits, longest_copy, speakers, text_statistics
from bardgpt.lab.makers import full_record
from bardgpt.lab.plan import Finished
from bardgpt.lab.probes import context
from bardgpt.presets import PRESETS, Preset
from bardgpt.sampling import generate
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training import devices, run

# At so high a rate the last weights are not the best.
TRAINING = TrainingConfig(steps=12, batch_size=4, evaluate_every=4, learning_rate=0.05)
SIZES = {"SAMPLE_LENGTH": 120, "SEEDS": (0, 1, 2), "PIECE": 60, "REAL": 5}


def short_text():
    """27,000 characters to learn from, 3,000 around the passage to be judged on."""
    text = corpus.load()
    place = text.index(context.PASSAGE) - 1_000
    vocabulary = "".join(sorted(set(text)))
    return text[: 27_000 - len(vocabulary)] + vocabulary + text[place : place + 3_000]


def small(patch, text):
    """The sprint at a size that a test can afford, on a machine that computes in bfloat16."""
    patch.setattr(corpus, "load", lambda: text)
    patch.setitem(PRESETS, "sprint", Preset(PRESETS["tiny"].model, TRAINING))
    patch.setattr(devices, "facts", lambda: devices.Facts(cpu_bfloat16=True))
    for name, value in SIZES.items():
        patch.setattr(full_record, name, value)
    patch.setattr(context, "JUDGED", 50)


@pytest.fixture(autouse=True, scope="module")
def read_before(shakespeare):
    """The book's text is read once in a process: before another stands in for it."""


SHIFT = torch.linspace(-2.0, 2.0, 65)


def spoiled(weights, quantize=pretrained.quantize):
    """A way to pack that costs much, so that packed weights are told from those of the run."""
    return quantize(weights) | {"lm_head.bias": weights["lm_head.bias"] + SHIFT}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A record of a small run: its folder, the record's folder, what it says, and the text."""
    text = short_text()
    with pytest.MonkeyPatch.context() as patch:
        small(patch, text)
        patch.setattr(pretrained, "quantize", spoiled)
        patch.setattr(full_record, "MOST_LOST", math.inf)
        folder = tmp_path_factory.mktemp("run")
        record = tmp_path_factory.mktemp("recorded") / "sprint"
        results = full_record.make(folder, record)
    return folder, record, results, text


@pytest.fixture(scope="module")
def judged(made):
    """What the record is of, apart from its maker: packed model, tokenizer, ids and texts."""
    _, record, _, text = made
    model, tokenizer = pretrained.load_from(record)
    ids = tokenizer.encode(text)
    return model, tokenizer, (ids[:27_000], ids[27_000:]), (text[:27_000], text[27_000:])


def test_record_speaks(made):
    _, record, results, _ = made
    model, tokenizer = pretrained.load_from(record)
    assert tokenizer.vocab_size == model.config.vocab_size == 65
    assert json.loads((record / "record.json").read_text(encoding="utf-8")) == results
    lines = [
        json.loads(line)
        for line in (record / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [line["step"] for line in lines] == [0, 1, 2, 4, 8, 10, 12]
    assert results["made"]["seconds"] == round(lines[-1]["seconds"], 1)
    assert results["precision"] == "bfloat16"


def test_record_is_read_as_it_was_written(made, monkeypatch):
    _, record, results, _ = made
    monkeypatch.setattr(files, "RECORDED", record.parent)
    full = records.full()
    assert full.results == results
    assert (full.model, full.training) == (PRESETS["tiny"].model, TRAINING)
    assert full.metrics[-1]["step"] == 12


def test_record_is_of_the_last_weights(made, judged):
    folder, _, results, _ = made
    packed, _, (train, validation), _ = judged
    last, _ = run.load_run(folder, "last")
    for name, weight in last.state_dict().items():
        weight = weight + SHIFT if name == "lm_head.bias" else weight
        level = weight.abs().amax(dim=-1, keepdim=True) / 127 if weight.ndim == 2 else 0.0
        gap = (packed.state_dict()[name] - weight).abs()
        assert bool((gap <= 0.5001 * level).all()), name
    assert results["validation"] == evaluate(last, validation)
    assert results["validation of the packed weights"] == evaluate(packed, validation)
    with devices.autocast("cpu", "bfloat16"):
        assert results["train"] == evaluate(packed, train)
    # So each of these is told from its neighbours: other weights, other text.
    best, _ = run.load_run(folder, "best")
    losses = [evaluate(model, ids) for model in (last, best, packed) for ids in (train, validation)]
    assert all(abs(a - b) > 0.002 for a, b in itertools.combinations(losses, 2))


def test_context_position_names_and_passage_are_of_the_packed_weights(made, judged, monkeypatch):
    _, _, results, text = made
    packed, tokenizer, (_, validation), parts = judged
    monkeypatch.setattr(context, "JUDGED", 50)
    of_each = evaluation.losses(packed, validation)
    assert results["by position"] == context.by_position(of_each, 8)
    assert results["by context"] == context.by_context(packed, validation)
    assert results["names"] == context.names(of_each, *parts, 8)
    start = text.index("CALIBAN:\nYou taught me language")
    end = text.index("So, slave; hence!\n") + len("So, slave; hence!\n")
    of_passage = context.with_context(packed, tokenizer.encode(text[:end]), end - start)
    assert results["passage"]["text"] == text[start:end]
    assert results["passage"]["losses"] == pytest.approx(of_passage.tolist(), abs=5.1e-4)


def test_samples_are_the_packed_models_of_each_seed(made, judged):
    _, _, results, _ = made
    packed, tokenizer, _, (train, validation) = judged
    texts = [
        tokenizer.decode(
            generate(
                packed,
                tokenizer.encode("ROMEO:"),
                120,
                generator=torch.Generator().manual_seed(seed),
            )
        )
        for seed in (0, 1, 2)
    ]
    known = Reference.of(train)
    assert results["prompt"] == "ROMEO:"
    assert results["text"] == texts[0]
    assert results["samples"] == [text_statistics(text, known) for text in texts]
    assert results["real text"] == text_statistics(validation, known)
    pieces = [text[i : i + 60] for text in texts for i in (0, 60)]
    assert results["pieces"] == [text_statistics(piece, known) for piece in pieces]
    assert results["longest copy"] == max((longest_copy(t, train) for t in texts), key=len)
    table = CountTable(tokenizer.encode(train), 4, 65)
    counted = [
        tokenizer.decode(
            table.generate(tokenizer.encode("\n"), 60, torch.Generator().manual_seed(seed))
        )
        for seed in (0, 1, 2)
    ]
    shown = {
        "real text": [validation[i : i + 60] for i in range(0, 3_000, 600)],  # five of fifty
        "full": pieces,
        "counts": counted,
        **{rung: [r["text"] for r in records.read(rung)["runs"]] for rung in RUNGS},
    }
    assert results["form"] == {
        name: [form(text, known, train) for text in shown[name]] for name in shown
    }
    names = set(speakers(train))
    real = [validation[i : i + 120] for i in range(0, 3_000, 120)]
    assert results["habits"] == {
        "real text": [habits(text, names) for text in real],
        "full": [habits(text, names) for text in texts],
    }


TRAIN = "ROMEO:\nThe sun is a red, red rose\n\n" * 20
VALIDATION = "CALIBAN:\nYou taught me all the language of the isle\n\n" * 4


def test_what_is_copied_is_copied_from_the_training_text(monkeypatch):
    """One text repeats the text that was learned, the other more of a text that nobody showed."""
    texts = ("zz taught me all the language zz", "xx a red, red xx")
    monkeypatch.setattr(full_record, "sample", lambda *_, seed, **__: texts[seed])
    monkeypatch.setattr(full_record, "SEEDS", (0, 1))
    monkeypatch.setattr(full_record, "PIECE", 16)
    monkeypatch.setattr(full_record, "SAMPLE_LENGTH", 104)
    tokenizer = CharTokenizer.from_text(TRAIN + VALIDATION)
    measured = full_record.samples(None, tokenizer, TRAIN, VALIDATION)
    assert measured["longest copy"] == " a red, red "
    assert measured["text"] == texts[0]
    assert [sample["known words"] for sample in measured["samples"]] == [1 / 4, 1.0]
    assert measured["real text"]["known words"] == 2 / 8  # of eight words two are "the"
    assert [piece["longest copy"] for piece in measured["form"]["full"]] == [2.0, 3.0, 12.0]
    assert measured["form"]["real text"][0]["known words"] == 0.0  # "CALIBAN:\nYou tau"
    assert len(measured["form"]["real text"]) == 13  # of 212 characters
    assert len(measured["form"]["counts"]) == 2
    assert [piece["speakers are known"] for piece in measured["habits"]["real text"]] == [0.0, 0.0]


def test_short_runs_are_one_for_each_seed_and_say_what_they_end_with(monkeypatch):
    asked = []

    def short_run(plan):
        asked.append(plan)
        return Finished(None, (9.0, plan.preset.training.seed / 2))

    monkeypatch.setattr(full_record, "short_run", short_run)
    gpu = devices.Facts(cuda=True, capability=(8, 0), cpu_bfloat16=True)
    assert full_record.short_runs(gpu) == [1337 / 2, 0.5, 1.0, 1.5]
    sprint = PRESETS["sprint"]
    for plan in asked:
        assert (plan.device, plan.precision, plan.whole) == ("cpu", "bfloat16", False)
        assert plan.preset.model == sprint.model
        seed = plan.preset.training.seed
        short = {"steps": 12, "batch_size": 4, "warmup": 4, "seed": seed}
        assert plan.preset.training == dataclasses.replace(sprint.training, **short)


def test_weights_that_8_bits_spoil_are_no_record(made, tmp_path, monkeypatch):
    """Either way: a loss that 8 bits make lower by as much is none of these weights either."""
    folder, _, results, text = made
    small(monkeypatch, text)
    monkeypatch.setattr(pretrained, "quantize", spoiled)
    lost = results["validation of the packed weights"] - results["validation"]
    assert abs(lost) > 0.005 == full_record.MOST_LOST
    for name in ("samples", "short_runs", "passage", "by_context", "names"):  # not asked here
        monkeypatch.setattr(full_record, name, lambda *_: {})
    said = re.escape(f"8 bits a weight change the loss by {lost:.4f} nats, more than 0.005")
    with pytest.raises(RuntimeError, match=said):
        full_record.make(folder, tmp_path)
    monkeypatch.setattr(full_record, "evaluate", lambda *_, **__: 99.0)
    with pytest.raises(RuntimeError, match=r"change the loss by -9\d\."):
        full_record.make(folder, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_passage_is_of_people_whom_the_training_text_does_not_know(shakespeare):
    passage = records.full().results["passage"]
    assert len(passage["text"]) == len(passage["losses"])
    assert passage["text"] in shakespeare.tokenizer.decode(shakespeare.validation)
    assert all(math.isfinite(loss) and loss >= 0 for loss in passage["losses"])
    assert "\nCALIBAN:" not in shakespeare.tokenizer.decode(shakespeare.train)


def test_pieces_are_equally_long_and_next_to_each_other():
    assert full_record.cut("abcdefgh", 3) == ["abc", "def"]
    assert full_record.cut("abcdef", 3) == ["abc", "def"]
    assert full_record.cut("ab", 3) == []
