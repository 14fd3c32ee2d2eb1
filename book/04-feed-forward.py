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
# # 4 · Feed-forward
#
# In [chapter 3](03-multi-head-attention.ipynb) four heads gather from the past, and what they
# gather goes straight to the logits. The [lecture](references.md#ng-video-lecture) calls this way
# too fast: the tokens looked at each other, but had no time to think about what they found. What
# it calls time is a step of computing. This chapter adds one: a linear map and a ReLU.
#
# > **Attention communicates, the feed-forward layer computes.** It comes right after attention,
# > treats every position alone and all of them alike, and together with attention it forms a
# > *block*, the pair that a transformer repeats.
#
# After this chapter you can
#
# - say what attention can do and the feed-forward layer can't, and test it with one changed
#   character;
# - tell by a control whether a gain comes from the new parameters or from the ReLU;
# - say where the four in "four times as wide" comes from, and what else its parameters could do.
#
# **Make a guess before you read on.** The layer brings 1,056 new parameters, all in the linear map;
# the ReLU has none. Suppose you keep the parameters and leave the ReLU out. How much of the gain
# remains?

# %% [markdown]
# ## Votes that are only added
#
# What is hard for a model that goes straight from attention to the logits? Take chapter 3's rung
# of the ladder with random weights (what follows holds for any), and a window of text:

# %%
import torch

from bardgpt.batches import evaluation_windows
from bardgpt.gpt import GPT
from bardgpt.lab import probes
from bardgpt.lab.ladder import RUNGS
from bardgpt.shakespeare import shakespeare

tokenizer, train, validation = shakespeare()
torch.manual_seed(0)
voters = GPT(RUNGS["four-heads"].config)
ids = tokenizer.encode("my lord,")[None]  # (1, T)
x = voters.token_embedding(ids) + voters.position_embedding.weight  # (1, T, C)
print(f"{voters.n_parameters():,} parameters; x is {tuple(x.shape)}")

# %% [markdown]
# In each head every character has a value, of 8 numbers. The output layer, `lm_head`, multiplies
# them by the 8 columns of its weights that belong to this head. That gives 65 scores (chapter 2's
# row $W v_s$): the character's *votes* for what comes next. What the model answers is the sum of
# these votes, weighted by attention, plus a constant (its bias), and nothing else. By hand:

# %%
columns = voters.lm_head.weight.split(8, dim=1)  # (V, hs) for each head
pairs = zip(voters.blocks[0].attention.heads, columns, strict=True)
votes = [head.value(x) @ W.T for head, W in pairs]  # each (1, T, V)
A = probes.attention_maps(voters, ids)[0]  # (1, nh, T, T)
summed = (A @ torch.stack(votes, dim=1)).sum(dim=1)  # (1, T, V)
torch.testing.assert_close(summed + voters.lm_head.bias, voters(ids))
print(f"the logits are a weighted sum of {len(votes)} votes of each character")

# %% [markdown]
# What a character votes for depends only on the character and its place. It does not depend on
# which position looks at it, nor on what else was found. Attention's softmax is not linear, but it
# decides only how much the votes count. "An `r` was found, so these letters get more" and "an `e` was
# found, so those get more": such findings the model adds up. But a letter that should get more only
# if *both* were found? Write $[r]$ for what a head brings that finds `r`: 1 if it was found, else 0.
# Then
#
# $$[r] + [e] - [r \text{ or } e] = [r \text{ and } e].$$
#
# Each term on the left takes a head. So "both" costs three heads this way.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: how a head brings "or"</summary>
#
# A head's weights sum to 1. Let the value of `r` be 1 and all others 0, and let the head prefer `r`.
# With an `r` in the window it brings 1. Without one its weight lies on zeros, and it brings 0. Now let
# `e` have the value 1 as well, and let the head prefer `r` and `e` alike. Then it brings 1 when at
# least one of them is there: *or*. Inside a head's softmax findings do act on each other. Outside they
# are only added.
#
# </details>

# %% [markdown]
# With something that is not linear after attention, it is easy. The simplest such thing is the
# *ReLU*, $\max(0, z)$: it lets positive numbers pass, and makes 0 of all others. Let $r$ and $e$
# be what two such heads bring. Then one ReLU tells "both":

# %%
for r, e in ((0, 0), (1, 0), (0, 1), (1, 1)):
    both = torch.relu(torch.tensor(float(r + e - 1)))
    print(f"found r: {r}, found e: {e}, relu(r + e - 1) = {both:.0f}")

# %% [markdown]
# ## A linear map and a ReLU
#
# What a position has gathered is a vector $x_t$ of $C$ channels. The layer computes $H$ new
# numbers from it, each a weighted sum of all channels plus a bias, cut off at 0:
#
# $$y_t = \max(0,\; W x_t + b).$$
#
# These $H$ numbers are the *hidden units*. $W$ and $b$ are the same at all positions.
#
# Take two channels, which say whether `r` and `e` were found, and two hidden units: $r + e - 1$,
# from above, and $r - e$. Four positions, each by itself:

