"""Chapter 2."""

import torch


def back_one(T):
    places = torch.eye(T)
    return places @ (20 * torch.eye(T).roll(-1, dims=1)), places


def softly(T):
    queries, keys = back_one(T)
    return queries / 20, keys


def itself(T):
    return 20 * torch.eye(T), torch.eye(T)


def weights_at_once(T):
    return torch.eye(T).roll(-1, dims=1)


def for_eight(T):
    return back_one(8)


def in_sight(scores, width):
    past = torch.ones_like(scores).tril() - torch.ones_like(scores).tril(-width)
    return scores.masked_fill(past == 0, float("-inf")).softmax(dim=-1)


def all_the_past(scores, width):
    past = torch.ones_like(scores).tril()
    return scores.masked_fill(past == 0, float("-inf")).softmax(dim=-1)


def one_too_far(scores, width):
    return in_sight(scores, width + 1)


def both_sides(scores, width):
    near = torch.ones_like(scores).tril(width - 1) - torch.ones_like(scores).tril(-width)
    return scores.masked_fill(near == 0, float("-inf")).softmax(dim=-1)


def masked_afterwards(scores, width):
    return scores.softmax(dim=-1) * (in_sight(scores, width) > 0)


def the_mean(scores, width):
    return in_sight(0 * scores, width)


RIGHT = {"2.1": back_one, "2.2": in_sight}
WRONG = [
    ("2.1", softly, "row 7 gives 0.17 to position 6; it should give at least 0.99"),
    ("2.1", itself, "row 7 gives 0.00 to position 6, and most, 0.99, to position 7"),
    ("2.1", weights_at_once, "two tensors should come back"),
    ("2.1", for_eight, "the queries should have 5 rows, one for each position, and have 8"),
    ("2.2", all_the_past, "to position 0, which is 5 back; it may look at most 2 back"),
    ("2.2", one_too_far, "to position 2, which is 3 back; it may look at most 2 back"),
    ("2.2", both_sides, "to position 5, which is its future"),
    ("2.2", masked_afterwards, "row 5 sums to"),
    ("2.2", the_mean, "row 5 is not the softmax of the scores in sight"),
]
