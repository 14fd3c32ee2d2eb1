import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bardgpt.batches import MOST_CHARACTERS, WindowError, evaluation_windows, random_windows, split


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_split_is_in_order_without_gap_or_overlap():
    ids = torch.arange(1_003)
    train, validation = split(ids)
    assert len(train) == 902  # rounded down
    assert torch.equal(torch.cat([train, validation]), ids)


def test_split_of_the_real_text(shakespeare):
    assert len(shakespeare.train) == 1_003_854
    assert len(shakespeare.validation) == 111_540


@pytest.mark.parametrize("fraction", [-0.1, 0, 1, 1.5, float("nan")])
def test_split_refuses_a_fraction_out_of_range(fraction):
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        split(torch.arange(10), fraction)


def test_split_refuses_an_empty_part():
    with pytest.raises(WindowError, match="leaves no training part: take a longer text"):
        split(torch.arange(1))


def test_targets_are_the_next_characters():
    ids = torch.arange(100, 200)  # each id says where it stands
    x, y = random_windows(ids, block_size=7, batch_size=11, generator=generator())
    assert x.shape == y.shape == (11, 7)
    assert torch.equal(y, x + 1)
    assert torch.equal(x, x[:, :1] + torch.arange(7))  # neighbours, in order


def test_training_windows_reach_both_ends_and_only_them():
    ids = torch.arange(10)
    x, y = random_windows(ids, block_size=4, batch_size=2_000, generator=generator())
    starts = x[:, 0].bincount(minlength=6)
    assert y.max() == 9
    assert len(starts) == 6  # 0 … 5: the window that starts at 5 has 9 as its last target
    # Uniform: each of 6 starts is drawn 333 times, with a standard deviation of 17.
    assert (starts - 2_000 / 6).abs().max() < 5 * 17


def test_training_windows_depend_on_the_generator_alone():
    ids = torch.arange(1_000)
    torch.manual_seed(1)
    first = random_windows(ids, 8, 4, generator(7))
    torch.manual_seed(2)
    second = random_windows(ids, 8, 4, generator(7))
    other = random_windows(ids, 8, 4, generator(8))
    assert torch.equal(first[0], second[0])
    assert not torch.equal(first[0], other[0])


@given(n=st.integers(2, 200), block_size=st.integers(1, 60), batch_size=st.integers(1, 7))
def test_evaluation_windows_hold_every_target_once_in_order(n, block_size, batch_size):
    if n < block_size + 1:
        return
    ids = torch.arange(n)
    batches = list(evaluation_windows(ids, block_size, batch_size))
    assert torch.equal(torch.cat([y.flatten() for _, y in batches]), ids[1:])
    for x, y in batches:
        assert torch.equal(y, x + 1)
        assert x.shape[0] <= batch_size
    assert all(x.shape[1] == block_size for x, _ in batches[:-1])


def test_evaluation_windows_of_the_real_text(shakespeare):
    batches = list(evaluation_windows(shakespeare.validation, 8))
    assert sum(len(x) for x, _ in batches if x.shape[1] == 8) == 13_942
    assert batches[-1][0].shape == (1, 3)
    assert sum(y.numel() for _, y in batches) == 111_539


@pytest.mark.parametrize(
    "draw",
    [
        lambda ids, T: random_windows(ids, T, 1, generator()),
        lambda ids, T: list(evaluation_windows(ids, T)),
    ],
    ids=["random", "evaluation"],
)
def test_text_too_short_for_a_window_is_an_error_with_both_numbers(draw):
    draw(torch.arange(9), 8)  # just long enough
    with pytest.raises(ValueError, match=r"has 8 characters; a window of 8 needs 9"):
        draw(torch.arange(8), 8)
    with pytest.raises(ValueError, match="block_size is 0"):
        draw(torch.arange(8), 0)


@pytest.mark.parametrize(
    ("block_size", "windows"), [(1, 512), (8, 512), (32, 512), (256, 64), (20_000, 1)]
)
def test_a_batch_of_an_evaluation_fits_into_memory(block_size, windows):
    """Long windows come in smaller batches; the small models' batches are as they always were."""
    ids = torch.zeros(60_001, dtype=torch.long)
    sizes = [len(x) for x, _ in evaluation_windows(ids, block_size)]
    assert sizes[0] == windows
    assert max(sizes) * block_size <= max(MOST_CHARACTERS, block_size)


def test_a_text_that_is_too_short_has_an_error_of_its_own():
    with pytest.raises(WindowError, match="the text has 8 characters; a window of 8 needs 9"):
        random_windows(torch.arange(8), 8, 1, generator())
