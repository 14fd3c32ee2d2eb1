"""What answers in the pages: the count tables, every rung, the full model."""

from dataclasses import dataclass
from pathlib import Path

from bardgpt import files, records
from bardgpt.lab.ladder import RUNGS

PLAIN = "1"  # the temperature of the recorded texts: as a model has learned it


@dataclass(frozen=True)
class LiveModel:
    """One model that a page can ask.

    Attributes:
        title: with the chapter that builds it.
        loss: on the validation text, in nats per character.
        prompt: what its recorded text goes on from; "" if it began by itself.
        text: what it wrote then.
        folder: of its weights; None for a count table.
        context: characters of context; None for a trained model.
    """

    title: str
    loss: float
    prompt: str
    text: str
    folder: Path | None = None
    context: int | None = None

    @property
    def role(self) -> str:
        """What gives the model its colour, "model" if it was trained and "count" if not."""
        return "model" if self.context is None else "count"


def live_models() -> dict[str, LiveModel]:
    """The models by name, from counting to the full model.

    Raises:
        FileNotFoundError: if a record is not there.
    """
    record, full = records.read("continuations"), records.full()
    asked, texts = record["experiment"], {of: text[PLAIN] for of, text in record["texts"].items()}
    prompt, found = asked["prompt"], {}
    for table in records.tables():
        context = table["context"]
        has_continued = context == asked["context"]
        found[f"counts-{context}"] = LiveModel(
            f"Chapter 1 · counts, {context} before",
            table["validation"],
            prompt if has_continued else "",
            texts["counts"] if has_continued else table["text"],
            context=context,
        )
    for name, rung in RUNGS.items():
        found[name] = LiveModel(
            f"Chapter {rung.chapter} · {rung.title}",
            records.load(name).band().mean,
            prompt,
            texts[name],
            folder=files.RECORDED / "rungs" / name,
        )
    found["full"] = LiveModel(
        "Chapter 9 · the full model",
        full.validation,
        prompt,
        full.results["text"],
        folder=files.RECORDED / "sprint",
    )
    return found


def live_model(name: str) -> LiveModel:
    """One of them.

    Raises:
        ValueError: if there is no such model; says which there are.
        FileNotFoundError: if a record is not there.
    """
    models = live_models()
    if name not in models:
        raise ValueError(f"no model {name!r}; there are {', '.join(models)}")
    return models[name]
