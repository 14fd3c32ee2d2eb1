"""A record as it stands in its file."""

import json
from typing import Any

from bardgpt import files


def read(name: str) -> dict[str, Any]:
    """A record as it stands in its file.

    Raises:
        FileNotFoundError: if there is none of that name; says which there are.
    """
    file = files.RECORDED / f"{name}.json"
    if not file.is_file():
        there = sorted(f.name.removesuffix(".json") for f in files.RECORDED.iterdir())
        raise FileNotFoundError(
            f"no record {name!r}; there are {[n for n in there if not n.startswith('_')]}. "
            "`make experiments` writes them"
        )
    return json.loads(file.read_text(encoding="utf-8"))
