"""One thread for small kernels, PyTorch's own number for large ones, the user's always."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from test_run import CPU, MODEL, TEXT, TRAINING

from bardgpt import threads
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.presets import Preset
from bardgpt.sampling import stream
from bardgpt.threads import SMALL, suited
from bardgpt.training.loop import train_model
from bardgpt.training.run import train_in_folder

IDS = torch.arange(300) % 7


@pytest.fixture(autouse=True)
def unchosen(monkeypatch):
    """A machine that gives three threads to whoever does not choose."""
    for name in threads.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    monkeypatch.setattr(threads, "UNCHOSEN", 3)
    yield
    torch.set_num_threads(before)


def inside(positions, n_embd):
    with suited(positions, n_embd):
        return torch.get_num_threads()


@pytest.mark.parametrize(
    ("positions", "n_embd", "number"),
    [(1, 384, 1), (256, 32, 1), (SMALL // 32 - 1, 32, 1), (SMALL // 32, 32, 3), (16_384, 384, 3)],
)
def test_the_size_decides(positions, n_embd, number):
    assert inside(positions, n_embd) == number
    assert torch.get_num_threads() == 3


@pytest.mark.parametrize("name", threads.VARIABLES)
def test_a_choice_in_the_environment_is_obeyed(monkeypatch, name):
    monkeypatch.setenv(name, "3")
    assert inside(1, 1) == 3


@pytest.mark.parametrize("number", [2, 4])
def test_a_choice_in_the_program_is_obeyed(number):
    torch.set_num_threads(number)
    assert inside(1, 1) == number


def test_the_number_is_never_raised():
    torch.set_num_threads(1)
    assert inside(16_384, 384) == 1


def test_the_number_comes_back_after_an_error_and_out_of_two():
    with suited(1, 1):
        assert inside(16_384, 384) == 1  # within a small one everything is small
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 3
    with pytest.raises(ZeroDivisionError), suited(1, 1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == 3


class Seen(GPT):
    """A model that notes the threads of each pass."""

    def forward(self, ids, start=0):
        self.threads = torch.get_num_threads()
        return super().forward(ids, start)


def test_training_evaluation_and_sampling_take_what_suits(monkeypatch):
    """Nobody is left with another number, nor a reader of a stream between two characters."""
    for small, number in ((threads.SMALL, 1), (1, 3)):
        monkeypatch.setattr(threads, "SMALL", small)
        model = Seen(GPTConfig(7))
        train_model(model, IDS, IDS, TrainingConfig(steps=1, batch_size=2), progress=False)
        assert model.threads == number
        evaluate(model, IDS)
        assert model.threads == number
        model.threads = None
        following = stream(model, IDS[:2])
        next(following)
        assert (model.threads, torch.get_num_threads()) == (number, 3)
        following.close()


def test_a_run_in_a_folder_takes_what_suits(monkeypatch, tmp_path):
    """Every step and evaluation of the command's loop."""
    seen, forward = [], GPT.forward

    def noting(self, *given):
        seen.append(torch.get_num_threads())
        return forward(self, *given)

    monkeypatch.setattr(GPT, "forward", noting)
    preset = Preset(MODEL, replace(TRAINING, steps=2))
    for small, number in ((threads.SMALL, 1), (1, 3)):
        monkeypatch.setattr(threads, "SMALL", small)
        seen.clear()
        train_in_folder(tmp_path / str(number), preset, text=TEXT, machine=CPU, progress=False)
        assert len(seen) > 2
        assert {*seen} == {number}
        assert torch.get_num_threads() == 3


def test_unchosen_is_what_pytorch_takes():
    """In a new process, without the settings of this one."""
    environment = {k: v for k, v in os.environ.items() if k not in threads.VARIABLES}
    program = "import torch; n = torch.get_num_threads(); from bardgpt import threads; "
    program += "assert threads.UNCHOSEN == n and not threads.chosen()"
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
