"""What can be touched on the page "Ask the model"."""

from bardgpt.teaching import live


def writer() -> str:
    """The writer for the full model, with the last small one to set beside it."""
    return live.writer("full").html()


def reader() -> str:
    """The reader for the full model, with a passage that is not in its training text."""
    return live.reader("full").html()
