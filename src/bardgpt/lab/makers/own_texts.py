"""What to expect of a text of one's own: presets and count tables on texts of four sizes.

`python -m bardgpt.lab.makers.own_texts [RUNS]` trains each preset on each text, in folders of RUNS
("runs/own-texts" if not given), so that a killed command goes on where it stopped, and writes
`recorded/own-texts.json`, which `bardgpt.records.own_texts` reads.

The three smaller texts are the beginning of Tiny Shakespeare. Ten million characters of another
kind are in everybody's hands who has Python: its own standard library.
"""

import json
import sys
import sysconfig
import time
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from bardgpt import corpus, files
from bardgpt.files import write_whole
from bardgpt.lab.count_tables import CountTable
from bardgpt.lab.likeness import longest_copy
from bardgpt.lab.makers.provenance import provenance
from bardgpt.presets import PRESETS, Preset
from bardgpt.sampling import sample
from bardgpt.text import Text
from bardgpt.training.folder import METRICS
from bardgpt.training.run import load_run, train_in_folder

SIZES = (10_000, 100_000, 1_000_000)  # characters from the beginning of Tiny Shakespeare
LIBRARY = 10_000_000  # characters of Python's standard library
TRAINED = ("tiny", "small")
LONGEST_CONTEXT = 7  # characters of the count tables
SAMPLE = 1_000  # characters that each model writes


def texts() -> dict[str, str]:
    """The texts by name, smallest first."""
    shakespeare = corpus.load()
    of_shakespeare = {f"Shakespeare, {size:,}": shakespeare[:size] for size in SIZES}
    return of_shakespeare | {f"Python's library, {LIBRARY:,}": library()[:LIBRARY]}


def library() -> str:
    """The sources of Python's standard library that are plain ASCII, one after the other."""
    root = Path(sysconfig.get_path("stdlib"))
    sources = (p for p in sorted(root.rglob("*.py")) if "site-packages" not in p.parts)
    return "".join(content.decode() for p in sources if (content := p.read_bytes()).isascii())


def tables(characters: str) -> list[float]:
    """The validation losses of count tables with 0, 1, … characters of context, in nats."""
    tokenizer, train, validation = Text.of(characters)
    table = CountTable(train, LONGEST_CONTEXT, tokenizer.vocab_size)
    return table.losses_by_context(validation).mean(dim=1).tolist()


def fitted(name: str, characters: str) -> Preset:
    """A preset whose vocabulary is a text's, as `bardgpt train --text` makes it."""
    preset, vocab_size = PRESETS[name], Text.of(characters).tokenizer.vocab_size
    return Preset(replace(preset.model, vocab_size=vocab_size), preset.training)


def trained(name: str, characters: str, folder: Path) -> dict[str, Any]:
    """What a preset makes of a text: its log, and what its best and last weights write."""
    train_in_folder(folder, fitted(name, characters), text=characters)
    lines = map(json.loads, (folder / METRICS).read_text(encoding="utf-8").splitlines())
    log = [line for line in lines if "validation" in line]
    written = {}
    source = characters[: int(0.9 * len(characters))]
    for weights in ("best", "last"):
        model, tokenizer = load_run(folder, weights)
        text = sample(model, tokenizer, prompt=characters[0], length=SAMPLE, seed=0)
        written[weights] = {"text": text, "longest copy": len(longest_copy(text, source))}
    return {"log": log, "written": written}


def make(runs: Path) -> dict[str, Any]:
    """The whole record."""
    started, rows = time.perf_counter(), {}
    for title, characters in texts().items():
        rows[title] = {
            "characters": len(characters),
            "vocabulary": len(set(characters)),
            "sha256": sha256(characters.encode()).hexdigest(),
            "tables": tables(characters),
            "presets": {
                name: trained(name, characters, runs / f"{len(characters)}-{name}")
                for name in TRAINED
            },
        }
    return {
        "presets": {name: asdict(PRESETS[name]) for name in TRAINED},
        "texts": rows,
        "made": provenance(time.perf_counter() - started, torch.get_num_threads()),
    }


def main() -> None:
    """Make the record and write it."""
    record = make(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/own-texts"))
    write_whole(files.RECORDED / "own-texts.json", (json.dumps(record, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
