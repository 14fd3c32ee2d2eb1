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
# # 2 · One head of attention
#
# [Chapter 1](01-text-and-yardstick.ipynb) ended with a table of counts in the lead. Its weakness
# was that each context is a row of its own. The bigram model has another: each position sees its
# own character and nothing else. This chapter builds the part that lets a position look back:
# *attention*. After this chapter you can
#
# - build causal attention, from a mean of the past to queries, keys and values;
# - say why scores are divided by the root of the head size, and why positions must be added;
# - check that no position sees the future.
#
# **Make a guess before you read on.** With one head of attention a position may use every character
# of its window that came before, up to eight with its own. Of chapter 1's tables, that of one
# character stands at 2.486, that of two at 2.049. Where will the network land?
#
# > **This chapter adds two things: one head, and a note of where in the window each character
# > stands.**

# %% [markdown]
# ## The mean of the past
#
# Take four windows of eight characters. Each character is looked up in an embedding of $C = 32$
# numbers, still random here, so that `x` has the shape $(B, T, C)$.

# %%
import torch
from torch import nn

from bardgpt.batches import random_windows
from bardgpt.shakespeare import shakespeare

tokenizer, train, validation = shakespeare()
B, T, C, V = 4, 8, 32, tokenizer.vocab_size
ids, _ = random_windows(train, T, B, torch.Generator().manual_seed(0))  # (B, T)
torch.manual_seed(0)
x = embedded = nn.Embedding(V, C)(ids)  # (B, T, C)
print([tokenizer.decode(window) for window in ids], tuple(x.shape))

# %% [markdown]
# The simplest way for a position to hear of its past is the mean: position $t$ receives the
# average of the vectors at $0, 1, \dots, t$. As a loop:

# %%
averaged = torch.zeros(B, T, C)
for t in range(T):
    averaged[:, t] = x[:, : t + 1].mean(dim=1)
print(tuple(averaged.shape))

# %% [markdown]
# ## The same as one product
#
# A mean is a weighted sum with equal weights that sum to 1. Put the weights of position $t$ into
# row $t$ of a $T \times T$ matrix, with zeros where the future would be. One matrix product then
# does the work of the loop.

# %%
weights = torch.ones(T, T).tril()  # ones on and below the diagonal
weights = weights / weights.sum(dim=1, keepdim=True)  # (T, T), rows sum to 1
torch.testing.assert_close(weights @ x, averaged)
for row in weights[:4].tolist():
    print(" ".join(f"{weight:.2f}" for weight in row))

# %% [markdown]
# `assert_close` is silent, so both agree up to rounding. Row 2 gives a third each to positions 0, 1
# and 2.

# %% [markdown]
# ## The same from scores
#
# The mean gives each character the same say, whoever asks: the one that matters drowns among the
# others. So we want weights that are not all equal, but still are positive and sum to 1. Chapter 1's
# softmax turns any scores into such weights. Equal scores give equal weights, so let all be 0. The
# future gets the score $-\infty$, because $e^{-\infty} = 0$.

# %%
past = torch.ones(T, T, dtype=torch.bool).tril()  # (T, T), where one may look
scores = torch.zeros(T, T).masked_fill(~past, float("-inf"))
weights = scores.softmax(dim=-1)  # (T, T)
torch.testing.assert_close(weights @ x, averaged)
print(" ".join(f"{weight:.2f}" for weight in weights[3].tolist()))

# %% [markdown]
# Still the mean. But now the weights are free. Give one score a 2, and position 3
# listens mostly to position 1:

# %%
scores[3, 1] = 2.0
weights = scores.softmax(dim=-1)
print(" ".join(f"{weight:.2f}" for weight in weights[3].tolist()))

# %% [markdown]
# ## Let the data decide
#
# Which earlier characters matter depends on which they are, and on who asks. An `r` may want to
# know the vowel before it; a line break, whether a name stood there.
#
# The simplest try: two vectors that point the same way have a large dot product. So take
# $x_t\cdot x_s$ as the score:

# %%
scores = (x @ x.transpose(1, 2)).masked_fill(~past, float("-inf"))  # (B, T, T)
weights = scores.softmax(dim=-1)
own = weights.diagonal(dim1=1, dim2=2)  # (B, T), of each position to itself
print("to itself:", " ".join(f"{weight:.2f}" for weight in own[0].tolist()))

