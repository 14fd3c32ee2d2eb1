"""Chapter 3."""

import torch

from bardgpt.layers.attention import attention_weights, causal_mask


def attend(q, k, v):
    return attention_weights(q, k, causal_mask(q.shape[-2])) @ v


def many_heads(q, k, v, nh):
    B, T, C = q.shape
    q, k, v = (z.view(B, T, nh, C // nh).transpose(1, 2) for z in (q, k, v))
    return attend(q, k, v).transpose(1, 2).reshape(B, T, C)


def one_big_head(q, k, v, nh):
    return attend(q, k, v)


def cut_across_time(q, k, v, nh):
    B, T, C = q.shape
    q, k, v = (z.reshape(B, nh, T, C // nh) for z in (q, k, v))
    return attend(q, k, v).reshape(B, T, C)


def not_brought_back(q, k, v, nh):
    B, T, C = q.shape
    q, k, v = (z.view(B, T, nh, C // nh).transpose(1, 2) for z in (q, k, v))
    return attend(q, k, v).reshape(B, T, C)


def interleaved(q, k, v, nh):
    B, T, C = q.shape
    q, k, v = (z.view(B, T, C // nh, nh).permute(0, 3, 1, 2) for z in (q, k, v))
    return attend(q, k, v).permute(0, 2, 3, 1).reshape(B, T, C)


def heads_added(q, k, v, nh):
    B, T, C = q.shape
    q, k, v = (z.view(B, T, nh, C // nh).transpose(1, 2) for z in (q, k, v))
    return attend(q, k, v).sum(dim=1)


def scaled_by_the_width(q, k, v, nh):
    return many_heads(q / nh**0.5, k, v, nh)


def unmasked(q, k, v, nh):
    B, T, C = q.shape
    q, k, v = (z.view(B, T, nh, C // nh).transpose(1, 2) for z in (q, k, v))
    weights = attention_weights(q, k, torch.ones(T, T, dtype=torch.bool))
    return (weights @ v).transpose(1, 2).reshape(B, T, C)


def only_itself(q, k, v, nh):
    return v


def total_variation(a, b):
    return (a - b).abs().sum() / 2


def not_halved(a, b):
    return (a - b).abs().sum()


def with_signs(a, b):
    return (a - b).sum() / 2


def largest_difference(a, b):
    return (a - b).abs().max()


def in_common(a, b):
    return torch.minimum(a, b).sum()


RIGHT = {"3.1": many_heads, "3.2": total_variation}
WRONG = [
    ("3.1", one_big_head, "channel 0 of each query moves the output's channels 0, 1, 2, 3, 4, 5"),
    (
        "3.1",
        cut_across_time,
        "a change of channel 0 of each key moves the output's channels 0, 1, 2, 3",
    ),
    ("3.1", not_brought_back, "a change at position 3 of text 1 moves position 1 of text 1"),
    ("3.1", interleaved, "channels 0, 2, 4; it should move 0, 1, 2"),
    ("3.1", heads_added, "should have the shape (2, 4, 6), and this has (2, 4, 3)"),
    ("3.1", scaled_by_the_width, "its weights are not the softmax of q · k / √hs"),
    ("3.1", unmasked, "moves position 0 of text 1"),
    ("3.1", only_itself, "a change of channel 0 of each query moves the output's channels none"),
    ("3.2", not_halved, "two heads that share nothing, [1.0, 0.0, 0.0] and [0.0, 0.25, 0.75]"),
    ("3.2", with_signs, "it gives 0.00; it should give 1.00"),
    ("3.2", largest_difference, "two heads that share a quarter"),
    ("3.2", in_common, "two heads that look at the same"),
]
