"""The still picture of a reader: a text whose characters have the colour of what they cost.

Its colours and shapes are those of `book/_live/elements/ink.js` and `heads.js`, so that nothing
jumps when a script takes over.
"""

import json
from dataclasses import dataclass
from html import escape
from itertools import groupby

from bardgpt.config import GPTConfig
from bardgpt.teaching.live.models import LiveModel, live_model
from bardgpt.teaching.live.reading import SMALL, Looks, costs, looks
from bardgpt.teaching.live.still import VOICE
from bardgpt.teaching.palette import HUES

LONGEST = 2000  # characters of a text that is read in a page
UNITS = 512  # hidden units of a block: of more nothing can be seen
# Where nothing is given: from the last tenth of the text, which no model has learned from.
READ = """CALIBAN:
You taught me language; and my profit on't
Is, I know how to curse. The red plague rid you
For learning me your language!"""

STEPS = (0.5, 1.5, 3, 5)  # nats: from here on the next colour
# For where there is no style sheet; `book/_static/reader.css` has the same.
COLOURS = ("transparent", "#fdeccd", "#fad398", "#f4ac58", "#ea8430")
# Of 1 in 2, 4, 20 and 150, about e to the power of each step.
KEY = ("over 1 in 2", "to 1 in 4", "to 1 in 20", "to 1 in 150", "less")
SIGNS = {"\n": "↵", " ": "␣"}
CELL = "display:inline-block;min-width:2em;text-align:center;font-style:normal"


@dataclass(frozen=True)
class Reader:
    """A reader, which a notebook or website shows as HTML.

    Attributes:
        name: of the model.
        model: what is known of it.
        text: what the reader finds to begin with.
        costs: what each of its characters costs, in nats.
        folds: what lies folded below the bars: heads, hidden units.
        at: the chosen character, if one is.
        looks: where the heads looked there, if that is shown at once.
        has_switches: whether the reader can turn heads off.
    """

    name: str
    model: LiveModel
    text: str
    costs: list[float]
    folds: int
    at: int | None = None
    looks: Looks | None = None
    has_switches: bool = False

    @property
    def mean(self) -> float:
        """Nats per character."""
        return sum(self.costs) / len(self.costs)

    def html(self) -> str:
        """The element, with its still picture inside."""
        at = "" if self.at is None else f' at="{self.at}"'
        show = "" if self.looks is None else ' show="heads"'
        switches = " switches" if self.has_switches else ""
        colour = f"--bar-colour: var(--bard-{self.model.role})"
        mean = f"{self.mean:.3f} nats per character" if self.costs else "nothing to read"
        return (
            f'<bard-reader{at}{show}{switches} style="--folds: {self.folds}">\n'
            f'<figure class="reader-text" data-model="{self.name}" style="{colour}">\n'
            f"<figcaption><b>{escape(self.model.title)}</b> <span>{mean}</span></figcaption>\n"
            f'<p class="voice" style="{VOICE};background:var(--bard-paper,#fff);'
            f'color:var(--bard-ink,#222832)">{self._runs()}</p>\n{key()}</figure>\n'
            f"{self._heads()}</bard-reader>\n"
        )

    def _runs(self) -> str:
        """Neighbours of one colour are one run; a line's end stands alone, for it has a sign."""
        steps = [step(cost) for cost in self.costs]
        pairs = zip(self.text, steps, range(len(steps)), strict=True)
        runs = groupby(pairs, key=lambda pair: (pair[1], pair[2] if pair[0] == "\n" else -1))
        spans = []
        for (level, end), run in runs:
            part = escape("".join(character for character, _, _ in run), quote=False)
            sign = " data-end" if end >= 0 else ""
            spans.append(f'<span class="s{level}"{sign} style="{_colour(level)}">{part}</span>')
        return "".join(spans)

    def _heads(self) -> str:
        """The heads as rows, each character that they saw a column."""
        if self.looks is None:
            return ""
        seen, window = self.looks.seen, self.looks.window
        columns = "".join(f"<b>{escape(SIGNS.get(c, c))}</b>" for c in seen.rjust(window, "\0"))
        columns = columns.replace("\0", "")
        blocks = self.looks.weights.tolist()
        groups = "".join(
            f"<div>{f'<p>Block {i}</p>' if len(blocks) > 1 else ''}"
            + "".join(_head(n, weights, window) for n, weights in enumerate(heads, 1))
            + "</div>"
            for i, heads in enumerate(blocks, 1)
        )
        from_, to = (
            escape(SIGNS.get(c, c)) for c in (self.looks.seen[-1], self.text[self.at or 0])
        )
        return (
            f'<div class="heads"><p class="legend">From “{from_}”, to predict “{to}”</p>'
            f'<div class="columns"><span class="cells">{columns}</span></div>'
            f'<div class="groups">{groups}</div></div>\n'
        )

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        return f"<Reader: {self.name}, {len(self.text)} characters>"


