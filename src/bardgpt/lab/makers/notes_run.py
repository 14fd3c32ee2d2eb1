"""The notes' own run, preset `full`, as far as it came: `make notes-run`.

It holds::

    config.json     model, training, vocabulary and text
    metrics.jsonl   the run's log as it was written
    record.json     what was measured of its last weights, and where and with what the run was made

It takes a GPU to finish it soon. A run that was stopped is recorded as one: its log ends where it
was stopped, and nothing is said of the steps that were not made. No weights are kept.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch

from bardgpt import corpus, files
from bardgpt.evaluation import evaluate
from bardgpt.lab.ladder import PROMPT
from bardgpt.lab.makers.full_record import keep
from bardgpt.lab.makers.provenance import provenance
from bardgpt.progress import working
from bardgpt.sampling import sample
from bardgpt.text import Text
from bardgpt.training import devices, run

RUN_FOLDER = Path("runs/full")
RECORD = files.RECORDED / "full"
SAMPLE = 300  # characters of each sample


def make(folder: Path = RUN_FOLDER, record: Path = RECORD) -> dict[str, Any]:
    """Measure a run's last weights, finished or not, and write its record.

    Args:
        folder: of the run; its best weights are looked at too.
        record: where the record goes.

    Returns:
        What `record.json` says.

    Raises:
        RunError: if there is no run, or it has written no weights yet.
    """
    machine = devices.facts()
    with working("judging the run's weights"):
        last, tokenizer = run.load_run(folder, "last")
        best, _ = run.load_run(folder, "best")
        log = (folder / run.METRICS).read_text("utf-8").splitlines()
        _, train_ids, validation_ids = Text.of(corpus.load(), tokenizer)
        precision = devices.choose_precision(machine, "cpu")
        # A long text, and the fourth digit is not asked for.
        with devices.autocast("cpu", precision):
            train_loss = evaluate(last, train_ids, progress=True)
        results = {
            "validation": evaluate(last, validation_ids, progress=True),
            "train": train_loss,
            "samples": {
                name: sample(model, tokenizer, prompt=PROMPT, length=SAMPLE, seed=0)
                for name, model in (("last", last), ("best", best))
            },
            "precision": devices.choose_precision(machine, devices.choose_device(machine)),
            "made": provenance(json.loads(log[-1])["seconds"], torch.get_num_threads()),
        }
    keep(folder, record, results)
    return results


if __name__ == "__main__":
    measured = make(*map(Path, sys.argv[1:2]))
    print(f"validation loss {measured['validation']:.4f} nats per character")
