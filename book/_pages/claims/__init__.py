"""The claims of the lecture notes: what is claimed, what came out, and where it is tested.

`page` writes `book/claims.md` from the records, so that no figure on it is typed by hand.
"""

from itertools import groupby

from _pages.claims import attention, dropout, feed_forward, norms, residual, scaling, wiring
from _pages.claims.claim import Claim
from _pages.claims.judges import JUDGES, WITH_A_CONDITION
from _pages.claims.verdict import CONDITION, HOLDS, VERDICTS, Verdict

CLAIMS: tuple[Claim, ...] = (
    *attention.CLAIMS,
    *feed_forward.CLAIMS,
    *residual.CLAIMS,
    *norms.CLAIMS,
    *wiring.CLAIMS,
    *dropout.CLAIMS,
    *scaling.CLAIMS,
)


LEAD = """\
# Claims

This book grows out of notes of Andrej Karpathy's [lecture](references.md#ng-video-lecture). Here \
is every claim of these lecture notes, and what came out. The notes begin with several heads, so \
chapters 1 and 2 have no claims here.

The verdicts follow from the recorded runs, by rules that are part of the book's code. What needs \
no runs is exact, and a cell of the chapter asserts it. The short name behind a claim leads to its \
chapter. A figure with ± is a mean and a standard \
deviation over runs; losses are in nats per character.
"""


def page() -> str:
    """The claims page, as Markdown: the claims of each chapter, below what chooses among them.

    What is chosen is shown by the style sheet alone, so that the page needs no script.
    """
    verdicts = [verdict_on(claim) for claim in CLAIMS]
    chapters = [chapter for chapter, _ in groupby(claim.chapter for claim in CLAIMS)]
    parts = [
        LEAD,
        '<div class="claims-filter">\n',
        choice(
            "verdict",
            "Verdict",
            [(v.name, f"{v.sign} {v.words} ({verdicts.count(v)})") for v in VERDICTS],
        ),
        choice("chapter", "Chapter", [(str(number(c)), str(number(c))) for c in chapters]),
        "</div>\n",
    ]
    for chapter, claims in groupby(CLAIMS, key=lambda claim: claim.chapter):
        parts += [f"## Chapter {number(chapter)}\n", *(entry(claim) for claim in claims)]
    return "\n".join(parts)


def number(chapter: str) -> int:
    """The number of a chapter, from its stem."""
    return int(chapter.partition("-")[0])


def choice(name: str, legend: str, options: list[tuple[str, str]]) -> str:
    """A row of buttons of which one is chosen, as HTML: all, or one of the options."""
    buttons = "\n".join(
        f'<label><input type="radio" name="{name}" value="{value}"{chosen} /> {words}</label>'
        for value, words, chosen in [
            ("all", f"all ({len(CLAIMS)})" if name == "verdict" else "all", ' checked="checked"'),
            *((value, words, "") for value, words in options),
        ]
    )
    return f"<fieldset>\n<legend>{legend}</legend>\n{buttons}\n</fieldset>"


def verdict_on(claim: Claim) -> Verdict:
    """What came of a claim: by its judge, or by the cell that asserts it."""
    if claim.id in JUDGES:
        return JUDGES[claim.id].verdict()
    return CONDITION if claim.id in WITH_A_CONDITION else HOLDS


def entry(claim: Claim) -> str:
    """A claim as Markdown: its verdict, the claim, one sentence, and the figures folded."""
    verdict = verdict_on(claim)
    if claim.id in JUDGES:
        said = (
            f"{JUDGES[claim.id].sentences[verdict]}\n\n"
            '<details class="fold figures">\n<summary>Figures</summary>\n\n'
            f"{claim.finding()}\n\n</details>"
        )
    else:
        said = claim.finding()
    return (
        f'<div class="claim {verdict.name}" id="{claim.id}">\n'
        f'<p class="verdict"><span aria-hidden="true">{verdict.sign}</span> {verdict.words}</p>\n'
        f"\n**{claim.statement}** [{claim.id}]({claim.chapter}.ipynb)\n\n{said}\n\n</div>\n"
    )
