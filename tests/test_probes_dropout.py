"""One mask, many masks, none: what dropout does to a model at work."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.lab.probes import divergence, ensemble, losses_by_switch, unscaled

CONFIG = GPTConfig(
    vocab_size=11,
    block_size=9,
    n_embd=6,
    n_layer=2,
    n_head=3,
    projection=True,
    feed_forward="two-layer",
    block="pre-norm",
    final_norm=True,
    dropout=0.3,
    attention_dropout=0.4,
    embedding_dropout=0.1,
    fused=True,
)


def model(**others):
    return GPT(dataclasses.replace(CONFIG, **others))


@pytest.fixture
def windows():
    ids = torch.randint(11, (50, 8))
    return ids[:, :-1], ids[:, 1:]


def passes(of, ids, n, seed):
    """n masked passes, drawn as the probe draws them: (n, B, T, V) log-probabilities."""
    of.train()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        return torch.stack([of(ids).log_softmax(-1) for _ in range(n)])


def test_ensemble_by_hand(windows):
    ids, targets = windows
    judged = model()
    found = ensemble(judged, ids, targets, counts=(1, 3), seed=5)
    log_p = passes(judged, ids, 3, 5)
    with torch.no_grad():
        at_test = judged.eval()(ids)
    expected = F.cross_entropy(at_test.flatten(0, 1), targets.flatten()).item()
    assert found["test-time loss"] == [pytest.approx(expected, rel=1e-5)]
    for place, n in enumerate((1, 3)):
        mean = log_p[:n].exp().mean(dim=0)  # (B, T, V)
        geometric = log_p[:n].mean(dim=0).softmax(-1)
        for kind, p in (("", mean), ("geometric ", geometric)):
            of_targets = p.gather(-1, targets[..., None])
            expected = -of_targets.log().mean().item()
            assert found[f"{kind}loss"][place] == pytest.approx(expected, rel=1e-4)
            kl = (p * (p.log() - at_test.log_softmax(-1))).sum(-1).mean().item()
            assert found[f"{kind}KL"][place] == pytest.approx(kl, rel=1e-3)


def test_divergence_by_hand_and_its_direction():
    p, q = torch.tensor([0.5, 0.5]), torch.tensor([0.25, 0.75])
    expected = 0.5 * torch.log(torch.tensor(2.0)) + 0.5 * torch.log(torch.tensor(2 / 3))
    assert divergence(p.log(), q.log()) == pytest.approx(expected.item(), rel=1e-5)
    assert divergence(q.log(), p.log()) != pytest.approx(expected.item(), rel=0.01)
    assert divergence(p.log(), p.log()) == 0


def test_more_masks_come_closer(windows):
    found = ensemble(model(), *windows, counts=(1, 4, 16))
    for name in ("KL", "geometric KL", "loss"):
        assert found[name] == sorted(found[name], reverse=True)


def test_without_dropout_all_are_the_same(windows):
    judged = model(dropout=0.0, attention_dropout=0.0, embedding_dropout=0.0)
    found = ensemble(judged, *windows, counts=(1, 4))
    alone = found["test-time loss"] * 2
    assert found["loss"] == pytest.approx(alone, rel=1e-6)
    assert found["geometric loss"] == pytest.approx(alone, rel=1e-6)
    assert found["KL"] == pytest.approx([0, 0], abs=1e-6)
    switches = losses_by_switch(judged, *windows)
    assert list(switches.values()) == pytest.approx(alone + alone[:1], rel=1e-6)


def test_switches_by_hand(windows):
    ids, targets = windows
    judged = model()
    found = losses_by_switch(judged, ids, targets, seed=3)
    left_on = F.nll_loss(passes(judged, ids, 1, 3)[0].flatten(0, 1), targets.flatten()).item()
    assert found["left on"] == pytest.approx(left_on, rel=1e-5)
    assert found["off"] == ensemble(judged, ids, targets, counts=(1,))["test-time loss"][0]
    assert len({round(loss, 4) for loss in found.values()}) == 3


@pytest.mark.parametrize("fused", [True, False])
def test_unscaled_is_the_model_with_larger_matrices(windows, fused):
    """Whoever drops without dividing by 1 - p learns matrices that already hold the factor."""
    ids, _ = windows
    judged = model(fused=fused).eval()
    louder = model(fused=fused).eval()
    louder.load_state_dict(judged.state_dict())
    with torch.no_grad():
        for block in louder.blocks:
            for layer in (block.attention.proj, block.feed_forward.proj):
                layer.weight /= 1 - 0.3
                layer.bias /= 1 - 0.3
            if fused:
                block.attention.qkv.weight[12:] /= 1 - 0.4  # the values
            else:
                for head in block.attention.heads:
                    head.value.weight /= 1 - 0.4
        for table in (louder.token_embedding, louder.position_embedding):
            table.weight /= 1 - 0.1
        expected = louder(ids)
        with unscaled(judged):
            torch.testing.assert_close(judged(ids), expected)
        assert not torch.allclose(judged(ids), expected, atol=1e-3)  # the hooks are gone


@pytest.mark.parametrize("training", [True, False])
def test_judging_leaves_the_model_and_the_random_state(windows, training):
    judged = model().train(training)
    before = {name: tensor.clone() for name, tensor in judged.state_dict().items()}
    state = torch.get_rng_state()
    found = [losses_by_switch(judged, *windows), ensemble(judged, *windows, counts=(1, 2))]
    assert torch.equal(torch.get_rng_state(), state)
    assert judged.training is training
    assert all(module.training is training for module in judged.modules())
    assert all(torch.equal(t, before[name]) for name, t in judged.state_dict().items())
    assert all(p.grad is None for p in judged.parameters())
    assert not any(module._forward_hooks for module in judged.modules())
    again = [losses_by_switch(judged, *windows), ensemble(judged, *windows, counts=(1, 2))]
    assert again == found


def test_other_masks_for_another_seed(windows):
    judged = model()
    first, second = (ensemble(judged, *windows, counts=(1,), seed=seed) for seed in (0, 1))
    assert first["loss"] != second["loss"]
    assert first["test-time loss"] == second["test-time loss"]


def test_no_mask_is_used_twice(windows):
    """Two passes with the same mask would be no ensemble."""
    found = ensemble(model(), *windows, counts=(1, 2))
    assert found["KL"][0] != pytest.approx(found["KL"][1], rel=1e-3)


def test_every_place_of_dropout_is_rescaled():
    """A place that `unscaled` forgets would make a mistake look cheaper than it is."""
    judged = model(fused=False)
    with unscaled(judged):
        hooked = {m for m in judged.modules() if isinstance(m, nn.Dropout) and m._forward_hooks}
    assert hooked == {m for m in judged.modules() if isinstance(m, nn.Dropout)}
