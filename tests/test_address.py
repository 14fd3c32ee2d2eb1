"""Where the book is published, as a build finds out, and the workflow that publishes it."""

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from _ext import bardgpt_address
from _ext.bardgpt_address import Address, find

ROOT = Path(__file__).resolve().parents[1]
TOOL = ROOT / "book/_tools/repository.py"
HUB = "https://github.com"  # apart from the accounts, which would be stray addresses of the book
OURS = Address("some-body", "a-book")
WORKFLOW = {
    "GITHUB_SERVER_URL": HUB,
    "GITHUB_REPOSITORY": "some-body/a-book",
    "GITHUB_REF_NAME": "trunk",
}


def clone(folder: Path, origin: str = "") -> Path:
    """A folder that is a clone of something."""
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    if origin:
        subprocess.run(["git", "-C", folder, "remote", "add", "origin", origin], check=True)
    return folder


@pytest.mark.parametrize(
    "origin",
    [
        "git@github.com:some-body/a-book.git",
        "ssh://git@github.com/some-body/a-book.git",
        "ssh://git@github.com:22/some-body/a-book",
        f"{HUB}/some-body/a-book",
        f"{HUB}/some-body/a-book.git/",
        "https://x-access-token:ghs_1234@github.com/some-body/a-book.git",
    ],
)
def test_origin_on_github_is_the_address(tmp_path, origin):
    address = find(clone(tmp_path, origin), {})
    assert address == OURS
    assert address.repository == f"{HUB}/some-body/a-book"


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "/somewhere/on/this/disk",
        "https://gitlab.com/some-body/a-book.git",
        "https://github.com.evil.org/some-body/a-book",
        f"https://evil.org/{HUB}/some-body/a-book",
        f"{HUB}/{'a' * 40}/a-book",
        "git@github.com:some-body",
    ],
)
def test_another_origin_is_none(tmp_path, origin):
    assert find(clone(tmp_path, origin), {}) is None


def test_no_clone_has_no_address(tmp_path):
    assert find(tmp_path, {}) is None


def test_no_git_has_no_address(tmp_path, monkeypatch):
    clone(tmp_path, f"{HUB}/some-body/a-book")
    monkeypatch.setenv("PATH", "")
    assert find(tmp_path, {}) is None


def test_a_copy_inside_another_clone_does_not_take_its_address(tmp_path):
    inside = clone(tmp_path, f"{HUB}/some-body/another") / "unpacked/book"
    inside.mkdir(parents=True)
    assert find(inside, {}) is None


def test_workflow_says_the_address_and_comes_first(tmp_path):
    root = clone(tmp_path, f"{HUB}/another/copy")
    assert find(root, WORKFLOW) == Address("some-body", "a-book", "trunk")


def test_a_pull_request_is_on_no_branch_of_its_own(tmp_path):
    merge = {**WORKFLOW, "GITHUB_REF_NAME": "7/merge", "GITHUB_HEAD_REF": "patch"}
    assert find(tmp_path, merge) == OURS


def test_workflow_on_another_host_says_no_address(tmp_path):
    assert find(tmp_path, {**WORKFLOW, "GITHUB_SERVER_URL": "https://git.example.org"}) is None


@pytest.mark.parametrize(
    ("account", "name", "pages"),
    [
        ("Any-body", "B.book", "https://any-body.github.io/B.book/"),
        ("Any-body", "any-body.github.io", "https://any-body.github.io/"),
    ],
)
def test_address_of_the_website(account, name, pages):
    assert Address(account, name).pages == pages


# What the build makes of it


@pytest.fixture
def book(tmp_path):
    """A folder whose `_config.yml` names a repository, as the chapters' first cells do."""

    def book(named: str) -> Path:
        (tmp_path / "_config.yml").write_text(f"repository:\n  url: {named}\n", encoding="utf-8")
        return tmp_path

    return book


def settled(root: Path, environment: dict[str, str], monkeypatch) -> tuple[dict, set, str]:
    """The theme's options, the tags and the base that the build is given."""
    monkeypatch.setattr(bardgpt_address.os, "environ", environment)
    tags: set[str] = set()
    written = {"repository_url": f"{HUB}/x/y", "repository_branch": "main", "other": 1}
    options = {**written, "launch_buttons": {"colab_url": "https://colab.example.org"}}
    config = SimpleNamespace(html_theme_options=options, html_baseurl="", bardgpt_repository="")
    app = SimpleNamespace(srcdir=str(root), tags=tags)
    bardgpt_address.settle(app, config)
    return options, tags, config.html_baseurl


def test_without_an_address_there_is_no_button(book, monkeypatch):
    root = book(f"{HUB}/some-body/a-book")
    assert settled(root, {}, monkeypatch) == ({"other": 1}, set(), "")


def test_with_an_address_every_button_has_it(book, monkeypatch):
    options, tags, base = settled(book(f"{HUB}/some-body/a-book"), WORKFLOW, monkeypatch)
    assert options["repository_url"] == f"{HUB}/some-body/a-book"
    assert options["repository_branch"] == "trunk"
    assert all(options[f"use_{kind}_button"] for kind in ("repository", "issues", "edit_page"))
    assert "launch_buttons" in options
    assert tags == {"published", "colab"}
    assert base == "https://some-body.github.io/a-book/"


def test_colab_is_not_offered_where_its_cell_has_no_address(book, monkeypatch):
    options, tags, _ = settled(book(f"{HUB}/{'a' * 40}/a-book"), WORKFLOW, monkeypatch)
    assert "launch_buttons" not in options
    assert tags == {"published"}


@pytest.mark.parametrize(("suffix", "said"), [(".md", "some-body/a-book"), (".py", "x/y")])
def test_text_names_the_address_that_was_found(book, suffix, said):
    root, source = book(f"{HUB}/x/y"), [f"git clone {HUB}/x/y"]
    config = SimpleNamespace(bardgpt_repository=f"{HUB}/some-body/a-book")
    env = SimpleNamespace(doc2path=lambda docname: docname + suffix)
    app = SimpleNamespace(srcdir=str(root), config=config, env=env)
    bardgpt_address.say_address(app, "page", source)
    assert source == [f"git clone {HUB}/{said}"]


# The workflow that publishes


def published(root: Path, url: str) -> subprocess.CompletedProcess[str]:
    """What the workflow's first step says in a copy of the book."""
    (root / "book/_tools").mkdir(parents=True, exist_ok=True)
    (root / "book/_tools/repository.py").write_bytes(TOOL.read_bytes())
    command = [sys.executable, root / "book/_tools/repository.py", "--published", url]
    return subprocess.run(command, capture_output=True, encoding="utf-8")


def test_workflow_goes_on_where_colab_installs_what_it_publishes(book):
    told = published(book(f"{HUB}/Some-body/a-book"), f"{HUB}/some-body/a-book")
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_workflow_stops_with_one_sentence_where_it_would_not(book):
    told = published(book(f"{HUB}/another/a-book"), f"{HUB}/some-body/a-book")
    assert told.returncode == 1
    assert told.stderr == (
        "The chapters' first cell would install another/a-book on Colab: say "
        f"make repository URL={HUB}/some-body/a-book, and commit what it changes.\n"
    )


def test_workflow_asks_before_it_builds():
    workflow = (ROOT / ".github/workflows/pages.yml").read_text(encoding="utf-8")
    steps = re.findall(r"- run: (.+)", workflow)
    assert steps[0] == (
        "PYTHONPATH=src python book/_tools/repository.py --published "
        '"$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"'
    )
    assert steps.index("make book") > 0
