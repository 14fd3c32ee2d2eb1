"""What was built, and from what: shared by the tests of the website."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from _ext.bardgpt_address import colab_can_install, find

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build/html"
ADDRESS = find(ROOT, os.environ)  # as the build found it; None where there is none
HAS_COLAB = bool(ADDRESS) and colab_can_install(ROOT)
UNDER = urlsplit(ADDRESS.pages).path if ADDRESS else "/bardgpt/"  # where a server has the site
PAGES = sorted(path for path in SITE.rglob("*.html") if "_static" not in path.parts)
CHAPTERS = [*sorted(ROOT.glob("book/*.py")), *sorted(ROOT.glob("book/appendix/*.py"))]


def page_of(source: Path) -> Path:
    """The page that a chapter or a text becomes."""
    return SITE / source.relative_to(ROOT).with_suffix(".html")
