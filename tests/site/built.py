"""What was built, and from what: shared by the tests of the website."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build/html"
REPOSITORY = re.search(
    r"^  url: (\S+)$", (ROOT / "_config.yml").read_text(encoding="utf-8"), re.MULTILINE
)[1]
PAGES = sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts)
CHAPTERS = [*sorted(ROOT.glob("book/*.py")), *sorted(ROOT.glob("book/appendix/*.py"))]


def page_of(source: Path) -> Path:
    """The page that a chapter or a text becomes."""
    return SITE / source.relative_to(ROOT).with_suffix(".html")
