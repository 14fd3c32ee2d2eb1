"""Chapter 4: the feed-forward layer."""

from _pages.claims.claim import Claim, exact
from bardgpt import records


def _time_to_think() -> str:
    four, linear, relu = (
        records.load(name) for name in ("four-heads", "feed-forward-linear", "feed-forward")
    )
    return (
        f"Without it: {four.band()}; with it (one layer, {relu.model.n_embd} → "
        f"{relu.model.n_hidden}): {relu.band()}; with the ReLU left out: "
        f"{linear.band()}. Leads with the same seeds, in nats per character: the layer over "
        f"nothing {records.gain(four, relu)}, its linear map alone {records.gain(four, linear)}, "
        f"the ReLU over the linear map {records.gain(linear, relu)}."
    )


def _width() -> str:
    sweep = records.load_sweep("hidden-widths")
    four, wide, gelu = (sweep[name] for name in ("4", "wide", "gelu"))
    widths = "; ".join(
        f"{n} C {sweep[n].band()} with {sweep[n].model.n_parameters():,} parameters"
        for n in ("1", "2", "4", "8")
    )
    return (
        f"One block, its feed-forward of two layers, C = {four.model.n_embd}, "
        f"{four.training.steps:,} steps: {widths}. As many "
        f"parameters as with 4 C, spent on {wide.model.n_embd} channels with "
        f"{wide.model.n_hidden} hidden units: {wide.band()}; 4 C ahead of that by "
        f"{records.gain(wide, four)}. GELU in the ReLU's place: {gelu.band()}; ahead of the ReLU "
        f"by {records.gain(four, gelu)} nats per character."
    )


CLAIMS = (
    Claim(
        "ffn-1",
        "The feed-forward layer works on each position by itself: perturb one token, and only that "
        "output moves; it commutes with permutations of positions.",
        "04-feed-forward",
        exact(
            "One character changed: all other outputs stay, to the bit; and it commutes with a "
            "permutation. Attention does neither."
        ),
    ),
    Claim(
        "ffn-2",
        "Attention communicates, feed-forward computes: as derivatives between positions, one is "
        "block-lower-triangular, the other block-diagonal.",
        "04-feed-forward",
        exact(
            "The blocks that are not 0 are exactly the causal mask for attention, and exactly the "
            "diagonal for the feed-forward layer."
        ),
    ),
    Claim(
        "ffn-3",
        "Feed-forward comes right after attention, and the two form the block that repeats.",
        "04-feed-forward",
        exact("`PlainBlock` is this pair, to the bit; three in a row keep the shape and the mask."),
    ),
    Claim(
        "ffn-4",
        "Without feed-forward the model went too fast to the logits: the layer lowers the loss, "
        "and a linear layer in its place, which folds into the logits, does not.",
        "04-feed-forward",
        _time_to_think,
    ),
    Claim(
        "ffn-5",
        "The hidden layer is four times as wide as the stream, as in the paper and the lecture.",
        "04-feed-forward",
        _width,
    ),
)
