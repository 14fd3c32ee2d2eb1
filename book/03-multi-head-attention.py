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
# all 32 channels of the values with these same weights. But a position has two things, at least, to
# find out at once: which character is this, and which came before it? One mean has to answer both.
# After this chapter you can
#
# - build multi-head attention as a list of heads, and as one product;
# - say why the heads' outputs are concatenated, and not added;
# - say what four heads cost against one, what they gain, and where they look.
#
# **Make a guess before you read on.** Four heads of 8 channels need no more parameters than one
# head of 32. Then what do they give up for the four means that they gain? And would you bet on
# four against one?
#
# > **Multi-head attention is several attentions in parallel, their outputs concatenated.**

# %% [markdown]
# ## Two questions, one mean
#
# Let a position have two questions: which letter stood *one* back, and which *three* back? There
# are three letters, and a value says which one it is. One head looks at both places, with half of
# its weight each. It stands behind the last letter of a text, and looks at two texts:

# %%
import torch


def values(text: str) -> torch.Tensor:
    return torch.tensor([[float(c == one) for one in "bgk"] for c in text])


half = torch.tensor([0.5, 0, 0.5])  # half three back, half one back
for text in ("kbg", "gbk"):
    print(f"{text}: b, g, k in the mean: {(half @ values(text)).tolist()}")

# %% [markdown]
# In both texts a `g` and a `k` were found, half each. Which stood where is lost. If nobody asks
# for the order, nothing is missing, and one head is enough. If somebody does, take two heads,
# each with all of its weight at one place. What shall we do with their two means?

# %%
one_back, three_back = torch.tensor([[0.0, 0, 1], [1, 0, 0]])
for text in ("kbg", "gbk"):
    v = values(text)
    means = [one_back @ v, three_back @ v]
    print(f"{text}: added {sum(means).tolist()},", end=" ")
    print(f"side by side {torch.cat(means).tolist()}")

# %% [markdown]
# **Added**, the means of both texts are the same again: nobody can tell any more which head said
# what. **Side by side**, they differ. To put them side by side is to *concatenate* them.
#
# (Learned heads have value maps of their own, and could use different channels even when added. But
# then four heads of 8 share 8; side by side they have 32.)

# %% [markdown]
# ## A list of heads
#
# *Claims mha-1, mha-2 of the [lecture notes](claims.md).*
#
# With $\mathrm{nh}$ heads on $C$ channels, each head is $\mathrm{hs} = C / \mathrm{nh}$ wide, so
# that all of them side by side are again $C$ wide. We need chapter 2's `Head`, and a config that
# says how many (32 channels, and windows of at most 8, are its defaults).

# %%
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
# The heads don't know of one another. Same form, same input: only their random weights set them
# apart at the start.

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("heads")

# %% [markdown]
# *One head: one matrix of attention weights A mixes the positions, in the same way for all 32
# channels of the values. Four heads: each mixes the positions by a matrix of its own, for its 8
# channels. Every head computes its q, k and v from all 32 channels of x.*
#
# The package's class is this list. With our heads' weights it returns what we got:

# %%
from bardgpt.layers.attention import MultiHeadAttention

attention = MultiHeadAttention(config)
for ours, theirs in zip(heads, attention.heads, strict=True):
    theirs.load_state_dict(ours.state_dict())
torch.testing.assert_close(attention(x), y, rtol=0, atol=0)
print("largest difference:", (attention(x) - y).abs().max().item())

# %% [markdown]
# <details class="fold aside"><summary>For the curious: the package's class</summary>
#
# It has two things more than our list: the projection, which comes next, and dropout, which waits
# for chapter 8. Both are off here. (*The notes* are the lecture notes.)
#
# </details>

# %% tags=["hide-cell", "nbval-ignore-output"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
from bardgpt.teaching import listing

listing(MultiHeadAttention)

# %% [markdown]
# ## Concatenate, then project
#
# Nearly every transformer has one more linear layer here, the *projection*. It mixes the
# concatenated outputs, so that each new channel can use what all heads found. Call the outputs of
# four heads $y_1, \dots, y_4$, and cut the projection's matrix into one part for each, $W_1, \dots,
# W_4$. Then
#
# $$\begin{aligned}
# &\text{project}(y_1, \dots, y_4) = \\
# &W_1 y_1 + \dots + W_4 y_4.
# \end{aligned}$$
#
# So adding is allowed after all, if each head first goes through a matrix of its own: it can then
# write to channels that the others leave alone.

