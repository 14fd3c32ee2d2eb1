"""Write what the book shows from its records: files in `book/_static`, and `book/claims.md`."""

from pathlib import Path

from _pages import claims, continuations
from _pages.yardsticks import yardsticks
from bardgpt.files import write_whole

BOOK = Path(__file__).parent.parent

if __name__ == "__main__":
    write_whole(BOOK / "_static" / "yardsticks.svg", f"{yardsticks().svg()}\n".encode())
    write_whole(BOOK / "_static" / "continuations.html", continuations.page().encode())
    write_whole(BOOK / "claims.md", claims.page().encode())
