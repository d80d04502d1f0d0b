"""Data sets to learn from, made here: a pair of inputs and targets."""

from __future__ import annotations

import math
import random

from nn.arguments import count, generator, number


def moons(
    n: int = 100, noise: float = 0.1, seed: int | random.Random | None = 0
) -> tuple[list[list[float]], list[int]]:
    """Return ``n`` points on two interleaved half circles, shuffled, and their labels 0 and 1.

    Args:
        n: how many points; half of them in each moon, the odd one in moon 1.
        noise: standard deviation of the normal noise added to both coordinates.
        seed: the same seed gives the same points.

    Source: the geometry of scikit-learn's ``make_moons``: moon 0 is the upper unit half circle,
    moon 1 the lower one about (1, 0.5).

    >>> points, labels = moons(4, noise=0.0)
    >>> sorted(labels), len(points)
    ([0, 0, 1, 1], 4)
    """
    if count("n", n) < 2:
        raise ValueError(f"n must be at least 2, one point in each moon: got {n}")
    spread = number("noise", noise)
    source = generator(seed)
    upper = [(math.cos(angle), math.sin(angle)) for angle in _angles(n // 2)]
    lower = [(1 - math.cos(angle), 0.5 - math.sin(angle)) for angle in _angles(n - n // 2)]
    samples = [
        ([x + source.gauss(0, spread), y + source.gauss(0, spread)], label)
        for label, moon in enumerate((upper, lower))
        for x, y in moon
    ]
    source.shuffle(samples)
    return [point for point, _ in samples], [label for _, label in samples]


def _angles(n: int) -> list[float]:
    """Return ``n`` angles from 0 to pi, evenly spaced."""
    return [math.pi * i / max(n - 1, 1) for i in range(n)]
