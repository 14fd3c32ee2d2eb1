"""Seconds of some work, once the device has really done it."""

import time
from collections.abc import Callable

import torch


def timed(work: Callable[[], object], device: str) -> float:
    """Seconds that some work takes, until the device has really done it."""
    _wait(device)
    start = time.perf_counter()
    work()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: str) -> None:
    if device != "cpu":
        getattr(torch, device).synchronize()
