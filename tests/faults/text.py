"""Faults of the text: its making, its windows, its tables, and the loss measured on it."""

from faults.kinds import Cell, Fault, UnitTest

FAULTS = [
    Fault(
        "targets-not-shifted",
        "The model learns to repeat what it sees; its loss is wonderful, its text a stutter.",
        "src/bardgpt/batches.py",
        "return windows[:, :-1], windows[:, 1:]",
        "return windows[:, :-1], windows[:, :-1]",
        UnitTest("tests/test_batches.py", "test_targets_are_the_next_characters"),
    ),
    Fault(
        "split-leak",
        "A few characters of training text are in the examination too; nobody sees it in a curve.",
        "src/bardgpt/batches.py",
        "return ids[:n_train], ids[n_train:]",
        "return ids[:n_train], ids[n_train - 100 :]",
        UnitTest("tests/test_batches.py", "test_split_is_in_order_without_gap_or_overlap"),
    ),
    Fault(
        "random-evaluation-windows",
        "Evaluating on a random sample: the same model gets another loss each time it is asked.",
        "src/bardgpt/evaluation.py",
        "windows = evaluation_windows(ids, model.config.block_size)",
        "windows = [(ids[s[:, None] + torch.arange(T)], ids[s[:, None] + torch.arange(1, T + 1)])"
        " for T in [model.config.block_size] for s in [torch.randint(len(ids) - T, (200,))]]",
        UnitTest(
            "tests/test_evaluation.py",
            "test_same_model_gives_the_same_number_whatever_the_random_state",
        ),
    ),
    Fault(
        "last-window-dropped",
        "The rest that fills no window is thrown away, as data loaders with drop_last do.",
        "src/bardgpt/batches.py",
        "if whole < len(targets):",
        "if False:",
        UnitTest(
            "tests/test_batches.py", "test_evaluation_windows_hold_every_target_once_in_order"
        ),
    ),
    Fault(
        "evaluation-in-training-mode",
        "Whoever forgets model.eval() measures a model with holes in it, and blames overfitting.",
        "src/bardgpt/evaluation.py",
        "    model.eval()\n",
        "",
        UnitTest("tests/test_evaluation.py", "test_dropout_is_off_while_measuring"),
    ),
    Fault(
        "numbered-in-order-of-appearance",
        "Other ids for the same characters: weights that were trained with the old ones babble.",
        "src/bardgpt/tokenizer.py",
        '"".join(sorted(set(text)))',
        '"".join(dict.fromkeys(text))',
        Cell("book/01-text-and-yardstick.ipynb", 'tokenizer.encode("To be").tolist() == by_hand'),
    ),
    Fault(
        "given-to-the-unseen-taken-from-nobody",
        "The weight of something new is missing below the bar: the chances add up to more than 1.",
        "src/bardgpt/lab/count_tables.py",
        "/ (total + followers).clamp(min=1)",
        "/ total.clamp(min=1)",
        Cell("book/01-text-and-yardstick.ipynb", "by_table = CountTable(train, 1, V)"),
    ),
    Fault(
        "both-speakers-named",
        "Who speaks together is named together, as in the play; the text names the first alone.",
        "src/bardgpt/rebuild.py",
        'r"\\*\\*(.+?)( & .+)?\\*\\*\\n?"',
        'r"\\*\\*(.+)\\*\\*\\n?"',
        Cell("book/appendix/where-the-text-comes-from.ipynb", "rebuild.clean(markdown)"),
    ),
    Fault(
        "backslashes-left-in",
        "Markdown hides a bracket behind a backslash: the direction is read out by the speaker.",
        "src/bardgpt/rebuild.py",
        'unescaped = re.sub(r"\\\\(.)", r"\\1", markdown)',
        "unescaped = markdown",
        Cell("book/appendix/where-the-text-comes-from.ipynb", "rebuild.clean(markdown)"),
    ),
    Fault(
        "text-read-by-its-own-characters",
        "A model reads another text by that text's own ids: its letters mean other letters.",
        "src/bardgpt/text.py",
        "        if tokenizer is None:\n",
        "        if True:\n",
        UnitTest("tests/test_text.py", "test_a_models_tokenizer_can_read_another_text"),
    ),
    Fault(
        "prompt-not-looked-at",
        "The table continues only what it has drawn itself: the first characters follow nothing.",
        "src/bardgpt/lab/count_tables.py",
        "ids[max(0, i - self.context) : i]",
        "ids[max(start, i - self.context) : i]",
        UnitTest("tests/test_count_tables.py", "test_the_first_character_follows_the_prompt"),
    ),
    Fault(
        "line-ends-doubled",
        "Replaced in the wrong order, the two characters of a Windows line end become two lines.",
        "src/bardgpt/text_file.py",
        'text.replace("\\r\\n", "\\n").replace("\\r", "\\n")',
        'text.replace("\\r", "\\n")',
        UnitTest("tests/test_text_file.py", "test_marks_and_line_ends_are_taken_out_and_said"),
    ),
]
