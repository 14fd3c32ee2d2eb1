"""What the elements of a page share: data inside them, and lines as small SVG pictures."""

import json
from collections.abc import Sequence
from typing import Any

from bardgpt.teaching.palette import HUES
from bardgpt.teaching.svg import paint

HEIGHT, FONT = 288, 13  # pixels
LEFT, RIGHT, TOP, BOTTOM = 40, 12, 12, 34
HIGH = 3.5  # nats per character: what is above leaves the plot at its upper edge


def data(content: dict[str, Any]) -> str:
    """Content for the script, which looks for it inside its element."""
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    text = text.replace("<", "\\u003c")
    return f'<script type="application/json">{text}</script>\n'


class Axes:
    """Losses by step as SVG shapes; `book/_live/elements/plot.js` draws on the same axes."""

    def __init__(self, width: float, steps: int, low: float) -> None:
        self.width, self.steps, self.low = width, steps, low

    def point(self, step: float, loss: float) -> str:
        """Where a loss stands, as a path has it."""
        x = LEFT + step / self.steps * (self.width - LEFT - RIGHT)
        y = TOP + (HIGH - min(loss, HIGH)) / (HIGH - self.low) * (HEIGHT - TOP - BOTTOM)
        return f"{x:.1f} {y:.1f}"

    def frame(self, ticks: Sequence[float], marks: Sequence[int]) -> list[str]:
        """Grid, numbers, and what the axes are."""
        muted, grid = (paint(HUES[name][0]) for name in ("muted", "grid"))
        shapes = []
        for tick in ticks:
            y = self.point(0, tick).split()[1]
            shapes.append(
                f'<path d="M{LEFT} {y}H{self.width - RIGHT}" style="stroke:{grid}"/>'
                f'<text x="{LEFT - 8}" y="{float(y) + 4:g}" text-anchor="end" '
                f'style="fill:{muted}">{tick:g}</text>'
            )
        for mark in marks:
            x = self.point(mark, HIGH).split()[0]
            side = "end" if mark == self.steps else "middle"
            shapes.append(
                f'<text x="{x}" y="{HEIGHT - BOTTOM + 20}" text-anchor="{side}" '
                f'style="fill:{muted}">{mark:,}</text>'
            )
        shapes.append(
            f'<text x="{self.width - RIGHT}" y="{TOP + 12}" text-anchor="end" '
            f'style="fill:{muted}">validation loss by step</text>'
        )
        return shapes

    def area(self, steps: Sequence[int], low: Sequence[float], high: Sequence[float]) -> str:
        """From the lowest run to the highest."""
        there = [self.point(*one) for one in zip(steps, high, strict=True)]
        back = [self.point(*one) for one in zip(steps, low, strict=True)][::-1]
        fill = paint(HUES["count"][0])
        return f'<path d="M{"L".join(there + back)}Z" style="fill:{fill};fill-opacity:.35"/>'

    def line(self, steps: Sequence[int], losses: Sequence[float]) -> str:
        """One curve."""
        points = (self.point(*one) for one in zip(steps, losses, strict=True))
        stroke = paint(HUES["count"][0])
        return f'<path d="M{"L".join(points)}" style="fill:none;stroke:{stroke};stroke-width:1.5"/>'

    def dots(self, steps: Sequence[int], losses: Sequence[float]) -> str:
        """Where a curve was measured, but for what lies above the plot."""
        shown = [one for one in zip(steps, losses, strict=True) if one[1] <= HIGH]
        path = "".join(f"M{self.point(*one)}h0" for one in shown)
        stroke = f"stroke:{paint(HUES['count'][0])};stroke-width:5;stroke-linecap:round"
        return f'<path d="{path}" style="fill:none;{stroke}"/>'