# %%
projection = torch.nn.Linear(32, 32, bias=False)
parts = projection.weight.split(8, dim=1)  # four W, each (C, hs)
added = sum(out @ W.T for out, W in zip(outputs, parts, strict=True))
torch.testing.assert_close(projection(y), added)
print(
    f"{len(parts)} matrices {tuple(parts[0].shape)}: the sum is the projection"
)

# %% [markdown]
# In this chapter's model the output layer comes right after, and it is linear too. Two linear maps
# in a row are one, so a projection would add nothing here. Chapter 5 switches it on: there the
# outputs are added to $x$ first, and without the projection each head could add to its own 8
# channels only.

# %% [markdown]
# ## What it costs
#
# *Claim mha-3.*
#
# Each of $\mathrm{nh}$ heads has three matrices, for queries, keys and values, with $C \times
# \mathrm{hs}$ parameters each. More heads are narrower heads, and the sum stays:
# $\mathrm{nh} \cdot 3 \cdot C \cdot C / \mathrm{nh} = 3 C^2$.

# %%
for n_head in (1, 2, 4, 8):
    config_of_n = GPTConfig(vocab_size=65, n_head=n_head)
    attention = MultiHeadAttention(config_of_n)
    size = sum(p.numel() for p in attention.parameters())
    print(f"{n_head} heads of {32 // n_head:2}: {size:,} parameters")

# %% [markdown]
# So what one gives up is width: a query of a head of 8 is compared with its keys in 8 dimensions
# instead of 32 (each score, a sum of 8 products, is now divided by $\sqrt{8}$), and each mean
# carries 8 channels instead of 32. One gains four means, each with attention weights of its own.
# With 32 heads a query would be a single number.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: how far is this a group convolution?</summary>
#
# *Claim mha-4.* The [lecture](references.md#ng-video-lecture) compares multi-head attention with a
# *group convolution*, in which the channels are cut into groups, and each group has a filter of its
# own. The whole layer, from $x$ to $y$, is not like an ordinary group convolution on the 32 channels
# of $x$. Three things differ:
#
# - **The groups are open.** In a group convolution, group 1 of the output sees only group 1 of the
#   input. A head reads *all* channels: nudge one, and all four heads answer.
# - **The mixing depends on the data.** A convolution has the same filter for every text. Attention
#   computes $A$ from its input, anew each time.
# - **Nothing is saved.** Cutting a convolution into $G$ groups leaves $1/G$ of its parameters.
#   Cutting attention into heads leaves all.
#
# But one step of attention is exactly a group convolution: $A v$, the mixing of the values once the
# weights $A$ are known. Only the roles are swapped, as the drawing below shows:
#
# - the $T$ *positions* are the convolution's channels;
# - the $\mathrm{hs}$ channels of the values are the places along which its filter slides;
# - the filter has width 1: at each place it mixes the $T$ numbers found there by the same $T \times
#   T$ matrix, and this matrix is $A$;
# - each head of each text is a group, with an $A$ of its own, so $B$ texts make $B \cdot
#   \mathrm{nh}$ groups. One head of 32 would be $B$ groups.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
figures.diagram("group-convolution")

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
import torch.nn.functional as F

from bardgpt.layers.attention import attention_weights, causal_mask

B, T, nh, hs = 3, 5, 4, 8
maps = [(head.query(x), head.key(x), head.value(x)) for head in heads]
q, k, v = (torch.stack(z, dim=1) for z in zip(*maps, strict=True))
A = attention_weights(q, k, causal_mask(T))  # (B, nh, T, T); q (B, nh, T, hs)

places = v.reshape(1, B * nh * T, hs)
filters = A.reshape(B * nh * T, T, 1)
grouped = F.conv1d(places, filters, groups=B * nh)  # (1, B * nh * T, hs)
as_heads = grouped.view(B, nh, T, hs).transpose(1, 2).reshape(B, T, nh * hs)
torch.testing.assert_close(as_heads, y)
print(f"{B * nh} groups, each mixing {T} positions: equal to the heads")

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
nudged = x.clone()
nudged[..., 0] += 1  # the first channel, which "belongs" to the first head
change = torch.cat([head(nudged) for head in heads], dim=-1) - y
moved = [part.abs().max().item() for part in change.split(hs, dim=-1)]
assert min(moved) > 1e-3
print("each head moves by up to", ", ".join(f"{most:.2f}" for most in moved))