# %%
W = torch.tensor([[1.0, 1.0], [1.0, -1.0]])  # (H, C)
b = torch.tensor([-1.0, 0.0])  # (H,)
found = torch.tensor([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])  # (T, C)
for t, x_t in enumerate(found):
    y_t = torch.relu(W @ x_t + b)  # max(0, W x + b)
    r_and_e, r_not_e = y_t.tolist()
    print(f"position {t}: found {x_t.tolist()},", end=" ")
    print(f"both {r_and_e:.0f}, r without e {r_not_e:.0f}")

# %% [markdown]
# Positions 0 and 2 bring the same, and get the same, whatever stands beside them.
#
# In our model $C = 32$, and $H = C$, so that the output is as wide as the input:

# %%
from torch import nn

B, T, C = 2, 8, 32
linear = nn.Linear(C, C)
gathered = torch.randn(B, T, C)

by_hand = torch.empty(B, T, C)
for t in range(T):
    by_hand[:, t] = torch.relu(linear(gathered[:, t]))  # max(0, W x + b)
print(f"{tuple(by_hand.shape)}, the least number is {by_hand.min():.1f}")

# %% [markdown]
# PyTorch's linear layer works on the last dimension, so the package's class needs no loop. It can
# also grow: with "two-layer", `hidden` has `expansion` times $C$ units, and `proj`, a second linear
# map, brings them back to $C$. Here it stays at "one-layer", as in the lecture at this point.
# Dropout is off until chapter 8.

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.feed_forward import FeedForward
from bardgpt.teaching import listing

listing(FeedForward)

# %% [markdown]
# With our weights it gives our numbers:

# %%
rung = RUNGS["feed-forward"].config
layer = FeedForward(rung)
layer.hidden.load_state_dict(linear.state_dict())
torch.testing.assert_close(layer(gathered), by_hand)
size = sum(p.numel() for p in layer.parameters())
print(f"as by hand; {C} x {C} weights and {C} biases are {size:,} parameters")

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("feed-forward")

# %% [markdown]
# *Attention mixes positions: each receives from itself and from all before it. Then the same
# small network works at each position, and no arrow crosses.*

# %% [markdown]
# ## Each position by itself
#
# *Claim ffn-1 of the [claims page](claims.md).*
#
# Two tests. First: change one character, and see whose output moves. "my lord," and "my word,"
# differ only in position 3, counted from 0. We give the embeddings of both to the two layers of a
# new model, and print a dot for each position whose output stays exactly the same:

# %%
torch.manual_seed(0)
new = GPT(rung)  # untrained
attention, feed_forward = new.blocks[0].attention, new.blocks[0].feed_forward
places = new.position_embedding.weight  # (T, C)
x, changed = (
    (new.token_embedding(tokenizer.encode(text)) + places)[None]  # (1, T, C)
    for text in ("my lord,", "my word,")
)


def moved(layer: nn.Module) -> str:
    same = (layer(x) == layer(changed)).all(dim=-1)[0]  # (T,)
    return "".join(
        "·" if s else c for s, c in zip(same, "my␣word,", strict=True)
    )


print("feed-forward", moved(feed_forward), "\nattention   ", moved(attention))

# %% [markdown]
# In the feed-forward layer only position 3 moved: the layer is *position-wise*. In attention,
# position 3 and all after it moved.
#
# Second: shuffle the positions. If all are treated alike, it makes no difference whether we shuffle
# before the layer or after it. The two *commute*.

# %%
order = torch.randperm(T, generator=torch.Generator().manual_seed(0))
print("largest difference between the two ways, for the order", order.tolist())
for name, part in (("feed-forward", feed_forward), ("attention", attention)):
    gap = (part(x[:, order]) - part(x)[:, order]).abs().max()
    print(f"{name:12} {gap:.2f}")

# %% [markdown]
# Attention fails both tests (the second for another reason: exercise 2).

# %% [markdown]
# ## Who can move whom
#
# *Claim ffn-2.*
#
# The tests tried one change and one order. Derivatives cover every small change at once, but only
# near one input. For output position $t$ and input position $s$ there are $C \times C$ of them, one
# for each pair of channels: a piece of the layer's *Jacobian*. In the feed-forward layer,
# $y_t = \max(0, W x_t + b)$ contains $x_t$ and no other $x_s$:
#
# $$\begin{aligned}
# \frac{\partial y_t}{\partial x_s} &= 0 \text{ for } s \neq t, \\
# \frac{\partial y_t}{\partial x_t} &= D_t W.
# \end{aligned}$$
#
# $D_t$ is diagonal. It has a 1 for each unit above 0 at position $t$, and a 0 for each that is cut
# off. Take the root of each piece's summed squares, and you have a $T \times T$ picture of who can
# move whom. By hand, and by the package:

# %%
from bardgpt.layers.attention import causal_mask

J = torch.autograd.functional.jacobian(attention, x)  # (1, T, C, 1, T, C)
by_hand = J.square().sum(dim=(0, 2, 3, 5)).sqrt()  # (T, T)

