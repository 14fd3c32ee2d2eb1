"""The front doors, and the five recipes: the code of the page, run on small sizes."""

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest
import test_porting
import torch

import bardgpt
from bardgpt import pretrained
from bardgpt.config import GPTConfig
from bardgpt.corpus import VOCAB_SIZE
from bardgpt.gpt import GPT
from bardgpt.presets import PRESETS
from bardgpt.training import checkpoint

PAGE = Path(__file__).resolve().parents[1] / "book" / "recipes.md"
TEXT = "ROMEO:\nBut soft, what light through yonder window breaks?\n" * 30


def programs(title):
    (section,) = re.findall(
        rf"^## {title}$(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run a recipe in a folder with a short text, and give what it prints."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text(TEXT, encoding="utf-8")

    def printed(title, number=0, count=1):
        assert len(programs(title)) == count
        exec(programs(title)[number], {})
        return capsys.readouterr().out

    return printed


def test_there_are_five_recipes():
    assert len(re.findall(r"^## ", PAGE.read_text("utf-8"), re.MULTILINE)) == 5


def test_load_and_sample(run):
    assert len(run("Load a model and sample")) == 301


def test_train_on_a_text_of_your_own(run, monkeypatch):
    short = dataclasses.replace

    def few(config, **fields):
        if fields.get("steps") == 2_000:
            fields = {"steps": 4, "evaluate_every": 2}
        return short(config, **fields)

    monkeypatch.setattr("dataclasses.replace", few)
    out = run("Train on a text of your own")
    assert re.match(r"validation loss \d\.\d{3} nats per character\n", out)
    assert len(out.split("\n", 1)[1]) == 301


def test_look_at_attention(run):
    lines = run("Look at attention").splitlines()
    assert len(lines) == 5
    assert all(re.fullmatch(r"\d\.\d\d  '.+' at \d+", line) for line in lines)


def test_port_weights(run, tmp_path, monkeypatch, shakespeare):
    monkeypatch.setattr(test_porting, "V", VOCAB_SIZE)
    torch.save(test_porting.Lecture().state_dict(), tmp_path / "lecture.pt")
    assert len(run("Port weights", count=2)) == 301
    theirs = test_porting.Nano()
    kept = {"model": theirs.state_dict(), "model_args": {"n_head": test_porting.NH}}
    torch.save(kept, tmp_path / "ckpt.pt")
    assert "parameters, GPTConfig(vocab_size=65" in run("Port weights", 1, 2)


def test_evaluate_a_text(run):
    assert re.fullmatch(r"\d\.\d{4} nats per character\n", run("Evaluate a text"))


# --- the front doors ------------------------------------------------------------------------------


def test_every_front_door_opens_and_is_on_the_page():
    assert set(bardgpt.__all__) <= set(dir(bardgpt))
    for name in bardgpt.__all__:
        assert getattr(bardgpt, name).__class__ is not None
        assert f"`{name}`" in PAGE.read_text("utf-8")
    with pytest.raises(AttributeError, match="'bardgpt' has no attribute 'lode'"):
        bardgpt.lode  # noqa: B018


def test_importing_the_package_does_not_import_pytorch():
    program = "import sys, bardgpt; assert 'torch' not in sys.modules; bardgpt.GPT"
    program += "; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_front_door_and_a_module_have_no_name_in_common():
    """Whoever imports `bardgpt.sample` must not find another thing than before."""
    package = Path(bardgpt.__file__).parent
    modules = {path.stem for path in package.iterdir()}
    assert not modules & set(bardgpt.__all__)


# --- paths as strings, modes, and hints -----------------------------------------------------------


def test_paths_may_be_strings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkpoint.save("some/where.safetensors", {"x": torch.ones(2)}, {"step": 3})
    tensors, values = checkpoint.load("some/where.safetensors")
    assert (tensors["x"].tolist(), values) == ([1, 1], {"step": 3})
    for load in (pretrained.load, pretrained.load_from):
        model, _ = load(str(pretrained.RECORD))
        assert model.config.n_embd == 384
    with pytest.raises(FileNotFoundError, match="no recorded model: there is no nowhere"):
        pretrained.load_from("nowhere")


def test_the_docstring_of_the_config_leads_to_a_preset():
    (hint,) = re.findall(r"replace\(PRESETS\[.*?\)(?= )", GPTConfig.__doc__)
    config = eval(hint, {"replace": dataclasses.replace, "PRESETS": PRESETS})
    assert (config.n_embd, config.n_layer, config.block) == (192, 4, "pre-norm")
    assert GPT(config)
