import pytest
import torch

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.layers.attention import CausalSelfAttention
from bardgpt.sampling import (
    SamplingError,
    cached,
    generate,
    next_character_probabilities,
    sample,
)
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
        def forward(self, ids, start=0):
            windows.append(ids[0].tolist())
            return super().forward(ids, start)

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
        ({"top_k": 0}, "top_k is 0; it must be at least 1"),
        ({"top_k": -3}, "top_k is -3; it must be at least 1"),
        ({"length": -1}, "length is -1"),
        ({"prompt": ""}, "at least one character"),
    ],
)
def test_bad_value_is_named(model, bad, message):
    with pytest.raises(SamplingError, match=message):
        sample(model, TOKENIZER, **{"prompt": "a", "length": 2, **bad})


def test_unknown_character_in_the_prompt(model):
    with pytest.raises(UnknownCharacterError, match="'Z'"):
        sample(model, TOKENIZER, prompt="aZ")


def test_someone_elses_tokenizer_is_refused(model):
    with pytest.raises(ValueError, match=r"tokenizer has 3 characters and the model 11"):
        sample(model, CharTokenizer("abc"), prompt="a")


def test_zero_characters_are_an_empty_text(model):
    assert sample(model, TOKENIZER, prompt="a", length=0) == ""


# --- the cache --------------------------------------------------------------------------------


def fused_model(block_size=8, **others):
    torch.manual_seed(0)
    grown = {"projection": True, "feed_forward": "two-layer", "block": "pre-norm"}
    sizes = {"vocab_size": 11, "block_size": block_size, "n_embd": 12, "n_head": 3, "n_layer": 3}
    model = GPT(GPTConfig(**sizes, **grown, fused=True, final_norm=True, dropout=0.3, **others))
    with torch.no_grad():  # far from uniform, and positions count
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.3)
    return model


@pytest.mark.parametrize("block_size", [1, 2, 5, 8])
@pytest.mark.parametrize("prompt", [1, 4, 7, 8, 9, 30])
@pytest.mark.parametrize("length", [1, 3, 40])
def test_greedy_text_with_the_cache_is_that_without(block_size, prompt, length):
    """Beyond the window too, and after prompts that are longer than it."""
    model, ids = fused_model(block_size), torch.randint(11, (prompt,))
    with_it = generate(model, ids, length, temperature=0)
    without = generate(model, ids, length, temperature=0, cache=False)
    assert torch.equal(with_it, without)


def test_the_greedy_texts_above_are_not_one_character_over_and_over():
    assert len(generate(fused_model(), torch.tensor([3]), 40, temperature=0).unique()) > 3


def test_drawn_text_with_the_cache_is_that_without():
    model = fused_model()
    texts = [
        sample(model, TOKENIZER, prompt="abc", length=60, seed=3),
        TOKENIZER.decode(
            generate(model, TOKENIZER.encode("abc"), 60, generator=seeded(3), cache=False)
        ),
    ]
    assert texts[0] == texts[1]


def logits_of(model, ids, length, cache):
    """What the model said at each step, at the last position."""
    said = []
    hook = model.register_forward_hook(lambda m, i, logits: said.append(logits[0, -1]))
    generate(model, ids, length, temperature=0, cache=cache)
    hook.remove()
    return torch.stack(said)


@pytest.mark.parametrize("prompt", [1, 5, 20])
def test_logits_with_the_cache_are_close_at_every_step(prompt):
    """In float32, where a matrix product of one row may be summed in another order."""
    model, ids = fused_model(), torch.randint(11, (prompt,))
    torch.testing.assert_close(
        logits_of(model, ids, 30, cache=True), logits_of(model, ids, 30, cache=False)
    )


def widths(model, ids, length, **others):
    """How many positions the model computed at each step."""
    seen = []
    hook = model.register_forward_pre_hook(lambda m, inputs: seen.append(inputs[0].shape[1]))
    generate(model, ids, length, **others)
    hook.remove()
    return seen


def test_a_step_computes_one_position_until_the_window_is_full():
    ids = torch.arange(6)
    assert widths(fused_model(), ids, 8) == [6, 1, 1, 5, 1, 1, 1, 5]
    assert widths(fused_model(), ids, 8, cache=False) == [6, 7, 8, 5, 6, 7, 8, 5]


def test_without_fused_attention_there_is_nothing_to_cache(model):
    ids = torch.arange(6)
    assert widths(model, ids, 5) == widths(model, ids, 5, cache=False) == [6, 7, 8, 5, 6]


def caches(model):
    return [m.cache for m in model.modules() if isinstance(m, CausalSelfAttention)]


def test_caches_are_removed_afterwards():
    model = fused_model()
    generate(model, torch.tensor([3]), 3)
    assert caches(model) == [None] * 3
    with cached(model) as held:
        assert caches(model) == held
        assert [len(cache) for cache in held] == [0, 0, 0]
    assert caches(model) == [None] * 3


@pytest.mark.parametrize("step", [0, 4])
def test_caches_are_removed_and_the_mode_restored_after_an_error_too(step):
    model, calls = fused_model(), []

    def fail(*_):
        calls.append(1)
        if len(calls) > step:
            raise KeyboardInterrupt

    hook = model.lm_head.register_forward_pre_hook(fail)
    with pytest.raises(KeyboardInterrupt):
        generate(model, torch.tensor([3]), 10)
    hook.remove()
    assert caches(model) == [None] * 3
    assert model.training
    assert len(calls) == step + 1


def test_several_positions_after_others_are_refused():
    """Which of the new ones may look at which is then no longer a triangle."""
    model = fused_model().eval()
    ids = torch.arange(8)[None]
    with cached(model):
        model(ids[:, :3])
        model(ids[:, 3:4], 3)
        with pytest.raises(ValueError, match="2 positions after 4: fill an empty cache"):
            model(ids[:, 4:6], 4)


def test_the_cache_takes_a_batch_and_one_position_at_a_time():
    """Position by position is the whole window at once."""
    model, ids = fused_model().eval(), torch.randint(11, (4, 8))
    with cached(model), torch.no_grad():
        pieces = [model(ids[:, :3])] + [model(ids[:, t : t + 1], t) for t in range(3, 8)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), model(ids))


def test_positions_beyond_the_window_are_an_error():
    model = fused_model().eval()
    with pytest.raises(ValueError, match="got 9 positions; block_size is 8"):
        model(torch.tensor([[1]]), 8)


def test_a_list_for_a_prompt_is_named(model):
    with pytest.raises(SamplingError, match=r"the prompt is a list; .*torch.tensor\(ids\)"):
        generate(model, [1, 2], 3)
