"""The verdicts of the claims page, each from records that are made up for it.

Each test reaches every verdict that has a sentence.
"""

import made_up
import pytest
from _pages import claims
from _pages.claims.judges import JUDGES, WITH_A_CONDITION
from _pages.claims.verdict import CONDITION, FAILS, HOLDS, clear
from made_up import record, starts, sweep, three

from bardgpt import files
from bardgpt.presets import PRESETS
from bardgpt.records.band import Band


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Stands in for the folder of records, for as long as a test runs."""
    monkeypatch.setattr(files, "RECORDED", tmp_path)
    return tmp_path


def verdict(name: str):
    """The verdict on a claim, whose sentence must be there."""
    reached = JUDGES[name].verdict()
    assert reached in JUDGES[name].sentences
    return reached


def around(mean: float) -> list[float]:
    """Three values with this mean, close together."""
    return three(mean - 0.001, 0.001)


def of(mean: float, **more):
    """A record of three runs whose last losses have this mean."""
    return record(*around(mean), **more)


def test_every_claim_has_one_source_of_its_verdict():
    """A finding that reads records has a judge, another has none."""
    names = {claim.id for claim in claims.CLAIMS}
    assert JUDGES.keys() <= names
    assert names >= WITH_A_CONDITION
    assert not WITH_A_CONDITION & JUDGES.keys()
    reading = {c.id for c in claims.CLAIMS if c.finding.__qualname__ != "exact.<locals>.<lambda>"}
    assert reading == JUDGES.keys()


@pytest.mark.parametrize(("mean", "sd", "is_clear"), [(0.21, 0.1, True), (0.2, 0.1, False)])
def test_a_lead_is_clear_beyond_twice_its_spread(mean, sd, is_clear):
    assert clear(Band(mean, sd, 3)) is is_clear
    assert not clear(Band(-mean, sd, 3))


@pytest.mark.parametrize(
    ("four", "trained", "closest", "expected"),
    [
        (2.3, 0.30, 0.20, HOLDS),
        (2.3, 0.30, 0.101, CONDITION),
        (2.3, 0.15, 0.20, FAILS),
        (2.5, 0.30, 0.20, FAILS),
    ],
)
def test_heads_differ(folder, four, trained, closest, expected):
    def probe(far, near):
        names = ["by distance", "by class", "by distance, closest pair"]
        rows = zip(around(far), around(far), around(near), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]

    heads = {0: probe(0.16, 0.10), 1_000: probe(trained, closest)}
    made_up.write(folder, one_head=of(2.5), four_heads=of(four, probes={"heads": heads}))
    assert verdict("mha-5") == expected


@pytest.mark.parametrize(
    ("one", "two", "longer", "expected"),
    [(0.2, 1.0, 0.5, HOLDS), (0.2, 1.0, 0.7, CONDITION), (0.95, 1.0, 1.0, FAILS)],
)
def test_two_questions(folder, one, two, longer, expected):
    shares = {"both, one head": one, "both, two heads": two, "both, one head, longer": longer}
    toys = {name: [{"right": value} for value in around(x)] for name, x in shares.items()}
    made_up.write(folder, copying={"toys": toys})
    assert verdict("mha-6") == expected


@pytest.mark.parametrize(
    ("linear", "relu", "expected"),
    [(2.3, 2.2, HOLDS), (2.25, 2.2, CONDITION), (2.3, 2.3, FAILS)],
)
def test_feed_forward(folder, linear, relu, expected):
    made_up.write(folder, four_heads=of(2.3), feed_forward_linear=of(linear), feed_forward=of(relu))
    assert verdict("ffn-4") == expected


@pytest.mark.parametrize(
    ("four", "wide", "expected"), [(2.2, 2.25, HOLDS), (2.2, 2.2, CONDITION), (2.3, 2.4, FAILS)]
)
def test_width(folder, four, wide, expected):
    made_up.write(folder, hidden_widths=sweep({"1": of(2.3), "4": of(four), "wide": of(wide)}))
    assert verdict("ffn-5") == expected


@pytest.mark.parametrize(
    ("plain", "residual", "xavier", "expected"),
    [
        (1e-4, 1.0, 90.0, HOLDS),
        (1e-4, 1.0, 110.0, CONDITION),
        (1e-4, 0.09, 2.0, FAILS),
        (3.0, 1.0, 2.0, FAILS),
    ],
)
def test_superhighway(folder, plain, residual, xavier, expected):
    ratios = {
        "plain-default": plain,
        "plain-xavier": plain,
        "residual-default": 5.0,
        "residual-zero": residual,
        "residual-xavier": xavier,
    }
    made_up.write(
        folder,
        starts=starts(
            {f"small-{n}": {"gradient": [[r, 50.0, 1.0]] * 3} for n, r in ratios.items()}
        ),
    )
    assert verdict("res-3") == expected


@pytest.mark.parametrize(
    ("at_two", "at_sixteen", "expected"),
    [(2.3, 1.9, HOLDS), (1.8, 1.9, CONDITION), (2.5, 1.9, CONDITION), (2.3, 2.5, FAILS)],
)
def test_depth(folder, at_two, at_sixteen, expected):
    residual = {2: at_two, 4: 2.2, 8: 2.1, 16: at_sixteen}
    made_up.write(
        folder,
        depths=sweep(
            {f"plain-{L}": of(2.5) for L in residual}
            | {f"residual-{L}": of(loss) for L, loss in residual.items()}
        ),
    )
    assert verdict("res-4") == expected


@pytest.mark.parametrize(
    ("starting", "full", "expected"),
    [
        ((0.05, 0.09), 0.05, HOLDS),
        ((0.05, 0.11), 0.05, CONDITION),
        ((0.05, 0.05), 0.2, FAILS),
        ((0.2, 0.3), 0.05, FAILS),
    ],
)
def test_quiet_branches(folder, starting, full, expected):
    def stream(start):
        by_step = {0: start, 1_000: 0.7}
        return {step: [{"branch": [0.01, x]}] * 3 for step, x in by_step.items()}

    names = dict(zip(("residual-zero", "pre-norm-normal"), starting, strict=True))
    made_up.write(
        folder,
        coming_online=sweep({n: of(2.0, probes={"stream": stream(x)}) for n, x in names.items()}),
        starts=starts({f"full-{name}": {"branch": [[0.01, full]] * 3} for name in names}),
    )
    assert verdict("res-5") == expected


@pytest.mark.parametrize(
    ("layer", "batch", "expected"),
    [(0.0009, 0.03, HOLDS), (0.0009, 0.001, CONDITION), (-0.0011, 0.03, FAILS)],
)
def test_both_modes(folder, layer, batch, expected):
    def modes(gap):
        sizes = {f"training mode, {size} windows": gap for size in (8, 32, 128, 512)}
        runs = [
            {"evaluation mode": 2.0} | {name: 2.0 + gap + more for name, gap in sizes.items()}
            for more in ((0.0, 0.0, 0.0) if gap is layer else (-0.001, 0.0, 0.001))
        ]
        return {"modes": {1_000: runs}}

    made_up.write(
        folder,
        post_norm=of(2.1, probes=modes(layer)),
        batch_norm=of(2.1, probes=modes(batch)),
    )
    assert verdict("ln-4") == expected


@pytest.mark.parametrize(("normal", "expected"), [(5.0, HOLDS), (0.3, CONDITION)])
def test_clean_path(folder, normal, expected):
    post = {"small-{}-xavier": 9.0, "full-{}-xavier": 5.0, "small-{}-normal": normal}
    last = {name.format("post-norm"): value for name, value in post.items()}
    last |= {name.format("pre-norm"): 2.0 for name in post}
    made_up.write(
        folder,
        starts=starts({name: {"weight gradient": [[7.0, x]] * 3} for name, x in last.items()}),
    )
    assert verdict("pp-2") == expected


@pytest.mark.parametrize(
    ("post", "pre", "expected"),
    [(3.3, 3.2, HOLDS), (3.3, 3.3, FAILS), (3.2, 3.2, FAILS), (3.3, None, CONDITION)],
)
def test_stuck_runs(folder, post, pre, expected):
    """Letters' frequencies have 3.35, and 3.25 is the limit; None: one of three runs is stuck."""
    runs = {"post-norm": [post] * 3, "pre-norm": [pre] * 3 if pre else [2.0, 2.0, 3.3]}
    made_up.write(
        folder,
        rates=sweep(
            {
                f"{case}-{wiring}-0.01-0": record(*lasts)
                for case in ("12-default", "12-xavier")
                for wiring, lasts in runs.items()
            }
        ),
        count_tables=made_up.tables(3.35, 2.0),
    )
    assert verdict("pp-3") == expected


