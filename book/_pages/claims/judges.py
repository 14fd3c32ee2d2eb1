"""The verdict on each claim that records decide, and the sentence that goes with it.

Limits stand beside what they limit. A claim without a judge is asserted by a cell of its chapter.
"""

from _pages.claims.norms import mode_gaps
from _pages.claims.residual import loudest
from _pages.claims.stuck import CASES, stuck
from _pages.claims.verdict import CONDITION, FAILS, HOLDS, Judge, Verdict, clear
from bardgpt import records
from bardgpt.lab.ladder import LECTURE_FULL
from bardgpt.lab.probes.norms import BATCH_SIZES
from bardgpt.presets import PRESETS
from bardgpt.records.band import Band

# What cells assert to the bit, and only under a condition, which the row says.
WITH_A_CONDITION = frozenset({"mha-4", "ln-2", "drop-2"})


def _heads_differ() -> Verdict:
    one, four = records.load("one-head"), records.load("four-heads")
    trained, untrained = (four.probe_bands("heads", step) for step in (four.training.steps, 0))
    kinds = ("by distance", "by class")
    if not clear(records.gain(one, four)) or any(
        trained[kind].mean <= untrained[kind].mean for kind in kinds
    ):
        return FAILS
    closest, before = (of["by distance, closest pair"] for of in (trained, untrained))
    return HOLDS if closest.mean - before.mean > closest.sd + before.sd else CONDITION


def _two_questions() -> Verdict:
    toys = records.read("copying")["toys"]
    right = {name: records.bands(runs)["right"].mean for name, runs in toys.items()}
    one, two = right["both, one head"], right["both, two heads"]
    if two - one < 0.1:
        return FAILS
    return CONDITION if right["both, one head, longer"] - one > (two - one) / 2 else HOLDS


def _time_to_think() -> Verdict:
    four, linear, relu = (
        records.load(name) for name in ("four-heads", "feed-forward-linear", "feed-forward")
    )
    if not clear(records.gain(four, relu)):
        return FAILS
    return CONDITION if clear(records.gain(four, linear)) else HOLDS


def _width() -> Verdict:
    sweep = records.load_sweep("hidden-widths")
    if not clear(records.gain(sweep["1"], sweep["4"])):
        return FAILS
    return HOLDS if clear(records.gain(sweep["wide"], sweep["4"])) else CONDITION


def _superhighway() -> Verdict:
    def ratio(variant: str) -> float:
        gradient = records.at_start(f"small-{variant}", "gradient")
        return gradient[0].mean / gradient[-1].mean

    residual = [ratio(f"residual-{start}") for start in ("default", "zero", "xavier")]
    plain = [ratio(f"plain-{start}") for start in ("default", "xavier")]
    if min(residual) < 0.1 or min(residual) <= max(plain):
        return FAILS
    return CONDITION if max(residual) > 100 else HOLDS


def _depth() -> Verdict:
    sweep = records.load_sweep("depths")
    leads = [records.gain(sweep[f"plain-{L}"], sweep[f"residual-{L}"]) for L in (2, 4, 8, 16)]
    if not clear(leads[-1]):
        return FAILS
    return HOLDS if all(map(clear, leads)) and leads[-1].mean > leads[0].mean else CONDITION


def _quiet_at_first() -> Verdict:
    online, true = records.load_sweep("coming-online"), []
    for name, record in online.items():
        start = loudest(record.profile("stream", "branch", 0))
        full = loudest(records.at_start(f"full-{name}", "branch"))
        trained = loudest(record.profile("stream", "branch", record.training.steps))
        true.append(max(start, full) < 0.1 and trained > start)
    return HOLDS if all(true) else CONDITION if any(true) else FAILS


def _same_in_both_modes() -> Verdict:
    if max(abs(gap) for size in BATCH_SIZES for gap in mode_gaps("post-norm", size)) >= 0.001:
        return FAILS
    smallest = Band.of(mode_gaps("batch-norm", min(BATCH_SIZES)))
    return HOLDS if clear(smallest) else CONDITION


def _clean_path() -> Verdict:
    def last(variant: str) -> float:
        return records.at_start(variant, "weight gradient")[-1].mean

    more = [
        last(f"{case}-post-norm-{start}") > last(f"{case}-pre-norm-{start}")
        for case, start in (("small", "xavier"), ("full", "xavier"), ("small", "normal"))
    ]
    return HOLDS if all(more) else CONDITION


