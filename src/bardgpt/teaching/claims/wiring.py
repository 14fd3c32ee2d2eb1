"""Chapter 7: norms after and before the branch."""

from bardgpt.teaching import records
from bardgpt.teaching.claims.claim import Claim, exact
from bardgpt.teaching.records import Record

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
        f"gradient is larger under post-norm, {' and '.join(parts)}, as the paper predicts. With "
        "PyTorch's default both are nearly flat (RMS on the stream of 16 blocks, after the first "
        f"and after the last: post-norm {flat[0]:.3f} and {flat[-1]:.3f}, pre-norm "
        f"{falling[0]:.3f} and {falling[-1]:.3f}). With N(0, 0.02) pre-norm's are the larger ones "
        f"({pre[-1]:.2f} against {post[-1]:.2f} in the last block)."
    )


def _final(record: Record) -> str:
    return f"{record.band().mean:.3f}"


def _rates() -> str:
    sweep = records.load_sweep("rates")
    parts = []
    for case, words in (
        ("3-default-{}-0.001-0", "3 blocks at rate 0.001"),
        ("12-default-{}-0.003-0", "12 blocks at 0.003"),
        ("12-default-{}-0.01-0", "12 at 0.01"),
        ("12-default-{}-0.01-200", "12 at 0.01 with warm-up"),
        ("12-xavier-{}-0.003-0", "12 with Xavier's start at 0.003"),
    ):
        post, pre = (sweep[case.format(wiring)] for wiring in BOTH)
        parts.append(f"{words}: {_final(post)} and {_final(pre)}")
    flat = records.read("count-tables")["tables"][0]["validation"]
    return (
        "Validation loss after 1,000 steps, mean of 3 seeds, post-norm and pre-norm. "
        f"{'; '.join(parts)}. A model that knows the letters' shares only has {flat:.3f}. "
        f"On the ladder pre-norm gains "
        f"{records.gain(records.load('post-norm'), records.load('pre-norm'))} over post-norm."
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