across = probes.position_jacobian(attention, x[0])  # (T, T)
within = probes.position_jacobian(feed_forward, x[0])  # (T, T)
torch.testing.assert_close(by_hand, across)
assert torch.equal(across != 0, causal_mask(T))
assert torch.equal(within != 0, torch.eye(T, dtype=torch.bool))
print(f"of {T * T} pairs, attention connects {(across != 0).sum()},", end=" ")
print(f"feed-forward {(within != 0).sum()}")

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two square grids of eight output by eight input positions. For attention all cells on and below the diagonal are coloured, and all above it are empty. For the feed-forward layer only the eight cells of the diagonal are coloured."}}
pictures = {"attention": across, "feed-forward": within}
figures.jacobians(pictures, "my lord,")

# %% [markdown]
# *How strongly each output position (row) depends on each input position (column), in a new model
# (␣ is a space). The triangle of attention is its causal mask; the feed-forward layer has the
# diagonal only. The first position listens to itself alone; hence the bright cell.*
#
# All that passes between positions passes through attention. So only attention needs a mask.

# %% [markdown]
# ## The pair
#
# *Claim ffn-3.*
#
# The layer comes right after attention (`_Parts` only makes the two layers):

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.blocks import PlainBlock

listing(PlainBlock)

# %% [markdown]
# The block returns the shape that it received, so its output can be the input of another one. A
# position then gathers what others have already thought. In a stack, too, no later position can
# move an earlier one. Position 3 of the second block reads positions 0 to 3 of the first, and these
# read only positions 0 to 3 of the text. (The Jacobians multiply, and a product of lower-triangular
# matrices is lower-triangular.)

# %%
block = new.blocks[0]
torch.testing.assert_close(block(x), feed_forward(attention(x)), rtol=0, atol=0)
stack = nn.Sequential(*(PlainBlock(rung) for _ in range(3)))
assert torch.equal(probes.position_jacobian(stack, x[0]) != 0, causal_mask(T))
print(f"three blocks: {tuple(x.shape)} in, {tuple(stack(x).shape)} out", end="")
print(", and still causal")

# %% [markdown]
# ## Too fast to the logits?
#
# *Claim ffn-4.*
#
# If the lecture is right, the loss must fall when the layer is added. But the layer also adds
# parameters, and these might help. So we need a *control*: a model with the same new parameters,
# but without time to think. Leave the ReLU out, and the layer is a linear map after attention.
# The output layer is linear too, and two linear maps in a row are one:
#
# $$\begin{aligned}
# W_2 (W_1 x + b_1) &+ b_2 \\
# &= W' x + b',
# \end{aligned}$$
#
# with $W' = W_2 W_1$ and $b' = W_2 b_1 + b_2$. So the linear layer folds into the output layer
# `lm_head`, and what is left is chapter 3's model with other numbers in it:

# %%
import dataclasses

torch.manual_seed(0)
control = GPT(dataclasses.replace(rung, activation="none"))
folded = GPT(RUNGS["four-heads"].config)
folded.load_state_dict(control.state_dict(), strict=False)  # it lacks a layer
first, last = control.blocks[0].feed_forward.hidden, control.lm_head
with torch.no_grad():
    folded.lm_head.weight.copy_(last.weight @ first.weight)
    folded.lm_head.bias.copy_(last.weight @ first.bias + last.bias)
torch.testing.assert_close(folded(ids), control(ids))
sizes = [f"{net.n_parameters():,}" for net in (control, folded)]
print(f"{sizes[0]} parameters say what {sizes[1]} say")

# %% [markdown]
# So the control can say nothing new. With the ReLU in between nothing folds. Now train the real
# thing for 1,000 steps. It is compared with *records*, the finished runs of a model: five seeds
# of 5,000 steps. `band(step)` is the mean and standard deviation of their validation loss then,
# and `records.gain(a, b)`, below, how much lower `b` ends than `a`, seed by seed.

# %%
from bardgpt import records
from bardgpt.config import TrainingConfig
from bardgpt.teaching import checks
from bardgpt.training.loop import train_model

torch.manual_seed(0)
trained = GPT(rung)
first_steps = TrainingConfig(steps=1_000, seed=0)
history = train_model(trained, train, validation, first_steps)

four, relu = records.load("four-heads"), records.load("feed-forward")
checks.measured(
    "with feed-forward, validation loss after 1,000 steps",
    history.at(1_000),
    relu.band(1_000),
    below=four.band(1_000).mean,
)

# %% [markdown]
# Your run is already below the mean of four heads. Is that the ReLU's doing? 1,000 steps cannot
# tell: by then the recorded layer leads by 0.034, but even the control by 0.021. The recorded runs
# go on to 5,000 steps:

# %%
control_runs = records.load("feed-forward-linear")
models = {"nothing": four, "linear": control_runs, "linear, ReLU": relu}
gains = {
    "the layer": records.gain(four, relu),
    "its linear map alone": records.gain(four, control_runs),
    "the ReLU, over the linear map": records.gain(control_runs, relu),
}
for name, gain in gains.items():
    print(f"{name:30} gains {gain}")
