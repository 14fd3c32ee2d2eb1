"""Planted faults: mistakes that people really make, each with the one check that must notice.

A fault is an edit of one place in `src`. It is applied to a copy of the project, and the file of
its check is run there. The check must fail because what it asserts is false: a fault that merely
crashes, by import, name or shape, proves nothing about the check.

`make break` lists the faults, and `make break FAULT=name` shows one of them at work.
"""

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("src/bardgpt")


@dataclass(frozen=True)
class Cell:
    """A code cell of a chapter's notebook, found by a piece of its source."""

    file: str
    holding: str

    @property
    def name(self) -> str:
        """The name under which nbval reports it: code cells are counted from 0."""
        cells = nbformat.read(ROOT / self.file, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        (place,) = [i for i, cell in enumerate(code) if is_code_holding(cell, self.holding)]
        return f"Cell {place}"


def is_code_holding(cell: nbformat.NotebookNode, piece: str) -> bool:
    return cell.cell_type == "code" and piece in cell.source


@dataclass(frozen=True)
class UnitTest:
    """A test function of a file in tests/, any of its parameters."""

    file: str
    name: str


@dataclass(frozen=True)
class Fault:
    """One wrong edit, and the check that must turn red.

    Attributes:
        story: in one line, who makes this mistake, or what it looks like.
        module: the file, below `src/bardgpt`.
        right: what stands there, exactly once.
        wrong: what takes its place.
    """

    name: str
    story: str
    module: str
    right: str
    wrong: str
    check: Cell | UnitTest


DIAGRAMS = "tests/test_diagrams.py"
ATTENTION = "tests/test_attention.py"
TRAINER, OPTIMIZERS = "tests/test_trainer.py", "tests/test_optimizers.py"
BLOCKS = "tests/test_blocks.py"
FEED_FORWARD = "tests/test_feed_forward.py"
INITIALIZATION = "tests/test_initialization.py"
NORMALIZATION = "tests/test_normalization.py"

FAULTS = [
    # Text, windows, evaluation.
    Fault(
        "targets-not-shifted",
        "The model learns to repeat what it sees; its loss is wonderful, its text a stutter.",
        "batches.py",
        "return windows[:, :-1], windows[:, 1:]",
        "return windows[:, :-1], windows[:, :-1]",
        UnitTest("tests/test_batches.py", "test_targets_are_the_next_characters"),
    ),
    Fault(
        "split-leak",
        "A few characters of training text are in the examination too; nobody sees it in a curve.",
        "batches.py",
        "return ids[:n_train], ids[n_train:]",
        "return ids[:n_train], ids[n_train - 100 :]",
        UnitTest("tests/test_batches.py", "test_split_is_in_order_without_gap_or_overlap"),
    ),
    Fault(
        "random-evaluation-windows",
        "Evaluating on a random sample: the same model gets another loss each time it is asked.",
        "evaluation.py",
        "for x, y in evaluation_windows(ids, model.config.block_size)",
        "for x, y in [(ids[s[:, None] + torch.arange(T)], ids[s[:, None] + torch.arange(1, T + 1)])"
        " for T in [model.config.block_size] for s in [torch.randint(len(ids) - T, (200,))]]",
        UnitTest(
            "tests/test_evaluation.py",
            "test_same_model_gives_the_same_number_whatever_the_random_state",
        ),
    ),
    Fault(
        "last-window-dropped",
        "The rest that fills no window is thrown away, as data loaders with drop_last do.",
        "batches.py",
        "if whole < len(targets):",
        "if False:",
        Cell("book/01-text-and-yardstick.ipynb", "evaluation_windows(validation, block_size=8)"),
    ),
    Fault(
        "evaluation-in-training-mode",
        "Whoever forgets model.eval() measures a model with holes in it, and blames overfitting.",
        "evaluation.py",
        "    model.eval()\n",
        "",
        UnitTest("tests/test_evaluation.py", "test_dropout_is_off_while_measuring"),
    ),
    # Training.
    Fault(
        "gradients-never-zeroed",
        "PyTorch adds up gradients until told otherwise. It trains, only worse: a classic.",
        "training/trainer.py",
        "        self.together.zero_grad()\n",
        "",
        UnitTest("tests/test_loop.py", "test_steps_are_those_of_adamw_on_each_batch_alone"),
    ),
    Fault(
        "softmax-twice",
        "cross_entropy takes logits; given probabilities, it flattens them. It trains, slowly.",
        "gpt.py",
        "F.cross_entropy(logits.flatten(0, 1), ",
        "F.cross_entropy(logits.flatten(0, 1).softmax(dim=-1), ",
        UnitTest("tests/test_gpt.py", "test_loss_is_minus_log_probability_of_the_target"),
    ),
    # The engine.
    Fault(
        "loss-read-in-every-step",
        "Harmless on a processor. A GPU waits for the host at each step, and idles.",
        "training/trainer.py",
        "self.losses.append(loss.detach())",
        "self.losses.append(torch.tensor(loss.item()))",
        UnitTest(TRAINER, "test_a_step_never_waits_for_the_device"),
    ),
    Fault(
        "clipped-before-unscaled",
        "Scaled gradients are 65,536 times too long: clipping leaves next to nothing of them.",
        "training/trainer.py",
        "            self.scaler.unscale_(self.together)\n",
        "",
        UnitTest(TRAINER, "test_clipping_bounds_all_gradients_together"),
    ),
    Fault(
        "half-a-step",
        "Each optimizer asks the scaler by itself, as tutorials do; one skips, the other does not.",
        "training/trainer.py",
        "        self.scaler.step(self.together)\n",
        "        for optimizer in self.optimizers:\n            self.scaler.step(optimizer)\n",
        UnitTest(TRAINER, "test_float16_overflow_skips_the_whole_step_and_training_goes_on"),
    ),
    Fault(
        "dropout-forgets",
        "Weights and optimizer are in the checkpoint; the state that draws the masks is forgotten.",
        "training/trainer.py",
        'torch.set_rng_state(tensors["random.dropout"])',
        "pass",
        UnitTest(TRAINER, "test_restored_is_as_if_never_stopped"),
    ),
    Fault(
        "ruined-weights-kept",
        "The loss of the last step is fine, its weights are not, and a checkpoint is due.",
        "training/trainer.py",
        "if not finite.item():",
        "if False:",
        UnitTest(TRAINER, "test_weights_that_the_last_step_has_ruined_are_seen_at_once"),
    ),
    Fault(
        "every-process-the-same-share",
        "Two processes train on the same half of each batch. It works, and is worth one of them.",
        "training/distributed.py",
        "return batch[self.rank * part : (self.rank + 1) * part]",
        "return batch[:part]",
        UnitTest(TRAINER, "test_shares_together_are_the_batch"),
    ),
    Fault(
        "decay-on-gains",
        "Gains are pulled towards 0 and biases with them: the norms fade a little at every step.",
        "training/optimizers.py",
        '{"params": kept, "weight_decay": 0.0}',
        '{"params": kept, "weight_decay": config.weight_decay}',
        UnitTest(OPTIMIZERS, "test_decay_on_matrices_spares_gains_and_biases"),
    ),
    Fault(
        "muon-on-embeddings",
        "An embedding is a table that happens to be 2-D; orthogonalizing it trains, only worse.",
        "training/optimizers.py",
        "hidden = [p for p in model.blocks.parameters() if p.ndim == 2]",
        "hidden = [p for p in model.parameters() if p.ndim == 2]",
        UnitTest(OPTIMIZERS, "test_muon_has_the_matrices_inside_blocks_and_adamw_all_else"),
    ),
    Fault(
        "warm-up-from-zero",
        "Counted from 0 the first step has no rate at all: a step that is paid for and not made.",
        "training/optimizers.py",
        "return (step + 1) / config.warmup",
        "return step / config.warmup",
        UnitTest(OPTIMIZERS, "test_rates_of_four_steps"),
    ),
    Fault(
        "bfloat16-on-every-gpu",
        "A T4 says that it supports bfloat16, and emulates it: slower than float32.",
        "training/devices.py",
        "machine.capability >= (8, 0)",
        "machine.capability >= (7, 0)",
        UnitTest("tests/test_devices.py", "test_the_best_device_in_the_precision_that_suits_it"),
    ),
    Fault(
        "checkpoint-written-in-place",
        "The disk fills up half-way, and the new checkpoint has taken the old one with it.",
        "training/checkpoint.py",
        "    write_whole(path, safetensors.torch.save(kept, header))",
        "    path.parent.mkdir(parents=True, exist_ok=True)\n"
        "    path.write_bytes(safetensors.torch.save(kept, header))",
        UnitTest("tests/test_checkpoint.py", "test_a_full_disk_leaves_the_old_one"),
    ),
    Fault(
        "one-scale-for-the-matrix",
        "Eight bits for the largest row are few for the smallest.",
        "pretrained.py",
        "value.abs().amax(dim=1, keepdim=True)",
        "value.abs().amax().expand(len(value), 1)",
        UnitTest("tests/test_pretrained.py", "test_error_is_at_most_half_a_level_of_its_row"),
    ),
    # Attention: the mask.
    Fault(
        "no-mask",
        "An encoder's attention in a decoder: each character reads the answer it should predict.",
        "layers/attention.py",
        'F.softmax(scores.masked_fill(~mask, float("-inf")), dim=-1)',
        "F.softmax(scores, dim=-1)",
        UnitTest(ATTENTION, "test_the_future_cannot_change_the_past"),
    ),
    Fault(
        "mask-off-by-one",
        "Only one character too far, but that one is the target: a loss too good to be true.",
        "layers/attention.py",
        ".tril()\n",
        ".tril(1)\n",
        UnitTest("tests/test_gpt.py", "test_the_future_cannot_change_the_past"),
    ),
    Fault(
        "mask-upside-down",
        "True is 'may look' in one half of PyTorch and 'may not' in the other; easily swapped.",
        "layers/attention.py",
        "masked_fill(~mask, ",
        "masked_fill(mask, ",
        UnitTest(ATTENTION, "test_weights_by_hand"),
    ),
    Fault(
        "mask-hides-the-query-itself",
        "Who may look at nobody has no weights: the first row's softmax is 0 / 0, and NaN spreads.",
        "layers/attention.py",
        ".tril()\n",
        ".tril(-1)\n",
        UnitTest(ATTENTION, "test_weights_are_distributions_over_the_past"),
    ),
    Fault(
        "fused-without-mask",
        "PyTorch's attention kernel is not causal unless asked; the argument is easily forgotten.",
        "layers/attention.py",
        "is_causal=T > 1, ",
        "",
        UnitTest("tests/test_gpt.py", "test_the_future_cannot_change_the_past"),
    ),
    # Attention: the scores.
    Fault(
        "scale-by-width",
        "C is at hand, hs is not. It trains, so nobody notices: the field's most copied mistake.",
        "layers/attention.py",
        "        weights = attention_weights(q, k, self.causal[:T, :T])  # (B, T, T)\n",
        "        scores = q @ k.transpose(-2, -1) * x.shape[-1] ** -0.5  # (B, T, T)\n"
        '        scores = scores.masked_fill(~self.causal[:T, :T], float("-inf"))\n'
        "        weights = F.softmax(scores, dim=-1)\n",
        UnitTest(ATTENTION, "test_a_head_scales_by_its_own_size_and_not_by_the_width"),
    ),
    Fault(
        "no-scale",
        "The wider the head, the fewer keys a query starts out with. It trains all the same.",
        "layers/attention.py",
        " * q.shape[-1] ** -0.5",
        "",
        UnitTest(ATTENTION, "test_scale_is_the_root_of_the_head_size"),
    ),
    Fault(
        "softmax-over-queries",
        "The scores are square, so the wrong dimension fits too: now keys share out the queries.",
        "layers/attention.py",
        'float("-inf")), dim=-1)',
        'float("-inf")), dim=-2)',
        UnitTest(ATTENTION, "test_weights_are_distributions_over_the_past"),
    ),
    Fault(
        "values-from-keys",
        "A slip of copy and paste among three equal lines: what is found is what was searched.",
        "layers/attention.py",
        "self.key(x), self.value(x)",
        "self.key(x), self.key(x)",
        UnitTest(ATTENTION, "test_heads_equal_scaled_dot_product_attention"),
    ),
    # Attention: the heads.
    Fault(
        "heads-added",
        "Several heads taken for an ensemble: all speak at once, in the same channels.",
        "layers/attention.py",
        "y = torch.cat([head(x) for head in self.heads], dim=-1)",
        "y = sum(head(x) for head in self.heads).repeat(1, 1, len(self.heads))",
        UnitTest(ATTENTION, "test_each_head_has_weights_of_its_own_and_a_place_of_its_own"),
    ),
    Fault(
        "heads-share-weights",
        "[head] * n is n times the same object: four names for one head.",
        "layers/attention.py",
        "nn.ModuleList(Head(config) for _ in range(config.n_head))",
        "nn.ModuleList([Head(config)] * config.n_head)",
        UnitTest(ATTENTION, "test_q_k_v_have_as_many_weights_however_many_heads"),
    ),
    Fault(
        "heads-stacked-one-by-one",
        "q, k, v of each head together: how some published weights lie, and not how ours do.",
        "layers/attention.py",
        '            for part in ("query", "key", "value")\n'
        "            for head in attention.heads\n",
        "            for head in attention.heads\n"
        '            for part in ("query", "key", "value")\n',
        UnitTest(ATTENTION, "test_from_heads_is_the_same_function"),
    ),
    Fault(
        "heads-cut-across-time",
        "The shape is right without transpose too; but now each head gets a stretch of the text.",
        "layers/attention.py",
        "z.view(B, T, self.n_head, -1).transpose(1, 2)",
        "z.reshape(B, self.n_head, T, -1)",
        UnitTest(ATTENTION, "test_equals_torch_multihead_attention"),
    ),
    # Dropout.
    Fault(
        "dropout-at-test-time",
        "F.dropout does not know about model.eval(): it drops for ever, and the text gets worse.",
        "layers/attention.py",
        "return self.dropout(weights) @ v",
        "return F.dropout(weights, self.dropout.p) @ v",
        UnitTest(ATTENTION, "test_dropout_is_at_work_in_training_only"),
    ),
    Fault(
        "fused-dropout-at-test-time",
        "The kernel's documentation warns of it: dropout_p is applied whatever the module's mode.",
        "layers/attention.py",
        "rate = self.rate if self.training else 0.0",
        "rate = self.rate",
        UnitTest(ATTENTION, "test_dropout_is_at_work_in_training_only"),
    ),
    Fault(
        "attention-dropout-unused",
        "Made, but never called: every position hears all others in training, and nothing says so.",
        "layers/attention.py",
        "return self.dropout(weights) @ v",
        "return weights @ v",
        UnitTest(ATTENTION, "test_dropout_sits_after_the_softmax_and_at_the_end"),
    ),
    Fault(
        "dropout-before-projection",
        "One line too early: the projection fills the holes again, and every channel is noisy.",
        "layers/feed_forward.py",
        "return self.dropout(self.proj(h))",
        "return self.proj(self.dropout(h))",
        UnitTest(FEED_FORWARD, "test_dropout_is_at_the_end"),
    ),
    Fault(
        "ensemble-without-masks",
        "In evaluation mode the ensemble agrees with the model to the last digit: no wonder.",
        "lab/probes/dropout.py",
        "    masked.train()\n",
        "",
        UnitTest("tests/test_probes_dropout.py", "test_ensemble_by_hand"),
    ),
    Fault(
        "kl-turned-round",
        "F.kl_div takes its arguments in the other order than the formula; both are positive.",
        "lab/probes/dropout.py",
        "F.kl_div(log_q, log_p,",
        "F.kl_div(log_p, log_q,",
        UnitTest("tests/test_probes_dropout.py", "test_divergence_by_hand_and_its_direction"),
    ),
    # Chapter 9.
    Fault(
        "new-names-known",
        "Whoever asks the whole text who speaks there finds no strangers in its last tenth.",
        "lab/makers/full_record.py",
        "    known = set(plays.speakers(train))\n",
        "    known = set(plays.speakers(train + validation))\n",
        UnitTest("tests/test_probes_context.py", "test_names_apart_from_the_rest"),
    ),
    Fault(
        "kept-counted-twice",
        "A tensor that two layers keep lies in memory once; counted twice, no GPU is large enough.",
        "teaching/scaling.py",
        "kept[tensor.untyped_storage()._cdata] = tensor",
        "kept[len(kept)] = tensor",
        UnitTest("tests/test_cost.py", "test_kept_tensors_are_counted_once_and_without_weights"),
    ),
    Fault(
        "timed-without-warm-up",
        "The first step on a GPU loads and plans; timed with the rest, an hour becomes two.",
        "teaching/scaling.py",
        "        work(warm)\n",
        "",
        UnitTest("tests/test_plan.py", "test_timing_takes_what_it_says_and_leaves_the_run_alone"),
    ),
    # Positions.
    Fault(
        "positions-left-out",
        "Made, but never added: what came before is a bag of characters, and nothing complains.",
        "gpt.py",
        "            x = x + self.position_embedding(positions)  # (T, C) added\n",
        "            self.position_embedding(positions)\n",
        UnitTest("tests/test_gpt.py", "test_position_matters_to_equal_characters"),
    ),
    # The feed-forward layer.
    Fault(
        "relu-left-out",
        "Two linear layers in a row are one linear layer: more weights, and nothing gained.",
        "layers/feed_forward.py",
        'nn.ReLU() if config.activation == "relu" else nn.Identity()',
        "nn.Identity()",
        UnitTest(FEED_FORWARD, "test_without_its_relu_it_is_one_linear_layer"),
    ),
    Fault(
        "feed-forward-mixes-positions",
        "A transpose undone by reshape: the shape is right again, the positions are shuffled.",
        "layers/feed_forward.py",
        "self.hidden(x)",
        "self.hidden(x.transpose(-1, -2).reshape(x.shape))",
        UnitTest(FEED_FORWARD, "test_each_position_by_itself"),
    ),
    # The wiring of the block.
    Fault(
        "residual-forgotten",
        "One of two additions is missing: the stream ends at every feed-forward layer.",
        "layers/blocks.py",
        "return x + self.feed_forward(x)",
        "return self.feed_forward(x)",
        UnitTest(BLOCKS, "test_addition_hands_the_gradient_on_unchanged"),
    ),
    Fault(
        "residual-scaled",
        "Divided by sqrt(2) to keep the variance: the path is no identity, and fades with depth.",
        "layers/blocks.py",
        "x = x + self.attention(x)",
        "x = (x + self.attention(x)) * 0.5**0.5",
        UnitTest(BLOCKS, "test_wiring_by_hand"),
    ),
    Fault(
        "post-wired-as-pre",
        "The paper's figure has the norm after the addition; most code has it before the branch.",
        "layers/blocks.py",
        "        x = self.attention_norm(x + self.attention(x))\n"
        "        return self.feed_forward_norm(x + self.feed_forward(x))\n",
        "        x = x + self.attention(self.attention_norm(x))\n"
        "        return x + self.feed_forward(self.feed_forward_norm(x))\n",
        UnitTest(BLOCKS, "test_equals_torch_encoder_layer"),
    ),
    Fault(
        "pre-wired-as-post",
        "The other way round: it trains too, if the learning rate is small or warmed up.",
        "layers/blocks.py",
        "        x = x + self.attention(self.attention_norm(x))\n"
        "        return x + self.feed_forward(self.feed_forward_norm(x))\n",
        "        x = self.attention_norm(x + self.attention(x))\n"
        "        return self.feed_forward_norm(x + self.feed_forward(x))\n",
        UnitTest(BLOCKS, "test_each_block_is_its_formula_and_no_other"),
    ),
    Fault(
        "one-norm-for-both-parts",
        "The same object twice: both parts have to make do with one gain and one bias.",
        "layers/blocks.py",
        "self.feed_forward_norm = norm(config)",
        "self.feed_forward_norm = self.attention_norm",
        UnitTest("tests/test_gpt.py", "test_parameters_of_each_rung"),
    ),
    Fault(
        "no-final-norm",
        "Made, but never called: the output layer reads a stream that has grown with depth.",
        "gpt.py",
        "return self.lm_head(self.norm(x))",
        "return self.lm_head(x)",
        UnitTest(
            "tests/test_gpt.py",
            "test_final_norm_stands_between_the_last_block_and_the_output_layer",
        ),
    ),
    # Normalization.
    Fault(
        "norm-over-time",
        "One dimension too far left: each channel over the window, the future included.",
        "layers/normalization.py",
        "standardize(x, dim=-1)",
        "standardize(x, dim=-2)",
        UnitTest(NORMALIZATION, "test_only_batch_norm_in_training_leaks"),
    ),
    Fault(
        "unbiased-variance",
        "var() divides by n - 1 unless told otherwise; with 32 channels the error is 1.6 %.",
        "layers/normalization.py",
        "variance = centred.square().mean(dim, keepdim=True)",
        "variance = x.var(dim, keepdim=True)",
        UnitTest(NORMALIZATION, "test_standardize_by_hand"),
    ),
    Fault(
        "eps-outside-the-root",
        "Added to the deviation, not to the variance: no difference, until numbers are close.",
        "layers/normalization.py",
        "return centred * (variance + eps).rsqrt()",
        "return centred / (variance.sqrt() + eps)",
        UnitTest(NORMALIZATION, "test_eps_is_added_to_the_variance_under_the_root"),
    ),
    Fault(
        "biased-running-variance",
        "The batch's own variance kept for test time; it is too small for the whole text's.",
        "layers/normalization.py",
        "correction=1",
        "correction=0",
        UnitTest(NORMALIZATION, "test_buffers_after_two_steps_by_hand"),
    ),
    Fault(
        "buffers-not-updated",
        "Training never shows it; at test time the layer still believes in mean 0, variance 1.",
        "layers/normalization.py",
        "            self._remember(examples.detach())\n",
        "",
        UnitTest(NORMALIZATION, "test_batch_norm_equals_pytorchs_in_evaluation"),
    ),
    Fault(
        "momentum-the-wrong-way-round",
        "The paper of one field keeps 0.9 of the old, PyTorch's 0.1 is the share of the new.",
        "layers/normalization.py",
        "MOMENTUM = 0.1",
        "MOMENTUM = 0.9",
        UnitTest(NORMALIZATION, "test_batch_norm_equals_pytorchs_in_training"),
    ),
    Fault(
        "batch-statistics-at-test-time",
        "Whoever asks for one text gets another answer than whoever asks for two.",
        "layers/normalization.py",
        "        if self.training:\n",
        "        if True:\n",
        UnitTest(NORMALIZATION, "test_only_batch_norm_in_training_leaks"),
    ),
    # How the weights start.
    Fault(
        "depth-scale-without-the-2",
        "A block adds two branches, not one: with sqrt(L) the stream starts too loud.",
        "initialization.py",
        "math.sqrt(2 * config.n_layer)",
        "math.sqrt(config.n_layer)",
        UnitTest(INITIALIZATION, "test_depth_scaled_divides_output_projections_by_the_root_of_2_l"),
    ),
    Fault(
        "zero-start-zeroes-a-copy",
        "A copy is set to 0, the weights are not: nothing is silent, and nothing complains.",
        "initialization.py",
        "module.weight.zero_()",
        "module.weight.clone().zero_()",
        UnitTest(INITIALIZATION, "test_zero_silences_every_branch_and_touches_nothing_else"),
    ),
    Fault(
        "heads-start-louder-than-fused",
        "Xavier's outputs counted head by head: smaller heads, larger weights, same function.",
        "initialization.py",
        'return module.in_features if part in ("query", "key", "value", "qkv") else',
        "return",
        UnitTest(INITIALIZATION, "test_xavier_bounds"),
    ),
    # Sampling.
    Fault(
        "softmax-over-wrong-dimension",
        "Right for one row of logits, wrong for two: over the batch instead of the vocabulary.",
        "sampling.py",
        "return F.softmax(shifted / temperature, dim=-1)",
        "return F.softmax(shifted / temperature, dim=0)",
        UnitTest("tests/test_sampling.py", "test_probabilities_at_temperature_1_are_the_softmax"),
    ),
    Fault(
        "temperature-multiplies",
        "Nobody sees it at 1; below, where text should get safer, it gets wilder.",
        "sampling.py",
        "shifted / temperature",
        "shifted * temperature",
        UnitTest("tests/test_sampling.py", "test_temperature_divides_the_logits"),
    ),
    Fault(
        "long-prompt-keeps-its-beginning",
        "A slice from the wrong side: the model goes on from where the prompt's window ended.",
        "sampling.py",
        "ids[-block_size:]",
        "ids[:block_size]",
        UnitTest("tests/test_sampling.py", "test_full_window_keeps_its_last_half"),
    ),
    Fault(
        "cache-forgets-positions",
        "Keys and values are kept, but each new character believes that it is the first.",
        "sampling.py",
        "model(window[None, seen:], seen)",
        "model(window[None, seen:])",
        UnitTest("tests/test_sampling.py", "test_greedy_text_with_the_cache_is_that_without"),
    ),
    # Looking into a model.
    Fault(
        "hook-left-behind",
        "A hook that is forgotten is not removed: it goes on recording, and fills the memory.",
        "lab/probes/stream.py",
        "            hook.remove()",
        "            del hook",
        UnitTest("tests/test_probes_stream.py", "test_no_hook_outlives_the_with_block"),
    ),
    Fault(
        "unit-chosen-where-it-is-judged",
        "Of many units one always looks meaningful, if it may be picked by the examination.",
        "lab/probes/units.py",
        "best = auc(seen, first[name].flatten()).argmax()",
        "best = auc(new, second[name].flatten()).argmax()",
        UnitTest(
            "tests/test_probes_units.py",
            "test_unit_is_chosen_on_the_training_text_and_judged_on_the_validation_text",
        ),
    ),
    Fault(
        "diff-turned-round",
        "What a rung gained reads as what it lost; both are sentences that one believes.",
        "lab/ladder.py",
        'f"{name}: {old} → {getattr(after, name)}"',
        'f"{name}: {getattr(after, name)} → {old}"',
        UnitTest(DIAGRAMS, "test_config_diff_names_what_changed_in_the_order_of_fields"),
    ),
    Fault(
        "drawing-counts-weights-only",
        "The numbers in the drawing of the whole model look right, and leave out every bias.",
        "teaching/diagrams/model.py",
        "for part in parts for p in part.parameters())",
        "for part in parts for p in part.parameters() if p.ndim > 1)",
        UnitTest(DIAGRAMS, "test_whole_model_counts_its_parts"),
    ),
    Fault(
        "nothing-new-on-a-rung",
        "A piece that is there already, but changed, such as four heads for one, goes unmarked.",
        "teaching/diagrams/model.py",
        "if name not in old or old[name] != value}",
        "if name not in old}",
        UnitTest(DIAGRAMS, "test_rung_marks_what_it_adds"),
    ),
    Fault(
        "one-kernel-credited-with-two",
        "Two kernels are switched on by one field, and the bench gives one the other's gain.",
        "lab/makers/bench.py",
        'module.fused = case.path == "all kernels"',
        'module.fused = case.path != "list of heads"',
        UnitTest("tests/test_bench.py", "test_case_is_what_its_name_says"),
    ),
    Fault(
        "share-of-the-wrong-peak",
        "A share of the peak that looks wonderful, of the wrong peak.",
        "records/speeds.py",
        "self.peak[self.precisions[case]]",
        'self.peak["float32"]',
        UnitTest("tests/test_bench.py", "test_share_of_the_peak_of_its_precision"),
    ),
]


@dataclass(frozen=True)
class Verdict:
    """What the check's file said about the copy with the fault.

    Attributes:
        message: the mapped check's failure in short; empty if it passed.
        details: the same at length.
        others: how many checks of the file failed besides.
    """

    message: str
    details: str
    others: int

    @property
    def convicts(self) -> bool:
        """Whether the mapped check failed by what it asserts, and not by a crash on the way."""
        asserts = ("AssertionError", "assert ", "Failed: DID NOT RAISE", "Failed: DID NOT WARN")
        return (
            self.message.startswith(asserts)
            or "Cell outputs differ" in self.message
            or bool(re.search(r"^AssertionError +Traceback", self.details, re.MULTILINE))
        )


def edit(fault: Fault) -> tuple[str, str]:
    """The module's source as it is, and with the fault.

    Raises:
        ValueError: if the right text does not stand exactly once in the module.
    """
    source = (ROOT / PACKAGE / fault.module).read_text(encoding="utf-8")
    if source.count(fault.right) != 1:
        raise ValueError(f"{fault.name}: {fault.right!r} is not exactly once in {fault.module}")
    return source, source.replace(fault.right, fault.wrong)


def diff(fault: Fault) -> str:
    """The lines that the fault changes: - right, + wrong.

    Raises:
        ValueError: as `edit`.
    """
    right, wrong = (source.splitlines() for source in edit(fault))
    lines = list(difflib.unified_diff(right, wrong, n=0, lineterm=""))[2:]  # without its header
    return "\n".join(line for line in lines if not line.startswith("@@"))


def plant(fault: Fault, copy: Path) -> None:
    """Copy what the checks need, and make the edit there.

    Raises:
        ValueError: as `edit`.
    """
    _, wrong = edit(fault)
    made = shutil.ignore_patterns("__pycache__", "node_modules", ".ipynb_checkpoints")
    for folder in ("src", "tests", "book"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=made)
    shutil.copy(ROOT / "pyproject.toml", copy)
    (copy / PACKAGE / fault.module).write_text(wrong, encoding="utf-8")


def try_check(check: Cell | UnitTest, copy: Path) -> Verdict:
    """Run the check's file in a copy of the project, whatever is installed elsewhere.

    Of a notebook only the cells up to the mapped one are run, which is all that it depends on.

    Raises:
        ValueError: if the file has no such check.
    """
    if isinstance(check, Cell):
        cut_after(check, copy)
    verdict, others = None, 0
    for case in run([check.file], copy):
        problems = [part for part in case if part.tag in ("failure", "error")]
        if case.get("name").split("[")[0] != check.name:
            others += bool(problems)
        elif verdict is None or not verdict[0]:  # of several parameters, the first that failed
            verdict = _plain(problems[0]) if problems else ("", "")
    if verdict is None:
        raise ValueError(f"{check.file} has no check {check.name!r}")
    return Verdict(*verdict, others)


def run(files: list[str], copy: Path) -> list[ET.Element]:
    """Run test files or notebooks of a copy, and return pytest's report of each check."""
    report = copy / "report.xml"
    # Without its plugin hypothesis works all the same, and most files need not wait for it.
    options = ["-q", f"--junitxml={report}", "-p", "no:hypothesispytest"]
    if files[0].endswith(".ipynb"):
        options += ["--nbval", "--nbval-current-env", "-n", str(min(len(files), 2))]
        options += ["--dist", "loadfile", "--nbval-sanitize-with", "tests/nbval_sanitize.cfg"]
    subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy / "src"), "TQDM_DISABLE": "1"},
        capture_output=True,
    )
    return list(ET.parse(report).iter("testcase"))


