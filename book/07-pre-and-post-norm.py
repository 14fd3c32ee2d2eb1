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
# # 7 · Pre-norm and post-norm
#
# [Chapter 6](06-layer-normalization.ipynb) put the norm where the Transformer's first paper has
# it: after the addition, on the stream itself. But most code that you will read normalizes
# *before* attention and *before* the feed-forward layer. Is one of them a bug? No: they are two
# *wirings*, ways to connect the same parts. This chapter builds both, tests that names and code
# agree, and measures what differs.
#
# > **Post-norm computes norm(x + f(x)), pre-norm x + f(norm(x)).** The parts are the same, and so
# > is the cost. But post-norm has norms on the stream. Pre-norm has nothing on it but additions,
# > and ends in one more norm. How much that matters depends on the depth, the learning rate and
# > the initialization.
#
# After this chapter you can
#
# - tell pre-norm from post-norm in anybody's code, and test which it is;
# - say what "a clean path" means exactly, and what it does not;
# - choose a wiring for a given depth, initialization and learning rate.
#
# **Before you run anything:** two lines of the block change, and the model gains one more norm, 64
# parameters. How much lower will the loss of three blocks be? And of twelve blocks, at ten times the
# learning rate?

# %% [markdown]
# ## Who does what
#
# *Claim pp-1 of the [claims page](claims.md).*
#
# Below, $x$ is the stream, of shape $(B, T, C)$, and $f$ is either part of a block, attention or
# feed-forward. There are three places for a norm.
#
# - **Post-norm**, after the addition, $\text{norm}(x + f(x))$: the paper of 2017, in its §3.1 and
#   its first figure ([Vaswani et al. 2017](references.md#vaswani-2017)).
# - **Pre-norm**, before the branch, $x + f(\text{norm}(x))$: GPT-2, which moved the norms to the
#   input of each sub-block and added one at the end ([Radford et al.
#   2019](references.md#radford-2019), §2.3). LLaMA does it too, with RMSNorm (chapter 6, exercise
#   1; [Touvron et al. 2023](references.md#touvron-2023)), and so does the lecture.
# - **On the branch's output**, $x + \text{norm}(f(x))$: Swin Transformer V2 in most sizes ([Liu
#   et al. 2021](references.md#liu-2021)) and OLMo 2 ([OLMo 2, 2025](references.md#olmo-2025)).
#   Gemma 2 has two, one at each end of the branch ([Gemma 2, 2024](references.md#gemma-2024)).
#   The stream stays free of norms here too.
#
# Part of the confusion comes from one page. [The Annotated
# Transformer](references.md#annotated-transformer), a line-by-line tutorial on the paper, has both:
#
# | where | what stands there | which is |
# |---|---|---|
# | in its text | LayerNorm(x + Sublayer(x)) | post-norm |
# | in its code, without dropout | `x + sublayer(norm(x))` | pre-norm |
#
# *What the Annotated Transformer has.*
#
# In the paper's own program the standard settings later became pre-norm
# ([tensor2tensor](references.md#tensor2tensor)). When PyTorch gained pre-norm in 2021, as an option,
# its first version was neither ([PyTorch, issue 61165](references.md#pytorch-61165)); we meet that slip
# below. PyTorch's default is still the paper's:

# %%
import torch

layer = torch.nn.TransformerEncoderLayer(d_model=32, nhead=4)
print("norm_first:", layer.norm_first)

# %% [markdown]
# Move the norm to the first place, the second or *nowhere*, and watch drawing, formula and name
# change:

# %% tags=["hide-input"]
from bardgpt.teaching import live

live.toy_norm_place()

# %% [markdown]
# ## Two wirings of the same parts
#
# A block of either kind has four parts: attention, feed-forward, and a norm for each. So we make
# one block and load its weights into the other (`fused` computes all heads with one matrix, as in
# [chapter 3](03-multi-head-attention.ipynb)). All numbers are random, gains and biases too: with gains of
# 1 and biases of 0 all norms would be one function, and a test could not see two of them swapped.

# %%
from dataclasses import replace

from bardgpt.lab.ladder import POST_NORM, PRE_NORM
from bardgpt.layers.blocks import PostNormBlock, PreNormBlock

torch.manual_seed(0)
post = PostNormBlock(replace(POST_NORM, fused=True))
for parameter in post.parameters():
    torch.nn.init.normal_(parameter, std=0.3)
pre = PreNormBlock(replace(PRE_NORM, fused=True))
print(pre.load_state_dict(post.state_dict()))

# %% [markdown]
# Every weight found its place, for the names and the shapes are the same. Connect these parts by hand in
# both ways, and compare:

# %%
f, g = post.attention, post.feed_forward
norm_f, norm_g = post.attention_norm, post.feed_forward_norm
x = torch.randn(2, 8, 32)  # (B, T, C)

y = norm_f(x + f(x))
torch.testing.assert_close(post(x), norm_g(y + g(y)), rtol=0, atol=0)
y = x + f(norm_f(x))
torch.testing.assert_close(pre(x), y + g(norm_g(y)), rtol=0, atol=0)
print("both classes equal the formulas, to the bit")
off = (post(x) - pre(x)).abs().max()
assert off > 0.1
print(f"same parts, same input, outputs up to {off:.1f} apart")

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("pre-and-post-norm")

# %% [markdown]
# *The stream runs down. Post-norm: after each addition it goes through a norm itself. Pre-norm: the
# norms stand in the branches, and one on the stream, after the last block.*
#
# In the package the two lines of each class are its formula:

# %% tags=["nbval-ignore-output"]
from bardgpt.teaching import listing

