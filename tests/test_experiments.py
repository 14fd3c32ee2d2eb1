"""What makes the records: tiny runs of each kind of experiment, and the command."""

import copy
import dataclasses
import json
import math
import os
from pathlib import Path

import pytest
import torch

import bardgpt
from bardgpt import corpus, files, pretrained, records
from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.evaluation import estimate, evaluate, losses_in_context
from bardgpt.gpt import GPT
from bardgpt.lab import probes
from bardgpt.lab.count_tables import BEST_CONTEXT, CountTable
from bardgpt.lab.ladder import PROMPT, RUN, RUNGS
from bardgpt.lab.likeness import Reference, text_statistics
from bardgpt.lab.makers import continuations, experiments, judged, kinds, provenance
from bardgpt.lab.makers import looker as lookers
from bardgpt.lab.makers.catalogue import EXPERIMENTS, LEVERS
from bardgpt.lab.makers.continuations import Continuations
from bardgpt.lab.makers.judged import Judged
from bardgpt.lab.makers.kinds import AtStart, CountTables, Sweep, Training
from bardgpt.lab.makers.looker import Looker, seeded_model
from bardgpt.lab.probes import EVALUATION, stream_statistics
from bardgpt.presets import PRESETS
from bardgpt.pretrained import CONFIG, WEIGHTS
from bardgpt.sampling import generate
from bardgpt.training.loop import train_model

BIGRAM = GPTConfig(vocab_size=65, n_layer=0, positions=False)
SHORT = TrainingConfig(steps=4, evaluate_every=2)
TINY = {"tiny": Training(BIGRAM, SHORT, (0, 1, 2))}


@pytest.fixture
def few(monkeypatch, shakespeare):
    """Little text to learn from, to be judged on, to sample and to look at."""
    text = shakespeare._replace(
        train=shakespeare.train[:20_000], validation=shakespeare.validation[:5_000]
    )
    for module in (kinds, continuations, lookers):
        monkeypatch.setattr(module, "shakespeare", lambda: text)
    monkeypatch.setattr(kinds, "SAMPLE_LENGTH", 1_000)
    monkeypatch.setattr(kinds, "PIECE", 30)
    monkeypatch.setattr(lookers, "PROBED", 4_000)
    monkeypatch.setattr(lookers, "GRADIENT_PROBED", 160)
    monkeypatch.setattr(lookers, "MASKED_PROBED", 240)
    return text


@pytest.fixture
def tiny(few, monkeypatch, tmp_path):
    """One experiment of three runs of four steps; records go to a folder of the test's."""
    monkeypatch.setattr(experiments, "EXPERIMENTS", TINY)
    monkeypatch.setattr(files, "RECORDED", tmp_path / "recorded")
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
    by_others = {"bench", "own-texts"}  # `make bench`, and a maker of its own
    assert there - by_others == EXPERIMENTS.keys()


def of_kind(kind):
    return [name for name, experiment in EXPERIMENTS.items() if isinstance(experiment, kind)]


