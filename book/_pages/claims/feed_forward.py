"""Chapter 4: the feed-forward layer."""

from _pages.claims.claim import Claim, exact
from bardgpt import records


def _time_to_think() -> str:
    four, linear, relu = (
        records.load(name) for name in ("four-heads", "feed-forward-linear", "feed-forward")
    )
    return (
        f"Without it: {four.band()}; with it: {relu.band()}; with the ReLU left out: "
        f"{linear.band()}. Gains with the same seeds, in nats per character: the layer over "
        f"nothing {records.gain(four, relu)}, its linear map alone {records.gain(four, linear)}, "
        f"the ReLU over the linear map {records.gain(linear, relu)}."
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
        "It comes right after attention, and the two form the block that repeats.",
        "04-feed-forward",
        exact("`PlainBlock` is this pair, to the bit; three in a row keep the shape and the mask."),
    ),
    Claim(
        "ffn-4",
        "Without it the model went too fast to the logits: the layer lowers the loss, and a linear "
        "layer in its place, which folds into the logits, does not.",
        "04-feed-forward",
        _time_to_think,
    ),
)
