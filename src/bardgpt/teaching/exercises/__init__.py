"""Exercises that answer: a reader's function is held against what it must do.

A cell of a chapter says `exercises.check("2.1", back_one)`. What comes back is one line: right, or
what is not right yet. It never shows the solution, and it never stops the notebook.
"""

from bardgpt.teaching.exercises import (
    attention,
    dropout,
    feed_forward,
    heads,
    norms,
    residual,
    scaling,
    text,
    wiring,
)
from bardgpt.teaching.exercises.answer import Answer, Check, NotYet

CHECKS: dict[str, Check] = {
    **text.CHECKS,
    **attention.CHECKS,
    **heads.CHECKS,
    **feed_forward.CHECKS,
    **residual.CHECKS,
    **norms.CHECKS,
    **wiring.CHECKS,
    **dropout.CHECKS,
    **scaling.CHECKS,
}


def check(exercise: str, function: Answer) -> None:
    """Print whether a function does what an exercise asks for, and if not, what is wrong.

    Args:
        exercise: its chapter and number, "2.1" say.
        function: what the reader has written; the exercise's text says what it is called with.

    Raises:
        ValueError: if there is no such exercise; says which there are.
    """
    if exercise not in CHECKS:
        raise ValueError(f"no exercise {exercise!r} has a check; there are {', '.join(CHECKS)}")
    try:
        found = CHECKS[exercise](function)
    except NotYet as wrong:
        print(f"{exercise}, not yet: {wrong}")
    else:
        print(f"{exercise}, right: {found}")


__all__ = ["CHECKS", "check"]