# %% [markdown]
# Each position finds itself, for nothing is as like a `g` as a `g`. (The 0.50 is the second `e` of
# `he gives`: it finds the first just as well.) The score is also the same in both directions, and
# what one looks for is not what one is. So let us give each position two vectors: a *query* $q$, what
# it looks for, and a *key* $k$, what it can be found by. A third, the *value* $v$, is what it hands
# out when found.
#
# Here they are, made by hand for `the king`. A character is three numbers: is it a vowel, a
# consonant, a space? The key is just that. The query swaps the first two and multiplies all by 3: a consonant
# asks for vowels, a vowel for consonants. The value says "I am an e" or "I am an i".

# %%
letters = "the king"
kinds = [[c in "ei", c not in "ei ", c == " "] for c in letters]
features = torch.tensor(kinds).float()  # (T, 3)
asks = torch.tensor([[0.0, 3, 0], [3, 0, 0], [0, 0, 3]])  # the query map

king = {"q": features @ asks, "k": features}  # each (T, 3)
king["v"] = torch.tensor([[c == "e", c == "i"] for c in letters]).float()
scores = king["q"] @ king["k"].T  # (T, T)
weights = scores.masked_fill(~past, float("-inf")).softmax(dim=-1)
print("letter    ", *(f"{letter:>4}" for letter in letters.replace(" ", "_")))
print("q of g · k", *(f"{score:4.0f}" for score in scores[7].tolist()))
print("weights   ", *(f"{weight:.2f}" for weight in weights[7].tolist()))
print("g receives", [round(y, 2) for y in (weights @ king["v"])[7].tolist()])

# %% [markdown]
# Check the `g`: its scores are 3 for `e` and `i`, and $e^3 \approx 20$ stands against six times
# $e^0 = 1$. So each vowel gets $20 / 46$, and the `g` knows that an `e` and an `i` came before it. Which
# was nearer it cannot tell yet.
#
# Move four scores yourself; here each value is one number:

# %% tags=["hide-input"]
from bardgpt.teaching import live

live.toy_scores()

# %% [markdown]
# A model has to find such maps by itself. So each position makes its three vectors of $\mathrm{hs}$
# numbers (the *head size*) from its $x$, each by a learned linear map without bias. **The same three
# maps are used at every position.**
#
# The score between position $t$, which asks, and position $s$, which is asked, is the dot product
# $q_t \cdot k_s$. It is divided by $\sqrt{\mathrm{hs}}$, for a reason that comes below. Position $t$
# receives
#
# $$y_t = \sum_{s \le t} A_{ts}\, v_s, \quad \text{where}$$
#
# $$A_{ts} = \mathrm{softmax}_{s \le t} \left(\frac{q_t \cdot k_s}{\sqrt{\mathrm{hs}}}\right).$$
#
# The $A_{ts}$ are the *attention weights*; the softmax runs over all $s$ up to $t$. This is
# attention ([Vaswani et al.](references.md#vaswani-2017), equation 1). It is *causal* if no one
# looks into the future, and *self*-attention if queries, keys and values come from the same `x`.
# (In a translator the queries may come from a text of length $T$, keys and values from another of
# length $S$. That is *cross*-attention: $T \times S$ scores, and no causal mask. Our model reads
# one text: self-attention only.) One set of the three maps is a *head*.

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("one-head")

# %% [markdown]
# *What position 3 of a window receives, with scores made up for the drawing. The deeper the green,
# the more of that value it takes. The last character is still to come and gives nothing yet.*
#
# By hand, one head is these few lines:

# %%
torch.manual_seed(0)
hs = 32
query, key, value = (nn.Linear(C, hs, bias=False) for _ in range(3))

q, k, v = query(x), key(x), value(x)  # each (B, T, hs)
scores = q @ k.transpose(1, 2) / hs**0.5  # (B, T, T)
weights = scores.masked_fill(~past, float("-inf")).softmax(dim=-1)
by_hand = weights @ v  # (B, T, hs)

for row in weights[0, :4].tolist():
    print(" ".join(f"{weight:.2f}" for weight in row))

# %% [markdown]
# The rows still sum to 1, the future is still 0, and each window of the batch now has weights of its
# own. The package's `Head` is these lines in a class; its mask `causal` is our `past`, and
# `attention_weights` does the division, the mask and the softmax. With the same three maps `Head`
# gives the same numbers as ours, and as PyTorch's own operator. With a query of zeros all scores are
# 0; with `x` itself as values, out comes our first average. There are $T \times T$ scores: in a
# window twice as long, four times as many.

# %%
from bardgpt.lab.ladder import RUNGS
from bardgpt.layers.attention import Head, attention_weights

rung = RUNGS["one-head"].config
head = Head(rung)
head.query, head.key, head.value = query, key, value
torch.testing.assert_close(head(x), by_hand)

pytorch = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
torch.testing.assert_close(by_hand, pytorch)

