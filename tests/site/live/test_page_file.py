"""`bardgpt page`: the file, opened in Chromium without a server."""

import pytest
import torch
from _ext import bardgpt_live
from engine_page import LIVE, build_engine
from playwright.sync_api import expect

from bardgpt import pretrained
from bardgpt.cli import page
from bardgpt.sampling import sample
from bardgpt.teaching.live.readers import READ
from bardgpt.teaching.live.reading import losses

PATIENCE = 120_000  # milliseconds: a busy machine is no fault of the page
SAME = 200  # characters that must be the package's


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    out = tmp_path_factory.mktemp("shell")
    build_engine(LIVE, out)
    found = bardgpt_live.shell(out)
    assert not (out / "worker-alone.js").exists()
    return found


def write_file(shell, folder, model, tokenizer):
    """The file, and the same model with its weights as they are in the file."""
    text = page.filled(shell, model, tokenizer, "Mine", "2.000", "ROMEO:")
    path = folder / "mine.html"
    path.write_text(text, encoding="utf-8")
    model.load_state_dict(pretrained.dequantize(pretrained.quantize(model.state_dict())))
    return path, model


@pytest.mark.parametrize("name", ["four-heads", "pre-norm", "full"])
def test_from_the_disk_it_writes_and_reads_as_the_package(chromium, shell, tmp_path, name):
    """No request but the file itself, no error; greedy text and costs are the package's."""
    load = pretrained.load if name == "full" else lambda: pretrained.load_rung(name)
    path, model = write_file(shell, tmp_path, *load())
    if name == "full":
        assert 14e6 < path.stat().st_size < 17e6
    _, tokenizer = load()
    torch.manual_seed(0)
    wanted = sample(model, tokenizer, prompt="ROMEO:", length=SAME, temperature=0)
    context = chromium.new_context(reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    errors, asked = [], []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("request", lambda request: asked.append(request.url))
    tab = context.new_page()
    tab.goto(path.as_uri())
    writer, reader = tab.locator("bard-writer"), tab.locator("bard-reader")
    n = len(reader.locator("[name=text]").input_value())
    expect(reader.locator(".live-foot [role=status]")).to_have_text(f"{n} characters read.")
    expect(writer.locator("[data-go]")).to_have_text("Write")
    writer.locator("[name=temperature]").fill("0")
    writer.locator("[data-go]").click()
    expect(writer.locator(".live-foot [role=status]")).to_have_text("500 characters written.")
    written = writer.locator(".voice").first.text_content()
    assert written[: 6 + SAME] == "ROMEO:" + wanted
    expect(writer.locator(".next .drawn b")).to_have_count(1)
    expect(reader.locator(".voice")).to_have_css("white-space", "pre-wrap")  # lines are lines
    reader.locator("[name=text]").fill(READ)
    expect(reader.locator(".live-foot [role=status]")).to_have_text(f"{len(READ)} characters read.")
    found = reader.evaluate("element => element.costs")
    ids = tokenizer.encode("\n" + READ)
    assert found == pytest.approx(losses(model, ids), abs=1e-3)
    elsewhere = [url for url in asked if not url.startswith(("file:", "blob:", "data:"))]
    assert elsewhere == []
    assert errors == []
    context.close()
