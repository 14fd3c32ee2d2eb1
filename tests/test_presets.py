"""The named presets: what DESIGN.md says of them."""

from dataclasses import replace

import pytest
import torch

from bardgpt.corpus import VOCAB_SIZE
from bardgpt.gpt import GPT
from bardgpt.lab.ladder import PRE_NORM
from bardgpt.presets import PRESETS
from bardgpt.training.trainer import Trainer


@pytest.mark.parametrize("name", ["full", "sprint"])
def test_the_full_model_has_10_788_929_parameters(name):
    with torch.device("meta"):
        assert GPT(PRESETS[name].model).n_parameters() == 10_788_929


def test_full_and_sprint_are_one_architecture():
    """They differ in where they start and in what is dropped, and in nothing that is left."""
    full, sprint = PRESETS["full"].model, PRESETS["sprint"].model
    trained = {"initialization", "attention_dropout", "embedding_dropout"}
    same = {name: getattr(full, name) for name in trained}
    assert replace(sprint, **same) == full
    assert (full.n_embd, full.block_size, full.n_layer, full.n_head) == (384, 256, 6, 6)
    assert (full.block, full.final_norm, full.fused, full.activation) == (
        "pre-norm",
        True,
        True,
        "relu",
    )


def test_full_is_the_notes_run():
    model, training = PRESETS["full"].model, PRESETS["full"].training
    assert (model.dropout, model.attention_dropout, model.embedding_dropout) == (0.2, None, 0.0)
    assert (training.batch_size, training.learning_rate, training.steps) == (64, 3e-4, 5_000)
    assert (training.optimizer, training.schedule, training.warmup) == ("adamw", "constant", 0)


def test_tiny_is_the_ladders_last_small_rung_in_pytorchs_kernels():
    tiny = PRESETS["tiny"]
    assert replace(tiny.model, fused=False) == PRE_NORM
    assert tiny.model.fused
    assert (tiny.training.steps, tiny.training.batch_size) == (5_000, 32)
    assert tiny.training.learning_rate == 1e-3


def test_sprint_takes_at_most_14_million_characters():
    preset = PRESETS["sprint"]
    characters = preset.training.steps * preset.training.batch_size * preset.model.block_size
    assert characters <= 14_000_000
    assert preset.training.optimizer == "muon"
    assert preset.model.attention_dropout == 0


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_a_step(name):
    """On the meta device, which has shapes only."""
    preset = PRESETS[name]
    assert preset.model.vocab_size == VOCAB_SIZE == 65
    with torch.device("meta"):
        model, ids = GPT(preset.model), torch.empty(10_000, dtype=torch.long)
    trainer = Trainer(model, ids, preset.training)
    trainer.advance()
    assert trainer.losses[0].shape == ()