listing(PostNormBlock, PreNormBlock)

# %% [markdown]
# A *block* of either wiring loads the other's weights without a word. A whole model does notice:
# loading post-norm weights into a pre-norm model fails with a missing key, `norm.weight`, unless
# the final norm has been switched off. Keep the config with the weights.

# %% [markdown]
# ## Do the names mean what PyTorch means?
#
# A formula by hand and a class by the same hand can share a mistake. So ask somebody else.
# `torch.nn.TransformerEncoderLayer` is a block; with a causal mask it does what ours does, and
# `norm_first` chooses the wiring. The folded `theirs` makes one and gives it our weights.

# %% tags=["hide-input"]
names = {  # ours: PyTorch's
    "attention.qkv.": "self_attn.in_proj_",
    "attention.proj": "self_attn.out_proj",
    "feed_forward.hidden": "linear1",
    "feed_forward.proj": "linear2",
    "attention_norm": "norm1",
    "feed_forward_norm": "norm2",
}


# %% tags=["hide-input"]
def theirs(block, norm_first):
    """PyTorch's own block with the weights of ours."""
    weights = {"self_attn.in_proj_bias": torch.zeros(3 * 32)}
    for name, tensor in block.state_dict().items():
        for ours, its in names.items():
            name = name.replace(ours, its)
        weights[name] = tensor
    wiring = {"norm_first": norm_first, "batch_first": True}
    copy = torch.nn.TransformerEncoderLayer(32, 4, 128, dropout=0, **wiring)
    copy.load_state_dict(weights)
    return copy


# %% [markdown]
# Now all four pairs. Each block must equal its namesake *and differ from the other*, or the test
# could not tell them apart:

# %%
from bardgpt.layers.attention import causal_mask

forbidden = ~causal_mask(8)  # PyTorch's layer asks where one may not look
for block, namesake in ((post, False), (pre, True)):
    for norm_first in (False, True):
        expected = theirs(block, norm_first)(x, src_mask=forbidden)
        off = (block(x) - expected).abs().max()
        assert off < 1e-4 if norm_first == namesake else off > 0.1
        print(f"{type(block).__name__:14} norm_first={norm_first!s:5}", end="")
        print(f"  up to {off:.1f} apart")

# %% [markdown]
# ## What "a clean path" means
#
# *Claim pp-2, the exact half.*
#
# The usual reason given for pre-norm is a clean path along the stream. In the forward pass this is exact:
# the last stream (before the final norm) is the first one plus all that the branches gave. Record a
# model's stream and branches, and sum:

# %%
from bardgpt.gpt import GPT
from bardgpt.lab import probes
from bardgpt.lab.ladder import RUNGS
from bardgpt.shakespeare import shakespeare

tokenizer, train, validation = shakespeare()
ids = validation[:256].view(32, 8)  # (B, T)
for name in ("post-norm", "pre-norm"):
    torch.manual_seed(0)
    model = GPT(RUNGS[name].config)
    with probes.recorded_stream(model) as stream:
        model(ids)
    off = (stream.at[0] + sum(stream.branches) - stream.at[-1]).abs().max()
    assert off < 1e-5 if name == "pre-norm" else off > 0.1
    n = len(stream.branches)
    print(f"{name:9}: first stream + {n} branches: {off:.1f} from the last")

# %% [markdown]
# So in pre-norm the derivative of the last stream with respect to the first is the identity plus
# what the branches contribute ([chapter 5](05-residual-connections.ipynb)): one part of the
# gradient arrives unchanged. In post-norm, $L$ blocks put $2L$ norms in the way. Each divides the
# gradient by the standard deviation of what it normalized, and takes two directions out of it, as
# [chapter 6](06-layer-normalization.ipynb) tested. A deviation above 1 alone would shrink the
# gradient. What comes back through the branches makes up for it: [the figure below](#fig-gradients)
# will show post-norm's gradient hardly shrunk at the embeddings.

# %% [markdown]
# ## The stream grows, and the final norm
#
# Post-norm resets the stream to RMS 1 after each addition (times its trained gain). In pre-norm
# nothing keeps it small, and it grows:

# %%
from bardgpt import records
from bardgpt.teaching import table

both = ("post-norm", "pre-norm")
trained = {
    "post-norm": records.load("post-norm"),
    "pre-norm": records.load("pre-norm"),
    "no-final-norm": records.load("pre-norm-no-final-norm"),
}
end, rows = {}, {}
for name, record in trained.items():
    end[name] = record.profile("stream", "stream", 5_000)  # a band a place
    rows[name] = [f"{end[name][0].mean:.1f}", end[name][-1].short]
table("RMS", ["the first block reads", "the last block leaves"], rows)

# %% [markdown]
# *Three blocks after 5,000 steps (last row: no final norm): RMS of the stream; mean ± standard
# deviation of five seeds.*

# %% tags=["hide-input"] mystnb={"image": {"alt": "Two plots of the stream's RMS against blocks passed. Left, 16 untrained blocks: post-norm falls to 1 after the first block and stays there, pre-norm grows from 1.4 to above 4. Right, three blocks after 5,000 steps, all near 1.3 at the embedding: post-norm ends near 1.6, pre-norm near 2.1, pre-norm without the final norm near 3."}}
figures.streams_by_depth(
    {
        "16 blocks at the start, Xavier": {
            name: records.at_start(f"small-{name}-xavier", "stream")
            for name in both
        },
        "3 blocks after 5,000 steps": end,
    }
)

# %% [markdown]
# *RMS of the stream after each block; means and standard deviations over five seeds.*

