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
# # 9 · Scaling up
#
# All pieces are built: attention in many heads, a feed-forward layer, a stream that is
# only ever added to, norms before the branches, and dropout. The model that they make is still
# tiny: 42,369 parameters, 8 characters in sight and, without dropout, 2.071 nats, far above the
# 1.669 of a table that counts what follows four characters. The lecture claims that nothing new is
# needed, only more of the same:
#
# > **Make the same model larger and let it see further. The validation loss "improved to 1.48, a
# > significant improvement just from scaling up the neural network with our existing code", and
# > the text that it writes "maintains the characteristic structure and style of the input".**
#
# You will see what each change costs, train the large model (on a GPU all of it, on a CPU its
# beginning), and take it apart: where it is good, where it guesses, and what it has not understood
# at all.
#
# After this chapter you can
#
# - count the parameters, the operations and the memory of a training step;
# - say which losses may be compared, and which may not;
# - ask a trained model what it has learned, and what it has not.
#
# **Before you run anything:** the large model has 255 times as many parameters as the small one.
# Guess how much more computing one training step will take: 255 times, less, or more? And at
# which characters of a play will a model that has read a million of them still be lost?

# %% [markdown]
# ## The same code, a few other numbers
#
# *Claim scale-1, first half, of the [claims page](claims.md).*
#
# "With our existing code" can be taken literally. A model of this book is a config, and a change
# of model is a list of changed fields. Here is the whole way from chapter 7's rung to the
# lecture's model:

# %%
from bardgpt.lab.ladder import RUNGS, config_diff
from bardgpt.presets import PRESETS

rung, full = RUNGS["pre-norm"].config, PRESETS["full"]
print("the model:", *config_diff(rung, full.model), sep="\n  ")
print(
    "its training:",
    *config_diff(PRESETS["tiny"].training, full.training),
    sep="\n  ",
)

# %% [markdown]
# Width, heads, blocks, context, dropout; batch size and learning rate. That is the list of the
# lecture. Two lines are ours. `fused` computes the same function with PyTorch's own kernels, which
# is only faster; the appendix on [the fast path](appendix/fast-attention.ipynb) takes it step by
# step. And we evaluate every 500 steps, because looking at the whole validation text now takes a
# while.
#
# Put together:

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("whole-model")

# %% [markdown]
# *The full model, from characters to probabilities. The appendix [the whole model on one
# page](appendix/whole-model.ipynb) has all of it in formulas and code.*
#
# So the sentence of the lecture holds: no line of the model changes. But there is a second list.
# The lecture's run was made for a GPU. To get there on two CPU cores as well, the run that comes
# with this book uses what has been learned since, and is called `sprint`:

# %%
sprint = PRESETS["sprint"]
print("the model:", *config_diff(full.model, sprint.model), sep="\n  ")
print("its training:", *config_diff(full.training, sprint.training), sep="\n  ")

# %% [markdown]
# The model is the same function, with the same 10,788,929 parameters. What changed, and why:
#
# | field | the change | why |
# |---|---|---|
# | `initialization` | as in GPT-2: small, and smaller with depth ([chapter 5](05-residual-connections.ipynb) measured it) | many blocks add little at first, so the stream does not grow |
# | `attention_dropout`, `embedding_dropout` | dropout on the embeddings, none on the attention weights (`None` means: as much as everywhere else) | a step is cheaper: the fast kernel for attention has no dropout on a CPU |
# | `optimizer`, `muon_rate` | [Muon](references.md#jordan-2024) for the matrices inside the blocks, with a rate of its own | a matrix's step becomes about equally long in all directions, so that directions in which the gradient is always small also learn |
# | `learning_rate` | ten times higher, for all that AdamW keeps: embeddings, output layer, norms | a short run has to learn faster |
# | `beta2` | AdamW's average of squared gradients forgets sooner | the average covers about 100 steps instead of 1,000, in a run of 1,500 |
# | `warmup`, `schedule`, `final_rate` | the rates climb for 50 steps, then fall in a straight line to a twentieth | careful first steps, large ones in the middle, fine ones at the end |
# | `clip` | a gradient longer than 1 is shortened to 1 | one odd batch cannot undo many steps |
# | `decay` | only matrices are pulled towards 0 | a gain or a bias has no reason to be small |
# | `steps`, `batch_size` | a shorter run: 1,500 steps of 32 windows, not 5,000 of 64 | less than a sixth of the reading: an hour on two cores |
#
# The last fields say how often we look (`evaluate_every`) and which random numbers are drawn
# (`seed`).
#
# None of this is "just scaling up". When this chapter compares a loss with the lecture's 1.48,
# remember that the architecture is the lecture's and the training is not.

