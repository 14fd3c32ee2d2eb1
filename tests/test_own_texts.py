"""What presets make of texts of one's own: how it is measured, read and drawn."""

import json
from hashlib import sha256

import pytest
from artists import curves, drawn, is_role, legend, levels, lines

from bardgpt import corpus, files, records
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.lab.count_tables import CountTable
from bardgpt.lab.makers import own_texts
from bardgpt.presets import PRESETS, Preset
from bardgpt.teaching import figures
from bardgpt.text import Text
from bardgpt.training.run import load_run

TEXT = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n" * 9


@pytest.fixture
def made(monkeypatch, tmp_path):
    """The record of a short text and of short runs, written, and the folder of the runs."""
    monkeypatch.setattr(files, "RECORDED", tmp_path)
    monkeypatch.setattr(own_texts, "texts", lambda: {"short": TEXT})
    for name in own_texts.TRAINED:
        model = own_texts.replace(PRESETS[name].model, n_embd=8, n_layer=1, block_size=16)
        training = own_texts.replace(PRESETS[name].training, steps=20, evaluate_every=5)
        monkeypatch.setitem(PRESETS, name, Preset(model, training))
    monkeypatch.setattr("sys.argv", ["own_texts", str(tmp_path / "runs")])
    own_texts.main()
    return tmp_path


def test_record_is_what_the_runs_logged_and_their_weights_give(made):
    text = records.own_texts()["short"]
    assert (text.characters, text.vocabulary) == (len(TEXT), len(set(TEXT)))
    encoded = Text.of(TEXT)
    table = CountTable(encoded.train, text.best_context, encoded.tokenizer.vocab_size)
    assert text.tables[text.best_context] == pytest.approx(
        table.losses(encoded.validation).mean().item(), abs=1e-9
    )
    assert text.tables[text.best_context] == min(text.tables)
    for name, fit in text.fits.items():
        model, _ = load_run(made / "runs" / f"{len(TEXT)}-{name}")
        # bfloat16, in which the run was judged, where the processor has it
        assert evaluate(model, encoded.validation) == pytest.approx(
            fit.best["validation"], abs=0.02
        )
        assert [line["step"] for line in fit.log] == [0, 5, 10, 15, 20]
        assert fit.last is fit.log[-1]
        for weights in ("best", "last"):
            longest = fit.copies[weights]
            sample = fit.texts[weights]
            source = TEXT[: int(0.9 * len(TEXT))]
            starts = range(len(sample))
            assert any(sample[i : i + longest] in source for i in starts)
            assert not any(
                sample[i : i + longest + 1] in source for i in starts if i + longest < len(sample)
            )


def test_what_is_finished_is_not_trained_again(made):
    record = made / "own-texts.json"
    first = json.loads(record.read_text("utf-8"))
    record.unlink()
    own_texts.main()
    second = json.loads(record.read_text("utf-8"))
    assert second["texts"] == first["texts"]  # the seconds in the logs too


def test_texts_are_beginnings_of_each_other_and_the_library_is_ascii():
    texts = own_texts.texts()
    *of_shakespeare, library = texts.values()
    assert [len(text) for text in of_shakespeare] == list(own_texts.SIZES)
    assert all(corpus.load().startswith(text) for text in of_shakespeare)
    assert len(library) == own_texts.LIBRARY
    assert library.isascii()


def test_committed_record_is_of_the_presets_and_texts_that_there_are():
    kept = records.read("own-texts")
    presets = {  # a field that is younger than the record has its default there
        name: Preset(GPTConfig(**of["model"]), TrainingConfig(**of["training"]))
        for name, of in kept["presets"].items()
    }
    assert presets == {name: PRESETS[name] for name in own_texts.TRAINED}
    text = corpus.load()
    first, *_ = of_shakespeare = list(kept["texts"].values())[:-1]  # libraries differ
    for row in of_shakespeare:
        beginning = text[: row["characters"]]
        assert row["sha256"] == sha256(beginning.encode()).hexdigest()
    tables = own_texts.tables(text[: first["characters"]])
    assert first["tables"] == pytest.approx(tables, abs=1e-9)


def test_drawing_has_both_losses_the_best_reading_and_the_table():
    log = [
        {"step": 0, "validation": 4.0},
        {"step": 10, "train": 2.0, "validation": 2.25},
        {"step": 20, "train": 1.0, "validation": 2.5},
    ]
    figure = drawn(figures.by_heart({"one": log, "two": log[:2]}, {"one": 2.375, "two": 1.75}))
    left, right = figure.axes
    assert curves(left) == [
        ("train", [10, 20], [2.0, 1.0]),
        ("validation", [0, 10, 20], [4.0, 2.25, 2.5]),
        (None, [10], [2.25]),
    ]
    assert is_role(lines(left)[0][3], "train")
    assert is_role(lines(left)[1][3], "validation")
    assert [levels(axes) for axes in figure.axes] == [
        [("count table", 2.375)],
        [("count table", 1.75)],
    ]
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]
    assert legend(right) == ["train", "validation", "count table"]