for name in ("the layer", "the ReLU, over the linear map"):
    error = gains[name].sd / gains[name].n ** 0.5
    assert gains[name].mean > 4 * error
assert abs(gains["its linear map alone"].mean) < 0.01  # no difference to see

# %% tags=["hide-input"]
from bardgpt import teaching

rows = {}
for name, record in models.items():
    size, early = GPT(record.model).n_parameters(), record.band(1_000).mean
    rows[name] = [f"{size:,}", f"{early:.3f}", record.band().short]
columns = ["parameters", "1,000 steps", "5,000 steps"]
teaching.table("before the logits", columns, rows)

# %% [markdown]
# *Validation loss by what stands between attention and the logits: means of five seeds, at the end
# with their standard deviation.*

# %% [markdown]
# The layer gains 0.025 nats, and all five seeds agree. Its linear map alone gains nothing that
# could be told from 0. So the answer to the guess is: none. What the model lacked was not these
# parameters, it was something that is not linear after attention. If that is the time to think,
# the lecture is right.
#
# (Chapter 3's four heads, instead of one, gained 0.128.)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Lead over four heads alone, in nats, against steps. Two bundles of five thin lines, each with a thick mean. The dotted one, the linear control, begins highest, falls, reaches zero by about 2,500 steps and stays there. The solid one, with the ReLU, settles near 0.025 and stays. At 250 steps single seeds scatter widely."}}
against = {name: models[name].histories for name in ("linear", "linear, ReLU")}
figures.leads(four.histories, against)

# %% [markdown]
# *How far two models lie below four heads alone while they train, each run against the one of the
# same seed: five seeds as thin lines, their mean as a thick one. Dashed: no lead.*

# %% tags=["hide-input"]
steps, rows = (250, 1_000, 2_000, 5_000), {}
for name in ("linear", "linear, ReLU"):
    ends = [
        four.band(step).mean - models[name].band(step).mean for step in steps
    ]
    rows[name] = [f"{lead:.3f}" for lead in ends]
teaching.table("lead", [f"{step:,} steps" for step in steps], rows)

# %% [markdown]
# *The same means, in nats.*
#
# After 250 steps the control is further ahead than the real layer; after 2,000 hardly anything of
# that lead is left. It only gets there faster. ([Arora et al.](references.md#arora-2018)
# study why two linear maps can be quicker to learn than one.)
#
# Train with the layer, without its ReLU, without the layer. (The trainer's "plain" is this block:
# attention, then feed-forward.) Which curve falls fastest at first, and which is lowest at the end?
# Does another seed give the same order? The trainer stops at 1,000 steps, where the layer still
# helps even without its ReLU.

# %% tags=["hide-input"]
from bardgpt.teaching import live

live.trainer("feed-forward", vary=("heads", "feed-forward", "seed"))

# %% [markdown]
# ## A wider layer
#
# [Vaswani et al.](references.md#vaswani-2017) give the layer 2,048 hidden units for 512 channels,
# $H = 4 C$, and a second linear map, back to $C$:
#
# $$\begin{aligned}
# y_t = W_2 \max(0, &W_1 x_t + b_1) \\
# &+ b_2.
# \end{aligned}$$
#
# (In chapter 5 a layer's output is added to its input. So it must be $C$ wide, and able to be
# negative, as the output of a ReLU never is.) What do more units give?

# %%
grown = records.load("feed-forward-two-layer")
models["4 C units, ReLU,\nand back"] = grown
print(f"{GPT(grown.model).n_parameters():,} parameters, {grown.band()}")
gain = records.gain(relu, grown)
print(f"gain over the layer of C units: {gain}")
assert gain.mean > 4 * gain.sd / gain.n**0.5  # four standard errors

# %% [markdown]
# <details class="fold aside"><summary>For the curious: seed by seed</summary>
#
# Validation loss after 5,000 steps by what stands between attention and the logits: one kind of
# mark for each of five seeds, a bar at their mean. A line joins the runs of one seed, which saw the
# same windows of text. These lines are why we compare seed by seed. The worst run with the ReLU
# ends no better than the best one with nothing. But they are not of the same seed, and along each
# line the ReLU gains.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true} mystnb={"image": {"alt": "Four rows of five marks, a shape for each seed, equal seeds joined by dotted lines, with a bar at each mean. Nothing and linear cover the same stretch, 2.265 to 2.29. Linear with ReLU lies left of them, near 2.25, but for one seed at 2.267. Four times as many units, with ReLU and back, lie far to the left, 2.16 to 2.19."}}
# @title Code of this aside
ends = {name: record.validation for name, record in models.items()}
figures.seeds_compared(ends)

# %% [markdown]
# The wider layer gains for every seed, on average 0.072 nats: nearly three times what the first gave.
# The second linear map folds into the output layer, just as the control did. What is left is more
# hidden units, 128 instead of 32: each can test another combination, as "both" did. But
# the model has nearly twice as many parameters, so this needs a control of its own.

