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
# # The fast path: several GPUs
#
# A model that fits on one GPU can be trained on several: each takes a share of every batch. This page
# shows why that is the same run, and has the commands. (Two more pages of the fast path: [kernels and
# precision](fast-attention.ipynb), [the cache](cache.ipynb).)
#
# > **Many GPUs must make the same run.** The gradients of equal shares, averaged, are the gradients of the
# > whole batch, up to rounding, and a cell shows it. How much faster it is was not measured here.
#
# **Before you run anything:** four GPUs take two windows each of a batch of eight. What must they tell
# each other in every step, and how much is that for the full model?

# %% [markdown]
# ## Equal shares
#
# In PyTorch's [`DistributedDataParallel`](../references.md#li-2020), "DDP", each process has one GPU,
# the whole model and its optimizer. All draw the same batch of windows, from the same seed, and each
# takes its own share, forward and backward. (If all took the same windows, their gradients would be
# equal, and four GPUs would do the work of one.) Then the gradients are averaged over the processes, so
# all make the same step and their models stay equal. It is right because the loss is a mean over the
# batch, and the mean of the means of equal shares is the mean of all:

# %%
import torch

from bardgpt.gpt import GPT, next_character_loss
from bardgpt.presets import PRESETS
from bardgpt.training.distributed import Share

torch.manual_seed(0)
windows, targets = torch.randint(65, (2, 8, 8)).unbind()  # each (B, T)
small = GPT(PRESETS["tiny"].model)


def gradients(share):  # Share(0, world=4): the first of four; Share(): all
    loss = next_character_loss(small(share.of(windows)), share.of(targets))
    return torch.autograd.grad(loss, list(small.parameters()))


of_four = [gradients(Share(rank, world=4)) for rank in range(4)]
# of each parameter: the gradient of the batch, then of each share
for whole, *parts in zip(gradients(Share()), *of_four, strict=True):
    torch.testing.assert_close(torch.stack(parts).mean(dim=0), whole)
print("four shares of two windows, averaged: the gradients of eight")

# %%
megabytes = GPT(PRESETS["full"].model).n_parameters() * 4 / 1e6
print(f"in the full model, whatever the batch: {megabytes:.0f} MB to average")

# %% [markdown]
# ## The commands
#
# `torchrun`, a part of PyTorch, starts the processes; it is in the folder `.venv`, as `bardgpt` is. One
# machine with four GPUs:
#
# ```sh
# .venv/bin/torchrun --standalone --nproc-per-node 4 \
#     -m bardgpt.cli train full --folder runs/full-4
# ```
#
# (`--folder` is the older name of `--run`, which `torchrun` would take for an option of its own.)
#
# Two machines with four GPUs each. Start the same line on both, within some minutes;
# `first-machine` is the address of one of them, at which the other can reach it:
#
# ```sh
# .venv/bin/torchrun --nnodes 2 --nproc-per-node 4 --rdzv-backend c10d \
#     --rdzv-endpoint first-machine:29500 --rdzv-id bard \
#     -m bardgpt.cli train full --folder /shared/runs/full
# ```
#
# - `rdzv` is short for *rendezvous*, where the processes meet: by which means (`c10d` is PyTorch's own),
#   at which address and port, and under which name. The name is any word, the same on both machines.
# - All machines must see the folder. All models are equal, so one copy is enough: only the first
#   process writes there, and prints.
# - The batch stays the preset's 64 windows, in equal shares; a number of processes that does not
#   divide it is refused. So the learning rate stays, too, and the run is the same, except for
#   dropout's masks.
# - If one process dies, `torchrun` ends all and says why. The same line again goes on from the
#   last checkpoint.
#
# **In a loop of your own** four things change, as in the package's. At the start,
# `torch.distributed.init_process_group()` lets the processes find one another, and each takes the
# GPU whose number is in the environment variable `LOCAL_RANK`. `ddp =
# DistributedDataParallel(model)` wraps the model. Call `ddp` in its place, and `loss.backward()`
# also averages. Of a batch's `get_world_size()` equal shares each process takes the one with the
# number `get_rank()`. And only number 0 writes files and prints.
#
# How much faster? With four GPUs less than four times (not measured): the computing of a step gets
# shorter, the 43 MB to average do not. This model's step is short anyway, so try one GPU first.

# %% [markdown]
# **What is tested**, on a CPU: two processes have the same losses as one at each step, to within
# $10^{-5}$ (at dropout 0), and equal weights. The second command above is run by two `torchrun`s on one
# machine, in small. *Not* tested is what only GPUs have: their speed, and NCCL, the library that averages
# there.

# %% [markdown]
# ## Try it
#
# **Unequal shares.** Two processes take 3 and 5 of the 8 windows, each averages its own loss,
# and DDP averages the gradients. Is that the gradient of the batch? If not, what would be?

# %% [markdown]
# <details class="fold solution"><summary>Solution</summary>
#
# No: a window of the smaller share counts more. Weighted by the shares it is right. That is why a
# batch that the processes cannot share evenly is refused.
#
# </details>


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
def of_windows(some):
    loss = next_character_loss(small(windows[some]), targets[some])
    found = torch.autograd.grad(loss, list(small.parameters()))
    return torch.cat([gradient.flatten() for gradient in found])


# %% tags=["hide-cell"] cellView="form" jupyter={"source_hidden": true, "outputs_hidden": true}
# @title Code of the solution
three, five = of_windows(slice(0, 3)), of_windows(slice(3, 8))
whole = of_windows(slice(8))
plain, weighted = (three + five) / 2, (3 * three + 5 * five) / 8
for name, mean in (("plain", plain), ("weighted", weighted)):
    off = (mean - whole).norm() / whole.norm()
    print(
        f"{name} mean, off by this share of the gradient\n  your run: {off:.4f}"
    )
    assert off > 0.01 if name == "plain" else off < 1e-5

# %% [markdown]
# ## What to remember
#
# - Several GPUs average gradients of equal shares. Except for dropout's masks it is the same run.
# - What is averaged in a step is as large as the weights, whatever the batch.
