"""Chapter 6."""

import torch

EPS = 1e-5


def rms_norm(x, gain):
    return x / (x.square().mean(dim=-1, keepdim=True) + EPS).sqrt() * gain


def centred(x, gain):
    return rms_norm(x - x.mean(dim=-1, keepdim=True), gain)


def over_time(x, gain):
    return x / (x.square().mean(dim=1, keepdim=True) + EPS).sqrt() * gain


def rootless(x, gain):
    return x / (x.square().mean(dim=-1, keepdim=True) + EPS) * gain


def by_length(x, gain):
    return x / (x.square().sum(dim=-1, keepdim=True) + EPS).sqrt() * gain


def gainless(x, gain):
    return rms_norm(x, torch.ones_like(gain))


def without_eps(x, gain):
    return x / x.square().mean(dim=-1, keepdim=True).sqrt() * gain


def fold(weight, bias, gain, shift):
    return weight * gain, weight @ shift + bias


def no_gain(weight, bias, gain, shift):
    return weight, weight @ shift + bias


def no_shift(weight, bias, gain, shift):
    return weight * gain, bias


def shift_with_gain(weight, bias, gain, shift):
    return weight * gain, (weight * gain) @ shift + bias


def own_bias_lost(weight, bias, gain, shift):
    return weight * gain, weight @ shift


def one_gain(weight, bias, gain, shift):
    return weight * gain.mean(), weight @ shift + bias


def gain_of_rows(weight, bias, gain, shift):
    return gain * weight.T, weight @ shift + bias


RIGHT = {"6.1": rms_norm, "6.2": fold}
WRONG = [
    ("6.1", centred, "does not subtract anything"),
    ("6.1", over_time, "when the last position changes, an earlier one moves"),
    ("6.1", rootless, "a position comes out with RMS 0."),
    ("6.1", by_length, "a position comes out with RMS 0.35; it should be 1"),
    ("6.1", gainless, "channel c should be multiplied by gain c"),
    ("6.1", without_eps, "what comes back for zeros has a NaN"),
    ("6.2", no_gain, "the gain is lost"),
    ("6.2", no_shift, "the shift is lost"),
    ("6.2", shift_with_gain, "the gain is for y alone"),
    ("6.2", own_bias_lost, "the layer's own bias is lost"),
    ("6.2", one_gain, "a gain belongs to a channel of y"),
    ("6.2", gain_of_rows, "it raises RuntimeError"),
]
