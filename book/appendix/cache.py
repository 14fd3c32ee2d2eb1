# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["remove-cell"]
# On Colab this installs the package; anywhere else it does nothing.
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules:
    url = "https://github.com/set-this-to-your-own-github-account-name/bardgpt"
    if find_spec("bardgpt") is None:
        if len(url.split("/")[3]) > 39:  # no account has so long a name
            raise RuntimeError(
                "The book has no address yet; `make repository URL=…` sets it."
            )
        get_ipython().run_line_magic("pip", f"install -q git+{url}")
    from bardgpt.training.devices import facts

    none = "none; chapter 9 wants one: menu Runtime, Change runtime type"
    print("GPU:", facts().gpu or none)

# %% [markdown]
# # The fast path: the cache
#
# [Chapter 1](../01-text-and-yardstick.ipynb) wrote by hand how a model samples: predict, draw, append,
# repeat. Each time the model reads its whole window again. This page keeps what does not change. (Two
# more pages of the fast path: [kernels and precision](fast-attention.ipynb), [several
# GPUs](several-gpus.ipynb).)
#
# > **A cache must not change the answer.** With it the model has the same logits, up to rounding, and a
# > cell shows it. Then comes what it gains, measured.
#
# **Before you run anything:** when the model writes, 99 of 100 positions need not be computed again. How
# many times faster will it be?

# %% [markdown]
# ## Keep what does not change
#
# To write a character the model reads the window and gives scores for the next one; the character
# that is drawn joins the window, and the model reads it all again. Yet attention looks only back:
# a new character changes nothing at the old positions, in any block. So keep their keys and
# values, in a *cache*.

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("cache")

# %% [markdown]
# *Above: with a cache the new character alone is computed; its query meets all keys, its own
# among them, and $y_5$ is a weighted mean of all the values. Below: a window that was full. Its
# filled keys belong to characters that stay; they, too, are computed again, for they move.*
#
# Old queries are not needed: each served its own position only, whose output is done. Nor is a
# mask: the new position stands last and may look at everything. So append the new key and value to
# the cache, and let the new query meet all that is in it. Here character by character, and beside
# it the attention of all positions at once:

# %%
import torch
import torch.nn.functional as F

from bardgpt.layers.attention import attention_weights, causal_mask

torch.manual_seed(0)
q, k, v = torch.randn(3, 2, 6, 48, 64)  # each (B, nh, T, hs)
written_out = attention_weights(q, k, causal_mask(48)) @ v

# %%
keys, values = k[..., :0, :], v[..., :0, :]  # the cache, still empty
outputs = []
for t in range(48):
    new = slice(t, t + 1)  # the new position
    keys = torch.cat([keys, k[..., new, :]], dim=-2)  # (B, nh, t + 1, hs)
    values = torch.cat([values, v[..., new, :]], dim=-2)
    # (B, nh, 1, hs), and no mask
    y = F.scaled_dot_product_attention(q[..., new, :], keys, values)
    outputs.append(y)
torch.testing.assert_close(torch.cat(outputs, dim=-2), written_out)
print(f"{len(outputs)} queries, each against the cache: the same attention")

# %% [markdown]
# While `with cached(model)` lasts, each attention layer does this with its own keys and values. So
# the full model, too, can read a text character by character; the second argument of `model` is
# the position of the first id. What is kept grows with each character: in each block a key and a
# value, of $C$ numbers each.

# %%
from bardgpt.gpt import GPT
from bardgpt.presets import PRESETS
from bardgpt.sampling import cached, generate

full = PRESETS["full"].model
model = GPT(full).eval()
ids = torch.randint(full.vocab_size, (1, 48))  # (1, T)
with torch.no_grad(), cached(model):
    singly = [model(ids[:, t : t + 1], t) for t in range(48)]  # each (1, 1, V)
with torch.no_grad():
    at_once = model(ids)  # (1, T, V)
one_by_one = torch.cat(singly, dim=1)
torch.testing.assert_close(one_by_one, at_once, rtol=1e-4, atol=1e-4)
print(f"{len(singly)} times one position: the same logits as all at once")

