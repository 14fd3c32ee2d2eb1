"""Listings, diagrams, figures and the ladder: what chapters show."""

from io import BytesIO

import matplotlib.pyplot as plt
import pytest
import torch
from test_bench import SPEEDS

from bardgpt import records
from bardgpt import shakespeare as text
from bardgpt.gpt import GPT
from bardgpt.lab import ladder
from bardgpt.records.band import Band
from bardgpt.teaching import figures, listing
from bardgpt.teaching.palette import COLOURS


def test_listing_is_the_source_under_its_modules_name():
    shown = listing(GPT.forward, text.shakespeare)
    assert shown.source.startswith(
        "# bardgpt.gpt\ndef forward(self, ids: Tensor, start: int = 0) -> Tensor:"
    )
    assert "\n\n# bardgpt.shakespeare\n@cache\ndef shakespeare()" in shown.source
    assert shown._repr_markdown_() == f"```python\n{shown.source}\n```"
    assert repr(shown) == shown.source


def test_no_diagram_of_that_name():
    with pytest.raises(KeyError, match=r"no diagram 'x'; there are \[.*'windows'\]"):
        figures.diagram("x")


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", ["ink", "muted"])
def test_text_has_contrast(name):
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    light, dark = luminance(COLOURS["paper"]), luminance(COLOURS[name])
    assert (light + 0.05) / (dark + 0.05) >= 4.5


TIMES = ("first", "again")  # of a name in a window
FORM = {  # of `plays.form`
    name: Band(0.5, 0.1, 5)
    for name in ("speaker lines", "characters per spoken line", "known words", "longest copy")
}


def a_figure(name):
    record = records.load("bigram")
    bands = [Band(0.1 * i, 0.01, 5) for i in range(6)]
    return {
        "frequencies": lambda: figures.frequencies(torch.arange(1, 4), "a \n"),
        "bigram_table": lambda: figures.bigram_table(torch.full((3, 3), 1 / 3), "a \n"),
        "count_ladder": lambda: figures.count_ladder([3.0, 2.0], [3.1, 2.2], 4.17),
        "branches_over_training": lambda: figures.branches_over_training(
            records.load_sweep("coming-online"), ["zero"]
        ),
        "gradients_by_depth": lambda: figures.gradients_by_depth(
            {"plain": ("small-plain-default", "plain")}
        ),
        "losses_by_depth": lambda: figures.losses_by_depth(
            records.load_sweep("depths"), {"level": 3.3}
        ),
        "descent": lambda: figures.descent({"rate 1": torch.tensor([1.0, 0.1])}),
        "keys_chosen": lambda: figures.keys_chosen({"scaled": torch.tensor([0.3, 0.7])}),
        "runs_compared": lambda: figures.runs_compared(
            {"rung": record}, {"level": 2.48}, zoom=(2.4, 3.0)
        ),
        "training_runs": lambda: figures.training_runs(record, {"level": 2.48}, zoom=(2.4, 3.0)),
        "known_words": lambda: figures.known_words(bands, bands[1], 0.93),
        "maps": lambda: figures.maps(torch.full((4, 3, 3), 1 / 3), "a \n"),
        "head_profiles": lambda: figures.head_profiles(
            torch.full((4, 8), 1 / 8), torch.full((4, 2), 1 / 2), ["vowel", "line break"]
        ),
        "head_spreads": lambda: figures.head_spreads({"trained": {"by distance": bands[1]}}),
        "jacobians": lambda: figures.jacobians({"layer": torch.eye(3)}, "a \n"),
        "seeds_compared": lambda: figures.seeds_compared({"one": record, "two": record}),
        "leads": lambda: figures.leads(record, {"one": record}),
        "firing": lambda: figures.firing("a \n", {"unit": torch.tensor([0.0, 1.0, 2.0])}),
        "unit_scores": lambda: figures.unit_scores({"chosen": {"a vowel": bands[1]}}),
        "gradients_at_start": lambda: figures.gradients_at_start({"start": ("small", "xavier")}),
        "streams_by_depth": lambda: figures.streams_by_depth({"start": {"pre-norm": bands}}),
        "rate_sweep": lambda: figures.rate_sweep(records.load_sweep("rates"), 3.3),
        "step_speeds": lambda: figures.step_speeds(SPEEDS, ["slow", "fast"], than="slow"),
        "stream_sizes": lambda: figures.stream_sizes({"0 steps": bands}, {"default": bands}),
        "mode_gaps": lambda: figures.mode_gaps({"layer norm": ("norm", {8: [0.0], 32: [0.0]})}),
        "who_moves": lambda: figures.who_moves({"layer norm": torch.eye(3)}, changed=(1, 1)),
        "norm_gains": lambda: figures.norm_gains(records.load("post-norm"), [*"123456"]),
        "gaps": lambda: figures.gaps({"p = 0": records.load_sweep("dropout")["slice-0"]}),
        "ensembles": lambda: figures.ensembles(records.load_sweep("dropout")["slice-0.2"]),
        "ladder": lambda: figures.ladder("four-heads"),
        "full_run": lambda: figures.full_run(
            [{"step": 0, "validation": 4.2}, {"step": 9, "train": 2.0}], 10
        ),
        "loss_by_position": lambda: figures.loss_by_position([2.0] * 8, [3.3, 2.5]),
        "name_losses": lambda: figures.name_losses(
            {f"{kind}, {time}": [2.0, None] for kind in ("known", "new") for time in TIMES}, 1.4
        ),
        "forms": lambda: figures.forms({"a model": FORM, "real text": FORM}),
        "plays": lambda: figures.plays({"one": 0, "two": 10}, 20, 15),
        "losses_by_kind": lambda: figures.losses_by_kind({c: [3.0, 2.0] for c in "abc"}),
    }[name]()


