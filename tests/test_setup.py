"""The way in: `.venv` in every state that people have reported, the server, the workflows.

`make .venv/ready` is tried in a small checkout, with a stand-in for Python. The environments that
it makes are real; the pip in them is a stand-in too, and notes what it is asked.
"""

import ast
import importlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import conftest
import pytest

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "book" / "_tools"
VERSION = list(sys.version_info[:2])

PYTHON = """#!REAL -I
import json, os, pathlib, subprocess, sys
if sys.argv[1].endswith(".py"):
    os.execv("REAL", ["REAL", *sys.argv[1:]])
elif "-c" in sys.argv:
    print(json.dumps(dict(version=VERSION, base=__file__, prefix="", site="", package=None)))
else:
    subprocess.run(["REAL", "-I", "-m", "venv", "--without-pip", *sys.argv[4:]], check=True)
    site = next(pathlib.Path(sys.argv[-1]).glob("lib/python*/site-packages"))
    site.joinpath("pip.py").write_bytes(pathlib.Path(__file__).with_name("pip.py").read_bytes())
"""
PIP = r"""
import json, os, pathlib, sys, sysconfig, time
if "--version" in sys.argv:
    sys.exit()
with open("asked", "a") as asked:
    print(json.dumps([sys.argv[1:], dict(os.environ)]), file=asked)
print(os.environ.get("SAY", "Collecting everything"), flush=True)
time.sleep(float(os.environ.get("WAIT", 0)))
site = pathlib.Path(sysconfig.get_path("purelib"))
site.joinpath("_editable_impl_bardgpt.pth").write_text(os.path.abspath("src"))
head = f"#!{sys.executable}"
if " " in head:
    head = f"#!/bin/sh\n'''exec' \"{sys.executable}\" \"$0\" \"$@\"\n' '''"
script = pathlib.Path(sys.executable).with_name("bardgpt")
script.write_text(f"{head}\nimport bardgpt\nprint(bardgpt.__file__)\n")
script.chmod(0o755)
sys.exit(int(os.environ.get("STATUS", 0)))
"""
RETRYING = (
    "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after "
    "connection broken by 'NewConnectionError('<HTTPSConnection object at 0x7f>: Failed to "
    "establish a new connection: [Errno -2] Name or service not known')': /whl/cpu/{}/"
)