# %%
from bardgpt.shakespeare import shakespeare

tokenizer, train_ids, validation = shakespeare()
for name in ("tiny", "full", "sprint"):
    preset = PRESETS[name]
    T, training = preset.model.block_size, preset.training
    characters = training.steps * training.batch_size * T
    times = characters / len(train_ids)
    print(f"{name:7} {characters:11,} characters: {times:5.1f} times the text")

# %% [markdown]
# ## What each change costs
#
# *Claim scale-1, second half.*
#
# Now one change at a time, in the lecture's order, each on top of those above it. Nothing is
# trained for this table. PyTorch can run a model on the device "meta", on which tensors have
# shapes and no numbers; we count what it would have done.
#
# - **GFLOP a step**: floating-point operations of all matrix products of one training step, in
#   billions. The way back costs about twice the way there.
# - **State**: weights, their gradients and AdamW's two averages; four float32 numbers for each
#   parameter.
# - **Kept**: what the forward pass must keep until the backward pass comes by, in float32 and
#   with the list of heads of chapter 3.

# %%
from bardgpt.teaching import scaling

small_cost, full_cost = scaling.cost(PRESETS["tiny"]), scaling.cost(full)
print(f"parameters: times {full_cost.parameters / small_cost.parameters:,.0f}")
print(f"operations: times {full_cost.flops / small_cost.flops:,.0f}")

# %% tags=["hide-input"]
scaling.cost_table(scaling.one_at_a_time())

# %% [markdown]
# *What each change costs: parameters and how many they are more than a row above; operations, how
# many more, and how many times as many.*
#
# A step takes far more than 255 times the operations: it works on 64 times the characters, and
# 255 times 64 is 16,320. Most of the rest is attention. Row by row:
#
# - **Batch** 64: twice the windows, twice the work, and nothing else.
# - **Context** 256: 248 more rows of position embeddings, and 32 times the characters in a step.
#   But the operations grow nearly 70 times, for attention now compares 256 positions with 256, and
#   in a model 32 channels wide that costs more than all its matrices.
# - **Width** 384: twelve times the width is 144 times the numbers in each matrix, and 67 times the
#   operations. It brings 5,418,688 parameters.
# - **Heads** 6: nothing, in parameters and operations; that was [chapter
#   3](03-multi-head-attention.ipynb). But 96 MiB more to keep: each head has its own $T \times T$
#   weights.
# - **Blocks** 6: twice everything that is in a block. That is nearly as many parameters as the
#   width brought, and more operations than all changes before it together. So *the order matters*:
#   a change that multiplies costs the more, the later it comes.
# - **Dropout**: no parameter, no product, and 1,440 MiB. What was dropped must be remembered, and
#   what is left kept beside it: for the attention weights two more $T \times T$ matrices for each
#   head and window.
# - **Learning rate**: free.
#
# Weights, gradients and averages together take a twenty-fifth of what the forward pass has to
# keep. This is why a GPU runs out of memory because of the *batch*, and why a smaller batch is
# the first remedy. (The fast kernels on GPUs do not keep the $T \times T$ weights at all, so the
# true number there is smaller.)
#
# You can check the parameters in your head. A block's matrices have $4 C^2$ numbers in attention
# and $8 C^2$ in the feed-forward layer, so $L$ blocks have about $12\,L\,C^2$. Six blocks of 384:

# %%
L, C, V, T = 6, 384, 65, 256
matrices = 12 * L * C**2
everything = full_cost.parameters
print(f"12 L C² = {matrices:,}, of {everything:,}: {matrices / everything:.1%}")

# %% [markdown]
# The operations too. To multiply with a matrix is one multiplication and one addition for each of
# its numbers and each position, and twice that on the way back: 6 operations for each parameter
# and character. What goes beyond 6 is attention, whose $T \times T$ products have no parameters.

# %%
flops = full_cost.flops / full_cost.characters
print(f"FLOP per character: {flops:,.0f}")
print(f"times the parameters: {flops / everything:.2f}")

# %% [markdown]
# ## Train it
#
# *Claim scale-2.*
#
# This is the only chapter that asks what machine it runs on. Without a GPU you edit nothing. With
# one, the cells as they stand make the recorded run, `sprint`. **For the lecture's own run edit
# one line**, in the cell that makes the plan: `plan = scaling.plan(devices.facts(), "full")`. The
# rule that it follows: on a GPU the whole run, without one the first 12 steps.

# %%
from bardgpt.training import devices

plan = scaling.plan(devices.facts())
print(plan.message)

