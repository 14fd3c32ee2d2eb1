"""Chapter 7: the three places of a norm, each with its formula and its line of code."""

from bardgpt.teaching.live.toys.frame import Toy, says
from bardgpt.teaching.palette import COLOURS
from bardgpt.teaching.svg import paint

# By place: its name, the formula, what follows, and where the norm is drawn (None: nowhere).
PLACES = {
    "after": (
        "Post-norm",
        "norm(x + f(x))",
        "The norm lies on the stream: what is added passes it, and what was there before, too.",
        (283, 85),
    ),
    "before": (
        "Pre-norm",
        "x + f(norm(x))",
        "The norm lies on the branch: the stream itself has nothing on it but additions.",
        (93, 30),
    ),
    "nowhere": (
        "No norm",
        "x + f(x)",
        "The branch gets the stream as it is, of whatever size.",
        None,
    ),
}
FIRST = "before"


def toy_norm_place() -> Toy:
    """A block's drawing, in which the reader chooses the place of the norm.

    Returns:
        An object that a cell shows.
    """
    sentences = {
        place: f"{name}: {formula}. {rest}" for place, (name, formula, rest, _) in PLACES.items()
    }
    heads = {"after": "after the addition", "before": "before the branch", "nowhere": "nowhere"}
    rows = "".join(
        f'<tr data-place="{place}"{_current(place)}><th scope="row"><label>'
        f'<input type="radio" name="place" value="{place}"{_checked(place)} data-hand hidden>'
        f"<span>{heads[place]}</span></label></th><td><code>x = {formula}</code></td>"
        f"<td>{name}</td></tr>\n"
        for place, (name, formula, _, _) in PLACES.items()
    )
    return Toy(
        "norm-place",
        "Toy: the place of the norm in a block",
        f'{_drawing()}<table class="toy-table toy-places"><caption>The norm stands</caption>\n'
        f"<tbody>\n{rows}</tbody></table>\n{says(sentences[FIRST])}",
        {
            "words": sentences,
            "at": {place: at for place, (_, _, _, at) in PLACES.items()},
        },
    )


def _current(place: str) -> str:
    return ' aria-current="true"' if place == FIRST else ""


def _checked(place: str) -> str:
    return " checked" if place == FIRST else ""


def _drawing() -> str:
    """A block: the stream below, the branch above, and the norm where it begins."""
    _, _, _, (x, y) = PLACES[FIRST]
    line = f"fill:none;stroke:{paint(COLOURS['ink'])};stroke-width:2"
    box = f"fill:{paint(COLOURS['paper'])};stroke:{{0}};stroke-width:2"
    text = f"fill:{paint(COLOURS['ink'])};font-size:15px;text-anchor:middle"
    stream = f"fill:none;stroke:{paint(COLOURS['stream'])};stroke-width:4"
    return (
        '<svg viewBox="0 0 340 115" aria-hidden="true" style="display:block;width:100%;'
        'max-width:28rem;height:auto;margin:0 auto">'
        f'<path d="M8 85H330" style="{stream}"/><path d="M322 78l9 7l-9 7" style="{stream}"/>'
        f'<path d="M40 85V30H222V72" style="{line}"/>'
        f'<rect x="142" y="14" width="52" height="32" rx="4" '
        f'style="{box.format(paint(COLOURS["value"]))}"/>'
        f'<text x="168" y="35" style="{text}">f</text>'
        f'<circle cx="222" cy="85" r="13" style="{box.format(paint(COLOURS["stream"]))}"/>'
        f'<text x="222" y="90" style="{text}">+</text>'
        f'<text x="14" y="108" style="{text}">x</text>'
        f'<g data-norm style="transform:translate({x}px,{y}px)">'
        f'<rect x="-32" y="-16" width="64" height="32" rx="4" '
        f'style="{box.format(paint(COLOURS["norm"]))}"/>'
        f'<text y="5" style="{text}">norm</text></g></svg>\n'
    )