# Figures with names on one axis instead of numbers.
NAMED = {"ladder": "y", "head_spreads": "x", "step_speeds": "y", "plays": "y", "forms": "y"}


@pytest.mark.parametrize("name", sorted({*figures.__all__} - {"diagram", "passage"}))
def test_figure_names_its_axes_and_can_be_drawn(name):
    """Rungs and states have names on their axis instead of a label."""
    figure = a_figure(name)
    labels = {
        "x": any(axes.get_xlabel() for axes in figure.axes),
        "y": bool(figure.axes[0].get_ylabel()),
    }
    if name in NAMED:
        axis = NAMED[name]
        labels[axis] = all(
            any(character.isalpha() for character in tick.get_text())
            for tick in getattr(figure.axes[0], f"get_{axis}ticklabels")()
        )
    assert labels == {"x": True, "y": True}
    figure.savefig(BytesIO(), format="png")


def test_a_figure_is_shown_once():
    """Left open, pyplot would draw it a second time at the end of its cell."""
    a_figure("descent")
    assert plt.get_fignums() == []


def test_ladder_text(shakespeare):
    assert shakespeare.tokenizer.vocab_size == ladder.VOCAB_SIZE
    assert all(rung.config.vocab_size == ladder.VOCAB_SIZE for rung in ladder.RUNGS.values())
    assert text.shakespeare() is shakespeare  # read once


def test_ladder_gains_one_piece_a_rung():
    """In the order of the chapters; neighbours differ in what the chapter is about."""
    rungs = list(ladder.RUNGS.values())
    assert [rung.chapter for rung in rungs] == sorted(rung.chapter for rung in rungs)
    gained = []
    for before, after in zip(rungs, rungs[1:], strict=False):
        old, new = vars(before.config), vars(after.config)
        gained.append({field: new[field] for field in new if new[field] != old[field]})
    assert gained == [
        {"n_layer": 1, "positions": True},
        {"n_head": 4},
        {"feed_forward": "one-layer"},
        {"n_layer": 3, "projection": True, "feed_forward": "two-layer"},
        {"block": "residual"},
        {"block": "post-norm"},
        {"block": "pre-norm", "final_norm": True},
    ]
