"""The same function in another form: fused or as a list of heads, and other programs' weights.

Names of weights, here and in two published programs::

    here                              the lecture's program        nanoGPT
    token_embedding                   token_embedding_table        transformer.wte
    position_embedding                position_embedding_table     transformer.wpe
    blocks.0.attention_norm           blocks.0.ln1                 transformer.h.0.ln_1
    blocks.0.attention.heads.0.query  blocks.0.sa.heads.0.query    rows of …attn.c_attn
    blocks.0.attention.proj           blocks.0.sa.proj             transformer.h.0.attn.c_proj
    blocks.0.feed_forward_norm        blocks.0.ln2                 transformer.h.0.ln_2
    blocks.0.feed_forward.hidden      blocks.0.ffwd.net.0          transformer.h.0.mlp.c_fc
    blocks.0.feed_forward.proj        blocks.0.ffwd.net.2          transformer.h.0.mlp.c_proj
    norm                              ln_f                         transformer.ln_f
    lm_head                           lm_head                      lm_head

Sources: ng-video-lecture and nanoGPT, both by Andrej Karpathy, as published.

Shapes: C = n_embd, nh = n_head, hs = C // nh.
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from bardgpt.config import Activation, GPTConfig
from bardgpt.gpt import GPT
from bardgpt.layers.attention import CausalSelfAttention, MultiHeadAttention
from bardgpt.layers.normalization import LayerNorm

_WHOLE = {"projection": True, "feed_forward": "two-layer", "block": "pre-norm", "final_norm": True}

# Each program's names as patterns; the first that fits a name's beginning is replaced.
_LECTURE = {
    r"token_embedding_table\.": "token_embedding.",
    r"position_embedding_table\.": "position_embedding.",
    r"blocks\.(\d+)\.ln1\.": r"blocks.\1.attention_norm.",
    r"blocks\.(\d+)\.sa\.": r"blocks.\1.attention.",
    r"blocks\.(\d+)\.ln2\.": r"blocks.\1.feed_forward_norm.",
    r"blocks\.(\d+)\.ffwd\.net\.0\.": r"blocks.\1.feed_forward.hidden.",
    r"blocks\.(\d+)\.ffwd\.net\.2\.": r"blocks.\1.feed_forward.proj.",
    r"ln_f\.": "norm.",
    r"lm_head\.": "lm_head.",
}
_NANOGPT = {
    r"transformer\.wte\.": "token_embedding.",
    r"transformer\.wpe\.": "position_embedding.",
    r"transformer\.h\.(\d+)\.ln_1\.": r"blocks.\1.attention_norm.",
    r"transformer\.h\.(\d+)\.attn\.c_attn\.": r"blocks.\1.attention.qkv.",
    r"transformer\.h\.(\d+)\.attn\.c_proj\.": r"blocks.\1.attention.proj.",
    r"transformer\.h\.(\d+)\.ln_2\.": r"blocks.\1.feed_forward_norm.",
    r"transformer\.h\.(\d+)\.mlp\.c_fc\.": r"blocks.\1.feed_forward.hidden.",
    r"transformer\.h\.(\d+)\.mlp\.c_proj\.": r"blocks.\1.feed_forward.proj.",
    r"transformer\.ln_f\.": "norm.",
    r"lm_head\.": "lm_head.",
}


class PortingError(ValueError):
    """Weights that this model cannot take; says which, and why."""


def with_kernels(model: GPT, fused: bool) -> GPT:
    """A copy of a model that computes the same function, fused or with a list of heads.

    Outputs and gradients are equal up to rounding, at dropout 0 (`CausalSelfAttention`). Fused is
    faster; a list of heads can be looked into (`bardgpt.lab.probes`).

    Args:
        model: left as it is; its copy has the same mode, device and weights.
        fused: of the copy.
    """
    made = copy.deepcopy(model)
    made.config = replace(model.config, fused=fused)
    with torch.random.fork_rng(devices=[]):  # new layers draw weights, which are then replaced
        for block in made.blocks:
            block.attention = _attention(block.get_submodule("attention"), made.config)
    for module in made.modules():
        if isinstance(module, LayerNorm):
            module.fused = fused
    return made


def _attention(old: nn.Module, config: GPTConfig) -> nn.Module:
    """A layer of attention of the kind that the config names, with another's weights."""
    if isinstance(old, CausalSelfAttention) == config.fused:
        return old
    if isinstance(old, MultiHeadAttention):
        new: nn.Module = CausalSelfAttention.from_heads(old, config)
    elif isinstance(old, CausalSelfAttention):
        new = _heads(old, config)
    else:
        raise PortingError(f"{type(old).__name__} is no attention that has two forms")
    like = next(old.parameters())
    return new.to(like.device, like.dtype)


