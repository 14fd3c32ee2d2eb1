"""Looking into a model while it works, without changing what it does.

What is measured comes from the model's real forward pass, by hooks that are gone afterwards.
"""

from bardgpt.lab.probes.attention import (
    CLASSES,
    attention_maps,
    by_class,
    by_distance,
    character_classes,
    head_spreads,
    variations,
)
from bardgpt.lab.probes.dropout import MASKS, divergence, ensemble, losses_by_switch, unscaled
from bardgpt.lab.probes.jacobian import position_jacobian
from bardgpt.lab.probes.norms import EVALUATION, gains_and_biases, losses_by_mode, training_mode
from bardgpt.lab.probes.stream import recorded_stream, rms, stream_statistics
from bardgpt.lab.probes.units import PROPERTIES, auc, hidden_units, labels, unit_scores

__all__ = [
    "CLASSES",
    "EVALUATION",
    "MASKS",
    "PROPERTIES",
    "attention_maps",
    "auc",
    "by_class",
    "by_distance",
    "character_classes",
    "divergence",
    "ensemble",
    "gains_and_biases",
    "head_spreads",
    "hidden_units",
    "labels",
    "losses_by_mode",
    "losses_by_switch",
    "position_jacobian",
    "recorded_stream",
    "rms",
    "stream_statistics",
    "training_mode",
    "unit_scores",
    "unscaled",
    "variations",
]
