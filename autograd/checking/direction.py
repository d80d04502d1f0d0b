"""Ways to move the inputs: one of them alone, or many at once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from autograd.checking.line import drawn_speed
from autograd.checking.point import Point

DIRECTIONS = 3
"""How many random directions are checked."""


class Direction(NamedTuple):
    """A way to move: one input, or many at random speeds."""

    number: int
    label: str
    speeds: dict[int, float]


def single(point: Point, i: int) -> Direction:
    """Return the way that moves one input."""
    return Direction(i, point.label(i), {i: 1.0})


def random_directions(inputs: list[int], n: int, seed: int) -> Iterator[Direction]:
    """Yield ways to move inputs, of n in all, at random speeds."""
    draw = random.Random(seed)
    for k in range(DIRECTIONS):
        speeds = {i: drawn_speed(draw) for i in range(n)}
        label = f"direction {k + 1} of {DIRECTIONS} ({n:,} scalars)"
        yield Direction(k, label, {i: speeds[i] for i in inputs})
