"""The claims of the lecture notes, a row each: what is claimed, where it is tested, what came out.

`page` writes `book/claims.md` from the records, so that no figure on it is typed by hand.
"""

from itertools import groupby

from _pages.claims import attention, dropout, feed_forward, norms, residual, scaling, wiring
from _pages.claims.claim import Claim

CLAIMS: tuple[Claim, ...] = (
    *attention.CLAIMS,
    *feed_forward.CLAIMS,
    *residual.CLAIMS,
    *norms.CLAIMS,
    *wiring.CLAIMS,
    *dropout.CLAIMS,
    *scaling.CLAIMS,
)


def page() -> str:
    """The claims page, as Markdown: a table for each chapter."""
    lines = [
        "# Claims",
        "",
        "Every claim of the lecture notes that this book grows out of, with the chapter that tests "
        "it and what came out. The notes begin with several heads, so chapters 1 and 2 have no "
        "rows here.",
        "",
        "A figure with ± is a mean and a standard deviation over recorded runs; losses are in nats "
        "per character. What has no figure is exact, and a cell asserts it.",
        "",
    ]
    for chapter, claims in groupby(CLAIMS, key=lambda claim: claim.chapter):
        lines += [
            f"## Chapter {int(chapter[:2])}",
            "",
            "| id | claim | what came out |",
            "|---|---|---|",
            *(f"| [{c.id}]({chapter}.ipynb) | {c.statement} | {c.finding()} |" for c in claims),
            "",
        ]
    return "\n".join(lines)
