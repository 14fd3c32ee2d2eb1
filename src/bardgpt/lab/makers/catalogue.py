"""Every experiment of the book, by the name of its record."""

import dataclasses
from typing import Any, get_args

from bardgpt.config import GPTConfig, Initialization, TrainingConfig
from bardgpt.lab.copying import Copying
from bardgpt.lab.ladder import (
    BIGRAM,
    FEED_FORWARD,
    FOUR_HEADS,
    ONE_HEAD,
    PLAIN_BLOCKS,
    POST_NORM,
    PRE_NORM,
    PROMPT,
    RESIDUAL,
    RUN,
    SEEDS,
)
from bardgpt.lab.makers.continuations import Continuations
from bardgpt.lab.makers.copying import Copyings
from bardgpt.lab.makers.judged import Judged
from bardgpt.lab.makers.kinds import (
    AtStart,
    CountTables,
    Experiment,
    Sweep,
    Training,
)
from bardgpt.presets import PRESETS

LONG = TrainingConfig(steps=20_000, evaluate_every=1_000)
BLOCK_PROBES = ("heads", "stream", "units")
Variants = dict[str, Training]


def variant(
    model: GPTConfig, training: TrainingConfig, seeds: tuple[int, ...] = SEEDS, **others: Any
) -> Training:
    """One of many: brief, and its heads run in one product, which is the same function, faster."""
    return Training(dataclasses.replace(model, fused=True), training, seeds, brief=True, **others)


# Chapter 3: where one head is not enough, and where it is; with five times the steps, and with half
# the letters, places and channels.
TOYS = {
    "both, one head": Copying(n_head=1),
    "both, two heads": Copying(n_head=2),
    "both, one head, longer": Copying(n_head=1, steps=10_000),
    "both, one head, 8 letters": Copying(n_head=1, letters=8),
    "either, one head": Copying(n_head=1, task="either"),
    "either, two heads": Copying(n_head=2, task="either"),
}


def hidden_widths() -> Variants:
    """One block with 1, 2, 4 and 8 hidden units for each channel, and two controls (chapter 4).

    "wide" has exactly as many parameters as 4 units for each of 32 channels, spent on 44 channels
    with one unit each.
    """
    grown = dataclasses.replace(FEED_FORWARD, feed_forward="two-layer")
    models = {str(n): dataclasses.replace(grown, expansion=n) for n in (1, 2, 4, 8)}
    models["wide"] = dataclasses.replace(grown, expansion=1, n_embd=44)
    models["gelu"] = dataclasses.replace(grown, activation="gelu")
    return {name: variant(model, RUN) for name, model in models.items()}


def with_sprints_recipe() -> Training:
    """The last small rung, trained in the full model's way (chapter 9).

    Nothing is dropped: the rung does not learn by heart. Its heads are run in one product, as the
    full model's are, for Muon takes a matrix as a whole.
    """
    sprint = PRESETS["sprint"]
    model = dataclasses.replace(PRE_NORM, fused=True, initialization=sprint.model.initialization)
    training = dataclasses.replace(
        sprint.training, steps=RUN.steps, evaluate_every=RUN.evaluate_every, seed=RUN.seed
    )
    return Training(model, training)


# What sprint's recipe is made of, beside its length: the fields that go together (chapter 9).
LEVERS = {
    "initialization": ("initialization",),
    "optimizer": ("optimizer",),
    "rate": ("learning_rate",),
    "beta2": ("beta2",),
    "schedule": ("warmup", "schedule", "final_rate"),
    "clip": ("clip",),
    "decay": ("decay",),
}


def without_each_lever() -> Variants:
    """Sprint's recipe on the last small rung, with one lever at a time as the rung has it."""
    recipe = with_sprints_recipe()

    def without(lever: str) -> Training:
        model, training = recipe.model, recipe.training
        for field in LEVERS[lever]:
            if hasattr(model, field):
                model = dataclasses.replace(model, **{field: getattr(PRE_NORM, field)})
            else:
                training = dataclasses.replace(training, **{field: getattr(RUN, field)})
        return variant(model, training)

    return {lever: without(lever) for lever in LEVERS}


