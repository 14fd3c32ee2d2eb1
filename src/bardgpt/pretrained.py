"""The recorded models: trained weights that come with the package.

The full model's matrices are kept as 8-bit whole numbers with one scale for each row, a quarter of
float32's size; gains and biases stay float32. What that costs in loss is in the record. The rungs
of the ladder are small, and float32 all through.
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

RECORD, RUNGS = RECORDED / "sprint", RECORDED / "rungs"
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


def load_rung(name: str) -> tuple[GPT, CharTokenizer]:
    """A rung of the ladder after its last step, trained from seed 0, and its tokenizer.

    Args:
        name: of the rung, as in `bardgpt.lab.ladder.RUNGS`, such as "pre-norm".

    Returns:
        The model, in evaluation mode, and the tokenizer.

    Raises:
        ValueError: if there is no rung of that name; says which there are.
        FileNotFoundError: if this installation lacks the rungs.
        CheckpointError: if the weights are damaged.
    """
    there = sorted(folder.name for folder in RUNGS.glob("*"))
    if there and name not in there:
        raise ValueError(f"no rung {name!r}; there are {', '.join(there)}")
    return load_from(RUNGS / name)


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
