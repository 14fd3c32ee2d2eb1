"""What is imported is declared, what is declared is pinned, and the two say the same."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def lines(name: str) -> list[str]:
    """What a requirements file asks for."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in (line.partition("#")[0].strip() for line in text.splitlines()) if line]


LINES, LAB = lines("requirements.txt"), lines("requirements-lab.txt")
PINS = [line for line in LINES + LAB if not line.startswith("-")]


def declared(*groups: str) -> dict[str, Requirement]:
    """The declared requirements by name: of the package, and of these extras."""
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *(line for group in groups for line in extras[group])]
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in requirements}


ALL = declared(*PROJECT["optional-dependencies"])


@cache
def third_party(path: Path) -> frozenset[str]:
    """The modules that a file imports and that come neither with Python nor from beside it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.partition(".")[0])
    beside = {sibling.stem for sibling in path.parent.iterdir()}
    ours = {
        "bardgpt",
        "_ext",
        "_pages",
        "answers",
        "faults",
        *(tool.stem for folder in ("_ext", "_tools") for tool in ROOT.glob(f"book/{folder}/*.py")),
    }
    return frozenset(found - set(sys.stdlib_module_names) - beside - ours)


INSTALLED = packages_distributions()  # asked once: it reads the list of every package's files


def distributions(module: str) -> set[str]:
    """The installed packages that a module comes from."""
    return {canonicalize_name(name) for name in INSTALLED.get(module, [])}


@pytest.mark.parametrize("line", PINS)
def test_every_line_is_a_pin_within_its_bound(line):
    pin = re.fullmatch(r"([A-Za-z0-9._-]+)==([^\s*]+)", line)
    assert pin, f"{line!r} is not of the form name==version"
    requirement = ALL.get(canonicalize_name(pin[1]))
    assert requirement, f"{pin[1]} is pinned, and pyproject.toml does not declare it"
    assert requirement.specifier.contains(pin[2]), f"{line} is outside {requirement}"


def test_every_declared_package_is_pinned_once():
    pinned = [canonicalize_name(line.partition("==")[0]) for line in PINS]
    assert sorted(pinned) == sorted(ALL)


def test_requirements_install_the_package_itself():
    assert "-e ." in LINES


def test_jupyterlab_changes_no_pin():
    assert "--requirement requirements.txt" in LAB


def test_package_has_lower_bounds_only():
    """Colab brings its own versions; a newer one must do."""
    for requirement in declared().values():
        assert [bound.operator for bound in requirement.specifier] == [">="], requirement


# A chapter in Colab has the package's dependencies and nothing more.
@pytest.mark.parametrize(
    ("pattern", "groups"),
    [
        ("src/**/*.py", []),
        ("book/*.py", []),
        ("book/appendix/*.py", []),
        ("book/_[!t]*/**/*.py", ["book"]),
        ("book/_tools/*.py", ["book", "test"]),
        ("tests/**/*.py", ["book", "test"]),
    ],
)
def test_every_import_is_declared_where_it_is_needed(pattern, groups):
    allowed = set(declared(*groups))
    undeclared = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sorted(ROOT.glob(pattern))
        for module in sorted(third_party(path))
        if not distributions(module) & allowed
    ]
    assert undeclared == []


def test_every_dependency_of_the_package_is_imported_by_it():
    modules = {module for path in ROOT.glob("src/**/*.py") for module in third_party(path)}
    used = {name for module in modules for name in distributions(module)}
    assert set(declared()) - used == set()
