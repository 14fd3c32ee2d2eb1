# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% tags=["remove-cell"]
# On Colab this installs the book's package and names the GPU; anywhere else it does nothing.
import sys
from importlib.util import find_spec

if "google.colab" in sys.modules:
    repository = "https://github.com/set-this-to-your-own-github-account-name/bardgpt"
    if find_spec("bardgpt") is None:
        if len(repository.split("/")[3]) > 39:  # no account on GitHub has so long a name
            raise RuntimeError("The book has no address yet; `make repository URL=…` sets it.")
        get_ipython().run_line_magic("pip", f"install -q git+{repository}")
    from bardgpt.training.devices import facts

    print("GPU:", facts().gpu or "none; chapter 9 wants one: menu Runtime, Change runtime type")

# %% [markdown]
# # 4 · Feed-forward
#
# In [chapter 3](03-multi-head-attention.ipynb) four heads gather from the past, and what they
# gather goes straight to the logits. The [lecture](references.md#ng-video-lecture) finds that the
# model went way too fast to the logits: the tokens looked at each other, but had no time to think
# about what they found. This chapter gives them that time. It is a small layer, a linear map and
# a ReLU:
#
# > **Attention communicates, the feed-forward layer computes.** It comes right after attention,
# > treats every position alone and all of them alike, and together with attention it forms a
# > *block*, the pair that a transformer repeats. In this model it lowers the loss.
#
# After this chapter you can
#
# - say what attention can do and the feed-forward layer can't, and test it with one changed
#   character;
# - tell by a control whether a gain comes from the new parameters or from the ReLU;
# - choose a hidden unit for a property of the text, and judge it, without fooling yourself.
#
# **Before you run anything:** the layer brings 1,056 new parameters, all in the linear map; the
# ReLU has none. Suppose you keep the parameters and leave the ReLU out. How much of the gain
# remains?

# %% [markdown]
# ## Votes that are only added
#
# What is hard for a model that goes straight from attention to the logits? Take chapter 3's rung
# of the ladder, with four heads, and a window of text:

# %%
import torch

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
# them by the 8 columns of its weights that belong to this head, and gets 65 scores: the
# character's *votes* for what comes next. What the model answers is the sum of these votes,
# weighted by attention, plus a constant (its bias), and nothing else:

# %%
columns = voters.lm_head.weight.split(8, dim=1)  # (V, hs) for each head
pairs = zip(voters.blocks[0].attention.heads, columns, strict=True)
votes = torch.stack([head.value(x) @ W.T for head, W in pairs], dim=1)  # (1, nh, T, V)
A = probes.attention_maps(voters, ids)[0]  # (1, nh, T, T)
torch.testing.assert_close((A @ votes).sum(dim=1) + voters.lm_head.bias, voters(ids))
print("the logits are a weighted sum of", A.shape[1], "votes of each character")

# %% [markdown]
# The votes of a character, at its place, are fixed, whoever asks and whatever else was found.
# Attention decides only how much they count. "An `r` was found, so these letters get more" and "a
# space was found, so those get more": such findings the model adds up. They can act on each other
# in one way only, the competition in a softmax: what one character gains in weight, the others
# lose. That is not nothing: with one head that finds `a`, one that finds `b`, and one that finds
# either, the first plus the second minus the third says "both were found". But it takes three.
#
# With something that is not linear after attention it is easy. The simplest such thing is the
# *ReLU*, $\max(0, z)$: it lets positive numbers pass, and makes 0 of all others. Suppose that one
# head brings a 1 if it found `a`, and another a 1 if it found `b`. Then one ReLU tells "both":

# %%
for a, b in ((0, 0), (1, 0), (0, 1), (1, 1)):
    both = torch.relu(torch.tensor(float(a + b - 1)))
    print(f"found a: {a}, found b: {b}, relu(a + b - 1) = {both:.0f}")

