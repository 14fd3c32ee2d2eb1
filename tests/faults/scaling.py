"""Faults of scaling up: what a step costs, in bytes and in seconds."""

from faults.kinds import Cell, Fault, UnitTest

FAULTS = [
    Fault(
        "kept-counted-twice",
        "A tensor that two layers keep lies in memory once; counted twice, no GPU is large enough.",
        "src/bardgpt/lab/cost.py",
        "kept[tensor.untyped_storage()._cdata] = tensor",
        "kept[len(kept)] = tensor",
        UnitTest("tests/test_cost.py", "test_kept_tensors_are_counted_once_and_without_weights"),
    ),
    Fault(
        "timed-without-warm-up",
        "The first step on a GPU loads and plans; timed with the rest, an hour becomes two.",
        "src/bardgpt/lab/plan.py",
        "        work(warm)\n",
        "",
        UnitTest("tests/test_plan.py", "test_timing_takes_what_it_says_and_leaves_the_run_alone"),
    ),
    Fault(
        "way-back-not-counted",
        "The products of the forward pass alone; the gradients take twice as many once more.",
        "src/bardgpt/lab/cost.py",
        "Trainer(shapes, ids, TrainingConfig(batch_size=batch_size)).advance()",
        "shapes(ids[:-1].expand(batch_size, -1))",
        Cell("book/09-scaling-up.ipynb", "flops = full_cost.flops / full_cost.characters"),
    ),
    Fault(
        "averages-not-counted",
        "Weights and gradients, and nothing for AdamW: the model fits, until its first step.",
        "src/bardgpt/lab/cost.py",
        "4 * 4 * n",
        "2 * 4 * n",
        Cell("book/09-scaling-up.ipynb", "one_at_a_time()"),
    ),
    Fault(
        "curve-drawn-ever-after",
        "Measured from the first line, five seconds are soon over, and every step draws a figure.",
        "src/bardgpt/teaching/scaling.py",
        'self.drawn = line["seconds"]',
        'self.drawn = self.lines[0]["seconds"]',
        UnitTest(
            "tests/test_scaling.py", "test_curve_is_drawn_at_evaluations_and_every_few_seconds"
        ),
    ),
]
