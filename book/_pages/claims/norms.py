"""Chapter 6: layer normalization."""

from _pages.claims.claim import Claim, exact
from bardgpt import records
from bardgpt.lab.probes.norms import BATCH_SIZES, EVALUATION, training_mode
from bardgpt.records.band import Band


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
)
