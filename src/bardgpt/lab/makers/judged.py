"""The recorded model, judged in the ways in which others judge theirs."""

from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from bardgpt import pretrained
from bardgpt.evaluation import estimate, evaluate, losses_in_context
from bardgpt.shakespeare import shakespeare

WINDOWS, ESTIMATE = "neighbouring windows", "random windows"


@dataclass(frozen=True)
class Judged:
    """The loss of the recorded model, as the book takes it and as others do.

    Attributes:
        contexts: characters that each judged character has before it at least.
        batches: of 64 random windows in an estimate.
        seed: of the windows.
    """

    contexts: tuple[int, ...] = (128, 224)
    batches: int = 200
    seed: int = 0

    def parts(self) -> list[str]:
        """The ways: whole windows, overlapping ones by context, random ones."""
        return [WINDOWS, *map(str, self.contexts), ESTIMATE]

    def run(self, part: str) -> dict[str, Any]:
        """Judge the model in one way: the loss, and of an estimate its standard error."""
        model, _ = pretrained.load()
        ids = shakespeare().validation
        if part == ESTIMATE:
            loss, error = estimate(model, ids, batches=self.batches, seed=self.seed)
            return {"way": part, "loss": loss, "standard error": error}
        if part == WINDOWS:
            return {"way": part, "loss": evaluate(model, ids)}
        return {
            "way": part,
            "loss": losses_in_context(model, ids, int(part)).double().mean().item(),
        }

    def definition(self) -> dict[str, Any]:
        """The ways, and which weights are judged."""
        weights = (pretrained.RECORD / pretrained.WEIGHTS).read_bytes()
        asked = asdict(self) | {"contexts": list(self.contexts)}
        return asked | {"weights": sha256(weights).hexdigest()}

    def results(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """By way."""
        return {"ways": {run.pop("way"): run for run in map(dict, runs)}}

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """The losses, each a closed form of weights and seed."""
        return {way: [found["loss"]] for way, found in record["ways"].items()}
