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
# # 5 · Residual connections
#
# [Chapter 4](04-feed-forward.ipynb) closed the block: attention gathers, the feed-forward layer
# computes on what was gathered. The [lecture](references.md#ng-video-lecture) says that this block
# "gets repeated again and again". This chapter first shows how that goes, and then mends it with
# `x +`:
#
# > **A residual connection adds what a layer computes to what came in, instead of replacing it.**
# > Addition hands the gradient on unchanged, so a part of it reaches every block exactly as it
# > left the last, however many lie between.
#
# After this chapter you can
#
# - say what an addition does to a number on its way forward and to a gradient on its way back;
# - show where sixteen plain blocks lose the text, and the gradient;
# - say with which initializations the added parts are small at first, and with which they are not.
#
# **Make a guess before you read on.** Take the block of chapter 4 and stack three of them. Will the
# model be better, as good, or worse than with one? And with sixteen?

# %% [markdown]
# ## The problem: a plain stack
#
# *Claim res-4, first half, of the [claims page](claims.md).*
#
# From now on both parts of the block are as in the lecture's final program. The feed-forward
# layer has its second matrix, `proj`, from $4C = 128$ hidden units back to $C = 32$ channels.
# Attention gets a `proj` too, a $32 \times 32$ matrix after the concatenation of its heads. We
# shall need both in order to add.

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("rung-plain-blocks")

# %% [markdown]
# *The block as it is from now on, three times. In colour: what is new against the rung of chapter
# 4. Its layer was one matrix, 32 → 32.*
#
# First such a *plain* stack, in which each part's output replaces its input. Five seeds of 5,000
# steps, beside chapter 4's one block with the two-layer feed-forward (its attention has no `proj`):

# %%
from bardgpt import records
from bardgpt.gpt import GPT
from bardgpt.lab.ladder import RUNGS

one_block = records.load("feed-forward-two-layer")
plain = records.load("plain-blocks")
lead = records.gain(plain, one_block)
print(f"one block is ahead, seed by seed, by {lead}")
assert lead.mean > 4 * lead.sd / lead.n**0.5  # four standard errors

# %% tags=["hide-input"]
from bardgpt import teaching

rows = {}
for record in (one_block, plain):
    blocks, size = record.model.n_layer, GPT(record.model).n_parameters()
    bands = (record.band(1_000), record.band(), record.band_on_training_text())
    rows[f"{blocks}"] = [f"{size:,}", *(band.short for band in bands)]
columns = ["parameters", "1,000 steps", "5,000 steps", "on training text"]
teaching.table("plain blocks", columns, rows)

# %% [markdown]
# *Validation loss, and at the right the loss on the training text after 5,000 steps; five seeds.*
#
# Three blocks, with more than twice the parameters, end 0.122 nats *behind* one block, with every
# seed, and on the training text too. So it is not overfitting (learning the text by heart), and
# hardly a lack of room: the training goes badly. (Attention's `proj` is new too. "How deep can you
# go?" has it at every depth, and there, too, more plain blocks do worse.)
#
# Why? Stack sixteen, and look inside before the first step, with 256 windows of text. For that
# PyTorch has *hooks*: functions that it calls after a part of a model, with what that part read and
# gave. Ours keeps what each block reads, and what the output layer reads: what the last block gave.

# %%
from dataclasses import replace

import torch

from bardgpt.batches import evaluation_windows
from bardgpt.shakespeare import shakespeare

tokenizer, train, validation = shakespeare()
windows, targets = next(evaluation_windows(validation, 8, batch_size=256))
torch.manual_seed(0)
deep_plain = GPT(replace(RUNGS["plain-blocks"].config, n_layer=16))

# %%
passed = []  # before the first block, and after each


def keep(part, read, gave):
    passed.append(read[0])  # read is a tuple of the inputs; x is its only one


parts = [*deep_plain.blocks, deep_plain.lm_head]
hooks = [part.register_forward_hook(keep) for part in parts]
logits = deep_plain(windows)
for hook in hooks:
    hook.remove()  # switches it off
print(f"{len(passed)} tensors of {tuple(passed[0].shape)}")

# %% [markdown]
# A tensor's size is from here on its *RMS*, the root of the mean square of its numbers. Do the
# 32 numbers still depend on the text? Take their mean over all positions of all texts, and subtract
# it. If nothing remains, every position has the same 32 numbers, whatever the text. So we print what
# remains, divided by the whole.


# %%
def rms(x: torch.Tensor) -> float:
    return x.square().mean().sqrt().item()


for blocks in (0, 1, 2, 3, 16):
    x = passed[blocks]  # (B, T, C)
    share = rms(x - x.mean(dim=(0, 1))) / rms(x)
    print(f"after {blocks:2} blocks, varies between positions: {share:.2f}")

# %% [markdown]
# After three blocks next to nothing is left. The gradient fares no better on its way back. Here is
# its RMS in powers of ten, from the last block's output to the first block's input. (We sum the loss
# over 2,048 positions; the mean, in training, is smaller still.)

