"""The losses to beat."""

import math

from bardgpt import records
from bardgpt.corpus import VOCAB_SIZE
from bardgpt.lab.ladder import LECTURE_FULL, RUNGS
from bardgpt.teaching.diagrams.shapes import (
    MARGIN,
    MUTED,
    NARROW,
    Diagram,
    box,
    label,
)
from bardgpt.teaching.palette import COLOURS


def yardsticks() -> Diagram:
    """Every loss of the book as a bar, from a uniform guess to the full model."""
    tables = records.tables()
    rows = [("count", f"counts, {t['context']} before", t["validation"]) for t in tables]
    rows[0] = ("count", "characters' frequencies", tables[0]["validation"])
    rows.append(("count", "uniform guess", math.log(VOCAB_SIZE)))
    rows += [("model", rung.title, records.load(name).band().mean) for name, rung in RUNGS.items()]
    rows.append(("model", "the full model", records.full().validation))
    rows.append(("reported", "full model, as reported", LECTURE_FULL))
    rows.sort(key=lambda row: -row[2])
    left, top, height, gap = 244, 54, 22, 11
    per_nat = (NARROW - 56 - left) / rows[0][2]
    shapes = [label(MARGIN, 30, "loss in nats per character: shorter is better", colour=MUTED)]
    for i, (role, name, loss) in enumerate(rows):
        y, colour = top + i * (height + gap), COLOURS[role]
        style = {"fill": colour, "strength": {"count": 0.35, "model": 0.9, "reported": 0.1}[role]}
        if role == "reported":
            style["dash"] = "5 4"
        shapes += [
            label(left - 10, y + 16, name, at="end"),
            box(left, y, loss * per_nat, height, edge=colour, **style),
            label(
                left + loss * per_nat + 8,
                y + 16,
                f"{loss:.2f}" if role == "reported" else f"{loss:.3f}",
            ),
        ]
    listed = "; ".join(f"{name}, {loss:.3f}" for _, name, loss in rows)
    return Diagram(
        "yardsticks",
        "What there is to beat",
        f"A bar for each loss on the validation text, longest first: {listed} nats per character.",
        top + len(rows) * (height + gap) + 14,
        shapes,
        width=NARROW,
    )
