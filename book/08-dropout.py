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
# # 8 · Dropout
#
# All parts of the block are there; what is left is to make the model large. The notes add one
# more thing first, "because I was about to scale up the model significantly and was concerned
# about overfitting". So far there was no such danger: the small rungs have at most 42,369
# parameters for a million characters. The full model will have more than ten for each character.
# Such a model can learn its text by heart. This chapter first lets a model do just that, and then
# puts dropout against it:
#
# > **Dropout sets a random share $p$ of the numbers to 0, at three places in each block, with new
# > dice at every pass, and multiplies the others by $1/(1-p)$. It does so in training only.** At
# > test time all is on, and the one model stands in for all the thinned ones that were trained:
# > exactly in one linear layer, in a GPT only approximately. A model that would learn its text by
# > heart then learns less of it, and predicts new text better.
#
# **Before you run anything:** a fifth of the numbers is set to 0 in training. Will the model end
# with a higher or a lower loss on the text that it learned from than without dropout (both
# measured with nothing dropped)? And on new text?

# %% [markdown]
# ## The trouble: learning by heart
#
# *Claim drop-4 of the [claims page](claims.md), first half.*
#
# Take a model almost four times as large as the ladder's last rung: pre-norm, three blocks, 64
# channels, a context of 32 characters. And give it little to read, the first 20,000 characters of
# the training text. Three seeds of 1,000 steps each, at three times the ladder's learning rate.
# How well does it predict the text that it learns from, and how well the validation text?

# %%
from bardgpt import records
from bardgpt.gpt import GPT

sweep = records.load_sweep("dropout")
characters = records.read("dropout")["experiment"]["slice-0"]["characters"]
without = sweep["slice-0"]
size = GPT(without.model).n_parameters()
print(f"{size:,} parameters for {characters:,} characters")
for step in without.probed("fit"):
    learned = without.probe_bands("fit", step)["training text"]
    print(f"{step:5} steps: learned from {learned}, validation {without.band(step)}")

# %% [markdown]
# For 400 steps both losses fall. From then on the loss on the 20,000 characters goes on falling,
# to 1.16 nats, and the validation loss rises, from 2.47 to 2.85. What it learns now helps with
# these characters and harms with others. The distance between the two losses, the *gap*, has
# grown to 1.69 nats.

# %% [markdown]
# ## A mask
#
# Dropout comes from [Srivastava and others, 2014](references.md#srivastava-2014); the same group
# had first described it [two years before](references.md#hinton-2012). In training, each number
# is set to 0 with probability $p$, independently of the others. The numbers that are *kept* are
# divided by $1 - p$, for a reason that comes below. Written out, that is two lines, `kept` and
# `by_hand`:

# %%
import torch
from torch import nn

torch.manual_seed(0)
p = 0.2
x = torch.randn(1_000, 1_000)
kept = torch.rand(x.shape) >= p  # True with probability 1 - p
by_hand = x * kept / (1 - p)
error = (p * (1 - p) / x.numel()) ** 0.5  # standard error of the share of zeros

for name, y in (("by hand", by_hand), ("nn.Dropout", nn.Dropout(p)(x))):
    zero = y == 0
    share = zero.double().mean().item()
    torch.testing.assert_close(y[~zero], x[~zero] / (1 - p))
    assert abs(share - p) < 4 * error
    print(f"{name:10}: {share:.2f} are 0, the others {1 / (1 - p)} times as large")

# %% [markdown]
# Which numbers fall can differ between machines, even with one seed. So this book looks only at
# rates and means of masks. One more thing follows from the product $y = m \, x$, where the factor
# $m$ is 0 with probability $p$, else $1/(1-p)$: the gradient is $m$ times what comes back.
# Through a number that was dropped, nothing is learned in this step.

# %%
x = torch.randn(1_000, requires_grad=True)
y = nn.Dropout(p)(x)
y.sum().backward()
torch.testing.assert_close(x.grad, (y != 0) / (1 - p))
print("gradient: 0 where dropped, 1 / (1 - p) where kept")

# %% [markdown]
# ## Where it sits
#
# *Claim drop-1.*
#
# The notes name two places, "at the end of the multi-headed attention" and "when calculating the
# attention affinities after the softmax", besides "various other points". The lecture's program
# has a third, at the end of the feed-forward layer.

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("dropout-places")

