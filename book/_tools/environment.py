"""Make `.venv` fit to use, or say why that fails and what to do: `environment.py [WHAT [PYTHON]]`.

WHAT is `ready` (what all tasks need), `lab` (JupyterLab besides) or `newest` (the newest versions
that pyproject.toml allows); PYTHON makes a new `.venv`. Every task begins with this, so it runs
under any Python 3 with nothing installed, and is quick and silent where nothing is to be done.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
SOURCE = ROOT / "src"
OLDEST = [3, 11]  # as pyproject.toml says
LIFE = 4  # seconds without a word, at most
WIDTH = 70  # of what is shown of a line
AGAIN = "make .venv/ready"

# What pip is asked for, and the files that say what that means.
REQUESTS = {
    "ready": (["--requirement=requirements.txt"], ["requirements.txt", "pyproject.toml"]),
    "lab": (["--requirement=requirements-lab.txt"], ["requirements-lab.txt", "requirements.txt"]),
    "newest": (
        ["--upgrade", "--upgrade-strategy=eager", "--editable=.[book,test]"],
        ["requirements.txt", "pyproject.toml"],
    ),
}
# Variables that would lead a Python, or what pip installs, out of `.venv`.
ASTRAY = re.compile(r"PYTHON|PIP_(USER|TARGET|PREFIX|ROOT)$")
QUESTION = """
import importlib.util, json, sys, sysconfig
package = importlib.util.find_spec("bardgpt")
print(json.dumps({
    "version": sys.version_info[:2],
    "base": getattr(sys, "_base_executable", sys.executable),
    "prefix": sys.prefix,
    "site": sysconfig.get_path("purelib"),
    "package": package and package.origin,
}))
"""
# The first lines of a script in bin; the second form is for paths with spaces, among others.
HEAD = re.compile(
    rb"\A#!(?:(/[^\n]*/python[\d.]*)"
    rb"|/bin/sh\n'''exec' [\"']?(/[^\n]*?/python[\d.]*)[\"']? \"\$0\" \"\$@\"\n' ''')\n"
)
# What pip says of an index that it has asked in vain: the reason, and the page.
SILENT = re.compile(r"Retrying \(Retry\(total=0\b.*?([^:]*)': (/\S*)$")


class EnvironmentNotReadyError(Exception):
    """What this tool cannot mend; the message says what to do."""


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def facts(python: str) -> dict:
    """What a Python says of itself, untouched by the shell's variables; {} if it does not run."""
    command = [python, "-I", "-c", QUESTION]
    try:
        answer = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
        return json.loads(answer.stdout) if answer.returncode == 0 else {}
    except (OSError, ValueError):
        return {}


def dotted(version: list) -> str:
    """A version as people write it."""
    return ".".join(map(str, version))


def said(path: Path) -> str:
    """What a small file says, "" if it is not there."""
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def mark(what: str) -> Path:
    """The file in `.venv` that says from what a request was answered."""
    return VENV / ("ready" if what == "newest" else what)


def digest(what: str, version: list) -> str:
    """What the answer to a request depends on: the Python, and what the request's files say."""
    # The rest of pyproject.toml is settings, which tools read for themselves.
    parts = [said(ROOT / name).partition("\n[tool.")[0] for name in REQUESTS[what][1]]
    return f"{dotted(version)} {hashlib.sha256(''.join(parts).encode()).hexdigest()}\n"