# %% [markdown]
# With Xavier's initialization ([chapter 5](05-residual-connections.ipynb)), whose weights are
# larger, 16 blocks of pre-norm triple the stream (with PyTorch's default they make it 1.4 times as
# large). Each of their 32 branches reads a normalized stream, so each adds about the same amount.
# If the branches are independent, squares add up: after $k$ branches the square of the stream's RMS
# is about that of the first stream plus $k$ times that of a branch. The deeper the stack, the
# closer its growth is to $\sqrt{L}$. So at the start a late branch is a smaller part of its stream
# than an early one; under post-norm it is not. In the panel of three blocks, post-norm's 1.6 is the
# gain of its last norm, which training has raised.
#
# What does the norm at the end do? Scale the last stream by two, and look at the logits:

# %%
model = GPT(PRE_NORM)
with probes.recorded_stream(model) as stream:
    model(ids)
x_last = stream.at[-1]  # (B, T, C)
with_norm = [model.lm_head(model.norm(scale * x_last)) for scale in (1, 2)]
without = [
    model.lm_head(scale * x_last) - model.lm_head.bias for scale in (1, 2)
]
torch.testing.assert_close(with_norm[1], with_norm[0], atol=1e-3, rtol=0)
torch.testing.assert_close(without[1], 2 * without[0])
print("stream doubled, with the final norm: the same logits")
print("stream doubled, without it: logits doubled, but for the bias")

# %% [markdown]
# Without the final norm, more blocks or larger branches make larger logits, and so sharper
# probabilities. With it, the output layer always reads vectors of the same size. Post-norm needs no
# such norm: its last block ends in one. Does a small pre-norm model need it?

# %% tags=["hide-input"]
pre_norm, without = trained["pre-norm"], trained["no-final-norm"]
steps = (0, 1_000, 5_000)
rows = {
    f"{name} final norm": [record.band(step).short for step in steps]
    for name, record in (("without", without), ("with", pre_norm))
}
gained = records.gain(without, pre_norm)
rows["improvement, seed by seed"] = ["", "", gained.short]
table(
    "validation loss", ["before training", "1,000 steps", "5,000 steps"], rows
)

# %% [markdown]
# *Without and with the final norm, in nats per character; mean ± standard deviation of five seeds.*
#
# Before training, the model without it starts at 4.57 nats instead of 4.34: larger logits make
# wrong guesses more confident (having no opinion would cost $\ln 65 = 4.174$). At the end the
# final norm is worth 0.016 ± 0.003 nats: little, but many standard errors (we believe a lead of
# more than four, as in [chapter 3](03-multi-head-attention.ipynb)).

# %% [markdown]
# ## The rung
#
# Three blocks, default initialization, rate $10^{-3}$: the ladder's setting. You train the first
# 1,000 steps; after as many, the three plain blocks of chapter 5 stood at 2.885. One run cannot
# tell pre-norm from post-norm.

# %%
for name in ("post-norm", "pre-norm"):
    print(f"{name}: {GPT(RUNGS[name].config).n_parameters():,} parameters")

# %%
from bardgpt.config import TrainingConfig
from bardgpt.teaching import checks
from bardgpt.training.loop import train_model

torch.manual_seed(0)
model = GPT(RUNGS["pre-norm"].config)
history = train_model(
    model, train, validation, TrainingConfig(steps=1_000, seed=0)
)

plain, post_norm = records.load("plain-blocks"), records.load("post-norm")
checks.measured(
    "pre-norm, validation loss after 1,000 steps",
    history.at(1_000),
    trained["pre-norm"].band(1_000),
    below=plain.band(1_000).mean,
)

# %% tags=["hide-input"]
residual = records.load("residual")
rows = {"pre-norm": [pre_norm.band().short, ""]}
for name, other in (("post-norm", post_norm), ("no norm", residual)):
    rows[name] = [other.band().short, records.gain(other, pre_norm).short]
table("5,000 steps", ["validation loss", "lead of pre-norm"], rows)

# %% [markdown]
# *Five runs each; the lead is taken seed by seed. The means are rounded, so their difference can be
# one off in the last digit.*
#
# That answers the first guess. Moving the norms and adding the final one improve the loss by 0.007
# nats together. That is under four standard errors, so it may be chance. Moving alone, without the
# final norm, ends at 2.087: no better than post-norm, 2.077, or no norm, 2.084. The ladder so far:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss of the eight small rungs, five dots each, from the bigram near 2.50 down to the residual and the two normed rungs close together near 2.07. Dashed lines mark the count tables: 2.486 with one character of context, 2.049 with two, 1.669 with four. Crosses mark what the lecture reports, 2.06 for the last rung."}}
from bardgpt.lab.ladder import climbed

tables = [table["validation"] for table in records.tables()]
figures.ladder(climbed("pre-norm"), tables)

# %% [markdown]
# *All small rungs: each dot is a full run, each cross what the lecture reports;
# dashed, the tables of chapter 1, uncut.*

# %% [markdown]
# The lecture reports 2.06 for this model; ours has 2.071. The table of two characters has 2.049,
# but it also looks back over the start of a window. Cut it off there, as in [chapter
# 2](02-one-head.ipynb):

# %% tags=["hide-input"]
from bardgpt.lab.count_tables import CountTable

counts = CountTable(train, 2, tokenizer.vocab_size)
cut = counts.losses_in_windows(validation, 8).mean().item()
for rung in (residual, post_norm, pre_norm):
    assert max(rung.validation) < cut
print(f"table of two, within windows of 8: {cut:.3f}")