# %% [markdown]
# Before a long run it is worth knowing how long. We time steps of a throw-away model (20 on a
# GPU, after three that warm it up; on a CPU a single one, after one), and add what the
# evaluations will take. If a GPU's memory is too small for a step, this is where it shows, and
# the message says what to do.

# %%
seconds = scaling.time_steps(plan)
scaling.say_time(seconds, plan)

# %% [markdown]
# On the website this is the machine that built the page, with other work beside it. Undisturbed,
# the recorded run took one hour on two cores. Without a GPU the estimate is for `bardgpt train
# sprint` in a terminal. A CPU without fast 16-bit numbers (bfloat16) can take several hours.
#
# Now run it: `scaling.train` is the loop of [chapter 1](01-text-and-yardstick.ipynb), and
# on a GPU it saves its state on the way. On a GPU a curve grows below, with a bar of progress. **If
# you lose the connection, run the notebook again**: the run keeps its state in a folder,
# `runs/sprint`, about once a minute, and goes on from there. On Colab that folder is lost together
# with the machine. To keep it, mount your Google Drive before you come here (the folder icon on the
# left has a button for it); the run then lives in `bardgpt/sprint` on your Drive.
#
# On a CPU the cell trains the same model, with the same code, for 12 steps with 4 windows
# each. That takes some seconds. The model starts as a blind guess; after 12 steps it must be, on
# the first 4,096 characters of the validation text, below 3.347 nats, the loss of one who knows
# only how frequent each character is.

# %%
finished = scaling.train(plan, show=display)
print(f"{scaling.cost(plan.preset).parameters:,} parameters trained")

# %%
scaling.report(plan, finished)

# %% [markdown]
# ### The recorded run
#
# From here on *recorded* means one run, made beforehand and shipped with the book as its log and
# its weights. It is not what your machine just did. The 12 steps above are quick, so their record
# has four runs. The whole run was made **once**, so it has no spread over seeds.

# %%
from bardgpt import records

record = records.full()
last = record.metrics[-1]
made = record.results
print(f"preset sprint, in {made['precision']}: {made['made']['machine']}")
print(f"{last['step']:,} steps, {last['characters']:,} characters")
print(f"{record.hours:.1f} hours")
print(f"validation loss after the last step {made['validation']:.4f}")
print(f"  as shipped, with 8 bits a weight  {record.validation:.4f}")
print(f"training text, as shipped           {record.train:.4f}")
assert record.validation < 1.48

# %% tags=["hide-input"] mystnb={"image": {"alt": "Loss of the recorded run against steps, 0 to 1,500. The training loss, measured with dropout, falls steeply to about 2.4 in the first hundred steps, then ever more slowly to below 1.2. The validation loss falls with it, crosses the dashed line of the best count table, 1.669, within the first third and ends below the dash-dotted line of the lecture's 1.48, while the training loss goes on falling below it."}}
figures.full_run(record.metrics, record.training.steps, scaling.to_beat())

# %% [markdown]
# *The recorded run: the loss of the training batches, with dropout on, and the loss on the whole
# validation text, with dropout off. One run.*
#
# 1.4789: the 1.48 of the lecture is reached, though not by much. Storing each weight in 8 bits, as
# the book ships them, costs nothing that shows. The validation loss fell to the end, if more and
# more slowly, and never turned back up. Yet on its training text the model is 0.395 nats better:
# it has begun to learn that text by heart, in spite of dropout. [Chapter 8](08-dropout.ipynb) is
# about this gap.
#
# The lecture's own run, `full`, we did not make; it takes a GPU. If you have one, edit the plan as
# said above, and you will know more than this page does. It reads the text 82 times, not 12. The
# two figures that others report for such long runs do not tell whether the validation loss rises
# before their end; nanoGPT's is the best of those on the way.

# %% [markdown]
# ## The ladder, complete

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss of all rungs, five dots each, from the bigram model near 2.5 down to layer norm before the branch at 2.07, and in the last row, far to the left of all others, the full model: one above the other a cross for the lecture's 1.48, a diamond for the recorded run's 1.4789 and a plus sign for nanoGPT's 1.4697. The dashed line of the four-character table at 1.669 lies between the small rungs and the full model."}}
from bardgpt.lab.ladder import LECTURE_FULL, NANOGPT, climbed

tables = [table["validation"] for table in records.tables()]
full_model = {
    "lecture reports": LECTURE_FULL,
    "the recorded run": record.validation,
    "nanoGPT": NANOGPT,
}
figures.ladder(climbed(), tables, full_model)

