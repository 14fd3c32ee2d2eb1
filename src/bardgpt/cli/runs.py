"""`bardgpt runs`: the runs in a folder, how far each came, and in what they differ."""

import dataclasses
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from bardgpt.cli.arguments import PathOption
from bardgpt.cli.screen import in_a_line, remark
from bardgpt.training.folder import (
    CONFIG,
    METRICS,
    About,
    RunError,
    read_about,
    read_metrics,
)


@dataclass(frozen=True)
class Runs:
    """List runs: step, losses, date of the last reading, and how their configs differ."""

    folders: Annotated[tuple[PathOption, ...], tyro.conf.Positional] = (Path("runs"),)
    """Folders of runs, or folders that hold some."""

    def __call__(self) -> None:
        """Find, read and print."""
        places = found_in(self.folders)
        read: list[tuple[Path, About]] = []
        for place in places:
            try:
                read.append((place, read_about(place)))
            except RunError as error:  # of one that is damaged; the others are still to be told
                remark(f"bardgpt: {error}")
        differing = differences([about for _, about in read])
        for (place, about), own in zip(read, differing, strict=True):
            print(f"{in_a_line(str(place))}: {how_far(place, about)}")
            if own:
                print(f"    {', '.join(own)}")


def found_in(folders: Sequence[Path]) -> list[Path]:
    """Each folder, if it is a run's, or those below it that are.

    Raises:
        RunError: if one of them holds none.
    """
    found = []
    for folder in folders:
        itself = [folder] if (folder / CONFIG).is_file() else []
        below = itself or sorted(path.parent for path in folder.glob(f"*/{CONFIG}"))
        if not below:
            raise RunError(f"no run in {folder}: name the folder of a run, or one that holds some")
        found += below
    return found


def how_far(folder: Path, about: About) -> str:
    """A run's step and losses in a line, with the date of its last reading."""
    lines, steps = read_metrics(folder), about.preset.training.steps
    if not lines:
        return f"step 0 of {steps:,}"
    judged = [line for line in lines if "validation" in line]
    date = datetime.datetime.fromtimestamp((folder / METRICS).stat().st_mtime)
    said = [f"step {lines[-1]['step']:,} of {steps:,}"]
    if judged:
        best = min(judged, key=lambda line: line["validation"])
        said.append(f"validation loss {judged[-1]['validation']:.4f}")
        if best is not judged[-1]:
            said.append(f"best {best['validation']:.4f} after step {best['step']:,}")
    return ", ".join([*said, f"{date:%Y-%m-%d %H:%M}"])


def differences(abouts: Sequence[About]) -> list[list[str]]:
    """For each run, the options in which not all agree, as it has them."""
    values = [_options(about) for about in abouts]
    differing = [name for name in _names(values) if len({repr(v.get(name)) for v in values}) > 1]
    return [[f"{name} {one[name]}" for name in differing if name in one] for one in values]


def _options(about: About) -> dict[str, Any]:
    preset = about.preset
    options = dataclasses.asdict(preset.model) | dataclasses.asdict(preset.training)
    path = about.text.get("path")
    return options | {"text": Path(path).name if path else "Tiny Shakespeare"}


def _names(values: Sequence[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for one in values for name in one))
