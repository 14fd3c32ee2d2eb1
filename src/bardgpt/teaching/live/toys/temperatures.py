"""Chapter 1: the likeliest next characters, flatter or sharper by the temperature."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from bardgpt.lab.count_tables import CountTable
from bardgpt.shakespeare import shakespeare
from bardgpt.teaching.live.toys.frame import RESET, Toy, columns, fixed, hands, says, shown, slider

LOW, HIGH = 0.2, 3.0  # of T
BARS = 10


def toy_temperature(
    context: str = "th",
    characters: Sequence[str] | None = None,
    probabilities: Tensor | Sequence[float] | None = None,
) -> Toy:
    """The ten likeliest characters after a context, at a temperature to slide.

    If no probabilities are given, they are those of the count table of chapter 1 with as many
    characters of context as are given.

    Args:
        context: what stands before.
        characters: V of them.
        probabilities: (V,), which sum to 1.

    Returns:
        An object that a cell shows.

    Raises:
        ValueError: if the probabilities are none, or not as many as the characters.
    """
    if probabilities is None:
        text = shakespeare()
        characters = text.tokenizer.vocabulary
        table = CountTable(text.train, len(context), len(characters))
        probabilities = table.probabilities(text.tokenizer.encode(context))
    p = torch.as_tensor(probabilities, dtype=torch.float64)
    if characters is None or p.shape != (len(characters),) or len(characters) < BARS:
        raise ValueError(f"there must be a probability for each character, of at least {BARS}")
    if (p < 0).any() or abs(p.sum().item() - 1) > 1e-3:
        raise ValueError(f"probabilities must not be negative and sum to 1, not {p.sum():.3f}")
    order = p.argsort(descending=True, stable=True)
    names = [characters[i] for i in order[:BARS].tolist()]
    kept = [float(f"{one:.6g}") for one in p[order].tolist()]
    shares = at(kept, 1.0)
    best = shown(names[0])
    before = "".join(shown(one) for one in context)
    words = (
        f"At temperature 1.0 the entropy is {fixed(entropy(shares))} nats: as unsure as a die with "
        f"{fixed(math.exp(entropy(shares)), 1)} faces. The likeliest, {best}, comes one time in "
        f"{fixed(1 / shares[0], 1)}."
    )
    controls = hands(
        slider("T", "Temperature", (LOW, HIGH, 0.1), 1, says="1.0"),
        f'<div class="toy-buttons">{RESET}</div>',
    )
    return Toy(
        "temperature",
        "Toy: the likeliest next characters at a temperature",
        f'<p class="toy-caption">Likely after “{before}”, in per cent</p>\n'
        f"{columns(names, shares[:BARS], 'count')}{says(words)}{controls}",
        {"probabilities": kept, "best": best},
    )


def at(probabilities: Sequence[float], T: float) -> list[float]:
    """Each to the power of 1 / T, and then shares again."""
    top = max(probabilities)
    powers = [(one / top) ** (1 / T) for one in probabilities]
    return [power / sum(powers) for power in powers]


def entropy(shares: Sequence[float]) -> float:
    """In nats."""
    return -sum(share * math.log(share) for share in shares if share)
