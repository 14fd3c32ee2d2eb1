"""Exercises of chapter 8: dropout by hand, and one prediction under many masks."""

import torch
from torch import Tensor, nn

from bardgpt.teaching.exercises.answer import Answer, Check, asked, expect, tensor

RATE = 0.2
ROWS, COLUMNS = 400, 50
CLOSE = 1e-4


def by_hand(function: Answer) -> str:
    """8.1: `function(x, p, training)`, dropout that divides in training and rests after it."""
    x = torch.linspace(1, 3, ROWS * COLUMNS).reshape(ROWS, COLUMNS)  # no number is 0

    def ask(training: bool) -> Tensor:
        words = f"{ROWS} x {COLUMNS} numbers, p = {RATE} and training={training}"
        return tensor(asked(function, x, RATE, training, with_words=words), (ROWS, COLUMNS), words)

    given = x.double()
    off = (ask(training=False) - given).abs().max()
    expect(
        float(off) < CLOSE,
        f"outside of training a number comes out up to {off:.2f} away from what went in; there "
        "nothing should happen to it",
    )
    passes = [ask(training=True) for _ in range(8)]
    gone = torch.stack([y == 0 for y in passes])  # (8, ROWS, COLUMNS)
    share = gone.double().mean().item()
    spread = 6 * (RATE * (1 - RATE) / gone.numel()) ** 0.5
    expect(0 < share, "in training no number comes out as 0")
    factors = torch.stack(passes)[~gone] / given.expand_as(gone)[~gone]
    expect(
        float(factors.max() - factors.min()) < CLOSE,
        f"the numbers that are kept are multiplied by {factors.min():.2f} to {factors.max():.2f}; "
        "it should be the same factor for all",
    )
    expect(
        bool((gone != gone[0]).any()),
        "two passes lose the same numbers; a mask is drawn anew in each",
    )
    expect(
        bool((gone != gone[:, :1]).any()) and bool((gone != gone[:, :, :1]).any()),
        "a whole row, or a whole column, falls or stays; each number should fall by itself",
    )
    expect(
        len({int(one.sum()) for one in gone}) > 1,
        f"{int(gone[0].sum()):,} of {x.numel():,} numbers fall in every pass, neither more nor "
        "fewer; if each falls by itself, their number varies",
    )
    expect(
        abs(share - RATE) < spread,
        f"with p = {RATE} a share of {share:.2f} comes out as 0",
    )
    factor = float(factors.mean())
    expect(
        abs(factor - 1 / (1 - RATE)) < CLOSE,
        f"a number that is kept is multiplied by {factor:.2f}, so its mean over many masks is "
        f"{factor * (1 - RATE):.2f} of it; it should be all of it",
    )
    return f"a share of {RATE} falls, each by itself, and the mean is kept"


class _Coin(nn.Module):
    """Logits of two characters: (0, 0) or (4, 0), by a throw at each position; else (2, 0)."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) -> (B, T, 2)."""
        thrown = self.dropout(torch.ones(*ids.shape, 1))  # 0 or 2, at test time 1
        return thrown * torch.tensor([2.0, 0.0])


def mean_prediction(function: Answer) -> str:
    """8.2: the mean of the probabilities of n masked passes, from `function(model, ids, n)`."""
    length, many = 50, 200
    ids = torch.zeros(1, length, dtype=torch.long)  # (B, T)
    model = _Coin()
    sure, level = (torch.tensor([x, 0.0]).softmax(-1)[0].item() for x in (4.0, 0.0))
    at_test = torch.tensor([2.0, 0.0]).softmax(-1)[0].item()

    def ask(n: int) -> Tensor:
        words = f"a model, {length} ids and n = {n}"
        found = asked(function, model, ids, n, with_words=words)
        return tensor(found, (1, length, 2), f"what comes back for n = {n}")

    model.eval()
    one = ask(1)
    after = model.training
    sums = one.sum(dim=-1)  # (B, T)
    expect(
        float((sums - 1).abs().max()) < CLOSE,
        f"for n = 1 the numbers of a position sum to {sums.flatten()[0]:.2f}; probabilities sum "
        "to 1",
    )
    first = one[..., 0].flatten()  # (T,)
    expect(
        float((first - at_test).abs().max()) > CLOSE,
        "with n = 1 nothing was dropped: the model was asked in evaluation mode",
    )
    strange = torch.stack([(first - each).abs() for each in (sure, level)]).amin(dim=0).max()
    expect(
        float(strange) < CLOSE,
        f"with n = 1 it is up to {strange:.2f} away from what the model says under any mask",
    )
    found = ask(many)
    sums = found.sum(dim=-1)
    expect(
        float((sums - 1).abs().max()) < CLOSE,
        f"for n = {many} the numbers of a position sum to {sums.flatten()[0]:.2f}; a mean of "
        "probabilities sums to 1",
    )
    mean, wanted = found[..., 0].mean().item(), (sure + level) / 2
    apart = float(found[..., 0].max() - found[..., 0].min())
    expect(
        apart < (sure - level) / 2,
        f"with n = {many} it is still the prediction under a single mask",
    )
    expect(
        abs(mean - at_test) > 0.02,
        f"with n = {many} it is {mean:.2f} where the mean of the probabilities is {wanted:.2f}; "
        "was the mean taken of the logits?",
    )
    expect(
        abs(mean - wanted) < 0.02,
        f"with n = {many} it is {mean:.2f} where the mean of the probabilities is {wanted:.2f}",
    )
    expect(
        not after,
        "the model was in evaluation mode, and afterwards it is in training mode; put it back",
    )
    model.train()
    ask(1)
    expect(
        model.training,
        "the model was in training mode, and afterwards it is in evaluation mode; put it back",
    )
    return f"the mean of {many} masked predictions, and the model is in its old mode"


CHECKS: dict[str, Check] = {"8.1": by_hand, "8.2": mean_prediction}
