"""Faults of the drawings."""

from faults.kinds import Fault, UnitTest

FAULTS = [
    Fault(
        "drawing-counts-weights-only",
        "The numbers in the drawing of the whole model look right, and leave out every bias.",
        "src/bardgpt/teaching/diagrams/model.py",
        "for part in parts for p in part.parameters())",
        "for part in parts for p in part.parameters() if p.ndim > 1)",
        UnitTest("tests/test_diagrams.py", "test_whole_model_counts_its_parts"),
    ),
    Fault(
        "nothing-new-on-a-rung",
        "A piece that is there already, but changed, such as four heads for one, goes unmarked.",
        "src/bardgpt/teaching/diagrams/model.py",
        "if name not in old or old[name] != value}",
        "if name not in old}",
        UnitTest("tests/test_diagrams.py", "test_rung_marks_what_it_adds"),
    ),
]
