"""Planted faults of the engine: mistakes that people make, each noticed by a test of the engine.

A fault is an edit of one place of the engine's sources. It is made in a copy, which is built and
loaded, and the test is called with it: what the test asserts must be false then. A fault that
merely crashes proves nothing.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import test_engine as tests
from engine_page import LIVE, Engine, build_engine


@dataclass(frozen=True)
class Fault:
    """One wrong edit, and the test that must notice.

    Attributes:
        story: what the mistake looks like.
        module: the file, below `book/_live/engine`.
        right: what stands there, exactly once.
        wrong: what takes its place.
        check: calls the test.
    """

    name: str
    story: str
    module: str
    right: str
    wrong: str
    check: Callable[[Engine], None]


def logits(name: str) -> Callable[[Engine], None]:
    return lambda engine: tests.test_logits_and_gradients(engine, name)


FAULTS = [
    Fault(
        "scaled-by-the-width",
        "Scores divided by the root of C instead of hs: with one head nobody would notice.",
        "model.js",
        "scores.mul(hs ** -0.5)",
        "scores.mul(C ** -0.5)",
        logits("four-heads"),
    ),
    Fault(
        "mask-off-by-one",
        "Each position sees the one after it, which is the character to predict.",
        "model.js",
        "np.tri(ids.shape[1], undefined, 0,",
        "np.tri(ids.shape[1], undefined, 1,",
        logits("one-head"),
    ),
    Fault(
        "softmax-over-queries",
        "The weights of a key sum to 1 instead of those of a query.",
        "model.js",
        'config.softmax === "keys" ? -1 : -2',
        'config.softmax === "keys" ? -2 : -1',
        logits("one-head"),
    ),
    Fault(
        "heads-cut-from-time",
        "Reshaped without a transpose: a head gets pieces of several positions.",
        "model.js",
        ".reshape([B, T, config.n_head, hs]).transpose([0, 2, 1, 3]));",
        ".reshape([B, config.n_head, T, hs]));",
        logits("four-heads"),
    ),
    Fault(
        "queries-for-keys",
        "The stacked matrix read in another order: it trains as well, but loads wrong weights.",
        "model.js",
        "const [q, k, v] = np",
        "const [k, q, v] = np",
        logits("pre-norm"),
    ),
    Fault(
        "variance-by-n-minus-one",
        "The sample's variance in a norm, as statistics packages have it.",
        "model.js",
        "np.square(centred.ref).mean(-1, { keepdims: true })",
        "np.square(centred.ref).sum(-1, { keepdims: true }).div(centred.shape.at(-1) - 1)",
        logits("pre-norm"),
    ),
    Fault(
        "norm-on-the-branch",
        "Post-norm that normalizes what is added, not the sum.",
        "model.js",
        'norm("attention", x.ref.add(this.attention(i, x)))',
        'x.ref.add(norm("attention", this.attention(i, x)))',
        logits("post-norm"),
    ),
    Fault(
        "no-final-norm",
        "Pre-norm without the norm behind the last block.",
        "model.js",
        'if ("norm.weight" in this.weights) x = this.norm("norm", x);',
        "",
        logits("pre-norm"),
    ),
    Fault(
        "gelu-by-its-approximation",
        "The tanh formula instead of the error function.",
        "model.js",
        "approximate: false",
        "approximate: true",
        tests.test_gelu,
    ),
    Fault(
        "dropout-not-made-up-for",
        "What is left is not scaled up, so training and writing see other sizes.",
        "model.js",
        "np.where(kept, x.div(1 - rate), 0)",
        "np.where(kept, x, 0)",
        lambda engine: tests.test_dropout_spreads_logits_as_pytorchs_does(engine, "all"),
    ),
    Fault(
        "dropout-of-the-rest",
        "The share that is kept taken for the share that is dropped.",
        "model.js",
        "random.bernoulli(own, 1 - rate, x.shape)",
        "random.bernoulli(own, rate, x.shape)",
        lambda engine: tests.test_dropout_spreads_logits_as_pytorchs_does(engine, "embeddings"),
    ),
    Fault(
        "attention-dropout-ignored",
        "The attention weights' own rate is forgotten for the general one.",
        "model.js",
        "config.attention_dropout ?? config.dropout",
        "config.dropout",
        lambda engine: tests.test_dropout_spreads_logits_as_pytorchs_does(
            engine, "end of attention"
        ),
    ),
    Fault(
        "averages-not-corrected",
        "Adam without its correction of the first average: small steps at first.",
        "optimizer.js",
        "rate: rate / (1 - BETA1 ** (step + 1))",
        "rate",
        lambda engine: tests.test_optimizer_steps(engine, "the rungs'"),
    ),
    Fault(
        "decay-of-gains-and-biases",
        "Weight decay on all parameters where only matrices should decay.",
        "optimizer.js",
        'config.decay === "all" || gradient.ndim === 2',
        "true",
        lambda engine: tests.test_optimizer_steps(engine, "all that can be set"),
    ),
    Fault(
        "never-clipped",
        "The norm of the gradients is computed and forgotten.",
        "optimizer.js",
        "scale ? raw.mul(scale.ref) : raw",
        "raw",
        lambda engine: tests.test_optimizer_steps(engine, "all that can be set"),
    ),
    Fault(
        "warm-up-from-zero",
        "The first step of a warm-up has rate 0 and is lost.",
        "optimizer.js",
        "return (step + 1) / warmup;",
        "return step / warmup;",
        tests.test_rate_factors,
    ),
    Fault(
        "targets-not-shifted",
        "The model learns to repeat what it sees.",
        "training.js",
        "shift ? windows.slice([], [1, T + 1])",
        "shift ? windows.slice([], [0, T])",
        lambda engine: tests.test_optimizer_steps(engine, "the rungs'"),
    ),
    Fault(
        "last-batch-counted-wrong",
        "The last batch of an evaluation counts windows twice and leaves out others.",
        "training.js",
        "start + ((row + first - start) % batch)",
        "start + row",
        lambda engine: tests.test_evaluation_counts_every_character_once(engine, TEXT[0]),
    ),
    Fault(
        "window-slides",
        "A full window forgets one character instead of half: no longer the package's text.",
        "neural.js",
        "this.ids.slice(S - Math.floor(S / 2))",
        "this.ids.slice(1)",
        lambda engine: tests.test_greedy_text_of_a_rung(engine, "pre-norm"),
    ),
    Fault(
        "cache-hides-the-last",
        "A new character sees those before it, but not itself.",
        "cache.js",
        "lessEqual(queries)",
        "less(queries)",
        lambda engine: tests.test_greedy_text_of_a_rung(engine, "four-heads"),
    ),
    Fault(
        "positions-from-zero",
        "With a cache, each new character is taken for the first of its window.",
        "cache.js",
        "np.clip(np.arange(T).add(this.start.ref), 0, this.S - 1)",
        "np.arange(T)",
        lambda engine: tests.test_greedy_text_of_a_rung(engine, "four-heads"),
    ),
    Fault(
        "stale-cache",
        "A text is changed, and the cache still answers for the old one.",
        "neural.js",
        "next[same] === this.ids[same]",
        "true",
        lambda engine: tests.test_looking_after_the_text_was_changed(engine),
    ),
    Fault(
        "scales-by-column",
        "8-bit numbers times the scale of another row.",
        "safetensors.js",
        "scale[Math.floor(i / columns)]",
        "scale[i % scale.length]",
        tests.test_eight_bits,
    ),
    Fault(
        "heads-stacked-in-another-order",
        "Keys before queries, when a list of heads becomes one matrix.",
        "safetensors.js",
        '["query", "key", "value"]',
        '["key", "query", "value"]',
        lambda engine: tests.test_list_of_heads_becomes_one_matrix(engine, "four-heads"),
    ),
    Fault(
        "xavier-of-the-stack",
        "q, k and v taken for one matrix with 3 C outputs: their spread is too small.",
        "initialization.js",
        'layer.endsWith(".qkv") ? inputs : outputs',
        "outputs",
        lambda engine: tests.test_initialization_has_pytorchs_statistics(engine, "xavier"),
    ),
    Fault(
        "depth-counted-in-blocks",
        "L blocks add 2 L branches; scaled by the root of L, the stream grows.",
        "initialization.js",
        "Math.sqrt(2 * config.n_layer)",
        "Math.sqrt(config.n_layer)",
        lambda engine: tests.test_initialization_has_pytorchs_statistics(engine, "depth-scaled"),
    ),
    Fault(
        "nothing-new-expected",
        "Counts mixed with the shorter context as if one character had followed, not d(h).",
        "counts.js",
        "p[c] *= followers / (total + followers)",
        "p[c] *= 1 / (total + followers)",
        lambda engine: tests.test_count_table_gives_the_packages_probabilities(engine, 3),
    ),
    Fault(
        "one-too-many",
        "Top-k keeps k + 1 characters: nobody would see it in a text.",
        "sampling.js",
        "best.slice(0, topK)",
        "best.slice(0, topK + 1)",
        lambda engine: tests.test_distribution_to_draw_from(engine, 1, 5),
    ),
]
TEXT: list[str] = []  # the text's address, for the one check that reads it


@pytest.fixture(autouse=True)
def _text(text):
    TEXT[:] = [text]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_noticed(engine_in, served, tmp_path, fault):
    copy = tmp_path / "live"
    shutil.copytree(LIVE, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(LIVE / "node_modules")
    module = copy / "engine" / fault.module
    source = module.read_text(encoding="utf-8")
    assert source.count(fault.right) == 1, f"{fault.right!r} is not exactly once in {fault.module}"
    module.write_text(source.replace(fault.right, fault.wrong), encoding="utf-8")
    folder, _ = served
    build_engine(copy, folder / fault.name)
    with pytest.raises(AssertionError):
        fault.check(engine_in(f"{fault.name}/"))


def test_stories_and_names():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 15
    assert all(30 < len(fault.story) <= 100 for fault in FAULTS)
