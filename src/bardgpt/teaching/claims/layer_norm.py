"""Chapter 6: layer normalization."""

from bardgpt.teaching import records
from bardgpt.teaching.claims.claim import Claim, exact
from bardgpt.teaching.records import Band


def mode_gap(name: str) -> Band:
    """How much higher a record's loss is in training mode than in evaluation mode, at its end."""
    record = records.load(name)
    runs = record.probes["modes"][record.training.steps]
    return Band.of([run["training mode"] - run["evaluation mode"] for run in runs])


def _modes() -> str:
    layer, batch = records.load("post-norm"), records.load("batch-norm")
    return (
        f"Loss in training mode minus evaluation mode, same weights and windows: layer norm "
        f"{mode_gap('post-norm')}, batch norm {mode_gap('batch-norm')}. Validation loss of the "
        f"rung: layer norm {layer.band()}, batch norm {batch.band()}; batch norm ahead by "
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
