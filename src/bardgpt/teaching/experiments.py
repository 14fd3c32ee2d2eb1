"""Every recorded run, in full: `make experiments` writes `bardgpt/recorded/*.json` with this.

Runs go to as many processes as there are cores, one thread each, and use the very `train` that the
book shows. A finished run is kept aside at once, so an interrupted command goes on where it
stopped; a record is written whole when its last run is in.
"""

import argparse
import copy
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
from typing import Any, get_args

import torch
from tqdm import tqdm

import bardgpt
from bardgpt import corpus
from bardgpt.batches import evaluation_windows
from bardgpt.config import GPTConfig, Initialization, TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.files import write_whole
from bardgpt.gpt import GPT
from bardgpt.sampling import generate
from bardgpt.teaching.count_tables import CountTable
from bardgpt.teaching.ladder import (
    BIGRAM,
    FEED_FORWARD,
    FOUR_HEADS,
    ONE_HEAD,
    PLAIN_BLOCKS,
    POST_NORM,
    PRE_NORM,
    RESIDUAL,
    RUNGS,
    VOCAB_SIZE,
    shakespeare,
)
from bardgpt.teaching.probes.attention import character_classes, head_spreads
from bardgpt.teaching.probes.dropout import ensemble, losses_by_switch
from bardgpt.teaching.probes.norms import gains_and_biases, losses_by_mode
from bardgpt.teaching.probes.stream import stream_statistics
from bardgpt.teaching.probes.units import unit_scores
from bardgpt.teaching.records import Band
from bardgpt.teaching.text_statistics import Reference, text_statistics
from bardgpt.training.loop import train

PACKAGE = Path(bardgpt.__file__).parent
RECORDED = PACKAGE / "recorded"
SEEDS = (0, 1, 2, 3, 4)
RUN = TrainingConfig()  # of every rung
SAMPLE_LENGTH = 5_000  # characters; long enough that the share of known words settles to 1 or 2 %
PROMPT = "ROMEO:"  # what every model of the book is asked to continue
LIVE_STEPS = 1_000  # how far a chapter trains while you read
PROBED = 16_000  # characters of each split for statistics of a model at work
GRADIENT_PROBED = 2_048  # fewer where gradients are asked for
MASKED_PROBED = 8_000  # and where a model runs many times


class Looker:
    """The probes of a run: each takes the model and gives numbers by name.

    A probe looks at the same windows at every step and draws from no random state but its own.
    """

    def __init__(self, config: GPTConfig, seed: int, characters: int | None = None) -> None:
        self.text = shakespeare()
        self.learned = self.text.train[:characters]
        self.untrained = seeded_model(config, seed)
        T = config.block_size
        n_windows = PROBED // T
        self.windows, self.targets = next(evaluation_windows(self.text.validation, T, n_windows))
        self.train_windows, _ = next(evaluation_windows(self.learned, T, n_windows))

    def heads(self, model: GPT) -> dict[str, float]:
        """How much the heads of the first block differ."""
        classes = character_classes(self.text.tokenizer.vocabulary)
        return head_spreads(model, self.windows, classes)

    def stream(self, model: GPT) -> dict[str, list[float]]:
        """Sizes of the stream, of branches and of gradients, by depth."""
        n_windows = GRADIENT_PROBED // model.config.block_size
        # A copy, for a batch norm in training mode would learn from what it is shown.
        judged = copy.deepcopy(model).eval()
        return stream_statistics(judged, self.windows[:n_windows], self.targets[:n_windows])

    def units(self, model: GPT) -> dict[str, float]:
        """What single hidden units of the first block fire on."""
        windows = [
            (ids, self.text.tokenizer.decode(ids.flatten()))
            for ids in (self.train_windows, self.windows)
        ]
        return unit_scores(model, self.untrained, *windows)

    def norms(self, model: GPT) -> dict[str, list[float]]:
        """What the norms' gains and biases have become."""
        return gains_and_biases(model)

    def modes(self, model: GPT) -> dict[str, float]:
        """The loss as training computes it, batch by batch, and as evaluation does."""
        return losses_by_mode(model, self.windows, self.targets)

    def fit(self, model: GPT) -> dict[str, float]:
        """The loss on the text that the model learns from, as evaluation computes it."""
        return {"training text": evaluate(model, self.learned)}

    def switches(self, model: GPT) -> dict[str, float]:
        """The loss with dropout off, left on, and never rescaled."""
        return losses_by_switch(model, self.windows, self.targets)

    def ensemble(self, model: GPT) -> dict[str, list[float]]:
        """The mean of many masked passes against the model at test time."""
        n_windows = MASKED_PROBED // model.config.block_size
        return ensemble(model, self.windows[:n_windows], self.targets[:n_windows])