@pytest.mark.parametrize(
    ("default", "xavier", "expected"),
    [(2.0, 30.0, CONDITION), (3.3, 30.0, HOLDS), (2.0, 2.0, FAILS)],
)
def test_a_norm_that_decides(folder, default, xavier, expected):
    """With a norm one run of three is stuck; without it none, or all."""
    ends = {"3-default": default, "12-default": default, "12-xavier": xavier}
    made_up.write(
        folder,
        no_norm=sweep({f"{case}-no-norm-0.01-0": record(*[end] * 3) for case, end in ends.items()}),
        rates=sweep({f"{case}-post-norm-0.01-0": record(2.0, 2.0, 3.3) for case in ends}),
        count_tables=made_up.tables(3.35, 2.0),
    )
    assert verdict("ln-6") == expected


@pytest.mark.parametrize(
    ("kl", "lag", "expected"),
    [(0.09, -0.04, HOLDS), (0.09, -0.06, CONDITION), (0.11, 0.0, FAILS)],
)
def test_ensemble(folder, kl, lag, expected):
    def probe(many, off):
        run = {"KL": [0.2, many], "loss": [2.1, 2.0 + off], "test-time loss": [2.0]}
        return {"ensemble": {1_000: [run] * 3}}

    variants = {name: of(2.0, probes=probe(0.05, 0.01)) for name in ("slice-0.2", "whole-0.2")}
    made_up.write(folder, dropout=sweep(variants | {"slice-0.4": of(2.0, probes=probe(kl, lag))}))
    assert verdict("drop-3") == expected


