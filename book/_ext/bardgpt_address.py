"""Where the book is published: the build knows it, or it stays unsaid.

A copy of the book can lie anywhere, and a link to a repository that is not there is worse than
none. So the address is that of the workflow that builds the site, else that of the clone's
`origin`, where either is on github.com. With an address pages have links to GitHub and to Colab, a
canonical address, and the tag `published`; without one they have none of these, and say how a
notebook is had instead.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sphinx.application import Sphinx
from sphinx.config import Config

sys.path.append(str(Path(__file__).parents[1] / "_tools"))  # `make repository` knows GitHub's rules

from repository import AddressError, parse, present

GITHUB = "https://github.com"
# What git takes for the same repository: with a user or a token, by ssh, with a port.
ORIGIN = re.compile(r"(?:[a-z+]+://)?(?:[^/@]*@)?(?:www\.)?github\.com(?::\d+)?[/:](.+)", re.I)
# What the theme can say of a repository.
OPTIONS = ("repository_url", "repository_branch", "launch_buttons")
BUTTONS = ("use_repository_button", "use_issues_button", "use_edit_page_button")


class Address(NamedTuple):
    """A repository on GitHub.

    Attributes:
        account: Who has it.
        name: What it is called there.
        branch: The branch that is built, where the build says so.
    """

    account: str
    name: str
    branch: str = ""

    @property
    def repository(self) -> str:
        """Its address."""
        return f"{GITHUB}/{self.account}/{self.name}"

    @property
    def pages(self) -> str:
        """The address of its website, as GitHub gives it out."""
        host = f"{self.account.lower()}.github.io"
        return f"https://{host}/" if self.name.lower() == host else f"https://{host}/{self.name}/"


def origin(root: Path) -> str:
    """Return what git calls the clone's `origin`; "" where the folder is no clone itself.

    A copy without git of its own may lie inside another checkout, whose origin is not the book's.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(root), *arguments]
        try:
            told = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
        except (OSError, subprocess.CalledProcessError):
            return ""
        return told.stdout.strip()

    top = git("rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != root.resolve():
        return ""
    return git("config", "--get", "remote.origin.url")


def candidates(root: Path, environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each address that the build has, with its branch, if that is said."""
    if name := environment.get("GITHUB_REPOSITORY"):
        is_merge = environment.get("GITHUB_HEAD_REF")  # a pull request is built on no branch
        branch = "" if is_merge else environment.get("GITHUB_REF_NAME", "")
        yield f"{environment.get('GITHUB_SERVER_URL', GITHUB)}/{name}", branch
    if found := ORIGIN.fullmatch(origin(root)):
        yield f"{GITHUB}/{found[1]}", ""


def find(root: Path, environment: Mapping[str, str]) -> Address | None:
    """Return where the book is published, or None where the build does not know.

    Args:
        root: The book's folder.
        environment: The environment's variables, of which a workflow sets some.
    """
    for url, branch in candidates(root, environment):
        try:
            return Address(*parse(url), branch)
        except AddressError:
            continue
    return None


def colab_can_install(root: Path) -> bool:
    """Say whether the chapters' first cell names a repository: `make repository` sets it."""
    try:
        parse("/".join([GITHUB, *present(root)]))
    except AddressError:
        return False
    return True


def settle(app: Sphinx, config: Config) -> None:
    """Give the theme the address, or take from it what needs one."""
    root, options = Path(app.srcdir), config.html_theme_options
    address = find(root, os.environ)
    if address is None:
        for name in (*OPTIONS, *BUTTONS):
            options.pop(name, None)
        return
    app.tags.add("published")
    options["repository_url"] = config.bardgpt_repository = address.repository
    options["repository_branch"] = address.branch or options.get("repository_branch", "main")
    options.update(dict.fromkeys(BUTTONS, True))
    config.html_baseurl = address.pages
    if colab_can_install(root):
        app.tags.add("colab")
    else:
        options.pop("launch_buttons", None)


def say_address(app: Sphinx, docname: str, source: list[str]) -> None:
    """Let a text name the address that was found, where it names the one in `_config.yml`.

    A chapter's text stays: its downloads and its stored executions know it as it is.
    """
    if app.config.bardgpt_repository and app.env.doc2path(docname).endswith(".md"):
        written = "/".join([GITHUB, *present(Path(app.srcdir))])
        source[0] = source[0].replace(written, app.config.bardgpt_repository)


def setup(app: Sphinx) -> dict[str, object]:
    """Connect the search for an address to the begin of a build."""
    app.add_config_value("bardgpt_repository", "", "env")  # a new one has all pages read again
    app.connect("config-inited", settle, priority=100)
    app.connect("source-read", say_address)
    return {
        "version": "1",
        "parallel_read_safe": True,
        "parallel_write_safe": True,
    }
