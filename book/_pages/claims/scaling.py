"""Chapter 9: the full model."""

from _pages.claims.claim import Claim
from bardgpt import records
from bardgpt.lab.cost import cost
from bardgpt.lab.ladder import LECTURE_FULL, PIECE
from bardgpt.presets import PRESETS


def _costs() -> str:
    small, full = (cost(PRESETS[name]) for name in ("tiny", "full"))
    return (
        f"From the last small rung to the lecture's model: parameters {small.parameters:,} to "
        f"{full.parameters:,} ({full.parameters / small.parameters:,.0f} times), operations a step "
        f"{small.flops / 1e9:.3f} to {full.flops / 1e9:,.0f} GFLOP "
        f"({full.flops / small.flops:,.0f} times), kept for the backward pass "
        f"{small.kept / 2**20:.0f} to {full.kept / 2**20:,.0f} MiB in float32. Change by change in "
        "the chapter's table."
    )


def _loss() -> str:
    record = records.full()
    last = record.metrics[-1]
    verdict = "reached" if record.validation <= LECTURE_FULL else "not reached"
    return (
        f"{verdict.capitalize()}: {record.validation:.4f} by one run of preset `sprint` "
        f"({last['step']:,} steps, {last['characters']:,} characters, {record.hours:.1f} hours, "
        f"{record.results['precision']}) on {record.results['made']['machine']}. The architecture "
        "is the lecture's; initialization, places of dropout, optimizer and schedule are not. The "
        "lecture's own training, preset `full`, was only begun."
    )


def _size_or_recipe() -> str:
    names = ("pre-norm", "pre-norm-recipe", "pre-norm-long")
    rung, recipe, long = (records.load(name) for name in names)
    way = rung.band().mean - records.full().validation
    return (
        f"Not all of it. The last small rung as the ladder trains it: {rung.band()}; with "
        f"`sprint`'s optimizer, schedule and initialization, over as many steps: {recipe.band()}; "
        f"in its own way, over as many characters as the full model has read: {long.band()}. Of "
        f"the {way:.3f} nats between the rung and the full model these are "
        f"{records.gain(rung, recipe).mean:.3f} by recipe alone and "
        f"{records.gain(rung, long).mean:.3f} by longer reading alone."
    )


def _form() -> str:
    record = records.full()
    parts = []
    for quantity in record.form("full"):
        rung, full, real = (
            record.form(name)[quantity].mean for name in ("pre-norm", "full", "real text")
        )
        parts.append(f"{quantity} {rung:.2f}, {full:.2f}, {real:.2f}")
    return (
        f"Pieces of {PIECE} characters of the last small rung, the full model and held-out real "
        f"text: {'; '.join(parts)}. The longest copy in all samples of the full model has "
        f"{len(record.results['longest copy'])} characters. Every rung is in the chapter."
    )


CLAIMS = (
    Claim(
        "scale-1",
        "Batch 64, context 256, width 384, 6 heads of 64, 6 layers, dropout 0.2, a lower learning "
        "rate: what each costs in parameters, operations and memory.",
        "09-scaling-up",
        _costs,
    ),
    Claim(
        "scale-2",
        f"Validation loss {LECTURE_FULL} for the lecture's model on one million characters.",
        "09-scaling-up",
        _loss,
    ),
    Claim(
        "scale-3",
        "Samples keep the form of the plays: speaker lines, line lengths, known words; they are "
        "not copied. Meaning is left to the reader.",
        "09-scaling-up",
        _form,
    ),
    Claim(
        "scale-4",
        "The improvement comes just from scaling up the network.",
        "09-scaling-up",
        _size_or_recipe,
    ),
)
