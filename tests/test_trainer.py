"""One step, and the state that the next one depends on."""

import hashlib
from dataclasses import replace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from bardgpt.batches import random_windows
from bardgpt.config import ConfigError, GPTConfig, TrainingConfig
from bardgpt.gpt import GPT, next_character_loss
from bardgpt.presets import PRESETS
from bardgpt.training import checkpoint
from bardgpt.training.checkpoint import CheckpointError
from bardgpt.training.distributed import Share
from bardgpt.training.trainer import DivergedError, Trainer

BLOCKS = {"projection": True, "feed_forward": "two-layer", "block": "pre-norm", "final_norm": True}
MODEL = GPTConfig(7, 4, 8, 2, 2, fused=True, dropout=0.2, embedding_dropout=0.1, **BLOCKS)
IDS = torch.arange(700) * 3 % 7
ADAMW = TrainingConfig(steps=20, batch_size=4, learning_rate=3e-2)
MUON = replace(ADAMW, optimizer="muon", clip=0.5, decay="matrices", schedule="linear", warmup=3)


def trainer(config=MUON, architecture=MODEL, **others):
    torch.manual_seed(0)
    return Trainer(GPT(architecture), IDS, config, **others)


def fingerprint(model):
    parts = [p.detach().numpy().tobytes() for p in model.state_dict().values()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def after(steps, *arguments, **others):
    made = trainer(*arguments, **others)
    for _ in range(steps):
        made.advance()
    return made


# --- no waiting for the device ----------------------------------------------------------------


class NoWaiting(TorchDispatchMode):
    """Raises where a GPU's program would stop and wait, or pull data across the bus.

    The "meta" device has shapes and no numbers, and stands for the GPU. By itself it would accept
    indices and scalars from the processor. An optimizer's step counters live on the processor and
    meet nothing else.
    """

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        given = devices(args, kwargs)
        if "meta" in given and torch.device(kwargs.get("device") or "meta").type != "meta":
            raise AssertionError(f"{func} waits for the device and copies from it")
        if "meta" in given and any(name in str(func) for name in READS):
            raise AssertionError(f"{func} waits for the device")
        result = func(*args, **kwargs)
        if len(found := given | devices(result)) > 1:
            raise AssertionError(f"{func} mixes {sorted(found)}")
        return result


# Operators whose result, or whose result's shape, the host must know.
READS = ("_local_scalar_dense", "nonzero", "equal", "masked_select", "unique")


def devices(*values):
    return {x.device.type for x in tree_leaves(values) if isinstance(x, torch.Tensor)}


def on_meta(config):
    with torch.device("meta"):
        model = GPT(PRESETS["full"].model)
        ids = torch.empty(1_003_854, dtype=torch.long)
    return Trainer(model, ids, config)


@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("preset", ["full", "sprint"])
def test_a_step_never_waits_for_the_device(preset, clip):
    """A whole one of the full model: windows, forward, backward, clipping, both optimizers."""
    config = replace(PRESETS[preset].training, clip=clip)
    made = on_meta(config)
    with NoWaiting():
        made.advance()  # the first step also makes the optimizers' averages
        made.advance()
    assert made.step == 2
    assert all(p.grad is not None and p.grad.is_meta for p in made.model.parameters())
    averages = [s for o in made.optimizers for s in o.state.values()]
    assert len(averages) == len(list(made.model.parameters()))  # all of them were stepped


@pytest.mark.parametrize(
    "plant",
    [
        lambda loss: loss.item(),
        lambda loss: float(loss),
        lambda loss: bool(loss > 3),
        lambda loss: loss.tolist(),
    ],
    ids=["item", "float", "if", "tolist"],
)
def test_reading_the_loss_in_a_step_would_be_seen(plant, monkeypatch):
    """That the mode above can raise: somebody prints the loss."""

    def reading(logits, targets):
        loss = next_character_loss(logits, targets)
        plant(loss)
        return loss

    monkeypatch.setattr("bardgpt.training.trainer.next_character_loss", reading)
    made = on_meta(replace(PRESETS["full"].training, batch_size=2))
    with pytest.raises(AssertionError, match=r"waits for the device"), NoWaiting():
        made.advance()


def test_indices_from_the_processor_would_be_seen(monkeypatch):
    """Somebody draws the windows on the processor; meta alone would let that pass."""

    def from_cpu(ids, block_size, batch_size, generator):
        starts = torch.randint(len(ids) - block_size, (batch_size, 1))
        windows = ids[starts + torch.arange(block_size + 1)]
        return windows[:, :-1], windows[:, 1:]

    monkeypatch.setattr("bardgpt.training.trainer.random_windows", from_cpu)
    made = on_meta(replace(PRESETS["full"].training, batch_size=2))
    made.advance()
    with pytest.raises(AssertionError, match=r"mixes \['cpu', 'meta'\]"), NoWaiting():
        made.advance()


def test_a_copy_to_the_processor_would_be_seen():
    x = torch.empty(3, device="meta")
    with pytest.raises(AssertionError, match="mixes"), NoWaiting():
        x + torch.tensor(1.0)
    with NoWaiting():  # a step counter by itself is no harm
        assert (torch.tensor(1.0) + 1).item() == 2


# --- what a step does -------------------------------------------------------------------------


def test_model_learns_a_rule():
    made = trainer(replace(MUON, steps=60), replace(MODEL, dropout=0.0, embedding_dropout=0.0))
    made.advance()
    first = made.read_losses()
    for _ in range(59):
        made.advance()
    assert made.read_losses() < first
    made.advance()
    assert made.read_losses() < 0.2 < 1.5 < first


@pytest.mark.parametrize("config", [ADAMW, MUON], ids=["adamw", "muon"])
def test_same_bits_twice(config):
    assert fingerprint(after(5, config).model) == fingerprint(after(5, config).model)
    other = after(5, replace(config, seed=1))
    assert fingerprint(other.model) != fingerprint(after(5, config).model)


@pytest.mark.parametrize("precision", ["float32", "float16"])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_clipping_bounds_all_gradients_together(optimizer, precision):
    """In float16 those that are meant, and not what the scaler has made of them."""
    config = replace(ADAMW, optimizer=optimizer, clip=1e-3)
    made = after(1, config, precision=precision)
    norms = [p.grad.norm() for p in made.model.parameters()]
    assert torch.stack(norms).norm().item() == pytest.approx(1e-3, rel=1e-2)
    free = after(1, replace(config, clip=None), precision=precision)
    ratios = [
        (a.grad.norm() / b.grad.norm()).item()
        for a, b in zip(made.model.parameters(), free.model.parameters(), strict=True)
    ]
    assert max(ratios) == pytest.approx(min(ratios), rel=1e-3)  # none is turned
    assert max(ratios) < 0.1


@pytest.mark.parametrize("clip", [None, 0.1])
def test_steps_of_one_seed_written_out(clip):
    """Three of them: windows, then masks, the gradient, its clipping, and only then the step.

    AdamW divides by its average of squares, so whether gradients were clipped shows in the weights
    from the second step on, if at all.
    """
    config = replace(ADAMW, clip=clip, seed=3)
    made = after(3, config)
    torch.manual_seed(0)
    model = GPT(MODEL)
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=3e-2, weight_decay=config.weight_decay)
    torch.manual_seed(3)
    windows, losses = torch.Generator().manual_seed(3), []
    for _ in range(3):
        x, y = random_windows(IDS, 4, 4, windows)
        loss = next_character_loss(model(x), y)
        losses.append(loss.item())
        for p, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            p.grad = gradient
        if clip is not None:
            norm = torch.stack([p.grad.norm() for p in parameters]).norm()
            assert norm > clip  # else there would be nothing to clip
            for p in parameters:
                p.grad *= clip / norm
        optimizer.step()
    for p, expected in zip(made.model.parameters(), parameters, strict=True):
        torch.testing.assert_close(p, expected, rtol=1e-4, atol=1e-6)
    assert made.read_losses() == pytest.approx(sum(losses) / 3, abs=1e-6)


