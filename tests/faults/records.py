"""Faults of reading the records: another mean, spread, place or peak than the words beside it."""

from faults.kinds import Cell, Fault, UnitTest

RECORD = "src/bardgpt/records/record.py"
RECORDS, BENCH = "tests/test_records.py", "tests/test_bench.py"

FAULTS = [
    Fault(
        "worst-for-best",
        "The reading that is called the best is the one with the highest loss.",
        "src/bardgpt/records/own_texts.py",
        "return min(self.log, key=",
        "return max(self.log, key=",
        Cell("book/appendix/your-own-text.ipynb", 'table("characters", ["counting"'),
    ),
    Fault(
        "copies-of-other-weights",
        "What the last weights copy is told of the best, which copy little.",
        "src/bardgpt/records/own_texts.py",
        '{weights: written[weights]["longest copy"] for weights in written}',
        '{weights: written["last"]["longest copy"] for weights in written}',
        Cell("book/appendix/your-own-text.ipynb", "small.copies[weights]"),
    ),
    Fault(
        "share-of-the-wrong-peak",
        "A share of the peak that looks wonderful, of the wrong peak.",
        "src/bardgpt/records/speeds.py",
        "self.peak[self.precisions[case]]",
        'self.peak["float32"]',
        UnitTest(BENCH, "test_share_of_the_peak_of_its_precision"),
    ),
    Fault(
        "ratio-turned-round",
        "How many times faster becomes how many times slower.",
        "src/bardgpt/records/speeds.py",
        "[slow / fast for slow, fast in pairs]",
        "[fast / slow for slow, fast in pairs]",
        UnitTest(BENCH, "test_ratios_are_of_one_turn"),
    ),
    Fault(
        "spread-of-a-population",
        "Divided by n, the spread of three runs is a fifth smaller than it may be called.",
        "src/bardgpt/records/band.py",
        "statistics.stdev(values)",
        "statistics.pstdev(values)",
        UnitTest(RECORDS, "test_a_band_by_hand"),
    ),
    Fault(
        "gain-of-unpaired-runs",
        "Each seed's gain is taken from another seed's start: the mean is right, the spread not.",
        RECORD,
        "pairs = zip(before.histories, after.histories, strict=True)",
        "pairs = zip(before.histories, after.histories[::-1], strict=True)",
        UnitTest(RECORDS, "test_gain_is_taken_seed_by_seed"),
    ),
    Fault(
        "lag-behind-one-model",
        "All ensembles are compared with the first seed's model, and their spread is its luck.",
        RECORD,
        '[loss - run["test-time loss"][0] for loss in run[quantity]]',
        '[loss - runs[0]["test-time loss"][0] for loss in run[quantity]]',
        UnitTest(RECORDS, "test_ensemble_lags_are_taken_seed_by_seed"),
    ),
    Fault(
        "band-of-the-end-at-every-step",
        "A chapter's short run is held against the end of the long one.",
        RECORD,
        "Band.of([history.at(step) for history in self.histories])",
        "Band.of([history.validation[-1] for history in self.histories])",
        UnitTest(RECORDS, "test_record_reads_back"),
    ),
    Fault(
        "best-table-by-training-loss",
        "Of count tables the longest fits the counted text best; it is no yardstick.",
        "src/bardgpt/records/tables.py",
        'key=lambda table: table["validation"]',
        'key=lambda table: table["train"]',
        UnitTest(RECORDS, "test_best_table_has_the_lowest_validation_loss"),
    ),
    Fault(
        "loss-of-weights-that-nobody-has",
        "The loss before packing is lower, and no reader can find it again.",
        "src/bardgpt/records/full_model.py",
        'self.results["validation of the packed weights"]',
        'self.results["validation"]',
        UnitTest(RECORDS, "test_full_record_by_hand"),
    ),
    Fault(
        "hours-of-one-minute",
        "Seconds over sixty are minutes, whatever the property is called.",
        "src/bardgpt/records/full_model.py",
        '["seconds"] / 3_600',
        '["seconds"] / 60',
        UnitTest(RECORDS, "test_full_record_by_hand"),
    ),
    Fault(
        "start-taken-for-the-end",
        "0 counts as false: whoever asks for the loss before the first step is told the last one.",
        "src/bardgpt/records/record.py",
        "step = self.training.steps if step is None else step",
        "step = step or self.training.steps",
        UnitTest(RECORDS, "test_record_reads_back"),
    ),
    Fault(
        "fastest-against-fastest",
        "Sorted first, the turns are compared in pairs that never ran side by side.",
        "src/bardgpt/records/speeds.py",
        "pairs = zip(self._seconds(than), self._seconds(case), strict=True)",
        "pairs = zip(sorted(self._seconds(than)), sorted(self._seconds(case)), strict=True)",
        UnitTest(BENCH, "test_ratios_are_of_one_turn"),
    ),
]
