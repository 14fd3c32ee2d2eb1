"""What units fire on: the measure, the labels, and a procedure that may not peek."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.lab.probes import PROPERTIES, auc, hidden_units, labels, unit_scores, units

CONFIG = GPTConfig(vocab_size=12, block_size=8, n_embd=6, n_head=2, feed_forward="one-layer")


# --- the measure ---------------------------------------------------------------------------------


def by_pairs(activations, label):
    """The share of pairs (one with the property, one without) that are in the right order."""
    right = pairs = 0
    for (a, has), (b, has_too) in itertools.product(zip(activations, label, strict=True), repeat=2):
        if has and not has_too:
            pairs += 1
            right += 1.0 if a > b else 0.5 if a == b else 0.0
    return right / pairs


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(2, 25))
def test_auc_equals_a_count_of_all_pairs(data, n):
    """Numbers from a few values, so that ties abound."""
    label = data.draw(
        st.lists(st.booleans(), min_size=n, max_size=n).filter(lambda x: 0 < sum(x) < n)
    )
    unit = data.draw(st.lists(st.integers(-2, 2), min_size=n, max_size=n))
    found = auc(torch.tensor(unit, dtype=torch.float)[:, None], torch.tensor(label))
    assert found.tolist() == [pytest.approx(by_pairs(unit, label))]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ([0.0, 1.0, 2.0, 3.0], 1.0),
        ([3.0, 2.0, 1.0, 0.0], 0.0),
        ([5.0, 5.0, 5.0, 5.0], 0.5),  # a silent unit knows nothing
        ([0.0, 1.0, 1.0, 2.0], 0.875),  # of four pairs three are right and one is a tie
    ],
)
def test_auc_by_hand(unit, expected):
    label = torch.tensor([False, False, True, True])
    assert auc(torch.tensor(unit)[:, None], label).item() == expected


def test_auc_is_of_each_unit_by_itself():
    activations, label = torch.randn(50, 3), torch.rand(50) < 0.3
    together = auc(activations, label)
    assert together.shape == (3,)
    for i in range(3):
        assert auc(activations[:, i : i + 1], label).item() == together[i].item()


def test_auc_knows_nothing_but_the_order():
    activations, label = torch.randn(50, 3), torch.rand(50) < 0.3
    torch.testing.assert_close(auc(activations.exp() * 7, label), auc(activations, label))
    torch.testing.assert_close(auc(-activations, label), 1 - auc(activations, label))
    torch.testing.assert_close(auc(activations, ~label), 1 - auc(activations, label))


@pytest.mark.parametrize("value", [True, False])
def test_auc_needs_both_kinds(value):
    with pytest.raises(ValueError, match="positions with the property and positions without"):
        auc(torch.randn(4, 2), torch.full((4,), value))


# --- the labels ----------------------------------------------------------------------------------


def holding(text):
    """The properties of the last character of a text of five."""
    return {name for name, holds in PROPERTIES.items() if holds(text)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the a", {"a vowel", "first letter of a word"}),
        ("dogs ", {"a space"}),
        ("end.\n", {"a line break"}),
        ("me. T", {"a capital", "first letter of a word"}),
        (" ROME", {"a vowel", "a capital", "two capitals in a row"}),
        ("OMEO:", {"punctuation"}),
        ("so we", {"a vowel", "second letter of a word"}),
        ("don't", {"first letter of a word"}),  # what follows an apostrophe, too
        ("th'st", set()),  # and so the next is no second letter
        ("three", {"a vowel", "a doubled letter", "fifth letter of a word or later"}),
        ("shall", {"a doubled letter", "fifth letter of a word or later"}),
        (
            "AB-CC",
            {"a capital", "a doubled letter", "second letter of a word"}
            | {"two capitals in a row"},
        ),
        ("no --", {"punctuation"}),  # two equal signs are no doubled letter
    ],
)
def test_properties(text, expected):
    assert holding(text) == expected


def test_labels_by_hand():
    """Two windows of seven; of each the last three are asked, the fifth to the seventh."""
    found = labels("The cat" + " is big", block_size=7)
    assert found.keys() == PROPERTIES.keys()
    assert all(label.shape == (2, 3) and label.dtype == torch.bool for label in found.values())
    T, F = True, False
    assert found["a vowel"].tolist() == [[F, T, F], [F, T, F]]  # "c a t" and "b i g"
    assert found["first letter of a word"].tolist() == [[T, F, F], [T, F, F]]
    assert found["second letter of a word"].tolist() == [[F, T, F], [F, T, F]]
    assert found["a space"].tolist() == [[F, F, F], [F, F, F]]
    assert not found["a capital"].any()


def test_labels_do_not_look_into_the_window_before():
    """Each property sees five characters, all in the window of the character it is about."""
    one, other = (labels(first + "is six", block_size=6) for first in ("aaaaaa", "\n.:;;!"))
    assert all(torch.equal(one[name][1], other[name][1]) for name in PROPERTIES)
    assert units.REACH == 5


def test_no_property_looks_further_back_than_it_may():
    for name, holds in PROPERTIES.items():
        for text in ("the a", " ROME", "three", "so we", "AB-CC"):
            assert holds("xyz" + text) == holds(text), name


# --- the units -----------------------------------------------------------------------------------


def test_hidden_units_are_the_first_blocks_at_the_labelled_positions():
    model = GPT(GPTConfig(**{**vars(CONFIG), "n_layer": 2, "dropout": 0.5}))
    ids = torch.randint(11, (3, 8))
    assert model.training
    found = hidden_units(model, ids)
    assert model.training
    assert not found.requires_grad
    model.eval()
    x = model.token_embedding(ids) + model.position_embedding.weight
    block = model.blocks[0]
    expected = block.feed_forward.hidden(block.attention(x)).relu()[:, 4:]  # (3, 4, 6)
    torch.testing.assert_close(found, expected.reshape(12, 6).detach())


WORDS = ["Abe", "zabe", "ABBA", "ebb.\nabba!", "'BE", "zz!", "baabaeb", "Be"]
CHARACTERS = sorted({" ", *"".join(WORDS)})  # 12 of them, with examples of all properties


def text_of(n_windows, seed):
    """Windows of made-up text, words in random order: their ids (B, 8), and the text."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randint(len(WORDS), (8 * n_windows,), generator=generator)
    text = " ".join(WORDS[i] for i in order)[: 8 * n_windows]
    return torch.tensor([CHARACTERS.index(c) for c in text]).view(n_windows, 8), text


