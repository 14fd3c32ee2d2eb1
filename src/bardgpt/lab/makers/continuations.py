"""One more kind of experiment: all models continue the same words, and rungs keep their weights.

`Continuations` is one of the kinds of `bardgpt.lab.makers.kinds`.
"""

import base64
import dataclasses
import json
from dataclasses import dataclass
from typing import Any

from bardgpt import pretrained
from bardgpt.corpus import VOCAB_SIZE
from bardgpt.lab.count_tables import BEST_CONTEXT, CountTable
from bardgpt.lab.ladder import RUN, RUNGS
from bardgpt.lab.makers.kinds import FILES, without_seed
from bardgpt.lab.makers.looker import seeded_model
from bardgpt.sampling import sample
from bardgpt.shakespeare import shakespeare
from bardgpt.training import checkpoint
from bardgpt.training.loop import train_model


@dataclass(frozen=True)
class Continuations:
    """The same words, continued by every rung and by the best count table.

    A rung is trained as in the run of its own record that has this seed; on the same machine it is
    the same run. Its last weights are kept, as `bardgpt.pretrained.load_rung` reads them.

    Attributes:
        prompt: what all continue.
        context: of the count table, which speaks at temperature 1 alone.
        seed: of training and of drawing.
        length: characters of a continuation.
        temperatures: at which each rung speaks.
    """

    prompt: str
    context: int = BEST_CONTEXT
    seed: int = 0
    length: int = 300
    temperatures: tuple[float, ...] = (0.5, 1.0, 1.5)

    def parts(self) -> list[str]:
        """The count table, then the rungs."""
        return ["counts", *RUNGS]

    def run(self, part: str) -> dict[str, Any]:
        """Count, or train in full; then continue the prompt, and keep the weights."""
        text = shakespeare()
        drawn = {"prompt": self.prompt, "length": self.length, "seed": self.seed}
        if part == "counts":
            table = CountTable(text.train, self.context, VOCAB_SIZE)
            return {"of": part, "texts": {"1": table.sample(text.tokenizer, **drawn)}}
        model = seeded_model(RUNGS[part].config, self.seed)
        config = dataclasses.replace(RUN, seed=self.seed)
        history = train_model(model, text.train, text.validation, config, progress=False)
        texts = {
            f"{temperature:g}": sample(model, text.tokenizer, temperature=temperature, **drawn)
            for temperature in self.temperatures
        }
        about = {
            "model": dataclasses.asdict(model.config),
            "training": dataclasses.asdict(config),
            "vocabulary": text.tokenizer.vocabulary,
        }
        weights = checkpoint.content(model.state_dict(), {"of": "the last step"})
        files = {
            f"rungs/{part}/{pretrained.CONFIG}": f"{json.dumps(about, indent=1)}\n".encode(),
            f"rungs/{part}/{pretrained.WEIGHTS}": weights,
        }
        return {
            "of": part,
            "texts": texts,
            "validation": history.validation[-1],
            FILES: {file: base64.b64encode(content).decode() for file, content in files.items()},
        }

    def definition(self) -> dict[str, Any]:
        """What is asked, how the rungs are trained, and their models."""
        rungs = {name: {"model": dataclasses.asdict(rung.config)} for name, rung in RUNGS.items()}
        asked = dataclasses.asdict(self) | {"temperatures": list(self.temperatures)}
        return asked | {"training": without_seed(RUN), "rungs": rungs}

    def results(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """The texts by who wrote them and temperature, the losses of the weights, and their files.

        The losses are on the whole validation split, in nats per character.
        """
        return {
            "texts": {run["of"]: run["texts"] for run in runs},
            "validation": {run["of"]: run["validation"] for run in runs if "validation" in run},
            FILES: {file: content for run in runs for file, content in run.get(FILES, {}).items()},
        }

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """None: another machine's rounding draws other characters."""
        return {}
