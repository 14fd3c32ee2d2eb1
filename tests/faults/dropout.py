"""Faults of dropout: where it sits, when it is at work, what its ensemble is."""

from faults.kinds import Cell, Fault, UnitTest

FAULTS = [
    Fault(
        "dropout-at-test-time",
        "F.dropout does not know about model.eval(): it drops for ever, and the text gets worse.",
        "src/bardgpt/layers/attention.py",
        "return self.dropout(weights) @ v",
        "return F.dropout(weights, self.dropout.p) @ v",
        UnitTest("tests/test_attention.py", "test_dropout_is_at_work_in_training_only"),
    ),
    Fault(
        "fused-dropout-at-test-time",
        "The kernel's documentation warns of it: dropout_p is applied whatever the module's mode.",
        "src/bardgpt/layers/attention.py",
        "rate = self.rate if self.training else 0.0",
        "rate = self.rate",
        UnitTest("tests/test_attention.py", "test_dropout_is_at_work_in_training_only"),
    ),
    Fault(
        "attention-dropout-unused",
        "Made, but never called: every position hears all others in training, and nothing says so.",
        "src/bardgpt/layers/attention.py",
        "return self.dropout(weights) @ v",
        "return weights @ v",
        UnitTest("tests/test_attention.py", "test_dropout_sits_after_the_softmax_and_at_the_end"),
    ),
    Fault(
        "dropout-before-projection",
        "One line too early: the projection fills the holes again, and every channel is noisy.",
        "src/bardgpt/layers/feed_forward.py",
        "return self.dropout(self.proj(h))",
        "return self.proj(self.dropout(h))",
        UnitTest("tests/test_feed_forward.py", "test_dropout_is_at_the_end"),
    ),
    Fault(
        "ensemble-without-masks",
        "In evaluation mode the ensemble agrees with the model to the last digit: no wonder.",
        "src/bardgpt/lab/probes/dropout.py",
        "    masked.train()\n",
        "",
        UnitTest("tests/test_probes_dropout.py", "test_ensemble_by_hand"),
    ),
    Fault(
        "kl-turned-round",
        "F.kl_div takes its arguments in the other order than the formula; both are positive.",
        "src/bardgpt/lab/probes/dropout.py",
        "F.kl_div(log_q, log_p,",
        "F.kl_div(log_p, log_q,",
        UnitTest("tests/test_probes_dropout.py", "test_divergence_by_hand_and_its_direction"),
    ),
    Fault(
        "attention-added-whole",
        "The weights are thinned out, and that is taken to be all: the stream gets every channel.",
        "src/bardgpt/layers/attention.py",
        "# (B, T, nh * hs = C)\n        return self.dropout(self.proj(y))",
        "# (B, T, nh * hs = C)\n        return self.proj(y)",
        Cell("book/08-dropout.ipynb", "{(y == 0).double().mean():.1f} of it is 0"),
    ),
    Fault(
        "feed-forward-dropout-at-test-time",
        "The function knows no mode, the module does: two answers to the same question.",
        "src/bardgpt/layers/feed_forward.py",
        "return self.dropout(self.proj(h))",
        "return nn.functional.dropout(self.proj(h), self.dropout.p)",
        Cell("book/08-dropout.ipynb", "one, two = thin(ids), thin(ids)"),
    ),
]