def watched(*command: str) -> tuple:
    """Run a command; while it works, say every few seconds what it is at.

    It is stopped when an index has not answered for two pages: pip would try as long for each.

    Returns:
        Its exit status, and the lines that it wrote.
    """
    process = subprocess.Popen(
        command,
        cwd=str(ROOT),
        env={name: value for name, value in os.environ.items() if not ASTRAY.match(name)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(map(str.rstrip, process.stdout)))
    reader.start()
    started = spoken = time.monotonic()
    try:
        while reader.is_alive():
            reader.join(0.1)
            if sum(bool(SILENT.search(line)) for line in list(lines)) > 1:
                process.kill()
            if time.monotonic() > spoken + LIFE:
                spoken = time.monotonic()
                last = lines[-1].strip().encode("ascii", "replace").decode() if lines else "..."
                last = last if len(last) <= WIDTH else last[: WIDTH - 3] + "..."
                say(f"{spoken - started:5.0f} s  {last}")
        return process.wait(), lines
    finally:
        process.kill()
        reader.join()
        process.stdout.close()


def without_answer(line: str) -> str:
    """What to do about an index that did not answer, by what pip says of it."""
    reason, page = SILENT.search(line).groups()
    reason = reason.strip(" ')\"")
    message = f"A package index does not answer: {reason} ({page})."
    for name in ("PIP_EXTRA_INDEX_URL", "PIP_INDEX_URL"):
        for url in os.environ.get(name, "").split():
            if page.startswith(urlsplit(url).path.rstrip("/") + "/"):
                return f"{message} {name} names it: {url}\nWithout it: env -u {name} {AGAIN}"
    return (
        f"{message}\nOnce the network is there: {AGAIN}\n"
        f"Without what pip's configuration names: PIP_CONFIG_FILE=/dev/null {AGAIN}"
    )


def without_pip(version: list) -> str:
    """What to do where a Python comes without what makes environments."""
    return (
        "This Python cannot make an environment with pip; Debian and Ubuntu keep that in a package "
        f"of its own.\nSay: sudo apt install python{dotted(version)}-venv && {AGAIN}"
    )


def is_new_enough(itself: dict) -> bool:
    """Whether a Python can run the book, by what it says of itself."""
    return itself.get("version", [0]) >= OLDEST


def newer_python() -> str:
    """The name of a Python on the PATH that is new enough; a name to install if there is none."""
    names = [f"python3.{minor}" for minor in range(OLDEST[1] + 9, OLDEST[1] - 1, -1)]
    return next((name for name in names if is_new_enough(facts(name))), names[-1])


def create(python: str) -> None:
    """Make `.venv` anew.

    Raises:
        EnvironmentNotReadyError: The Python is not there, is too old, or cannot.
    """
    itself = facts(python)
    if not is_new_enough(itself):
        state = f"is {dotted(itself['version'])}" if itself else "does not run"
        raise EnvironmentNotReadyError(
            f"bardGPT needs Python {dotted(OLDEST)} or newer; {python} {state}.\n"
            f"Say: {AGAIN} PYTHON={newer_python()}"
        )
    if VENV.exists() and not VENV.is_dir():
        raise EnvironmentNotReadyError(f".venv is not a folder.\nSay: rm .venv && {AGAIN}")
    say(f"Making .venv with Python {dotted(itself['version'])}.")
    status, lines = watched(itself["base"], "-I", "-m", "venv", "--clear", str(VENV))
    if status and not facts(str(PYTHON)):
        missing = any("No module named" in line for line in lines)
        advice = without_pip(itself["version"]) if missing else f"Then say: {AGAIN}"
        raise EnvironmentNotReadyError("\n".join([*lines, advice]))


def require_pip(version: list) -> None:
    """Put pip into `.venv` if it is not there, or only in part.

    Raises:
        EnvironmentNotReadyError: The Python comes without it.
    """
    works = (str(PYTHON), "-I", "-m", "pip", "--version")
    if watched(*works)[0]:
        say(".venv has no pip; adding it.")
        watched(str(PYTHON), "-I", "-m", "ensurepip", "--default-pip")
        if watched(*works)[0]:
            raise EnvironmentNotReadyError(without_pip(version))


def install(what: str, version: list) -> None:
    """Let pip do what is asked for, and note that it has.

    Raises:
        EnvironmentNotReadyError: It could not.
    """
    require_pip(version)
    arguments, files = REQUESTS[what]
    say(f"Installing what {files[0]} asks for; some minutes the first time.")
    pip = (str(PYTHON), "-I", "-m", "pip", "install", "--no-user", "--disable-pip-version-check")
    status, lines = watched(*pip, *arguments)
    if status:
        silent = [line for line in lines if SILENT.search(line)]
        if silent:
            raise EnvironmentNotReadyError(without_answer(silent[-1]))
        raise EnvironmentNotReadyError("\n".join([*lines[-12:], f"Then say: {AGAIN}"]))
    mark(what).write_text(digest(what, version), encoding="utf-8")


def settle(itself: dict) -> None:
    """Let everything in `.venv` lead to this folder.

    pip writes absolute paths, which in a copied or moved folder lead to the original's Python and
    source. The link to the source becomes a relative one, and a script that names another folder's
    Python names this one's.
    """
    source = os.path.relpath(str(SOURCE), itself["site"]) + "\n"
    for link in Path(itself["site"]).glob("*bardgpt*.pth"):
        if said(link) != source:
            link.write_text(source, encoding="utf-8")
    elsewhere = ""
    for script in PYTHON.parent.iterdir():
        content = script.read_bytes() if script.is_file() and not script.is_symlink() else b""
        head = HEAD.match(content)
        folder = os.path.dirname(os.fsdecode(head[1] or head[2])) if head else ""
        if head and folder != str(PYTHON.parent):
            elsewhere = os.path.dirname(folder)
            new = f"#!/bin/sh\n'''exec' \"{PYTHON}\" \"$0\" \"$@\"\n' '''\n"
            script.write_bytes(os.fsencode(new) + content[head.end() :])
    if elsewhere:
        say(f".venv was made as {elsewhere}; from now on it is this folder's.")
        # Once more over what is there, for the scripts named activate.
        watched(itself["base"], "-I", "-m", "venv", "--without-pip", str(VENV))


def fault(itself: dict) -> str:
    """Why `.venv` has to be made anew, by what its Python says of itself; "" if it need not."""
    if not itself:
        return "its Python does not run"
    if os.path.realpath(itself["prefix"]) != str(VENV):
        return "it is half made"
    version = dotted(itself["version"])
    if not is_new_enough(itself):
        return f"its Python is {version}"
    packages = said(mark("ready")).partition(" ")[0]
    if packages not in ("", version):
        return f"its Python is {version}, its packages are for {packages}"
    return ""


def is_here(itself: dict) -> bool:
    """Whether a Python's package is this folder's source."""
    package = itself["package"] or ""
    return os.path.realpath(package) == str(SOURCE / "bardgpt" / "__init__.py")


def prepare(what: str, python: str) -> None:
    """Bring `.venv` to what is asked for, with as little work as that takes.

    Raises:
        EnvironmentNotReadyError: It cannot be done from here.
    """
    itself = facts(str(PYTHON))
    if VENV.is_symlink():  # another folder's, and not ours to change
        if not itself:
            raise EnvironmentNotReadyError(f".venv is a broken link.\nSay: rm .venv && {AGAIN}")
        if not is_here(itself):
            say(f".venv is a link: its own commands use {itself['package'] or 'no bardgpt'}.")
        return
    broken = fault(itself) if VENV.exists() else ""
    if broken:
        say(f".venv cannot be used: {broken}.")
    if broken or not itself:
        create(python)
    itself = facts(str(PYTHON))
    settle(itself)
    itself = facts(str(PYTHON))
    answered = said(mark(what)) == digest(what, itself["version"])
    if what == "newest" or not answered or not is_here(itself):
        install(what, itself["version"])
        settle(itself)
        if not is_here(facts(str(PYTHON))):
            raise EnvironmentNotReadyError(
                f"The package in .venv is not this folder's.\nSay: rm -rf .venv && {AGAIN}"
            )


def main() -> int:
    """Prepare; return 0, or 1 after saying what is wrong."""
    given, defaults = sys.argv[1:], ["ready", "python3"]
    try:
        prepare(*given, *defaults[len(given) :])
    except EnvironmentNotReadyError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error}\nTo begin afresh: rm -rf .venv && {AGAIN}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped. To go on: {AGAIN}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
