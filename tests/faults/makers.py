"""Faults of the makers of records: the wrong text, seed, weights, mode, denominator, unit or step.

None of them stops a run or looks odd in a table: only a check that works the number out notices.
"""

from faults.kinds import Fault, UnitTest

KINDS = "src/bardgpt/lab/makers/kinds.py"
CONTINUATIONS = "src/bardgpt/lab/makers/continuations.py"
LOOKER = "src/bardgpt/lab/makers/looker.py"
RUNNER = "src/bardgpt/lab/makers/experiments.py"
FULL = "src/bardgpt/lab/makers/full_record.py"
BENCH = "src/bardgpt/lab/makers/bench.py"
CONTEXT = "src/bardgpt/lab/probes/context.py"
PLAN = "src/bardgpt/lab/plan.py"


def experiments(name: str) -> UnitTest:
    return UnitTest("tests/test_experiments.py", name)


def full_record(name: str) -> UnitTest:
    return UnitTest("tests/test_full_record.py", name)


def bench(name: str) -> UnitTest:
    return UnitTest("tests/test_bench.py", name)


SEEDED = "test_a_run_has_the_weights_windows_and_samples_of_its_seed"
SAMPLES = "test_samples_are_the_packed_models_of_each_seed"
LOOKS = "test_a_probe_sees_new_text_and_the_model_as_it_is_used"

