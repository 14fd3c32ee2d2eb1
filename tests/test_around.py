"""The pages around the chapters: contents, minutes, glossary, references, versions."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BOOK = ROOT / "book"
NOTEBOOKS = [*sorted(BOOK.glob("*.py")), *sorted(BOOK.glob("appendix/*.py"))]


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


# Contents


def entries() -> list[str]:
    """Every file that the table of contents names, in order."""
    return re.findall(r"^ *(?:- )?(?:root|file): (\S+)$", read(ROOT / "_toc.yml"), re.MULTILINE)


def test_contents_name_every_page_once():
    """The build finds an entry without a file; a page that has none would only be a warning."""
    named = entries()
    below = [path.relative_to(BOOK) for path in BOOK.rglob("*.md")]
    pages = [BOOK / path for path in below if not path.parts[0].startswith("_")]
    expected = [path.relative_to(ROOT).with_suffix("").as_posix() for path in [*pages, *NOTEBOOKS]]
    assert sorted(named) == sorted(expected)


def test_chapters_stand_in_order_and_appendices_after_them():
    named = entries()
    chapters = [name for name in named if re.match(r"book/\d", name)]
    assert chapters == sorted(chapters)
    appendices = [name for name in named if name.startswith("book/appendix/")]
    assert all(named.index(one) > named.index(chapters[-1]) for one in appendices)


# Minutes


@pytest.fixture
def minutes(monkeypatch):
    monkeypatch.syspath_prepend(BOOK / "_tools")
    yield __import__("minutes")
    for name in ("minutes", "notebooks"):
        sys.modules.pop(name, None)


def test_every_chapter_says_how_long_it_takes(minutes):
    page = minutes.page()
    assert read(minutes.PAGE) == page, "say: make notebooks"
    for path in NOTEBOOKS:
        assert f"]({path.relative_to(BOOK).with_suffix('.ipynb').as_posix()}) |" in page


MAIN_LINE, FAST_PATH = 2_800, 1_800  # words of a chapter that everybody reads, at most


@pytest.mark.parametrize(
    "path",
    sorted([*BOOK.glob("[0-9]*.py"), *BOOK.glob("appendix/*.py")]),
    ids=lambda path: path.stem,
)
def test_main_line_is_short(minutes, path):
    of_fast_path = path.stem in ("fast-attention", "cache", "several-gpus")
    assert minutes.main_line(path) <= (FAST_PATH if of_fast_path else MAIN_LINE)


def test_main_line_has_no_folds_and_no_exercises(minutes, tmp_path):
    path = tmp_path / "chapter.py"
    path.write_text(
        "# %% [markdown]\n# # One two\n\n# %% [markdown]\n# <details>three</details>\n\n"
        "# %% [markdown]\n# ## Exercises\n#\n# four\n\n# %% [markdown]\n# ## Five\n",
        encoding="utf-8",
    )
    assert minutes.words_of_sections(path) == {"": 3, "Exercises": 3, "Five": 2}
    assert minutes.main_line(path) == 5


def test_landing_page_says_how_many_chapters_there_are_and_how_long_they_take(minutes):
    """In hours to the nearest half, of text alone and with the code."""
    assert read(BOOK / "index.md") == minutes.landing(), "say: make notebooks"
    numbered = [path for path in minutes.every_chapter() if path.parent == BOOK]
    text = sum(map(minutes.to_read, numbered)) / 60
    both = text + sum(map(minutes.to_read_code, numbered)) / 60
    number = r"(\d+)(½?)"
    facts = rf"(\d+) chapters · about {number} hours, {number} with the code ·"
    said = re.search(facts, read(BOOK / "index.md"))
    assert int(said[1]) == len(numbered)
    for hours, whole, half in ((text, *said.group(2, 3)), (both, *said.group(4, 5))):
        assert abs(hours - int(whole) - 0.5 * bool(half)) <= 0.25


@pytest.mark.parametrize(
    ("hours", "said"), [(2.2, "2"), (2.3, "2½"), (2.74, "2½"), (2.8, "3"), (0.4, "0½")]
)
def test_hours_to_the_nearest_half(minutes, hours, said):
    assert minutes.said_in_hours(hours) == said


def test_all_chapters_together_are_no_appendix(minutes, monkeypatch, tmp_path):
    """The sum of what was not yet rounded, in minutes and in seconds."""
    monkeypatch.setattr(minutes, "BOOK", tmp_path)
    (tmp_path / "appendix").mkdir()
    paths = [tmp_path / name for name in ("01-a.py", "02-b.py", "appendix/c.py")]
    for path in paths:
        text = f"# %% [markdown]\n# # {path.stem}\n# {'word ' * 306}\n\n"  # 308: 1.4 minutes
        path.write_text(text + "# %%\n" + "x\n" * 21, encoding="utf-8")  # 0.7 minutes
    made = minutes.table(paths, {"01-a": 1.4, "02-b": 2.4, "c": 9.0})
    assert made.splitlines()[2:] == [
        "| [01-a](01-a.ipynb) | 1 | 2 | 1 |",
        "| [02-b](02-b.ipynb) | 1 | 2 | 2 |",
        "| **all 2** | **3** | **4** | **4** |",
        "| [c](appendix/c.ipynb) | 1 | 2 | 9 |",
    ]


def test_minutes_count_what_is_in_sight(minutes, tmp_path):
    chapter = tmp_path / "01-draft.py"
    hidden = "".join(f'# %% tags=["{tag}"]\nx = 1\n' + "x\n" * 300 for tag in minutes.UNSEEN)
    hidden += "# %% [markdown]\n# <details>\n#\n# " + "word " * 300 + "\n\n"
    text = f"# %% [markdown]\n# # A title\n# {'word ' * 437}\n\n"
    chapter.write_text(f"{text}{hidden}# %%\n" + "x\n\n" * 30, encoding="utf-8")
    assert minutes.title(chapter) == "A title"
    assert minutes.to_read(chapter) == 2  # 440 words
    assert minutes.to_read_code(chapter) == 1  # 30 lines


# Glossary


def terms() -> dict[str, str]:
    """Each term with what is said about it."""
    inside = re.search(r"```\{glossary\}\n(.*?)\n```", read(BOOK / "glossary.md"), re.DOTALL)[1]
    parts = [part.split("\n", 1) for part in inside.split("\n\n")]
    return {term: " ".join(said.split()) for term, said in parts}


def test_terms_are_in_order_and_explained_once():
    names = list(terms())
    assert names == sorted(names, key=str.lower)
    assert len({name.lower() for name in names}) == len(names) > 40


@pytest.mark.parametrize("term", terms())
def test_term_leads_to_a_chapter_that_uses_it(term):
    said = terms()[term]
    name, target, kind = re.search(r"\[([^]]+)\]\(([\w./-]+)\.(ipynb|md)\)$", said).groups()
    assert target.startswith(f"0{name[-1]}-") == name.startswith("Chapter ")
    page = BOOK / f"{target}.{kind.replace('ipynb', 'py')}"
    chapter = re.sub(r"\s#?\s*", " ", read(page)).lower()  # lines joined
    assert re.sub(r"s$|'s start$", "", term.lower()) in chapter
    assert said.count(". ") <= 2, "one or two sentences"


# References


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def references() -> dict[str, str]:
    """Each entry's text, by its anchor."""
    parts = re.split(r"^### (.+)$", read(BOOK / "references.md"), flags=re.MULTILINE)[1:]
    return {slug(name): text for name, text in zip(parts[::2], parts[1::2], strict=True)}