between = (A[0] - A[1]).abs().amax(dim=(1, 2)).tolist()  # of two texts
assert min(between) > 1e-2
print("largest difference between two inputs, for each head:", end=" ")
print(", ".join(f"{most:.2f}" for most in between))

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
for n in (1, 4):
    conv = torch.nn.Conv1d(32, 32, 1, groups=n, bias=False)
    attention = MultiHeadAttention(GPTConfig(vocab_size=65, n_head=n))
    size = sum(p.numel() for p in attention.parameters())
    print(
        f"{n} groups: convolution {conv.weight.numel():5,} parameters,", end=" "
    )
    print(f"attention {size:,}")

# %% [markdown]
# ## Can it be learned?
#
# *Claim mha-6.*
#
# So far we chose the attention weights ourselves. Now let queries and keys make them, and then let
# training find these. The questions stay: one back, and three back. A text is now 16 letters, drawn
# at random from an alphabet of 16, so that places are all there is to learn.
#
# First by hand. A query says which place is wanted, a key which place this is, a value which
# letter stands here:

# %%
import torch.nn.functional as F

from bardgpt.gpt import GPT
from bardgpt.layers.attention import attention_weights, causal_mask

generator = torch.Generator().manual_seed(0)
ids = torch.randint(16, (1_000, 16), generator=generator)  # (B, T)
places = torch.eye(16)  # (T, 16), row t: "I am place t"
letters = torch.eye(16)[ids]  # (B, T, 16): "I am this letter"
means = []
for back in (1, 3):  # 1_000: so sure that the softmax gives 1 and 0
    wanted = 1_000 * places.roll(-back, dims=1)  # row t: "I want t - back"
    A = attention_weights(wanted, places, causal_mask(16))  # (T, T)
    means.append(A @ letters)  # (B, T, 16)

one, three = (mean[:, 3:].argmax(dim=-1) for mean in means)  # each (B, T - 3)
right = (one == ids[:, 2:-1]) & (three == ids[:, :-3])  # 1 back, 3 back
print(f"by hand, both letters right: {right.float().mean():.0%}")

# %% [markdown]
# (The first three positions have nothing three back, and are not asked.)

# %% [markdown]
# <details class="fold aside"><summary>For the curious: the same in the package's model</summary>
#
# `copying.by_hand` writes these numbers into the weights of a `GPT` with two heads of 16. Of its
# 32 channels 16 say which letter it is, and 16 at which place. It makes no mistake, and its loss
# is 0.
#
# </details>

# %% tags=["hide-cell", "nbval-ignore-output"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
from bardgpt.lab import copying

listing(copying.by_hand)

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
from bardgpt.lab.copying import Copying

solved = copying.judge(copying.by_hand(16), Copying(n_head=2))
print(f"by hand: loss {solved['loss']}, both right at {solved['right']:.0%}")

# %% [markdown]
# Now by training. The model is embeddings, attention and the output layer, 32 channels wide:


# %%
def learn(n_head: int, steps: int) -> GPT:
    torch.manual_seed(0)
    # 32 logits go out, 16 for each question; only 16 letters come in
    model = GPT(GPTConfig(vocab_size=32, block_size=16, n_head=n_head))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        ids = torch.randint(16, (32, 16), generator=generator)  # all new
        one, three = model(ids)[:, 3:].flatten(0, 1).chunk(2, dim=-1)
        loss = F.cross_entropy(one, ids[:, 2:-1].flatten())  # 1 back
        loss = (loss + F.cross_entropy(three, ids[:, :-3].flatten())) / 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


# %% [markdown]
# **Now guess.** One head of 32 has as many parameters as two of 16. After 400 steps, at what share
# of the positions will one head have both letters right, and at what share two?

# %%
from bardgpt.lab import copying, probes
from bardgpt.teaching import checks

shares = {}
for n_head in (1, 2):
    learned = learn(n_head, steps=400)
    one, three = learned(ids)[:, 3:].chunk(2, dim=-1)
    right = one.argmax(-1) == ids[:, 2:-1], three.argmax(-1) == ids[:, :-3]
    each = [f"{hits.float().mean():.0%}" for hits in right]
    print(f"heads: {n_head}; one back {each[0]}, three back {each[1]}")
    shares[n_head] = (right[0] & right[1]).float().mean()
checks.within("one head, share with both right", shares[1].item(), below=0.5)
checks.within("two heads, share with both right", shares[2].item(), above=0.5)

