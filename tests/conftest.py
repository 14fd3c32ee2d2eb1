"""What all tests share: whose package they test, the text, a summary of the planted faults."""

import signal
import threading
from pathlib import Path

import pytest
import torch

import bardgpt

SOURCE = Path(__file__).resolve().parents[1] / "src"


def stray(package: str) -> str:
    """What to say where the package is not the one beside these tests, "" where it is."""
    if Path(package).resolve().is_relative_to(SOURCE):
        return ""
    return f"These would be tests of {package}, not of {SOURCE}. Say: make test"


def pytest_configure():
    """Refuse to test another checkout's package: that would tell nothing about this one."""
    if message := stray(bardgpt.__file__):
        raise pytest.UsageError(message)


@pytest.fixture(autouse=True)
def seed():
    """Every test draws the same numbers, whatever ran before it."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True, scope="session")
def ctrl_c():
    """Ctrl-C acts, also where the tests run in the background and would be deaf to it."""
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    if ignored and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shakespeare():
    """The real text; where it comes from is `bardgpt.corpus`'s business."""
    from bardgpt import shakespeare as of_the_book  # late: first the check above has its say

    return of_the_book.shakespeare()


def pytest_terminal_summary(terminalreporter):
    """Say of each planted fault what it turned red; reports cross from parallel workers too."""
    reports = (r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind))
    told = [text for r in reports for name, text in r.user_properties if name == "fault"]
    if told:
        terminalreporter.section("planted faults, and what they turned red")
        for text in told:
            terminalreporter.write_line(text)
