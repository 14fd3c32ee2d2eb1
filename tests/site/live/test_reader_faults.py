"""Planted faults of the reader: mistakes that people make, each noticed by a test of the reader.

As in `test_engine_faults`: an edit of one place in a copy, which is built, and a test that is
called with it.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import test_reader as tests
from engine_page import LIVE, build_engine
from playwright.sync_api import expect

SOON = 20_000  # milliseconds until what does not come is missed


@dataclass(frozen=True)
class Fault:
    """One wrong edit, and the test that must notice.

    Attributes:
        story: what the mistake looks like.
        module: the file, below `book/_live`.
        right: what stands there, exactly once.
        wrong: what takes its place.
        check: the test.
    """

    name: str
    story: str
    module: str
    right: str
    wrong: str
    check: Callable[[Any], None]


FAULTS = [
    Fault(
        "costs-shifted",
        "Each character is given the cost of the one before it: the colours look as good.",
        "worker/readings.js",
        "[this.ids[from + i + 1]]",
        "[this.ids[from + i]]",
        tests.test_colours_are_the_still_pictures,
    ),
    Fault(
        "nats-for-bits",
        "The same number twice, under two names.",
        "elements/panel.js",
        "(nats / Math.LN2)",
        "nats",
        tests.test_a_character_is_chosen_and_told_of,
    ),
    Fault(
        "heads-in-another-order",
        "Each row shows a head, but not the one whose number it has.",
        "elements/heads.js",
        "attention.flat().entries()",
        "attention.flat().reverse().entries()",
        tests.test_heads_are_the_models,
    ),
    Fault(
        "edit-in-the-middle-unnoticed",
        "What was read of the last text is taken for a reading of this one.",
        "worker/readings.js",
        "ids[same] === this.ids[same]",
        "same < this.ids.length",
        tests.test_typing_goes_on_and_an_edit_in_the_middle_counts,
    ),
    Fault(
        "keys-off-instead-of-values",
        "A head that is turned off still gives something: it looks everywhere alike.",
        "engine/neural.js",
        "2 * C * C + head * size",
        "C * C + head * size",
        tests.test_a_head_is_turned_off,
    ),
    Fault(
        "one-leaves-all-leave",
        "Cancel in one element ends the download for the other, too.",
        "worker/download.js",
        "this.waiting.delete(hear) && this.waiting.size === 0",
        "this.waiting.delete(hear)",
        tests.test_two_elements_share_a_download_and_each_can_leave_it,
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_noticed(pages, visiting, serving, tmp_path, fault):
    tests.write(pages)
    copy, faulty = tmp_path / "live", tmp_path / "pages"
    shutil.copytree(LIVE, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(LIVE / "node_modules")
    module = copy / fault.module
    source = module.read_text(encoding="utf-8")
    assert source.count(fault.right) == 1, f"{fault.right!r} is not exactly once in {fault.module}"
    module.write_text(source.replace(fault.right, fault.wrong), encoding="utf-8")
    shutil.copytree(pages.folder, faulty, copy_function=os.link)
    for script in (faulty / "_static/live").glob("*.js"):
        script.unlink()  # a link: what is written here would be written there
    (faulty / "_static/live/LICENSE-jax-js.txt").unlink()
    build_engine(copy, faulty / "_static/live")
    with serving(faulty) as address:
        visit = visiting(address)
        expect.set_options(timeout=SOON)
        with pytest.raises(AssertionError):
            fault.check(visit)


def test_stories_and_names():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 4
    assert all(30 < len(fault.story) <= 100 for fault in FAULTS)