def with_sprints_reading() -> Training:
    """The last small rung in its own way, over as many characters as the full model (chapter 9)."""
    sprint, batch = PRESETS["sprint"], RUN.batch_size * PRE_NORM.block_size
    read = sprint.training.steps * sprint.training.batch_size * sprint.model.block_size
    steps = read // batch
    training = dataclasses.replace(RUN, steps=steps, evaluate_every=steps // 20)
    return Training(dataclasses.replace(PRE_NORM, fused=True), training)


def depths() -> Variants:
    """1 to 16 blocks, plain and residual, with equal parameters at each depth (chapter 5)."""
    run = TrainingConfig(steps=2_000, evaluate_every=500)
    return {
        f"{block.block}-{L}": variant(dataclasses.replace(block, n_layer=L), run, SEEDS[:3])
        for block in (PLAIN_BLOCKS, RESIDUAL)
        for L in (1, 2, 4, 8, 16)
    }


def coming_online() -> Variants:
    """How loud branches are over training, by initialization (chapter 5)."""
    run = TrainingConfig(steps=1_000, evaluate_every=50)
    return {
        f"{block.block}-{start}": variant(
            dataclasses.replace(block, initialization=start),
            run,
            SEEDS[:3],
            probes=("stream",),
            closely=True,
        )
        for block in (RESIDUAL, PRE_NORM)
        for start in ("default", "normal", "depth-scaled", "zero")
    }


def starts() -> dict[str, AtStart]:
    """Sizes and gradients before the first step, by wiring, initialization and size."""
    small = dataclasses.replace(RESIDUAL, n_layer=16, fused=True)
    full = dataclasses.replace(small, n_layer=6, n_embd=384, n_head=6, block_size=256)
    return {
        f"{size}-{block}-{start}": AtStart(
            dataclasses.replace(
                model, block=block, final_norm=block == "pre-norm", initialization=start
            )
        )
        for size, model in (("small", small), ("full", full))
        for block in ("plain", "residual", "post-norm", "pre-norm")
        for start in get_args(Initialization)
        if (block, start) != ("plain", "zero")  # which would be 0 from end to end
    }


# Blocks, how they start, and the rates that are tried.
RATES = (
    (3, "default", (1e-3, 3e-3, 1e-2, 3e-2)),
    (12, "default", (1e-3, 3e-3, 1e-2, 3e-2)),
    (12, "xavier", (3e-4, 1e-3, 3e-3, 1e-2)),
)


def over_rates(L: int, start: str, rates: tuple[float, ...], **models: GPTConfig) -> Variants:
    """Models of L blocks over learning rates, with and without warm-up; "_" is "-" in a name."""
    return {
        f"{L}-{start}-{name.replace('_', '-')}-{rate:g}-{warmup}": variant(
            dataclasses.replace(model, n_layer=L, initialization=start),
            TrainingConfig(steps=1_000, evaluate_every=500, learning_rate=rate, warmup=warmup),
            SEEDS[:3],
        )
        for name, model in models.items()
        for rate in rates
        for warmup in (0, 200)
    }


def rates() -> Variants:
    """Post- against pre-norm (chapter 7); in few blocks, also without the final norm."""
    variants: Variants = {}
    for L, start, tried in RATES:
        models = {"post_norm": POST_NORM, "pre_norm": PRE_NORM}
        if L == 3:
            models["no_final_norm"] = dataclasses.replace(PRE_NORM, final_norm=False)
        variants |= over_rates(L, start, tried, **models)
    return variants


def no_norm() -> Variants:
    """Residual connections without any norm, at the settings of `rates` (chapters 6 and 7)."""
    variants: Variants = {}
    for L, start, tried in RATES:
        variants |= over_rates(L, start, tried, no_norm=RESIDUAL)
    return variants


def dropout() -> Variants:
    """A model that learns 20,000 characters by heart, by dropout; and one with all of the text.

    Chapter 8. Those with dropout are asked at the end what their masks do.
    """
    model = dataclasses.replace(PRE_NORM, n_embd=64, block_size=32)
    run = TrainingConfig(steps=1_000, learning_rate=3e-3, evaluate_every=200)
    cases: list[tuple[str, int | None, tuple[float, ...]]] = [
        ("slice", 20_000, (0.0, 0.2, 0.4)),
        ("whole", None, (0.0, 0.2)),
    ]
    return {
        f"{name}-{rate:g}": variant(
            dataclasses.replace(model, dropout=rate),
            run,
            SEEDS[:3],
            probes=("fit",) if characters else (),
            closely=True,
            at_end=("switches", "ensemble") if rate else (),
            characters=characters,
        )
        for name, characters, rates_of in cases
        for rate in rates_of
    }


EXPERIMENTS: dict[str, Experiment[Any]] = {
    "count-tables": CountTables(),
    "bigram": Training(BIGRAM),
    # Why the rung stays above its closed form (chapter 1): one cause taken away after the other.
    "bigram-long": Training(BIGRAM, LONG),
    "bigram-long-falling": Training(BIGRAM, dataclasses.replace(LONG, schedule="linear")),
    "bigram-long-undecayed": Training(BIGRAM, dataclasses.replace(LONG, weight_decay=0.0)),
    "one-head": Training(ONE_HEAD),
    "one-head-no-positions": Training(dataclasses.replace(ONE_HEAD, positions=False)),
    "four-heads": Training(FOUR_HEADS, probes=("heads",)),
    "copying": Copyings(TOYS),
    "feed-forward": Training(FEED_FORWARD, probes=BLOCK_PROBES),
    # Controls of chapter 4: a layer that can fold into the next, and one that has grown.
    "feed-forward-linear": Training(dataclasses.replace(FEED_FORWARD, activation="none")),
    "feed-forward-two-layer": Training(
        dataclasses.replace(FEED_FORWARD, feed_forward="two-layer"), probes=BLOCK_PROBES
    ),
    "hidden-widths": Sweep(hidden_widths()),
    "plain-blocks": Training(PLAIN_BLOCKS, probes=BLOCK_PROBES),
    "residual": Training(RESIDUAL, probes=BLOCK_PROBES),
    "post-norm": Training(POST_NORM, probes=(*BLOCK_PROBES, "norms", "modes")),
    # Chapter 6: the same rung with the other norm.
    "batch-norm": Training(
        dataclasses.replace(POST_NORM, norm="batch"), probes=("stream", "norms", "modes")
    ),
    "pre-norm": Training(PRE_NORM, probes=(*BLOCK_PROBES, "norms")),
    # Chapter 7: what the last norm is for.
    "pre-norm-no-final-norm": Training(
        dataclasses.replace(PRE_NORM, final_norm=False), probes=("stream", "norms")
    ),
    "pre-norm-recipe": with_sprints_recipe(),
    "recipe-without": Sweep(without_each_lever()),
    "pre-norm-long": with_sprints_reading(),
    "depths": Sweep(depths()),
    "coming-online": Sweep(coming_online()),
    "starts": Sweep(starts()),
    "continuations": Continuations(PROMPT),
    "rates": Sweep(rates()),
    "no-norm": Sweep(no_norm()),
    "dropout": Sweep(dropout()),
    # Chapter 9: how the recorded model compares with what others report.
    "judged": Judged(),
}
