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
# # 6 · Layer normalization
#
# In [chapter 5](05-residual-connections.ipynb) each layer's answer, a *branch*, is added to a
# *stream* that runs from the embeddings to the logits. Additions carry the gradient well. But
# they add up: nothing in that model says how large the numbers in the stream may become. This
# chapter adds the layer that fixes their size.
#
# > **Layer normalization gives the numbers of each position mean 0 and variance 1**, and then
# > lets the model scale and shift each channel. It is batch normalization with one argument
# > changed. Make a table with one row per position and one column per channel: layer norm takes
# > each row by itself, batch norm each column. In three small blocks it gains next to nothing. But
# > it bounds sizes, and a deep stack can fail without that.
#
# After this chapter you can
#
# - normalize rows and columns, and say what each ties together;
# - test what a layer lets one position know of the others;
# - say what layer norm gives a small model, and what it does not.
#
# **Make a guess before you read on.** Batch norm takes its mean and variance from all positions of
# all texts in the batch. What could go wrong with that in a model that predicts the next character?
# Is a model trained with it worse than one with layer norm, and by how much?

# %% [markdown]
# ## Nothing controls the size of the stream
#
# Take the recorded models of chapter 5, three residual blocks, and measure the *size* of the
# stream before and after them: as there, the root of the mean square (RMS) of its numbers.

# %%
from bardgpt import records

residual = records.load("residual")
print(f"{len(residual.histories)} runs of {residual.training.steps:,} steps")

# %% tags=["hide-input"]
from bardgpt.teaching import table

rows = {}
for step in residual.probed("stream"):
    first, *_, last = residual.profile("stream", "stream", step)
    rows[f"{step:,}"] = [first.short, last.short]
table("steps", ["RMS before the blocks", "after them"], rows)

# %% [markdown]
# *Mean ± standard deviation of the five runs.*

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two plots of the size of the stream against the blocks passed. Left, three residual blocks: before training, circles, the size goes from 1.4 to 1.7; after 1,000 steps, squares, and 5,000, triangles, it rises from 1.4 to 3.5. Right, sixteen residual blocks before training, on a logarithmic axis: with PyTorch's initialization, lower triangles, the size grows from 1.4 to about 4, with Xavier's, diamonds, in a straight line from 1.4 to more than 3,000."}}
from bardgpt.teaching import figures

figures.stream_sizes(
    {
        f"{step:,} steps": residual.profile("stream", "stream", step)
        for step in (0, 1_000, 5_000)
    },
    {
        start: records.at_start(f"small-residual-{start}", "stream")
        for start in ("default", "xavier")
    },
)

# %% [markdown]
# *Size of the stream, mean and standard deviation over five seeds. First: the residual rung.
# Second: sixteen such blocks before training, from PyTorch's initialization (default) and
# Xavier's.*
#
# The size of what a layer gets depends on its depth, on the initialization, and on how far training
# has come. In sixteen blocks with Xavier's initialization it is several thousand before the first
# step. What each branch adds is roughly in proportion to what it gets, so the larger the stream,
# the more is added. A layer whose answer did not depend on the size of its input would end that.

# %% [markdown]
# ## Where a norm makes the difference
#
# *Claim ln-6 of the [claims page](claims.md).*
#
# Do such sizes hurt? This chapter's *norm* takes the 32 numbers of one position, however large, and
# shifts and scales them to mean 0 and size 1. (The formula comes next.) We trained twelve residual
# blocks for 1,000 steps, from PyTorch's initialization and from Xavier's: without norms, and with
# one after each addition (in the code, `post-norm`). From each initialization we tried four
# learning rates. The table has the lowest rate; [chapter 7](07-pre-and-post-norm.ipynb) has all.

# %%
sweep = records.load_sweep("rates") | records.load_sweep("no-norm")
pair = {"no norm": "no-norm", "with norms": "post-norm"}
flat = records.tables()[0]["validation"]
print(f"loss of the characters' frequencies: {flat:.3f}")

# %% tags=["hide-input"]
from bardgpt.teaching import Cell

rows = {}
for words, start, rate in (
    ("PyTorch's", "default", "0.001"),
    ("Xavier's", "xavier", "0.0003"),
):
    rows[words] = [rate]
    for name in pair.values():
        loss = sweep[f"12-{start}-{name}-{rate}-0"].band().mean
        shown = f"{loss:.2f}"
        rows[words].append(Cell(shown, "stuck") if loss > flat else shown)
table("initialization", ["rate", *pair], rows)

# %% [markdown]
# *Validation loss in nats, mean of three seeds. ✗: worse than knowing only how frequent each
# character is.*

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss of twelve blocks from Xavier's initialization over 1,000 steps, on a logarithmic axis, a line for each of three seeds. Without a norm, dashed, the loss falls from between 490 and 852 to between 26 and 37, far above a line across at 3.35. With norms, solid, it falls from a little above 4 to about 2.6."}}
figures.training_runs(
    {
        w: sweep[f"12-xavier-{name}-0.0003-0"].histories
        for w, name in pair.items()
    },
    {"characters' frequencies": flat},
    zoom=(2, 1_000),
)

# %% [markdown]
# *Twelve blocks from Xavier's initialization at rate 0.0003, three seeds (logarithmic axis).*
#
# Compare within a row, at one rate. From PyTorch's initialization norms are not needed: 2.22
# without them, 2.23 with them. From Xavier's the model without a norm begins with a loss in the
# hundreds, for its logits are as large as its stream. After 1,000 steps the loss still falls, but
# is above that of the characters' frequencies. With norms the same weights learn. So norms make the
# difference when sizes get out of hand, here because of the initialization.

# %% [markdown]
# ## Mean 0, variance 1
#
# Take $n$ numbers $x_1, …, x_n$ that belong together. Subtract their mean $\mu$, and divide by
# their standard deviation:
#
# $$y_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}},$$
#
# $$\begin{aligned}\mu &= \frac{1}{n}\sum_i x_i, \\
# \sigma^2 &= \frac{1}{n}\sum_i (x_i - \mu)^2.\end{aligned}$$
#
# Two details are easily mistaken. The variance $\sigma^2$ is divided by $n$, not by $n - 1$: it
# describes these numbers and estimates nothing. And the small $\varepsilon = 10^{-5}$, there so
# that equal numbers give 0 and not $0/0$, stands under the root. Where the variance is not far
# above it, the size comes out clearly below 1. In a tensor, `dim` says which numbers belong
# together:

# %%
import torch


def standardize(x, dim):
    centred = x - x.mean(dim, keepdim=True)
    variance = centred.square().mean(dim, keepdim=True)  # divided by n
    return centred / (variance + 1e-5).sqrt()


print(
    *(
        f"{number:.2f}"
        for number in standardize(torch.tensor([1.0, 2, 3, 6]), dim=0)
    )
)

# %% [markdown]
# ## What a norm takes away
#
# Think of the $n$ numbers, a *row*, as a vector. In two directions you can move it and the norm
# does not notice. Add the same to all numbers, a step along $(1, …, 1)$. Or stretch the
# deviations, a step along $y$. A small step at right angles to both gets through, divided by
# $\sigma$. Backwards these two directions are missing from the gradient, for a step along them
# changes nothing. So no layer before the norm can lower the loss by making the row larger, or by
# shifting it as a whole.

# %%
row = torch.tensor([1.0, 2, 3, 6], requires_grad=True)
y = standardize(row, dim=0)
for moved in (row + 7, 3 + 5 * (row - 3)):  # shifted, stretched
    torch.testing.assert_close(standardize(moved, 0), y, rtol=0, atol=1e-4)
print("1 2 3 6, shifted or stretched: the same row comes out")

y[0].backward()  # how the first output depends on each number
g = row.grad
print("gradient:", *(f"{number:.2f}" for number in g))
print(f"along (1, …, 1): {abs(g.sum()):.2f}, along y: {abs(g @ y):.2f}")

# %% [markdown]
# ## Columns or rows
#
# *Claims ln-1 and ln-2.*
#
# Which numbers belong together? Batch norm and layer norm differ here. No rung has batch norm. But
# the lecture makes layer norm from it, and its faults are the case for layer norm. The worst: in
# training it tells a position something of the very character that it must predict.
#
# Write a batch as a table: $N$ examples, one a row, with $C$ features each.

# %% tags=["hide-input"]
figures.diagram("rows-and-columns")

# %% [markdown]
# *Second table: in a GPT the batch has shape (B, T, C), here two texts of four characters. An
# example, and so a row of the table, is one position of one text.*
#
# **Batch norm** ([Ioffe and Szegedy 2015](references.md#ioffe-2015)) takes a column: one feature,
# over all examples of the batch. **Layer norm** ([Ba, Kiros and Hinton
# 2016](references.md#ba-2016)) takes a row: one example, over all its features. Given code that
# normalizes across dimension 0, says the [lecture](references.md#ng-video-lecture), "we just
# change it to normalize across dimension 1". It names three advantages: "no dependency on batch
# size", no "running mean and variance buffers", and "each token's features are normalized
# independently". First the change, 0 becomes 1:

# %%
examples = torch.tensor(  # (N, C)
    [[1.0, 2, 3, 6], [2, 4, 6, 12], [9, 6, 3, 0], [4, 4, 4, 6]]
)
for name, dim in (("batch norm: columns", 0), ("layer norm: rows", 1)):
    print(f"{name}, dim={dim}")
    for row in standardize(examples, dim).tolist():
        print("  " + " ".join(f"{number:5.2f}" for number in row))

# %% [markdown]
# The second row is twice the first, and to layer norm they are the same: it forgets an example's
# size and offset. The last row is the mean of all four, and to batch norm it is 0: it forgets
# what all examples share.
#
# Then both scale feature $c$ by a *gain* $\gamma_c$ and shift it by a *bias* $\beta_c$: $y_c$
# becomes $\gamma_c\,y_c+\beta_c$. Both are learned and start at 1 and 0. What are they for? Without
# them every position that leaves a layer norm has mean 0 and variance 1, always. Try to get the row
# 1, 2, 3, 6 out of it:

# %%
for row in examples[:2]:
    y = standardize(row, dim=-1)
    for gain, bias in ((1, 0), (1.87, 3)):  # first row: sd 1.87, mean 3
        made = " ".join(f"{number:5.2f}" for number in y * gain + bias)
        print(f"{gain:4} y + {bias}: {made}")