def _norm_decides() -> Verdict:
    without, norms = records.load_sweep("no-norm"), records.load_sweep("rates")
    fewer = [
        stuck(norms, f"{case}-post-norm-")[0] < stuck(without, f"{case}-no-norm-")[0]
        for case in CASES
    ]
    return HOLDS if all(fewer) else CONDITION if any(fewer) else FAILS


def _stable() -> Verdict:
    sweep = records.load_sweep("rates")
    counts = [
        [stuck(sweep, f"{case}-{wiring}-")[0] for wiring in ("post-norm", "pre-norm")]
        for case in ("12-default", "12-xavier")
    ]
    if any(post <= pre for post, pre in counts):
        return FAILS
    return CONDITION if any(pre for _, pre in counts) else HOLDS


def _ensemble() -> Verdict:
    sweep = records.load_sweep("dropout")
    near = []
    for name in ("slice-0.2", "slice-0.4", "whole-0.2"):
        kl = sweep[name].profile("ensemble", "KL", sweep[name].training.steps)
        if kl[-1].mean > kl[0].mean / 2:
            return FAILS
        near.append(abs(records.ensemble_lags(sweep[name])[-1].mean) < 0.05)
    return HOLDS if all(near) else CONDITION


def _narrower_gap() -> Verdict:
    sweep = records.load_sweep("dropout")

    def gap(name: str) -> float:
        record = sweep[name]
        fit = record.probe_bands("fit", record.training.steps)["training text"]
        return record.band().mean - fit.mean

    if gap("slice-0.2") >= gap("slice-0"):
        return FAILS
    return HOLDS if clear(records.gain(sweep["slice-0"], sweep["slice-0.2"])) else CONDITION


def _settings() -> Verdict:
    model, training = PRESETS["full"].model, PRESETS["full"].training
    rate = training.learning_rate < PRESETS["tiny"].training.learning_rate
    sizes = (training.batch_size, model.block_size, model.n_embd, model.n_head, model.n_layer)
    same = sizes == (64, 256, 384, 6, 6) and model.dropout == 0.2
    return HOLDS if same and rate else FAILS


def _reached() -> Verdict:
    return CONDITION if records.full().validation <= LECTURE_FULL else FAILS


def _form() -> Verdict:
    record = records.full()
    ours, real = record.form("full"), record.form("real text")
    near = [abs(ours[name].mean / real[name].mean - 1) < 0.25 for name in ours]
    return HOLDS if all(near) else CONDITION if any(near) else FAILS


def _size_alone() -> Verdict:
    rung = records.load("pre-norm")
    others = (records.load(f"pre-norm-{name}") for name in ("recipe", "long"))
    return FAILS if any(clear(records.gain(rung, other)) for other in others) else HOLDS