# %% [markdown]
# ## Why four times?
#
# *Claim ffn-5.*
#
# Four is what Vaswani et al. took, and most have since: a convention, not a law. It decides where
# a transformer's weights are. The two maps of this layer have $8 C^2$ of them, and attention has
# $4 C^2$ with the projection that chapter 5 adds: two thirds of a block are here. (In our rung, with
# one map and no projection, it is the other way round: $C^2$ here, $3 C^2$ there.) What do 1, 2, 4 and
# 8 units for each channel give? And is the hidden layer the best place for the parameters? With 44
# channels instead of 32, embeddings, heads and output layer all grow. A model of 44 channels with
# one hidden unit each has *exactly* as many parameters as one of 32 with four.
#
# **Guess first:** which of the two is ahead? And does a ReLU without its corner help? The ReLU is
# flat up to 0, then a straight line. Flat means no gradient. If a unit is cut off at every
# position, its weights get none: it is *dead*. *GELU* ([Hendrycks and
# Gimpel](references.md#hendrycks-2016)), which GPT-2 has, is $z$ times the share of a standard
# normal distribution that lies below $z$. Just below 0 it still slopes; far below it is flat, too.

# %%
z = torch.tensor([-3.0, -1.0, -0.1, 0.0, 0.1, 1.0, 3.0])
below = torch.distributions.Normal(0, 1).cdf(z)
torch.testing.assert_close(z * below, nn.GELU()(z))
print("    z   ReLU   GELU")
for values in torch.stack((z, torch.relu(z), z * below), dim=1).tolist():
    print("  ".join(f"{value:5.2f}" for value in values))

# %%
widths = records.load_sweep("hidden-widths")
print("1 to 2 units:       ", records.gain(widths["1"], widths["2"]))
print("2 to 4 units:       ", records.gain(widths["2"], widths["4"]))
print("4 to 8 units:       ", records.gain(widths["4"], widths["8"]))
print("44 channels to 32:  ", records.gain(widths["wide"], widths["4"]))
print("ReLU to GELU:       ", records.gain(widths["4"], widths["gelu"]))

# %% tags=["hide-input"]
rows = {}
for name, record in widths.items():
    width, units = record.model.n_embd, record.model.n_hidden
    kind = ", GELU" if name == "gelu" else ""
    size = record.model.n_parameters()
    head = f"{units // width} for each of {width}{kind}"
    rows[head] = [f"{size:,}", record.band().short]
teaching.table("hidden units", ["parameters", "validation loss"], rows)

# %% [markdown]
# *The validation loss of each, five seeds: mean and standard deviation. (The output above: how
# much lower the second ends than the first, seed by seed.) All rows have the second linear map:
# hence 9,665 parameters in the first, not 8,609.*
#
# Each doubling brings about as much, 0.033 to 0.038 nats. So more is better, and costs more.
#
# The model with 44 channels is the control: the same number of parameters, spent on channels, does
# nearly as well. It is 0.008 ± 0.011 behind, over five pairs of runs. Chance moves a mean as much:
# 2.185 here and 2.177 for the wider layer above are one model, its heads begun with other weights.
# So we cannot say that more hidden units gain more than the same number of parameters elsewhere.
# GELU and ReLU differ even less. A large model we have not measured.

# %% [markdown]
# ## What single units fire on
#
# A hidden unit is one number at each position. What makes it large? Among 32 units some will look
# meaningful by chance. So we write down ten properties of the text, "a vowel", say. We *choose*
# the best unit for each on the training text, *judge* it on the validation text, and compare it
# with the best unit of the model before training. Here are the units of your model for two
# properties:

# %% [markdown]
# <details class="fold aside"><summary>For the curious: how a unit is chosen and judged</summary>
#
# The score is the *AUC*, the area under the ROC curve: take one position that has the property and one that
# has not, at random; the AUC is the probability that the unit is larger at the first (a tie counts half;
# [Hanley and McNeil](references.md#hanley-1982)). A perfect unit has 1, and one that knows nothing 0.5; a
# unit that is lower where the property holds has less than 0.5.
#
# The cell chooses and judges on your own model, for two of the properties; what they are compared with comes
# from the record. (`labels` leaves out the first four positions of each window, which cannot see as far back
# as some properties look.)
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
def look(text: torch.Tensor):
    windows, _ = next(evaluation_windows(text, 8, batch_size=2_000))
    has = probes.labels(tokenizer.decode(windows.flatten()), 8)
    return probes.hidden_units(trained, windows), has  # (8000, H), (2000, 4)


(seen, has), (fresh, new_has) = look(train), look(validation)
after, chosen = relu.probe_bands("units", 1_000), {}
for name in ("a vowel", "two capitals in a row"):
    chosen[name] = probes.auc(seen, has[name].flatten()).argmax()
    score = probes.auc(fresh, new_has[name].flatten())[chosen[name]].item()
    best = after[f"{name}, untrained"].mean
    checks.measured(
        f"the unit for {name}", score, after[name], above=best, unit="AUC"
    )