def stand_in(folder: Path, name: str = "python3", version: list[int] = VERSION) -> Path:
    """Put into a folder what passes for a Python of some version."""
    folder.mkdir(exist_ok=True)
    folder.joinpath("pip.py").write_text(PIP, encoding="utf-8")
    path = folder / name
    source = PYTHON.replace("REAL", sys.executable).replace("VERSION", str(version))
    path.write_text(source, encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture(params=["checkout", "a check out"])
def checkout(request, tmp_path) -> Path:
    """What `make .venv/ready` needs of this repository; its path has spaces, or none."""
    root = tmp_path / request.param
    for name in ("Makefile", "book/_tools/environment.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    root.joinpath("src/bardgpt").mkdir(parents=True)
    root.joinpath("src/bardgpt/__init__.py").touch()
    for name in ("requirements.txt", "requirements-lab.txt", "pyproject.toml"):
        root.joinpath(name).write_text("[project]\n", encoding="utf-8")
    return root


spaceless = pytest.mark.parametrize("checkout", ["checkout"], indirect=True)


def make(root: Path, target: str = ".venv/ready", **environment: str) -> tuple[int, str]:
    """Run `make` there; return its exit status and what it said."""
    stand_in(root.parent / "bin")
    path = f"{root.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        ["make", "--no-print-directory", target],
        cwd=root,
        env={**os.environ, "PATH": path, "PYTHON": "python3", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    return run.returncode, run.stdout


def asked(root: Path) -> list[tuple[list[str], dict[str, str]]]:
    """What pip was asked there, each time with the variables that it saw."""
    path = root / "asked"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [tuple(json.loads(line)) for line in text.splitlines()]


def package(root: Path) -> str:
    """Whose package a checkout's command uses, where the shell names none."""
    shell = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.check_output(
        [root / ".venv/bin/bardgpt"], env=shell, encoding="utf-8"
    ).strip()


def own(root: Path) -> str:
    return str(root / "src/bardgpt/__init__.py")


def test_a_new_checkout_is_made_ready_whatever_the_shell_says_and_then_left_alone(checkout):
    astray = {"PIP_USER": "1", "PIP_TARGET": "/nowhere", "PYTHONPATH": "/nowhere"}
    status, told = make(checkout, PIP_INDEX_URL="https://an.index/simple", **astray)
    assert status == 0, told
    [(arguments, variables)] = asked(checkout)
    assert arguments[0] == "install"
    assert arguments[-2:] == ["--disable-pip-version-check", "--requirement=requirements.txt"]
    assert not astray.keys() & variables.keys()
    assert variables["PIP_INDEX_URL"] == "https://an.index/simple"  # that is the user's to say
    assert package(checkout) == own(checkout)
    assert make(checkout) == (0, "")
    assert len(asked(checkout)) == 1


def test_a_copied_checkout_has_its_own_package_and_a_moved_one_still_has_it(checkout):
    make(checkout)
    link = next(checkout.glob(".venv/lib/*/site-packages/*.pth"))
    for old_link in (None, str(checkout / "src")):  # pip's own, as older Makefiles left it
        if old_link is not None:
            link.write_text(old_link, encoding="utf-8")
        copy = checkout.with_name("the copy")
        shutil.copytree(checkout, copy, symlinks=True)
        if old_link is None:  # even before `make` has seen it
            command = [copy / ".venv/bin/python", "-Ic", "import bardgpt; print(bardgpt.__file__)"]
            assert subprocess.check_output(command, encoding="utf-8").strip() == own(copy)
        status, told = make(copy)
        assert (status, package(copy)) == (0, own(copy)), told
        assert f"was made as {checkout / '.venv'}" in told
        assert str(copy / ".venv") in (copy / ".venv/bin/activate").read_text(encoding="utf-8")
        assert package(checkout) == own(checkout)
        assert make(copy) == (0, "")
        assert len(asked(copy)) == 1
        moved = copy.with_name("moved")
        copy.rename(moved)
        make(moved)
        assert package(moved) == own(moved)
        shutil.rmtree(moved)


def no_python(venv: Path) -> None:
    (venv / "bin/python").unlink()
    (venv / "bin/python").symlink_to("/no/such/python")


def interrupted(venv: Path) -> None:
    (venv / "pyvenv.cfg").unlink()
    (venv / "ready").unlink()


def another_python(venv: Path) -> None:
    (venv / "ready").write_text("3.10 0123\n", encoding="utf-8")


def installed_once(venv: Path) -> None:
    """The package itself is there, as a copy of what the source was."""
    site = next(venv.glob("lib/*/site-packages"))
    next(site.glob("*.pth")).unlink()
    shutil.copytree(venv.parent / "src/bardgpt", site / "bardgpt")


@spaceless
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_python, "its Python does not run"),
        (interrupted, "it is half made"),
        (another_python, f"its Python is {VERSION[0]}.{VERSION[1]}, its packages are for 3.10"),
    ],
)
def test_an_environment_that_cannot_be_used_is_made_anew(checkout, spoil, said):
    make(checkout)
    spoil(checkout / ".venv")
    status, told = make(checkout)
    assert status == 0, told
    assert told.startswith(f".venv cannot be used: {said}.\nMaking .venv with Python")
    assert package(checkout) == own(checkout)
    assert len(asked(checkout)) == 2


@spaceless
def test_pip_is_asked_again_when_what_it_is_asked_for_has_changed(checkout):
    make(checkout)
    (checkout / "pyproject.toml").write_text("[project]\n\n[tool.ruff]\n", encoding="utf-8")
    make(checkout)
    assert len(asked(checkout)) == 1  # a setting is no requirement
    (checkout / "requirements.txt").write_text("another\n", encoding="utf-8")
    make(checkout)
    assert len(asked(checkout)) == 2
    make(checkout, ".venv/lab")
    make(checkout, "newest")
    make(checkout, ".venv/lab")
    assert [arguments[-1] for arguments, _ in asked(checkout)[2:]] == [
        "--requirement=requirements-lab.txt",
        "--editable=.[book,test]",
    ]


@spaceless
def test_what_stopped_half_way_goes_on(checkout):
    status, told = make(checkout, STATUS="1", SAY="ERROR: no space left on device")
    assert status != 0
    assert "ERROR: no space left on device\nThen say: make .venv/ready\n" in told
    assert make(checkout)[0] == 0
    assert make(checkout) == (0, "")


@spaceless
def test_an_index_that_does_not_answer_is_named_with_the_way_around_it(checkout):
    started = time.monotonic()
    silence = "\n".join(RETRYING.format(name) for name in ("torch", "numpy"))
    url = "https://an.index/whl/cpu"
    status, told = make(checkout, SAY=silence, WAIT="60", PIP_EXTRA_INDEX_URL=url)
    assert status != 0
    assert time.monotonic() < started + 30  # pip would go on to ask it for every package
    assert "does not answer: Name or service not known (/whl/cpu/numpy/)." in told.replace(
        "[Errno -2] ", ""
    )
    assert f"PIP_EXTRA_INDEX_URL names it: {url}\n" in told
    assert "Without it: env -u PIP_EXTRA_INDEX_URL make .venv/ready\n" in told


