"""The whole book in one file: as short as it says, alone, and the same numbers as the package."""

import ast
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bardgpt import pretrained
from bardgpt.gpt import GPT
from bardgpt.presets import PRESETS
from bardgpt.sampling import generate
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching import one_file
from bardgpt.training import devices
from bardgpt.training.loop import train_model

FILE = Path(one_file.__file__)
LINES = 200
PROMPT = "ROMEO:"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def shipped():
    return one_file.load(pretrained.RECORD)


def test_it_is_short():
    assert len(FILE.read_text(encoding="utf-8").splitlines()) <= LINES


def test_it_needs_nothing_but_torch():
    imported = set()
    for node in ast.walk(ast.parse(FILE.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level
            imported.add(node.module.partition(".")[0])
    assert imported - sys.stdlib_module_names == {"torch"}


@pytest.fixture
def one_thread():
    """The package chooses by itself how many, and other numbers round sums otherwise."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("warmup", [one_file.WARMUP, 1])
def test_it_trains_as_the_package_does(warmup, monkeypatch):
    """The small preset's model, rates and windows; the rate up and down: each digit of a loss."""
    monkeypatch.setattr(one_file, "WARMUP", warmup)
    monkeypatch.setattr(devices, "muon_dtype", lambda *_: torch.float32)
    text = shakespeare()
    ids, validation = text.train, text.validation[:2_000]  # with a shorter window at the end
    small = PRESETS["small"]
    torch.manual_seed(one_file.SEED)
    model = GPT(small.model)
    training = replace(small.training, steps=4, evaluate_every=3, warmup=warmup)
    history = train_model(model, ids, validation, training, progress=False)
    torch.manual_seed(one_file.SEED)
    alone = one_file.GPT(len(text.tokenizer.vocabulary), **one_file.SIZE)
    found = list(one_file.train(alone, ids, validation, steps=4, every=3))
    expected = list(zip(history.step, history.train, history.validation, strict=True))
    assert [step for step, *_ in found] == [0, 3, 4]
    assert found == expected


def test_its_numbers_are_those_of_the_small_preset():
    small = PRESETS["small"].training
    assert (one_file.STEPS, one_file.EVERY) == (small.steps, small.evaluate_every)
    assert (one_file.BATCH, one_file.WARMUP) == (small.batch_size, small.warmup)
    assert (one_file.RATE, one_file.MUON_RATE) == (small.learning_rate, small.muon_rate)
    assert one_file.SEED == small.seed


def test_its_page_has_the_sizes_of_the_presets():
    page = (FILE.parents[3] / "book/appendix/whole-model.py").read_text(encoding="utf-8")
    row = re.compile(
        r"^# \| `(\w+)` \| [^|]+ \| ([\d, ]+) \| (\d+) %: (.+), ends \|$", re.MULTILINE
    )
    rows = row.findall(page)
    assert [name for name, *_ in rows] == ["full", "small", "sprint"]
    for name, sizes, percent, place in rows:
        model = PRESETS[name].model
        said = [model.block_size, model.n_embd, model.n_head, model.n_layer]
        assert [int(size) for size in sizes.split(", ")] == said
        on_weights = model.dropout if model.attention_dropout is None else model.attention_dropout
        dropped = {"$A$": on_weights, "embeddings": model.embedding_dropout}
        share = int(percent) / 100
        assert dropped == {"$A$": 0.0, "embeddings": 0.0} | {place: share}
        assert model.dropout == share


def test_the_books_model_writes_the_same(shipped):
    model, vocabulary = shipped
    packaged, tokenizer = pretrained.load()
    assert vocabulary == tokenizer.vocabulary
    ids = tokenizer.encode(PROMPT)
    with torch.no_grad():
        assert torch.equal(model(ids[None]), packaged(ids[None]))
    dice = [torch.Generator().manual_seed(3) for _ in range(2)]
    alone = one_file.sample(model, ids, 20, 0.8, dice[0])
    assert torch.equal(alone, generate(packaged, ids, 20, temperature=0.8, generator=dice[1]))


def test_a_temperature_of_0_takes_the_likeliest(shipped):
    model, _ = shipped
    packaged, tokenizer = pretrained.load()
    ids = tokenizer.encode(PROMPT)
    alone = one_file.sample(model, ids, 8, 0.0)
    assert torch.equal(alone, generate(packaged, ids, 8, temperature=0))


def test_nothing_is_written_for_a_length_of_0(shipped):
    assert len(one_file.sample(shipped[0], torch.tensor([1, 2]), 0)) == 0


def test_the_command_line_trains_and_then_writes(here, capsys, monkeypatch):
    size = one_file.SIZE | {"block_size": 8, "n_embd": 8, "n_head": 2, "n_layer": 1}
    monkeypatch.setattr(one_file, "SIZE", size)
    (here / "text.txt").write_text("to be or not to be, " * 20, encoding="utf-8")
    one_file.main(["train", "text.txt", "--steps", "2"])
    assert "step 2: training" in capsys.readouterr().out
    one_file.main(["sample", "model.pt", "--prompt", "to", "--length", "5", "--seed", "1"])
    said = capsys.readouterr().out
    assert said.startswith("to")
    assert len(said) == len("to") + 5 + len("\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["train", "none.txt"], "No such file"),
        (["sample", "model.pt"], "No such file"),
        (["train", "short.txt"], "short.txt has 5 characters; more than 1290 are needed"),
        (["sample", "FOLDER", "--prompt", "☃"], "the model does not know ['☃']"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(words, told, here):
    (here / "short.txt").write_text("short", encoding="utf-8")
    words = [str(pretrained.RECORD) if word == "FOLDER" else word for word in words]
    with pytest.raises(SystemExit, match=r"^bardgpt\.py: ") as error:
        one_file.main(words)
    assert told in str(error.value)


def test_it_runs_alone_under_its_own_name(here):
    """Copied, as it is downloaded, with nothing of the package in reach."""
    alone = here / "bardgpt.py"
    alone.write_bytes(FILE.read_bytes())
    command = [sys.executable, "-I", alone, "sample", str(pretrained.RECORD), "--length", "3"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=here)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout) == len("\n") + 3 + len("\n")