# %% [markdown]
# *One pre-norm block; all heads pass the first dropout, each with dice of its own. The stream
# itself is never dropped: what a branch does not add this time is missing, but what was there
# stays.*
#
# The Transformer's paper, too, drops at the end of each part, and in one more place: the sum of
# the embeddings ([Vaswani et al. 2017](references.md#vaswani-2017), §5.4). Our `GPTConfig` offers
# that as `embedding_dropout`; it is 0 unless we say otherwise, and this chapter leaves it there.
#
# In the package, dropout is the last thing that a branch does, so the blocks of chapters 5 to 7
# stay as they are. One head, all heads and feed-forward, in this order:

# %% tags=["nbval-ignore-output"]
from bardgpt.layers.attention import Head, MultiHeadAttention
from bardgpt.layers.feed_forward import FeedForward
from bardgpt.teaching import listing

listing(Head.forward, MultiHeadAttention.forward, FeedForward.forward)

# %% [markdown]
# Let one block of the ladder's last rung list its own places (four heads, so four times the
# first):

# %%
from dataclasses import replace

from bardgpt.batches import evaluation_windows
from bardgpt.lab import probes
from bardgpt.lab.ladder import PRE_NORM
from bardgpt.shakespeare import shakespeare

tokenizer, train, validation = shakespeare()
ids, targets = next(evaluation_windows(validation, 8, batch_size=256))
model = GPT(replace(PRE_NORM, n_layer=1, dropout=p))
inside = model.blocks[0].named_modules()
print(*(name for name, part in inside if isinstance(part, nn.Dropout)), sep="\n")

# %% [markdown]
# Does anything come between the last dropout of a branch and the addition? A projection there
# would fill the zeros again. So count the zeros in what each branch adds, and in the stream after
# it:

# %%
with probes.recorded_stream(model) as stream:
    model(ids)
attention, feed_forward = stream.branches
torch.testing.assert_close(stream.at[1], stream.at[0] + attention + feed_forward)
seen = {"attention": attention, "feed-forward": feed_forward, "stream": stream.at[1]}
for name, y in seen.items():
    print(f"{name:12}: {(y == 0).double().mean():.1f} of it is 0")

# %% [markdown]
# So nothing comes between. The first place, inside attention, is of another kind. There it is not
# channels that fall but *looks*: an attention weight of 0 means that this position does not hear
# that one, in this pass and in this head. That is what the notes mean by "randomly prevent some
# nodes from communicating". It comes after the softmax, and so the weights of a row no longer sum
# to 1:

# %%
from bardgpt.layers.attention import attention_weights, causal_mask

q, k = torch.randn(2, 10_000, 8, 16)  # both (N, T, hs)
weights = attention_weights(q, k, causal_mask(8))  # (N, T, T)
thinned = nn.Dropout(p)(weights)
for name, A in (("before", weights), ("after", thinned)):
    sums = A.sum(dim=-1)  # (N, T)
    print(f"{name:6}: all rows sum to 1: {torch.allclose(sums, torch.ones(()))}")
    error = (sums.var(dim=0) / len(sums)).sqrt()  # of the mean, (T,)
    assert ((sums.mean(dim=0) - 1).abs() <= 4 * error + 1e-6).all()
alone = sorted({*thinned[:, 0, 0].tolist()})
print("the first position hears itself with weight", alone)

# %% [markdown]
# In the mean over many passes they still do, position by position; the cell asserts it to four
# standard errors. But the first position has only itself to listen to, and with probability $p$ a
# head hears nothing there at all.

# %% [markdown]
# ## Training and test
#
# *Claim drop-2.*
#
# In training two passes over the same text give two results, for each has its own mask. At test
# time they give one. `model.train()` and `model.eval()` are the switch.

# %%
full = GPT(PRE_NORM)
thin = GPT(replace(PRE_NORM, dropout=p))
thin.load_state_dict(full.state_dict())  # dropout has no parameters
for mode in (thin.train, thin.eval):
    mode()
    same = torch.equal(thin(ids), thin(ids))
    plain = torch.equal(thin(ids), full(ids))
    print(f"{mode.__name__:5}: two passes equal {same}, equal to no dropout {plain}")

# %% [markdown]
# At test time the model is, to the bit, one that never heard of dropout. So its layers meet other
# numbers there than in training, and it is not clear that they can cope. Here the factor
# $1/(1-p)$ comes in. With $m$ as above, the mean of $m \, x$ over all throws is
#
# $$p \cdot 0 + (1 - p) \cdot \frac{x}{1 - p} = x,$$
#
# the number at test time. No sample is needed to check this. Ten numbers have $2^{10}$ masks;
# take them all, each with its probability:

