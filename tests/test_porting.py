"""Two forms of one model, and the weights of two published programs.

The programs' models are written out here with the names and shapes of their parameters; their own
files are not needed.
"""

import copy
from dataclasses import replace
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT, next_character_loss
from bardgpt.layers.attention import CausalSelfAttention, MultiHeadAttention
from bardgpt.layers.normalization import LayerNorm
from bardgpt.porting import PortingError, from_lecture, from_nanogpt, with_kernels

V, T, C, L, NH = 11, 7, 15, 2, 3
IDS = torch.arange(3 * T).reshape(3, T) * 5 % V


# --- fused and as a list of heads -----------------------------------------------------------------


def losses_and_gradients(model):
    """Logits, and the gradient of each parameter with those of q, k and v stacked as if fused."""
    model.zero_grad()
    logits = model(IDS)
    next_character_loss(logits, IDS.flip(0)).backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    for i, block in enumerate(model.blocks):
        if isinstance(block.attention, MultiHeadAttention):
            name = f"blocks.{i}.attention."
            parts = [
                gradients.pop(f"{name}heads.{h}.{part}.weight")
                for part, h in product(("query", "key", "value"), range(model.config.n_head))
            ]
            gradients[f"{name}qkv.weight"] = torch.cat(parts)
    return logits, gradients


WIRINGS = [
    {"block": block, "feed_forward": feed_forward, "projection": projection, "norm": norm}
    for block, feed_forward, projection, norm in product(
        ("plain", "residual", "post-norm", "pre-norm"),
        ("none", "one-layer", "two-layer"),
        (False, True),
        ("layer", "batch"),
    )
    if (block == "plain" or feed_forward != "none") and (norm == "layer" or "norm" in block)
]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("wiring", WIRINGS, ids=lambda w: "-".join(map(str, w.values())))
def test_the_other_form_is_the_same_function(wiring, fused, training):
    model = GPT(GPTConfig(V, T, C, L, NH, fused=fused, final_norm=True, **wiring)).train(training)
    before = copy.deepcopy(model.state_dict())
    other = with_kernels(model, not fused)
    kind = MultiHeadAttention if fused else CausalSelfAttention
    assert other.config == replace(model.config, fused=not fused)
    assert all(type(block.attention) is kind for block in other.blocks)
    assert all(m.fused is not fused for m in other.modules() if isinstance(m, LayerNorm))
    assert {m.training for m in other.modules()} == {training}
    (y, dy), (z, dz) = losses_and_gradients(model), losses_and_gradients(other)
    torch.testing.assert_close(y, z)
    # Keys of a plain stack hardly matter: gradients of 1e-9 are rounding.
    torch.testing.assert_close(dy, dz, rtol=1e-4, atol=1e-6)
    back = with_kernels(with_kernels(GPT(model.config), not fused), fused)
    back.load_state_dict(before)
    again = with_kernels(with_kernels(back, not fused), fused)
    for name, value in before.items():
        assert torch.equal(again.state_dict()[name], value), name


def test_a_copy_draws_nothing_and_shares_nothing():
    model = GPT(GPTConfig(V, T, C, L, NH, projection=True)).double()
    state = torch.get_rng_state()
    for fused in (False, True):
        other = with_kernels(model, fused)
        assert {p.dtype for p in other.parameters()} == {torch.float64}
        ours = {p.data_ptr() for p in model.parameters()}
        assert not ours & {p.data_ptr() for p in other.parameters()}
    assert torch.equal(torch.get_rng_state(), state)


def test_attention_of_another_kind_is_named():
    model = GPT(GPTConfig(V, T, C, L, NH))
    model.blocks[0].attention = nn.Linear(C, C)
    with pytest.raises(PortingError, match="Linear is no attention"):
        with_kernels(model, fused=True)


# --- the lecture's program ------------------------------------------------------------------------


class LectureHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.key = nn.Linear(C, C // NH, bias=False)
        self.query = nn.Linear(C, C // NH, bias=False)
        self.value = nn.Linear(C, C // NH, bias=False)
        self.register_buffer("tril", torch.tril(torch.ones(T, T)))

    def forward(self, x):
        scores = self.query(x) @ self.key(x).mT / (C // NH) ** 0.5
        scores = scores.masked_fill(self.tril[: x.shape[1], : x.shape[1]] == 0, float("-inf"))
        return scores.softmax(-1) @ self.value(x)


class LectureAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.heads = nn.ModuleList(LectureHead() for _ in range(NH))
        self.proj = nn.Linear(C, C)

    def forward(self, x):
        return self.proj(torch.cat([head(x) for head in self.heads], -1))


class LectureFeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(C, 4 * C), nn.ReLU(), nn.Linear(4 * C, C), nn.Dropout())

    def forward(self, x):
        return self.net(x)


class LectureBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.sa, self.ffwd = LectureAttention(), LectureFeedForward()
        self.ln1, self.ln2 = nn.LayerNorm(C), nn.LayerNorm(C)

    def forward(self, x):
        x = x + self.sa(self.ln1(x))
        return x + self.ffwd(self.ln2(x))


class Lecture(nn.Module):
    def __init__(self):
        super().__init__()
        self.token_embedding_table = nn.Embedding(V, C)
        self.position_embedding_table = nn.Embedding(T, C)
        self.blocks = nn.Sequential(*(LectureBlock() for _ in range(L)))
        self.ln_f, self.lm_head = nn.LayerNorm(C), nn.Linear(C, V)

    def forward(self, ids):
        x = self.token_embedding_table(ids)
        x = x + self.position_embedding_table(torch.arange(ids.shape[1]))
        return self.lm_head(self.ln_f(self.blocks(x)))


# --- nanoGPT --------------------------------------------------------------------------------------


class NanoNorm(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(C))
        self.bias = nn.Parameter(torch.zeros(C)) if bias else None

    def forward(self, x):
        return F.layer_norm(x, (C,), self.weight, self.bias, 1e-5)


class NanoAttention(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(C, 3 * C, bias=bias), nn.Linear(C, C, bias=bias)

    def forward(self, x):
        q, k, v = (z.unflatten(-1, (NH, -1)).transpose(1, 2) for z in self.c_attn(x).split(C, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.c_proj(y.transpose(1, 2).flatten(2))


class NanoMLP(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.c_fc, self.c_proj = nn.Linear(C, 4 * C, bias=bias), nn.Linear(4 * C, C, bias=bias)

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x)))


class NanoBlock(nn.Module):
    def __init__(self, bias):
        super().__init__()
        self.ln_1, self.attn = NanoNorm(bias), NanoAttention(bias)
        self.ln_2, self.mlp = NanoNorm(bias), NanoMLP(bias)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Nano(nn.Module):
    def __init__(self, bias=False):
        super().__init__()
        parts = {"wte": nn.Embedding(V, C), "wpe": nn.Embedding(T, C)}
        parts |= {"h": nn.ModuleList(NanoBlock(bias) for _ in range(L)), "ln_f": NanoNorm(bias)}
        self.transformer = nn.ModuleDict(parts)
        self.lm_head = nn.Linear(C, V, bias=False)
        self.transformer.wte.weight = self.lm_head.weight

    def forward(self, ids):
        parts = self.transformer
        x = parts.wte(ids) + parts.wpe(torch.arange(ids.shape[1]))
        for block in parts.h:
            x = block(x)
        return self.lm_head(parts.ln_f(x))


def shaken(model):
    """No norm or bias as it starts, so that one in another's place is seen."""
    with torch.no_grad():
        for p in model.parameters():
            p.add_(torch.randn_like(p) * 0.3)
    return model.eval()


@pytest.mark.parametrize("fused", [False, True])
def test_the_lectures_model_gives_the_same_numbers(fused):
    theirs = shaken(Lecture())
    ours = with_kernels(from_lecture(theirs.state_dict()), fused)
    assert not ours.training
    torch.testing.assert_close(ours(IDS), theirs(IDS))


@pytest.mark.parametrize("prefix", ["", "_orig_mod."])
@pytest.mark.parametrize("bias", [False, True])
def test_nanogpts_model_gives_the_same_numbers(bias, prefix):
    theirs = shaken(Nano(bias))
    weights = {prefix + name: value for name, value in theirs.state_dict().items()}
    for name in [name for name in weights if name.endswith("c_attn.bias")]:
        weights[name].zero_()
    weights[f"{prefix}transformer.h.0.attn.bias"] = torch.ones(1, 1, T, T)  # an old version's mask
    ours = from_nanogpt(weights, NH)
    assert not ours.training
    torch.testing.assert_close(ours(IDS), theirs(IDS))
    again = GPT(GPTConfig.from_json(ours.config.to_json())).eval()  # GELU is in the config
    again.load_state_dict(ours.state_dict())
    torch.testing.assert_close(again(IDS), theirs(IDS))
    assert ours.lm_head.weight.data_ptr() != ours.token_embedding.weight.data_ptr()
    torch.testing.assert_close(with_kernels(ours, fused=False)(IDS), theirs(IDS))  # GELU comes too


def test_what_cannot_be_taken_is_named():
    with_biases = shaken(Nano(bias=True)).state_dict()
    with pytest.raises(PortingError, match=r"transformer.h.0.attn.c_attn.bias is not 0"):
        from_nanogpt(with_biases, NH)
    weights = shaken(Lecture()).state_dict()
    with pytest.raises(PortingError, match=r"'rotary' has no counterpart"):
        from_lecture(weights | {"rotary": torch.ones(1)})
    with pytest.raises(PortingError, match=r"no position_embedding.weight"):
        from_lecture({"token_embedding_table.weight": torch.ones(V, C)})
    del weights["blocks.1.sa.proj.weight"]
    with pytest.raises(PortingError, match=r"blocks.1.attention.proj.weight"):
        from_lecture(weights)
    with pytest.raises(ValueError, match=r"n_head=4: must divide n_embd=15"):
        from_nanogpt(shaken(Nano()).state_dict(), 4)
