"""What makes the records: tiny runs of each kind of experiment, and the command."""

import dataclasses
import json

import pytest
import torch

from bardgpt import corpus, files, records
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.lab.ladder import RUNGS
from bardgpt.lab.makers import experiments, kinds, provenance
from bardgpt.lab.makers import looker as lookers
from bardgpt.lab.makers.catalogue import EXPERIMENTS
from bardgpt.lab.makers.kinds import AtStart, Sweep, Training
from bardgpt.lab.makers.looker import Looker, seeded_model
from bardgpt.lab.probes import EVALUATION, stream_statistics
from bardgpt.training.loop import train_model

BIGRAM = GPTConfig(vocab_size=65, n_layer=0, positions=False)
SHORT = TrainingConfig(steps=4, evaluate_every=2)
TINY = {"tiny": Training(BIGRAM, SHORT, (0, 1, 2))}


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """One experiment of three runs of four steps; records go to a folder of the test's."""
    monkeypatch.setattr(experiments, "EXPERIMENTS", TINY)
    monkeypatch.setattr(files, "RECORDED", tmp_path / "recorded")
    monkeypatch.setattr(kinds, "SAMPLE_LENGTH", 40)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record(tiny):
    return json.loads((tiny / "recorded/tiny.json").read_text("utf-8"))


def test_every_record_is_of_its_experiment_as_it_stands():
    """A changed definition without a new run would be a claim that nobody measured."""
    for name in EXPERIMENTS:
        assert experiments.up_to_date(name), (
            f"make experiments has not been run since {name} changed"
        )


def test_no_record_without_an_experiment():
    there = {file.stem for file in files.RECORDED.glob("*.json")}
    assert there - {"bench"} == EXPERIMENTS.keys()  # that one is `make bench`'s


def of_kind(kind):
    return [name for name, experiment in EXPERIMENTS.items() if isinstance(experiment, kind)]


@pytest.mark.parametrize("name", of_kind(Training))
def test_record_reads_back(name):
    loaded = records.load(name)
    assert loaded.model == EXPERIMENTS[name].model
    assert loaded.training == EXPERIMENTS[name].training
    assert loaded.band().n == len(loaded.seeds) == 5
    assert loaded.band(1_000).mean > loaded.band().mean
    assert set(loaded.sample_bands(1_000)) == {
        "known words",
        "copied stretches",
        "letters per word",
        "characters per line",
    }
    assert loaded.made["text"] == corpus.SHA256
    assert list(loaded.probes) == list(EXPERIMENTS[name].probes)
    for probe in loaded.probes:
        assert loaded.probed(probe) == [0, 1_000, loaded.training.steps]


@pytest.mark.parametrize("name", of_kind(Sweep))
def test_sweep_reads_back(name):
    variants = EXPERIMENTS[name].variants
    if all(isinstance(variant, AtStart) for variant in variants.values()):
        for variant, experiment in variants.items():
            sizes = records.at_start(variant, "stream")
            assert len(sizes) == experiment.model.n_layer + 1
            assert {band.n for band in sizes} == {len(experiment.seeds)}
        return
    loaded = records.load_sweep(name)
    assert loaded.keys() == variants.keys()
    for variant, found in loaded.items():
        assert found.model == variants[variant].model
        assert found.training == variants[variant].training
        assert found.band().n == len(found.seeds) == len(variants[variant].seeds)
        assert list(found.probes) == [*variants[variant].probes, *variants[variant].at_end]


def test_short_run_is_the_beginning_of_the_full_one():
    """What a chapter does live is what the record did, so a band at 1,000 steps is of the same."""
    with_1000 = records.load("bigram").histories[0]
    assert with_1000.at(1_000) == records.load("bigram-long").histories[0].at(1_000)


def test_missing_record_says_which_there_are():
    with pytest.raises(FileNotFoundError, match=r"no record 'x'; there are \[.*'bigram'"):
        records.load("x")


