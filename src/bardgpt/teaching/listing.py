"""Show a piece of the package in a chapter as it stands in its file: nothing is retyped."""

import inspect
import textwrap
from collections.abc import Callable


class Listing:
    """Source text that a notebook and the website show as code, in colours."""

    def __init__(self, source: str) -> None:
        self.source = source

    def __repr__(self) -> str:
        return self.source

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.source}\n```"


def listing(*pieces: Callable) -> Listing:
    """The source of some functions or classes, each under the name of its module."""
    return Listing(
        "\n\n".join(
            f"# {piece.__module__}\n{textwrap.dedent(inspect.getsource(piece)).strip()}"
            for piece in pieces
        )
    )