def red_cells(copy: Path) -> list[str]:
    """Which cells of the book turn red in a copy, each with the first line that it prints by.

    Of a notebook whose cell raised an error, the cells after it say nothing and are left out.
    """
    found = [*copy.glob("book/*.ipynb"), *copy.glob("book/appendix/*.ipynb")]
    files = sorted(file.relative_to(copy).as_posix() for file in found)
    red = []
    for case in run(files, copy):
        if not any(part.tag in ("failure", "error") for part in case):
            continue
        notebook = next(file for file in files if Path(file).stem in case.get("classname"))
        cells = nbformat.read(copy / notebook, as_version=4).cells
        code = [cell for cell in cells if cell.cell_type == "code"]
        source = code[int(case.get("name").removeprefix("Cell "))].source.splitlines()
        line = next((line for line in source if "print(" in line or "(" in line), source[0])
        red.append(f"{Path(notebook).stem}, {case.get('name').lower()}: {line.strip()[:70]}")
    return red


def _plain(problem: ET.Element) -> tuple[str, str]:
    """A failure's short and long text, without the terminal colours of nbval."""
    colour = re.compile(r"#x1B(\[[\d;]*m)?")
    return colour.sub("", problem.get("message")), colour.sub("", problem.text or "")


def cut_after(cell: Cell, copy: Path) -> None:
    """Drop the cells that follow one, in the copy."""
    notebook = nbformat.read(copy / cell.file, as_version=4)
    (place,) = [i for i, c in enumerate(notebook.cells) if is_code_holding(c, cell.holding)]
    del notebook.cells[place + 1 :]
    nbformat.write(notebook, copy / cell.file)


def telling(verdict: Verdict, most: int) -> list[str]:
    """The lines of a failure that say what was asserted and what was found instead.

    Of a cell, nbval shows the stored output after a + and what came instead after a -: the other
    way round than the fault's diff, so they are given words.
    """
    lines = [line.strip() for line in verdict.details.splitlines()]
    words = {"- ": "E   now:    ", "+ ": "E   stored: "}
    lines = [words.get(line[:2], line[:2]) + line[2:] for line in lines]
    lines = [line for line in lines if re.match(r"[>E] +(?!\+ +(where|and) )\S", line)]
    if not lines and "AssertionError: " in verdict.details:  # a cell that raised: its last words
        said = verdict.details.rpartition("AssertionError: ")[2].splitlines()
        lines = [f"E   {line.strip()}" for line in said if line.strip()]
    return [f"    {line[:110]}" for line in lines[:most] or [verdict.message or "passed"]]


def describe(fault: Fault, verdict: Verdict) -> str:
    """A fault, its check, what that said, and how many others said something too."""
    lines = [f"{fault.name} -> {fault.check.file}::{fault.check.name}", *telling(verdict, 4)]
    lines += [f"    other checks of that file that failed too: {verdict.others}"]
    return "\n".join(lines)


def demonstrate(fault: Fault) -> bool:
    """Plant a fault in a copy of the project, say what its check made of it, drop the copy.

    Returns:
        Whether the check noticed, by what it asserts.
    """
    print(f"{fault.name}: {fault.story}\n\n{PACKAGE / fault.module}\n{diff(fault)}\n")
    print(f"Running {fault.check.file} and every notebook in a copy of the project …", flush=True)
    with tempfile.TemporaryDirectory(prefix="bardgpt-fault-") as folder:
        plant(fault, Path(folder))
        cells = red_cells(Path(folder))
        verdict = try_check(fault.check, Path(folder))
    said = "red by what it asserts" if verdict.message else "still green"
    if verdict.message and not verdict.convicts:
        said = "red, but by a crash, which proves nothing about the check"
    print(f"{fault.check.name}: {said}")
    if verdict.message:
        print("\n".join(telling(verdict, 8)))
    print(f"Other checks of that file that turned red too: {verdict.others}")
    print(f"Cells of the book that turned red: {len(cells)}")
    print("".join(f"    {cell}\n" for cell in cells), end="")
    print("The copy is deleted; your own files were not touched.")
    return verdict.convicts


def main(arguments: list[str] | None = None) -> int:
    """`python tests/faults.py [NAME]`: show one fault at work, or list them all.

    Returns:
        0, or 1 if the fault's check did not notice it.
    """
    faults = {fault.name: fault for fault in FAULTS}
    parser = argparse.ArgumentParser(description="Plant a known mistake and see what notices.")
    parser.add_argument("name", nargs="?", help="of the fault; without it, all are listed")
    name = parser.parse_args(arguments).name
    if name is None:
        print("\n".join(f"{fault.name:<32}{fault.story}" for fault in FAULTS))
        print("\nmake break FAULT=name plants one in a copy of the project.")
        return 0
    if name not in faults:
        parser.error(f"no fault {name!r}; there are {', '.join(faults)}")
    return int(not demonstrate(faults[name]))


if __name__ == "__main__":
    sys.exit(main())
