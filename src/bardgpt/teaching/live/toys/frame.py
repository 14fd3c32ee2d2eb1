"""What all toys share: the element around a still picture, numbers as a page shows them, controls.

A toy's picture and its controls are written here, once. In a page of the website the script
(`book/_live/elements/toys`) shows the controls and moves what is there; it draws nothing anew. So
what stands without it says the same, and nothing jumps when it comes.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from bardgpt.teaching.palette import COLOURS
from bardgpt.teaching.svg import paint

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Toy:
    """A picture that answers to the hand, which a notebook or website shows as HTML.

    Attributes:
        kind: which toy it is.
        label: what it is, for those who cannot see it.
        stage: its still picture, with the controls hidden in it.
        given: the numbers that it computes with.
    """

    kind: str
    label: str
    stage: str
    given: Mapping[str, Any]

    def html(self) -> str:
        """The element, with its still picture inside."""
        given = escape(json.dumps(self.given, separators=(",", ":")))
        return (
            f'<bard-toy kind="{self.kind}" role="group" aria-label="{escape(self.label)}" '
            f'data-given="{given}">\n<form class="toy-stage">\n{self.stage}</form>\n</bard-toy>\n'
        )

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        return f"<Toy: {self.kind}>"


def fixed(value: float, digits: int = 2) -> str:
    """A number with so many decimals, with a real minus sign, and never a negative zero."""
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", MINUS)


def bar(share: float, role: str, name: str = "bar") -> str:
    """A bar as long as a share of its well.

    Args:
        share: 0 to 1.
        role: what gives it its colour.
        name: by which the script finds it.
    """
    return (
        f'<span class="toy-well" style="display:block;height:1rem;background:{paint("#e1e4e7")}">'
        f'<span data-{name} style="display:block;height:100%;width:{100 * share:.2f}%;'
        f'background:{paint(COLOURS[role])}"></span></span>'
    )


def columns(
    names: Sequence[str], shares: Sequence[float], role: str, marks: Sequence[float] = ()
) -> str:
    """Bars that stand side by side, with a name and a number in per cent below each.

    Args:
        names: of characters.
        shares: as many, 0 to 1.
        role: what gives the bars their colour.
        marks: heights at which a line crosses the bars; as many, or none.
    """
    every = ""
    for i, (name, share) in enumerate(zip(names, shares, strict=True)):
        mark = (
            f'<span data-mark style="position:absolute;left:0;right:0;bottom:{100 * marks[i]:.2f}%;'
            f'border-top:2px solid {paint(COLOURS["ink"])}"></span>'
            if marks
            else ""
        )
        every += (
            '<span style="flex:1;min-width:0;text-align:center;line-height:1.3">'
            '<span style="display:block;position:relative;height:6rem;'
            f'border-bottom:1px solid {paint(COLOURS["edge"])}">'
            f'<span data-column style="position:absolute;bottom:0;left:0;right:0;'
            f'height:{100 * share:.2f}%;background:{paint(COLOURS[role])}"></span>{mark}</span>'
            f'<b class="toy-key">{escape(shown(name))}</b><br>'
            f"<span data-percent>{fixed(100 * share, 0)}</span></span>"
        )
    return f'<div class="toy-columns" style="display:flex;gap:3px">{every}</div>\n'


def shown(character: str) -> str:
    """A character as one sees it."""
    return {"\n": "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}", " ": "\N{OPEN BOX}"}.get(
        character, character
    )


def slider(
    name: str,
    label: str,
    span: tuple[float, float, float],
    value: float,
    *,
    says: str | None = None,
) -> str:
    """A slider, hidden until a script shows it.

    Args:
        name: of the control.
        label: what it sets.
        span: from, to, step.
        value: where it begins.
        says: beside the label, what it stands at; without it the slider stands alone, and the
            label is only heard.
    """
    low, high, step = span
    control = (
        f'<input type="range" name="{name}" min="{low:g}" max="{high:g}" step="{step:g}" '
        f'value="{value:g}" aria-label="{escape(label)}" {"" if says else "data-hand hidden"}>'
    )
    if says is None:
        return control
    return (
        f'<label class="toy-field"><span>{escape(label)}</span> '
        f'<span data-of="{name}">{says}</span>{control}</label>'
    )


def switch(name: str, label: str, *, is_on: bool) -> str:
    """A box to tick."""
    checked = " checked" if is_on else ""
    return (
        f'<label class="toy-switch"><input type="checkbox" name="{name}"{checked}>'
        f"<span>{escape(label)}</span></label>"
    )


def choice(name: str, label: str, options: Mapping[str, str], value: str) -> str:
    """A list to choose from: words by value."""
    words = "".join(
        f'<option value="{key}"{" selected" if key == value else ""}>{escape(word)}</option>'
        for key, word in options.items()
    )
    return (
        f'<label class="toy-field"><span>{escape(label)}</span> '
        f'<select name="{name}" aria-label="{escape(label)}">{words}</select></label>'
    )


def button(name: str, words: str) -> str:
    """A button that does what the script knows by its name."""
    return f'<button class="button" type="button" data-do="{name}">{escape(words)}</button>'


RESET = '<button class="button" type="reset">Back to the start</button>'


def hands(*controls: str) -> str:
    """Controls below each other or side by side, hidden until a script shows them."""
    return f'<div class="toy-hands" data-hand hidden>{"".join(controls)}</div>\n'


def says(words: str) -> str:
    """The sentence below a picture, whose numbers move along."""
    return f'<p class="toy-says">{words}</p>\n'
