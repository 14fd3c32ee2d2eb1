"""The recorded model: trained weights that come with the package.

A matrix is kept as 8-bit whole numbers with one scale for each row, a quarter of float32's size;
gains and biases stay float32. What that costs in loss is in the record.
"""

import json
from pathlib import Path

import torch
from torch import Tensor

from bardgpt.config import GPTConfig
from bardgpt.files import RECORDED
from bardgpt.gpt import GPT
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training import checkpoint

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


def load() -> tuple[GPT, CharTokenizer]:
    """The recorded model, in evaluation mode, and its tokenizer.

    Raises:
        FileNotFoundError: if this installation lacks the record.
        CheckpointError: if the weights are damaged, or another model's.
    """
    return load_from(RECORD)


def load_from(folder: Path) -> tuple[GPT, CharTokenizer]:
    """The model of a record in a folder.

    Raises:
        FileNotFoundError: if it is not there.
        CheckpointError: if the weights are damaged, or another model's.
    """
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