# %% [markdown]
# Every run of the last three rungs is below that; residual connections passed it first. The uncut
# table they have not passed.
#
# What do the two wirings write?

# %% tags=["hide-input"]
live.writer("pre-norm", "post-norm")

# %% [markdown]
# No difference in quality shows: 0.007 nats promise none.

# %% [markdown]
# ## Where it shows
#
# *Claim pp-3.*
#
# Make it harder: more blocks, larger rates, and Xavier's initialization (in the tables: *start*),
# whose weights are larger. Each setting runs 1,000 steps from the same three seeds, on the same
# batches. One rate is not fair to all wirings, so each gets four. Such a set of runs, which differ
# in few settings, is a *sweep*. Half of the runs have *warm-up*: the learning rate climbs from near
# 0 to its full height, in a straight line over the first 200 steps.
#
# A model that ignores the text before, and gives each character its frequency, has a loss of 3.347
# nats. A run that ends within 0.1 nats of this loss has learned hardly more. One far above it has
# blown up, or begun too high. We mark both as *stuck*.

# %%
from itertools import product

sweep = records.load_sweep("rates") | records.load_sweep("no-norm")
three, final = ("no-norm", *both), "no-final-norm"
usual, lower = (0.001, 0.003, 0.01, 0.03), (0.0003, 0.001, 0.003, 0.01)
cases = {  # title, rates, wirings
    "3-default": ("3 blocks, PyTorch's start", usual, (*three, final)),
    "12-default": ("12 blocks, PyTorch's start", usual, three),
    "12-xavier": ("12 blocks, Xavier's start", lower, three),
}
flat = records.tables()[0]["validation"]
print(f"loss of the characters' frequencies: {flat:.3f}")

# %% tags=["hide-input"]
from bardgpt.teaching import Cell


def ended(record):
    """The mean final loss of three runs, coloured; marked if some are stuck."""
    ends = [run.validation[-1] for run in record.histories]
    mean, stuck = sum(ends) / 3, sum(end > flat - 0.1 for end in ends)
    text = f"{mean:.2f}" if mean < 10 else "over 10"
    text += f" ({stuck})" * (0 < stuck < 3)
    heat = (min(flat, mean) - 2.1) / (flat - 2.1)  # 0: nearly as low as any
    return Cell(text, "stuck" if stuck else None, heat)


# %% tags=["hide-input"]
def sweep_table(case):
    title, rates, wirings = cases[case]
    rows, words = {}, {"no-norm": "no norm", final: "no final norm"}
    for name, warmup in product(wirings, (0, 200)):
        runs = [sweep[f"{case}-{name}-{rate:g}-{warmup}"] for rate in rates]
        head = words.get(name, name) + ", warm-up" * bool(warmup)
        rows[head] = [*map(ended, runs)]
    return table(title, [f"{rate:g}" for rate in rates], rows)


sweep_table("12-default")

# %% [markdown]
# *Twelve blocks from PyTorch's initialization: mean validation loss of three runs after 1,000 steps,
# by learning rate. The redder, the higher, from 2.1 nats to 3.35. ✗: stuck, all three runs or as
# many as the brackets say.*
#
# **Without a norm** the model trains at every rate but the largest, where it blows up. At 0.01
# warm-up makes it worse. **Post-norm** has a limit, a rate above which it does not train. At 0.003
# two runs of three fail, and with warm-up none does. At 0.01 all fail, and 200 steps of warm-up
# change nothing. **Pre-norm** is stuck nowhere. The rate matters to it too: at 0.03 it ends at
# 2.60, with warm-up at 2.34, against 2.17 at 0.003. But it gets worse little by little, where
# post-norm fails from one rate to the next. Without warm-up post-norm's limit is at least ten times
# lower.
#
# In these twelve blocks a norm after each addition *lowers* the rate that the model bears. What
# does one get for it? Start from Xavier's initialization:

# %% tags=["hide-input"]
sweep_table("12-xavier")

# %% [markdown]
# *The same from Xavier's initialization, at lower rates.*
#
# Without a norm every rate that we tried fails. A norm after each addition saves what starts too
# large, as in [chapter 6](06-layer-normalization.ipynb). But the limit has come down: post-norm
# begins to fail at 0.001, and even at 0.0003 it is 0.2 nats behind pre-norm. Warm-up helps at
# 0.001, to a mean of 2.50. Pre-norm again trains everywhere.

# %% tags=["hide-input"]
sweep_table("3-default")

# %% [markdown]
# *Three blocks from PyTorch's initialization; the last rows are pre-norm without its final norm.*
#
# With three blocks post-norm fails at 0.03 only. (Depths between three and twelve we did not
# sweep.) Here the final norm earns its place: at 0.03 the model without it is 0.1 nats behind.
#
# At the ladder's own rate:

# %%
pair = (sweep[f"3-default-{name}-0.001-0"] for name in both)
lead = records.gain(*pair)
four_errors = 4 * lead.sd / lead.n**0.5  # four standard errors
assert abs(lead.mean) < four_errors
print(f"3 blocks, rate 0.001, lead of pre-norm: {lead}")
print(f"we would believe one of more than {four_errors:.3f}")