# %%
import math

from bardgpt.gpt import next_character_loss

loss = next_character_loss(logits, targets) * targets.numel()
gradients = torch.autograd.grad(loss, passed)
for block in (16, 12, 8, 4, 0):
    size = math.log10(rms(gradients[block]))
    print(f"after {block:2} blocks: 10^{size:.0f}")

# %% [markdown]
# Each block shrinks the gradient about thirteenfold, sixteen of them by eighteen powers of ten.
# Why so much? PyTorch's default initialization draws weights uniformly between $\pm 1/\sqrt n$, for
# $n$ inputs of a layer. Such a weight has the variance $1/(3n)$ (uniform between $\pm a$: $a^2/3$).
# An output is a sum of $n$ products, so its mean square is $n \cdot 1/(3n) = 1/3$ of the input's, and
# its RMS $1/\sqrt 3$. A block has four such layers in a row (attention's values and its `proj`, and
# two in the feed-forward). They leave $(1/\sqrt 3)^4 = 1/9$ of the RMS. (Attention's averaging we
# leave aside.)
#
# Backwards it is 1/9 again. The ReLU stops half of the gradient, which costs another factor of
# $\sqrt 2$, and $9 \sqrt 2$ is 12.7: thirteenfold. Forward the text's variation shrinks likewise;
# the biases, the same at all positions, remain. (At first the share above falls more slowly: the
# whole shrinks too.)

# %% [markdown]
# <details class="fold aside"><summary>For the curious: why 1/9 backwards, too?</summary>
#
# Backwards the sum is over the $m$ outputs, so the mean square is multiplied by $m/(3n)$. In a
# square matrix that is 1/3, as before. From 32 to 128 it is 4/3, from 128 to 32 it is 1/12:
# together 1/9, as for two square ones. So all four make 1/81, in the RMS 1/9.
#
# </details>

# %% [markdown]
# Three blocks lose the text as well, but far less of the gradient. AdamW, which divides a gradient
# by its usual size, can make up for that (not for what sixteen lose: see the next fold), and they
# do learn, but late. (Why they stay behind we have not tested.)

# %% [markdown]
# <details class="fold aside"><summary>For the curious: does AdamW not repair this?</summary>
#
# AdamW divides each gradient by its own usual size. But to that size it adds $10^{-8}$, and a
# gradient that is far smaller moves nothing. (Exercise 4 watches the first block stand still.) What
# it divides are the gradients of the weights, from the mean loss. The numbers above are gradients
# of what the blocks pass on, from the sum. So they are only a rough guide to what AdamW meets.
#
# The gradient of three plain blocks loses only three to four powers of ten, and that AdamW's division can
# repair. It fits the record: far behind after 1,000 steps, and then they do learn.
#
# </details>

# %% [markdown]
# ## Add, don't replace
#
# *Claim res-1.*
#
# The remedy came from image recognition. There [He and others](references.md#he-2015) met the same
# riddle in 2015: a plain convolutional network of 56 layers had a higher error than one of 20, even
# *on the training images*. Yet the deeper could do as well: 36 layers need only pass on their
# input. Their way out: let each layer compute only the *residual*, what should be added to its
# input:
#
# $$x \leftarrow x + f(x).$$
#
# To pass its input on, a plain layer has to learn the identity; this one only to give 0.
#
# We call the $x$ that runs through the whole model, and is only ever added to, the *stream*, and
# each $f$ a *branch*. A block has two branches, attention and feed-forward. In the words of the
# lecture: "You are free to fork off from the residual pathway, perform some computation, and then
# project back to the residual pathway via addition."

# %% tags=["hide-input"]
figures.diagram("residual-stream")

# %% [markdown]
# *Two blocks on their stream, the first above. Forward: a branch reads the stream, and its result
# is added. Backward, all arrows turned round: where forward added, the gradient goes on along the
# stream and is copied into the branch; where a branch had read, the gradient that comes out of it
# is added.*
#
# Why the projections? One can only add what has the same shape, so 128 hidden units must come back
# to 32 channels; and a layer that ended in the ReLU could raise numbers in the stream, but never
# lower one. Attention's result has 32 channels already; but head 1 would add to channels 0 to 7
# only, and `proj` lets each head write anywhere.

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.blocks import PlainBlock, ResidualBlock
from bardgpt.teaching import listing

listing(PlainBlock, ResidualBlock)

# %% [markdown]
# By hand:

# %%
torch.manual_seed(0)
model = GPT(RUNGS["residual"].config)
block = model.blocks[0]
x = torch.randn(2, 8, 32)  # (B, T, C)

y = x + block.attention(x)
z = y + block.feed_forward(y)
assert torch.equal(z, block(x))
gap = (z - block(x)).abs().max().item()
print("x + f(x), twice, differs from the block by", gap)

# %% [markdown]
# Nothing is ever overwritten, so what leaves the last block is what entered the first, plus what
# each of the $2 L$ branches gave ($L$ blocks, with two each):
#
# $$\begin{aligned}x_\text{out} = x_\text{in} &+ f_1 + f_2 \\ &+ \dots + f_{2L}\end{aligned}$$
#
# The package has our hooks as a probe: its `at` is our `passed`, its `branches` are what was added.

# %%
from bardgpt.lab import probes

with probes.recorded_stream(model) as stream:
    logits = model(windows)
total = stream.at[0] + sum(stream.branches)
torch.testing.assert_close(total, stream.at[-1])
torch.testing.assert_close(model.lm_head(total), logits)
n = len(stream.branches)
print(f"embeddings + {n} branches = what the logits are made of")

# %% [markdown]
# Now a character's own embedding reaches the logits without any head looking at it.

# %% [markdown]
# ## What an addition does to a gradient
#
# *Claim res-2.*
#
# Let $c = a + b$. Move $a$ by a little, and $c$ moves by as much, whatever $a$ and $b$ are; the
# same for $b$. So $\partial c / \partial a = \partial c / \partial b = 1$, and what the loss asks
# of $c$ it asks of $a$ and of $b$.
#
# The lecture says that addition distributes gradients "equally to both of its branches". Equally
# does not mean half to each: each gets the *whole* gradient.

# %%
a, b = (torch.randn(2, 8, 32, requires_grad=True) for _ in range(2))
handed_in = torch.randn(2, 8, 32)  # as if from a loss
(a + b).backward(handed_in)
for name, part in (("a", a), ("b", b)):
    assert torch.equal(part.grad, handed_in)
    share = part.grad.norm() / handed_in.norm()
    print(f"{name} gets {share:.0%} of the gradient")

# %% [markdown]
# ## The gradient superhighway
#
# *Claim res-3.*
#
# From this the lecture concludes that there is a "gradient superhighway that goes directly from
# the supervision all the way to the input unimpeded". Call $g$ the gradient at the output of an
# addition, and $J$ the branch's Jacobian, the matrix $\partial f / \partial x$ of its derivatives. A
# plain layer gives its input $J^\top g$: input $j$ moves each output $i$ by $J_{ij}$ times as much,
# so it gets $\sum_i J_{ij}\, g_i$. All that comes back has been through the layer. The derivative of
# $x + f(x)$ is
#
# $$\frac{\partial\,(x + f(x))}{\partial x} = I + J$$
#
# ($I$ is the identity matrix), and its input gets $g + J^\top g$: the first term is $g$ itself,
# untouched; the branch adds its own. Repeat over all $2L$ branches, and the forward sum has its
# mirror image: the gradient at the first block's input is the one at the last block's output,
# plus one contribution $J^\top g$ of each branch, with its own $J$ and the $g$ that had come so
# far. (`stream.beside` is the list of what each branch reads. `torch.autograd.grad(f, x, g)` takes
# outputs, inputs and the gradient at the outputs, and gives $J^\top g$.)

# %%
with probes.recorded_stream(model) as stream:
    loss = next_character_loss(model(windows), targets)
at_branches = torch.autograd.grad(loss, stream.branches, retain_graph=True)
ends = [stream.at[0], stream.at[-1]]
first, last = torch.autograd.grad(loss, ends, retain_graph=True)
total = last.clone()
for f, x, g in zip(stream.branches, stream.beside, at_branches, strict=True):
    total += torch.autograd.grad(f, x, g, retain_graph=True)[0]  # J^T g
torch.testing.assert_close(total, first)
n = len(at_branches)
print(f"gradient at the first input = at the last output + {n} contributions")

# %% [markdown]
# So measure sixteen blocks again, with `x +`. (`stream_statistics` gives the RMS at each depth, by
# the same hooks.) Is the gradient larger at their first block than after their last, where the
# records have 0.114?

# %%
from bardgpt.teaching import checks

by_hand = [rms(g) for g in gradients]
by_probe = probes.stream_statistics(deep_plain, windows, targets)["gradient"]
torch.testing.assert_close(by_probe, by_hand, atol=0, rtol=0.001)

torch.manual_seed(0)
deep = GPT(replace(RUNGS["residual"].config, n_layer=16))
with_plus = probes.stream_statistics(deep, windows, targets)["gradient"]
recorded = records.at_start("small-residual-default", "gradient")
checks.measured(
    "gradient before the first of 16 residual blocks",
    with_plus[0],
    recorded[0],
    above=recorded[-1].mean,
    unit="RMS",
)

# %% [markdown]
# About 0.7 arrives, where the plain stack had $10^{-19}$. How a gradient grows on its way depends
# on how the weights begin. This book has five *initializations*; the next figure has the first
# three. ($n$ inputs, $m$ outputs; $\mathcal N(0, 1)$ is the normal distribution with mean 0 and
# standard deviation 1.)
#
# | name | each branch's `proj` | other weights | embeddings |
# |---|---|---|---|
# | `default`, PyTorch's | as the others | uniform, $\pm 1/\sqrt n$ | $\mathcal N(0, 1)$ |
# | `zero` | 0, its bias too | as `default` | as `default` |
# | `xavier`, [Xavier's](references.md#glorot-2010) | as the others | uniform, $\pm \sqrt{6/(n+m)}$; biases 0 | as `default` |
# | `normal`, the lecture's | as the others | $\mathcal N(0, 0.02^2)$; biases 0 | $\mathcal N(0, 0.02^2)$ |
# | `depth-scaled`, [GPT-2](references.md#radford-2019)'s | divided by $\sqrt{2 L}$ | as `normal` | as `normal` |
#
# *How weights are drawn before training. Our ladder has `default`.*

# %% [markdown]
# <details class="fold aside"><summary>For the curious: what are xavier and depth-scaled for?</summary>
#
# `xavier` is meant to keep numbers about as large after a layer as before it, forward and back. In
# a square matrix its weights are $\sqrt 3$ times those of `default`. GPT-2 divides by $\sqrt{2 L}$
# because $2 L$ branches add up. The variances of independent numbers add, so the sum of $2 L$ such
# numbers of mean 0 and size 1 has the variance $2 L$ and the size $\sqrt{2 L}$. Divided by
# $\sqrt{2 L}$, they add up to about the size 1, however many they are. GPT-2 divides only `proj`,
# the last matrix before the addition: that makes the whole branch smaller, and only once. Here is
# how the stream grows without (`normal`) and with this division, before training, at full size
# (chapter 9: six blocks of 384 channels).
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
for start in ("normal", "depth-scaled"):
    full = records.at_start(f"full-residual-{start}", "stream")
    growth = full[-1].mean / full[0].mean
    print(f"{start:12} stream, after all blocks over before: {growth:.2f}")

# %%
lines = {
    "residual, Xavier": ("residual", "xavier"),
    "residual, default": ("residual", "default"),
    "residual, projections zero": ("residual", "zero"),
    "plain, Xavier": ("plain", "xavier"),
    "plain, default": ("plain", "default"),
}
variants = {name: "small-{}-{}".format(*line) for name, line in lines.items()}
for name, variant in variants.items():
    g = [band.mean for band in records.at_start(variant, "gradient")]
    print(f"{name:27} gradient at the first over last: {g[0] / g[-1]:.2g}")

# %% tags=["hide-input"] mystnb={"image": {"alt": "Size of the loss gradient before training against the number of blocks passed, from 0 to 16, on a logarithmic scale, five seeds each. Residual blocks, circles: with Xavier's initialization up by some six powers of ten towards the first block, with seeds apart; with the default nearly level, a few times larger at the first block; with zeroed projections exactly level. Plain blocks, squares: with Xavier's initialization down by four powers of ten towards the first block; with the default a straight line down to below ten to the minus eighteen."}}
gradients = {
    name: records.runs_at_start(variant, "gradient")
    for name, variant in variants.items()
}
figures.gradients_by_depth(gradients, lines)

# %% [markdown]
# *RMS of the gradient of the loss at the input of each of 16 blocks (right end: the output of the
# last), before training; five seeds each. Circles: residual, squares: plain. A gradient travels
# from right to left.*

# %% [markdown]
# <details class="fold aside"><summary>For the curious: what the stream does on its way forward</summary>
#
# The table has RMS, means of five seeds: the stream after the last block over that before the
# first, and what each of the 32 branches adds, over the stream that it reads (the least and the
# greatest). Below it, for one seed: which share still varies between positions after sixteen
# residual blocks. (The plain stack had 0.00.)
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
rows = {}
for name, variant in variants.items():
    x, f = (
        [band.mean for band in records.at_start(variant, kind)]
        for kind in ("stream", "branch")
    )
    beside = f"{min(f):.2f} to {max(f):.2f}" if f else "no branches"
    rows[name] = [f"{x[-1] / x[0]:.2g}", beside]
columns = ["last over first", "branch over stream"]
teaching.table("the stream", columns, rows)

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
with probes.recorded_stream(deep) as stream:
    deep(windows)
x = stream.at[-1]
share = rms(x - x.mean(dim=(0, 1))) / rms(x)
print(f"residual, default: varies between positions: {share:.2f}")

