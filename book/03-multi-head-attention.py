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
# # 3 · Many heads
#
# [Chapter 2](02-one-head.ipynb) gave the model one head of attention. We call the 32 numbers of a
# vector its *channels*. At each position the head has one set of weights over the past, and mixes
# all 32 channels of the values with these same weights. But a character has several things to
# find out at once: which letter came just before, where the word began, whether the line is new.
# One mean has to answer all of that. After this chapter you can
#
# - build multi-head attention as a list of heads, and as one product;
# - say what four heads cost against one, and what they gain;
# - say how far the likeness to a group convolution goes, and where it ends.
#
# The remedy takes one line of code. Our claim:
#
# > **Multi-head attention is several attentions in parallel, their outputs concatenated.** Four
# > heads of 8 channels have exactly as many parameters as one head of 32. Once trained, they differ
# > more in where they look, on average, than before.
#
# **Before you run anything:** four heads of 8 need no extra parameters. Then what do they give up
# for the four means that they gain? And would you bet on four against one?

# %% [markdown]
# ## A list of heads
#
# *Claims mha-1 and mha-2 of the [claims page](claims.md).*
#
# We need chapter 2's `Head`, and a config that says how many (32 channels, and windows of at most
# 8, are its defaults). With $nh$ heads on $C$ channels, each head is $hs = C / nh$ wide.

# %%
import torch

from bardgpt.config import GPTConfig
from bardgpt.layers.attention import Head

torch.manual_seed(0)
config = GPTConfig(vocab_size=65, n_head=4)
x = torch.randn(3, 5, 32)  # (B, T, C)

heads = [Head(config) for _ in range(config.n_head)]
outputs = [head(x) for head in heads]  # each (B, T, hs)
y = torch.cat(outputs, dim=-1)  # (B, T, nh * hs = C)
print(
    f"{len(outputs)} outputs of {tuple(outputs[0].shape)} make {tuple(y.shape)}"
)

# %% [markdown]
# That is all: run them side by side, and concatenate what they return over the channels. The
# heads don't know of one another. Why not add the four outputs? Their sum would have 8 channels
# instead of 32, and nobody could tell any more which head had said what.

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("heads")

# %% [markdown]
# *One head: one matrix of attention weights A mixes the positions, in the same way for all 32
# channels of the values. Four heads: each mixes the positions by a matrix of its own, for its 8
# channels. Every head computes its q, k and v from all 32 channels of x.*
#
# The package's class is this list. It has two things more. A linear layer that mixes the heads'
# outputs is switched on in chapter 5, which says what for; until then the output layer does its
# work, since two linear maps in a row are one. Dropout waits for chapter 8.

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.attention import MultiHeadAttention
from bardgpt.teaching import listing

listing(MultiHeadAttention)

# %% [markdown]
# Give it our heads' weights, and it returns what we got by hand:

# %%
attention = MultiHeadAttention(config)
for ours, theirs in zip(heads, attention.heads, strict=True):
    theirs.load_state_dict(ours.state_dict())
torch.testing.assert_close(attention(x), y, rtol=0, atol=0)
print("largest difference:", (attention(x) - y).abs().max().item())

# %% [markdown]
# ## What it costs
#
# *Claim mha-3.*
#
# Each of $nh$ heads has three matrices, for queries, keys and values, with $C \times hs$
# parameters each. More heads are narrower heads, and the sum stays: $nh \cdot 3 \cdot C \cdot C /
# nh = 3 C^2$.

# %%
for n_head in (1, 2, 4, 8):
    config_of_n = GPTConfig(vocab_size=65, n_head=n_head)
    attention = MultiHeadAttention(config_of_n)
    size = sum(p.numel() for p in attention.parameters())
    print(f"{n_head} heads of {32 // n_head:2}: {size:,} parameters")

# %% [markdown]
# So what one gives up is width: a query of a head of 8 is compared with its keys in 8 dimensions
# instead of 32, and each mean carries 8 channels instead of 32. What one gains is four means,
# each with attention weights of its own.

# %% [markdown]
# ## Two questions at once
#
# *Claim mha-6.*
#
# What can two means do that one cannot? Take a toy in which only places count. A text is 16
# letters, drawn at random. At each position the model is asked for two of them at once: the
# letter *one* back, and the letter *three* back. It has 32 logits, 16 for each question. It is
# nothing but embeddings, attention and the output layer, and 32 channels wide.
#
# For two heads of 16 we can write the weights down, and need not train at all. Of the 32 channels
# 16 say which letter it is, and 16 at which place. Then a query says which place is wanted, a key
# which place this is, and a value which letter stands here:

# %% tags=["nbval-ignore-output"]
from bardgpt.lab import copying

listing(copying.by_hand)

# %%
from bardgpt.lab.copying import Copying

two, one = Copying(n_head=2), Copying(n_head=1)
solved = copying.judge(copying.by_hand(16), two)
print(f"by hand: loss {solved['loss']}, both right at {solved['right']:.0%}")

# %% [markdown]
# **Now guess.** One head of 32 has as many parameters, and it can look at both places, too: half
# at one, half at the other. What will it get right? And what if we ask less: *which* two letters
# stood there, in whatever order? Train one head and two on both letters, for 400 steps:

# %%
from dataclasses import replace

from bardgpt.teaching import checks

right = {}
for toy in (one, two):
    learned = copying.train(replace(toy, steps=400), seed=0)
    right[toy.n_head] = copying.judge(learned, toy)["right"]
checks.within("one head, share with both right", right[1], below=0.5)
checks.within("two heads, share with both right", right[2], above=0.5)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two square maps of attention weights over sixteen letters. From the fourth row on each row has one bright cell: in one map always one place left of the diagonal, in the other always three places left of it."}}
from bardgpt.lab import probes

letters = torch.arange(16)[None]  # (1, T): a, b, c, …
maps = probes.attention_maps(learned, letters)[0, 0]  # (nh, T, T)
figures.maps(maps, "abcdefghijklmnop")

# %% [markdown]
# *Where the two heads look after 400 steps: rows look at columns. The first three rows are asked
# for nothing.*

# %% tags=["hide-input"]
from bardgpt import records, teaching

rows = {}
for name, runs in records.read("copying")["toys"].items():
    shares = sorted(run["right"] for run in runs)
    asked = [f"{share:.0%}" for share in shares if name.startswith("both")]
    rows[name] = [records.bands(runs)["loss"].short, " ".join(asked)]
either = Copying(n_head=1, task="either")
rows["either, at the least"] = [f"{either.floor:.3f}", ""]
teaching.table("asked for", ["nats per answer", "right, each run"], rows)

# %% [markdown]
# *Five runs of 2,000 steps each: their loss, and at how many positions each gets both letters
# right.*
#
# Two heads divide the work: one looks one back, the other three back, and after 400 steps they
# answer without a mistake. After 2,000 steps one head still gives both letters at less than a
# fifth of the positions, in four of five runs.
#
# Why is it hard? Its mean is a sum of two values, each times a weight. With equal weights, "k
# before g" and "g before k" give the same sum, and the order is lost. With unequal ones the letter
# of the larger weight can be read off. But the output layer, which is linear, would then have to
# let the *smaller* weight win in the other answer, and where one letter stands at both places this
# letter must win too. Where nobody asks for the order, one mean is nearly all it takes ("either";
# the best answer is then a toss-up between two letters).
#
# Hard is not impossible, though one often reads that. With five times the steps, or half the
# letters, one head gets most of it right, in some runs nearly all. Weights may depend on the
# letters too, and values on their places, so that a mean can carry the order in a code of its own.
# (We did not decipher it.) So a second mean is not the only way to a second answer. It is the way
# that is found at once, in every run, and without a mistake.

# %% [markdown]
# ## A likeness: group convolutions
#
# *Claim mha-4.*
#
# The [lecture](references.md#ng-video-lecture) compares this with a *group convolution*, in which
# the channels are cut into groups, and each group has a filter of its own. One step of attention
# is exactly that: $A v$, the mixing of the values once the weights $A$ are known. Only the roles
# are swapped:
#
# - the $T$ *positions* are the convolution's channels;
# - the $hs$ channels of the values are the places along which its filter slides;
# - the filter has width 1: it mixes the $T$ numbers found at one place by a $T \times T$ matrix,
#   the same at every place, and this matrix is $A$;
# - each head of each text is a group, with an $A$ of its own, so $B$ texts make $B \cdot nh$
#   groups.

# %%
import torch.nn.functional as F

from bardgpt.layers.attention import attention_weights, causal_mask

