"""Every recorded run, in full: `make experiments` writes `bardgpt/recorded/*.json` with this.

Runs go to as many processes as there are cores, one thread each, and use the very `train` that the
book shows. A finished run is kept aside at once, so an interrupted command goes on where it
stopped; a record is written whole when its last run is in.
"""

import argparse
import dataclasses
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

import bardgpt
from bardgpt import corpus
from bardgpt.batches import evaluation_windows
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.files import write_whole
from bardgpt.gpt import GPT
from bardgpt.sampling import generate
from bardgpt.teaching.count_tables import CountTable
from bardgpt.teaching.ladder import RUNGS, VOCAB_SIZE, shakespeare
from bardgpt.teaching.probes import character_classes, head_spreads
from bardgpt.teaching.records import Band
from bardgpt.teaching.text_statistics import Reference, text_statistics
from bardgpt.training.loop import train

PACKAGE = Path(bardgpt.__file__).parent
RECORDED = PACKAGE / "recorded"
SEEDS = (0, 1, 2, 3, 4)
RUN = TrainingConfig()  # of every rung
SAMPLE_LENGTH = 5_000  # characters; long enough that the share of known words settles to 1 or 2 %
LIVE_STEPS = 1_000  # how far a chapter trains while you read


@dataclass(frozen=True)
class Training:
    """A model, trained from several seeds."""

    model: GPTConfig
    training: TrainingConfig = RUN
    seeds: tuple[int, ...] = SEEDS

    def parts(self) -> list[int]:
        """What can be computed apart: one run for each seed."""
        return list(self.seeds)

    def run(self, seed: int) -> dict[str, Any]:
        """Train from one seed, and sample where a chapter stops and at the end.

        At a constant rate the chapter's short run is the beginning of the full one, but sampling
        in the middle of a run would take from its random state; so the two are trained apart.
        """
        text = shakespeare()
        reference = Reference.of(text.tokenizer.decode(text.train))
        windows, _ = next(evaluation_windows(text.validation, self.model.block_size, 2_000))
        classes = character_classes(text.tokenizer.vocabulary)
        samples, heads = {}, {}
        for steps in sorted({min(LIVE_STEPS, self.training.steps), self.training.steps}):
            config = dataclasses.replace(self.training, steps=steps, seed=seed)
            model = seeded_model(self.model, seed)
            history = train(model, text.train, text.validation, config, progress=False)
            sample = generate(
                model,
                text.tokenizer.encode("\n"),
                SAMPLE_LENGTH,
                generator=torch.Generator().manual_seed(seed),
            )
            if self.model.n_layer > 0 and self.model.n_head > 1 and not self.model.fused:
                untrained = seeded_model(self.model, seed)
                heads["0"] = head_spreads(untrained, windows, classes)
                heads[str(steps)] = head_spreads(model, windows, classes)
            samples[str(steps)] = text_statistics(text.tokenizer.decode(sample), reference)
        return {
            "seed": seed,
            "history": history.to_dict(),
            "train": evaluate(model, text.train),
            "samples": samples,
            "heads": heads,
            "text": text.tokenizer.decode(sample)[:500],
        }

    def definition(self) -> dict[str, Any]:
        """What makes it this experiment: the part of its record that is known beforehand."""
        training = dataclasses.asdict(self.training)
        del training["seed"]  # each run has its own
        seeds = list(self.seeds)
        return {"model": dataclasses.asdict(self.model), "training": training, "seeds": seeds}

    def results(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """The rest of the record."""
        return {"runs": runs}

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """What a repetition must find again, each over the seeds."""
        histories = [run["history"] for run in record["runs"]]
        return {
            "validation loss": [history["validation"][-1] for history in histories],
            "training loss": [run["train"] for run in record["runs"]],
        }


@dataclass(frozen=True)
class CountTables:
    """The yardstick: tables with 0 to 5 characters of context; only their samples have seeds."""

    longest: int = 5
    seeds: tuple[int, ...] = tuple(range(20))  # a sample costs no training

    def parts(self) -> list[int]:
        """One for each length of context."""
        return list(range(self.longest + 1))

    def run(self, context: int) -> dict[str, Any]:
        """Count, evaluate on both splits, sample."""
        text = shakespeare()
        reference = Reference.of(text.tokenizer.decode(text.train))
        table = CountTable(text.train, context, VOCAB_SIZE)
        samples = [
            text.tokenizer.decode(
                table.generate(
                    text.tokenizer.encode("\n"),
                    SAMPLE_LENGTH,
                    torch.Generator().manual_seed(seed),
                )
            )
            for seed in self.seeds
        ]
        return {
            "context": context,
            "train": table.losses(text.train).mean().item(),
            "validation": table.losses(text.validation).mean().item(),
            "samples": [text_statistics(sample, reference) for sample in samples],
            "text": samples[0][:500],
        }

    def definition(self) -> dict[str, Any]:
        """What makes it this experiment: the part of its record that is known beforehand."""
        return {"longest context": self.longest, "seeds": list(self.seeds)}

    def results(self, tables: list[dict[str, Any]]) -> dict[str, Any]:
        """The rest of the record; with it, what real text scores in the samples' statistics."""
        text = shakespeare()
        reference = Reference.of(text.tokenizer.decode(text.train))
        real = text_statistics(text.tokenizer.decode(text.validation), reference)
        return {"tables": tables, "real text": real}

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """What a repetition must find again: closed form, so without a spread."""
        return {
            f"{table['context']} characters, {part}": [table[part]]
            for table in record["tables"]
            for part in ("train", "validation")
        }


BIGRAM, ONE_HEAD = RUNGS["bigram"], RUNGS["one-head"]
LONG = TrainingConfig(steps=20_000, evaluate_every=1_000)
EXPERIMENTS: dict[str, Training | CountTables] = {
    "count-tables": CountTables(),
    "bigram": Training(BIGRAM),
    # Why the rung stays above its closed form (chapter 1): one cause taken away after the other.
    "bigram-long": Training(BIGRAM, LONG),
    "bigram-long-falling": Training(BIGRAM, dataclasses.replace(LONG, schedule="linear")),
    "bigram-long-undecayed": Training(BIGRAM, dataclasses.replace(LONG, weight_decay=0.0)),
    "one-head": Training(ONE_HEAD),
    "one-head-no-positions": Training(dataclasses.replace(ONE_HEAD, positions=False)),
    "four-heads": Training(RUNGS["four-heads"]),
}


def seeded_model(config: GPTConfig, seed: int) -> GPT:
    """A model whose initial weights depend on nothing but the seed."""
    torch.manual_seed(seed)
    return GPT(config)


def run(names: list[str], keep: Path, workers: int) -> dict[str, dict[str, Any]]:
    """Run experiments; finished parts are kept in a folder and not run again.

    Args:
        names: of `EXPERIMENTS`.
        keep: the folder for finished parts; one that belongs to other source text is not used.
        workers: processes.

    Returns:
        A record for each name.
    """
    jobs = [(name, part) for name in names for part in EXPERIMENTS[name].parts()]
    files = {(name, part): keep / source_hash() / f"{name}-{part}.json" for name, part in jobs}
    to_do = [job for job in jobs if not files[job].is_file()]
    shakespeare()  # one process fetches the text, if it must be fetched
    with (
        ProcessPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool,
        tqdm(total=len(jobs), initial=len(jobs) - len(to_do), desc="runs") as bar,
    ):
        futures = {pool.submit(_timed_run, *job): job for job in to_do}
        for future in as_completed(futures):
            write_whole(files[futures[future]], json.dumps(future.result()).encode())
            bar.update()
    records = {}
    for name in names:
        parts = [
            json.loads(files[name, part].read_text("utf-8")) for part in EXPERIMENTS[name].parts()
        ]
        seconds = sum(part.pop("seconds") for part in parts)
        records[name] = {
            "experiment": EXPERIMENTS[name].definition(),
            "made": provenance(seconds),
            **EXPERIMENTS[name].results(parts),
        }
    return records


def _timed_run(name: str, part: int) -> dict[str, Any]:
    start = time.perf_counter()
    return EXPERIMENTS[name].run(part) | {"seconds": time.perf_counter() - start}


def source_hash() -> str:
    """A name for the state of all source text that can change a run's result."""
    digest = hashlib.sha256(torch.__version__.encode())
    for file in sorted(PACKAGE.rglob("*.py")):
        if "teaching" not in file.parts or file.stem in (
            "experiments",
            "count_tables",
            "ladder",
            "probes",
        ):
            digest.update(file.relative_to(PACKAGE).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def provenance(seconds: float) -> dict[str, Any]:
    """Where and with what a record was made."""
    return {
        "commit": _git("rev-parse", "HEAD")
        + ("+" if _git("status", "--porcelain", "*.py") else ""),
        "machine": f"{_processor()}, {os.cpu_count()} cores, one thread a run",
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "text": corpus.SHA256,
        "seconds": round(seconds, 1),
    }


def _processor() -> str:
    try:  # Linux; elsewhere the standard library's guess has to do
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=PACKAGE, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"  # installed without its history
    return done.stdout.strip()


def disagreements(old: dict[str, list[float]], new: dict[str, list[float]]) -> list[str]:
    """Where a repetition does not find a record's quantities again.

    Means over n seeds, same seeds: another machine's rounding sends each run along another path,
    so two means may differ by 4 standard errors of their difference. A closed form has no spread
    and must agree to 1e-6.
    """
    found = []
    for name, values in old.items():
        if len(values) == 1:
            before, after, allowed = values[0], new[name][0], 1e-6
        else:
            band, again = Band.of(values), Band.of(new[name])
            before, after = band.mean, again.mean
            allowed = 4 * ((band.sd**2 + again.sd**2) / band.n) ** 0.5
        if not abs(after - before) <= allowed:
            found.append(
                f"{name}: recorded {before:.4f}, now {after:.4f}; {allowed:.2g} is allowed"
            )
    return found


def up_to_date(name: str) -> bool:
    """Whether the record on disk is of this experiment as it is defined now."""
    file = RECORDED / f"{name}.json"
    if not file.is_file():
        return False
    record = json.loads(file.read_text("utf-8"))
    return record["experiment"] == EXPERIMENTS[name].definition()


def main(arguments: list[str] | None = None) -> int:
    """`python -m bardgpt.teaching.experiments [--check | --again] [NAME …]`.

    Returns:
        0, or 1 if a repetition contradicts a record.
    """
    parser = argparse.ArgumentParser(
        prog="python -m bardgpt.teaching.experiments", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--again", action="store_true", help="also those whose record stands")
    parser.add_argument("--check", action="store_true", help="run again, compare, write nothing")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument(
        "--keep", type=Path, default=Path("_build/experiments"), help=("folder of finished runs")
    )
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - EXPERIMENTS.keys())
    if unknown:
        parser.error(f"no experiment {unknown}; there are {', '.join(EXPERIMENTS)}")
    names = chosen.names or list(EXPERIMENTS)
    if not (chosen.again or chosen.check):
        names = [name for name in names if not up_to_date(name)]
    if not names:
        print("Every record stands; --again runs them once more.")
        return 0
    # A repetition must not find its own earlier runs.
    keep = chosen.keep / f"check-{os.getpid()}" if chosen.check else chosen.keep
    found = []
    for name, record in run(names, keep, chosen.workers).items():
        file = RECORDED / f"{name}.json"
        if chosen.check:
            old = json.loads(file.read_text("utf-8"))
            quantities = EXPERIMENTS[name].quantities
            found += [
                f"{name}: {line}" for line in disagreements(quantities(old), quantities(record))
            ]
        else:
            write_whole(file, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode())
            print(f"{name}: {record['made']['seconds']:.0f} s of computing")
    print("\n".join(found) or "done")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
