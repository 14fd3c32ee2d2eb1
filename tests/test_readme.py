"""README shows the house as it is; names and paths that prose and docstrings name are there."""

import importlib
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SOURCE, BOOK, TESTS = ROOT / "src/bardgpt", ROOT / "book", ROOT / "tests"
BUILT = {"__pycache__", "node_modules", ".ipynb_checkpoints"}
LINE = re.compile(r"^( *)(\S+(?: \S+)*) {2,}(\S.*)$")


# --- the tree ------------------------------------------------------------------------------------


def tree() -> dict[Path, list[str]]:
    """The folders and modules of README's tree, each with the descriptions that stand beside it."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (block,) = [block for language, block in blocks if not language]
    shown: dict[Path, list[str]] = {}
    for indent, names, description in (LINE.match(line).groups() for line in block.splitlines()):
        if not indent:
            root = ROOT / names
            shown.setdefault(root, []).append(description)
            continue
        for name in names.split():
            shown.setdefault(root / name, []).append(description)
    return shown


def folders(root: Path, depth: int) -> set[Path]:
    """The folders below one, down to some depth, without those that tools make."""
    inside = {path for path in root.iterdir() if path.is_dir() and path.name not in BUILT}
    return inside | {f for path in inside if depth > 1 for f in folders(path, depth - 1)}


def test_tree_shows_every_folder_once():
    """In the package all but the folders of single records; in book and tests the first level."""
    there = {SOURCE, BOOK, TESTS} | folders(SOURCE, 2) | folders(BOOK, 1) | folders(TESTS, 1)
    shown = tree()
    records = {SOURCE / "recorded" / name for name in ("full", "sprint", "rungs")}
    assert {path for path in shown if path.is_dir()} == there - records
    assert [path for path, descriptions in shown.items() if len(descriptions) > 1] == []


def test_tree_shows_every_module_of_the_core():
    modules = {path.with_suffix("") for path in SOURCE.glob("[!_]*.py")}
    assert {path for path in tree() if not path.is_dir()} == modules


# --- where to change what ------------------------------------------------------------------------


def places() -> list[tuple[str, str, str]]:
    """Each thing that may be changed, with the file and what to look for there."""
    return re.findall(
        r"^\| ([^|`]+) \| `([^`]+)` \| (`[^`]+`|[^|]+) \| [^|]+ \|$", README, re.MULTILINE
    )


def test_newcomer_is_told_where_to_change_what():
    asked = "scale of attention", "steps", "sentence", "colour of keys", "planted"
    assert all(any(what in thing for thing, *_ in places()) for what in asked)


@pytest.mark.parametrize(("thing", "file", "piece"), places())
def test_what_to_look_for_is_there(thing, file, piece):
    assert piece.strip("`") in (ROOT / file).read_text(encoding="utf-8") or "`" not in piece


def test_every_task_that_readme_names_is_one_of_make():
    tasks = set(
        re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert (
        set(re.findall(r"\bmake ([a-z-]+)\b", "\n".join(re.findall(r"`(.*?)`", README)))) <= tasks
    )


def test_walks_have_ten_steps_each():
    walks = re.findall(r"(?:^\d+\. .*\n)+", README, re.MULTILINE)
    assert [len(walk.splitlines()) for walk in walks] == [10, 10]


# --- names and paths in words --------------------------------------------------------------------

WORDS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *BOOK.glob("*.md"), *BOOK.glob("api/*.md")]
CODE = [
    *SOURCE.rglob("*.py"),
    *(path for path in BOOK.rglob("*.py") if not BUILT & {*path.parts}),
    *TESTS.glob("*.py"),
    *TESTS.glob("faults/*.py"),
]
SETTINGS = [ROOT / name for name in ("Makefile", "pyproject.toml", "_config.yml")]
DOTTED = re.compile(r"(?<![\w./-])bardgpt(?:\.[a-zA-Z_]\w*)+")
PATH = re.compile(r"(?<![\w./-])(?:src|book|tests)/[\w./-]*\w(?![\w*])")
SHORT = re.compile(r"`((?:[\w-]+/)*[\w-]+(?:/|\.py|\.md|\.json))`|`((?:[\w-]+/)+[\w-]+)`")
# In words only: a file that the reader makes, or the build, or that the website offers, and what
# stands for any file.
MADE_UP = {
    "book/appendix/temperature.py",
    "src/bardgpt/cli/page.html",
    "bardgpt.py",
    "book/name.py",
}


def words_of(path: Path) -> str:
    """What a file says in words: all of a page; of a program its comments and docstrings."""
    if path.suffix != ".py":
        return path.read_text(encoding="utf-8")
    with tokenize.open(path) as file:
        tokens = [*tokenize.generate_tokens(file.readline)]
    docstring = '"""'
    return "\n".join(
        token.string
        for token in tokens
        if token.type == tokenize.COMMENT
        or (token.type == tokenize.STRING and token.string.lstrip("rR").startswith(docstring))
    )


def exists(name: str) -> bool:
    """Whether a dotted name is a module, or something that can be reached from one."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        try:
            thing = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            if not hasattr(thing, part) and part not in getattr(thing, "__annotations__", {}):
                return False
            thing = getattr(thing, part, None)
        return True
    return False


def missing(text: str) -> set[str]:
    """The dotted names and the paths in a text that lead nowhere."""
    gone = {name for name in {*DOTTED.findall(text)} - MADE_UP if not exists(name)}
    paths = {path for path in PATH.findall(text) if not BUILT & {*path.split("/")}}
    return gone | {path for path in paths - MADE_UP if not (ROOT / path).exists()}


@pytest.mark.parametrize(
    "path", [*WORDS, *CODE, *SETTINGS], ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_names_and_paths_lead_somewhere(path):
    assert missing(words_of(path)) == set()


def test_files_that_readme_names_in_short_are_there():
    """In the walks a path begins in the package, the book or the tests."""
    named = {long or short for long, short in SHORT.findall(README)}
    bases = (ROOT, SOURCE, BOOK, TESTS)
    assert len(named) > 20
    assert {name for name in named if not any((base / name).exists() for base in bases)} == set()


@pytest.mark.parametrize(
    "text",
    [
        "see `bardgpt.teaching.ladder`",
        "`bardgpt.training.loop.train`",
        "bardgpt.gpt.GPT.forwards",
        "in tests/faults.py.",
        "`src/bardgpt/run.py`",
    ],
)
def test_a_name_that_leads_nowhere_is_seen(text):
    assert missing(text)


@pytest.mark.parametrize(
    "text",
    ["`bardgpt.lab.ladder.RUNGS`", "bardgpt.gpt.GPT.forward.", "`tests/faults`", "src/bardgpt/"],
)
def test_a_name_that_leads_somewhere_is_let_be(text):
    assert not missing(text)
