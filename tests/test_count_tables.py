import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bardgpt.lab.count_tables import CountTable
from bardgpt.tokenizer import CharTokenizer


def by_hand(ids, context, V):
    """Witten and Bell's rule, read off the docstring: slow, with lists."""
    if context is None:
        return [1 / V] * V
    shorter = by_hand(ids, context[1:] if context else None, V)
    k = len(context)
    after = [ids[i + k] for i in range(len(ids) - k) if ids[i : i + k] == context]
    if not after:
        return shorter
    n, d = len(after), len(set(after))
    return [(after.count(c) + d * shorter[c]) / (n + d) for c in range(V)]


@given(
    ids=st.lists(st.integers(0, 3), min_size=5, max_size=60),
    context=st.lists(st.integers(0, 3), max_size=4),
    k=st.integers(0, 3),
)
def test_probabilities_follow_the_rule(ids, context, k):
    p = CountTable(torch.tensor(ids), k, 4).probabilities(torch.tensor(context, dtype=torch.long))
    expected = by_hand(ids, context[max(0, len(context) - k) :], 4)
    assert p.sum().item() == pytest.approx(1)
    assert p.tolist() == pytest.approx(expected)


@given(
    ids=st.lists(st.integers(0, 3), min_size=5, max_size=40),
    text=st.lists(st.integers(0, 3), min_size=2, max_size=20),
    k=st.integers(0, 3),
)
def test_losses_are_those_of_the_probabilities(ids, text, k):
    table = CountTable(torch.tensor(ids), k, 4)
    text = torch.tensor(text)
    each = table.losses(text)
    expected = [-math.log(table.probabilities(text[:t])[text[t]]) for t in range(1, len(text))]
    assert each.tolist() == pytest.approx(expected)


def test_losses_in_windows_are_those_of_the_windows_read_one_by_one(shakespeare):
    ids, text = shakespeare.train[:5_000], shakespeare.validation[:45]
    table = CountTable(ids, 3, 65)
    found = table.losses_in_windows(text, 8)
    read = torch.cat([table.losses(text[i : i + 9]) for i in range(0, 44, 8)])
    torch.testing.assert_close(found, read, rtol=0, atol=0)
    assert (found != table.losses(text)).any()


def test_losses_by_context_are_those_of_the_shorter_tables(shakespeare):
    ids, text = shakespeare.train[:20_000], shakespeare.validation[:5_000]
    rows = CountTable(ids, 3, 65).losses_by_context(text)
    for k, row in enumerate(rows):
        torch.testing.assert_close(row, CountTable(ids, k, 65).losses(text))


def test_the_yardsticks(shakespeare):
    """Verified on this split by an independent program: 0 to 5 characters, nats per character."""
    table = CountTable(shakespeare.train, 5, 65)
    losses = table.losses_by_context(shakespeare.validation).mean(dim=1).tolist()
    assert [round(loss, 3) for loss in losses] == [3.347, 2.486, 2.049, 1.774, 1.669, 1.698]


def test_generate_draws_from_the_table(shakespeare):
    table = CountTable(torch.tensor([0, 1, 2] * 50), 1, 3)
    new = table.generate(torch.tensor([0]), 3_000, torch.Generator().manual_seed(0))
    text = torch.cat([torch.tensor([0]), new])
    follows = (text[1:] == (text[:-1] + 1) % 3).double().mean().item()
    expected = table.probabilities(torch.tensor([0]))[1].item()
    assert follows == pytest.approx(expected, abs=5 * (expected * (1 - expected) / 3_000) ** 0.5)


def test_generate_looks_as_far_back_as_the_table():
    """After "aa" comes b, after "ba" comes a: whoever sees one character only, has to guess."""
    table = CountTable(torch.tensor([0, 0, 1] * 50), 2, 2)
    start = torch.tensor([0, 0, 1])
    text = torch.cat([start, table.generate(start, 3_000, torch.Generator().manual_seed(0))])
    after_a = (text[1:-1] == 0).nonzero().flatten() + 1  # each a that has a character before it
    as_counted = (text[after_a + 1] == (text[after_a - 1] == 0)).double().mean().item()
    p = min(
        table.probabilities(torch.tensor(pair))[1 - pair[0]].item() for pair in ([0, 0], [1, 0])
    )
    assert p > 0.95
    assert as_counted == pytest.approx(1, abs=2 * (1 - p))


def test_the_first_character_follows_the_prompt():
    """After "ab" always comes c, of which the text has one in three."""
    table = CountTable(torch.tensor([0, 1, 2] * 50), 2, 3)
    generator = torch.Generator().manual_seed(0)
    new = [table.generate(torch.tensor([0, 1]), 1, generator).item() for _ in range(50)]
    assert new.count(2) >= 45


def test_sample_is_the_text_of_a_seed():
    """Of two seeds, after a prompt that a table of two characters sees the end of."""
    tokenizer = CharTokenizer("abc")
    table = CountTable(tokenizer.encode("abcab" * 20), 2, 3)
    for seed in (1, 2):
        generator = torch.Generator().manual_seed(seed)
        ids = table.generate(tokenizer.encode("ca"), 60, generator)
        text = table.sample(tokenizer, prompt="ca", length=60, seed=seed)
        assert text == tokenizer.decode(ids)
    assert text != table.sample(tokenizer, prompt="ca", length=60, seed=1)


def test_generate_may_start_from_nothing():
    table = CountTable(torch.tensor([0, 1, 2] * 50), 2, 3)
    empty = torch.tensor([], dtype=torch.long)
    assert table.generate(empty, 7, torch.Generator().manual_seed(0)).shape == (7,)


@pytest.mark.parametrize("context", [-1, 10])
def test_context_out_of_range_is_named(context):
    with pytest.raises(ValueError, match=f"context is {context}"):
        CountTable(torch.arange(65), context, 65)
