"""Chapter 6: layer normalization."""

from _pages.claims.claim import Claim, exact
from _pages.claims.stuck import CASES, of, stuck
from bardgpt import records
from bardgpt.lab.probes.norms import BATCH_SIZES, EVALUATION, training_mode
from bardgpt.records.band import Band

DECIDED = "12-xavier-{}-0.0003-0"  # the setting that chapter 6 draws


def mode_gaps(name: str, batch_size: int) -> list[float]:
    """How much higher each run's loss is in training mode than in evaluation mode, at its end."""
    record = records.load(name)
    runs = record.probes["modes"][record.training.steps]
    return [run[training_mode(batch_size)] - run[EVALUATION] for run in runs]


def _modes() -> str:
    layer, batch = records.load("post-norm"), records.load("batch-norm")
    small, usual, *_, large = BATCH_SIZES
    none = max(abs(gap) for n in BATCH_SIZES for gap in mode_gaps("post-norm", n))
    gap = {n: Band.of(mode_gaps("batch-norm", n)) for n in BATCH_SIZES}
    return (
        f"Loss in training mode minus evaluation mode, same weights and windows: layer norm "
        f"{none:.4f} at any size, batch norm {gap[usual]} in batches of {usual} windows, as in "
        f"training, {gap[small]} in batches of {small}, {gap[large]} of {large}. Validation loss "
        f"of the rung: layer norm {layer.band()}, batch norm {batch.band()}; batch norm ahead by "
        f"{records.gain(layer, batch)} nats per character."
    )


def _decides() -> str:
    without, norms = records.load_sweep("no-norm"), records.load_sweep("rates")
    parts = [
        f"{words}: {of(stuck(without, f'{case}-no-norm-'))} without a norm, "
        f"{of(stuck(norms, f'{case}-post-norm-'))} with one after each addition"
        for case, words in CASES.items()
    ]
    lasts = ", ".join(
        f"{run.validation[-1]:.1f}" for run in without[DECIDED.format("no-norm")].histories
    )
    return (
        "Runs lost or stuck near the loss of the characters' frequencies, over four rates, "
        f"with and without warm-up: {'; '.join(parts)}. From Xavier's initialization at rate "
        f"0.0003 without warm-up the runs without a norm end at {lasts} nats per character, those "
        f"with one at {norms[DECIDED.format('post-norm')].band()}."
    )


CLAIMS = (
    Claim(
        "ln-1",
        "Batch norm normalizes columns (each feature over the batch), layer norm rows (each "
        "example over its features).",
        "06-layer-normalization",
        exact(
            "Equal to `torch.nn.BatchNorm1d` and `torch.nn.LayerNorm`. In a GPT a row is one "
            "position of one text."
        ),
    ),
    Claim(
        "ln-2",
        "For inputs (N, C) the change is one dimension: 0 becomes 1.",
        "06-layer-normalization",
        exact(
            "`standardize(x, 0)` is batch norm and `standardize(x, 1)` layer norm, gain and bias "
            "aside. The rest of the difference: two running statistics, a momentum, another "
            "variance and another function at test time. For (B, T, C) dimension 1 is time, and "
            "the rule leaks the future; the last dimension is meant."
        ),
    ),
    Claim(
        "ln-3",
        "Layer norm does not depend on the batch.",
        "06-layer-normalization",
        exact(
            "A row alone gives what it gives in a batch of 64; batch norm moves it, and refuses a "
            "batch of one in training mode."
        ),
    ),
    Claim(
        "ln-4",
        "It needs no running buffers and is the same in training and at test time.",
        "06-layer-normalization",
        _modes,
    ),
    Claim(
        "ln-5",
        "Each token is normalized independently.",
        "06-layer-normalization",
        exact(
            "Change one character: with layer norm nothing moves before it, nor in other texts. "
            "With batch norm in training mode all logits of the batch move, also earlier ones."
        ),
    ),
    Claim(
        "ln-6",
        "A norm helps to train a deep network.",
        "06-layer-normalization",
        _decides,
    ),
)
