"""The last page: each experiment that it proposes runs, and does what its text says."""

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from bardgpt import corpus, records
from bardgpt.layers import attention, blocks
from bardgpt.text import Text
from bardgpt.text_file import read_text
from bardgpt.training import loop

PAGE = Path(__file__).resolve().parents[1] / "book" / "where-to-go-from-here.md"
EXPERIMENTS = {
    "Tokens",
    "Rotary positions",
    "RMSNorm",
    "SwiGLU",
    "Grouped-query heads",
    "Mixture of experts",
    "Scaling laws",
    "Instruction tuning",
}
MEASURED = re.compile(r"([\d,]+) parameters, \d\.\d{3} nats per character\n")


def sections() -> dict[str, str]:
    """The text of each section; "" is what stands before the first."""
    parts = re.split(r"^## (.+)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def program(section: str) -> str:
    (code,) = re.findall(r"^```python\n(.*?)^```$", sections()[section], re.MULTILINE | re.DOTALL)
    return code


def printed_sizes(out: str) -> list[int]:
    return [int(size.replace(",", "")) for size in MEASURED.findall(out)]


@pytest.fixture
def run(monkeypatch, tmp_path, capsys, shakespeare):
    """Run an experiment after the page's first lines, with two steps and a short validation text.

    The classes that it puts into the package are taken out again.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(attention, "Head", attention.Head)
    monkeypatch.setattr(blocks, "LayerNorm", blocks.LayerNorm)
    monkeypatch.setattr(blocks, "FeedForward", blocks.FeedForward)
    begin = program("").replace("steps=1_000", "steps=2")
    begin = begin.replace("= shakespeare()", "= shakespeare()\nvalidation = validation[:2_000]")

    def ran(section):
        here = {}
        exec(begin, here)
        capsys.readouterr()
        exec(program(section).replace("steps=500", "steps=2"), here)
        return here, capsys.readouterr().out

    return ran


def test_the_page_names_eight_things_and_courses():
    names = list(sections())
    assert {*names} == {"", "Courses", *EXPERIMENTS}
    for name in EXPERIMENTS:
        before, _, experiment = sections()[name].partition("**Try it")
        assert experiment
        assert len(re.findall(r"references\.md#", before)) == 1
        sentences = re.sub(r"\[[^]]*\]\([^)]*\)", "", before).strip()
        assert len(re.findall(r"[.?](?:\s|$)", sentences)) >= 3


def test_the_last_rung_is_what_all_are_compared_with(run):
    here, _ = run("RMSNorm")
    assert here["PRE_NORM"].n_parameters() == 42_369


def test_tokens_shorten_the_text_and_can_be_read(run, monkeypatch):
    beginning = corpus.load()[:20_000]
    monkeypatch.setattr(corpus, "load", lambda: beginning)
    here, out = run("Tokens")
    (shorter,) = re.findall(r"(\d+\.\d\d) characters for each token", out)
    assert float(shorter) > 1.2
    assert "".join(here["pieces"].get(c, c) for c in here["text"]) == beginning
    read = read_text("tokens.txt").text
    tokenizer, *_ = Text.of(read)
    assert tokenizer.vocab_size > Text.of(beginning).tokenizer.vocab_size
    assert read == here["text"]


def test_rotary_scores_depend_on_the_distance_alone(run):
    here, out = run("Rotary positions")
    query, key = (torch.randn(8).expand(1, 6, 8) for _ in range(2))
    scores = here["turned"](query) @ here["turned"](key).transpose(-2, -1)  # (1, 6, 6)
    torch.testing.assert_close(scores[0, 1:, 1:], scores[0, :-1, :-1], rtol=0, atol=1e-4)
    assert scores[0, 5, 0] != pytest.approx(scores[0, 0, 0].item(), abs=1e-3)
    assert printed_sizes(out) == [42_369 - 8 * 32]


def test_rms_norm_stands_in_every_block(run):
    here, out = run("RMSNorm")
    assert isinstance(blocks.norm(here["PRE_NORM"]), nn.RMSNorm)
    assert printed_sizes(out) == [42_369 - 7 * 32]  # no biases


def test_swiglu_has_a_little_more_parameters(run):
    _, out = run("SwiGLU")
    (size,) = printed_sizes(out)
    assert 42_369 < size < 1.1 * 42_369


def test_grouped_heads_share_keys_and_values(run):
    here, out = run("Grouped-query heads")
    first, second, third, fourth = here["model"].blocks[0].attention.heads
    assert first.key is second.key is not third.key is fourth.key
    assert printed_sizes(out) == [42_369 - 3 * 2 * 2 * 8 * 32]


def test_an_expert_answers_for_each_position(run):
    here, out = run("Mixture of experts")
    mixture = here["model"].blocks[0].feed_forward
    x = torch.randn(1, 5, 32)
    shares = mixture.router(x).softmax(-1)
    answers = torch.stack([expert(x) for expert in mixture.experts])  # (2, 1, 5, 32)
    for t in range(5):
        best = shares[0, t].argmax()
        expected = shares[0, t, best] * answers[best, 0, t]
        torch.testing.assert_close(mixture(x)[0, t], expected)
    assert printed_sizes(out)[0] > 1.5 * 42_369


def test_four_widths_are_measured(run):
    _, out = run("Scaling laws")
    sizes = printed_sizes(out)
    assert len(sizes) == 4
    assert sizes[2] == 42_369
    assert sizes == sorted(sizes)


def test_tuning_shows_only_speeches_of_one_line(run):
    here, out = run("Instruction tuning")
    assert all(one.count("\n") == 1 for one in here["short"].split("\n\n"))
    assert len(out) > 2 * 200  # two samples
    assert printed_sizes(out) == [42_369]


def test_experiments_train_by_the_package(run):
    here, _ = run("SwiGLU")
    assert here["train_model"] is loop.train_model


def test_the_first_line_is_as_recorded():
    (said,) = re.findall(r"came to about (\d\.\d\d) nats", sections()[""])
    ends = [history.at(1_000) for history in records.load("pre-norm").histories]
    assert len(ends) == 5
    assert all(abs(end - float(said)) < 0.012 for end in ends)
