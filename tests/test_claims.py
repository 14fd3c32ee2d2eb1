"""The claims page: complete, from the records, and each claim at home in a chapter."""

from pathlib import Path

import pytest
from _pages import claims

ROOT = Path(__file__).parent.parent
# The ids that the chapters so far owe a row.
OWED = {
    "03-multi-head-attention": [f"mha-{i}" for i in range(1, 6)],
    "04-feed-forward": [f"ffn-{i}" for i in range(1, 5)],
    "05-residual-connections": [f"res-{i}" for i in range(1, 6)],
    "06-layer-normalization": [f"ln-{i}" for i in range(1, 6)],
    "07-pre-and-post-norm": [f"pp-{i}" for i in range(1, 4)],
    "08-dropout": [f"drop-{i}" for i in range(1, 5)],
    "09-scaling-up": [f"scale-{i}" for i in range(1, 4)],
}


def test_every_claim_of_the_chapters_has_a_row():
    there = {claim.id for claim in claims.CLAIMS}
    for chapter, ids in OWED.items():
        assert (ROOT / "book" / f"{chapter}.py").is_file()
        assert set(ids) <= there


def test_no_chapter_with_claims_is_forgotten():
    assert {claim.chapter for claim in claims.CLAIMS} == OWED.keys()


def test_ids_are_unique():
    ids = [claim.id for claim in claims.CLAIMS]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.id)
def test_the_chapter_names_the_claim(claim):
    assert claim.id in (ROOT / "book" / f"{claim.chapter}.py").read_text(encoding="utf-8")
