"""Show a piece of the package in a chapter as it stands in its file: nothing is retyped."""

import inspect
import re
import textwrap
from collections.abc import Callable

WIDTH = 80  # columns of the website's pages; the package has 100
# Words that a line can't hold go to the next one, unless that begins something: an argument of a
# docstring, another sentence of a list, a new fence of quotes.
BEGINS = re.compile(r"\s*(\w+( \(.*\))?: |[-*] |\"\"\"|#|$)")


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
            f"# {piece.__module__}\n{narrowed(textwrap.dedent(inspect.getsource(piece)).strip())}"
            for piece in pieces
        )
    )


def narrowed(source: str) -> str:
    """Source text whose prose, docstrings and comments of whole lines, keeps to `WIDTH` columns.

    Lines of code stay as they are, with what they say of shapes. What a line of prose can't hold
    begins the next one of its paragraph.
    """
    lines = source.split("\n")
    prose = _prose(lines)
    done: list[str] = []
    while lines:
        line, is_prose = lines.pop(0), prose.pop(0)
        if is_prose and len(line) > WIDTH:
            mark = "# " if line.lstrip().startswith("#") else ""
            indent = line[: len(line) - len(line.lstrip())] + mark
            at = line.rindex(" ", len(indent) + 1, WIDTH + 1)
            line, rest = line[:at], line[at + 1 :]
            follows = lines and prose[0] and _goes_on(lines[0], mark)
            if follows:
                inner = lines[0][: len(lines[0]) - len(lines[0].lstrip())] + mark
                lines[0] = f"{inner}{rest} {lines[0][len(inner) :]}"
            else:
                lines.insert(0, indent + rest)
                prose.insert(0, True)
        done.append(line)
    return "\n".join(done)


def _goes_on(line: str, mark: str) -> bool:
    """Whether a line continues the paragraph of the one before it."""
    words = line.lstrip()
    if mark:
        return words.startswith(mark)
    return not BEGINS.match(line)


def _prose(lines: list[str]) -> list[bool]:
    """Which lines are of a docstring, or are a comment and nothing else."""
    found, inside = [], False
    for line in lines:
        quotes = line.count('"""')
        found.append(inside or quotes > 0 or line.lstrip().startswith("#"))
        inside ^= quotes % 2 == 1
    return found
