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
# # Your own text
#
# The chapters train on Shakespeare. But a character model learns any text: your letters, a
# cookbook, a program, a language that nobody else writes. This page takes you from a file to a
# model that writes like it, with the presets of the command, and says beforehand how good it can
# become: that depends mostly on how much text you have.
#
# > **Count first.** A table of counts takes seconds, and its loss tells what a trained model must
# > beat. With little text no model does; with much text the model wins, and the more text the
# > more clearly.
#
# **Before you read on:** you have 10,000 characters of a text, about seven pages. You train a
# model of 800,000 parameters on them, ten minutes long. What will its loss do on the last page,
# which it has not read? Think of a curve, from the first step to the last.

# %% [markdown]
# ## Three commands
#
# First set up the book, once, as [reading and running](../reading-and-running.md#run-it-on-your-machine)
# says. Afterwards the book's folder has a folder `.venv`, with the command `bardgpt` in it. Save your
# text as a file `my.txt`, in UTF-8, in the book's folder. Open a terminal there, and type:
#
# ```sh
# .venv/bin/bardgpt train small --text my.txt
# .venv/bin/bardgpt sample --run runs/small-my --prompt "The "
# .venv/bin/bardgpt evaluate --run runs/small-my
# ```
#
# The first command reads the text, makes a vocabulary of its characters, learns from the first nine
# tenths and judges itself on the last tenth. Stop it with Ctrl-C whenever you like; the same
# command goes on. It keeps two sets of weights, the *best* by validation loss and the *last*, and
# `sample` takes the best. The folder `runs/small-my` also keeps a copy of the text, so `sample` and
# `evaluate` (which prints the loss on the last tenth) need nothing else. (Only a text of more than
# ten million bytes has to stay where it is.)
#
# Line ends from Windows and a byte order mark are taken out, and it says so. Accents, Chinese,
# tabs, emoji and text that runs from right to left are characters like others; nothing is to be
# changed. A prompt may hold only characters that the text has; with any other, `sample` writes
# nothing and says which one it does not know.

# %% [markdown]
# ## Count first
#
# What is there to beat? Here the text is the first 100,000 characters of Shakespeare, saved as a file.
# For your own, put `mine = "../../my.txt"` in place of the three lines from `folder =` on: this
# notebook lies two folders deeper. The [tables of chapter 1](../01-text-and-yardstick.ipynb) count
# what follows 0, 1, 2, … characters.

# %%
import tempfile
from pathlib import Path

from bardgpt import corpus, read_text
from bardgpt.lab.count_tables import CountTable
from bardgpt.text import Text

folder = Path(tempfile.mkdtemp())
mine = folder / "my.txt"
mine.write_text(corpus.load()[:100_000], encoding="utf-8")

characters = read_text(mine).text
tokenizer, train, validation = Text.of(characters)
table = CountTable(train, 5, tokenizer.vocab_size)
by_context = table.losses_by_context(validation).mean(dim=1).tolist()
print(f"{len(characters):,} characters, {tokenizer.vocab_size} different ones")
for context, loss in enumerate(by_context):
    print(f"{context} before: {loss:.3f} nats per character")

# %% [markdown]
# On a text of this size four characters of context are best, and three nearly as good. Five are
# too many: most sequences of six characters in the last tenth have not been seen in the others.

# %% [markdown]
# ## What to expect
#
# We trained two presets on four texts: `tiny`, the last small model of the book, with 42,000
# parameters and a window of 8 characters, and `small`, with 825,000 and a window of 128. Three
# texts are the beginning of Tiny Shakespeare, cut off after 10,000, 100,000 and a million
# characters. The fourth, ten million characters, is one that you have too: the source code of
# Python's own standard library. Each model was judged on the last tenth of its own text, so
# compare losses within a row, not between rows.

# %%
from bardgpt import records

found = records.own_texts()
print(*found, sep="\n")

# %% tags=["hide-input"]
from bardgpt.teaching import Cell, table

rows = {}
for text in found.values():
    fits = [text.fits[preset].best for preset in ("tiny", "small")]
    losses = [min(text.tables), *(fit["validation"] for fit in fits)]
    rows[f"{text.characters:,}"] = [
        Cell(f"{loss:.3f}", "best") if loss == min(losses) else f"{loss:.3f}"
        for loss in losses
    ]
assert [text.best_context for text in found.values()] == [3, 4, 4, 4]
table("characters", ["counting", "tiny", "small"], rows)

# %% [markdown]
# *Validation loss in nats per character, for three pieces of Shakespeare and, last, Python's library: of
# the best count table (three characters of context in the first row, then four) and of the best weights
# of each run. One seed each.*
#
# Read it from the top. With 10,000 characters counting wins: each model is worse than a table that
# takes a second. With 100,000 `small` is ahead of it, and with a million clearly, by more than a
# tenth of a nat. `tiny` stays behind the tables everywhere: its window of 8 characters and its few
# numbers hold it back, more than the text does. With ten million characters of Python `small` is
# far ahead, after reading about six million.
#
# What does a loss look like? Here is what the last model writes. It was given one character, and
# begins in the middle of a line:

# %%
python = found["Python's library, 10,000,000"].fits["small"].texts["best"]
print(python[:400])

# %% [markdown]
# It never learned what Python is. Indentation, `self`, brackets that mostly close and words out of
# pieces of words all come from guessing the next character.

# %% [markdown]
# ## When it learns by heart
#
# Now the answer to the question of the beginning. Here is the whole of `small`'s training on the
# three pieces of Shakespeare:

# %% tags=["hide-input"] mystnb={"image": {"alt": "Three plots of loss against steps for texts of 10,000, 100,000 and 1,000,000 characters. The training loss, dashed, falls in all three: to nearly 0 for the smallest text, to 0.75, and to 1.37 for the largest. The validation loss, solid, rises for the smallest text from the first reading on and leaves the frame; for 100,000 characters it falls below the count table until 600 steps and then rises; for a million it falls to the end, below the count table."}}
from bardgpt.teaching import figures

pieces = {
    name: text for name, text in found.items() if name.startswith("Shakespeare")
}
figures.by_heart(
    {
        f"{text.characters:,} characters": text.fits["small"].log
        for text in pieces.values()
    },
    {
        f"{text.characters:,} characters": min(text.tables)
        for text in pieces.values()
    },
)

# %% [markdown]
# *Loss on training batches (dashed, with dropout) and on the last tenth (solid); the point is
# where the best weights were kept, the dotted line is the best count table.*
#
# So the answer is: down for a moment, and then up without end. In 250 steps `small` reads its seven
# pages a hundred times, and it has the room to keep them word by word. On what it reads the loss
# ends near 0. On the last page it leaves the figure and ends at 5.38 (next table); a uniform guess
# among the text's characters has about 4. With ten times the text the same happens later, and with
# a hundred times not at all in these 1,500 steps.
#
# **When the validation loss turns up, more steps make the model worse**, however fine its samples
# look. That is why the best weights are kept, and why `sample` takes them. Two signs tell that a
# model learns by heart: a training loss far below the validation loss, and samples that copy
# (search your text for a line of a sample). Each model wrote 1,000 characters; how long is the
# longest piece of them that stands in the text that it has read?

# %% tags=["hide-input"]
rows = {}
for text in pieces.values():
    small = text.fits["small"]
    row = rows[f"{text.characters:,}"] = []
    for weights, reading in (("best", small.best), ("last", small.last)):
        copied = small.copies[weights]
        row += [f"{reading['validation']:.2f}", f"{copied:,}"]
columns = ["best: loss", "copies", "last: loss", "copies"]
table("characters", columns, rows)

# %% [markdown]
# *Validation loss of the best and the last weights of `small`, and the longest copy in characters.*
#
# After its last step on the smallest text, the model writes nothing but that text: all 1,000
# characters are one copy. The others copy no more than half a line.

# %% [markdown]
# ## Which preset?
#
# | your text | take | expect |
# |---|---|---|
# | 10,000 characters, a letter | the count tables, or more text | `small` learns it by heart in a few minutes |
# | 100,000, a long story | `small`; `sample` takes its best weights | a little better than counting four characters |
# | a million, some novels | `small`, to its end | clearly better than counting; names and line breaks come right |
# | ten million, a shelf | `small`; then more steps (`--steps 6000`) or `sprint` (both not tried by us) | much better than counting; the form is right, the sense is not |
#
# *Which preset, for how much text.*
#
# Ten minutes is what `small` takes here, on one core of a server; `--steps` makes a run shorter or
# longer, and `bardgpt plot` draws how far it is. `sprint`, the full model, takes an hour or more on
# two cores, and on a million characters it reaches what [chapter 9](../09-scaling-up.ipynb) says.
# We have not run it on other texts. With a text between these sizes, more dropout (`--dropout`,
# `--embedding-dropout`) puts off the turn; [chapter 8](../08-dropout.ipynb) says by how much, and
# when.

# %% [markdown]
# ## From Python
#
# The same without the command, here with a few steps so that this page stays quick:

# %%
from dataclasses import replace

import torch

from bardgpt import GPT, PRESETS, sample, train_model

torch.manual_seed(0)  # the model's first numbers
tiny = PRESETS["tiny"]
model = GPT(replace(tiny.model, vocab_size=tokenizer.vocab_size))
few = replace(tiny.training, steps=500, evaluate_every=250)
history = train_model(model, train, validation, few, progress=False)
loss = history.validation[-1]
print(f"after {few.steps} steps about {loss:.1f} nats per character")

# %%
from bardgpt.teaching import checks

prompt = "The "
text = prompt + sample(model, tokenizer, prompt=prompt, length=200, seed=1)
print(checks.FRAME, text.strip(), checks.FRAME, sep="\n")

# %% [markdown]
# Half a thousand steps of the smallest model: it is about as good as a table of pairs, and that is
# what it looks like. Another processor may write other letters with the same seed.
# [The recipes](../recipes.md) have more such programs.
