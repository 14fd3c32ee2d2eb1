"""Every recorded run, in full: `make experiments` writes `bardgpt/recorded/*.json` with this.

Runs go to as many processes as there are cores, one thread each, and use the very loop that the
book shows. A finished run is kept aside at once, so an interrupted command goes on where it
stopped; a record is written whole when its last run is in.
"""

import argparse
import base64
import dataclasses
import hashlib
import json
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch

import bardgpt
from bardgpt import files
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.files import write_whole
from bardgpt.lab.makers.catalogue import EXPERIMENTS
from bardgpt.lab.makers.kinds import FILES
from bardgpt.lab.makers.provenance import provenance
from bardgpt.progress import progress_bar
from bardgpt.records.band import Band
from bardgpt.shakespeare import shakespeare

PACKAGE = Path(bardgpt.__file__).parent
# What can change no run: records are read afterwards, and what lies above `lab` shows them.
OUTSIDE = {"recorded", "records", "teaching"}


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
    folder = keep / source_hash()
    finished = {job: folder / file_name(*job) for job in jobs}
    to_do = [job for job in jobs if not finished[job].is_file()]
    shakespeare()  # one process fetches the text, if it must be fetched
    with ProcessPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        futures = {pool.submit(_timed_run, *job): job for job in to_do}
        counted = {"total": len(jobs), "initial": len(jobs) - len(to_do), "unit": "run"}
        with progress_bar(**counted) as bar:  # after the processes: it has a thread
            for future in as_completed(futures):
                write_whole(finished[futures[future]], json.dumps(future.result()).encode())
                bar.update()
    records = {}
    for name in names:
        parts = [
            json.loads(finished[name, part].read_text("utf-8"))
            for part in EXPERIMENTS[name].parts()
        ]
        seconds = sum(part.pop("seconds") for part in parts)
        records[name] = {
            "experiment": EXPERIMENTS[name].definition(),
            "made": provenance(seconds),
            **EXPERIMENTS[name].results(parts),
        }
    return records


def write(name: str, record: dict[str, Any]) -> None:
    """Write a record whole; before it the files that belong to it, so that it never lacks them."""
    for file, content in record.pop(FILES, {}).items():
        write_whole(files.RECORDED / file, base64.b64decode(content))
    whole = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    write_whole(files.RECORDED / f"{name}.json", whole.encode())


def file_name(name: str, part: object) -> str:
    """Where a finished part of an experiment is kept: "bigram/0.json", "rates/variant-0.json"."""
    words = part if isinstance(part, tuple) else (part,)
    return f"{name}/{'-'.join(map(str, words))}.json"


def _timed_run(name: str, part: object) -> dict[str, Any]:
    start = time.perf_counter()
    return EXPERIMENTS[name].run(part) | {"seconds": time.perf_counter() - start}


def source_hash(package: Path = PACKAGE) -> str:
    """A name for the state of all files that can change a run's result: the core and `lab`.

    package: the folder of `bardgpt`.
    """
    digest = hashlib.sha256(torch.__version__.encode())
    for file in sorted(package.rglob("*")):
        name = file.relative_to(package)
        if file.is_file() and name.parts[0] not in OUTSIDE and "__pycache__" not in name.parts:
            digest.update(name.as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def disagreements(old: dict[str, list[float]], new: dict[str, list[float]]) -> list[str]:
    """Where a repetition does not find a record's quantities again.

    Means over n seeds, same seeds: another machine's rounding sends each run along another path,
    so two means may differ by 4 standard errors of their difference. A closed form has no spread
    and must agree to 1e-6.
    """
    lines = []
    for name, values in old.items():
        if len(values) == 1:
            before, after, allowed = values[0], new[name][0], 1e-6
        else:
            band, again = Band.of(values), Band.of(new[name])
            before, after = band.mean, again.mean
            allowed = 4 * ((band.sd**2 + again.sd**2) / band.n) ** 0.5
        if not abs(after - before) <= allowed:
            lines.append(
                f"{name}: recorded {before:.4f}, now {after:.4f}; {allowed:.2g} is allowed"
            )
    return lines


def up_to_date(name: str) -> bool:
    """Whether the record on disk is of this experiment as it is defined now."""
    file = files.RECORDED / f"{name}.json"
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
    """`python -m bardgpt.lab.makers.experiments [--check | --again] [NAME …]`.

    Returns:
        0, or 1 if a repetition contradicts a record.
    """
    parser = argparse.ArgumentParser(
        prog="python -m bardgpt.lab.makers.experiments", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--again", action="store_true", help="also those whose record stands")
    parser.add_argument("--check", action="store_true", help="run again, compare, write nothing")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument(
        "--keep", type=Path, default=Path("_build/experiments"), help="folder of finished runs"
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
    contradictions = []
    for name, record in run(names, keep, chosen.workers).items():
        if chosen.check:
            old = json.loads((files.RECORDED / f"{name}.json").read_text("utf-8"))
            quantities = EXPERIMENTS[name].quantities
            contradictions += [
                f"{name}: {line}" for line in disagreements(quantities(old), quantities(record))
            ]
        else:
            write(name, record)
            print(f"{name}: {record['made']['seconds']:.0f} s of computing")
    print("\n".join(contradictions) or "done")
    return int(bool(contradictions))


if __name__ == "__main__":
    sys.exit(main())