# %% [markdown]
# At this rate we cannot tell the wirings apart, after 1,000 steps or 5,000. And the second guess:
# twelve blocks at 0.01, ten times the ladder's rate, are over one nat apart, because only one
# wiring trains. Each at its best rate tried, 0.003, the wirings are closer: 2.17 with pre-norm,
# 2.22 with post-norm and warm-up.
#
# All this is after 1,000 steps of small models. The original Transformer trained well with post-norm:
# two stacks of six blocks, 4,000 steps of warm-up and a rate that fell afterwards ([Vaswani et al.
# 2017](references.md#vaswani-2017), §5.3). Whether a stuck run would come loose after more steps, we
# have not tried.
#
# Here is the whole sweep. On the website, choose a cell, and its three runs are drawn. Begin with
# twelve blocks, post-norm, 0.003, no warm-up. The three runs differ in their seeds only: one
# trains, and two stop near the characters' frequencies. Then choose the same with warm-up.
#
# The panel gives the mean of the runs *that trained*, to show how well a setting can do. The tables
# above give that of *all three*, which a stuck run lifts. So that cell has 2.26 here, and 2.98 in
# the table.

# %% tags=["hide-input"]
live.sweep()

# %% [markdown]
# Now train one yourself. At which rate do six blocks of *post-norm* stop learning? Set wiring and
# blocks, and raise the rate until the curve no longer falls below 3.35. At that rate try
# a warm-up of 200 steps, then *pre-norm* without one: which of the two brings the curve down?

# %% tags=["hide-input"]
vary = ("wiring", "blocks", "start", "rate", "warm-up", "seed")
live.trainer("pre-norm", vary=vary)

# %% [markdown]
# ## Why does post-norm fail?
#
# *Claim pp-2, the measured half.*
#
# Why it fails, and how warm-up helps, is not settled. There are three candidates:
#
# - **Large gradients near the output.** [Xiong et al. 2020](references.md#xiong-2020) bound the
#   gradient of the last layer before the first step: under post-norm it is the same for every
#   depth, under pre-norm it shrinks like $1/\sqrt{L}$. Large steps along large gradients, they
#   argue, break training.
# - **Adam's first steps.** At first Adam divides a gradient by an average of only a few batches.
#   Such steps, argue [Huang et al. 2020](references.md#huang-2020), make what goes into the norms
#   large, and then the gradient vanishes in them.
# - **Small changes that add up.** A step changes every block a little. Under post-norm, say [Liu et
#   al. 2020](references.md#liu-2020), these changes add up to a larger change of the output.
#
# We can look at the first. Take 16 blocks with Xavier's initialization ([Glorot and Bengio
# 2010](references.md#glorot-2010)), and the gradient of the loss with respect to each block's last
# feed-forward *matrix*, as Xiong et al. do. We also take that with respect to the *stream* at each
# block, both as RMS. (The loss is summed over 2,048 characters of the validation text.) Your own
# look:

# %%
from bardgpt.batches import evaluation_windows

windows, targets = next(evaluation_windows(validation, 8, batch_size=256))
what = "weight gradient"
deep = {"n_layer": 16, "initialization": "xavier", "fused": True}
yours, recorded = {}, {}
for name in both:
    torch.manual_seed(0)
    model = GPT(replace(RUNGS[name].config, **deep))
    statistics = probes.stream_statistics(model, windows, targets)
    yours[name] = statistics[what][-1]
    recorded[name] = records.at_start(f"small-{name}-xavier", what)[-1]

# %%
post_mean, pre_mean = (recorded[name].mean for name in both)
claims = {"post-norm": {"above": pre_mean}, "pre-norm": {"below": post_mean}}
for name, claim in claims.items():
    checks.measured(
        f"{name}: gradient of the last block's last matrix, RMS",
        yours[name],
        recorded[name],
        unit="nats per unit of weight",
        **claim,
    )


# %% tags=["hide-input"] mystnb={"image": {"alt": "Two plots of gradients by depth for 16 blocks from Xavier's initialization, on logarithmic axes, post-norm dashed and pre-norm solid. Left, on the stream: post-norm wanders between 0.05 and 0.2, pre-norm falls steadily towards the output. Right, of the feed-forward matrix: post-norm rises towards the output, with a wide spread, and pre-norm falls.", "name": "fig-gradients"}}
def gradients(size, start):
    """On the stream, and of the feed-forward matrices, by wiring."""
    kinds = ("gradient", "weight gradient")
    return {
        name: [
            records.at_start(f"{size}-{name}-{start}", kind) for kind in kinds
        ]
        for name in both
    }


figures.gradients_at_start({"16 blocks, Xavier": gradients("small", "xavier")})

