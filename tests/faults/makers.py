"""Faults of the makers of records: what is run, and under which name."""

from faults.kinds import Fault, UnitTest

FAULTS = [
    Fault(
        "one-kernel-credited-with-two",
        "Two kernels are switched on by one field, and the bench gives one the other's gain.",
        "src/bardgpt/lab/makers/bench.py",
        'module.fused = case.path == "all kernels"',
        'module.fused = case.path != "list of heads"',
        UnitTest("tests/test_bench.py", "test_case_is_what_its_name_says"),
    ),
]
