"""One prompt, continued by every model of the book: what the landing page shows, as HTML."""

import html
from typing import NamedTuple

from bardgpt import records
from bardgpt.lab.ladder import RUNGS

PLAIN = "1"  # the temperature: as the model has learned it
SHOWN = 170  # characters, cut back to the last whole word: enough for a taste, few enough for ten


class Continuation(NamedTuple):
    """What one model made of the prompt.

    Attributes:
        title: of the model.
        loss: on the validation text, in nats per character.
        text: prompt and continuation.
    """

    title: str
    loss: float
    text: str


def continuations() -> list[Continuation]:
    """The continuations of every rung, of the best count table, and of the full model."""
    record, full = records.read("continuations"), records.full()
    asked, texts = record["experiment"], {of: text[PLAIN] for of, text in record["texts"].items()}
    table = records.tables()[asked["context"]]
    continued = [
        Continuation(rung.title, records.load(name).band().mean, texts[name])
        for name, rung in RUNGS.items()
    ]
    continued += [
        Continuation(f"counts, {asked['context']} before", table["validation"], texts["counts"]),
        Continuation("the full model", full.validation, full.results["text"]),
    ]
    return [one._replace(text=beginning(asked["prompt"] + one.text)) for one in continued]


def beginning(text: str) -> str:
    """As much of a text as is shown, without a broken word."""
    text = text[:SHOWN]
    return text[: max(text.rfind(" "), text.rfind("\n"))].rstrip() + " …"


def page() -> str:
    """The continuations as a list of HTML figures."""
    figures = [
        f'<figure class="continuation">\n<figcaption>{html.escape(one.title)} '
        f"<span>{one.loss:.3f}</span></figcaption>\n<pre>{html.escape(one.text)}</pre>\n</figure>"
        for one in continuations()
    ]
    return "\n".join(figures) + "\n"
