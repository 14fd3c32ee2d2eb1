"""What all figures keep to: they take numbers, and each is read back by a test."""

import ast
from pathlib import Path

import pytest

from bardgpt.teaching import figures
from bardgpt.teaching.palette import COLOURS

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


# The hues of Okabe and Ito (2008), by their names there; b36b00 is their orange, darker.
HUES = {
    "ink": "#1f2933",
    "grey": "#5b6770",
    "light grey": "#c5ccd3",
    "white": "#ffffff",
    "dark orange": "#b36b00",
    "orange": "#e69f00",
    "sky blue": "#56b4e9",
    "bluish green": "#009e73",
    "yellow": "#f0e442",
    "blue": "#0072b2",
    "vermilion": "#d55e00",
    "reddish purple": "#cc79a7",
}


ROLES = {
    "ink": "ink",
    "muted": "grey",
    "line": "light grey",
    "paper": "white",
    "target": "dark orange",
    "count": "grey",
    "reported": "grey",
    "plain": "grey",
    "no-final-norm": "sky blue",
    "default": "blue",
    "zero": "reddish purple",
    "xavier": "dark orange",
    "float32": "grey",
    "bfloat16": "blue",
    "query": "sky blue",
    "key": "vermilion",
    "value": "bluish green",
    "output": "reddish purple",
    "attention": "vermilion",
    "feed-forward": "bluish green",
    "stream": "blue",
    "gradient": "reddish purple",
    "norm": "orange",
    "batch norm": "sky blue",
    "dropout": "yellow",
    "train": "orange",
    "validation": "blue",
    "model": "blue",
    "input": "blue",
    "residual": "blue",
    "pre-norm": "blue",
    "post-norm": "vermilion",
    "no-norm": "bluish green",
    "head 0": "blue",
    "head 1": "vermilion",
    "head 2": "bluish green",
    "head 3": "reddish purple",
}


def test_role_has_its_hue():
    """Through the whole book: captions and readers count on them."""
    assert COLOURS == {role: HUES[hue] for role, hue in ROLES.items()}


@pytest.mark.parametrize(
    "roles",
    [
        ("query", "key", "value", "output"),
        ("head 0", "head 1", "head 2", "head 3"),
        ("train", "validation", "count"),
        ("attention", "feed-forward", "norm", "dropout", "stream"),
        ("post-norm", "pre-norm", "no-final-norm", "no-norm", "count"),
        ("plain", "residual", "xavier", "zero"),
        ("norm", "batch norm"),
        ("float32", "bfloat16"),
        ("model", "target", "muted"),
    ],
)
def test_roles_that_meet_in_a_picture_have_different_colours(roles):
    assert len({COLOURS[role] for role in roles}) == len(roles)
