"""Each planted fault turns its mapped check red, and by what that check asserts."""

import dataclasses

import pytest
from faults import FAULTS, Fault, Verdict, describe, plant, try_check


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_fault_is_noticed(fault: Fault, tmp_path, record_property):
    plant(fault, tmp_path)
    verdict = try_check(fault.check, tmp_path)
    record_property("fault", describe(fault, verdict))  # printed by conftest.py at the end
    assert verdict.convicts


def test_names_are_unique():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_an_edit_that_changes_nothing_is_not_noticed(tmp_path):
    """Else the copy would be red by itself, and every fault would seem to be caught."""
    harmless = dataclasses.replace(FAULTS[0], wrong=FAULTS[0].right)
    plant(harmless, tmp_path)
    assert try_check(harmless.check, tmp_path) == Verdict("", "", 0)


@pytest.mark.parametrize(
    "wrong", ["return windows[:, :-1], windows[:, 1:].nonsense", "return windows.view(1, 1)"]
)
def test_a_crash_is_no_conviction(tmp_path, wrong):
    plant(dataclasses.replace(FAULTS[0], wrong=wrong), tmp_path)
    verdict = try_check(FAULTS[0].check, tmp_path)
    assert verdict.message
    assert not verdict.convicts


def test_a_fault_whose_place_is_gone_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"is not exactly once in batches\.py"):
        plant(dataclasses.replace(FAULTS[0], right="no such line"), tmp_path)