@dataclass(frozen=True)
class Training:
    """A model, trained from several seeds.

    Attributes:
        model: the architecture.
        training: the run.
        seeds: one for each run.
        probes: methods of `Looker`, asked before the first step, where a chapter's live run ends,
            and at the end.
        closely: ask them at every evaluation.
        at_end: more probes, asked after the last step alone.
        characters: how many of the training split to learn from, from its beginning; None takes all
            of them.
        brief: keep neither the loss on the whole training split nor generated text, which is drawn
            where a chapter's live run ends and at the end.
    """

    model: GPTConfig
    training: TrainingConfig = RUN
    seeds: tuple[int, ...] = SEEDS
    probes: tuple[str, ...] = ()
    closely: bool = False
    at_end: tuple[str, ...] = ()
    characters: int | None = None
    brief: bool = False

    def parts(self) -> list[int]:
        """What can be computed apart: one run for each seed."""
        return list(self.seeds)

    def run(self, seed: int) -> dict[str, Any]:
        """Train from one seed; look and sample on the way.

        At a constant rate a chapter's short run is the beginning of this one.
        """
        text = shakespeare()
        reference = None if self.brief else Reference.of(text.tokenizer.decode(text.train))
        looker = Looker(self.model, seed, self.characters)
        model = seeded_model(self.model, seed)
        found: dict[str, Any] = {"seed": seed, "samples": {}, "probes": {}}
        stops = {LIVE_STEPS, self.training.steps}

        def watch(step: int) -> None:
            asked = self.probes if self.closely or step in stops | {0} else ()
            for probe in asked + (self.at_end if step == self.training.steps else ()):
                kept = found["probes"].setdefault(probe, {})
                kept[str(step)] = rounded(getattr(looker, probe)(model))
            if step in stops and reference is not None:
                ids = generate(
                    model,
                    text.tokenizer.encode("\n"),
                    SAMPLE_LENGTH,
                    generator=torch.Generator().manual_seed(seed),
                )
                sample = text.tokenizer.decode(ids)
                found["samples"][str(step)] = text_statistics(sample, reference)
                found["text"] = sample[:500]

        config = dataclasses.replace(self.training, seed=seed)
        history = train(model, looker.learned, text.validation, config, progress=False, watch=watch)
        if not self.brief:
            found["train"] = evaluate(model, looker.learned)
        return found | {"history": history.to_dict()}

    def definition(self) -> dict[str, Any]:
        """What makes it this experiment: the part of its record that is known beforehand."""
        training = dataclasses.asdict(self.training)
        del training["seed"]  # each run has its own
        definition = {
            "model": dataclasses.asdict(self.model),
            "training": training,
            "seeds": list(self.seeds),
            "probes": [*self.probes, *self.at_end],
        }
        if self.characters is not None:  # older records learned from the whole split
            definition["characters"] = self.characters
        return definition

    def results(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """The rest of the record."""
        return {"runs": runs}

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """What a repetition must find again, each over the seeds."""
        histories = [run["history"] for run in record["runs"]]
        found = {"validation loss": [history["validation"][-1] for history in histories]}
        if not self.brief:
            found["training loss"] = [run["train"] for run in record["runs"]]
        return found


@dataclass(frozen=True)
class AtStart:
    """A model as it is initialized, looked at from several seeds: no training."""

    model: GPTConfig
    seeds: tuple[int, ...] = SEEDS

    def parts(self) -> list[int]:
        """One look for each seed."""
        return list(self.seeds)

    def run(self, seed: int) -> dict[str, Any]:
        """Initialize and look."""
        looker = Looker(self.model, seed)
        return {"seed": seed, "stream": rounded(looker.stream(looker.untrained))}

    def definition(self) -> dict[str, Any]:
        """What makes it this experiment."""
        return {"model": dataclasses.asdict(self.model), "seeds": list(self.seeds)}

    def results(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """The rest of the record."""
        return {"runs": runs}

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """What a repetition must find again, each over the seeds."""
        return {
            f"{name} {depth}": [run["stream"][name][depth] for run in record["runs"]]
            for name in ("stream", "gradient")
            for depth in (0, -1)
        }


@dataclass(frozen=True)
class Sweep:
    """Several experiments of one kind in one record, by name."""

    variants: dict[str, Training | AtStart]

    def parts(self) -> list[str]:
        """Each variant's parts."""
        return [f"{name}-{part}" for name, e in self.variants.items() for part in e.parts()]

    def run(self, part: str) -> dict[str, Any]:
        """One part of one variant."""
        name, _, seed = part.rpartition("-")
        return self.variants[name].run(int(seed))

    def definition(self) -> dict[str, Any]:
        """That of each variant."""
        return {name: variant.definition() for name, variant in self.variants.items()}

    def results(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """The rest of the record, by variant."""
        queue = iter(runs)
        return {
            "variants": {
                name: variant.results([next(queue) for _ in variant.parts()])
                for name, variant in self.variants.items()
            }
        }

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """Those of each variant."""
        return {
            f"{name}: {quantity}": values
            for name, variant in self.variants.items()
            for quantity, values in variant.quantities(record["variants"][name]).items()
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


@dataclass(frozen=True)
class Continuations:
    """The same words, continued by every rung and by the best count table: one text of each.

    What a reader of the book's first page sees. A rung runs with PyTorch's kernels, which are the
    same function, faster.
    """

    prompt: str
    context: int = 4  # of the count table, the best one
    seed: int = 0
    length: int = 300

    def parts(self) -> list[str]:
        """The count table, then the rungs."""
        return ["counts", *RUNGS]

    def run(self, part: str) -> dict[str, Any]:
        """Count, or train in full; then continue the prompt."""
        text = shakespeare()
        prompt = text.tokenizer.encode(self.prompt)
        generator = torch.Generator().manual_seed(self.seed)
        if part == "counts":
            table = CountTable(text.train, self.context, VOCAB_SIZE)
            ids = table.generate(prompt, self.length, generator)
        else:
            model = seeded_model(dataclasses.replace(RUNGS[part].config, fused=True), self.seed)
            config = dataclasses.replace(RUN, seed=self.seed)
            train(model, text.train, text.validation, config, progress=False)
            ids = generate(model, prompt, self.length, generator=generator)
        return {"of": part, "text": text.tokenizer.decode(ids)}

    def definition(self) -> dict[str, Any]:
        """What makes it this experiment."""
        training = dataclasses.asdict(RUN)
        del training["seed"]
        rungs = {name: {"model": dataclasses.asdict(rung.config)} for name, rung in RUNGS.items()}
        return dataclasses.asdict(self) | {"training": training, "rungs": rungs}

    def results(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """The rest of the record."""
        return {"texts": {run["of"]: run["text"] for run in runs}}

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """None: another machine's rounding draws other characters."""
        return {}


LONG = TrainingConfig(steps=20_000, evaluate_every=1_000)
BLOCK_PROBES = ("heads", "stream", "units")


def variant(
    model: GPTConfig, training: TrainingConfig, seeds: tuple[int, ...] = SEEDS, **others: Any
) -> Training:
    """One of many: brief, and its heads run in one product, which is the same function, faster."""
    return Training(dataclasses.replace(model, fused=True), training, seeds, brief=True, **others)


def depths() -> dict[str, Training]:
    """1 to 16 blocks, plain and residual, with equal parameters at each depth (chapter 5)."""
    run = TrainingConfig(steps=2_000, evaluate_every=500)
    return {
        f"{block.block}-{L}": variant(dataclasses.replace(block, n_layer=L), run, SEEDS[:3])
        for block in (PLAIN_BLOCKS, RESIDUAL)
        for L in (1, 2, 4, 8, 16)
    }


def coming_online() -> dict[str, Training]:
    """How loud branches are over training, by initialization (chapter 5)."""
    run = TrainingConfig(steps=1_000, evaluate_every=50)
    return {
        f"{block.block}-{start}": variant(
            dataclasses.replace(block, initialization=start),
            run,
            SEEDS[:3],
            probes=("stream",),
            closely=True,
        )
        for block in (RESIDUAL, PRE_NORM)
        for start in ("default", "normal", "depth-scaled", "zero")
    }


def starts() -> dict[str, AtStart]:
    """Sizes and gradients before the first step, by wiring, initialization and size."""
    small = dataclasses.replace(RESIDUAL, n_layer=16, fused=True)
    full = dataclasses.replace(small, n_layer=6, n_embd=384, n_head=6, block_size=256)
    return {
        f"{size}-{block}-{start}": AtStart(
            dataclasses.replace(
                model, block=block, final_norm=block == "pre-norm", initialization=start
            )
        )
        for size, model in (("small", small), ("full", full))
        for block in ("plain", "residual", "post-norm", "pre-norm")
        for start in get_args(Initialization)
        if (block, start) != ("plain", "zero")  # which would be 0 from end to end
    }


def rates() -> dict[str, Training]:
    """Post- against pre-norm over learning rates, with and without warm-up (chapter 7)."""
    no_final_norm = dataclasses.replace(PRE_NORM, final_norm=False)
    wirings = {"post-norm": POST_NORM, "pre-norm": PRE_NORM, "no-final-norm": no_final_norm}
    cases = [
        (3, "default", (1e-3, 3e-3, 1e-2, 3e-2), ("post-norm", "pre-norm", "no-final-norm")),
        (12, "default", (1e-3, 3e-3, 1e-2, 3e-2), ("post-norm", "pre-norm")),
        (12, "xavier", (3e-4, 1e-3, 3e-3, 1e-2), ("post-norm", "pre-norm")),
    ]
    return {
        f"{L}-{start}-{wiring}-{rate:g}-{warmup}": variant(
            dataclasses.replace(wirings[wiring], n_layer=L, initialization=start),
            TrainingConfig(steps=1_000, evaluate_every=500, learning_rate=rate, warmup=warmup),
            SEEDS[:3],
        )
        for L, start, tried, compared in cases
        for wiring in compared
        for rate in tried
        for warmup in (0, 200)
    }


def dropout() -> dict[str, Training]:
    """A model that learns 20,000 characters by heart, by dropout; and one with all of the text.

    Chapter 8. Those with dropout are asked at the end what their masks do.
    """
    model = dataclasses.replace(PRE_NORM, n_embd=64, block_size=32)
    run = TrainingConfig(steps=1_000, learning_rate=3e-3, evaluate_every=200)
    cases: list[tuple[str, int | None, tuple[float, ...]]] = [
        ("slice", 20_000, (0.0, 0.2, 0.4)),
        ("whole", None, (0.0, 0.2)),
    ]
    return {
        f"{name}-{rate:g}": variant(
            dataclasses.replace(model, dropout=rate),
            run,
            SEEDS[:3],
            probes=("fit",) if characters else (),
            closely=True,
            at_end=("switches", "ensemble") if rate else (),
            characters=characters,
        )
        for name, characters, rates_of in cases
        for rate in rates_of
    }


EXPERIMENTS: dict[str, Training | CountTables | Continuations | Sweep] = {
    "count-tables": CountTables(),
    "bigram": Training(BIGRAM),
    # Why the rung stays above its closed form (chapter 1): one cause taken away after the other.
    "bigram-long": Training(BIGRAM, LONG),
    "bigram-long-falling": Training(BIGRAM, dataclasses.replace(LONG, schedule="linear")),
    "bigram-long-undecayed": Training(BIGRAM, dataclasses.replace(LONG, weight_decay=0.0)),
    "one-head": Training(ONE_HEAD),
    "one-head-no-positions": Training(dataclasses.replace(ONE_HEAD, positions=False)),
    "four-heads": Training(FOUR_HEADS, probes=("heads",)),
    "feed-forward": Training(FEED_FORWARD, probes=BLOCK_PROBES),
    # Controls of chapter 4: a layer that can fold into the next, and one that has grown.
    "feed-forward-linear": Training(dataclasses.replace(FEED_FORWARD, activation="none")),
    "feed-forward-two-layer": Training(
        dataclasses.replace(FEED_FORWARD, feed_forward="two-layer"), probes=BLOCK_PROBES
    ),
    "plain-blocks": Training(PLAIN_BLOCKS, probes=BLOCK_PROBES),
    "residual": Training(RESIDUAL, probes=BLOCK_PROBES),
    "post-norm": Training(POST_NORM, probes=(*BLOCK_PROBES, "norms", "modes")),
    # Chapter 6: the same rung with the other norm.
    "batch-norm": Training(
        dataclasses.replace(POST_NORM, norm="batch"), probes=("stream", "norms", "modes")
    ),
    "pre-norm": Training(PRE_NORM, probes=(*BLOCK_PROBES, "norms")),
    # Chapter 7: what the last norm is for.
    "pre-norm-no-final-norm": Training(
        dataclasses.replace(PRE_NORM, final_norm=False), probes=("stream", "norms")
    ),
    "depths": Sweep(depths()),
    "coming-online": Sweep(coming_online()),
    "starts": Sweep(starts()),
    "continuations": Continuations(PROMPT),
    "rates": Sweep(rates()),
    "dropout": Sweep(dropout()),
}


def rounded(found: dict[str, Any]) -> dict[str, Any]:
    """The same with six significant digits, which is more than seeds agree in."""

    def short(value: float) -> float:
        return float(f"{value:.6g}")

    return {
        name: [short(v) for v in value] if isinstance(value, list) else short(value)
        for name, value in found.items()
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


def _timed_run(name: str, part: int | str) -> dict[str, Any]:
    start = time.perf_counter()
    return EXPERIMENTS[name].run(part) | {"seconds": time.perf_counter() - start}


def source_hash() -> str:
    """A name for the state of all source text that can change a run's result."""
    digest = hashlib.sha256(torch.__version__.encode())
    for file in sorted(PACKAGE.rglob("*.py")):
        if (
            "teaching" not in file.parts
            or "probes" in file.parts
            or file.stem in ("experiments", "count_tables", "ladder")
        ):
            digest.update(file.relative_to(PACKAGE).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def provenance(seconds: float, threads: int = 1) -> dict[str, Any]:
    """Where and with what a record was made.

    Args:
        seconds: that it took.
        threads: of each run.
    """
    of_run = "one thread" if threads == 1 else f"{threads} threads"
    return {
        "commit": _git("rev-parse", "HEAD")
        + ("+" if _git("status", "--porcelain", "*.py") else ""),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {of_run} a run",
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
    return _completed(record["experiment"]) == _completed(EXPERIMENTS[name].definition())


def _completed(definition: dict[str, Any]) -> dict[str, Any]:
    """A definition with today's fields: one that a record is too old to know has its default."""
    configs = {"model": GPTConfig, "training": TrainingConfig}
    completed = dict(definition)
    for key, value in definition.items():
        if key in configs:
            completed[key] = dataclasses.asdict(configs[key](**value))
        elif isinstance(value, dict):  # a variant of a sweep
            completed[key] = _completed(value)
    return completed


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