# %%
from itertools import product


def all_masks(n, p):
    """The factors of every mask of n numbers, (2^n, n); its probability, (2^n,)."""
    kept = torch.tensor(list(product((0, 1), repeat=n))).double()
    n_kept = kept.sum(dim=1)
    return kept / (1 - p), (1 - p) ** n_kept * p ** (n - n_kept)


masks, chances = all_masks(10, p)
x = torch.randn(10).double()
torch.testing.assert_close(chances @ (masks * x), x)
print(f"{len(masks):,} masks; their probabilities sum to {chances.sum():.3f}")
print("the mean of m x over them is x")

# %% [markdown]
# (Srivastava's paper writes it the other way round: its $p$ is the probability to *keep* a
# number, nothing is divided in training, and at test time the weights are multiplied by $p$. In
# the mean it is the same. Dividing in training spares the model at test time from knowing of it.)
#
# The dropped number keeps its mean; what a nonlinearity makes of it need not. Two numbers, $1$
# and $-1$, are summed and go through a ReLU. With $p = 0.5$ a number that is kept is doubled:

# %%
pair = torch.tensor([1.0, -1.0]).double()
four, quarters = all_masks(2, 0.5)
sums, at_test = (four * pair).sum(dim=1), pair.sum()
print("the four sums:", sums.tolist())
print(f"mean {quarters @ sums:.1f}, at test time {at_test:.1f}")
after = quarters @ sums.relu()
print(f"mean after the ReLU {after:.1f}, at test time {at_test.relu():.1f}")

# %% [markdown]
# The sum comes out right in the mean, the ReLU of the sum does not. A softmax is no more linear
# than a ReLU, nor is a norm. So of a whole GPT one can only hope that test time is near the mean
# of training. How near is the next question.

# %% [markdown]
# ## An ensemble of sub-networks
#
# *Claim drop-3.*
#
# A model with some of its numbers at 0 is a smaller model, and every pass trains another one of
# them, all with the same weights. (In our GPT each position of each window has dice of its own,
# so a pass runs many of them side by side.) At test time, say the notes, "all those sub-networks
# merge into a single ensemble". Let dropout sit on the ten inputs of a small network: that makes
# 1,024 sub-networks, few enough to ask every one. Is their mean what the network gives at test
# time? A mean can be taken at three points: of the outputs before the softmax (the logits); of
# the probabilities; or of the logarithms of the probabilities, which are then normalized again
# (the *geometric mean*).

# %%
torch.manual_seed(0)
networks = {
    "one linear layer": nn.Linear(10, 5),
    "two, with a ReLU": nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 5)),
}
for name, network in networks.items():
    at_test = network.double()(x)  # (5,)
    each = network(masks * x)  # (1024, 5), one row for each sub-network
    geometric = (chances @ each.log_softmax(-1)).softmax(-1)
    found = {
        "logits": (chances @ each, at_test),
        "probabilities": (chances @ each.softmax(-1), at_test.softmax(-1)),
        "geometric": (geometric, at_test.softmax(-1)),
    }
    print(name, {mean: torch.allclose(*pair) for mean, pair in found.items()})

# %% [markdown]
# For one linear layer the mean of the logits is exact, whatever the weights, since a mean goes
# through a linear function. Then the geometric mean is exact too: $\log \text{softmax}$ is the
# logits minus one number that all five outputs share, so its mean is the mean of the logits minus
# one number, which normalizing again takes out. This is how [Hinton and
# others](references.md#hinton-2012) justified the network of test time. The ordinary mean of the
# probabilities is not exact even here. And with one ReLU in between, none of the three is.
#
# A GPT has many nonlinearities. It also has too many masks to ask them all (exercise 3 counts).
# So take $N$ random ones, and two measures. One is the KL divergence: with $\bar p$ for the mean
# (of either kind) of the $N$ predicted distributions and $q$ for the one at test time (neither is
# a dropout rate or a query), the sum of $\bar p \ln (\bar p / q)$ over the 65 characters, in
# nats, averaged over positions. It is 0 only if the two agree everywhere. The other is the loss
# of both on validation text. The model is that of the beginning, trained the same way but with $p
# = 0.2$. Means of three seeds:

