"""No file is read or written in whatever encoding the machine has: each call names its own.

In a locale without UTF-8 the others fail on the first dash that is not ASCII, or write what no
other machine can read.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENCODING = {"read_text": 0, "write_text": 1}  # its place where it is given without its name
RUNNERS = ("run", "Popen", "check_output")


def unnamed(source: str) -> Iterator[str]:
    """The calls that leave the encoding of a text to the machine."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call):
            continue
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        options = {keyword.arg: keyword.value for keyword in call.keywords}
        if "encoding" in options:
            continue
        as_text = "text" in options or "universal_newlines" in options
        if (
            (name in ENCODING and len(call.args) <= ENCODING[name])
            or (name == "open" and is_text(call, options))
            or (name in RUNNERS and as_text)
        ):
            yield f"line {call.lineno}: {ast.unparse(call)}"


def is_text(call: ast.Call, options: dict[str | None, ast.expr]) -> bool:
    """Whether what `open` returns, or a path's `open`, is read or written as text."""
    of_a_path = isinstance(call.func, ast.Attribute)
    if of_a_path and ast.unparse(call.func.value) in ("os", "tokenize", "pikepdf"):
        return False  # a descriptor; what the file itself declares; a PDF
    place = 0 if of_a_path else 1
    mode = options.get("mode", call.args[place] if len(call.args) > place else ast.Constant("r"))
    return not (isinstance(mode, ast.Constant) and "b" in str(mode.value))


@pytest.mark.parametrize("folder", ["src", "book", "tests"])
def test_every_text_is_read_and_written_in_a_named_encoding(folder):
    files = [path for path in ROOT.glob(f"{folder}/**/*.py") if "node_modules" not in path.parts]
    assert files
    calls = {str(path): list(unnamed(path.read_text(encoding="utf-8"))) for path in files}
    assert {path: where for path, where in calls.items() if where} == {}


@pytest.mark.parametrize(
    "source",
    [
        "path.read_text()",
        "path.write_text(text)",
        "open(path)",
        "open(path, 'a')",
        "open(path, mode=mode)",
        "path.open()",
        "path.open('w')",
        "subprocess.run(command, text=True)",
        "subprocess.Popen(command, universal_newlines=True)",
    ],
)
def test_a_call_that_names_none_is_seen(source):
    assert list(unnamed(source)) == [f"line 1: {source}"]


@pytest.mark.parametrize(
    "source",
    [
        "path.read_text('utf-8')",
        "path.read_text(encoding='utf-8')",
        "path.write_text(text, 'utf-8')",
        "open(path, 'rb')",
        "open(path, encoding='utf-8')",
        "path.open('wb')",
        "os.open(path, os.O_RDONLY)",
        "tokenize.open(path)",
        "subprocess.run(command, capture_output=True)",
        "subprocess.run(command, encoding='utf-8')",
        "read(path)",
    ],
)
def test_other_calls_are_left_alone(source):
    assert list(unnamed(source)) == []
