"""Write every page and picture that comes from records: `make pages`."""

from collections.abc import Callable
from pathlib import Path

from _pages import asking, claims, continuations, landing, workshop
from _pages.yardsticks import yardsticks
from bardgpt.files import write_whole

BOOK = Path(__file__).parent.parent
# By the file's place in the book, what writes its text.
PAGES: dict[str, Callable[[], str]] = {
    "claims.md": claims.page,
    "_static/asking-reader.html": asking.reader,
    "_static/asking-writer.html": asking.writer,
    "_static/continuations.html": continuations.page,
    "_static/landing-bars.html": landing.bars,
    "_static/landing-texts.html": landing.texts,
    "_static/workshop-sweep.html": workshop.sweep,
    "_static/workshop-trainer.html": workshop.trainer,
    "_static/yardsticks.svg": lambda: f"{yardsticks().svg()}\n",
}


def write(pages: dict[str, Callable[[], str]], book: Path) -> list[Path]:
    """Write pages into a book, all or none, and return those that have changed."""
    contents = {book / name: page().encode() for name, page in pages.items()}
    changed = [
        path
        for path, content in contents.items()
        if not path.is_file() or path.read_bytes() != content
    ]
    for path in changed:
        write_whole(path, contents[path])
    return changed


if __name__ == "__main__":
    changed = write(PAGES, BOOK)
    for name in PAGES:
        print(f"{name}: {'written' if BOOK / name in changed else 'unchanged'}")
