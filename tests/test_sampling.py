import pytest
import torch

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.sampling import generate, next_character_probabilities, sample
from bardgpt.tokenizer import CharTokenizer, UnknownCharacterError

TOKENIZER = CharTokenizer("abcdefghijk")


@pytest.fixture
def model():
    torch.manual_seed(0)
    return GPT(GPTConfig(vocab_size=11, block_size=8, n_embd=5))


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_probabilities_at_temperature_1_are_the_softmax():
    logits = torch.randn(3, 11)
    torch.testing.assert_close(next_character_probabilities(logits), logits.softmax(dim=-1))


@pytest.mark.parametrize("temperature", [0.3, 1.0, 4.0])
def test_temperature_divides_the_logits(temperature):
    logits = torch.randn(3, 11)
    p = next_character_probabilities(logits, temperature)
    torch.testing.assert_close(p, (logits / temperature).softmax(dim=-1))


@pytest.mark.parametrize("temperature", [0, 1e-30])
def test_cold_means_greedy(temperature):
    logits = torch.randn(3, 11)
    p = next_character_probabilities(logits, temperature)
    assert torch.equal(p.argmax(dim=-1), logits.argmax(dim=-1))
    torch.testing.assert_close(p.amax(dim=-1), torch.ones(3))


@pytest.mark.parametrize("k", [1, 4, 11])
def test_top_k_keeps_the_k_best_in_their_proportions(k):
    logits = torch.randn(3, 11)
    p, all_p = next_character_probabilities(logits, top_k=k), logits.softmax(dim=-1)
    best = all_p.topk(k, dim=-1)
    assert ((p > 0).sum(dim=-1) == k).all()
    kept = best.values / best.values.sum(dim=-1, keepdim=True)
    torch.testing.assert_close(p.gather(-1, best.indices), kept)


def test_top_k_keeps_k_even_among_equals():
    assert (next_character_probabilities(torch.zeros(11), top_k=3) > 0).sum() == 3


def test_drawn_characters_follow_the_models_distribution(model):
    """Share of each next character after one and the same, within 5 standard deviations."""
    n = 4_000
    p = model(torch.tensor([[3]]))[0, 0].softmax(dim=0)
    drawn = torch.stack(
        [generate(model, torch.tensor([3]), 1, generator=g) for g in [seeded()] * n]
    )
    share = drawn.flatten().bincount(minlength=11) / n
    assert ((share - p).abs() <= 5 * (p * (1 - p) / n).sqrt()).all()
    assert (p - 1 / 11).abs().max() > 0.05  # else a uniform draw would pass


def test_same_seed_same_text(model):
    text = sample(model, TOKENIZER, prompt="a", length=50, seed=3)
    assert sample(model, TOKENIZER, prompt="a", length=50, seed=3) == text
    assert sample(model, TOKENIZER, prompt="a", length=50, seed=4) != text
    assert len(text) == 50


def test_no_seed_follows_the_global_state(model):
    torch.manual_seed(5)
    first = sample(model, TOKENIZER, prompt="a", length=50)
    assert sample(model, TOKENIZER, prompt="a", length=50) != first
    torch.manual_seed(5)
    assert sample(model, TOKENIZER, prompt="a", length=50) == first


@pytest.mark.parametrize(
    ("block_size", "prompt", "seen"),
    [
        # The whole prompt; then one more each time; when 8 are full, the last 4 and the new one.
        (8, 6, [6, 7, 8, 5, 6, 7, 8, 5]),
        (8, 20, [8, 5, 6, 7, 8, 5]),  # of a long prompt, its end
        (5, 1, [1, 2, 3, 4, 5, 3, 4, 5, 3]),
        (1, 1, [1, 1, 1]),
    ],
)
def test_full_window_keeps_its_last_half(block_size, prompt, seen):
    class Spy(GPT):
        def forward(self, ids):
            windows.append(ids[0].tolist())
            return super().forward(ids)

    windows = []
    torch.manual_seed(0)
    model = Spy(GPTConfig(vocab_size=11, block_size=block_size, n_embd=5))
    ids = torch.arange(prompt) % 11
    new = generate(model, ids, len(seen), generator=seeded())
    text = ids.tolist() + new.tolist()
    assert [len(window) for window in windows] == seen
    for i, window in enumerate(windows):  # always the end of what there is
        assert window == text[prompt + i - len(window) : prompt + i]


def test_mode_is_left_alone(model):
    model.train()
    generate(model, torch.tensor([0]), 3)
    assert model.training


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"temperature": -0.1}, "temperature is -0.1"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"temperature": float("inf")}, "temperature is inf"),
        ({"top_k": 0}, r"top_k is 0; it must lie in 1 … 11"),
        ({"top_k": 12}, r"top_k is 12; it must lie in 1 … 11"),
        ({"length": -1}, "length is -1"),
        ({"prompt": ""}, "at least one character"),
    ],
)
def test_bad_value_is_named(model, bad, message):
    with pytest.raises(ValueError, match=message):
        sample(model, TOKENIZER, **{"prompt": "a", "length": 2, **bad})


def test_unknown_character_in_the_prompt(model):
    with pytest.raises(UnknownCharacterError, match="'Z'"):
        sample(model, TOKENIZER, prompt="aZ")


def test_someone_elses_tokenizer_is_refused(model):
    with pytest.raises(ValueError, match=r"tokenizer has 3 characters and the model 11"):
        sample(model, CharTokenizer("abc"), prompt="a")


def test_zero_characters_are_an_empty_text(model):
    assert sample(model, TOKENIZER, prompt="a", length=0) == ""
