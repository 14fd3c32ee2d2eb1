"""What context is worth to a trained model: its losses by place, in names, along a passage."""

import statistics
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bardgpt.gpt import GPT
from bardgpt.lab import likeness
from bardgpt.tokenizer import CharTokenizer

JUDGED = 8_192  # characters on which lengths of context are compared
LETTERS = 8  # of a name
# Of The Tempest, whose people do not speak in the training text.
PASSAGE, PASSAGE_END = "CALIBAN:\nYou taught me language", "So, slave; hence!\n"


def by_position(of_each: Tensor, block_size: int) -> list[float]:
    """Mean loss at each position of a window, in nats: what context is worth. T numbers.

    of_each: (N - 1,) the losses of a split, in its order; the ragged last window is left out.
    """
    whole = of_each[: len(of_each) // block_size * block_size].view(-1, block_size)  # (windows, T)
    return [round(x, 5) for x in whole.double().mean(dim=0).tolist()]


def by_context(model: GPT, ids: Tensor) -> dict[str, Any]:
    """What further context is worth: the same characters, predicted from more and more of it.

    Args:
        model: in evaluation mode.
        ids: (N,) of which the first `JUDGED` that have half a window before them are judged.

    Returns:
        For each least number of characters of context, the mean loss, how much lower it is than
        with the context before, and the standard error of that gain, over the same characters.
    """
    most = model.config.block_size // 2
    part = ids[: most + 1 + JUDGED]
    n = len(part) - most - 1
    worth: dict[str, Any] = {"characters": n}
    before = None
    for least in (c for c in (most // 16, most // 8, most // 4, most // 2, most) if c):
        of_each = with_context(model, part, n, least).double()  # (n,)
        row = {"loss": round(of_each.mean().item(), 5)}
        if before is not None:
            gain = before - of_each
            row["gain"] = round(gain.mean().item(), 5)
            row["standard error"] = round(gain.std().item() / n**0.5, 5)
        worth[str(least)] = row
        before = of_each
    return worth


def names(of_each: Tensor, train: str, validation: str, block_size: int) -> dict[str, Any]:
    """The loss inside speakers' names, each with its colon, against that of all other text.

    Args:
        of_each: (N - 1,) the losses of the validation text from its second character on.
        train: the training text: who speaks there is known.
        validation: the validation text.
        block_size: of the windows in which the losses were measured.

    Returns:
        Characters and mean loss of the rest; of names of known and of new speakers; and of both
        the names that stand in the same window before, apart. By letter of the name: the mean loss
        at each of its first places.
    """
    known = set(likeness.speakers(train))
    groups: dict[str, list[float]] = {"rest": []}
    letters: dict[str, list[list[float]]] = {}
    value = of_each.tolist()
    inside: set[int] = set()
    for start, end in likeness.speaker_spans(validation):
        places = [i for i in range(start, end) if i > 0]  # the first character has no loss
        name = validation[start : end - 1]
        kind = "known" if name in known else "new"
        window = validation[(start - 1) // block_size * block_size : start]
        again = "again" if f"\n{name}:" in window else "first"
        inside.update(places)
        for key in (kind, f"{kind}, {again}"):
            groups.setdefault(key, []).extend(value[i - 1] for i in places)
        by_letter = letters.setdefault(f"{kind}, {again}", [[] for _ in range(LETTERS)])
        for i in places:
            if i - start < LETTERS:
                by_letter[i - start].append(value[i - 1])
    groups["rest"] = [x for i, x in enumerate(value, start=1) if i not in inside]
    spoken_there = set(likeness.speakers(validation))
    return {
        "speakers": {"all": len(spoken_there), "new": len(spoken_there - known)},
        "groups": {
            name: {"characters": len(of), "loss": round(statistics.fmean(of), 5)}
            for name, of in groups.items()
        },
        "by letter": {
            name: [round(statistics.fmean(of), 4) if of else None for of in places]
            for name, places in letters.items()
        },
    }


def passage(model: GPT, tokenizer: CharTokenizer, text: str) -> dict[str, Any]:
    """A passage of the validation text, and the loss of each of its characters."""
    start = text.index(PASSAGE)
    end = text.index(PASSAGE_END, start) + len(PASSAGE_END)
    of_each = with_context(model, tokenizer.encode(text[:end]), end - start)
    return {"text": text[start:end], "losses": [round(x, 3) for x in of_each.tolist()]}


@torch.no_grad()
def with_context(model: GPT, ids: Tensor, length: int, least: int | None = None) -> Tensor:
    """-ln p of a text's last characters, each predicted from `least` to `2 * least` characters.

    Args:
        model: used in the mode that it is in.
        ids: (N,) with more than `least` characters before the last `length`.
        length: characters to judge.
        least: characters of context; half a window if not given, which is the most.

    Returns:
        (length,) nats.
    """
    half = model.config.block_size // 2 if least is None else least
    losses: list[Tensor] = []
    for start in range(len(ids) - length, len(ids), half):
        end = min(start + half, len(ids))
        logits = model(ids[None, start - half - 1 : end - 1])  # (1, half + end - start, V)
        last = logits[0, half:]  # (end - start, V)
        losses.append(F.cross_entropy(last, ids[start:end], reduction="none"))
    return torch.cat(losses)
