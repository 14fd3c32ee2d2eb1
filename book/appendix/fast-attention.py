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
# # The fast path: kernels and precision
#
# [Chapter 3](../03-multi-head-attention.ipynb) built attention as a list of heads, and [chapter
# 6](../06-layer-normalization.ipynb) wrote layer norm in three lines, for that is how they are
# understood. The full model computes neither in this way: its config says `fused=True`. This page
# goes there in small steps, then on to 16 bits. (Two more pages of the fast path: [the
# cache](cache.ipynb), [several GPUs](several-gpus.ipynb).)
#
# > **Faster must not mean different.** Each step here computes the same function as the one
# > before, up to rounding, and a cell shows it. Then comes what it gains, measured.
#
# **Before you run anything**, rank these three by what they gain in a training step of the full
# model: all heads in one product; attention in one *kernel*, code that does several operations in
# one go; products in 16 bits instead of 32.

# %% [markdown]
# ## How the gains were measured
#
# `make bench` trained the full model on 16 windows of 256 at a time, on one machine. All ways of
# computing a step are timed in turn, so that a busy moment slows all of them. A gain below is the
# median of the turns, with the least and the most in brackets. No GPU was measured, and another
# CPU has other ratios; `make bench` finds yours.

# %%
from bardgpt.records import speeds

found = speeds.load()
print(found.made["machine"])
print(*(f"{name} {n}" for name, n in found.made["versions"].items()), sep=", ")
print(f"device: {found.device}")
print(f"{len(found.steps)} ways to compute a step, {found.turns} turns")
print(f"a step: {found.characters:,} characters", end="")
print(f", {found.flops / 1e9:,.0f} billion operations")

# %% [markdown]
# ## From a list to one product
#
# A list of $nh$ heads makes $3\,nh$ products with $x$, each of them small: $C$ channels in, $hs$
# out. Row $i$ of a linear layer's weight makes channel $i$ of its output. So stack the matrices,
# first those of all queries, then of all keys, then of all values: one product with this matrix
# of $3C$ rows makes all of them.

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("one-product")

# %% [markdown]
# *From a list of heads to one product, drawn for three heads. The heads become a dimension of the
# tensor, and attention runs for all of them at once.*
#
# By hand, with the full model's sizes, but without dropout and the projection at the end:

# %%
from dataclasses import replace

import torch

from bardgpt.layers.attention import MultiHeadAttention
from bardgpt.presets import PRESETS

torch.manual_seed(0)
full = PRESETS["full"].model
config = replace(full, dropout=0.0, projection=False)
B, T, C = 2, 256, config.n_embd
nh, hs = config.n_head, config.head_size
heads = MultiHeadAttention(config)
print(f"{T} positions, {C} channels, {nh} heads of {hs}")

# %%
parts = [
    getattr(head, part).weight
    for part in ("query", "key", "value")
    for head in heads.heads
]
qkv = torch.cat(parts).detach()  # (3C, C)
print(f"{len(parts)} matrices of {tuple(parts[0].shape)}", end="")
print(f" make one of {tuple(qkv.shape)}")

# %%
from bardgpt.layers.attention import attention_weights, causal_mask

x = torch.randn(B, T, C)
q, k, v = (
    z.view(B, T, nh, hs).transpose(1, 2)  # (B, nh, T, hs)
    for z in (x @ qkv.T).split(C, dim=-1)  # each (B, T, C)
)
y = attention_weights(q, k, causal_mask(T)) @ v  # (B, nh, T, hs)
y = y.transpose(1, 2).reshape(B, T, C)  # (B, T, C)

torch.testing.assert_close(y, heads(x))
print(f"one product instead of {len(parts)}: the same, up to rounding")

# %% [markdown]
# "Up to rounding" can be tested. A sum in another order is rounded differently, in the seventh
# digit with 32 bits and in the sixteenth with 64; a mistake would stay the same size. So compare
# in both, with the package's class, whose `from_heads` stacks the matrices as we did: outputs,
# and gradients of a randomly weighted sum of them.

