"""Planted faults of the trainer and the sweep: each is noticed by a test of theirs.

As in `test_engine_faults`: an edit of one place, built in a copy; what the test asserts must be
false then.
"""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import test_sweep as sweeps
import test_trainer as trainers
import trainer_page
from engine_page import LIVE, build_engine
from playwright.sync_api import TimeoutError, expect
from trainer_page import Visit, watched

PATIENCE = 15_000  # milliseconds until what does not come counts as missing


@dataclass(frozen=True)
class Fault:
    """One wrong edit, and the test that must notice; a page's own error counts, too."""

    name: str
    story: str
    module: str
    right: str
    wrong: str
    check: Callable[[Visit], None]


FAULTS = [
    Fault(
        "warm-up-forgotten",
        "A slider that is shown and moves, and that no run heeds.",
        "elements/controls.js",
        'warmup: Number(settings["warm-up"])',
        "warmup: 0",
        trainers.test_each_switch_changes_what_is_trained_and_nothing_else,
    ),
    Fault(
        "break-that-breaks-nothing",
        "The mask is said to be left out, and stays.",
        "elements/controls.js",
        'mask: broken !== "mask"',
        "mask: true",
        trainers.test_each_switch_changes_what_is_trained_and_nothing_else,
    ),
    Fault(
        "no-projection",
        "A model that is nearly the recorded one, without what mixes its heads.",
        "elements/controls.js",
        'blocks > 1 || wiring !== "plain"',
        "false",
        lambda visit: trainers.test_begins_with_the_recorded_model(visit, "residual"),
    ),
    Fault(
        "final-norm-for-all",
        "Pre-norm without its final norm has one all the same.",
        "elements/controls.js",
        'final_norm: wiring === "pre-norm"',
        'final_norm: wiring !== "plain"',
        lambda visit: trainers.test_begins_with_the_recorded_model(visit, "pre-norm-no-final-norm"),
    ),
    Fault(
        "verdict-given-away",
        "What a break hides stands there while the reader still guesses.",
        "elements/results.js",
        "this.verdict.hidden = true",
        "this.verdict.hidden = false",
        trainers.test_what_a_break_hides_is_folded_until_the_end,
    ),
    Fault(
        "settings-of-a-link-ignored",
        "A link brings its reader to the page, and to none of its settings.",
        "elements/trainer.js",
        "this.parts.take(given);",
        "",
        trainers.test_settings_stand_in_the_address,
    ),
    Fault(
        "goes-on-behind-the-button",
        "The button says that the run has stopped, and the worker goes on.",
        "elements/trainer.js",
        "const turn = ++this.turn;\n    const { run } = this;",
        "const turn = this.turn;\n    const { run } = this;",
        trainers.test_stops_at_once_and_goes_on,
    ),
    Fault(
        "lost-without-a-word",
        "A loss that is no number is taken for a loss.",
        "elements/trainer.js",
        "if (!Number.isFinite(losses.at(-1))) {",
        "if (false) {",
        trainers.test_a_lost_run_says_so,
    ),
    Fault(
        "stuck-uncounted",
        "Runs that were stuck are drawn, and not counted.",
        "elements/sweep.js",
        'filter((sign) => sign === "✕").length',
        'filter((sign) => sign === "x").length',
        sweeps.test_says_and_draws_the_chosen_runs,
    ),
    Fault(
        "arrows-stop-at-a-head",
        "The arrow down moves only as far as the next cell, be there runs or not.",
        "elements/sweep.js",
        'const found = lines[y][x].querySelector("button");',
        'const found = lines[y][x - 1]?.querySelector("button");',
        sweeps.test_arrows_move_inside_and_tab_goes_on,
    ),
]


@pytest.fixture(scope="session", autouse=True)
def _written(pages):
    trainer_page.write(pages)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_noticed(visit, serving, pages, tmp_path, fault):
    copy, site = tmp_path / "live", tmp_path / "site"
    shutil.copytree(LIVE, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(LIVE / "node_modules")
    module = copy / fault.module
    source = module.read_text(encoding="utf-8")
    assert source.count(fault.right) == 1, f"{fault.right!r} is not exactly once in {fault.module}"
    module.write_text(source.replace(fault.right, fault.wrong), encoding="utf-8")
    shutil.copytree(pages.folder, site)
    build_engine(copy, site / "_static/live")
    expect.set_options(timeout=PATIENCE)
    with serving(site) as address, pytest.raises((AssertionError, TimeoutError)):
        fault.check(watched(visit, at=address, patience=PATIENCE))


def test_stories_and_names():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 5
    assert all(re.fullmatch(r".{30,100}", fault.story) for fault in FAULTS)
