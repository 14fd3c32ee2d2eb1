"""Facts that hold across all files of the repository."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = re.search(r"^  url: (\S+)$", (ROOT / "_config.yml").read_text(), re.MULTILINE)[1]


def git(*arguments: str) -> str:
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if result.returncode:
        pytest.skip(f"needs a git checkout: {result.stderr.strip()}")
    return result.stdout


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every text file that is in git or would be added to it, by name."""
    listed = git("ls-files", "--cached", "--others", "--exclude-standard", "-z")
    names = [name for name in listed.split("\0") if (ROOT / name).is_file()]
    contents = {name: (ROOT / name).read_bytes() for name in names}
    return {name: c.decode("utf-8") for name, c in contents.items() if b"\0" not in c}


def places(texts: dict[str, str], pattern: str) -> set[tuple[str, str]]:
    """Each file with what it says there: the pattern's group, or all that it matches."""
    return {
        (name, match[match.re.groups])
        for name, text in texts.items()
        for match in re.finditer(pattern, text)
    }


def test_repository_has_one_address(texts):
    account = REPOSITORY.split("/")[-2]
    said = places(texts, r"github(?:\.com)?[/:]([\w.-]+)/bardgpt\b")
    said |= places(texts, r"\b([\w-]+)\.github\.io/bardgpt\b")
    assert ("_config.yml", account) in said
    assert {place for place in said if place[1] != account} == set()
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    assert project["urls"]["Repository"] == REPOSITORY


def test_no_path_of_one_machine(texts):
    assert places(texts, r"(?<![\w.~)}])/(?:work|root|home|Users)/[^\s\"']*") == set()


def test_one_place_names_the_development_copy_of_the_text(texts):
    assert {name for name, _ in places(texts, r"shared[/]data")} == {".ci/run"}


def test_notebooks_are_marked_as_generated():
    attribute = git("check-attr", "linguist-generated", "book/01-text-and-yardstick.ipynb")
    assert attribute.strip().endswith(": true")
