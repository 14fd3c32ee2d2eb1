"""What a run is asked on its way."""

import copy

import torch

from bardgpt.batches import evaluation_windows
from bardgpt.config import GPTConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.lab.probes.attention import character_classes, head_spreads
from bardgpt.lab.probes.dropout import ensemble, losses_by_switch
from bardgpt.lab.probes.norms import gains_and_biases, losses_by_mode
from bardgpt.lab.probes.stream import stream_statistics
from bardgpt.lab.probes.units import unit_scores
from bardgpt.shakespeare import shakespeare

PROBED = 16_000  # characters of each split for statistics of a model at work
GRADIENT_PROBED = 2_048  # fewer where gradients are asked for
MASKED_PROBED = 8_000  # and where a model runs many times


class Looker:
    """The probes of a run: each takes the model and gives numbers by name.

    A probe looks at the same windows at every step and draws from no random state but its own.
    """

    def __init__(self, config: GPTConfig, seed: int, characters: int | None = None) -> None:
        self.text = shakespeare()
        self.learned = self.text.train[:characters]
        self.untrained = seeded_model(config, seed)
        T = config.block_size
        n_windows = PROBED // T
        self.windows, self.targets = next(evaluation_windows(self.text.validation, T, n_windows))
        self.train_windows, _ = next(evaluation_windows(self.learned, T, n_windows))

    def heads(self, model: GPT) -> dict[str, float]:
        """How much the heads of the first block differ."""
        classes = character_classes(self.text.tokenizer.vocabulary)
        return head_spreads(model, self.windows, classes)

    def stream(self, model: GPT) -> dict[str, list[float]]:
        """Sizes of the stream, of branches and of gradients, by depth."""
        n_windows = GRADIENT_PROBED // model.config.block_size
        # A copy, for a batch norm in training mode would learn from what it is shown.
        at_test = copy.deepcopy(model).eval()
        return stream_statistics(at_test, self.windows[:n_windows], self.targets[:n_windows])

    def units(self, model: GPT) -> dict[str, float]:
        """What single hidden units of the first block fire on."""
        windows = [
            (ids, self.text.tokenizer.decode(ids.flatten()))
            for ids in (self.train_windows, self.windows)
        ]
        return unit_scores(model, self.untrained, *windows)

    def norms(self, model: GPT) -> dict[str, list[float]]:
        """What the norms' gains and biases have become."""
        return gains_and_biases(model)

    def modes(self, model: GPT) -> dict[str, float]:
        """The loss as training computes it, batch by batch, and as evaluation does."""
        return losses_by_mode(model, self.windows, self.targets)

    def fit(self, model: GPT) -> dict[str, float]:
        """The loss on the text that the model learns from, as evaluation computes it."""
        return {"training text": evaluate(model, self.learned)}

    def switches(self, model: GPT) -> dict[str, float]:
        """The loss with dropout off, left on, and never rescaled."""
        return losses_by_switch(model, self.windows, self.targets)

    def ensemble(self, model: GPT) -> dict[str, list[float]]:
        """The mean of many masked passes against the model at test time."""
        n_windows = MASKED_PROBED // model.config.block_size
        return ensemble(model, self.windows[:n_windows], self.targets[:n_windows])


def seeded_model(config: GPTConfig, seed: int) -> GPT:
    """A model whose initial weights depend on nothing but the seed."""
    torch.manual_seed(seed)
    return GPT(config)