# the package's training, which made the table below, does the same as learn
packages = copying.train(copying.Copying(n_head=2, steps=5), seed=0)
torch.testing.assert_close(learn(2, 5).state_dict(), packages.state_dict())

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two square maps of attention weights over sixteen letters. From the fourth row on each row has one bright cell: in one map always one place left of the diagonal, in the other always three places left of it."}}
alphabet = torch.arange(16)[None]  # (1, T): a, b, c, …
seen = probes.attention_maps(learned, alphabet)[0, 0]  # (nh, T, T)
figures.maps(seen, "abcdefghijklmnop")

# %% [markdown]
# *Where the two heads look after 400 steps, in the text a to p: rows look at columns. One back is a
# line just below the diagonal, three back one that lies two lower.*
#
# Now longer runs, and a control. "Either" asks for the two letters in whatever order: the first 16
# logits are scored against both letters, and the losses averaged. The best answer gives each half,
# which costs $\ln 2$. Where both letters are the same, once in 16, it costs nothing: so at the
# least 15/16 of $\ln 2$.

# %% tags=["hide-input"]
from bardgpt import records, teaching

rows = {}
for name, runs in records.read("copying")["toys"].items():
    in_order = sorted(run["right"] for run in runs)
    asked = [f"{share:.0%}"[:-1] for share in in_order if "both" in name]
    rows[name] = [" ".join(asked), records.bands(runs)["loss"].short]
either = copying.Copying(n_head=1, task="either")
rows["either, at the least"] = ["", f"{either.floor:.3f}"]
columns = ["right, in per cent", "nats per answer"]
teaching.table("asked for", columns, rows)

# %% [markdown]
# *Five recorded runs of 2,000 steps each ("longer": 10,000; "8 letters": alphabet, texts and width
# halved): at how many positions each gets both letters right, and their loss.*
#
# Two heads divide the work: one looks one back, the other three back, and soon they make no
# mistake. After 400 steps the single head has one letter right at most positions, the other letter
# at few; the seed decides which. After 2,000 it still misses one or both at more than four fifths
# of the positions, in four of five runs. And where nobody asks for the order, one head is nearly as
# good as two ("either").
#
# Why is it hard for one? With equal weights the order is lost, as above. So let `a` stand one back,
# with weight 2/3, and `c` three back, with 1/3. All other letters have weight 0. "One back" is now
# easy: the more weight a letter has, the higher its logit. For "three back" the letter of weight
# 1/3 must get a higher logit than those of weight 0 and the one of 2/3. As long as values only say
# which letter stands there, a linear output layer can't: logit against weight is a straight line,
# never highest in the middle.
#
# Hard, but possible. With five times the steps one head gets most of it right in every run; at half
# the size ("8 letters"), in some runs. For values may also depend on the place, and the attention
# weights on which letter stands there, so that a mean can carry the order in a code of its own. (We
# did not decipher it.) So a second mean is not the only way to a second answer, but the one found
# at once, in every run.

# %% [markdown]
# ## Four against one
#
# *Claim mha-5.*
#
# This chapter's rung of the ladder, the book's series of models, differs from chapter 2's in a
# single number of the config, and has the same 7,553 parameters:

# %%
from bardgpt.lab.ladder import RUNGS
from bardgpt.shakespeare import shakespeare

tokenizer, train, validation = shakespeare()
for name in ("one-head", "four-heads"):
    rung = RUNGS[name].config
    size = GPT(rung).n_parameters()
    print(f"{name}: n_head = {rung.n_head}, {size:,} parameters")

# %% [markdown]
# You train four heads for 1,000 steps, which should bring them below one head's mean by then. The
# record has 5,000, from five seeds.

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
# chapter 1's tables of counts, uncut, with one, two and four characters before.*
#
# Four heads win. Their lead is 0.128 nats, the mean of five, each with the same seed on both sides.
# The five have a standard deviation of 0.004, so the lead is uncertain too. Its standard error is
# 0.004 / √5. We believe a lead of more than four standard errors; this one has many more. The
# letter game agrees: this model, too, has two questions (this character, the one before). That does
# not prove that four means are the reason.
#
# The lecture's 2.40 and 2.28 agree with ours. But the table of two characters is still far ahead,
# even cut to windows of 8. It has a row for each pair; this model can only weigh and add what
# single characters suggest. (Chapter 4 begins there.) From one prompt, this rung and the one before
# it write:

# %% tags=["hide-input"]
from bardgpt.teaching import live

live.writer("four-heads", beside="one-head")

