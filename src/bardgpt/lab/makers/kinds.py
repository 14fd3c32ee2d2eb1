"""The kinds of experiments: what is run, and what its record says.

`Experiment` is what the runner asks of each; the classes after it are the kinds there are, but for
`Continuations`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from bardgpt.config import GPTConfig, TrainingConfig
from bardgpt.corpus import VOCAB_SIZE
from bardgpt.evaluation import evaluate
from bardgpt.lab.count_tables import CountTable
from bardgpt.lab.ladder import LIVE_STEPS, PIECE, RUN, SAMPLE_LENGTH, SEEDS
from bardgpt.lab.likeness import Reference, text_statistics
from bardgpt.lab.makers.looker import Looker, seeded_model
from bardgpt.sampling import sample
from bardgpt.shakespeare import shakespeare
from bardgpt.text import Text
from bardgpt.training.loop import train_model
from bardgpt.training.trainer import DivergedError

Part = TypeVar("Part")
# Among a record's results, what gets files of its own: base64 of each, by its place among records.
FILES = "files"


class Experiment(Protocol[Part]):
    """Runs that are compared, cut into parts that processes of their own can compute.

    A `Part` names one of them: a seed, a context's length, a variant with a seed.
    """

    def parts(self) -> list[Part]:
        """What can be computed apart, in the order of the record."""
        ...

    def run(self, part: Part, /) -> dict[str, Any]:
        """Compute one part, which depends on nothing but itself; ready for JSON."""
        ...

    def definition(self) -> dict[str, Any]:
        """What makes it this experiment: the part of its record that is known beforehand.

        A record whose definition is another one is of another experiment, and is made anew.
        """
        ...

    def results(self, runs: list[dict[str, Any]], /) -> dict[str, Any]:
        """The rest of the record, from what `run` gave for all `parts`, in their order.

        What stands under `FILES` is written beside the record.
        """
        ...

    def quantities(self, record: dict[str, Any], /) -> dict[str, list[float]]:
        """What a repetition must find again, by name: over the seeds, or one closed form."""
        ...


@dataclass(frozen=True)
class Training:
    """A model, trained from several seeds.

    Attributes:
        model: the architecture.
        training: the run.
        seeds: one for each run.
        probes: methods of `Looker`, asked before the first step, where a chapter's live run ends,
            and at the end.
        closely: ask them at every evaluation.
        at_end: more probes, asked after the last step alone.
        characters: how many of the training split to learn from, from its beginning; None takes all
            of them.
        brief: keep neither the loss on the whole training split nor generated text, which is drawn
            where a chapter's live run ends and at the end.
    """

    model: GPTConfig
    training: TrainingConfig = RUN
    seeds: tuple[int, ...] = SEEDS
    probes: tuple[str, ...] = ()
    closely: bool = False
    at_end: tuple[str, ...] = ()
    characters: int | None = None
    brief: bool = False

    def parts(self) -> list[int]:
        """One run for each seed."""
        return list(self.seeds)

    def run(self, seed: int) -> dict[str, Any]:
        """Train from one seed; look and sample on the way.

        At a constant rate a chapter's short run is the beginning of this one. A run whose loss
        stops being a number is lost: it keeps the reason, and None for each of its losses.
        """
        text = shakespeare()
        reference = None if self.brief else _reference(text)
        looker = Looker(self.model, seed, self.characters)
        model = seeded_model(self.model, seed)
        run: dict[str, Any] = {"seed": seed, "samples": {}, "probes": {}}
        stops = {LIVE_STEPS, self.training.steps}

        def watch(step: int) -> None:
            asked = self.probes if self.closely or step in stops | {0} else ()
            for probe in asked + (self.at_end if step == self.training.steps else ()):
                kept = run["probes"].setdefault(probe, {})
                kept[str(step)] = rounded(getattr(looker, probe)(model))
            if step in stops and reference is not None:
                drawn = sample(model, text.tokenizer, length=SAMPLE_LENGTH, seed=seed)
                run["samples"][str(step)] = text_statistics(drawn, reference)
                run["text"] = drawn[:PIECE]

        config = dataclasses.replace(self.training, seed=seed)
        try:
            history = train_model(
                model, looker.learned, text.validation, config, progress=False, watch=watch
            )
        except DivergedError as error:
            steps = [*range(0, config.steps, config.evaluate_every), config.steps]
            none = [None] * len(steps)
            nothing = {"step": steps, "train": none, "validation": none}
            return run | {"lost": str(error), "history": nothing}
        if not self.brief:
            run["train"] = evaluate(model, looker.learned)
        return run | {"history": history.to_dict()}

    def definition(self) -> dict[str, Any]:
        """Model, training, seeds, probes; and a slice, if it learns from one."""
        definition = {
            "model": dataclasses.asdict(self.model),
            "training": without_seed(self.training),
            "seeds": list(self.seeds),
            "probes": [*self.probes, *self.at_end],
        }
        if self.characters is not None:  # older records learned from the whole split
            definition["characters"] = self.characters
        return definition

    def results(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """The runs as they are."""
        return {"runs": runs}

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """The final losses; none if a run was lost, for rounding decides which runs are."""
        if any("lost" in run for run in record["runs"]):
            return {}
        histories = [run["history"] for run in record["runs"]]
        losses = {"validation loss": [history["validation"][-1] for history in histories]}
        if not self.brief:
            losses["training loss"] = [run["train"] for run in record["runs"]]
        return losses


@dataclass(frozen=True)
class AtStart:
    """A model as it is initialized, looked at from several seeds: no training."""

    model: GPTConfig
    seeds: tuple[int, ...] = SEEDS

    def parts(self) -> list[int]:
        """One look for each seed."""
        return list(self.seeds)

    def run(self, seed: int) -> dict[str, Any]:
        """Initialize and look."""
        looker = Looker(self.model, seed)
        return {"seed": seed, "stream": rounded(looker.stream(looker.untrained))}

    def definition(self) -> dict[str, Any]:
        """Model and seeds."""
        return {"model": dataclasses.asdict(self.model), "seeds": list(self.seeds)}

    def results(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """The runs as they are."""
        return {"runs": runs}

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """Sizes of the stream and of its gradient, at the first block and after the last."""
        return {
            f"{name} {depth}": [run["stream"][name][depth] for run in record["runs"]]
            for name in ("stream", "gradient")
            for depth in (0, -1)
        }


@dataclass(frozen=True)
class Sweep:
    """Several experiments of one kind in one record, by name."""

    variants: Mapping[str, Training | AtStart]

    def parts(self) -> list[tuple[str, int]]:
        """Each variant's name with each of its seeds."""
        return [(name, seed) for name, variant in self.variants.items() for seed in variant.parts()]

    def run(self, part: tuple[str, int]) -> dict[str, Any]:
        """One seed of one variant."""
        name, seed = part
        return self.variants[name].run(seed)

    def definition(self) -> dict[str, Any]:
        """The definition of each variant."""
        return {name: variant.definition() for name, variant in self.variants.items()}

    def results(self, runs: list[dict[str, Any]]) -> dict[str, Any]:
        """The runs, dealt out to their variants."""
        queue = iter(runs)
        return {
            "variants": {
                name: variant.results([next(queue) for _ in variant.parts()])
                for name, variant in self.variants.items()
            }
        }

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """The quantities of each variant."""
        return {
            f"{name}: {quantity}": values
            for name, variant in self.variants.items()
            for quantity, values in variant.quantities(record["variants"][name]).items()
        }


