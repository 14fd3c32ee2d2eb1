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
# The chapters build the model one piece at a time. Here it is in one piece: drawn, in formulas, and
# as one file of at most 200 lines, `bardgpt.py`. The file needs nothing but PyTorch. It trains on a
# text, it writes, and it loads the weights that come with the book.

# %% tags=["hide-input"]
from bardgpt.teaching import figures

figures.diagram("whole-model")

# %% [markdown]
# *The full model (preset `full`). The thick line is the stream, to which each branch adds; what is
# in the dashed frame repeats six times. The shapes in attention are those of one head.*
#
# **Mind the dropout: drawing and file differ in it.** The drawing is `full`: it drops on the attention
# weights $A$, and not on the embeddings. The file drops as `small` and `sprint` do: after the
# embeddings, and not on $A$. All three also drop at the ends of the branches. A model that writes drops
# nothing, so the difference is in training alone. Sizes and dropout's rates are settings:
#
# | preset | here | window, channels, heads, blocks | drops |
# |---|---|---|---|
# | `full` | drawing, first check | 256, 384, 6, 6 | 20 %: $A$, ends |
# | `small` | the file's own numbers | 128, 128, 4, 4 | 10 %: embeddings, ends |
# | `sprint` | the book's weights | 256, 384, 6, 6 | 20 %: embeddings, ends |
#
# *The sizes of the presets.*
#
# In formulas, with $i_t$ for the id of the character at position $t$ (counted from 0) and $x_t$
# for the row of $C$ numbers that describes this position ($x$ alone is all these rows):
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
# (feed-forward). There are $L = 6$ blocks, one after the other, each with its own weights. The last
# line is a norm and a linear layer, with matrix $W$ and bias $b$: a score for each possible next
# character, which softmax turns into probabilities.
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

# %% tags=["nbval-ignore-output"]
from bardgpt.teaching import listing, one_file

listing(one_file.Attention, one_file.Block, one_file.GPT)

# %% [markdown]
# That is the whole model. Is it the package's? Give both the same weights, and compare their
# scores. In a fresh model gains are 1 and biases 0, and a mistake with them would not show; so
# first each number is moved a little, at random. In double precision rounding is so small that any
# other difference would stand out.

# %%
import torch

from bardgpt.gpt import GPT
from bardgpt.presets import PRESETS

config = PRESETS["full"].model
C, V, nh = config.n_embd, config.vocab_size, config.n_head
torch.manual_seed(0)
model = GPT(config).double().eval()
with torch.no_grad():
    for parameter in model.parameters():
        parameter += 0.02 * torch.randn_like(parameter)
sizes = {name: getattr(config, name) for name in one_file.SIZE}
alone = one_file.GPT(V, **sizes).double().eval()
print(alone.load_state_dict(model.state_dict()))

# %%
ids = torch.randint(V, (2, 48))  # (B, T)
with torch.no_grad():
    by_one_file, packaged = alone(ids), model(ids)
torch.testing.assert_close(by_one_file, packaged)
off, largest = (by_one_file - packaged).abs().max(), packaged.abs().max()
assert off < 1e-10
print("by the file and by the package, the same scores")
print(f"largest score {largest:.1f}, largest difference below 1e-10")

# %% [markdown]
# <details class="fold aside"><summary>For the curious: the two kernels, written out</summary>
#
# The norm takes each position by itself: subtract the mean of its $C$ numbers, divide by their standard
# deviation (with $10^{-5}$ added to the variance, so that it is never 0), then give each channel its gain and
# its bias ([chapter 6](../06-layer-normalization.ipynb)). Attention compares the queries of each head with its
# keys (scores, divided by $\sqrt{hs}$, where $hs = C / nh$ is its width), shuts out the future, and takes a
# weighted mean of its values; the heads' outputs stand side by side again, and `proj` mixes them ([chapter
# 3](../03-multi-head-attention.ipynb)).
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
def norm(x, w):
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = centred.square().mean(dim=-1, keepdim=True)  # (B, T, 1)
    return centred / (variance + 1e-5).sqrt() * w.weight + w.bias


