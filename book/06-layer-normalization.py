# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["remove-cell"]
# On Colab this installs the book's package; anywhere else it does nothing.
import sys

if "google.colab" in sys.modules:
    get_ipython().run_line_magic(
        "pip",
        "install -q git+https://github.com/set-this-to-your-own-github-account-name/bardgpt",
    )

# %% [markdown]
# # 6 · Layer normalization
#
# In [chapter 5](05-residual-connections.ipynb) each layer's answer, a *branch*, is added to a
# *stream* that runs from the embeddings to the logits. Additions carry the gradient well. But
# they add up: nothing in that model says how large the numbers in the stream may become. This
# chapter puts in the layer that says it.
#
# > **Layer normalization gives the numbers of each position mean 0 and variance 1**, and then
# > lets the model scale and shift each channel. It is batch normalization with one argument
# > changed: it takes rows where batch norm takes columns. With that change goes everything that
# > tied an example to its batch: a row alone gives what it gives among others, training and test
# > are the same function, and the norm tells no position anything about another.
#
# **Before you run anything:** batch norm takes its mean and variance from all positions of all
# texts in the batch. What could go wrong with that in a model that predicts the next character?
# And what would you bet: is a model trained with it worse than one with layer norm, and by how
# much?

# %% [markdown]
# ## Nobody keeps the size of the stream
#
# Take the recorded models of chapter 5, three residual blocks, and measure how large the numbers
# in the stream are. As *size* we take the root of their mean square (RMS), over all positions of
# 256 windows and all 32 channels. The stream can be measured at four depths: as it enters the
# first block, and after each of the three.

# %%
from bardgpt.teaching import records

residual = records.load("residual")
for step in residual.probed("stream"):
    first, *_, last = residual.profile("stream", "stream", step)
    print(f"{step:5,} steps: {first} before the blocks, {last} after three")

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two plots of the size of the stream against the blocks passed. Left, three residual blocks: before training the curve is almost flat near 1.5; after 1,000 and after 5,000 steps it rises from 1.4 to 3.5. Right, sixteen residual blocks before training, on a logarithmic axis: with PyTorch's default start the size grows from 1.4 to about 4, with Xavier's start from 1.4 to more than 3,000."}}
from bardgpt.teaching import figures

figures.stream_sizes(
    {f"{step:,} steps": residual.profile("stream", "stream", step) for step in (0, 1_000, 5_000)},
    {
        "default start": records.at_start("small-residual-default", "stream"),
        "Xavier start": records.at_start("small-residual-xavier", "stream"),
    },
)

# %% [markdown]
# *Size of the stream, mean and standard deviation over five seeds. Left: the residual rung, three
# blocks, before, during and after training. Right: sixteen blocks before training, with two of
# the initializations of chapter 5; mind the logarithmic axis.*
#
# Each layer has to cope with inputs whose size depends on how deep it sits, on how the weights
# started, and on how far training has come. In three blocks this is mild: the size grows to 3.5,
# and the model trains well. In sixteen blocks with Xavier's start it is several thousand before
# the first step: each branch answers roughly in proportion to what it gets, so what is added
# grows with what is there, block after block. A layer whose answer did not depend on the size of
# its input would end that.

# %% [markdown]
# ## Mean 0, variance 1
#
# The tool is old and simple. Take $n$ numbers $x_1, …, x_n$ that belong together. Subtract their
# mean $\mu$, and divide by their standard deviation:
#
# $$y_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}}, \qquad \mu = \frac{1}{n} \sum_i x_i,
# \qquad \sigma^2 = \frac{1}{n} \sum_i (x_i - \mu)^2.$$
#
# Two details that are easily mistaken. The variance $\sigma^2$ is divided by $n$, not by $n - 1$:
# it describes these numbers and estimates nothing. And the small $\varepsilon = 10^{-5}$ stands
# under the root, so that numbers that are all equal give 0, not $0/0$. In a tensor, `dim` says
# which numbers belong together:

# %%
import torch


def standardize(x, dim):
    centred = x - x.mean(dim, keepdim=True)
    variance = centred.square().mean(dim, keepdim=True)  # divided by n
    return centred / (variance + 1e-5).sqrt()