# %% [markdown]
# ## A linear map and a ReLU
#
# What a position has gathered is a vector $x_t$ of $C = 32$ channels. The layer computes $H$ new
# numbers from it, each a weighted sum of all channels, plus a bias, cut off at 0:
#
# $$y_t = \max(0,\; W x_t + b).$$
#
# These $H$ numbers are the *hidden units*. Here $H = C$, so that the output is as wide as the
# input. $W$ and $b$ are the same at all positions. By hand, one position at a time:

# %%
from torch import nn

B, T, C = 2, 8, 32
linear = nn.Linear(C, C)
gathered = torch.randn(B, T, C)

by_hand = torch.empty(B, T, C)
for t in range(T):
    by_hand[:, t] = linear(gathered[:, t]).clamp(min=0)  # max(0, W x + b)
print(tuple(by_hand.shape), "and nothing below 0:", bool((by_hand >= 0).all()))

# %% [markdown]
# The package's class needs no loop: PyTorch's linear layer works on the last dimension, whatever
# stands before it. The class can also be told to grow: with "two-layer", `hidden` has more units
# (`expansion` times $C$), and `proj`, a second linear map, brings them back to $C$. We try that
# below; here it stays at "one-layer". Dropout is off until chapter 8.

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
# small network works at each position, and no arrow crosses. The dashed frame is the block.*

# %% [markdown]
# ## Each position by itself
#
# *Claim ffn-1 of the [claims page](claims.md).*
#
# Two tests. First: change one character, and see whose output moves. "my lord," and "my word,"
# differ only in position 3, counted from 0. We give the embeddings of both to the two layers of a
# new model (any vectors would do), and print a dot for each position whose output stays the same
# to the last bit:

# %%
torch.manual_seed(0)
new = GPT(rung)  # untrained
attention, feed_forward = new.blocks[0].attention, new.blocks[0].feed_forward
x, changed = (
    (new.token_embedding(tokenizer.encode(text)) + new.position_embedding.weight)[None]
    for text in ("my lord,", "my word,")
)  # each (1, T, C)


def moved(layer: nn.Module) -> str:
    same = (layer(x) == layer(changed)).all(dim=-1)[0]  # (T,)
    return "".join("·" if s else c for s, c in zip(same, "my␣word,", strict=True))


print("feed-forward", moved(feed_forward), "\nattention   ", moved(attention))

# %% [markdown]
# In the feed-forward layer, position 3 alone. In attention, position 3 and all that come after
# it: they heard of the change.
#
# Second: shuffle the positions. If all are treated in the same way, it makes no difference
# whether we shuffle first and apply the layer then, or the other way round. The two *commute*.

# %%
order = torch.randperm(T, generator=torch.Generator().manual_seed(0))
for name, part in (("feed-forward", feed_forward), ("attention", attention)):
    gap = (part(x[:, order]) - part(x)[:, order]).abs().max()
    print(f"{name:12} commutes with the order {order.tolist()}: {bool(gap < 1e-5)}")

# %% [markdown]
# Attention fails both tests. (Exercise 2 asks which failure is its mask's doing.)

# %% [markdown]
# ## Who can move whom
#
# *Claim ffn-2.*
#
# The first test tried one change. A derivative speaks for all small changes, though still around
# one point. For output position $i$ and input position $j$ there are $C \times C$ derivatives, of
# each output channel with respect to each input channel: a part of the layer's *Jacobian*. We
# take the root of the sum of their squares (their *Frobenius norm*). That leaves one number for
# each pair of positions, a $T \times T$ picture of who can move whom.

# %%
from bardgpt.layers.attention import causal_mask

across = probes.position_jacobian(attention, x[0])  # (T, T)
within = probes.position_jacobian(feed_forward, x[0])  # (T, T)
assert torch.equal(across != 0, causal_mask(T))
assert torch.equal(within != 0, torch.eye(T, dtype=torch.bool))
print(f"of {T * T} pairs, attention connects {(across != 0).sum()},", end=" ")
print(f"feed-forward {(within != 0).sum()}")

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two square grids of eight output by eight input positions. For attention all cells on and below the diagonal are coloured, and all above it are empty. For the feed-forward layer only the eight cells of the diagonal are coloured."}}
figures.jacobians({"attention": across, "feed-forward": within}, "my lord,")

