"""Samples around a point at one scale: the slope there, its error, the noise, a kink.

Nothing is assumed about how a function rounds. A polynomial through the samples gives the
slope; the highest differences, in which all that is smooth has vanished, show the noise.

Source: Moré & Wild 2011, Estimating computational noise, SIAM J. Sci. Comput. 33; Newton's
divided differences, for samples at any distance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from math import inf, nan
from operator import mul

from autograd.checking.line import EPSILON, Line
from autograd.checking.precision import is_short, unit_of

PAIRS = (1.0, 0.30277563773, 0.61803398875)
"""Where samples lie on both sides, per unit of the scale: ratios without a common period."""

SIDE = (1.0, 0.30277563773, 0.61803398875, 0.11)
"""Where samples lie on one side, where f has none on the other."""

CONFIDENCE = 3
"""The noise of a slope is reckoned as this many of its standard deviations."""

PLATEAU = 10
"""Differences that fall by less than this, from one order to the next, are noise."""

OWN = 100
"""Noise of so many times that of the rounding of values is f's own."""

ALL_NOISE = 30
"""A function that varies by less than so many times the rounding is nothing but noise."""

ROUNDED = 0.3
"""The standard deviation of a rounding to the nearest, per unit in the last place."""


@dataclass(frozen=True, slots=True)
class Slope:
    """A numeric derivative, and a bound on its error."""

    value: float
    error: float

    def is_sharper(self, share: float) -> bool:
        """Return whether the error is below a share of the slope."""
        return self.error < share * abs(self.value)

    def meets(self, other: Slope) -> bool:
        """Return whether two slopes may be one."""
        return abs(self.value - other.value) <= self.error + other.error


NONE = Slope(nan, inf)


@dataclass(frozen=True, slots=True)
class Stencil:
    """What the samples at one scale say.

    Attributes:
        h: the scale, the distance of the farthest sample.
        slope: the derivative in the middle.
        noise: the standard deviation of a sample.
        is_noisy: whether noise, not curvature, limits the slope.
        reach: the steepest way from the middle to a sample.
        is_constant: whether every sample is the number in the middle.
        rounding: the noise that the rounding of its values alone makes.
        left, right: the slopes to both sides.
        chords: those of the lines to the farthest samples.
        bend: by how much the slope seems to change in the middle itself; 0.0 if it does not.
        jumps: whether f itself, not just its slope, changes in the middle.
    """

    h: float
    slope: Slope
    noise: float
    is_noisy: bool
    reach: float
    is_constant: bool
    rounding: float
    left: Slope = NONE
    right: Slope = NONE
    chords: tuple[float, ...] = (nan, nan)
    bend: float = 0.0
    jumps: bool = False

    @property
    def is_all_noise(self) -> bool:
        """Whether no sample differs from the middle by more than rounding."""
        return self.reach * self.h <= ALL_NOISE * self.rounding and not self.is_constant

    @property
    def is_own_noise(self) -> bool:
        """Whether the noise is far above the rounding of values, and more than curvature."""
        return self.is_noisy and self.noise > OWN * self.rounding


def two_sided(line: Line, h: float) -> Stencil | None:
    """Return what samples on both sides at scale ``h`` say; None if f ends before ``h``.

    Cost: 6 evaluations; 4 where the first of them differ so much that ``h`` is too wide, or
    where no more are left.
    """
    nodes: list[tuple[float, float]] = []
    for k, u in enumerate(PAIRS):
        above, below = line.at(u * h), None
        if above is not None:
            below = line.at(-u * h)
        if above is None or below is None:
            if k == 2 and line.is_exhausted:
                break
            return None
        nodes += [above, below]
        if k == 1 and _is_rough(line.middle, nodes) and not _is_step(line.middle, nodes):
            break
    return _read(line.middle, nodes, h)