def of_character(ids):
    """The vocabulary's index at each labelled position: (N,)."""
    return ids[:, 4:].flatten()


def pretend(monkeypatch, units_of):
    """Let `unit_scores` see units that are made up from the model and the windows."""
    monkeypatch.setattr(units, "hidden_units", units_of)


def test_unit_is_chosen_on_the_training_text_and_judged_on_the_validation_text(monkeypatch):
    """Unit 0 marks vowels in the training text alone, unit 1 in the validation text alone.

    An honest procedure takes unit 0 and finds that it is worth nothing; one that peeks takes
    unit 1 and reports 1.
    """
    train, validation = text_of(60, seed=1), text_of(60, seed=2)

    def units_of(model, ids):
        character = of_character(ids)
        vowel = sum(character == CHARACTERS.index(c) for c in "aAeE").float()
        nothing = torch.zeros_like(vowel)
        pair = [vowel, nothing] if ids is train[0] else [nothing, vowel]
        return torch.stack(pair, dim=1)

    pretend(monkeypatch, units_of)
    found = unit_scores(GPT(CONFIG), GPT(CONFIG), train, validation)
    assert found["a vowel"] == 0.5
    assert found["a vowel, random"] == 0.75
    assert found["a vowel, untrained"] == 0.5


def test_scores_of_trained_untrained_and_random_units(monkeypatch):
    """The trained model has a unit for spaces, the untrained one has none."""
    trained, untrained = GPT(CONFIG), GPT(CONFIG)
    train, validation = text_of(60, seed=1), text_of(60, seed=2)

    def units_of(model, ids):
        space = (of_character(ids) == CHARACTERS.index(" ")).float()
        first = space if model is trained else torch.zeros_like(space)
        return torch.stack([first, -space, torch.zeros_like(space)], dim=1)

    pretend(monkeypatch, units_of)
    found = unit_scores(trained, untrained, train, validation)
    assert found["a space"] == 1.0
    assert found["a space, random"] == pytest.approx((1 + 0 + 0.5) / 3)
    assert found["a space, untrained"] == 0.5


def test_scores_of_a_real_model_equal_the_procedure_written_out():
    model, untrained = GPT(CONFIG), GPT(CONFIG)
    train, validation = text_of(60, seed=1), text_of(60, seed=2)
    found = unit_scores(model, untrained, train, validation)
    assert found.keys() == {
        name + suffix for name in PROPERTIES for suffix in ("", ", random", ", untrained")
    }
    for suffix, judged in (("", model), (", untrained", untrained)):
        for name in PROPERTIES:
            on_train, on_validation = (
                auc(hidden_units(judged, ids), labels(text, 8)[name].flatten())
                for ids, text in (train, validation)
            )
            assert found[name + suffix] == on_validation[on_train.argmax()].item()
            if not suffix:
                assert found[f"{name}, random"] == pytest.approx(on_validation.mean().item())
    assert unit_scores(model, model, train, validation)["a vowel, untrained"] == found["a vowel"]
