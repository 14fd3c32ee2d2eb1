"""A training run's whole state, and the one step that moves it on.

Everything that the next step depends on is here, and a checkpoint keeps all of it: weights,
optimizer averages, both random states, the step count.

Inside a step the host never waits for the device: windows are gathered where the text lies, and
losses stay on the device until somebody reads them.
"""

from typing import Any

import torch
from torch import Tensor, nn

from bardgpt.batches import random_windows
from bardgpt.config import ConfigError, TrainingConfig
from bardgpt.gpt import GPT, next_character_loss
from bardgpt.layers.normalization import BatchNorm
from bardgpt.training.checkpoint import MODEL, REMEDY, CheckpointError, load_weights
from bardgpt.training.devices import Precision, autocast
from bardgpt.training.distributed import Share, mean
from bardgpt.training.optimizers import Together, build_optimizers, rate_factor, set_rates


class DivergedError(RuntimeError):
    """The loss or a weight became NaN or infinite; says at which step, and likely causes."""


class Trainer:
    """A model in training.

    The same model, text, config, machine and precision give the same bits: windows come from a
    generator of their own, and dropout's masks from PyTorch's global state, which the seed sets.

    Attributes:
        model: on its device; a step puts it into training mode, and leaves it there.
        step: optimizer steps done.
        losses: of the steps since `read_losses`, still on the device.
    """

    def __init__(
        self,
        model: GPT,
        train_ids: Tensor,
        config: TrainingConfig,
        *,
        precision: Precision = "float32",
        share: Share | None = None,
        wrapped: nn.Module | None = None,
    ) -> None:
        """Start at step 0.

        Args:
            model: on its device already.
            train_ids: (N,) the text to learn from; moved to the model's device.
            config: of the run.
            precision: of the matrix products.
            share: of each batch, when several processes train one model.
            wrapped: what to call in place of the model, with the same parameters: compiled, or
                synchronised between processes.

        Raises:
            ConfigError: if the processes cannot share the batch evenly, if batch norm would have
                one position to compare with itself, or as `build_optimizers`.
        """
        self.share = share or Share()
        if config.batch_size % self.share.world:
            raise ConfigError(
                f"batch_size={config.batch_size}: {self.share.world} processes cannot share it "
                f"evenly; take a multiple of {self.share.world}"
            )
        positions = config.batch_size // self.share.world * model.config.block_size
        if positions < 2 and any(isinstance(module, BatchNorm) for module in model.modules()):
            raise ConfigError(
                "norm='batch' of one number for each channel: take a larger batch_size or "
                "block_size, or norm='layer'"
            )
        self.model, self.config = model, config
        self.precision: Precision = precision
        self.called = model if wrapped is None else wrapped
        self.device = next(model.parameters()).device
        self.train_ids = train_ids.to(self.device)
        self.optimizers = build_optimizers(model, config)
        self.together = Together(self.optimizers)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=precision == "float16")
        torch.manual_seed(config.seed + self.share.rank)  # other masks in each process
        # The same windows in each process, of which it takes its share. The "meta" device, which
        # has shapes and no numbers, has no generator of its own and takes any.
        where = "cpu" if self.device.type == "meta" else self.device
        self.generator = torch.Generator(where).manual_seed(config.seed)
        self.step = 0
        self.losses: list[Tensor] = []

    def advance(self) -> None:
        """One optimizer step."""
        if not self.model.training:  # just loaded, say: it would train without its dropout
            self.called.train()
        set_rates(self.optimizers, rate_factor(self.step, self.config))
        inputs, targets = random_windows(  # both (B, T)
            self.train_ids, self.model.config.block_size, self.config.batch_size, self.generator
        )
        with autocast(self.device.type, self.precision):
            logits = self.called(self.share.of(inputs))  # (B / processes, T, V)
            loss = next_character_loss(logits, self.share.of(targets))
        self.together.zero_grad()
        self.scaler.scale(loss).backward()
        if self.config.clip is not None:
            self.scaler.unscale_(self.together)
            nn.utils.clip_grad_norm_(self.together.parameters, self.config.clip)
        self.scaler.step(self.together)
        self.scaler.update()
        self.losses.append(loss.detach())
        self.step += 1

    def read_losses(self) -> float:
        """The mean loss of the steps since the last reading, in nats per character.

        Here, and not in each step, the host waits for the device.

        Raises:
            DivergedError: if one of them is no finite number, or a weight after the last of them.
        """
        losses = mean(torch.stack(self.losses), self.share).cpu()  # (steps since the last reading,)
        bad = (~losses.isfinite()).nonzero().flatten()
        causes = (
            "a learning rate that is too high is the usual cause, a NaN in the weights before "
            "training the other"
        )
        if len(bad):
            first = self.step - len(losses) + int(bad[0]) + 1
            raise DivergedError(f"the loss was {losses[bad[0]].item()} in step {first}: {causes}")
        # A step's loss is older than its weights. Without this, weights that the last step has
        # ruined would pass for good ones, and into a checkpoint.
        finite = torch.stack([p.isfinite().all() for p in self.model.parameters()]).all()
        if not finite.item():
            raise DivergedError(f"step {self.step} left weights that are not finite: {causes}")
        self.losses = []
        return losses.double().mean().item()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that the next step depends on: tensors by name, and plain values.

        Losses that nobody has read are among the values, and wait there for their reading.
        """
        tensors = self.model.state_dict(prefix=MODEL)
        for i, optimizer in enumerate(self.optimizers):
            for place, averages in optimizer.state_dict()["state"].items():
                for name, value in averages.items():
                    tensors[f"optimizer.{i}.{place}.{name}"] = value
        # Each kind of device has random states of its own shape.
        tensors[f"random.windows.{self.device.type}"] = self.generator.get_state()
        tensors["random.dropout"] = torch.get_rng_state()
        if self.device.type in ("cuda", "mps"):
            of_device = getattr(torch, self.device.type).get_rng_state()
            tensors[f"random.dropout.{self.device.type}"] = of_device
        losses = torch.stack(self.losses).tolist() if self.losses else []
        return tensors, {"step": self.step, "scaler": self.scaler.state_dict(), "losses": losses}

    def restore(
        self, tensors: dict[str, Tensor], values: dict[str, Any], source: object = "the state"
    ) -> None:
        """Go on from a `state`; the next step is the one that it would have been there.

        On another kind of device it has other windows and dropout masks; of several processes only
        the first has the same masks.

        Args:
            tensors: of `state`.
            values: likewise.
            source: where they come from, for the error.

        Raises:
            CheckpointError: if the weights are another model's, or the rest is no state of this
                trainer.
        """
        load_weights(self.model, tensors, source)
        try:
            self._restore(tensors, values)
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(
                f"{source} holds weights and no state to go on from "
                f"({type(error).__name__}: {str(error).split(chr(10))[0]}): {REMEDY}"
            ) from None

    def _restore(self, tensors: dict[str, Tensor], values: dict[str, Any]) -> None:
        """Take over all but the weights; any error but our own says that they do not fit."""
        for i, optimizer in enumerate(self.optimizers):
            kept = optimizer.state_dict()
            kept["state"] = {}
            for key, value in tensors.items():
                if key.startswith(f"optimizer.{i}."):
                    place, name = key.split(".")[2:]
                    kept["state"].setdefault(int(place), {})[name] = value
            optimizer.load_state_dict(kept)
            _require_fitting(optimizer)
        self.step = values["step"]
        if not isinstance(self.step, int) or self.step < 0:
            raise ValueError(f"its step is {self.step!r}")
        if values["scaler"]:  # empty if it was written in a precision that needs none
            self.scaler.load_state_dict(values["scaler"])
        anew = self.config.seed + 1_000_003 * self.step  # where a state is missing
        windows = tensors.get(f"random.windows.{self.device.type}")
        if windows is None:
            self.generator.manual_seed(anew)
        else:
            self.generator.set_state(windows)
        if self.share.writes and "random.dropout" in tensors:  # weights alone have none
            torch.set_rng_state(tensors["random.dropout"])
            of_device = tensors.get(f"random.dropout.{self.device.type}")
            if of_device is not None:
                getattr(torch, self.device.type).set_rng_state(of_device)
        else:
            torch.manual_seed(anew + self.share.rank)
        unread = values.get("losses", ())  # states of older versions were written without
        self.losses = [torch.tensor(loss, device=self.device) for loss in unread]


def _require_fitting(optimizer: torch.optim.Optimizer) -> None:
    """Let averages pass that have a parameter's shape, or are a single number, and are finite.

    Raises:
        ValueError: if one has not, or is not.
    """
    for parameter, averages in optimizer.state.items():
        for name, value in averages.items():
            if value.numel() != 1 and value.shape != parameter.shape:
                raise ValueError(
                    f"{name} has shape {tuple(value.shape)}, its parameter {tuple(parameter.shape)}"
                )
            if not value.isfinite().all():
                raise ValueError(f"{name} holds numbers that are not finite")