# %% [markdown]
# *How strongly each output position (row) depends on each input position (column), in a new model
# (␣ is a space). The triangle of attention is its causal mask; the feed-forward layer has the
# diagonal and nothing else. The first position can listen to itself only; hence the bright cell
# at the top left.*
#
# This is the division of labour in a transformer. All that passes between positions passes
# through attention. All that the feed-forward layer does, it does with what is already there.

# %% [markdown]
# ## The pair
#
# *Claim ffn-3.*
#
# The layer comes right after attention. Gather, then think about what was gathered (`_Parts` only
# makes the two layers):

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.blocks import PlainBlock

listing(PlainBlock)

# %% [markdown]
# The block returns the shape that it received, so its output can be the input of another one. A
# position then gathers what others have already thought. In a stack, too, no later position can
# move an earlier one: by the chain rule its derivatives are products, and a product of
# lower-triangular matrices is lower-triangular.

# %%
block = new.blocks[0]
torch.testing.assert_close(block(x), feed_forward(attention(x)), rtol=0, atol=0)
stack = nn.Sequential(*(PlainBlock(rung) for _ in range(3)))
assert torch.equal(probes.position_jacobian(stack, x[0]) != 0, causal_mask(T))
print(f"three blocks: {tuple(x.shape)} in, {tuple(stack(x).shape)} out, and still causal")

# %% [markdown]
# What stacking does to the loss is the question of chapter 5. Here we stay with one block.

# %% [markdown]
# ## Too fast to the logits?
#
# *Claim ffn-4.*
#
# If the lecture is right, the loss must fall when the layer is added. But the layer also adds
# parameters, and any number of them might help. So we need a *control*: a model with the same new
# parameters, but without time to think. Leave the ReLU out, and the layer is a linear map after
# attention. The output layer is linear too, and two linear maps in a row are one:
#
# $$W_2 (W_1 x + b_1) + b_2 = W' x + b',$$
#
# with $W' = W_2 W_1$ and $b' = W_2 b_1 + b_2$. So the linear layer folds into the output layer
# `lm_head`, and what is left is chapter 3's model with other numbers in it:

# %%
import dataclasses

torch.manual_seed(0)
control = GPT(dataclasses.replace(rung, activation="none"))
folded = GPT(RUNGS["four-heads"].config)
folded.load_state_dict(control.state_dict(), strict=False)  # all but the layer that it lacks
first, last = control.blocks[0].feed_forward.hidden, control.lm_head
with torch.no_grad():
    folded.lm_head.weight.copy_(last.weight @ first.weight)
    folded.lm_head.bias.copy_(last.weight @ first.bias + last.bias)
torch.testing.assert_close(folded(ids), control(ids))
print(f"{control.n_parameters():,} parameters say what {folded.n_parameters():,} say")

# %% [markdown]
# The control can say nothing that four heads without the layer can't. With the ReLU in between
# nothing folds. Now train the real thing for the first 1,000 steps:

# %%
from bardgpt import records
from bardgpt.config import TrainingConfig
from bardgpt.teaching import checks
from bardgpt.training.loop import train_model

torch.manual_seed(0)
trained = GPT(rung)
history = train_model(trained, train, validation, TrainingConfig(steps=1_000, seed=0))

four, relu = records.load("four-heads"), records.load("feed-forward")
checks.measured(
    "four heads and feed-forward, validation loss after 1,000 steps",
    history.at(1_000),
    relu.band(1_000),
    below=four.band(1_000).mean,
)

# %% [markdown]
# Your run is already below the mean of four heads. Whether by the ReLU, 1,000 steps can't decide:
# by then the control, too, has gained, and its mean lies only 0.013 behind, as the record shows.
# It has five seeds and all 5,000 steps:

# %%
control_runs = records.load("feed-forward-linear")
models = {"nothing": four, "linear": control_runs, "linear, ReLU": relu}
for name, record in models.items():
    size = GPT(record.model).n_parameters()
    early = record.band(1_000).mean
    print(f"{name:12} {size:,} parameters; {early:.3f} after 1,000 steps, then {record.band()}")

# %%
gains = {
    "the layer": records.gain(four, relu),
    "its linear map alone": records.gain(four, control_runs),
    "the ReLU, over the linear map": records.gain(control_runs, relu),
}
for name, gain in gains.items():
    print(f"{name:30} gains {gain}")
for name in ("the layer", "the ReLU, over the linear map"):
    assert gains[name].mean > 4 * gains[name].sd / gains[name].n ** 0.5  # four standard errors
assert abs(gains["its linear map alone"].mean) < 0.01  # no difference that we could see

# %% [markdown]
# The layer gains 0.025 nats, and the five seeds agree that it gains. Its linear map alone gains
# nothing that could be told from 0. So the answer to the question at the top is: none. What the
# model lacked was not parameters, it was something that is not linear before the logits. In this
# sense the lecture is right.
#
# Keep it in proportion. Four heads instead of one gained 0.128 nats without any new parameter;
# this layer gains a fifth of that with 14 % more of them.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Lead over four heads alone, in nats, against steps. Two bundles of five thin lines, each with a thick mean. The dotted one, the linear control, begins highest, falls, reaches zero by about 2,500 steps and stays there. The solid one, with the ReLU, settles near 0.025 and stays. At 250 steps single seeds scatter widely."}}
figures.leads(four.histories, {"linear": control_runs.histories, "linear, ReLU": relu.histories})

# %% [markdown]
# *How far two models lie below four heads alone while they train, each run against the one of the
# same seed: five seeds as thin lines, their mean as a thick one. Dashed: no lead.*

# %%
steps = (250, 1_000, 2_000, 5_000)
print(f"{'lead after':12}", *(f"{step:7,}" for step in steps), " steps")
for name in ("linear", "linear, ReLU"):
    leads = (four.band(step).mean - models[name].band(step).mean for step in steps)
    print(f"{name:12}", *(f"{lead:7.3f}" for lead in leads), " nats")

# %% [markdown]
# After 250 steps the control is further ahead of four heads than the real layer is; after 1,000
# it still has more than half of the real layer's lead; after 2,000 hardly anything is left. It
# cannot say anything new, it only gets there faster. (Two linear maps in a row can be quicker to
# learn than the one that they amount to; [Arora et al.](references.md#arora-2018) study why. We
# did not look into our case.) Whoever stops after 1,000 steps, and has no control, credits the
# ReLU with what is not its doing.

# %% [markdown]
# ## A wider layer
#
# [Vaswani et al.](references.md#vaswani-2017) give the layer 2,048 hidden units for 512 channels,
# $H = 4 C$, and a second linear map that brings them back to $C$. (Chapter 5 will need that map:
# what a layer returns is added there to what it received, so it must be $C$ wide, and it should
# be able to be negative, which nothing is that comes out of a ReLU.) What do more units give?

# %%
grown = records.load("feed-forward-two-layer")
models["4 C units, ReLU,\nand back"] = grown
print(f"{GPT(grown.model).n_parameters():,} parameters, {grown.band()}")
gain = records.gain(relu, grown)
print(f"gain over the layer of C units: {gain}")
assert gain.mean > 4 * gain.sd / gain.n**0.5  # four standard errors

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four rows of five marks, a shape for each seed, equal seeds joined by dotted lines, with a bar at each mean. Nothing and linear cover the same stretch, 2.265 to 2.29. Linear with ReLU lies left of them, near 2.25, but for one seed at 2.267. Four times as many units, with ReLU and back, lie far to the left, 2.16 to 2.19."}}
figures.seeds_compared({name: record.validation for name, record in models.items()})

# %% [markdown]
# *Validation loss after 5,000 steps by what stands between attention and the logits: one kind of
# mark for each of five seeds, a bar at their mean. A line joins the runs of one seed, which saw
# the same windows of text.*
#
# The lines are why we compare seed by seed. The worst run with the ReLU ends no better than the
# best one with nothing. But they are not of the same seed, and along each line the ReLU gains.
#
# The wider layer gains another 0.072 nats, nearly three times what the first one gave, and for
# every seed. The second linear map folds into the output layer, just as the control did. What is
# left of the growth is a larger number of hidden units: 128 instead of 32. But the model also has
# nearly twice as many parameters, so this needs a control of its own.

# %% [markdown]
# ## Why four times?
#
# *Claim ffn-5.*
#
# Four is what the paper took, and most have taken since. Two questions: what do 1, 2, 4 and 8
# units for each channel give? And is the hidden layer the best place for the parameters? With 44
# channels instead of 32, and one hidden unit for each, the model has *exactly* as many as with
# four units for each of 32.
#
# **Guess first:** which of the two is ahead? And does a ReLU without its corner help? That is
# *GELU* ([Hendrycks and Gimpel](references.md#hendrycks-2016)): $z$ times the share of a standard
# normal distribution that lies below $z$. GPT-2 has it.

# %%
z = torch.tensor([-3.0, -1.0, -0.1, 0.0, 0.1, 1.0, 3.0])
below = torch.distributions.Normal(0, 1).cdf(z)
torch.testing.assert_close(z * below, nn.GELU()(z))
for name, values in (("z", z), ("ReLU", z.relu()), ("GELU", z * below)):
    print(f"{name:5}", *(f"{value:6.2f}" for value in values.tolist()))

# %%
from bardgpt import teaching

widths = records.load_sweep("hidden-widths")
rows = {}
for name, record in widths.items():
    C, H = record.model.n_embd, record.model.n_hidden
    head = f"{H // C} for each of {C}" + (", GELU" if name == "gelu" else "")
    rows[head] = [f"{record.model.n_parameters():,}", str(record.band())]
teaching.table("hidden units for each channel", ["parameters", "validation loss"], rows)

# %%
for less, more in (("1", "2"), ("2", "4"), ("4", "8"), ("wide", "4"), ("4", "gelu")):
    print(f"{more:4} ahead of {less:4} by {records.gain(widths[less], widths[more])}")

# %% [markdown]
# Each doubling brings about as much as the one before, 0.033 to 0.038 nats, and eight is not the
# end of it. So four is no special number here: more is better, and costs more. And the hidden
# layer is no special place. The model with 44 channels has spent as many parameters otherwise and
# is 0.008 behind, with a standard deviation of 0.011 over five pairs of seeds: no difference that
# shows. GELU and ReLU differ even less. What a large model on a large text would say we have not
# measured.

# %% [markdown]
# ## What single units fire on
#
# Each hidden unit is one number at each position, 0 or above. What makes it large? It is tempting
# to go through a trained model until a unit looks meaningful. But among 32 units some will look
# so by chance. We therefore fix a procedure first:
#
# - Write down properties of the text at a position: "a vowel", "first letter of a word", "two
#   capitals in a row", and so on, ten in all.
# - For each, *choose* on the training text the unit with the best score (below) for being high
#   where the property holds.
# - *Judge* that unit on the validation text, which had no say in the choice.
# - Compare it with the best unit of the same model *before* training, chosen by the same
#   procedure, and with the mean score of all units, which is what a unit taken at random can
#   expect.
#
# The score is the *AUC*, the area under the ROC curve: take one position that has the property
# and one that has not, at random; the AUC is the probability that the unit is larger at the first
# (a tie counts half; [Hanley and McNeil](references.md#hanley-1982)). A perfect unit has 1, and
# one that knows nothing 0.5; a unit that is lower where the property holds has less than 0.5.
# Here are the choosing and the judging on your own model, for two of the properties; what they
# are compared with comes from the record. (`labels` leaves out the first four positions of each
# window, which cannot see as far back as some properties look.)


# %%
from bardgpt.batches import evaluation_windows


