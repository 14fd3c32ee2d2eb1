"""The training loop: draw windows, predict, measure, step; look at the validation split at times.

It is the loop that the book shows and the one that made its records.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from bardgpt.config import TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT
from bardgpt.progress import progress_bar
from bardgpt.threads import suited
from bardgpt.training.trainer import Trainer


@dataclass
class History:
    """What a run looked like, at the steps where it was evaluated.

    Attributes:
        step: optimizer steps done.
        train: mean loss of the training batches since the entry before; for step 0, where no batch
            was seen yet, None.
        validation: loss over the whole validation split. Both in nats per character.
    """

    step: list[int] = field(default_factory=list)
    train: list[float | None] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)

    def at(self, step: int) -> float:
        """Validation loss after `step` steps.

        Raises:
            KeyError: if the run was not evaluated there.
        """
        if step not in self.step:
            raise KeyError(f"not evaluated after {step} steps, only after {self.step}")
        return self.validation[self.step.index(step)]

    def to_dict(self) -> dict[str, list[Any]]:
        """The three lists by name, ready for JSON."""
        return dataclasses.asdict(self)


def train_model(
    model: GPT,
    train_ids: Tensor,
    validation_ids: Tensor,
    config: TrainingConfig,
    *,
    progress: bool = True,
    watch: Callable[[int], None] | None = None,
) -> History:
    """Train a model in place.

    Args:
        model: trained in place, and left in training mode.
        train_ids: (N,) the part to learn from.
        validation_ids: (M,) the part to be judged on; it never influences a weight.
        config: steps, batch size, rate, seed.
        progress: show on stderr how far it is; TQDM_DISABLE=1 hides it too.
        watch: called at each evaluation with the steps done, to look at the model. It must not
            change it, nor draw from PyTorch's global random state.

    Returns:
        The losses at the steps of evaluation.

    Raises:
        DivergedError: if the loss stops being a finite number.
        WindowError: if a split is too short for one window.
    """
    trainer = Trainer(model, train_ids, config)
    history = History()
    model.train()
    with progress_bar(shown=progress, total=config.steps, unit="step") as bar:
        while True:
            step = trainer.step
            if step % config.evaluate_every == 0 or step == config.steps:
                history.step.append(step)
                history.train.append(trainer.read_losses() if step else None)
                history.validation.append(evaluate(model, validation_ids, progress=progress))
                bar.set_postfix_str(_status(history))
                if watch is not None:
                    watch(step)
            if step == config.steps:
                return history
            with suited(config.batch_size * model.config.block_size, model.config.n_embd):
                trainer.advance()
            bar.update()


def _status(history: History) -> str:
    train, validation = history.train[-1], history.validation[-1]
    return ("" if train is None else f"train {train:.3f}, ") + f"validation {validation:.3f}"
