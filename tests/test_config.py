import dataclasses
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bardgpt.config import (
    Activation,
    Block,
    ConfigError,
    FeedForward,
    GPTConfig,
    Initialization,
    Norm,
    TrainingConfig,
)

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
        n_head=st.integers(1, 100),
        positions=st.booleans(),
        projection=st.just(True),
        feed_forward=st.just("two-layer"),
        expansion=st.integers(1, 16),
        activation=st.sampled_from(get_args(Activation)),
        block=st.sampled_from(get_args(Block)),
        norm=st.sampled_from(get_args(Norm)),
        final_norm=st.booleans(),
        initialization=st.sampled_from(get_args(Initialization)),
        dropout=st.floats(0, 1, exclude_max=True),
        fused=st.booleans(),
    )
)
def test_model_config_survives_json(config):
    assert GPTConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("projection", [False, True])
@pytest.mark.parametrize("feed_forward", get_args(FeedForward))
def test_smaller_models_survive_json_too(feed_forward, projection):
    config = GPTConfig(vocab_size=65, feed_forward=feed_forward, projection=projection)
    assert GPTConfig.from_json(config.to_json()) == config


def test_a_config_written_before_a_field_existed_is_read_with_its_default():
    """So a new field must leave the model as it was."""
    assert GPTConfig.from_json('{"vocab_size": 65, "n_head": 4}') == GPTConfig(65, n_head=4)


@given(
    st.builds(
        TrainingConfig,
        steps=st.integers(0, 10**6),
        learning_rate=st.floats(1e-9, 1e3),
        schedule=st.sampled_from(["constant", "linear"]),
        warmup=st.integers(0, 10**6),
        weight_decay=st.floats(0, 1),
        seed=st.integers(0, 2**60),
    )
)
def test_training_config_survives_json(config):
    assert TrainingConfig.from_json(config.to_json()) == config


def test_configs_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        GPTConfig(vocab_size=65).n_embd = 64


@pytest.mark.parametrize("field", ["vocab_size", "block_size", "n_embd", "n_head", "expansion"])
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


@pytest.mark.parametrize("field", ["positions", "projection", "final_norm", "fused"])
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


@pytest.mark.parametrize(
    ("feed_forward", "expansion", "n_hidden"),
    [("two-layer", 4, 128), ("two-layer", 1, 32), ("one-layer", 4, 32), ("none", 8, 32)],
)
def test_hidden_units_for_each_channel(feed_forward, expansion, n_hidden):
    """In the two-layer kind alone: the one-layer's hidden units are its output."""
    config = GPTConfig(vocab_size=65, feed_forward=feed_forward, expansion=expansion)
    assert config.n_hidden == n_hidden


def test_defaults_are_one_layer_with_one_head_and_positions():
    config = GPTConfig(vocab_size=65)
    assert (config.block_size, config.n_embd, config.n_layer, config.n_head) == (8, 32, 1, 1)
    assert (config.positions, config.projection, config.fused) == (True, False, False)
    assert (config.feed_forward, config.activation, config.block) == ("none", "relu", "plain")
    assert (config.norm, config.final_norm, config.initialization) == ("layer", False, "default")
    assert config.expansion == 4  # as it was before it could be chosen
    assert config.dropout == 0


CHOICES = {
    "feed_forward": ("none", "one-layer", "two-layer"),
    "activation": ("relu", "gelu", "none"),
    "block": ("plain", "residual", "post-norm", "pre-norm"),
    "norm": ("layer", "batch"),
    "initialization": ("default", "normal", "depth-scaled", "zero", "xavier"),
}


@pytest.mark.parametrize("value", ["no-such", "", None, True, 2])
@pytest.mark.parametrize("field", CHOICES)
def test_choices_are_listed_where_another_is_made(field, value):
    with pytest.raises(ConfigError) as caught:
        GPTConfig(**{"vocab_size": 65, field: value})
    assert str(caught.value) == f"{field}={value!r}: choose one of {CHOICES[field]}"


@pytest.mark.parametrize(("field", "choice"), [(f, c) for f in CHOICES for c in CHOICES[f]])
def test_every_choice_can_be_made(field, choice):
    grown = {"vocab_size": 65, "projection": True, "feed_forward": "two-layer"}
    assert getattr(GPTConfig(**{**grown, field: choice}), field) == choice


@pytest.mark.parametrize("block", ["residual", "post-norm", "pre-norm"])
def test_only_a_plain_block_can_go_without_feed_forward(block):
    with pytest.raises(ConfigError) as caught:
        GPTConfig(vocab_size=65, block=block)
    assert str(caught.value) == (
        f"feed_forward='none' with block={block!r}: only a plain block can go without; "
        "choose 'one-layer' or 'two-layer'"
    )
    for feed_forward in ("one-layer", "two-layer"):
        assert GPTConfig(vocab_size=65, block=block, feed_forward=feed_forward).block == block


@pytest.mark.parametrize("initialization", ["depth-scaled", "zero"])
@pytest.mark.parametrize(
    ("projection", "feed_forward"),
    [(False, "two-layer"), (True, "one-layer"), (True, "none"), (False, "none")],
)
def test_a_start_of_output_projections_needs_them(initialization, projection, feed_forward):
    with pytest.raises(ConfigError) as caught:
        GPTConfig(
            vocab_size=65,
            projection=projection,
            feed_forward=feed_forward,
            initialization=initialization,
        )
    assert str(caught.value) == (
        f"initialization={initialization!r} is about the output projections; it needs "
        "projection=True and feed_forward='two-layer'"
    )


@pytest.mark.parametrize("initialization", ["default", "normal", "xavier"])
def test_the_other_starts_need_nothing(initialization):
    assert GPTConfig(vocab_size=65, initialization=initialization).projection is False


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
        ("warmup", -1),
        ("warmup", 0.5),
        ("warmup", True),
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
        ('{"vocab_size": 65, "block": "pre-norm"}', "feed_forward='none' with block='pre-norm'"),
    ],
)
def test_json_that_is_no_config_is_refused(text, message):
    with pytest.raises(ConfigError, match=message):
        GPTConfig.from_json(text)
