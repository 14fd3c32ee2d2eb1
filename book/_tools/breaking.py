"""Plant a known mistake in a copy of the project, and see what notices.

`make break` lists the mistakes of `tests/faults`, and `make break FAULT=name` shows one at work: it
runs the tests that should notice it, and every notebook, in a copy that is deleted afterwards.
"""

import argparse
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from time import monotonic
from types import FrameType

import nbformat
from planting import (
    ROOT,
    Fault,
    Verdict,
    by_name,
    catalogue,
    diff,
    name_of,
    options,
    plant,
    telling,
    verdict_of,
    verdicts,
)
from runner import Runner

from bardgpt.progress import progress_bar, say

SECONDS = Path(__file__).with_name("seconds.json")
START = 10  # seconds at most that are not in there: to load PyTorch, and to run a test file
AT_ONCE = min(os.cpu_count() or 1, 4)
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def notebooks() -> list[str]:
    """The book's notebooks that will take longest first, from the root of the project."""
    paths = [*ROOT.glob("book/*.ipynb"), *ROOT.glob("book/appendix/*.ipynb")]
    seconds = measured()
    paths.sort(key=lambda path: (-seconds.get(path.stem, 0), path.stem))
    return [path.relative_to(ROOT).as_posix() for path in paths]


def measured() -> dict[str, float]:
    """The seconds that each chapter takes, as `minutes.py --measure` has written them down."""
    return json.loads(SECONDS.read_text(encoding="utf-8"))


def run_all(files: list[str], copy: Path, runners: list[Runner]) -> Iterator[str]:
    """Run test files and notebooks in a copy, one per runner; yield each when it has ended."""
    waiting, idle, running = list(files), list(runners), {}
    with progress_bar(stream=sys.stdout, total=len(files), unit="file") as bar:
        while waiting or running:
            while waiting and idle:
                runner = idle.pop()
                running[runner] = waiting.pop(0)
                runner.start(copy, options(running[runner]))
            names = ", ".join(Path(file).stem for file in running.values())
            bar.set_postfix_str(f"running {names}")
            for runner in [one for one in running if one.has_ended(within=0.5 / len(running))]:
                bar.update()
                idle.append(runner)
                yield running.pop(runner)


def about(files: list[str]) -> int:
    """How many seconds that takes on an idle machine like the one that was measured."""
    seconds = [measured().get(Path(file).stem, 0) for file in files]
    return round((max(sum(seconds) / AT_ONCE, *seconds) + START) / 10) * 10


def red_cells(file: str, of_file: list[Verdict]) -> list[str]:
    """Which cells of a notebook are red, each with the first line that it prints by.

    Those after a cell that raised an error say nothing, for what they need is missing.
    """
    code = [c for c in nbformat.read(ROOT / file, as_version=4).cells if c.cell_type == "code"]
    lines = []
    for verdict in of_file:
        if verdict.message:
            source = code[int(verdict.name.removeprefix("Cell "))].source.splitlines()
            line = next((line for line in source if "print(" in line or "(" in line), source[0])
            lines.append(f"{Path(file).stem}, {verdict.name.lower()}: {line.strip()[:70]}")
        if verdict.raised:
            break
    return lines


def tell(text: str) -> None:
    """Print at once, above the bar."""
    say(text, sys.stdout)
    sys.stdout.flush()


def demonstrate(fault: Fault) -> bool:
    """Plant a fault in a copy of the project, say what its check made of it, drop the copy.

    Returns:
        Whether the check noticed, by what it asserts.
    """
    check = fault.check
    files = [check.file, *(file for file in notebooks() if file != check.file)]
    begun = monotonic()
    tell(f"{fault.name}: {fault.story}\n\n{fault.file}\n{diff(fault)}\n")
    tell(
        f"Running {check.file} and every notebook in a copy of the project, {AT_ONCE} at a time:\n"
        f"about {about(files)} seconds if the machine is idle, by what chapters took when measured."
    )
    convicts, red = False, []
    with tempfile.TemporaryDirectory(prefix="bardgpt-fault-") as folder, ExitStack() as stack:
        copy = Path(folder)
        plant(fault, copy)
        runners = [stack.enter_context(Runner()) for _ in range(AT_ONCE)]
        for i, file in enumerate(run_all(files, copy, runners), 1):
            of_file = verdicts(file, copy)
            cells = red_cells(file, of_file) if file.endswith(".ipynb") else []
            red += cells
            said = f"red cells: {len(cells)}" if file.endswith(".ipynb") else "run"
            tell("\n".join([f"{i} of {len(files)}, {Path(file).stem}: {said}", *cells]))
            if file == check.file:
                verdict = verdict_of(check, of_file)
                convicts = verdict.convicts
                others = sum(bool(other.message) for other in of_file) - bool(verdict.message)
                tell("\n".join(judge(fault, verdict, others)))
    tell(
        f"Cells of the book that turned red: {len(red)}, after {monotonic() - begun:.0f} seconds\n"
        "The copy is deleted; your own files were not touched."
    )
    return convicts


def judge(fault: Fault, verdict: Verdict, others: int) -> list[str]:
    """What the fault's check made of it, in lines, and how many more of its file are red."""
    said = "still green"
    if verdict.convicts:
        said = "red by what it asserts"
    elif verdict.message:
        said = "red, but by a crash, which proves nothing about the check"
    lines = [f"{name_of(fault.check)}: {said}", *(telling(verdict, 8) if verdict.message else [])]
    return [*lines, f"    Other checks of that file that turned red too: {others}"]


def main(arguments: list[str] | None = None) -> int:
    """Show one fault at work, or list them all.

    Returns:
        0, or 1 if the fault's check did not notice it.
    """
    parser = argparse.ArgumentParser(description="Plant a known mistake and see what notices.")
    parser.add_argument("name", nargs="?", help="of the fault; without it, all are listed")
    name = parser.parse_args(arguments).name
    if name is None:
        print(f"{catalogue()}\n\nmake break FAULT=name plants one in a copy of the project.")
        return 0
    try:
        fault = by_name(name)
    except KeyError as error:
        parser.error(f"{error.args[0]} make break without a name lists all.")
    return int(not demonstrate(fault))


def stop(number: int, frame: FrameType | None) -> None:
    """End as if by an error, so that everything that was begun is put away; once is enough."""
    for each in STOPS:
        signal.signal(each, signal.SIG_IGN)
    print("\nStopped. The copy is deleted, and nothing of it runs on.", flush=True)
    sys.exit(128 + number)


if __name__ == "__main__":
    for each in STOPS:
        signal.signal(each, stop)
    sys.exit(main())
