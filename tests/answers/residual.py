"""Chapter 5."""

from torch import nn


def carry_back(g, jacobians):
    for J in reversed(jacobians):
        g = g + J.T @ g
    return g


def plainly(g, jacobians):
    for J in reversed(jacobians):
        g = J.T @ g
    return g


def half_to_each(g, jacobians):
    for J in reversed(jacobians):
        g = g / 2 + J.T @ g / 2
    return g


def not_transposed(g, jacobians):
    for J in reversed(jacobians):
        g = g + J @ g
    return g


def forwards(g, jacobians):
    for J in jacobians:
        g = g + J.T @ g
    return g


def all_from_the_first(g, jacobians):
    return g + sum(J.T @ g for J in jacobians)


def zeros(*layers):
    for layer in layers:
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)


def silence(block):
    zeros(block.attention.proj, block.feed_forward.proj)
    return block


def all_zero(block):
    zeros(block)
    return block


def one_branch(block):
    zeros(block.feed_forward.proj)
    return block


def biases_left(block):
    for branch in (block.attention, block.feed_forward):
        nn.init.zeros_(branch.proj.weight)
    return block


def frozen(block):
    for layer in (block.attention.proj, block.feed_forward.proj):
        zeros(layer)
        layer.requires_grad_(False)
    return block


def nothing_trains(block):
    return all_zero(block).requires_grad_(False)


def taken_out(block):
    block.attention = nn.Identity()
    return block


def another(block):
    return nn.Identity()


RIGHT = {"5.1": carry_back, "5.2": silence}
WRONG = [
    ("5.1", plainly, "Jacobians are 0 change g by up to 2.00"),
    ("5.1", half_to_each, "Jacobians are 0 change g by up to 1.50"),
    ("5.1", not_transposed, "which of the two are the rows?"),
    ("5.1", forwards, "which branch does the gradient meet first"),
    ("5.1", all_from_the_first, "what reaches the other?"),
    ("5.2", all_zero, "in 3 steps 10 of 12 parameters get no gradient"),
    ("5.2", one_branch, "it changes what it reads"),
    ("5.2", biases_left, "neither branch should add anything"),
    ("5.2", frozen, "4 parameters are frozen"),
    ("5.2", nothing_trains, "12 parameters are frozen"),
    ("5.2", taken_out, "should keep its parameters"),
    ("5.2", another, "a ResidualBlock should come back"),
]