def step(cost: float) -> int:
    """The colour of a cost: how many steps it has reached."""
    return sum(cost >= least for least in STEPS)


def _colour(level: int) -> str:
    return f"background:var(--bard-surprise-{level},{COLOURS[level]})"


def key() -> str:
    """What the colours mean."""
    shape = "display:inline-block;width:0.875rem"
    items = "".join(
        f'<li><i style="{_colour(level)};{shape}">&nbsp;</i> {words}</li>'
        for level, words in enumerate(KEY)
    )
    return f'<ul class="key" aria-label="Colours"><li>chance</li>{items}</ul>\n'


def _head(number: int, weights: list[float], window: int) -> str:
    """One head's row; the largest weight is written out."""
    most = weights.index(max(weights))
    cells = '<i class="none"></i>' * (window - len(weights))
    for i, weight in enumerate(weights):
        tint = f"color-mix(in oklab, {HUES['k'][0]} {58 * weight:.0f}%, transparent)"
        word = ("1" if weight >= 0.995 else f"{weight:.2f}"[1:]) if i == most else ""
        name = ' class="most"' if i == most else ""
        cells += f'<i{name} style="--w:{weight:.3f};{CELL};background:{tint}">{word}</i>'
    return (
        f'<div class="head"><span class="name">head {number}</span>'
        f'<span class="cells">{cells}</span></div>'
    )


def reader(
    model: str,
    text: str = READ,
    *,
    show: str = "surprise",
    at: int | None = None,
    switches: bool = False,
) -> Reader:
    """A text whose characters have the colour of what they cost a model of the book.

    Args:
        model: "counts-0" to "counts-5", a rung's name, or "full".
        text: what the reader finds to begin with.
        show: "surprise", or "heads": then where each head looked stands there at once.
        at: the chosen character, counted from 0; with heads, the last if none is given.
        switches: whether the reader can turn single heads off.

    Returns:
        An object that a cell shows.

    Raises:
        ValueError: if there is no such model, it has no heads that could be shown, the text is
            longer than what is read, or the chosen character is not in it.
        UnknownCharacterError: if the text has a character that the models have never seen.
        FileNotFoundError: if a record is not there.
    """
    about = live_model(model)
    if show not in ("surprise", "heads"):
        raise ValueError(f'show is {show!r}; it must be "surprise" or "heads"')
    if len(text) > LONGEST:
        raise ValueError(f"the text has {len(text)} characters; {LONGEST} are read")
    if show == "heads" and at is None:
        at = len(text) - 1
    if at is not None and not 0 <= at < len(text):
        raise ValueError(f"character {at} is not in a text of {len(text)}")
    n_heads, n_units, window = _size(about)
    if show == "heads" and (n_heads == 0 or window > SMALL):
        raise ValueError(f"{model} has no heads that could be shown at once")
    return Reader(
        model,
        about,
        text,
        costs(about, text),
        folds=(n_heads > 0) + (0 < n_units <= UNITS),
        at=at,
        looks=looks(about, text, at) if show == "heads" and at is not None else None,
        has_switches=switches,
    )


def _size(model: LiveModel) -> tuple[int, int, int]:
    """Heads, hidden units of a block, and characters of the window."""
    if model.folder is None:
        return 0, 0, 0
    about = (model.folder / "config.json").read_text(encoding="utf-8")
    config = GPTConfig.from_json(json.dumps(json.loads(about)["model"]))
    has_units = config.n_layer > 0 and config.feed_forward != "none"
    n_units = config.n_hidden if has_units else 0
    return config.n_layer * config.n_head, n_units, config.block_size