# %% [markdown]
# Without gain and bias it can't be made. With the right ones, here the same for all channels, it
# comes back. But so it does from the second row: they set the size and the offset of a *channel*,
# for all positions alike. What told one position's size from another's is gone for good.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: could a linear layer not scale and shift?</summary>
#
# One that stands right behind the norm could do the same (exercise 2). But in this chapter the norms stand on
# the stream. The output of all but the last also runs on past the next layer, to the next addition, where
# no linear layer waits for it. There only gain and bias can give a channel its own size.
#
# </details>

# %% [markdown]
# The package's layer norm, whose `standardize` is ours with care for half precision (`fused` is for
# speed only):

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.normalization import LayerNorm
from bardgpt.teaching import listing

listing(LayerNorm)

# %% [markdown]
# It takes the last dimension, which is $C$ in (N, C) and in (B, T, C) alike. Batch norm, in the
# package only for comparison, makes a table of $B \cdot T$ rows of a (B, T, C), and takes
# `dim=0`. Give both layers random gains and biases, and compare each with our function and with
# PyTorch's layer (`BatchNorm1d` takes the table (N, C) as it is):

# %%
from bardgpt.layers.normalization import BatchNorm

torch.manual_seed(0)
sizes, offsets = torch.linspace(0.5, 3, 32), torch.linspace(-2, 2, 32)
x = torch.randn(64, 32) * sizes + offsets  # (N, C), no two features alike
gains, biases = torch.randn(2, 32)
print(f"{len(x)} rows, {len(gains)} columns")


# %%
def compare(ours, theirs, dim):
    for norm in (ours, theirs):
        norm.weight.data.copy_(gains)
        norm.bias.data.copy_(biases)
    torch.testing.assert_close(ours(x), theirs(x))
    by_hand = standardize(x, dim) * gains + biases
    torch.testing.assert_close(ours(x), by_hand)
    print(f"{type(ours).__name__}: standardize over dim={dim}, as PyTorch's")


compare(LayerNorm(32), torch.nn.LayerNorm(32), dim=1)
compare(BatchNorm(32), torch.nn.BatchNorm1d(32), dim=0)

# %% [markdown]
# So the lecture is right: one argument makes the change. But it is not *all* the difference: with
# columns an example's result depends on its batch, and at test time there may be no batch. So batch
# norm keeps two *buffers*, tensors that are saved with the weights but not trained: a running mean
# and a running variance of each column. Each training step moves the buffers a tenth of the way to
# the batch's own, and evaluation mode uses the buffers. The running variance *is* divided by
# $n - 1$ (why: in the fold below). By hand, without gain and bias:


# %%
def batch_norm(x, mean, variance, training):
    if not training:
        return (x - mean) / (variance + 1e-5).sqrt()
    mean += (x.mean(dim=0) - mean) / 10  # the buffers, in place
    variance += (x.var(dim=0, correction=1) - variance) / 10
    return standardize(x, dim=0)


mean, variance = torch.zeros(32), torch.ones(32)
print(f"{mean.numel() + variance.numel()} numbers to keep for 32 columns")

# %%
# both in training mode
batch_layer, theirs = BatchNorm(32), torch.nn.BatchNorm1d(32)
for _ in range(3):
    another = torch.randn(64, 32) * sizes + offsets
    expected = theirs(another)
    by_hand = batch_norm(another, mean, variance, training=True)
    torch.testing.assert_close(by_hand, expected)
    torch.testing.assert_close(batch_layer(another), expected)

by_hand = batch_norm(x, mean, variance, training=False)
in_evaluation, in_training = batch_layer.eval()(x), batch_layer.train()(x)
torch.testing.assert_close(in_evaluation, theirs.eval()(x))
torch.testing.assert_close(by_hand, in_evaluation)
off = (in_training - in_evaluation).abs().max()
assert off > 0.1
print(f"another function at test time: after 3 steps up to {off:.1f} apart")

# %% [markdown]
# After 3 steps the buffers are about a quarter of the way. Later the two modes come close.
#
# Now the four examples. Change the 6 in row 0: only row 0 moves. Choose "each column" and change
# the 6 again: its whole column moves. Now, in training mode, "Pass this batch once" works. After
# one pass, evaluation gives quite another table than training. After many, its numbers are
# about an eighth smaller: the running variance is divided by $n - 1$, here 3.

# %% tags=["hide-input"]
from bardgpt.teaching import live

live.toy_norm_table(examples.tolist())

# %% [markdown]
# <details class="fold aside"><summary>For the curious: why one less than n; and the whole of batch norm</summary>
#
# Why is the running variance divided by $n - 1$? It estimates the variance of all the text, and numbers lie a
# little closer to their own mean than to the true one: dividing by $n$ would give too little on average.
#
# `_wide` is care for half precision. The tenth is called *momentum* (an optimizer's momentum is the weight
# of the old value). Why batch norm helps training where it does is a question of its own: not by steadying
# each layer's inputs, as its authors meant, found [Santurkar et al. 2018](references.md#santurkar-2018),
# but by making the loss smoother.
#
# </details>

# %% tags=["nbval-ignore-output", "hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
listing(BatchNorm.forward, BatchNorm._remember)

# %% [markdown]
# ## Alone or among others
#
# *Claim ln-3.*
#
# The first advantage is "no dependency on batch size". Take the first row of our 64 alone, and
# among the others:

# %%
layer, batch_layer = LayerNorm(32), BatchNorm(32)  # both in training mode
torch.testing.assert_close(layer(x[:1]), layer(x)[:1])
print("layer norm, 1 row against 64: the same")

apart = (batch_layer(x[:8])[0] - batch_layer(x)[0]).abs().max()
assert apart > 0.1
print(f"batch norm, 8 rows against 64: the first moves by up to {apart:.1f}")
try:
    batch_layer(x[:1])
except ValueError as error:
    print("batch norm, 1 row:", str(error).split(";")[0])

# %% [markdown]
# One row has no spread: the answer would be 0 whatever it held.

# %% [markdown]
# ## Training and test
#
# *Claim ln-4.*
#
# The second: layer norm has no buffers, and no two modes. How far apart are batch norm's two? For
# this we need the rung of this chapter already: the three blocks of chapter 5 with a norm after
# each of their six additions,
#
# $$x \leftarrow \mathrm{norm}(x + f(x)),$$
#
# where $f$ is attention or the feed-forward layer. We trained it with layer norm and with batch
# norm, from five seeds for 5,000 steps in batches of 32 windows. Then we took each model's loss on
# 2,000 windows of the validation text: in evaluation mode, and in training mode with the windows
# dealt at random into batches of 8, 32, 128 or 512. The *gap* is training mode minus evaluation
# mode.

# %%
from bardgpt.lab import probes
from bardgpt.records import Band

post, rival = records.load("post-norm"), records.load("batch-norm")


def gap(run, n):
    """Training mode with n windows in a batch, minus evaluation mode."""
    return run[probes.training_mode(n)] - run[probes.EVALUATION]


gaps = {}
for name, record in (("layer norm", post), ("batch norm", rival)):
    runs = record.probes["modes"][5_000]
    gaps[name] = {n: [gap(run, n) for run in runs] for n in (8, 32, 128, 512)}

# %% tags=["hide-input"] mystnb={"image": {"alt": "Training mode minus evaluation mode in nats per character, against 8, 32, 128 and 512 windows in a batch, a line for each of five seeds. Layer norm lies flat at 0. With batch norm all five lines fall side by side, steeply at first and then less: from between 0.017 and 0.032 at 8 windows, over 0.001 to 0.012 at 32, to between minus 0.004 and 0.004 at 512.", "name": "fig-modes"}}
figures.mode_gaps(
    {
        "layer norm": ("norm", gaps["layer norm"]),
        "batch norm": ("batch norm", gaps["batch norm"]),
    }
)

# %% [markdown]
# *The gap against the number of windows that are normalized together (logarithmic axis), a line
# for each of five seeds; dotted, the batch size of training.*
#
# With layer norm there is no gap. With batch norm the model is on average *worse* in training
# mode: by 0.026 nats with 8 windows, by 0.007 with 32, as in training. We read this as noise. The
# mean of a few positions is not the mean of the text, and each batch misses it differently.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: the gaps in numbers; do they fall as noise should?</summary>
#
# The first table has the gaps of the figure: mean ± standard deviation of five runs. If the cost is
# noise, it is proportional to $1/n$: $c$, then $c/4$, $c/16$, $c/64$. So each fall of the loss
# should be a quarter of the one before. The second table has these falls, in training mode, seed by
# seed. Roughly so: 0.006 is a third of 0.019, and the last fall is too small to say more. What is
# left at 512 windows has either sign. For evaluation mode has noise in it, too: the buffers are
# estimates from the latest batches of training text.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
columns = {n: Band.of(found) for n, found in gaps["batch norm"].items()}
for found in gaps["layer norm"].values():
    assert max(map(abs, found)) < 1e-4
rows = {
    "batch norm": [band.short for band in columns.values()],
    "layer norm": ["0 up to rounding"] * len(columns),
}
table("gap, in nats", [f"{n} windows" for n in columns], rows)

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
by_size, rows = gaps["batch norm"], {}
for small, large in ((8, 32), (32, 128), (128, 512)):
    pairs = zip(by_size[small], by_size[large], strict=True)
    falls = Band.of([before - after for before, after in pairs])
    rows[f"{small} to {large}"] = [falls.short]
    assert falls.mean > 2 * falls.sd
table("windows in a batch", ["the loss falls by"], rows)

# %% [markdown]
# And your guess? The losses of both on the whole validation split, in evaluation mode:

# %% tags=["hide-input"]
lead = records.gain(post, rival)
assert abs(lead.mean) < 0.01  # what we call no difference
rows = {
    "layer norm": [post.band().short],
    "batch norm": [rival.band().short],
    "lead of batch norm, seed by seed": [lead.short],
}
table("5,000 steps", ["validation loss"], rows)

# %% [markdown]
# *Mean ± standard deviation of five seeds, in nats per character.*
#
# Batch norm is ahead by 0.003 nats, about two standard errors. We believe leads of more than four,
# as in [chapter 3](03-multi-head-attention.ipynb), and care for those over 0.01 nats. This is
# neither. So here the loss is no reason to prefer layer norm; the three advantages are.

# %% [markdown]
# ## Does the future leak?
#
# *Claim ln-5.*
#
# The third advantage, each token by itself, counts most in this book. A model that predicts the
# next character must not look at it. A test of the package guards that: change a character, and no
# logits of *earlier* positions may move, and none at all of *other* texts in the batch. Here by
# hand, on untrained models with either norm:

