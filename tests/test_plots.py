"""Plots as a page shows them: both drawings of each keep the rules, and each rule sees a fault."""

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache, partial
from html import escape

import matplotlib.pyplot as plt
import notebooks
import pytest
from _ext import bardgpt_pages
from docutils import nodes
from docutils.utils import new_document
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path
from plots import EXAMPLES

from bardgpt.teaching import figures
from bardgpt.teaching.figures.names import beside_curves, power, upright
from bardgpt.teaching.figures.plot import plot
from bardgpt.teaching.figures.style import STYLE, canvas
from bardgpt.teaching.palette import COLOURS, HUES, WORDS

SVG = "{http://www.w3.org/2000/svg}"
LEAST_LETTER = 11  # pixels, as shown
PHONE = 328  # pixels: the column at 360
SWITCH = 36 * 16  # pixels: the column in which the wide drawing begins
SEEN = "Three plots: one < two & three."
MOST_BYTES = 120_000  # of both drawings
ALLOWED = {
    f"var(--bard-{name}{end}, {light})"
    for table, end in ((HUES, ""), (WORDS, "-text"))
    for name, (light, _) in table.items()
}
COLOURED = re.compile(r"(?:fill|stroke|color)\s*[:=]\s*\"?\s*(var\([^)]*\)|url\([^)]*\)|[^;\"]+)")


@cache
def shown(name: str) -> str:
    return EXAMPLES[name]()._repr_html_()


def drawings(html: str) -> dict[str, ET.Element]:
    """The drawings by width; a page's parser is more patient than this one."""
    found = list(ET.fromstring(html).iter(f"{SVG}svg"))
    return {drawing.get("class").rpartition("-")[2]: drawing for drawing in found}


def letters(drawing: ET.Element) -> Iterator[tuple[ET.Element, float, str]]:
    """Each text with its size and its style, which neighbours have from a group around them."""
    for around in drawing.iter():
        for text in around.findall(f"{SVG}text"):
            style = text.get("style", around.get("style", ""))
            size = re.search(r"font-size:([\d.]+)px", style)
            yield text, float(size[1]) if size else float(drawing.get("font-size")), style


def box(drawing: ET.Element) -> tuple[float, float]:
    return tuple(map(float, drawing.get("viewBox").split()[2:]))


# The rules: each yields what is wrong with a plot's HTML.


def two_drawings(html: str) -> Iterator[str]:
    widths = {name: box(drawing)[0] for name, drawing in drawings(html).items()}
    if widths != {"wide": 504, "narrow": 252}:
        yield f"drawings are {widths} units wide"
    if html.count("<style>") != 1:
        yield "one style sheet chooses between them"


def says_what_it_shows(html: str) -> Iterator[str]:
    for name, drawing in drawings(html).items():
        title, description = drawing.find(f"{SVG}title"), drawing.find(f"{SVG}desc")
        if drawing.get("role") != "img":
            yield f"{name}: no picture to a screen reader"
        if title is None or not title.text or drawing.get("aria-labelledby") != title.get("id"):
            yield f"{name}: no title"
        seen = description is not None and len(description.text or "") > 20
        if not seen or drawing.get("aria-describedby") != description.get("id"):
            yield f"{name}: no description"
        if drawing[-1].get("aria-hidden") != "true" or drawing.find(f"{SVG}text") is not None:
            yield f"{name}: its shapes are read out one by one"


def colours_are_the_page_s(html: str) -> Iterator[str]:
    for found in COLOURED.finditer(re.sub(r"(?s)<style>.*?</style>", "", html)):
        colour = found[1].strip()
        if colour not in ALLOWED and colour != "none" and not colour.startswith("url("):
            yield f"colour {colour}"


def letters_can_be_read(html: str) -> Iterator[str]:
    for (name, drawing), column in itertools.product(drawings(html).items(), (PHONE, SWITCH)):
        if (name == "narrow") == (column == PHONE):
            scale = column / box(drawing)[0]
            for text, size, _ in letters(drawing):
                if size * scale < LEAST_LETTER:
                    yield f"{name}: {text.text} is {size * scale:.1f} pixels high"