B, T, nh, hs = 3, 5, 4, 8
parts = [(head.query(x), head.key(x), head.value(x)) for head in heads]
q, k, v = (torch.stack(z, dim=1) for z in zip(*parts, strict=True))
A = attention_weights(q, k, causal_mask(T))  # (B, nh, T, T); q (B, nh, T, hs)

places = v.reshape(1, B * nh * T, hs)
filters = A.reshape(B * nh * T, T, 1)
grouped = F.conv1d(places, filters, groups=B * nh)  # (1, B * nh * T, hs)
as_heads = grouped.view(B, nh, T, hs).transpose(1, 2).reshape(B, T, nh * hs)
torch.testing.assert_close(as_heads, y)
print(f"{B * nh} groups, each mixing {T} positions: equal to the heads")

# %% [markdown]
# One head of 32 would be $B$ groups: *one* mixing matrix for all the channels of a text.
#
# The whole layer, from $x$ to $y$, is not like an ordinary group convolution on the 32 channels
# of $x$. Three things differ.
#
# **The groups are open.** In a group convolution, group 1 of the output sees only group 1 of the
# input. A head's queries, keys and values read *all* channels. Nudge one input channel, and all
# four heads answer:

# %%
nudged = x.clone()
nudged[..., 0] += 1  # the first channel, which "belongs" to the first head
change = torch.cat([head(nudged) for head in heads], dim=-1) - y
moved = [part.abs().max().item() for part in change.split(hs, dim=-1)]
assert min(moved) > 1e-3
print("each head moves by up to", ", ".join(f"{most:.2f}" for most in moved))

# %% [markdown]
# **The mixing depends on the data.** A convolution has the same filter for every text. Attention
# computes $A$ from its input, anew each time (our random inputs stand for texts):

# %%
between = (A[0] - A[1]).abs().amax(dim=(1, 2)).tolist()  # of two texts
assert min(between) > 1e-2
print("largest difference between two inputs, for each head:", end=" ")
print(", ".join(f"{most:.2f}" for most in between))

# %% [markdown]
# **Nothing is saved.** Cutting a convolution into $G$ groups leaves $1/G$ of its parameters.
# Cutting attention into heads leaves all:

# %%
for n in (1, 4):
    conv = torch.nn.Conv1d(32, 32, 1, groups=n, bias=False)
    attention = MultiHeadAttention(GPTConfig(vocab_size=65, n_head=n))
    size = sum(p.numel() for p in attention.parameters())
    print(
        f"{n} groups: convolution {conv.weight.numel():5,} parameters,", end=" "
    )
    print(f"attention {size:,}")

# %% [markdown]
# ## Four against one
#
# *Claim mha-5, first half.*
#
# Now the bet. This chapter's rung of the ladder, the book's series of models, differs from
# chapter 2's in a single number of the config, and has the same 7,553 parameters:

# %%
from bardgpt.gpt import GPT
from bardgpt.lab.ladder import RUNGS
from bardgpt.shakespeare import shakespeare

tokenizer, train, validation = shakespeare()
for name in ("one-head", "four-heads"):
    rung = RUNGS[name].config
    size = GPT(rung).n_parameters()
    print(f"{name}: n_head = {rung.n_head}, {size:,} parameters")

# %% [markdown]
# You train four heads for the first 1,000 steps, which should bring them below one head's mean by
# then. The record has the full 5,000 steps of both, from the same five seeds.

# %%
from bardgpt import records
from bardgpt.config import TrainingConfig
from bardgpt.training.loop import train_model

torch.manual_seed(0)
model = GPT(RUNGS["four-heads"].config)
first_steps = TrainingConfig(steps=1_000, seed=0)
history = train_model(model, train, validation, first_steps)

one, four = records.load("one-head"), records.load("four-heads")
checks.measured(
    "four heads, validation loss after 1,000 steps",
    history.at(1_000),
    four.band(1_000),
    below=one.band(1_000).mean,
)

# %%
bigram = records.load("bigram")
gain = records.gain(one, four)
print(f"loss of one head of 32:   {one.band()}")
print(f"loss of four heads of 8:  {four.band()}")
print(f"four against one, seed by seed:  {gain} lower")
print(f"one head against the bigram:     {records.gain(bigram, one)} lower")
assert gain.mean > 4 * gain.sd / gain.n**0.5  # four standard errors
pairs = zip(one.validation, four.validation, strict=True)
assert all(of_four < of_one for of_one, of_four in pairs)

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss of the three rungs so far, five dots each: bigram near 2.50, one head lower, four heads lower again. Dashed lines mark the count tables: 2.486 with one character of context, 2.049 with two, 1.669 with four. Crosses mark what the lecture reports: 2.5, 2.40, 2.28. All rungs lie far above the table of two characters."}}
from bardgpt.lab.ladder import climbed