def test_clipping_shows_in_the_weights():
    """So the test above can fail."""
    free, clipped = (after(3, replace(ADAMW, clip=clip)).model for clip in (None, 0.1))
    pairs = zip(free.parameters(), clipped.parameters(), strict=True)
    assert max((a - b).abs().max().item() for a, b in pairs) > 1e-3


def test_a_seed_means_other_windows_and_other_masks():
    """Each by itself: dropout off, and a text that is the same everywhere."""
    still = replace(MODEL, dropout=0.0, embedding_dropout=0.0)
    for architecture, ids in ((still, IDS), (MODEL, torch.zeros_like(IDS))):
        bits = set()
        for seed in (1, 2):
            torch.manual_seed(0)
            made = Trainer(GPT(architecture), ids, replace(ADAMW, seed=seed))
            made.advance()
            bits.add(fingerprint(made.model))
        assert len(bits) == 2


def test_losses_are_the_means_since_the_last_reading():
    made, one_by_one = trainer(), []
    for _ in range(5):
        made.advance()
        one_by_one.append(made.read_losses())
    assert len(set(one_by_one)) == 5
    assert after(5).read_losses() == pytest.approx(sum(one_by_one) / 5, abs=1e-6)


# --- float16 and bfloat16 ---------------------------------------------------------------------