# %%
from dataclasses import replace

from bardgpt.gpt import GPT
from bardgpt.lab.ladder import RUNGS
from bardgpt.shakespeare import shakespeare

tokenizer, train, validation = shakespeare()
ids = validation[:32].view(4, 8)  # (B, T)
changed = ids.clone()
changed[1, 4] = (
    changed[1, 4] + 1
) % 65  # text 1, position 4: another character


@torch.no_grad()
def moves(model):
    """How far the logits of each position move: (B, T)."""
    return (model(changed) - model(ids)).abs().amax(dim=-1)


print("characters changed:", int((ids != changed).sum()), "of", ids.numel())

# %%
cases = {}
for norm, train_mode in (("layer", True), ("batch", True), ("batch", False)):
    torch.manual_seed(0)
    model = GPT(replace(RUNGS["post-norm"].config, norm=norm))
    change = moves(model.train(train_mode))
    past, others = change[1, :4].max(), change[[0, 2, 3]].max()
    mode = "training" if train_mode else "evaluation"
    cases[f"{norm} norm, {mode}"] = change
    print(f"{norm} norm, {mode}: the past moves by up to {past:.2f}", end="")
    print(f", other texts by {others:.2f}")
    leaks = norm == "batch" and train_mode
    assert min(past, others) > 1e-3 if leaks else max(past, others) < 1e-3

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three grids of four texts by eight positions, coloured by the largest change of a logit. A frame of its own marks the one changed character, in text 1 at position 4, where logits change by about 1. With layer norm, and with batch norm in evaluation mode, only it and the three positions after it, framed, are coloured, these between 0.08 and 0.2; all other cells are blank with a dot. With batch norm in training mode every cell of every text is coloured, mostly between 0.04 and 0.08."}}
figures.who_moves(cases, changed=(1, 4))

# %% [markdown]
# *How far logits move when the character in the small frame is replaced by another. The long frame:
# where they may. A dot: not at all.*
#
# With batch norm in training mode *everything* moves, also the past and the other texts: the change
# went into the columns' means and variances, which normalize every position. In evaluation mode the
# statistics are fixed, and the leak is closed.
#
# So what batch norm trains is not a causal model: it has heard of the answer. Does the model use
# the leak? Hardly, here. From 8 windows to 512 the leak gets weaker, and yet the loss in training
# mode gets *better* ([the figure](#fig-modes)). In evaluation mode, with no leak at all, the model
# does as well as with layer norm. A model whose norm runs over the 8 characters of one text does use
# its leak (exercise 3).

# %% [markdown]
# ## The rung: post-norm
#
# A norm after each addition is how the Transformer began ([Vaswani et
# al.](references.md#vaswani-2017), section 3.1). This wiring is called *post-norm*:

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.blocks import PostNormBlock

listing(PostNormBlock)

# %% [markdown]
# The norm sits *on* the stream: all that passes is normalized again after each branch. That is at
# odds with chapter 5, which kept the stream free for the gradient's sake. What do the norms cost in
# parameters?

# %%
names = ("residual", "post-norm")
without, with_norms = (GPT(RUNGS[name].config).n_parameters() for name in names)
print(
    f"three blocks: {without:,} parameters without norms, {with_norms:,} with"
)
assert with_norms - without == 3 * 2 * (32 + 32)  # gains and biases

# %% [markdown]
# And does the gradient still come back, through sixteen untrained blocks (PyTorch's
# initialization)?

# %% tags=["hide-input"]
first, *_, last = records.at_start("small-post-norm-default", "gradient")
rows = {"at the last output": [last.short], "at the first input": [first.short]}
table("on the stream", ["RMS of the gradient"], rows)

# %% [markdown]
# *Mean ± standard deviation of five seeds.*
#
# It does, nearly level.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: why does it not shrink at each norm?</summary>
#
# Chapter 5's *What broke* halved the stream at each addition, and the gradient too. Here each norm
# divides by the size of $x + f(x)$. That is only a little over 1, for $x$ comes out of a norm and
# the branch is small beside it. And the branch gives back about as much as this takes away.
# [Chapter 7](07-pre-and-post-norm.ipynb) has the cases where the two do not balance.
#
# </details>

# %% [markdown]
# Now train the rung for 1,000 steps. It must come below chapter 5's three plain blocks after as
# many, 2.885: the norm must not undo what the additions won.

# %%
from bardgpt.config import TrainingConfig
from bardgpt.teaching import checks
from bardgpt.training.loop import train_model

torch.manual_seed(0)
model = GPT(RUNGS["post-norm"].config)
history = train_model(
    model, train, validation, TrainingConfig(steps=1_000, seed=0)
)

plain = records.load("plain-blocks")
checks.measured(
    "post-norm, validation loss after 1,000 steps",
    history.at(1_000),
    post.band(1_000),
    below=plain.band(1_000).mean,
)

# %% tags=["hide-input"]
lead = records.gain(residual, post)
assert abs(lead.mean) < 0.01
rows = {
    name: [record.band(1_000).short, record.band().short]
    for name, record in (("residual", residual), ("post-norm", post))
}
rows["lead of the norm, seed by seed"] = ["", lead.short]
table("validation loss", ["1,000 steps", "5,000 steps"], rows)

