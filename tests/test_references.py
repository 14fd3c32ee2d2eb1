"""Figures that others report: they stand once, in `book/references.md`; code is compared with it.

That each entry can be found and is cited is in `test_around.py`.
"""

import re
from pathlib import Path

import pytest

from bardgpt.lab.ladder import LECTURE_FULL, NANOGPT, RUNGS

PAGE = Path(__file__).resolve().parents[1] / "book/references.md"
ROW = re.compile(r"^\| \[([^\]]+)\]\(#([\w-]+)\) \| ([^|]+) \| ([\d.]+)(?: %)? \|$", re.MULTILINE)
LECTURE = "ng-video-lecture"


def figures() -> dict[tuple[str, str], str]:
    """Each reported figure as it is written, by who reports it and of what."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {(by, of): figure for by, _, of, figure in rows}


def reported(by: str, of: str) -> float:
    """The one figure that somebody reports of something; the end of its name will do.

    Raises:
        ValueError: if there is none, or more than one.
    """
    (figure,) = [figure for name, figure in figures().items() if name[0] == by and of in name[1]]
    return float(figure)


def test_every_row_of_the_table_is_read():
    """Else a row with a slip in it would be compared with nothing."""
    section = re.search(
        r"^## Figures that others report\n(.*?)^## ", PAGE.read_text(encoding="utf-8"), re.M | re.S
    )[1]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert len(figures()) == len(rows) - 2 == 10


def test_ladder_has_the_lectures_losses():
    losses = {of: figure for (by, of), figure in figures().items() if by == LECTURE}
    assert {of: float(figure) for of, figure in losses.items()} == {
        rung.title: rung.lecture for rung in RUNGS.values() if rung.lecture is not None
    } | {"the full model": LECTURE_FULL}


def test_ladder_has_what_nanogpt_reports():
    assert reported("nanoGPT", "near twin, at best") == NANOGPT


@pytest.mark.parametrize(("by", "of"), figures())
def test_figure_leads_to_the_entry_of_who_reports_it(by, of):
    page = PAGE.read_text(encoding="utf-8")
    (anchor,) = {anchor for name, anchor, *_ in ROW.findall(page) if name == by}
    assert anchor == by.lower().replace(" ", "-")
    assert page.count(f"\n### {by}\n") == 1


@pytest.mark.parametrize(("by", "of"), figures())
def test_figure_stands_nowhere_else_on_the_page(by, of):
    figure = figures()[by, of]
    assert (
        len(
            re.findall(rf"(?<![\d.]){re.escape(figure)}(?![\d.])", PAGE.read_text(encoding="utf-8"))
        )
        == 1
    )
