"""The book's plots and diagrams, by name.

Each plot is a function that takes numbers and returns a figure: the chapter's cell gathers them,
from records or from what it measured, and adds the alternative text.
"""

from bardgpt.teaching.diagrams import diagram
from bardgpt.teaching.figures.attention import (
    gradient_histogram,
    head_profiles,
    head_spreads,
    keys_chosen,
    maps,
)
from bardgpt.teaching.figures.dropout import ensembles, gaps, thinned
from bardgpt.teaching.figures.fast_attention import step_speeds
from bardgpt.teaching.figures.feed_forward import (
    firing,
    jacobians,
    leads,
    seeds_compared,
    unit_scores,
)
from bardgpt.teaching.figures.ladder import ladder, training_runs
from bardgpt.teaching.figures.norms import mode_gaps, norm_gains, stream_sizes, who_moves
from bardgpt.teaching.figures.own_texts import by_heart
from bardgpt.teaching.figures.passage import passage
from bardgpt.teaching.figures.residual import (
    branches_over_training,
    gradients_by_depth,
    losses_by_depth,
)
from bardgpt.teaching.figures.scaling import (
    forms,
    full_run,
    loss_by_position,
    name_losses,
    orthogonalized,
)
from bardgpt.teaching.figures.text import (
    bigram_table,
    count_ladder,
    descent,
    frequencies,
    known_words,
    losses_by_kind,
    plays,
)
from bardgpt.teaching.figures.wiring import gradients_at_start, streams_by_depth

__all__ = [
    "bigram_table",
    "branches_over_training",
    "by_heart",
    "count_ladder",
    "descent",
    "diagram",
    "ensembles",
    "firing",
    "forms",
    "frequencies",
    "full_run",
    "gaps",
    "gradient_histogram",
    "gradients_at_start",
    "gradients_by_depth",
    "head_profiles",
    "head_spreads",
    "jacobians",
    "keys_chosen",
    "known_words",
    "ladder",
    "leads",
    "loss_by_position",
    "losses_by_depth",
    "losses_by_kind",
    "maps",
    "mode_gaps",
    "name_losses",
    "norm_gains",
    "orthogonalized",
    "passage",
    "plays",
    "seeds_compared",
    "step_speeds",
    "stream_sizes",
    "streams_by_depth",
    "thinned",
    "training_runs",
    "unit_scores",
    "who_moves",
]
