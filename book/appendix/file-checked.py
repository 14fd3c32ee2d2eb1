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
# # The file, checked
#
# [The whole model on one page](whole-model.ipynb) shows most of the file `bardgpt.py`. Is it the
# model of the package? What else is in the file? And where do its numbers lie?

# %% [markdown]
# ## Is it the package's model?
#
# Give both the same weights, and compare their scores. In a fresh model gains are 1 and biases 0, and a mistake with them would not show; so
# first each number is moved a little, at random. In double precision rounding is so small that any
# other difference would stand out.

# %%
import torch

from bardgpt.gpt import GPT
from bardgpt.presets import PRESETS
from bardgpt.teaching import one_file

config = PRESETS["full"].model
C, V, nh = config.n_embd, config.vocab_size, config.n_head
torch.manual_seed(0)
model = GPT(config).double().eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter += 0.02 * torch.randn_like(parameter)
sizes = {name: getattr(config, name) for name in one_file.SIZE}
alone = one_file.GPT(V, **sizes).double().eval()
print(alone.load_state_dict(model.state_dict()))

# %%
ids = torch.randint(V, (2, 48))  # (B, T)
with torch.no_grad():
    by_one_file, packaged = alone(ids), model(ids)
torch.testing.assert_close(by_one_file, packaged)
off, largest = (by_one_file - packaged).abs().max(), packaged.abs().max()
assert off < 1e-10
print("by the file and by the package, the same scores")
print(f"largest score {largest:.1f}, largest difference below 1e-10")

# %% [markdown]
# <details class="fold aside"><summary>For the curious: the two kernels, written out</summary>
#
# The norm takes each position by itself: subtract the mean of its $C$ numbers, divide by their standard
# deviation (with $10^{-5}$ added to the variance, so that it is never 0), then give each channel its gain and
# its bias ([chapter 6](../06-layer-normalization.ipynb)). Attention compares the queries of each head with its
# keys (scores, divided by $\sqrt{hs}$, where $hs = C / nh$ is its width), shuts out the future, and takes a
# weighted mean of its values; the heads' outputs stand side by side again, and `proj` mixes them ([chapter
# 3](../03-multi-head-attention.ipynb)).
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
def norm(x, w):
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = centred.square().mean(dim=-1, keepdim=True)  # (B, T, 1)
    return centred / (variance + 1e-5).sqrt() * w.weight + w.bias


first, its = model.blocks[0], alone.blocks[0]
x = model.token_embedding(ids) + model.position_embedding.weight[:48]
normed = norm(x, its.attention_norm)  # (B, T, C)
torch.testing.assert_close(normed, first.attention_norm(x))
print("the first norm agrees")


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
def attention(x, w):
    B, T, C = x.shape
    q, k, v = (
        z.view(B, T, nh, C // nh).transpose(1, 2)  # (B, nh, T, hs)
        for z in (x @ w.qkv.weight.T).split(C, dim=-1)
    )
    scores = q @ k.transpose(-2, -1) / (C // nh) ** 0.5  # (B, nh, T, T)
    future = torch.ones(T, T, dtype=torch.bool).triu(diagonal=1)
    A = scores.masked_fill(future, float("-inf")).softmax(dim=-1)
    y = (A @ v).transpose(1, 2).reshape(B, T, C)  # (B, T, C)
    return y @ w.proj.weight.T + w.proj.bias


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
gathered = attention(normed, its.attention)
torch.testing.assert_close(gathered, first.attention(normed))
print("attention agrees")

# %% [markdown]
# The training loop is compared in the book's tests: from the same seed it has the losses of the
# package's preset `small`, to the last digit.

# %% [markdown]
# ## The rest of the file
#
# The numbers of `small`, then a step of Muon, the judging, the unpacking, and the command line.
# Only the imports are not shown. Muon makes five rounds, each with the same three numbers; five and
# the three numbers are those of its [source](../references.md#jordan-2024).
#
# Left out of the file, to keep it short: the cache, stopping and going on, the best weights (it
# keeps the last), 16 bits, several GPUs, and dropout on the attention weights.

# %% tags=["hide-input"]
names = ("SIZE", "STEPS", "EVERY", "BATCH", "WARMUP", "RATE", "MUON_RATE")
for name in (*names, "SEED"):
    print(f"{name} = {getattr(one_file, name)}")

# %% tags=["hide-input", "nbval-ignore-output"]
from bardgpt.teaching import listing

listing(
    one_file.muon,
    one_file.evaluate,
    one_file.unpack,
    one_file.load,
    one_file.main,
    one_file.train_on,
)

# %% [markdown]
# ## Where its numbers are
#
# Nearly all of the full model's parameters lie in the matrices of the blocks, and of those two thirds
# in the feed-forward layers. So to make it smaller, take fewer channels or fewer blocks: with half the
# channels about a quarter of the numbers is left, with half the blocks about half.

# %% tags=["hide-input"]
from bardgpt.teaching import table

weights = alone.state_dict()
places = {
    "token embedding": "token_embedding",
    "position embedding": "position_embedding",
    "attention, 6 blocks": ".attention.",
    "feed-forward, 6 blocks": ".feed_forward.",
    "norms, 2 in each block, 1 after": "norm.",
    "output layer": "lm_head",
}
rows, everything = {}, model.n_parameters()
for place, key in (*places.items(), ("in all", "")):
    numbers = sum(w.numel() for name, w in weights.items() if key in name)
    rows[place] = [f"{numbers:,}", f"{numbers / everything:.1%}"]
table("where", ["numbers", "share"], rows)

# %% [markdown]
# *Where the parameters are.*

# %% [markdown]
# ## Try it
#
# **1. Which line?** Say for each change which line of the listing, or which setting, it would touch: one
# head instead of six; post-norm instead of pre-norm; a model that sees the future; a window of 512
# characters.

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# One head: no line, `n_head=1`; the weights keep their shapes. Post-norm: the two lines of a block's
# `forward`, x = norm(x + f(x)); then the model needs no last norm. The future: leave out `is_causal=True`. 512
# characters: no line, but a position embedding of 512 rows.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
class PostNorm(one_file.Block):
    def forward(self, x):
        x = self.attention_norm(x + self.attention(x))
        return self.feed_forward_norm(x + self.feed_forward(x))


rewired = PostNorm(C, nh, 0.0).double()
rewired.load_state_dict(its.state_dict())
off = (rewired(x) - its(x)).abs().max()
assert off > 0.1
print(f"another function of the same weights: up to {off:.1f} apart")

# %% [markdown]
# **2. Leave something out.** The check above is worth little if it cannot fail. Which of the model's
# weights could you set to 0, and does the check notice each?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Any whole tensor, and the check notices; here are three small ones. But not each single number: the
# check reads two texts of 48 characters. So rows 48 to 255 of the position embedding could be 0, and so
# could the token embedding's rows of characters that it does not read.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
for name in (
    "blocks.3.attention.proj.bias",
    "blocks.5.attention_norm.bias",
    "norm.bias",
):
    alone.load_state_dict({**weights, name: torch.zeros_like(weights[name])})
    with torch.no_grad():
        off = (alone(ids) - packaged).abs().max()
    assert off > 1e-3  # the check asks for less than 1e-10
    print(f"without {name}: scores up to {off:.3f} off")
    alone.load_state_dict(model.state_dict())

# %% [markdown]
# ## What to remember
#
# - The whole forward pass is two embeddings, six times two branches that add to the stream, a
#   norm and a linear layer.
# - Only one operation moves anything between positions: attention's mean of the values.
# - Nothing else is in the model: whatever it knows of Shakespeare is in its weights.
