import json

import pytest

from bardgpt import corpus
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.teaching import experiments, records
from bardgpt.teaching.experiments import EXPERIMENTS, Training

BIGRAM = GPTConfig(vocab_size=65, n_layer=0, positions=False)
SHORT = TrainingConfig(steps=4, evaluate_every=2)
TINY = {"tiny": Training(BIGRAM, SHORT, (0, 1, 2))}


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """One experiment of three runs of four steps; records go to a folder of the test's."""
    monkeypatch.setattr(experiments, "EXPERIMENTS", TINY)
    monkeypatch.setattr(experiments, "RECORDED", tmp_path / "recorded")
    monkeypatch.setattr(experiments, "SAMPLE_LENGTH", 40)
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
    there = {file.stem for file in experiments.RECORDED.glob("*.json")}
    assert there == EXPERIMENTS.keys()


@pytest.mark.parametrize("name", [n for n, e in EXPERIMENTS.items() if isinstance(e, Training)])
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


def test_short_run_is_the_beginning_of_the_full_one():
    """What a chapter does live is what the record did, so a band at 1,000 steps is of the same."""
    with_1000 = records.load("bigram").histories[0]
    assert with_1000.at(1_000) == records.load("bigram-long").histories[0].at(1_000)


def test_missing_record_says_which_there_are():
    with pytest.raises(FileNotFoundError, match=r"no record 'x'; there are \['bigram'"):
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


@pytest.mark.parametrize("n_head", [1, 2])
def test_run_tells_heads_apart_where_there_are_several(monkeypatch, n_head):
    """Before training and after; and asking does not disturb the run."""
    monkeypatch.setattr(experiments, "SAMPLE_LENGTH", 40)
    model = GPTConfig(vocab_size=65, n_head=n_head)
    result = Training(model, SHORT).run(0)
    assert list(result["heads"]) == (["0", "4"] if n_head > 1 else [])
    for spreads in result["heads"].values():
        assert spreads.keys() >= {"by distance", "by distance, shuffled", "by class"}
        assert all(0 < value < 1 for value in spreads.values())


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
