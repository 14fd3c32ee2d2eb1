import hashlib
import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

from bardgpt.batches import random_windows
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.training.loop import DivergedError, History, learning_rate, train

CONFIG = GPTConfig(vocab_size=7, block_size=4, n_embd=8, n_layer=0, positions=False)
ATTENTION = GPTConfig(vocab_size=7, block_size=4, n_embd=8, n_head=2, dropout=0.1)
# A text with one rule: 0 1 2 … 6 0 1 2 …; a bigram model can learn it all.
IDS = torch.arange(700) % 7
SHORT = TrainingConfig(steps=50, batch_size=16, learning_rate=3e-2, evaluate_every=20)


def trained(config=SHORT, architecture=CONFIG):
    torch.manual_seed(0)
    model = GPT(architecture)
    return model, train(model, IDS, IDS[:100], config, progress=False)


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


def test_same_seed_same_bits_in_another_process():
    """Of a model with dropout, whose masks are random too."""
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_loop import ATTENTION, fingerprint, trained\n"
        "model, history = trained(architecture=ATTENTION)\n"
        "print(fingerprint(model), history)"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    model, history = trained(architecture=ATTENTION)
    assert runs == {f"{fingerprint(model)} {history}\n"}


def test_another_seed_gives_other_bits():
    other = TrainingConfig(steps=50, batch_size=16, learning_rate=3e-2, seed=1)
    assert fingerprint(trained()[0]) != fingerprint(trained(other)[0])


@pytest.mark.parametrize("architecture", [CONFIG, ATTENTION], ids=["bigram", "attention"])
def test_evaluating_more_often_changes_no_weight(architecture):
    often = TrainingConfig(steps=50, batch_size=16, learning_rate=3e-2, evaluate_every=1)
    seldom, _ = trained(architecture=architecture)
    assert fingerprint(seldom) == fingerprint(trained(often, architecture)[0])


def test_validation_text_changes_no_weight():
    torch.manual_seed(0)
    model = GPT(CONFIG)
    train(model, IDS, IDS.flip(0), SHORT, progress=False)
    assert fingerprint(model) == fingerprint(trained()[0])


def test_linear_schedule_falls_to_zero_after_the_last_step():
    config = TrainingConfig(steps=4, learning_rate=0.8, schedule="linear")
    assert [learning_rate(step, config) for step in range(5)] == pytest.approx(
        [0.8, 0.6, 0.4, 0.2, 0.0]
    )
    assert learning_rate(3, TrainingConfig(steps=4, learning_rate=0.8)) == 0.8


def test_the_schedule_reaches_the_optimizer():
    falling = TrainingConfig(steps=50, batch_size=16, learning_rate=3e-2, schedule="linear")
    assert fingerprint(trained()[0]) != fingerprint(trained(falling)[0])


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_step():
    torch.manual_seed(0)
    model = GPT(CONFIG)
    with torch.no_grad():
        model.lm_head.bias[3] = float("nan")
    with pytest.raises(DivergedError, match=r"nan in step 1: a learning rate that is too high"):
        train(model, IDS, IDS[:100], SHORT, progress=False)


def test_no_steps_is_an_evaluation():
    _, history = trained(TrainingConfig(steps=0))
    assert history.step == [0]


@pytest.mark.parametrize(
    ("progress", "variable", "seen"), [(True, "", True), (False, "", False), (True, "1", False)]
)
def test_progress_bar_can_be_seen_and_hidden(progress, variable, seen):
    """In a process of its own, for tqdm reads TQDM_DISABLE when it is imported."""
    program = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_loop import CONFIG, GPT, IDS, SHORT, train\n"
        f"train(GPT(CONFIG), IDS, IDS[:100], SHORT, progress={progress})"
    )
    environment = {**os.environ, "TQDM_DISABLE": variable}
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, env=environment
    )
    shown = run.stderr.decode()  # as bytes first: text mode would turn the carriage returns
    assert ("validation=" in shown) is seen
    assert shown.endswith("\r") if seen else shown == ""  # wiped at the end