torch.manual_seed(0)
sizes, offsets = torch.linspace(0.5, 3, 32), torch.linspace(-2, 2, 32)
x = torch.randn(64, 32) * sizes + offsets  # (N, C): each feature with its own size and offset
y = standardize(x, dim=1)
torch.testing.assert_close(y.mean(dim=1), torch.zeros(64), rtol=0, atol=1e-5)
torch.testing.assert_close(y.var(dim=1, correction=0), torch.ones(64), rtol=0, atol=1e-4)
print("64 times 32 numbers, each time with mean 0 and variance 1")

# %% [markdown]
# ## Columns or rows
#
# *Claims ln-1 and ln-2 of the [claims page](claims.md).*
#
# Which numbers belong together? Write a batch as a table: $N$ examples, one a row, with $C$
# features each.

# %% tags=["hide-input"]
figures.diagram("rows-and-columns")

# %% [markdown]
# *Left: batch norm takes a column, layer norm a row. Right: in a GPT the batch has shape (B, T,
# C), here two texts of four characters. An example, and so a row of the table, is one position of
# one text. A column runs through all positions of all texts.*
#
# **Batch norm** ([Ioffe and Szegedy 2015](references.md#ioffe-2015)) takes a column: one feature,
# over all examples of the batch. **Layer norm** ([Ba, Kiros and Hinton
# 2016](references.md#ba-2016)) takes a row: one example, over all its features. Its authors say
# that they "transpose" batch norm, and in code that is one argument:

# %%
table = torch.tensor([[1.0, 2, 3, 6], [2, 4, 6, 12], [9, 6, 3, 0], [4, 4, 4, 6]])  # (N, C)
for name, dim in (("batch norm: columns, dim=0", 0), ("layer norm: rows, dim=1", 1)):
    print(name)
    for row in standardize(table, dim).tolist():
        print("  " + " ".join(f"{number:5.2f}" for number in row))

# %% [markdown]
# The small table shows what each of them forgets. Its second row is twice the first, its last the
# mean of all four. For layer norm the first two are the same: it forgets an example's size and
# offset. For batch norm they differ, but the last row, being what is usual in this batch, becomes
# 0: it forgets what all examples share.
#
# After that, both do the same: each feature $c$ is scaled by a *gain* $\gamma_c$ and shifted by a
# *bias* $\beta_c$, both learned, which start at 1 and 0. So the model may give a channel the size
# and the offset that it wants; what it can no longer do is let them grow by accident. Here is the
# package's layer norm:

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.normalization import LayerNorm
from bardgpt.teaching import listing

listing(LayerNorm)

# %% [markdown]
# It takes the last dimension, which is $C$ in (N, C) and in (B, T, C) alike. The package's
# `standardize` is ours, with care for half precision. And here is batch norm, which the package
# has only so that we can compare:

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.normalization import BatchNorm

listing(BatchNorm)

# %% [markdown]
# In training mode, the middle of its `forward` is the same call with `dim=0`. Give both layers
# gains and biases that differ from channel to channel, and compare each with our function and
# with PyTorch's layer:

# %%
gain, bias = torch.randn(2, 32)
pairs = [(LayerNorm(32), torch.nn.LayerNorm(32), 1), (BatchNorm(32), torch.nn.BatchNorm1d(32), 0)]
for ours, theirs, dim in pairs:
    for norm in (ours, theirs):
        norm.weight.data.copy_(gain)
        norm.bias.data.copy_(bias)
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours(x), standardize(x, dim) * gain + bias)
    print(f"{type(ours).__name__}: standardize over dim={dim}, and equal to PyTorch's")

# %% [markdown]
# So the notes are right that one argument makes the change. But the listings also show that it
# does not make *all* of the difference. Batch norm is longer, and every further line follows from
# one thing: an example's result depends on the batch that it came in. At test time there may be
# no batch. So in training, batch norm keeps two running means, of the columns' means and
# variances, each step moving them a tenth of the way (its momentum) to those of the batch at
# hand. In evaluation mode these take the batch's place. And this running variance *is* divided by
# $n - 1$, because now it estimates something: the variance of all the text, not of these rows.

# %%
batch, theirs = BatchNorm(32), torch.nn.BatchNorm1d(32)  # both in training mode
for _ in range(3):
    another = torch.randn(64, 32) * sizes + offsets
    torch.testing.assert_close(batch(another), theirs(another))
