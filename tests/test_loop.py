import hashlib
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from bardgpt.batches import random_windows
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.lab.probes import stream_statistics
from bardgpt.training.loop import History, train_model
from bardgpt.training.trainer import DivergedError

CONFIG = GPTConfig(vocab_size=7, block_size=4, n_embd=8, n_layer=0, positions=False)
ATTENTION = GPTConfig(vocab_size=7, block_size=4, n_embd=8, n_head=2, dropout=0.1)
BLOCKS = replace(ATTENTION, n_layer=2, feed_forward="two-layer", block="pre-norm", final_norm=True)
# A text with one rule: 0 1 2 … 6 0 1 2 …; a bigram model can learn it all.
IDS = torch.arange(700) % 7
SHORT = TrainingConfig(steps=50, batch_size=16, learning_rate=3e-2, evaluate_every=20)


def trained(config=SHORT, architecture=CONFIG):
    torch.manual_seed(0)
    model = GPT(architecture)
    return model, train_model(model, IDS, IDS[:100], config, progress=False)


def fingerprint(model):
    return hashlib.sha256(
        b"".join(p.detach().numpy().tobytes() for p in model.parameters())
    ).hexdigest()


def test_model_learns_the_rule():
    _, history = trained()
    assert history.validation[0] > 1.5
    assert history.validation[-1] < 0.05


def test_history_is_taken_at_the_fixed_steps_and_at_both_ends():
    model, history = trained()
    assert history.step == [0, 20, 40, 50]
    assert history.train[0] is None
    assert history.validation[-1] == evaluate(model, IDS[:100])
    assert history.at(50) == history.validation[-1]
    with pytest.raises(KeyError, match="not evaluated after 30 steps"):
        history.at(30)
    assert History(**history.to_dict()) == history


def test_training_loss_is_the_mean_since_the_last_evaluation():
    """On so easy a text it must lie between the validation losses before and after."""
    _, history = trained()
    for before, mean, after in zip(
        history.validation[:-1], history.train[1:], history.validation[1:], strict=True
    ):
        assert after < mean < before


def test_steps_are_those_of_adamw_on_each_batch_alone():
    """Three steps by hand; a gradient that is asked for anew cannot be added to the one before."""
    model, _ = trained(TrainingConfig(steps=3, batch_size=16, learning_rate=3e-2))
    torch.manual_seed(0)
    again = GPT(CONFIG)
    parameters = list(again.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=3e-2, weight_decay=0.01)
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        x, y = random_windows(IDS, 4, 16, generator)
        loss = F.cross_entropy(again(x).flatten(0, 1), y.flatten())
        for p, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            p.grad = gradient
        optimizer.step()
    for p, expected in zip(model.parameters(), parameters, strict=True):
        torch.testing.assert_close(p, expected)


def test_another_seed_gives_other_bits():
    other = TrainingConfig(steps=50, batch_size=16, learning_rate=3e-2, seed=1)
    assert fingerprint(trained()[0]) != fingerprint(trained(other)[0])


@pytest.mark.parametrize(
    "architecture",
    [CONFIG, ATTENTION, replace(BLOCKS, norm="batch")],
    ids=["bigram", "attention", "batch-norm"],
)
def test_evaluating_more_often_changes_no_weight(architecture):
    often = TrainingConfig(steps=50, batch_size=16, learning_rate=3e-2, evaluate_every=1)
    seldom, _ = trained(architecture=architecture)
    assert fingerprint(seldom) == fingerprint(trained(often, architecture)[0])


def watched(watch, architecture):
    torch.manual_seed(0)
    model = GPT(architecture)
    history = train_model(
        model, IDS, IDS[:100], SHORT, progress=False, watch=lambda s: watch(model, s)
    )
    return model, history


def test_watch_is_called_at_each_evaluation():
    """After it, with the steps done; the model is then what those steps made of it."""
    seen = {}

    def watch(model, step):
        seen[step] = (fingerprint(model), evaluate(model, IDS[:100]))

    model, history = watched(watch, CONFIG)
    assert list(seen) == history.step == [0, 20, 40, 50]
    assert [loss for _, loss in seen.values()] == history.validation
    assert seen[50][0] == fingerprint(model)
    torch.manual_seed(0)
    assert seen[0][0] == fingerprint(GPT(CONFIG))


@pytest.mark.parametrize("architecture", [CONFIG, BLOCKS], ids=["bigram", "blocks"])
def test_watching_does_not_change_the_runs_bits(architecture):
    """Not even with passes forward and back, of a model with dropout."""

    def watch(model, step):
        if architecture is BLOCKS:
            model.eval()
            stream_statistics(model, IDS[:8].view(2, 4), IDS[1:9].view(2, 4))
            model.train()

    model, history = watched(watch, architecture)
    alone, expected = trained(architecture=architecture)
    assert fingerprint(model) == fingerprint(alone)
    assert history == expected


def test_model_is_in_training_mode_when_watched_and_afterwards():
    modes = []
    model, _ = watched(lambda model, step: modes.append(model.training), ATTENTION)
    assert modes == [True] * 4
    assert model.training


def test_validation_text_changes_no_weight():
    torch.manual_seed(0)
    model = GPT(CONFIG)
    train_model(model, IDS, IDS.flip(0), SHORT, progress=False)
    assert fingerprint(model) == fingerprint(trained()[0])


def test_warm_up_reaches_the_optimizer():
    """Its first step is as large as that of a run at half the rate, and not its second."""

    def after(steps, rate, warmup=0):
        return fingerprint(trained(TrainingConfig(steps, 16, learning_rate=rate, warmup=warmup))[0])

    assert after(1, 3e-2, warmup=2) == after(1, 1.5e-2) != after(1, 3e-2)
    assert after(2, 3e-2, warmup=2) != after(2, 1.5e-2)


def test_warm_up_of_one_step_is_none():
    config = TrainingConfig(steps=50, batch_size=16, learning_rate=3e-2, warmup=1)
    assert fingerprint(trained(config)[0]) == fingerprint(trained()[0])


def test_the_schedule_reaches_the_optimizer():
    falling = TrainingConfig(steps=50, batch_size=16, learning_rate=3e-2, schedule="linear")
    assert fingerprint(trained()[0]) != fingerprint(trained(falling)[0])


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_step():
    torch.manual_seed(0)
    model = GPT(CONFIG)
    with torch.no_grad():
        model.lm_head.bias[3] = float("nan")
    with pytest.raises(DivergedError, match=r"nan in step 1: a learning rate that is too high"):
        train_model(model, IDS, IDS[:100], SHORT, progress=False)


def test_no_steps_is_an_evaluation():
    _, history = trained(TrainingConfig(steps=0))
    assert history.step == [0]
