"""A sign of life while work takes long."""

from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress_bar(items: Iterable[Any] | None = None, *, shown: bool, **options: Any) -> "tqdm[Any]":
    """A bar on stderr that vanishes at its end.

    Args:
        items: what is gone through, if it is one thing after the other.
        shown: False hides it; otherwise the environment decides: TQDM_DISABLE=1 hides it too.
        options: of tqdm.
    """
    if not shown:
        options["disable"] = True
    return tqdm(items, leave=False, **options)
