"""Chapter 7: norms after and before the branch."""

from _pages.claims.claim import Claim, exact
from _pages.claims.stuck import CASES, NEAR, letters_frequencies, of, stuck
from bardgpt import records

BOTH = ("post-norm", "pre-norm")


def _gradients() -> str:
    parts = []
    for size, what in (("small", "16 blocks of 32"), ("full", "6 blocks of 384")):
        post, pre = (
            records.at_start(f"{size}-{wiring}-xavier", "weight gradient")[-1].mean
            for wiring in BOTH
        )
        L = int(what.partition(" ")[0])
        parts.append(f"{post / pre:.1f} times with {what} (√{L} = {L**0.5:.1f})")
    flat, falling = (
        [band.mean for band in records.at_start(f"small-{wiring}-default", "gradient")][1:]
        for wiring in BOTH
    )
    post, pre = (
        [band.mean for band in records.at_start(f"small-{wiring}-normal", "weight gradient")]
        for wiring in BOTH
    )
    return (
        "Exact for the forward pass: pre-norm's last stream is the first plus all branches. "
        "Backwards it depends on the initialization. With Xavier's, the last block's feed-forward "
        f"gradient is larger under post-norm, {' and '.join(parts)}, of the order "
        "of √L in the paper's bounds. With PyTorch's default both are nearly flat (RMS on the "
        "stream of 16 blocks, after the first "
        f"and after the last: post-norm {flat[0]:.3f} and {flat[-1]:.3f}, pre-norm "
        f"{falling[0]:.3f} and {falling[-1]:.3f}). With N(0, 0.02²) pre-norm's are the larger ones "
        f"({pre[-1]:.2f} against {post[-1]:.2f} in the last block)."
    )


def _rates() -> str:
    sweep = records.load_sweep("rates")
    parts = []
    for case, words in CASES.items():
        post, pre = (of(stuck(sweep, f"{case}-{wiring}-")) for wiring in BOTH)
        parts.append(f"{words}: post-norm {post}, pre-norm {pre}")
    without, warm = (
        of(stuck(sweep, f"12-default-post-norm-0.003-{warmup}")) for warmup in (0, 200)
    )
    small = [sweep[f"3-default-{wiring}-0.001-0"] for wiring in BOTH]
    ladder = [records.load(wiring) for wiring in BOTH]
    return (
        f"Over four rates, with and without warm-up, runs stuck at the loss of the characters' "
        f"frequencies ({letters_frequencies():.3f}, or less than {NEAR} below it) after "
        f"{small[0].training.steps:,} steps: {'; '.join(parts)}. Warm-up can help: post-norm, "
        f"12 blocks, rate 0.003, {without} without it and {warm} with it. Next to no difference "
        f"with 3 blocks at 0.001: pre-norm gains {records.gain(*small)}; over the ladder's "
        f"{ladder[0].training.steps:,} steps {records.gain(*ladder)}."
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        "pp-1",
        "The original Transformer is post-norm, most modern ones are pre-norm with a final norm; "
        "others norm the branch's output.",
        "07-pre-and-post-norm",
        exact(
            "Cited: Vaswani et al. 2017, GPT-2, LLaMA; Swin Transformer V2, OLMo 2 and Gemma 2 for "
            "the third. `PostNormBlock` equals PyTorch's `norm_first=False`, `PreNormBlock` "
            "`norm_first=True`, and neither equals the other."
        ),
    ),
    Claim(
        "pp-2",
        "Pre-norm leaves the path clean: on its stream there are only additions.",
        "07-pre-and-post-norm",
        _gradients,
    ),
    Claim(
        "pp-3",
        "Pre-norm trains stably where post-norm does not: with more blocks and larger rates.",
        "07-pre-and-post-norm",
        _rates,
    ),
)
