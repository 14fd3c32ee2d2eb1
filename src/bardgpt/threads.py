"""How many threads a computation is worth: one, where its kernels are small.

Starting and joining threads costs microseconds for each kernel, which a small one does not earn
back; and where other programs want the processors too, each kernel waits for the thread that was
put aside, so that two threads can be many times slower than one. PyTorch takes as many threads as
there are processors, whatever the size. Here small models get one, and large ones what PyTorch
takes; the number is only ever lowered.

Where small ends is a property of machines: `python -m bardgpt.lab.makers.bench --threads` says, on
one that does nothing else, how much faster all threads are than one, by size.

Whoever has chosen is obeyed: in the environment (`VARIABLES`), or with `torch.set_num_threads`
after this module was imported.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
SMALL = 2**20  # numbers in one activation, positions x channels, below which one thread computes
UNCHOSEN = torch.get_num_threads()  # what PyTorch takes if nobody chooses


def chosen() -> bool:
    """Whether the user has said how many threads there shall be."""
    return torch.get_num_threads() != UNCHOSEN or any(os.environ.get(name) for name in VARIABLES)


@contextmanager
def suited(positions: int, n_embd: int) -> Iterator[None]:
    """While the `with` block lasts, as many threads as the computation is worth.

    Args:
        positions: that go through the model at once, B x T.
        n_embd: C, the model's width.
    """
    before = torch.get_num_threads()
    if before == 1 or positions * n_embd >= SMALL or chosen():
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
