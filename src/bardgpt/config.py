"""What a model is, and how it is trained: two frozen records that check themselves.

A config that exists is a valid one: every module may read it without asking again. Both survive a
trip through JSON, which is how a recorded run says what it was.
"""

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Literal, Self, get_args

Schedule = Literal["constant", "linear"]
Optimizer = Literal["adamw", "muon"]
Decay = Literal["all", "matrices"]
Block = Literal["plain", "residual", "post-norm", "pre-norm"]
FeedForward = Literal["none", "one-layer", "two-layer"]
Activation = Literal["relu", "gelu", "none"]
Norm = Literal["layer", "batch"]
Initialization = Literal["default", "normal", "depth-scaled", "zero", "xavier"]


# Generators take 64 bits; what `Trainer` adds to a seed, for processes and steps, must fit too.
MOST_SEED = 2**62
MOST_COUNT = 10**12  # of anything that is counted
# Blocks, and heads that are layers of their own: making one takes a millisecond, however narrow.
MOST_BLOCKS, MOST_HEADS = 1_000, 10_000
MOST_RATE = 1e30


class ConfigError(ValueError):
    """A value that a config does not allow; names the field, the value, the rule and a remedy."""


@dataclass(frozen=True)
class _Json:
    """JSON for a flat dataclass."""

    def to_json(self) -> str:
        """The config as a JSON object; `from_json` reads it back."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The config that `to_json` wrote.

        Raises:
            ConfigError: if the text is no JSON object, a field is unknown or missing, or a value
                is not allowed.
        """
        try:
            values = json.loads(text)
        except RecursionError:
            raise ConfigError(f"not a {cls.__name__}: it is nested too deeply") from None
        except ValueError as error:  # also of a number with thousands of digits
            raise ConfigError(f"not a {cls.__name__}: {error}") from None
        if not isinstance(values, dict):
            raise ConfigError(f"not a {cls.__name__}: expected a JSON object, got {text[:60]!r}")
        fields = {field.name: field for field in dataclasses.fields(cls)}
        unknown = sorted(values.keys() - fields.keys())
        if unknown:
            raise ConfigError(f"{cls.__name__} has no field {unknown}; it has {sorted(fields)}")
        missing = sorted(
            name
            for name, field in fields.items()
            if field.default is dataclasses.MISSING and name not in values
        )
        if missing:
            raise ConfigError(f"{cls.__name__} lacks {missing}")
        return cls(**values)

    def _require_integers(self, **least: int) -> None:
        for name, minimum in least.items():
            value = getattr(self, name)
            # bool is an int to Python, and a True where a width belongs is a slip.
            if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
                said = short(value) if isinstance(value, int) else repr(value)
                raise ConfigError(f"{name}={said}: must be a whole number of at least {minimum}")
            most = {"seed": MOST_SEED, "n_layer": MOST_BLOCKS}.get(name, MOST_COUNT)
            if value > most:
                raise ConfigError(f"{name}={short(value)}: must be at most {most:,}")

    def _require_booleans(self, *names: str) -> None:
        for name in names:
            if not isinstance(getattr(self, name), bool):
                raise ConfigError(f"{name}={getattr(self, name)!r}: must be True or False")

    def _require_choices(self, **choices: object) -> None:
        for name, literal in choices.items():
            value, allowed = getattr(self, name), get_args(literal)
            if value not in allowed:
                raise ConfigError(f"{name}={value!r}: choose one of {allowed}")

    def _require_shares(self, *names: str) -> None:
        for name in names:
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise ConfigError(f"{name}={value!r}: must be a number")
            if not 0 <= value < 1:
                raise ConfigError(f"{name}={value!r}: must be at least 0 and below 1")

    def _require_numbers(self, *names: str, zero: bool = False) -> None:
        for name in names:
            value = getattr(self, name)
            if not isinstance(value, int | float) or isinstance(value, bool):
                raise ConfigError(f"{name}={value!r}: must be a number")
            if not 0 <= value < float("inf") or (value == 0 and not zero):
                least = "at least" if zero else "above"
                raise ConfigError(f"{name}={value!r}: must be finite and {least} 0")
            if value > MOST_RATE:  # float32, in which it is computed with, ends not far above
                raise ConfigError(f"{name}={value!r}: must be at most {MOST_RATE:g}")


