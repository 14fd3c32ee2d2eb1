"""What context is worth, on losses and models made up for it."""

import dataclasses

import pytest
import torch

from bardgpt.gpt import GPT
from bardgpt.lab.probes import context
from bardgpt.presets import PRESETS


def test_by_position_is_the_mean_over_windows():
    of_each = torch.tensor([1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 100.0])  # two windows of 3, a ragged one
    assert context.by_position(of_each, 3) == [3.0, 5.0, 8.0]


def test_context_is_compared_on_the_same_characters(shakespeare, monkeypatch):
    monkeypatch.setattr(context, "JUDGED", 20)
    torch.manual_seed(0)
    model = GPT(dataclasses.replace(PRESETS["tiny"].model, block_size=32)).eval()
    losses = context.by_context(model, shakespeare.validation)
    assert losses.pop("characters") == 20
    assert list(losses) == ["1", "2", "4", "8", "16"]
    ids = shakespeare.validation[: 16 + 1 + 20]
    for least, numbers in losses.items():
        by_hand = context.with_context(model, ids, 20, int(least)).mean().item()
        assert numbers["loss"] == pytest.approx(by_hand, abs=1e-5)


def test_gain_of_context_and_its_standard_error_by_hand(monkeypatch):
    """Of four characters, gains 1, 2, 3 and 4: √(5 / 3) / √4 is the standard error of the mean."""
    losses = {1: [5.0, 6.0, 7.0, 8.0], 2: [4.0, 4.0, 4.0, 4.0], 4: [4.0, 3.0, 4.0, 3.0]}

    def with_context(model, ids, length, least):
        assert (len(ids), length) == (4 + 1 + 4, 4)
        return torch.tensor(losses[least])

    monkeypatch.setattr(context, "JUDGED", 4)
    monkeypatch.setattr(context, "with_context", with_context)
    model = GPT(dataclasses.replace(PRESETS["tiny"].model, block_size=8))
    assert context.by_context(model, torch.arange(30)) == {
        "characters": 4,
        "1": {"loss": 6.5},
        "2": {"loss": 4.0, "gain": 2.5, "standard error": 0.6455},
        "4": {"loss": 3.5, "gain": 0.5, "standard error": 0.28868},
    }


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
    """The second window begins one character before the second name, then with its first letter.

    That letter is still a target of the first window, which sees all that came before.
    """
    validation = "\n\nBOB:\nHo.\n\nBOB:\nHo.\n"
    place = validation.rindex("BOB:")
    for block_size, counts in (
        (100, {"new, first": 4, "new, again": 4}),
        (place - 1, {"new, first": 8}),
        (place, {"new, first": 4, "new, again": 4}),
    ):
        names = context.names(torch.ones(len(validation) - 1), "", validation, block_size)
        groups = {kind: of["characters"] for kind, of in names["groups"].items() if "," in kind}
        assert groups == counts


def test_losses_with_context_are_those_of_a_window_that_ends_there():
    torch.manual_seed(0)
    config = dataclasses.replace(PRESETS["tiny"].model, vocab_size=5, block_size=6)
    model = GPT(config).eval()
    ids = torch.randint(5, (30,))
    losses = context.with_context(model, ids, 8)
    assert losses.shape == (8,)
    half = 3
    for i, loss in enumerate(losses.tolist()):
        place = 22 + i
        begin = 22 + i // half * half - half - 1  # what its window begins with
        with torch.no_grad():
            p = model(ids[None, begin:place])[0, -1].log_softmax(dim=-1)
        assert loss == pytest.approx(-p[ids[place]].item(), abs=1e-5)
