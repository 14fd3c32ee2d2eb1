"""The still picture of a writer: for each model its name, its loss, and what it wrote once."""

from dataclasses import dataclass
from html import escape

from bardgpt.teaching.live.models import LiveModel, live_model

SHOWN = 260  # characters, cut back to the last whole word
VOICE = "font-family: Georgia, serif; white-space: pre-wrap; overflow-wrap: anywhere"


@dataclass(frozen=True)
class Still:
    """What one model wrote.

    Attributes:
        model: its name.
        title: how the page calls it.
        loss: on the validation text, in nats per character.
        prompt: what stood before.
        text: what it wrote.
    """

    model: str
    title: str
    loss: float
    prompt: str
    text: str

    def html(self) -> str:
        """The picture as an HTML figure."""
        given = f"<b>{escape(self.prompt)}</b>" if self.prompt else ""
        return (
            f'<figure class="writer-text" data-model="{self.model}">\n'
            f"<figcaption><b>{escape(self.title)}</b> <span>loss {self.loss:.3f}</span>"
            f'</figcaption>\n<p class="voice" style="{VOICE}">{given}{escape(self.text)}</p>\n'
            "</figure>\n"
        )


@dataclass(frozen=True)
class Writer:
    """A writer, which a notebook or website shows as HTML.

    Attributes:
        prompt: what the reader finds to begin with.
        pictures: one or two.
        is_compact: whether its controls are folded, as on the landing page.
    """

    prompt: str
    pictures: tuple[Still, ...]
    is_compact: bool = False

    def html(self) -> str:
        """The element, with its still picture inside."""
        compact = " compact" if self.is_compact else ""
        return (
            f'<bard-writer prompt="{escape(self.prompt)}"{compact}>\n<div class="live-stage">\n'
            f"{''.join(picture.html() for picture in self.pictures)}</div>\n</bard-writer>\n"
        )

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        return f"<Writer: {' and '.join(picture.model for picture in self.pictures)}>"


def still_of(name: str, model: LiveModel) -> Still:
    """The beginning of what a model wrote when it was recorded."""
    text = model.text[:SHOWN]
    text = text[: max(text.rfind(" "), text.rfind("\n"))].rstrip() + " …"
    return Still(name, model.title, model.loss, model.prompt, text)


def writer(model: str, beside: str | None = None, prompt: str | None = None) -> Writer:
    """A text that goes on by a model of the book, or by two side by side.

    Args:
        model: "counts-0" to "counts-5", a rung's name, or "full".
        beside: likewise.
        prompt: what the reader finds there to begin with; what the models were recorded with if
            none is given. The still picture shows what they wrote then.

    Returns:
        An object that a cell shows.

    Raises:
        ValueError: if there is no such model; says which there are.
        FileNotFoundError: if a record is not there.
    """
    names = [model] if beside is None else [model, beside]
    models = {name: live_model(name) for name in names}
    if prompt is None:
        prompt = live_model("full").prompt
    return Writer(prompt, tuple(still_of(name, one) for name, one in models.items()))
