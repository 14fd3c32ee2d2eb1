"""What a run needs is reckoned before anything is asked for."""

import itertools

import pytest

from bardgpt.config import ConfigError, GPTConfig, TrainingConfig
from bardgpt.gpt import GPT
from bardgpt.presets import PRESETS, Preset
from bardgpt.training.memory import least, require_memory


@pytest.mark.parametrize("block", ["plain", "residual", "post-norm", "pre-norm"])
def test_parameters_are_counted_without_a_model(block):
    for feed_forward, flag, norm, positions in itertools.product(
        ("none", "one-layer", "two-layer"), (False, True), ("layer", "batch"), (False, True)
    ):
        if block != "plain" and feed_forward == "none":
            continue
        config = GPTConfig(
            *(7, 5, 12, 2, 3),
            block=block,
            feed_forward=feed_forward,
            expansion=4 if flag else 3,
            projection=flag,
            final_norm=not flag,
            fused=flag,
            norm=norm,
            positions=positions,
        )
        assert config.n_parameters() == GPT(config).n_parameters(), config


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_are_counted_as_the_book_says_and_fit(preset):
    expected = {"tiny": 42_369, "small": 824_897, "full": 10_788_929, "sprint": 10_788_929}
    assert PRESETS[preset].model.n_parameters() == expected[preset]
    require_memory(PRESETS[preset], "cpu")


def test_a_run_by_hand():
    """One bigram table: 2 x 3 + 3 x 2 + 2 numbers, 4 of each kept; scores of 5 windows of 7."""
    preset = Preset(
        GPTConfig(2, 7, 3, 0, 1, positions=False), TrainingConfig(steps=1, batch_size=5)
    )
    assert least(preset) == 4 * (4 * 14 + 5 * 7 * 2)


def test_what_cannot_fit_is_a_line_with_numbers():
    preset = Preset(GPTConfig(65, n_embd=10**9), TrainingConfig())
    with pytest.raises(ConfigError, match=r"at least 48,\S+ GB of memory are needed, and this"):
        require_memory(preset, "cpu")


def test_a_width_with_endless_divisors_names_a_few():
    with pytest.raises(ConfigError, match=r"choose one of \[1, 2, 4, 5, 8, 10, 16, 20\]$"):
        GPTConfig(65, n_embd=10**9, n_head=7)
