"""Planted faults of the toys: mistakes that people make, each noticed by a test of the toys.

A fault is an edit of one place of a toy's script. It is made in a copy, which is built and opened,
and the check of its numbers is called with it: what the check asserts must be false then.
"""

import shutil
from dataclasses import dataclass

import pytest
import test_toys as tests
import toy_page
from engine_page import LIVE

PATIENCE = 120_000  # milliseconds: a busy machine is no fault of the page


@dataclass(frozen=True)
class Fault:
    """One wrong edit, and the toy whose check must notice.

    Attributes:
        story: what the mistake looks like.
        module: the file, below `book/_live/elements/toys`.
        right: what stands there, exactly once.
        wrong: what takes its place.
        toy: the toy that shows it.
    """

    name: str
    story: str
    module: str
    right: str
    wrong: str
    toy: str


FAULTS = [
    Fault(
        "scaled-by-hs",
        "Without the division, scores grow with the head size instead of its root.",
        "scores.js",
        "score * Math.sqrt(hs)",
        "score * hs",
        "scores",
    ),
    Fault(
        "temperature-upside-down",
        "Probabilities to the power of T: a high temperature sharpens.",
        "temperatures.js",
        "** (1 / T)",
        "** T",
        "temperature",
    ),
    Fault(
        "entropy-of-ten-bars",
        "The entropy of what is shown, not of the whole distribution.",
        "temperatures.js",
        "-sum(shares.map(",
        "-sum(shares.slice(0, BARS).map(",
        "temperature",
    ),
    Fault(
        "variance-by-n-minus-one",
        "The sample's variance in a norm, as statistics packages have it.",
        "norms.js",
        "(one - mean) ** 2)) / SIZE",
        "(one - mean) ** 2)) / (SIZE - 1)",
        "norm-table",
    ),
    Fault(
        "running-variance-by-n",
        "The running variance keeps the one that training divides by.",
        "norms.js",
        "(MOMENTUM * batch[j].variance * SIZE) / (SIZE - 1)",
        "MOMENTUM * batch[j].variance",
        "norm-table",
    ),
    Fault(
        "evaluation-by-the-batch",
        "Batch norm that normalizes by the batch in evaluation, too.",
        "norms.js",
        "keeps ? running : found",
        "found",
        "norm-table",
    ),
    Fault(
        "dropout-not-made-up-for",
        "What is left is not scaled up, so the mean of a row falls with p.",
        "masks.js",
        "one / (1 - p)))",
        "one))",
        "mask",
    ),
    Fault(
        "new-draws-for-every-p",
        "Moving p also draws anew: one cannot see the same weights fall.",
        "masks.js",
        "new Random(seed + turn)",
        "new Random(seed + turn + 1000 * p)",
        "mask",
    ),
    Fault(
        "sum-for-a-mean",
        "Predictions are added up and not divided by their number.",
        "masks.js",
        "/ many / 1000",
        "/ 1000",
        "masks",
    ),
    Fault(
        "gradient-passes-the-relu",
        "The way back forgets which hidden units were off.",
        "stacks.js",
        "hidden[l][i] > 0 ? scale * one : 0",
        "scale * one",
        "stack",
    ),
    Fault(
        "gradient-not-added",
        "The way back forgets the path past the branch.",
        "stacks.js",
        "one + (adds ? g[i] : 0)",
        "one",
        "stack",
    ),
    Fault(
        "depth-scale-by-depth",
        "The last maps are divided by the depth and not by its root.",
        "stacks.js",
        "1 / Math.sqrt(depth) : 1",
        "1 / depth : 1",
        "stack",
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_noticed(chromium, tmp_path, fault):
    copy = tmp_path / "live"
    shutil.copytree(LIVE, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(LIVE / "node_modules")
    module = copy / "elements/toys" / fault.module
    source = module.read_text(encoding="utf-8")
    assert source.count(fault.right) == 1, f"{fault.right!r} is not exactly once in {fault.module}"
    module.write_text(source.replace(fault.right, fault.wrong), encoding="utf-8")
    folder = tmp_path / "pages"
    toy_page.build(folder, copy)
    toy_page.page(folder, "toy.html", tests.toy_of(fault.toy))
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto((folder / "toy.html").as_uri())
    with pytest.raises(AssertionError):
        tests.CHECKS[fault.toy](page)
    page.close()


def test_stories_and_names():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 5
    assert all(30 < len(fault.story) <= 100 for fault in FAULTS)