@pytest.mark.parametrize(
    ("fit", "new", "expected"),
    [(1.5, 2.4, HOLDS), (1.6, 2.8, CONDITION), (1.0, 2.9, FAILS)],
)
def test_gap(folder, fit, new, expected):
    def dropped(loss, learned):
        return of(loss, probes={"fit": {1_000: [{"training text": learned}] * 3}})

    made_up.write(
        folder, dropout=sweep({"slice-0": dropped(2.8, 1.1), "slice-0.2": dropped(new, fit)})
    )
    assert verdict("drop-4") == expected


def test_settings(monkeypatch):
    assert verdict("scale-1") == HOLDS
    monkeypatch.setitem(PRESETS, "full", PRESETS["tiny"])
    assert verdict("scale-1") == FAILS


@pytest.mark.parametrize(("loss", "expected"), [(1.48, CONDITION), (1.4801, FAILS)])
def test_reached(folder, loss, expected):
    made_up.write_full(folder, **{"validation of the packed weights": loss})
    assert verdict("scale-2") == expected


@pytest.mark.parametrize(
    ("speakers", "words", "expected"),
    [(0.24, 0.9, HOLDS), (0.26, 0.9, CONDITION), (0.16, 0.9, HOLDS), (0.26, 0.4, FAILS)],
)
def test_form(folder, speakers, words, expected):
    def runs(**values):
        return [values] * 3

    made_up.write_full(
        folder,
        form={
            "full": runs(speakers=speakers, words=words),
            "real text": runs(speakers=0.2, words=0.9),
        },
    )
    assert verdict("scale-3") == expected


@pytest.mark.parametrize(
    ("recipe", "long", "expected"), [(2.0, 2.1, FAILS), (2.1, 2.0, FAILS), (2.1, 2.1, HOLDS)]
)
def test_size_alone(folder, recipe, long, expected):
    made_up.write(folder, pre_norm=of(2.1), pre_norm_recipe=of(recipe), pre_norm_long=of(long))
    assert verdict("scale-4") == expected