# %% [markdown]
# *Without norms, and with: mean ± standard deviation of five seeds.*

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss of the seven rungs so far, five dots each. It goes down from the bigram model near 2.50 over one head, four heads and feed-forward, 2.24; three plain blocks go up again, most dots near 2.31; the residual rung near 2.08 and the post-norm rung, also near 2.08, are the two lowest and lie just right of the dashed line of the table with two characters of context at 2.049. Crosses of the lecture lie on the dots of all rungs but the plain blocks and post-norm, which have none."}}
from bardgpt.lab.ladder import climbed

tables = [table["validation"] for table in records.tables()]
figures.ladder(climbed("post-norm"), tables)

# %% [markdown]
# *The ladder so far. Each dot is one full run, each cross what the lecture reports (no plain blocks,
# no post-norm). Dashed, the tables of chapter 1, uncut.*
#
# After 5,000 steps the norm is ahead by 0.007 ± 0.005 nats. By our rule that is next to nothing:
# fewer than four standard errors, and thirty times less than the 0.215 of chapter 5's additions.
# The lecture names two aids in training deep networks: `x +`, then the norm. Ours is shallow. But
# twelve blocks from PyTorch's initialization did not need it either: while sizes stay small, there
# seems little to help.
#
# What do the two rungs write? So small a lead does not show.

# %% tags=["hide-input"]
live.writer("post-norm", "residual")

# %% [markdown]
# So why have a norm at all? What it gives here is bounded sizes: after each norm the size is 1 at
# the start, whatever the depth and the weights, and training moves it only as far as gains and
# biases go.

# %% tags=["hide-input"]
rows = {}
for words, start in (("PyTorch's", "default"), ("Xavier's", "xavier")):
    after = records.at_start(f"small-post-norm-{start}", "stream")[1:]
    sizes = [band.mean for band in after]
    assert max(sizes) - min(sizes) < 0.001
    rows[f"16 blocks, before training, {words}"] = [
        f"{min(sizes):.2f}",
        f"{max(sizes):.2f}",
    ]
_, first, *_, last = post.profile("stream", "stream", 5_000)
rows["3 blocks, 5,000 steps"] = [first.short, last.short]
table("RMS of the stream", ["after the first block", "after the last"], rows)

# %% [markdown]
# *With norms; five seeds.*

# %% [markdown]
# ## What gain and bias learn
#
# A norm takes the size away, and the gain may give it back. Does the model make use of that?

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two plots over the six norms of the post-norm rung, at 0, 1,000 and 5,000 steps. Left, the mean gain: 1 at the start for all; after 5,000 steps between 0.96 and 1.05 for the first five, while the last norm's has gone to 1.33 and then 1.57. Bars of single gains reach from 0.76 to 1.17 for the first five, from 1.33 to 1.88 for the last. Right, the RMS of the biases: 0 at the start, after 5,000 steps at most 0.04 for the first five, 0.20 for the last."}}
norms = ["A1", "F1", "A2", "F2", "A3", "F3"]
runs = post.probes["norms"][5_000]
lows = zip(*(run["least gain"] for run in runs), strict=True)
highs = zip(*(run["most gain"] for run in runs), strict=True)
figures.norm_gains(
    norms,
    post.profiles("norms", "gain"),
    post.profiles("norms", "bias"),
    reach=[
        (min(low), max(high)) for low, high in zip(lows, highs, strict=True)
    ],
)

# %% [markdown]
# *The norms after attention (A) and feed-forward (F) of blocks 1 to 3, after 0, 1,000 and 5,000
# steps. First: mean of the 32 gains; second: RMS of the 32 biases; mean and standard deviation over
# five seeds. Thick bars: from the least to the greatest gain of all five runs after 5,000 steps.*

# %% tags=["hide-input"]
runs, rows = post.probes["norms"][5_000], {}
means = post.profile("norms", "gain", 5_000)
shifts = post.profile("norms", "bias", 5_000)
for i, name in enumerate(norms):
    least = min(run["least gain"][i] for run in runs)
    most = max(run["most gain"][i] for run in runs)
    found = (means[i].mean, least, most, shifts[i].mean)
    rows[name] = [f"{number:.2f}" for number in found]
table("norm", ["mean gain", "least", "greatest", "RMS of the biases"], rows)

# %% [markdown]
# *The same numbers after 5,000 steps.*
#
# Five of the six norms hardly move: their mean gain ends between 0.96 and 1.05. The last one does
# move: its mean gain rises to 1.57. It stands right before the output layer, where larger numbers
# make larger logits and so surer predictions. Without norms the stream grew, to 3.5 after three
# blocks. Here only the last norm can enlarge what the output layer reads.
#
# Does your model, after 1,000 steps, need what its norms have learned? Set them back to 1 and 0:

# %%
from copy import deepcopy

from bardgpt.evaluation import losses


def set_back(chosen):
    """Extra loss with gains 1 and biases 0 in the chosen norms, of 0 to 5."""
    reset = deepcopy(model)
    parts = [part for part in reset.modules() if isinstance(part, LayerNorm)]
    for i in chosen:
        torch.nn.init.ones_(parts[i].weight)
        torch.nn.init.zeros_(parts[i].bias)
    return (losses(reset, validation) - losses(model, validation)).mean().item()


