"""What can be touched in a page: its still picture, and what the build hands to the browser."""

import hashlib
import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from _ext import bardgpt_live

from bardgpt import records
from bardgpt.lab.ladder import RUNGS
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching import live
from bardgpt.teaching.live.models import live_models

PICTURE = re.compile(
    r'<figure class="writer-text" data-model="([^"]*)">\n<figcaption><b>([^<]*)</b> '
    r"<span>loss ([^<]*)</span></figcaption>\n<p [^>]*>(?:<b>([^<]*)</b>)?([^<]*)</p>"
)


def test_models_are_the_tables_the_rungs_and_the_full_one():
    models = live_models()
    assert list(models) == [*(f"counts-{k}" for k in range(6)), *RUNGS, "full"]
    assert [model.role for model in models.values()] == ["count"] * 6 + ["model"] * 9
    assert models["counts-4"].prompt == models["full"].prompt == "ROMEO:"
    assert models["counts-2"].prompt == ""  # its record began by itself
    assert models["four-heads"].loss == records.load("four-heads").band().mean


def test_still_picture_says_who_wrote_what():
    html = live.writer("four-heads", beside="full", prompt='A "b" <c>')._repr_html_()
    assert html.startswith('<bard-writer prompt="A &quot;b&quot; &lt;c&gt;">\n')
    found = PICTURE.findall(html)
    assert [row[:4] for row in found] == [
        ("four-heads", "Chapter 3 · four heads of 8", "2.274", "ROMEO:"),
        ("full", "Chapter 9 · the full model", "1.479", "ROMEO:"),
    ]
    assert found[1][4].startswith("\nWhy mhis is wisely dead?")
    assert all(200 < len(row[4]) < 300 and row[4].endswith(" …") for row in found)
    assert html.rstrip().endswith("</bard-writer>")


def test_prompt_is_the_books_unless_given():
    assert live.writer("counts-2").html().startswith('<bard-writer prompt="ROMEO:">')
    assert repr(live.writer("bigram", beside="full")) == "<Writer: bigram and full>"


def test_unknown_model_is_refused_with_a_list():
    with pytest.raises(ValueError, match=r"no model 'gpt-2'; there are counts-0, .*, full"):
        live.writer("bigram", beside="gpt-2")


def test_catalogue_names_files_that_hold_what_it_says(tmp_path):
    """Every model has a file; its pieces together are what the package has."""
    found = json.loads(json.dumps(bardgpt_live.catalogue(tmp_path)))
    models = live_models()
    assert [model["id"] for model in found["models"]] == list(models)
    assert found["vocabulary"] == shakespeare().tokenizer.vocabulary
    for model in found["models"]:
        whole = b""
        for piece in found["files"][model["file"]]:
            content = (tmp_path / piece["path"]).read_bytes()
            assert len(content) == piece["bytes"] <= 1_000_000
            assert hashlib.sha256(content).hexdigest() == piece["sha256"]
            whole += content
        if folder := models[model["id"]].folder:
            assert whole == (folder / "weights.safetensors").read_bytes()
            assert model["config"]["vocab_size"] == 65
        else:
            text = shakespeare()
            assert whole.decode() == text.tokenizer.decode(text.train)
            assert model["context"] == int(model["id"][-1])
    assert len(found["files"]["full"]) == 11


@pytest.mark.parametrize(("body", "loads"), [("<p>words</p>", False), ("<bard-writer>", True)])
def test_only_a_page_with_an_element_loads_anything(body, loads):
    asked = []
    app = SimpleNamespace(
        bardgpt_live="{}",
        add_css_file=lambda name: asked.append(name),
        add_js_file=lambda name, **_: asked.append(name),
    )
    bardgpt_live.load_where_needed(app, "page", "page.html", {"body": body}, None)
    assert asked == (["live.css", None, "live/elements.js"] if loads else [])


def test_without_packages_the_build_says_so_and_goes_on(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(bardgpt_live, "LIVE", tmp_path)
    monkeypatch.setattr(bardgpt_live.logger, "warning", said.append)
    app = SimpleNamespace(builder=SimpleNamespace(format="html"), outdir=str(tmp_path))
    bardgpt_live.build(app)
    assert app.bardgpt_live is None
    assert len(said) == 1
    assert "`make book` gets them" in said[0]
    assert not Path(tmp_path, "_static").exists()