def letters_are_inside(html: str) -> Iterator[str]:
    for name, drawing in drawings(html).items():
        width, height = box(drawing)
        for text, size, style in letters(drawing):
            if "rotate" in text.get("transform", ""):
                yield f"{name}: {text.text} is turned"
            if " " in text.get("x"):
                continue  # letters, each at its own place
            font = FontProperties(weight="bold" if "bold" in style else "normal")
            font.set_size(size)
            long, _, _ = text_to_path.get_text_width_height_descent(text.text, font, ismath=False)
            share = 0.5 if "middle" in style else 1 if "anchor:end" in style else 0
            left = float(text.get("x")) - share * long
            if left < -3 or left + long > width + 3 or not 0 < float(text.get("y")) <= height:
                yield f"{name}: {text.text} begins at {left:.0f}, ends at {left + long:.0f}"


def ids_are_its_own(html: str) -> Iterator[str]:
    found = re.findall(r'\bid="([^"]*)"', html)
    if twice := {name for name in found if found.count(name) > 1}:
        yield f"{twice} twice"
    for reference in re.findall(r'(?:href="#|url\(#|aria-\w+by=")([\w-]+)', html):
        if reference not in found:
            yield f"{reference} is not there"


def is_small(html: str) -> Iterator[str]:
    if len(html) > MOST_BYTES:
        yield f"{len(html):,} bytes, at most {MOST_BYTES:,}"
    marks = " ".join(re.findall(r'[\w-]+="[^"]*"', html))
    if found := re.search(r"metadata|matplotlib|DejaVu|\d\.\d{3}", marks):
        yield f"{found[0]} in it"


RULES = (
    two_drawings,
    says_what_it_shows,
    colours_are_the_page_s,
    letters_can_be_read,
    letters_are_inside,
    ids_are_its_own,
    is_small,
)


def test_every_plot_has_an_example():
    assert {*EXAMPLES} == {*figures.__all__} - {"diagram", "passage"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_plot_keeps_the_rules(name):
    html = shown(name)
    assert [f"{rule.__name__}: {fault}" for rule in RULES for fault in rule(html)] == []


FAULTS = {
    two_drawings: [('bard-narrow"', 'bard-small"'), ("</desc>", "</desc><style></style>")],
    says_what_it_shows: [
        ('role="img"', ""),
        ("<title id", "<title class"),
        ("aria-describedby", "aria-details"),
        ("<title", "<text>0.5</text><title"),
        (' aria-hidden="true"', ""),
    ],
    colours_are_the_page_s: [
        ("var(--bard-model, #2846a0)", "#2846a0"),
        ("var(--bard-model, #2846a0)", "var(--bard-model, #2846a1)"),
        ("var(--bard-grid, #e1e4e7)", "white"),
    ],
    letters_can_be_read: [
        ("font-size:9.5px", "font-size:8px"),
        ("font-size:10px", "font-size:9px"),
    ],
    letters_are_inside: [
        (">validation text<", ">the loss on the validation text, all of it, at the end<"),
        ("<text ", '<text transform="rotate(-90 1 1)" '),
    ],
    ids_are_its_own: [("-0", "-9"), ('-title"', '-name"')],
    is_small: [("</svg>", " " * MOST_BYTES + "</svg>"), (' y="', ' font="DejaVu" y="')],
}


@pytest.mark.parametrize(
    ("rule", "right", "wrong"),
    [(rule, *fault) for rule, faults in FAULTS.items() for fault in faults],
    ids=lambda value: value.__name__ if callable(value) else str(value)[:20],
)
def test_rule_sees_a_fault(rule, right, wrong):
    html = shown("count_ladder")
    assert right in html
    assert not list(rule(html))
    assert list(rule(html.replace(right, wrong, 1)))


def test_every_rule_has_a_fault():
    assert {*FAULTS} == {*RULES}


def test_a_page_that_is_no_xml_is_seen():
    with pytest.raises(ET.ParseError):
        drawings(shown("count_ladder").replace("</title>", "", 1))


# What the two drawings differ in, and what stays.


def words(drawing: ET.Element) -> list[str]:
    return [text.text for text in drawing.iter(f"{SVG}text")]


def test_plots_stand_below_each_other_on_a_phone():
    both, tops = drawings(shown("gaps")), {}
    for name, drawing in both.items():
        titles = [text for text in drawing.iter(f"{SVG}text") if text.text.startswith("p = ")]
        tops[name] = len({text.get("y") for text in titles}), len({t.get("x") for t in titles})
    assert tops == {"wide": (1, 3), "narrow": (3, 1)}
    assert box(both["narrow"])[1] > box(both["wide"])[1]


def test_names_stand_at_their_curves_in_the_colour_of_words():
    for drawing in drawings(shown("count_ladder")).values():
        halos = [g for g in drawing.iter(f"{SVG}g") if g.get("class") == "bard-halo"]
        at = {text.text: text for g in halos for text in g}
        assert {*at} == {"uniform guess", "validation text", "training text"}
        assert "--bard-residual-text" in at["training text"].get("style")
        assert len(list(drawing.iter(f"{SVG}text"))) == len(words(drawing))
        # The training text's loss is the lower one at the right, and so is its name.
        assert float(at["training text"].get("y")) > float(at["validation text"].get("y"))


def test_a_name_stands_at_the_mean_and_not_at_a_run_that_strays():
    """There is the most room around a run that lies far from the other curve."""

    @plot
    def runs():
        figure, axes = canvas()
        axes.plot([4, 4], color=COLOURS["key"])
        for run in (1, 9):
            axes.plot([run, run], color=COLOURS["model"], linewidth=1)
        axes.plot([5, 5], color=COLOURS["model"], linewidth=3, label="mean")
        axes.legend()
        return figure

    for drawing in drawings(runs()._repr_html_()).values():
        (name,) = [text for text in drawing.iter(f"{SVG}text") if text.text == "mean"]
        assert 0.25 < float(name.get("y")) / box(drawing)[1] < 0.75


def test_what_finds_no_room_at_its_curve_stays_in_the_legend():
    """Bars have no curve; a cloud of curves leaves no room."""
    for drawing in drawings(shown("plays")).values():
        assert {"training text", "validation text"} <= {*words(drawing)}
        assert not [g for g in drawing.iter(f"{SVG}g") if g.get("class") == "bard-halo"]

    @plot
    def crowded():
        figure, axes = canvas()
        for i in range(60):
            axes.plot([0, 1, 2], [i, 60 - i, i], color=COLOURS["model" if i else "key"],
                      label={0: "first", 59: "last"}.get(i))  # fmt: skip
        axes.legend()
        return figure

    for drawing in drawings(crowded()._repr_html_()).values():
        assert {"first", "last"} <= {*words(drawing)}
        (handle, *_) = [p for p in drawing.iter(f"{SVG}path") if "bard-k," in p.get("style", "")]
        assert handle is not None


def test_names_of_curves_that_differ_in_their_dashes_are_all_in_the_legend():
    for drawing in drawings(shown("name_losses")).values():
        halos = [g for g in drawing.iter(f"{SVG}g") if g.get("class") == "bard-halo"]
        assert [text.text for g in halos for text in g] == ["all other text"]
        of_new = {"new, not yet in the window", "new, stands in the window"}
        of_known = {"known, not yet in the window", "known, stands in the window"}
        assert of_new | of_known <= {*words(drawing)}


def covers_a_mark(draw, words, half):
    """Whether a name at a curve comes nearer to the middle of a mark than half of it."""
    with plt.style.context(["default", STYLE]):
        figure = draw().wide
        upright(figure)
        beside_curves(figure)
        renderer, (axes,) = FigureCanvasAgg(figure).get_renderer(), figure.axes
        name = next(text for text in axes.texts if text.get_text() == words)
        covered = name.get_window_extent(renderer).padded(half)
        marks = [place for line in axes.lines for place in line.get_xydata()]
        return any(covered.contains(*axes.transData.transform(place)) for place in marks)


def test_names_keep_off_the_marks_of_runs():
    """One of three runs at 8 lies apart, below the line of means, where a name found room."""
    plain = {1: [2.30], 2: [2.37], 4: [3.05], 8: [3.066, 3.213, 3.229], 16: [3.349]}
    residual = {1: [2.26], 2: [2.20], 4: [2.16], 8: [2.13], 16: [2.13]}
    draw = partial(figures.losses_by_depth, {"plain": plain, "residual": residual}, {})
    assert not covers_a_mark(draw, "plain blocks", 2.5)


def test_names_keep_off_the_marks_of_their_own_curves():
    """A mark is wider than its line; below the last of these, at the edge, a name found room."""
    on_train = [3.31, 2.45, 1.9, 1.5, 1.24, 1.03]
    draw = partial(figures.count_ladder, on_train, [3.3] * 6, 4.17)
    assert not covers_a_mark(draw, "training text", 3)


def test_the_name_of_a_pale_curve_is_not_pale():
    for drawing in drawings(shown("stream_sizes")).values():
        halos = [g for g in drawing.iter(f"{SVG}g") if g.get("class") == "bard-halo"]
        names = [text for g in halos for text in g]
        assert names
        assert not [name.text for name in names if "opacity" in name.get("style")]


def test_names_of_axes_stand_upright_above_them_and_once():
    html = shown("gradients_at_start")
    for drawing in drawings(html).values():
        assert words(drawing).count("RMS of the gradient") == 1


def test_a_cell_is_a_pixel():
    """65 by 65 numbers, and not a picture of them as large as the screen."""
    image = re.search(r'<image [^>]*href="data:image/png;base64,([^"]*)"', shown("bigram_table"))
    assert len(image[1]) < 20_000
    assert shown("bigram_table").count("image-rendering:pixelated") >= 2


def test_letters_of_one_row_are_one_text():
    for drawing in drawings(shown("frequencies")).values():
        rows = [text for text in words(drawing) if len(text) > 15]
        assert sum(map(len, rows)) >= 65


def test_the_same_plot_is_the_same_each_time_and_another_has_other_ids():
    first = figures.count_ladder([3.0, 2.0], [3.25, 2.5], 4.0)
    again = figures.count_ladder([3.0, 2.0], [3.25, 2.5], 4.0)._repr_html_()
    assert first._repr_html_() == first._repr_html_() == again
    other = figures.count_ladder([3.0, 2.0], [3.25, 2.75], 4.0)._repr_html_()
    ids = [{*re.findall(r'\bid="([^"]*)"', html)} for html in (again, other)]
    assert not ids[0] & ids[1]


def test_a_plot_has_its_title_from_the_docstring_and_its_parts_in_the_description():
    made = EXAMPLES["count_ladder"]()
    assert (
        made.title
        == "Loss of the count tables with 0, 1, 2, … characters of context, on both splits"
    )
    assert repr(made) == f"<Plot count_ladder: {made.title}>"
    assert made.description() == (
        "Its parts and axes: loss (nats per character); characters of context."
    )
    assert not hasattr(made, "_repr_png_")


def test_the_reader_s_own_matplotlib_changes_nothing():
    before = EXAMPLES["known_words"]()._repr_html_()
    with plt.rc_context({"axes.facecolor": "#abcdef", "text.color": "red", "savefig.dpi": 30}):
        assert EXAMPLES["known_words"]()._repr_html_() == before
        assert plt.rcParams["axes.facecolor"] == "#abcdef"
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda axes: axes.plot([1, 2], color="red"), "#ff0000 is no colour of the palette"),
        (lambda axes: axes.set_title("$x^2$"), "a text is set as a formula: x2"),
    ],
)
def test_what_a_page_cannot_show_well_is_refused(draw, said):
    @plot
    def made():
        figure, axes = canvas()
        draw(axes)
        return figure

    with pytest.raises(ValueError, match=re.escape(said)):
        made()._repr_html_()