@pytest.mark.parametrize("name", of_kind(Training))
def test_record_reads_back(name):
    loaded = records.load(name)
    assert loaded.model == EXPERIMENTS[name].model
    assert loaded.training == EXPERIMENTS[name].training
    assert loaded.band().n == len(loaded.seeds) == 5
    # The long run was first looked at after more than 1,000 steps, and wrote at its end.
    is_long = name == "pre-norm-long"
    early = loaded.training.evaluate_every if is_long else 1_000
    assert loaded.band(early).mean > loaded.band().mean
    assert set(loaded.sample_bands(loaded.training.steps if is_long else 1_000)) == {
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
    for variant, result in loaded.items():
        assert result.model == variants[variant].model
        assert result.training == variants[variant].training
        assert len(result.validation) == len(result.seeds) == len(variants[variant].seeds)
        if all(map(math.isfinite, result.validation)):  # no run was lost
            assert result.band().n == len(result.seeds)
        assert list(result.probes) == [*variants[variant].probes, *variants[variant].at_end]


def test_short_run_is_the_beginning_of_the_full_one():
    """What a chapter does live is what the record did, so a band at 1,000 steps is of the same."""
    with_1000 = records.load("bigram").histories[0]
    assert with_1000.at(1_000) == records.load("bigram-long").histories[0].at(1_000)


def test_missing_record_says_which_there_are():
    with pytest.raises(FileNotFoundError, match=r"no record 'x'; there are \[.*'bigram'"):
        records.load("x")


def test_runs_and_writes_a_record(tiny, capsys):
    assert experiments.main(["--workers", "2"]) == 0
    result = record(tiny)
    assert [run["seed"] for run in result["runs"]] == [0, 1, 2]
    assert result["runs"][0]["history"]["step"] == [0, 2, 4]
    assert result["made"].keys() >= {"commit", "machine", "versions", "seconds"}
    assert len({run["history"]["validation"][-1] for run in result["runs"]}) == 3
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


# --- one run, written out -------------------------------------------------------------------------


def by_hand(text, model, training, seed):
    """A trained model and its history: weights, windows and masks of this seed."""
    torch.manual_seed(seed)
    trained = GPT(model)
    config = dataclasses.replace(training, seed=seed)
    return trained, train_model(trained, text.train, text.validation, config, progress=False)


def spoken(text, model, length, seed, prompt="\n", temperature=1.0):
    """What a model draws from one seed."""
    generator = torch.Generator().manual_seed(seed)
    ids = generate(
        model,
        text.tokenizer.encode(prompt),
        length,
        temperature=temperature,
        generator=generator,
    )
    return text.tokenizer.decode(ids)


@pytest.mark.parametrize("seed", [1, 2])  # neither is a default
def test_a_run_has_the_weights_windows_and_samples_of_its_seed(few, seed):
    training = TrainingConfig(steps=60, learning_rate=0.1, evaluate_every=30)  # speaks some words
    run = Training(BIGRAM, training).run(seed)
    model, history = by_hand(few, BIGRAM, training, seed)
    assert run["seed"] == seed
    assert run["history"] == history.to_dict()
    drawn = spoken(few, model, 1_000, seed)
    assert run["text"] == drawn[:30]
    known = Reference.of(few.tokenizer.decode(few.train))
    assert run["samples"] == {"60": text_statistics(drawn, known)}
    unseen = Reference.of(few.tokenizer.decode(few.validation))
    assert text_statistics(drawn, known) != text_statistics(drawn, unseen)  # so it can fail


def test_training_loss_is_of_the_text_that_was_learned(few):
    for characters, learned in ((None, few.train), (300, few.train[:300])):
        run = Training(BIGRAM, SHORT, characters=characters).run(1)
        torch.manual_seed(1)
        model = GPT(BIGRAM)
        config = dataclasses.replace(SHORT, seed=1)
        train_model(model, learned, few.validation, config, progress=False)
        assert run["train"] == evaluate(model, learned)
        others = (few.validation, few.train) if characters else (few.validation,)
        assert all(abs(run["train"] - evaluate(model, ids)) > 1e-4 for ids in others)


LOOKED_AT = dataclasses.replace(BLOCK, dropout=0.2)


@pytest.mark.parametrize("probe", ["heads", "stream", "units", "norms", "modes", "fit"])
def test_a_probe_sees_new_text_and_the_model_as_it_is_used(few, probe):
    """Of a model in training mode, as a run's is; the text that is learned only where it says."""
    model, looker = GPT(LOOKED_AT).train(), Looker(LOOKED_AT, 3)
    windows, targets = few.validation[:4_000].view(500, 8), few.validation[1:4_001].view(500, 8)
    learned = few.train[:4_000].view(500, 8)
    seen = [(ids, few.tokenizer.decode(ids.flatten())) for ids in (learned, windows)]
    classes = probes.character_classes(few.tokenizer.vocabulary)
    state = torch.get_rng_state()
    asked = getattr(looker, probe)(model)
    assert torch.equal(torch.get_rng_state(), state)  # or the run would go on with other masks
    assert model.training
    used = copy.deepcopy(model).eval()
    torch.manual_seed(3)
    untrained = GPT(LOOKED_AT)
    expected = {
        "heads": lambda: probes.head_spreads(used, windows, classes),
        "stream": lambda: stream_statistics(used, windows[:20], targets[:20]),
        "units": lambda: probes.unit_scores(used, untrained, *seen),
        "norms": lambda: probes.gains_and_biases(used),
        "modes": lambda: probes.losses_by_mode(used, windows, targets),
        "fit": lambda: {"training text": evaluate(used, few.train)},
    }[probe]()
    assert asked == expected


@pytest.mark.parametrize("probe", ["switches", "ensemble"])
def test_masks_are_judged_on_new_text(few, probe):
    masked = dataclasses.replace(LOOKED_AT, fused=True)
    model, looker = GPT(masked).train(), Looker(masked, 3)
    windows, targets = few.validation[:4_000].view(500, 8), few.validation[1:4_001].view(500, 8)
    expected = (
        probes.losses_by_switch(model, windows, targets)
        if probe == "switches"
        else probes.ensemble(model, windows[:30], targets[:30])
    )
    assert getattr(looker, probe)(model) == expected


def test_a_look_at_the_start_is_at_the_weights_of_its_seed(few):
    for seed in (1, 2):
        torch.manual_seed(seed)
        model = GPT(BLOCK).eval()
        ids, targets = few.validation[:160].view(20, 8), few.validation[1:161].view(20, 8)
        expected = kinds.rounded(stream_statistics(model, ids, targets))
        assert AtStart(BLOCK).run(seed) == {"seed": seed, "stream": expected}


def test_count_tables_by_hand(few):
    tables = CountTables(longest=2, seeds=(3, 5))
    assert tables.parts() == [0, 1, 2]
    run = tables.run(2)
    table = CountTable(few.train, 2, 65)
    start = few.tokenizer.encode("\n")
    drawn = [
        few.tokenizer.decode(table.generate(start, 1_000, torch.Generator().manual_seed(seed)))
        for seed in (3, 5)
    ]
    known = Reference.of(few.tokenizer.decode(few.train))
    assert run == {
        "context": 2,
        "train": table.losses(few.train).mean().item(),
        "validation": table.losses(few.validation).mean().item(),
        "samples": [text_statistics(text, known) for text in drawn],
        "text": drawn[0][:30],
    }
    record = tables.results([run])
    assert record == {
        "tables": [run],
        "real text": text_statistics(few.tokenizer.decode(few.validation), known),
    }
    assert tables.definition() == {"longest context": 2, "seeds": [3, 5]}
    assert tables.quantities(record) == {
        "2 characters, train": [run["train"]],
        "2 characters, validation": [run["validation"]],
    }


@pytest.mark.parametrize("part", ["counts", "pre-norm"])
def test_continuations_by_hand(few, monkeypatch, part):
    # Fast enough that the text depends on the windows, not on the first weights alone.
    training = TrainingConfig(steps=20, learning_rate=0.05, evaluate_every=20)
    monkeypatch.setattr(continuations, "RUN", training)
    asked = Continuations("ROMEO:", context=2, seed=3, length=50, temperatures=(0.25, 1.0))
    run = asked.run(part)
    if part == "counts":
        table = CountTable(few.train, 2, 65)
        prompt, generator = few.tokenizer.encode("ROMEO:"), torch.Generator().manual_seed(3)
        text = few.tokenizer.decode(table.generate(prompt, 50, generator))
        assert run == {"of": part, "texts": {"1": text}}
        return
    model, history = by_hand(few, RUNGS["pre-norm"].config, training, 3)
    texts = {f"{t:g}": spoken(few, model, 50, 3, "ROMEO:", t) for t in (0.25, 1.0)}
    assert len(set(texts.values())) == 2
    assert run["texts"] == texts
    assert run["validation"] == history.at(20)
    assert list(run["files"]) == [f"rungs/pre-norm/{name}" for name in (CONFIG, WEIGHTS)]


def test_weights_of_a_rung_are_written_beside_the_record_and_read_again(few, tiny, monkeypatch):
    """Those after the last step, as float32, in a folder that `pretrained` reads."""
    training = TrainingConfig(steps=20, learning_rate=0.05, evaluate_every=20)
    monkeypatch.setattr(continuations, "RUN", training)
    monkeypatch.setattr(
        continuations, "RUNGS", {name: RUNGS[name] for name in ("bigram", "pre-norm")}
    )
    monkeypatch.setattr(pretrained, "RUNGS", tiny / "recorded/rungs")
    asked = {"tiny": Continuations("ROMEO:", context=2, seed=3, length=5)}
    monkeypatch.setattr(experiments, "EXPERIMENTS", asked)
    assert experiments.main(["--workers", "1"]) == 0
    written = record(tiny)
    assert written.keys() == {"experiment", "made", "texts", "validation"}
    assert written["texts"].keys() == {"counts", "bigram", "pre-norm"}
    for name in ("bigram", "pre-norm"):
        model, history = by_hand(few, RUNGS[name].config, training, 3)
        again, tokenizer = pretrained.load_rung(name)
        assert (again.config, again.training) == (RUNGS[name].config, False)
        assert tokenizer.vocabulary == few.tokenizer.vocabulary
        for key, value in model.state_dict().items():
            assert torch.equal(again.state_dict()[key], value)
        assert written["validation"][name] == history.at(20)
        assert evaluate(again, few.validation) == pytest.approx(history.at(20), abs=1e-6)
    assert experiments.up_to_date("tiny")
    with pytest.raises(ValueError, match=r"no rung 'pre_norm'; there are bigram, pre-norm$"):
        pretrained.load_rung("pre_norm")


def test_judged_is_the_recorded_model_in_each_way(few, monkeypatch):
    torch.manual_seed(0)
    model = GPT(dataclasses.replace(BLOCK, dropout=0.5)).eval()
    monkeypatch.setattr(pretrained, "load", lambda: (model, few.tokenizer))
    monkeypatch.setattr(judged, "shakespeare", lambda: few)
    asked = Judged(contexts=(2, 5), batches=3, seed=4)
    found = asked.results([asked.run(part) for part in asked.parts()])["ways"]
    assert list(found) == ["neighbouring windows", "2", "5", "random windows"]
    assert found["neighbouring windows"] == {"loss": evaluate(model, few.validation)}
    for least in (2, 5):
        each = losses_in_context(model, few.validation, least)
        assert found[str(least)] == {"loss": each.double().mean().item()}
    loss, error = estimate(model, few.validation, batches=3, seed=4)
    assert found["random windows"] == {"loss": loss, "standard error": error}
    assert len(asked.definition()["weights"]) == 64
    assert asked.quantities({"ways": found})["5"] == [found["5"]["loss"]]


def test_what_the_book_shows_is_the_best_table_and_every_models_prompt():
    assert records.best_table()["context"] == BEST_CONTEXT == EXPERIMENTS["continuations"].context
    assert EXPERIMENTS["continuations"].prompt == PROMPT == records.full().results["prompt"]


# --- what a run keeps -----------------------------------------------------------------------------


def test_run_keeps_what_its_probes_saw_before_and_after(few):
    result = Training(BLOCK, SHORT, probes=PROBES).run(0)
    assert result.keys() == {"seed", "samples", "probes", "text", "train", "history"}
    assert tuple(result["probes"]) == PROBES
    assert all(list(steps) == ["0", "4"] for steps in result["probes"].values())
    for spreads in result["probes"]["heads"].values():
        assert spreads.keys() >= {"by distance", "by distance, shuffled", "by class"}
        assert all(0 < value < 1 for value in spreads.values())
    units = result["probes"]["units"]
    assert (
        units["0"]["a vowel"]
        == units["0"]["a vowel, untrained"]
        == units["4"]["a vowel, untrained"]
    )  # before the first step the model is the untrained one
    assert units["4"]["a vowel"] != units["0"]["a vowel"]
    assert result["probes"]["norms"]["0"]["gain"] == [1.0] * 3
    assert result["probes"]["norms"]["4"]["gain"] != [1.0] * 3
    modes = result["probes"]["modes"]["4"]
    assert list(modes.values()) == pytest.approx([modes[EVALUATION]] * len(modes), rel=1e-5)
    json.dumps(result)


def test_probes_see_the_model_of_their_step(few):
    """The stream before the first step is that of a new model from the same seed."""
    result = Training(BLOCK, SHORT, probes=("stream",)).run(3)["probes"]["stream"]
    model = seeded_model(BLOCK, 3)
    looker = Looker(BLOCK, 3)
    assert looker.windows.shape == looker.targets.shape == (500, 8)
    assert torch.equal(looker.windows[:, 1:], looker.targets[:, :-1])
    expected = stream_statistics(model, looker.windows[:20], looker.targets[:20])
    assert result["0"] == kinds.rounded(expected)
    assert result["4"] != result["0"]


@pytest.mark.parametrize("probes", [(), PROBES], ids=["unwatched", "watched"])
def test_neither_probes_nor_samples_change_a_run(few, probes):
    """To the bit: a record with probes is of the same runs as one without."""
    result = Training(BLOCK, SHORT, probes=probes, closely=bool(probes)).run(1)
    plain = Training(BLOCK, SHORT, brief=True).run(1)
    assert result["history"] == plain["history"]


@pytest.mark.parametrize(("closely", "steps"), [(True, ["0", "2", "4"]), (False, ["0", "4"])])
def test_closely_asks_at_every_evaluation(few, closely, steps):
    result = Training(BLOCK, SHORT, probes=("norms", "stream"), closely=closely).run(0)
    assert all(list(kept) == steps for kept in result["probes"].values())
    assert list(result["samples"]) == ["4"]  # text is drawn at the stops alone


def test_probes_look_where_a_chapters_live_run_ends(few, monkeypatch):
    monkeypatch.setattr(kinds, "LIVE_STEPS", 2)
    result = Training(BLOCK, SHORT, probes=("norms",)).run(0)
    assert list(result["probes"]["norms"]) == ["0", "2", "4"]
    assert list(result["samples"]) == ["2", "4"]


def test_a_slice_is_the_beginning_of_the_training_split(few):
    experiment = Training(BLOCK, SHORT, probes=("fit",), characters=300, brief=True)
    result = experiment.run(0)
    model = seeded_model(BLOCK, 0)
    history = train_model(model, few.train[:300], few.validation, SHORT, progress=False)
    assert result["history"] == history.to_dict()
    fit = evaluate(model, few.train[:300])
    assert result["probes"]["fit"]["4"]["training text"] == pytest.approx(fit, rel=1e-5)
    assert result["history"] != Training(BLOCK, SHORT, brief=True).run(0)["history"]
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
    result = experiment.run(0)
    assert list(result["probes"]) == experiment.definition()["probes"] == ["norms", *last]
    assert list(result["probes"]["norms"]) == ["0", "2", "4"]
    for probe in last:
        assert list(result["probes"][probe]) == ["4"]
    plain = Training(model, SHORT, brief=True).run(0)
    assert result["history"] == plain["history"]  # they draw masks, but not the run's


def test_brief_keeps_neither_text_nor_the_loss_on_the_training_split(few):
    brief = Training(BLOCK, SHORT, probes=("norms",), brief=True)
    result = brief.run(0)
    assert result.keys() == {"seed", "samples", "probes", "history"}
    assert result["samples"] == {}
    assert list(result["probes"]["norms"]) == ["0", "4"]
    assert brief.quantities({"runs": [result]}) == {
        "validation loss": [result["history"]["validation"][-1]]
    }


LOSING = dataclasses.replace(SHORT, learning_rate=1e30)


def test_a_lost_run_keeps_its_reason_and_no_losses(few):
    """Lost on the way, not a crash of the whole experiment; nothing of it can be compared."""
    lost = Training(BIGRAM, LOSING, brief=True)
    result = lost.run(0)
    assert result["lost"].startswith("the loss was nan in step 2: ")
    none = [None, None, None]
    assert result["history"] == {"step": [0, 2, 4], "train": none, "validation": none}
    assert lost.quantities({"runs": [Training(BIGRAM, SHORT, brief=True).run(0), result]}) == {}


def test_a_sweep_with_lost_runs_is_written_and_read_back(tiny, monkeypatch):
    variants = {
        f"{name}-{n}": Training(dataclasses.replace(BIGRAM, n_embd=n), each, (0, 1, 2), brief=True)
        for name, each in (("well", SHORT), ("lost", LOSING))
        for n in (4, 5)
    }
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"tiny": Sweep(variants)})
    assert experiments.main(["--workers", "1"]) == 0
    loaded = records.load_sweep("tiny")
    assert loaded["lost-4"].validation == [math.inf] * 3
    assert loaded["lost-4"].histories[0].at(0) == math.inf
    assert loaded["well-4"].band().n == 3
    with pytest.raises(ValueError, match=r"\[inf, inf, inf\]: what is not finite leaves no mean"):
        loaded["lost-4"].band()
    assert experiments.main(["--check", "--workers", "1"]) == 0


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
        *(("3-pre-norm-0.001-0", seed) for seed in (0, 1, 2)),
        *(("3-post-norm-0.001-0", seed) for seed in (4, 5, 6, 7)),
    ]
    result = experiment.run(("3-post-norm-0.001-0", 5))
    assert result == sweep["3-post-norm-0.001-0"].run(5)


def test_results_of_a_sweep_are_dealt_out_in_order(sweep):
    experiment = Sweep(sweep)
    dealt = experiment.results([{"part": part} for part in experiment.parts()])["variants"]
    assert dealt.keys() == sweep.keys()
    for name, result in dealt.items():
        assert [run["part"] for run in result["runs"]] == [(name, s) for s in sweep[name].seeds]


def test_sweep_is_run_written_and_read_back(sweep, capsys):
    assert experiments.main(["--workers", "1"]) == 0
    loaded = records.load_sweep("tiny")
    assert loaded.keys() == sweep.keys()
    for name, result in loaded.items():
        assert result.model == sweep[name].model
        assert result.seeds == list(sweep[name].seeds)
        assert (result.train, result.samples) == ([], {})
        assert result.band().n == len(result.seeds)
        assert result.probed("stream") == [0, 2, 4]
        assert [band.n for band in result.profile("stream", "stream", 4)] == [len(result.seeds)] * 2
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
    result = {"one": 1.23456789, "many": [1e-9 / 3, 12345678.0], "none": 0.0}
    assert kinds.rounded(result) == {
        "one": 1.23457,
        "many": [3.33333e-10, 12345700.0],
        "none": 0.0,
    }


def test_continuations_ask_every_rung_and_a_count_table_the_same(few, monkeypatch):
    monkeypatch.setattr(continuations, "RUN", TrainingConfig(steps=2, evaluate_every=2))
    asked = Continuations("ROMEO:", length=30)
    assert asked.parts() == ["counts", *RUNGS]
    record = asked.results([asked.run("counts"), asked.run("bigram"), asked.run("pre-norm")])
    texts = [text for of in record["texts"].values() for text in of.values()]
    assert {len(text) for text in texts} == {30}
    assert len(set(texts)) == len(texts) == 7
    assert record["validation"].keys() == {"bigram", "pre-norm"}
    again = asked.run("pre-norm")
    assert again["texts"] == record["texts"]["pre-norm"]


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


def differing(one, other):
    """The fields in which two configs differ."""
    return {
        field.name
        for field in dataclasses.fields(one)
        if getattr(one, field.name) != getattr(other, field.name)
    }


def test_size_is_told_from_recipe_with_sprints_own():
    """The last small rung in sprint's way, over its own steps; nothing else of it."""
    sprint, rung = PRESETS["sprint"], RUNGS["pre-norm"].config
    recipe = EXPERIMENTS["pre-norm-recipe"]
    assert differing(recipe.training, sprint.training) == {"steps", "evaluate_every", "seed"}
    assert recipe.training.steps == RUN.steps
    assert differing(recipe.model, rung) == {"initialization", "fused"}
    assert recipe.model.initialization == sprint.model.initialization


def test_each_lever_of_sprints_recipe_is_left_out_once():
    """Every field in which the recipe differs from the rung's own way is some lever's."""
    own, recipe = Training(RUNGS["pre-norm"].config), EXPERIMENTS["pre-norm-recipe"]
    variants = EXPERIMENTS["recipe-without"].variants
    missed = differing(recipe.training, RUN) | differing(recipe.model, own.model)
    for lever, without in variants.items():
        changed = differing(without.training, recipe.training) | differing(
            without.model, recipe.model
        )
        assert changed == set(LEVERS[lever])
        for field in changed:
            given, rungs = (
                (without.model, own.model)
                if field == "initialization"
                else (
                    without.training,
                    RUN,
                )
            )
            assert getattr(given, field) == getattr(rungs, field)
        missed -= changed
    # Muon's own fields say nothing where AdamW takes its place; the rest is no lever.
    assert missed == {"muon_rate", "fused", "seed", "evaluate_every"} & missed