torch.testing.assert_close(batch.running_mean, theirs.running_mean)
torch.testing.assert_close(batch.running_variance, theirs.running_var)

in_evaluation, in_training = batch.eval()(x), batch.train()(x)
torch.testing.assert_close(in_evaluation, theirs.eval()(x))
print("another function at test time:", not torch.allclose(in_training, in_evaluation, atol=0.1))

# %% [markdown]
# For (B, T, C) we said that a row is one position. So layer norm of a whole batch of windows is
# layer norm of each position by itself, and batch norm treats the $B \cdot T$ positions as so
# many examples:

# %%
windows = torch.randn(4, 8, 32) * sizes + offsets  # (B, T, C)
layer, batch = LayerNorm(32), BatchNorm(32)
one_by_one = [[layer(windows[b, t]) for t in range(8)] for b in range(4)]
torch.testing.assert_close(layer(windows), torch.stack([torch.stack(r) for r in one_by_one]))

in_a_table = batch(windows.view(4 * 8, 32))  # (B * T, C)
torch.testing.assert_close(batch(windows), in_a_table.view(4, 8, 32))
print("layer norm: 32 positions, each by itself; batch norm: a table of", *in_a_table.shape)

# %% [markdown]
# ## Alone or among others
#
# *Claim ln-3.*
#
# From this the advantages that the notes list can be tested one by one. The first: layer norm
# does not depend on the batch. The first row of our 64, taken alone, gives what it gives among
# 64:

# %%
layer, batch = LayerNorm(32), BatchNorm(32)  # both in training mode
torch.testing.assert_close(layer(x[:1]), layer(x)[:1])
print("layer norm, 1 row against 64: the same")

apart = (batch(x[:8])[0] - batch(x)[0]).abs().max()
print("batch norm, 8 rows against 64: the first row has moved by more than 0.1:", bool(apart > 0.1))
try:
    batch(x[:1])
except ValueError as error:
    print("batch norm, 1 row:", error)

# %% [markdown]
# One row has no spread: every column would be its own mean, and the answer 0 whatever the row
# held. PyTorch's batch norm refuses it too.

# %% [markdown]
# ## Training and test
#
# *Claim ln-4.*
#
# The second: layer norm has nothing to remember, and no two modes.

# %%
print("buffers of batch norm:", [name for name, _ in BatchNorm(32).named_buffers()])
print("buffers of layer norm:", [name for name, _ in LayerNorm(32).named_buffers()])
layer = LayerNorm(32)
print("the same in both modes, to the bit:", torch.equal(layer.train()(x), layer.eval()(x)))

# %% [markdown]
# What does batch norm's second function cost? We trained the rung of this chapter (it comes
# below) twice over, once with each norm, from five seeds for 5,000 steps. Then each model was
# asked for its loss on the same 2,000 windows of validation text, in both modes; in training mode
# in batches of 32 windows, as in training.

# %%
from bardgpt.teaching.records import Band

post, batch = records.load("post-norm"), records.load("batch-norm")
gaps = {}
for name, record in (("layer norm", post), ("batch norm", batch)):
    runs = record.probes["modes"][5_000]
    gaps[name] = Band.of([run["training mode"] - run["evaluation mode"] for run in runs])
    print(f"{name}, training minus evaluation mode: {gaps[name]} nats")
assert gaps["layer norm"].mean == 0
assert abs(gaps["batch norm"].mean) > 4 * gaps["batch norm"].sd / 5**0.5  # standard errors

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two panels with the loss of five models each in training mode and in evaluation mode, joined by lines. With layer norm all lines are level. With batch norm all slope down: the loss of each seed is lower in evaluation mode."}}
figures.losses_by_mode(
    {
        "layer norm": ("norm", post.probes["modes"][5_000]),
        "batch norm": ("batch norm", batch.probes["modes"][5_000]),
    }
)

