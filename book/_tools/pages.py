"""Write what the book shows from its records: files in `book/_static`, and `book/claims.md`."""

from pathlib import Path

from bardgpt.files import write_whole
from bardgpt.teaching import claims, continuations
from bardgpt.teaching.diagrams import diagram

BOOK = Path(__file__).parent.parent
PICTURES = ("yardsticks",)

if __name__ == "__main__":
    for name in PICTURES:
        write_whole(BOOK / "_static" / f"{name}.svg", f"{diagram(name).svg()}\n".encode())
    write_whole(BOOK / "_static" / "continuations.html", continuations.page().encode())
    write_whole(BOOK / "claims.md", claims.page().encode())
