"""Write the diagrams that README and landing page show, from the records: `book/_static/*.svg`."""

from pathlib import Path

from bardgpt.files import write_whole
from bardgpt.teaching.diagrams import diagram

STATIC = Path(__file__).parent.parent / "_static"
PICTURES = ("yardsticks",)

if __name__ == "__main__":
    for name in PICTURES:
        write_whole(STATIC / f"{name}.svg", f"{diagram(name).svg()}\n".encode())
