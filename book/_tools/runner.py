"""Run pytest in copies of the project, each time in a fresh process that has PyTorch loaded.

Loading PyTorch takes longer than most checks do. So a server loads it once, and forks for every
run. What it loads is other people's: nothing of the project, which each run finds in its copy.
"""

import importlib
import json
import multiprocessing
import os
import select
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

LOADED = ("torch", "matplotlib.pyplot", "safetensors.torch", "nbformat", "jupyter_client", "pytest")
FORK = "fork" if sys.platform == "linux" else "spawn"  # elsewhere PyTorch may not survive a fork
SCRATCH = ".scratch"  # in the copy: what its runs write while they run
PRINTED = f"{SCRATCH}/printed.txt"


class Runner:
    """The server, seen from the program that wants something run: one run at a time."""

    def __init__(self) -> None:
        self.server = subprocess.Popen(
            [sys.executable, "-P", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            start_new_session=True,  # a terminal's Ctrl-C is for us, and we end the server
        )

    def __enter__(self) -> Self:
        """Nothing to be done: the server is loading."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the server and all that it has started, at once."""
        end(psutil.Process(self.server.pid))
        self.server.communicate()

    def start(self, copy: Path, options: list[str]) -> None:
        """Begin a run of pytest in a copy of the project."""
        self.server.stdin.write(json.dumps([str(copy), options]) + "\n")
        self.server.stdin.flush()

    def has_ended(self, within: float | None = None) -> bool:
        """Whether the run that was started last has ended.

        Args:
            within: seconds to wait for it; for ever if not given.

        Raises:
            RuntimeError: if the server itself has ended.
        """
        if not select.select([self.server.stdout], [], [], within)[0]:
            return False
        if not self.server.stdout.readline():
            raise RuntimeError("the process that runs the checks has ended before its time")
        return True


def end(process: psutil.Process) -> None:
    """Kill a process and all that descend from it, kernels in sessions of their own too.

    Each is stopped before its children are counted, so that none can start another meanwhile.
    """
    family: set[psutil.Process] = set()
    members = {process}
    while members:
        for member in members:
            with suppress(psutil.NoSuchProcess):
                member.suspend()
        family |= members
        try:
            members = {*process.children(recursive=True)} - family
        except psutil.NoSuchProcess:
            members = set()
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout=10)


def printed(copy: Path) -> str:
    """What the runs in a copy have printed so far."""
    return (copy / PRINTED).read_text(encoding="utf-8", errors="replace")


def serve() -> None:
    """Run what is asked for, a line of JSON each, and answer each with a line when it has ended."""
    for name in LOADED:
        importlib.import_module(name)
    context = multiprocessing.get_context(FORK)
    for line in sys.stdin:
        run = context.Process(target=run_pytest, args=json.loads(line))
        run.start()
        run.join()
        print(flush=True)


def run_pytest(copy: str, options: list[str]) -> None:
    """Become a run of pytest in a copy of the project, whatever is installed elsewhere."""
    scratch = Path(copy, SCRATCH)
    scratch.mkdir(exist_ok=True)
    os.chdir(copy)
    sys.path.insert(0, f"{copy}/src")
    os.environ |= {
        "PYTHONPATH": f"{copy}/src",  # for kernels, and what tests start
        "TQDM_DISABLE": "1",
        "TMPDIR": str(scratch),
        "JUPYTER_RUNTIME_DIR": str(scratch),
    }
    tempfile.tempdir = None  # to be asked for again
    output = os.open(PRINTED, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    import pytest

    sys.exit(pytest.main(options))


if __name__ == "__main__":
    serve()
