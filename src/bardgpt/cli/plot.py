"""`bardgpt plot`: the losses of runs over their steps, one picture for all of them."""

import io
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from bardgpt.cli.arguments import PathOption
from bardgpt.cli.runs import found_in
from bardgpt.cli.screen import in_a_line, require_writable
from bardgpt.files import write_whole
from bardgpt.progress import working
from bardgpt.training.folder import RunError, read_metrics

MOST_RUNS = 20  # in one picture
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
        if len(places) > MOST_RUNS:
            raise RunError(
                f"{len(places)} runs are too many for a picture: name {MOST_RUNS} or less"
            )
        require_writable(self.save)
        with working("drawing"):
            write_whole(self.save, drawn(places, self.save.suffix[1:].lower()))
        print(
            f"{len(places)} {'run' if len(places) == 1 else 'runs'} drawn in "
            f"{in_a_line(str(self.save))}"
        )


def drawn(places: Sequence[Path], kind: str) -> bytes:
    """A picture of the losses of runs.

    Args:
        places: their folders.
        kind: "png", "svg" or "pdf".

    Raises:
        RunError: if none of them has a loss.
    """
    os.environ["MPLBACKEND"] = "agg"  # or the import would take what stands there, whatever it is
    # Here, for no other command should wait until matplotlib is imported.
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot as plt

    entries = 2 * len(places)
    figure, axes = plt.subplots(figsize=(8, 4.5 + 0.2 * max(0, entries - 16)), layout="constrained")
    for number, place in enumerate(places):
        lines = read_metrics(place)
        # A "$" would begin a formula, and a "_" in front hide the label.
        label = in_a_line(str(place)).replace("$", r"\$")
        label = f"./{label}" if label.startswith("_") else label
        for key, style in (("train", "-"), ("validation", "o-")):
            points = [(line["step"], line[key]) for line in lines if key in line]
            if points:
                axes.plot(
                    *zip(*points, strict=True),
                    style,
                    color=f"C{number}",
                    alpha=0.4 if key == "train" else 1.0,
                    markersize=4,
                    label=f"{label}, {key}",
                )
    if not axes.lines:
        plt.close(figure)
        raise RunError(f"{', '.join(map(str, places))}: no reading yet, so nothing to draw")
    axes.set_xlabel("optimizer steps")
    axes.set_ylabel("loss in nats per character")
    axes.legend()
    picture = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        figure.savefig(picture, dpi=150, format=kind)
    plt.close(figure)
    return picture.getvalue()
