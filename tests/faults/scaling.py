"""Faults of scaling up: what a step costs, in bytes and in seconds."""

from faults.kinds import Fault, UnitTest

FAULTS = [
    Fault(
        "kept-counted-twice",
        "A tensor that two layers keep lies in memory once; counted twice, no GPU is large enough.",
        "src/bardgpt/lab/cost.py",
        "kept[tensor.untyped_storage()._cdata] = tensor",
        "kept[len(kept)] = tensor",
        UnitTest("tests/test_cost.py", "test_kept_tensors_are_counted_once_and_without_weights"),
    ),
    Fault(
        "timed-without-warm-up",
        "The first step on a GPU loads and plans; timed with the rest, an hour becomes two.",
        "src/bardgpt/lab/plan.py",
        "        work(warm)\n",
        "",
        UnitTest("tests/test_plan.py", "test_timing_takes_what_it_says_and_leaves_the_run_alone"),
    ),
]
