"""How a chapter checks what it measures, and how its generated text is kept honest.

Most of what a cell prints is exact and compared to the letter by nbval. Two things cannot be: a
measured value, whose last digits change with the processor, and generated text, which one changed
digit turns into another text. They go through the helpers here, which *assert* what must hold
and mark what varies; `tests/nbval_sanitize.cfg` blanks these marked parts and nothing else.
"""

import math

from bardgpt.lab.likeness import Reference, text_statistics
from bardgpt.records.band import Band

MOST_DEVIATIONS = 4.0  # how far from the record's mean a run may lie, in standard deviations
FRAME = "─" * 36


def measured(
    what: str,
    value: float,
    recorded: Band,
    *,
    below: float | None = None,
    above: float | None = None,
    tolerance: float | None = None,
    unit: str = "nats per character",
) -> None:
    """Print your run beside the record, and assert that both bear out the claim.

    A claim is a direction: the value lies below one number, above another, or between two. What
    separates the recorded mean from the nearer one is the claimed effect.

    Args:
        what: the quantity's name.
        value: what this run gave.
        recorded: what the full runs gave.
        below: the claim is that the value is below this.
        above: the claim is that the value is above this.
        tolerance: how far the value may lie from the recorded mean; as far as allowed if not given.
            Allowed is the smaller of four standard deviations and half of the claimed effect: a
            wider one would let a run pass that shows nothing.
        unit: of the value.

    Raises:
        ValueError: if no direction is claimed, or the tolerance is wider than allowed.
        AssertionError: if the record contradicts the claim, or the value lies outside the band.
    """
    bounds = [bound for bound in (below, above) if bound is not None]
    if not bounds:
        raise ValueError(f"{what}: say what is claimed, with below=… or above=…")
    for side, bound, holds in (
        ("below", below, below is None or recorded.mean < below),
        ("above", above, above is None or recorded.mean > above),
    ):
        if not holds:
            raise AssertionError(f"{what}: claimed {side} {bound:.4f}, but recorded {recorded}")
    effect = min(abs(recorded.mean - bound) for bound in bounds)
    allowed = min(MOST_DEVIATIONS * recorded.sd, effect / 2)
    if tolerance is None:
        tolerance = allowed
    elif tolerance > allowed:
        raise ValueError(
            f"{what}: a tolerance of {tolerance:g} is wider than {allowed:.2g}, the smaller of "
            f"{MOST_DEVIATIONS:g} standard deviations ({MOST_DEVIATIONS * recorded.sd:.2g}) and "
            f"half of the claimed effect ({effect / 2:.2g})"
        )
    if not abs(value - recorded.mean) <= tolerance:  # a NaN must fail too
        raise AssertionError(
            f"{what}: this run gave {value:.4f} {unit}, which is {abs(value - recorded.mean):.4f} "
            f"away from the recorded {recorded}; {tolerance:.4f} is allowed"
        )
    claim = " and ".join(
        f"{side} {bound:.3f}"
        for side, bound in (("above", above), ("below", below))
        if bound is not None
    )
    print(f"{what}, in {unit}")
    print(f"  your run: {value:.3f}")
    print(f"  recorded: {recorded}, {claim}")


def within(
    what: str, value: float, *, below: float | None = None, above: float | None = None
) -> None:
    """Print what your run gave beside the bounds that it must keep, and assert that it does.

    For what no record has: how good a broken model looks, say.

    Args:
        what: the quantity's name.
        value: what this run gave.
        below: it must be less than this.
        above: it must be more than this.

    Raises:
        ValueError: if there is no bound.
        AssertionError: if a bound is not kept.
    """
    bounds = {"above": above, "below": below}
    expected = " and ".join(
        f"{side} {bound:.4g}" for side, bound in bounds.items() if bound is not None
    )
    if not expected:
        raise ValueError(f"{what}: say what is expected, with below=… or above=…")
    if not (-math.inf if above is None else above) < value < (math.inf if below is None else below):
        raise AssertionError(f"{what}: this run gave {value:.4f}; {expected} was expected")
    print(f"{what}; expected {expected}")
    print(f"  your run: {value:.3f}")


def generated(
    text: str,
    reference: Reference,
    recorded: dict[str, Band],
    *,
    show: int = 400,
    of: str = "runs",
) -> None:
    """Print the start of a generated text, and assert that the whole has the recorded form.

    Args:
        text: all that was generated; the statistics are of this.
        reference: of the training text.
        recorded: the text statistics of the full runs, by name.
        show: characters to print.
        of: what the bands are of, if not of runs: pieces of one run's text, say.

    Raises:
        AssertionError: if a statistic lies more than four standard deviations from its mean. A
            share that was 0 in all recorded samples has none; it may be off by four characters.
    """
    print(f"{FRAME}\n{text[:show].strip(chr(10))}\n{FRAME}")
    statistics = text_statistics(text, reference)
    for name, band in recorded.items():
        if not abs(statistics[name] - band.mean) <= MOST_DEVIATIONS * max(band.sd, 1 / len(text)):
            raise AssertionError(
                f"{name}: this sample has {statistics[name]:.3f}; recorded {band}, and more than "
                f"{MOST_DEVIATIONS:g} standard deviations away is not the same form"
            )
        print(f"{name}\n  your run: {statistics[name]:.3f}")
        print(f"  recorded: {band.short} ({band.n} {of})")
