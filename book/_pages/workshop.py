"""What can be touched on the page "The workshop"."""

from bardgpt.teaching import live


def trainer() -> str:
    """The trainer with all that can be set."""
    return live.trainer("pre-norm").html()


def sweep() -> str:
    """The recorded runs beside it."""
    return live.sweep().html()
