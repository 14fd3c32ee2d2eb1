"""What Matplotlib has drawn as SVG elements for a page: few bytes, its colours, text as text."""

import re
import xml.etree.ElementTree as ET
from html import escape
from io import BytesIO
from itertools import groupby

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from bardgpt.teaching.figures.names import HALO
from bardgpt.teaching.svg import paint

SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "bard"}  # the same ids each time
NUMBER = re.compile(r"-?\d+\.\d+")
REFERENCE = re.compile(r"#([\w-]+)")
LONG = 300  # characters of a path: so many points need no second decimal
LETTER = re.compile(
    r'<text x="(?P<x>[^"]*)" y="(?P<y>[^"]*)"(?P<style> style="[^"]*")>(?P<text>[^<&]|&\w+;)</text>'
)
LINES = "lines-"  # marks a text of several lines, with the side at which they are aligned
ANCHORS = {"left": (0, "start"), "center": (0.5, "middle"), "right": (1, "end")}
TRANSLATE = re.compile(r"translate\((?P<x>\S+) (?P<y>\S+)\)")
STYLE = re.compile(r' style="[^"]*"')
SINGLE = re.compile(r"<(path|text|use)\b[^>]*(/>|>[^<]*</text>)")
FONT = re.compile(r"([\d.]+)px")


def shapes(figure: Figure, stem: str) -> tuple[list[str], tuple[float, float]]:
    """The SVG elements of a figure, and the width and height that they take.

    Args:
        figure: drawn in colours of the palette; what lies behind its plots is left to the page.
        stem: of the ids.

    Raises:
        ValueError: if a colour is not in the palette, or a text is set as a formula.
    """
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
        for image in axes.images:
            image.set_interpolation("none")  # a cell is a pixel
    for text in figure.findobj(Text):
        if "\n" in text.get_text() and text.get_ha() in ANCHORS:
            text.set_gid(f"{LINES}{text.get_ha()}")
    file = BytesIO()
    with plt.rc_context(SETTINGS):
        facts = dict.fromkeys(["Date", "Creator", "Format", "Type"])
        figure.savefig(file, format="svg", metadata=facts, dpi=144)
    root = ET.fromstring(file.getvalue())
    for group in root.iterfind(".//{*}g"):
        _anchor_lines(group)
    _, _, width, height = map(float, root.get("viewBox").split())
    lines = "\n".join(_Writer(stem).children(root)).split("\n")
    return _styles_together(_letters_together(_words_last(lines))), (width, height)


def _local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def _rounded(text: str, digits: int = 2) -> str:
    return NUMBER.sub(lambda number: f"{round(float(number[0]), digits) + 0:g}", text)


class _Writer:
    """Writes elements without what a page does not need.

    Args:
        stem: of the ids, which are counted in the order in which they are met.
    """

    def __init__(self, stem: str) -> None:
        self.stem = stem
        self.ids: dict[str, str] = {}

    def children(self, element: ET.Element) -> list[str]:
        """The elements inside an element; what is empty is left out."""
        return [text for child in element if (text := self.element(child))]

    def element(self, element: ET.Element) -> str:
        """One element with all that is in it, or nothing."""
        tag = _local(element.tag)
        if tag in ("metadata", "style"):
            return ""
        attributes = self._attributes(element, tag)
        if tag == "text":
            if len(element):
                raise ValueError(
                    f"a text is set as a formula: {''.join(''.join(element.itertext()).split())}"
                )
            return self._written("text", attributes, [escape(element.text or "", quote=False)])
        inside = self.children(element)
        if tag in ("g", "defs") and not inside:
            return ""
        if element.get("id") == HALO:
            return f'<g class="bard-{HALO}">{"".join(inside)}</g>'
        if tag == "g":
            inside = ["\n".join(inside)]
            if "clip-path" not in attributes:
                return inside[0]
        return self._written(tag, attributes, inside)

    def _written(self, tag: str, attributes: dict[str, str], inside: list[str]) -> str:
        said = "".join(f' {name}="{value}"' for name, value in attributes.items())
        return f"<{tag}{said}>{''.join(inside)}</{tag}>" if inside else f"<{tag}{said}/>"

    def _attributes(self, element: ET.Element, tag: str) -> dict[str, str]:
        kept, style = {}, ""
        for name, value in element.items():
            match _local(name):
                case "id" if tag not in ("g", "text", "image"):
                    kept["id"] = self._own(value)
                case "id":
                    pass
                case "style":
                    style = f"{style}{value};"
                case "fill" | "stroke" as paint_of:
                    style = f"{style}{paint_of}:{value};"
                case "d":
                    digits = 1 if len(value) > LONG else 2
                    kept["d"] = re.sub(r"\s*([A-Za-z])\s*", r"\1", _rounded(value, digits)).strip()
                case "transform":
                    turned = _rounded(re.sub(r"rotate\(-0(\.0)? [^)]*\)", "", value)).strip()
                    kept |= {"transform": turned} if turned else {}
                case "href" if value.startswith("data:"):
                    kept |= {"href": value.replace("\n", ""), "preserveAspectRatio": "none"}
                    style = "image-rendering:pixelated;"
                case "href" | "clip-path" as reference:
                    kept[reference] = self._referred(value)
                case other:  # a mark may be a twentieth of a point off
                    kept[other] = _rounded(value, 1 if tag == "use" else 2)
        if style:
            kept |= {"style": said} if (said := self._style(style, words=tag == "text")) else {}
        return kept

    def _referred(self, value: str) -> str:
        return REFERENCE.sub(lambda reference: f"#{self._own(reference[1])}", value)

    def _own(self, name: str) -> str:
        """An id of this picture for one of Matplotlib's."""
        return self.ids.setdefault(name, f"{self.stem}-{len(self.ids)}")

    def _style(self, style: str, *, words: bool) -> str:
        kept = {}
        for one in style.split(";"):
            name, _, value = (part.strip() for part in one.partition(":"))
            if name in ("fill", "stroke") and not value.startswith("url"):
                kept[name] = paint(value, words=words)
            elif name in ("fill", "stroke"):
                kept[name] = self._referred(value)
            elif name.startswith("font"):  # older versions: all in one
                kept |= _font(name, value)
            elif name and (name, value) != ("stroke-dashoffset", "0"):
                kept[name] = _rounded(value)
        return ";".join(f"{name}:{value}" for name, value in kept.items())


def _anchor_lines(group: ET.Element) -> None:
    """Let lines below each other end, or have their middle, where they do in Matplotlib's font.

    Of a text of several lines it writes where each begins, which is right in that font alone.
    """
    side = group.get("id", "").removeprefix(LINES)
    for text in group if side in ANCHORS else ():
        place = TRANSLATE.fullmatch(text.attrib.pop("transform"))
        style = text.get("style")
        font = FontProperties(
            size=float(FONT.search(style)[1]), weight="bold" if "font-weight" in style else "normal"
        )
        width, _, _ = text_to_path.get_text_width_height_descent(text.text, font, ismath=False)
        share, anchor = ANCHORS[side]
        text.attrib |= {"x": f"{float(place['x']) + share * width:.2f}", "y": place["y"]}
        text.set("style", f"{style}; text-anchor: {anchor}")


def _words_last(elements: list[str]) -> list[str]:
    """Elements below each other; where lines and texts take turns, first the lines, then the texts.

    So do the grid and its numbers, and then each kind has neighbours of its own style.
    """
    kept: list[str] = []
    for is_single, run in groupby(elements, lambda each: bool(SINGLE.fullmatch(each))):
        same = list(run)
        kept += sorted(same, key=lambda each: each.startswith("<text")) if is_single else same
    return kept


def _letters_together(elements: list[str]) -> list[str]:
    """Elements below each other; neighbouring texts of one letter become one, with many places."""
    kept: list[str] = []
    alike = groupby(elements, lambda each: (letter := LETTER.fullmatch(each)) and letter["style"])
    for style, run in alike:
        same = list(run)
        if style:
            letters = [LETTER.fullmatch(each) for each in same]
            x, y = (" ".join(letter[axis] for letter in letters) for axis in ("x", "y"))
            y = y if len({*y.split()}) > 1 else letters[0]["y"]
            text = "".join(letter["text"] for letter in letters)
            same = [f'<text x="{x}" y="{y}"{style}>{text}</text>']
        kept += same
    return kept


def _styles_together(elements: list[str]) -> list[str]:
    """Elements below each other; three and more with one style have it from a group around them."""
    kept: list[str] = []
    for style, run in groupby(elements, _own_style):
        same = list(run)
        if style and len(same) > 2:
            same = [f"<g{style}>{''.join(each.replace(style, '') for each in same)}</g>"]
        kept += same
    return kept


def _own_style(element: str) -> str:
    """The style of a single shape or text, if it has one."""
    found = STYLE.search(element) if SINGLE.fullmatch(element) else None
    return found[0] if found else ""


def _font(name: str, value: str) -> dict[str, str]:
    """Of a font its size and weight, and whether all its letters are equally wide."""
    found = {}
    if size := FONT.search(value):
        found["font-size"] = f"{float(size[1]):g}px"
    if weight := re.search(r"\b(bold|[6-9]00)\b", value):
        found["font-weight"] = weight[1]
    if name in ("font", "font-family") and "Mono" in value.partition(",")[0]:
        found["font-family"] = "monospace"
    return found