def _heads(fused: CausalSelfAttention, config: GPTConfig) -> MultiHeadAttention:
    """`CausalSelfAttention.from_heads` backwards."""
    attention = MultiHeadAttention(config)
    parts = fused.qkv.weight.chunk(3)  # queries, keys and values of all heads, each (C, C)
    with torch.no_grad():
        for name, part in zip(("query", "key", "value"), parts, strict=True):
            for head, rows in zip(attention.heads, part.chunk(config.n_head), strict=True):
                getattr(head, name).weight.copy_(rows)  # (hs, C)
    attention.proj.load_state_dict(fused.proj.state_dict())
    return attention.train(fused.training)


def from_lecture(weights: Mapping[str, Tensor]) -> GPT:
    """The model of the lecture's published program (`gpt.py`), from its `state_dict()`.

    Scores are divided by the root of a head's size, as in the program since it was mended; weights
    that were trained before, with the root of C, are other functions there and here.

    Args:
        weights: by the program's names; the heads' masks, `tril`, are left out.

    Returns:
        The model as a list of heads, in evaluation mode, with dropout 0.

    Raises:
        PortingError: if names are missing or unknown, or shapes do not fit together.
    """
    kept = {name: value for name, value in weights.items() if not name.endswith(".tril")}
    renamed = _renamed(kept, _LECTURE)
    heads = {name.split(".")[4] for name in renamed if ".attention.heads." in name}
    return _filled(renamed, max(1, len(heads)), activation="relu", fused=False)


def from_nanogpt(weights: Mapping[str, Tensor], n_head: int) -> GPT:
    """The model of nanoGPT, from its `state_dict()`.

    nanoGPT can do without biases (`bias=False`): ours are then 0. Its output layer shares its
    weights with the token embedding; here both have a copy, and would part in training. Its
    activation is GELU. Its biases on queries, keys and values have no place here, and are refused
    unless they are 0.

    Args:
        weights: by its names; a "_orig_mod." of `torch.compile` and the mask, `attn.bias`, of older
            versions are left out.
        n_head: nh, which the weights do not tell.

    Returns:
        The model, fused, in evaluation mode, with dropout 0.

    Raises:
        PortingError: if there are biases on queries, keys and values, names are missing or unknown,
            or shapes do not fit together.
    """
    named = {name.removeprefix("_orig_mod."): value for name, value in weights.items()}
    kept = {name: value for name, value in named.items() if not name.endswith(".attn.bias")}
    for name in [name for name in kept if name.endswith(".c_attn.bias")]:
        if kept.pop(name).any():
            raise PortingError(
                f"{name} is not 0: queries, keys and values have no biases here; a nanoGPT that "
                "was trained with bias=False can be taken"
            )
    renamed = _renamed(kept, _NANOGPT)
    for name in [name for name in renamed if name.endswith(".weight")]:
        bias = name.removesuffix("weight") + "bias"
        if "embedding" not in name and not name.endswith(".qkv.weight"):
            renamed.setdefault(bias, renamed[name].new_zeros(len(renamed[name])))
    return _filled(renamed, n_head, activation="gelu", fused=True)


def _renamed(weights: Mapping[str, Tensor], patterns: Mapping[str, str]) -> dict[str, Tensor]:
    renamed = {}
    for name, value in weights.items():
        fitting = [p for p in patterns if re.match(p, name)]
        if not fitting:
            raise PortingError(f"a weight {name!r} has no counterpart here")
        renamed[re.sub(fitting[0], patterns[fitting[0]], name, count=1)] = value
    return renamed


def _filled(weights: dict[str, Tensor], n_head: int, *, activation: Activation, fused: bool) -> GPT:
    """A model whose sizes are those of its weights, with `n_head` heads."""
    tables = ("token_embedding.weight", "position_embedding.weight")
    for name in tables:
        if name not in weights:
            raise PortingError(f"there is no {name}, by whatever name: are these all weights?")
    (V, C), (T, _) = (weights[name].shape for name in tables)
    layers = {name.split(".")[1] for name in weights if name.startswith("blocks.")}
    kind = {"activation": activation, "fused": fused}
    config = GPTConfig(V, T, C, len(layers), n_head, **kind, **_WHOLE)
    with torch.random.fork_rng(devices=[]):
        model = GPT(config)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        first = " ".join(map(str.strip, str(error).splitlines()[1:2]))
        raise PortingError(f"the weights do not fit a GPT of {V=}, {T=}, {C=}: {first}") from None
    return model.eval()
