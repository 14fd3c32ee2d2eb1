"""What all tests share: the text, and a summary of the planted faults."""

import pytest
import torch

from bardgpt import shakespeare as of_the_book
from bardgpt.text import Text


@pytest.fixture(autouse=True)
def seed():
    """Every test draws the same numbers, whatever ran before it."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def shakespeare() -> Text:
    """The real text; where it comes from is `bardgpt.corpus`'s business."""
    return of_the_book.shakespeare()


def pytest_terminal_summary(terminalreporter):
    """Say of each planted fault what it turned red; reports cross from parallel workers too."""
    reports = (r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind))
    told = [text for r in reports for name, text in r.user_properties if name == "fault"]
    if told:
        terminalreporter.section("planted faults, and what they turned red")
        for text in told:
            terminalreporter.write_line(text)
