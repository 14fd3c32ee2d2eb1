"""The training loop: draw windows, predict, measure, step; look at the validation split at times.

It is the loop that the book shows and the one that made its records.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor
from tqdm import tqdm

from bardgpt.batches import random_windows
from bardgpt.config import TrainingConfig
from bardgpt.evaluation import evaluate
from bardgpt.gpt import GPT, next_character_loss


class DivergedError(RuntimeError):
    """The loss became NaN or infinite; says at which step, and what usually helps."""


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

    def to_dict(self) -> dict[str, list]:
        """The three lists by name, ready for JSON."""
        return dataclasses.asdict(self)


def train(
    model: GPT,
    train_ids: Tensor,
    validation_ids: Tensor,
    config: TrainingConfig,
    *,
    progress: bool = True,
    watch: Callable[[int], None] | None = None,
) -> History:
    """Train a model in place.

    The same model, text, config and machine give the same bits: the windows come from a generator
    of their own, and dropout's from PyTorch's global state, which the seed sets.

    Args:
        model: trained in place, and left in training mode.
        train_ids: (N,) the part to learn from.
        validation_ids: (M,) the part to be judged on; it never influences a weight.
        config: steps, batch size, rate, seed.
        progress: show a bar on stderr, which vanishes at the end; TQDM_DISABLE=1 hides it too.
        watch: called at each evaluation with the steps done, to look at the model. It must not
            change it, nor draw from PyTorch's global random state.

    Returns:
        The losses at the steps of evaluation.

    Raises:
        DivergedError: if the loss stops being a finite number.
        ValueError: if a split is too short for one window.
    """
    torch.manual_seed(config.seed)
    generator = torch.Generator().manual_seed(config.seed)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    history, since = History(), []
    model.train()
    quiet = {} if progress else {"disable": True}  # if not forced, TQDM_DISABLE decides
    with tqdm(total=config.steps, desc="training", leave=False, **quiet) as bar:
        for step in range(config.steps + 1):
            if step % config.evaluate_every == 0 or step == config.steps:
                history.step.append(step)
                history.train.append(_finite_mean(since, step) if step else None)
                history.validation.append(evaluate(model, validation_ids))
                bar.set_postfix(validation=f"{history.validation[-1]:.3f}")
                since = []
                if watch is not None:
                    watch(step)
            if step == config.steps:
                break
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, config)
            inputs, targets = random_windows(  # both (B, T)
                train_ids, model.config.block_size, config.batch_size, generator
            )
            loss = next_character_loss(model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            since.append(loss.detach())
            bar.update()
    return history


def learning_rate(step: int, config: TrainingConfig) -> float:
    """The rate of step 0, 1, …: constant, or falling in a line that meets zero after the last.

    In a warm-up of w steps the rate is 1/w, 2/w, … of that.
    """
    rate = config.learning_rate * min(1.0, (step + 1) / max(1, config.warmup))
    if config.schedule == "linear":
        rate *= 1 - step / config.steps
    return rate


def _finite_mean(losses: list[Tensor], step: int) -> float:
    stacked = torch.stack(losses)  # (steps since the last evaluation,)
    bad = (~stacked.isfinite()).nonzero().flatten()
    if len(bad):
        first = step - len(losses) + int(bad[0]) + 1
        raise DivergedError(
            f"the loss was {stacked[bad[0]].item()} in step {first}: a learning rate that is too "
            "high is the usual cause, a NaN in the weights before training the other"
        )
    return stacked.double().mean().item()