# %% [markdown]
# With `default` the plain gradient arrives with $2 \cdot 10^{-18}$ of its size, the
# residual one with 5.6 times its size. That is the highway. But read the other lines before you
# call it "unimpeded". The addition guarantees the *term* $g$, which arrives at the first block as
# it left the last. It does not guarantee the size of the sum.
#
# - With **`zero`** every $J$ is 0. Only the identity is left, and the gradient is exactly the same
#   at all depths. (The branches still learn: `proj`, whose input is not 0, gets a
#   gradient; after a step the rest does. Exercise 2.)
# - With **`default`** each of the 32 branches lengthens the gradient, on average by 5 to
#   6&nbsp;%. Over all 32 that makes 5.6 times.
# - With **`xavier`** the residual gradient *explodes*, two million times over. Each branch is at
#   least half as large as its stream, at most about as large. So the stream grows too, to 2,400
#   times its size (see the fold). Why the gradient grows more is open.
#
# The initialization matters to the plain stack too: with `xavier` its gradient shrinks only to
# $10^{-4}$. (How it trains then we have not tested.)
#
# So addition mends what vanishes, not what explodes. See both in a stack of small feed-forward
# layers. Without `x +` the gradient vanishes. Add it, with Xavier and the most layers: stream and
# gradient explode. "Branch times" multiplies what each layer adds.

# %% tags=["hide-input"]
from bardgpt.teaching import live

live.toy_stack()

# %% [markdown]
# ## How deep can you go?
#
# *Claim res-4.*
#
# Now train: 1 to 16 blocks, with and without `x +`, with the initialization `default`, 2,000 steps,
# three seeds each. An addition has no parameters, so the two stacks differ in the *wiring* (what is
# added where), not the room.

# %%
depths = records.load_sweep("depths")
no_context = records.tables()[0]["validation"]
losses = {
    wiring: {L: depths[f"{wiring}-{L}"].validation for L in (1, 2, 4, 8, 16)}
    for wiring in ("plain", "residual")
}
for L in (1, 2, 4, 8, 16):
    bare, added = depths[f"plain-{L}"], depths[f"residual-{L}"]
    lead = records.gain(bare, added)
    print(f"L = {L:2}: residual is {lead} lower")
    assert GPT(bare.model).n_parameters() == GPT(added.model).n_parameters()
    assert lead.mean > 0

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss after 2,000 steps against the number of blocks, 1 to 16, three marks each. The two lines begin close together, near 2.3. Residual blocks, circles, fall slowly to 2.13 and are level from 8 to 16. Plain blocks, squares, rise, steeply between 2 and 4, and at 16 lie on the dashed line of the characters' frequencies alone, 3.347."}}
figures.losses_by_depth(losses, {"characters' frequencies alone": no_context})

# %% [markdown]
# *Validation loss after 2,000 steps (the lines join means of three seeds). At four and eight plain
# blocks the seeds overlap. Dashed: chapter 1's table without context.*

# %% tags=["hide-input"]
rows = {}
for L in (1, 2, 4, 8, 16):
    runs = [depths[f"{wiring}-{L}"] for wiring in ("plain", "residual")]
    before, after = zip(
        *((r.band(0).mean, r.band()) for r in runs), strict=True
    )
    ends = [f"{band.mean:.3f} ± {band.sd:.3f}" for band in after]
    starts = [f"{mean:.2f}" for mean in before]
    rows[f"{L}"] = [starts[0], ends[0], starts[1], ends[1]]
columns = ["plain: before", "after", "residual: before", "after"]
teaching.table("blocks", columns, rows)

# %% [markdown]
# *The loss before the first step and after the last: means of three seeds.*
#
# With one block the two wirings are 0.04 nats apart; so adding helps a little even where no depth
# is in the way. Then they part. In the mean each doubling makes the plain stack worse, and sixteen
# plain blocks end at 3.349, about the loss of the characters' frequencies.
#
# The residual stack gets better up to eight blocks. From eight to sixteen three seeds show no
# gain. We did not test why, nor other learning rates.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: why do they begin worse than the uniform guess?</summary>
#
# It gives $\ln 65 = 4.17$. All residual stacks begin worse. Embeddings with a standard deviation
# of 1 already make logits of about size 1, so the first guesses are a little too sure, and mostly wrong. The
# sixteen blocks begin worst, at 6.68 nats: their stream grows threefold, the logits with it, and the model is
# sure before it has learned anything.
#
# </details>

# %% [markdown]
# Stack blocks yourself, with `x +` and without. How soon do the two part? (Post-norm and pre-norm in
# the list are for chapters 6 and 7.)

# %% tags=["hide-input"]
live.trainer("residual", vary=("wiring", "blocks", "start", "seed"))

# %% [markdown]
# ## The rung
#
# You train the residual rung, three blocks, for 1,000 steps. It must end below three plain ones after
# as many, 2.885:

# %%
from bardgpt.config import TrainingConfig
from bardgpt.training.loop import train_model

residual = records.load("residual")
first_steps = TrainingConfig(steps=1_000, seed=0)
history = train_model(model, train, validation, first_steps)
checks.measured(
    "three residual blocks, validation loss after 1,000 steps",
    history.at(1_000),
    residual.band(1_000),
    below=plain.band(1_000).mean,
)

