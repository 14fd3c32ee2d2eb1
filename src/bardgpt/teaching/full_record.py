"""From a finished run to the record that comes with the package: `make record`.

config.json          model, training, vocabulary and text
metrics.jsonl        the run's log as it was written
weights.safetensors  the *last* weights, 8 bits each (`bardgpt.pretrained`)
record.json          what was measured of them, and where and with what the run was made
"""

import json
import math
import statistics
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bardgpt import corpus, pretrained
from bardgpt.batches import split
from bardgpt.config import PRESETS
from bardgpt.evaluation import evaluate, losses
from bardgpt.files import write_whole
from bardgpt.gpt import GPT
from bardgpt.sampling import generate
from bardgpt.teaching import plays, records, scaling
from bardgpt.teaching.count_tables import CountTable
from bardgpt.teaching.experiments import PROMPT, SAMPLE_LENGTH, provenance
from bardgpt.teaching.ladder import RUNGS
from bardgpt.teaching.text_statistics import Reference, text_statistics
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training import checkpoint, devices, run

FOLDER = Path("runs/sprint")
MOST_LOST = 0.005  # nats that 8 bits may cost
SEEDS = (0, 1, 2, 3, 4)
PIECE = 500  # characters that all records keep of a sample: so long is what is compared
REAL = 50  # of real text, spread over the validation split
JUDGED = 8_192  # characters on which lengths of context are compared
LETTERS = 8  # of a name
COUNTED = 4  # characters before: the best table
# Of The Tempest, whose people do not speak in the training text.
PASSAGE, PASSAGE_END = "CALIBAN:\nYou taught me language", "So, slave; hence!\n"
SHORT_SEEDS = (1337, 1, 2, 3)


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
    of_each = losses(packed, validation_ids)  # (N - 1,)
    parts = text[: len(train_ids)], text[len(train_ids) :]
    precision = devices.choose_precision(machine, "cpu")
    with devices.autocast("cpu", precision):  # a long text, and the fourth digit is not asked for
        train_loss = evaluate(packed, train_ids)
    found: dict[str, Any] = {
        "validation": evaluate(model, validation_ids),
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


def by_position(of_each: Tensor, block_size: int) -> list[float]:
    """Mean loss at each position of a window, in nats: what context is worth. T numbers.

    of_each: (N - 1,) the losses of a split, in its order; the ragged last window is left out.
    """
    whole = of_each[: len(of_each) // block_size * block_size].view(-1, block_size)  # (windows, T)
    return [round(x, 5) for x in whole.double().mean(dim=0).tolist()]


def by_context(model: GPT, ids: Tensor) -> dict[str, Any]:
    """What further context is worth: the same characters, predicted from more and more of it.

    Args:
        model: in evaluation mode.
        ids: (N,) of which the first `JUDGED` that have half a window before them are judged.

    Returns:
        For each least number of characters of context, the mean loss, how much lower it is than
        with the context before, and the standard error of that gain, over the same characters.
    """
    most = model.config.block_size // 2
    part = ids[: most + 1 + JUDGED]
    n = len(part) - most - 1
    found: dict[str, Any] = {"characters": n}
    before = None
    for least in (c for c in (most // 16, most // 8, most // 4, most // 2, most) if c):
        of_each = with_context(model, part, n, least).double()  # (n,)
        found[str(least)] = {"loss": round(of_each.mean().item(), 5)}
        if before is not None:
            gain = before - of_each
            found[str(least)]["gain"] = round(gain.mean().item(), 5)
            found[str(least)]["standard error"] = round(gain.std().item() / n**0.5, 5)
        before = of_each
    return found


def names(of_each: Tensor, train: str, validation: str, block_size: int) -> dict[str, Any]:
    """The loss inside speakers' names, each with its colon, against that of all other text.

    Args:
        of_each: (N - 1,) the losses of the validation text from its second character on.
        train: the training text: who speaks there is known.
        validation: the validation text.
        block_size: of the windows in which the losses were measured.

    Returns:
        Characters and mean loss of the rest; of names of known and of new speakers; and of both
        the names that stand in the same window before, apart. By letter of the name: the mean loss
        at each of its first places.
    """
    known = set(plays.speakers(train))
    groups: dict[str, list[float]] = {"rest": []}
    letters: dict[str, list[list[float]]] = {}
    value = of_each.tolist()
    inside: set[int] = set()
    for start, end in plays.speaker_spans(validation):
        places = [i for i in range(start, end) if i > 0]  # the first character has no loss
        name = validation[start : end - 1]
        kind = "known" if name in known else "new"
        window = validation[(start - 1) // block_size * block_size : start]
        again = "again" if f"\n{name}:" in window else "first"
        inside.update(places)
        for key in (kind, f"{kind}, {again}"):
            groups.setdefault(key, []).extend(value[i - 1] for i in places)
        by_letter = letters.setdefault(f"{kind}, {again}", [[] for _ in range(LETTERS)])
        for i in places:
            if i - start < LETTERS:
                by_letter[i - start].append(value[i - 1])
    groups["rest"] = [x for i, x in enumerate(value, start=1) if i not in inside]
    spoken_there = set(plays.speakers(validation))
    return {
        "speakers": {"all": len(spoken_there), "new": len(spoken_there - known)},
        "groups": {
            name: {"characters": len(of), "loss": round(statistics.fmean(of), 5)}
            for name, of in groups.items()
        },
        "by letter": {
            name: [round(statistics.fmean(of), 4) if of else None for of in places]
            for name, places in letters.items()
        },
    }


def passage(model: GPT, tokenizer: CharTokenizer, text: str) -> dict[str, Any]:
    """A passage of the validation text, and the loss of each of its characters."""
    start = text.index(PASSAGE)
    end = text.index(PASSAGE_END, start) + len(PASSAGE_END)
    of_each = with_context(model, tokenizer.encode(text[:end]), end - start)
    return {"text": text[start:end], "losses": [round(x, 3) for x in of_each.tolist()]}


@torch.no_grad()
def with_context(model: GPT, ids: Tensor, length: int, least: int | None = None) -> Tensor:
    """-ln p of a text's last characters, each predicted from `least` to `2 * least` characters.

    Args:
        model: used in the mode that it is in.
        ids: (N,) with more than `least` characters before the last `length`.
        length: characters to judge.
        least: characters of context; half a window if not given, which is the most.

    Returns:
        (length,) nats.
    """
    half = model.config.block_size // 2 if least is None else least
    found: list[Tensor] = []
    for start in range(len(ids) - length, len(ids), half):
        end = min(start + half, len(ids))
        logits = model(ids[None, start - half - 1 : end - 1])  # (1, half + end - start, V)
        judged = logits[0, half:]  # (end - start, V)
        found.append(F.cross_entropy(judged, ids[start:end], reduction="none"))
    return torch.cat(found)


def samples(model: GPT, tokenizer: CharTokenizer, train: str, validation: str) -> dict[str, Any]:
    """Texts from a model and what they are like, beside real text and the ladder's samples."""
    reference, known = Reference.of(train), set(plays.speakers(train))
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
    real = cut(validation)
    real = real[:: math.ceil(len(real) / REAL)]
    shown = {"real text": real, "full": [p for text in texts for p in cut(text)]}
    shown["counts"] = from_counts(tokenizer, train)
    shown |= {rung: [run["text"] for run in records.read(rung)["runs"]] for rung in RUNGS}
    long = {"real text": cut(validation, SAMPLE_LENGTH), "full": texts}
    copies = [plays.longest_copy(text, train) for text in texts]
    return {
        "prompt": PROMPT,
        "samples": [text_statistics(text, reference) for text in texts],
        "pieces": [text_statistics(piece, reference) for piece in shown["full"]],
        "real text": text_statistics(validation, reference),
        "form": {
            name: [plays.form(piece, reference, train) for piece in pieces]
            for name, pieces in shown.items()
        },
        "habits": {
            name: [plays.habits(piece, known) for piece in pieces] for name, pieces in long.items()
        },
        "longest copy": max(copies, key=len),
        "text": texts[0][:1_000],
    }


def from_counts(tokenizer: CharTokenizer, train: str) -> list[str]:
    """As long samples of the best of the count tables, which sees `COUNTED` characters."""
    table = CountTable(tokenizer.encode(train), COUNTED, tokenizer.vocab_size)
    start = tokenizer.encode("\n")
    return [
        tokenizer.decode(table.generate(start, PIECE, torch.Generator().manual_seed(seed)))
        for seed in SEEDS
    ]


def cut(text: str, length: int | None = None) -> list[str]:
    """A text in neighbouring pieces of one length, `PIECE` if not given; the rest is left out."""
    length = PIECE if length is None else length
    return [text[i : i + length] for i in range(0, len(text) - length + 1, length)]


def short_runs(machine: devices.Facts) -> list[float]:
    """What chapter 9's short run on a processor gives, a loss for each seed."""
    on_cpu = scaling.plan(devices.Facts(cpu_bfloat16=machine.cpu_bfloat16))
    found = []
    for seed in SHORT_SEEDS:
        training = replace(on_cpu.preset.training, seed=seed)
        seeded = replace(on_cpu, preset=replace(on_cpu.preset, training=training))
        found.append(scaling.short_run(seeded).validation[1])
    return found


if __name__ == "__main__":
    done = make(*map(Path, sys.argv[1:2]))
    print(f"validation loss {done['validation of the packed weights']:.4f} nats per character")
