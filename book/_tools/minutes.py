"""Write how long each chapter takes into `book/reading-and-running.md`: the one place that says so.

`minutes.py` counts words and lines, and writes the table. `minutes.py --measure [CHAPTER.py ...]`
first runs chapters, one after the other and without writing their notebooks, and keeps the seconds
in `seconds.json`. What was never measured is measured in any case. Seconds of the processor are
counted, so that other work on the machine does not matter much; with one thread, on an idle
machine, they are what one waits.
"""

import argparse
import json
import os
import re
from pathlib import Path

import jupytext
from notebooks import BOOK, chapters, read, run

from bardgpt.files import write_whole

PAGE = BOOK / "reading-and-running.md"
SECONDS = Path(__file__).with_name("seconds.json")
WORDS, LINES = 220, 30  # that are read in a minute: words of text, or lines of code
UNSEEN = {"remove-cell", "hide-input", "hide-cell"}  # tags of cells whose code is not in sight
BEGIN, END = "<!-- minutes.py writes from here -->", "<!-- to here -->"


def to_read(chapter: Path) -> int:
    """Minutes to read a chapter: its text and the code in sight, at `WORDS` and `LINES`."""
    words = lines = 0
    for cell in jupytext.read(chapter, fmt="py:percent").cells:
        if cell.source.startswith("<details"):  # a solution
            continue
        if cell.cell_type == "markdown":
            words += len(cell.source.split())
        elif not UNSEEN & {*cell.metadata.get("tags", [])}:
            lines += sum(bool(line.strip()) for line in cell.source.splitlines())
    return max(1, round(words / WORDS + lines / LINES))


def title(chapter: Path) -> str:
    """The first heading of a chapter."""
    return re.search(r"^# # (.+)$", chapter.read_text(encoding="utf-8"), re.MULTILINE)[1]


def table(found: list[Path], seconds: dict[str, float]) -> str:
    """The table: a row for each chapter, then each appendix, with its minutes.

    Args:
        found: the chapters, in order.
        seconds: measured, by the chapter's file name without its suffix.

    Raises:
        KeyError: if a chapter was not measured.
    """
    rows = ["| chapter | minutes to read | seconds to run |", "|---|---:|---:|"]
    for chapter in found:
        link = chapter.relative_to(BOOK).with_suffix(".ipynb").as_posix()
        took = round(seconds[chapter.stem])
        rows.append(f"| [{title(chapter)}]({link}) | {to_read(chapter)} | {took} |")
    return "\n".join(rows)


def page() -> str:
    """The page with its table as it should be."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{table(chapters(), measured())}\n\n{END}{after}"


def measured() -> dict[str, float]:
    """The kept seconds, by the chapter's file name without its suffix."""
    return json.loads(SECONDS.read_text(encoding="utf-8")) if SECONDS.is_file() else {}


def measure(chapter: Path) -> None:
    """Run a chapter from a fresh kernel and keep how long it took."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the kernel inherits it
    begun = os.times()
    run(read(chapter), chapter)
    ended = os.times()
    took = ended.children_user + ended.children_system
    took = round(took - begun.children_user - begun.children_system, 1)
    there = {path.stem for path in chapters()}
    kept = {name: old for name, old in measured().items() if name in there}
    kept[chapter.stem] = took
    write_whole(SECONDS, (json.dumps(kept, indent=2, sort_keys=True) + "\n").encode())
    print(f"{chapter.stem}: {took} s", flush=True)


def main() -> None:
    """Measure what is asked for and what never was, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--measure", action="store_true", help="run the chapters and keep the time")
    parser.add_argument("chapter", nargs="*", type=Path, help="a chapter's .py; default: all")
    options = parser.parse_args()
    asked = [path.resolve() for path in options.chapter] or chapters() if options.measure else []
    for chapter in chapters():
        if chapter in asked or chapter.stem not in measured():
            measure(chapter)
    write_whole(PAGE, page().encode())


if __name__ == "__main__":
    main()
