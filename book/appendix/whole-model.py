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
# # The whole model on one page
#
# The chapters build the model one piece at a time. Here it is in one piece: the forward pass of
# the full model of [chapter 9](../09-scaling-up.ipynb), from the ids of some characters to the
# scores of the next ones. First drawn and in formulas, then by hand from nothing but its weights,
# checked against `GPT` itself, and last as it stands in the package. Each part names the chapter
# that explains it.

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("whole-model")

# %% [markdown]
# *The full model (preset `full`). The thick line is the stream, to which each branch adds; what is
# in the dashed frame repeats six times. The shapes in attention are those of one head.*
#
# In formulas, with $i_t$ for the id of the character at position $t$ (counted from 0) and $x_t$
# for the row of $C$ numbers that describes this position ($x$ alone is all these rows):
#
# $$
# \begin{aligned}
# x_t &= E_{i_t} + P_t \\ x &\leftarrow x + \mathrm{attention}(\mathrm{norm}(x)) \\ x &\leftarrow x
# + \mathrm{feedforward}(\mathrm{norm}(x)) \\
# \mathrm{logits}_t &= W\, \mathrm{norm}(x_t) + b
# \end{aligned}
# $$
#
# The first line adds a row of the table $E$ for the character and a row of $P$ for its place. The
# next two are a block: gather from the past, then compute, each position by itself. There are
# $L = 6$ blocks, one after the other. Each has its own weights, and so has each norm. The last
# line is a norm and a linear layer, with matrix $W$ and bias $b$: a score for each possible next
# character, which softmax turns into probabilities.

# %% [markdown]
# ## Nothing but weights
#
# We make the model only to take its weights, in a dictionary from names to tensors. At the start
# all gains are 1 and the biases of norms 0, so a mistake with them would not show. So each number
# is moved a little, at random. Double precision will show that what is left of a difference is
# rounding.

# %%
import torch

from bardgpt.gpt import GPT
from bardgpt.presets import PRESETS

config = PRESETS["full"].model
B, T, C, V = 2, 48, config.n_embd, config.vocab_size
nh, L = config.n_head, config.n_layer

torch.manual_seed(0)
model = GPT(config).double().eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter += 0.02 * torch.randn_like(parameter)
weights = dict(model.state_dict())
print(f"{len(weights)} tensors, {model.n_parameters():,} numbers")

# %% [markdown]
# `eval()` turns off dropout, which is for training alone ([chapter 8](../08-dropout.ipynb)). A
# name such as `blocks.0.attention.qkv.weight` says where its tensor belongs. The next function
# takes what belongs to one part, and drops the front of the names:


# %%
def part(w, name):
    return {
        k.removeprefix(name + "."): w[k] for k in w if k.startswith(name + ".")
    }


for name, tensor in part(weights, "blocks.0").items():
    print(f"{name:26} {tuple(tensor.shape)}")

# %% [markdown]
# So this is a block. `qkv` holds the maps of all heads to queries, keys and values, $3C$ rows in
# one matrix, without a bias. To try it on, any ids will do, in 48 positions of 256:

# %%
ids = torch.randint(V, (B, T))  # (B, T)
print(ids[0, :12].tolist())

# %% [markdown]
# ## From ids to vectors
#
# Each id picks a row of the token embedding, each position a row of the position embedding, and
# the two are added. ([Chapter 1](../01-text-and-yardstick.ipynb) has the first, [chapter
# 2](../02-one-head.ipynb) the second.)


# %%
def embed(ids, w):
    places = torch.arange(ids.shape[1])  # (T,)
    return (
        w["token_embedding.weight"][ids]
        + w["position_embedding.weight"][places]
    )  # (B, T, C)


x = embed(ids, weights)
print(tuple(x.shape))

# %% [markdown]
# ## Normalize
#
# Each position by itself: subtract the mean of its $C$ numbers, divide by their standard
# deviation (with $10^{-5}$ added to the variance, so that it is never 0), then give each channel
# its gain and its bias. ([Chapter 6](../06-layer-normalization.ipynb).)