tables = [table["validation"] for table in records.tables()]
figures.ladder(climbed("four-heads"), tables)

# %% [markdown]
# *The ladder so far. Each dot is one full run, each cross what the lecture reports; dashed,
# chapter 1's tables of counts, with one, two and four characters before.*
#
# Four heads win, by 0.128 nats with the same seeds (and so the same windows of text). That is far
# more than four of its standard errors (0.004 / √5 each), and each seed agrees. It is more than
# the first head gained over the bigram. After 1,000 steps it was only 0.03: some things take
# time. The lecture's figures, 2.40 and 2.28, were made with another evaluation and agree. All
# this is for this small model, and the table that sees two characters is still far ahead of it.

# %% [markdown]
# ## Looking at the heads
#
# *Claim mha-5, second half.*
#
# What do four heads do with their four means? Give your model a window of text, and see for each
# head how much each position takes from each other:

# %%
from bardgpt.lab import probes

passage = "my lord,"
seen = probes.attention_maps(model, tokenizer.encode(passage)[None])
print("layers, windows, heads, positions, positions:", tuple(seen.shape))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four square heat maps, one for each head, over the eight characters of a window. All are empty above the diagonal. In most heads the brightest cells lie on the diagonal, each position looking mostly at itself; in the others the weight lies on earlier positions."}}
figures.maps(seen[0, 0], passage)

# %% [markdown]
# *Attention weights of your four heads after 1,000 steps: each row is a position that looks, each
# column one that is looked at (␣ is a space). Each row sums to 1. Nothing lies above the
# diagonal, which is the future; the first position has only itself.*
#
# Bright diagonals: in most heads a position gives much of its weight to itself. In this model
# attention is the only way through. If no head looks at its own position, the current character
# reaches the prediction only through where its query makes the heads look. So it pays that some
# head looks there, and the others are free to look away. (Chapter 5 gives the character another
# way.)
#
# But one window proves little. So average over 2,000 windows of new text, always from the last
# position, which can see all eight: at which distance does the weight lie, and on which class of
# character? (From the last position, three back is always the fifth place: whether distance or
# place counts, these averages cannot tell.)

# %%
from bardgpt.batches import evaluation_windows

windows, _ = next(evaluation_windows(validation, 8, batch_size=2_000))
classes = probes.character_classes(tokenizer.vocabulary)
layer = probes.attention_maps(model, windows)[0]
print(f"attention weights {tuple(layer.shape)}")
print(f"classes: {', '.join(probes.CLASSES)}")


# %% tags=["hide-input"] mystnb={"image": {"alt": "Two plots with four kinds of marks each. Above: mean attention weight against distance. Most heads peak at distance zero and fall off; one or two peak a few characters back. Below: mean weight on vowels, consonants, spaces, line breaks and other characters; the heads lie apart on consonants and spaces."}}
by_class = probes.by_class(layer, classes[windows])
figures.head_profiles(probes.by_distance(layer), by_class, probes.CLASSES)

# %% [markdown]
# *Where your four heads look from the last position of a window, mean over 2,000 windows: how far
# back (above), and at which class of character (below).*
#
# In our run the first head gives nearly half of its weight to the character three places back. The
# other three look mostly at their own position, and two of them also at the one before it.
#
# Do they look at different things, or would four untrained heads differ as much? The *total
# variation* of two heads puts it in a number. Say that one head gives 3, 2 and 1 sixths of its
# weight to the distances 0, 1 and 2, and another gives them 1, 2 and 3 sixths. They differ by 2, 0
# and 2 sixths. Half of the sum of these differences is 2 sixths, and that is the total variation:
# the share of the weight that would have to move to make one head look where the other looks. It is
# 0 if both look at the same, and 1 if they share nothing. We take the mean over the six pairs of
# heads. The claim is that it lies above what the recorded models had *before* training.
#
# Part of it may be noise, for 2,000 windows are a sample. To see how much, shuffle the distances
# at random in every window, in the same way for all four heads (and likewise the classes). After
# that no head can prefer a distance, and what still differs is noise.