mean = nn.functional.scaled_dot_product_attention(0 * q, k, x, is_causal=True)
torch.testing.assert_close(mean, averaged)
print("three ways, one answer; and the mean is still inside")

# %% [markdown]
# ## The future cannot change the past
#
# A model that writes has no future to look at. So while it learns, no position may depend on a later
# one. Put something else at positions 5, 6 and 7, and see which outputs stay:

# %%
changed = x.clone()
changed[:, 5:] = torch.randn(B, 3, C)
moved = (head(changed) - head(x)).abs().amax(dim=(0, 2))  # (T,)
assert (moved[:5] == 0).all()
print("largest change:", " ".join(f"{change:.1f}" for change in moved.tolist()))

# %% [markdown]
# Positions up to 4 did not notice: they give a weight of exactly 0 to what comes later. The mask also
# makes learning cheap: all positions of a window can be trained in one pass, each as if the text
# ended there.
#
# Why a score of $-\infty$, and not simply a weight of 0 after the softmax? Try it:


# %%
def masked_late(x: torch.Tensor) -> torch.Tensor:
    scores = query(x) @ key(x).transpose(1, 2) / hs**0.5  # (B, T, T)
    return scores.softmax(dim=-1).masked_fill(~past, 0.0)


late, late_changed = masked_late(x)[0, 3], masked_late(changed)[0, 3]  # (T,)
print(" ".join(f"{weight:.2f}" for weight in late.tolist()), end=", ")
print(f"sum {late.sum():.2f}")
print(" ".join(f"{weight:.2f}" for weight in late_changed.tolist()), end=", ")
print(f"sum {late_changed.sum():.2f}")

# %% [markdown]
# Row 3 before the change, and after it. The weights no longer sum to 1, and they move with the
# future: it is still in the denominator of the softmax. To divide each row by its sum would repair
# both; $-\infty$ does the same in one step.

# %% [markdown]
# ## Why divide by the root of the head size
#
# Let the entries of $q$ and $k$ be independent, with mean 0 and variance 1. For such numbers, the
# variance of a product is the product of the variances: each $q_i k_i$ has variance 1. And the
# variances of independent terms add up: $q \cdot k$ has $\mathrm{hs}$ terms, so its variance is
# $\mathrm{hs}$. The larger the head, the further the scores lie apart. **Before you run the next
# cell:** what is the variance after dividing by $\sqrt{\mathrm{hs}}$?

# %%
N = 20_000
generator = torch.Generator().manual_seed(0)
for hs in (8, 32, 64):
    q, k = torch.randn(2, N, hs, generator=generator, dtype=torch.double)
    dots = (q * k).sum(dim=-1)  # (N,)
    scaled = dots / hs**0.5
    assert abs(scaled.var() - 1) < 0.05  # from so many draws 1 ± 0.01
    print(f"hs {hs:2}: variance {dots.var():.0f}, scaled {scaled.var():.2f}")

# %% [markdown]
# Dividing a number by $\sqrt{\mathrm{hs}}$ divides its variance by $\mathrm{hs}$: so it is 1 at every
# head size. That matters, for softmax is exponential. Without the division, the scores of a head of
# 64 have a standard deviation of 8, and two that lie 8 apart give weights in a ratio of $e^8$, about
# 3,000 to 1. Let queries choose among eight keys each:


# %%
def draw(hs: int, queries: int = 4_000) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    q = torch.randn(queries, 1, hs, generator=generator, dtype=torch.double)
    k = torch.randn(queries, 8, hs, generator=generator, dtype=torch.double)
    return q, k


print("mean weight of the strongest key")
chosen = {"unscaled": {}, "scaled": {}}
for hs in (8, 64, 1_024):
    q, k = draw(hs, queries=1_000)
    dots = (q * k).sum(dim=-1)  # (1000, 8)
    for name, scale in (("unscaled", 1), ("scaled", hs**-0.5)):
        weights = chosen[name][hs] = (dots * scale).softmax(dim=-1)
        print(f"hs {hs:5,}, {name}: {weights.amax(dim=-1).mean():.2f}")

# %% tags=["hide-input"] mystnb={"image": {"alt": "Six bar charts of the weights of eight keys for one query, at head sizes 8, 64 and 1,024. Unscaled, the weight gathers in fewer keys as the head grows, and at 1,024 one key has nearly all of it. Scaled, several keys share it at each size."}}
figures.keys_chosen(
    {
        f"{name}, hs {hs:,}": weights[4]  # of query 4
        for name, by_size in chosen.items()
        for hs, weights in by_size.items()
    }
)

