"""What the page "The workshop" says happened in recorded runs, against the records."""

import re
from pathlib import Path
from statistics import mean

from bardgpt import records
from bardgpt.teaching.live.sweeps import NEAR

PAGE = " ".join(
    (Path(__file__).parents[1] / "book/workshop.md").read_text(encoding="utf-8").split()
)


def says(pattern):
    """The numbers of a sentence on the page."""
    found = re.search(pattern, PAGE)
    assert found, pattern
    return [float(number) for number in found.groups()]


def ends(sweep, name):
    """What the runs of a variant had lost after 1,000 steps."""
    return [history.at(1000) for history in records.load_sweep(sweep)[name].histories]


def rates(name):
    return ends("rates", f"3-default-{name}")


def test_deeper_is_not_better_without_a_way_around():
    one, four = says(r"one plain block ended near ([\d.]+), four near ([\d.]+):")
    (residual,) = says(r"four blocks came to ([\d.]+) \(")
    recorded = [history.at(1000) for history in records.load("feed-forward-two-layer").histories]
    assert all(abs(end - one) < 0.05 for end in recorded)
    assert all(abs(end - four) < 0.05 for end in ends("depths", "plain-4"))
    assert f"{mean(ends('depths', 'residual-4')):.2f}" == f"{residual:.2f}"


def test_how_fast_is_too_fast():
    (flat,) = says(r"how frequent each character is, ([\d.]+) nats")
    assert f"{records.tables()[0]['validation']:.2f}" == f"{flat:.2f}"
    slow, fast, warm, pre = map(
        rates, ("post-norm-0.01-0", "post-norm-0.03-0", "post-norm-0.03-200", "pre-norm-0.03-0")
    )
    says(rf"all three of its runs were stuck near {flat};")
    assert max(slow) < 2.3
    assert all(flat - NEAR < end < flat + NEAR for end in fast)
    (two,) = says(r"two of three came to ([\d.]+), and one was stuck")
    *trained, stuck = sorted(warm)
    assert {f"{end:.2f}" for end in trained} == {f"{two:.2f}"}
    assert stuck > flat - NEAR
    (low,) = says(r"Pre-norm came to ([\d.]+) at the same rate")
    assert f"{mean(pre):.2f}" == f"{low:.2f}"


def test_the_ladder_is_trained_for_longer():
    early, late = says(r"3 blocks comes to ([\d.]+) in 1,000 steps, and to ([\d.]+) in 5,000")
    record = records.load("pre-norm")
    assert record.model.n_layer == 3
    assert f"{record.band(1_000).mean:.2f}" == f"{early:.2f}"
    assert f"{record.band(5_000).mean:.2f}" == f"{late:.2f}"
