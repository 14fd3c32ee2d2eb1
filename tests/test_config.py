import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bardgpt.config import ConfigError, GPTConfig, TrainingConfig

SIZES = st.integers(1, 10**6)


@given(st.builds(GPTConfig, vocab_size=SIZES, block_size=SIZES, n_embd=SIZES))
def test_model_config_survives_json(config):
    assert GPTConfig.from_json(config.to_json()) == config


@given(
    st.builds(
        TrainingConfig,
        steps=st.integers(0, 10**6),
        learning_rate=st.floats(1e-9, 1e3),
        schedule=st.sampled_from(["constant", "linear"]),
        weight_decay=st.floats(0, 1),
        seed=st.integers(0, 2**60),
    )
)
def test_training_config_survives_json(config):
    assert TrainingConfig.from_json(config.to_json()) == config


def test_configs_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GPTConfig(vocab_size=65).n_embd = 64


@pytest.mark.parametrize("field", ["vocab_size", "block_size", "n_embd"])
@pytest.mark.parametrize("value", [0, -3, 2.0, "8", True, None])
def test_sizes_must_be_positive_whole_numbers(field, value):
    with pytest.raises(ConfigError, match=rf"{field}={value!r}: must be a whole number"):
        GPTConfig(**{"vocab_size": 65, field: value})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", -1),
        ("batch_size", 0),
        ("evaluate_every", 0),
        ("learning_rate", 0),
        ("learning_rate", -1e-3),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("learning_rate", "fast"),
        ("weight_decay", -0.1),
        ("schedule", "cosine"),
        ("seed", -1),
    ],
)
def test_bad_training_value_is_named(field, value):
    with pytest.raises(ConfigError, match=rf"{field}={value!r}"):
        TrainingConfig(**{field: value})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "not a GPTConfig"),
        ("[65]", "expected a JSON object"),
        ("{}", r"lacks \['vocab_size'\]"),
        ('{"vocab_size": 65, "n_embed": 32}', r"no field \['n_embed'\]; it has .*'n_embd'"),
        ('{"vocab_size": 0}', "vocab_size=0"),
    ],
)
def test_json_that_is_no_config_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        GPTConfig.from_json(text)
