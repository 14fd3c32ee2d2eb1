"""The yardstick: count tables with 0 to 5 characters of context, as their record has them."""

from typing import Any

from bardgpt.records.content import read


def tables() -> list[dict[str, Any]]:
    """One entry for each length of context, from 0 on; losses in nats per character.

    Each has "context", the losses "train" and "validation", text statistics of its "samples", and
    a "text".

    Raises:
        FileNotFoundError: if the record is not there; `make experiments` writes it.
    """
    return read("count-tables")["tables"]


def best_table() -> dict[str, Any]:
    """The entry with the lowest validation loss."""
    return min(tables(), key=lambda table: table["validation"])


def real_text() -> dict[str, float]:
    """What the validation text itself scores in the text statistics of the samples."""
    return read("count-tables")["real text"]