# %% [markdown]
# *Before the first step: RMS of the loss gradient, in one panel at each place of the stream, in the
# other of the last feed-forward matrix of each block; vertical axes are logarithmic. The gradient comes in
# at the right. Lines are means over five seeds, the shade is one standard deviation.*
#
# In the last block post-norm's gradient is 4.5 times pre-norm's, of the order of $\sqrt{L}$, which
# is 4.0. But on the stream post-norm is the *flatter*: no gradient dies on its way back. From
# PyTorch's initialization the two wirings are within a factor of about two, and from the small
# weights of `normal` ([chapter 5](05-residual-connections.ipynb)) pre-norm's gradient is the
# larger.
#
# Yet post-norm fails from PyTorch's initialization, too. So this candidate is not confirmed, nor
# are the others: see the folds.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: the first candidate, at other sizes and initializations</summary>
#
# The bound of Xiong and others is for the feed-forward weights of the last of $L$ layers, from
# Xavier's initialization. Under pre-norm it shrinks since the final norm divides by the size of the
# stream. So it tells the wirings apart, but not twelve post-norm blocks from three. Warm-up, they
# argue, keeps the first steps small. But AdamW divides each weight's gradient by its own recent
# size, so a layer whose gradient is twice as large takes no larger step. On the stream pre-norm's
# gradient grows on its way back, for each branch adds its part (chapter 5).
#
# The first table has, from Xavier's initialization, the RMS of the gradient of the last block's last
# matrix, the same divided by that of the first block's, and on the stream the largest value divided by the
# smallest; five seeds. In the last block post-norm's gradient is 4.5 times pre-norm's with 16 blocks, where
# seeds spread widely, and 2.7 times with the 6 blocks of 384 channels of the full model, where $\sqrt{L}$
# is 4.0 and 2.4. That post-norm's gradient *grows* towards the output, we see with 16 blocks (2.3 times),
# but not with 6 (0.9 times). Pre-norm's is not flat either: its weights get about half as much in the last
# block as in the first. On the stream, with 16 blocks, post-norm's largest value is 2.1 times its smallest,
# while pre-norm's falls by a factor of 3.7 towards the output; with 6 blocks both vary by a factor of 2.0.
# Cleaner need not mean flatter.
#
# The figure and the other two tables have the initializations that people use (chapter 5 defines them):
# RMS of the gradient, and of the stream itself, at three places. With PyTorch's default, that of our
# ladder, both are nearly flat and within a factor of about two of each other. With $N(0, 0.02^2)$
# (`normal`) the odd place is the *embedding's* end. Its vectors are small (RMS 0.029), so the first norm
# they meet enlarges them about 35 times, and their gradient with them: under post-norm 0.68 at the
# embedding and 0.02 everywhere after. Under pre-norm a narrow stream stays small for longer, 0.081 after 16
# blocks. So the final norm enlarges it too, and the gradient of everything before it: here pre-norm's
# weights get the larger gradients. A wide stream grows at once, to 0.223 after one block of 384, and its
# gradient drops there, from 0.810 to 0.068. Whoever says that one wiring has the larger gradients should
# say for which initialization.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
rows, last = {}, {}
for (size, L), name in product((("small", 16), ("full", 6)), both):
    start = f"{size}-{name}-xavier"
    first, *_, end = records.at_start(start, "weight gradient")
    along = [band.mean for band in records.at_start(start, "gradient")]
    last[L, name] = end.mean
    ratios = (end.mean / first.mean, max(along) / min(along))
    rows[f"{L} blocks, {name}"] = [end.short, *(f"{r:.1f}" for r in ratios)]
for L in (16, 6):
    ratio = last[L, "post-norm"] / last[L, "pre-norm"]
    root = f"√{L} = {L**0.5:.1f}"
    rows[f"{L} blocks, post / pre ({root})"] = [f"{ratio:.1f}", "", ""]
table("gradient, RMS", ["last matrix", "/ first", "stream: max / min"], rows)

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true} mystnb={"image": {"alt": "Four plots of gradients by depth for 16 blocks, two for each of two initializations, post-norm dashed and pre-norm solid. PyTorch's default: both nearly flat, post-norm somewhat higher. N(0, 0.02²): on the stream, post-norm drops sharply after the embedding and is then flat and low, pre-norm is higher and falls slowly; of the feed-forward matrix, pre-norm is more than ten times higher."}}
# @title Code of this aside
figures.gradients_at_start(
    {
        "PyTorch's default": gradients("small", "default"),
        "N(0, 0.02²)": gradients("small", "normal"),
    }
)

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
sizes, starts = {"small": 16, "full": 6}, ("default", "normal")
rows = {quantity: {} for quantity in ("gradient", "stream")}
for size, start, name in product(sizes, starts, both):
    for quantity, of_it in rows.items():
        bands = records.at_start(f"{size}-{name}-{start}", quantity)
        means = [f"{bands[i].mean:.3f}" for i in (0, 1, -1)]
        of_it[f"{sizes[size]} blocks, {start}, {name}"] = means
places = ["embedding", "after block 1", "output"]
table("gradient", places, rows["gradient"])

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
table("stream", places, rows["stream"])

# %% [markdown]
# <details class="fold aside"><summary>For the curious: the second and the third candidate</summary>
#
# The second: Adam divides a gradient by the root of an average of its squares. At first, argue
# Huang and others, this average is unreliable, and warm-up gives it time to settle. A norm divides
# the gradient by the size of what goes in, so after steps that make this large the gradient
# vanishes. We have not tested it.
#
# The third: Liu and others find that gradients unequal from layer to layer are *not* the cause.
# Under post-norm, they say, each sum $x + f(x)$ is set back to size 1, so a late branch weighs as
# much beside its stream as an early one. Under pre-norm it weighs less. We looked at this one
# before training, from PyTorch's initialization. Push every weight of twelve blocks by 0.001 up or
# down, at random, and look how far the logits move (RMS, mean of three seeds). Post-norm's move
# further than pre-norm's, as Liu and others say. But without a norm (`residual`) they move further
# still, and in the sweep the models without a norm train at 0.01, where post-norm fails. So at the
# start, and for random pushes, this alone does not explain our limit.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
@torch.no_grad()
def pushed(name, seed):
    """How far the logits move when every weight of the blocks does."""
    torch.manual_seed(seed)
    config = replace(RUNGS[name].config, n_layer=12, fused=True)
    model = GPT(config)
    before = model(windows)
    for weight in model.blocks.parameters():
        weight.add_(0.001 * torch.randn_like(weight).sign())
    return probes.rms(model(windows) - before)


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
moved, rows = {}, {}
for name in ("residual", *both):
    moved[name] = sum(pushed(name, seed) for seed in range(3)) / 3
    rows[name] = [f"{moved[name]:.3f}"]
assert moved["residual"] > 2 * moved["post-norm"]
assert moved["post-norm"] > 1.2 * moved["pre-norm"]
table("12 blocks", ["logits move by"], rows)