# %%
thinned_model = sweep["slice-0.2"]
steps = thinned_model.training.steps
kinds = ("KL", "loss", "geometric KL", "geometric loss")
columns = [thinned_model.profile("ensemble", kind, steps) for kind in kinds]
(at_test,) = thinned_model.profile("ensemble", "test-time loss", steps)
print("             mean      geometric mean")
print("masks      KL  loss        KL  loss")
for n, *bands in zip(probes.MASKS, *columns, strict=True):
    kl, loss, geometric_kl, geometric_loss = (band.mean for band in bands)
    print(f"{n:5}  {kl:.4f} {loss:.3f}    {geometric_kl:.4f} {geometric_loss:.3f}")
print(f"test time     {at_test.mean:.3f}")

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two plots against the number of masks, 1 to 64. Left, the KL to the test-time model falls from about 0.18 and levels off, for the mean near 0.05, for the geometric mean near 0.03. Right, the validation loss minus that of the test-time model, a dotted line at 0: with one mask about 0.07 above the line, with two on it, with 64 below it, the mean by nearly 0.09 and the geometric mean by 0.06."}}
figures.ensembles(
    probes.MASKS,
    {"mean": columns[0], "geometric mean": columns[2]},
    {
        "mean": records.ensemble_lags(thinned_model, "loss"),
        "geometric mean": records.ensemble_lags(thinned_model, "geometric loss"),
    },
)

# %% [markdown]
# *The mean of $N$ masked passes against the one pass of test time, on 8,000 validation
# characters: mean and standard deviation of three seeds. Left the KL, on logarithmic axes; right
# the loss minus that of the test-time model of the same seed.*
#
# One mask is 0.181 nats away from the model of test time, and its loss is 0.068 higher. The mean
# of more masks comes nearer, but not for ever. From 16 masks to 32 the KL falls by 0.005, from 32
# to 64 by half of that. If each further doubling brings half of the one before, the KL ends at
# about 0.05, not at 0. The geometric mean, which the old argument is about, comes closer, to
# 0.027 with 64 masks, and levels off too.
#
# And which predicts new text better? Here the mean of 64 masks does, by 0.086 nats (the geometric
# mean by 0.061); two masks are as good as test time. Is that always so? The same with $p = 0.4$,
# and with $p = 0.2$ after training on the whole text, a million characters:

# %%
for name in ("slice-0.2", "slice-0.4", "whole-0.2"):
    lag = records.ensemble_lags(sweep[name])[-1]
    print(f"{name}: 64 masks, loss minus that of test time: {lag}")

# %% [markdown]
# It is not: after the whole text the mean of 64 masks is a little *worse* than the model of test
# time. So the notes say too much. The sub-networks do not merge into one; another network stands
# in for them, at one pass instead of 64. It predicts worse than their mean where the model has
# read one small text some fifty times (1,000 steps of 32 windows of 32 characters). (In
# Srivastava's paper, §7.5, on handwritten digits, it took about 50 sampled networks to be as good
# as the one of test time, and more were hardly better. Larger GPTs we have not measured.)

# %% [markdown]
# ## Does it regularize?
#
# *Claim drop-4.*
#
# Now the three models that read 20,000 characters, side by side. Both losses are taken at test
# time, with everything on; the loss that training reports has dropout in it, and is higher for
# that reason.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three plots of loss against steps, for p = 0, 0.2 and 0.4, with three lines of each kind. All fall steeply in the first 200 steps. Then the loss on the text learned from, dashed, goes on falling: to about 1.2 without dropout, to 1.6 and 1.8 with it. The validation loss rises without dropout from 2.5 to 2.85; with dropout it stays near 2.45."}}
trained = {f"p = {rate}": sweep[f"slice-{rate}"] for rate in ("0", "0.2", "0.4")}
figures.gaps(
    {
        title: (record.histories, record.probe_runs("fit", "training text"))
        for title, record in trained.items()
    }
)

# %% [markdown]
# *Loss on the 20,000 characters that were learned from, and on the validation text, evaluated
# every 200 steps; each line is one of three seeds. The losses at the start, 4.3, lie above the
# frame.*

# %%
for rate in ("0", "0.2", "0.4"):
    record = sweep[f"slice-{rate}"]
    fit = record.probe_bands("fit", steps)["training text"]
    gap = record.band().mean - fit.mean
    best = min(record.probed("fit"), key=lambda step: record.band(step).mean)
    lowest = record.band(best).mean
    print(f"p = {rate:3}: learned from {fit}, validation {record.band()}")
    print(f"  gap {gap:.3f}; lowest validation {lowest:.3f} after {best} steps")