def test_runs_and_writes_a_record(tiny, capsys):
    assert experiments.main(["--workers", "2"]) == 0
    found = record(tiny)
    assert [run["seed"] for run in found["runs"]] == [0, 1, 2]
    assert found["runs"][0]["history"]["step"] == [0, 2, 4]
    assert found["made"].keys() >= {"commit", "machine", "versions", "seconds"}
    assert len({run["history"]["validation"][-1] for run in found["runs"]}) == 3
    capsys.readouterr()
    assert experiments.main([]) == 0
    assert "Every record stands" in capsys.readouterr().out


# One small block with everything that probes can look at.
BLOCK = GPTConfig(
    vocab_size=65,
    n_embd=4,
    n_head=2,
    projection=True,
    feed_forward="two-layer",
    block="pre-norm",
    final_norm=True,
)
PROBES = ("heads", "stream", "units", "norms", "modes")


@pytest.fixture
def few(monkeypatch):
    """Little text to sample and to look at."""
    monkeypatch.setattr(kinds, "SAMPLE_LENGTH", 40)
    monkeypatch.setattr(lookers, "PROBED", 4_000)
    monkeypatch.setattr(lookers, "GRADIENT_PROBED", 160)
    monkeypatch.setattr(lookers, "MASKED_PROBED", 160)


def test_run_keeps_what_its_probes_saw_before_and_after(few):
    found = Training(BLOCK, SHORT, probes=PROBES).run(0)
    assert found.keys() == {"seed", "samples", "probes", "text", "train", "history"}
    assert tuple(found["probes"]) == PROBES
    assert all(list(steps) == ["0", "4"] for steps in found["probes"].values())
    for spreads in found["probes"]["heads"].values():
        assert spreads.keys() >= {"by distance", "by distance, shuffled", "by class"}
        assert all(0 < value < 1 for value in spreads.values())
    units = found["probes"]["units"]
    assert (
        units["0"]["a vowel"]
        == units["0"]["a vowel, untrained"]
        == units["4"]["a vowel, untrained"]
    )  # before the first step the model is the untrained one
    assert units["4"]["a vowel"] != units["0"]["a vowel"]
    assert found["probes"]["norms"]["0"]["gain"] == [1.0] * 3
    assert found["probes"]["norms"]["4"]["gain"] != [1.0] * 3
    modes = found["probes"]["modes"]["4"]
    assert list(modes.values()) == pytest.approx([modes[EVALUATION]] * len(modes), rel=1e-5)
    json.dumps(found)


def test_probes_see_the_model_of_their_step(few):
    """The stream before the first step is that of a new model from the same seed."""
    found = Training(BLOCK, SHORT, probes=("stream",)).run(3)["probes"]["stream"]
    model = seeded_model(BLOCK, 3)
    looker = Looker(BLOCK, 3)
    assert looker.windows.shape == looker.targets.shape == (500, 8)
    assert torch.equal(looker.windows[:, 1:], looker.targets[:, :-1])
    expected = stream_statistics(model, looker.windows[:20], looker.targets[:20])
    assert found["0"] == kinds.rounded(expected)
    assert found["4"] != found["0"]


@pytest.mark.parametrize("probes", [(), PROBES], ids=["unwatched", "watched"])
def test_neither_probes_nor_samples_change_a_run(few, probes):
    """To the bit: a record with probes is of the same runs as one without."""
    found = Training(BLOCK, SHORT, probes=probes, closely=bool(probes)).run(1)
    plain = Training(BLOCK, SHORT, brief=True).run(1)
    assert found["history"] == plain["history"]


@pytest.mark.parametrize(("closely", "steps"), [(True, ["0", "2", "4"]), (False, ["0", "4"])])
def test_closely_asks_at_every_evaluation(few, closely, steps):
    found = Training(BLOCK, SHORT, probes=("norms", "stream"), closely=closely).run(0)
    assert all(list(kept) == steps for kept in found["probes"].values())
    assert list(found["samples"]) == ["4"]  # text is drawn at the stops alone


