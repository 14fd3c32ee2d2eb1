"""What the landing page shows before a word is read: where it begins, where it ends, what counts.

Two texts, the first model's and the last one's, and four bars.
"""

import math
from dataclasses import replace

from bardgpt import records
from bardgpt.corpus import VOCAB_SIZE
from bardgpt.lab.ladder import RUNGS
from bardgpt.teaching.live import Still, Writer, writer

LINES, WIDTH = 3, 40  # of a continuation: lines that are not empty, and characters of each


def lines(text: str) -> list[str]:
    """A prompt, and the first few lines after it that are not empty, each cut to whole words."""
    whole = [line for line in text.splitlines() if line]
    short = [line if len(line) <= WIDTH else line[: line.rfind(" ", 0, WIDTH)] for line in whole]
    return short[: 1 + LINES]


def texts() -> str:
    """What the first model and the last one make of the prompt, in a writer."""
    whole = writer("bigram", beside="full")
    return Writer(whole.prompt, tuple(map(_shortened, whole.pictures)), is_compact=True).html()


def _shortened(picture: Still) -> Still:
    shown = "\n".join(lines(picture.prompt + picture.text))
    return replace(picture, text=shown.removeprefix(picture.prompt))


def bars() -> str:
    """Four losses, each with its name, its length and its number, as an HTML list."""
    table, full = records.best_table(), records.full().validation
    small = min(records.load(name).band().mean for name in RUNGS)
    losses = [
        ("count", "uniform guess", math.log(VOCAB_SIZE)),
        ("model", "the best small network", small),
        ("count", "the best table of counts", table["validation"]),
        ("model", "the full model, chapter 9", full),
    ]
    longest = max(loss for _, _, loss in losses)
    rows = "".join(
        f'<li><span class="name">{name}</span>'
        f'<span class="bar {role}" style="width: {loss / longest:.2%}"></span>'
        f'<span class="number">{loss:.3f}</span></li>\n'
        for role, name, loss in losses
    )
    return f'<ul class="landing-bars">\n{rows}</ul>\n'
