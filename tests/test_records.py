"""Reading records: small ones, made up, in a folder of the test's own."""

import dataclasses
import json
import statistics

import pytest

from bardgpt import files, records
from bardgpt.config import ConfigError, GPTConfig, TrainingConfig
from bardgpt.records.band import Band

MODEL = GPTConfig(vocab_size=65, n_head=4)
TRAINING = TrainingConfig(steps=2_000, evaluate_every=1_000)
SEEDS = [0, 1, 2]


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setattr(files, "RECORDED", tmp_path)
    return tmp_path


def definition(model=MODEL):
    training = dataclasses.asdict(TRAINING)
    del training["seed"]
    return {"model": dataclasses.asdict(model), "training": training, "seeds": SEEDS}


def a_run(seed, last, brief=False):
    """One run whose numbers tell where they come from."""
    result = {
        "seed": seed,
        "samples": {},
        "probes": {
            "stream": {
                str(step): {"stream": [seed, seed + step], "branch": [10.0 * seed]}
                for step in (0, 1_000, 2_000)
            },
            "modes": {
                "0": {"training mode": 5.0 + seed, "evaluation mode": 6.0 + seed},
                "2000": {"training mode": 2.0 + seed, "evaluation mode": 3.0 + seed},
            },
        },
        "history": {
            "step": [0, 1_000, 2_000],
            "train": [None, 3.0, 2.0],
            "validation": [4.0, last + 1.0, last],
        },
    }
    if brief:
        return result
    samples = {str(step): {"known words": 0.1 * seed + step} for step in (1_000, 2_000)}
    return result | {"train": last - 0.5, "samples": samples, "text": "O\n"}