@dataclass(frozen=True)
class CountTables:
    """The yardstick: tables with 0 to 5 characters of context; only their samples have seeds."""

    longest: int = 5
    seeds: tuple[int, ...] = tuple(range(20))  # a sample costs no training

    def parts(self) -> list[int]:
        """A part for each length of context."""
        return list(range(self.longest + 1))

    def run(self, context: int) -> dict[str, Any]:
        """Count, evaluate on both splits, sample."""
        text = shakespeare()
        reference = _reference(text)
        table = CountTable(text.train, context, VOCAB_SIZE)
        samples = [
            table.sample(text.tokenizer, length=SAMPLE_LENGTH, seed=seed) for seed in self.seeds
        ]
        return {
            "context": context,
            "train": table.losses(text.train).mean().item(),
            "validation": table.losses(text.validation).mean().item(),
            "samples": [text_statistics(drawn, reference) for drawn in samples],
            "text": samples[0][:PIECE],
        }

    def definition(self) -> dict[str, Any]:
        """Lengths of context and seeds."""
        return {"longest context": self.longest, "seeds": list(self.seeds)}

    def results(self, tables: list[dict[str, Any]]) -> dict[str, Any]:
        """The tables; with them, what real text scores in the samples' statistics."""
        text = shakespeare()
        real = text_statistics(text.tokenizer.decode(text.validation), _reference(text))
        return {"tables": tables, "real text": real}

    def quantities(self, record: dict[str, Any]) -> dict[str, list[float]]:
        """The losses, which are closed forms and have no spread."""
        return {
            f"{table['context']} characters, {part}": [table[part]]
            for table in record["tables"]
            for part in ("train", "validation")
        }


def rounded(numbers: Mapping[str, float | list[float]]) -> dict[str, Any]:
    """A result with six significant digits, which is more than seeds agree in."""

    def short(value: float) -> float:
        return float(f"{value:.6g}")

    return {
        name: [short(v) for v in value] if isinstance(value, list) else short(value)
        for name, value in numbers.items()
    }


def _reference(text: Text) -> Reference:
    return Reference.of(text.tokenizer.decode(text.train))


def without_seed(training: TrainingConfig) -> dict[str, Any]:
    """A training as a definition has it: each run has a seed of its own."""
    fields = dataclasses.asdict(training)
    del fields["seed"]
    return fields