@dataclass(frozen=True)
class GPTConfig(_Json):
    """The architecture.

    The defaults are the book's first small models: one plain block of attention alone, without
    feed-forward, residual connections or normalization, however wide and deep it is made. A whole
    GPT is a preset, and another size of it is made with `dataclasses.replace`::

        replace(PRESETS["full"].model, n_embd=192, n_layer=4)    # bardgpt.presets

    Attributes:
        vocab_size: V, different characters.
        block_size: most characters that the model may look at; a training window's length.
        n_embd: C, the width: numbers by which the model describes one character.
        n_layer: L, blocks, one after the other; 0 leaves the bigram model.
        n_head: nh, attention heads in a block, of `head_size` each.
        positions: whether each position adds an embedding of its own.
        projection: whether a linear layer mixes the heads' outputs.
        feed_forward: what follows attention in a block: nothing, one linear layer with its
            activation, or a wider hidden layer and a projection back.
        expansion: hidden units for each channel in the two-layer feed-forward: 4 in the paper,
            which has 2,048 for 512.
        activation: of the feed-forward layer: "relu", max(0, h); "gelu", h times the share of a
            standard normal distribution that lies below h (Hendrycks and Gimpel 2016,
            arXiv:1606.08415); "none" leaves it linear.
        block: how a block's parts are connected (`bardgpt.layers.blocks`).
        norm: what a block with normalization uses, layer norm or, to compare, batch norm.
        final_norm: whether a norm stands between the last block and the output layer.
        initialization: how the weights start (`bardgpt.initialization`).
        dropout: share of numbers set to 0 in training, at the end of attention and of
            feed-forward, and after the attention softmax.
        attention_dropout: the share after the attention softmax, if it is another.
        embedding_dropout: the share of the embeddings' sum, before the first block.
        fused: use PyTorch's kernels: all heads in one product, layer norm in one pass; the same
            function, faster.

    Raises:
        ConfigError: if a value is out of its range, the heads do not share the width evenly, or two
            values contradict each other.
    """

    vocab_size: int
    block_size: int = 8
    n_embd: int = 32
    n_layer: int = 1
    n_head: int = 1
    positions: bool = True
    projection: bool = False
    feed_forward: FeedForward = "none"
    expansion: int = 4
    activation: Activation = "relu"
    block: Block = "plain"
    norm: Norm = "layer"
    final_norm: bool = False
    initialization: Initialization = "default"
    dropout: float = 0.0
    attention_dropout: float | None = None
    embedding_dropout: float = 0.0
    fused: bool = False

    def __post_init__(self) -> None:
        self._require_integers(
            vocab_size=1, block_size=1, n_embd=1, n_layer=0, n_head=1, expansion=1
        )
        self._require_booleans("positions", "projection", "final_norm", "fused")
        self._require_choices(
            feed_forward=FeedForward,
            activation=Activation,
            block=Block,
            norm=Norm,
            initialization=Initialization,
        )
        self._require_shares("dropout", "embedding_dropout")
        if self.attention_dropout is not None:
            self._require_shares("attention_dropout")
        if self.n_embd % self.n_head:
            raise ConfigError(
                f"n_head={self.n_head}: must divide n_embd={self.n_embd}, which the heads share; "
                f"choose one of {_divisors_near(self.n_embd, self.n_head)}"
            )
        if not self.fused and self.n_layer * self.n_head > MOST_HEADS:
            raise ConfigError(
                f"n_head={self.n_head} with n_layer={self.n_layer}: without fused=True each head "
                f"is a layer of its own, and there may be at most {MOST_HEADS:,}; take fewer"
            )
        if self.block != "plain" and self.feed_forward == "none":
            raise ConfigError(
                f"feed_forward='none' with block={self.block!r}: only a plain block can go "
                "without; choose 'one-layer' or 'two-layer'"
            )
        if self.initialization in ("depth-scaled", "zero") and not (
            self.projection and self.feed_forward == "two-layer"
        ):
            raise ConfigError(
                f"initialization={self.initialization!r} is about the output projections; it needs "
                "projection=True and feed_forward='two-layer'"
            )

    @property
    def head_size(self) -> int:
        """The width of one head, hs = C / nh."""
        return self.n_embd // self.n_head

    @property
    def n_hidden(self) -> int:
        """Hidden units of a feed-forward layer, H; as many as channels in the one-layer kind."""
        return self.n_embd * (self.expansion if self.feed_forward == "two-layer" else 1)

    def n_parameters(self) -> int:
        """How many numbers a model of this config has, known before there is one."""
        C, V, H = self.n_embd, self.vocab_size, self.n_hidden
        norm = 2 * C
        attention = 3 * C * C + (C * C + C if self.projection else 0)
        hidden = C * H + H
        feed_forward = {"none": 0, "one-layer": hidden, "two-layer": hidden + H * C + C}
        block = attention + feed_forward[self.feed_forward]
        block += 2 * norm if self.block in ("post-norm", "pre-norm") else 0
        embeddings = V * C + (self.block_size * C if self.positions else 0)
        head = (norm if self.final_norm else 0) + C * V + V
        return embeddings + self.n_layer * block + head


@dataclass(frozen=True)
class TrainingConfig(_Json):
    """The training run.

    Attributes:
        steps: optimizer steps.
        batch_size: B, windows in a step.
        optimizer: "adamw", or "muon": Muon for the matrices inside blocks and AdamW for the rest
            (`bardgpt.training.optimizers`).
        learning_rate: AdamW's rate, at its highest.
        muon_rate: Muon's rate, at its highest.
        schedule: "constant", or "linear": falling in a straight line, after the warm-up.
        final_rate: where a falling schedule ends after the last step, as a share of the highest.
        warmup: steps in which the rate grows in a straight line to its full height; 0 starts there.
        weight_decay: AdamW's decoupled decay (Loshchilov and Hutter 2019, arXiv:1711.05101);
            0.01 is PyTorch's default and the lecture's.
        muon_decay: Muon's decoupled decay.
        decay: what AdamW's decay falls on, all parameters or the matrices alone.
        beta2: AdamW's second average; 0.999 is PyTorch's default.
        clip: the largest norm of all gradients together; larger ones are scaled down to it. None
            leaves them.
        evaluate_every: steps between two evaluations on the whole validation split; the state
            before the first step and the one after the last are always evaluated.
        seed: of the initial weights, the training windows and dropout.

    Raises:
        ConfigError: if a value is out of its range.
    """

    steps: int = 5_000
    batch_size: int = 32
    optimizer: Optimizer = "adamw"
    learning_rate: float = 1e-3
    muon_rate: float = 0.02
    schedule: Schedule = "constant"
    final_rate: float = 0.0
    warmup: int = 0
    weight_decay: float = 0.01
    muon_decay: float = 0.1
    decay: Decay = "all"
    beta2: float = 0.999
    clip: float | None = None
    evaluate_every: int = 250
    seed: int = 0

    def __post_init__(self) -> None:
        self._require_integers(steps=0, warmup=0, batch_size=1, evaluate_every=1, seed=0)
        self._require_numbers("learning_rate", "muon_rate")
        self._require_numbers("weight_decay", "muon_decay", zero=True)
        if self.clip is not None:
            self._require_numbers("clip")
        self._require_shares("final_rate", "beta2")
        self._require_choices(schedule=Schedule, optimizer=Optimizer, decay=Decay)


def _divisors_near(number: int, wanted: int) -> list[int]:
    """Up to eight divisors of a number, those nearest to what was wanted."""
    small = [n for n in range(1, math.isqrt(number) + 1) if number % n == 0]
    divisors = {*small, *(number // n for n in small)}
    return sorted(sorted(divisors, key=lambda n: (abs(n - wanted), n))[:8])


def short(value: int) -> str:
    """A whole number, by its size alone if it is long."""
    if abs(value) < 10**20:
        return str(value)
    return f"about {'-' if value < 0 else ''}2**{value.bit_length() - 1}"