JUDGES: dict[str, Judge] = {
    "mha-5": Judge(
        _heads_differ,
        {
            HOLDS: "Each pair of trained heads looks at different places, and four heads predict "
            "better than one.",
            CONDITION: "Four heads predict better than one, and on average trained heads look at "
            "different places; but not every pair of them does.",
            FAILS: "Four heads are not clearly better than one, or do not differ more than "
            "untrained ones.",
        },
    ),
    "mha-6": Judge(
        _two_questions,
        {
            HOLDS: "Asked for two letters at once, two heads succeed where one head does not.",
            CONDITION: "Two heads learn to find two letters in a time in which one head does not; "
            "with more steps one head gets most of the way, too.",
            FAILS: "One head finds two letters about as well as two heads do.",
        },
    ),
    "ffn-4": Judge(
        _time_to_think,
        {
            HOLDS: "The layer lowers the loss, and without its ReLU it does not.",
            CONDITION: "The layer lowers the loss, but without its ReLU it does so too.",
            FAILS: "The layer does not clearly lower the loss.",
        },
    ),
    "ffn-5": Judge(
        _width,
        {
            HOLDS: "Four times as wide is better than once, and better than as many parameters "
            "spent on more channels.",
            CONDITION: "Four times as wide is better than once, but as many parameters spent on "
            "more channels help about as much.",
            FAILS: "Four times as wide is not clearly better than once.",
        },
    ),
    "res-3": Judge(
        _superhighway,
        {
            HOLDS: "Through sixteen blocks the gradient reaches the first one, neither lost nor "
            "much larger.",
            CONDITION: "Through sixteen blocks the gradient reaches the first one; but with one of "
            "the initializations it arrives far too large.",
            FAILS: "On its way through sixteen blocks the gradient is lost.",
        },
    ),
    "res-4": Judge(
        _depth,
        {
            HOLDS: "With two blocks and with more, the stack with residual connections has the "
            "lower loss, and its lead grows with depth.",
            CONDITION: "The deepest stack needs residual connections; not every other does, or not "
            "less so.",
            FAILS: "Without residual connections the deepest stack trains about as well.",
        },
    ),
    "res-5": Judge(
        _quiet_at_first,
        {
            HOLDS: "With every initialization the branches begin small and grow.",
            CONDITION: "With some initializations the branches begin small and grow; with others "
            "they contribute much from the start.",
            FAILS: "With none of the initializations do the branches begin small and grow.",
        },
    ),
    "ln-4": Judge(
        _same_in_both_modes,
        {
            HOLDS: "Layer norm gives the same loss in training mode and in evaluation mode; batch "
            "norm, in small batches, does not.",
            CONDITION: "Layer norm gives the same loss in both modes, but batch norm nearly does "
            "so, too.",
            FAILS: "Layer norm's loss differs between training mode and evaluation mode.",
        },
    ),
    "ln-6": Judge(
        _norm_decides,
        {
            HOLDS: "Fewer runs are stuck with a norm after each addition than without a norm, at "
            "each depth and from each initialization.",
            CONDITION: "From one initialization a stack trains only with a norm; from another it "
            "trains better without than with a norm after each addition.",
            FAILS: "A norm after each addition saves no run that fails without one.",
        },
    ),
    "pp-2": Judge(
        _clean_path,
        {
            HOLDS: "On the stream there are only additions, and gradients are smaller than under "
            "post-norm with each initialization.",
            CONDITION: "On the stream there are only additions; which wiring has the larger "
            "gradients depends on the initialization.",
        },
    ),
    "pp-3": Judge(
        _stable,
        {
            HOLDS: "With twelve blocks many runs with post-norm are stuck, and none with pre-norm.",
            CONDITION: "With twelve blocks fewer runs are stuck with pre-norm than with post-norm, "
            "but some are.",
            FAILS: "With twelve blocks pre-norm is stuck as often as post-norm.",
        },
    ),
    "drop-3": Judge(
        _ensemble,
        {
            HOLDS: "Exact for one linear layer; in a GPT the mean over many masks has nearly the "
            "test-time model's loss.",
            CONDITION: "Exact for one linear layer; in a GPT the mean over many masks comes much "
            "nearer to the test-time model, but not always near to its loss.",
            FAILS: "Exact for one linear layer; in a GPT the mean over many masks is hardly nearer "
            "to the test-time model than one mask.",
        },
    ),
    "drop-4": Judge(
        _narrower_gap,
        {
            HOLDS: "On a text short enough to be overfitted the gap becomes smaller, and the loss "
            "on new text falls.",
            CONDITION: "On a text short enough to be overfitted the gap becomes smaller, but the "
            "loss on new text does not clearly fall.",
            FAILS: "On a text short enough to be overfitted the gap does not become smaller.",
        },
    ),
    "scale-1": Judge(
        _settings,
        {
            HOLDS: "These are the settings of preset `full`, and what they cost is counted.",
            FAILS: "Preset `full` has other settings.",
        },
    ),
    "scale-2": Judge(
        _reached,
        {
            CONDITION: "Reached by one run with the lecture's architecture, but with another "
            "recipe for training.",
            FAILS: "Not reached by the recorded run.",
        },
    ),
    "scale-3": Judge(
        _form,
        {
            HOLDS: "In form the samples are like real text that no model has seen, and their "
            "longest copies are about as long as those of such text.",
            CONDITION: "In some of what was measured the samples are like real text, not in all.",
            FAILS: "In nothing that was measured are the samples like real text.",
        },
    ),
    "scale-4": Judge(
        _size_alone,
        {
            HOLDS: "Neither the recipe nor longer reading clearly improves the last small model.",
            FAILS: "Not all of it comes from size: a better recipe or longer reading improves the "
            "last small model, too.",
        },
    ),
}