# %% [markdown]
# *One of these queries at each head size. Unscaled, one key gets most of the weight, and at 1,024
# nearly all; which one is chance. Scaled, it mixes at every size.*
#
# The sliders set the scores as they are after the division. Untick it, and each is
# $\sqrt{\mathrm{hs}}$ times as large; then let the head grow:

# %% tags=["hide-input"]
live.toy_scores(head_size=True)

# %% [markdown]
# Once one weight is near 1, a small change of the query changes next to nothing, so hardly any
# gradient comes back to correct it. Where two keys have nearly equal weights, the gradient is too
# large instead: without the division, the same change of the query moves their scores
# $\sqrt{\mathrm{hs}}$ times as far.
#
# So measure it at head size 64, with random values. Send a random gradient, `sent`, back from the
# output (the loss is the sum of output times `sent`). How much arrives at each query? We count in
# units of what a typical query gets with the scale (the median).

# %%
q, k = draw(64)
v = torch.randn(4_000, 8, 64, generator=generator, dtype=torch.double)
sent = torch.randn(4_000, 64, generator=generator, dtype=torch.double)
arrived = {}
for name, scale in (("unscaled", 1), ("scaled", 64**-0.5)):
    asking = q.clone().requires_grad_()  # (4000, 1, hs)
    scores = (asking * k).sum(dim=-1) * scale  # (4000, 8)
    received = (scores.softmax(dim=-1)[..., None] * v).sum(dim=1)  # (4000, hs)
    (gradient,) = torch.autograd.grad((received * sent).sum(), asking)
    arrived[name] = gradient.norm(dim=-1)[:, 0]  # (4000,)
typical = arrived["scaled"].median()
ratios = {name: norm / typical for name, norm in arrived.items()}

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two histograms on a logarithmic axis of the gradient that arrives at each of 4,000 queries. With the scale all lie in one narrow hill around 1. Without it the hill is broad and flat, with a long tail to the left end of the axis, at a hundred-thousandth, and reaches above 10."}}
figures.gradient_histogram(ratios)

# %% [markdown]
# *The gradient that arrives at each of 4,000 queries, in these units. The first bar also holds all
# that got less.*

# %% tags=["hide-input"]
from bardgpt import teaching

rows = {}
for name, ratio in ratios.items():
    shares = (ratio < 1 / 100, ratio > 10)
    cells = [f"{here.double().mean():.0%}" for here in shares]
    rows[name] = [f"{ratio.mean():.1f}", *cells]
teaching.table("scores", ["mean", "below 1/100", "above 10"], rows)

# %% [markdown]
# *The mean, and the shares that get less than a hundredth, and over ten times as much.*
#
# It is often said that without the scale the gradient vanishes. Here it is *uneven*: for about
# one query in six it has vanished, for one in ten it is over ten times the typical one, and its
# mean has even grown.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: which size belongs under the root, and could a head learn it?</summary>
#
# It is $\mathrm{hs}$, the number of terms in the dot product, and not the width $C$. With one head
# the slip cannot be seen, since $\mathrm{hs} = C = 32$. With four heads of 8, dividing by $\sqrt{32}$
# leaves the scores a variance of $8 / 32 = 1/4$: softer than intended. The model trains all the same,
# which is why such a slip lives long.
#
# The scale adds nothing that a head could not learn: the query map could absorb the factor. It only
# sees to it that at the start nothing is decided yet. (Even then a head's $q$ and $k$ need not have
# variance 1, and later their size is up to training. But whatever their variance, divided scores do
# not grow with the head.)
#
# </details>

# %% [markdown]
# ## Where, not only what
#
# The sum $y_t$ does not care for order. Shuffle all before the last position, and that position
# receives the same:

# %%
order = torch.tensor([3, 0, 6, 2, 5, 1, 4, 7])  # the last stays where it is
shuffled = x[:, order]
torch.testing.assert_close(head(shuffled)[:, -1], head(x)[:, -1])

positions = nn.Embedding(T, C)(torch.arange(T))  # (T, C)
for name, added in (("without", 0 * positions), ("with", positions)):
    gap = (head(shuffled + added) - head(x + added))[:, -1].abs().max()
    print(f"{name} positions, the last output moves by up to {gap:.1f}")

