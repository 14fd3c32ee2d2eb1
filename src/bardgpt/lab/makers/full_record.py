"""From a finished run to the record that comes with the package: `make record`.

It holds::

    config.json          model, training, vocabulary and text
    metrics.jsonl        the run's log as it was written
    weights.safetensors  the *last* weights, 8 bits each (`bardgpt.pretrained`)
    record.json          what was measured of them, and where and with what the run was made
"""

import json
import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from bardgpt import corpus, pretrained, records
from bardgpt.evaluation import evaluate, losses
from bardgpt.files import write_whole
from bardgpt.gpt import GPT
from bardgpt.lab import likeness
from bardgpt.lab.count_tables import BEST_CONTEXT, CountTable
from bardgpt.lab.ladder import PIECE, PROMPT, RUNGS, SAMPLE_LENGTH, SEEDS
from bardgpt.lab.likeness import Reference, text_statistics
from bardgpt.lab.makers.provenance import provenance
from bardgpt.lab.plan import plan, short_run
from bardgpt.lab.probes.context import by_context, by_position, names, passage
from bardgpt.presets import PRESETS
from bardgpt.progress import working
from bardgpt.sampling import sample
from bardgpt.text import Text
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training import checkpoint, devices, run

RUN_FOLDER = Path("runs/sprint")
MOST_LOST = 0.005  # nats that 8 bits may cost
REAL = 50  # of real text, spread over the validation split
SHORT_SEEDS = (1337, 1, 2, 3)


def make(folder: Path = RUN_FOLDER, record: Path | None = None) -> dict[str, Any]:
    """Train the sprint, or go on where it stopped, and write its record.

    Args:
        folder: of the run.
        record: where the record goes; into the package if not given.

    Returns:
        What `record.json` says.

    Raises:
        RuntimeError: if 8 bits a weight cost more than `MOST_LOST`.
    """
    record = pretrained.RECORD if record is None else record
    machine = devices.facts()
    finished = run.train_in_folder(folder, PRESETS["sprint"], machine=machine)
    with working("packing the weights and judging them"):
        text = corpus.load()
        _, train_ids, validation_ids = Text.of(text, finished.tokenizer)
        model = finished.model.cpu().eval()
        kept = pretrained.quantize(model.state_dict())
        packed = GPT(model.config).eval()
        packed.load_state_dict(pretrained.dequantize(kept))
        of_each = losses(packed, validation_ids, progress=True)  # (N - 1,)
        parts = text[: len(train_ids)], text[len(train_ids) :]
        precision = devices.choose_precision(machine, "cpu")
        # A long text, and the fourth digit is not asked for.
        with devices.autocast("cpu", precision):
            train_loss = evaluate(packed, train_ids, progress=True)
        results: dict[str, Any] = {
            "validation": evaluate(model, validation_ids, progress=True),
            "validation of the packed weights": of_each.double().mean().item(),
            "train": train_loss,
            "by position": by_position(of_each, model.config.block_size),
            "by context": by_context(packed, validation_ids),
            "names": names(of_each, *parts, model.config.block_size),
            "passage": passage(packed, finished.tokenizer, text),
            **samples(packed, finished.tokenizer, *parts),
            "short run": short_runs(machine),
            "precision": devices.choose_precision(machine, devices.choose_device(machine)),
            "made": provenance(finished.metrics[-1]["seconds"], torch.get_num_threads()),
        }
    lost = results["validation of the packed weights"] - results["validation"]
    if abs(lost) > MOST_LOST:
        raise RuntimeError(
            f"8 bits a weight change the loss by {lost:.4f} nats, more than {MOST_LOST}: keep "
            "bfloat16 instead"
        )
    checkpoint.save(record / pretrained.WEIGHTS, kept, {"of": "the last step"})
    keep(folder, record, results)
    return results


def keep(folder: Path, record: Path, results: dict[str, Any]) -> None:
    """Copy what a run says of itself to its record, then write what was measured of it."""
    for name in (run.CONFIG, run.METRICS):
        write_whole(record / name, (folder / name).read_bytes())
    write_whole(record / "record.json", (json.dumps(results, indent=1) + "\n").encode())


def samples(model: GPT, tokenizer: CharTokenizer, train: str, validation: str) -> dict[str, Any]:
    """Texts from a model and what they are like, beside real text and the ladder's samples."""
    reference, known = Reference.of(train), set(likeness.speakers(train))
    texts = [
        sample(model, tokenizer, prompt=PROMPT, length=SAMPLE_LENGTH, seed=seed) for seed in SEEDS
    ]
    real = cut(validation)
    real = real[:: math.ceil(len(real) / REAL)]
    shown = {"real text": real, "full": [p for text in texts for p in cut(text)]}
    shown["counts"] = from_counts(tokenizer, train)
    shown |= {rung: [run["text"] for run in records.read(rung)["runs"]] for rung in RUNGS}
    long = {"real text": cut(validation, SAMPLE_LENGTH), "full": texts}
    copies = [likeness.longest_copy(text, train) for text in texts]
    return {
        "prompt": PROMPT,
        "samples": [text_statistics(text, reference) for text in texts],
        "pieces": [text_statistics(piece, reference) for piece in shown["full"]],
        "real text": text_statistics(validation, reference),
        "form": {
            name: [likeness.form(piece, reference, train) for piece in pieces]
            for name, pieces in shown.items()
        },
        "habits": {
            name: [likeness.habits(piece, known) for piece in pieces]
            for name, pieces in long.items()
        },
        "longest copy": max(copies, key=len),
        "text": texts[0][:1_000],
    }


def from_counts(tokenizer: CharTokenizer, train: str) -> list[str]:
    """As long samples of the best of the count tables."""
    table = CountTable(tokenizer.encode(train), BEST_CONTEXT, tokenizer.vocab_size)
    return [table.sample(tokenizer, length=PIECE, seed=seed) for seed in SEEDS]


def cut(text: str, length: int | None = None) -> list[str]:
    """A text in neighbouring pieces of one length, `PIECE` if not given; the rest is left out."""
    length = PIECE if length is None else length
    return [text[i : i + length] for i in range(0, len(text) - length + 1, length)]


def short_runs(machine: devices.Facts) -> list[float]:
    """What chapter 9's short run on a processor gives, a loss for each seed."""
    on_cpu = plan(devices.Facts(cpu_bfloat16=machine.cpu_bfloat16))
    losses_after = []
    for seed in SHORT_SEEDS:
        training = replace(on_cpu.preset.training, seed=seed)
        seeded = replace(on_cpu, preset=replace(on_cpu.preset, training=training))
        losses_after.append(short_run(seeded).validation[1])
    return losses_after


if __name__ == "__main__":
    measured = make(*map(Path, sys.argv[1:2]))
    print(f"validation loss {measured['validation of the packed weights']:.4f} nats per character")