# %% [markdown]
# *The same models on the same 2,000 windows, in both modes, a line for each of five seeds.*
#
# With layer norm there is no difference, to the last digit of the record. With batch norm there
# is one of 0.017 nats, and its sign may surprise: the model is *worse* in training mode. We read
# it like this. In training mode the means and variances come from 256 positions, and are only a
# guess at those of the text. Each batch guesses a little differently, and this noise goes into
# every position. The running statistics average over the latest batches, so in evaluation mode
# most of the noise is gone. (If that is so, larger batches should close the gap. Exercise 4.) The
# noise also means that the loss that training reports is not the loss of the model that you will
# use.
#
# And the bet? On the whole validation split, in evaluation mode:

# %%
print(f"layer norm: {post.band()}")
print(f"batch norm: {batch.band()}")
lead = records.gain(post, batch)
print(f"batch norm ahead, seed by seed: {lead}")
assert abs(lead.mean) < 0.01  # what we call no difference

# %% [markdown]
# A draw. Batch norm is ahead by 0.003 nats, less than its own spread: whoever bet that it would
# fail has lost. So in this small model loss is no reason to prefer layer norm. The reasons are
# the others: a batch of one, one function instead of two, and the one that comes now.
#
# (Why normalizing helps training at all, where it does, is a question of its own. The authors of
# batch norm meant to keep the distribution of each layer's inputs steady. [Santurkar et al.
# 2018](references.md#santurkar-2018) found that this has little to do with its success, and give
# a smoother loss as the reason. What they studied is batch norm, mostly on images; we leave the
# question there.)

# %% [markdown]
# ## Who hears of it?
#
# *Claim ln-5.*
#
# The third advantage is the one that counts most in this book. A model that predicts the next
# character must not look at it. The package is guarded by a test for that: change a character,
# and no logits of *earlier* positions may move. (And none at all of *other* texts in the batch.)
# Let us run this test by hand, on models with either norm: four windows, and in one of them one
# character is changed.

# %%
from dataclasses import replace

from bardgpt.gpt import GPT
from bardgpt.teaching.ladder import RUNGS, shakespeare

tokenizer, train, validation = shakespeare()
ids = validation[:32].view(4, 8)  # (B, T)
changed = ids.clone()
changed[1, 4] = (changed[1, 4] + 1) % 65  # text 1, position 4: another character


@torch.no_grad()
def moves(model):
    """How far the logits of each position move: (B, T)."""
    return (model(changed) - model(ids)).abs().amax(dim=-1)


print("characters changed:", int((ids != changed).sum()), "of", ids.numel())

# %%
cases = {}
for norm in ("layer", "batch"):
    torch.manual_seed(0)
    model = GPT(replace(RUNGS["post-norm"].config, norm=norm))
    for mode in ("training", "evaluation"):
        cases[f"{norm} norm,\n{mode}"] = moves(model.train(mode == "training"))
for name, change in cases.items():
    past, others = change[1, :4], change[[0, 2, 3]]
    told = [bool((part > 1e-3).any()) for part in (past, others)]
    name = name.replace("\n", " ")
    print(f"{name:23} the past moves: {told[0]!s:5}  other texts move: {told[1]}")

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three grids of four texts by eight positions. A square marks the one changed character, in the second text, fifth position. With layer norm, and with batch norm in evaluation mode, only the changed position and those after it in the same text are coloured, all else is blank. With batch norm in training mode every cell of every text is coloured."}}
del cases["layer norm,\nevaluation"]  # the same as in training
figures.who_moves(cases, changed=(1, 4))

# %% [markdown]
# *How far logits move when the marked character is replaced by another, in untrained models of
# the post-norm rung. A dot: not at all.*
#
# With layer norm the change is felt at its own position and at later ones of the same text. This
# is what attention may do, and nothing else happens. With batch norm in training mode
# *everything* moves: the characters before it, and the other texts. The change went into the
# columns' means and variances, and every position was normalized with these. In evaluation mode
# the statistics are fixed, and the leak is closed.
#
# So what batch norm trains is not a causal model: its training loss is that of a function which
# has heard of the answer. Has it made use of that? Here we see no sign of it. If it read the
# future from the statistics, it should do better in training mode, and it does worse: one
# position among 256 is a whisper in the noise. But nothing forbids it, and where fewer numbers
# share a mean the whisper becomes a voice. In "what broke", below, only the eight positions of a
# window do.