@spaceless
def test_an_older_python_is_answered_with_the_name_of_a_newer_one(checkout):
    stand_in(checkout.parent / "bin", "python-of-old", [3, 9])
    stand_in(checkout.parent / "bin", "python3.20", [3, 20])
    status, told = make(checkout, PYTHON="python-of-old")
    assert status != 0
    assert "bardGPT needs Python 3.11 or newer; python-of-old is 3.9.\n" in told
    assert "Say: make .venv/ready PYTHON=python3.20\n" in told
    assert not (checkout / ".venv").exists()
    make(checkout)
    assert make(checkout, PYTHON="python-of-old") == (0, "")  # there is a good one by now


@spaceless
def test_no_python_at_all_is_said(checkout):
    status, told = make(checkout, PYTHON="no-such-python")
    assert status != 0
    assert "There is no no-such-python. Say: make .venv/ready PYTHON=" in told


@spaceless
def test_another_checkouts_environment_is_used_through_a_link_but_not_changed(checkout):
    make(checkout)
    there = checkout.with_name("there")
    shutil.copytree(checkout, there, ignore=shutil.ignore_patterns(".venv"))
    (there / ".venv").symlink_to(checkout / ".venv")
    assert make(there) == (0, "")
    next(checkout.glob(".venv/lib/*/site-packages/*.pth")).write_text(
        str(checkout / "src"), encoding="utf-8"
    )
    assert make(there) == (0, f".venv is a link: its own commands use {own(checkout)}.\n")
    assert package(checkout) == own(checkout)
    assert len(asked(there)) == 1
    (there / ".venv").unlink()
    (there / ".venv").symlink_to("nowhere")
    assert "Say: rm .venv && make .venv/ready\n" in make(there)[1]


@spaceless
def test_a_package_that_was_installed_and_not_linked_is_noticed(checkout):
    make(checkout)
    installed_once(checkout / ".venv")
    status, told = make(checkout)  # the stand-in does not take away the copy, as pip does
    assert len(asked(checkout)) == 2
    assert status != 0
    assert "The package in .venv is not this folder's.\nSay: rm -rf .venv && make" in told


@pytest.fixture
def tool(monkeypatch) -> Iterator[ModuleType]:
    """The tool as a module, for what no stand-in can play."""
    monkeypatch.syspath_prepend(TOOLS)
    yield importlib.import_module("environment")
    sys.modules.pop("environment", None)


def test_a_python_without_pip_is_helped_or_explained(tool, monkeypatch, capsys):
    """Debian keeps ensurepip in a package of its own, and `uv venv` leaves pip out."""
    there = {"pip": False, "ensurepip": True}
    commands = []

    def watched(*command: str) -> tuple[int, list[str]]:
        commands.append(command[3])
        works = there[command[3]]
        there["pip"] |= works
        return int(not works), []

    monkeypatch.setattr(tool, "watched", watched)
    tool.require_pip([3, 12])
    assert commands == ["pip", "ensurepip", "pip"]
    assert capsys.readouterr().out == ".venv has no pip; adding it.\n"
    there |= {"pip": False, "ensurepip": False}
    with pytest.raises(
        tool.EnvironmentNotReadyError, match=r"sudo apt install python3\.12-venv && "
    ):
        tool.require_pip([3, 12])


def test_a_python_that_cannot_make_environments_is_explained(tool, monkeypatch, tmp_path):
    words = ["python3: No module named venv"]
    monkeypatch.setattr(tool, "watched", lambda *command: (1, words))
    monkeypatch.setattr(tool, "PYTHON", tmp_path / "none")
    with pytest.raises(tool.EnvironmentNotReadyError, match=r"named venv\n.*\n.*apt install"):
        tool.create(sys.executable)
    words[:] = ["Error: [Errno 13] Permission denied"]
    with pytest.raises(tool.EnvironmentNotReadyError, match=r"denied\nThen say: make .venv/ready$"):
        tool.create(sys.executable)