first, its = model.blocks[0], alone.blocks[0]
x = model.token_embedding(ids) + model.position_embedding.weight[:48]
normed = norm(x, its.attention_norm)  # (B, T, C)
torch.testing.assert_close(normed, first.attention_norm(x))
print("the first norm agrees")


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
def attention(x, w):
    B, T, C = x.shape
    q, k, v = (
        z.view(B, T, nh, C // nh).transpose(1, 2)  # (B, nh, T, hs)
        for z in (x @ w.qkv.weight.T).split(C, dim=-1)
    )
    scores = q @ k.transpose(-2, -1) / (C // nh) ** 0.5  # (B, nh, T, T)
    future = torch.ones(T, T, dtype=torch.bool).triu(diagonal=1)
    A = scores.masked_fill(future, float("-inf")).softmax(dim=-1)
    y = (A @ v).transpose(1, 2).reshape(B, T, C)  # (B, T, C)
    return y @ w.proj.weight.T + w.proj.bias


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
gathered = attention(normed, its.attention)
torch.testing.assert_close(gathered, first.attention(normed))
print("attention agrees")

# %% [markdown]
# ## Training and writing
#
# Still the same file. It reads a text, numbers its characters, and holds back the last tenth. `train`
# goes over random windows of the rest, and judges on that tenth. It has AdamW for tables and vectors
# and Muon for the matrices inside the blocks ([chapter 9](../09-scaling-up.ipynb)). The rates climb and
# then fall. From the same seed, the preset `small` of the package has the same losses, to the last
# digit; the book's tests train both and compare. `sample` predicts, draws, appends, and repeats. (Past
# a full window it slides by one character; the package forgets half, see [the cache](cache.ipynb).)

# %% tags=["nbval-ignore-output"]
listing(one_file.train, one_file.sample)

# %% [markdown]
# Now the weights of the book. They are kept in 8 bits, with a scale for each row; `load` unpacks them.

# %%
from bardgpt.files import RECORDED
from bardgpt.teaching import checks

shakespeare, characters = one_file.load(RECORDED / "sprint")
prompt = torch.tensor([characters.index(letter) for letter in "ROMEO:"])
dice = torch.Generator().manual_seed(1)
new = one_file.sample(shakespeare, prompt, 100, 0.8, dice)  # temperature 0.8
text = "ROMEO:" + "".join(characters[i] for i in new)
print(checks.FRAME, text, checks.FRAME, sep="\n")

# %% [markdown]
# <details class="fold aside"><summary>For the curious: the rest of the file</summary>
#
# A step of Muon, the judging, the unpacking, and the command line. Muon makes five rounds, each with the
# same three numbers; five and the three numbers are those of its [source](../references.md#jordan-2024).
#
# </details>

# %% tags=["hide-cell", "nbval-ignore-output"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of this aside
listing(
    one_file.muon,
    one_file.evaluate,
    one_file.unpack,
    one_file.load,
    one_file.main,
    one_file.train_on,
)

# %% [markdown]
# ## Take it along
#
# The website offers `bardgpt.py` for [download](../reading-and-running.md), and in the repository it is
# `src/bardgpt/teaching/one_file.py`; the code above is read from it. The book's weights are in
# `src/bardgpt/recorded/sprint`, which the zip of the notebooks has too. With the file in the book's
# folder:
#
# ```sh
# python bardgpt.py train my-text.txt
# python bardgpt.py sample model.pt --prompt "Once"
# python bardgpt.py sample src/bardgpt/recorded/sprint --prompt "ROMEO:"
# ```
#
# `python` must be one that has PyTorch; if you set up the book, that is `.venv/bin/python`. The
# first line trains as the preset `small` does: [your own text](your-own-text.ipynb) says how long
# that takes, and what loss to expect from how much text. It keeps the weights in `model.pt`, the
# *last* ones, also where earlier ones were better.

# %% [markdown]
# ## Where its numbers are
#
# Nearly all of the full model's parameters lie in the matrices of the blocks, and of those two thirds
# in the feed-forward layers. So to make it smaller, take fewer channels or fewer blocks: with half the
# channels about a quarter of the numbers is left, with half the blocks about half.

# %% tags=["hide-input"]
from bardgpt.teaching import table

weights = alone.state_dict()
places = {
    "token embedding": "token_embedding",
    "position embedding": "position_embedding",
    "attention, 6 blocks": ".attention.",
    "feed-forward, 6 blocks": ".feed_forward.",
    "norms, 2 in each block, 1 after": "norm.",
    "output layer": "lm_head",
}
rows, everything = {}, model.n_parameters()
for place, key in (*places.items(), ("in all", "")):
    numbers = sum(w.numel() for name, w in weights.items() if key in name)
    rows[place] = [f"{numbers:,}", f"{numbers / everything:.1%}"]
table("where", ["numbers", "share"], rows)

# %% [markdown]
# *Where the parameters are.*

# %% [markdown]
# ## Try it
#
# **1. Which line?** Say for each change which line of the listing, or which setting, it would touch: one
# head instead of six; post-norm instead of pre-norm; a model that sees the future; a window of 512
# characters.

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# One head: no line, `n_head=1`; the weights keep their shapes. Post-norm: the two lines of a block's
# `forward`, x = norm(x + f(x)); then the model needs no last norm. The future: leave out `is_causal=True`. 512
# characters: no line, but a position embedding of 512 rows.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
class PostNorm(one_file.Block):
    def forward(self, x):
        x = self.attention_norm(x + self.attention(x))
        return self.feed_forward_norm(x + self.feed_forward(x))


rewired = PostNorm(C, nh, 0.0).double()
rewired.load_state_dict(its.state_dict())
off = (rewired(x) - its(x)).abs().max()
assert off > 0.1
print(f"another function of the same weights: up to {off:.1f} apart")

# %% [markdown]
# **2. Leave something out.** The check above is worth little if it cannot fail. Which of the model's
# weights could you set to 0, and does the check notice each?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# Any whole tensor, and the check notices; here are three small ones. But not each single number: the
# check reads two texts of 48 characters. So rows 48 to 255 of the position embedding could be 0, and so
# could the token embedding's rows of characters that it does not read.
#
# </details>

# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
for name in (
    "blocks.3.attention.proj.bias",
    "blocks.5.attention_norm.bias",
    "norm.bias",
):
    alone.load_state_dict({**weights, name: torch.zeros_like(weights[name])})
    with torch.no_grad():
        off = (alone(ids) - packaged).abs().max()
    assert off > 1e-3  # the check asks for less than 1e-10
    print(f"without {name}: scores up to {off:.3f} off")
    alone.load_state_dict(model.state_dict())

# %% [markdown]
# ## What to remember
#
# - The whole forward pass is two embeddings, six times two branches that add to the stream, a
#   norm and a linear layer.
# - Only one operation moves anything between positions: attention's mean of the values.
# - Nothing else is in the model: whatever it knows of Shakespeare is in its weights.