# %% [markdown]
# ## The rung: where the paper put it
#
# In the Transformer of [Vaswani et al.](references.md#vaswani-2017) (section 3.1) the norm comes
# after the addition: if $f$ is attention or the feed-forward layer, the stream goes on as
#
# $$\mathrm{norm}(x + f(x)).$$
#
# This wiring is called *post-norm*. The norm sits *on* the stream, and everything that passes,
# the old content as well as what was added, is normalized anew after each branch.

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.blocks import PostNormBlock

listing(PostNormBlock)

# %% [markdown]
# What does it cost? Each block has two norms with $C$ gains and $C$ biases each:

# %%
without, with_norms = (GPT(RUNGS[name].config).n_parameters() for name in ("residual", "post-norm"))
print(f"{without:,} parameters without norms, {with_norms:,} with")
assert with_norms - without == 3 * 2 * 2 * 32  # blocks, norms in each, gains and biases, channels

# %% [markdown]
# And what does it bring? You train it for the first 1,000 steps. The yardstick for your run is
# the three plain blocks of chapter 5, which have neither additions nor norms: the norm, put
# across the stream, must not have undone what the additions had won.

# %%
from bardgpt.config import TrainingConfig
from bardgpt.teaching import checks
from bardgpt.training.loop import train as train_model

torch.manual_seed(0)
model = GPT(RUNGS["post-norm"].config)
history = train_model(model, train, validation, TrainingConfig(steps=1_000, seed=0))

plain = records.load("plain-blocks")
checks.measured(
    "post-norm, validation loss after 1,000 steps",
    history.at(1_000),
    post.band(1_000),
    below=plain.band(1_000).mean,
)

# %%
for name, record in (("residual", residual), ("post-norm", post)):
    print(f"{name:9}  1,000 steps: {record.band(1_000)};  5,000 steps: {record.band()}")
gain = records.gain(residual, post)
print(f"gain of the norm after 5,000 steps, seed by seed: {gain}")
assert abs(gain.mean) < 0.02  # a tenth of what the additions gained

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss of the seven rungs so far, five dots each, from the bigram near 2.50 down to the post-norm rung. The residual rung and the post-norm rung are the two lowest and lie close together, near the dashed line of the table with two characters of context at 2.049; the tables with more context lie far to the left."}}
figures.ladder("post-norm")

# %% [markdown]
# *The ladder so far. Each dot is one full run, each cross what the lecture reports; dashed, the
# tables of chapter 1.*
#
# In three blocks the norm is worth next to nothing. After 1,000 steps the two rungs cannot be
# told apart; after 5,000 the norm is ahead by 0.007 nats. All five seeds lean the same way, but
# it is less than the seeds of one rung differ among each other, and thirty times less than the
# additions brought. The notes call the norm the second optimization that deep networks need. This
# model is not deep, its start is mild and its learning rate modest: it has no need of help.
# Whether a norm helps where training is hard depends on where it stands, and that is [chapter
# 7](07-pre-and-post-norm.ipynb).
#
# What it does to the stream is plain to see. After each norm the size is 1 at the start, whatever
# the depth and whatever the weights, and training moves it only as far as the gains allow:

# %%
for start in ("default", "xavier"):
    after = records.at_start(f"small-post-norm-{start}", "stream")[1:]
    print(f"sixteen blocks, {start} start: size {min(b.mean for b in after):.2f} after each block")
    assert max(band.mean for band in after) - min(band.mean for band in after) < 0.001
first, *_, last = post.profile("stream", "stream", 5_000)
print(f"three blocks, 5,000 steps: {first} before the blocks, {last} after three")

# %% [markdown]
# ## What gain and bias learn
#
# A norm takes the size away, and the gain may give it back. Does the model make use of that? The
# rung has six norms, two in each block. Their gains start at 1, their biases at 0.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two plots over the six norms of the post-norm rung, at 0, 1,000 and 5,000 steps. Left, the mean gain: 1 at the start for all; after training the last norm's gain is by far the largest, the others stay closer to 1. Right, the RMS of the biases: 0 at the start, small for most norms after training, larger for the last."}}
figures.norm_gains(
    post, [f"{part}\n{block}" for block in (1, 2, 3) for part in ("attn.", "feed-f.")]
)