# %% [markdown]
# <details class="fold aside"><summary>For the curious: how large pre-norm's branches begin</summary>
#
# [Chapter 5](05-residual-connections.ipynb) asked whether branches begin small: the RMS of what a branch
# adds, over that of the stream that it reads. With pre-norm a branch gets its input at RMS 1, however small
# the stream is. The table has the largest branch of each model. From the default it begins at 0.168 of its
# stream, from `zero` at 0; after 1,000 steps both are a little above 0.6. With `normal` the branches begin
# large: the embeddings are small (a token and a position of 0.02 each make a stream of 0.028), and the norm
# enlarges what the branch reads. At full size, the six blocks of 384 channels of chapter 9, a feed-forward
# layer then begins almost *five times as large as its stream*, and twice as large even with depth scaling.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
online, rows = records.load_sweep("coming-online"), {}
for start in ("default", "zero", "normal", "depth-scaled"):
    of_start = online[f"pre-norm-{start}"]
    largest = [
        max(band.mean for band in of_start.profile("stream", "branch", step))
        for step in (0, 50, 1_000)
    ]
    first, soon, later = largest
    assert soon > (first + later) / 2 > 1.5 * first  # it doubles, and soon
    full = records.at_start(f"full-pre-norm-{start}", "branch")
    for branches in (full[::2], full[1::2]):  # attention, feed-forward
        largest.append(max(band.mean for band in branches))
    rows[start] = [f"{most:.3f}" for most in largest]
columns = ["step 0", "step 50", "step 1,000", "full: attention", "feed-forward"]
table("largest branch", columns, rows)

# %% [markdown]
# ## What broke when we changed it
#
# **Forking too late.** The slip with which PyTorch's own pre-norm began: normalize first, *then*
# fork, so that the branch is added to the normalized stream:


# %%
class ForksTooLate(PreNormBlock):
    """The norm is on the stream again, before each addition."""

    def forward(self, x):
        x = self.attention_norm(x)
        x = x + self.attention(x)
        x = self.feed_forward_norm(x)
        return x + self.feed_forward(x)


slip = ForksTooLate(replace(PRE_NORM, fused=True))
slip.load_state_dict(pre.state_dict())
for norm_first in (False, True):
    expected = theirs(slip, norm_first)(x, src_mask=forbidden)
    off = (slip(x) - expected).abs().max()
    assert off > 0.1
    print(f"up to {off:.1f} apart from norm_first={norm_first}")

# %% [markdown]
# No shape is wrong. The block is post-norm's with its norms shifted by one place: one comes before the
# first addition, none after the last. The equality with PyTorch notices, and so would the sum of
# branches.
#
# **Forgetting the final norm.** No check of a *block* can see this one. Held against
# PyTorch's blocks and norm it shows, and in the parameter count:

# %%
for final_norm in (False, True):
    torch.manual_seed(0)
    model = GPT(replace(PRE_NORM, fused=True, final_norm=final_norm))
    z = model.token_embedding(ids) + model.position_embedding.weight
    for block in model.blocks:
        z = theirs(block, norm_first=True)(z, src_mask=forbidden)
    z = torch.nn.functional.layer_norm(z, (32,))  # gain 1, bias 0 at the start
    off = (model(ids) - model.lm_head(z)).abs().max()
    assert off < 1e-4 if final_norm else off > 0.1
    print(
        f"final_norm={final_norm!s:5}: {model.n_parameters():,} parameters",
        end="",
    )
    print(f", up to {off:.1f} apart from PyTorch's")

# %% [markdown]
# ## Exercises
#
# Try each before you open its solution. In 1 and 2 you write a function; run the cell, and it tells
# you what is not right yet.
#
# **Check yourself.** (a) Somebody's block reads `x = self.ln1(x + self.attn(x))`. Which wiring is
# it? (b) Another has `x = x + self.attn(self.ln1(x))` and the same for its feed-forward layer,
# and the logits are `self.head(x)`. What is missing? (c) How many norms has a model of twelve
# blocks in each wiring, and how many of them does the stream itself run through?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# (a) Post-norm. (b) The final norm. (c) The stream runs through all of post-norm's, and of
# pre-norm's through the last one only.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
from bardgpt.layers.normalization import LayerNorm

for name in ("post-norm", "pre-norm"):
    model = GPT(replace(RUNGS[name].config, n_layer=12))
    norms = [part for part in model.modules() if isinstance(part, LayerNorm)]
    print(f"{name}: {len(norms)} norms")

# %% [markdown]
# **1. Silent branches.** You get a block that you cannot look into, as a function `block(x, f, g)`:
# a stream whose last dimension is C, and two parts of your choice, which keep its shape. Its norms are inside. Write a test that says `True` if it has a
# norm on its stream, and `False` if there is nothing on it but additions. Then: with
# `initialization="zero"` every branch adds 0. What do 16 blocks of each wiring do to the stream?

# %% tags=["remove-output"]
from bardgpt.teaching import exercises


def norm_on_stream(block) -> bool:
    """Say whether block(x, f, g) has a norm on its stream."""
    ...


exercises.check("7.1", norm_on_stream)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Give it branches that add nothing. What comes out is what happens on the stream: with additions alone
# nothing, to the bit. So 16 silent blocks of pre-norm leave the stream as it was. Of post-norm, the
# first norm standardizes it, and the other 31 find nothing left to do (but for the tiny number under
# their roots).
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def norm_on_stream(block):
    x, silent = torch.randn(2, 8, 32), torch.zeros_like  # (B, T, C)
    return not torch.equal(block(x, silent, silent), x)


exercises.check("7.1", norm_on_stream)

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
for name in ("post-norm", "pre-norm"):
    torch.manual_seed(0)
    model = GPT(replace(RUNGS[name].config, n_layer=16, initialization="zero"))
    with probes.recorded_stream(model) as stream:
        model(ids)
    moved = [(stream.at[-1] - stream.at[i]).abs().max() for i in (0, 1)]
    print(
        f"{name:9}: the last stream is up to {moved[0]:.1f} from the first",
        end="",
    )
    print(f", {moved[1]:.1f} from that after one block")
    assert moved[0] == 0 if name == "pre-norm" else moved[1] < 1e-3 < moved[0]

# %% [markdown]
# **2. A third wiring.** Write a block that norms the output of both branches, $x + \text{norm}(f(x))$.
# Is its stream a sum of branches? How large is it after 16 blocks, if it begins with RMS 1, each
# branch has RMS 1, and all are independent?


# %% tags=["remove-output"]
def third_wiring(x, f, g, norm_f, norm_g):
    """Give the stream after the block; f comes first."""
    ...


exercises.check("7.2", third_wiring)

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# A sum again, of normed branches. Squares add up, 1 + 2 * 16 of them: √33, a little under six. It
# is a little more, for the branches are not quite independent.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def third_wiring(x, f, g, norm_f, norm_g):
    x = x + norm_f(f(x))
    return x + norm_g(g(x))


exercises.check("7.2", third_wiring)


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
class BranchNormBlock(PreNormBlock):
    """x + norm(f(x)), as in Swin Transformer V2 and OLMo 2."""

    def forward(self, x):
        x = x + self.attention_norm(self.attention(x))
        return x + self.feed_forward_norm(self.feed_forward(x))


torch.manual_seed(0)
config = replace(PRE_NORM, initialization="xavier", fused=True)
y = torch.randn(32, 8, 32)  # (B, T, C), RMS 1
for _ in range(16):
    y = BranchNormBlock(config)(y)
assert 5 < probes.rms(y) < 10
print(f"RMS after 16 blocks: {probes.rms(y):.1f}")

# %% [markdown]
# **3. The root of the depth.** The bound of Xiong et al., $1/\sqrt{L}$, is for the last block of
# pre-norm. Measure the gradient of its last matrix with 4 and with 32 blocks, Xavier's
# initialization, mean over three seeds. By what factor should pre-norm's fall, and does
# post-norm's?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# By √8, nearly three, if it followed the bound. Pre-norm's falls by about 2. A part of the
# difference: the first stream is in the last one too, not only the branches, so the last stream is not
# quite √8 times as large. The rest is open; a bound promises no equality. Post-norm's falls
# less, or rises: that is what a factor below 1 says.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def last_gradient(name, L):
    """Mean over three seeds."""
    config = replace(RUNGS[name].config, **(deep | {"n_layer": L}))
    runs = []
    for seed in range(3):
        torch.manual_seed(seed)
        runs.append(probes.stream_statistics(GPT(config), windows, targets))
    return sum(run["weight gradient"][-1] for run in runs) / 3


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
for name in both:
    fall = last_gradient(name, 4) / last_gradient(name, 32)
    print(f"{name}: falls by this factor\n  your run: {fall:.2f}")
    low, high = (1.5, 2.5) if name == "pre-norm" else (0, 1.5)
    print(f"  expected: {low} to {high}")
    assert low < fall < high

# %% [markdown]
# **4. Rescue it (open).** Twelve blocks of post-norm at rate 0.01 fail in spite of 200 steps of
# warm-up. Try to save them: with `TrainingConfig`, a longer `warmup` or a rate that falls
# (`schedule="linear"`); with `GPTConfig`, another `initialization`. Which one helps, over
# three seeds?

# %% [markdown]
# ## What to remember
#
# - Post-norm, $\text{norm}(x+f(x))$, is the paper of 2017 and PyTorch's default. Pre-norm,
#   $x+f(\text{norm}(x))$ and a final norm, is GPT-2, LLaMA and the lecture.
# - Clean path means: the last stream is the first plus all branches. It does not mean that
#   gradients are the same everywhere.
# - Pre-norm trained at every depth, rate and initialization that we tried. Post-norm has a limit, and
#   more blocks or larger weights lower it. Why is not settled.
# - The final norm gives the output layer vectors of one size, however large the stream has grown.
#
# In the config:

# %%
from bardgpt.lab.ladder import config_diff

print(
    *config_diff(RUNGS["post-norm"].config, RUNGS["pre-norm"].config), sep="\n"
)

# %% tags=["hide-input"]
figures.diagram("rung-pre-norm")

# %% [markdown]
# *The rung of this chapter. In colour: what is new against post-norm.*
#
# **Which, when?** With a few blocks and a modest rate take either: we could not tell them apart.
# With more blocks, a larger rate or larger initial weights take pre-norm, and its final norm with
# it. It trained at every rate that we tried, without warm-up too. If you need post-norm, say to
# load somebody's weights, keep the rate small and warm up. Pre-norm does not win everywhere:
# [Nguyen and Salazar 2019](references.md#nguyen-2019) could train it without warm-up and at large
# rates, but on their largest translation task it made the result worse. And branches small beside
# their stream, like pre-norm's late ones, limit what a model can reach, say [Liu et al.
# 2020](references.md#liu-2020). We have not measured that.
#
# Grown to ten million parameters, the model will learn our million characters by heart. Against that
# one more part is used, dropout: [chapter 8](08-dropout.ipynb).
