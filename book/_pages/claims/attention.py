"""Chapter 3: several heads."""

from _pages.claims.claim import Claim, exact
from bardgpt import records
from bardgpt.lab.copying import Copying


def _heads_differ() -> str:
    four = records.load("four-heads")
    trained, untrained = (four.probe_bands("heads", step) for step in (four.training.steps, 0))
    parts = [
        f"{kind} {trained[kind]} when trained, {untrained[kind]} untrained, "
        f"{trained[f'{kind}, shuffled']} with shuffled labels"
        for kind in ("by distance", "by class")
    ]
    closest = "by distance, closest pair"
    return (
        f"Heads differ (total variation, mean over pairs) {'; '.join(parts)}. Not every pair does: "
        f"the closest has {trained[closest]} by distance, untrained {untrained[closest]}. "
        f"{four_against_one()}"
    )


def four_against_one() -> str:
    """The validation losses of the two rungs, and their difference seed by seed."""
    one, four = records.load("one-head"), records.load("four-heads")
    gain = records.gain(one, four)
    return (
        f"One head of 32: {one.band()}; four of 8: {four.band()}; lead with the same seeds: "
        f"{gain} nats per character."
    )


def _two_questions() -> str:
    record = records.read("copying")
    bands = {name: records.bands(runs) for name, runs in record["toys"].items()}
    toys = {name: Copying(**toy) for name, toy in record["experiment"]["toys"].items()}

    def right(name: str) -> str:
        return f"{bands[name]['right'].mean:.1%} of positions"

    steps, longer = (toys[name].steps for name in ("both, one head", "both, one head, longer"))
    seeds, either = len(record["experiment"]["seeds"]), "either, one head"
    return (
        f"Copy the letter one back and the letter three back: two heads by hand make no mistake. "
        f"After {steps:,} steps, over {seeds} seeds, both are right at {right('both, two heads')} "
        f"with two heads of 16, at {right('both, one head')} with one head of 32. One head is not "
        f"unable: after {longer:,} steps {right('both, one head, longer')}, with an alphabet of 8 "
        f"letters {right('both, one head, 8 letters')}. "
        f"Asked for the two letters in any order, one head is enough: {bands[either]['loss']} nats "
        f"per answer, two heads {bands['either, two heads']['loss']}, and no model less than "
        f"{toys[either].floor:.3f}."
    )


CLAIMS = (
    Claim(
        "mha-1",
        "Multi-head attention is several attentions in parallel, their outputs concatenated over "
        "the channel dimension.",
        "03-multi-head-attention",
        exact("Heads run one by one and concatenated equal the package's class, to the bit."),
    ),
    Claim(
        "mha-2",
        "In PyTorch it is a list of heads of `head_size`, run and concatenated.",
        "03-multi-head-attention",
        exact(
            "`MultiHeadAttention` is that list; it equals `scaled_dot_product_attention` and "
            "`torch.nn.MultiheadAttention` in outputs and gradients."
        ),
    ),
    Claim(
        "mha-3",
        "One head of 32 becomes four of 8: same width, as many parameters for q, k, v.",
        "03-multi-head-attention",
        exact("3·32² = 3,072 parameters for 1, 2, 4 and 8 heads."),
    ),
    Claim(
        "mha-4",
        "It is like a group convolution over time, each group of channels of v with a mixing "
        "matrix of its own.",
        "03-multi-head-attention",
        exact(
            "Equal to `conv1d` with one group for each text and head. The likeness ends where "
            "heads read all channels, mix by the data, and save no parameters."
        ),
    ),
    Claim(
        "mha-5",
        "Several heads gather different data, and four predict better than one at equal "
        "parameters.",
        "03-multi-head-attention",
        _heads_differ,
    ),
    Claim(
        "mha-6",
        "It helps to have several channels of communication, for tokens have several things to "
        "find out at once.",
        "03-multi-head-attention",
        _two_questions,
    ),
)