# %% [markdown]
# *Validation loss of every rung; each dot is one full run, crosses are what the lecture reports.
# The small rungs see 8 characters, the last row sees 256. In it, one above the other: the
# lecture's figure, the recorded run, and the best that [nanoGPT](references.md#nanogpt) reports
# for a near twin of this model. Dashed: the count tables.*
#
# On page one of this book a table of counts beat every small network. The full model is the first
# to pass it. But do not compare the last row to the third digit: the three were not judged alike.
#
# - We go over the whole validation text, in neighbouring windows.
# - The lecture and nanoGPT estimate the loss on windows drawn at random.
# - In both ways the first characters of each window are predicted from next to nothing.
#
# Here is one model, judged in four ways:

# %% tags=["hide-input"]
from bardgpt import teaching

rows = {}
for way, found in records.read("judged")["ways"].items():
    name = f"{way} characters or more before each" if way.isdigit() else way
    error = found.get("standard error")
    rows[name] = [f"{found['loss']:.4f}" + (f" ± {error:.4f}" if error else "")]
teaching.table("the recorded run", ["validation loss"], rows)

# %% [markdown]
# *The same weights on the same text. Random windows: 200 batches of 64, with the standard error of
# their mean.*
#
# Like for like, then, nanoGPT's 1.4697 is to be held against the estimate, and it is the lowest of
# up to 21 such estimates on the way, where ours was decided before the run. Their twin also has
# GELU, a smoother ReLU, no biases, dropout on the attention weights too, and the token embedding
# as output matrix; it trains with AdamW at a rate of $10^{-3}$ that falls along a cosine, for up
# to 5,000 steps of 64 windows. And each is one run.

# %% tags=["hide-input"]
best = records.best_table()["validation"]
small = records.load("pre-norm").band()
rows = {
    "the last small rung": [small.short],
    "the best count table": [f"{best:.3f}"],
    "the full model": [f"{record.validation:.3f}"],
}
assert record.validation < best < small.mean
teaching.table("model", ["validation loss"], rows)

# %% [markdown]
# *Five runs of the small rung, one of the full model.*

# %% [markdown]
# ## Why 8 became 256
#
# A window of 256 characters holds 256 predictions. The first sees one character, the last sees
# 256. So one evaluation says something about what context is worth: take the mean loss at each
# position, over all 435 windows of the validation text.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Validation loss against the number of characters that the prediction could see, 1 to 256, logarithmic. Pale dots for each position scatter; the means of octaves, joined by a line, fall from about 2.5 at one character to about 1.5 between eight and fifteen, and are nearly level, a little below 1.5, from sixteen on. Crosses for the count tables lie near the line up to four characters and turn upwards at five. A dotted line marks the ladder's 8."}}
figures.loss_by_position(record.results["by position"], tables)

# %% [markdown]
# *Loss of the recorded model by how many characters the prediction could see. Pale: each
# position. Circles: means over 1, 2 to 3, 4 to 7, … characters. Crosses: the count tables of
# chapter 1.*

# %% tags=["hide-input"]
rows = {"1": [f"{record.results['by position'][0]:.3f}"]}
for first, last in (
    (2, 3),
    (4, 7),
    (8, 15),
    (16, 31),
    (32, 63),
    (64, 127),
    (128, 256),
):
    part = record.results["by position"][first - 1 : last]
    rows[f"{first} to {last}"] = [f"{sum(part) / len(part):.3f}"]
teaching.table("sees", ["loss"], rows)

# %% [markdown]
# *The circles of the figure: mean loss by characters in sight.*
#
# With no more than five characters in sight, the full model is on the whole no better than the
# count tables. Up to sixteen its loss falls fast, and from eight on lies well below the best
# table. Then the line is nearly level. Is 256 wasted, then?
#
# The dots scatter by some 0.08 nats, so a mean of sixteen is uncertain by 0.02. Sharper is to
# predict *the same characters* with less and with more context:

# %% tags=["hide-input"]
by_context = record.results["by context"]
assert by_context["characters"] == 8_192
rows = {}
for least in (8, 16, 32, 64, 128):
    part = by_context[str(least)]
    better = ""
    if least > 8:
        better = f"{part['gain']:.4f} ± {part['standard error']:.4f}"
    rows[f"{least} to {2 * least - 1}"] = [f"{part['loss']:.3f}", better]
teaching.table("sees", ["loss", "better by (± s.e.)"], rows)

