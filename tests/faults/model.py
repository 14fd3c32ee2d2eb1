"""Faults of the model as a whole: embeddings, logits, loss."""

from faults.kinds import Cell, Fault, UnitTest

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
    Fault(
        "heads-from-every-nth-row",
        "A head's rows lie together in the fused matrix; dealt out in turn, each gets some of all.",
        "src/bardgpt/porting.py",
        "zip(attention.heads, part.chunk(config.n_head), strict=True)",
        "zip(attention.heads, part.unflatten(0, (-1, config.n_head)).unbind(1), strict=True)",
        UnitTest("tests/test_porting.py", "test_the_other_form_is_the_same_function"),
    ),
    Fault(
        "gelu-taken-for-relu",
        "Every weight of nanoGPT finds its place, text comes out, and the loss is a little worse.",
        "src/bardgpt/porting.py",
        'activation="gelu", fused=True',
        'activation="relu", fused=True',
        UnitTest("tests/test_porting.py", "test_nanogpts_model_gives_the_same_numbers"),
    ),
    Fault(
        "one-file-fits-the-average",
        "Muon's step in the one file follows its average, without the look ahead: a fine run, too.",
        "src/bardgpt/teaching/one_file.py",
        "p.grad.lerp(average.lerp_(p.grad, 0.05), 0.95)",
        "average.lerp_(p.grad, 0.05)",
        UnitTest("tests/test_one_file.py", "test_it_trains_as_the_package_does"),
    ),
    Fault(
        "one-file-length-of-0",
        "The last 0 of a list are all of it: asked for nothing, it repeats the prompt.",
        "src/bardgpt/teaching/one_file.py",
        "return ids[given:]",
        "return ids[-length:]",
        UnitTest("tests/test_one_file.py", "test_nothing_is_written_for_a_length_of_0"),
    ),
    Fault(
        "one-file-sees-the-future",
        "The mask forgotten in the one file: good weights meet keys that they never saw.",
        "src/bardgpt/teaching/one_file.py",
        "is_causal=True",
        "is_causal=False",
        Cell("book/appendix/whole-model.ipynb", 'one_file.load(RECORDED / "sprint")'),
    ),
    Fault(
        "scales-of-rows-left-out",
        "8-bit weights read as they stand: all shapes are right, and the model writes gibberish.",
        "src/bardgpt/teaching/one_file.py",
        'found.get(f"{n}.scale", 1) * t for n',
        "t.float() for n",
        Cell("book/appendix/whole-model.ipynb", 'one_file.load(RECORDED / "sprint")'),
    ),
]
