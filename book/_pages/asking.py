"""What can be touched on the page "Ask the model"."""

from bardgpt.teaching import live


def writer() -> str:
    """The writer for the full model, with the last small one to set beside it."""
    return live.writer("full").html()