# %% [markdown]
# **When the window is full.** The model has learned a row for each position, and a character's key and
# value contain it. If the window slid by one, every character would move to another position, and nothing
# that was kept would be right any more. So it does not slide. All is forgotten but its last
# `block_size // 2` characters; those are computed again at their new positions, and there is room for half
# a window more. It costs context: right after the cut, the full model sees only 128 characters back. The package's
# `generate` follows the same rule without a cache, so both write the same text (the one file
# `bardgpt.py`, which has no cache, slides):

# %%
from dataclasses import replace

small = GPT(replace(PRESETS["tiny"].model, block_size=16)).eval()
prompt = torch.tensor([1, 2, 3])
texts = [
    generate(small, prompt, 100, temperature=0, cache=cache)
    for cache in (True, False)
]
torch.testing.assert_close(*texts)
print(f"{len(texts[0])} characters through a window of 16: the same text")

# %% [markdown]
# What does it spare? Count the positions that go through a model (one block of one channel will
# do), for 500 characters and a window of 256. Beside them stands the speed of the full model on one
# machine, a CPU, by `make bench`, both ways in turn.

# %%
from bardgpt.config import GPTConfig
from bardgpt.records import speeds

found = speeds.load()


def count(_, inputs):
    lengths.append(inputs[0].shape[1])


config = GPTConfig(vocab_size=65, block_size=256, n_embd=1, fused=True)
counter = GPT(config)
counter.register_forward_pre_hook(count)
positions = {}
for name in found.samples:
    lengths = []
    with_cache = name == "with a cache"
    generate(counter, torch.tensor([0]), found.length, cache=with_cache)
    positions[name] = sum(lengths)
    print(f"{name}: {positions[name]:,} positions")

# %% tags=["hide-input"]
from bardgpt.teaching import table


def rounded(speed, digits):
    median, *ends = (
        f"{number:.{digits}f}"
        for number in (speed.median, speed.least, speed.most)
    )
    return f"{median} ({' to '.join(ends)})"


times = found.times("with a cache", than="without a cache")
assert times.least > 4
rows = {
    name: [f"{number:,}", rounded(found.per_second(name), 0)]
    for name, number in positions.items()
}
rows["the cache, times"] = ["", rounded(times, 1)]
table("sampling", ["positions", "characters a second"], rows)

# %% [markdown]
# *Characters a second: the median of the turns, with the least and the most. The last row, how many
# times as fast, compares within each turn, so it is not the quotient of the two medians.*
#
# Why 756? Each of the 500 new characters asks for one position, the one before it. And twice the window
# was full, so twice 128 kept characters were computed again.
#
# A hundredth of the positions, and only eight times as fast, because work is not time. Each pass
# calls the same operations, for one row as for 256. And a product with one row reads the whole
# matrix from memory and uses each number of it once; with 256 rows it uses each 256 times, for the
# same reading. (What each of the two costs was not measured.) So those who serve large models
# answer many people at once: their rows share calls and reading.

# %% [markdown]
# ## What broke when we changed it
#
# **Forget the position.** With a cache the new character comes alone, and `model(ids)`, without the
# second argument, puts it at position 0. No error is raised:

# %%
with torch.no_grad(), cached(model):
    singly = [model(ids[:, t : t + 1]) for t in range(48)]
forgotten = torch.cat(singly, dim=1)  # (1, T, V)
off = (forgotten - at_once).abs().amax(dim=(0, 2)) > 1e-2  # (T,)
assert not off[0]
print(f"positions with wrong logits: {off.sum()} of {len(off)}, not the first")

# %% [markdown]
# ## Try it
#
# **How large is the cache?** For the full model with a full window, in 32 bits. And how large
# beside the weights?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Keys and values, for each block and position C numbers each: a ninth of the weights' memory. It
# grows with the window and with the number of texts; the weights do not.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
size = 2 * full.n_layer * full.block_size * full.n_embd * 4
weights = model.n_parameters() * 4
print(f"by hand {size:,} bytes, {size / weights:.0%} of the weights")
with torch.no_grad(), cached(model) as caches:
    model(torch.zeros(1, full.block_size, dtype=torch.int64))
    print(f"in fact {sum(c.k.nbytes + c.v.nbytes for c in caches):,} bytes")

# %% [markdown]
# ## What to remember
#
# - Attention looks only back: keys and values of the past don't change. Keep them, and compute a
#   hundredth of the positions.
# - A full window does not slide by one. Half of it is forgotten, and the rest computed anew.
# - Work is not time: one row needs as many calls, and as much reading of matrices, as 256 rows.
