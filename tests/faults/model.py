"""Faults of the model as a whole: embeddings, logits, loss."""

from faults.kinds import Fault, UnitTest

FAULTS = [
    Fault(
        "softmax-twice",
        "cross_entropy takes logits; given probabilities, it flattens them. It trains, slowly.",
        "src/bardgpt/gpt.py",
        "F.cross_entropy(logits.flatten(0, 1), ",
        "F.cross_entropy(logits.flatten(0, 1).softmax(dim=-1), ",
        UnitTest("tests/test_gpt.py", "test_loss_is_minus_log_probability_of_the_target"),
    ),
    Fault(
        "positions-left-out",
        "Made, but never added: what came before is a bag of characters, and nothing complains.",
        "src/bardgpt/gpt.py",
        "            x = x + self.position_embedding(positions)  # (T, C) added\n",
        "            self.position_embedding(positions)\n",
        UnitTest("tests/test_gpt.py", "test_position_matters_to_equal_characters"),
    ),
]