# %% tags=["hide-input"] mystnb={"image": {"alt": "The same 160 characters of a play twice, on a ground of varying depth. Above, the unit for vowels: most vowels stand on deep ground, spaces on lighter, most consonants on little or none. Below, the unit for two capitals in a row: the speakers' names in capitals stand on deep ground, and so do line breaks and some punctuation; lower-case words on almost none."}}
windows = validation[4:171].unfold(0, 8, 1)  # (160, 8), by one character each
fires = probes.hidden_units(trained, windows).view(160, 4, -1)  # of 4 places
shown = {
    f"the unit for {name}": fires[:, -1, unit] for name, unit in chosen.items()
}
figures.firing(tokenizer.decode(windows[:, -1]), shown)

# %% [markdown]
# *Two hidden units of your model after 1,000 steps, each character as the last one of its window
# (↵ is a line break). Neither was picked for how it looks here.*
#
# In our run the unit for a vowel fires at many spaces, too, and hardly at vowels in capitals. The
# other one fires also at line breaks and some punctuation. Neither was told of its property.
#
# For each property and each of five seeds, the chosen unit does better than the best of the
# untrained model. The score is the chance that the unit is larger at a vowel, say, than at
# another character: 0.5 is blind, 1 perfect. For vowels it is 0.89 after 5,000 steps, not perfect,
# and 0.59 before training. But that a unit *carries* a property does not mean that this layer *found
# it out*. Exercise 3 looks at what goes in.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: all ten properties, over five seeds</summary>
#
# The figure has mean and standard deviation over five seeds, on 8,000 positions of new text. Circles are
# units chosen on the training text, after 5,000 steps; squares are chosen in the same way before training;
# crosses are the mean over the 32 units after 5,000 steps, which is what a unit taken at random can expect.
# Where a cross lies below 0.5, at spaces and line breaks above all, the units are on the whole low.
#
# What can be seen from the current character alone comes out well, and so does "two capitals in a row". A
# place in a word, or a doubled letter, no single unit knows as well. What is not in one unit may still be in
# several together; that we did not measure.
#
# After 1,000 steps these scores are almost what they are at the end, while the loss still falls by 0.2 nats.
# So what single units fire on, measured like this, does not explain that fall.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
units = relu.probe_bands("units", 5_000)
moves = [abs(units[name].mean - after[name].mean) for name in probes.PROPERTIES]
print("from 1,000 to 5,000 steps no mean moves by more", end=" ")
print(f"than {max(moves):.2f}")

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true} mystnb={"image": {"alt": "Ten rows, one for each property, with three marks each. The marks of chosen units of the trained model lie between 0.68 and 0.99: nearly perfect for spaces, line breaks, two capitals and punctuation, lower for places in a word. Those of untrained models lie left of them, between 0.57 and 0.75, and the means of all units lie lower again, between 0.38 and 0.55, lowest for spaces and line breaks."}}
# @title Code of this aside
endings = {
    "chosen unit": "",
    "chosen, untrained": ", untrained",
    "mean of all units": ", random",
}
figures.unit_scores(
    {
        kind: {name: units[name + ending] for name in probes.PROPERTIES}
        for kind, ending in endings.items()
    }
)

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
runs, rows = relu.probes["units"][5_000], {}
for name in sorted(probes.PROPERTIES, key=lambda name: -units[name].mean):
    kinds = (name, f"{name}, untrained")
    better = sum(run[kinds[0]] > run[kinds[1]] for run in runs)
    scores = [f"{units[kind].mean:.2f}" for kind in kinds]
    rows[name] = [*scores, f"{better} of {len(runs)} seeds"]
columns = ["trained", "untrained", "trained is better in"]
teaching.table("the unit chosen for", columns, rows)

# %% [markdown]
# ## The ladder

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss of the four rungs so far, five dots each: bigram near 2.50, one head near 2.40, four heads near 2.27, feed-forward slightly lower. Dashed lines mark the count tables: 2.486 with one character of context, 2.049 with two, 1.669 with four. Crosses mark what the lecture reports: 2.5, 2.40, 2.28, 2.24."}}
from bardgpt.lab.ladder import climbed

tables = [table["validation"] for table in records.tables()]
figures.ladder(climbed("feed-forward"), tables)

# %% [markdown]
# *The ladder so far. Each dot is one full run, each cross what the lecture reports; dashed,
# chapter 1's tables of counts, uncut, with one, two and four characters before.*
#
# 2.249 ± 0.011 nats over five seeds; the lecture, with another evaluation, reports 2.24, after 2.28
# for four heads: 0.04 lower, where ours is 0.025. (Its figures are rounded.) The table of two
# characters is still 0.2 nats ahead. Cut to windows of 8 ([chapter 2](02-one-head.ipynb)), which is
# fairer, it is ahead by less than three quarters of that. From one prompt, this rung and the one
# before it write:

# %% tags=["hide-input"]
live.writer("feed-forward", beside="four-heads")

# %% [markdown]
# You cannot see 0.025 nats in a sample.

# %% [markdown]
# ## What broke when we changed it
#
# Someone might write the feed-forward layer as a convolution along the text, of width 3, with the
# usual padding of 1. It returns the right shape. But now every position reads its two neighbours, one
# of them in the future:


