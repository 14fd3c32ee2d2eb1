"""The probe of attention; the others have files of their own, `test_probes_….py`."""

import dataclasses

import pytest
import torch

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.lab.probes import (
    CLASSES,
    attention_maps,
    by_class,
    by_distance,
    character_classes,
    head_spreads,
    variations,
)

CONFIG = GPTConfig(vocab_size=11, block_size=9, n_embd=15, n_layer=2, n_head=3)


@pytest.fixture
def model():
    return GPT(CONFIG)


@pytest.fixture
def ids():
    return torch.randint(11, (4, 7))


def by_hand(head, x):
    """One head's weights from its q and k, row by row and without a mask: (B, T, T)."""
    q, k = x @ head.query.weight.T, x @ head.key.weight.T  # (B, T, hs)
    weights = torch.zeros(x.shape[0], x.shape[1], x.shape[1])
    for t in range(x.shape[1]):
        scores = torch.einsum("bd,bsd->bs", q[:, t], k[:, : t + 1]) / q.shape[-1] ** 0.5
        weights[:, t, : t + 1] = scores.softmax(dim=-1)
    return weights


def test_maps_are_the_weights_by_hand_layer_by_layer(model, ids):
    """The second layer's belong to the first layer's output; together they must be told apart."""
    maps = attention_maps(model, ids)
    assert maps.shape == (2, 4, 3, 7, 7)
    x = model.token_embedding(ids) + model.position_embedding.weight[:7]
    for found, block in zip(maps, model.blocks, strict=True):
        for h, head in enumerate(block.attention.heads):
            torch.testing.assert_close(found[:, h], by_hand(head, x).detach())
        x = block(x)
    assert not torch.allclose(maps[0], maps[1], atol=1e-3)


def test_maps_are_what_the_model_really_works_with(model, ids):
    """They make its output: weights @ values, concatenated, twice, then the output layer."""
    x = model.token_embedding(ids) + model.position_embedding.weight[:7]
    for maps, block in zip(attention_maps(model, ids), model.blocks, strict=True):
        heads = block.attention.heads
        x = torch.cat([maps[:, h] @ heads[h].value(x) for h in range(3)], dim=-1)
    torch.testing.assert_close(model.lm_head(x), model(ids))


@pytest.mark.parametrize("block", ["plain", "residual", "post-norm", "pre-norm"])
def test_maps_of_any_block_are_distributions_over_the_past(ids, block):
    """In a pre-norm block a head reads the normed stream: its maps are of that."""
    grown = dataclasses.replace(CONFIG, block=block, feed_forward="two-layer", projection=True)
    model = GPT(grown)
    maps = attention_maps(model, ids)
    assert maps.shape == (2, 4, 3, 7, 7)
    torch.testing.assert_close(maps.sum(dim=-1), torch.ones(2, 4, 3, 7))
    assert (maps.triu(1) == 0).all()
    x = model.token_embedding(ids) + model.position_embedding.weight[:7]
    read = model.blocks[0].attention_norm(x) if block == "pre-norm" else x
    for h, head in enumerate(model.blocks[0].attention.heads):
        torch.testing.assert_close(maps[0, :, h], by_hand(head, read).detach())


@pytest.mark.parametrize("training", [True, False])
def test_looking_is_without_dropout_and_changes_nothing(model, ids, training):
    holey = GPT(dataclasses.replace(CONFIG, dropout=0.5)).train(training)
    holey.load_state_dict(model.state_dict())
    maps = attention_maps(holey, ids)
    assert not maps.requires_grad
    torch.testing.assert_close(maps, attention_maps(model, ids))
    assert holey.training is training
    assert hooks(holey) == 0


def hooks(model):
    return sum(
        len(module._forward_pre_hooks) + len(module._forward_hooks) for module in model.modules()
    )


def test_no_hook_outlives_an_error(model):
    with pytest.raises(ValueError, match="block_size is 9"):
        attention_maps(model, torch.zeros(1, 10, dtype=torch.long))
    assert hooks(model) == 0
    assert model.training


@pytest.mark.parametrize("changes", [{"fused": True}, {"n_layer": 0}])
def test_model_without_separate_heads_is_refused(ids, changes):
    model = GPT(dataclasses.replace(CONFIG, **changes))
    with pytest.raises(ValueError, match=r"no heads to look into: .* n_layer > 0, fused=False"):
        attention_maps(model, ids)
    assert model.training


def test_character_classes():
    vocabulary = "\n !3AEIOUYaeiouyZz'"
    names = [CLASSES[i] for i in character_classes(vocabulary)]
    assert names[:4] == ["line break", "space", "other", "other"]
    assert names[4:] == ["vowel"] * 5 + ["consonant"] + ["vowel"] * 5 + ["consonant"] * 3 + [
        "other"
    ]