# %% [markdown]
# That answers the question of the beginning. With $p = 0.2$ the model knows its own text less
# well, 1.56 nats instead of 1.16, and new text much better, 2.43 instead of 2.85. The gap is
# about halved. With $p = 0.4$ it is smaller still, but the validation loss is no better than with
# 0.2. A small gap is not the aim; a model that learns nothing has none.
#
# But after 400 steps (left panel) the model without dropout stood at 2.47. Had one stopped there
# (*early stopping*), the model would be only 0.047 behind the lowest that $p = 0.2$ reaches. What
# dropout mainly buys here is that one may go on.
#
# Is it good for any model, then? Take $p = 0$ and $p = 0.2$ once more, now with the whole
# training text. In 1,000 steps each character comes up about once:

# %%
whole, whole_thinned = sweep["whole-0"], sweep["whole-0.2"]
read = steps * whole.training.batch_size * whole.model.block_size
print(f"read in {steps:,} steps: {read:,} characters, of {len(train):,}")
batches = records.Band.of([each.train[-1] for each in whole.histories])
print(f"whole text, p = 0  : {whole.band()}")
print(f"  its last 200 training batches: {batches}")
print(f"whole text, p = 0.2: {whole_thinned.band()}")
print(f"gain by dropout, whole text: {records.gain(whole, whole_thinned)}")
print(f"gain by dropout, slice:      {records.gain(without, thinned_model)}")

# %% [markdown]
# Without dropout the validation loss is only 0.10 above that of the last 200 training batches.
# Where so little is learned by heart there is little to prevent, and dropout *costs*: 0.070 nats.
# (A model that went on for long might come to need it.) So it is no charm that one adds to any
# model; the ladder's small rungs go without. The notes' full model is another case: it has more
# than ten parameters for each character and reads the text about 82 times, in 5,000 steps of 64
# windows of 256 characters.
#
# Your turn: the slice, $p = 0.2$, one seed, 600 steps. Both answers to the question of the
# beginning, live; the bounds "below" and "above" are the losses without dropout:

# %%
from bardgpt.teaching import checks
from bardgpt.training.loop import train_model

torch.manual_seed(0)
yours = GPT(thinned_model.model)
run = replace(thinned_model.training, steps=600, evaluate_every=600, seed=0)
history = train_model(yours, train[:characters], validation, run)
checks.measured(
    "validation loss after 600 steps",
    history.at(600),
    thinned_model.band(600),
    below=without.band(600).mean,
)

# %%
from bardgpt.evaluation import evaluate

both = (thinned_model, without)
fits = [each.probe_bands("fit", 600)["training text"] for each in both]
on_slice = evaluate(yours, train[:characters])
name = "loss on the text learned from"
checks.measured(name, on_slice, fits[0], above=fits[1].mean)

# %% [markdown]
# ## What broke when we changed it
#
# **Forgetting `model.eval()`.** No error is raised. Every prediction is that of a random
# sub-network, and another one at the next call. `F.dropout` does the same unless you tell it the
# mode: its argument `training` is true by default. What it costs, on 16,000 characters of
# validation text, for both rates and three seeds each:

# %%
for rate in ("0.2", "0.4"):
    switches = sweep[f"slice-{rate}"].probe_bands("switches", steps)
    print(f"p = {rate}: off {switches['off']}, left on {switches['left on']}")
    assert switches["left on"].mean > switches["off"].mean

windows, following = next(evaluation_windows(validation, 32, batch_size=500))
found = probes.losses_by_switch(yours, windows, following)
print("your model: left on is worse:", found["left on"] > found["off"])

# %% [markdown]
# At both rates it costs 0.07 nats. In these models it is not the masks that hurt, for many
# together did better than none. It is having only one.
#
# **Forgetting the $1/(1-p)$.** Suppose the mask is only 0 and 1. In training the weights can make
# up for it, $1/(1-p)$ times as large beside each place of dropout. But at test time, with nothing
# dropped, each place comes out $1/(1-p)$ times too loud. This can be measured without training
# again: the probe puts the factor at each place of dropout.

# %%
for rate in ("0.2", "0.4"):
    switches = sweep[f"slice-{rate}"].probe_bands("switches", steps)
    off, too_loud = switches["off"], switches["not rescaled"]
    print(f"p = {rate}: off {off}, not rescaled {too_loud}")

