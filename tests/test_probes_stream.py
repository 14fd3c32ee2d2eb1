"""The stream probe: what it records is what the model works with, and it leaves nothing behind."""

import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.lab.probes import recorded_stream, rms, stream_statistics
from bardgpt.layers.blocks import BLOCKS

KINDS = ["one-layer", "two-layer"]
CONFIG = GPTConfig(
    vocab_size=11,
    block_size=9,
    n_embd=6,
    n_layer=3,
    n_head=2,
    projection=True,
    feed_forward="two-layer",
)


def grown(block="pre-norm", **others):
    """A model whose norms have gains and biases of their own."""
    model = GPT(dataclasses.replace(CONFIG, block=block, **others))
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name:
                p.normal_()
    return model


@pytest.fixture
def windows():
    ids = torch.randint(11, (4, 8))
    return ids[:, :-1], ids[:, 1:]


def hooks(model):
    return sum(
        len(m._forward_pre_hooks) + len(m._forward_hooks) + len(m._backward_hooks)
        for m in model.modules()
    )


# --- recording -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("feed_forward", KINDS)
@pytest.mark.parametrize("block", BLOCKS)
def test_what_is_recorded_obeys_the_blocks_formula(windows, block, feed_forward, fused):
    model = grown(block, feed_forward=feed_forward, fused=fused, final_norm=True)
    with recorded_stream(model) as stream:
        logits = model(windows[0])
    L = model.config.n_layer
    assert (len(stream.at), len(stream.branches)) == (L + 1, 2 * L)
    assert (len(stream.beside), len(stream.hidden)) == (2 * L, L)
    embedded = model.token_embedding(windows[0]) + model.position_embedding.weight[:7]
    assert torch.equal(stream.at[0], embedded)
    assert torch.equal(logits, model.lm_head(model.norm(stream.at[-1])))
    for i, module in enumerate(model.blocks):
        before, after = stream.at[i], stream.at[i + 1]
        attention, feed_forward = stream.branches[2 * i : 2 * i + 2]
        first, second = stream.beside[2 * i : 2 * i + 2]
        assert torch.equal(first, before)
        match block:
            case "plain":
                assert torch.equal(second, attention)
                assert torch.equal(after, feed_forward)
            case "residual" | "pre-norm":
                assert torch.equal(second, before + attention)
                assert torch.equal(after, before + attention + feed_forward)
            case "post-norm":
                assert torch.equal(second, module.attention_norm(before + attention))
                assert torch.equal(after, module.feed_forward_norm(second + feed_forward))
        # The branches are of the stream as the block's formula lets them see it.
        normed = block == "pre-norm"
        seen = module.attention_norm(before) if normed else before
        torch.testing.assert_close(attention, module.attention(seen))
        seen = module.feed_forward_norm(second) if normed else second
        torch.testing.assert_close(feed_forward, module.feed_forward(seen))
        torch.testing.assert_close(stream.hidden[i], module.feed_forward.hidden(seen).relu())


@pytest.mark.parametrize("activation", ["relu", "gelu", "none"])
@pytest.mark.parametrize(("feed_forward", "H"), [("one-layer", 6), ("two-layer", 24)])
def test_hidden_units_are_recorded_after_their_activation(windows, feed_forward, H, activation):
    model = grown(feed_forward=feed_forward, activation=activation)
    with recorded_stream(model) as stream:
        model(windows[0])
    assert all(h.shape == (4, 7, H) for h in stream.hidden)
    assert any((h < 0).any().item() for h in stream.hidden) is (activation != "relu")


def test_recording_does_not_change_what_is_computed(windows):
    model = grown()
    before = model(windows[0])
    with recorded_stream(model):
        assert torch.equal(model(windows[0]), before)


def test_no_hook_outlives_the_with_block(windows):
    model = grown()
    with recorded_stream(model) as stream:
        assert hooks(model) > 0
        model(windows[0])
    assert hooks(model) == 0
    model(windows[0])
    assert len(stream.at) == 4


def test_no_hook_outlives_an_error():
    model = grown()
    with pytest.raises(ValueError, match="block_size is 9"), recorded_stream(model):
        model(torch.zeros(1, 10, dtype=torch.long))
    assert hooks(model) == 0


def test_others_hooks_are_left_alone(windows):
    model, seen = grown(), []
    model.blocks[0].register_forward_hook(lambda *_: seen.append(1))
    with recorded_stream(model):
        model(windows[0])
    assert hooks(model) == 1
    model(windows[0])
    assert seen == [1, 1]


def test_a_second_pass_adds_to_the_lists(windows):
    model = grown()
    with recorded_stream(model) as stream:
        model(windows[0])
        model(windows[0])
    assert [len(kept) for kept in vars(stream).values()] == [8, 12, 12, 6]


@pytest.mark.parametrize("changes", [{"n_layer": 0}, {"feed_forward": "none"}])
def test_model_without_a_stream_is_refused(changes):
    model = grown("plain", **changes)
    with pytest.raises(ValueError, match=r"no stream to record: .* n_layer > 0 and a feed_forward"):
        recorded_stream(model).__enter__()
    assert hooks(model) == 0


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "expected"), [([3.0, 4.0], 12.5**0.5), ([-2.0, 2.0, 2.0], 2.0), ([0.0], 0.0)]
)
def test_rms(numbers, expected):
    assert rms(torch.tensor(numbers)) == pytest.approx(expected)