# %%
from bardgpt.layers.attention import CausalSelfAttention


def results(layer, matrices, x, weigh):
    y = layer(x)
    of_x, *of_matrices = torch.autograd.grad((y * weigh).sum(), [x, *matrices])
    return [y, of_x, torch.cat(of_matrices)]


# %%
for dtype, most in ((torch.float32, 1e-5), (torch.float64, 1e-13)):
    one = CausalSelfAttention.from_heads(heads, config).to(dtype)
    x = x.detach().to(dtype).requires_grad_()
    weigh = torch.randn(B, T, C, dtype=dtype)
    listed = results(heads.to(dtype), parts, x, weigh)
    stacked = results(one, [one.qkv.weight], x, weigh)
    for a, b in zip(listed, stacked, strict=True):
        assert (a - b).abs().max() < most * a.abs().max()
    print(f"{dtype}: output and both gradients agree within {most:g}")

# %% [markdown]
# Why should it be faster, if it multiplies as much? Each product has to be started, reads $x$
# again, and may leave arithmetic idle if its result is narrow.

# %% [markdown]
# ## One kernel for attention
#
# So far the weights of attention exist: for each text and head a matrix of $T \times T$ numbers,
# written to memory, read again for the mask, the softmax and the product with the values, and
# kept for the backward pass.
#
# It need not exist. A row of the softmax, times the values, is a weighted mean, and that can be
# taken piece by piece: go through the keys in blocks, and keep for each query the sum of
# $e^\text{score}$ and the sum of $e^\text{score} v$ so far. Divide at the end. Against overflow,
# softmax first subtracts the row's largest score, which is not known before the end. So subtract
# the largest *so far*, $m$ (`m`); whenever a larger one comes, $m'$ (`m_new`), multiply both sums
# by $e^{m-m'}$ (`scale`).
#
# Take the scores 1, 2, then 3. After 1 and 2, $m$ is 2, and the first sum $1/e + 1$. Then comes 3:
# the sum times $e^{2-3} = 1/e$, and the new score adds $e^0 = 1$. So it is $1/e^2 + 1/e + 1$: as
# with 3 subtracted from the beginning.


# %%
def streamed(q, k, v, size):
    T, hs = q.shape[-2:]
    m = torch.full_like(q[..., :1], float("-inf"))  # (B, nh, T, 1)
    total, y = torch.zeros_like(m), torch.zeros_like(v)
    for start in range(0, T, size):
        seen = slice(start, start + size)
        scores = q @ k[..., seen, :].mT * hs**-0.5  # (B, nh, T, size)
        future = ~causal_mask(T)[:, seen]
        scores = scores.masked_fill(future, float("-inf"))
        m_new = torch.maximum(m, scores.amax(dim=-1, keepdim=True))
        e, scale = (scores - m_new).exp(), (m - m_new).exp()
        m, total = m_new, scale * total + e.sum(dim=-1, keepdim=True)
        y = scale * y + e @ v[..., seen, :]  # (B, nh, T, hs)
    return y / total


# %%
written_out = attention_weights(q, k, causal_mask(T)) @ v
torch.testing.assert_close(streamed(q, k, v, 32), written_out)
print("in blocks of 32 keys: the same as with the whole matrix")

# %% [markdown]
# In 64 bits, with other blocks, and with PyTorch's own kernel:

# %%
import torch.nn.functional as F

q, k, v = (z.double() for z in (q, k, v))
written_out = attention_weights(q, k, causal_mask(T)) @ v
for size in (1, 100, 256):
    torch.testing.assert_close(streamed(q, k, v, size), written_out)
by_kernel = F.scaled_dot_product_attention(q, k, v, is_causal=True)
torch.testing.assert_close(by_kernel, written_out)
print("in blocks of 1, 100 or 256 keys, and by PyTorch's kernel: the same")

