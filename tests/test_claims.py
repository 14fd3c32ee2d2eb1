"""The claims page: complete, each claim at home in a chapter, each sentence true to its records.

A finding is held against records made up by hand, with the sentence written out. Three runs of them
have the values x, x and x + 3d: mean x + d, standard deviation √3 d (`made_up.three`).
"""

import json
import re
from pathlib import Path

import made_up
import pytest
from _pages import claims
from _pages.claims.claim import Claim, exact
from _pages.claims.verdict import FAILS, HOLDS, VERDICTS, Judge
from made_up import record, starts, sweep, three

from bardgpt import files
from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.lab.cost import Cost
from bardgpt.presets import PRESETS

ROOT = Path(__file__).parent.parent
# The ids that the chapters so far owe a row.
OWED = {
    "03-multi-head-attention": [f"mha-{i}" for i in range(1, 7)],
    "04-feed-forward": [f"ffn-{i}" for i in range(1, 6)],
    "05-residual-connections": [f"res-{i}" for i in range(1, 6)],
    "06-layer-normalization": [f"ln-{i}" for i in range(1, 7)],
    "07-pre-and-post-norm": [f"pp-{i}" for i in range(1, 4)],
    "08-dropout": [f"drop-{i}" for i in range(1, 5)],
    "09-scaling-up": [f"scale-{i}" for i in range(1, 5)],
}


def test_every_claim_of_the_chapters_has_a_row():
    there = {claim.id for claim in claims.CLAIMS}
    for chapter, ids in OWED.items():
        assert (ROOT / "book" / f"{chapter}.py").is_file()
        assert set(ids) <= there


def test_no_chapter_with_claims_is_forgotten():
    assert {claim.chapter for claim in claims.CLAIMS} == OWED.keys()


def test_ids_are_unique():
    ids = [claim.id for claim in claims.CLAIMS]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("claim", claims.CLAIMS, ids=lambda claim: claim.id)
def test_the_chapter_names_the_claim(claim):
    assert claim.id in (ROOT / "book" / f"{claim.chapter}.py").read_text(encoding="utf-8")


def test_page_has_the_claims_of_each_chapter(monkeypatch):
    """With the verdict in words and by sign, one sentence, and figures folded where there are."""
    made = (
        Claim("a-1", "The first.", "03-heads", exact("Equal.")),
        Claim("a-2", "The second.", "03-heads", lambda: f"{1 + 1} runs."),
        Claim("b-1", "The third.", "10-more", exact("Only if.")),
    )
    judge = Judge(lambda: FAILS, {HOLDS: "It is.", FAILS: "It is not."})
    monkeypatch.setattr(claims, "CLAIMS", made)
    monkeypatch.setattr(claims, "JUDGES", {"a-2": judge})
    monkeypatch.setattr(claims, "WITH_A_CONDITION", {"b-1"})
    above, *parts = claims.page().split("\n## ")
    assert parts == [
        "Chapter 3\n\n"
        '<div class="claim holds" id="a-1">\n'
        '<p class="verdict"><span aria-hidden="true">✓</span> holds</p>\n\n'
        "**The first.** [a-1](03-heads.ipynb)\n\n"
        "Equal.\n\n"
        "</div>\n\n"
        '<div class="claim fails" id="a-2">\n'
        '<p class="verdict"><span aria-hidden="true">✗</span> does not hold here</p>\n\n'
        "**The second.** [a-2](03-heads.ipynb)\n\n"
        "It is not.\n\n"
        '<details class="fold figures">\n<summary>Figures</summary>\n\n'
        "2 runs.\n\n</details>\n\n"
        "</div>\n",
        "Chapter 10\n\n"
        '<div class="claim condition" id="b-1">\n'
        '<p class="verdict"><span aria-hidden="true">◐</span> holds with a condition</p>\n\n'
        "**The third.** [b-1](10-more.ipynb)\n\n"
        "Only if.\n\n"
        "</div>\n",
    ]
    assert re.findall(
        r'name="(\w+)" value="(\w+)"(?: checked="checked")? /> (.*)</label>', above
    ) == [
        ("verdict", "all", "all (3)"),
        ("verdict", "holds", "✓ holds (1)"),
        ("verdict", "condition", "◐ holds with a condition (1)"),
        ("verdict", "fails", "✗ does not hold here (1)"),
        ("chapter", "all", "all"),
        ("chapter", "3", "3"),
        ("chapter", "10", "10"),
    ]


def test_what_is_chosen_can_be_shown():
    """The style sheet has a rule for every verdict and every chapter that can be chosen."""
    rules = (ROOT / "book/_static/claims.css").read_text(encoding="utf-8")
    for verdict in VERDICTS:
        assert f'[value="{verdict.name}"]:checked) .claim:not(.{verdict.name})' in rules
        assert f".claim.{verdict.name} {{" in rules
    for chapter in OWED:
        assert f"> section:not(#chapter-{claims.number(chapter)})" in rules


# --- what came out, from records made up by hand -------------------------------------------------


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Stands in for the folder of records, for as long as a test runs."""
    monkeypatch.setattr(files, "RECORDED", tmp_path)
    return tmp_path


def finding(name: str) -> str:
    (claim,) = [claim for claim in claims.CLAIMS if claim.id == name]
    return claim.finding()


def named(names: list[str], values: list[list[float]]) -> list[dict[str, float]]:
    """What a probe gives in each run, from the runs' values of each number."""
    return [dict(zip(names, of_run, strict=True)) for of_run in zip(*values, strict=True)]


def test_heads_differ_when_trained(folder):
    kinds = [f"by {of}{more}" for of in ("distance", "class") for more in ("", ", shuffled")]
    kinds += ["by distance, closest pair", "by class, closest pair"]
    heads = {
        0: [three(0.15, 0.01), [0.5] * 3, three(0.07, 0.01), [0.6] * 3, three(0.20, 0.01)],
        1_000: [[0.9] * 3] * 5,
        2_000: [
            three(0.30, 0.02),
            three(0.01, 0.001),
            three(0.13, 0.01),
            three(0.02, 0.001),
            three(0.10, 0.01),
        ],
    }
    probe = {step: named(kinds, [*values, [0.7] * 3]) for step, values in heads.items()}
    made_up.write(
        folder,
        one_head=record(2.50, 2.50, 2.56, steps=2_000),
        four_heads=record(2.30, 2.32, 2.34, steps=2_000, probes={"heads": probe}),
    )
    assert finding("mha-5") == (
        "Heads differ (total variation, mean over pairs) by distance 0.320 ± 0.035 (3 runs) when "
        "trained, 0.160 ± 0.017 (3 runs) untrained, 0.011 ± 0.002 (3 runs) with shuffled labels; "
        "by class 0.140 ± 0.017 (3 runs) when trained, 0.080 ± 0.017 (3 runs) untrained, "
        "0.021 ± 0.002 (3 runs) with shuffled labels. Not every pair does: the closest has "
        "0.110 ± 0.017 (3 runs) by distance, untrained 0.210 ± 0.017 (3 runs). One head of 32: "
        "2.520 ± 0.035 (3 runs); four of 8: 2.320 ± 0.020 (3 runs); lead with the same seeds: "
        "0.200 ± 0.020 (3 runs) nats per character."
    )


def test_two_questions_and_one_mean(folder):
    """Shares in percent, losses over the runs, and the least loss from the number of letters."""
    toy = {"n_head": 1, "task": "both", "letters": 8, "steps": 700}
    asked = {
        "both, one head": (toy, 0.5, (0.10, 0.10, 0.25)),
        "both, two heads": (toy | {"n_head": 2}, 0.1, (0.99, 1.0, 1.0)),
        "both, one head, longer": (toy | {"steps": 9_000}, 0.2, (0.80, 0.80, 0.95)),
        "both, one head, 8 letters": (toy, 0.3, (0.70, 0.70, 0.76)),
        "either, one head": (toy | {"task": "either"}, 0.61, (0.4, 0.4, 0.4)),
        "either, two heads": (toy | {"task": "either"}, 0.62, (0.4, 0.4, 0.4)),
    }
    made_up.write(
        folder,
        copying={
            "experiment": {"toys": {name: of for name, (of, *_) in asked.items()}, "seeds": [1, 2]},
            "toys": {
                name: named(["loss", "right"], [three(loss, 0.01), [*shares]])
                for name, (_, loss, shares) in asked.items()
            },
        },
    )
    assert finding("mha-6") == (
        "Copy the letter one back and the letter three back: two heads by hand make no mistake. "
        "After 700 steps, over 2 seeds, both are right at 99.7% of positions with two heads of 16, "
        "at 15.0% of positions with one head of 32. One head is not unable: after 9,000 steps "
        "85.0% of positions, with an alphabet of 8 letters 72.0% of positions. Asked for the two "
        "letters in any order, one head is enough: 0.620 ± 0.017 (3 runs) nats per answer, two "
        "heads 0.630 ± 0.017 (3 runs), and no model less than 0.607."
    )


def test_feed_forward_gains_by_its_relu(folder):
    made_up.write(
        folder,
        four_heads=record(2.30, 2.32, 2.34),
        feed_forward_linear=record(2.31, 2.34, 2.34),
        feed_forward=record(2.20, 2.20, 2.23),
    )
    assert finding("ffn-4") == (
        "Without it: 2.320 ± 0.020 (3 runs); with it (one layer, 32 → 32): 2.210 ± 0.017 (3 runs); "
        "with the ReLU left out: 2.330 ± 0.017 (3 runs). Leads with the same seeds, in nats per "
        "character: the layer over nothing 0.110 ± 0.010 (3 runs), its linear map alone -0.010 ± "
        "0.010 (3 runs), the ReLU over the linear map 0.120 ± 0.017 (3 runs)."
    )


def test_hidden_widths_beside_equal_parameters(folder):
    """Each with its own number of parameters, which the sentence works out."""
    grown = {"feed_forward": "two-layer"}
    widths = {
        n: record(*three(loss, 0.01), model=grown | {"expansion": int(n)}, steps=900)
        for n, loss in (("1", 2.30), ("2", 2.25), ("4", 2.20), ("8", 2.10))
    }
    wide = record(2.28, 2.26, 2.27, model=grown | {"expansion": 1, "n_embd": 44})
    gelu = record(2.18, 2.18, 2.24, model=grown | {"activation": "gelu"})
    made_up.write(folder, hidden_widths=sweep(widths | {"wide": wide, "gelu": gelu}))
    assert finding("ffn-5") == (
        "One block, its feed-forward of two layers, C = 32, 900 steps: "
        "1 C 2.310 ± 0.017 (3 runs) with 9,665 parameters; "
        "2 C 2.260 ± 0.017 (3 runs) with 11,745 parameters; "
        "4 C 2.210 ± 0.017 (3 runs) with 15,905 parameters; "
        "8 C 2.110 ± 0.017 (3 runs) with 24,225 parameters. As many parameters as with 4 C, spent "
        "on 44 channels with 44 hidden units: 2.270 ± 0.010 (3 runs); 4 C ahead of that by "
        "0.060 ± 0.020 (3 runs). GELU in the ReLU's place: 2.200 ± 0.035 (3 runs); ahead of the "
        "ReLU by 0.010 ± 0.017 (3 runs) nats per character."
    )


def test_gradient_reaches_the_first_block(folder):
    """The ratio of the means over runs, which is not the mean of the runs' ratios."""
    ratios = {
        "plain-default": 1e-18,
        "plain-xavier": 0.0015,
        "residual-default": 5.6,
        "residual-zero": 1.0,
        "residual-xavier": 2.1e6,
    }
    made_up.write(
        folder,
        starts=starts(
            {
                f"{size}-{name}": {
                    "gradient": [[a * ratio, 50.0, b] for a, b in ((1, 1.0), (1, 2.0), (4, 3.0))],
                    "weight gradient": [[7.0, 8.0, 9.0]] * 3,
                }
                for size, ratios in (("small", ratios), ("full", dict.fromkeys(ratios, 3.0)))
                for name, ratio in ratios.items()
            }
        ),
    )
    assert finding("res-3") == (
        "Gradient at the first block's input over that at the last output, 16 blocks, before "
        "training: plain blocks 1e-18; plain with Xavier's initialization 0.0015; residual 5.6; "
        "residual with zeroed projections 1; residual with Xavier's initialization 2.1e+06. The "
        "identity's term stays; the size of the sum does not have to."
    )


def test_depth_needs_the_residual_path(folder):
    plain = {1: 2.30, 2: 2.40, 4: 2.50, 8: 2.60, 16: 2.70}
    residual = {1: 2.20, 2: 2.10, 4: 2.00, 8: 1.90, 16: 1.80}
    variants = {f"plain-{L}": record(*three(x, 0.01), steps=700) for L, x in plain.items()}
    variants |= {f"residual-{L}": record(*three(x, 0.02)) for L, x in residual.items()}
    made_up.write(
        folder,
        depths=sweep(variants),
        plain_blocks=record(2.40, 2.40, 2.46),
        residual=record(2.10, 2.12, 2.14),
        feed_forward_two_layer=record(2.20, 2.22, 2.21),
    )
    assert finding("res-4") == (
        "Validation loss of L blocks after 700 steps: "
        "L = 1: 2.310 ± 0.017 (3 runs) without, 2.220 ± 0.035 (3 runs) with; "
        "L = 2: 2.410 ± 0.017 (3 runs) without, 2.120 ± 0.035 (3 runs) with; "
        "L = 4: 2.510 ± 0.017 (3 runs) without, 2.020 ± 0.035 (3 runs) with; "
        "L = 8: 2.610 ± 0.017 (3 runs) without, 1.920 ± 0.035 (3 runs) with; "
        "L = 16: 2.710 ± 0.017 (3 runs) without, 1.820 ± 0.035 (3 runs) with. "
        "The rung, three blocks: 2.420 ± 0.035 (3 runs) without, 2.120 ± 0.020 (3 runs) with; "
        "lead with the same seeds: 0.300 ± 0.020 (3 runs) nats per character. One plain block with "
        "the two-layer feed-forward is ahead of three plain ones by 0.210 ± 0.036 (3 runs) and "
        "behind three residual ones by 0.090 ± 0.017 (3 runs)."
    )


def branches(loudest: float) -> list[list[float]]:
    """Three runs' branches, of which the second is the loudest in the mean: just so loud.

    The third is the loudest of the first run, so the mean of each run's loudest would be more.
    """
    shares = ([0.2, 0.5, 1.5], [0.2, 0.5, 0.1], [0.2, 2.0, 0.1])
    return [[share * loudest for share in of_run] for of_run in shares]


def test_loudest_branch_at_the_start_and_trained(folder):
    """Of each model: at the start, trained, and of full size at the start."""
    loudest = {
        "residual-default": (0.21, 0.73, 0.31),
        "residual-normal": (0.015, 2.6, 0.22),
        "residual-depth-scaled": (0.0074, 2.9, 0.065),
        "residual-zero": (0.0, 0.58, 0.0),
        "pre-norm-default": (0.16, 0.63, 0.19),
        "pre-norm-normal": (0.64, 2.5, 4.8),
        "pre-norm-depth-scaled": (0.27, 2.2, 2.1),
        "pre-norm-zero": (0.0, 0.65, 0.0),
    }

    def probe(start, end):
        by_step = {0: branches(start), 400: branches(99.0), 800: branches(end)}
        return {step: [{"branch": b, "stream": [5.0]} for b in bs] for step, bs in by_step.items()}

    made_up.write(
        folder,
        coming_online=sweep(
            {
                name: record(2.0, 2.1, 2.2, steps=800, probes={"stream": probe(start, end)})
                for name, (start, end, _) in loudest.items()
            }
        ),
        starts=starts(
            {f"full-{name}": {"branch": branches(full)} for name, (*_, full) in loudest.items()}
            | {f"small-{name}": {"branch": branches(77.0)} for name in loudest}
        ),
    )
    assert finding("res-5") == (
        "True or not by initialization, and only of some branches. Loudest branch over its stream, "
        "three small blocks from the start to 800 steps, and at full size at the start: "
        "residual, default: 0.21 to 0.73, full size 0.31; "
        "residual, normal: 0.015 to 2.6, full size 0.22; "
        "residual, depth-scaled: 0.0074 to 2.9, full size 0.065; "
        "residual, zero: 0 to 0.58, full size 0; "
        "pre-norm, default: 0.16 to 0.63, full size 0.19; "
        "pre-norm, normal: 0.64 to 2.5, full size 4.8; "
        "pre-norm, depth-scaled: 0.27 to 2.2, full size 2.1; "
        "pre-norm, zero: 0 to 0.65, full size 0."
    )


