"""The book's plots and diagrams, by name.

Each plot is a function that takes numbers, or reads records, and returns a figure; the chapter's
cell adds the alternative text.
"""

from bardgpt.teaching.diagrams import diagram
from bardgpt.teaching.figures.attention import head_profiles, head_spreads, keys_chosen, maps
from bardgpt.teaching.figures.text import (
    bigram_table,
    count_ladder,
    descent,
    frequencies,
    known_words,
)
from bardgpt.teaching.figures.training import ladder, runs_compared, training_runs

__all__ = [
    "bigram_table",
    "count_ladder",
    "descent",
    "diagram",
    "frequencies",
    "head_profiles",
    "head_spreads",
    "keys_chosen",
    "known_words",
    "ladder",
    "maps",
    "runs_compared",
    "training_runs",
]
