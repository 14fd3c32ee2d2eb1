"""One example of each plot, with made-up numbers, about as many and as large as in chapters."""

import string

import torch

from bardgpt.records.band import Band
from bardgpt.records.speeds import Spread
from bardgpt.teaching import figures
from bardgpt.training.loop import History

VOCABULARY = "".join(sorted("\n !$&',-.3:;?" + string.ascii_letters))
STEPS = [0, 250, 500, 1_000, 2_000, 5_000]
TABLES = [3.347, 2.486, 2.049, 1.774, 1.669, 1.698]
RUNGS = {
    "bigram model": 2.5,
    "one head of 32": 2.4,
    "four heads of 8": 2.27,
    "feed-forward": 2.25,
    "three plain blocks": 2.3,
    "residual connections": 2.08,
    "layer norm after the addition": 2.08,
    "layer norm before the branch": 2.07,
}
TEXT = "Good morrow, neighbour Baptista.\n\nBAPTISTA:\nGood morrow, neighbour Gremio.\nGod save you"


def bands(*means):
    return [Band(mean, abs(mean) / 10, 5) for mean in means]


def runs(last):
    return [
        History(STEPS, [None] + [last] * 5, [4.2, last + 0.4, *(last + d + s / 100 for d in FALL)])
        for s in range(5)
    ]


FALL = (0.3, 0.2, 0.1, 0.05)


def by_depth(factor, depth=16):
    return [[factor**i * (1 + seed / 10) for i in range(depth + 1)] for seed in range(5)]


def weights(heads, length=8):
    return torch.ones(heads, length, length).tril() / torch.arange(1, length + 1)[:, None]


def profile(first, step, depth=17):
    return bands(*(first + step * i for i in range(depth)))


def wiring_gradients(depth=16):
    falling = [0.1 * 0.95**i for i in range(depth + 1)]
    level = [0.12 + 0.01 * (i % 3) for i in range(depth + 1)]
    return {
        "post-norm": (bands(*level), bands(*(60 * x for x in level[1:]))),
        "pre-norm": (bands(*falling), bands(*(80 * x for x in falling[1:]))),
    }


FORM = {"speaker lines": 0.2, "characters per spoken line": 36, "known words": 0.9}
FORM["longest copy"] = 18
START = ("default", "normal", "zero")
PROPERTIES = ("a line break", "a space", "two capitals in a row", "fifth letter of a word or later")
BY_LETTER = {"known, first": 0.6, "known, again": 0.5, "new, first": 1.1, "new, again": 1.2}
CASES = (
    "list of heads, float32",
    "all kernels, bfloat16",
    "all kernels, bfloat16, dropout at ends",
)
PLAYS = ("Coriolanus", "Richard III", "The Taming of the Shrew", "The Tempest")
NORMS = ("A1", "F1", "A2", "F2", "A3", "F3")

