"""Faults of the wiring: where a block and the model have their norms."""

from faults.kinds import Cell, Fault, UnitTest

FAULTS = [
    Fault(
        "post-wired-as-pre",
        "The paper's figure has the norm after the addition; most code has it before the branch.",
        "src/bardgpt/layers/blocks.py",
        "        x = self.attention_norm(x + self.attention(x))\n"
        "        return self.feed_forward_norm(x + self.feed_forward(x))\n",
        "        x = x + self.attention(self.attention_norm(x))\n"
        "        return x + self.feed_forward(self.feed_forward_norm(x))\n",
        UnitTest("tests/test_blocks.py", "test_equals_torch_encoder_layer"),
    ),
    Fault(
        "pre-wired-as-post",
        "The other way round: it trains too, if the learning rate is small or warmed up.",
        "src/bardgpt/layers/blocks.py",
        "        x = x + self.attention(self.attention_norm(x))\n"
        "        return x + self.feed_forward(self.feed_forward_norm(x))\n",
        "        x = self.attention_norm(x + self.attention(x))\n"
        "        return self.feed_forward_norm(x + self.feed_forward(x))\n",
        UnitTest("tests/test_blocks.py", "test_each_block_is_its_formula_and_no_other"),
    ),
    Fault(
        "one-norm-for-both-parts",
        "The same object twice: both parts have to make do with one gain and one bias.",
        "src/bardgpt/layers/blocks.py",
        "self.feed_forward_norm = norm(config)",
        "self.feed_forward_norm = self.attention_norm",
        UnitTest("tests/test_gpt.py", "test_parameters_of_each_rung"),
    ),
    Fault(
        "no-final-norm",
        "Made, but never called: the output layer reads a stream that has grown with depth.",
        "src/bardgpt/gpt.py",
        "return self.lm_head(self.norm(x))",
        "return self.lm_head(x)",
        UnitTest(
            "tests/test_gpt.py",
            "test_final_norm_stands_between_the_last_block_and_the_output_layer",
        ),
    ),
    Fault(
        "stream-overwritten-by-its-norm",
        "x = norm(x), then x + f(x): a name is saved, and nothing of the clean path is left.",
        "src/bardgpt/layers/blocks.py",
        "        x = x + self.attention(self.attention_norm(x))\n",
        "        x = self.attention_norm(x)\n        x = x + self.attention(x)\n",
        Cell("book/07-pre-and-post-norm.ipynb", "off = (stream.at[0] + sum(stream.branches)"),
    ),
    Fault(
        "the-other-part's-norm",
        "A slip of copy and paste: one norm serves twice, and the other learns nothing at all.",
        "src/bardgpt/layers/blocks.py",
        "x = self.attention_norm(x + self.attention(x))",
        "x = self.feed_forward_norm(x + self.attention(x))",
        Cell("book/07-pre-and-post-norm.ipynb", "assert_close(post(x), norm_g(y + g(y))"),
    ),
]
