import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bardgpt.config import ConfigError, GPTConfig, TrainingConfig

SIZES = st.integers(1, 10**6)


def model_config(head_size, **fields):
    return GPTConfig(n_embd=fields["n_head"] * head_size, **fields)


@given(
    st.builds(
        model_config,
        head_size=SIZES,
        vocab_size=SIZES,
        block_size=SIZES,
        n_layer=st.integers(0, 100),
        n_head=SIZES,
        positions=st.booleans(),
        projection=st.booleans(),
        dropout=st.floats(0, 1, exclude_max=True),
        fused=st.booleans(),
    )
)
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


@pytest.mark.parametrize("field", ["vocab_size", "block_size", "n_embd", "n_head"])
@pytest.mark.parametrize("value", [0, -3, 2.0, "8", True, None])
def test_sizes_must_be_positive_whole_numbers(field, value):
    with pytest.raises(
        ConfigError, match=rf"{field}={value!r}: must be a whole number of at least 1$"
    ):
        GPTConfig(**{"vocab_size": 65, field: value})


@pytest.mark.parametrize("value", [-1, 1.0, "1", True, None])
def test_layers_may_be_none_at_all_but_not_fewer(value):
    assert GPTConfig(vocab_size=65, n_layer=0).n_layer == 0
    with pytest.raises(
        ConfigError, match=rf"n_layer={value!r}: must be a whole number of at least 0$"
    ):
        GPTConfig(vocab_size=65, n_layer=value)


@pytest.mark.parametrize("n_head", [3, 5, 31, 33, 64])
def test_heads_must_share_the_width_evenly(n_head):
    """The message names both numbers, so that either can be changed."""
    with pytest.raises(
        ConfigError,
        match=rf"^n_head={n_head}: must divide n_embd=32, which the heads share; "
        r"choose one of \[1, 2, 4, 8, 16, 32\]$",
    ):
        GPTConfig(vocab_size=65, n_head=n_head)


@pytest.mark.parametrize(("n_head", "head_size"), [(1, 32), (4, 8), (32, 1)])
def test_head_size_is_a_heads_share_of_the_width(n_head, head_size):
    assert GPTConfig(vocab_size=65, n_head=n_head).head_size == head_size


@pytest.mark.parametrize("field", ["positions", "projection", "fused"])
@pytest.mark.parametrize("value", [0, 1, "yes", None])
def test_switches_must_be_true_or_false(field, value):
    """Not 1 for True either: the two would be written to JSON differently."""
    with pytest.raises(ConfigError, match=rf"^{field}={value!r}: must be True or False$"):
        GPTConfig(**{"vocab_size": 65, field: value})


@pytest.mark.parametrize("value", [-0.1, 1, 1.5, float("nan"), float("inf"), -float("inf")])
def test_dropout_must_leave_something(value):
    with pytest.raises(ConfigError, match=rf"^dropout={value!r}: must be at least 0 and below 1$"):
        GPTConfig(vocab_size=65, dropout=value)


@pytest.mark.parametrize("value", [True, False, "0.2", None])
def test_dropout_must_be_a_number(value):
    with pytest.raises(ConfigError, match=rf"^dropout={value!r}: must be a number$"):
        GPTConfig(vocab_size=65, dropout=value)


def test_defaults_are_one_layer_with_one_head_and_positions():
    config = GPTConfig(vocab_size=65)
    assert (config.block_size, config.n_embd, config.n_layer, config.n_head) == (8, 32, 1, 1)
    assert (config.positions, config.projection, config.fused) == (True, False, False)
    assert config.dropout == 0


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