# Two windows of three positions, two heads; only the last row is asked for.
LAST_ROWS = torch.tensor([[[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]], [[0.1, 0.3, 0.6], [1.0, 0.0, 0.0]]])
MAPS = torch.cat([torch.full((2, 2, 2, 3), 9.0), LAST_ROWS[:, :, None]], dim=2)  # (2, 2, 3, 3)


def test_by_distance_counts_back_from_the_last_position():
    expected = torch.tensor([[0.4, 0.3, 0.3], [0.0, 0.0, 1.0]])
    torch.testing.assert_close(by_distance(MAPS), expected)


def test_by_class_adds_up_the_weights_of_keys_of_a_class():
    vowel, consonant, space = 0, 1, 2
    classes = torch.tensor([[vowel, space, vowel], [consonant, vowel, space]])
    expected = torch.tensor(
        [
            [(0.5 + 0.2 + 0.3) / 2, 0.1 / 2, (0.3 + 0.6) / 2, 0, 0],
            [1 / 2, 1 / 2, 0, 0, 0],
        ]
    )
    torch.testing.assert_close(by_class(MAPS, classes), expected)


@pytest.mark.parametrize(
    ("profiles", "expected"),
    [
        ([[0.2, 0.8], [0.2, 0.8]], [0.0]),
        ([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]], [1.0]),
        ([[0.5, 0.5], [0.8, 0.2]], [0.3]),
        ([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]], [0.1, 1.0, 0.9]),  # 0 and 1, 0 and 2, 1 and 2
    ],
)
def test_total_variation_of_each_pair(profiles, expected):
    torch.testing.assert_close(variations(torch.tensor(profiles)), torch.tensor(expected))


SPREADS = [
    f"by {what}{null}{pair}"
    for what in ("distance", "class")
    for null in ("", ", shuffled")
    for pair in ("", ", closest pair")
]


def test_identical_heads_have_no_spread(model, ids):
    for head in model.blocks[0].attention.heads:
        head.load_state_dict(model.blocks[0].attention.heads[0].state_dict())
    found = head_spreads(model, ids, torch.arange(11) % 5)
    assert found == dict.fromkeys(SPREADS, 0)


def positions_only(looks_back):
    """A layer of heads, each of which looks a set number of characters back, whatever is there.

    Queries and keys see nothing but the position: query t is e_t, key s is e_{s + back}.
    """
    n_head = len(looks_back)
    model = GPT(GPTConfig(vocab_size=11, block_size=8, n_embd=8 * n_head, n_head=n_head))
    with torch.no_grad():
        model.token_embedding.weight[:, :8] = 0
        model.position_embedding.weight.copy_(torch.eye(8, 8 * n_head))
        for head, back in zip(model.blocks[0].attention.heads, looks_back, strict=True):
            head.query.weight.copy_(100 * torch.eye(8, 8 * n_head))
            head.key.weight.zero_()
            head.key.weight[back:, : 8 - back] = torch.eye(8 - back)
    return model


def test_heads_that_look_at_different_distances_are_far_apart_and_their_null_is_not():
    """The null of 5,000 windows: two shares of 1/8 in each of 8 places, each within chance.

    Its expectation is 4 * sqrt(2 / pi) * sqrt(2 * (1 / 8) * (7 / 8) / 5000), about 0.02.
    """
    model = positions_only([0, 3])
    ids = torch.randint(11, (5_000, 8))
    torch.testing.assert_close(by_distance(attention_maps(model, ids)[0]), torch.eye(8)[[0, 3]])
    found = head_spreads(model, ids, torch.arange(11) % 5)
    assert found["by distance"] == found["by distance, closest pair"] == pytest.approx(1)
    assert found["by distance, shuffled"] < 0.05
    # The characters were drawn at random: whatever the distance, the classes are as many.
    assert found["by class"] < 0.05
    assert found["by class, shuffled"] < 0.05


def test_closest_pair_tells_a_crowd_from_one_that_stands_apart():
    found = head_spreads(
        positions_only([0, 0, 3]), torch.randint(11, (50, 8)), torch.arange(11) % 5
    )
    assert found["by distance"] == pytest.approx(2 / 3)  # pairs: 0, 1, 1
    assert found["by distance, closest pair"] == pytest.approx(0, abs=1e-6)


def test_heads_that_look_at_different_classes_are_told_apart():
    """Even and odd places hold two classes; one head looks at an even one, the other at an odd."""
    model = positions_only([0, 1])
    ids = torch.randint(5, (3_000, 8)) * 2 + torch.arange(8) % 2  # odd ids at odd places
    found = head_spreads(model, ids, torch.arange(11) % 2)
    assert found["by class"] == pytest.approx(1)
    assert found["by class, shuffled"] < 0.05


def test_null_is_the_seeds(model, ids):
    classes = torch.arange(11) % 5
    first = head_spreads(model, ids, classes, seed=1)
    assert head_spreads(model, ids, classes, seed=1) == first
    other = head_spreads(model, ids, classes, seed=2)
    assert other["by distance"] == first["by distance"]
    assert other["by distance, shuffled"] != first["by distance, shuffled"]
