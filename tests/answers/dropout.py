"""Chapter 8."""

import torch


def dropout(x, p, training):
    if not training:
        return x
    return x * (torch.rand(x.shape) >= p) / (1 - p)


def at_test_time_too(x, p, training):
    return dropout(x, p, training=True)


def divides_at_test_time(x, p, training):
    return x * (torch.rand(x.shape) >= p) if training else x * (1 - p)


def not_rescaled(x, p, training):
    return x * (torch.rand(x.shape) >= p) if training else x


def p_is_kept(x, p, training):
    return dropout(x, 1 - p, training)


def seeded(x, p, training):
    generator = torch.Generator().manual_seed(0)
    kept = torch.rand(x.shape, generator=generator) >= p
    return x * kept / (1 - p) if training else x


def one_mask_for_all_rows(x, p, training):
    return x * (torch.rand(x.shape[-1]) >= p) / (1 - p) if training else x


def an_exact_share(x, p, training):
    kept = torch.ones(x.numel())
    kept[torch.randperm(x.numel())[: round(p * x.numel())]] = 0
    return x * kept.reshape(x.shape) / (1 - p) if training else x


def noise(x, p, training):
    return x * (torch.rand(x.shape) - p).clamp(min=0) / (1 - p) if training else x


def nothing(x, p, training):
    return x


@torch.no_grad()
def mean_prediction(model, ids, n):
    was_training = model.training
    model.train()
    total = sum(model(ids).softmax(-1) for _ in range(n))
    model.train(was_training)
    return total / n


def in_evaluation_mode(model, ids, n):
    return sum(model(ids).softmax(-1) for _ in range(n)) / n


def of_the_logits(model, ids, n):
    was_training = model.training
    model.train()
    total = sum(model(ids) for _ in range(n))
    model.train(was_training)
    return (total / n).softmax(-1)


def logits(model, ids, n):
    was_training = model.training
    model.train()
    total = sum(model(ids) for _ in range(n))
    model.train(was_training)
    return total / n


def a_sum(model, ids, n):
    return n * mean_prediction(model, ids, n)


def one_pass(model, ids, n):
    return mean_prediction(model, ids, 1)


def left_in_training_mode(model, ids, n):
    model.train()
    return sum(model(ids).softmax(-1) for _ in range(n)) / n


def always_to_evaluation_mode(model, ids, n):
    answer = left_in_training_mode(model, ids, n)
    model.eval()
    return answer


RIGHT = {"8.1": dropout, "8.2": mean_prediction}
WRONG = [
    ("8.1", at_test_time_too, "there nothing should happen to it"),
    ("8.1", divides_at_test_time, "outside of training a number comes out up to 0.60 away"),
    ("8.1", not_rescaled, "a number that is kept is multiplied by 1.00, so its mean"),
    ("8.1", p_is_kept, "with p = 0.2 a share of 0.80 comes out as 0"),
    ("8.1", seeded, "two passes lose the same numbers"),
    ("8.1", one_mask_for_all_rows, "a whole row, or a whole column, falls or stays"),
    ("8.1", an_exact_share, "4,000 of 20,000 numbers fall in every pass"),
    ("8.1", noise, "it should be the same factor for all"),
    ("8.1", nothing, "in training no number comes out as 0"),
    ("8.2", in_evaluation_mode, "nothing was dropped"),
    ("8.2", of_the_logits, "was the mean taken of the logits?"),
    ("8.2", logits, "probabilities sum to 1"),
    ("8.2", a_sum, "for n = 200 the numbers of a position sum to 200.00"),
    ("8.2", one_pass, "still the prediction under a single mask"),
    ("8.2", left_in_training_mode, "afterwards it is in training mode; put it back"),
    ("8.2", always_to_evaluation_mode, "afterwards it is in evaluation mode; put it back"),
]
