"""Faults of reading the records."""

from faults.kinds import Fault, UnitTest

FAULTS = [
    Fault(
        "share-of-the-wrong-peak",
        "A share of the peak that looks wonderful, of the wrong peak.",
        "src/bardgpt/records/speeds.py",
        "self.peak[self.precisions[case]]",
        'self.peak["float32"]',
        UnitTest("tests/test_bench.py", "test_share_of_the_peak_of_its_precision"),
    ),
]