def test_probes_look_where_a_chapters_live_run_ends(few, monkeypatch):
    monkeypatch.setattr(kinds, "LIVE_STEPS", 2)
    found = Training(BLOCK, SHORT, probes=("norms",)).run(0)
    assert list(found["probes"]["norms"]) == ["0", "2", "4"]
    assert list(found["samples"]) == ["2", "4"]


def test_a_slice_is_the_beginning_of_the_training_split(few, shakespeare):
    experiment = Training(BLOCK, SHORT, probes=("fit",), characters=300, brief=True)
    found = experiment.run(0)
    model = seeded_model(BLOCK, 0)
    history = train_model(
        model, shakespeare.train[:300], shakespeare.validation, SHORT, progress=False
    )
    assert found["history"] == history.to_dict()
    fit = evaluate(model, shakespeare.train[:300])
    assert found["probes"]["fit"]["4"]["training text"] == pytest.approx(fit, rel=1e-5)
    assert found["history"] != Training(BLOCK, SHORT, brief=True).run(0)["history"]
    looker = Looker(BLOCK, 0, characters=300)
    assert looker.train_windows.numel() == 296  # 299 targets are 37 whole windows and a rest
    assert looker.windows.shape == (500, 8)  # judged on the same text as ever


def test_only_a_slice_says_so_in_its_definition():
    """Records of the whole split stand as they are."""
    assert "characters" not in Training(BLOCK).definition()
    assert Training(BLOCK, characters=300).definition()["characters"] == 300


def test_probes_for_the_end_are_asked_there_alone(few):
    model = dataclasses.replace(BLOCK, dropout=0.2, fused=True)
    last = ("switches", "ensemble")
    experiment = Training(model, SHORT, probes=("norms",), closely=True, at_end=last, brief=True)
    found = experiment.run(0)
    assert list(found["probes"]) == experiment.definition()["probes"] == ["norms", *last]
    assert list(found["probes"]["norms"]) == ["0", "2", "4"]
    for probe in last:
        assert list(found["probes"][probe]) == ["4"]
    plain = Training(model, SHORT, brief=True).run(0)
    assert found["history"] == plain["history"]  # they draw masks, but not the run's


def test_brief_keeps_neither_text_nor_the_loss_on_the_training_split(few):
    brief = Training(BLOCK, SHORT, probes=("norms",), brief=True)
    found = brief.run(0)
    assert found.keys() == {"seed", "samples", "probes", "history"}
    assert found["samples"] == {}
    assert list(found["probes"]["norms"]) == ["0", "4"]
    assert brief.quantities({"runs": [found]}) == {
        "validation loss": [found["history"]["validation"][-1]]
    }


def test_a_look_at_the_start_trains_nothing(few):
    experiment = AtStart(BLOCK, seeds=(0, 1, 2))
    assert experiment.parts() == [0, 1, 2]
    runs = [experiment.run(seed) for seed in experiment.parts()]
    assert [run["seed"] for run in runs] == [0, 1, 2]
    for run in runs:
        trained = Training(BLOCK, SHORT, probes=("stream",), brief=True).run(run["seed"])
        assert run["stream"] == trained["probes"]["stream"]["0"]
    quantities = experiment.quantities(experiment.results(runs))
    assert quantities == {
        f"{name} {depth}": [run["stream"][name][depth] for run in runs]
        for name in ("stream", "gradient")
        for depth in (0, -1)
    }
    assert experiment.definition() == {"model": dataclasses.asdict(BLOCK), "seeds": [0, 1, 2]}


@pytest.fixture
def sweep(tiny, few, monkeypatch):
    """Two trained variants and a start, whose names have hyphens as the real ones do."""
    post = dataclasses.replace(BLOCK, block="post-norm", final_norm=False)
    short = Training(BLOCK, SHORT, (0, 1, 2), probes=("stream",), closely=True, brief=True)
    variants = {
        "3-pre-norm-0.001-0": short,
        "3-post-norm-0.001-0": dataclasses.replace(short, model=post, seeds=(4, 5, 6, 7)),
    }
    kinds = {"tiny": Sweep(variants), "starts": Sweep({"small-pre-norm": AtStart(BLOCK)})}
    monkeypatch.setattr(experiments, "EXPERIMENTS", kinds)
    return variants


