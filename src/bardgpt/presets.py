"""What a model and its training are called: `tiny`, `small`, `full` and `sprint`."""

from dataclasses import dataclass

from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.corpus import VOCAB_SIZE


@dataclass(frozen=True)
class Preset:
    """A model and how it is trained."""

    model: GPTConfig
    training: TrainingConfig


_BLOCK = {"projection": True, "feed_forward": "two-layer", "block": "pre-norm", "final_norm": True}

_FULL = {"n_embd": 384, "n_head": 6, "n_layer": 6, "block_size": 256, "fused": True} | _BLOCK

# As `small` and `sprint` are trained: what has been learned since the notes' run.
_RECIPE = {
    "batch_size": 32,
    "optimizer": "muon",
    "learning_rate": 3e-3,
    "muon_rate": 0.025,
    "schedule": "linear",
    "final_rate": 0.05,
    "warmup": 50,
    "decay": "matrices",
    "beta2": 0.99,
    "clip": 1.0,
    "seed": 1337,
}

PRESETS = {
    # The ladder's last small rung.
    "tiny": Preset(
        GPTConfig(vocab_size=VOCAB_SIZE, n_layer=3, n_head=4, fused=True, **_BLOCK),
        TrainingConfig(),
    ),
    # For a text of one's own: minutes on two cores.
    "small": Preset(
        GPTConfig(
            vocab_size=VOCAB_SIZE,
            block_size=128,
            n_embd=128,
            n_head=4,
            n_layer=4,
            dropout=0.1,
            attention_dropout=0.0,
            embedding_dropout=0.1,
            initialization="depth-scaled",
            fused=True,
            **_BLOCK,
        ),
        TrainingConfig(steps=1_500, evaluate_every=150, **_RECIPE),
    ),
    # The notes' run, made for a GPU. They don't say how weights start; here as in the program that
    # the lecture has published, N(0, 0.02²).
    "full": Preset(
        GPTConfig(vocab_size=VOCAB_SIZE, dropout=0.2, initialization="normal", **_FULL),
        TrainingConfig(batch_size=64, learning_rate=3e-4, evaluate_every=500),
    ),
    # The same architecture, trained with what has been learned since.
    "sprint": Preset(
        GPTConfig(
            vocab_size=VOCAB_SIZE,
            dropout=0.2,
            attention_dropout=0.0,
            embedding_dropout=0.2,
            initialization="depth-scaled",
            **_FULL,
        ),
        TrainingConfig(steps=1_500, evaluate_every=150, **_RECIPE),
    ),
}
