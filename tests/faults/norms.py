"""Faults of layer norm and batch norm."""

from faults.kinds import Fault, UnitTest

FAULTS = [
    Fault(
        "norm-over-time",
        "One dimension too far left: each channel over the window, the future included.",
        "src/bardgpt/layers/normalization.py",
        "standardize(x, dim=-1)",
        "standardize(x, dim=-2)",
        UnitTest("tests/test_normalization.py", "test_only_batch_norm_in_training_leaks"),
    ),
    Fault(
        "unbiased-variance",
        "var() divides by n - 1 unless told otherwise; with 32 channels the error is 1.6 %.",
        "src/bardgpt/layers/normalization.py",
        "variance = centred.square().mean(dim, keepdim=True)",
        "variance = x.var(dim, keepdim=True)",
        UnitTest("tests/test_normalization.py", "test_standardize_by_hand"),
    ),
    Fault(
        "eps-outside-the-root",
        "Added to the deviation, not to the variance: no difference, until numbers are close.",
        "src/bardgpt/layers/normalization.py",
        "return centred * (variance + eps).rsqrt()",
        "return centred / (variance.sqrt() + eps)",
        UnitTest("tests/test_normalization.py", "test_eps_is_added_to_the_variance_under_the_root"),
    ),
    Fault(
        "biased-running-variance",
        "The batch's own variance kept for test time; it is too small for the whole text's.",
        "src/bardgpt/layers/normalization.py",
        "correction=1",
        "correction=0",
        UnitTest("tests/test_normalization.py", "test_buffers_after_two_steps_by_hand"),
    ),
    Fault(
        "buffers-not-updated",
        "Training never shows it; at test time the layer still believes in mean 0, variance 1.",
        "src/bardgpt/layers/normalization.py",
        "            self._remember(examples.detach())\n",
        "",
        UnitTest("tests/test_normalization.py", "test_batch_norm_equals_pytorchs_in_evaluation"),
    ),
    Fault(
        "momentum-the-wrong-way-round",
        "The paper of one field keeps 0.9 of the old, PyTorch's 0.1 is the share of the new.",
        "src/bardgpt/layers/normalization.py",
        "MOMENTUM = 0.1",
        "MOMENTUM = 0.9",
        UnitTest("tests/test_normalization.py", "test_batch_norm_equals_pytorchs_in_training"),
    ),
    Fault(
        "batch-statistics-at-test-time",
        "Whoever asks for one text gets another answer than whoever asks for two.",
        "src/bardgpt/layers/normalization.py",
        "        if self.training:\n",
        "        if True:\n",
        UnitTest("tests/test_normalization.py", "test_only_batch_norm_in_training_leaks"),
    ),
]