# %%
def norm(x, w):
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = centred.square().mean(dim=-1, keepdim=True)  # (B, T, 1)
    return centred / (variance + 1e-5).sqrt() * w["weight"] + w["bias"]


first = model.blocks[0]
normed = norm(x, part(weights, "blocks.0.attention_norm"))
torch.testing.assert_close(normed, first.attention_norm(x))
print("the first norm agrees")

# %% [markdown]
# ## Gather from the past
#
# Queries, keys and values for all heads at once. Each head compares its queries with its keys
# (scores, divided by $\sqrt{hs}$, where $hs = C / nh$ is its width), shuts out the future, and
# takes a weighted mean of its values. The heads' outputs stand side by side again, and `proj`
# mixes them. ([Chapter 2](../02-one-head.ipynb) for one head, [chapter
# 3](../03-multi-head-attention.ipynb) for several.)


# %%
def attention(x, w):
    B, T, C = x.shape
    q, k, v = (
        z.view(B, T, nh, C // nh).transpose(1, 2)  # (B, nh, T, hs)
        for z in (x @ w["qkv.weight"].T).split(C, dim=-1)
    )
    scores = q @ k.transpose(-2, -1) / (C // nh) ** 0.5  # (B, nh, T, T)
    future = torch.ones(T, T, dtype=torch.bool).triu(diagonal=1)
    A = scores.masked_fill(future, float("-inf")).softmax(dim=-1)
    y = (A @ v).transpose(1, 2).reshape(B, T, C)  # (B, T, C)
    return y @ w["proj.weight"].T + w["proj.bias"]


gathered = attention(normed, part(weights, "blocks.0.attention"))
torch.testing.assert_close(gathered, first.attention(normed))
print("attention agrees")

# %% [markdown]
# ## Compute on it
#
# Each position by itself again: to $4C$ hidden units, cut off below 0 (that is ReLU), and back to
# $C$ channels. ([Chapter 4](../04-feed-forward.ipynb).)


# %%
def feed_forward(x, w):
    h = (x @ w["hidden.weight"].T + w["hidden.bias"]).clamp(min=0)  # (B, T, 4C)
    return h @ w["proj.weight"].T + w["proj.bias"]  # (B, T, C)


computed = feed_forward(normed, part(weights, "blocks.0.feed_forward"))
torch.testing.assert_close(computed, first.feed_forward(normed))
print("the feed-forward layer agrees")

# %% [markdown]
# ## A block, and six of them
#
# A block is the two lines of the formula. What a part computes is *added* to the stream $x$
# ([chapter 5](../05-residual-connections.ipynb)), and what it reads is normalized first, off the
# stream ([chapter 7](../07-pre-and-post-norm.ipynb)). After the last block comes one more norm,
# and a linear layer makes of each position $V$ scores.


# %%
def block(x, w):
    x = x + attention(norm(x, part(w, "attention_norm")), part(w, "attention"))
    return x + feed_forward(
        norm(x, part(w, "feed_forward_norm")), part(w, "feed_forward")
    )


def gpt(ids, w):
    x = embed(ids, w)
    for layer in range(L):
        x = block(x, part(w, f"blocks.{layer}"))
    return (
        norm(x, part(w, "norm")) @ w["lm_head.weight"].T + w["lm_head.bias"]
    )  # (B, T, V)


print(tuple(gpt(ids, weights).shape))

# %% [markdown]
# That is the whole model. Is it?

# %%
with torch.no_grad():
    by_hand, packaged = gpt(ids, weights), model(ids)
torch.testing.assert_close(by_hand, packaged)
off, largest = (by_hand - packaged).abs().max(), packaged.abs().max()
assert off < 1e-10
print("by hand and by the package, the same scores")
print(f"largest score {largest:.1f}, largest difference below 1e-10")

# %% [markdown]
# ## Where its numbers are
#
# Nearly all of the parameters lie in the matrices of the blocks, and of those two thirds in the
# feed-forward layers.

# %%
places = {
    "token embedding": "token_embedding",
    "position embedding": "position_embedding",
    "attention, 6 blocks": ".attention.",
    "feed-forward, 6 blocks": ".feed_forward.",
    "norms, 2 in each block, 1 after": "norm.",
    "output layer": "lm_head",
}
counted = {
    place: sum(w.numel() for name, w in weights.items() if key in name)
    for place, key in places.items()
}
everything = sum(counted.values())
assert everything == model.n_parameters()
print(f"{everything:,} numbers")

# %% tags=["hide-input"]
from bardgpt.teaching import table

rows = {
    place: [f"{numbers:,}", f"{numbers / everything:.1%}"]
    for place, numbers in (*counted.items(), ("in all", everything))
}
table("where", ["numbers", "share"], rows)

# %% [markdown]
# ## The same in the package
#
# As it stands in `src`, in the order of the data. Two [kernels](fast-attention.ipynb) of PyTorch
# do in one call what we wrote out (`fused` in the config): `F.scaled_dot_product_attention` is
# our scores, mask, softmax and mean of the values, and `F.layer_norm` is our `norm`. With `start`
# and `cache` a model that writes keeps what it has computed, and the `dropout` layers work in
# training alone. (The drawing has none after the embeddings: there preset `full` drops nothing.)

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.attention import CausalSelfAttention
from bardgpt.layers.blocks import PreNormBlock
from bardgpt.layers.feed_forward import FeedForward
from bardgpt.layers.normalization import LayerNorm
from bardgpt.teaching import listing

listing(
    GPT.forward,
    PreNormBlock.forward,
    LayerNorm.forward,
    CausalSelfAttention.forward,
    FeedForward.forward,
)

# %% [markdown]
# How many lines are these, without the explanations in quotes?

# %%
import ast
import inspect
import textwrap


def lines_of_code(function):
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    definition.body = definition.body[1:]  # without its docstring
    return len(ast.unparse(definition).splitlines())


pieces = (GPT, PreNormBlock, LayerNorm, CausalSelfAttention, FeedForward)
lines = sum(lines_of_code(piece.forward) for piece in pieces)
assert lines < 60
print(f"{lines} lines of code")

# %% [markdown]
# ## Try it
#
# **1. Which line?** Say for each change which line of our functions it would touch: one head
# instead of six; post-norm instead of pre-norm; a model that sees the future; a window of 512
# characters.

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# One head: `nh = 1`, and no other line; the weights keep their shapes. Post-norm: the two lines of
# `block`, x = norm(x + f(x)); then `gpt` needs no last norm. The future: leave out `masked_fill` in
# `attention`. 512 characters: no line at all, but a position embedding of 512 rows.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def post_norm_block(x, w):
    x = norm(x + attention(x, part(w, "attention")), part(w, "attention_norm"))
    return norm(
        x + feed_forward(x, part(w, "feed_forward")),
        part(w, "feed_forward_norm"),
    )


rewired = post_norm_block(x, part(weights, "blocks.0"))
off = (rewired - first(x)).abs().max()
assert off > 0.1
print(f"another function of the same weights: up to {off:.1f} apart")

# %% [markdown]
# **2. Leave something out.** The check above is worth little if it cannot fail. Which of the
# functions' operations could you delete so that all shapes still fit, and does the check notice
# each?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Among others: the scale, the mask, a bias, a gain, an addition. Here are three of the weights
# that nobody would miss by shape.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
for name in (
    "blocks.3.attention.proj.bias",
    "blocks.5.attention_norm.bias",
    "norm.bias",
):
    without = {**weights, name: torch.zeros_like(weights[name])}
    with torch.no_grad():
        off = (gpt(ids, without) - packaged).abs().max()
    assert off > 1e-3  # the check asks for a millionth of that
    print(f"without {name}: scores up to {off:.3f} off")

# %% [markdown]
# ## What to remember
#
# - The whole forward pass is two embeddings, six times two branches that add to the stream, a
#   norm and a linear layer.
# - Only one operation moves anything between positions: `A @ v`.
# - Nothing else is in the model: whatever it knows of Shakespeare is in the numbers of `weights`.