# %% [markdown]
# This is [FlashAttention](../references.md#dao-2022); [others](../references.md#milakov-2018) had
# found the running sum before. PyTorch's kernel for it is `scaled_dot_product_attention`:
#
# - It is *exact*. Forward it can skip blocks that lie wholly in the future; backward it
#   multiplies more, because it computes the weights again instead of keeping them.
# - It saves *memory traffic*. On GPUs, for which the paper was written, a block of scores stays
#   in the small fast memory beside the arithmetic; on a CPU, in the caches.
# - It saves *memory*: what is kept for the backward pass grows with $T$ instead of $T^2$. For one
#   text and six heads, count each tensor that PyTorch hands to `keep`:


# %%
def kept(attention, T):
    """MiB kept for the backward pass of one text, q, k and v among it."""
    sizes = {}

    def keep(z):
        storage = z.untyped_storage()
        sizes[storage.data_ptr()] = storage.nbytes()
        return z

    q, k, v = (torch.randn(1, nh, T, hs, requires_grad=True) for _ in range(3))
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda z: z):
        attention(q, k, v)
    return sum(sizes.values()) / 2**20


print(f"q, k and v alone: {3 * nh * T * hs * 4 / 2**20:.1f} MiB")


# %%
from functools import partial

from bardgpt.teaching import table


def by_hand(q, k, v):
    return attention_weights(q, k, causal_mask(q.shape[2])) @ v


kernel = partial(F.scaled_dot_product_attention, is_causal=True)
dropping = partial(kernel, dropout_p=0.2)
ways = {"written out": by_hand, "kernel": kernel, "kernel, dropout": dropping}
rows = {
    name: [f"{kept(way, T):.1f}" for T in (256, 512, 1024)]
    for name, way in ways.items()
}
table("MiB kept", ["T = 256", "T = 512", "T = 1024"], rows)

# %% [markdown]
# *Kept, by length of the window.*
#
# The kernel keeps q, k, v, what comes out, and one number for each query: twice the window, twice
# the memory. Written out, the weights are kept as well, and those grow fourfold.
#
# With dropout on the attention weights the memory is back, and more than doubled: on a CPU the
# kernel knows no dropout, and silently the softmax is written out after all. (To be told, call it
# under `with torch.nn.attention.sdpa_kernel(SDPBackend.FLASH_ATTENTION)`: then it is an error. On
# NVIDIA GPUs the kernel draws its masks itself.) Chapter 9's preset `full` has this dropout;
# `sprint` drops everywhere else.

# %% [markdown]
# ## One kernel for layer norm
#
# The third step: chapter 6's mean, variance and scaling in one pass over memory. Its three lines
# also leave behind, for the backward pass, tensors as large as $x$ at each of the 13 norms.

# %%
from bardgpt.layers.normalization import LayerNorm

plain, fused = LayerNorm(C), LayerNorm(C, fused=True)
for parameter in plain.parameters():
    torch.nn.init.normal_(parameter)
fused.load_state_dict(plain.state_dict())
x = torch.randn(B, T, C)
torch.testing.assert_close(fused(x), plain(x))
print("layer norm in one kernel: the same")

# %% [markdown]
# ## What the three steps gain
#
# In a training step of the whole model ("all kernels" adds that of layer norm):

# %% tags=["hide-input"]
from itertools import pairwise

paths = ("list of heads", "one product", "attention kernel", "all kernels")
rows = {}
for before, after in (*pairwise(paths), (paths[0], paths[-1])):
    times = found.times(f"{after}, float32", than=f"{before}, float32")
    rows[f"{after}, over {before}"] = [f"{times}"]
assert times.least > 1  # all three steps together
table("float32", ["times as fast"], rows)

# %% [markdown]
# *The last row is all three steps together, not the product of the others: medians do not
# multiply.*
#
# One product gained an eighth at the median, but the turns lie on both sides of 1. The attention
# kernel gained in every turn, though scores, weights and values take only a tenth of the
# multiplications (exercise 3): it also spares passes over the $T \times T$ matrices, for scale,
# mask and softmax.

# %% [markdown]
# ## Sixteen bits
#
# The next step does change the numbers. A number in 16 bits takes half the memory, and hardware with
# instructions for it multiplies it faster. There are two formats:

