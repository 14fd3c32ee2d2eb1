"""The claims of the lecture notes, a row each: what is claimed, where it is tested, what came out.

`page` writes `book/claims.md` from the records, so that no figure on it is typed by hand.
"""

from bardgpt.teaching.claims import (
    dropout,
    feed_forward,
    heads,
    layer_norm,
    residual,
    scaling,
    wiring,
)
from bardgpt.teaching.claims.claim import Claim

CLAIMS: tuple[Claim, ...] = (
    *heads.CLAIMS,
    *feed_forward.CLAIMS,
    *residual.CLAIMS,
    *layer_norm.CLAIMS,
    *wiring.CLAIMS,
    *dropout.CLAIMS,
    *scaling.CLAIMS,
)


def page() -> str:
    """The claims page, as Markdown."""
    rows = [
        f"| {claim.id} | {claim.statement} | [{int(claim.chapter[:2])}]({claim.chapter}.ipynb) "
        f"| {claim.finding()} |"
        for claim in CLAIMS
    ]
    return "\n".join(
        [
            "# Claims",
            "",
            "Every claim of the lecture notes that this book grows out of, where it is tested, and "
            "what came out. Figures are means and standard deviations over recorded runs; what has "
            "none is exact and asserted by a cell.",
            "",
            "| id | claim | chapter | what came out |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )
