"""What the commands do with runs on a text of one's own; `test_bad_inputs` has what they refuse."""

import io
import json
import re
import shutil
import signal
import sys

import pytest
import torch
from test_run import TEXT

from bardgpt import cli
from bardgpt.cli import sample as of_sample
from bardgpt.cli.plot import drawn
from bardgpt.evaluation import evaluate, losses
from bardgpt.gpt import GPT
from bardgpt.text import Text
from bardgpt.training import checkpoint
from bardgpt.training.run import load_run

SMALL = (
    *("--batch-size", "4", "--block-size", "8", "--evaluate-every", "10", "--device", "cpu"),
    *("--n-layer", "1", "--n-embd", "8", "--n-head", "2", "--learning-rate", "0.01"),
)


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A text, and in a folder two runs on it that differ in their rate."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mine.txt").write_text(TEXT, encoding="utf-8")
    for name, *others in (("one", "--steps", "30"), ("two", "--steps", "20", "--clip", "0.5")):
        words = ["train", "tiny", "--text", folder / "mine.txt", "--run", folder / "runs" / name]
        assert cli.main([*map(str, words), *SMALL, "--precision", "float32", *others]) == 0
    return folder


@pytest.fixture
def said(capsys):
    """What a command prints: its exit code, stdout and stderr."""

    def call(*words):
        return cli.main([str(word) for word in words]), *capsys.readouterr()

    return call


def log(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]


# --- plot and runs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("A.PNG", b"\x89PNG")],
)
def test_plot_writes_a_picture(mine, said, tmp_path, name, begins):
    code, out, err = said("plot", mine / "runs", "--save", tmp_path / name)
    assert (code, out, err) == (0, f"2 runs drawn in {tmp_path / name}\n", "")
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_plot_draws_what_the_logs_say(mine, monkeypatch):
    from matplotlib import pyplot as plt

    kept = []
    monkeypatch.setattr(plt, "close", kept.append)
    runs = [mine / "runs" / name for name in ("one", "two")]
    drawn(runs, "svg")
    (axes,) = kept[0].axes
    lines = iter(axes.lines)
    for run in runs:
        for key in ("train", "validation"):
            line = next(lines)
            points = [(entry["step"], entry[key]) for entry in log(run) if key in entry]
            assert [*zip(*line.get_data(), strict=True)] == points
            assert line.get_label() == f"{run}, {key}"
    assert next(lines, None) is None
    assert axes.lines[0].get_color() == axes.lines[1].get_color() != axes.lines[2].get_color()
    monkeypatch.undo()
    plt.close(kept[0])


def test_runs_lists_how_far_each_came_and_what_differs(mine, said, tmp_path):
    shutil.copytree(mine / "runs", tmp_path / "runs")
    lines = [(0, 2.0), (10, 1.25), (20, 1.5)]
    (tmp_path / "runs/one/metrics.jsonl").write_text(
        "".join(
            f'{{"step": {step}, "characters": 32, "seconds": 1, "validation": {loss}}}\n'
            for step, loss in lines
        ),
        encoding="utf-8",
    )
    code, out, err = said("runs", tmp_path / "runs")
    assert (code, err) == (0, "")
    one, differs, two, others = out.splitlines()
    told = (
        r"step 20 of 30, validation loss 1\.5000, best 1\.2500 after step 10, [\d-]{10} \d\d:\d\d"
    )
    assert re.fullmatch(rf"{re.escape(str(tmp_path))}/runs/one: {told}", one)
    assert two.startswith(f"{tmp_path}/runs/two: step 20 of 20, validation loss ")
    assert (differs.strip(), others.strip()) == ("steps 30, clip None", "steps 20, clip 0.5")


def test_runs_tells_of_a_damaged_one_and_lists_the_others(mine, said, tmp_path):
    shutil.copytree(mine / "runs", tmp_path / "runs")
    (tmp_path / "runs/one/config.json").write_text("{}", encoding="utf-8")
    code, out, err = said("runs", tmp_path / "runs")
    assert code == 0
    assert "one/config.json is not a run's config" in err
    assert re.fullmatch(r"\S+/two: step 20 of 20, validation .*\n", out)