# %%
names = ["float32", "bfloat16", "float16"]
rows = {}
for name in names:
    of = torch.finfo(getattr(torch, name))
    rows[name] = [f"{number:.1e}" for number in (of.max, of.tiny, of.eps)]
table("format", ["largest", "least with all digits", "after 1 comes 1 +"], rows)

# %% [markdown]
# *Range and step of the formats.*

# %%
rows = {}
for number in (70_000.0, 1.001, 1e-8):
    stored = [torch.tensor(number).to(getattr(torch, name)) for name in names]
    rows[f"{number:g}"] = [f"{one.item():g}" for one in stored]
table("number", [f"in {name}" for name in names], rows)

# %% [markdown]
# *Three numbers, as stored.*
#
# `bfloat16` is a `float32` cut in half: the same range, but only two to three digits. `float16`
# has three to four, and a narrow range: below $6 \cdot 10^{-5}$ it loses digit after digit.
#
# In `bfloat16` a step that changes a weight of 1 by a thousandth would be lost. So the precision
# is *mixed* ([Micikevicius and others](../references.md#micikevicius-2018)): weights, their
# gradients and the optimizer stay in 32 bits; only products are computed from 16-bit copies.
# PyTorch's `autocast` decides it operation by operation.

# %%
from bardgpt.gpt import GPT, next_character_loss
from bardgpt.training.devices import autocast

model = GPT(replace(full, dropout=0.0))
windows, targets = torch.randint(
    full.vocab_size, (2, 2, T)
).unbind()  # each (B, T)
with autocast("cpu", "bfloat16"):
    logits = model(windows)
    loss = next_character_loss(logits, targets)
loss.backward()
weight = model.blocks[0].attention.qkv.weight
print(f"logits {logits.dtype}, loss {loss.dtype}")
print(f"a weight {weight.dtype}, its gradient {weight.grad.dtype}")

# %% [markdown]
# Still the same up to rounding, but each product is now off by a few thousandths of its size, and
# that adds up through six blocks. How far off are the logits, and the loss, a mean over many?

# %%
with torch.no_grad():
    exact = model(windows)
    off = (
        (logits.float() - exact).square().mean() / exact.square().mean()
    ).sqrt()
    change = (loss - next_character_loss(exact, targets)).abs()
assert 0.001 < off < 0.02
assert change < 0.01
print(f"logits off, as a share of their size\n  your run: {off:.4f}")
print("  expected: 0.001 to 0.02")
print(f"loss off, in nats\n  your run: {change:.5f}")
print("  expected: less than 0.01")

# %% [markdown]
# That the model also *trains* as well in `bfloat16` does not follow. The run of [chapter
# 9](../09-scaling-up.ipynb) was made in it; the book has no twin in 32 bits.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: older GPUs, like the T4 that Colab gives away</summary>
#
# These are fast in `float16` only. Its trouble is small numbers, and gradients are small: the
# smallest would become 0 (exercise 2). The remedy: multiply the *loss* by a large number before the
# backward pass, and divide the gradients by it, in 32 bits, before the step. By the chain rule
# nothing else changes. PyTorch's `GradScaler` begins at 65,536. When a gradient overflows, it
# leaves out the step and halves the number; after 2,000 good steps it
# doubles it. `bfloat16` needs none of this.
#
# </details>

# %% [markdown]
# ## Fusion and precision, apart
#
# By now *fusion* (from the list to all kernels) and precision have changed. In each row below one
# thing changes, the one before the comma. Two are new. On a CPU, in 16 bits, and for windows of up
# to 512, the package trains with *whole matrices*: it writes the softmax out, in place of the
# attention kernel. That takes more memory, but less time. (Why was not measured; the kernel has to
# compute the weights again on the way back.) And dropout *at ends*, of the branches, spares the
# attention weights; else it is everywhere.