def test_size_is_told_from_reading_with_as_many_characters():
    """The last small rung in its own way, over as many characters as the full model has read."""
    long, rung = EXPERIMENTS["pre-norm-long"], RUNGS["pre-norm"].config
    assert differing(long.training, RUN) == {"steps", "evaluate_every"}
    assert differing(long.model, rung) == {"fused"}
    read = long.training.steps * long.training.batch_size * long.model.block_size
    assert read == records.full().metrics[-1]["characters"]


def test_hidden_widths_are_compared_at_equal_parameters_once():
    models = {name: each.model for name, each in EXPERIMENTS["hidden-widths"].variants.items()}
    sizes = {name: model.n_hidden // model.n_embd for name, model in models.items()}
    assert sizes == {"1": 1, "2": 2, "4": 4, "8": 8, "wide": 1, "gelu": 4}
    assert models["wide"].n_parameters() == models["4"].n_parameters()
    assert differing(models["wide"], models["4"]) == {"n_embd", "expansion"}
    assert differing(models["gelu"], models["4"]) == {"activation"}
    grown = EXPERIMENTS["feed-forward-two-layer"].model
    assert differing(models["4"], grown) == {"fused"}
    assert {each.training for each in EXPERIMENTS["hidden-widths"].variants.values()} == {RUN}


def test_toys_differ_in_what_their_names_say():
    toys = EXPERIMENTS["copying"].toys
    first = toys["both, one head"]
    changes = {name: differing(toy, first) for name, toy in toys.items()}
    assert changes == {
        "both, one head": set(),
        "both, two heads": {"n_head"},
        "both, one head, longer": {"steps"},
        "both, one head, 8 letters": {"letters"},
        "either, one head": {"task"},
        "either, two heads": {"task", "n_head"},
    }


def test_interrupted_command_goes_on_where_it_stopped(tiny, monkeypatch):
    """The last seed fails once; the second call must run that seed and no other."""
    ran = tiny / "ran"
    real = Training.run

    def run(self, seed):
        with ran.open("a", encoding="utf-8") as file:
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
    assert ran.read_text(encoding="utf-8") == "2 "
    assert [run["seed"] for run in record(tiny)["runs"]] == [0, 1, 2]


def test_finished_runs_of_other_source_text_are_not_used(tiny, monkeypatch):
    experiments.run(["tiny"], tiny / "keep", 1)
    kept = {file: file.stat().st_mtime_ns for file in (tiny / "keep").rglob("*.json")}
    monkeypatch.setattr(experiments, "source_hash", lambda: "other")
    experiments.run(["tiny"], tiny / "keep", 1)
    assert all(file.stat().st_mtime_ns == time for file, time in kept.items())
    assert len(list((tiny / "keep/other/tiny").iterdir())) == 3


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


def test_check_does_not_find_the_runs_that_it_repeats(tiny):
    """Finished runs of the same source text lie there, and are wrong."""
    assert experiments.main(["--workers", "1"]) == 0
    for file in (tiny / "_build/experiments").rglob("*.json"):
        run = json.loads(file.read_text("utf-8"))
        run["history"]["validation"][-1] += 1.0
        file.write_text(json.dumps(run), encoding="utf-8")
    assert experiments.main(["--check", "--workers", "1"]) == 0


def test_a_record_is_its_definition_its_runs_in_order_and_their_seconds(tiny):
    """From finished parts that were made up, each of which says whose it is."""
    folder = tiny / "keep" / experiments.source_hash()
    for seed, seconds in ((2, 3.0), (0, 1.25), (1, 2.0)):
        file = folder / experiments.file_name("tiny", seed)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"seed": seed, "seconds": seconds}), encoding="utf-8")
    record = experiments.run(["tiny"], tiny / "keep", 1)["tiny"]
    assert record["runs"] == [{"seed": 0}, {"seed": 1}, {"seed": 2}]
    assert record["experiment"] == TINY["tiny"].definition()
    assert record["made"] == provenance.provenance(6.25)
    assert record["made"]["seconds"] == 6.2


