"""bardGPT: a character-level GPT that writes Shakespeare, built one tested piece at a time.

Data goes one way::

    corpus -> tokenizer -> batches -> gpt -> loss -> training -> sampling -> text

Every module can be read on its own, and none imports from one further down the line.

What a program of your own needs first can be had from here, and is fetched when it is asked for::

    from bardgpt import GPT, PRESETS, evaluate, load, read_text, sample, train_model

Importing `bardgpt` alone is quick: PyTorch comes with the first of these.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from bardgpt.evaluation import evaluate
    from bardgpt.gpt import GPT
    from bardgpt.presets import PRESETS
    from bardgpt.pretrained import load
    from bardgpt.sampling import sample
    from bardgpt.text_file import read_text
    from bardgpt.training.loop import train_model

__all__ = ["GPT", "PRESETS", "evaluate", "load", "read_text", "sample", "train_model"]

_HOMES = {
    "GPT": "gpt",
    "PRESETS": "presets",
    "evaluate": "evaluation",
    "load": "pretrained",
    "read_text": "text_file",
    "sample": "sampling",
    "train_model": "training.loop",
}


def __getattr__(name: str) -> Any:
    """A front door, from the module where it is at home; or the version of what is installed."""
    if name == "__version__":
        return importlib.import_module("importlib.metadata").version("bardgpt")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"bardgpt.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """Names with the front doors among them, whether they were asked for or not."""
    return sorted({*globals(), *__all__, "__version__"})
