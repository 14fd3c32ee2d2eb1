"""Facts that hold across all files of the repository."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REPOSITORY = re.search(
    r"^  url: (\S+)$", (ROOT / "_config.yml").read_text(encoding="utf-8"), re.MULTILINE
)[1]
TOOL = "book/_tools/repository.py"
HUB = "https://github.com"  # apart from the accounts below, which would be stray addresses


def git(*arguments: str) -> str:
    result = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, encoding="utf-8")
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


def addresses(texts: dict[str, str], name: str) -> set[tuple[str, str]]:
    """Each file with the accounts, and names, under which it places a repository of the book."""
    names = f"(?:bardgpt|{re.escape(name)})(?![\\w-])"
    said = places(texts, rf"github(?:usercontent)?(?:\.com)?[/:]([\w-]+/{names})")
    said |= {(file, f"{account}/{name}") for file, account in places(texts, ACCOUNT_TOO_LONG)}
    pages = places(texts, rf"\b([\w-]+\.github\.io/{names})")
    return said | {(file, page.replace(".github.io", "")) for file, page in pages}


# The placeholder's account, if it has stayed behind somewhere; GitHub allows 39 characters.
ACCOUNT_TOO_LONG = r"github(?:usercontent)?(?:\.com)?[/:]([\w-]{40,})"


def test_repository_has_one_address(texts):
    address = "/".join(REPOSITORY.split("/")[-2:])
    said = addresses(texts, REPOSITORY.split("/")[-1])
    assert ("_config.yml", address) in said
    assert {place for place in said if place[1].lower() != address.lower()} == set()
    project = tomllib.loads(texts["pyproject.toml"])["project"]
    assert project["urls"]["Repository"] == REPOSITORY
    assert REPOSITORY in texts["CITATION.cff"]


@pytest.mark.parametrize(
    "form", ["https://github.com/{}", "git@github.com:{}.git", "https://x.org/github/{}/blob/main"]
)
def test_a_stray_address_is_seen(form):
    for stray in ("somebody-else/bardgpt", "somebody-else/a-book", f"{'long' * 10}/another"):
        assert addresses({"a file": f"See {form.format(stray)}."}, "a-book")
    other = "somebody-else/a-bookcase"
    assert not addresses({"a file": form.format(other)}, "a-book")


def test_no_path_of_one_machine(texts):
    assert places(texts, r"(?<![\w.~)}])/(?:work|root|home|Users)/[^\s\"']*") == set()


def test_one_place_names_the_development_copy_of_the_text(texts):
    assert {name for name, _ in places(texts, r"shared[/]data")} == {".ci/run"}


def test_notebooks_are_marked_as_generated():
    attribute = git("check-attr", "linguist-generated", "book/01-text-and-yardstick.ipynb")
    assert attribute.strip().endswith(": true")


# `make repository`, on a copy.


@pytest.fixture
def copy(texts, tmp_path) -> Path:
    """The text files of the repository, in a checkout of their own."""
    for name in texts:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    return tmp_path


def contents(root: Path) -> dict[str, str]:
    paths = [path for path in root.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {path.relative_to(root).as_posix(): path.read_bytes().decode() for path in paths}


def set_repository(root: Path, url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, root / TOOL, url], capture_output=True, encoding="utf-8")


def test_tool_sets_the_address_everywhere(copy, texts):
    before, (account, name) = contents(copy), REPOSITORY.split("/")[-2:]
    site = "https://{}.github.io/{}/"
    mixed = f"{{0}}.git, {REPOSITORY}-2, {{1}}"
    (copy / "A.md").write_text(
        mixed.format(REPOSITORY, site.format(account, name)), encoding="utf-8"
    )
    told = set_repository(copy, f"{HUB}/Some-body/a.book/")
    assert told.returncode == 0, told.stderr
    now = contents(copy)
    there = f"{HUB}/Some-body/a.book"
    assert now.pop("A.md") == mixed.format(there, site.format("some-body", "a.book"))
    assert addresses(now, "a.book") == {
        (name, "Some-body/a.book") for name, text in texts.items() if REPOSITORY in text
    }
    assert {name: text.replace(there, REPOSITORY) for name, text in now.items()} == before
    for name in ("_config.yml", "pyproject.toml", "book/03-multi-head-attention.ipynb"):
        assert name in told.stdout.splitlines()

    assert set_repository(copy, f"{there}.git").stdout == "unchanged\n"
    set_repository(copy, f"{HUB}/another/bardgpt")
    set_repository(copy, there)
    (copy / "A.md").unlink()
    assert contents(copy) == now


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "not of the form"),
        (f"{HUB}/some-body/a-book".replace("https", "http"), "not of the form"),
        ("https://gitlab.com/some-body/a-book", "not of the form"),
        (f"{HUB}/some-body", "not of the form"),
        (f"{HUB}/some-body/a-book/tree/main", "not of the form"),
        (f"{HUB}/{'a' * 40}/a-book", "40 characters"),
        (f"{HUB}/some_body/a-book", "letters and digits"),
        (f"{HUB}/-somebody/a-book", "letters and digits"),
        (f"{HUB}/some--body/a-book", "letters and digits"),
        (f"{HUB}/süße/a-book", "letters and digits"),
        (f"{HUB}/some-body/a book", "a repository's name"),
        (f"{HUB}/some-body/..", "a repository's name"),
        (f"{HUB}/some-body/{'a' * 101}", "a repository's name"),
    ],
)
def test_tool_refuses_what_is_no_address(tool, url, reason, tmp_path, capsys):
    shutil.copy(ROOT / "_config.yml", tmp_path)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    assert tool.main([url], tmp_path) == 1
    assert reason in capsys.readouterr().err
    assert contents(tmp_path) == contents_of("_config.yml")


def contents_of(name: str) -> dict[str, str]:
    return {name: (ROOT / name).read_bytes().decode()}


def test_tool_takes_the_longest_account(tool):
    assert tool.parse(f"{HUB}/{'a' * 39}/b") == ("a" * 39, "b")


@pytest.fixture
def tool():
    spec = importlib.util.spec_from_file_location("repository_tool", ROOT / TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("failing", [0, 1, 4])
def test_tool_changes_all_files_or_none(tool, copy, monkeypatch, capsys, failing):
    before, written = contents(copy), []
    real = tool.write_whole

    def write_whole(path, content):
        written.append(path)
        if len(written) == failing + 1:
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(tool, "write_whole", write_whole)
    assert tool.main([f"{HUB}/some-body/a-book"], copy) == 1
    assert "No space left" in capsys.readouterr().err
    assert len(written) > failing + 1 or not failing
    assert contents(copy) == before


def test_tool_that_was_killed_can_be_run_again(tool, copy, monkeypatch):
    def killed(path, content):
        if path.name == "_config.yml":
            raise SystemExit
        path.write_bytes(content)

    url = f"{HUB}/some-body/a-book"
    with monkeypatch.context() as patch:
        patch.setattr(tool, "write_all", lambda all_: [killed(*item) for item in all_.items()])
        with pytest.raises(SystemExit):
            tool.main([url], copy)
    assert tool.main([url], copy) == 0
    assert all(place[1] == "some-body/a-book" for place in addresses(contents(copy), "a-book"))


def test_tool_needs_a_git_checkout(tool, tmp_path, capsys):
    shutil.copy(ROOT / "_config.yml", tmp_path)
    assert tool.main([f"{HUB}/some-body/a-book"], tmp_path) == 1
    assert "git" in capsys.readouterr().err
