"""Faults of sampling: the next character, the window, the cache."""

from faults.kinds import Cell, Fault, UnitTest

FAULTS = [
    Fault(
        "softmax-over-wrong-dimension",
        "Right for one row of logits, wrong for two: over the batch instead of the vocabulary.",
        "src/bardgpt/sampling.py",
        "p = F.softmax(shifted / max(temperature, least), dim=-1)",
        "p = F.softmax(shifted / max(temperature, least), dim=0)",
        UnitTest("tests/test_sampling.py", "test_probabilities_at_temperature_1_are_the_softmax"),
    ),
    Fault(
        "temperature-multiplies",
        "Nobody sees it at 1; below, where text should get safer, it gets wilder.",
        "src/bardgpt/sampling.py",
        "shifted / max(temperature, least)",
        "shifted * max(temperature, least)",
        UnitTest("tests/test_sampling.py", "test_temperature_divides_the_logits"),
    ),
    Fault(
        "long-prompt-keeps-its-beginning",
        "A slice from the wrong side: the model goes on from where the prompt's window ended.",
        "src/bardgpt/sampling.py",
        "(ids if ids.dim() == 2 else ids[None])[:, -block_size:]",
        "(ids if ids.dim() == 2 else ids[None])[:, :block_size]",
        UnitTest("tests/test_sampling.py", "test_full_window_keeps_its_last_half"),
    ),
    Fault(
        "cache-forgets-positions",
        "Keys and values are kept, but each new character believes that it is the first.",
        "src/bardgpt/sampling.py",
        "model(unseen, seen)",
        "model(unseen)",
        UnitTest("tests/test_sampling.py", "test_greedy_text_with_the_cache_is_that_without"),
    ),
    Fault(
        "one-query-under-the-mask",
        "The kernel lays its triangle from the top left: a query alone would see the first key.",
        "src/bardgpt/layers/attention.py",
        "is_causal=T > 1, ",
        "is_causal=True, ",
        Cell("book/appendix/cache.ipynb", "assert_close(one_by_one, at_once"),
    ),
    Fault(
        "values-kept-backwards",
        "New keys go to the end and new values to the front: each weight meets another's value.",
        "src/bardgpt/layers/attention.py",
        "torch.cat([self.v, v], dim=2)",
        "torch.cat([v, self.v], dim=2)",
        Cell("book/appendix/cache.ipynb", "assert_close(one_by_one, at_once"),
    ),
]
