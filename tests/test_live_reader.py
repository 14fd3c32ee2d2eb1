"""A reader's still picture: what each character costs, by another way than the picture's own."""

import math
import re
from pathlib import Path

import pytest
import torch

from bardgpt import pretrained
from bardgpt.lab.count_tables import CountTable
from bardgpt.lab.probes.attention import attention_maps
from bardgpt.sampling import stream
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching import live
from bardgpt.teaching.live import readers
from bardgpt.teaching.live.readers import COLOURS, STEPS, step
from bardgpt.teaching.live.reading import window_start
from bardgpt.tokenizer import UnknownCharacterError

BOOK = Path(__file__).resolve().parents[1] / "book"
RUN = re.compile(r'<span class="s(\d)"[^>]*>([^<]*)</span>')
TEXT = "ROMEO:\nWhat <light> & I?"


def test_costs_of_a_rung_are_those_of_its_windows_one_by_one():
    model, tokenizer = pretrained.load_rung("pre-norm")
    ids = tokenizer.encode("\n" + readers.READ)
    picture = live.reader("pre-norm")
    for j in (0, 1, 7, 8, 60, len(readers.READ) - 1):
        with torch.no_grad():
            logits = model(ids[None, max(0, j - 7) : j + 1])[0, -1]
        wanted = -logits.log_softmax(dim=-1)[ids[j + 1]].item()
        assert picture.costs[j] == pytest.approx(wanted, abs=1e-4)
    assert len(picture.costs) == len(readers.READ)


def test_costs_of_a_table_are_its_own():
    book = shakespeare()
    table = CountTable(book.train, 2, book.tokenizer.vocab_size)
    ids = book.tokenizer.encode("\n" + TEXT.replace("<", "").replace(">", ""))
    picture = live.reader("counts-2", TEXT.replace("<", "").replace(">", ""))
    wanted = [-math.log(table.probabilities(ids[:j])[ids[j]]) for j in range(1, len(ids))]
    assert picture.costs == pytest.approx(wanted)


def test_full_models_costs_are_those_of_one_pass():
    model, tokenizer = pretrained.load()
    text = readers.READ[:40]
    ids = tokenizer.encode("\n" + text)
    with torch.no_grad():
        logits = model(ids[None, :-1])[0]
    wanted = torch.nn.functional.cross_entropy(logits, ids[1:], reduction="none").tolist()
    assert live.reader("full", text).costs == pytest.approx(wanted, abs=1e-4)


def test_windows_are_those_of_writing():
    """Where a text is written one by one, the model sees what `stream` shows it."""
    seen = []

    class Spy(torch.nn.Module):
        config = pretrained.load_rung("bigram")[0].config

        def forward(self, ids, _start=0):
            seen.append(ids.shape[1])
            return torch.zeros(*ids.shape, 65)

    for block_size in (17, 32):
        seen.clear()
        spy = Spy()
        spy.config = type(spy.config)(vocab_size=65, n_layer=0, block_size=block_size)
        ids = stream(spy, torch.zeros(1, dtype=torch.long), cache=False)
        for _ in range(3 * block_size):
            next(ids)
        found = [j + 1 - window_start(j, block_size) for j in range(3 * block_size)]
        assert found == seen
    assert [window_start(j, 8) for j in (0, 7, 8, 30)] == [0, 0, 1, 23]


def test_colours_say_what_characters_cost():
    picture = live.reader("bigram", TEXT.replace("<", "").replace(">", ""))
    html = picture._repr_html_()
    runs = [(int(level), text.replace("&amp;", "&")) for level, text in RUN.findall(html)]
    assert "".join(text for _, text in runs) == picture.text
    assert [level for level, text in runs for _ in text] == [step(cost) for cost in picture.costs]
    assert [text for _, text in runs if "\n" in text] == ["\n"]
    assert f"<span>{sum(picture.costs) / len(picture.costs):.3f} nats per character</span>" in html
    assert html.rstrip().endswith("</bard-reader>")
    assert [step(cost) for cost in (0, 0.49, 0.5, 1.5, 3, 5, 90)] == [0, 0, 1, 2, 3, 4, 4]


def test_colours_and_steps_are_the_style_sheets_and_the_scripts():
    css = (BOOK / "_static/reader.css").read_text(encoding="utf-8")
    found = re.findall(r"--bard-surprise-\d: ([^;]+);", css)[: len(COLOURS)]
    assert tuple(found) == COLOURS
    ink = (BOOK / "_live/elements/ink.js").read_text(encoding="utf-8")
    assert f"const STEPS = {list(STEPS)};" in ink
    assert f"const LONGEST = {readers.LONGEST};" in (BOOK / "_live/elements/reader.js").read_text(
        encoding="utf-8"
    )