@pytest.mark.parametrize(
    ("value", "said"),
    {1: "1", 1_000: "1,000", 0.001: "0.001", 1e6: "10⁶", 1e-18: "10⁻¹⁸", 30: "30"}.items(),
)
def test_power_is_written_as_in_the_text(value, said):
    assert power(value) == said


# What a page and a notebook make of it.


def test_a_page_says_what_is_seen():
    cell = nodes.container(
        nb_element="cell_code", cell_metadata={"mystnb": {"image": {"alt": SEEN}}}
    )
    cell += nodes.raw("", shown("gaps"), format="html")
    document = new_document("chapter")
    document += cell
    bardgpt_pages.describe_plots(None, document, "chapter")
    said = [drawing.find(f"{SVG}desc").text for drawing in drawings(cell.astext()).values()]
    assert said == [SEEN] * 2
    assert cell.astext().replace(escape(SEEN), EXAMPLES["gaps"]().description()) == shown("gaps")


def test_a_notebook_keeps_a_word_for_a_plot_and_every_letter_of_a_drawing():
    stored = notebooks.without_plots(f"<p>before</p>{shown('gaps')}<p>after</p>")
    assert stored == "<p>before</p><p>(a plot: run the cell to see it)</p><p>after</p>"
    assert notebooks.without_plots(stored) == stored
    for name in ("windows", "heads", "rung-pre-norm"):
        drawing = figures.diagram(name)._repr_html_()
        assert notebooks.without_plots(drawing) == drawing