# %% [markdown]
# ## What each head does
#
# *Claim mha-5 again.*
#
# The package has the finished rung: seed 0, after all 5,000 steps. Chapter 2 made queries by hand
# with which the `g` of `the king` found the vowels. What do learned heads find there?

# %%
from bardgpt import pretrained

finished, _ = pretrained.load_rung("four-heads")
king = tokenizer.encode("the king")[None]  # (1, T)
x_king = finished.token_embedding(king) + finished.position_embedding.weight
four_heads = finished.blocks[0].attention.heads
pairs = [(head.query(x_king), head.key(x_king)) for head in four_heads]
by_hand = [attention_weights(q, k, causal_mask(8)) for q, k in pairs]
seen = probes.attention_maps(finished, king)[0, 0]  # (nh, T, T), the same
torch.testing.assert_close(torch.cat(by_hand), seen)
print("where the g looks, in per cent:\nhead", *(f"{c:>3}" for c in "the_king"))
for number, row in enumerate(seen[:, 7].tolist(), start=1):
    print(f"{number:4}", *(f"{100 * weight:3.0f}" for weight in row))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four square heat maps, one for each head, over the eight characters of the king. All are empty above the diagonal. In the first the brightest cells lie left of the diagonal, one or two places back. In the second and third nearly all lie on the diagonal or just left of it. In the fourth most do, but the n and the g look most at the i."}}
figures.maps(seen, "the king")

# %% [markdown]
# *Attention weights of the four finished heads: each row is a position that looks, each column one
# that is looked at (␣ is a space).*
#
# For the `g`, heads 1 and 2 look most at the `n`, 3 at the `g` itself, 4 at the `i`. One window
# proves little. So average over 2,000 windows of new text, always from the last position, which can
# see all eight: how far back does the weight lie?

# %%
from bardgpt.batches import evaluation_windows

classes = probes.character_classes(tokenizer.vocabulary)  # (V,)
windows, _ = next(evaluation_windows(validation, 8, batch_size=2_000))
layer = probes.attention_maps(finished, windows)[0]  # (B, nh, T, T)
profiles = layer[:, :, -1].mean(dim=0).flip(-1)  # (nh, T), own place first
torch.testing.assert_close(profiles, probes.by_distance(layer))
print("per cent, by places back:\nhead", *(f"{back:3}" for back in range(8)))
for number, row in enumerate(profiles.tolist(), start=1):
    print(f"{number:4}", *(f"{100 * weight:3.0f}" for weight in row))

# %% [markdown]
# The weight can be summed by the *class* of the character that is looked at, too:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two plots with four kinds of marks each. Above: mean attention weight against distance. Head 1 is low at distance zero, peaks at one and falls off over two and three; the other three begin high at zero, lie near 0.1 to 0.2 at one and near zero from two on. Below: mean weight on vowels, consonants, spaces, line breaks and other characters; the heads lie close together, furthest apart on consonants and spaces."}}
by_class = probes.by_class(layer, classes[windows])
figures.head_profiles(profiles, by_class, probes.CLASSES)

# %% [markdown]
# *Where the four finished heads look from the last position of a window, mean over 2,000 windows:
# how far back (above), and at which class of character (below).*
#
# **Head 1 looks back.** It gives half of its weight to the character before, a quarter to the one
# two back, and little to its own place. **Heads 2, 3 and 4 look at their own place**, with more
# than 70 per cent of their weight, and give most of the rest to the one before. By class, all look
# most at consonants, of which a text has most.
#
# In this model attention is the only way through. The current character's own value counts only if
# a head looks at its own place. Otherwise this character can only steer, by its query, where the
# heads look. So it pays that some heads look at their own place, and another is free. (Chapter 5 gives
# the character another way.)
#
# Are heads 2, 3 and 4 alike, then? Ask how much each keeps for its own place, if the character
# that asks is a vowel, a consonant, or a space:

# %%
asking = classes[windows[:, -1]]  # (B,), of the last character
for number in range(4):
    own = layer[:, number, -1, -1]  # (B,)
    kept = [own[asking == c].mean() for c in (0, 1, 2)]
    print(f"head {number + 1}: vowel {kept[0]:.2f},", end=" ")
    print(f"consonant {kept[1]:.2f}, space {kept[2]:.2f}")

