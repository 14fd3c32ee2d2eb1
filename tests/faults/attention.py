"""Faults of attention: its mask, its scores, its heads."""

from faults.kinds import Fault, UnitTest

FAULTS = [
    Fault(
        "no-mask",
        "An encoder's attention in a decoder: each character reads the answer it should predict.",
        "src/bardgpt/layers/attention.py",
        'F.softmax(scores.masked_fill(~mask, float("-inf")), dim=-1)',
        "F.softmax(scores, dim=-1)",
        UnitTest("tests/test_attention.py", "test_the_future_cannot_change_the_past"),
    ),
    Fault(
        "mask-off-by-one",
        "Only one character too far, but that one is the target: a loss too good to be true.",
        "src/bardgpt/layers/attention.py",
        ".tril()\n",
        ".tril(1)\n",
        UnitTest("tests/test_gpt.py", "test_the_future_cannot_change_the_past"),
    ),
    Fault(
        "mask-upside-down",
        "True is 'may look' in one half of PyTorch and 'may not' in the other; easily swapped.",
        "src/bardgpt/layers/attention.py",
        "masked_fill(~mask, ",
        "masked_fill(mask, ",
        UnitTest("tests/test_attention.py", "test_weights_by_hand"),
    ),
    Fault(
        "mask-hides-the-query-itself",
        "Who may look at nobody has no weights: the first row's softmax is 0 / 0, and NaN spreads.",
        "src/bardgpt/layers/attention.py",
        ".tril()\n",
        ".tril(-1)\n",
        UnitTest("tests/test_attention.py", "test_weights_are_distributions_over_the_past"),
    ),
    Fault(
        "fused-without-mask",
        "PyTorch's attention kernel is not causal unless asked; the argument is easily forgotten.",
        "src/bardgpt/layers/attention.py",
        "is_causal=T > 1, ",
        "",
        UnitTest("tests/test_gpt.py", "test_the_future_cannot_change_the_past"),
    ),
    Fault(
        "scale-by-width",
        "C is at hand, hs is not. It trains, so nobody notices: the field's most copied mistake.",
        "src/bardgpt/layers/attention.py",
        "        weights = attention_weights(q, k, self.causal[:T, :T])  # (B, T, T)\n",
        "        scores = q @ k.transpose(-2, -1) * x.shape[-1] ** -0.5  # (B, T, T)\n"
        '        scores = scores.masked_fill(~self.causal[:T, :T], float("-inf"))\n'
        "        weights = F.softmax(scores, dim=-1)\n",
        UnitTest(
            "tests/test_attention.py", "test_a_head_scales_by_its_own_size_and_not_by_the_width"
        ),
    ),
    Fault(
        "no-scale",
        "The wider the head, the fewer keys a query starts out with. It trains all the same.",
        "src/bardgpt/layers/attention.py",
        " * q.shape[-1] ** -0.5",
        "",
        UnitTest("tests/test_attention.py", "test_scale_is_the_root_of_the_head_size"),
    ),
    Fault(
        "softmax-over-queries",
        "The scores are square, so the wrong dimension fits too: now keys share out the queries.",
        "src/bardgpt/layers/attention.py",
        'float("-inf")), dim=-1)',
        'float("-inf")), dim=-2)',
        UnitTest("tests/test_attention.py", "test_weights_are_distributions_over_the_past"),
    ),
    Fault(
        "values-from-keys",
        "A slip of copy and paste among three equal lines: what is found is what was searched.",
        "src/bardgpt/layers/attention.py",
        "self.key(x), self.value(x)",
        "self.key(x), self.key(x)",
        UnitTest("tests/test_attention.py", "test_heads_equal_scaled_dot_product_attention"),
    ),
    Fault(
        "heads-added",
        "Several heads taken for an ensemble: all speak at once, in the same channels.",
        "src/bardgpt/layers/attention.py",
        "y = torch.cat([head(x) for head in self.heads], dim=-1)",
        "y = sum(head(x) for head in self.heads).repeat(1, 1, len(self.heads))",
        UnitTest(
            "tests/test_attention.py",
            "test_each_head_has_weights_of_its_own_and_a_place_of_its_own",
        ),
    ),
    Fault(
        "heads-share-weights",
        "[head] * n is n times the same object: four names for one head.",
        "src/bardgpt/layers/attention.py",
        "nn.ModuleList(Head(config) for _ in range(config.n_head))",
        "nn.ModuleList([Head(config)] * config.n_head)",
        UnitTest("tests/test_attention.py", "test_q_k_v_have_as_many_weights_however_many_heads"),
    ),
    Fault(
        "heads-stacked-one-by-one",
        "q, k, v of each head together: how some published weights lie, and not how ours do.",
        "src/bardgpt/layers/attention.py",
        '            for part in ("query", "key", "value")\n'
        "            for head in attention.heads\n",
        "            for head in attention.heads\n"
        '            for part in ("query", "key", "value")\n',
        UnitTest("tests/test_attention.py", "test_from_heads_is_the_same_function"),
    ),
    Fault(
        "heads-cut-across-time",
        "The shape is right without transpose too; but now each head gets a stretch of the text.",
        "src/bardgpt/layers/attention.py",
        "z.view(B, T, self.n_head, -1).transpose(1, 2)",
        "z.reshape(B, self.n_head, T, -1)",
        UnitTest("tests/test_attention.py", "test_equals_torch_multihead_attention"),
    ),
]