FAULTS = [
    # The wrong seed.
    Fault(
        "five-seeds-same-windows",
        "Five runs train on the same windows; their spread is that of initial weights alone.",
        KINDS,
        "config = dataclasses.replace(self.training, seed=seed)",
        "config = self.training",
        experiments(SEEDED),
    ),
    Fault(
        "five-seeds-same-weights",
        "Five runs start from the same weights, and seem to agree more than they would.",
        KINDS,
        "model = seeded_model(self.model, seed)",
        "model = seeded_model(self.model, 0)",
        experiments(SEEDED),
    ),
    Fault(
        "samples-all-from-seed-0",
        "Each seed's model speaks with the same dice: the samples are less apart than they are.",
        KINDS,
        "length=SAMPLE_LENGTH, seed=seed)\n                run",
        "length=SAMPLE_LENGTH, seed=0)\n                run",
        experiments(SEEDED),
    ),
    Fault(
        "one-table-sample-twenty-times",
        "Twenty samples of a count table from one seed are one sample, with a spread of nothing.",
        "src/bardgpt/lab/count_tables.py",
        "generator = torch.Generator().manual_seed(seed)",
        "generator = torch.Generator().manual_seed(0)",
        UnitTest("tests/test_count_tables.py", "test_sample_is_the_text_of_a_seed"),
    ),
    Fault(
        "starts-all-from-one-seed",
        "Five looks at a model before training are looks at one and the same model.",
        LOOKER,
        "self.untrained = seeded_model(config, seed)",
        "self.untrained = seeded_model(config, 0)",
        experiments("test_a_look_at_the_start_is_at_the_weights_of_its_seed"),
    ),
    Fault(
        "short-runs-of-one-seed",
        "The band of chapter 9's short run is made of one run, four times.",
        FULL,
        "training = replace(on_cpu.preset.training, seed=seed)",
        "training = on_cpu.preset.training",
        full_record("test_short_runs_are_one_for_each_seed_and_say_what_they_end_with"),
    ),
    Fault(
        "plan-without-its-seed",
        "The short run's seed chooses windows, and weights come from wherever the dice stood.",
        PLAN,
        "    torch.manual_seed(current.preset.training.seed)\n",
        "",
        UnitTest("tests/test_plan.py", "test_short_run_by_hand"),
    ),
    Fault(
        "windows-of-seed-0",
        "The trainer's windows come from a fixed seed: every run sees the same text in order.",
        "src/bardgpt/training/trainer.py",
        "torch.Generator(where).manual_seed(config.seed)",
        "torch.Generator(where).manual_seed(0)",
        UnitTest("tests/test_trainer.py", "test_a_seed_means_other_windows_and_other_masks"),
    ),
    # The wrong text.
    Fault(
        "training-loss-on-validation-text",
        "The gap between the losses vanishes: both are measured on the same text.",
        KINDS,
        'run["train"] = evaluate(model, looker.learned)',
        'run["train"] = evaluate(model, text.validation)',
        experiments("test_training_loss_is_of_the_text_that_was_learned"),
    ),
    Fault(
        "heads-probed-on-known-text",
        "Heads are asked where they look in a text that they have learned.",
        LOOKER,
        "return head_spreads(model, self.windows, classes)",
        "return head_spreads(model, self.train_windows, classes)",
        experiments(LOOKS),
    ),
    Fault(
        "masks-probed-on-known-text",
        "What many masks gain is measured where the model has learned by heart.",
        LOOKER,
        "return losses_by_switch(model, self.windows, self.targets)",
        "return losses_by_switch(model, self.train_windows, self.targets)",
        experiments("test_masks_are_judged_on_new_text"),
    ),
    Fault(
        "short-run-judged-on-known-text",
        "A short run is judged on the beginning of the text that it learns from.",
        PLAN,
        "shakespeare().validation[:SHORT_JUDGED]",
        "shakespeare().train[:SHORT_JUDGED]",
        UnitTest("tests/test_plan.py", "test_short_run_by_hand"),
    ),
    Fault(
        "copies-sought-in-the-wrong-text",
        "A model that copies its training text looks original: nobody looked for copies there.",
        FULL,
        "copies = [likeness.longest_copy(text, train) for text in texts]",
        "copies = [likeness.longest_copy(text, validation) for text in texts]",
        full_record("test_what_is_copied_is_copied_from_the_training_text"),
    ),
    Fault(
        "real-text-is-the-training-text",
        "What samples are held against knows every word, for it is where the words are from.",
        FULL,
        '"real text": text_statistics(validation, reference)',
        '"real text": text_statistics(train, reference)',
        full_record("test_what_is_copied_is_copied_from_the_training_text"),
    ),
    Fault(
        "real-text-of-the-tables-is-learned",
        "The same mistake in the record of the yardsticks.",
        KINDS,
        "text_statistics(text.tokenizer.decode(text.validation), _reference(text))",
        "text_statistics(text.tokenizer.decode(text.train), _reference(text))",
        experiments("test_count_tables_by_hand"),
    ),
    Fault(
        "table-judged-where-it-counted",
        "A table's two losses are one: it is asked about the text that it has counted.",
        KINDS,
        "table.losses(text.validation)",
        "table.losses(text.train)",
        experiments("test_count_tables_by_hand"),
    ),
    Fault(
        "pieces-of-real-text-learned",
        "Real text in the comparison of form, cut from the wrong part of the file.",
        FULL,
        "    real = cut(validation)\n",
        "    real = cut(train)\n",
        full_record(SAMPLES),
    ),
    # The wrong weights.
    Fault(
        "training-loss-of-unpacked-weights",
        "The record says of the packed weights what was measured of others.",
        FULL,
        "train_loss = evaluate(packed, train_ids, progress=True)",
        "train_loss = evaluate(model, train_ids, progress=True)",
        full_record("test_record_is_of_the_last_weights"),
    ),
    Fault(
        "samples-of-unpacked-weights",
        "The text that is shown is of a model that nobody can download.",
        FULL,
        "**samples(packed, finished.tokenizer, *parts)",
        "**samples(model, finished.tokenizer, *parts)",
        full_record(SAMPLES),
    ),
    Fault(
        "context-of-unpacked-weights",
        "One number of many is of other weights, and differs in the fourth digit.",
        FULL,
        "by_context(packed, validation_ids)",
        "by_context(model, validation_ids)",
        full_record("test_context_position_names_and_passage_are_of_the_packed_weights"),
    ),
    Fault(
        "weights-option-ignored",
        "`--weights last` is accepted, explained in the help, and forgotten.",
        "src/bardgpt/cli/models.py",
        "load_run(self.run, self.weights)",
        'load_run(self.run, "best")',
        UnitTest("tests/test_cli.py", "test_best_and_last_weights_are_told_apart"),
    ),
    Fault(
        "weights-before-the-first-step",
        "A model made anew from the seed has the right shape, and has learned nothing.",
        CONTINUATIONS,
        "checkpoint.content(model.state_dict()",
        "checkpoint.content(seeded_model(model.config, self.seed).state_dict()",
        experiments("test_weights_of_a_rung_are_written_beside_the_record_and_read_again"),
    ),
    Fault(
        "three-temperatures-all-1",
        "The loop goes over the temperatures, and what it calls is not told.",
        CONTINUATIONS,
        "temperature=temperature, **drawn",
        "**drawn",
        experiments("test_continuations_by_hand"),
    ),
    # The wrong mode.
    Fault(
        "stream-probed-with-masks-on",
        "A model in training has holes: its stream is louder, and other at each look.",
        LOOKER,
        "at_test = copy.deepcopy(model).eval()",
        "at_test = copy.deepcopy(model)",
        experiments(LOOKS),
    ),
    Fault(
        "probe-draws-from-the-runs-dice",
        "A look at a model in training mode draws masks, and the run goes on with others.",
        "src/bardgpt/lab/probes/norms.py",
        "with torch.random.fork_rng(devices=[]):",
        "if True:",
        UnitTest(
            "tests/test_probes_norms.py",
            "test_judging_leaves_buffers_gradients_mode_and_random_state",
        ),
    ),
    # The wrong denominator.
    Fault(
        "standard-error-over-n",
        "Whoever divides by n and not by its root is ninety times as sure as he may be.",
        CONTEXT,
        "gain.std().item() / n**0.5",
        "gain.std().item() / n",
        UnitTest(
            "tests/test_probes_context.py",
            "test_gain_of_context_and_its_standard_error_by_hand",
        ),
    ),
    Fault(
        "repetition-allowed-too-little",
        "Means of few runs differ by chance; divided by n, a good repetition is called bad.",
        RUNNER,
        "/ band.n) ** 0.5",
        "/ band.n**2) ** 0.5",
        experiments("test_disagreement_has_a_bound_from_the_spread"),
    ),
    Fault(
        "one-spread-for-two",
        "A repetition has a spread of its own, which is part of the difference.",
        RUNNER,
        "(band.sd**2 + again.sd**2)",
        "(2 * band.sd**2)",
        experiments("test_both_spreads_count"),
    ),
    Fault(
        "share-of-the-wrong-whole",
        "Of neighbouring speeches, not of speeches: there is one less of them.",
        "src/bardgpt/lab/likeness.py",
        '"the same speaker again": _share([a == b for a, b in pairwise(names)]),',
        '"the same speaker again": sum(a == b for a, b in pairwise(names)) / max(len(names), 1),',
        UnitTest("tests/test_likeness.py", "test_each_habit_has_its_own_denominator"),
    ),
    # The wrong unit.
    Fault(
        "peak-without-its-factor",
        "A product is a multiplication and an addition; without the 2 all shares look splendid.",
        BENCH,
        "return PRODUCTS * 2 * MATRIX**3",
        "return PRODUCTS * MATRIX**3",
        bench("test_work_of_the_peak_is_as_much_as_is_reckoned_and_in_its_precision"),
    ),
    Fault(
        "memory-in-the-wrong-unit",
        "The system counts in KiB here and in bytes there; a thousand times is easily believed.",
        BENCH,
        'unit = 1 if sys.platform == "darwin" else 1_024',
        'unit = 1_024 if sys.platform == "darwin" else 1',
        bench("test_a_systems_unit_of_memory"),
    ),
    Fault(
        "seconds-of-all-steps",
        "Twenty steps are timed and called one: the whole run seems to take a day.",
        PLAN,
        "timed(lambda: work(steps), current.device) / steps",
        "timed(lambda: work(steps), current.device)",
        UnitTest("tests/test_plan.py", "test_seconds_are_those_of_one_step"),
    ),
    # The wrong step, the wrong case.
    Fault(
        "clipping-behind-the-step",
        "The gradients are clipped when the optimizer has used them; nothing complains.",
        "src/bardgpt/training/trainer.py",
        """        if self.config.clip is not None:
            self.scaler.unscale_(self.together)
            nn.utils.clip_grad_norm_(self.together.parameters, self.config.clip)
        self.scaler.step(self.together)
""",
        """        self.scaler.step(self.together)
        if self.config.clip is not None:
            nn.utils.clip_grad_norm_(self.together.parameters, self.config.clip)
""",
        UnitTest("tests/test_trainer.py", "test_steps_of_one_seed_written_out"),
    ),
    Fault(
        "late-binding-lambda",
        "Both ways to sample run with the cache: a lambda reads its names when it is called.",
        BENCH,
        "name: partial(generate, model, prompt, SAMPLED, cache=cache)",
        "name: lambda: generate(model, prompt, SAMPLED, cache=cache)",
        bench("test_every_case_and_both_ways_to_sample_do_what_their_names_say"),
    ),
    Fault(
        "every-case-is-the-last",
        "The same lambda once more: all cases of the bench train the last one's model.",
        BENCH,
        "name: partial(step, name, trainers[name]) for name in CASES",
        "name: lambda: step(name, trainers[list(CASES)[-1]]) for name in CASES",
        bench("test_every_case_and_both_ways_to_sample_do_what_their_names_say"),
    ),
    Fault(
        "one-kernel-credited-with-two",
        "Two kernels are switched on by one field, and the bench gives one the other's gain.",
        BENCH,
        'module.fused = case.path in ("all kernels", "whole matrices")',
        'module.fused = case.path != "list of heads"',
        bench("test_case_is_what_its_name_says"),
    ),
    Fault(
        "check-finds-its-own-runs",
        "A repetition that reads the finished runs of the first time always agrees with it.",
        RUNNER,
        'keep = chosen.keep / f"check-{os.getpid()}" if chosen.check else chosen.keep',
        "keep = chosen.keep",
        experiments("test_check_does_not_find_the_runs_that_it_repeats"),
    ),
    Fault(
        "recipe-without-its-start",
        "Optimizer and schedule are sprint's, and the weights start as they always did.",
        "src/bardgpt/lab/makers/catalogue.py",
        "initialization=sprint.model.initialization",
        "initialization=PRE_NORM.initialization",
        experiments("test_size_is_told_from_recipe_with_sprints_own"),
    ),
    Fault(
        "lost-run-with-its-last-loss",
        "A run that broke off is compared by what it had reached before.",
        "src/bardgpt/records/record.py",
        '[math.inf if loss is None else loss for loss in kept["validation"]]',
        '[4.0 if loss is None else loss for loss in kept["validation"]]',
        experiments("test_a_sweep_with_lost_runs_is_written_and_read_back"),
    ),
    # The key of finished runs.
    Fault(
        "key-forgets-a-room",
        "Statistics are changed, and the records are made of the finished runs from before.",
        RUNNER,
        'OUTSIDE = {"recorded", "records", "teaching"}',
        'OUTSIDE = {"recorded", "records", "teaching", "lab"}',
        experiments("test_every_file_of_core_and_lab_changes_the_key_and_no_other_does"),
    ),
    Fault(
        "key-knows-only-the-first-floor",
        "A glob that does not go into folders: layers and training may change unnoticed.",
        RUNNER,
        'package.rglob("*")',
        'package.glob("*")',
        experiments("test_every_file_of_core_and_lab_changes_the_key_and_no_other_does"),
    ),
    Fault(
        "changed-source-unseen-by-git",
        "Asked in the folder of records, git takes the pattern from there, where there is none.",
        "src/bardgpt/lab/makers/provenance.py",
        'SOURCE = ":/*.py"',
        'SOURCE = "*.py"',
        experiments("test_source_text_that_is_not_committed_is_seen_from_the_folder_of_records"),
    ),
]
