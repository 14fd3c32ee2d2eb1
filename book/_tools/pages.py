"""Write what the book shows from its records: `book/_static/*.svg` and `book/claims.md`."""

from pathlib import Path

from bardgpt.files import write_whole
from bardgpt.teaching import claims
from bardgpt.teaching.diagrams import diagram

BOOK = Path(__file__).parent.parent
PICTURES = ("yardsticks",)

if __name__ == "__main__":
    for name in PICTURES:
        write_whole(BOOK / "_static" / f"{name}.svg", f"{diagram(name).svg()}\n".encode())
    write_whole(BOOK / "claims.md", claims.page().encode())