# %% [markdown]
# *Loss on the same 8,192 characters, and how much better it is than a row above, ± its standard
# error (elsewhere in this book ± is the spread over seeds).*
#
# (These are the first characters of the validation text, which are easier than the rest.) The step
# from 8 characters to 16 gains 0.025 nats, the next another 0.023, and beyond that these characters
# show nothing that stands out from its error. So this model, after these 1,500 steps, reads about a
# line back. The rest of its window it carries along and hardly uses; below we see what that makes
# it miss.
#
# Then where does the improvement over the ladder come from? With windows of 8, every prediction
# has 1 to 8 characters before it; with windows of 256 most have far more. So judge the large model
# on its first eight positions only:

# %% tags=["hide-input"]
rows = {
    "the last small rung, windows of 8": small.mean,
    "the full model, first 8 positions": sum(record.results["by position"][:8])
    / 8,
    "the full model, all 256 positions": record.validation,
}
rows = {name: [f"{loss:.2f}"] for name, loss in rows.items()}
teaching.table("judged on", ["validation loss"], rows)

# %% [markdown]
# The gap is 0.59 nats. A quarter of a nat of it is size and training: a better prediction from
# the same few characters. The larger part, 0.34, comes from looking further, and by the first
# table some sixteen characters give most of that.
#
# So a loss at 256 must not be set beside a loss at 8 as if only the size had changed.

# %% [markdown]
# ## Size, or training?
#
# *Claim scale-4.*
#
# And the training has changed as well. The lecture says that the loss fell "just from scaling up".
# Our full model was not only larger than the last small rung, it was trained in another way. What
# would that way have done for the small one? Two *controls*, each from five seeds, with the same
# 42,369 parameters. One has sprint's recipe over the rung's own 5,000 steps (optimizer, rates and
# initialization; nothing is dropped, for the rung does not learn by heart). The other keeps the
# plain recipe and reads as many characters as the full model has read, in 48,000 steps.
#
# **Guess first:** of the 0.59 nats between the last small rung and the full model, how much does
# the recipe give, and how much the longer reading?

# %%
before = records.load("pre-norm")
way = before.band().mean - record.validation
print(f"the last small rung: {before.band()}")
for name, what in (("recipe", "sprint's recipe"), ("long", "longer reading")):
    after = records.load(f"pre-norm-{name}")
    gain = records.gain(before, after)
    print(f"with {what}: {after.band()}")
    print(f"  gain {gain}, {gain.mean / way:.0%} of the way")
    assert gain.mean > 4 * gain.sd / gain.n**0.5  # four standard errors

# %% [markdown]
# An eighth for the recipe, a quarter for the reading: both matter, for every seed, and neither is
# most of it. "Just from scaling up" is not the whole story. The rest has to do with size: more
# channels and blocks, and a window of 256. Whether recipe and reading together would give the sum
# of both we have not measured.

# %% [markdown]
# ## One passage, character by character
#
# A mean hides where the loss comes from. Here is a piece of the validation text, from The
# Tempest, with the loss of each character, recorded. The taller the bar below a character and the
# deeper its tint, the less the model expected it. Point at a character for its number; below the
# text all words stand in a table.

# %%
from bardgpt.teaching import figures

passage = record.results["passage"]
figures.passage(passage["text"], passage["losses"])

# %% [markdown]
# *A passage that the model has never seen. Each character was predicted from the 128 to 255
# characters before it. ↵ is a line break, which has to be predicted too.*
#
# The first letters of words cost much, the rest often costs almost nothing: once *lang* stands
# there, *uage* follows. The line break after a speaker's name costs nothing at all. Rare things
# cost most: *Hag-seed*, *Setebos*, *Shrug'st*. And look at the two speakers' names. Here is one,
# with its nats:

# %%
name = "PROSPERO"
losses = passage["losses"][passage["text"].index(name) :]
pairs = zip(name, losses, strict=False)
print("  ".join(f"{letter} {loss:.1f}" for letter, loss in pairs))

# %% [markdown]
# The last `O` had a probability below one in half a million. The model was sure of something
# else; near the end of the chapter we ask of what.
#
# The numbers come from the record. Are they those of the weights that you have? Load them (any
# machine can: they are 11 MB), and let them read the same passage:

# %%
import torch

from bardgpt import pretrained
from bardgpt.lab.probes.context import with_context

model, _ = pretrained.load()
piece, recorded = passage["text"], torch.tensor(passage["losses"])
before = tokenizer.decode(validation).partition(piece)[0]
live = with_context(model, tokenizer.encode(before + piece), len(piece))
torch.testing.assert_close(live, recorded, atol=0.02, rtol=0.01)
print(f"{len(live)} losses agree with the record", end="")
print(f"; their mean is {live.mean():.1f} nats")

