"""Several processes, one model: PyTorch's DistributedDataParallel, started by `torchrun`.

Each process has the whole model and takes its share of every batch; after the backward pass the
gradients are averaged, so all make the same step. Without `torchrun` everything here does nothing.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from bardgpt.progress import working
from bardgpt.training.devices import DeviceError, DeviceName

WAIT_SECONDS = 300  # for the other processes, before one gives up
MOST_PROCESSES = 100_000


@dataclass(frozen=True)
class Share:
    """Which part of each batch this process takes: one of `world` equal ones."""

    rank: int = 0
    world: int = 1

    @property
    def writes(self) -> bool:
        """Whether this is the process that writes files and speaks."""
        return self.rank == 0

    @property
    def others(self) -> str:
        """The other processes, in words; several are numbered where they are few."""
        ranks = [str(rank) for rank in range(min(self.world, 9)) if rank != self.rank]
        if self.world > 8:
            return f"the {self.world - 1:,} others"
        return f"process{'es' if len(ranks) > 1 else ''} {', '.join(ranks)}"

    def of(self, batch: Tensor) -> Tensor:
        """This process's part of a (B, ...) batch: (B / world, ...)."""
        part = len(batch) // self.world
        return batch[self.rank * part : (self.rank + 1) * part]


def share_from_environment(environment: dict[str, str] | None = None) -> Share:
    """This process's share, from the variables that `torchrun` sets; without them all of it.

    Raises:
        DeviceError: if they are half there, or name no process.
    """
    variables = os.environ if environment is None else environment
    present = [name for name in ("RANK", "WORLD_SIZE") if variables.get(name)]
    if len(present) == 1:
        (absent,) = {"RANK", "WORLD_SIZE"} - {*present}
        raise DeviceError(
            f"the environment has {present[0]} and not {absent}: "
            "start several processes with torchrun, or unset it for one"
        )
    try:
        rank, world = int(variables.get("RANK") or 0), int(variables.get("WORLD_SIZE") or 1)
    except ValueError:
        rank, world = -1, 1
    if not 0 <= rank < world <= MOST_PROCESSES:
        raise DeviceError(
            f"RANK={variables.get('RANK')} and WORLD_SIZE={variables.get('WORLD_SIZE')} are no "
            "process and number of processes: start them with torchrun, or unset both"
        )
    return Share(rank, world)


def local_device(device: DeviceName, environment: dict[str, str] | None = None) -> str:
    """The device of this process: of a machine's GPUs each process takes one, alone the first."""
    variables = os.environ if environment is None else environment
    return f"cuda:{variables.get('LOCAL_RANK', '0')}" if device == "cuda" else device


@contextmanager
def process_group(share: Share, device: DeviceName) -> Iterator[None]:
    """While the `with` block lasts the processes know of one another.

    Raises:
        DeviceError: if several processes are to compute on an Apple GPU, or the others do not come.
    """
    if share.world == 1:
        yield
        return
    if device == "mps":
        raise DeviceError(
            f"device 'mps' with {share.world} processes: PyTorch cannot average gradients there; "
            "choose 'cpu', or start one process"
        )
    where = f"{os.environ.get('MASTER_ADDR')}:{os.environ.get('MASTER_PORT')}"
    who = f"process {share.rank} of {share.world}"
    try:
        with working(f"{who} waits at {where} for {share.others}"):
            dist.init_process_group(
                "nccl" if device == "cuda" else "gloo", timeout=timedelta(seconds=WAIT_SECONDS)
            )
    # The second is what PyTorch raises where the address or port is missing or none.
    except (dist.DistError, ValueError) as error:
        said = (str(error).splitlines() or [""])[0][:120]
        raise DeviceError(
            f"{who} did not meet the others at {where} within {WAIT_SECONDS} s; start all of them "
            f"with torchrun (waiting for {share.others}: {said})"
        ) from None
    yield
    dist.destroy_process_group()  # not after an error: it could wait for a process that has died


def synchronised(model: nn.Module, share: Share) -> nn.Module:
    """The model to call, whose gradients are averaged over the processes."""
    return model if share.world == 1 else DistributedDataParallel(model)


def mean(values: Tensor, share: Share) -> Tensor:
    """The mean over the processes of a tensor that each of them has."""
    if share.world == 1:
        return values
    total = values.clone()
    dist.all_reduce(total)
    return total / share.world


def raise_everywhere(error: Exception | None, share: Share) -> None:
    """Go on when the first process has come here; if it brings an error, all raise it.

    Else the others would wait for it in vain, and their complaints would hide what it said.
    """
    errors = [error]
    if share.world > 1:
        dist.broadcast_object_list(errors, src=0)
    if errors[0] is not None:
        raise errors[0]


def all_equal(value: int, share: Share) -> bool:
    """Whether every process has the same number."""
    if share.world == 1:
        return True
    values: list[int | None] = [None] * share.world
    dist.all_gather_object(values, value)
    return len(set(values)) == 1
