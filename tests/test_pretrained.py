"""The recorded model's format: what eight bits cost, and the way back from a folder."""

import json
import math

import pytest
import torch

from bardgpt.config import GPTConfig
from bardgpt.gpt import GPT
from bardgpt.pretrained import CONFIG, LEVELS, WEIGHTS, dequantize, load_from, quantize
from bardgpt.training import checkpoint
from bardgpt.training.checkpoint import CheckpointError

BLOCKS = {"projection": True, "feed_forward": "two-layer", "block": "pre-norm", "final_norm": True}
MODEL = GPTConfig(vocab_size=7, block_size=4, n_embd=8, n_head=2, n_layer=2, fused=True, **BLOCKS)


@pytest.mark.parametrize("scale", [1e-9, 0.02, 1.0, 1e6])
def test_error_is_at_most_half_a_level_of_its_row(scale):
    rows = torch.randn(50, 301) * scale * torch.logspace(-3, 3, 50)[:, None]  # of all sizes
    kept = quantize({"w": rows})
    again = dequantize(kept)["w"]
    level = rows.abs().amax(dim=1, keepdim=True) / LEVELS  # (50, 1)
    assert again.dtype == torch.float32
    assert ((again - rows).abs() <= level * (0.5 + 1e-4)).all()
    assert ((again - rows).abs() > level * 0.45).any()  # it is no finer either


def test_a_rows_largest_number_is_kept_and_both_ends_are_used():
    rows = torch.randn(20, 100)
    kept = quantize({"w": rows})
    assert kept["w"].dtype == torch.int8
    assert (kept["w"].abs().amax(dim=1) == LEVELS).all()
    largest = rows.abs().argmax(dim=1, keepdim=True)
    torch.testing.assert_close(
        dequantize(kept)["w"].gather(1, largest), rows.gather(1, largest), rtol=1e-6, atol=0
    )


def test_rows_of_zeros_stay_zeros():
    rows = torch.randn(3, 5)
    rows[1] = 0
    again = dequantize(quantize({"w": rows, "none": torch.zeros(2, 2)}))
    assert (again["w"][1] == 0).all()
    assert (again["none"] == 0).all()
    assert again["w"].isfinite().all()


def test_matrices_get_a_scale_for_each_row_and_all_else_stays():
    weights = GPT(MODEL).state_dict()
    kept = quantize(weights)
    matrices = {name for name, value in weights.items() if value.ndim == 2}
    assert kept.keys() == weights.keys() | {f"{name}.scale" for name in matrices}
    for name, value in weights.items():
        if name in matrices:
            assert kept[name].dtype == torch.int8
            assert kept[f"{name}.scale"].shape == (len(value), 1)
            assert kept[f"{name}.scale"].dtype == torch.float32
        else:
            assert torch.equal(kept[name], value)
    again = dequantize(kept)
    assert again.keys() == weights.keys()
    assert {value.dtype for value in again.values()} == {torch.float32}


def test_a_quarter_of_the_bytes():
    weights = {"w": torch.randn(384, 384)}
    sizes = [sum(v.nbytes for v in kept.values()) for kept in (weights, quantize(weights))]
    assert sizes[1] / sizes[0] == pytest.approx(1 / 4, abs=0.01)


@pytest.fixture
def folder(tmp_path):
    model = GPT(MODEL)
    about = {"model": json.loads(MODEL.to_json()), "vocabulary": "abcdefg"}
    (tmp_path / CONFIG).write_text(json.dumps(about), encoding="utf-8")
    checkpoint.save(tmp_path / WEIGHTS, quantize(model.state_dict()), {})
    return tmp_path, model


def test_load_from_gives_the_model_and_its_tokenizer(folder):
    place, model = folder
    again, tokenizer = load_from(place)
    assert again.config == MODEL
    assert tokenizer.vocabulary == "abcdefg"
    assert not again.training
    ids = torch.tensor([[0, 3, 6, 1]])
    difference = (again(ids) - model(ids)).abs().max().item()
    assert 0 < difference < 0.05 * model(ids).std().item() * math.sqrt(2)
    for name, value in dequantize(quantize(model.state_dict())).items():
        assert torch.equal(again.state_dict()[name], value)


def test_weights_that_are_not_quantized_can_be_loaded_too(folder):
    """Should eight bits cost too much, the record is bfloat16."""
    place, model = folder
    halves = {name: value.bfloat16() for name, value in model.state_dict().items()}
    checkpoint.save(place / WEIGHTS, halves, {})
    again, _ = load_from(place)
    assert {p.dtype for p in again.parameters()} == {torch.float32}
    for name, value in again.state_dict().items():
        assert torch.equal(value, halves[name].float())


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_what_is_not_there_is_named_with_the_remedies(folder, name):
    (folder[0] / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"there is no .*{name}; install .* or train"):
        load_from(folder[0])


def test_damaged_weights_and_anothers_are_named(folder):
    place, _ = folder
    content = (place / WEIGHTS).read_bytes()
    (place / WEIGHTS).write_bytes(content[:-1])
    with pytest.raises(CheckpointError, match="damaged"):
        load_from(place)
    checkpoint.save(place / WEIGHTS, quantize({"lm_head.weight": torch.ones(2, 2)}), {})
    with pytest.raises(CheckpointError, match="holds another model's weights"):
        load_from(place)
