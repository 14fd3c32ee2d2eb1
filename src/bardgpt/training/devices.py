"""Where a run computes, and in which precision: decided by pure functions, from plain facts.

`facts` asks PyTorch once; everything else follows from its answer, so that tests can drive each
branch without the machine that it is for.
"""

import re
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal, TypeGuard, get_args

import torch

DeviceName = Literal["cuda", "mps", "cpu"]
Precision = Literal["float32", "bfloat16", "float16"]


class DeviceError(ValueError):
    """A device or precision that this machine does not have; says which it has."""


@dataclass(frozen=True)
class Facts:
    """What a machine offers.

    Attributes:
        cuda: whether PyTorch sees a GPU of NVIDIA's kind (or AMD's, which it treats alike).
        capability: compute capability of the first such GPU, (0, 0) without one.
        mps: whether PyTorch sees an Apple GPU.
        cpu_bfloat16: whether the processor computes with bfloat16 itself (AVX512-BF16 or AMX).
        gpu: the GPU's name, "" without one.
        kernels: what this PyTorch was compiled for, as it names it ("sm_80", "compute_90"); empty
            without a GPU, or where it does not say.
    """

    cuda: bool = False
    capability: tuple[int, int] = (0, 0)
    mps: bool = False
    cpu_bfloat16: bool = False
    gpu: str = ""
    kernels: tuple[str, ...] = ()


def facts() -> Facts:
    """This machine's facts."""
    cuda = torch.cuda.is_available()
    return Facts(
        cuda=cuda,
        capability=torch.cuda.get_device_capability() if cuda else (0, 0),
        mps=torch.backends.mps.is_available(),
        cpu_bfloat16=_cpu_bfloat16(),
        gpu=torch.cuda.get_device_name() if cuda else "",
        kernels=tuple(torch.cuda.get_arch_list()) if cuda else (),
    )


def _cpu_bfloat16() -> bool:
    ask = getattr(torch.cpu, "get_capabilities", None)  # older versions lack it
    capabilities = ask() if ask is not None else {}
    if not any(bool(capabilities.get(name)) for name in ("avx512_bf16", "amx_bf16")):
        return False
    # ONEDNN_MAX_CPU_ISA can forbid the instructions that are there; then they are emulated.
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


def without_kernels(machine: Facts) -> str:
    """Why this PyTorch cannot compute on the GPU that it sees; "" if it can, or there is none.

    Machine code ("sm_86") runs on GPUs of the same generation from that capability on; portable
    code ("compute_86") on all from there on; either with an "a" at its end on that one alone. An
    AMD GPU's names are of another kind, and it is taken at its word.

    Source: NVIDIA, CUDA C++ Programming Guide, "Compute Capabilities".
    """
    if not machine.cuda:
        return ""
    if not machine.kernels or any(_runs(name, machine.capability) for name in machine.kernels):
        return ""
    major, minor = machine.capability
    return (
        f"{machine.gpu or 'the GPU'} has compute capability {major}.{minor}, and this PyTorch has "
        f"no kernels for it, only {', '.join(machine.kernels)}; another build may have them"
    )


def _runs(name: str, capability: tuple[int, int]) -> bool:
    code = re.fullmatch(r"(sm|compute)_(\d+)(\d)([af]?)", name)
    if code is None:
        return True
    kind, major, minor, suffix = code.groups()
    since = int(major), int(minor)
    if suffix == "a":
        return since == capability
    return since <= capability and (kind == "compute" or since[0] == capability[0])


def choose_device(machine: Facts, wanted: str | None = None) -> DeviceName:
    """The device: the one that is wanted, else a GPU if there is one.

    A GPU that this PyTorch has no kernels for is not chosen, and a warning says so.

    Raises:
        DeviceError: if the wanted device is unknown, not on this machine, or of no use to this
            PyTorch.
    """
    useless = without_kernels(machine)
    there: dict[DeviceName, bool] = {
        "cuda": machine.cuda and not useless,
        "mps": machine.mps,
        "cpu": True,
    }
    have: list[DeviceName] = [name for name, present in there.items() if present]
    if wanted is None and useless:
        warnings.warn(f"computing on {have[0]}: {useless}", stacklevel=2)
    for name in have:
        if wanted is None or wanted == name:
            return name
    reason = f" ({useless})" if useless and wanted == "cuda" else ""
    raise DeviceError(f"device {wanted!r}: this machine has {have}; choose one of them{reason}")


def choose_precision(machine: Facts, device: str, wanted: str | None = None) -> Precision:
    """The precision of the matrix products; weights and their updates are float32 in any case.

    On a GPU bfloat16 from compute capability 8.0 on, and float16 below: such a GPU reports bfloat16
    as supported, but emulates it. On a processor bfloat16 if it has instructions for it. Else
    float32.

    Raises:
        DeviceError: if the wanted precision is unknown, or float16 is wanted on an Apple GPU, for
            which PyTorch has no gradient scaler.
    """
    if wanted is not None:
        if not _is_precision(wanted):
            raise DeviceError(f"precision {wanted!r}: choose one of {get_args(Precision)}")
        if wanted == "float16" and device == "mps":
            raise DeviceError(
                "precision 'float16' on mps: it needs a gradient scaler; choose 'float32' or "
                "'bfloat16'"
            )
        return wanted
    if device == "cuda":
        return "bfloat16" if machine.capability >= (8, 0) else "float16"
    if device == "cpu" and machine.cpu_bfloat16:
        return "bfloat16"
    return "float32"


def muon_dtype(machine: Facts, device: str) -> torch.dtype:
    """The type in which Muon's matrix products are fastest: bfloat16, or float32 where it is slow.

    The two round differently; what that does to a run is in `LOG.md`.

    Args:
        machine: its facts.
        device: of the matrices, "cpu", "cuda" or another.
    """
    fast = choose_precision(machine, device) == "bfloat16"
    return torch.bfloat16 if fast else torch.float32


def _is_precision(name: str) -> TypeGuard[Precision]:
    return name in get_args(Precision)


def autocast(device: str, precision: Precision) -> AbstractContextManager[object]:
    """The context in which PyTorch runs matrix products in a precision."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device, dtype=getattr(torch, precision))


def compiled_if_useful(
    model: torch.nn.Module,
    device: DeviceName,
    example: torch.Tensor,
    precision: Precision = "float32",
    compiler: Callable[..., Any] = torch.compile,
) -> tuple[torch.nn.Module, str]:
    """`torch.compile` where it pays, which is on CUDA; else, or if it fails, the model itself.

    Compiling happens in the first call, so one is made here: a missing compiler, or a GPU that is
    too old for it, shows now and not in the first step.

    Args:
        model: to be called in training.
        device: where it is.
        example: ids of the shape that training uses; another one would be compiled again.
        precision: that training uses, likewise.
        compiler: what compiles.

    Returns:
        The model to call, with the same parameters, and a sentence that says what was done.
    """
    if device != "cuda":
        return model, f"not compiled: on {device} it does not pay"
    try:
        compiled: torch.nn.Module = compiler(model)
        with autocast(device, precision):
            total = compiled(example).sum()
        total.backward()
    except (RuntimeError, ImportError, OSError) as error:
        model.zero_grad()
        return model, f"not compiled, which is slower: {str(error).splitlines()[0]}"
    model.zero_grad()
    return compiled, "compiled"