# %%
class Neighbours(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Conv1d(C, C, kernel_size=3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        along = self.hidden(x.transpose(1, 2))  # (B, C, T)
        return torch.relu(along.transpose(1, 2))  # (B, T, C)


torch.manual_seed(0)
print("feed-forward", moved(feed_forward))
print("neighbours  ", moved(Neighbours()))

# %% [markdown]
# Position 2 has moved, though "lord" became "word" only after it. The target at each position is
# the next character, so at seven of the eight positions it can now be read from the right-hand
# neighbour. The last has none, and when the model writes, only the last one's answer is used.
# Train this model, and ask it on whole windows, as the loss does, and for the fifth character,
# when only four are there.

# %%
leaky = GPT(rung)
leaky.blocks[0].feed_forward = Neighbours()
train_model(leaky, train, validation, TrainingConfig(steps=300, seed=0))
inputs, targets = next(evaluation_windows(validation, 8, batch_size=2_000))
loss, losses = nn.CrossEntropyLoss(), {}
for name, net in (("feed-forward", trained), ("neighbours", leaky)):
    whole = loss(net(inputs).flatten(0, 1), targets.flatten())
    fifth = loss(net(inputs[:, :4])[:, -1], targets[:, 3])
    losses[name] = (whole.item(), fifth.item())
(whole, fifth), (leaked, blind) = losses["feed-forward"], losses["neighbours"]
checks.within("feed-forward, whole windows", whole, above=1)
checks.within("feed-forward, fifth character", fifth, below=3)
checks.within("neighbours, whole windows", leaked, below=1)
checks.within("neighbours, fifth character", blind, above=3)

# %% [markdown]
# Less than 1 nat, and on the validation text! Held-out text does not protect from this leak: there,
# too, the next character stands in the window. Asked for a character that is not there yet, the
# same model has 3.2 nats. (The real layer is below 3 after 300 steps, too: see the trainer.) So a
# loss that is too good is a reason to look for a leak. Ask whether a later character can move an
# earlier position's logits:

# %%
changed_ids = tokenizer.encode("my word,")[None]
gaps = {}
for name, net in (("feed-forward", trained), ("neighbours", leaky)):
    gap = (net(ids) - net(changed_ids))[:, :3].abs().max()
    gaps[name] = gap.item()
print(f"feed-forward, largest change of a logit: {gaps['feed-forward']:.3f}")
checks.within("neighbours, largest change", gaps["neighbours"], above=0.1)

# %% [markdown]
# ## Exercises
#
# Try each before you open its solution. Where a cell waits for your code, write it, run the cell,
# and it tells you what is not right yet.
#
# **Check yourself.** (a) Swap two neighbouring vectors of the feed-forward layer's input. What
# happens to its output? (b) Of the $T \times T$ pairs of positions, how many can attention
# connect, for $T = 8$ and for $T = 256$? (c) Someone adds a linear layer before the output layer,
# and after 250 steps the loss is lower. Can the new model say more than the old one? What should
# be looked at before the layer is kept? (d) Someone searches the 32 units on the validation text,
# finds one with a score of 0.60 there for "a doubled letter", and calls it the unit for doubled
# letters. Which two steps are missing?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# (a) The two outputs there are swapped, and no other changes. (b) Each position connects with
# itself and all before it: T (T + 1) / 2. (c) No: two linear maps in a
# row are one. It may only have learned faster; so compare at the end, over several seeds.
# (d) To judge it on a text that had no say in the choice, and to compare: the best unit of an
# untrained model reaches 0.60, too.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
for positions in (8, 256):
    connected = causal_mask(positions).sum()
    print(f"T = {positions}: {connected:,} of {positions**2:,} pairs")

# %% [markdown]
# **1. A convolution of width 1.** The paper that introduced the transformer notes that its
# feed-forward layers can be described as convolutions with kernel size 1 ([Vaswani et
# al.](references.md#vaswani-2017), section 3.3). Build the linear map of `feed_forward`, the
# untrained layer from above, as an `nn.Conv1d`, and compare. How would a width of 3 have to be
# padded so as not to see the future?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# A width of 3 needs both its zeros on the left. It would still mix positions: attention's work.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
conv = nn.Conv1d(C, C, kernel_size=1)
with torch.no_grad():
    conv.weight.copy_(feed_forward.hidden.weight[:, :, None])  # (C, C, 1)
    conv.bias.copy_(feed_forward.hidden.bias)
as_convolution = conv(x.transpose(1, 2)).transpose(1, 2).relu()  # (1, T, C)
torch.testing.assert_close(as_convolution, feed_forward(x))
gap = (as_convolution - feed_forward(x)).abs().max()
print(f"largest difference from the layer: {gap:.3f}")

# %% [markdown]
# **2. Alone, or alike?** Attention failed both tests, alone and alike. Take its mask away, so that
# every position looks at every other. Which of the two tests does a head pass now? What does that
# say about the tests?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# It commutes now, and still a changed character moves everyone. So commuting says that all
# positions are treated alike; only the first test says that each is treated alone.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
from bardgpt.layers.attention import attention_weights

head = attention.heads[0]
everyone = torch.ones(T, T, dtype=torch.bool)


def unmasked(x: torch.Tensor) -> torch.Tensor:
    A = attention_weights(head.query(x), head.key(x), everyone)
    return A @ head.value(x)


torch.testing.assert_close(unmasked(x[:, order]), unmasked(x)[:, order])
print("commutes; whose output moved:", moved(unmasked))

# %% [markdown]
# **3. Whose doing is it?** That a unit tells a property may be the doing of attention, if a channel
# of attention's output tells it just as well. Run the procedure of the fold "how a unit is chosen
# and judged" (`look`, `probes.auc`, the labels `has` and `new_has`) on the 32 channels that go
# *into* the layer of your model. Compare the best unit with the best channel on new text, for "a
# space", "a line break", "a capital" and "two capitals in a row". A channel, unlike a unit, may
# also be low where the property holds. Does the layer help? Then try the other six properties
# (open).

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Spaces and line breaks come in as clear as they go out; for capitals the unit is better than any
# channel. But that is one run: with seed 2 a channel is as good for both kinds of capitals.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def going_in(text: torch.Tensor) -> torch.Tensor:
    windows, _ = next(evaluation_windows(text, 8, batch_size=2_000))
    x = trained.token_embedding(windows) + trained.position_embedding.weight
    return trained.blocks[0].attention(x)[:, 4:].flatten(0, 1).detach()


old, new_text = going_in(train), going_in(validation)
for name in ("a space", "a line break", "a capital", "two capitals in a row"):
    known, asked = has[name].flatten(), new_has[name].flatten()
    unit = probes.auc(seen, known).argmax()
    channel = (probes.auc(old, known) - 0.5).abs().argmax()
    score = probes.auc(new_text, asked)[channel]
    better = probes.auc(fresh, asked)[unit] - max(score, 1 - score)
    bound = "above" if "capital" in name else "below"
    checks.within(f"{name}, unit over channel", better.item(), **{bound: 0.03})

# %% [markdown]
# **4. Half a layer (open).** The control kept the linear map and dropped the ReLU. Do it the
# other way round: let `hidden` be `nn.Identity()`, so that attention's output goes through a ReLU
# and nothing else, with not one new parameter. Before you train it for 1,000 steps, think of what
# the heads' value matrices could take over, and of what they could not, as each head makes only
# its own 8 channels.

# %% [markdown]
# **5. Exactly one.** One ReLU tells that both were found. Write a function of two tensors of zeros
# and ones that gives 1 where exactly one of the two was found, and 0 elsewhere. Use additions,
# multiplications by numbers and `torch.relu`, as a layer with two hidden units could.

# %% tags=["remove-output"]
from bardgpt.teaching import exercises


def exactly_one(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Give 1 where one of a and b is 1, and 0 where both or none is."""
    ...


exercises.check("4.5", exactly_one)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# The sum is 0, 1 or 2. It has to come down again at 2, and that takes a second unit: the one for
# "both", which counts twice.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def exactly_one(a, b):
    return torch.relu(a + b) - 2 * torch.relu(a + b - 1)


exercises.check("4.5", exactly_one)

# %% [markdown]
# **6. A test for leaks.** Write a function that says whether a layer lets a position see a later
# one. It is given any layer from (1, T, C) to (1, T, C), and an input for it. Change the input, and
# leave its shape as it is.

# %% tags=["remove-output"]
from collections.abc import Callable


def sees_the_future(layer: Callable, x: torch.Tensor) -> bool:
    """Say whether a position of layer(x) depends on a later one of x."""
    ...


exercises.check("4.6", sees_the_future)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Change one position after the other, and look at all that stand before it. One position is not
# enough: a leak may be at another.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def sees_the_future(layer, x):
    for s in range(1, x.shape[1]):
        other = x.clone()
        other[:, s] += 1
        if not torch.equal(layer(other)[:, :s], layer(x)[:, :s]):
            return True
    return False


exercises.check("4.6", sees_the_future)

# %% [markdown]
# ## What to remember
#
# - Attention moves content between positions; the feed-forward layer computes at each position by
#   itself, with the same weights everywhere.
# - The pair is the block. It keeps the shape, so it can be repeated.
# - In this model the layer lowers the loss by 0.025 nats, and by nothing if the ReLU is left out:
#   then it folds into the output layer. What is not linear is what counts.
# - More hidden units lower the loss further; so do more channels. Four units for each channel is a
#   convention.
# - A loss that is too good may be a leak: ask whether a later character moves an earlier
#   position.
#
# In the config one setting has changed:

# %%
from bardgpt.lab.ladder import config_diff

print(
    *config_diff(RUNGS["four-heads"].config, RUNGS["feed-forward"].config),
    sep="\n",
)

# %% tags=["hide-input"]
figures.diagram("rung-feed-forward")

# %% [markdown]
# *This chapter's rung, one block.*
#
# If one round of gathering and thinking helps, several should help more. But simply stacking
# blocks turns out to be harder than it looks, and what makes it work is an addition. That is the
# next chapter: [residual connections](05-residual-connections.ipynb).