# %% [markdown]
# *Gains and biases of the six norms of the post-norm rung, before, during and after training.
# Markers: mean and standard deviation over five seeds. Bars: from the least to the greatest gain
# of the 32 channels after 5,000 steps, mean over the seeds.*
#
# Mostly it does not. In five of the six norms the gains stay close to 1, after 5,000 steps
# between 0.8 and 1.15 (channels included); the norms after attention come to rest a little below
# 1, those after feed-forward a little above. The biases stay small. The last norm is the
# exception: its mean gain has reached 1.33 after 1,000 steps and 1.57 after 5,000. It stands
# right before the output layer, where larger numbers make larger logits and so surer predictions.
# Without norms the stream was free to grow for that, to 3.5 after three blocks. Here the model
# has to ask for it, in one place, by name.

# %% [markdown]
# ## What broke when we changed it
#
# Three slips, all of which run without an error and train without complaint. Put $\varepsilon$
# outside of the root. Divide the variance by $n - 1$, which is what `x.var()` does unless told
# otherwise. And take `dim=1` literally, as the rule "0 becomes 1" has it, on an `x` of shape (B,
# T, C), where dimension 1 is time.


# %%
def eps_outside(x):
    return (x - x.mean(-1, keepdim=True)) / (x.std(-1, correction=0, keepdim=True) + 1e-5)


def unbiased(x):
    return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True) + 1e-5).sqrt()


judged = {
    "no slip": lambda x: standardize(x, dim=-1),
    "eps outside the root": eps_outside,
    "variance over n - 1": unbiased,
    "dim=1 of (B, T, C)": lambda x: standardize(x, dim=1),
}
print("to be judged:", "; ".join(judged))

# %% [markdown]
# Three checks: equality with PyTorch on ordinary numbers; the same on *quiet* ones, a thousand
# times smaller; and causality, by changing the last position and looking whether an earlier one
# moves.

# %%
loud, later = torch.randn(2, 2, 8, 32)  # each (B, T, C)
later[:, :-1] = loud[:, :-1]  # differs in the last position only
for name, norm in judged.items():
    caught = []
    for check, z in (("ordinary numbers", loud), ("quiet numbers", loud / 1_000)):
        expected = torch.nn.functional.layer_norm(z, (32,))
        if not torch.allclose(norm(z), expected, rtol=1e-3, atol=1e-3):
            caught.append(check)
    if not torch.allclose(norm(loud)[:, :-1], norm(later)[:, :-1]):
        caught.append("causality")
    print(f"{name}: {'caught by ' + ', '.join(caught) if caught else 'passes'}")

# %% [markdown]
# A misplaced $\varepsilon$ shows only in numbers whose variance is not far above it. That is no
# idle case: with the start N(0, 0.02²) of chapter 5 the embeddings' variance is below $10^{-3}$.
# A division by $n - 1$ makes everything smaller by $\sqrt{31/32}$, which the gain could undo: one
# would never see it in the loss. The third is the dangerous one. A model trained with it passes
# the best count table of chapter 1 within 400 steps (exercise 3), because each position has been
# told something about the one that it must predict. Nobody looks for a fault in a loss that is so
# good. The causality test does.
#
# This is where the notes' rule needs its condition: 0 becomes 1 *for inputs of shape (N, C)*.
# What is meant is the feature dimension, and `dim=-1` says so for any shape.
#
# All three can be planted in a copy of the project, with `make break` and
# `FAULT=eps-outside-the-root`, `FAULT=unbiased-variance` or `FAULT=norm-over-time`. It shows
# which check, and which cells of this book, turn red.

# %% [markdown]
# ## Exercises
#
# **1. What a norm forgets.** Multiply the 32 numbers of a position by 5 and add 7 to each. What
# does layer norm (with gain 1 and bias 0) make of it? And how long, as a vector, is a row that
# comes out? Where can it still point? And *RMSNorm* ([Zhang and Sennrich
# 2019](references.md#zhang-2019)), which many later models use, divides by the RMS and does not
# subtract the mean: which of the two does it forget?

