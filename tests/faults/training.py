"""Faults of training: the step, the optimizers, devices and what is written down."""

from faults.kinds import Fault, UnitTest

FAULTS = [
    Fault(
        "gradients-never-zeroed",
        "PyTorch adds up gradients until told otherwise. It trains, only worse: a classic.",
        "src/bardgpt/training/trainer.py",
        "        self.together.zero_grad()\n",
        "",
        UnitTest("tests/test_loop.py", "test_steps_are_those_of_adamw_on_each_batch_alone"),
    ),
    Fault(
        "loss-read-in-every-step",
        "Harmless on a processor. A GPU waits for the host at each step, and idles.",
        "src/bardgpt/training/trainer.py",
        "self.losses.append(loss.detach())",
        "self.losses.append(torch.tensor(loss.item()))",
        UnitTest("tests/test_trainer.py", "test_a_step_never_waits_for_the_device"),
    ),
    Fault(
        "clipped-before-unscaled",
        "Scaled gradients are 65,536 times too long: clipping leaves next to nothing of them.",
        "src/bardgpt/training/trainer.py",
        "            self.scaler.unscale_(self.together)\n",
        "",
        UnitTest("tests/test_trainer.py", "test_clipping_bounds_all_gradients_together"),
    ),
    Fault(
        "half-a-step",
        "Each optimizer asks the scaler by itself, as tutorials do; one skips, the other does not.",
        "src/bardgpt/training/trainer.py",
        "        self.scaler.step(self.together)\n",
        "        for optimizer in self.optimizers:\n            self.scaler.step(optimizer)\n",
        UnitTest(
            "tests/test_trainer.py",
            "test_float16_overflow_skips_the_whole_step_and_training_goes_on",
        ),
    ),
    Fault(
        "dropout-forgets",
        "Weights and optimizer are in the checkpoint; the state that draws the masks is forgotten.",
        "src/bardgpt/training/trainer.py",
        'torch.set_rng_state(tensors["random.dropout"])',
        "pass",
        UnitTest("tests/test_trainer.py", "test_restored_is_as_if_never_stopped"),
    ),
    Fault(
        "ruined-weights-kept",
        "The loss of the last step is fine, its weights are not, and a checkpoint is due.",
        "src/bardgpt/training/trainer.py",
        "if not finite.item():",
        "if False:",
        UnitTest(
            "tests/test_trainer.py", "test_weights_that_the_last_step_has_ruined_are_seen_at_once"
        ),
    ),
    Fault(
        "every-process-the-same-share",
        "Two processes train on the same half of each batch. It works, and is worth one of them.",
        "src/bardgpt/training/distributed.py",
        "return batch[self.rank * part : (self.rank + 1) * part]",
        "return batch[:part]",
        UnitTest("tests/test_trainer.py", "test_shares_together_are_the_batch"),
    ),
    Fault(
        "decay-on-gains",
        "Gains are pulled towards 0 and biases with them: the norms fade a little at every step.",
        "src/bardgpt/training/optimizers.py",
        '{"params": kept, "weight_decay": 0.0}',
        '{"params": kept, "weight_decay": config.weight_decay}',
        UnitTest("tests/test_optimizers.py", "test_decay_on_matrices_spares_gains_and_biases"),
    ),
    Fault(
        "muon-on-embeddings",
        "An embedding is a table that happens to be 2-D; orthogonalizing it trains, only worse.",
        "src/bardgpt/training/optimizers.py",
        "hidden = [p for p in model.blocks.parameters() if p.ndim == 2]",
        "hidden = [p for p in model.parameters() if p.ndim == 2]",
        UnitTest(
            "tests/test_optimizers.py",
            "test_muon_has_the_matrices_inside_blocks_and_adamw_all_else",
        ),
    ),
    Fault(
        "warm-up-from-zero",
        "Counted from 0 the first step has no rate at all: a step that is paid for and not made.",
        "src/bardgpt/training/optimizers.py",
        "return (step + 1) / config.warmup",
        "return step / config.warmup",
        UnitTest("tests/test_optimizers.py", "test_rates_of_four_steps"),
    ),
    Fault(
        "bfloat16-on-every-gpu",
        "A T4 says that it supports bfloat16, and emulates it: slower than float32.",
        "src/bardgpt/training/devices.py",
        "machine.capability >= (8, 0)",
        "machine.capability >= (7, 0)",
        UnitTest("tests/test_devices.py", "test_the_best_device_in_the_precision_that_suits_it"),
    ),
    Fault(
        "checkpoint-written-in-place",
        "The disk fills up half-way, and the new checkpoint has taken the old one with it.",
        "src/bardgpt/training/checkpoint.py",
        "    write_whole(path, safetensors.torch.save(kept, header))",
        "    path.parent.mkdir(parents=True, exist_ok=True)\n"
        "    path.write_bytes(safetensors.torch.save(kept, header))",
        UnitTest("tests/test_checkpoint.py", "test_a_full_disk_leaves_the_old_one"),
    ),
    Fault(
        "one-scale-for-the-matrix",
        "Eight bits for the largest row are few for the smallest.",
        "src/bardgpt/pretrained.py",
        "value.abs().amax(dim=1, keepdim=True)",
        "value.abs().amax().expand(len(value), 1)",
        UnitTest("tests/test_pretrained.py", "test_error_is_at_most_half_a_level_of_its_row"),
    ),
    Fault(
        "optimizers-that-step-as-one-lose-one",
        "Muon never steps: the curve falls all the same, since AdamW moves the rest.",
        "src/bardgpt/training/optimizers.py",
        "        for optimizer in self.optimizers:\n            optimizer.step()\n",
        "        self.optimizers[0].step()\n",
        UnitTest("tests/test_optimizers.py", "test_together_is_all_of_them"),
    ),
]