@pytest.mark.parametrize("config", [ADAMW, MUON], ids=["adamw", "muon"])
def test_float16_trains_with_a_scaler(config):
    """For real, on the processor."""
    config = replace(config, steps=60)
    made = trainer(config, precision="float16")
    assert made.scaler.is_enabled()
    made.advance()
    first = made.read_losses()
    for _ in range(59):
        made.advance()
    assert made.read_losses() < first - 0.3
    assert all(p.dtype == torch.float32 for p in made.model.parameters())


def overflow(made, module):
    """Let one step's gradient of a module's weight be NaN."""
    hook = module.weight.register_hook(lambda gradient: gradient * float("nan"))
    made.advance()
    hook.remove()


@pytest.mark.parametrize("where", ["lm_head", "blocks.0.attention.qkv"])
@pytest.mark.parametrize("clip", [None, 1.0])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_float16_overflow_skips_the_whole_step_and_training_goes_on(optimizer, clip, where):
    """Of both optimizers: the gradients of one say nothing about the other's."""
    config = replace(MUON, optimizer=optimizer, clip=clip, warmup=0)
    made = after(3, config, precision="float16")
    before, scale = fingerprint(made.model), made.scaler.get_scale()
    states = [len(o.state) for o in made.optimizers]
    overflow(made, made.model.get_submodule(where))
    assert fingerprint(made.model) == before
    assert made.scaler.get_scale() == scale / 2
    assert [len(o.state) for o in made.optimizers] == states
    made.advance()
    assert fingerprint(made.model) != before
    made.read_losses()  # finite, all of them
    assert made.step == 5


def test_float16_overflows_by_itself_when_the_scale_is_too_large():
    made = trainer(replace(MUON, warmup=0), precision="float16")
    made.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**60)
    before = fingerprint(made.model)
    made.advance()
    assert fingerprint(made.model) == before
    for _ in range(60):
        made.advance()
    assert made.scaler.get_scale() < 2.0**40
    assert fingerprint(made.model) != before
    made.read_losses()


def test_bfloat16_trains_without_a_scaler():
    config = replace(MUON, steps=60)
    made = trainer(config, precision="bfloat16")
    assert not made.scaler.is_enabled()
    made.advance()
    first = made.read_losses()
    for _ in range(59):
        made.advance()
    assert made.read_losses() < first - 0.3
    assert all(p.dtype == torch.float32 for p in made.model.parameters())


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_is_near_to_full(precision):
    still = replace(MODEL, dropout=0.0, embedding_dropout=0.0)  # masks differ with the precision
    one, other = after(1, ADAMW, still), after(1, ADAMW, still, precision=precision)
    assert one.read_losses() == pytest.approx(other.read_losses(), abs=0.02)
    assert not torch.equal(one.model.lm_head.weight.grad, other.model.lm_head.weight.grad)


# --- numbers that are none --------------------------------------------------------------------


@pytest.mark.parametrize("step", [1, 3, 7])
def test_the_first_bad_step_is_named(step):
    made = trainer()
    for i in range(1, 9):
        if i == step:
            with torch.no_grad():
                made.model.lm_head.bias[2] = float("nan")
        made.advance()
    with pytest.raises(DivergedError, match=rf"the loss was nan in step {step}: a learning rate"):
        made.read_losses()


def test_the_first_bad_step_is_counted_from_the_start_of_the_run():
    made = after(5)
    made.read_losses()
    with torch.no_grad():
        made.model.lm_head.bias[2] = float("inf")
    made.advance()
    with pytest.raises(DivergedError, match="in step 6:"):
        made.read_losses()


def test_weights_that_the_last_step_has_ruined_are_seen_at_once():
    """Its loss is from before, and finite: without a look at the weights they would be kept."""
    made = after(2)
    hook = made.model.lm_head.weight.register_hook(lambda gradient: gradient * float("nan"))
    made.advance()
    hook.remove()
    assert all(loss.isfinite() for loss in made.losses)
    with pytest.raises(DivergedError, match=r"step 3 left weights that are not finite: a learning"):
        made.read_losses()


# --- the state --------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "float16"])
@pytest.mark.parametrize("config", [ADAMW, MUON], ids=["adamw", "muon"])
@pytest.mark.parametrize("steps", [0, 1, 6])
def test_restored_is_as_if_never_stopped(tmp_path, steps, config, precision):
    """Weights, averages, windows and dropout's masks, through a file; in any random state."""
    whole = after(12, config, precision=precision)
    half = after(steps, config, precision=precision)
    checkpoint.save(tmp_path / "state", *half.state())
    torch.manual_seed(99)
    again = Trainer(GPT(MODEL), IDS, config, precision=precision)
    torch.manual_seed(98)
    again.restore(*checkpoint.load(tmp_path / "state"))
    assert again.step == steps
    for _ in range(12 - steps):
        again.advance()
    assert fingerprint(again.model) == fingerprint(whole.model)
    ours, theirs = again.state(), whole.state()
    assert ours[1] == theirs[1]
    assert ours[0].keys() == theirs[0].keys()
    for name, value in theirs[0].items():
        assert torch.equal(ours[0][name], value), name