# %%
spreads = probes.head_spreads(model, windows, classes)
before, after, end = (
    four.probe_bands("heads", step) for step in (0, 1_000, 5_000)
)
kinds = ("by distance", "by class")
for kind in kinds:
    checks.measured(
        f"how much the heads differ {kind}",
        spreads[kind],
        after[kind],
        above=before[kind].mean,
        unit="total variation",
    )

# %% tags=["hide-input"] mystnb={"image": {"alt": "Bars of how much the four heads differ, by distance and by class of character, for untrained heads, heads after 1,000 steps, after 5,000 steps, and the last with shuffled labels. Trained heads differ about twice as much as untrained ones or more, by distance more than by class; with shuffled labels next to nothing is left."}}
figures.head_spreads(
    {
        "untrained": {kind: before[kind] for kind in kinds},
        "1,000 steps": {kind: after[kind] for kind in kinds},
        "5,000 steps": {kind: end[kind] for kind in kinds},
        "5,000 steps,\nshuffled": {k: end[f"{k}, shuffled"] for k in kinds},
    }
)

# %% [markdown]
# *How much four heads differ in where they look: mean over their six pairs, then mean and
# standard deviation over five seeds. At the right, shuffled: the noise of 2,000 windows.*
#
# After 1,000 steps heads differ by distance nearly three times as much as untrained ones do, and
# at the end twice as much; by class it is about twice at both times. Next to nothing of it is
# noise. (Why they differ less at the end we did not look into.) But a mean over pairs can come
# from one head that stands apart. So look at the two heads that are most *alike*, too:

# %% tags=["hide-input"]
rows = {}
for kind in kinds:
    for name, found in (("untrained", before), ("5,000 steps", end)):
        bands = found[kind], found[f"{kind}, closest pair"]
        rows[f"{kind}, {name}"] = [band.short for band in bands]
columns = ["mean of the pairs", "closest pair"]
teaching.table("how much heads differ", columns, rows)

# %% [markdown]
# *Total variation: mean and standard deviation of five seeds.*
#
# The closest pair is hardly further apart than before training: the change is within the spread
# of the seeds. So the honest reading is: heads differ more on average, because *some* find work
# of their own. What two heads that look alike do with their values we did not measure. The
# lecture says that the tokens "want to find the consonants, the vowels from certain positions".
# We measured place and class, though not together, and heads have come to differ in both.

# %% [markdown]
# ## The same answer in one product
#
# A list of heads is easy to read, but makes twelve small products for q, k and v where one would
# do: every head reads the same $x$, so all their matrices can be stacked. `CausalSelfAttention`
# does this, and leaves scores, softmax and mixing to one operator of PyTorch, for all heads at
# once. `from_heads` copies the parameters:

# %%
from bardgpt.layers.attention import CausalSelfAttention

listed = model.blocks[0].attention
fused = CausalSelfAttention.from_heads(listed, model.config)
torch.testing.assert_close(fused(x), listed(x))
shape = tuple(fused.qkv.weight.shape)
print(f"one matrix of {shape} for q, k and v of all heads")

# %% tags=["nbval-ignore-output"]
listing(CausalSelfAttention.from_heads, CausalSelfAttention.forward)

# %% [markdown]
# Here `qkv` is the stacked matrix, and `proj`, as in the list, does nothing yet; `cache` is for
# sampling. With dropout off it is the same function, with the same gradients (the package's tests
# check this for many shapes, and against `torch.nn.MultiheadAttention` too). The full model of
# chapter 9 will use it; until then we stay with the list, whose weights one can look at.

# %% [markdown]
# ## What broke when we changed it
#
# A slip that no error message reports: put *the same* head into the list four times, as
# `[Head(config)] * 4` does. The shapes fit. But it is one head of 8, four times over: its
# parameters are counted once, and its 32 channels are 8 repeated (they have *rank* 8):

# %%
same = torch.nn.ModuleList([Head(config)] * 4)  # one head, four names
own = torch.nn.ModuleList(Head(config) for _ in range(4))
many = torch.randn(100, 8, 32)  # (B, T, C)
for name, row in (("four heads", own), ("one head, four times", same)):
    y = torch.cat([head(many) for head in row], dim=-1)  # (B, T, C)
    size = sum(p.numel() for p in row.parameters())
    rank = torch.linalg.matrix_rank(y.flatten(0, 1))  # of (B * T, C)
    print(f"{name}: {size:,} parameters, {y.shape[-1]} channels of rank {rank}")

