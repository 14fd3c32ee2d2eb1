"""The catalogue of planted faults: mistakes that people really make, each with the one check that
must notice.

A fault is an edit of one place in a source of the project. `book/_tools/breaking.py` makes it in a
copy and runs the check there. The check must fail because what it asserts is false: a fault that
merely crashes, by import, name or shape, proves nothing about the check.

There is one file a topic, named as its topic is named everywhere, with a list `FAULTS`. A new file
is found by itself.
"""

import importlib
import pkgutil

from faults.kinds import Fault

# By the topic's name: what its file says of itself in its first line, and its faults.
TOPICS: dict[str, tuple[str, list[Fault]]] = {}
for _file in pkgutil.iter_modules(__path__):
    if _file.name != "kinds":
        _topic = importlib.import_module(f"faults.{_file.name}")
        TOPICS[_file.name] = (_topic.__doc__.splitlines()[0], _topic.FAULTS)

FAULTS = [fault for _, faults in TOPICS.values() for fault in faults]