EXAMPLES = {
    "bigram_table": lambda: figures.bigram_table(
        torch.rand(65, 65, generator=torch.manual_seed(0)), VOCABULARY, {"qu": "u after q"}
    ),
    "branches_over_training": lambda: figures.branches_over_training(
        {
            start: {step: bands(0.3, 0.5, 0.4, 0.6, 0.2, 2.0) for step in (0, 500, 1_000)}
            for start in START
        }
    ),
    "by_heart": lambda: figures.by_heart(
        {
            f"{size} characters": [
                {"step": s, "train": 3 / (1 + s), "validation": 2 + abs(s - 3) / 5}
                for s in range(7)
            ]
            for size in ("10,000", "100,000", "1,000,000")
        },
        {f"{size} characters": 1.6 for size in ("10,000", "100,000", "1,000,000")},
    ),
    "count_ladder": lambda: figures.count_ladder([3.3, 2.4, 1.9, 1.5, 1.2, 1], TABLES, 4.174),
    "descent": lambda: figures.descent(
        {f"rate {rate}": 13 / rate / torch.arange(1, 5_001) for rate in (13, 52)}
    ),
    "ensembles": lambda: figures.ensembles(
        [1, 2, 4, 8, 16, 32, 64],
        {name: bands(*(0.18 / n + low for n in range(1, 8))) for name, low in MEANS.items()},
        {name: bands(*(0.07 / n - low for n in range(1, 8))) for name, low in MEANS.items()},
    ),
    "firing": lambda: figures.firing(
        TEXT, {"the unit for a vowel": torch.tensor([float(c in "aeiou") for c in TEXT])}
    ),
    "forms": lambda: figures.forms(
        {
            name: {quantity: Band(mean, mean / 5, 5) for quantity, mean in FORM.items()}
            for name in ("counts, 4 before", *RUNGS, "the full model", "held-out real text")
        }
    ),
    "frequencies": lambda: figures.frequencies(torch.arange(1, 66) ** 4, VOCABULARY),
    "full_run": lambda: figures.full_run(
        [
            {"step": s, "train": 2 - s / 2_000, "validation": 2 - s / 3_000}
            for s in range(0, 1500, 50)
        ],
        1_500,
        {"best count table": 1.669, "the lecture's": 1.48},
    ),
    "gaps": lambda: figures.gaps(
        {
            f"p = {p}": (runs(2.4 - p), [dict(zip(STEPS, TABLES, strict=True))] * 5)
            for p in (0, 0.2, 0.4)
        }
    ),
    "gradients_at_start": lambda: figures.gradients_at_start(
        {"16 blocks of 32, Xavier": wiring_gradients(), "6 blocks of 384": wiring_gradients(6)}
    ),
    "gradients_by_depth": lambda: figures.gradients_by_depth(
        {name: by_depth(factor) for name, (factor, _) in DEEP.items()},
        {name: look for name, (_, look) in DEEP.items()},
    ),
    "head_profiles": lambda: figures.head_profiles(
        weights(4)[:, -1] * torch.arange(1, 5)[:, None],
        torch.tensor([[0.4, 0.2, 0.1, 0.1, 0.2]] * 4) * torch.arange(1, 5)[:, None] / 3,
        ["vowel", "consonant", "space", "line break", "other"],
    ),
    "head_spreads": lambda: figures.head_spreads(
        {
            name: {"by distance": Band(0.3, 0.05, 5), "by class": Band(0.1, 0.03, 5)}
            for name in ("untrained", "1,000 steps", "5,000 steps", "5,000 steps,\nshuffled")
        }
    ),
    "gradient_histogram": lambda: figures.gradient_histogram(
        {"scaled": torch.full((100,), 1.0), "unscaled": torch.logspace(-4, 1.5, 100)}
    ),
    "jacobians": lambda: figures.jacobians(
        {"attention": weights(1)[0], "feed-forward": torch.eye(8)}, "my lord,"
    ),
    "keys_chosen": lambda: figures.keys_chosen(
        {"unscaled": torch.eye(8)[4], "scaled": torch.full((8,), 1 / 8)}
    ),
    "known_words": lambda: figures.known_words(
        bands(0.02, 0.09, 0.32, 0.64, 0.85, 0.95), Band(0.09, 0.01, 5), 0.93
    ),
    "ladder": lambda: figures.ladder(
        {name: ([loss + i / 100 for i in range(5)], loss) for name, loss in RUNGS.items()},
        TABLES,
        {"lecture reports": 1.48, "the recorded run": 1.4789, "nanoGPT": 1.4697},
    ),
    "leads": lambda: figures.leads(runs(2.3), {"linear": runs(2.3), "linear, ReLU": runs(2.25)}),
    "loss_by_position": lambda: figures.loss_by_position(
        [1.5 + 1 / (i + 1) for i in range(256)], TABLES
    ),
    "losses_by_depth": lambda: figures.losses_by_depth(
        {
            "plain": {n: [2.3 + n / 20 + i / 50 for i in range(3)] for n in (1, 2, 4, 8, 16)},
            "residual": {n: [2.3 - n / 90 + i / 90 for i in range(3)] for n in (1, 2, 4, 8, 16)},
        },
        {"character frequencies alone": 3.347},
    ),
    "losses_by_kind": lambda: figures.losses_by_kind(
        {"new names": TABLES[::-1], "all the rest": TABLES, "known names": [x - 1 for x in TABLES]}
    ),
    "maps": lambda: figures.maps(weights(4), "my lord,"),
    "mode_gaps": lambda: figures.mode_gaps(
        {
            "layer norm": ("norm", {n: [0.0] * 5 for n in (8, 32, 128, 512)}),
            "batch norm": (
                "batch norm",
                {n: [0.2 / n + i / 1_000 for i in range(5)] for n in (8, 32, 128, 512)},
            ),
        }
    ),
    "name_losses": lambda: figures.name_losses(
        {kind: [3 * rate**i for i in range(8)] for kind, rate in BY_LETTER.items()}, 1.4
    ),
    "norm_gains": lambda: figures.norm_gains(
        NORMS,
        {step: bands(*[1 + step / 10_000] * 6) for step in (0, 1_000, 5_000)},
        {step: bands(*[step / 50_000] * 6) for step in (0, 1_000, 5_000)},
        [(0.8, 1.2)] * 6,
    ),
    "orthogonalized": lambda: figures.orthogonalized(
        [0.7 * 0.85**i for i in range(32)], [1.1 - i / 100 for i in range(32)]
    ),
    "plays": lambda: figures.plays(
        {play: 300_000 * i for i, play in enumerate(PLAYS)}, 1_115_394, 1_003_854
    ),
    "seeds_compared": lambda: figures.seeds_compared(
        {
            name: [2.2 + i / 100 for i in range(5)]
            for name in ("linear", "4 C units, ReLU, and back")
        }
    ),
    "step_speeds": lambda: figures.step_speeds(
        {case: Spread(1.5 + i, 1.2 + i, 2 + i) for i, case in enumerate(CASES)},
        {case: "bfloat16" if "bfloat16" in case else "float32" for case in CASES},
        than="list of heads, float32",
    ),
    "stream_sizes": lambda: figures.stream_sizes(
        {
            "0 steps": bands(1.4, 1.5, 1.6),
            "1,000 steps": bands(1.4, 2, 3),
            "5,000 steps": bands(1.4, 2.2, 3.2),
        },
        {"default": profile(1.4, 0.2), "xavier": bands(*(1.6**i for i in range(17)))},
    ),
    "streams_by_depth": lambda: figures.streams_by_depth(
        {
            "16 blocks at the start, Xavier": {
                "post-norm": profile(1, 0),
                "pre-norm": profile(1.4, 0.2),
            },
            "3 blocks after 5,000 steps": {
                "post-norm": bands(1.3, 1.0, 1.0, 1.6),
                "pre-norm": bands(1.3, 1.2, 1.4, 2.1),
                "no-final-norm": bands(1.3, 1.3, 1.7, 3.0),
            },
        }
    ),
    "thinned": lambda: figures.thinned(
        {"whole": weights(1)[0], "one mask, p = 0.2": 1.25 * weights(1)[0].tril(-1)}, "my lord,"
    ),
    "training_runs": lambda: figures.training_runs(
        {"bigram rung": runs(2.45), "one head, no positions": runs(2.4), "one head": runs(2.3)},
        {"table of two characters": 2.049},
        zoom=(2.0, 2.8),
    ),
    "unit_scores": lambda: figures.unit_scores(
        {
            kind: {name: Band(0.9 - i / 8 - j / 30, 0.05, 5) for j, name in enumerate(PROPERTIES)}
            for i, kind in enumerate(("chosen unit", "chosen, untrained", "mean of all units"))
        }
    ),
    "who_moves": lambda: figures.who_moves(
        {
            name: torch.eye(8)[:4].roll(4) * 0.5
            for name in ("layer norm, training", "batch norm, training", "batch norm, evaluation")
        },
        changed=(1, 4),
    ),
}
MEANS = {"mean": 0.03, "geometric mean": 0.01}
DEEP = {
    "residual, Xavier": (0.5, ("residual", "xavier")),
    "residual, default": (0.95, ("residual", "default")),
    "residual, projections zero": (1.0, ("residual", "zero")),
    "plain, Xavier": (1.9, ("plain", "xavier")),
    "plain, default": (9.0, ("plain", "default")),
}