class Threads:
    """An experiment that says how many threads its part may use."""

    def parts(self):
        return [0]

    def run(self, part):
        return {"threads": torch.get_num_threads()}

    def definition(self):
        return {}

    def results(self, runs):
        return {"runs": runs}

    def quantities(self, record):
        return {}


def test_each_run_has_one_thread_as_its_record_says(tiny, monkeypatch):
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"threads": Threads()})
    threads = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        record = experiments.run(["threads"], tiny / "keep", 1)["threads"]
    finally:
        torch.set_num_threads(threads)
    assert record["runs"] == [{"threads": 1}]
    assert record["made"]["machine"].endswith("one thread a run")


@pytest.fixture
def asked(tiny, monkeypatch):
    """What the command asks to be run, of two experiments, of which one has its record."""
    names = []

    def run(chosen, keep, workers):
        names.append((chosen, workers))
        return {name: {"made": {"seconds": 1.0}} for name in chosen}

    both = {"one": TINY["tiny"], "two": TINY["tiny"]}
    monkeypatch.setattr(experiments, "EXPERIMENTS", both)
    monkeypatch.setattr(experiments, "run", run)
    (tiny / "recorded").mkdir()
    record = json.dumps({"experiment": TINY["tiny"].definition()})
    (tiny / "recorded/one.json").write_text(record, encoding="utf-8")
    return names