# %% [markdown]
# ## New names
#
# The validation text is the end of the file: two thirds of The Taming of the Shrew and the
# beginning of The Tempest. Of its 39 speakers 26 never speak in the training text. So the number
# that everybody quotes for Tiny Shakespeare is in part a measure of meeting strangers. How large
# a part? Split the loss: the names above the speeches, each with its colon, against all other
# text (*rest*). A name is *known* if it speaks in the training text, else *new*; *again* means
# that it already heads a speech in the window, *first* that it does not.

# %%
names = record.results["names"]
speakers, groups = names["speakers"], names["groups"]
parts = [groups[name] for name in ("rest", "known", "new")]
n = sum(part["characters"] for part in parts)
total = sum(part["characters"] * part["loss"] for part in parts)
print(f"{speakers['all']} speakers, {speakers['new']} of them new")
print(f"{n:,} characters, {total / n:.3f} nats each")

# %% tags=["hide-input"]
rows = {}
for name, group in groups.items():
    share = group["characters"] * group["loss"] / total
    rows[name] = [
        f"{group['characters']:,}",
        f"{group['loss']:.3f}",
        f"{share:.1%}",
    ]
teaching.table("part", ["characters", "nats each", "of the loss"], rows)

# %% [markdown]
# *The validation text by what is predicted.*

# %% tags=["hide-input"] mystnb={"image": {"alt": "Mean loss at the first eight letters of speakers' names, four lines. All start near three nats at the first letter. The two lines of known names fall to nearly zero by the fifth letter. The two lines of new names rise to above six nats at the third and fourth letter and stay above two; whether the name stands in the window makes hardly any difference. A dotted line marks the loss of all other text."}}
figures.name_losses(names["by letter"], groups["rest"]["loss"])

# %% [markdown]
# *Mean loss at each letter of speakers' names. Known: speaks in the training text. In the window:
# the name already heads a speech in the up to 255 characters before.*
#
# A character in a new speaker's name costs 4.55 nats: more than the 4.17 of a blind guess. So the
# model is not only ignorant here, it is *wrong*: it expects names that it knows. In known names
# the rest costs almost nothing after four letters. The dip at the sixth letter of new ones is
# above all the `E` of PROSPERO and the `T` of SEBASTIAN, the two who speak most: after PROSP and
# SEBAS little else can come. The names of strangers are 3 % of the text and nearly 9 % of the
# loss.
#
# And now what we did not expect. If the stranger's name already stands in the window, a few lines
# further up, a reader would copy it. The model pays as much as the first time: 4.5 nats against
# 4.6. It has hardly learned to look a name up in its own context and to go on as it went on
# there. That fits how little far context was worth above. Larger models do learn this. [Olsson
# and others](references.md#olsson-2022) found the heads that do it, two in different layers that
# work together. Why ours has none we have not tested; in the plays that it read, every name could
# be learned by heart.

# %% [markdown]
# ## What it writes
#
# *Claim scale-3.*
#
# First let it speak, on whatever machine you have. The cache of keys and values makes this quick
# enough without a GPU (the [appendix](appendix/fast-attention.ipynb) measures by how much). The
# helper prints the beginning and holds the same four numbers as in [chapter
# 1](01-text-and-yardstick.ipynb) against the recorded samples, cut into 50 pieces of 500
# characters.
#
# > **Your own model.** If you made the whole run, let it speak instead: import `load_run` from
# > `bardgpt.training.run`, and add a cell with `model, _ = load_run(scaling.run_folder(plan))`.

# %%
from bardgpt.lab.likeness import Reference
from bardgpt.sampling import sample
from bardgpt.teaching import checks

reference = Reference.of(tokenizer.decode(train_ids))
text = sample(model, tokenizer, prompt="ROMEO:", length=500, seed=1)
checks.generated(
    "ROMEO:" + text, reference, record.pieces(), show=500, of="pieces"
)

# %% [markdown]
# The lecture says that this "maintains the characteristic structure and style of the input text",
# and is "still nonsensical when you actually read". The second half you judge best yourself. The
# first can be measured. Four other numbers, also on pieces of 500 characters: the share of lines
# that are speakers' names; the length of the spoken lines; the share of words (of three letters and
# more) that stand in the training text; and the length of the longest piece that stands there as it
# is. We ask the same of every rung's recorded samples, of the best count table, and of real text
# that nobody trained on.

# %% tags=["hide-input"] mystnb={"image": {"alt": "Four plots of samples by model, from the best count table over all rungs down to the full model, with a line and a grey band for real text. In all four the full model is closest to the band or in it. Share of speakers' lines: around a tenth or less for nearly all rungs, with wide spreads, and about a fifth for the full model. Characters per spoken line: widely spread for the first rungs. Known words: from below a half up to nearly one. Longest copied piece: about ten characters for the small rungs, more for the count table, the full model and real text."}}
titles = {"counts": "counts, 4 before"} | {n: r.title for n, r in RUNGS.items()}
titles |= {"full": "the full model", "real text": "held-out real text"}
figures.forms({title: record.form(name) for name, title in titles.items()})

