"""The chapters as Colab runs them: in a folder of their own, with the book's package absent.

It takes no Colab. An environment has PyTorch, NumPy, Matplotlib and a kernel; the kernel starts
with a stand-in for `google.colab`; and git finds the book's address in a copy on this disk. The
notebooks are as `make repository` leaves them. `make test-colab` runs the chapters in FIRST, which
read records and trained weights; `make test-colab CHAPTERS=all` runs all.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "/".join(["https://github.com", "a-reader", "a-book"])
FIRST = ("03", "09")
CHAPTERS = [*sorted(ROOT.glob("book/*.ipynb")), *sorted(ROOT.glob("book/appendix/*.ipynb"))]
BROUGHT = ("torch", "matplotlib", "ipykernel")  # what Colab has, as far as chapters need it
STAND_IN = 'import sys, types\nsys.modules["google.colab"] = types.ModuleType("google.colab")\n'
CELL_TIMEOUT = 300  # seconds; the first cell installs


def chosen() -> list[Path]:
    """The notebooks to run."""
    if os.environ.get("CHAPTERS") == "all":
        return CHAPTERS
    return [notebook for notebook in CHAPTERS if notebook.stem[:2] in FIRST]


def call(*command: str | Path, cwd: Path | None = None) -> str:
    """What a command prints."""
    result = subprocess.run(command, cwd=cwd, capture_output=True, encoding="utf-8")
    assert result.returncode == 0, f"{command}: {result.stdout}{result.stderr}"
    return result.stdout


class Environment:
    """A Python with what Colab brings, and without the book's package.

    It is kept in `_build`, for the next time; the package is removed for each notebook.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        pins = re.findall(
            rf"^(?:{'|'.join(BROUGHT)})==\S+",
            (ROOT / "requirements.txt").read_text(encoding="utf-8"),
            re.MULTILINE,
        )
        stamp, wanted = folder / "ready", f"{sys.version}\n{pins}"
        if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            call(sys.executable, "-m", "venv", folder)
            call(self.python, "-m", "pip", "install", "--quiet", *pins)
            stamp.write_text(wanted, encoding="utf-8")

    def remove_the_package(self) -> None:
        call(self.python, "-m", "pip", "uninstall", "--quiet", "--yes", "bardgpt")

    def packages(self) -> dict[str, str]:
        """The installed packages with their versions."""
        listed = json.loads(call(self.python, "-m", "pip", "list", "--format", "json"))
        return {package["name"]: package["version"] for package in listed}

    def package(self, expression: str) -> str:
        """Python's answer about the installed `bardgpt`, asked from a folder that is not ours."""
        code = f"from importlib.metadata import distribution as d; print({expression})"
        return call(self.python, "-c", code, cwd=self.folder).strip()


@pytest.fixture(scope="session")
def published(tmp_path_factory) -> Path:
    """A copy of the book with an address of its own, in git."""
    copy = tmp_path_factory.mktemp("published")
    listed = call("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", cwd=ROOT)
    for name in listed.split("\0"):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    call("git", "init", "--quiet", cwd=copy)
    call(sys.executable, copy / "book/_tools/repository.py", ADDRESS)
    call("git", "add", "--all", cwd=copy)
    author = ("-c", "user.name=A reader", "-c", "user.email=reader@example.org")
    call("git", *author, "commit", "--quiet", "--no-verify", "--message", "A book", cwd=copy)
    return copy


@pytest.fixture(scope="session")
def environment(tmp_path_factory, published) -> Environment:
    """The environment, as a kernel named `colab`."""
    made = Environment(ROOT / "_build/colab")
    folder = tmp_path_factory.mktemp("jupyter")
    startup = folder / "ipython/profile_default/startup/colab.py"
    spec = folder / "kernels/colab/kernel.json"
    for path in (startup, spec):
        path.parent.mkdir(parents=True)
    startup.write_text(STAND_IN, encoding="utf-8")
    kernel = {
        "argv": [str(made.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "A stand-in for Colab",
        "language": "python",
        "env": {
            "IPYTHONDIR": str(folder / "ipython"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONPATH": "",
            "TQDM_DISABLE": "1",
            # Whoever asks git for the address gets the copy.
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{published.as_uri()}.insteadOf",
            "GIT_CONFIG_VALUE_0": ADDRESS,
        },
    }
    spec.write_text(json.dumps(kernel), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        yield made
    made.remove_the_package()


@pytest.fixture
def bare(environment) -> Environment:
    """The environment without the package, and that this is so."""
    environment.remove_the_package()
    assert "bardgpt" not in environment.packages()
    return environment


def run(notebook: NotebookNode, folder: Path) -> None:
    """Execute a notebook in the stand-in for Colab, in a folder."""
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        notebook, timeout=CELL_TIMEOUT, kernel_name="colab", resources=resources
    )
    client.execute()


def printed(cell: NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


@pytest.mark.parametrize("notebook", chosen(), ids=lambda path: path.stem)
def test_chapter_runs(notebook, bare, published, tmp_path):
    before = bare.packages()
    chapter = nbformat.read(published / notebook.relative_to(ROOT), as_version=4)
    setup = next(cell for cell in chapter.cells if cell.cell_type == "code")
    chapter.cells.append(new_code_cell(setup.source))  # once more, at the end
    run(chapter, tmp_path)

    assert re.search(r"^GPU: \S", printed(setup), re.MULTILINE)
    assert re.fullmatch(r"GPU: .+\n", printed(chapter.cells[-1]))
    after = bare.packages()
    assert before.items() <= after.items(), "the setup cell has changed what Colab brought"
    origin = json.loads(bare.package("d('bardgpt').read_text('direct_url.json')"))
    assert origin["url"] == ADDRESS
    assert "dir_info" not in origin, "the package is installed as editable"
    there = set(bare.package("*(f.as_posix() for f in d('bardgpt').files), sep='\\n'").split("\n"))
    source = published / "src"
    assert {
        path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()
    } <= there


def test_placeholder_is_named_and_pip_not_asked(bare, published, tmp_path):
    notebook = nbformat.read(published / CHAPTERS[0].relative_to(ROOT), as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:1]
    (setup,) = notebook.cells = cells
    setup.source = setup.source.replace("a-reader", "a" * 40)
    with pytest.raises(CellExecutionError, match="The book has no address yet; `make repository"):
        run(notebook, tmp_path)
    assert printed(setup) == ""
    assert "bardgpt" not in bare.packages()
