"""What a reader can touch in a page of the website, and what stands there where nothing moves.

On the website a script puts life into an element (`book/_live`); in Jupyter, in Colab and on paper
its still picture stands.
"""

from bardgpt.teaching.live.models import live_models
from bardgpt.teaching.live.still import Still, Writer, still_of

__all__ = ["Still", "Writer", "writer"]


def writer(model: str, beside: str | None = None, prompt: str | None = None) -> Writer:
    """A text that goes on by a model of the book, or by two side by side.

    Args:
        model: "counts-0" to "counts-5", a rung's name, or "full".
        beside: likewise.
        prompt: what the reader finds there to begin with; what the models were recorded with if
            none is given. The still picture shows what they wrote then.

    Returns:
        An object that a cell shows.

    Raises:
        ValueError: if there is no such model; says which there are.
        FileNotFoundError: if a record is not there.
    """
    models = live_models()
    names = [model] if beside is None else [model, beside]
    for name in names:
        if name not in models:
            raise ValueError(f"no model {name!r}; there are {', '.join(models)}")
    if prompt is None:
        prompt = models["full"].prompt
    return Writer(prompt, tuple(still_of(name, models[name]) for name in names))