def test_parts_of_a_sweep_find_their_variants_again(sweep):
    experiment = Sweep(sweep)
    assert experiment.parts() == [
        *(f"3-pre-norm-0.001-0-{seed}" for seed in (0, 1, 2)),
        *(f"3-post-norm-0.001-0-{seed}" for seed in (4, 5, 6, 7)),
    ]
    found = experiment.run("3-post-norm-0.001-0-5")
    assert found == sweep["3-post-norm-0.001-0"].run(5)


def test_results_of_a_sweep_are_dealt_out_in_order(sweep):
    experiment = Sweep(sweep)
    dealt = experiment.results([{"part": part} for part in experiment.parts()])["variants"]
    assert dealt.keys() == sweep.keys()
    for name, found in dealt.items():
        assert [run["part"].removeprefix(name + "-") for run in found["runs"]] == [
            str(seed) for seed in sweep[name].seeds
        ]


def test_sweep_is_run_written_and_read_back(sweep, capsys):
    assert experiments.main(["--workers", "1"]) == 0
    loaded = records.load_sweep("tiny")
    assert loaded.keys() == sweep.keys()
    for name, found in loaded.items():
        assert found.model == sweep[name].model
        assert found.seeds == list(sweep[name].seeds)
        assert (found.train, found.samples) == ([], {})
        assert found.band().n == len(found.seeds)
        assert found.probed("stream") == [0, 2, 4]
        assert [band.n for band in found.profile("stream", "stream", 4)] == [len(found.seeds)] * 2
    assert [band.n for band in records.at_start("small-pre-norm", "branch")] == [5, 5]
    assert experiments.main([]) == 0
    assert "Every record stands" in capsys.readouterr().out


def test_check_of_a_sweep_names_the_variant(sweep, tiny, capsys):
    assert experiments.main(["tiny", "--workers", "1"]) == 0
    file = tiny / "recorded/tiny.json"
    wrong = json.loads(file.read_text("utf-8"))
    for run in wrong["variants"]["3-post-norm-0.001-0"]["runs"]:
        run["history"]["validation"][-1] -= 1.0
    file.write_text(json.dumps(wrong), encoding="utf-8")
    assert experiments.main(["tiny", "--check", "--workers", "1"]) == 1
    said = capsys.readouterr().out
    assert "tiny: 3-post-norm-0.001-0: validation loss: recorded" in said
    assert "3-pre-norm" not in said


def test_a_sweep_with_a_changed_variant_is_out_of_date(sweep, tiny, monkeypatch):
    (tiny / "recorded").mkdir()
    written = json.dumps({"experiment": Sweep(sweep).definition()})
    (tiny / "recorded/tiny.json").write_text(written, encoding="utf-8")
    assert experiments.up_to_date("tiny")
    name = "3-pre-norm-0.001-0"
    for changed in (
        sweep | {name: dataclasses.replace(sweep[name], seeds=(0, 1, 3))},
        sweep | {name: dataclasses.replace(sweep[name], probes=())},
        sweep | {"another": sweep[name]},
        {name: sweep[name]},
    ):
        monkeypatch.setattr(experiments, "EXPERIMENTS", {"tiny": Sweep(changed)})
        assert not experiments.up_to_date("tiny")


def test_numbers_are_kept_to_six_digits():
    found = {"one": 1.23456789, "many": [1e-9 / 3, 12345678.0], "none": 0.0}
    assert kinds.rounded(found) == {
        "one": 1.23457,
        "many": [3.33333e-10, 12345700.0],
        "none": 0.0,
    }


