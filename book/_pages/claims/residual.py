"""Chapter 5: residual connections."""

from _pages.claims.claim import Claim, exact
from bardgpt import records

CHAPTER = "05-residual-connections"


def _gradients() -> str:
    parts = []
    for name, variant in (
        ("plain blocks", "plain-default"),
        ("plain with Xavier's initialization", "plain-xavier"),
        ("residual", "residual-default"),
        ("residual with zeroed projections", "residual-zero"),
        ("residual with Xavier's initialization", "residual-xavier"),
    ):
        gradient = records.at_start(f"small-{variant}", "gradient")
        parts.append(f"{name} {gradient[0].mean / gradient[-1].mean:.2g}")
    return (
        f"Gradient at the first block's input over that at the last output, 16 blocks, before "
        f"training: {'; '.join(parts)}. The identity's term stays; the size of the sum does not "
        "have to."
    )


def _depths() -> str:
    sweep = records.load_sweep("depths")
    steps = sweep["plain-1"].training.steps
    parts = [
        f"L = {L}: {sweep[f'plain-{L}'].band()} without, {sweep[f'residual-{L}'].band()} with"
        for L in (1, 2, 4, 8, 16)
    ]
    return f"Validation loss of L blocks after {steps:,} steps: {'; '.join(parts)}. {_rung()}"


def _rung() -> str:
    plain, residual = records.load("plain-blocks"), records.load("residual")
    one_block = records.load("feed-forward-two-layer")
    return (
        f"The rung, three blocks: {plain.band()} without, {residual.band()} with; lead with the "
        f"same seeds: {records.gain(plain, residual)} nats per character. One plain block with the "
        f"two-layer feed-forward is ahead of three plain ones by {records.gain(plain, one_block)} "
        f"and behind three residual ones by {records.gain(one_block, residual)}."
    )


def _branches() -> str:
    online = records.load_sweep("coming-online")
    parts = []
    for wiring in ("residual", "pre-norm"):
        for start in ("default", "normal", "depth-scaled", "zero"):
            record = online[f"{wiring}-{start}"]
            steps = record.training.steps
            shares = [
                loudest(record.profile("stream", "branch", 0)),
                loudest(record.profile("stream", "branch", steps)),
                loudest(records.at_start(f"full-{wiring}-{start}", "branch")),
            ]
            small, trained, full = (f"{share:.2g}" for share in shares)
            parts.append(f"{wiring}, {start}: {small} to {trained}, full size {full}")
    return (
        "True or not by initialization, and only of some branches. Loudest branch over its stream, "
        "three small blocks from "
        f"the start to {steps:,} steps, and at full size at the start: {'; '.join(parts)}."
    )


def loudest(branches: list[records.Band]) -> float:
    """The mean of the loudest of some branches."""
    return max(band.mean for band in branches)


CLAIMS = (
    Claim(
        "res-1",
        "A residual pathway: fork off, compute, project back by addition.",
        CHAPTER,
        exact(
            "`x + f(x)` by hand equals `ResidualBlock` to the bit; the last output is the "
            "embeddings plus what every branch gave."
        ),
    ),
    Claim(
        "res-2",
        "Addition hands the gradient to both branches unchanged.",
        CHAPTER,
        exact("By autograd, to the bit: each side of a sum gets the whole gradient, not half."),
    ),
    Claim(
        "res-3",
        "A gradient superhighway: the gradient reaches the first block however many lie between.",
        CHAPTER,
        _gradients,
    ),
    Claim(
        "res-4",
        "Deep stacks train badly without residual connections, at equal parameters.",
        CHAPTER,
        _depths,
    ),
    Claim(
        "res-5",
        "Branches contribute very little at first, and come online over time.",
        CHAPTER,
        _branches,
    ),
)
