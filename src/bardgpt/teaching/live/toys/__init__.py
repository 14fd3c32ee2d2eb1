"""Toys: small pictures that answer to the hand, without a model."""

from collections.abc import Callable

from bardgpt.teaching.live.toys.frame import Toy
from bardgpt.teaching.live.toys.masks import toy_mask, toy_masks
from bardgpt.teaching.live.toys.norms import toy_norm_table
from bardgpt.teaching.live.toys.places import toy_norm_place
from bardgpt.teaching.live.toys.scores import toy_scores
from bardgpt.teaching.live.toys.stacks import toy_stack
from bardgpt.teaching.live.toys.temperatures import toy_temperature

# By the name that the page's script knows (`book/_live/elements/toys/index.js`).
TOYS: dict[str, Callable[..., Toy]] = {
    "temperature": toy_temperature,
    "scores": toy_scores,
    "stack": toy_stack,
    "norm-table": toy_norm_table,
    "norm-place": toy_norm_place,
    "mask": toy_mask,
    "masks": toy_masks,
}