# %% [markdown]
# Not quite. If a consonant asks, head 2 looks away most of the three; if a vowel asks, head 4. If a
# space asks, all three stay at their own place, and only head 1 looks back. The lecture says that
# the tokens "want to find the consonants, the vowels from certain positions". Here, how much a head
# looks away depends on whether a vowel or a consonant *asks*. This, too, shifts the classes in the
# figure; that heads look *for* a class we do not see. Another seed may divide the work otherwise.
# (In other models, [Olsson and others](references.md#olsson-2022) found heads that look at what
# followed the same token earlier, and predict it.)

# %% [markdown]
# Type a text, and choose a character. You see where the four finished heads looked when they
# *predicted* it, that is, from the character before it. (A line break stands in front of the text,
# so the `n` is one place further, and its weights differ from those above.) Then switch one head
# off, and watch what the model expected there.

# %% tags=["hide-input"]
live.reader("four-heads", "the king", show="heads", switches=True)

# %% [markdown]
# ## How far apart are they?
#
# Would four untrained heads differ as much? Put the difference of two heads into a number. Let one
# give 0.6, 0.3 and 0.1 of its weight to the distances 0, 1 and 2, and another the reverse:

# %%
near = torch.tensor([0.6, 0.3, 0.1])
far = torch.tensor([0.1, 0.3, 0.6])
differences = (near - far).abs()
for name, row in (("one", near), ("other", far), ("apart", differences)):
    print(f"{name:6}", *(f"{share:.1f}" for share in row.tolist()))
print(f"half of the sum: {differences.sum() / 2:.1f}")

# %% [markdown]
# Of the weight, 0.5 would have to move to make one head look where the other looks. This number is
# the *total variation*. (Half of the sum, because weight that moves is missing at one place and too
# much at another.) It is 0 if both look at the same, and 1 if they share nothing. For four heads
# take the mean over their six pairs:

# %%
pairs = torch.combinations(torch.arange(4)).tolist()  # six
apart = [(profiles[i] - profiles[j]).abs().sum() / 2 for i, j in pairs]
print(f"finished heads, by distance: {sum(apart) / 6:.2f}")

# %% [markdown]
# After 1,000 steps your model should have more of it than the recorded models had *before* training
# (their mean stands behind "above"):