def look(text: torch.Tensor) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    windows, _ = next(evaluation_windows(text, 8, batch_size=2_000))
    has = probes.labels(tokenizer.decode(windows.flatten()), 8)  # each (2000, 4)
    return probes.hidden_units(trained, windows), has  # units (8000, H)


(seen, has), (fresh, new_has) = look(train), look(validation)
after, chosen = relu.probe_bands("units", 1_000), {}
for name in ("a vowel", "two capitals in a row"):
    chosen[name] = probes.auc(seen, has[name].flatten()).argmax()
    score = probes.auc(fresh, new_has[name].flatten())[chosen[name]].item()
    best = after[f"{name}, untrained"].mean
    checks.measured(f"the unit for {name}", score, after[name], above=best, unit="AUC")

# %% [markdown]
# Your two units at work, on a piece of the validation text near its beginning (each character as
# the last one of its window):

# %% tags=["hide-input"] mystnb={"image": {"alt": "The same 160 characters of a play twice, on a ground of varying depth. Above, the unit for vowels: most vowels stand on deep ground, spaces on lighter, most consonants on little or none. Below, the unit for two capitals in a row: the speakers' names in capitals stand on deep ground, and so do line breaks and some punctuation; lower-case words on almost none."}}
windows = validation[4:171].unfold(0, 8, 1)  # (160, 8), each one character further
fires = probes.hidden_units(trained, windows).view(160, 4, -1)[:, -1]  # (160, H)
figures.firing(
    tokenizer.decode(windows[:, -1]),
    {f"the unit for {name}": fires[:, unit] for name, unit in chosen.items()},
)

# %% [markdown]
# *Two hidden units of your model after 1,000 steps: the deeper the colour, the larger the unit,
# relative to its largest value in this piece (↵ is a line break). Neither was picked for how it
# looks here.*
#
# The picture also shows what a name like "the unit for a vowel" hides. In our run that unit fires
# at many spaces, too, and the other one at line breaks, and at a comma or an exclamation mark
# after ordinary words. The property is ours; the unit was not told of it.
#
# The record has all ten properties, for five seeds and 5,000 steps:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Ten rows, one for each property, with three marks each. The marks of chosen units of the trained model lie between 0.68 and 0.99: nearly perfect for spaces, line breaks, two capitals and punctuation, lower for places in a word. Those of untrained models lie left of them, between 0.57 and 0.75, and the means of all units lie lower again, between 0.38 and 0.55, lowest for spaces and line breaks."}}
units = relu.probe_bands("units", 5_000)
figures.unit_scores(
    {
        "chosen unit": {name: units[name] for name in probes.PROPERTIES},
        "chosen, untrained": {name: units[f"{name}, untrained"] for name in probes.PROPERTIES},
        "mean of all units": {name: units[f"{name}, random"] for name in probes.PROPERTIES},
    }
)

# %% [markdown]
# *How well one hidden unit tells a property: mean and standard deviation over five seeds, 8,000
# positions of new text. Circles: the unit chosen on the training text, after 5,000 steps;
# squares: one chosen in the same way before training; crosses: the mean over the 32 units after
# 5,000 steps. Where a cross lies below 0.5, at spaces and line breaks above all, the units are on
# the whole low.*

# %%
runs = relu.probes["units"][5_000]
print(f"{'mean AUC of the chosen unit':31}  trained  untrained  trained better")
for name in sorted(probes.PROPERTIES, key=lambda name: -units[name].mean):
    untrained = f"{name}, untrained"
    better = sum(run[name] > run[untrained] for run in runs)
    print(f"{name:31}  {units[name].mean:7.2f}  {units[untrained].mean:9.2f}", end="  ")
    print(f"in {better} of {len(runs)} seeds")
drift = max(abs(units[name].mean - after[name].mean) for name in probes.PROPERTIES)
print(f"from 1,000 to 5,000 steps no mean moves by more than {drift:.2f}")

