"""A plan of a size that a test can afford, for the tests of `plan` and of what chapter 9 shows."""

import pytest

from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.lab import plan
from bardgpt.presets import PRESETS, Preset
from bardgpt.shakespeare import shakespeare

BLOCK = {"projection": True, "feed_forward": "two-layer", "block": "pre-norm", "final_norm": True}
SMALL = Preset(
    GPTConfig(65, block_size=7, n_embd=15, n_layer=2, n_head=3, fused=True, **BLOCK),
    TrainingConfig(steps=6, batch_size=2, evaluate_every=3),
)


def planned(patch: pytest.MonkeyPatch) -> plan.Plan:
    """A plan as a GPU has it, at a size and on a device that a test can afford."""
    patch.setitem(PRESETS, "sprint", SMALL)
    text = shakespeare()
    patch.setattr(plan, "shakespeare", lambda: text._replace(validation=text.validation[:500]))
    return plan.Plan("sprint", SMALL, "cpu", "float32", True, "a stand-in for a GPU")
