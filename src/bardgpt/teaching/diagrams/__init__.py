"""The book's diagrams by name, drawn from one small set of shapes."""

from collections.abc import Callable
from functools import partial

from bardgpt.lab.ladder import RUNGS
from bardgpt.teaching.diagrams.attention import group_convolution, heads, one_head
from bardgpt.teaching.diagrams.dropout import dropout_places
from bardgpt.teaching.diagrams.fast_attention import cache, one_product
from bardgpt.teaching.diagrams.feed_forward import feed_forward
from bardgpt.teaching.diagrams.model import rung, whole_model
from bardgpt.teaching.diagrams.norms import rows_and_columns
from bardgpt.teaching.diagrams.residual import residual_stream
from bardgpt.teaching.diagrams.shapes import Diagram, Fitted, Panels, fitted
from bardgpt.teaching.diagrams.text import windows
from bardgpt.teaching.diagrams.wiring import pre_and_post_norm

DIAGRAMS: dict[str, Callable[[], Diagram | Fitted | Panels]] = {
    "windows": partial(fitted, windows),
    "one-head": partial(fitted, one_head),
    "heads": heads,
    "group-convolution": group_convolution,
    "feed-forward": partial(fitted, feed_forward),
    "residual-stream": residual_stream,
    "pre-and-post-norm": pre_and_post_norm,
    "rows-and-columns": rows_and_columns,
    "dropout-places": dropout_places,
    "one-product": partial(fitted, one_product),
    "cache": partial(fitted, cache),
    "whole-model": whole_model,
    **{f"rung-{name}": partial(rung, name) for name in RUNGS},
}


def diagram(name: str) -> Diagram | Fitted | Panels:
    """A diagram by name.

    Raises:
        KeyError: if there is none; says which there are.
    """
    if name not in DIAGRAMS:
        raise KeyError(f"no diagram {name!r}; there are {sorted(DIAGRAMS)}")
    return DIAGRAMS[name]()
