"""Write how long chapters take: `book/reading-and-running.md` and the line on `book/index.md`.

`minutes.py` counts words and lines, and writes both. `minutes.py --measure [CHAPTER.py ...]`
first runs chapters, one after the other and without writing their notebooks, and keeps the seconds
in `seconds.json`. What was never measured is measured in any case. Seconds of the processor are
counted, so that other work on the machine does not matter much; with one thread, on an idle
machine, they are what one waits.
"""

import argparse
import json
import os
import re
from collections import Counter
from pathlib import Path

import jupytext
from notebooks import BOOK, read, run
from notebooks import chapters as every_chapter

from bardgpt.files import write_whole

PAGE = BOOK / "reading-and-running.md"
LANDING = BOOK / "index.md"
SECONDS = Path(__file__).with_name("seconds.json")
WORDS, LINES = 220, 30  # that are read in a minute: words of text, or lines of code
UNSEEN = {"remove-cell", "hide-input", "hide-cell"}  # tags of cells whose code is not in sight
BEGIN, END = "<!-- minutes.py writes from here -->", "<!-- to here -->"
FACTS = re.compile(
    r'(?<=<p class="landing-facts">)[^·]*·[^·]*(?= ·)'
)  # what is written of its line


def to_read(chapter: Path) -> float:
    """Minutes to read a chapter's text, without code and folds, at `WORDS` a minute."""
    return sum(words_of_sections(chapter).values()) / WORDS


def main_line(chapter: Path) -> int:
    """The words of a chapter that everybody reads: not in folds, and no exercises."""
    return sum(n for section, n in words_of_sections(chapter).items() if section != "Exercises")


def words_of_sections(chapter: Path) -> Counter[str]:
    """How many words the sections of a chapter have, without folds; "" is what stands before."""
    words, section = Counter(), ""
    for cell in jupytext.read(chapter, fmt="py:percent").cells:
        if cell.cell_type != "markdown" or cell.source.startswith("<details"):
            continue
        if heading := re.match(r"## (.+)", cell.source):
            section = heading[1]
        words[section] += len(cell.source.split())
    return words


def to_read_code(chapter: Path) -> float:
    """Minutes to read a chapter's code in sight, at `LINES` a minute."""
    lines = 0
    for cell in jupytext.read(chapter, fmt="py:percent").cells:
        if cell.cell_type == "code" and not UNSEEN & {*cell.metadata.get("tags", [])}:
            lines += sum(bool(line.strip()) for line in cell.source.splitlines())
    return lines / LINES


def title(chapter: Path) -> str:
    """The first heading of a chapter."""
    return re.search(r"^# # (.+)$", chapter.read_text(encoding="utf-8"), re.MULTILINE)[1]


def table(found: list[Path], seconds: dict[str, float]) -> str:
    """The table: a row for each chapter, then all nine, then each appendix.

    Args:
        found: the chapters, in order; those of the main line first.
        seconds: measured, by the chapter's file name without its suffix.

    Raises:
        KeyError: if a chapter was not measured.
    """
    rows = [
        "| chapter | minutes, text alone | with the code | seconds to run |",
        "|---|---:|---:|---:|",
    ]
    chapters, appendices = split(found)
    for chapter in chapters:
        rows.append(row(chapter, seconds))
    times = [(to_read(one), to_read_code(one)) for one in chapters]
    text, code = (sum(column) for column in zip(*times, strict=True))
    took = round(sum(seconds[chapter.stem] for chapter in chapters))
    rows.append(
        f"| **all {len(chapters)}** | **{text:.0f}** | **{text + code:.0f}** | **{took}** |"
    )
    for chapter in appendices:
        rows.append(row(chapter, seconds))
    return "\n".join(rows)


def row(chapter: Path, seconds: dict[str, float]) -> str:
    """A chapter's row of the table."""
    link = chapter.relative_to(BOOK).with_suffix(".ipynb").as_posix()
    text, code = to_read(chapter), to_read_code(chapter)
    minutes = [max(1, round(time)) for time in (text, text + code)]
    took = round(seconds[chapter.stem])
    return f"| [{title(chapter)}]({link}) | {minutes[0]} | {minutes[1]} | {took} |"


def split(found: list[Path]) -> tuple[list[Path], list[Path]]:
    """The chapters of the main line, and the others."""
    return (
        [path for path in found if path.parent == BOOK],
        [path for path in found if path.parent != BOOK],
    )


def facts() -> str:
    """How many chapters there are, and how many hours they take without and with the code."""
    chapters, _ = split(every_chapter())
    text = sum(map(to_read, chapters)) / 60
    code = sum(map(to_read_code, chapters)) / 60
    hours = said_in_hours(text), said_in_hours(text + code)
    return f"{len(chapters)} chapters · about {hours[0]} hours, {hours[1]} with the code"


def said_in_hours(hours: float) -> str:
    """Hours to the nearest half: 2½."""
    halves = round(2 * hours)
    return f"{halves // 2}{'½' if halves % 2 else ''}"


def page() -> str:
    """The page with its table as it should be."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    return f"{before}{BEGIN}\n\n{table(every_chapter(), measured())}\n\n{END}{after}"


def landing() -> str:
    """The landing page with its line as it should be."""
    return FACTS.sub(facts(), LANDING.read_text(encoding="utf-8"))


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
    there = {path.stem for path in every_chapter()}
    kept = {name: old for name, old in measured().items() if name in there}
    kept[chapter.stem] = took
    write_whole(SECONDS, (json.dumps(kept, indent=2, sort_keys=True) + "\n").encode())
    print(f"{chapter.stem}: {took} s", flush=True)


def main() -> None:
    """Measure what is asked for and what never was, then write the pages."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--measure", action="store_true", help="run the chapters and keep the time")
    parser.add_argument("chapter", nargs="*", type=Path, help="a chapter's .py; default: all")
    options = parser.parse_args()
    asked = (
        [path.resolve() for path in options.chapter] or every_chapter() if options.measure else []
    )
    for chapter in every_chapter():
        if chapter in asked or chapter.stem not in measured():
            measure(chapter)
    write_whole(PAGE, page().encode())
    write_whole(LANDING, landing().encode())


if __name__ == "__main__":
    main()
