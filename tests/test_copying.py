"""The toy that two heads can do: its answers, its losses, and weights by hand that solve it."""

import math

import pytest
import torch

from bardgpt.gpt import GPT
from bardgpt.lab import copying
from bardgpt.lab.copying import Copying
from bardgpt.lab.makers.copying import Copyings
from bardgpt.lab.probes import attention_maps


def test_answers_are_the_letters_one_and_three_back():
    ids = torch.tensor([[5, 6, 7, 8, 9, 10]])
    one, three = copying.answers(ids)  # of positions 3, 4 and 5
    assert one.tolist() == [[7, 8, 9]]
    assert three.tolist() == [[5, 6, 7]]


class Says(torch.nn.Module):
    """A model whose logits are given."""

    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def forward(self, ids):
        return self.logits


def test_losses_and_right_answers_by_hand():
    """Two letters; one position is asked, at which 0 stood one back and 1 three back."""
    ids = torch.tensor([[1, 0, 0, 1]])
    logits = torch.full((1, 4, 4), 99.0)  # of positions that are not asked
    logits[0, 3] = torch.tensor([math.log(3), 0.0, 0.0, math.log(7)])
    model = Says(logits)
    assert copying.right(model, ids) == 1.0
    both = -(math.log(3 / 4) + math.log(7 / 8)) / 2
    assert copying.loss(model, ids, "both").item() == pytest.approx(both)
    either = -(math.log(3 / 4) + math.log(1 / 4)) / 2
    assert copying.loss(model, ids, "either").item() == pytest.approx(either)
    assert copying.right(model, torch.tensor([[1, 0, 1, 1]])) == 0.0  # one of two is not enough


def test_right_is_a_share_of_positions():
    ids = torch.tensor([[1, 0, 0, 1, 0]])  # asked: 0 and 1, then 1 and 0
    logits = torch.zeros(1, 5, 4)
    logits[0, 3] = torch.tensor([1.0, 0.0, 0.0, 1.0])
    logits[0, 4] = torch.tensor([0.0, 1.0, 0.0, 1.0])
    assert copying.right(Says(logits), ids) == 0.5


@pytest.mark.parametrize("letters", [5, 16])
def test_two_heads_by_hand_make_no_mistake(letters):
    """To the bit: each softmax is 1 at one place, and the loss of all answers is 0."""
    model = copying.by_hand(letters)
    toy = Copying(n_head=2, letters=letters)
    assert model.config == toy.model
    assert copying.judge(model, toy) == {"loss": 0.0, "right": 1.0}
    ids = copying.texts(3, letters, torch.Generator().manual_seed(5))
    found = attention_maps(model, ids)[0]  # (B, 2, T, T)
    for head, back in enumerate((1, 3)):
        looked = torch.diag_embed(torch.ones(letters - back), offset=-back)
        assert torch.equal(found[:, head, back:], looked[back:].expand(3, -1, -1))


@pytest.mark.parametrize("n_head", [1, 2])
def test_one_head_has_as_many_parameters_as_two(n_head):
    assert Copying(n_head=n_head).model.n_parameters() == copying.by_hand(16).n_parameters()


def test_the_floor_is_what_a_toss_up_costs():
    """A perfect guesser of "either" gives both letters 1/2, and 1 to one that stands twice."""
    toy, generator = Copying(n_head=1, task="either", letters=4), torch.Generator().manual_seed(1)
    ids = copying.texts(50_000, 4, generator)
    one, three = copying.answers(ids)
    toss_up = math.log(2) * (one != three).double().mean().item()
    assert toy.floor == pytest.approx(toss_up, abs=0.005)
    assert Copying(n_head=2).floor == 0


def test_a_seed_is_a_run():
    toy = Copying(n_head=2, letters=4, steps=3)
    weights = [copying.train(toy, seed).lm_head.weight for seed in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert not copying.train(toy, 1).training


def test_training_by_hand():
    """Weights and new texts of the seed, and AdamW's steps down the loss that is asked for."""
    toy = Copying(n_head=1, task="either", letters=4, steps=2, learning_rate=0.1, batch_size=5)
    torch.manual_seed(3)
    model = GPT(toy.model)
    generator = torch.Generator().manual_seed(3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    for _ in range(2):
        ids = torch.randint(4, (5, 4), generator=generator)
        logits = model(ids)[:, 3, :4].log_softmax(dim=-1)
        either = -(logits.gather(1, ids[:, 2:3]) + logits.gather(1, ids[:, 0:1])).mean() / 2
        optimizer.zero_grad()
        either.backward()
        optimizer.step()
    for ours, theirs in zip(copying.train(toy, 3).parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_experiment_deals_out_its_runs():
    toys = {
        "one": Copying(n_head=1, letters=4, steps=1),
        "two": Copying(n_head=2, letters=4, steps=1),
    }
    kind = Copyings(toys, (7, 8))
    assert kind.parts() == [("one", 7), ("one", 8), ("two", 7), ("two", 8)]
    model = copying.train(toys["two"], 7)
    assert kind.run(("two", 7)) == copying.judge(model, toys["two"])
    record = kind.results([{"loss": loss} for loss in (1.0, 2.0, 3.0, 4.0)])
    assert record["toys"]["two"] == [{"loss": 3.0}, {"loss": 4.0}]
    assert kind.quantities(record) == {"one: loss": [1.0, 2.0], "two: loss": [3.0, 4.0]}
    assert kind.definition()["toys"]["two"]["n_head"] == 2
    assert kind.definition()["seeds"] == [7, 8]
