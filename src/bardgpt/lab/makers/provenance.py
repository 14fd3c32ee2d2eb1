"""Where and with what a record was made."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

from bardgpt import corpus, files

SOURCE = ":/*.py"  # for git: from the top, wherever it is asked


def provenance(seconds: float, threads: int = 1) -> dict[str, Any]:
    """Where and with what a record was made.

    Args:
        seconds: that it took.
        threads: of each run.
    """
    of_run = "one thread" if threads == 1 else f"{threads} threads"
    return {
        "commit": _git("rev-parse", "HEAD")
        + ("+" if _git("status", "--porcelain", SOURCE) else ""),
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
            ["git", *arguments],
            cwd=files.RECORDED,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"  # installed without its history
    return done.stdout.strip()
