"""The page's random numbers, in Python: a still picture shows the draw that the page begins with.

xoshiro128++ (Blackman and Vigna 2021, doi:10.1145/3460772), as in `book/_live/engine/random.js`.
"""

import math
from collections.abc import Iterator

WORD = 2**32


def _bits(seed: int) -> Iterator[int]:
    """32 random bits at a time."""
    state, weyl = [], seed % WORD
    for _ in range(4):
        weyl = (weyl + 0x9E3779B9) % WORD
        z = (weyl ^ (weyl >> 16)) * 0x85EBCA6B % WORD
        z = (z ^ (z >> 13)) * 0xC2B2AE35 % WORD
        state.append(z ^ (z >> 16))
    a, b, c, d = state
    while True:
        yield (_turned((a + d) % WORD, 7) + a) % WORD
        kept = (b << 9) % WORD
        c ^= a
        d ^= b
        b ^= c
        a ^= d
        c ^= kept
        d = _turned(d, 11)


def _turned(bits: int, places: int) -> int:
    return (bits << places | bits >> (32 - places)) % WORD


def uniform(seed: int) -> Iterator[float]:
    """Numbers from [0, 1)."""
    for bits in _bits(seed):
        yield bits / WORD


def normal(seed: int) -> Iterator[float]:
    """Numbers from N(0, 1): of Box and Muller's pairs the first."""
    numbers = uniform(seed)
    while True:
        radius = math.sqrt(-2 * math.log(1 - next(numbers)))
        yield radius * math.cos(2 * math.pi * next(numbers))
