"""The recorded model: trained weights that come with the package.

A matrix is kept as 8-bit whole numbers with one scale for each row, a quarter of float32's size;
gains and biases stay float32. What that costs in loss is in the record.
"""

import json
import os
from pathlib import Path

import torch
from torch import Tensor

from bardgpt.config import GPTConfig
from bardgpt.files import RECORDED
from bardgpt.gpt import GPT
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training import checkpoint
from bardgpt.training.run import load_run

RECORD = RECORDED / "sprint"
WEIGHTS, CONFIG = "weights.safetensors", "config.json"
LEVELS = 127  # an 8-bit number reaches from -127 to 127


def quantize(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Matrices as 8-bit numbers with a float32 scale for each row; everything else as it is.

    A row's largest number becomes 127 or -127. Rows are scaled apart, since one large row would
    cost all the others their digits.

    Args:
        weights: by name, float32.

    Returns:
        For each matrix "name" (n, m) int8 and "name.scale" (n, 1) float32.
    """
    kept: dict[str, Tensor] = {}
    for name, value in weights.items():
        if value.ndim != 2:
            kept[name] = value
            continue
        scale = value.abs().amax(dim=1, keepdim=True).clamp_min(1e-12) / LEVELS  # (n, 1)
        kept[name] = (value / scale).round().to(torch.int8)
        kept[f"{name}.scale"] = scale
    return kept


def dequantize(kept: dict[str, Tensor]) -> dict[str, Tensor]:
    """Float32 weights from what `quantize` made of them, each off by half a level at most."""
    return {
        name: value.float() * kept[f"{name}.scale"] if value.dtype == torch.int8 else value
        for name, value in kept.items()
        if not name.endswith(".scale")
    }


def load(folder: str | os.PathLike[str] | None = None) -> tuple[GPT, CharTokenizer]:
    """A trained model, in evaluation mode, and its tokenizer.

    Args:
        folder: of a run, which gives its best weights, or of a record; the recorded model that
            comes with the package if none is given.

    Raises:
        RunError: if the folder holds no model.
        FileNotFoundError: if this installation lacks the record.
        CheckpointError: if the weights are damaged, or another model's.
    """
    if folder is None:
        return load_from(RECORD)
    folder = Path(folder)
    return load_from(folder) if (folder / WEIGHTS).is_file() else load_run(folder)


def load_from(folder: str | os.PathLike[str]) -> tuple[GPT, CharTokenizer]:
    """The model of a record in a folder.

    Raises:
        FileNotFoundError: if it is not there.
        CheckpointError: if the weights are damaged, or another model's.
    """
    folder = Path(folder)
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"no recorded model: there is no {folder / name}; install the package again, or "
                "train a model and name its folder"
            )
    about = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    kept, _ = checkpoint.load(folder / WEIGHTS)
    model = GPT(GPTConfig.from_json(json.dumps(about["model"])))
    weights = {checkpoint.MODEL + name: value for name, value in dequantize(kept).items()}
    checkpoint.load_weights(model, weights, folder / WEIGHTS)
    return model.eval(), CharTokenizer(about["vocabulary"])
