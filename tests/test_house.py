"""The house: rooms, small modules, small functions, docstrings that name what they speak of.

Who may import whom is in `pyproject.toml`; here the same contracts are held without `make lint`.
"""

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "bardgpt"
MODULES = sorted(SOURCE.rglob("*.py"))
BOOK = sorted([*(ROOT / "book" / "_pages").rglob("*.py"), *(ROOT / "book" / "_tools").glob("*.py")])
CHAPTERS = sorted([*ROOT.glob("book/[0-9]*.py"), *ROOT.glob("book/appendix/*.py")])
ABOVE_CORE = {"records", "lab", "teaching"}
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 375, 60
TOPICS = ("attention", "feed_forward", "residual", "norms", "wiring", "dropout", "scaling")
# What a topic is called elsewhere; inside the house it has the one name above.
OTHER_NAMES = re.compile(
    r"heads|multi_head|mlp|ffn|skip|residuals|layer_?norm|norm$|pre_?post|post_?pre|dropouts"
)
# A docstring that begins with one of these speaks of something that it does not name.
PRONOUN = re.compile(
    r"(It|They|This|These|That|Those|Its|Their|Such|The same|One)"
    r"(\.|,|$| (is|are|as|with|in|on|for|from|has|have|which|that|at|to|by)\b)|(That|Those) of\b"
)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)]


def docstrings(path: Path) -> list[tuple[str, str]]:
    """Each docstring of a module with the name of what it belongs to."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = [node for node in ast.walk(tree(path)) if isinstance(node, kinds)]
    pairs = [(getattr(node, "name", "the module"), ast.get_docstring(node)) for node in nodes]
    return [(owner, docstring) for owner, docstring in pairs if docstring]


def without_noun(docstring: str) -> bool:
    return PRONOUN.match(docstring.split("\n")[0]) is not None


def test_no_module_is_long():
    lengths = {name(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {path: n for path, n in lengths.items() if n > MOST_LINES} == {}


def test_no_function_of_the_core_is_long():
    """Its docstring counts: what needs a longer one does too much."""
    core = [path for path in MODULES if path.relative_to(SOURCE).parts[0] not in ABOVE_CORE]
    lengths = {
        f"{name(path)}:{function.name}": function.end_lineno - function.lineno + 1
        for path in core
        for function in functions(path)
    }
    assert len(core) > 20
    assert {place: n for place, n in lengths.items() if n > MOST_LINES_OF_A_FUNCTION} == {}


@pytest.mark.parametrize("path", MODULES + BOOK, ids=name)
def test_docstrings_say_what_they_speak_of(path):
    assert ast.get_docstring(tree(path)), "a module says in a sentence what it is"
    dangling = [f"{owner}: {text}" for owner, text in docstrings(path) if without_noun(text)]
    assert dangling == []


@pytest.mark.parametrize("text", ["That of the mean.", "Those of all.", "It is x.", "The same."])
def test_a_pronoun_without_a_noun_is_noticed(text):
    assert without_noun(text)
    assert not without_noun(f"The loss. {text}")


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_chapters_call_things_what_they_are_called(path):
    """What is imported from the package keeps its name, so that a reader can look it up."""
    renamed = [
        ast.unparse(node)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        and (getattr(node, "module", None) or node.names[0].name).startswith("bardgpt")
        and any(alias.asname for alias in node.names)
    ]
    assert renamed == []


@pytest.mark.parametrize(
    "room",
    [
        "src/bardgpt/lab/probes",
        *("src/bardgpt/teaching/figures", "src/bardgpt/teaching/diagrams"),
        *("book/_pages/claims", "tests/faults"),
    ],
)
def test_a_topic_has_one_name(room):
    stems = {path.stem for path in (ROOT / room).glob("*.py")}
    assert stems & set(TOPICS)
    assert {stem for stem in stems - set(TOPICS) if OTHER_NAMES.search(stem)} == set()


def test_every_exception_from_the_types_names_its_rule_and_its_reason():
    comments = [
        (name(path), line.strip())
        for path in MODULES
        for line in path.read_text("utf-8").splitlines()
        if re.search(r"#\s*(type|pyright|mypy):", line)
    ]
    bare = [
        (path, line)
        for path, line in comments
        if not re.search(r"# pyright: ignore\[report\w+\]  # \w", line)
    ]
    assert bare == []


def test_arrows_between_rooms():
    """`import-linter`'s contracts, as `make lint` runs them."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'book'}"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout
