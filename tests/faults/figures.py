"""Faults of figures, drawings and checks: right numbers in the wrong place."""

from faults.kinds import Fault, UnitTest

FIGURES = "src/bardgpt/teaching/figures"
DIAGRAMS = "src/bardgpt/teaching/diagrams"

FAULTS = [
    # Which number is drawn.
    Fault(
        "training-loss-drawn",
        "The loss of the last batches lies in the next column, and is always a little better.",
        f"{FIGURES}/ladder.py",
        "curves = ((run.step, run.validation) for run in runs)",
        "curves = ((run.step[1:], run.train[1:]) for run in runs)",
        UnitTest(
            "tests/test_figures_ladder.py",
            "test_training_runs_are_lines_of_validation_loss_over_steps",
        ),
    ),
    Fault(
        "depth-drawn-from-training-loss",
        "The record's other list of losses, one for each run: deep models look better by it.",
        "src/bardgpt/records/record.py",
        "return [history.at(self.training.steps) for history in self.histories]",
        "return [history.train[-1] for history in self.histories]",
        UnitTest(
            "tests/test_figures_ladder.py",
            "test_climbed_gives_the_last_losses_of_each_rung_up_to_one",
        ),
    ),
    Fault(
        "ladder-of-minima",
        "Each run at its best moment, chosen by looking at the text that it is judged on.",
        "src/bardgpt/records/record.py",
        "return [history.at(self.training.steps) for history in self.histories]",
        "return [min(history.validation) for history in self.histories]",
        UnitTest(
            "tests/test_figures_ladder.py",
            "test_climbed_gives_the_last_losses_of_each_rung_up_to_one",
        ),
    ),
    Fault(
        "ladder-of-best-seeds",
        "The luckiest of five seeds stands for all of them.",
        f"{FIGURES}/ladder.py",
        'axes.plot(losses, places, "o"',
        'axes.plot([min(losses)] * len(losses), places, "o"',
        UnitTest(
            "tests/test_figures_ladder.py",
            "test_ladder_has_a_row_for_each_rung_and_a_dot_for_each_run",
        ),
    ),
    Fault(
        "median-called-mean",
        "With three seeds the middle one is close to the mean, and hides the one that went astray.",
        f"{FIGURES}/residual.py",
        "means = [sum(by_depth[depth]) / len(by_depth[depth]) for depth in depths]",
        "means = [sorted(by_depth[d])[len(by_depth[d]) // 2] for d in depths]",
        UnitTest(
            "tests/test_figures_residual.py",
            "test_losses_by_depth_are_dots_of_runs_and_a_line_through_their_means",
        ),
    ),
    Fault(
        "lead-the-other-way-round",
        "After minus before: what gained is drawn as what lost.",
        f"{FIGURES}/feed_forward.py",
        "[before.at(step) - after.at(step) for step in steps]",
        "[after.at(step) - before.at(step) for step in steps]",
        UnitTest(
            "tests/test_figures_feed_forward.py",
            "test_leads_are_loss_before_minus_loss_after_of_the_same_seed",
        ),
    ),
    Fault(
        "counts-for-shares",
        "The axis says share, the bars are counts; on a logarithmic axis the picture is the same.",
        f"{FIGURES}/text.py",
        "share = (counts[order] / counts.sum()).numpy()",
        "share = counts[order].numpy()",
        UnitTest(
            "tests/test_figures_text.py", "test_frequencies_are_shares_with_the_commonest_first"
        ),
    ),
    # How widely it is spread.
    Fault(
        "standard-errors-for-deviations",
        "Bars half as long look twice as sure, and the caption says standard deviation.",
        f"{FIGURES}/style.py",
        "means, sds = [band.mean for band in bands], [band.sd for band in bands]",
        "means, sds = [b.mean for b in bands], [b.sd / b.n**0.5 for b in bands]",
        UnitTest(
            "tests/test_figures_norms.py",
            "test_stream_sizes_stand_by_depth_with_their_deviations",
        ),
    ),
    Fault(
        "bars-of-heads-with-standard-errors",
        "The same, where bars of means have bars of their own.",
        f"{FIGURES}/attention.py",
        "yerr=[band.sd for band in bands]",
        "yerr=[band.sd / band.n**0.5 for band in bands]",
        UnitTest(
            "tests/test_figures_attention.py",
            "test_head_spreads_are_bars_of_means_with_one_deviation",
        ),
    ),
    Fault(
        "band-twice-as-wide",
        "Two deviations are another honest habit, but not what the caption says.",
        f"{FIGURES}/style.py",
        "high = [band.mean + band.sd for band in bands]",
        "high = [band.mean + 2 * band.sd for band in bands]",
        UnitTest(
            "tests/test_figures_residual.py",
            "test_branches_over_training_have_a_panel_for_each_initialization",
        ),
    ),
    Fault(
        "real-text-band-of-variance",
        "The variance for its root: for shares below 1 a band that is much too narrow.",
        f"{FIGURES}/scaling.py",
        "axes.axvspan(aim.mean - aim.sd, aim.mean + aim.sd,",
        "axes.axvspan(aim.mean - aim.sd**2, aim.mean + aim.sd**2,",
        UnitTest(
            "tests/test_figures_scaling.py",
            "test_forms_have_a_panel_for_each_quantity_and_a_band_for_real_text",
        ),
    ),
    Fault(
        "range-from-the-median-up-only",
        "The bar's two lengths swapped: it reaches as far as the turns did, but not there.",
        f"{FIGURES}/fast_attention.py",
        "xerr=[[spread.median - spread.least], [spread.most - spread.median]]",
        "xerr=[[spread.most - spread.median], [spread.median - spread.least]]",
        UnitTest(
            "tests/test_figures_fast_attention.py", "test_step_speeds_are_medians_with_their_range"
        ),
    ),
    # Where it stands.
    Fault(
        "position-from-zero",
        "Lists count from 0; the first prediction sees one character, not none.",
        f"{FIGURES}/scaling.py",
        "seen = range(1, len(losses) + 1)",
        "seen = range(len(losses))",
        UnitTest("tests/test_figures_scaling.py", "test_loss_by_position_begins_at_one_character"),
    ),
    Fault(
        "tables-one-to-the-right",
        "The table that sees nothing stands at one character, and each other one too far right.",
        f"{FIGURES}/scaling.py",
        "range(1, len(tables)), tables[1:],",
        "range(1, len(tables) + 1), tables,",
        UnitTest("tests/test_figures_scaling.py", "test_loss_by_position_begins_at_one_character"),
    ),
    Fault(
        "octave-shares-its-edge",
        "Each octave takes the first position of the next one along.",
        f"{FIGURES}/scaling.py",
        "means.append(sum(losses[start - 1 : end - 1]) / (end - start))",
        "means.append(sum(losses[start - 1 : end]) / len(losses[start - 1 : end]))",
        UnitTest("tests/test_figures_scaling.py", "test_loss_by_position_begins_at_one_character"),
    ),
    Fault(
        "steps-by-index",
        "Evaluations at unequal distances, drawn at equal ones.",
        f"{FIGURES}/style.py",
        "axes.plot(places, values, look, label=None if i else label, **style)",
        "axes.plot(range(len(values)), values, look, label=None if i else label, **style)",
        UnitTest(
            "tests/test_figures_ladder.py",
            "test_training_runs_are_lines_of_validation_loss_over_steps",
        ),
    ),
    Fault(
        "masks-by-index",
        "1, 2, 4, … masks drawn as 0, 1, 2, …: the axis has their names, and the look of a line.",
        f"{FIGURES}/style.py",
        "axes.errorbar(places, means, yerr=sds",
        "axes.errorbar(range(len(means)), means, yerr=sds",
        UnitTest(
            "tests/test_figures_dropout.py",
            "test_ensembles_stand_by_the_number_of_masks_with_their_deviations",
        ),
    ),
    Fault(
        "blocks-from-zero",
        "Places of the stream count from 0, blocks from 1: each matrix moves one to the left.",
        f"{FIGURES}/wiring.py",
        "_profile(each, gradients[side], wiring, first=side)",
        "_profile(each, gradients[side], wiring)",
        UnitTest(
            "tests/test_figures_wiring.py",
            "test_gradients_at_start_stand_by_depth_on_the_stream_and_by_block_in_the_weights",
        ),
    ),
    Fault(
        "play-not-cut",
        "The play across the border is all of one colour, half of it never trained on.",
        f"{FIGURES}/text.py",
        "left, right = max(start, low), min(stop, high)",
        "left, right = (start, stop) if low <= start < high else (0, 0)",
        UnitTest(
            "tests/test_figures_text.py", "test_plays_are_bars_cut_where_the_validation_text_begins"
        ),
    ),
    Fault(
        "arrow-at-the-mirror-cell",
        "Row and column of an annotation swapped: it points at the pair the other way round.",
        f"{FIGURES}/text.py",
        "            (column, row),\n",
        "            (row, column),\n",
        UnitTest(
            "tests/test_figures_text.py",
            "test_bigram_table_has_a_row_for_the_current_character_and_a_column_for_the_next",
        ),
    ),
    # Which way round a picture is.
    Fault(
        "attention-map-transposed",
        "Who looks becomes who is looked at; the empty triangle changes sides, and few remember.",
        f"{FIGURES}/attention.py",
        "axis.imshow(head.numpy(),",
        "axis.imshow(head.T.numpy(),",
        UnitTest(
            "tests/test_figures_attention.py",
            "test_maps_have_a_picture_for_each_head_whose_rows_look_at_columns",
        ),
    ),
    Fault(
        "bigram-table-transposed",
        "P(current | next) is a table too, and its rows do not sum to 1.",
        f"{FIGURES}/text.py",
        "axes.imshow(probabilities.numpy(),",
        "axes.imshow(probabilities.T.numpy(),",
        UnitTest(
            "tests/test_figures_text.py",
            "test_bigram_table_has_a_row_for_the_current_character_and_a_column_for_the_next",
        ),
    ),
    Fault(
        "jacobian-drawn-transposed",
        "The upper triangle instead of the lower: outputs would depend on the future.",
        f"{FIGURES}/feed_forward.py",
        'picture.where(picture != 0, float("nan")).numpy()',
        'picture.where(picture != 0, float("nan")).T.numpy()',
        UnitTest(
            "tests/test_figures_feed_forward.py",
            "test_jacobians_have_outputs_as_rows_and_leave_zeros_empty",
        ),
    ),
    Fault(
        "every-map-its-own-scale",
        "Colours stretched to each head's own largest weight: a flat head looks as sharp as any.",
        f"{FIGURES}/attention.py",
        'cmap="cividis", vmin=0, vmax=1)',
        'cmap="cividis")',
        UnitTest(
            "tests/test_figures_attention.py",
            "test_maps_have_a_picture_for_each_head_whose_rows_look_at_columns",
        ),
    ),
    # On which axis.
    Fault(
        "gradients-on-a-linear-axis",
        "Eighteen powers of ten on a linear axis: all lines but one lie on the floor.",
        f"{FIGURES}/residual.py",
        'axes.set_yscale("log")\n',
        'axes.set_yscale("linear")\n',
        UnitTest(
            "tests/test_figures_residual.py",
            "test_gradients_by_depth_are_a_line_for_each_run_on_a_logarithmic_axis",
        ),
    ),
    Fault(
        "losses-on-a-logarithmic-axis",
        "Small differences at the bottom grow, large ones at the top shrink.",
        f"{FIGURES}/residual.py",
        'axes.set_xscale("log", base=2)\n',
        'axes.set_xscale("log", base=2)\n    axes.set_yscale("log")\n',
        UnitTest(
            "tests/test_figures_residual.py",
            "test_losses_by_depth_are_dots_of_runs_and_a_line_through_their_means",
        ),
    ),
    Fault(
        "ladder-upside-down",
        "The first rung at the bottom, as ladders have it; the text counts from the top.",
        f"{FIGURES}/ladder.py",
        "axes.set_ylim(places[-1] + 0.5 + 0.4 * extra, -0.5)",
        "axes.set_ylim(-0.5, places[-1] + 0.5 + 0.4 * extra)",
        UnitTest(
            "tests/test_figures_ladder.py",
            "test_ladder_has_a_row_for_each_rung_and_a_dot_for_each_run",
        ),
    ),
    # Under which name, in which colour.
    Fault(
        "legend-swapped",
        "Two names change places: dropped and kept, seen and unseen.",
        f"{FIGURES}/text.py",
        '(("train", "training text"), ("validation", "validation text"))',
        '(("train", "validation text"), ("validation", "training text"))',
        UnitTest(
            "tests/test_figures_text.py", "test_plays_are_bars_cut_where_the_validation_text_begins"
        ),
    ),
    Fault(
        "both-losses-one-name",
        "The curve of the text learned from bears the other's name.",
        f"{FIGURES}/dropout.py",
        'name = "the text learned from"',
        'name = "validation"',
        UnitTest(
            "tests/test_figures_dropout.py",
            "test_gaps_are_both_losses_of_each_run_over_the_steps",
        ),
    ),
    Fault(
        "title-of-the-neighbour",
        "Every panel bears the name of the one beside it.",
        f"{FIGURES}/wiring.py",
        'f"{PLACES[side]}\\n{title}"',
        'f"{PLACES[1 - side]}\\n{title}"',
        UnitTest(
            "tests/test_figures_wiring.py",
            "test_gradients_at_start_stand_by_depth_on_the_stream_and_by_block_in_the_weights",
        ),
    ),
    Fault(
        "starts-of-the-neighbour",
        "Panels named from the last to the first: the default is shown as another.",
        f"{FIGURES}/residual.py",
        "each.set_title(start)",
        "each.set_title([*branches][-1 - [*branches].index(start)])",
        UnitTest(
            "tests/test_figures_residual.py",
            "test_branches_over_training_have_a_panel_for_each_initialization",
        ),
    ),
    Fault(
        "keys-in-the-colour-of-queries",
        "One role, one colour through the book; here a key is drawn as what asks it.",
        f"{FIGURES}/attention.py",
        'style = {"facecolor": to_rgba(COLOURS["key"]',
        'style = {"facecolor": to_rgba(COLOURS["query"]',
        UnitTest("tests/test_figures_attention.py", "test_keys_chosen_is_a_bar_for_each_key"),
    ),
    Fault(
        "palette-swaps-query-and-key",
        "The same, in the palette: all pictures agree, and none with the text.",
        "src/bardgpt/teaching/palette.py",
        '"query": "q",\n    "key": "k",',
        '"query": "k",\n    "key": "q",',
        UnitTest("tests/test_palette.py", "test_captions_can_count_on_the_colours_that_they_name"),
    ),
    Fault(
        "parts-in-each-others-colour",
        "Branches come in turns; begun with the wrong one, attention is drawn as feed-forward.",
        f"{FIGURES}/residual.py",
        "COLOURS[PARTS[place % len(PARTS)]]",
        "COLOURS[PARTS[(place + 1) % len(PARTS)]]",
        UnitTest(
            "tests/test_figures_residual.py",
            "test_branches_over_training_have_a_panel_for_each_initialization",
        ),
    ),
    Fault(
        "gap-drawn-as-zero",
        "A letter that no name has becomes a perfect prediction.",
        f"{FIGURES}/scaling.py",
        'float("nan") if loss is None else loss',
        "0.0 if loss is None else loss",
        UnitTest(
            "tests/test_figures_scaling.py", "test_name_losses_are_a_line_for_each_kind_of_name"
        ),
    ),
    # Pages.
    Fault(
        "colours-fixed-in-the-picture",
        "Right on a white page, and dark on dark in the other theme.",
        "src/bardgpt/teaching/svg.py",
        'return f"var(--bard-{name}, {colour})"',
        "return colour",
        UnitTest("tests/test_palette.py", "test_a_colour_is_painted_as_the_page_s_variable"),
    ),
    Fault(
        "a-phone-gets-the-wide-panels",
        "As many plots side by side as on a desk, each a thumb wide.",
        f"{FIGURES}/style.py",
        "columns = min(columns, narrow_columns)",
        "columns = columns + 0 * narrow_columns",
        UnitTest("tests/test_plots.py", "test_plots_stand_below_each_other_on_a_phone"),
    ),
    Fault(
        "name-at-another-s-curve",
        "No legend is needed to read the plot, and it is read wrong.",
        f"{FIGURES}/names.py",
        "curves = dict(zip(labels, handles, strict=True))",
        "curves = dict(zip(labels, handles[::-1], strict=True))",
        UnitTest("tests/test_plots.py", "test_names_stand_at_their_curves_in_the_colour_of_words"),
    ),
    Fault(
        "page-keeps-what-is-seen-to-itself",
        "A screen reader is told the names of the axes, and not what the plot shows.",
        "book/_ext/bardgpt_pages.py",
        "escape(seen), plot.astext()",
        "_[0], plot.astext()",
        UnitTest("tests/test_plots.py", "test_a_page_says_what_is_seen"),
    ),
    # Drawings.
    Fault(
        "norm-drawn-off-the-stream",
        "Post-norm drawn as pre-norm: the one difference that the picture is for.",
        f"{DIAGRAMS}/block.py",
        'if norm and wiring == "pre-norm" else pieces',
        'if norm and wiring != "residual" else pieces',
        UnitTest("tests/test_drawings.py", "test_a_column_places_pieces_as_the_wiring_says"),
    ),
    Fault(
        "gradient-drawn-downwards",
        "Arrows that nobody turned round, under a heading that says backward.",
        f"{DIAGRAMS}/block.py",
        "ends = ends[::-1] if self.backwards else ends",
        "ends = ends",
        UnitTest(
            "tests/test_drawings.py",
            "test_backward_adds_where_forward_forked_and_turns_every_arrow",
        ),
    ),
    Fault(
        "attention-drawn-from-the-future",
        "Lines from later characters to earlier places: no mask.",
        f"{DIAGRAMS}/feed_forward.py",
        "middles[:t]",
        "middles[t + 1 :]",
        UnitTest(
            "tests/test_drawings.py", "test_attention_looks_back_and_feed_forward_straight_down"
        ),
    ),
    Fault(
        "batch-norm-in-the-colour-of-layer-norm",
        "The row bears the colour of the column, and the legend is right.",
        f"{DIAGRAMS}/norms.py",
        'batch, layer = COLOURS["batch norm"], COLOURS["norm"]',
        'layer, batch = COLOURS["batch norm"], COLOURS["norm"]',
        UnitTest("tests/test_drawings.py", "test_batch_norm_has_a_column_and_layer_norm_a_row"),
    ),
    Fault(
        "cache-drops-the-newest",
        "A full window that forgets its last half and keeps its first.",
        f"{DIAGRAMS}/fast_attention.py",
        "if i < forgotten:",
        "if i >= forgotten:",
        UnitTest(
            "tests/test_drawings.py",
            "test_cache_keeps_all_but_the_new_and_then_the_last_half",
        ),
    ),
    # What a cell checks.
    Fault(
        "tolerance-is-the-wider-one",
        "The larger of the two limits: a run may lie beyond the bound that it is to respect.",
        "src/bardgpt/teaching/checks.py",
        "allowed = min(MOST_DEVIATIONS * recorded.sd, effect / 2)",
        "allowed = max(MOST_DEVIATIONS * recorded.sd, effect / 2)",
        UnitTest("tests/test_checks.py", "test_what_is_allowed_by_hand"),
    ),
    Fault(
        "not-a-number-passes",
        "No comparison with NaN is true, so 'if it is farther off, fail' lets it through.",
        "src/bardgpt/teaching/checks.py",
        "if not abs(value - recorded.mean) <= tolerance:",
        "if abs(value - recorded.mean) > tolerance:",
        UnitTest("tests/test_checks.py", "test_a_run_outside_four_deviations_fails"),
    ),
    Fault(
        "the-record-is-not-asked",
        "This run bears the claim out; whether five full ones did, nobody looks.",
        "src/bardgpt/teaching/checks.py",
        "below is None or recorded.mean < below",
        "below is None or value < below",
        UnitTest(
            "tests/test_checks.py", "test_what_bears_out_a_claim_is_the_record_and_not_this_run"
        ),
    ),
    Fault(
        "only-better-text-passes",
        "A statistic that is too high is not asked about: too good is as wrong as too bad.",
        "src/bardgpt/teaching/checks.py",
        "if not abs(statistics[name] - band.mean) <= MOST_DEVIATIONS",
        "if not band.mean - statistics[name] <= MOST_DEVIATIONS",
        UnitTest("tests/test_checks.py", "test_generated_text_of_another_form_fails"),
    ),
]