# %%
spreads = probes.head_spreads(model, windows, classes)
before, after, end = (
    four.probe_bands("heads", step) for step in (0, 1_000, 5_000)
)
kinds = ("by distance", "by class")
for kind in kinds:
    checks.measured(
        f"how much your heads differ {kind}",
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
# *How much four heads differ in where they look: mean over their six pairs, then mean and standard
# deviation over five seeds. At the right, distances and classes are shuffled in each window: the
# noise of 2,000 windows (folded below).*
#
# After 1,000 steps heads differ by distance nearly three times as much as untrained ones do, and
# at the end twice as much; by class it is about twice at both times. But not every pair does: the
# two heads that are most *alike* are hardly further apart than before training. So heads differ
# more on average because *some* find work of their own, as head 1 does above.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: how far apart are the two that are most alike?</summary>
#
# The table has the mean over the pairs and the closest pair, in total variation: mean and standard
# deviation of five seeds. For the closest pair the change is within the spread of the seeds.
#
# What two heads that look alike do with their values we did not measure, nor why heads differ less
# at the end than after 1,000 steps.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
rows = {}
for kind in kinds:
    for name, found in (("untrained", before), ("5,000 steps", end)):
        bands = found[kind], found[f"{kind}, closest pair"]
        rows[f"{kind}, {name}"] = [band.short for band in bands]
columns = ["mean of the pairs", "closest pair"]
teaching.table("how much heads differ", columns, rows)

# %% [markdown]
# <details class="fold aside"><summary>For the curious: how much of it is noise?</summary>
#
# 2,000 windows are a sample, and two heads that look alike would differ a little in it. To see how
# much, shuffle the distances at random in every window, in the same way for all four heads (and
# likewise the classes). After that no head can prefer a distance, and what still differs is noise:
# the bars at the right of the figure, next to nothing. A second caution: from the last position,
# three back is always the fifth place of the window. Whether distance or place counts, these
# averages cannot tell. Below stands the package's measurement, with both.
#
# </details>

# %% tags=["hide-cell", "nbval-ignore-output"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
listing(probes.head_spreads, probes.by_class, probes.variations)

# %% [markdown]
# ## The same answer in one product
#
# A list of heads is easy to read, but makes twelve small products for q, k and v, one by one, where
# a single large one would do. Every head reads the same $x$, so all their matrices can be stacked
# into one. Then the product must be cut into heads. Do that on a small tensor: the queries of 3
# positions, with 2 heads of 2 channels. In each number the hundreds give the head, the tens the
# channel, the ones the position (from 0).

# %%
small = torch.tensor([110, 120, 210, 220]) + torch.arange(3)[:, None]
print("as it comes, (T, C):", *small.tolist(), sep="\n  ")
by_head = small.view(3, 2, 2).transpose(0, 1)  # (T, nh, hs) to (nh, T, hs)
for number, rows_of_head in enumerate(by_head.tolist(), start=1):
    print(f"head {number}:", *rows_of_head)

wrong = small.view(2, 3, 2)  # at once into (nh, T, hs)
print("cut at once, head 1:", *wrong[0].tolist())
again = by_head.transpose(0, 1).reshape(3, 4)  # back to (T, nh * hs)
print("there and back is the same:", *again.tolist(), sep="\n  ")
assert torch.equal(again, small)

# %% [markdown]
# `view` cuts each row into its two heads. `transpose` brings the head to the front, so that each
# head has its own table of positions. The shape `(nh, T, hs)` can be had at once, too, and no
# message appears. But then "head 1" gets the first half of the text, with the channels of both
# heads.
#
# With attention between the cut and the way back, this is the whole layer, held against the
# `heads` and the `y` of *A list of heads*. The product is (B, T, 3C): first the queries of all
# heads, then the keys, then the values, C channels each. Cut it in three, then each third as
# above:

# %%
maps_of = [[h.query, h.key, h.value] for h in heads]  # each map (hs, C)
W = torch.cat([maps[i].weight for i in range(3) for maps in maps_of])  # (3C, C)
B, T, C = x.shape
q, k, v = (
    z.view(B, T, 4, 8).transpose(1, 2)  # (B, nh, T, hs)
    for z in (x @ W.T).split(C, dim=-1)  # each (B, T, C)
)
A = attention_weights(q, k, causal_mask(T))  # (B, nh, T, T)
in_one = (A @ v).transpose(1, 2).reshape(B, T, C)  # view would fail
torch.testing.assert_close(in_one, y)
print(f"one matrix {tuple(W.shape)}, and the answer of the list of heads")

# %% [markdown]
# The package's `CausalSelfAttention` does this, and leaves scores, softmax and mixing to one
# operator of PyTorch. `from_heads` copies the parameters:

# %%
from bardgpt.layers.attention import CausalSelfAttention

listed = model.blocks[0].attention
fused = CausalSelfAttention.from_heads(listed, model.config)
torch.testing.assert_close(fused(x), listed(x))
shape = tuple(fused.qkv.weight.shape)
print(f"one matrix of {shape} for q, k and v of all heads")

# %% [markdown]
# With dropout off it is the same function, with the same gradients. Chapters 7 and 9 use it; the
# rest stays with the list, whose attention weights one can look at. ([The fast
# path](appendix/fast-attention.ipynb) draws it, and measures the time and memory saved.)

# %% [markdown]
# <details class="fold aside"><summary>For the curious: the package's class in one product</summary>
#
# Here `qkv` is the stacked matrix, and `proj`, as in the list, does nothing yet; `cache` is for
# sampling. The package's tests hold it against the list, and against `torch.nn.MultiheadAttention`,
# for many shapes.
#
# </details>

# %% tags=["hide-cell", "nbval-ignore-output"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
listing(CausalSelfAttention.from_heads, CausalSelfAttention.forward)

# %% [markdown]
# ## What broke when we changed it
#
# A slip that no error message reports: put *the same* head into the list four times, as
# `[Head(config)] * 4` does. The shapes fit. But it is one head of 8, four times over: its
# parameters are counted once. Only 8 of the 32 channels are new; the others repeat them (*rank* 8):

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
# Try each before you open its solution. Where a cell waits for your code, write it, run the cell,
# and it tells you what is not right yet.
#
# **Check yourself.** (a) The full model of chapter 9 has 384 channels and 6 heads in each
# attention layer. How wide is a head? (b) How many parameters do the queries, keys and values of
# one layer have, and how many would they have with 12 heads? (c) Which channels of the output,
# counted from 0, does the second of four heads of 8 make, and which of the input may it read?
# (d) Someone adds the outputs of four heads of 8 instead of putting them side by side. What may be
# lost? And with four heads of 32?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# (a) 64. (b) 3 C^2 with any number of heads. (c) It makes channels 8 to 15, and reads all 32.
# (d) Which head said what, for four means share 8 channels. Heads of 32 need lose nothing: the value
# map of each can write to 8 channels of its own, and the sum is then the concatenation. But they have
# four times the parameters.
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
# **1. Split and join.** Write the attention of `nh` heads, from the queries, keys and values of all
# heads, each (B, T, C): cut them into heads, let each head attend to the past, and put the outputs
# side by side again. `attention_weights(q, k, causal_mask(T))` may help; it takes more dimensions
# in front.

# %% tags=["remove-output"]
from bardgpt.teaching import exercises


def many_heads(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, nh: int
) -> torch.Tensor:
    """Give what all heads return, side by side: (B, T, C)."""
    ...


exercises.check("3.1", many_heads)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Cut each row first, then bring the heads in front of the positions; on the way back, first the
# positions in front of the heads, then glue each row.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def many_heads(q, k, v, nh):
    B, T, C = q.shape
    q, k, v = (z.view(B, T, nh, C // nh).transpose(1, 2) for z in (q, k, v))
    A = attention_weights(q, k, causal_mask(T))  # (B, nh, T, T)
    return (A @ v).transpose(1, 2).reshape(B, T, C)


exercises.check("3.1", many_heads)

# %% [markdown]
# **2. How far apart?** Write the total variation of two heads. Each is given as a row of weights
# that sum to 1.


# %% tags=["remove-output"]
def total_variation(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Give one number between 0 and 1, from two distributions (n,)."""
    ...


exercises.check("3.2", total_variation)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Half of the sum of the differences, without their signs. With signs, too much and too little
# cancel.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def total_variation(a, b):
    return (a - b).abs().sum() / 2


exercises.check("3.2", total_variation)

# %% [markdown]
# **3. The order of heads.** Swap the first two heads of your model. Which weights of the output
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
layer, output = model.blocks[0].attention, model.lm_head.weight
order = torch.tensor([1, 0, 2, 3])
columns = torch.arange(32).view(4, 8)[order].flatten()
with torch.no_grad():
    layer.heads = torch.nn.ModuleList(layer.heads[i] for i in order)
    output.copy_(output[:, columns])
torch.testing.assert_close(model(ids), before_swap)
gap = (model(ids) - before_swap).abs().max()
print(f"with two heads swapped, a logit changes by {gap:.3f} at most")

# %% [markdown]
# **4. Which head matters?** Silence one of the finished heads at a time, by setting its value matrix
# to 0 and changing nothing else. How much does the validation loss rise for each? Guess first: is
# it head 1, the only one that looks back?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# It rises for each, when nothing is retrained. Least is lost without head 1, which looks back, and
# most without heads 2 and 4, which carry the current character. Head 3 carries it too, and is missed
# less; why, we did not look into. This is what the finished model relies on, not what a model that
# was trained with three heads would reach.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
from bardgpt.evaluation import evaluate

whole = evaluate(finished, validation)
for number, head in enumerate(finished.blocks[0].attention.heads, start=1):
    kept = head.value.weight.data.clone()
    head.value.weight.data.zero_()
    rise = evaluate(finished, validation) - whole
    head.value.weight.data.copy_(kept)
    assert rise > 0.01
    print(f"nats lost without head {number}: {rise:.2f}")

# %% [markdown]
# **5. Eight heads (open).** Train eight heads of 4, and thirty-two heads of 1, with `train_model`
# for 1,000 steps. Where does narrowing stop helping? So early, differences are small: four heads
# led one by only 0.03 then. Use three seeds before you believe a difference.

# %% [markdown]
# ## What to remember
#
# - Multi-head attention is a list of heads, run on the same input and concatenated over the
#   channels. Added, four heads of 8 would share 8 channels.
# - Four heads of 8 have as many parameters as one head of 32. They give up width for four means
#   instead of one. In this model they reach 2.274, one head 2.402.
# - Two questions at once are easy for two heads, each looking at its place. One head has to pack
#   both answers into one mean: it learns that slowly, and in none of our runs without mistakes.
# - Of the finished heads one looks back and three mostly look at their own place. Trained heads
#   differ in where they look, on average more than untrained ones. Not every pair does.
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
# *The rung of this chapter. The dashed frame is what later chapters fill and repeat.*
#
# Attention gathers. But between attention and the logits there is one linear map, nothing that
# could *think* about what was found. That is the next chapter:
# [the feed-forward layer](04-feed-forward.ipynb).
