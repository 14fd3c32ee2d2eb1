"""Exercises of chapter 9: what a config costs in parameters, and how a run's rate moves."""

from dataclasses import replace

from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.gpt import GPT
from bardgpt.teaching.exercises.answer import Answer, Check, asked, expect, number
from bardgpt.training.optimizers import rate_factor

CLOSE = 1e-6
SMALL = GPTConfig(
    vocab_size=11,
    block_size=7,
    n_embd=12,
    n_head=3,
    n_layer=2,
    projection=True,
    feed_forward="two-layer",
    block="pre-norm",
    final_norm=True,
    fused=True,
)


def parameters(function: Answer) -> str:
    """9.1: how many parameters the GPT of a config has, from its fields alone."""

    def ask(config: GPTConfig) -> float:
        words = (
            f"vocab_size={config.vocab_size}, block_size={config.block_size}, "
            f"n_embd={config.n_embd}, n_head={config.n_head} and n_layer={config.n_layer}"
        )
        answer = asked(function, config, with_words=words)
        return number(answer, "how many parameters it has")

    found, wanted = ask(SMALL), GPT(SMALL).n_parameters()
    heads = ask(replace(SMALL, n_head=6)) - found
    expect(
        heads == 0,
        f"with twice as many heads it counts {heads:+,.0f} parameters; heads share the width among "
        "them, and add none",
    )
    for field, words, which in (
        ("vocab_size", "one more character", "which parts have a row, or a number, for each?"),
        ("block_size", "one more place in the window", "which part has a row for each?"),
        ("n_layer", "one more block", "which parts does a block have, and which have a bias?"),
    ):
        larger = replace(SMALL, **{field: getattr(SMALL, field) + 1})
        more, due = ask(larger) - found, GPT(larger).n_parameters() - wanted
        expect(more == due, f"{words} adds {more:,.0f} parameters; it should add {due:,}: {which}")
    expect(
        found == wanted,
        f"a small model has {wanted:,} parameters, and this counts {found:,.0f}; what stands "
        "outside the blocks, and does not grow with characters or places?",
    )
    wider = replace(SMALL, n_embd=24)
    found, wanted = ask(wider), GPT(wider).n_parameters()
    expect(
        found == wanted,
        f"with n_embd=24 it counts {found:,.0f} parameters, and there are {wanted:,}",
    )
    return "the count is exact, for every width, depth, window and vocabulary"


def schedule(function: Answer) -> str:
    """9.2: `function(step, steps, warmup, final)`, the rate at a step as a share of the highest."""
    steps, warmup, final = 100, 10, 0.1
    config = TrainingConfig(steps=steps, warmup=warmup, schedule="linear", final_rate=final)

    def ask(step: int) -> float:
        words = f"step {step} of {steps}, warmup={warmup} and final={final:g}"
        answer = asked(function, step, steps, warmup, final, with_words=words)
        return number(answer, f"the share at step {step}")

    first = ask(0)
    expect(
        abs(first) > CLOSE,
        "the share of step 0 is 0: then the first step moves nothing; begin one step higher",
    )
    for step, why in (
        (0, "the climb has 10 equal stairs, and the first stair is not 0"),
        (4, "it climbs in equal stairs"),
        (9, "the tenth step is the first at the highest rate"),
        (10, "here the fall begins, from the highest rate"),
        (55, "halfway down the line it is halfway between 1 and the final share"),
        (99, "the line meets the final share one step later, at step 100"),
    ):
        found, due = ask(step), rate_factor(step, config)
        expect(
            abs(found - due) < CLOSE,
            f"the share of step {step} is {found:.3f}; it should be {due:.3f}: {why}",
        )
    answer = asked(function, 0, 100, 0, 0.1, with_words="warmup=0")
    start = number(answer, "the share at step 0 without warm-up")
    expect(
        abs(start - 1) < CLOSE,
        f"without warm-up the share of step 0 is {start:.3f}; it should be 1",
    )
    return "up in equal stairs, down in a straight line"


CHECKS: dict[str, Check] = {"9.1": parameters, "9.2": schedule}
