"""The rungs' weights that come with the package, as committed: whose they are is found again."""

import pytest
import torch

from bardgpt import pretrained, records
from bardgpt.evaluation import evaluate
from bardgpt.lab.ladder import PROMPT, RUN, RUNGS
from bardgpt.lab.likeness import Reference, known_words

# What processors round otherwise changes the loss of the same weights by far less
# (tests/test_recorded_run.py).
SAME_WEIGHTS = 1e-6


@pytest.fixture(scope="module")
def record():
    return records.read("continuations")


@pytest.mark.parametrize("name", RUNGS)
def test_weights_have_the_recorded_loss_on_the_whole_validation_split(name, record, shakespeare):
    model, tokenizer = pretrained.load_rung(name)
    assert model.config == RUNGS[name].config
    assert tokenizer.vocabulary == shakespeare.tokenizer.vocabulary
    assert {weight.dtype for weight in model.state_dict().values()} == {torch.float32}
    loss = evaluate(model, shakespeare.validation)
    assert loss == pytest.approx(record["validation"][name], abs=SAME_WEIGHTS)


@pytest.mark.parametrize("name", RUNGS)
def test_they_are_a_run_of_the_rung(name, record):
    """Another machine's rounding sends the same seed along another path, to as good a place."""
    rung = records.load(name)
    assert rung.seeds[0] == record["experiment"]["seed"]
    assert rung.training == RUN
    assert abs(record["validation"][name] - rung.band().mean) < 4 * rung.band().sd


def test_all_rungs_are_there_in_under_a_megabyte():
    assert {folder.name for folder in pretrained.RUNGS.iterdir()} == RUNGS.keys()
    assert sum(file.stat().st_size for file in pretrained.RUNGS.rglob("*")) < 1_000_000


def test_every_rung_continues_the_prompt_at_three_temperatures(record):
    asked, texts = record["experiment"], record["texts"]
    assert asked["prompt"] == PROMPT
    assert len(asked["temperatures"]) == 3
    for name in RUNGS:
        assert list(texts[name]) == [f"{temperature:g}" for temperature in asked["temperatures"]]
        assert {len(text) for text in texts[name].values()} == {asked["length"]}


def test_the_colder_the_more_words_are_known(record, shakespeare):
    """Of the last rung: so that a text stands under the temperature that it was drawn at."""
    reference = Reference.of(shakespeare.tokenizer.decode(shakespeare.train))
    shares = [known_words(text, reference) for text in record["texts"]["pre-norm"].values()]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > shares[-1] + 0.2
