"""Points in the plane, made: moons, circles, spirals and xor, with their labels."""

from __future__ import annotations

import math
import random

from nn.arguments import count, generator, number, real

Inputs = list[list[float]]
Data = tuple[Inputs, list[int]]


def moons(n: int = 100, noise: float = 0.1, seed: int | random.Random | None = 0) -> Data:
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
    return _noisy([upper, lower], spread, source)


def circles(
    n: int = 100,
    noise: float = 0.1,
    seed: int | random.Random | None = 0,
    factor: float = 0.5,
) -> Data:
    """Return ``n`` points on two circles about 0, shuffled: radius 1 has label 0, ``factor`` 1.

    Args:
        n, noise, seed: as for `moons`.
        factor: the inner circle's radius, above 0 and below 1.

    Source: the geometry of scikit-learn's ``make_circles``.
    """
    if count("n", n) < 2:
        raise ValueError(f"n must be at least 2, one point on each circle: got {n}")
    if not 0 < real("factor", factor) < 1:
        raise ValueError(f"factor must be above 0 and below 1: got {factor}")
    rings = [
        [
            (radius * math.cos(2 * math.pi * i / m), radius * math.sin(2 * math.pi * i / m))
            for i in range(m)
        ]
        for radius, m in ((1.0, n // 2), (factor, n - n // 2))
    ]
    return _noisy(rings, number("noise", noise), generator(seed))


def spirals(
    n: int = 100,
    noise: float = 0.05,
    seed: int | random.Random | None = 0,
    turns: float = 1.0,
    arms: int = 2,
) -> Data:
    """Return ``n`` points on interleaved spirals from 0 to radius 1, shuffled, and their arms.

    Args:
        n, noise, seed: as for `moons`.
        turns: how often each arm winds about 0.
        arms: how many spirals, and so how many labels.

    Source: Lang & Witbrock 1988, Learning to tell two spirals apart.
    """
    number("turns", turns, positive=True)
    if count("n", n) < count("arms", arms):
        raise ValueError(f"n must be at least {arms}, one point on each arm: got {n}")
    curves = []
    for arm in range(arms):
        m = n // arms + (arm < n % arms)
        angles = [2 * math.pi * (turns * (i + 1) / m + arm / arms) for i in range(m)]
        curves.append(
            [
                ((i + 1) / m * math.cos(angle), (i + 1) / m * math.sin(angle))
                for i, angle in enumerate(angles)
            ]
        )
    return _noisy(curves, number("noise", noise), generator(seed))


def xor(n: int = 4, noise: float = 0.0, seed: int | random.Random | None = 0) -> Data:
    """Return ``n`` of the four corners of the unit square in turn, label 1 where they differ.

    Args:
        n, noise, seed: as for `moons`, but four corners without noise are not shuffled.

    Source: Minsky & Papert 1969, Perceptrons; learnt by Rumelhart, Hinton & Williams 1986.

    >>> xor()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    spread, source = number("noise", noise), generator(seed)
    corners = [(float(i // 2 % 2), float(i % 2)) for i in range(count("n", n))]
    inputs = [[a + source.gauss(0, spread), b + source.gauss(0, spread)] for a, b in corners]
    return inputs, [int(a != b) for a, b in corners]


def _noisy(curves: list[list[tuple[float, float]]], spread: float, source: random.Random) -> Data:
    """Return the points of all curves with noise, shuffled, and the numbers of their curves."""
    samples = [
        ([x + source.gauss(0, spread), y + source.gauss(0, spread)], label)
        for label, curve in enumerate(curves)
        for x, y in curve
    ]
    source.shuffle(samples)
    return [point for point, _ in samples], [label for _, label in samples]


def _angles(n: int) -> list[float]:
    """Return ``n`` angles from 0 to pi, evenly spaced."""
    return [math.pi * i / max(n - 1, 1) for i in range(n)]