# --- evaluate -------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_train_and_evaluate_print_the_same_number_or_say_why_not(mine, said, tmp_path, precision):
    words = ["train", "tiny", "--text", mine / "mine.txt", "--run", tmp_path / "run", *SMALL]
    _, out, _ = said(*words, "--steps", 20, "--precision", precision)
    of_training = re.search(r": validation loss (\d\.\d{4}) nats per character", out)[1]
    code, judged, _ = said("evaluate", "--run", tmp_path / "run", "--weights", "last")
    of_evaluate = re.fullmatch(r"validation loss (\d\.\d{4}) nats per character\n", judged)[1]
    why = "computed in bfloat16 (`bardgpt evaluate` computes in float32)"
    assert (why in out) == (precision == "bfloat16")
    assert precision == "bfloat16" or of_training == of_evaluate
    assert code == 0


def test_evaluate_judges_a_run_on_its_own_text(mine, said, monkeypatch):
    """Also where the file that it came from has gone: the folder has a copy."""
    monkeypatch.setenv("BARDGPT_CORPUS", "nowhere")  # Shakespeare is not asked for
    (mine / "mine.txt").rename(mine / "moved.txt")
    model, tokenizer = load_run(mine / "runs/one")
    try:
        _, out, err = said("evaluate", "--run", mine / "runs/one", "--device", "cpu")
    finally:
        (mine / "moved.txt").rename(mine / "mine.txt")
    loss = evaluate(model, Text.of(TEXT, tokenizer).validation)
    assert (out, err) == (f"validation loss {loss:.4f} nats per character\n", "")


@pytest.mark.parametrize("change", ["changed", "missing"])
def test_evaluate_refuses_another_text(mine, said, tmp_path, change):
    run = tmp_path / "run"
    shutil.copytree(mine / "runs/one", run)
    about = json.loads((run / "config.json").read_text("utf-8"))
    about["text"]["path"] = str(tmp_path / "mine.txt")  # which never was there
    (run / "config.json").write_text(json.dumps(about), encoding="utf-8")
    (run / "text.txt").unlink()
    if change == "changed":
        (run / "text.txt").write_text(TEXT[::-1], encoding="utf-8")
    code, out, err = said("evaluate", "--run", run)
    assert (code, out) == (1, "")
    assert f"{run} was trained on a text of 907 characters that is no longer in {run}" in err
    assert "or has changed there; put it back, or name it with --text" in err


def test_evaluate_on_a_text_takes_all_of_it(mine, said, tmp_path):
    model, tokenizer = load_run(mine / "runs/one", "last")
    (tmp_path / "long.txt").write_text("gabe" * 20, encoding="utf-8")
    words = ["evaluate", "--run", mine / "runs/one", "--weights", "last", "--device", "cpu"]
    _, out, _ = said(*words, "--text", tmp_path / "long.txt")
    each = losses(model, tokenizer.encode("gabe" * 20))
    assert len(each) == 79
    assert out == f"loss {each.double().mean():.4f} nats per character\n"


# --- sample ---------------------------------------------------------------------------------------


@pytest.fixture
def sampled(mine, said):
    """Text of run one."""

    def call(*words):
        code, out, err = said("sample", "--run", mine / "runs/one", "--device", "cpu", *words)
        assert (code, err) == (0, "")
        return out

    return call


def test_prompt_from_a_file_or_standard_input(sampled, tmp_path, monkeypatch):
    expected = sampled("--prompt", "bad", "--seed", 1, "--length", 20)
    (tmp_path / "prompt.txt").write_bytes(b"bad")
    assert expected == sampled(
        "--prompt-file", tmp_path / "prompt.txt", "--seed", 1, "--length", 20
    )
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"bad"), encoding="ascii"))
    assert expected == sampled("--prompt-file", "-", "--seed", 1, "--length", 20)
    assert expected.startswith("bad")
    assert len(expected) == 3 + 20 + 1


def test_several_samples_are_drawn_anew_and_told_apart(sampled):
    words = ["--prompt", "bad", "--seed", 1, "--length", 20]
    texts = sampled(*words, "--samples", 3).rstrip("\n").split(f"\n{of_sample.BETWEEN}\n")
    assert texts[0] + "\n" == sampled(*words)
    assert len({*texts}) == 3
    assert all(text.startswith("bad") and len(text) == 23 for text in texts)


def test_top_p(sampled):
    """Next to nothing keeps the likeliest character alone, and 1 keeps all."""
    words = ["--prompt", "bad", "--seed", 1, "--length", 60]
    greedy = sampled(*words, "--temperature", 0)
    assert sampled(*words, "--top-p", "1e-6") == greedy != sampled(*words)
    assert sampled(*words, "--top-p", 1) == sampled(*words)


def test_save_takes_what_is_printed(sampled, tmp_path):
    file = tmp_path / "text.txt"
    out = sampled("--prompt", "bad", "--length", 30, "--samples", 2, "--save", file)
    assert file.read_text(encoding="utf-8") == out


class Pipe(io.StringIO):
    """Standard output: what has arrived where it leads to, after each write that was flushed."""

    def __init__(self):
        super().__init__()
        self.arrived = [""]

    def flush(self):
        self.arrived.append(self.getvalue())


def test_a_sample_is_printed_as_it_is_written(mine, monkeypatch):
    """A character at a time, before the next one is computed."""
    pipe, seen = Pipe(), []
    forward = GPT.forward

    def passing(model, *given):
        seen.append(pipe.arrived[-1])
        return forward(model, *given)

    monkeypatch.setattr(GPT, "forward", passing)
    monkeypatch.setattr(sys, "stdout", pipe)
    assert cli.main(["sample", "--run", str(mine / "runs/one"), "--length", "12"]) == 0
    text = pipe.getvalue()
    # A character of the vocabulary, for it knows no line break; it comes with the first new one.
    assert seen == ["", *(text[: 1 + n] for n in range(1, 12))]


def test_ctrl_c_keeps_what_is_written(mine, said, monkeypatch, tmp_path):
    forward, passes = GPT.forward, []

    def interrupt(model, *given):
        passes.append(1)
        if len(passes) == 8:
            signal.raise_signal(signal.SIGINT)
        return forward(model, *given)

    monkeypatch.setattr(GPT, "forward", interrupt)
    words = ["--run", mine / "runs/one", "--prompt", "bad", "--save", tmp_path / "text.txt"]
    code, out, err = said("sample", *words)
    assert (code, err) == (130, "")
    assert re.fullmatch("bad[a-g]{7}\n", out)
    assert (tmp_path / "text.txt").read_text(encoding="utf-8") == out


# --- train, once more -----------------------------------------------------------------------------


def copied(mine, folder):
    shutil.copytree(mine / "runs/one", folder)
    return ["train", "tiny", "--text", mine / "mine.txt", "--run", folder, *SMALL]


def test_a_finished_run_is_made_longer_where_its_schedule_allows(mine, said, tmp_path):
    words = copied(mine, tmp_path / "run")
    code, out, _ = said(*words, "--steps", 40, "--precision", "float32")
    assert code == 0
    assert out.startswith("40 steps, 1,280 characters: ")
    said(*words[:-1], words[-1], "--run", tmp_path / "new", "--steps", 40, "--precision", "float32")
    for name in ("last", "best"):
        one, other = (
            checkpoint.load(tmp_path / run / f"{name}.safetensors")[0] for run in ("run", "new")
        )
        assert one.keys() == other.keys()
        assert all(torch.equal(one[key], other[key]) for key in one)
    code, out, err = said(*words, "--steps", 20)
    assert (code, out) == (1, "")
    assert "training.steps is 40 there and 20 here" in err


def test_a_run_whose_rate_falls_says_why_it_cannot_be_longer(mine, said, tmp_path):
    words = ["train", "tiny", "--text", mine / "mine.txt", "--run", tmp_path / "run", *SMALL]
    assert said(*words, "--schedule", "linear", "--steps", 2)[0] == 0
    code, out, err = said(*words, "--schedule", "linear", "--steps", 3)
    assert (code, out) == (1, "")
    assert "holds a run of 2 steps, over which its rate falls; with 3 every step would" in err


@pytest.mark.parametrize(
    ("before", "precision", "now"),
    [
        ("float32 on cpu", "bfloat16", "bfloat16 on cpu"),
        ("float32 on cuda", "float32", "float32 on cpu"),
        ("float32 on cpu", "float32", None),
    ],
)
def test_going_on_elsewhere_is_said(mine, said, tmp_path, before, precision, now):
    words = copied(mine, tmp_path / "run")
    state = tmp_path / "run/last.safetensors"
    tensors, values = checkpoint.load(state)
    assert values["computed"] == "float32 on cpu"
    checkpoint.save(state, tensors, values | {"computed": before})
    code, _, err = said(*words, "--steps", 31, "--precision", precision)
    assert code == 0
    told = f"so far this run was computed in {before}, and now in {now}: its losses will differ"
    assert (told in err) == (now is not None) == ("so far" in err)
