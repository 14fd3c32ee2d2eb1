"""What came out, to be read: the JSON files of `bardgpt/recorded`, never typed into the text.

`make experiments` and `make record` write them (`bardgpt.lab.makers`). A *run* is one training from
one seed, an *experiment* is runs over seeds, and a *record* is an experiment's file.
"""

from bardgpt.records.band import Band, bands, by_depth
from bardgpt.records.content import read
from bardgpt.records.full_model import FullRecord, full
from bardgpt.records.own_texts import Fit, OwnText, own_texts
from bardgpt.records.record import (
    Record,
    at_start,
    ensemble_lags,
    gain,
    load,
    load_sweep,
    runs_at_start,
)
from bardgpt.records.tables import best_table, real_text, tables

__all__ = [
    "Band",
    "Fit",
    "FullRecord",
    "OwnText",
    "Record",
    "at_start",
    "bands",
    "best_table",
    "by_depth",
    "ensemble_lags",
    "full",
    "gain",
    "load",
    "load_sweep",
    "own_texts",
    "read",
    "real_text",
    "runs_at_start",
    "tables",
]