# %% [markdown]
# At $p = 0.2$ each place is 1.25 times too loud, and attention has two places in a row. That
# costs 0.025 nats: so little that nobody would look for a mistake. At $p = 0.4$ it is 0.11.
#
# **Dropping before the softmax.** A score of 0 is not silence: $e^0 = 1$, so the position that
# should not be heard gets a weight like any other. And where the causal mask has put $-\infty$,
# for the future, dropout makes it $-\infty \cdot 0$, which is no number at all:

# %%
scores = torch.randn(8, 8)
print("silent positions:", int((nn.Dropout(0.5)(scores).softmax(-1) == 0).sum()))
future_hidden = scores.masked_fill(~causal_mask(8), float("-inf"))
thinned_scores = nn.Dropout(0.5)(future_hidden)
print("not a number:", thinned_scores.softmax(-1).isnan().any().item())

# %% [markdown]
# `make break FAULT=dropout-at-test-time` plants the first mistake in a copy of the project and
# shows which checks turn red; `dropout-before-projection` moves the dropout of the feed-forward
# layer by one line.

# %% [markdown]
# ## Exercises
#
# **1. Louder.** The mean of a dropped number is kept. What about its variance over the masks?
# Work it out for a number $x$ and check with `all_masks`.

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# The mean of the square is (1 - p) (x / (1 - p))^2 = x^2 / (1 - p); minus x^2, that is
# x^2 p / (1 - p). At p = 0.2 a quarter of x^2: dropout adds noise in proportion to each number.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
squares = chances @ (masks * x).square()
torch.testing.assert_close(squares - x.square(), x.square() * p / (1 - p))
print(f"variance over the masks: {p / (1 - p):.2f} times the square of the number")

# %% [markdown]
# **2. Silence.** The first position can hear only itself, the second two positions. With $p =
# 0.2$, how often does a head hear nothing there? And all four heads at once, at the first?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# All its weights must fall: p, p^2, and p^4 for four heads, each with dice of its own.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
silent = (thinned == 0).all(dim=-1).double().mean(dim=0)  # (T,), share of 10,000 passes
for position in (0, 1):
    expected = p ** (position + 1)
    near = abs(silent[position] - expected) < 4 * (expected * (1 - expected) / 10_000) ** 0.5
    print(f"position {position + 1}: expected {expected:.2f}, as measured: {near.item()}")
print(f"all four heads, position 1: {p**4:.4f}")

# %% [markdown]
# **3. How many sub-networks?** Count the numbers that one pass of the full model throws dice for,
# over one window: 6 blocks, 6 heads, 256 positions, 384 channels; weights of the future do not
# count, for they are 0 anyway. How many masks is that, and how many of them do 5,000 steps of 64
# windows use?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Two to the power of 2.4 million masks, of which training uses 320,000. Almost no sub-network is
# ever trained as such; they live on the weights that they share.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
looks = 6 * 6 * 256 * 257 // 2
channels = 6 * 2 * 256 * 384
print(f"{looks:,} attention weights and {channels:,} numbers of branches: {looks + channels:,}")
print(f"windows seen: {5_000 * 64:,}")

# %% [markdown]
# **4. Which rate? (open)** The slice has 20,000 characters. Find the rate that is best for 5,000,
# and for 100,000. Which way does it move, and from where on does dropout only cost? Use
# `TrainingConfig`, three seeds, and the loss at the best step as well as at the last.

# %% [markdown]
# ## What to remember
#
# - Dropout sets a number to 0 with probability $p$ and divides it by $1 - p$ otherwise; in
#   training only, with a new mask at each pass.
# - It sits after the attention softmax, where it silences positions, and at the end of each
#   branch, where it silences channels. The stream itself is never dropped.
# - In the mean over all masks the dropped number is the number. Behind a ReLU, a softmax or a
#   norm this no longer holds.
# - In one linear layer the model of test time is the mean of its sub-networks' logits exactly. In
#   a GPT it only stands in for that ensemble: the mean of 64 masked passes predicted new text
#   0.086 nats better after 20,000 characters, and 0.016 worse after the whole text.
# - It regularizes: with 20,000 characters and 1,000 steps, $p = 0.2$ halves the gap and takes
#   0.42 nats off the validation loss. Where there was little chance to learn by heart, on the
#   whole text read about once, it cost 0.07.
# - Compare losses with everything switched on, `model.eval()`. Our `evaluate` and `generate` do
#   it themselves and put the mode back.
#
# Everything that the notes name is built. The next chapter, [scaling up](09-scaling-up.ipynb),
# makes the model 384 channels wide, sets $p = 0.2$, and trains it on the whole training text.
