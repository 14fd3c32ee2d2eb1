"""From a finished run to the record that comes with the package: `make record`.

config.json          model, training, vocabulary and text
metrics.jsonl        the run's log as it was written
weights.safetensors  the *last* weights, 8 bits each (`bardgpt.pretrained`)
record.json          what was measured of them, and where and with what the run was made
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from bardgpt import corpus, pretrained
from bardgpt.batches import split
from bardgpt.config import PRESETS
from bardgpt.evaluation import evaluate, losses
from bardgpt.files import write_whole
from bardgpt.gpt import GPT
from bardgpt.sampling import generate
from bardgpt.teaching.experiments import SAMPLE_LENGTH, provenance
from bardgpt.teaching.text_statistics import Reference, text_statistics
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training import checkpoint, devices, run

FOLDER = Path("runs/sprint")
MOST_LOST = 0.005  # nats that 8 bits may cost
PROMPT = "ROMEO:"
SEEDS = (0, 1, 2, 3, 4)


def make(folder: Path = FOLDER, record: Path | None = None) -> dict[str, Any]:
    """Train the sprint, or go on where it stopped, and write its record.

    Args:
        folder: of the run.
        record: where the record goes; into the package if not given.

    Returns:
        What `record.json` says.

    Raises:
        RuntimeError: if 8 bits a weight cost more than `MOST_LOST`.
    """
    record = Path(str(pretrained.RECORD)) if record is None else record
    machine = devices.facts()
    finished = run.run(folder, PRESETS["sprint"], machine=machine)
    text = corpus.load()
    train_ids, validation_ids = split(finished.tokenizer.encode(text))
    model = finished.model.cpu().eval()
    kept = pretrained.quantize(model.state_dict())
    packed = GPT(model.config).eval()
    packed.load_state_dict(pretrained.dequantize(kept))
    found: dict[str, Any] = {
        "validation": evaluate(model, validation_ids),
        "validation of the packed weights": evaluate(packed, validation_ids),
        "train": evaluate(packed, train_ids),
        "by position": by_position(packed, validation_ids),
        **samples(packed, finished.tokenizer, train_ids, validation_ids),
        "precision": devices.choose_precision(machine, devices.choose_device(machine)),
        "made": provenance(finished.metrics[-1]["seconds"], torch.get_num_threads()),
    }
    lost = found["validation of the packed weights"] - found["validation"]
    if abs(lost) > MOST_LOST:
        raise RuntimeError(
            f"8 bits a weight change the loss by {lost:.4f} nats, more than {MOST_LOST}: keep "
            "bfloat16 instead"
        )
    checkpoint.save(record / pretrained.WEIGHTS, kept, {"of": "the last step"})
    for name in (run.CONFIG, run.METRICS):
        write_whole(record / name, (folder / name).read_bytes())
    write_whole(record / "record.json", (json.dumps(found, indent=1) + "\n").encode())
    return found


def by_position(model: GPT, ids: torch.Tensor) -> list[float]:
    """Mean loss at each position of a window, in nats: what context is worth. T numbers."""
    T = model.config.block_size
    of_each = losses(model, ids)  # (N - 1,)
    whole = of_each[: len(of_each) // T * T].view(-1, T)  # (windows, T)
    return [round(x, 5) for x in whole.double().mean(dim=0).tolist()]


def samples(
    model: GPT, tokenizer: CharTokenizer, train_ids: torch.Tensor, validation_ids: torch.Tensor
) -> dict[str, Any]:
    """Texts from a model, their statistics, and those of real text that it has not seen."""
    reference = Reference.of(tokenizer.decode(train_ids))
    texts = [
        tokenizer.decode(
            generate(
                model,
                tokenizer.encode(PROMPT),
                SAMPLE_LENGTH,
                generator=torch.Generator().manual_seed(seed),
            )
        )
        for seed in SEEDS
    ]
    return {
        "prompt": PROMPT,
        "samples": [text_statistics(text, reference) for text in texts],
        "real text": text_statistics(tokenizer.decode(validation_ids), reference),
        "text": texts[0][:1_000],
    }


if __name__ == "__main__":
    done = make(*map(Path, sys.argv[1:2]))
    print(f"validation loss {done['validation of the packed weights']:.4f} nats per character")