@pytest.mark.parametrize("missing", ["random.dropout", "random.windows.cpu", "optimizer.1"])
def test_every_part_of_the_state_counts(missing):
    """What a checkpoint might forget would be noticed: dropout's state, the windows', Muon's."""
    tensors, values = after(6).state()
    kept = {name: value.clone() for name, value in tensors.items()}
    whole = fingerprint(after(9).model)
    fresh = Trainer(GPT(MODEL), IDS, MUON).state()[0]
    if missing == "optimizer.1":
        kept = {name: value for name, value in kept.items() if not name.startswith(missing)}
    else:
        kept[missing] = fresh[missing]
    again = trainer()
    again.restore(kept, values)
    for _ in range(3):
        again.advance()
    assert fingerprint(again.model) != whole


def test_a_run_can_go_on_in_another_precision():
    """Say on another machine."""
    for one, other in [("float32", "float16"), ("float16", "float32")]:
        tensors, values = after(3, precision=one).state()
        again = trainer(precision=other)
        again.restore(tensors, values)
        again.advance()
        again.read_losses()
        assert again.step == 4


def test_a_state_of_another_kind_of_device_goes_on_with_windows_of_its_own():
    tensors, values = after(3).state()
    kept = {name: value for name, value in tensors.items() if name != "random.windows.cpu"}
    ends = set()
    for _ in range(2):
        again = trainer()
        again.restore({name: value.clone() for name, value in kept.items()}, values)
        again.advance()
        ends.add(fingerprint(again.model))
    assert len(ends) == 1
    assert ends != {fingerprint(after(4).model)}


def test_another_models_state_is_refused():
    tensors, values = after(1, architecture=replace(MODEL, n_embd=16)).state()
    with pytest.raises(CheckpointError, match="holds another model's weights"):
        trainer().restore(tensors, values)


# --- shares -----------------------------------------------------------------------------------


@pytest.mark.parametrize("world", [1, 2, 4])
def test_shares_together_are_the_batch(world):
    batch = torch.arange(24).view(8, 3)
    parts = [Share(rank, world).of(batch) for rank in range(world)]
    assert torch.equal(torch.cat(parts), batch)
    assert {len(part) for part in parts} == {8 // world}


def test_the_mean_gradient_of_two_halves_is_the_wholes():
    still = replace(MODEL, dropout=0.0, embedding_dropout=0.0)
    whole, *halves = (after(1, ADAMW, still, share=s) for s in (None, Share(0, 2), Share(1, 2)))
    for p, a, b in zip(*(made.model.parameters() for made in (whole, *halves)), strict=True):
        torch.testing.assert_close((a.grad + b.grad) / 2, p.grad)
    losses = [made.losses[0].item() for made in halves]
    assert sum(losses) / 2 == pytest.approx(whole.losses[0].item())
    assert losses[0] != losses[1]


def test_each_process_has_masks_of_its_own():
    x = torch.ones(200)
    masks = []
    for rank in (0, 1):
        trainer(share=Share(rank, 2))
        masks.append(torch.nn.functional.dropout(x, 0.5))
    assert not torch.equal(*masks)


def test_a_batch_that_cannot_be_shared_evenly_is_refused():
    with pytest.raises(ConfigError, match=r"batch_size=4: 3 processes .*; take a multiple of 3"):
        trainer(share=Share(0, 3))


def test_windows_are_those_of_the_seed():
    """Which `random_windows` draws from a generator of the config's seed."""
    x, y = random_windows(IDS, 4, 4, torch.Generator().manual_seed(5))
    seen = []

    class Spy(torch.nn.Module):
        def forward(self, ids):
            seen.append(ids)
            return model(ids)

    model = GPT(MODEL)
    Trainer(model, IDS, replace(ADAMW, seed=5), wrapped=Spy()).advance()
    assert torch.equal(seen[0], x)
    assert not torch.equal(x, y)


# --- the mode -------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_step_trains_in_training_mode_whatever_the_model_was_in(wrapped):
    """A loaded model comes in evaluation mode, and would be trained without its dropout."""
    usual = after(2)
    torch.manual_seed(0)
    model = GPT(MODEL).eval()
    called = torch.nn.Sequential(model).eval() if wrapped else None
    loaded = Trainer(model, IDS, MUON, wrapped=called)
    loaded.advance()
    model.eval()  # between two steps, say to sample
    loaded.advance()
    assert model.training
    assert all(module.training for module in model.modules())
    assert fingerprint(loaded.model) == fingerprint(usual.model)
