"""What single hidden units of the feed-forward layer fire on, found by a procedure.

A picked example proves little: among many units one always looks meaningful. So a unit is chosen
for a property on the training text and judged on the validation text, beside units taken at random
and beside the best unit of the same model before training.

Shapes: B windows, T positions, H hidden units, N = B x T positions taken together.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from bardgpt.gpt import GPT
from bardgpt.lab.probes.stream import recorded_stream

# Each says of the last character of a piece of text whether the property holds.
PROPERTIES: dict[str, Callable[[str], bool]] = {
    "a vowel": lambda text: text[-1] in "aeiouAEIOU",
    "a space": lambda text: text[-1] == " ",
    "a line break": lambda text: text[-1] == "\n",
    "a capital": lambda text: text[-1].isupper(),
    "punctuation": lambda text: text[-1] in "!,-.:;?'",
    "first letter of a word": lambda text: text[-1].isalpha() and not text[-2].isalpha(),
    "second letter of a word": (
        lambda text: text[-2:].isalpha() and not (text[-3].isalpha() or text[-3] == "'")
    ),
    "fifth letter of a word or later": lambda text: text[-5:].isalpha(),
    "a doubled letter": lambda text: text[-1].isalpha() and text[-1] == text[-2],
    "two capitals in a row": lambda text: text[-2:].isupper() and text[-2:].isalpha(),
}
REACH = 5  # characters that a property may look at


def labels(text: str, block_size: int) -> dict[str, Tensor]:
    """Which positions have each property.

    Args:
        text: whole windows, one after the other.
        block_size: T; the first REACH - 1 positions of each window, which may not see as far back
            as a property looks, are left out.

    Returns:
        By property (B, T - REACH + 1) bool.
    """
    ends = [
        [start + t + 1 for t in range(REACH - 1, block_size)]
        for start in range(0, len(text), block_size)
    ]
    return {
        name: torch.tensor([[holds(text[end - REACH : end]) for end in row] for row in ends])
        for name, holds in PROPERTIES.items()
    }


@torch.no_grad()
def hidden_units(model: GPT, ids: Tensor) -> Tensor:
    """The activations of the first block's hidden units, where `labels` has an answer.

    Args:
        model: with a feed-forward layer; in evaluation mode meanwhile.
        ids: (B, T).

    Returns:
        (B x (T - REACH + 1), H).
    """
    was_training = model.training
    model.eval()
    try:
        with recorded_stream(model) as stream:
            model(ids)
    finally:
        model.train(was_training)
    return stream.hidden[0][:, REACH - 1 :].flatten(0, 1)


def auc(activations: Tensor, label: Tensor) -> Tensor:
    """How well each unit tells the positions with a property from those without.

    The area under the ROC curve: the probability that a random position with the property has the
    higher activation, a tie counting half. 0.5 is chance.

    Args:
        activations: (N, H).
        label: (N,) bool, with both values present.

    Returns:
        (H,).

    Raises:
        ValueError: if all labels are the same.
    """
    n_true = int(label.sum())
    n_false = len(label) - n_true
    if n_true == 0 or n_false == 0:
        raise ValueError("an AUC needs positions with the property and positions without")
    return torch.stack(
        [
            (_ranks(unit)[label].sum() - n_true * (n_true + 1) / 2) / (n_true * n_false)
            for unit in activations.T
        ]
    ).float()


def _ranks(values: Tensor) -> Tensor:
    """1 for the smallest; equal values share the mean of their ranks. (N,) -> (N,)."""
    _, group, count = values.unique(return_inverse=True, return_counts=True)
    last = count.cumsum(0)  # the highest rank in each group
    return (last - (count - 1) / 2).double()[group]


def unit_scores(
    model: GPT, untrained: GPT, train: tuple[Tensor, str], validation: tuple[Tensor, str]
) -> dict[str, float]:
    """For each property the AUC of the unit that fires most on it, with two things to compare.

    Args:
        model: the trained one.
        untrained: the same as it started.
        train: windows (B, T) of the training text and their text: units are chosen here.
        validation: windows of the validation text and theirs: units are judged here.

    Returns:
        For each property: its name with the AUC of the chosen unit; with ", random" the mean over
        all units, which is what one taken at random gives; with ", untrained" the AUC of the unit
        that the same procedure chooses from the untrained model.
    """
    scores: dict[str, float] = {}
    T = model.config.block_size
    first, second = labels(train[1], T), labels(validation[1], T)
    for suffix, network in (("", model), (", untrained", untrained)):
        seen, new = hidden_units(network, train[0]), hidden_units(network, validation[0])  # (N, H)
        for name in PROPERTIES:
            best = auc(seen, first[name].flatten()).argmax()
            of_each = auc(new, second[name].flatten())  # (H,)
            scores[name + suffix] = of_each[best].item()
            if not suffix:
                scores[f"{name}, random"] = of_each.mean().item()
    return scores
