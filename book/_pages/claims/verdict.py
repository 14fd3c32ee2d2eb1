"""What a claim is worth here: three verdicts, and who reaches them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bardgpt.records.band import Band


@dataclass(frozen=True)
class Verdict:
    """What came of a claim.

    Attributes:
        words: as a reader sees it.
        sign: beside the words, for eyes that do not tell the colours.
        name: in the page's markup.
    """

    words: str
    sign: str
    name: str


HOLDS = Verdict("holds", "✓", "holds")
CONDITION = Verdict("holds with a condition", "◐", "condition")
FAILS = Verdict("does not hold here", "✗", "fails")
VERDICTS = (HOLDS, CONDITION, FAILS)


@dataclass(frozen=True)
class Judge:
    """How a claim is judged.

    Attributes:
        verdict: reads the records and reaches the verdict.
        sentences: what each verdict that may be reached says.
    """

    verdict: Callable[[], Verdict]
    sentences: Mapping[Verdict, str]


def clear(lead: Band) -> bool:
    """Whether a lead, seed by seed, is more than twice its spread."""
    return lead.mean > 2 * lead.sd