def test_there_is_a_sign_of_life_while_a_command_works(tool, monkeypatch, capsys):
    monkeypatch.setattr(tool, "LIFE", 0.2)
    program = f"import time; print('Installing', 'x' * {tool.WIDTH}, flush=True); time.sleep(1)"
    status, lines = tool.watched(sys.executable, "-c", program)
    assert (status, len(lines)) == (0, 1)
    signs = capsys.readouterr().out.splitlines()
    assert len(signs) >= 2
    assert re.fullmatch(r" +[01] s  Installing x+\.\.\.", signs[-1])
    assert len(signs[-1]) < 80


def test_the_tool_runs_under_an_older_python():
    """It is what tells people that theirs is too old."""
    source = TOOLS.joinpath("environment.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 7))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):  # list[str] is an error there
            annotations = [node.returns, *(argument.annotation for argument in node.args.args)]
            assert not any(isinstance(part, ast.Subscript | ast.BinOp) for part in annotations)


def test_it_asks_for_the_python_that_the_package_needs(tool):
    needed = re.search(r'^requires-python = ">=(\S+)"$', read("pyproject.toml"), re.MULTILINE)[1]
    assert tool.dotted(tool.OLDEST) == needed


def test_tests_refuse_another_checkouts_package():
    assert conftest.stray(str(ROOT / "src/bardgpt/__init__.py")) == ""
    stray = conftest.stray("/elsewhere/src/bardgpt/__init__.py")
    assert "/elsewhere/src/bardgpt/__init__.py" in stray
    assert "make test" in stray


def test_matplotlib_keeps_its_notes_elsewhere_only_where_the_home_cannot_be_written(tmp_path):
    """It would complain on standard error, which is in a notebook's outputs."""
    show = tmp_path / "Makefile"
    show.write_text(f"include {ROOT}/Makefile\nshow:\n\t@echo $$MPLCONFIGDIR\n", encoding="utf-8")

    def folder(**environment: str) -> str:
        shell = {name: value for name, value in os.environ.items() if name != "MPLCONFIGDIR"}
        command = ["make", "-s", "-f", show, "show"]
        run = subprocess.run(command, cwd=tmp_path, env=shell | environment, stdout=subprocess.PIPE)
        return run.stdout.decode().strip()

    assert folder(HOME=str(tmp_path)) == ""
    assert "bardgpt-matplotlib" in folder(HOME="/no/such/home")
    assert folder(HOME="/no/such/home", MPLCONFIGDIR="/mine") == "/mine"


# The server.


@pytest.fixture
def serve(monkeypatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(TOOLS)
    yield importlib.import_module("serve")
    sys.modules.pop("serve", None)


def test_the_website_is_served_to_this_machine_alone(serve, tmp_path):
    (tmp_path / "index.html").write_text("the book", encoding="utf-8")
    with serve.server(str(tmp_path), 0) as website:
        assert website.server_address[0] == "127.0.0.1"
        threading.Thread(target=website.serve_forever, daemon=True).start()
        with urllib.request.urlopen(f"http://127.0.0.1:{website.server_port}/") as answer:
            assert answer.read() == b"the book"
        website.shutdown()


def test_a_port_that_is_taken_is_said_in_a_line(serve, tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert serve.main([str(tmp_path), str(port)]) == 1
    assert capsys.readouterr().err == (f"Port {port} is taken. Say: make serve PORT={port + 1}\n")
    assert serve.main([str(tmp_path), "70000"]) == 1
    assert capsys.readouterr().err.endswith("Say: make serve PORT=8000\n")


def test_jupyterlab_listens_to_this_machine_alone():
    recipe = re.search(r"^lab:.*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)[1]
    assert "--ip 127.0.0.1" in recipe


# The workflows.


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_actions_are_pinned_by_commit_each_by_one():
    pins = {}
    for path in sorted(ROOT.glob(".github/workflows/*.yml")):
        for action, pin in re.findall(r"uses: ([\w/-]+)(.*)", path.read_text(encoding="utf-8")):
            assert re.fullmatch(r"@[0-9a-f]{40}  # v\d+\.\d+\.\d+", pin), f"{path.name}: {action}"
            assert pins.setdefault(action, pin) == pin
    assert "actions/checkout" in pins


def test_newer_versions_are_proposed_in_one_piece_wherever_something_is_pinned():
    updates = read(".github/dependabot.yml").split("  - package-ecosystem: ")[1:]
    places = [re.match(r"(\S+)\n    directory: (\S+)\n", update).groups() for update in updates]
    assert places == [("github-actions", "/"), ("pip", "/"), ("npm", "/book/_live")]
    assert all(re.search(r'\n    groups:\n      \S+ \{patterns: \["\*"\]\}\n', u) for u in updates)
    assert (ROOT / "book/_live/package.json").is_file()
