"""`bardgpt page`: what goes into the file, and what is refused. `tests/site/live` opens one."""

import base64
import json
import re
import shutil
from dataclasses import replace

import pytest
import safetensors.torch
import torch
from test_commands import SMALL
from test_run import TEXT

from bardgpt import cli, pretrained
from bardgpt.cli import page
from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.tokenizer import CharTokenizer
from bardgpt.training.run import load_run

SHELL = (
    "<title>@@title@@</title>@@about@@ @@writer@@ @@reader@@<bard-reader data-model=@@model@@>"
    "<span>@@text@@</span></bard-reader>@@end@@ <script>@@catalogue@@</script>@@files@@."
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mine.txt").write_text(TEXT, encoding="utf-8")
    words = ["train", "tiny", "--text", folder / "mine.txt", "--run", folder / "my run"]
    done = [*map(str, words), *SMALL, "--precision", "float32", "--steps", "10"]
    assert cli.main(done) == 0
    return folder / "my run"


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """The built page, as this installation has it: a small one in its place."""
    path = tmp_path / "built" / "page.html"
    path.parent.mkdir()
    path.write_text(SHELL, encoding="utf-8")
    monkeypatch.setattr(page, "SHELL", path)
    return path


@pytest.fixture
def said(capsys):
    """What the command prints: its exit code, stdout and stderr."""

    def call(*words):
        return cli.main(["page", *map(str, words), "--device", "cpu"]), *capsys.readouterr()

    return call


def catalogue(text):
    return json.loads(re.search("<script>(.*?)</script>", text, re.DOTALL)[1])


def test_file_has_the_model_in_8_bits_and_what_the_scripts_must_know(run, shell, said, tmp_path):
    code, out, _ = said("--run", run, "--out", tmp_path / "mine.html", "--prompt", "a")
    text = (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert code == 0
    assert re.search(r"mine\.html: \d+\.\d MB; open it in a browser", out)
    assert text.startswith("<title>my run</title>A GPT of ")
    model, tokenizer = load_run(run)
    found = catalogue(text)
    assert found["vocabulary"] == "".join(tokenizer.vocabulary)
    (entry,) = found["models"]
    assert entry["config"]["n_embd"] == 8
    lines = [
        json.loads(line)
        for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert entry["loss"] == f"{min(x['validation'] for x in lines if 'validation' in x):.3f}"
    (piece,) = found["files"][entry["file"]]
    inside = re.search(f'data-bard-file="{piece["path"]}">([^<]*)<', text)
    weights = base64.b64decode(inside[1])
    assert len(weights) == piece["bytes"]
    kept, wanted = safetensors.torch.load(weights), pretrained.quantize(model.state_dict())
    assert kept.keys() == wanted.keys()
    assert all(torch.equal(kept[name], wanted[name]) for name in kept)
    assert any(value.dtype == torch.int8 for value in kept.values())
    assert '<bard-writer prompt="a">' in text
    written = re.search("</b>([^<]*)</p></figure></div></bard-writer>", text)[1]
    assert f"<bard-reader data-model={entry['id']}><span>a{written}</span></bard-reader>" in text
    assert "@@" not in text


def test_it_is_named_as_asked(run, shell, said, tmp_path):
    out = tmp_path / "mine.html"
    assert said("--run", run, "--out", out, "--title", "</title><b>", "--weights", "last")[0] == 0
    text = out.read_text(encoding="utf-8")
    assert text.startswith("<title>&lt;/title&gt;&lt;b&gt;</title>")
    assert catalogue(text)["models"][0]["title"] == "</title><b>"
    assert "</title>" not in re.search("<script>(.*?)</script>", text)[1]
    assert [path.name for path in tmp_path.glob(".mine*")] == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--run", "nowhere"), "nowhere"),
        (("--out", "no/such/folder/a.html"), "No such folder"),
        (("--prompt", "\N{SNOWMAN}"), "\N{SNOWMAN}"),
        (("--out", "."), "there already; take another name for --out"),
        (("--out", "link"), "there already; take another name for --out"),
    ],
)
def test_what_is_wrong_is_said_in_a_line_and_nothing_is_written(
    run, shell, said, tmp_path, monkeypatch, words, says
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to("nowhere.html")
    given = {"--run": str(run), "--out": "mine.html", **dict([words])}
    code, _, error = said(*(word for pair in given.items() for word in pair))
    assert code == 1
    assert error.startswith("bardgpt: ")
    assert says in error
    assert error.count("\n") == 1
    assert not list(tmp_path.glob("*.html"))


def test_what_stands_there_is_not_written_over(run, shell, said, tmp_path):
    out = tmp_path / "mine.html"
    out.write_text("before", encoding="utf-8")
    code, _, error = said("--run", run, "--out", out)
    assert code == 1
    assert error == f"bardgpt: {out} is there already; take another name for --out\n"
    assert out.read_text(encoding="utf-8") == "before"


def test_a_run_without_weights_is_refused(run, shell, said, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(run, bare)
    for weights in bare.glob("*.safetensors"):
        weights.unlink()
    code, _, error = said("--run", bare, "--out", tmp_path / "mine.html")
    assert code == 1
    assert "bare" in error
    assert not (tmp_path / "mine.html").exists()


def test_without_the_engine_it_says_where_to_get_it(run, shell, said, tmp_path):
    shell.unlink()
    code, _, error = said("--run", run, "--out", tmp_path / "mine.html")
    assert code == 1
    assert "`make book`" in error
    assert not (tmp_path / "mine.html").exists()


def test_batch_norm_is_refused_where_there_is_a_norm():
    config = GPTConfig(vocab_size=5, norm="batch")
    page.require_page_knows(config)  # a plain block has none
    deep = replace(config, block="pre-norm", feed_forward="two-layer")
    with pytest.raises(page.PageError, match="batch norm"):
        page.require_page_knows(deep)


def test_a_vocabulary_without_line_breaks_begins_with_its_first_character():
    model = GPT(GPTConfig(vocab_size=3)).eval()
    text = page.filled(SHELL, model, CharTokenizer("<b\N{GREEK SMALL LETTER ALPHA}"), "x", "", "")
    assert catalogue(text)["vocabulary"] == "<b\N{GREEK SMALL LETTER ALPHA}"
    assert "<bard-reader" in text


def test_no_reader_for_characters_that_javascript_takes_for_two():
    model = GPT(GPTConfig(vocab_size=2)).eval()
    text = page.filled(SHELL, model, CharTokenizer("a\N{SNAIL}"), "x", "", "")
    assert "<bard-writer" in text
    assert "reader" not in text
    assert "@@" not in text