# %% tags=["hide-cell"]
# It makes the same of it (but for eps): size and offset of the row are gone. Every row that comes
# out has length sqrt(32), for the sum of its squares is 32 times a variance of 1, and its numbers
# sum to 0. So it lies on a sphere in the 31 dimensions that are at right angles to (1, …, 1).
# RMSNorm forgets the size only: its rows lie on the sphere in all 32 dimensions.
norm = LayerNorm(32)
torch.testing.assert_close(norm(5 * x + 7), norm(x), rtol=0, atol=1e-4)
lengths = norm(x).norm(dim=-1)  # (N,)
torch.testing.assert_close(lengths, torch.full((64,), 32**0.5), rtol=1e-4, atol=0)
print("all rows of length sqrt(32), numbers summing to 0")

# %% [markdown]
# **2. A norm before a linear layer.** The last norm of your model stands right before `lm_head`.
# Set its gains to 1 and its biases to 0, and change `lm_head` so that the logits stay as they
# were. Could you do the same with the first norm of a post-norm block?

# %% tags=["hide-cell"]
# W (g * y + b) + c = (W * g) y + (W b + c): gain and bias fold into the linear layer. The first
# norm's output also runs on in the stream, where no linear layer waits for it: there it can't.
norm, head = model.blocks[-1].feed_forward_norm, model.lm_head
with torch.no_grad():
    before = model(ids)
    head.bias.add_(head.weight @ norm.bias)  # (V,)
    head.weight.mul_(norm.weight)  # (V, C), each column by its channel's gain
    norm.weight.fill_(1)
    norm.bias.fill_(0)
    torch.testing.assert_close(model(ids), before, rtol=1e-4, atol=1e-4)
print("the same logits without gain and bias")

# %% [markdown]
# **3. Too good to be true.** Put a norm over time (`dim=1`) into a new post-norm model, in place
# of all six, and train it for 400 steps. How does its validation loss compare with the best count
# table of chapter 1? Then look at the loss by position in the window: at which position does the
# model fail, and why there?

# %% tags=["hide-cell"]
# It is far below the table, by reading the answer: the next character stands in the window, one
# place later, and the norm mixes it in. Only of the last position is the answer not there.
from bardgpt.evaluation import losses


class NormOverTime(LayerNorm):
    def forward(self, x):
        return standardize(x, dim=1) * self.weight + self.bias


torch.manual_seed(0)
cheat = GPT(RUNGS["post-norm"].config)
for block in cheat.blocks:
    block.attention_norm, block.feed_forward_norm = NormOverTime(32), NormOverTime(32)
train_model(cheat, train, validation, TrainingConfig(steps=400, seed=0, evaluate_every=400))
by_position = losses(cheat, validation)[: 8 * 13_942].view(-1, 8).mean(dim=0)  # (T,)

# %% tags=["hide-cell"]
best = min(table["validation"] for table in records.read("count-tables")["tables"])
*others, last = by_position.tolist()
print(f"positions with a loss below the best table's {best:.3f}:", sum(p < best for p in others))
print("the last position is more than 1 nat worse than the worst of them:", last > max(others) + 1)

# %% [markdown]
# **4. How large a batch? (open)** Train the rung with `norm="batch"` for 1,000 steps, and ask
# `probes.losses_by_mode` for its two losses with a `batch_size` of 8, 32, 128 and 2,000 windows.
# What happens to the difference, and what does that say about where it comes from?

# %% [markdown]
# ## What to remember
#
# - To standardize is to subtract the mean and divide by the standard deviation. Batch norm does
#   it to columns (a feature, over all examples), layer norm to rows (an example, over its
#   features).
# - In a GPT a row is one position of one text. Layer norm uses the last dimension.
# - The change is one argument. All else that batch norm has, buffers, momentum, a second variance
#   and a second function, is there because its answer depends on the batch.
# - Layer norm treats a row alone as it does among others, and is the same in training and at
#   test. Batch norm in training mode tells every position about every other, also about the
#   future.
# - In this model, batch norm costs 0.017 nats in training mode, from the noise of its statistics,
#   and in evaluation mode predicts as well as layer norm. Layer norm in turn gains 0.007 nats
#   over no norm at all. With three blocks the norm is not what makes the difference; that takes a
#   harder case.
# - Post-norm puts the norm on the stream, after each addition.
#
# So the norm now stands across the very path that chapter 5 had kept clear of everything but
# additions. Must it? The next chapter moves it into the branch, and asks what that is worth.