@pytest.mark.parametrize(
    ("arguments", "run"),
    [
        ([], [(["two"], 5)]),
        (["--again"], [(["one", "two"], 5)]),
        (["one"], []),
        (["two"], [(["two"], 5)]),
        (["one", "--again"], [(["one"], 5)]),
    ],
)
def test_only_what_is_asked_for_and_missing_is_run(asked, tiny, arguments, run):
    assert experiments.main([*arguments, "--workers", "5"]) == 0
    assert asked == run
    written = {file.stem for file in (tiny / "recorded").iterdir()}
    assert written == {"one"}.union(*(names for names, _ in run))


@pytest.mark.parametrize("part", ["model", "training", "seeds", "probes", "characters"])
def test_a_changed_definition_is_out_of_date(tiny, monkeypatch, part):
    (tiny / "recorded").mkdir()
    record = json.dumps({"experiment": TINY["tiny"].definition()})
    (tiny / "recorded/tiny.json").write_text(record, encoding="utf-8")
    assert experiments.up_to_date("tiny")
    changed = {
        "model": dataclasses.replace(BIGRAM, n_embd=16),
        "training": dataclasses.replace(SHORT, learning_rate=0.5),
        "seeds": (0, 1, 3),
        "probes": ("fit",),
        "characters": 300,
    }[part]
    experiment = dataclasses.replace(TINY["tiny"], **{part: changed})
    monkeypatch.setattr(experiments, "EXPERIMENTS", {"tiny": experiment})
    assert not experiments.up_to_date("tiny")


def test_each_finished_part_has_a_file_of_its_own():
    names = [
        experiments.file_name(name, part)
        for name, experiment in EXPERIMENTS.items()
        for part in experiment.parts()
    ]
    assert len(set(names)) == len(names) > 300
    assert experiments.file_name("bigram", 3) == "bigram/3.json"
    assert experiments.file_name("rates", ("12-pre-norm", 3)) == "rates/12-pre-norm-3.json"


def test_numbers_of_the_definition_by_hand():
    """A training's seed is each run's own; what is asked at the end is asked too."""
    training = Training(BLOCK, SHORT, (4, 5), probes=("norms",), at_end=("switches",))
    definition = training.definition()
    assert definition["seeds"] == training.parts() == [4, 5]
    assert definition["probes"] == ["norms", "switches"]
    assert definition["model"] == dataclasses.asdict(BLOCK)
    assert TrainingConfig(**definition["training"]) == SHORT
    assert "seed" not in definition["training"]


def a_run_that_ended(validation, train):
    """Whose last loss is neither its first nor its lowest."""
    return {"history": {"validation": [4.0, 1.0, validation]}, "train": train}


def test_quantities_are_the_last_losses_of_each_run():
    record = {"runs": [a_run_that_ended(2.5, 2.25), a_run_that_ended(2.0, 1.75)]}
    assert Training(BIGRAM).quantities(record) == {
        "validation loss": [2.5, 2.0],
        "training loss": [2.25, 1.75],
    }
    start = {"stream": {"stream": [1.0, 2.0, 3.0], "gradient": [4.0, 5.0, 6.0]}}
    assert AtStart(BIGRAM).quantities({"runs": [start]}) == {
        "stream 0": [1.0],
        "stream -1": [3.0],
        "gradient 0": [4.0],
        "gradient -1": [6.0],
    }


