"""Chapter 1."""


def faces(p):
    return (-p.log().mean()).exp()


def of_the_mean(p):
    return 1 / p.mean()


def nats(p):
    return -p.log().mean().item()


def of_the_whole_text(p):
    return (-p.log().sum()).exp()


def in_bits(p):
    return 2 ** (-p.log().mean().item())


def smoothed(counts, alpha):
    return (counts + alpha) / (counts + alpha).sum(dim=1, keepdim=True)


def by_columns(counts, alpha):
    return (counts + alpha) / (counts + alpha).sum(dim=0)


def over_all(counts, alpha):
    return (counts + alpha) / (counts + alpha).sum()


def plain(counts, alpha):
    p = counts / counts.sum(dim=1, keepdim=True).clamp(min=1)
    return p + (p.sum(dim=1, keepdim=True) == 0) / 3


def always_one(counts, alpha):
    return smoothed(counts, 1)


def numerator_alone(counts, alpha):
    return (counts + alpha) / counts.sum(dim=1, keepdim=True).clamp(min=1)


RIGHT = {"1.1": faces, "1.2": smoothed}
WRONG = [
    ("1.1", of_the_mean, "it gives 3.200; a die with that many faces has another mean loss"),
    ("1.1", nats, "it gives 1.386; a fair die that gives each of its faces 0.25 has 4"),
    ("1.1", of_the_whole_text, "it gives 64.000"),
    ("1.1", in_bits, "it gives 2.614"),
    ("1.2", by_columns, "row 0 sums to 0.992"),
    ("1.2", over_all, "row 0 sums to 0.368"),
    ("1.2", plain, "a pair that was never counted has the probability 0.000"),
    ("1.2", always_one, "alpha = 0.5 a pair counted three times has 2.00 times the probability"),
    ("1.2", numerator_alone, "row 0 sums to 1.750"),
]