# %% [markdown]
# *Mean and standard deviation over pieces of 500 characters: five of each rung (one for each
# seed) and of the table, fifty of the full model, and all of the validation text.*

# %% tags=["hide-input"]
rows = {}
for name, title in titles.items():
    share, line, known, copy = (
        band.mean for band in record.form(name).values()
    )
    rows[title] = [f"{share:.2f}", f"{line:.1f}", f"{known:.2f}", f"{copy:.1f}"]
columns = ["speakers", "characters a line", "known words", "longest copy"]
teaching.table("text", columns, rows)

# %% [markdown]
# *The means of the figure.*
#
# In all four the full model stands where real text stands. A fifth of its lines are speakers'
# names, its lines are as long, 94 % of its words are known, as with real text (93 %; Shakespeare
# invents words, too). How the rungs climb towards it shows best in the known words: 9 % for the
# bigram, 45 % for the last small rung. In the speakers' share and the length of lines their
# spreads overlap.
#
# One number stands out for the table of counts: it copies *longer* pieces than the full model,
# for all it can do is to go on as some place in the text went on.
#
# Does the full model recite, then? On average its longest copy has 20 characters, and that of
# held-out real text 19: hardly. But 500 characters may cut a copy short. So here is the longest
# in all 25,000 characters of recorded samples:

# %%
print(repr(record.results["longest copy"]))
print(len(record.results["longest copy"]), "characters")

# %% [markdown]
# The end of a speech, a speaker and the first word of the answer: layout more than Shakespeare.

# %% [markdown]
# ## What it knows, and what it does not
#
# Form is more than words. Four habits of the plays, as shares, in the recorded samples (five of
# 5,000 characters) and in as long pieces of real text; ± is the spread over these:

# %% tags=["hide-input"]
model_habits, real_habits = record.habits("full"), record.habits("real text")
rows = {
    habit: [band.short, real_habits[habit].short]
    for habit, band in model_habits.items()
}
teaching.table("share", ["the full model", "real text"], rows)

# %% [markdown]
# Lines begin with capitals as often as they should. But its speakers are nearly all from the
# training plays, and it mixes the casts. So one recorded sample begins:

# %%
from bardgpt.lab import likeness

print(", ".join(likeness.speakers(record.results["text"])))

# %% [markdown]
# Mercutio, Romeo and Benvolio are of one play, Menenius and the tribunes Sicinius and Brutus of
# Coriolanus, Pompey of a third. In one of eighteen speeches the same speaker begins again who had
# just finished, which real text hardly ever does; so it does not keep track of whose turn it is.
# And it does not rhyme. (Neither does most of the real text here; one line in a hundred.)
#
# And some small questions, asked of the weights directly. What does the model expect after each
# beginning? (`told` is the passage above, as far as PROSPER.)

# %%
from bardgpt.sampling import generate

greeting = "\n\nZANZIBO:\nGood morrow.\n\nROMEO:\nGood morrow.\n\nZANZI"
told = passage["text"].partition("O:")[0]
for prompt in (
    "ROMEO:\nI am thy hus",
    "ROMEO:\nThe q",
    "\n\nPETRUCH",
    told,
    greeting,
):
    likeliest = generate(model, tokenizer.encode(prompt), 4, temperature=0)
    print(f"… {prompt[-20:]!r:24} goes on with {tokenizer.decode(likeliest)!r}")

# %% [markdown]
# It spells, and finishes names that it knows. After PROSPER it writes DITA, the end of PERDITA,
# who speaks in The Winter's Tale: that is what it held for likelier than the `O` that cost 13
# nats. And ZANZIBO, whom it has just met, gets the end of a name like BAPTISTA. Nobody can be
# introduced to this model.
#
# What it knows, then: letters, words, lines, the layout of a play, who the people are, what a
# sentence sounds like. What it does not know: who is on stage, what was said a few lines ago,
# what any of it means.

# %% [markdown]
# ## What broke when we changed it
#
# **Take too large a batch.** On a GPU with little memory the cell that times a step stops with a
# message. For the preset `full` it would be this one:

# %%
print(scaling.out_of_memory(PRESETS["full"]))

# %% [markdown]
# **Forget that training is over.** In training mode dropout goes on, and the model predicts with
# a fifth of its numbers missing. Here on text that it was trained on (`with_context` takes the
# model in the mode that it is in):

