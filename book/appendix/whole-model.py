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
# # The whole model on one page
#
# The chapters build the model one piece at a time. Here it is in one piece, for three printed sheets:
# drawn, in formulas, and as one file of at most 200 lines, `bardgpt.py`. The file needs nothing but
# PyTorch. It trains on a text, it writes, and it loads the weights that come with the book.

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("whole-model")

# %% [markdown]
# *The full model (preset `full`). The thick line is the stream, to which each branch adds; what is
# in the dashed frame repeats six times. The shapes in attention are those of one head.*
#
# **Mind the dropout.** The drawing is `full`, which drops on the attention weights $A$. The file
# drops as `small` and `sprint` do, on the embeddings instead. (A model that writes drops nothing.)
# Sizes and dropout's rates are settings:
#
# | preset | here | window, channels, heads, blocks | drops |
# |---|---|---|---|
# | `full` | drawing | 256, 384, 6, 6 | 20 %: $A$, ends |
# | `small` | the file's own numbers | 128, 128, 4, 4 | 10 %: embeddings, ends |
# | `sprint` | the book's weights | 256, 384, 6, 6 | 20 %: embeddings, ends |
#
# *The sizes of the presets.*
#
# In formulas, with $i_t$ for the id of the character at position $t$ and $x_t$ for the row of $C$
# numbers that describes this position ($x$ alone is all these rows):
#
# $$
# \begin{aligned}
# x_t &= E_{i_t} + P_t \\ x &\leftarrow x + \mathrm{attn}(\mathrm{norm}(x)) \\ x &\leftarrow x
# + \mathrm{ffwd}(\mathrm{norm}(x)) \\
# \mathrm{logits}_t &= W\, \mathrm{norm}(x_t) + b
# \end{aligned}
# $$
#
# The first line adds a row of the table $E$ for the character and a row of $P$ for its place. The
# next two are a block: gather from the past (attention), then compute, each position by itself
# (feed-forward). There are $L = 6$ blocks, each with its own weights. The last line is a norm and a
# linear layer ($W$, $b$): a score for each possible next character; softmax makes probabilities.
#
# Inside the two branches, with $x$ as the norm has left it: each head has three matrices of its
# own, which make of each $x_t$ a query $q_t$, a key $k_t$ and a value $v_t$, each of $hs = C / nh$
# numbers.
#
# $$
# \begin{aligned}
# A_{ts} &= \mathrm{softmax}_{s \le t} \left(q_t \cdot k_s / \sqrt{hs}\right) \\
# y_t &= \sum_{s \le t} A_{ts}\, v_s \\
# \mathrm{ffwd}(x_t) &= W_2 \max(0, W_1 x_t + b_1) + b_2
# \end{aligned}
# $$
#
# The heads' $y_t$ stand side by side, $C$ numbers again, and attention ends with one more matrix
# and bias, which mix them. (These, and $W_2$ with $b_2$, are each called `proj` below.)

# %% [markdown]
# ## The model
#
# The same in code, as it stands in the file. Two of PyTorch's [kernels](fast-attention.ipynb) do in
# one call what the chapters write out: `scaled_dot_product_attention` is scores, mask, softmax and
# mean of the values, and `LayerNorm` is the norm.

# %% tags=["hide-input", "nbval-ignore-output"]
from bardgpt.teaching import listing, one_file

listing(one_file.Attention, one_file.Block, one_file.GPT)

# %% [markdown]
# ## Training and writing
#
# `train` goes over random windows of nine tenths of a text, and judges on the last. AdamW is for
# tables (the output layer among them) and vectors, Muon for the matrices inside the blocks ([chapter
# 9](../09-scaling-up.ipynb)). From the same seed, the package's preset `small` has the same losses,
# to the last digit. `sample` predicts, draws, appends, and repeats. (Past a full window it slides by
# one character; the package forgets half, see [the cache](cache.ipynb).)

# %% tags=["hide-input", "nbval-ignore-output"]
listing(one_file.train, one_file.sample)

# %% [markdown]
# Now the weights of the book. They are kept in 8 bits, with a scale for each row; `load` unpacks them.

# %%
import torch

from bardgpt.files import RECORDED
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching import checks, one_file

model, characters = one_file.load(RECORDED / "sprint")
prompt = torch.tensor([characters.index(letter) for letter in "ROMEO:"])
dice = torch.Generator().manual_seed(1)
new = one_file.sample(model, prompt, 100, 0.8, dice)  # temperature 0.8
text = "ROMEO:" + "".join(characters[i] for i in new)
print(checks.FRAME, text, checks.FRAME, sep="\n")
ids = shakespeare().validation[None, :257]  # (1, T + 1)
loss = model(ids[:, :-1], ids[:, 1:]).item()
print(f"{loss:.2f} nats per character on 256 that it has never seen")

# %% [markdown]
# ## Take it along
#
# The website offers `bardgpt.py` for [download](../reading-and-running.md); in the repository it is
# `src/bardgpt/teaching/one_file.py`, from which the code above is read. The book's weights are in
# `src/bardgpt/recorded/sprint`, also in the zip of the notebooks. With the file in the book's folder:
#
# ```sh
# python bardgpt.py train my-text.txt
# python bardgpt.py sample model.pt --prompt "Once"
# python bardgpt.py sample src/bardgpt/recorded/sprint --prompt "ROMEO:"
# ```
#
# `python` must have PyTorch, as the book's `.venv/bin/python` has. The first line trains as `small`
# does ([your own text](your-own-text.ipynb) says how long), and keeps the *last* weights in
# `model.pt`. [The file, checked](file-checked.ipynb) holds it against the package, and has its
# numbers, the rest of it, and what was left out.
