"""Faults of the probes: looking into a model without changing it, or fooling oneself."""

from faults.kinds import Cell, Fault, UnitTest

FAULTS = [
    Fault(
        "hook-left-behind",
        "A hook that is forgotten is not removed: it goes on recording, and fills the memory.",
        "src/bardgpt/lab/probes/stream.py",
        "            hook.remove()",
        "            del hook",
        UnitTest("tests/test_probes_stream.py", "test_no_hook_outlives_the_with_block"),
    ),
    Fault(
        "unit-chosen-where-it-is-judged",
        "Of many units one always looks meaningful, if it may be picked by the examination.",
        "src/bardgpt/lab/probes/units.py",
        "best = auc(seen, first[name].flatten()).argmax()",
        "best = auc(new, second[name].flatten()).argmax()",
        UnitTest(
            "tests/test_probes_units.py",
            "test_unit_is_chosen_on_the_training_text_and_judged_on_the_validation_text",
        ),
    ),
    Fault(
        "new-names-known",
        "Whoever asks the whole text who speaks there finds no strangers in its last tenth.",
        "src/bardgpt/lab/probes/context.py",
        "    known = set(likeness.speakers(train))\n",
        "    known = set(likeness.speakers(train + validation))\n",
        UnitTest("tests/test_probes_context.py", "test_names_apart_from_the_rest"),
    ),
    Fault(
        "diff-turned-round",
        "What a rung gained reads as what it lost; both are sentences that one believes.",
        "src/bardgpt/lab/ladder.py",
        'f"{name}: {old} → {getattr(after, name)}"',
        'f"{name}: {getattr(after, name)} → {old}"',
        UnitTest(
            "tests/test_diagrams.py", "test_config_diff_names_what_changed_in_the_order_of_fields"
        ),
    ),
    Fault(
        "jacobian-transposed",
        "Who moves and who is moved trade places: the picture shows a past that hears the future.",
        "src/bardgpt/lab/probes/jacobian.py",
        ".sqrt().detach()",
        ".sqrt().T.detach()",
        Cell("book/04-feed-forward.ipynb", "assert torch.equal(across != 0, causal_mask(T))"),
    ),
    Fault(
        "first-letter-of-a-name-in-no-window",
        "Where a window ends before a name, its first letter still sees that window: off by one.",
        "src/bardgpt/lab/probes/context.py",
        "validation[(start - 1) // block_size * block_size : start]",
        "validation[start // block_size * block_size : start]",
        UnitTest(
            "tests/test_probes_context.py", "test_a_name_in_an_earlier_window_is_out_of_sight"
        ),
    ),
]
