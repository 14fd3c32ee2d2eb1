"""The pages of the package: every public module once, in its room."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import bardgpt

BOOK = Path(__file__).resolve().parents[1] / "book"
PAGES = sorted((BOOK / "api").glob("*.md"))
# Chapters call what these packages offer, not the modules in them; the pages do likewise. The
# command's modules are for the command, whose own help explains it.
OFFERED_BY_PACKAGE = (
    *(f"bardgpt.teaching.{package}." for package in ("exercises", "figures", "diagrams")),
    "bardgpt.teaching.live.toys",
    "bardgpt.cli.",
)
ROOMS = {"records": "records", "lab": "lab", "teaching": "teaching"}  # all others are the core


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def named(page: Path) -> list[str]:
    """The modules that a page documents, in its order."""
    return re.findall(r"^\.\. automodule:: (\S+)$", read(page), re.MULTILINE)


def public() -> set[str]:
    """Every module of the package, and every package in it."""
    walked = pkgutil.walk_packages(bardgpt.__path__, "bardgpt.")
    return {module.name for module in walked if not module.name.split(".")[-1].startswith("_")}


def test_every_public_module_stands_on_one_page():
    modules = [module for page in PAGES for module in named(page)]
    assert sorted({*modules}) == sorted(modules)
    owed = {name for name in public() if not name.startswith(OFFERED_BY_PACKAGE)}
    assert owed - {*modules} == set(), "give it a section on its room's page"
    assert {*modules} - public() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_keeps_to_its_room(page):
    """Each room of the house has a page, the core has three."""
    rooms = {ROOMS.get(module.split(".")[1], "core") for module in named(page)}
    assert rooms == {ROOMS.get(page.stem, "core")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_sections_have_the_names_of_their_modules(page):
    sections = re.findall(r"^## (\S+)\n(?:[^#]*?)automodule:: bardgpt\.(\S+)", read(page), re.M)
    assert sections
    assert [name for name, module in sections if not f".{module}".endswith(f".{name}")] == []


def test_overview_leads_to_every_page_and_names_what_is_there():
    lines = re.findall(
        r"^- \[[^\]]+\]\(api/(\w+)\.md\): (.*)$", read(BOOK / "api.md"), re.MULTILINE
    )
    assert sorted(page for page, _ in lines) == [page.stem for page in PAGES]
    for page, said in lines:
        documented = {module.split(".")[1] for module in named(BOOK / f"api/{page}.md")}
        for name in re.findall(r"`(\w+)`", said):
            assert name in documented or importlib.util.find_spec(f"bardgpt.{page}.{name}")