# %%
part = train_ids[:4_096]
whole = with_context(model, part, 2_048).mean().item()
torch.manual_seed(0)
with_holes = with_context(model.train(), part, 2_048).mean().item()
model.eval()
print(f"worse, in nats per character\n  your run: {with_holes - whole:.3f}")
print("  expected: more than 0.02")
assert with_holes - whole > 0.02

# %% [markdown]
# On the passage from The Tempest one would not have noticed (try it): to be less sure of itself
# costs little among strangers.

# %% [markdown]
# **Give it one character too many.** A position has an embedding or it has none:

# %%
try:
    model(validation[None, :257])
except ValueError as error:
    print(f"{type(error).__name__}: {error}")

# %% [markdown]
# ## Exercises
#
# **1. Twice as wide.** Before you compute: how do parameters, operations a step and kept memory
# change if you double `n_embd` of the full model, and how if you double `block_size` instead?
# Check with `scaling.cost`.

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Twice the width: four times the matrices, so nearly four times parameters and operations. What is
# kept doubles, but not the T by T weights, which stay: 1.6 times in all. Twice the context: hardly
# any parameters, more than twice the operations a step, and the T by T weights fourfold.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
from dataclasses import replace

for change in ({"n_embd": 768}, {"block_size": 512}):
    changed = scaling.cost(replace(full, model=replace(full.model, **change)))
    for what in ("parameters", "flops", "kept"):
        print(
            change,
            what,
            f"times {getattr(changed, what) / getattr(full_cost, what):.2f}",
        )

# %% [markdown]
# **2. Colder and hotter.** Sample the recorded model at temperatures 0.5 and 1.5. What happens to
# the share of known words, and what to the longest copy?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Cold, it keeps to words that it is sure of: nearly all are known. Hot, it invents words.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
forms = []
for t in (0.5, 1.5):
    text = sample(model, tokenizer, length=400, temperature=t, seed=2)
    forms.append(likeness.form(text, reference, tokenizer.decode(train_ids)))
cold, hot = forms
for what in ("known words", "longest copy"):
    assert cold[what] > hot[what]
    print(f"{what}, cold minus hot\n  your run: {cold[what] - hot[what]:.2f}")
    print("  expected: above 0")

# %% [markdown]
# **3. What if there were no strangers?** What would the validation loss be if names of new
# speakers cost as little per character as those of known ones?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# A tenth of a nat lower, by 3,134 of 111,539 characters. And these are only the names above the
# speeches; the same people are also spoken of, and what they speak about is new as well.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
new, known = groups["new"], groups["known"]
saved = new["characters"] * (new["loss"] - known["loss"]) / n
print(f"{total / n:.3f} nats would be {total / n - saved:.3f}")

# %% [markdown]
# **4. Open.** What is each change worth? The table above gives the price of width, context,
# blocks and batch, not what it buys. Plan an experiment of an hour: which sizes, how many seeds
# and steps, and what would you have to see in order to say "context helped more than width"?
# `bardgpt train tiny --help` lists every number that you can change.

# %% [markdown]
# ## What you have built
#
# A text, a table of counts, and a model that can only equal that table: that was chapter 1. Then,
# one at a time: a head that looks back, several heads, a layer that computes on what they gathered,
# a stream to add to, norms to keep it in bounds, norms moved out of its way, dropout, and size.
# Each of these you have seen by itself, written in a few lines, checked against PyTorch's own, and
# measured, also where it brought nothing or less than the lecture says. [The whole
# model](appendix/whole-model.ipynb) fits on a page, and you know every line of it.
#
# What came out of all claims of the lecture is on the [claims page](claims.md).
#
# ## Where to go
#
# - **Train the lecture's own run** if you have a GPU: `bardgpt train full`. Or several GPUs: the
#   appendix on [the fast path](appendix/fast-attention.ipynb) has the commands.
# - **Change something** and measure it: with several seeds, against a control.
#   `bardgpt.lab.makers.catalogue` shows how the book's own sweeps are made.
# - **Another text.** `bardgpt.training.run.train_in_folder` takes any `text`; set `vocab_size` to
#   its number of different characters.
# - **More text.** Twelve passes over a million characters is very little for ten million
#   parameters. [Hoffmann and others](references.md#hoffmann-2022) found in 2022 that model and
#   text should grow together; their Chinchilla read 1.4 trillion tokens with 70 billion
#   parameters, twenty for each. Tiny Shakespeare has a tenth of a character for each of ours.
#   Larger models read pieces of words instead of characters, far more of them, and are then
#   taught to answer; the parts inside are those that you have built.