# %% [markdown]
# For each property and each seed, the chosen unit does better than the best of the untrained
# model. What can be seen from the current character alone comes out well, and so does "two
# capitals in a row". A place in a word, or a doubled letter, no single unit knows as well. What
# is not in one unit may still be in several together; that we did not measure.
#
# Two warnings. After 1,000 steps these scores are almost what they are at the end, while the loss
# still falls by 0.2 nats: what single units fire on, measured like this, does not explain that
# gain. And that a unit *carries* a property does not mean that this layer *found it out*.
# Exercise 3 looks at what goes in.

# %% [markdown]
# ## The ladder

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss of the four rungs so far, five dots each: bigram near 2.50, one head near 2.40, four heads near 2.27, feed-forward slightly lower. Dashed lines mark the count tables: 2.486 with one character of context, 2.049 with two, 1.669 with four. Crosses mark what the lecture reports: 2.5, 2.40, 2.28, 2.24."}}
from bardgpt.lab.ladder import climbed

tables = [table["validation"] for table in records.tables()]
figures.ladder(climbed("feed-forward"), tables)

# %% [markdown]
# *The ladder so far. Each dot is one full run of 5,000 steps, each cross what the lecture
# reports; dashed, chapter 1's tables of counts, with one, two and four characters before.*
#
# 2.249 ± 0.011 nats over five seeds; the lecture, with another evaluation, reports 2.24, after
# 2.28 for four heads: a gain of 0.04, where ours is 0.025. The table that sees two characters is
# still 0.2 nats ahead.

# %% [markdown]
# ## What broke when we changed it
#
# "Each position by itself" is a promise, and the model relies on it. Someone who comes from
# convolutional networks might write the layer as a convolution along the text, with a width of 3
# and the usual padding of 1. It takes texts of any length, and returns the right shape. But now
# every position reads its two neighbours, and one of them lies in the future:


# %%
class Neighbours(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Conv1d(C, C, kernel_size=3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.hidden(x.transpose(1, 2)).transpose(1, 2).relu()  # (B, T, C)


torch.manual_seed(0)
print("feed-forward", moved(feed_forward), "\nneighbours  ", moved(Neighbours()))

# %% [markdown]
# Position 2 has moved, though "lord" became "word" only after it. The target at each position is
# the next character, so at seven of the eight positions of a window it can now be read from the
# right-hand neighbour. Only the last position has none; and in writing it is always the last one
# that is asked. Train this model, and ask it both ways: on whole windows, as the loss does, and
# for the fifth character, when only four are there.

# %%
leaky = GPT(rung)
leaky.blocks[0].feed_forward = Neighbours()
train_model(leaky, train, validation, TrainingConfig(steps=300, seed=0))
inputs, targets = next(evaluation_windows(validation, 8, batch_size=2_000))  # both (B, T)
loss = nn.CrossEntropyLoss()
print(f"{'':27} windows below 1 nat   fifth above 3 nats")
for name, net in (("feed-forward, 1,000 steps:", trained), ("neighbours, 300 steps:", leaky)):
    whole = loss(net(inputs).flatten(0, 1), targets.flatten())
    fifth = loss(net(inputs[:, :4])[:, -1], targets[:, 3])
    print(f"{name:27} {bool(whole < 1)!s:21} {bool(fifth > 3)}")

# %% [markdown]
# Less than 1 nat, after 300 steps: in training, a triumph. Asked for a character that is not
# there yet, the same model is worse than a bigram. So a loss that is too good is a reason to look
# for a leak. Ask whether a later character can move an earlier position's logits:

# %%
changed_ids = tokenizer.encode("my word,")[None]
for name, net in (("feed-forward", trained), ("neighbours", leaky)):
    stay = torch.allclose(net(ids)[:, :3], net(changed_ids)[:, :3])
    print(f"{name:12} logits before the change stay: {stay}")

# %% [markdown]
# Another slip we have measured already: forget the ReLU, and no message appears; the loss even
# falls faster at first.

# %% [markdown]
# ## Exercises
#
# Try each before you open its solution.
#
# **Check yourself.** (a) Swap two neighbouring vectors of the feed-forward layer's input. What
# happens to its output? (b) Of the $T \times T$ pairs of positions, how many can attention
# connect, for $T = 8$ and for $T = 256$? (c) Someone adds a linear layer before the output layer,
# and after 250 steps the loss is lower. Can the new model say more than the old one? What should
# be looked at before the layer is kept? (d) Someone searches the 32 units on the validation text,
# finds one with an AUC of 0.60 there for "a doubled letter", and calls it the unit for doubled
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
    print(f"T = {positions}: {causal_mask(positions).sum():,} of {positions**2:,} pairs")

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
print("a convolution of width 1:", True)

# %% [markdown]
# **2. Alone, or alike?** Attention failed both tests of claim ffn-1. Take its mask away, so that
# every position looks at all. Which of the two tests does a head pass now? What does that say
# about the tests?

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
    return attention_weights(head.query(x), head.key(x), everyone) @ head.value(x)


torch.testing.assert_close(unmasked(x[:, order]), unmasked(x)[:, order])
print("commutes; whose output moved:", moved(unmasked))

# %% [markdown]
# **3. Whose doing is it?** That a unit tells a property may be the doing of attention, if a
# channel of attention's output tells it just as well. Run the procedure of this chapter on the 32
# channels that go *into* the layer of your model, for "a space", "a line break", "a capital" and
# "two capitals in a row". A channel, unlike a unit, may also be low where the property holds.
# Does the layer help? Then try the other six properties (open).

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
    embedded = trained.token_embedding(windows) + trained.position_embedding.weight
    return trained.blocks[0].attention(embedded)[:, 4:].flatten(0, 1).detach()  # (8000, C)


channels, fresh_channels = going_in(train), going_in(validation)
for name in ("a space", "a line break", "a capital", "two capitals in a row"):
    unit = probes.auc(seen, has[name].flatten()).argmax()
    channel = (probes.auc(channels, has[name].flatten()) - 0.5).abs().argmax()
    score = probes.auc(fresh_channels, new_has[name].flatten())[channel]
    better = probes.auc(fresh, new_has[name].flatten())[unit] - max(score, 1 - score)
    print(f"{name}: the unit tells it better by 0.03 or more: {bool(better > 0.03)}")

# %% [markdown]
# **4. Half a layer (open).** The control kept the linear map and dropped the ReLU. Do it the
# other way round: let `hidden` be `nn.Identity()`, so that attention's output goes through a ReLU
# and nothing else, with not one new parameter. Before you train it for 1,000 steps, think of what
# the heads' value matrices could take over, and of what they could not, as each head makes only
# its own 8 channels.

# %% [markdown]
# ## What to remember
#
# - Attention moves content between positions; the feed-forward layer computes at each position by
#   itself, with the same weights at all.
# - As derivatives: attention's picture is a triangle, the feed-forward layer's a diagonal.
# - The pair is the block. It keeps the shape, so it can be repeated.
# - In this model it lowers the loss by 0.025 nats, and by nothing if the ReLU is left out: then
#   the layer folds into the output layer. What is not linear is what counts.
# - An extra linear layer can speed up training and gain nothing in the end.
# - A loss that is too good may be a leak: ask whether a later character moves an earlier
#   position.
# - Single units tell simple properties of the text well, a place in a word less well. To say so,
#   choose on one text, judge on another, and compare with untrained units.
#
# In the config one setting has changed:

# %%
from bardgpt.lab.ladder import config_diff

print(*config_diff(RUNGS["four-heads"].config, RUNGS["feed-forward"].config), sep="\n")

# %% tags=["hide-input"]
figures.diagram("rung-feed-forward")

# %% [markdown]
# *The rung of this chapter, one block. In colour: what is new against four heads alone.*
#
# If one round of gathering and thinking helps, several should help more. But simply stacking
# blocks turns out to be harder than it looks, and what makes it work is an addition. That is the
# next chapter: [residual connections](05-residual-connections.ipynb).