def write(folder, name, content):
    (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def a_record(lasts=(2.0, 2.2, 2.4), **others):
    runs = [a_run(seed, last) for seed, last in zip(SEEDS, lasts, strict=True)]
    return {"experiment": definition(), "made": {"seconds": 1.0}, "runs": runs} | others


def band_of(*values):
    return Band(statistics.fmean(values), statistics.stdev(values), len(values))


def assert_bands(result, *expected):
    assert len(result) == len(expected)
    for one, other in zip(result, expected, strict=True):
        assert (one.mean, one.sd, one.n) == (
            pytest.approx(other.mean),
            pytest.approx(other.sd),
            other.n,
        )


# --- one model -----------------------------------------------------------------------------------


def test_record_reads_back(folder):
    write(folder, "rung", a_record())
    loaded = records.load("rung")
    assert (loaded.name, loaded.model, loaded.training) == ("rung", MODEL, TRAINING)
    assert loaded.seeds == SEEDS
    assert [history.at(1_000) for history in loaded.histories] == [3.0, 3.2, 3.4]
    assert_bands([loaded.band()], band_of(2.0, 2.2, 2.4))
    assert_bands([loaded.band(1_000)], band_of(3.0, 3.2, 3.4))
    assert_bands([loaded.band(0)], band_of(4.0, 4.0, 4.0))
    assert_bands([loaded.band_on_training_text()], band_of(1.5, 1.7, 1.9))
    assert_bands([loaded.sample_bands(1_000)["known words"]], band_of(1000, 1000.1, 1000.2))
    assert loaded.made == {"seconds": 1.0}


def test_a_band_by_hand():
    """Deviations -1, 0 and 1: divided by n - 1 the square of the spread is 1, by n it is 2 / 3."""
    assert Band.of([2.0, 3.0, 4.0]) == Band(3.0, 1.0, 3)
    assert Band.of([1.0, 1.0, 1.0, 5.0]) == Band(2.0, 2.0, 4)
    assert str(Band(2.0, 0.125, 5)) == "2.000 ± 0.125 (5 runs)"
    assert Band(2.0, 0.125, 5).short == "2.000 ± 0.125"
    for values in ([], [1.0], [1.0, 2.0]):
        with pytest.raises(ValueError, match=f"{len(values)} runs give no spread"):
            Band.of(values)


def test_step_without_an_evaluation_is_refused(folder):
    write(folder, "rung", a_record())
    with pytest.raises(KeyError, match="not evaluated after 500 steps"):
        records.load("rung").band(500)


def test_probes_by_step(folder):
    write(folder, "rung", a_record())
    loaded = records.load("rung")
    assert loaded.probed("stream") == [0, 1_000, 2_000]
    assert loaded.probed("modes") == [0, 2_000]
    modes = loaded.probe_bands("modes", 2_000)
    assert list(modes) == ["training mode", "evaluation mode"]
    assert_bands(modes.values(), band_of(2, 3, 4), band_of(3, 4, 5))
    assert_bands(loaded.probe_bands("modes", 0).values(), band_of(5, 6, 7), band_of(6, 7, 8))


def test_profile_is_a_band_for_each_depth(folder):
    write(folder, "rung", a_record())
    loaded = records.load("rung")
    result = loaded.profile("stream", "stream", 1_000)
    assert_bands(result, band_of(0, 1, 2), band_of(1000, 1001, 1002))
    assert_bands(loaded.profile("stream", "branch", 0), band_of(0, 10, 20))
    with pytest.raises(KeyError):
        loaded.profile("stream", "stream", 500)


def test_runs_of_other_lengths_make_no_profile():
    with pytest.raises(ValueError, match="zip"):
        records.by_depth([[1.0, 2.0], [1.0, 2.0], [1.0]])


def test_two_runs_make_no_band():
    with pytest.raises(ValueError, match="2 runs give no spread"):
        records.by_depth([[1.0], [2.0]])


def test_a_record_of_a_model_that_cannot_be_is_refused(folder):
    content = a_record()
    content["experiment"]["model"]["block"] = "pre-norm"
    write(folder, "rung", content)
    with pytest.raises(ConfigError, match="feed_forward='none' with block='pre-norm'"):
        records.load("rung")


@pytest.mark.parametrize("read", [records.read, records.load, records.load_sweep])
def test_missing_record_says_which_there_are(folder, read):
    for name in ("one", "two"):
        write(folder, name, a_record())
    (folder / "__init__.py").touch()
    with pytest.raises(FileNotFoundError) as caught:
        read("three")
    assert str(caught.value) == (
        "no record 'three'; there are ['one', 'two']. `make experiments` writes them"
    )


# --- two models ----------------------------------------------------------------------------------


def test_gain_is_taken_seed_by_seed(folder):
    """The means differ by 0.3 either way; of paired runs the spread is that of the differences."""
    write(folder, "before", a_record((2.0, 2.2, 2.4)))
    write(folder, "after", a_record((1.7, 1.8, 2.2)))
    before, after = records.load("before"), records.load("after")
    after.histories[0].validation[1] = 0.5  # a lower loss on the way is not what was gained
    assert_bands([records.gain(before, after)], band_of(0.3, 0.4, 0.2))
    assert records.gain(after, before).mean == pytest.approx(-0.3)


def test_gain_of_other_seeds_is_refused(folder):
    write(folder, "before", a_record())
    before = records.load("before")
    after = dataclasses.replace(before, name="after", seeds=[0, 1, 3])
    with pytest.raises(ValueError, match=r"before has seeds \[0, 1, 2\], after \[0, 1, 3\]"):
        records.gain(before, after)


# --- sweeps --------------------------------------------------------------------------------------


def test_sweep_reads_back_by_variant(folder):
    deep = dataclasses.replace(MODEL, n_layer=2)
    write(
        folder,
        "depths",
        {
            "experiment": {"1": definition(), "2": definition(deep)},
            "made": {"seconds": 2.0},
            "variants": {
                "1": {"runs": [a_run(seed, 2.0 + seed, brief=True) for seed in SEEDS]},
                "2": {"runs": [a_run(seed, 1.0 + seed, brief=True) for seed in SEEDS]},
            },
        },
    )
    loaded = records.load_sweep("depths")
    assert list(loaded) == ["1", "2"]
    assert [result.model for result in loaded.values()] == [MODEL, deep]
    assert [result.name for result in loaded.values()] == ["1", "2"]
    assert all(result.seeds == SEEDS and result.training == TRAINING for result in loaded.values())
    assert_bands([loaded["1"].band()], band_of(2, 3, 4))
    assert_bands([loaded["2"].band()], band_of(1, 2, 3))
    assert (loaded["1"].train, loaded["1"].samples) == ([], {})
    assert_bands(loaded["2"].profile("stream", "branch", 0), band_of(0, 10, 20))
    assert loaded["2"].made == {"seconds": 2.0}


def start(seed):
    return {"seed": seed, "stream": {"stream": [1.0 + seed, 2.0 + seed], "branch": [0.1 * seed]}}


@pytest.fixture
def starts(folder):
    write(
        folder,
        "starts",
        {
            "experiment": {},
            "made": {},
            "variants": {
                "small-residual-zero": {"runs": [start(seed) for seed in range(5)]},
                "small-residual-normal": {"runs": [start(seed + 10) for seed in range(5)]},
            },
        },
    )


@pytest.mark.usefixtures("starts")
def test_sizes_before_the_first_step():
    result = records.at_start("small-residual-zero", "stream")
    assert_bands(result, band_of(1, 2, 3, 4, 5), band_of(2, 3, 4, 5, 6))
    branch = records.at_start("small-residual-normal", "branch")
    assert_bands(branch, band_of(1.0, 1.1, 1.2, 1.3, 1.4))


@pytest.mark.usefixtures("starts")
@pytest.mark.parametrize(
    ("variant", "quantity", "said"),
    [
        ("small-plain-zero", "stream", "no variant 'small-plain-zero'; there are .*residual-nor"),
        ("small-residual-zero", "size", "size"),
    ],
)
def test_start_that_was_not_looked_at_is_refused(variant, quantity, said):
    with pytest.raises(KeyError, match=said):
        records.at_start(variant, quantity)


def test_ensemble_lags_are_taken_seed_by_seed(folder):
    """The seeds' own losses differ far more than any of them from its ensemble."""
    content = a_record()
    for run in content["runs"]:
        seed = run["seed"]
        losses = {"test-time loss": [2.0 + seed], "loss": [2.5 + seed, 1.9 + seed]}
        geometric = {"geometric loss": [2.25 + seed, 2.125 + seed]}
        early = {"test-time loss": [9.0], "loss": [9.5, 9.5], "geometric loss": [9.0, 9.0]}
        run["probes"]["ensemble"] = {"1000": early, "2000": losses | geometric}
    write(folder, "many", content)
    record = records.load("many")
    assert [band.mean for band in records.ensemble_lags(record)] == pytest.approx([0.5, -0.1])
    assert [band.sd for band in records.ensemble_lags(record)] == pytest.approx([0, 0], abs=1e-9)
    for run, more in zip(content["runs"], (-0.25, 0.0, 0.25), strict=True):
        run["probes"]["ensemble"]["2000"]["loss"][0] += more
    write(folder, "many", content)
    assert records.ensemble_lags(records.load("many"))[0] == Band(0.5, 0.25, 3)
    lags = records.ensemble_lags(record, "geometric loss")
    assert [band.mean for band in lags] == pytest.approx([0.25, 0.125])


# --- the full model ------------------------------------------------------------------------------


def test_full_record_by_hand():
    """Each number from its own place, each with a value of its own."""

    def numbers(name, *values):
        return [{name: value} for value in values]

    full = records.FullRecord(
        MODEL,
        TRAINING,
        [{"seconds": 1.0}, {"seconds": 5_400.0}],
        {
            "validation": 1.47,
            "validation of the packed weights": 1.48,
            "train": 1.2,
            "short run": [2.0, 3.0, 4.0],
            "form": {"full": numbers("lines", 1, 2, 3), "real text": numbers("lines", 7, 8, 9)},
            "pieces": numbers("known words", 0.25, 0.5, 0.75),
            "habits": {"full": numbers("rhyme", 2, 4, 6), "real text": numbers("rhyme", 1, 1, 1)},
        },
    )
    assert (full.validation, full.train, full.hours) == (1.48, 1.2, 1.5)
    assert full.short_run() == Band(3.0, 1.0, 3)
    assert full.form("full") == {"lines": Band(2.0, 1.0, 3)}
    assert full.form("real text") == {"lines": Band(8.0, 1.0, 3)}
    assert full.pieces() == {"known words": Band(0.5, 0.25, 3)}
    assert full.habits("full") == {"rhyme": Band(4.0, 2.0, 3)}
    assert full.habits("real text") == {"rhyme": Band(1.0, 0.0, 3)}


def test_full_record_is_read_from_its_four_files(folder):
    there = folder / "sprint"
    there.mkdir()
    about = {"model": dataclasses.asdict(MODEL), "training": dataclasses.asdict(TRAINING)}
    (there / "config.json").write_text(json.dumps(about), encoding="utf-8")
    (there / "metrics.jsonl").write_text('{"step": 0}\n{"step": 9}\n', encoding="utf-8")
    (there / "record.json").write_text('{"train": 1.5}', encoding="utf-8")
    expected = records.FullRecord(MODEL, TRAINING, [{"step": 0}, {"step": 9}], {"train": 1.5})
    assert records.full() == expected


# --- count tables --------------------------------------------------------------------------------


def test_best_table_has_the_lowest_validation_loss(folder):
    """Not the lowest training loss, which the longest context has."""
    pairs = [(0, 3.0, 3.1), (1, 2.0, 2.2), (2, 1.0, 2.5)]
    tables = [{"context": c, "train": t, "validation": v} for c, t, v in pairs]
    write(folder, "count-tables", {"tables": tables, "real text": {"known words": 0.9}})
    assert records.tables() == tables
    assert records.best_table() == tables[1]
    assert records.real_text() == {"known words": 0.9}
