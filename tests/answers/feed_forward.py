"""Chapter 4."""

import torch


def exactly_one(a, b):
    return torch.relu(a + b) - 2 * torch.relu(a + b - 1)


def sees_the_future(layer, x):
    for s in range(1, x.shape[1]):
        other = x.clone()
        other[:, s] += 1
        if not torch.equal(layer(other)[:, :s], layer(x)[:, :s]):
            return True
    return False


def changed_at(s):
    def sees(layer, x):
        other = x.clone()
        other[:, s] += 1
        return not torch.equal(layer(other)[:, :s], layer(x)[:, :s])

    return sees


def anywhere(layer, x):
    other = x.clone()
    other[:, 3] += 1
    return not torch.equal(layer(other), layer(x))


def moved_by_the_past(layer, x):
    other = x.clone()
    other[:, 0] += 1
    return not torch.equal(layer(other)[:, 1:], layer(x)[:, 1:])


RIGHT = {"4.5": exactly_one, "4.6": sees_the_future}
WRONG = [
    ("4.5", lambda a, b: torch.relu(a + b - 1), "for a = 1 and b = 0 it gives 0.00"),
    ("4.5", lambda a, b: torch.relu(a + b), "for a = 1 and b = 1 it gives 2.00"),
    ("4.5", lambda a, b: a - b, "for a = 0 and b = 1 it gives -1.00"),
    ("4.5", lambda a, b: float(a[0] + b[0]), "should be a tensor"),
    ("4.6", anywhere, "for a layer that treats each position alone it says True"),
    ("4.6", moved_by_the_past, "for attention with its mask it says True"),
    ("4.6", changed_at(-1), "position 0 hears position 1"),
    ("4.6", changed_at(1), "for a layer in which the last but one"),
    ("4.6", lambda layer, x: False, "adds to each position the one after it it says False"),
    ("4.6", lambda layer, x: layer(x), "True or False should come back"),
]
