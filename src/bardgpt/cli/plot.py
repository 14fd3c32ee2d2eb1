"""`bardgpt plot`: the losses of runs over their steps, one picture for all of them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from bardgpt.cli.arguments import PathOption
from bardgpt.cli.runs import found_in
from bardgpt.cli.screen import require_writable
from bardgpt.files import write_whole
from bardgpt.progress import working
from bardgpt.training.folder import RunError, read_metrics

ENDINGS = (".png", ".svg", ".pdf")


@dataclass(frozen=True)
class Plot:
    """Draw the losses of one or more runs, to compare them."""

    runs: Annotated[tuple[PathOption, ...], tyro.conf.Positional] = (Path("runs"),)
    """Folders of runs, or folders that hold some."""
    save: PathOption = Path("losses.png")
    """The picture: .png, .svg or .pdf."""

    def __call__(self) -> None:
        """Read the logs, draw, and say where the picture is."""
        if self.save.suffix.lower() not in ENDINGS:
            raise RunError(f"{self.save}: its ending must be one of {', '.join(ENDINGS)}")
        places = found_in(self.runs)
        require_writable(self.save)
        with working("drawing"):
            write_whole(self.save, drawn(places, self.save.suffix[1:].lower()))
        print(f"{len(places)} {'run' if len(places) == 1 else 'runs'} drawn in {self.save}")


def drawn(places: Sequence[Path], kind: str) -> bytes:
    """The losses of runs, as a picture of some kind ("png", "svg" or "pdf").

    Raises:
        RunError: if there is none yet.
    """
    # Here, for no other command should wait until matplotlib is imported.
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for number, place in enumerate(places):
        lines = read_metrics(place)
        for key, style in (("train", "-"), ("validation", "o-")):
            points = [(line["step"], line[key]) for line in lines if key in line]
            if points:
                axes.plot(
                    *zip(*points, strict=True),
                    style,
                    color=f"C{number}",
                    alpha=0.4 if key == "train" else 1.0,
                    markersize=4,
                    label=f"{place}, {key}",
                )
    if not axes.lines:
        raise RunError(f"{', '.join(map(str, places))}: no reading yet, so nothing to draw")
    axes.set_xlabel("optimizer steps")
    axes.set_ylabel("loss in nats per character")
    axes.legend()
    picture = io.BytesIO()
    figure.savefig(picture, dpi=150, format=kind)
    plt.close(figure)
    return picture.getvalue()
