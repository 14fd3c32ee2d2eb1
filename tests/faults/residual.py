"""Faults of the residual connections, and of the weights that the branches start with."""

from faults.kinds import Cell, Fault, UnitTest

FAULTS = [
    Fault(
        "residual-forgotten",
        "One of two additions is missing: the stream ends at every feed-forward layer.",
        "src/bardgpt/layers/blocks.py",
        "return x + self.feed_forward(x)",
        "return self.feed_forward(x)",
        UnitTest("tests/test_blocks.py", "test_addition_hands_the_gradient_on_unchanged"),
    ),
    Fault(
        "residual-scaled",
        "Divided by sqrt(2) to keep the variance: the path is no identity, and fades with depth.",
        "src/bardgpt/layers/blocks.py",
        "x = x + self.attention(x)",
        "x = (x + self.attention(x)) * 0.5**0.5",
        UnitTest("tests/test_blocks.py", "test_wiring_by_hand"),
    ),
    Fault(
        "depth-scale-without-the-2",
        "A block adds two branches, not one: with sqrt(L) the stream starts too loud.",
        "src/bardgpt/initialization.py",
        "math.sqrt(2 * config.n_layer)",
        "math.sqrt(config.n_layer)",
        UnitTest(
            "tests/test_initialization.py",
            "test_depth_scaled_divides_output_projections_by_the_root_of_2_l",
        ),
    ),
    Fault(
        "zero-start-zeroes-a-copy",
        "A copy is set to 0, the weights are not: nothing is silent, and nothing complains.",
        "src/bardgpt/initialization.py",
        "module.weight.zero_()",
        "module.weight.clone().zero_()",
        UnitTest(
            "tests/test_initialization.py",
            "test_zero_silences_every_branch_and_touches_nothing_else",
        ),
    ),
    Fault(
        "heads-start-louder-than-fused",
        "Xavier's outputs counted head by head: smaller heads, larger weights, same function.",
        "src/bardgpt/initialization.py",
        'return module.in_features if part in ("query", "key", "value", "qkv") else',
        "return",
        UnitTest("tests/test_initialization.py", "test_xavier_bounds"),
    ),
    Fault(
        "both-branches-from-the-same-stream",
        "x + f(x) + g(x), as GPT-J has it: the second branch does not hear what the first added.",
        "src/bardgpt/layers/blocks.py",
        "        x = x + self.attention(x)\n        return x + self.feed_forward(x)\n",
        "        return x + self.attention(x) + self.feed_forward(x)\n",
        Cell("book/05-residual-connections.ipynb", "torch.equal(z, block(x))"),
    ),
    Fault(
        "added-in-place",
        "x += f(x) saves a tensor, and overwrites the stream that somebody else still holds.",
        "src/bardgpt/layers/blocks.py",
        "x = x + self.attention(x)",
        "x += self.attention(x)",
        Cell(
            "book/05-residual-connections.ipynb", "torch.testing.assert_close(total, stream.at[-1])"
        ),
    ),
]
