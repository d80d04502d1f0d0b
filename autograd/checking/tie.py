"""Inputs that are each at a kink, moved together so that what ties them stays tied.

At a tie of max(a, b) the slopes (1, 1) lie between the one-sided ones, input by input; yet f has
the slope 1 where both move alike, and these slopes add up to 2. Where f has one and the same
slope in a direction, at the point and all around it, every gradient nearby has it, and so has
each mean of them: whatever subgradient an engine may choose.

Source: Clarke 1983, Optimization and Nonsmooth Analysis, on generalized gradients.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from random import Random

from autograd.checking.direction import Direction
from autograd.checking.point import Point

EVEN = 0.1
"""Slopes to both sides whose sum is a smaller share of the bend rise to both sides alike."""

FEW = 4
"""So many inputs are named, one by one."""

ASIDE, HAIR = 1e-3, 1e-4
"""How far away other pieces of f are looked at, and how closely there, per unit of the way."""

ANYWHERE = 16
"""At so many places more, which lie on either side of each kink."""

SAME = 0.1
"""Slopes are one if they differ by less, per unit of how far off a gradient is."""

Sides = tuple[float, float]
"""The slopes to the left and to the right of a kink."""


def joint_directions(
    point: Point, sides: Mapping[int, Sides], gradient: Sequence[float], seed: int
) -> Iterator[Direction]:
    """Yield two ways to move inputs that are at kinks, each so fast that f bends alike.

    First all of them, f rising by each. Then, as others may have no part in a tie, those that
    claim the steeper slope, or the flatter one, whichever are more; all, some the other way,
    if that tells none apart.

    Args:
        sides: of two inputs at least.
    """
    least = min(abs(right - left) for left, right in sides.values())
    speeds = {}
    for i, (left, right) in sides.items():
        rise = left + right
        sign = rise if abs(rise) > EVEN * abs(right - left) else gradient[i] or 1.0
        speeds[i] = math.copysign(least / (right - left), sign)
    yield _direction(point, speeds)
    steep = [i for i, pair in sides.items() if abs(gradient[i]) > max(map(abs, pair)) / 2]
    flat = [i for i in sides if i not in steep]
    some = max(steep, flat, key=len)
    if 1 < len(some) < len(sides):
        yield _direction(point, {i: speeds[i] for i in some})
        return
    draw = Random(seed)
    _, second, *others = speeds
    turned = {second, *(i for i in others if draw.random() < 0.5)}
    yield _direction(point, {i: -v if i in turned else v for i, v in speeds.items()})


def _direction(point: Point, speeds: dict[int, float]) -> Direction:
    """Return the way to move inputs, none by more than itself, or 1 if it is 0, per unit."""
    fastest = max(abs(v) / (abs(point.numbers[i]) or 1.0) for i, v in speeds.items())
    labels = [point.label(i) for i in speeds]
    label = " and ".join(labels)
    if len(labels) > FEW:
        label = f"{len(labels)} inputs, {labels[0]} ... {labels[-1]}"
    return Direction(min(speeds), label, {i: v / fastest for i, v in speeds.items()})


def places_around(
    x: Sequence[float], speeds: Mapping[int, float], sides: Mapping[int, Sides], seed: int
) -> Iterator[tuple[list[float], list[float]]]:
    """Yield pairs of points beside x, a hair apart along a direction.

    First where f rises least, each input on that side of its kink, then where most, then anywhere.
    All others move a little, too: they may part what ties these.
    """
    draw = Random(seed)
    for most in (-1, 1, *[0] * ANYWHERE):
        middle = list(x)
        for i, t in enumerate(x):
            way = ASIDE * (abs(speeds.get(i, t)) or 1.0)
            if most and i in speeds:
                left, right = sides[i]
                side = most * math.copysign(1, (right - left) * speeds[i])
                middle[i] += side * draw.uniform(0.5, 1.5) * way
            else:
                middle[i] += draw.uniform(-1.5, 1.5) * way
        yield _moved(middle, speeds, HAIR), _moved(middle, speeds, -HAIR)


def _moved(x: Sequence[float], speeds: Mapping[int, float], t: float) -> list[float]:
    return [number + t * speeds.get(i, 0.0) for i, number in enumerate(x)]