def by_hand(model, ids, targets):
    """Everything that the probe gives, from a forward pass written out and one backward pass."""
    block = model.config.block
    x = model.token_embedding(ids) + model.position_embedding.weight[: ids.shape[1]]
    at, ratios, silent = [x], [], []
    for part in model.blocks:
        for i, (f, norm) in enumerate(
            [
                (part.attention, getattr(part, "attention_norm", None)),
                (part.feed_forward, getattr(part, "feed_forward_norm", None)),
            ]
        ):
            read = norm(x) if block == "pre-norm" else x
            if i:
                h = part.feed_forward.hidden(read)
                h = {"relu": h.relu(), "gelu": F.gelu(h), "none": h}[model.config.activation]
                silent.append((h == 0).sum().item() / h.numel())
            y = f(read)
            ratios.append((y.pow(2).sum() / x.pow(2).sum()).sqrt().item())
            x = y if block == "plain" else x + y
            x = norm(x) if block == "post-norm" else x
        at.append(x)
    for tensor in at:
        tensor.retain_grad()
    logits = model.lm_head(model.norm(x))
    F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum").backward()
    two = model.config.feed_forward == "two-layer"
    last = [b.feed_forward.proj if two else b.feed_forward.hidden for b in model.blocks]

    def size(x):
        return x.pow(2).sum().item() ** 0.5 / x.numel() ** 0.5

    return {
        "stream": [size(x.detach()) for x in at],
        "mean": [x.detach().sum().item() / x.numel() for x in at],
        "gradient": [size(x.grad) for x in at],
        "weight gradient": [size(matrix.weight.grad) for matrix in last],
        "branch": [] if block == "plain" else ratios,
        "silent": silent,
    }


@pytest.mark.parametrize("final_norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu", "none"])
@pytest.mark.parametrize("feed_forward", KINDS)
@pytest.mark.parametrize("block", BLOCKS)
def test_statistics_by_hand(windows, block, feed_forward, activation, final_norm):
    model = grown(block, feed_forward=feed_forward, activation=activation, final_norm=final_norm)
    found = stream_statistics(model, *windows)
    expected = by_hand(model, *windows)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-4, abs=1e-6), name


@pytest.mark.parametrize("block", BLOCKS)
def test_lengths_of_the_lists(windows, block):
    found = stream_statistics(grown(block), *windows)
    assert {name: len(values) for name, values in found.items()} == {
        "stream": 4,
        "mean": 4,
        "gradient": 4,
        "weight gradient": 3,
        "branch": 0 if block == "plain" else 6,
        "silent": 3,
    }


def test_gradients_do_not_shrink_with_the_batch(windows):
    """Twice the same windows: the mean of the squares is the same, for the loss is a sum."""
    model = grown()
    once = stream_statistics(model, *windows)
    twice = stream_statistics(model, *(ids.repeat(2, 1) for ids in windows))
    assert twice["gradient"] == pytest.approx(once["gradient"], rel=1e-4)
    assert twice["weight gradient"] == pytest.approx(
        [2 * g for g in once["weight gradient"]], rel=1e-4
    )


def test_the_models_own_gradients_are_left_alone(windows):
    model = grown()
    stream_statistics(model, *windows)
    assert all(p.grad is None for p in model.parameters())
    for p in model.parameters():
        p.grad = torch.randn_like(p)
    before = [p.grad.clone() for p in model.parameters()]
    stream_statistics(model, *windows)
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), before, strict=True))


@pytest.mark.parametrize("training", [True, False])
def test_looking_leaves_weights_mode_and_random_state(windows, training):
    model = grown().train(training)
    weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.get_rng_state()
    stream_statistics(model, *windows)
    assert all(torch.equal(t, weights[name]) for name, t in model.state_dict().items())
    assert model.training is training
    assert torch.equal(torch.get_rng_state(), state)
    assert hooks(model) == 0


def test_residual_gradients_of_silent_branches_are_the_same_at_every_depth(windows):
    """The path is clean: what comes back from the loss passes every block unchanged."""
    model = grown("residual", initialization="zero")
    found = stream_statistics(model, *windows)
    assert found["gradient"] == pytest.approx([found["gradient"][0]] * 4, rel=1e-6)
    assert found["gradient"][0] > 0
    assert found["branch"] == [0.0] * 6
    assert found["stream"] == pytest.approx([found["stream"][0]] * 4)


def test_silent_units():
    """Biases of -1e3 silence all units; the probe counts zeros, not small numbers."""
    model = grown()
    with torch.no_grad():
        model.blocks[1].feed_forward.hidden.bias.fill_(-1e3)
        model.blocks[2].feed_forward.hidden.bias.fill_(1e3)
    ids = torch.randint(11, (4, 7))
    silent = stream_statistics(model, ids, ids)["silent"]
    assert silent[1:] == [1.0, 0.0]
    assert 0 < silent[0] < 1
    assert not any(math.isnan(share) for share in silent)