# --- the name of the source text ------------------------------------------------------------------


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A copy of the package, with nothing that is made by running it."""
    root = Path(bardgpt.__file__).parent
    there = tmp_path_factory.mktemp("package")
    for file in root.rglob("*"):
        name = file.relative_to(root)
        if file.is_file() and "__pycache__" not in name.parts and name.parts[0] != "recorded":
            (there / name).parent.mkdir(parents=True, exist_ok=True)
            (there / name).write_bytes(file.read_bytes())
    return there


def key_changes(package, file):
    """Whether the key is another one while a file has one more line."""
    before, content = experiments.source_hash(package), file.read_bytes()
    file.write_bytes(content + b"# edited\n")
    try:
        return experiments.source_hash(package) != before
    finally:
        file.write_bytes(content)


def test_every_file_of_core_and_lab_changes_the_key_and_no_other_does(package):
    """A run of other source text must not be taken for one of this."""
    by_room = {True: set(), False: set()}
    for file in sorted(file for file in package.rglob("*") if file.is_file()):
        by_room[key_changes(package, file)].add(file.relative_to(package).as_posix())
    assert all(name.split("/")[0] in ("records", "teaching") for name in by_room[False])
    assert not any(name.split("/")[0] in ("records", "teaching") for name in by_room[True])
    assert by_room[True] >= {
        "batches.py",
        "rebuild_fixes.txt",
        "layers/blocks.py",
        "training/trainer.py",
        "lab/likeness.py",
        "lab/makers/kinds.py",
        "lab/probes/units.py",
    }
    assert "records/band.py" in by_room[False]


def test_a_new_a_removed_and_a_renamed_file_change_the_key(package):
    before = experiments.source_hash(package)
    new = package / "layers/another.py"
    new.write_bytes(b"")
    added = experiments.source_hash(package)
    renamed = new.rename(package / "layers/other.py")
    keys = {before, added, experiments.source_hash(package)}
    assert len(keys) == 3
    renamed.unlink()
    assert experiments.source_hash(package) == before


def test_what_running_leaves_behind_does_not_change_the_key(package):
    before = experiments.source_hash(package)
    for name in ("layers/__pycache__/blocks.cpython-311.pyc", "recorded/bigram.json"):
        (package / name).parent.mkdir(exist_ok=True)
        (package / name).write_bytes(b"made")
    assert experiments.source_hash(package) == before


def test_another_pytorch_changes_the_key(package, monkeypatch):
    before = experiments.source_hash(package)
    monkeypatch.setattr(torch, "__version__", "0.0")
    assert experiments.source_hash(package) != before


# --- repetitions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "noticed"), [(0.32, False), (0.33, True), (-0.33, True)])
def test_disagreement_has_a_bound_from_the_spread(by, noticed):
    """Both spreads are 0.1: 4 standard errors of the difference are 4 √(0.02 / 3), 0.327."""
    old = [2.0, 2.1, 2.2]
    lines = experiments.disagreements({"loss": old}, {"loss": [x + by for x in old]})
    assert bool(lines) is noticed


def test_both_spreads_count():
    """√(0.01 + 0.09) · 4 / √3 is 0.730; of the first alone it would be 0.231."""
    old = {"loss": [2.0, 2.1, 2.2]}
    for by, lines in ((0.72, 0), (0.74, 1)):
        new = {"loss": [2.1 + by + x for x in (-0.3, 0.0, 0.3)]}
        assert len(experiments.disagreements(old, new)) == lines


def test_a_closed_form_must_agree():
    for by, lines in ((9e-7, 0), (1.1e-6, 1), (-1.1e-6, 1), (float("nan"), 1)):
        result = experiments.disagreements({"table": [1.0]}, {"table": [1.0 + by]})
        assert len(result) == lines
    assert experiments.disagreements({"table": [1.0]}, {"table": [1.5]}) == [
        "table: recorded 1.0000, now 1.5000; 1e-06 is allowed"
    ]


def test_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        experiments.main(["bigrm"])
    assert "no experiment ['bigrm']; there are count-tables, bigram" in capsys.readouterr().err


# --- where and with what --------------------------------------------------------------------------


def test_provenance_by_hand(monkeypatch):
    said = {"rev-parse": "0123abc", "status": ""}
    monkeypatch.setattr(provenance, "_git", lambda *words: said[words[0]])
    monkeypatch.setattr(provenance, "_processor", lambda: "A processor")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    made = provenance.provenance(1.26)
    assert made["commit"] == "0123abc"
    assert made["machine"] == "A processor, 7 cores, one thread a run"
    assert made["versions"]["torch"] == torch.__version__
    assert (made["text"], made["seconds"]) == (corpus.SHA256, 1.3)
    said["status"] = " M src/bardgpt/gpt.py"
    assert provenance.provenance(1.25)["commit"] == "0123abc+"
    assert provenance.provenance(1.25, threads=2)["machine"].endswith("2 threads a run")


def test_source_text_that_is_not_committed_is_seen_from_the_folder_of_records(
    monkeypatch, tmp_path
):
    """Git takes a pattern from where it is asked; the records lie deep below the source."""
    (tmp_path / "recorded").mkdir()
    monkeypatch.setattr(files, "RECORDED", tmp_path / "recorded")
    assert provenance._git("init", "--quiet", "..") == ""
    assert provenance._git("status", "--porcelain", provenance.SOURCE) == ""
    (tmp_path / "gpt.py").touch()
    assert provenance._git("status", "--porcelain", provenance.SOURCE).endswith("gpt.py")
