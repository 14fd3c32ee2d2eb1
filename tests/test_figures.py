"""What all figures keep to: they take numbers, and each is read back by a test."""

import ast
from pathlib import Path

import pytest

from bardgpt.teaching import figures

TESTS = Path(__file__).parent
MODULES = sorted(Path(figures.__file__).parent.glob("*.py"))
NUMBERS = {"Band", "History", "Spread"}  # what numbers come in: no file is opened to make them


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_figures_take_numbers_and_read_no_record(module):
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in ("open", "json")]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not [name for name in node.names if name.name.startswith("bardgpt")]
        if isinstance(node, ast.ImportFrom) and node.module.startswith("bardgpt"):
            taken = {name.name for name in node.names}
            assert node.module.startswith("bardgpt.teaching.") or taken <= NUMBERS, taken


def test_every_figure_is_read_back():
    """In the file of its topic, `test_figures_TOPIC.py`, or in `test_passage.py`."""
    calls = {
        (test.stem.removeprefix("test_").removeprefix("figures_"), node.func.attr)
        for test in TESTS.glob("test_*.py")
        for node in ast.walk(ast.parse(test.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "figures"
    }
    topics = {
        (getattr(figures, name).__module__.rpartition(".")[2], name)
        for name in figures.__all__
        if name != "diagram"
    }
    assert topics <= calls, topics - calls


def test_what_is_named_can_be_called():
    assert sorted(figures.__all__) == figures.__all__
    assert all(callable(getattr(figures, name)) for name in figures.__all__)
