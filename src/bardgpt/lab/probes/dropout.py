"""What dropout's masks do to a trained model: one mask, many masks, and none.

Shapes: B windows, T positions, V characters.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bardgpt.gpt import GPT, next_character_loss
from bardgpt.layers.attention import CausalSelfAttention

MASKS = (1, 2, 4, 8, 16, 32, 64)


@torch.no_grad()
def ensemble(
    model: GPT, ids: Tensor, targets: Tensor, counts: Sequence[int] = MASKS, seed: int = 0
) -> dict[str, list[float]]:
    """The mean of N masked passes against the one pass of test time, in which nothing is dropped.

    Two means, each over the passes at every position: of the probabilities ("mean"), and of the
    log-probabilities, normalized again ("geometric"). The model, its mode and the global random
    state are left as they were.

    Source: Srivastava et al. 2014, §1 and §7.5 (https://jmlr.org/papers/v15/srivastava14a.html).

    Args:
        model: with layer norm or none: batch norm has a training mode of its own.
        ids: (B, T).
        targets: (B, T).
        counts: values of N, ascending; the passes of one are among those of the next.
        seed: of the masks.

    Returns:
        In nats per character, a list by N: "loss" and "KL" of the mean, "geometric loss" and
        "geometric KL"; KL is that from the ensemble's distribution to the test-time model's.
        "test-time loss" is a list of one.
    """
    masked = copy.deepcopy(model)
    at_test = masked.eval()(ids).log_softmax(-1)  # (B, T, V)
    curves: dict[str, list[float]] = {
        "test-time loss": [next_character_loss(at_test, targets).item()],
        **{name: [] for name in ("loss", "KL", "geometric loss", "geometric KL")},
    }
    total, total_log = torch.zeros_like(at_test), torch.zeros_like(at_test)
    masked.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for n in range(1, counts[-1] + 1):
            log_p = masked(ids).log_softmax(-1)  # (B, T, V)
            total += log_p.exp()
            total_log += log_p
            if n in counts:
                for kind, mixed in (
                    ("", (total / n).log()),
                    ("geometric ", (total_log / n).log_softmax(-1)),
                ):
                    curves[f"{kind}loss"].append(next_character_loss(mixed, targets).item())
                    curves[f"{kind}KL"].append(divergence(mixed, at_test))
    return curves


def divergence(log_p: Tensor, log_q: Tensor) -> float:
    """KL(p ‖ q) in nats, the mean over positions; log-probabilities of shape (..., V)."""
    return F.kl_div(log_q, log_p, reduction="none", log_target=True).sum(-1).mean().item()


@torch.no_grad()
def losses_by_switch(model: GPT, ids: Tensor, targets: Tensor, seed: int = 0) -> dict[str, float]:
    """The loss at test time: as it should be, and after two mistakes.

    "off" drops nothing, as at test time it should be. "left on" forgets `model.eval()`: one random
    mask at every place of dropout. "not rescaled" drops nothing, and multiplies by 1 / (1 - p) at
    every place of dropout. Such is the test time of a model whose masks were 0 and 1 in training,
    with matrices that make up for the missing factor. The model and the global random state are
    left as they were.

    Args:
        model: with layer norm or none.
        ids: (B, T).
        targets: (B, T).
        seed: of the masks.

    Returns:
        "off", "left on" and "not rescaled": nats per character.
    """
    switched_off = copy.deepcopy(model).eval()
    with unscaled(switched_off):
        not_rescaled = next_character_loss(switched_off(ids), targets).item()
    one_mask = ensemble(model, ids, targets, counts=(1,), seed=seed)
    return {
        "off": one_mask["test-time loss"][0],
        "left on": one_mask["loss"][0],
        "not rescaled": not_rescaled,
    }


@contextmanager
def unscaled(model: GPT) -> Iterator[None]:
    """At every place of dropout, 1 / (1 - p) times the number, while the `with` block lasts."""
    hooks = []
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            hooks.append(module.register_forward_hook(_output_over(1 - module.p)))
        if isinstance(module, CausalSelfAttention):
            # Its weights are inside the kernel; what comes out is linear in them.
            hooks.append(module.proj.register_forward_pre_hook(_input_over(1 - module.rate)))
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _output_over(keep: float) -> Callable[[nn.Module, object, Tensor], Tensor]:
    return lambda _module, _inputs, output: output / keep


def _input_over(keep: float) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor]]:
    return lambda _module, inputs: (inputs[0] / keep,)