# %% [markdown]
# By itself a head sees its past as a bag of characters: after `thre` and after `reth`, a following
# `e` receives exactly the same. So each of the eight places in the window gets a *position
# embedding*, learned like those of the characters, and it is added to `x`. Queries, keys and values
# are made from the sum, so that a head can ask for "a vowel", for "the place before mine", or for
# both. But does adding mix up what a character is with where it stands? Multiply a score out,
# without the maps ($x'$ and $p'$ belong to the position asked):
#
# $$
# \begin{aligned}
# &(x+p)\cdot(x'+p') \\
# &\quad=x\cdot x'+x\cdot p' \\
# &\qquad{}+p\cdot x'+p\cdot p'.
# \end{aligned}
# $$
#
# - $x\cdot x'$: a character looks for a character;
# - $x\cdot p'$: a character looks for a place;
# - $p\cdot x'$: a place looks for a character;
# - $p\cdot p'$: a place looks for a place.
#
# What and where stay apart if characters and places lie in different directions: then the maps can
# learn which of the four terms matters.

# %% [markdown]
# ## One head on the ladder
#
# The rung is the bigram model with two things added: positions, and a head as wide as $x$:


# %%
class OneHeadModel(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(V, C)
        self.position_embedding = nn.Embedding(T, C)
        self.head = Head(rung)
        self.lm_head = nn.Linear(C, V)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        places = torch.arange(ids.shape[1])
        x = self.token_embedding(ids) + self.position_embedding(places)
        return self.lm_head(self.head(x))  # (B, T, V)


# %% [markdown]
# The package's `GPT` keeps its head in `blocks`. With the same weights it gives the same logits:

# %%
from bardgpt.gpt import GPT

ours, model = OneHeadModel(), GPT(rung)
for own, theirs in zip(ours.parameters(), model.parameters(), strict=True):
    own.data.copy_(theirs.data)
torch.testing.assert_close(ours(ids), model(ids))
print("largest difference:", f"{(ours(ids) - model(ids)).abs().max():.3f}")

# %%
for name, parameter in GPT(rung).named_parameters():
    print(f"{parameter.numel():5,}  {name}")
print(f"{GPT(rung).n_parameters():5,}  parameters")

# %% [markdown]
# You do the first 1,000 steps of seed 0. After them the head should be below the bigram rung, and
# above the table of two.

# %%
from bardgpt import records
from bardgpt.teaching import checks

tables = [table["validation"] for table in records.tables()]  # 0 to 5 before
record, bigram = records.load("one-head"), records.load("bigram")
without = records.load("one-head-no-positions")
runs = {
    "bigram rung": bigram,
    "one head, no positions": without,
    "one head": record,
}
print(f"after 1,000 steps, the bigram rung: {bigram.band(1_000)}")

# %%
from bardgpt.config import TrainingConfig
from bardgpt.training.loop import train_model

torch.manual_seed(0)
model = GPT(rung)
first_steps = TrainingConfig(steps=1_000, seed=0)
history = train_model(model, train, validation, first_steps)
checks.measured(
    "one head, validation loss after 1,000 steps",
    history.at(1_000),
    record.band(1_000),
    below=bigram.band(1_000).mean,
    above=tables[2],
)

# %% [markdown]
# The full runs, beside five of the same model without positions:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss over 5,000 steps, five seeds for each of three models. The dotted lines of the bigram rung flatten out first and end highest. The dashed lines of the head without positions end below them, the solid lines of one head lowest, at about 2.40. A level far below all of them, at 2.05, marks the table of two characters."}}
figures.training_runs(
    {name: each.histories for name, each in runs.items()},
    {"table of two characters": tables[2]},
    zoom=(2.0, 2.8),
)

# %% [markdown]
# *Five full runs each. At first the runs without positions lead; why, we do not know. In the end all
# head runs are below all bigram runs.*

# %% tags=["hide-input"]
rows = {}
for name, run in runs.items():
    size = GPT(run.model).n_parameters()
    losses = (run.band_on_training_text(), run.band())
    rows[name] = [f"{size:,}", *(band.short for band in losses)]
teaching.table("model", ["parameters", "training text", "new text"], rows)

# %% [markdown]
# *Loss after 5,000 steps, in nats per character: mean and standard deviation of five seeds.*
#
# `records.gain(a, b)` says how much lower `b` ends than `a`, seed by seed:

# %%
gain = records.gain(bigram, record)
by_positions = records.gain(without, record)
assert by_positions.mean > gain.mean / 2
print(f"the head's gain:       {gain}")
print(f"of this, by positions: {by_positions}")

# %% [markdown]
# The rest is the head without positions: in the table, $2.496 - 2.455$, but for rounding.
#
# Karpathy's [lecture](references.md#ng-video-lecture) reports about 2.5 for the bigram model and
# 2.40 for one head. The loss is almost as high on the training text as on new text: no overfitting.

# %% [markdown]
# And what does it write? Beside the bigram model, with the same prompt and random numbers. (A ninth
# character has no place: the model refuses it. When all eight places are full, the first four are
# dropped, to make room for four more.)

# %% tags=["hide-input"]
live.writer("one-head", "bigram")

# %% [markdown]
# ## Where that leaves us
#
# Was your guess lower? A head that may look at eight characters stands at 2.402, a table of two at
# 2.049. In fairness, the head is cut off at the start of its window. Cut the table off too:

# %%
from bardgpt.lab.count_tables import CountTable

each = CountTable(train, 2, V).losses_by_context(validation)  # (3, N - 1) nats
inside = torch.arange(each.shape[1]) % T  # position in the window
cut = torch.where(inside == 0, each[1], each[2])  # the first has only one
print(f"table of one: {each[1].mean():.3f}; of two: {each[2].mean():.3f}")
print(f"table of two, within windows of 8: {cut.mean():.3f}")

# %% [markdown]
# The table still leads by far. Part of the reason is the form of the model; the rest is what the head
# has not learned in 5,000 steps. (We measured neither share.) The output layer is linear, with a matrix
# $W$ and a bias $b$. So it may be applied to each value first:
#
# $$
# \begin{aligned}
# &W\Bigl(\sum_s A_{ts}v_s\Bigr)+b \\
# &\quad=\sum_s A_{ts}Wv_s+b.
# \end{aligned}
# $$
#
# That gives one fixed row $W v_s$ of 65 scores for each character at each place. The head only mixes
# the rows of its past:

# %%
window = tokenizer.encode("my lord,")[None]  # (1, T)
trained = model.blocks[0].attention.heads[0]
last = model.lm_head
with torch.no_grad():
    positions = model.position_embedding.weight  # (T, C)
    x = model.token_embedding(window) + positions  # (1, T, C)
    rows = x @ trained.value.weight.T @ last.weight.T  # (1, T, V)
    q, k = trained.query(x), trained.key(x)
    weights = attention_weights(q, k, trained.causal)  # (1, T, T)
    mixed, logits = weights @ rows + last.bias, model(window)
torch.testing.assert_close(mixed, logits, rtol=1e-4, atol=1e-4)
shapes = tuple(rows.shape), tuple(weights.shape)
print(f"{shapes[0]} rows of scores, mixed by {shapes[1]} weights")

# %% [markdown]
# So the head has a row for `t` and a row for `h`, but none for `th`. After `th` it can only mix these
# rows. And the one row of `t` must serve twice: read at the `t`, for what follows `t`; read at the
# `h`, for what follows `th`. The table of two has counted `th` itself. And because the weights sum to
# 1, a position that looks back looks away from its own character, the one thing that the bigram model
# knew.

# %% [markdown]
# ## Looking at the weights
#
# What does your head look at? Take the window `my lord,` from the validation text, before
# training and after.

# %%
from bardgpt.lab import probes

torch.manual_seed(0)
untrained = GPT(rung)  # with the weights that your run began with
maps = [probes.attention_maps(net, window) for net in (untrained, model)]
pair = [layers[0, 0, 0] for layers in maps]  # one block, one window, one head
print("before and after, each", tuple(pair[1].shape))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two triangular maps of attention weights over the eight characters of my lord, with a comma. Before training each row is spread over all that came before. After training the diagonal is bright, so most characters look mainly at themselves, the l looks also at the space and the r at the o before it."}}
names = ("before training", "after 1,000 steps")
figures.maps(torch.stack(pair), "my lord,", names)

# %% [markdown]
# *Each row is a position that asks, each column one that is asked. Above the diagonal lies the
# future.*
#
# Most characters look at themselves, but the `r` also at the vowel before it, and the `l` at the
# space. One example can mislead. So here come first this `r`, then three means over all validation
# windows, at their last position, which sees all eight:

# %%
windows = validation[: len(validation) // T * T].view(-1, T)
r, o = 5, 4  # their places in the window
back = probes.by_distance(probes.attention_maps(model, windows)[0])[0]  # (T,)
rest = (back[1] / (1 - back[0])).item()
checks.within("what the r gives to the o", pair[1][r, o].item(), above=0.2)
checks.within("to one's own character, mean", back[0].item(), above=0.5)
checks.within("of the rest, to the one before", rest, above=0.5)
checks.within("to the oldest four", back[4:].sum().item(), below=0.1)

# %% [markdown]
# After 1,000 steps the head is a bigram model that looks a little at its neighbour. With $x\cdot x$ a
# position found itself because it could not do otherwise. This head has learned it: only by looking at
# itself can a position keep its own character.
#
# The same for the head after 5,000 steps. Choose a character, and see where the model looked **to
# predict it**, that is from the character before it. So `,` shows where `d` looks, as does row `d`
# in the figure above. The numbers differ: this head was trained longer, and `d` stands one place
# later, behind an added line break.

# %% tags=["hide-input"]
live.reader("one-head", "my lord,", show="heads")

# %% [markdown]
# ## What broke when we changed it
#
# Forget the mask, and let every position look at the whole window:

# %%
torch.manual_seed(0)
seer = GPT(rung)
seer.blocks[0].attention.heads[0].causal.fill_(True)  # all may look at all
few_steps = TrainingConfig(steps=500, seed=0)
seen = train_model(seer, train, validation, few_steps)
yardstick = tables[4] - 1  # a nat below the table of four
checks.within("loss without the mask", seen.at(500), below=yardstick)

# %% [markdown]
# After 500 steps, better than every yardstick by more than 1 nat, on *new* text: **a loss that is too
# good**. Look at each of the eight positions:

# %%
with torch.no_grad():
    logits = seer(windows[:-1]).transpose(1, 2)  # (B, V, T)
targets = validation[1 : windows[:-1].numel() + 1].view(-1, T)
each = nn.functional.cross_entropy(logits, targets, reduction="none")  # (B, T)
by_position = each.mean(dim=0)  # (T,)
most, last = by_position[:7].max().item(), by_position[7].item()
checks.within("largest loss of positions 0 to 6", most, below=0.2)
checks.within("loss of position 7", last, above=tables[0])

# %% [markdown]
# The target of each position is the input of the next, and the head learned to read it there. Only
# the last position has no next. It shares its maps with all others, which have learned to copy a next
# character. It could tell by its position embedding that it is the last; after 500 steps it has not
# learned to. So it copies a wrong one, with confidence: worse than the characters' frequencies
# alone, 3.347. But a model writes from its last position: what this one writes must be nonsense.
#
# A second slip is harder to see: the softmax runs over the queries that look at a key, not over the
# keys. The mask is in place.


# %%
class OverQueries(Head):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = (
            self.query(x) @ self.key(x).transpose(1, 2) / rung.head_size**0.5
        )
        future = ~past[: x.shape[1], : x.shape[1]]  # (T, T), our mask
        scores = scores.masked_fill(future, float("-inf"))  # (B, T, T)
        return scores.softmax(dim=1) @ self.value(x)  # dim=-1 would be right


torch.manual_seed(0)
wrong, over_queries = GPT(rung), OverQueries(rung)
over_queries.load_state_dict(wrong.blocks[0].attention.heads[0].state_dict())
wrong.blocks[0].attention.heads[0] = over_queries
found = train_model(wrong, train, validation, few_steps).at(500)
better = history.at(500) - found
checks.within("nats better than the honest head", better, above=0.05)

# %% [markdown]
# It looks like a discovery: one changed number, over a tenth of a nat. But now the scores of later
# queries stand in the denominator. A key that later positions want has less weight now, so its weight
# tells what follows. (Also, the weights of a query no longer sum to 1; we did not separate the two.)
# The test from above notices:

# %%
for name, layer in (
    ("over the keys", head),
    ("over the queries", over_queries),
):
    # `embedded` is x of the first cell, `changed` has another future
    moves = (
        (layer(changed) - layer(embedded)).abs().amax(dim=(0, 2))[:5]
    )  # (5,)
    print(f"{name}: {(moves > 0).sum()} of 5 early positions moved")

# %% [markdown]
# Against both slips, change the future, and see whether the past moves. Chapter 1's slip, the inputs
# as targets, shows when you print inputs and targets. [The workshop](workshop.md) lets you watch a
# run without the mask, and read what it writes.

# %% [markdown]
# ## Exercises
#
# Try each before you open its solution. Where a cell waits for your code, write it, run the cell,
# and it tells you what is not right yet.
#
# **Check yourself.** (a) In a window of eight, how many weights of position 3 are not 0, and what
# is their sum? (b) All its scores are 5. What does it receive? (c) A window begins with `the`.
# With which other beginning would a head without positions receive the same at the `e`?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# (a) Four: of positions 0, 1, 2 and its own; their sum is 1. (b) The mean of their values, as with
# scores of 0: softmax sees differences only. (c) `hte`: the same keys and values in another order.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
fives = torch.full((T, T), 5.0).masked_fill(~past, float("-inf"))
print(fives.softmax(dim=-1)[3].tolist())

# %% [markdown]
# **1. Look one back.** Write a query and a key for each of `T` positions, so that each position (but
# the first) gives at least 0.99 of its weight to the one before it. Both are matrices with one row
# for each position, as wide as you like. The check masks, and divides by $\sqrt{\mathrm{hs}}$.

# %% tags=["remove-output"]
from bardgpt.teaching import exercises


def back_one(T: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Give the queries (T, hs) and the keys (T, hs)."""
    ...


exercises.check("2.1", back_one)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Positions are one-hot, and the keys leave them so: "I am s". The query map turns "I am t" into "I
# look for t - 1", and by a large factor. For $T = 8$ a factor of 20 is enough. The division makes
# it smaller as $T$ grows, so for longer windows take `20 * T**0.5`.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def back_one(T):
    places = torch.eye(T)  # (T, hs = T)
    query_map = 20 * torch.eye(T).roll(-1, dims=1)  # row t: 20 in column t - 1
    return places @ query_map, places


exercises.check("2.1", back_one)
given = attention_weights(*back_one(T), past).diagonal(-1)  # (T - 1,)
print(" ".join(f"{weight:.4f}" for weight in given.tolist()))

# %% [markdown]
# **2. A mask of your own.** Let each position see only itself and the `width - 1` positions before
# it, and nothing of the future. Make the weights from scores of shape $(T, T)$.


# %% tags=["remove-output"]
def in_sight(scores: torch.Tensor, width: int) -> torch.Tensor:
    """Give the weights (T, T), from the scores (T, T)."""
    ...


exercises.check("2.2", in_sight)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# The mask of the past, without what lies `width` or more back. It comes before the softmax, so
# that the rows sum to 1.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def in_sight(scores, width):
    past = torch.ones_like(scores).tril() - torch.ones_like(scores).tril(-width)
    return scores.masked_fill(past == 0, float("-inf")).softmax(dim=-1)


exercises.check("2.2", in_sight)
for row in in_sight(torch.zeros(T, T), width=2)[:3].tolist():
    print(" ".join(f"{weight:.1f}" for weight in row))

# %% [markdown]
# **3. Only the mean.** Freeze the query at zero, so that the head averages its past as in our
# first step, and train it for 500 steps. Will it be better than the bigram rung, or worse?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Worse, by more than 0.1: the mean drowns a position's own character among the others.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
torch.manual_seed(0)
mean_only = GPT(rung)
only_head = mean_only.blocks[0].attention.heads[0]
only_head.query.weight.requires_grad_(False).zero_()
loss = train_model(mean_only, train, validation, few_steps).at(500)
worse = loss - bigram.band(500).mean
checks.within("nats worse than the bigram rung", worse, above=0.1)

# %% [markdown]
# **4. Without the scale.** Leave out the division by $\sqrt{\mathrm{hs}}$, start from the same
# weights as your run, and train for 500 steps. What does it cost at this size?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# More than 0.03 nats after 500 steps. The curve by itself looks healthy: it takes a run to
# compare with, or a record, to notice.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
class Unscaled(Head):
    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(1, 2)  # (B, T, T)
        future = ~self.causal[: x.shape[1], : x.shape[1]]
        weights = scores.masked_fill(future, float("-inf")).softmax(dim=-1)
        return weights @ self.value(x)


torch.manual_seed(0)
plain, unscaled = GPT(rung), Unscaled(rung)
unscaled.load_state_dict(plain.blocks[0].attention.heads[0].state_dict())
plain.blocks[0].attention.heads[0] = unscaled
loss = train_model(plain, train, validation, few_steps).at(500)
cost = loss - history.at(500)
checks.within("nats that it costs after 500 steps", cost, above=0.03)

# %% [markdown]
# ## What to remember
#
# - Attention is a weighted mean of the past. The weights are a softmax of scores, query times key.
# - The mask makes the future exactly invisible. A loss that is too good is a leak until shown
#   otherwise.
# - Scores are divided by $\sqrt{\mathrm{hs}}$, so that at the start the softmax mixes at any head size.
# - Without positions a head sees a bag of characters. Here positions are worth more than half of what
#   the head gains.
# - One head reaches 2.402. A table of two characters is still far ahead: 2.104 in windows of 8.
#
# In the config, all of this is two entries. (A layer is a *block*, which so far holds one head.)

# %%
from bardgpt.lab.ladder import config_diff

print(*config_diff(RUNGS["bigram"].config, RUNGS["one-head"].config), sep="\n")

# %% tags=["hide-input"]
figures.diagram("rung-one-head")

# %% [markdown]
# *The dashed frame is the block; later chapters fill it.*
#
# The weight that a head gives to one character it takes from the others. What if several heads
# looked at once, each at its own place? That is [chapter 3](03-multi-head-attention.ipynb).
