"""The sweep: chapter 7's recorded runs as a table, in which a page lets one choose."""

import math
from dataclasses import dataclass
from html import escape

from bardgpt import records

RATES = (0.0003, 0.001, 0.003, 0.01, 0.03)
WARMUPS = (0, 200)
WIRINGS = {
    "no-norm": "no norm",
    "post-norm": "post-norm",
    "pre-norm": "pre-norm",
    "no-final-norm": "no final norm",
}
CASES = {
    "3-default": "3 blocks, PyTorch's start",
    "12-default": "12 blocks, PyTorch's start",
    "12-xavier": "12 blocks, Xavier's start",
}
NEAR = 0.1  # nats: a run that ends so near the frequencies' loss, or above it, is stuck
TRAINED, STUCK, LOST, GAP = "●", "✕", "∞", "\N{EN DASH}"
BEST, WORST = 2.1, 3.3  # nats: where the tint ends


@dataclass(frozen=True)
class Cell:
    """The runs of one setting.

    Attributes:
        key: the name of its record.
        name: of the setting, in words.
        runs: the losses of each at the recorded steps; a lost one's are infinite.
        flat: the loss of the characters' frequencies.
    """

    key: str
    name: str
    runs: list[list[float]]
    flat: float

    @property
    def signs(self) -> str:
        """What became of each run."""
        return "".join(
            LOST if math.isinf(run[-1]) else STUCK if run[-1] > self.flat - NEAR else TRAINED
            for run in self.runs
        )

    def html(self) -> str:
        """As a cell of the table."""
        signs = self.signs
        ends = [run[-1] for run, sign in zip(self.runs, signs, strict=True) if sign == TRAINED]
        mean = sum(ends) / len(ends) if ends else None
        word = f"{mean:.2f}" if mean else "lost" if STUCK not in signs else "stuck"
        kind = "" if len(ends) == len(signs) else "some" if ends else "none"
        good = 0 if mean is None else max(0.0, min(1.0, (WORST - mean) / (WORST - BEST)))
        tint = f"color-mix(in oklab, var(--bard-model, #2846a0) {good * 40:.0f}%, transparent)"
        runs = ";".join(",".join(_number(loss) for loss in run) for run in self.runs)
        return (
            f'<td><span class="cell {kind}" style="background-color:{tint}" '
            f'data-key="{self.key}" data-name="{escape(self.name)}" data-runs="{runs}">{word}'
            f'<span class="signs">{signs}</span></span></td>'
        )


def _number(loss: float) -> str:
    return "" if math.isinf(loss) else f"{loss:.3f}"


@dataclass(frozen=True)
class Sweep:
    """A sweep, which a notebook or website shows as HTML."""

    def html(self) -> str:
        """The element, with the whole table inside."""
        found = records.load_sweep("rates") | records.load_sweep("no-norm")
        flat = records.tables()[0]["validation"]
        steps = next(iter(found.values())).histories[0].step
        heads = "".join(f'<th scope="col">{f"{rate:g}".lstrip("0")}</th>' for rate in RATES)
        body = []
        for case, title in CASES.items():
            body.append(
                f'<tr class="group"><th scope="rowgroup" colspan="{len(RATES) + 1}">'
                f"{escape(title)}</th></tr>"
            )
            for warmup in WARMUPS:
                for wiring, name in WIRINGS.items():
                    keys = [f"{case}-{wiring}-{rate:g}-{warmup}" for rate in RATES]
                    if not any(key in found for key in keys):
                        continue
                    with_it = f'<span class="with">, warm-up {warmup}</span>' * bool(warmup)
                    cells = "".join(
                        _cell(found, key, f"{title}, {name}, rate {rate:g}, warm-up {warmup}", flat)
                        for key, rate in zip(keys, RATES, strict=True)
                    )
                    body.append(
                        f'<tr data-warmup="{warmup}"><th scope="row">{name}{with_it}</th>'
                        f"{cells}</tr>"
                    )
        lines = "\n".join(body)
        return (
            f'<bard-sweep flat="{flat:.3f}" steps="{",".join(map(str, steps))}">\n'
            '<div class="live-stage"><table class="sweep">\n<caption>Validation loss after '
            f"{steps[-1]:,} steps, mean of the runs that trained; three runs each. {TRAINED} "
            f"trained, {STUCK} stuck near {flat:.2f}, the loss of the characters' frequencies, or "
            f"above, {LOST} lost: no number any more; {GAP} not run.</caption>\n"
            f'<thead><tr><th scope="col">rate</th>{heads}</tr></thead>\n<tbody>\n{lines}\n'
            "</tbody></table></div>\n</bard-sweep>\n"
        )

    def _repr_html_(self) -> str:
        return self.html()

    def __repr__(self) -> str:
        return "<Sweep: wiring, blocks, initialization, rate and warm-up>"


def _cell(found: dict[str, records.Record], key: str, name: str, flat: float) -> str:
    if key not in found:
        return f'<td class="gap">{GAP}</td>'
    runs = [history.validation for history in found[key].histories]
    return Cell(key, name, runs, flat).html()


def sweep() -> Sweep:
    """The recorded runs of chapter 7 over wiring, blocks, initialization, rate and warm-up.

    Returns:
        An object that a cell shows.

    Raises:
        FileNotFoundError: if a record is not there.
    """
    return Sweep()
