"""What the site offers to take along: what is there is named, and what is old is taken away."""

import os
import re
import zipfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import offering
import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = '<p>Take it.</p><ul class="offered"></ul><p>And go.</p>'


@pytest.fixture
def site(tmp_path):
    page = tmp_path / offering.PAGE
    page.parent.mkdir()
    page.write_text(PAGE, encoding="utf-8")
    os.utime(page, (1_000, 1_000))
    return tmp_path


@pytest.fixture
def app(site, tmp_path_factory):
    """A build, of a repository with one notebook."""
    root = tmp_path_factory.mktemp("repository")
    for name in ("book/one.ipynb", *offering.NEEDED, *offering.SOURCES.values()):
        (root / name).parent.mkdir(exist_ok=True, parents=True)
        (root / name).write_text(name, encoding="utf-8")
    return SimpleNamespace(builder=SimpleNamespace(name="html"), outdir=site, srcdir=root)


def put(site: Path, name: str, size: int, time: int = 2_000) -> Path:
    file = site / offering.FOLDER / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(b"x" * size)
    os.utime(file, (time, time))
    return file


def shown(site: Path) -> str:
    return (site / offering.PAGE).read_text(encoding="utf-8")


def test_only_what_is_there_is_named(site):
    put(site, "bardgpt.pdf", 6_400_000)
    offering.offer(site)
    link = '<a href="../files/bardgpt.pdf" download>the book as PDF</a> (6.4 MB)'
    assert shown(site) == PAGE.replace("></ul>", f"><li>{link}</li></ul>")


def test_naming_it_again_changes_nothing_and_makes_no_page_newer(site):
    put(site, "bardgpt.epub", 10)
    for _ in range(2):
        offering.offer(site)
    assert shown(site).count("<li>") == 1
    assert (site / offering.PAGE).stat().st_mtime == 1_000


def test_a_site_without_that_page_is_left_alone(tmp_path):
    offering.offer(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_build_keeps_what_is_newer_than_its_pages(site, app):
    put(site, "bardgpt.pdf", 10)
    offering.renew(app, None)
    assert "bardgpt.pdf" in shown(site)
    assert "bardgpt-notebooks.zip" in shown(site)


def test_a_build_offers_the_one_file_as_it_stands(site, app):
    """And says its size in a unit in which it has one."""
    source = app.srcdir / offering.SOURCES["bardgpt.py"]
    source.write_text("x" * 8_600, encoding="utf-8")
    offering.renew(app, None)
    assert (site / offering.FOLDER / "bardgpt.py").read_bytes() == source.read_bytes()
    assert re.search(r'files/bardgpt\.py" download>[^<]+</a> \(9 kB\)', shown(site))
    assert (ROOT / offering.SOURCES["bardgpt.py"]).is_file()


def test_a_build_takes_away_what_is_older_than_a_page(site, app):
    old = put(site, "bardgpt.pdf", 10, time=500)
    offering.renew(app, None)
    assert not old.exists()
    assert "bardgpt.pdf" not in shown(site)


@pytest.mark.parametrize(("error", "builder"), [(ValueError(), "html"), (None, "linkcheck")])
def test_a_build_that_failed_or_made_no_site_touches_nothing(site, app, error, builder):
    app.builder.name = builder
    old = put(site, "bardgpt.pdf", 10, time=500)
    offering.renew(app, error)
    assert old.exists()
    assert shown(site) == PAGE


def test_a_file_is_old_once_what_makes_it_has_changed(site):
    file, maker = put(site, "bardgpt.pdf", 10), site / "pdf.py"
    maker.write_text("", encoding="utf-8")
    for time, fresh in ((1_500, True), (2_500, False)):
        os.utime(maker, (time, time))
        assert offering.is_fresh(file, site, [maker]) is fresh
    assert offering.is_fresh(file, site)
    assert not offering.is_fresh(site / "missing", site)


def test_notebooks_come_with_all_that_they_need():
    content = offering.notebooks(ROOT)
    assert content == offering.notebooks(ROOT)
    with zipfile.ZipFile(BytesIO(content)) as archive:
        names = set(archive.namelist())
    notebooks = [*ROOT.glob("book/*.ipynb"), *ROOT.glob("book/appendix/*.ipynb")]
    assert len(notebooks) > 10
    needed = [*notebooks, ROOT / "src/bardgpt/gpt.py", ROOT / "pyproject.toml", ROOT / "LICENSE"]
    assert {f"bardgpt/{path.relative_to(ROOT).as_posix()}" for path in needed} <= names
    assert "bardgpt/how-to-run.txt" in names
    assert not [name for name in names if "__pycache__" in name or "/." in name]