def citations() -> dict[str, set[str]]:
    """The anchors of the reference page that each page of the book names."""
    pages = [*NOTEBOOKS, *(p for p in BOOK.rglob("*.md") if p.name != "references.md")]
    return {page.name: set(re.findall(r"references\.md#([\w-]+)", read(page))) for page in pages}


@pytest.mark.parametrize("anchor", references())
def test_reference_can_be_found_and_is_cited(anchor):
    stable = r"\]\(https://(doi\.org|arxiv\.org/abs|github\.com|[\w.-]+)/\S+\)|The Python package"
    assert re.search(stable, references()[anchor])
    assert any(anchor in cited for cited in citations().values())


def test_identifiers_and_addresses_agree():
    """[doi:X] leads to doi.org/X, [arXiv:X] to arxiv.org/abs/X."""
    text = read(BOOK / "references.md")
    for kind, base in (("doi:", "https://doi.org/"), ("arXiv:", "https://arxiv.org/abs/")):
        found = re.findall(rf"\[{kind}([^\]]+)\]\(([^)]+)\)", text)
        assert found
        assert [(name, address) for name, address in found if address != base + name] == []


def test_citations_resolve():
    missing = {page: cited - references().keys() for page, cited in citations().items()}
    assert {page: cited for page, cited in missing.items() if cited} == {}


# Versions


def test_the_version_is_said_in_one_place():
    """pyproject.toml says it; the newest heading of the changelog is the same or not released."""
    version = tomllib.loads(read(ROOT / "pyproject.toml"))["project"]["version"]
    headings = re.findall(r"^## \[?([\w.]+)", read(ROOT / "CHANGELOG.md"), re.MULTILINE)
    assert next(name for name in headings if name != "Unreleased") == version
    assert version not in read(ROOT / "CITATION.cff")