checks.within("extra loss, all six set back", set_back(range(6)), above=0.07)
checks.within("the last alone", set_back([5]), above=0.07)
checks.within("the other five", set_back(range(5)), below=0.05)

# %% [markdown]
# Most of what all six cost together is the last norm's.

# %% [markdown]
# ## What broke when we changed it
#
# Three slips, all of which run without an error. Put $\varepsilon$ outside of the root. Divide the
# variance by $n - 1$, which is what `x.var()` does unless told otherwise. And apply "0 becomes 1"
# to (B, T, C), where dimension 1 is time. Three checks: equality with PyTorch on ordinary numbers;
# the same on *small* ones, a thousand times smaller; and causality, by changing the last position
# and seeing whether an earlier one moves.


# %%
def slipped(x, outside=False, correction=0, dim=-1):
    variance = x.var(
        dim, correction=correction, keepdim=True
    )  # divided by n - correction
    root = variance.sqrt() + 1e-5 if outside else (variance + 1e-5).sqrt()
    return (x - x.mean(dim, keepdim=True)) / root


torch.testing.assert_close(slipped(x), standardize(x, dim=-1))
print("without a slip: the same as standardize")

# %%
from bardgpt.teaching import table

now, later = torch.randn(2, 2, 8, 32)  # each (B, T, C)
later[:, :-1] = now[:, :-1]  # differs in the last position only
rows = {}
for name, value in {"outside": True, "correction": 1, "dim": 1}.items():
    slip = {name: value}
    off = [
        slipped(z, **slip) - torch.nn.functional.layer_norm(z, (32,))
        for z in (now, now / 1_000)
    ]
    off.append((slipped(now, **slip) - slipped(later, **slip))[:, :-1])
    rows[f"{name}={value}"] = [f"{one.abs().max():.3f}" for one in off]
table("slip", ["ordinary", "small", "earlier positions"], rows)

# %% [markdown]
# *The largest difference that each check finds, for each slip.*
#
# A misplaced $\varepsilon$ shows only in numbers whose variance is not far above it. A division by
# $n - 1$ multiplies everything by $\sqrt{(n - 1)/n}$, here $\sqrt{31/32}$. The gain could undo
# that. The third is the dangerous one. A model trained with it gets far too good a loss (exercise
# 3), because each position is told something about the one that it must predict. The causality test
# finds it.
#
# So the lecture's rule needs its condition: 0 becomes 1 *for inputs of shape (N, C)*. What is
# meant is the feature dimension: `dim=-1`, for any shape.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: does a misplaced ε ever matter?</summary>
#
# With chapter 5's initialization `normal`, $N(0, 0.02^2)$, the stream, a sum of two embeddings, has
# a variance of 0.0008, 80 times $\varepsilon$. There the slip changes the output by 0.6 %, a factor
# of $\sqrt{1 + 1/80}$.
#
# </details>

# %% [markdown]
# ## Exercises
#
# Try each before you open its solution. In 1 and 2 you write a function; run the cell, and it tells
# you what is not right yet.
#
# **Check yourself.** (a) A row is 2, 2, 2, 2. What does layer norm make of it, with gain 1 and
# bias 0? (b) A batch has the shape (4, 8, 16). How many means does layer norm take, and how many
# batch norm in training mode? (c) You want the next character of one text, and somebody puts a
# second text into the batch. Under which norm, and in which mode, does your answer change?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# (a) Zeros; epsilon keeps 0/0 away. (b) One for each of 32 positions, against one for each of 16
# channels. (c) Batch norm, in training mode. Layer norm keeps each position to itself, and batch
# norm in evaluation mode takes its running statistics in place of the batch's.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
batch = torch.zeros(4, 8, 16)  # (B, T, C)
print("(a)", standardize(torch.full((4,), 2.0), dim=0).tolist())
print("(b)", batch.mean(dim=-1).numel(), "and", batch.mean(dim=(0, 1)).numel())

# %% [markdown]
# **1. What a norm forgets.** Multiply the 32 numbers of a position by 5 and add 7 to each. What
# does layer norm (gain 1, bias 0) make of it? How long, as a vector, is a row that comes out, and
# where can it still point? *RMSNorm* ([Zhang and Sennrich 2019](references.md#zhang-2019))
# divides by the RMS, with $\varepsilon$ under the root as above, and does not subtract the mean; it
# has gains, no biases. Write it, for x of any
# shape whose last dimension is C. What does it forget?

# %% tags=["remove-output"]
from bardgpt.teaching import exercises


def rms_norm(x: torch.Tensor, gain: torch.Tensor) -> torch.Tensor:
    """Give x, normalized position by position; gain is (C,)."""
    ...


exercises.check("6.1", rms_norm)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# It makes the same of it (but for eps): size and offset of the row are gone. Every row that comes
# out has length sqrt(32), for the sum of its squares is 32 times a variance of 1, and its numbers
# sum to 0. So it lies on a sphere in the 31 dimensions that are at right angles to (1, …, 1).
# RMSNorm forgets the size only: its rows lie on the sphere in all 32 dimensions.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def rms_norm(x, gain):
    size = (x.square().mean(dim=-1, keepdim=True) + 1e-5).sqrt()
    return x / size * gain