def test_heads_are_those_of_the_model():
    at = 34
    picture = live.reader("four-heads", show="heads", at=at)
    model, tokenizer = pretrained.load_rung("four-heads")
    window = tokenizer.encode(readers.READ[at - 8 : at])
    maps = attention_maps(model, window[None])[:, 0, :, -1]  # (1, 4, 8)
    assert picture.looks.seen == readers.READ[at - 8 : at]
    torch.testing.assert_close(picture.looks.weights, maps)
    html = picture.html()
    weights = [float(w) for w in re.findall(r'<i[^>]*style="--w:([\d.]+)', html)]
    assert weights == pytest.approx(maps.flatten().tolist(), abs=6e-4)
    assert re.findall(r"<b>(.)</b>", html)[:8] == list("guage; a".replace(" ", "␣"))
    assert 'at="34" show="heads"' in html
    most = maps[0, 0].max().item()
    assert f">{most:.2f}</i>".replace("0.", ".") in html


def test_a_window_that_is_filling_leaves_cells_empty():
    html = live.reader("pre-norm", "To be", show="heads", at=2).html()
    heads = 3 * 4
    assert html.count('<i class="none"></i>') == heads * 5
    assert html.count("<p>Block ") == 3


def test_room_for_what_is_folded():
    """Heads, and hidden units where there are some that can be seen."""
    folds = {name: live.reader(name, "To be").folds for name in ("counts-0", "bigram", "one-head")}
    assert folds == {"counts-0": 0, "bigram": 0, "one-head": 1}
    assert live.reader("feed-forward", "To be").folds == 2
    assert live.reader("full", "To be").folds == 1


def test_nothing_to_read_is_no_error():
    assert "nothing to read" in live.reader("bigram", "").html()
    assert repr(live.reader("bigram", "To")) == "<Reader: bigram, 2 characters>"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"model": "gpt-2"}, "no model 'gpt-2'; there are counts-0, .*, full"),
        ({"show": "all"}, "show is 'all'"),
        ({"text": "long " * 401}, "the text has 2005 characters; 2000 are read"),
        ({"at": 5, "text": "To be"}, "character 5 is not in a text of 5"),
        ({"model": "bigram", "show": "heads"}, "bigram has no heads"),
        ({"model": "counts-3", "show": "heads"}, "counts-3 has no heads"),
        ({"model": "full", "show": "heads"}, "full has no heads that could be shown at once"),
    ],
)
def test_what_cannot_be_is_refused(given, says):
    with pytest.raises(ValueError, match=says):
        live.reader(**{"model": "four-heads", **given})


def test_unknown_characters_are_named():
    with pytest.raises(UnknownCharacterError):
        live.reader("bigram", "né")


# A chapter stores a reader's picture. It must come out the same on another processor, whose last
# digits are others: so no number in it may lie where it is about to be rounded the other way.
NEAR = 1e-5  # ten times what float32 leaves open


def from_edge(number, digits):
    """How far a number is from the next one that is rounded the other way."""
    return abs(number * 10**digits % 1 - 0.5) / 10**digits


def in_chapters():
    for path in sorted(BOOK.glob("*.py")):
        for said in re.findall(r"^live\.reader\(.*\)$", path.read_text(encoding="utf-8"), re.M):
            yield pytest.param(said, id=f"{path.stem}: {said}")


@pytest.mark.parametrize("said", [*in_chapters()])
def test_no_number_of_a_chapters_reader_is_about_to_be_rounded_the_other_way(said):
    picture = eval(said, {"live": live})
    assert min(abs(cost - least) for cost in picture.costs for least in STEPS) > 20 * NEAR
    assert from_edge(picture.mean, 3) > NEAR
    if picture.looks is not None:
        weights = picture.looks.weights.double().flatten().tolist()
        assert min(from_edge(weight, 3) for weight in weights) > NEAR
        assert min(from_edge(58 * weight, 0) for weight in weights) > 58 * NEAR
        for row in picture.looks.weights.flatten(0, 1).sort(dim=-1).values.tolist():
            assert row[-1] - row[-2] > NEAR
            assert from_edge(row[-1], 2) > NEAR


def test_readers_are_in_the_chapters_that_read():
    assert {said.id[:2] for said in in_chapters()} == {"01", "02", "03", "09"}