# %%
lead = records.gain(plain, residual)
print(f"one block (chapter 4):  {one_block.band()}")
print(f"three plain blocks:     {plain.band()}")
print(f"three residual blocks:  {residual.band()}")
print(f"x + alone is ahead by:  {lead}")
print(f"three blocks, over one: {records.gain(one_block, residual)}")
assert lead.mean > 4 * lead.sd / lead.n**0.5  # four standard errors

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss of the rungs so far, five dots each: bigram, one head, four heads, feed-forward, each lower than the one before; three plain blocks higher again and more widely spread; residual connections far lower, near 2.08. Dashed lines mark the count tables at 2.486, 2.049 and 1.669. Crosses mark what the lecture reports; for residual connections 2.08."}}
from bardgpt.lab.ladder import climbed

tables = [table["validation"] for table in records.tables()]
figures.ladder(climbed("residual"), tables)

# %% [markdown]
# *The ladder so far. Each dot is one full run, each cross what the lecture reports; dashed, the
# tables of chapter 1, uncut. The feed-forward rung has one layer. Chapter 4's two-layer block
# (2.177), with which the text compares, is no rung and not shown.*
#
# 2.084: our first rung to pass the table of two in windows of 8 ([chapter 2](02-one-head.ipynb)).
# The lecture reports 2.08 (with another evaluation). At equal parameters `x +` is worth 0.215 nats.
# And three blocks now beat chapter 4's one, by 0.093 nats, with two and a half times its
# parameters. From one prompt, with and without `x +`, three blocks write:

# %% tags=["hide-input"]
live.writer("residual", beside="plain-blocks")

# %% [markdown]
# ## Do the branches start small?
#
# *Claim res-5.*
#
# The lecture also says: the branches are "usually initialized in the beginning so they contribute
# very little if anything", are "almost kind of like not there", and then "come online over time".
# We measure how large a branch is beside its stream: the RMS of what it adds, over that of the
# stream that it reads. At 1 the two are equally large. "Very little" shall mean less than a tenth.
#
# **Guess first:** `default`, `zero` and `normal`: with which is it true?

# %%
online = records.load_sweep("coming-online")  # by wiring and initialization
starts = ("default", "zero", "normal", "depth-scaled")
for start in starts:
    record = online[f"residual-{start}"]
    first, soon, later = (
        max(band.mean for band in record.profile("stream", "branch", step))
        for step in (0, 50, 1_000)
    )
    print(
        f"{start:12} largest branch {first:.2f}, {soon:.2f} at step 50", end=""
    )
    print(f", {later:.2f} at step 1,000")
    assert later > 2 * first  # the largest branch comes online,
    assert soon - first > (later - first) / 2  # and soon

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three small plots, one for each initialization: how large six branches are beside their stream, against steps 0 to 1,000, on a nearly logarithmic axis. Default begins near 0.2 and rises to between 0.3 and 0.7. Zero begins at 0 and rises steeply in the first 50 steps to between 0.1 and 0.6. Normal begins near 0.01 and jumps up, its feed-forward branches to above 1.", "name": "fig-branches"}}
profiles = {
    start: online[f"residual-{start}"].profiles("stream", "branch")
    for start in starts[:3]
}
figures.branches_over_training(profiles)

# %% [markdown]
# *How large each branch is beside its stream, in three small blocks, over 1,000 steps: mean and
# standard deviation of three seeds. The thin line is 1. The axis is logarithmic above 0.01, linear
# below.*
#
# And before training, at full size (chapter 9: six blocks of 384 channels), wired as here:

# %% tags=["hide-input"]
rows = {}
for start in starts:
    full = records.at_start(f"full-residual-{start}", "branch")
    rows[start] = [  # attention, feed-forward
        f"{max(band.mean for band in branches):.3f}"
        for branches in (full[::2], full[1::2])
    ]
columns = ["largest of attention", "of feed-forward"]
teaching.table("full size", columns, rows)

# %% [markdown]
# *The largest branch of each kind, over its stream: means of five seeds.*
#
# So "very little" holds for some initializations only:
#
# - With **`default`** the largest branch begins at about a quarter of its stream: not "almost not
#   there".
# - With **`zero`** it is exactly true.
# - With **`normal`** it is true of the small model. At full size it is true of attention, which
#   averages over positions, but not of the feed-forward layer. The reason is the width: a sum of
#   $n$ terms grows with $\sqrt n$, and 0.02 is the same for every width. **`depth-scaled`** makes it
#   true again.
#
# The second half, that branches come online, holds for the *largest* branch of the small model in
# all four: it more than doubles, and by step 50 it is more than halfway there. (With `normal` it
# outgrows its stream: see the fold.) Not every branch does: with `default`, attention in the first
# block hardly rises ([the figure](#fig-branches)).

# %% [markdown]
# <details class="fold aside"><summary>For the curious: two sizes of normal</summary>
#
# Why do the small model's branches reach 2.57 times their stream? Its stream begins small too, for its
# embeddings have a standard deviation of 0.02. So the branches soon outgrow it.
#
# And why is the feed-forward branch so much larger at full size? It has two matrices in a row. At full size
# each sums 12 times as many terms, so the branch is about $\sqrt{12} \cdot \sqrt{12} = 12$ times
# as large as in the small model.
#
# </details>