exercises.check("6.1", rms_norm)

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
norm = LayerNorm(32)
torch.testing.assert_close(norm(5 * x + 7), norm(x), rtol=0, atol=1e-4)
lengths = norm(x).norm(dim=-1)  # (N,)
torch.testing.assert_close(
    lengths, torch.full((64,), 32**0.5), rtol=1e-4, atol=0
)
print("all rows of length sqrt(32), numbers summing to 0")

# %% [markdown]
# **2. A norm before a linear layer.** The last norm of your model stands right before `lm_head`.
# Change this output layer so that the norm needs no gain and bias: write `fold`, which gives the
# layer's new weight and new bias (`shift` is the norm's $\beta$). Could you do the same with
# another norm of the model, whose output goes to queries, keys and values?


# %% tags=["remove-output"]
def fold(weight, bias, gain, shift):
    """Give the new weight (V, C) and bias (V,); gain and shift are (C,)."""
    ...


exercises.check("6.2", fold)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# W (g * y + b) + c = (W * g) y + (W b + c): gain and bias fold into the linear layer. Not so with
# another norm, for two reasons. Queries, keys and values have no bias c that could take up W b.
# And its output also runs on in the stream, where no linear layer waits for it.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def fold(weight, bias, gain, shift):
    return weight * gain, weight @ shift + bias


exercises.check("6.2", fold)
norm, head = model.blocks[-1].feed_forward_norm, model.lm_head
with torch.no_grad():
    before = model(ids)
    found = fold(head.weight, head.bias, norm.weight, norm.bias)
    head.weight.copy_(found[0])
    head.bias.copy_(found[1])
    norm.weight.fill_(1)
    norm.bias.fill_(0)
    torch.testing.assert_close(model(ids), before, rtol=1e-4, atol=1e-4)
# %% [markdown]
# **3. Too good to be true.** Put a norm over time (`dim=1`) into a new post-norm model, in place
# of all six, and train it for 400 steps. How does its validation loss compare with the best count
# table of chapter 1? Then look at the loss by position in the window: at which position does the
# model fail, and why there?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# It is far below the table, by reading the answer: the next character stands in the window, one
# place later, and the norm mixes it in. Only of the last position is the answer not there.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
class NormOverTime(LayerNorm):
    def forward(self, x):
        return standardize(x, dim=1) * self.weight + self.bias


torch.manual_seed(0)
cheat = GPT(RUNGS["post-norm"].config)
for block in cheat.blocks:
    block.attention_norm, block.feed_forward_norm = (
        NormOverTime(32),
        NormOverTime(32),
    )
settings = TrainingConfig(steps=400, seed=0, evaluate_every=400)
reached = train_model(cheat, train, validation, settings).at(400)

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
best = records.best_table()["validation"]
assert 1.1 < reached < 1.4
print(f"validation loss\n  your run: {reached:.3f}")
print(f"  expected: 1.1 to 1.4; the best table: {best:.3f}")

found = losses(cheat, validation)  # one for each predicted character
whole = len(found) // 8 * 8  # the split ends in a shorter window: without it
*others, last = found[:whole].view(-1, 8).mean(dim=0).tolist()
print("positions below the table:", sum(loss < best for loss in others), "of 8")
worse = last - max(others)
assert worse > 1
print(
    f"the last position, worse than the worst of them\n  your run: {worse:.3f}"
)
print("  expected: more than 1")

# %% [markdown]
# **4. A batch norm that keeps the future to itself (open).** Let batch norm take its statistics
# over the windows of a batch only, for each position by itself: `dim=0` of (B, T, C). What leaks
# now, and what no longer? What gap does [the figure above](#fig-modes) let you expect at 32
# windows? (Count rows, not windows: 8 windows in the figure are 64 rows, here 32 windows are 32.)
# Train it for 1,000 steps and measure, as for the figure. The probe below gives a dictionary of
# losses: evaluation mode, and training mode with 8, 32, 128 and 512 windows in a batch.
#
# ```python
# from bardgpt.batches import evaluation_windows
#
# windows, targets = next(evaluation_windows(validation, 8, batch_size=2_000))
# probes.losses_by_mode(model, windows, targets)
# ```

# %% [markdown]
# ## What to remember
#
# - To standardize is to subtract the mean and divide by the standard deviation. Batch norm does
#   it to columns, layer norm to rows. In a GPT a row is one position of one text: `dim=-1`.
# - Batch norm needs buffers and two modes because its answer depends on the batch. In training mode
#   it tells every position about every other, also the future.
# - Batch norm's loss in training mode has the noise of its batch in it. In evaluation mode it
#   predicts as well as layer norm.
# - In three blocks layer norm improves next to nothing (0.007 nats). What it gives is bounded
#   sizes, at every depth and from any initialization. Without norms, twelve blocks from Xavier's
#   failed in our 1,000 steps.
# - Post-norm puts the norm on the stream, after each addition.
#
# In the config:

# %%
from bardgpt.lab.ladder import config_diff

print(
    *config_diff(RUNGS["residual"].config, RUNGS["post-norm"].config), sep="\n"
)

# %% tags=["hide-input"]
figures.diagram("rung-post-norm")

# %% [markdown]
# *The rung of this chapter. In colour: what is new against the residual blocks, two norms in each
# of three blocks. The config names the wiring only: layer norm is its default.*
#
# So the norm now stands across the path that chapter 5 had kept clear. Must it? The [next
# chapter](07-pre-and-post-norm.ipynb) moves it into the branch.