def test_continuations_ask_every_rung_and_a_count_table_the_same(monkeypatch):
    monkeypatch.setattr(kinds, "RUN", TrainingConfig(steps=2, evaluate_every=2))
    asked = kinds.Continuations("ROMEO:", length=30)
    assert asked.parts() == ["counts", *RUNGS]
    record = asked.results([asked.run("counts"), asked.run("bigram"), asked.run("pre-norm")])
    assert {len(text) for text in record["texts"].values()} == {30}
    assert len(set(record["texts"].values())) == 3
    again = asked.run("pre-norm")
    assert again["text"] == record["texts"]["pre-norm"]


@pytest.mark.parametrize("name", of_kind(Sweep))
def test_variants_differ_from_each_other(name):
    definitions = [json.dumps(d) for d in EXPERIMENTS[name].definition().values()]
    assert len(set(definitions)) == len(definitions) > 4


def test_sweeps_compare_equal_parameters_where_they_say_so():
    depths = EXPERIMENTS["depths"].variants
    for L in (1, 2, 4, 8, 16):
        plain, residual = (depths[f"{block}-{L}"].model for block in ("plain", "residual"))
        assert dataclasses.replace(plain, block="residual") == residual
        assert plain.n_layer == L


def test_interrupted_command_goes_on_where_it_stopped(tiny, monkeypatch):
    """The last seed fails once; the second call must run that seed and no other."""
    ran = tiny / "ran"
    real = Training.run

    def run(self, seed):
        with ran.open("a") as file:
            file.write(f"{seed} ")
        if seed == 2 and not (tiny / "mended").exists():
            raise KeyboardInterrupt
        return real(self, seed)

    monkeypatch.setattr(Training, "run", run)
    with pytest.raises(KeyboardInterrupt):
        experiments.main(["--workers", "1"])
    assert not (tiny / "recorded").exists()
    (tiny / "mended").touch()
    ran.unlink()
    assert experiments.main(["--workers", "1"]) == 0
    assert ran.read_text() == "2 "
    assert [run["seed"] for run in record(tiny)["runs"]] == [0, 1, 2]


def test_finished_runs_of_other_source_text_are_not_used(tiny, monkeypatch):
    experiments.run(["tiny"], tiny / "keep", 1)
    kept = {file: file.stat().st_mtime_ns for file in (tiny / "keep").rglob("*.json")}
    monkeypatch.setattr(experiments, "source_hash", lambda: "other")
    experiments.run(["tiny"], tiny / "keep", 1)
    assert all(file.stat().st_mtime_ns == time for file, time in kept.items())
    assert len(list((tiny / "keep/other").iterdir())) == 3


def test_check_finds_the_same_again_and_writes_nothing(tiny, capsys):
    experiments.main(["--workers", "1"])
    file = tiny / "recorded/tiny.json"
    before = file.read_bytes()
    assert experiments.main(["--check", "--workers", "1"]) == 0
    assert file.read_bytes() == before

    wrong = json.loads(before)
    for run in wrong["runs"]:
        run["history"]["validation"][-1] -= 1.0
    file.write_text(json.dumps(wrong), encoding="utf-8")
    assert experiments.main(["--check", "--workers", "1"]) == 1
    assert "tiny: validation loss: recorded" in capsys.readouterr().out


def test_disagreement_has_a_bound_from_the_spread():
    old = {"loss": [2.0, 2.1, 2.2], "table": [1.0]}
    same = {"loss": [2.1, 2.2, 2.3], "table": [1.0]}  # 0.1 off; 4 standard errors are 0.33
    assert experiments.disagreements(old, same) == []
    far = {"loss": [2.5, 2.6, 2.7], "table": [1.001]}
    assert len(experiments.disagreements(old, far)) == 2
    assert experiments.disagreements({"table": [1.0]}, {"table": [float("nan")]}) != []


def test_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        experiments.main(["bigrm"])
    assert "no experiment ['bigrm']; there are count-tables, bigram" in capsys.readouterr().err


def test_record_says_how_many_threads_a_run_had():
    assert provenance.provenance(1.25)["machine"].endswith("one thread a run")
    assert provenance.provenance(1.25, threads=2)["machine"].endswith("2 threads a run")