def modes(*, step: int, gaps: dict[int, list[float]]) -> dict[int, list[dict[str, float]]]:
    """The probe "modes" of three runs, whose evaluation mode gives 2.0, 2.1 and 2.2 nats."""
    names = ["evaluation mode", *(f"training mode, {size} windows" for size in gaps)]
    losses = [2.0, 2.1, 2.2]
    values = [losses, *([a + b for a, b in zip(losses, of, strict=True)] for of in gaps.values())]
    return {step // 2: named(names, [[3.0] * 3] + [[9.0] * 3] * 4), step: named(names, values)}


def test_batch_norm_in_training_mode(folder):
    """Layer norm's number is the largest difference of any run at any size, up or down."""
    layer = {8: [0.0] * 3, 32: [0.0, 0.0001, 0.0], 128: [0.0, 0.0, -0.0002], 512: [0.0] * 3}
    batch = {
        8: [0.04, 0.06, 0.08],
        32: three(0.01, 0.01),
        128: [0.5] * 3,
        512: [-0.01, -0.02, -0.03],
    }
    made_up.write(
        folder,
        post_norm=record(2.10, 2.12, 2.14, probes={"modes": modes(step=1_000, gaps=layer)}),
        batch_norm=record(2.07, 2.07, 2.10, probes={"modes": modes(step=1_000, gaps=batch)}),
    )
    assert finding("ln-4") == (
        "Loss in training mode minus evaluation mode, same weights and windows: layer norm 0.0002 "
        "at any size, batch norm 0.020 ± 0.017 (3 runs) in batches of 32 windows, as in training, "
        "0.060 ± 0.020 (3 runs) in batches of 8, -0.020 ± 0.010 (3 runs) of 512. Validation loss "
        "of the rung: layer norm 2.120 ± 0.020 (3 runs), batch norm 2.080 ± 0.017 (3 runs); batch "
        "norm ahead by 0.040 ± 0.010 (3 runs) nats per character."
    )


def profiles(*means: float) -> list[list[float]]:
    """Three runs' profiles with these means, none of which is any run's own number."""
    return [[share * mean for mean in means] for share in (0.5, 0.5, 2.0)]


def test_gradients_of_both_wirings(folder):
    """At the end of the profiles, and on the stream from after the first block on."""
    last_blocks = {
        "small-post-norm-xavier": 9.0,
        "small-pre-norm-xavier": 2.0,
        "full-post-norm-xavier": 5.4,
        "full-pre-norm-xavier": 2.0,
        "small-post-norm-normal": 0.36,
        "small-pre-norm-normal": 5.5,
    }
    streams = {
        "small-post-norm-default": (0.33, 0.090, 0.2, 0.104),
        "small-pre-norm-default": (0.44, 0.070, 0.3, 0.050),
    }
    made_up.write(
        folder,
        starts=starts(
            {
                name: {"weight gradient": profiles(60.0, 70.0, last), "gradient": profiles(80.0)}
                for name, last in last_blocks.items()
            }
            | {
                name: {"weight gradient": profiles(60.0), "gradient": profiles(*means)}
                for name, means in streams.items()
            }
        ),
    )
    assert finding("pp-2") == (
        "Exact for the forward pass: pre-norm's last stream is the first plus all branches. "
        "Backwards it depends on the initialization. With Xavier's, the last block's feed-forward "
        "gradient is larger under post-norm, 4.5 times with 16 blocks of 32 (√16 = 4.0) and "
        "2.7 times with 6 blocks of 384 (√6 = 2.4), of the order of √L in the paper's bounds. With "
        "PyTorch's default both are nearly flat (RMS on the stream of 16 blocks, after the first "
        "and after the last: post-norm 0.090 and 0.104, pre-norm 0.070 and 0.050). With "
        "N(0, 0.02²) pre-norm's are the larger ones (5.50 against 0.36 in the last block)."
    )


def test_runs_that_are_stuck_are_counted(folder):
    """Letters' frequencies have 3.35: a run that ends at 3.26 is stuck, and one at 3.24 is not."""
    cases = {
        "3-default": ("0.001", "0.003", "0.01", "0.03"),
        "12-default": ("0.001", "0.003", "0.01", "0.03"),
        "12-xavier": ("0.0003", "0.001", "0.003", "0.01"),
    }
    lasts = {
        f"{case}-{wiring}-{rate}-{warmup}": (2.0, 2.1, 2.2)
        for case, rates in cases.items()
        for wiring in ("post-norm", "pre-norm")
        for rate in rates
        for warmup in (0, 200)
    }
    stuck = (3.26, 3.5, 3.4)
    lasts |= {
        "3-default-post-norm-0.001-0": (2.30, 2.32, 2.34),
        "3-default-pre-norm-0.001-0": (2.29, 2.31, 2.30),
        "3-default-post-norm-0.03-0": (3.26, 3.24, 3.5),
        "3-default-pre-norm-0.03-200": (2.0, 3.24, 3.36),
        "3-default-no-final-norm-0.03-0": stuck,
        "12-default-post-norm-0.003-0": (3.3, 2.0, 3.3),
        "12-default-post-norm-0.003-200": (2.0, 2.0, 3.3),
        "12-default-post-norm-0.01-0": stuck,
        "12-xavier-post-norm-0.01-0": stuck,
        "12-xavier-post-norm-0.01-200": (3.3, 3.3, 2.0),
    }
    made_up.write(
        folder,
        rates=sweep({name: record(*of_runs, steps=400) for name, of_runs in lasts.items()}),
        count_tables=made_up.tables(3.35, 2.0),
        post_norm=record(2.10, 2.12, 2.14, steps=600),
        pre_norm=record(2.09, 2.10, 2.11, steps=600),
    )
    assert finding("pp-3") == (
        "Over four rates, with and without warm-up, runs stuck at the loss of the characters' "
        "frequencies (3.350, or less than 0.1 below it) after 400 steps: "
        "3 blocks: post-norm 2 of 24, pre-norm 1 of 24; "
        "12 blocks: post-norm 6 of 24, pre-norm 0 of 24; "
        "12 blocks with Xavier's initialization: post-norm 5 of 24, pre-norm 0 of 24. "
        "Warm-up can help: post-norm, 12 blocks, rate 0.003, 2 of 3 without it and 1 of 3 with it. "
        "Next to no difference with 3 blocks at 0.001: pre-norm gains 0.020 ± 0.017 (3 runs); over "
        "the ladder's 600 steps 0.020 ± 0.010 (3 runs)."
    )


def test_a_norm_that_decides(folder):
    """Letters' frequencies have 3.35; None is a run that was lost."""
    ends = {"3-default": (2.0, 2.1, 2.2), "12-default": (3.3, 2.1, 2.2), "12-xavier": (31, 26, 37)}
    made_up.write(
        folder,
        no_norm=sweep({f"{case}-no-norm-0.0003-0": record(*end) for case, end in ends.items()}),
        rates=sweep(
            {
                f"{case}-{wiring}-0.0003-0": record(2.5, 2.6, 2.7 if wiring == "pre-norm" else 3.3)
                for case in ends
                for wiring in ("post-norm", "pre-norm")
            }
        ),
        count_tables=made_up.tables(3.35, 2.0),
    )
    assert finding("ln-6") == (
        "Runs lost or stuck near the loss of the characters' frequencies, over four rates, "
        "with and without warm-up: "
        "3 blocks: 0 of 3 without a norm, 1 of 3 with one after each addition; "
        "12 blocks: 1 of 3 without a norm, 1 of 3 with one after each addition; "
        "12 blocks with Xavier's initialization: 3 of 3 without a norm, 1 of 3 with one after each "
        "addition. "
        "From Xavier's initialization at rate 0.0003 without warm-up the runs without a norm end "
        "at 31.0, 26.0, 37.0 nats per character, those with one at 2.800 ± 0.436 (3 runs)."
    )


def ensemble(
    kl: tuple[float, float], geometric: float, first: list[float], last: list[float]
) -> dict[int, list[dict[str, list[float]]]]:
    """The probe "ensemble" of three runs, whose test-time losses are 2.0, 2.1 and 2.2.

    Args:
        kl: with one mask and with all, in the mean.
        geometric: the same of the geometric mean, with all masks.
        first: of each run, how far one mask's loss lies above the test-time model's.
        last: the same with all masks.
    """
    runs = [
        {
            "KL": [share * kl[0], 0.8, share * kl[1]],
            "geometric KL": [0.7, 0.6, share * geometric],
            "loss": [test_time + first[run], 9.0, test_time + last[run]],
            "geometric loss": [8.0, 8.0, 8.0],
            "test-time loss": [test_time],
        }
        for run, (share, test_time) in enumerate(((0.5, 2.0), (0.5, 2.1), (2.0, 2.2)))
    ]
    return {1_000: runs}


def test_ensemble_beside_the_test_time_model(folder):
    asked = {
        "slice-0.2": ensemble((0.21, 0.06), 0.03, three(0.05, 0.02), [-0.10, -0.10, -0.13]),
        "slice-0.4": ensemble((0.31, 0.10), 0.07, [0.10, 0.12, 0.14], [-0.04, -0.02, 0.0]),
        "whole-0.2": ensemble((0.11, 0.04), 0.02, three(0.07, 0.01), [0.01, 0.02, 0.03]),
    }
    probed = {name: record(2.0, 2.1, 2.2, probes={"ensemble": of}) for name, of in asked.items()}
    made_up.write(folder, dropout=sweep(probed | {"slice-0": record(2.0, 2.1, 2.2)}))
    assert finding("drop-3") == (
        "Exact for one linear layer: over all 1,024 masks of ten numbers the mean of the logits, "
        "and so the geometric mean of the probabilities, is the test-time network's; with a ReLU "
        "in between neither is. For a GPT, by what it was trained on: "
        "20,000 characters, p = 0.2: KL to the test-time model 0.210 nats with 1 mask, 0.060 with "
        "64 (geometric mean 0.030); loss minus the test-time model's +0.070 ± 0.035 with 1, "
        "-0.110 ± 0.017 with 64. "
        "20,000 characters, p = 0.4: KL to the test-time model 0.310 nats with 1 mask, 0.100 with "
        "64 (geometric mean 0.070); loss minus the test-time model's +0.120 ± 0.020 with 1, "
        "-0.020 ± 0.020 with 64. "
        "The whole text, p = 0.2: KL to the test-time model 0.110 nats with 1 mask, 0.040 with 64 "
        "(geometric mean 0.020); loss minus the test-time model's +0.080 ± 0.017 with 1, "
        "+0.020 ± 0.010 with 64."
    )


@pytest.mark.parametrize(
    ("on_the_whole_text", "verdict"),
    [([1.90, 1.90, 1.93], "costs 0.090 ± 0.010"), ([1.75, 1.80, 1.79], "gains 0.040 ± 0.017")],
)
def test_dropout_narrows_the_gap(folder, on_the_whole_text, verdict):
    def fit(final):
        by_step = {0: [4.0] * 3, 400: [3.0] * 3, 800: final}
        return {"fit": {s: named(["training text"], [v]) for s, v in by_step.items()}}

    variants = {
        "slice-0": record(
            2.80, 2.80, 2.86, steps=800, batches=three(1.20, 0.02), probes=fit(three(1.10, 0.02))
        ),
        "slice-0.2": record(2.40, 2.42, 2.44, steps=800, probes=fit(three(1.50, 0.01))),
        "slice-0.4": record(2.45, 2.45, 2.48, steps=800, probes=fit(three(1.70, 0.03))),
        "whole-0": record(1.80, 1.82, 1.84, steps=800, batches=three(1.70, 0.02)),
        "whole-0.2": record(*on_the_whole_text, steps=800),
    }
    made_up.write(folder, dropout=sweep(variants))
    assert finding("drop-4") == (
        "160 thousand parameters, 20,000 characters, 800 steps. "
        "p = 0: 1.120 on the text learned from, 2.820 ± 0.035 (3 runs) on new; "
        "p = 0.2: 1.510 on the text learned from, 2.420 ± 0.020 (3 runs) on new; "
        "p = 0.4: 1.730 on the text learned from, 2.460 ± 0.017 (3 runs) on new text. "
        f"On the whole text, p = 0.2 {verdict}; there, without dropout, the validation loss ends "
        "0.100 above the mean of the last 400 training batches, and 1.600 with the 20,000 "
        "characters."
    )


def test_costs_are_those_of_the_presets(monkeypatch):
    def cost(preset):
        if preset == PRESETS["tiny"]:
            return Cost(parameters=2_000, flops=4 * 10**9, characters=1, state=9, kept=300 * 2**20)
        assert preset == PRESETS["full"]
        return Cost(parameters=5_000_000, flops=6 * 10**12, characters=1, state=9, kept=2**32)

    monkeypatch.setattr("_pages.claims.scaling.cost", cost)
    assert finding("scale-1") == (
        "From the last small rung to the lecture's model: parameters 2,000 to 5,000,000 (2,500 "
        "times), operations a step 4.000 to 6,000 GFLOP (1,500 times), kept for the backward pass "
        "300 to 4,096 MiB in float32. Change by change in the chapter's table."
    )


@pytest.mark.parametrize(
    ("loss", "verdict"),
    [(1.4712, "Reached: 1.4712"), (1.48, "Reached: 1.4800"), (1.4801, "Not reached: 1.4801")],
)
def test_full_model_against_what_the_lecture_reports(folder, loss, verdict):
    """The loss is that of the packed weights: those are what comes with the package."""
    results = {"validation of the packed weights": loss, "precision": "bfloat16", "train": 1.1}
    made_up.write_full(folder, step=1_200, seconds=5_400, **results)
    assert finding("scale-2") == (
        f"{verdict} by one run of preset `sprint` (1,200 steps, 9,600,000 characters, 1.5 hours, "
        "bfloat16) on a made-up machine. The architecture is the lecture's; initialization, places "
        "of dropout, optimizer and schedule are not. The lecture's own training, preset `full`, "
        "was only begun."
    )


def test_size_and_recipe_apart(folder):
    made_up.write(
        folder,
        pre_norm=record(2.10, 2.12, 2.14),
        pre_norm_recipe=record(2.05, 2.05, 2.08),
        pre_norm_long=record(1.90, 1.92, 1.94),
    )
    made_up.write_full(folder, **{"validation of the packed weights": 1.42})
    assert finding("scale-4") == (
        "Not all of it. The last small rung as the ladder trains it: 2.120 ± 0.020 (3 runs); with "
        "`sprint`'s optimizer, schedule and initialization, over as many steps: "
        "2.060 ± 0.017 (3 runs); in its own way, over as many characters as the full model has "
        "read: 1.920 ± 0.020 (3 runs). Of the 0.700 nats between the rung and the full model these "
        "are 0.060 by recipe alone and 0.200 by longer reading alone."
    )


def test_form_of_samples_beside_real_text(folder):
    quantities = ["speaker lines", "characters per line", "known words", "longest copy"]
    means = {
        "real text": (0.21, 36.5, 0.93, 18.5),
        "counts": (0.5, 5.0, 0.5, 5.0),
        "post-norm": (0.6, 6.0, 0.6, 6.0),
        "pre-norm": (0.11, 35.5, 0.45, 12.25),
        "full": (0.31, 37.5, 0.94, 20.75),
    }
    made_up.write_full(
        folder,
        form={
            name: named(quantities, [[0.5 * mean, 0.5 * mean, 2 * mean] for mean in of])
            for name, of in means.items()
        },
        **{"longest copy": "so shall you be, and so am I"},
    )
    assert finding("scale-3") == (
        "Pieces of 500 characters of the last small rung, the full model and held-out real text: "
        "speaker lines 0.11, 0.31, 0.21; characters per line 35.50, 37.50, 36.50; known words "
        "0.45, 0.94, 0.93; longest copy 12.25, 20.75, 18.50. The longest copy in all samples of "
        "the full model has 28 characters. Every rung is in the chapter."
    )


def test_settings_that_sentences_name_are_those_of_the_records():
    """What no record could change without a change of the sentence: they are part of its words."""

    def experiment(name):
        return json.loads((files.RECORDED / f"{name}.json").read_text(encoding="utf-8"))[
            "experiment"
        ]

    dropout, started, rates = (experiment(name) for name in ("dropout", "starts", "rates"))
    model = GPTConfig.from_json(json.dumps(dropout["slice-0"]["model"]))
    assert round(GPT(model).n_parameters(), -3) == 160_000
    slices = {name: each.get("characters") for name, each in dropout.items()}
    assert slices == {
        "slice-0": 20_000,
        "slice-0.2": 20_000,
        "slice-0.4": 20_000,
        "whole-0": None,
        "whole-0.2": None,
    }
    sizes = {
        (name.split("-")[0], each["model"]["n_layer"], each["model"]["n_embd"])
        for name, each in started.items()
    }
    assert sizes == {("small", 16, 32), ("full", 6, 384)}
    assert {each["training"]["warmup"] for each in rates.values()} == {0, 200}
    for name, each in rates.items():
        blocks, start = name.split("-")[:2]
        assert (str(each["model"]["n_layer"]), each["model"]["initialization"]) == (blocks, start)
        assert f"-{each['training']['learning_rate']:g}-{each['training']['warmup']}" in name