def one_sided(line: Line, h: float) -> Stencil | None:
    """Return what samples on the side of ``h`` say; None if f ends before."""
    nodes = [found for u in SIDE if (found := line.at(u * h)) is not None]
    if len(nodes) < len(SIDE):
        return None
    slope, noise, is_noisy = _slope(line.middle, nodes, abs(h))
    reach = _reach(line.middle, nodes)
    constant = all(value == line.middle for _, value in nodes)
    floor = _floor(line.middle, nodes)
    return Stencil(abs(h), slope, noise, is_noisy, reach, constant, floor)


def _is_rough(middle: float, nodes: Sequence[tuple[float, float]]) -> bool:
    """Return whether two central differences have next to nothing in common."""
    (t, a), (s, b), (v, c), (w, d) = nodes
    outer, inner = (a - b) / (t - s), (c - d) / (v - w)
    size = max(abs(outer), abs(inner))
    return not abs(outer - inner) <= 0.5 * size and size > 0


def _read(middle: float, nodes: list[tuple[float, float]], h: float) -> Stencil:
    slope, noise, is_noisy = _slope(middle, nodes, h)
    sides = nodes[1::2], nodes[::2]
    (left, below), (right, above) = (_side(middle, side, h) for side in sides)
    (after, under), (before, over) = (_beyond(side, h) for side in sides)
    roughness = max(min(below, under), min(above, over))
    floor = _floor(middle, nodes)
    bend, jumps = _bend(middle, nodes, max(roughness, floor))
    if bend:
        noise = roughness  # no polynomial goes through a kink
    if jumps:
        left, right = after, before
    constant = all(value == middle for _, value in nodes)
    reach = _reach(middle, nodes)
    chords = tuple((value - middle) / t for t, value in nodes[:2])
    return Stencil(
        h, slope, noise, is_noisy, reach, constant, floor, left, right, chords, bend, jumps
    )


def _reach(middle: float, nodes: Sequence[tuple[float, float]]) -> float:
    return max(abs((value - middle) / t) for t, value in nodes)


def _slope(
    middle: float, nodes: Sequence[tuple[float, float]], h: float
) -> tuple[Slope, float, bool]:
    """Return the slope in the middle, the noise, and whether noise limits the slope."""
    rises = [value - middle for _, value in nodes]
    weights = _weights(tuple(t / h for t, _ in nodes))
    parts = [sum(map(mul, row, rises)) for row in weights]
    widths = [_width(row) for row in weights]
    n = len(parts)
    sizes = [abs(p) / w for p, w in zip(parts, widths, strict=True)]
    noise = max(sizes[-2:])
    orders = n - 2
    while orders > 2 and sizes[orders - 1] <= PLATEAU * noise:
        noise = max(noise, sizes[orders - 1])
        orders -= 1
    floor = _floor(middle, nodes)
    varies = max(map(abs, rises))
    is_noisy = orders < n - 2 or varies <= ALL_NOISE * floor
    if floor > OWN * EPSILON * abs(middle):
        is_noisy = is_noisy or noise <= floor  # the rounding of single or half precision
    noise = max(noise, floor)
    best = NONE
    rounded = all(size <= CONFIDENCE * floor for size in sizes[2:])
    for order in (2, 4, n) if is_noisy and rounded and n > len(SIDE) else (n,):
        left_out = [*parts[order:], *([] if order < n else parts[-2:])]
        error = _pairwise(left_out) + CONFIDENCE * _width(_summed(weights[:order])) * noise
        value = math.fsum(parts[:order]) if sum(map(abs, parts)) < inf else nan
        if math.isfinite(value) and error / h < best.error:
            best = Slope(value / h, error / h)
    return best, noise, is_noisy


def _pairwise(parts: Sequence[float]) -> float:
    """Return how much parts come to, of which two and two belong to the same distance."""
    return sum(abs(a + b) for a, b in zip(parts[::2], parts[1::2], strict=True))