# %% [markdown]
# ## What broke when we changed it
#
# **Forget the `x +`**, and no error is raised: all shapes fit, and you have the plain block.
#
# **Halve the stream**, and keep the branch: $x/2 + f(x)$. Then $I$ becomes $I/2$, at each of $2L$
# additions. With `zero` only the stream is left, so through 16 blocks $2^{-32}$ of the gradient
# should arrive. Before training:

# %%
from bardgpt.initialization import initialize


class Halved(ResidualBlock):
    def forward(self, x):
        x = x / 2 + self.attention(x)
        return x / 2 + self.feed_forward(x)


for start in ("zero", "default"):
    torch.manual_seed(0)
    config = replace(deep.config, initialization=start)
    halved = GPT(config)
    halved.blocks = torch.nn.ModuleList(Halved(config) for _ in range(16))
    initialize(halved, config)
    g = probes.stream_statistics(halved, windows, targets)["gradient"]
    print(f"{start}: 2^{math.log2(g[0] / g[-1]):.0f} of the gradient is left")

# %% [markdown]
# With `default` the branches carry some gradient past, but little.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: and if one trains it?</summary>
#
# We have not. [He and others](references.md#he-2016) did in 2016, in a residual network of 110 layers for
# small images. With only the stream halved it failed (a test error above 20&nbsp;%). With the branches halved
# too it came to 12.35&nbsp;%, against 6.61&nbsp;% with plain addition.
#
# </details>

# %% [markdown]
# ## Exercises
#
# Try each before you open its solution. Where a cell waits for your code, write it, run the cell,
# and it tells you what is not right yet.
#
# **Check yourself.** (a) Where in sixteen plain blocks is the text lost? And after how many
# blocks, on its way back, has a gradient of 0.1 fallen below the $10^{-8}$ that AdamW adds before it
# divides? (Take the gradients of the weights to be as large as those of the stream.) (b) Write
# what leaves two residual blocks as a sum. How many terms has it? (c) The gradient at $c = a + b$
# is 3. What is it at $a$, and what at $b$? (d) A branch's projection is 0. What is the derivative
# of $x + f(x)$ with respect to $x$? (e) With `default`, do the branches start small?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# (a) In the first three: after them all positions are alike. The gradient falls thirteenfold in
# each block, and has to fall by seven powers of ten. (b) Five: what entered, and what each of
# 2 * 2 branches gave. (c) 3 at both, not half of it. (d) The identity: f is 0 whatever x is, so
# its own derivative is 0. (e) Smaller than the stream, the largest about a quarter of it; but not
# "very little", less than a tenth.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
print(f"(a) the gradient after {math.ceil(7 / math.log10(13))} blocks")
a, b = torch.zeros(2, requires_grad=True)
at_a, at_b = torch.autograd.grad(3 * (a + b), (a, b))
print(f"(c) at a: {at_a:.0f}, at b: {at_b:.0f}")

# %% [markdown]
# **1. Carry a gradient back.** Some branches, in a row, have the Jacobians `jacobians[0]`,
# `jacobians[1]`, …: in each, row $i$ and column $j$ have the derivative of output $i$ with respect to
# input $j$. The gradient behind the last addition is `g`. What is it before the first?

# %% tags=["remove-output"]
from bardgpt.teaching import exercises


def carry_back(g: torch.Tensor, jacobians: torch.Tensor) -> torch.Tensor:
    """From g (C,) and jacobians (branches, C, C), in order: give (C,)."""
    ...


exercises.check("5.1", carry_back)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# The gradient meets the last branch first. At each it goes on untouched, and the branch adds its
# own, computed from the g that had come so far.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def carry_back(g, jacobians):
    for J in reversed(jacobians):
        g = g + J.T @ g
    return g


exercises.check("5.1", carry_back)

# %% [markdown]
# **2. Silent, and yet it learns.** Change the weights of a residual block so that it leaves every $x$
# as it is. But each of its parameters must get a gradient within the first three steps of training.
# Return the block.


# %% tags=["remove-output"]
def silence(block: ResidualBlock) -> ResidualBlock:
    """Change the block's weights in place, and return it."""
    ...


exercises.check("5.2", silence)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# The last matrix of each branch is 0, and its bias too: that is the initialization `zero`. In the
# first step only these get a gradient, because their inputs are not 0. Behind a matrix of zeros
# nothing arrives; but after one step it is not 0 any more.
#
# The block of the check has two heads, and so 12 parameters (tensors). The model below has 54 in its
# three blocks. The 12 that get a gradient in its first step are the weights and biases of its 6
# projections.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def silence(block):
    for branch in (block.attention, block.feed_forward):
        torch.nn.init.zeros_(branch.proj.weight)
        torch.nn.init.zeros_(branch.proj.bias)
    return block