# %% [markdown]
# ## Exercises
#
# Try each before you open its solution.
#
# **Check yourself.** (a) The full model of chapter 9 has 384 channels and 6 heads in each
# attention layer. How wide is a head? (b) How many parameters do the queries, keys and values of
# one layer have, and how many would they have with 12 heads? (c) Which channels of the output,
# counted from 0, does the second of four heads of 8 make, and which of the input may it read?
# Which would the second of four groups of an ordinary convolution read?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# (a) 64. (b) 3 C^2 with any number of heads. (c) It makes channels 8 to 15, and reads all 32.
# The second group of a convolution would read channels 8 to 15 alone.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
for n_head in (6, 12):
    big_config = GPTConfig(vocab_size=65, n_embd=384, n_head=n_head)
    big = MultiHeadAttention(big_config)
    size = sum(p.numel() for p in big.parameters())
    print(f"{n_head:2} heads of {384 // n_head}: {size:,} parameters")

# %% [markdown]
# **1. The order of heads.** Swap the first two heads of your model. Which weights of the output
# layer, `lm_head`, must be swapped too for the logits to stay as they were?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# The columns of lm_head.weight: each head's 8 channels are 8 of its inputs.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
ids = windows[:4]
before_swap = model(ids)
layer, readout = model.blocks[0].attention, model.lm_head.weight
order = torch.tensor([1, 0, 2, 3])
columns = torch.arange(32).view(4, 8)[order].flatten()
with torch.no_grad():
    layer.heads = torch.nn.ModuleList(layer.heads[i] for i in order)
    readout.copy_(readout[:, columns])
torch.testing.assert_close(model(ids), before_swap)
gap = (model(ids) - before_swap).abs().max()
print(f"with two heads swapped, a logit changes by {gap:.3f} at most")

# %% [markdown]
# **2. Which head matters?** Silence one head of your model at a time, by setting its value matrix
# to 0 and changing nothing else. Does the validation loss rise for each?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# It does, for each head, when nothing is retrained. In our run most is lost without the first head,
# the one that looks three back, and least without the fourth. With another seed it is another head.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
from bardgpt.evaluation import evaluate

whole = evaluate(model, validation)
rises = []
for head in model.blocks[0].attention.heads:
    kept = head.value.weight.data.clone()
    head.value.weight.data.zero_()
    rises.append(evaluate(model, validation) - whole)
    head.value.weight.data.copy_(kept)
for number, rise in enumerate(rises, start=1):
    checks.within(f"nats lost without head {number}", rise, above=0.01)

# %% [markdown]
# **3. Eight heads (open).** Train eight heads of 4, and thirty-two heads of 1, with `train_model`
# for 1,000 steps. Where does narrowing stop helping? Use three seeds before you believe a
# difference.

# %% [markdown]
# ## What to remember
#
# - Multi-head attention is a list of heads, run on the same input and concatenated over the
#   channels.
# - Four heads of 8 have as many parameters as one head of 32. They give up width for four means
#   instead of one. In this model they reach 2.274, one head 2.402.
# - Once the weights are known, mixing the values is exactly a group convolution whose channels
#   are the positions. The whole layer is not: every head reads all channels, the mixing is made
#   anew for each text, and no parameters are saved.
# - Two questions at once are easy for two heads, each looking at its place. One head has to pack
#   both answers into one mean: it learns that slowly, and never cleanly.
# - Trained heads differ in where they look, on average more than untrained ones. Not every pair
#   does.
# - A list of heads and one big product are the same function.
#
# The whole chapter is one number of the config:

# %%
from bardgpt.lab.ladder import config_diff

print(
    *config_diff(RUNGS["one-head"].config, RUNGS["four-heads"].config), sep="\n"
)

# %% tags=["hide-input"]
figures.diagram("rung-four-heads")

# %% [markdown]
# *The rung of this chapter. In colour: what is new against one head. The dashed frame is what
# later chapters fill and repeat.*
#
# Attention gathers. But then the model of this chapter must answer at once: between attention and
# the logits there is one linear map, nothing that could *think* about what was found. That is the
# next chapter: [the feed-forward layer](04-feed-forward.ipynb).
