"""Chapter 8: dropout."""

from _pages.claims.claim import Claim, exact
from bardgpt import records
from bardgpt.lab.probes.dropout import MASKS


def _ensemble() -> str:
    parts = []
    asked = {
        "slice-0.2": "20,000 characters, p = 0.2",
        "slice-0.4": "20,000 characters, p = 0.4",
        "whole-0.2": "The whole text, p = 0.2",
    }
    for name, read in asked.items():
        record = records.load_sweep("dropout")[name]
        step = record.training.steps
        kl, lags = record.profile("ensemble", "KL", step), records.ensemble_lags(record)
        geometric = record.profile("ensemble", "geometric KL", step)[-1]
        parts.append(
            f"{read}: KL to the test-time model {kl[0].mean:.3f} nats with 1 mask, "
            f"{kl[-1].mean:.3f} with {MASKS[-1]} (geometric mean {geometric.mean:.3f}); loss minus "
            f"the test-time model's {lags[0].mean:+.3f} ± {lags[0].sd:.3f} with 1, "
            f"{lags[-1].mean:+.3f} ± {lags[-1].sd:.3f} with {MASKS[-1]}"
        )
    return (
        "Exact for one linear layer: over all 1,024 masks of ten numbers the mean of the logits, "
        "and so the geometric mean of the probabilities, is the test-time network's; with a ReLU "
        f"in between neither is. For a GPT, by what it was trained on: {'. '.join(parts)}."
    )


def _gap() -> str:
    sweep = records.load_sweep("dropout")
    steps = sweep["slice-0"].training.steps
    parts = []
    for rate in ("0", "0.2", "0.4"):
        record = sweep[f"slice-{rate}"]
        fit = record.probe_bands("fit", steps)["training text"]
        parts.append(f"p = {rate}: {fit.mean:.3f} on the text learned from, {record.band()} on new")
    whole = records.gain(sweep["whole-0"], sweep["whole-0.2"])
    verb = "gains" if whole.mean > 0 else "costs"
    behind = {
        name: sweep[name].band().mean
        - records.Band.of([each.train[-1] for each in sweep[name].histories]).mean
        for name in ("slice-0", "whole-0")
    }
    last = sweep["whole-0"].training.evaluate_every
    return (
        f"160 thousand parameters, 20,000 characters, {steps:,} steps. "
        f"{'; '.join(parts)} text. On the whole text, p = 0.2 {verb} {abs(whole.mean):.3f} ± "
        f"{whole.sd:.3f}; there, without dropout, the validation loss ends "
        f"{behind['whole-0']:.3f} above the mean of the last {last} training batches, and "
        f"{behind['slice-0']:.3f} with the 20,000 characters."
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "drop-1",
        "Dropout sits after the attention softmax, and at the end of attention and of feed-forward "
        "just before the addition.",
        "08-dropout",
        exact(
            "A share p of what is added to the stream is 0, and nothing of the stream; the rows of "
            "attention weights no longer sum to 1, except in the mean."
        ),
    ),
    Claim(
        "drop-2",
        "A new random mask on every pass; at test time everything is on; the expectation of the "
        "dropped activation is kept.",
        "08-dropout",
        exact(
            "Two training passes differ, two at test time are equal to the bit, and equal to the "
            "model without dropout. Over all masks the mean of the dropped number is the number; "
            "behind a ReLU it is not."
        ),
    ),
    Claim(
        "drop-3",
        "It trains an ensemble of sub-networks, which the test-time network stands for: exactly in "
        "one linear layer, approximately in a GPT.",
        "08-dropout",
        _ensemble,
    ),
    Claim(
        "drop-4",
        "It regularizes: the gap between training and validation text becomes smaller, in a model "
        "large enough to overfit.",
        "08-dropout",
        _gap,
    ),
)