def _side(middle: float, nodes: Sequence[tuple[float, float]], h: float) -> tuple[Slope, float]:
    """Return the slope to one side, and the noise as far as one side shows it."""
    weights = _weights(tuple(t / h for t, _ in nodes))
    rises = [value - middle for _, value in nodes]
    parts = [sum(map(mul, row, rises)) for row in weights]
    noise = max(abs(parts[-1]) / _width(weights[-1]), _floor(middle, nodes))
    value = sum(parts) / h
    error = (abs(parts[-1]) + CONFIDENCE * _width(_summed(weights)) * noise) / h
    if not math.isfinite(value) or not math.isfinite(error):
        return NONE, noise
    return Slope(value, error), noise


def _beyond(nodes: Sequence[tuple[float, float]], h: float) -> tuple[Slope, float]:
    """Return the slope and the noise to one side of a jump, without the sample in the middle."""
    (near, value), *others = sorted(nodes, key=lambda node: abs(node[0]))
    return _side(value, [(t - near, v) for t, v in others], h)


def _bend(middle: float, nodes: Sequence[tuple[float, float]], noise: float) -> tuple[float, bool]:
    """Return by how much the slope changes in the middle, and whether f itself jumps there.

    The slopes to both sides, seen from closer and closer, come together where f is smooth, keep
    their distance at a kink, and part where f jumps.
    """
    bends = []
    for (t, above), (s, below) in zip(nodes[::2], nodes[1::2], strict=True):
        bends.append((t, (above - middle) / t - (below - middle) / s))
    (t, far), (v, close) = bends[:2]
    visible = max(20 * noise / v, 1e-3 * _reach(middle, nodes[:4]))
    if not visible < abs(close) < inf:
        return 0.0, False
    if all(0.7 < far / bend < 1.4 for _, bend in bends if bend) and far:
        return close, False
    if all(bend and 0.7 < (far * t) / (bend * s) < 1.4 for s, bend in bends):
        return close, True
    return 0.0, False


def _is_step(middle: float, nodes: Sequence[tuple[float, float]]) -> bool:
    """Return whether f jumps between its middle and one side: three samples make it a slope.

    Where both sides are far from the middle, it is a peak, of which they know nothing.
    """
    sides = [max(abs(value - middle) for _, value in nodes[side::2]) for side in (0, 1)]
    return min(sides) < max(sides) / 8 and _bend(middle, nodes, 0.0)[1]


def _floor(middle: float, nodes: Sequence[tuple[float, float]]) -> float:
    """Return the noise that the rounding of the results alone makes."""
    values = [middle, *(value for _, value in nodes)]
    largest = max(map(abs, values))
    if all(value == middle for value in values):
        return ROUNDED * EPSILON * largest
    rounded = 1.0 if is_short(values) else ROUNDED  # what it was computed of is rounded, too
    return rounded * max(EPSILON * largest, unit_of(values, largest))


def _width(row: Sequence[float]) -> float:
    """Return the standard deviation of a weighted sum of rises, if a sample's is 1."""
    return math.hypot(sum(row), *row)


def _summed(rows: Sequence[Sequence[float]]) -> list[float]:
    """Return the sum of rows, each longer than the one before."""
    return [sum(column) for column in zip_longest(*rows, fillvalue=0.0)]


@lru_cache(maxsize=256)
def _weights(nodes: tuple[float, ...]) -> tuple[tuple[float, ...], ...]:
    """Return what each further sample adds to the slope in 0, as weights of the rises.

    Row k belongs to Newton's divided difference over 0 and the first k + 1 nodes: the
    derivative in 0 of its product of linear factors, over the nodes' distances.
    """
    rows = []
    lead = 1.0
    for k, _ in enumerate(nodes):
        known = (0.0, *nodes[: k + 1])
        row = [lead / math.prod(u - other for other in known if other != u) for u in nodes[: k + 1]]
        rows.append(tuple(row))
        lead *= -nodes[k]
    return tuple(rows)
