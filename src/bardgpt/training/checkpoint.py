"""Checkpoints: one safetensors file each, written whole, checked when read.

A file holds tensors and, in its header, plain values as JSON: no pickle, so reading one runs no
code. The header also has the SHA-256 of all that; a file that was cut or changed is recognized, not
trained on.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from bardgpt.files import write_whole

FORMAT = "bardgpt-1"
MODEL = "model."  # begins the names of a model's weights
REMEDY = "put a good copy in its place"


class CheckpointError(ValueError):
    """A file that is no checkpoint of ours, or a damaged one; says which, and what to do."""


def save(path: str | os.PathLike[str], tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
    """Write a checkpoint; what stood at the path stays until the new one is on the disk.

    Args:
        path: of the file.
        tensors: by name, on any device.
        values: anything that JSON can hold.

    Raises:
        OSError: if it cannot be written, say because the disk is full.
    """
    write_whole(path, content(tensors, values))


def content(tensors: dict[str, Tensor], values: dict[str, Any]) -> bytes:
    """What `save` writes."""
    kept = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    as_json = json.dumps(values)
    header = {"format": FORMAT, "values": as_json, "sha256": _digest(kept, as_json)}
    return safetensors.torch.save(kept, header)


def load(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What `save` wrote.

    Raises:
        CheckpointError: if the file is damaged or not ours.
        OSError: if there is none, or it cannot be read.
    """
    path = Path(path)
    if not path.exists():  # a dangling link too
        raise FileNotFoundError(f"no checkpoint at {path}")
    if not path.is_file():
        raise CheckpointError(f"{path} is a folder, pipe or device, and no checkpoint")
    try:
        path.open("rb").close()  # safetensors would say of a file without permission that it is not
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("format") != FORMAT:
                raise CheckpointError(
                    f"{path} is a safetensors file, but no checkpoint of this package "
                    f"(its format is {header.get('format')!r}, not {FORMAT!r})"
                )
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise CheckpointError(
            f"{path} is damaged or no safetensors file ({error}): {REMEDY}"
        ) from None
    values = header.get("values", "")
    if _digest(tensors, values) != header.get("sha256"):
        raise CheckpointError(
            f"{path} is damaged: its contents have changed since it was written; {REMEDY}"
        )
    try:
        read = json.loads(values)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise CheckpointError(f"{path} is whole, but its values are no JSON object: {REMEDY}")
    return tensors, read


def load_weights(model: nn.Module, tensors: dict[str, Tensor], source: object) -> None:
    """Give a model its weights from among a checkpoint's tensors, where they are called "model.…".

    Args:
        model: of the same shape.
        tensors: by name.
        source: where they come from, for the error.

    Raises:
        CheckpointError: if they are another model's or no finite numbers, or are not there.
    """
    weights = {k.removeprefix(MODEL): v for k, v in tensors.items() if k.startswith(MODEL)}
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        first = str(error).splitlines()[:2]  # of as many lines as the model has parameters
        raise CheckpointError(
            f"{source} holds another model's weights ({' '.join(map(str.strip, first))}): {REMEDY}"
        ) from None
    for name, there in model.state_dict().items():
        if weights[name].is_floating_point() != there.is_floating_point():
            raise CheckpointError(
                f"{source} holds {name} as {weights[name].dtype}, which {there.dtype} is not made "
                f"of: {REMEDY}"
            )
        if not there.isfinite().all():  # what is too large for the model is not finite in it
            raise CheckpointError(f"{source} holds weights that are no finite numbers: {REMEDY}")


def _digest(tensors: dict[str, Tensor], values: str) -> str:
    digest = hashlib.sha256(values.encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
