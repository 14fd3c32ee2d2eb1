"""Pictures and pages of records, and the ladder: what chapters show."""

import pytest

from bardgpt import shakespeare as text
from bardgpt.lab import ladder
from bardgpt.teaching import figures


def test_no_diagram_of_that_name():
    with pytest.raises(KeyError, match=r"no diagram 'x'; there are \[.*'windows'\]"):
        figures.diagram("x")


def test_ladder_text(shakespeare):
    assert shakespeare.tokenizer.vocab_size == ladder.VOCAB_SIZE
    assert all(rung.config.vocab_size == ladder.VOCAB_SIZE for rung in ladder.RUNGS.values())
    assert text.shakespeare() is shakespeare  # read once


def test_ladder_gains_one_piece_a_rung():
    """In the order of the chapters; neighbours differ in what the chapter is about."""
    rungs = list(ladder.RUNGS.values())
    assert [rung.chapter for rung in rungs] == sorted(rung.chapter for rung in rungs)
    gained = []
    for before, after in zip(rungs, rungs[1:], strict=False):
        old, new = vars(before.config), vars(after.config)
        gained.append({field: new[field] for field in new if new[field] != old[field]})
    assert gained == [
        {"n_layer": 1, "positions": True},
        {"n_head": 4},
        {"feed_forward": "one-layer"},
        {"n_layer": 3, "projection": True, "feed_forward": "two-layer"},
        {"block": "residual"},
        {"block": "post-norm"},
        {"block": "pre-norm", "final_norm": True},
    ]