# %% tags=["hide-input"]
heads_32, heads_16 = "list of heads, float32", "list of heads, bfloat16"
kernels_32, kernels_16 = "all kernels, float32", "all kernels, bfloat16"
whole = "whole matrices, bfloat16"
rows = {}
for change, after, before in (
    ("fusion, in 32 bits", kernels_32, heads_32),
    ("fusion, in 16 bits", kernels_16, heads_16),
    ("16 bits, for the list", heads_16, heads_32),
    ("16 bits, for all kernels", kernels_16, kernels_32),
    ("whole matrices, in 16 bits", whole, kernels_16),
):
    dropped = found.times(f"{after}, dropout", than=f"{before}, dropout")
    without = found.times(after, than=before)
    rows[change] = [f"{without}", f"{dropped}"]

# %% tags=["hide-input"]
at_ends = found.times(f"{whole}, dropout at ends", than=f"{whole}, dropout")
assert dropped.least > 1.3  # whole matrices, with dropout
assert at_ends.least > 1
rows["dropout at ends, whole matrices"] = ["", f"{at_ends}"]
table("change", ["without dropout", "with dropout"], rows)

# %% [markdown]
# *How many times as fast. Whole matrices are compared with all kernels, dropout at ends with
# dropout everywhere.*

# %% tags=["hide-input"] mystnb={"image": {"alt": "A row of marks for each of fourteen ways to compute a training step, placed by how many times as fast as the list of heads in float32 it is. The squares of float32 without dropout lie between 1 and 1.2. The filled circles of bfloat16 lie to the right, from 1.7 for the list to 2.15 for whole matrices. Hollow marks, with dropout: squares near 0.8, circles from 1.4 to 1.9, and farthest to the right, at 2.2, whole matrices with dropout at the ends only."}}
base = "list of heads, float32"
times = {case: found.times(case, than=base) for case in found.steps}
figures.step_speeds(times, found.precisions, than=base)

# %% [markdown]
# *All ways, each relative to the list of heads in 32 bits without dropout: median, least and most.
# Squares: 32 bits, circles: 16 bits; hollow: with dropout.*
#
# So of the three at the beginning 16 bits gain most: a step is more than one and a half times as
# fast. Of the other two the turns do not show which comes second. All fusion together makes a step
# a fifth faster in 32 bits, and less in 16. With dropout on the attention weights it gains nothing
# in 32 bits, for then the kernel writes the softmax out, too; in 16 bits a step is even a tenth
# slower. There whole matrices help: they are more than a third faster than the kernels. With
# dropout at the ends alone they are an eighth faster still.
#
# How much more could there be? No step can be faster than its products. So the machine multiplied
# large matrices, in the same turns; the best that it reached counts as the peak. (The share counts
# products with the future, though the kernel skips them.)

# %%
faster = found.peak["bfloat16"] / found.peak["float32"]
print(f"products alone: 16 bits {faster:.1f} times as fast")

# %% tags=["hide-input"]
rows = {}
for case in found.steps:
    speed, share = found.per_second(case), found.share_of_peak(case)
    memory = found.bytes[case] / 2**20
    rows[case] = [
        f"{speed.median:,.0f}",
        f"{share.median:.0%}",
        f"{memory:,.0f}",
    ]
table("step", ["per second", "of the peak", "MiB"], rows)

# %% [markdown]
# *Characters per second, the share of the peak of the same precision, and the memory that a step
# takes beyond weights and text.*
#
# In 32 bits all kernels together run at more than four fifths of the peak: little is left to gain
# on this machine. In 16 bits whole matrices come to about two thirds of a peak that is more than
# twice as high.
#
# The kernels nearly halve the memory in 32 bits, and more than halve it in 16; with both it is
# little more than a third. On a GPU that decides how many windows fit into a batch. Whole matrices
# need a quarter more than the kernels. Dropout on the attention weights takes most of the kernels'
# saving back; whole matrices then need a third less than the kernels.

# %% [markdown]
# ## What broke when we changed it
#
# **Leave out the transpose.** Take `view(B, nh, T, hs)` in place of `view(B, T, nh, hs)` and
# `transpose(1, 2)`: every shape is right, and no error is raised. But a row of $C$ numbers is now
# taken for six positions of one head: head 1 gets the first sixth of the text, head 2 the second.
# Change the first character, then the last, and see whose output moves:


# %%
def without_transpose(x):
    q, k, v = (z.reshape(B, nh, T, hs) for z in (x @ qkv.T).split(C, dim=-1))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return y.reshape(B, T, C)


# %%
x = torch.randn(B, T, C)
# `one` is the package's class with the stacked matrices, from above
layers = {"right": one.float(), "without the transpose": without_transpose}
for name, layer in layers.items():
    for place in (0, T - 1):
        changed = x.clone()
        changed[:, place] += 1
        moved = (layer(changed) - layer(x)).abs().amax(dim=(0, 2))  # (T,)
        n = (moved > 1e-4).sum()
        print(f"{name}: change position {place}, and {n} outputs move")

# %% [markdown]
# [Chapter 2](../02-one-head.ipynb)'s test of causality still passes, though each head sees only about a
# sixth of the text. The comparison with the list of heads notices at once: that is what the slow version
# is for. (`make break FAULT=heads-cut-across-time`.)

# %% [markdown]
# ## Exercises
#
# **1. Without the largest score.** Softmax does not change if all scores of a row are shifted. So
# leave `m` out of `streamed`, and take the plain sums of $e^\text{score}$. Where does it
# break?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# In 32 bits e^89 is infinite. Scores of our random weights are nowhere near; scores of 100 are
# enough for inf / inf.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
for size in (1.0, 100.0):
    scores = torch.tensor([0.0, 0.5, 1.0]) * size
    naive = scores.exp() / scores.exp().sum()
    off = (naive - scores.softmax(dim=0)).abs().max()
    print(f"scores up to {size:3.0f}: off by {off:.3f}")

# %% [markdown]
# **2. Without the scale.** The loss is a mean over a batch, so the gradient of a logit is the
# probability of its character (minus 1, if that one came), divided by the batch's characters.
# What does `float16` make of it?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Digits get lost from p = 0.01 on, and a character that the model believes to be very unlikely
# gives no gradient at all. With the loss times 65,536 all is well.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
characters = 64 * 256  # in a batch of preset "full"
p = torch.tensor([0.1, 0.01, 0.001, 0.0001])  # of a character that did not come
gradient = p / characters
plain = gradient.half()
scaled = (gradient * 65_536).half().float() / 65_536
for row in zip(p, gradient, plain, scaled, strict=True):
    print(
        "p = {:.4f}: gradient {:.1e}, in float16 {:.1e}, scaled {:.1e}".format(
            *row
        )
    )

# %% [markdown]
# **3. What can a kernel gain?** Of the multiplications of a forward pass for one character, how
# many are queries with keys and weights with values? At which window would these be half?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# In each block 4 C^2 for attention's matrices, 8 C^2 in the feed-forward layer, and C V at the end.
# A query meets T keys of C channels, and the weights T values: 2 T C in each block, a tenth. If it
# cost nothing, a step would be 1.11 times as fast. It is half at about six times the width.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
L, V = full.n_layer, full.vocab_size
matrices, attention = L * 12 * C**2 + C * V, L * 2 * full.block_size * C
both = matrices + attention
print(f"matrices {matrices:,}, attention itself {attention:,}", end="")
print(f": a share of {attention / both:.1%}")
assert 3 * 2 * both * found.characters == found.flops
print("times 3 for both ways, times 2 for additions: what PyTorch counted")
even = matrices / (L * 2 * C)
print(f"half at T = {even:,.0f}; six times the width is {6 * C:,}")

# %% [markdown]
# ## What to remember
#
# - One product for all heads, one kernel for attention, one for layer norm: the same function up
#   to rounding. Without dropout a step on our CPU is about a fifth faster, and takes little
#   more than half the memory.
# - A softmax can be taken piece by piece, so the $T \times T$ weights need not exist; with
#   dropout on them, on a CPU, they do.
# - 16 bits for products, 32 for weights: the largest gain. On our CPU whole matrices are then
#   faster than the kernel, most of all with dropout on the weights.