exercises.check("5.2", silence)

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
torch.manual_seed(0)
silent = GPT(replace(RUNGS["residual"].config, initialization="zero"))
optimizer = torch.optim.AdamW(silent.parameters(), lr=1e-3)
for step in (1, 2):
    optimizer.zero_grad()
    next_character_loss(silent(windows), targets).backward()
    inside = dict(silent.blocks.named_parameters())
    reached = [name for name, p in inside.items() if p.grad.any()]
    projections = sum(".proj." in name for name in reached)
    print(f"step {step}: {len(reached)} of {len(inside)} tensors", end=" ")
    print(f"in the blocks get a gradient, {projections} of projections")
    optimizer.step()

# %% [markdown]
# **3. Take a block away.** Remove one of the three blocks of the model that you trained, without
# training it again. Does what is left still predict? Compare with the tables of chapter 1: 3.347
# for the frequencies alone, 2.486 for one character before.

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Not well. Whichever block goes, the loss rises by about half a nat. That is still better than the
# frequencies alone, but worse than the table of one character before.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
from bardgpt.evaluation import evaluate

whole = evaluate(model, validation)
blocks = model.blocks
for gone in range(3):
    left = (block for i, block in enumerate(blocks) if i != gone)
    model.blocks = torch.nn.ModuleList(left)
    loss = evaluate(model, validation)
    name, lost = f"without block {gone + 1}", loss - whole
    checks.within(f"{name}, loss", loss, above=2.486, below=no_context)
    checks.within(f"{name}, nats lost", lost, above=0.3, below=0.7)
model.blocks = blocks

# %% [markdown]
# **4. Who moves?** Train 16 plain and 16 residual blocks for 20 steps without weight decay
# (`TrainingConfig(steps=20, weight_decay=0.0)`). How far does the first block's first feed-forward
# matrix, `feed_forward.hidden.weight`, move, relative to its own size?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# The plain one stands still: its gradient lies far below the 1e-8 that AdamW adds to the size by
# which it divides. The residual one moves by more than a hundredth.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
moved = {}
for name in ("plain-blocks", "residual"):
    torch.manual_seed(0)
    stack = GPT(replace(RUNGS[name].config, n_layer=16))
    weight = stack.blocks[0].feed_forward.hidden.weight
    before = weight.detach().clone()
    undecayed = TrainingConfig(steps=20, weight_decay=0.0)
    train_model(stack, train, validation[:1_000], undecayed)
    moved[name] = ((weight - before).norm() / before.norm()).item()
checks.within("plain, moved by", moved["plain-blocks"], below=1e-4)
checks.within("residual, moved by", moved["residual"], above=1e-2)

# %% [markdown]
# **5. Does a silent beginning pay?** `online` holds the four models from above after 1,000 steps, and
# the same four with pre-norm (chapter 7), all with the same seeds. Compare the loss of `zero` with
# that of each of the others.

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Not here. `default` is ahead of `zero` by a hundredth of a nat or so: little, for three seeds.
# With the norm, `normal` and `depth-scaled` are the best of all, though their branches begin large.
# Without a norm they are far behind; but then their stream begins at 0.028 (a token and a position
# of 0.02 each), and nothing makes up for that. All of this is in three blocks; deeper ones we have
# not tested.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
for wiring in ("residual", "pre-norm"):
    zero = online[f"{wiring}-zero"]
    print(f"{wiring}, zero: {zero.band()}")
    for start in ("default", "normal", "depth-scaled"):
        record = online[f"{wiring}-{start}"]
        lead = records.gain(zero, record)
        print(f"  {start:12} {record.band()}, ahead by {lead}")

# %% [markdown]
# ## What to remember
#
# - A plain stack, initialized with `default`, forgets its input on the way forward and loses its
#   gradient on the way back. Three blocks do worse than one.
# - With $x + f(x)$ the output is the input plus what every branch gave, and the gradient at the
#   first block is that at the last plus what every branch gives back.
# - An addition hands the whole gradient to both sides. What it guarantees is one term, not the
#   size of the sum: with large branches the gradient can explode.
# - At equal parameters `x +` is worth 0.215 nats in three blocks. The rung stands at 2.084.
# - Whether branches start small is a matter of initialization and width. The largest can start at
#   nothing (`zero`), at a quarter of the stream (`default`) or about as large as it (`xavier`).
# - Don't scale the stream.
#
# The config has changed in two steps (`projection` is the `proj` of attention):

# %%
from bardgpt.lab.ladder import config_diff

for before, after in (
    ("feed-forward", "plain-blocks"),
    ("plain-blocks", "residual"),
):
    changes = config_diff(RUNGS[before].config, RUNGS[after].config)
    print(f"{after}:", *changes, sep="\n  ")

# %% tags=["hide-input"]
figures.diagram("rung-residual")

# %% [markdown]
# *The rung of this chapter. In colour: what is new, the stream and its additions.*
#
# Nothing in this wiring keeps the stream's size in hand. The next chapter does: [layer
# normalization](06-layer-normalization.ipynb).
