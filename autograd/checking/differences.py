"""Derivatives by differences, with a sweep over steps and an estimate of the error.

A function is looked at along a line, t -> f(x + t v). What comes out is a verdict on a claimed
derivative at t = 0 that needs no step size: steps are halved and extrapolated until truncation
and rounding are both known to be small; a claim that still disagrees is confirmed at much
smaller steps, where only a wrong derivative keeps its distance.

Source: Ridders 1982, Accurate computation of F'(x) and F'(x) F''(x), Adv. Eng. Software 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from math import inf, nan
from typing import NamedTuple

from autograd.checking.claim import CAUTION, Claim, Comparison
from autograd.checking.line import EPSILON, Line

LEVELS = 4
"""Steps of one sweep, each half of the one before."""
SWEEPS = 3
"""How many sweeps are tried."""
SHARP = 1e-4
"""A difference is informative if its error is below this share of the derivative."""


class Limit(NamedTuple):
    """A numeric derivative, its estimated absolute error, and how much of that is rounding."""

    value: float
    error: float
    rounding: float = 0.0


class Pair(NamedTuple):
    """Two samples on both sides of the middle, at the steps that floats allow."""

    up: float
    down: float
    above: float
    below: float

    def slope(self, middle: float) -> float:
        """Return the derivative of the parabola through the three points."""
        rise, fall = (self.above - middle) / self.up, (middle - self.below) / self.down
        if self.up == self.down:
            return (self.above - self.below) / (2 * self.up)
        return (rise * self.down + fall * self.up) / (self.up + self.down)

    def jump(self, middle: float) -> float:
        """Return by how much the slope to the right exceeds that to the left."""
        return (self.above - middle) / self.up - (middle - self.below) / self.down


class Sampler:
    """Differences along a line whose noise is known.

    Args:
        noise: a bound on the rounding error of a sample.
    """

    def __init__(self, line: Line, noise: float) -> None:
        self.line = line
        self.x, self.middle = line.x, line.middle
        self.smallest_step = line.smallest_step
        self._noise = noise

    def at(self, t: float) -> tuple[float, float] | None:
        """Return the step really taken and the value there; None if there is none."""
        return self.line.at(t)

    def pair(self, h: float) -> Pair | None:
        """Return the samples at both sides at a distance of about ``h``."""
        above = self.at(h)
        below = self.at(-h) if above else None
        if above is None or below is None:
            return None
        return Pair(above[0], -below[0], above[1], below[1])

    def rounding(self, *values: float) -> float:
        """Return a bound on the rounding error of a difference of samples."""
        largest = max(map(abs, (self.middle, *values)))
        return 2 * max(self._noise, EPSILON * largest)

    def sweep(self, h: float) -> list[Pair]:
        """Return samples at ``h``, ``h / 2``, ..., from smaller steps if f ends before ``h``."""
        pairs: list[Pair] = []
        misses = 0
        while len(pairs) < LEVELS and misses < 3 and self.line.left >= 2:
            pair = self.pair(h) if h > self.smallest_step / 32 else None
            if pair is None:
                misses += 1
                pairs.clear()
                h /= 64
                continue
            pairs.append(pair)
            h /= 2
        return pairs if len(pairs) > 1 else []

    def central(self, pairs: Sequence[Pair]) -> Limit:
        """Return the derivative extrapolated from symmetric differences."""
        slopes = [p.slope(self.middle) for p in pairs]
        errors = [self.rounding(p.above, p.below) / (p.up + p.down) for p in pairs]
        return extrapolate(slopes, errors, 4)

    def one_sided(self, h: float) -> Limit:
        """Return the derivative to the right of the middle, to the left if ``h`` is negative."""
        slopes, errors = [], []
        for _ in range(LEVELS):
            found = self.at(h)
            h /= 2
            if found is None:
                continue
            step, value = found
            slopes.append((value - self.middle) / step)
            errors.append(self.rounding(value) / abs(step))
        return extrapolate(slopes, errors, 2)


def extrapolate(slopes: Sequence[float], roundings: Sequence[float], gain: int) -> Limit:
    """Return the limit of difference quotients whose step halves, by Richardson's scheme.

    Args:
        slopes: the quotients, the largest step first.
        roundings: the error of each by rounding.
        gain: by how much halving the step divides the leading error: 4 if symmetric, else 2.
    """
    best = Limit(nan, inf)
    previous: list[float] = []
    for slope, rounding in zip(slopes, roundings, strict=True):
        row, factor = [slope], gain
        for k, coarser in enumerate(previous):
            row.append((row[k] * factor - coarser) / (factor - 1))
            factor *= gain
        for k in range(1, len(row)):
            spread = max(abs(row[k] - row[k - 1]), abs(row[k] - previous[k - 1]))
            if spread + 2 * rounding < best.error:
                best = Limit(row[k], spread + 2 * rounding, 2 * rounding)
        previous = row
    return best


def compare(
    line: Sampler, claim: Claim, steps: Sequence[float], *, radius: float = 0.0, near: float = 0.0
) -> Comparison:
    """Return the verdict on a claimed derivative.

    Args:
        steps: where sweeps start, the most promising first.
        radius: up to which step f is known to keep its character; 0.0 if nothing is known.
        near: how close to the middle a kink is known to lie; 0.0 if none is known.
    """
    if not math.isfinite(line.middle):
        return Comparison(nan, inf, 0.0, "undefined")
    if near:
        line.line.crossing = True
        steps = [h for h in steps if h > 1e4 * near]
        found = _across_a_kink(line, claim, steps)
        if found:
            return found
    queue = list(steps)
    best = Limit(nan, inf)
    for _ in range(SWEEPS):
        pairs = line.sweep(queue.pop(0)) if queue else []
        if not pairs:
            continue
        if _is_kinked(line, pairs):
            if _stays_kinked(line, pairs):
                h = pairs[-1].up
                return _between(claim, line.one_sided(-h), line.one_sided(h))
            queue.insert(0, pairs[-1].up / 256)
            continue
        slope = line.central(pairs)
        best = min(best, slope, key=lambda s: s.error)
        found = _judge(line, claim, pairs, slope, radius)
        if found:
            return found
        size = _size(claim, slope)
        # Steps so wide that rounding no longer matters, if f allows them.
        wider = line.rounding() / size / SHARP**2 if size else line.rounding() / EPSILON / 64
        if 8 * slope.rounding < slope.error < inf:
            queue.insert(0, pairs[-1].up / 64)
        elif pairs[0].up < wider < radius / 8:
            queue.insert(0, wider)
    if best.error == inf:
        return _beside_an_edge(line, claim, steps)
    verdict = "noise" if math.isfinite(claim.slope) else "undefined"
    return Comparison(best.value, best.error, claim.tolerance(best), verdict)


def _judge(
    line: Sampler, claim: Claim, pairs: list[Pair], slope: Limit, radius: float
) -> Comparison | None:
    """Return the verdict that one sweep allows, None if it allows none."""
    size, error, tolerance = _size(claim, slope), claim.error(slope), claim.tolerance(slope)
    # A slope of 0 is known if its error is small even beside the slope of a function that
    # rises from 0 to the numbers at hand within one step.
    largest = line.rounding(pairs[0].above, pairs[0].below) / EPSILON
    flat = max(min(1e-9 * largest / pairs[0].up, 1e-6), 1e-290)
    if not math.isfinite(claim.slope):
        trusted = flat if pairs[0].up <= radius else 0.0
        if slope.error < inf and slope.error <= max(SHARP * size, trusted):
            return Comparison(slope.value, slope.error, tolerance, "wrong")
    elif claim.agrees(slope):
        if error <= CAUTION * SHARP * size or size <= error <= max(flat, 2 * claim.doubt):
            rate = remainder_rate(line, pairs, claim.slope)
            return Comparison(slope.value, slope.error, tolerance, "ok", rate)
    elif 2 * slope.error + claim.doubt < abs(claim.slope - slope.value):
        closer = _closer_pairs(line, pairs, slope.value, claim.slope, radius)
        if closer:
            rate = remainder_rate(line, closer, claim.slope)
            return Comparison(slope.value, slope.error, tolerance, "wrong", rate)
    return None


def _size(claim: Claim, slope: Limit) -> float:
    """Return what an error is to be compared with."""
    finite = math.isfinite(claim.slope)
    return max(abs(claim.slope), abs(slope.value)) if finite else abs(slope.value)


def _across_a_kink(line: Sampler, claim: Claim, steps: Sequence[float]) -> Comparison | None:
    """Return the verdict at a kink; None if f is smooth across it, so that sweeps decide."""
    h = steps[0] if steps else 0.0
    right, left = line.one_sided(h), line.one_sided(-h)
    both = Limit((left.value + right.value) / 2, left.error + right.error)
    if not _is_one_slope(left, right):
        return _between(claim, left, right)
    # One slope, but maybe no power series, such as x * abs(x): then sweeps converge no further.
    if claim.agrees(both) and claim.error(both) <= max(SHARP * abs(both.value), 1e-9):
        return Comparison(both.value, both.error, claim.tolerance(both), "ok")
    return None


def _between(claim: Claim, left: Limit, right: Limit) -> Comparison:
    """Return the verdict at a kink: a right claim lies between the slopes to both sides."""
    low, high = sorted((left, right), key=lambda slope: slope.value)
    middle, error = (low.value + high.value) / 2, left.error + right.error
    if not error <= SHARP * max(abs(low.value), abs(high.value)):
        verdict = "kink" if math.isfinite(claim.slope) else "undefined"
        return Comparison(middle, inf, 0.0, verdict)
    reach = (high.value - low.value) / 2 + claim.error(Limit(middle, error))
    verdict = "kink" if abs(claim.slope - middle) <= reach else "wrong"
    return Comparison(middle, error, reach, verdict, sides=(left.value, right.value))


def remainder_rate(line: Sampler, pairs: Sequence[Pair], claimed: float) -> float:
    """Return the order with which ``f(t) - f(0) - t * claimed`` vanishes with t.

    2 for a right derivative (more where the curvature is 0), 1 for a wrong one; NaN where
    rounding hides it. Taken from the two smallest steps above rounding.
    """
    points: list[tuple[float, float]] = []
    for pair in pairs:
        remainder = abs(pair.above - line.middle - pair.up * claimed)
        if remainder > 10 * line.rounding(pair.above, pair.up * claimed):
            points.append((pair.up, remainder))
    if len(points) < 2:
        return nan
    (h, large), (k, small) = points[-2:]
    if h == k or not small < inf > large:
        return nan
    return math.log(large / small) / math.log(h / k)


def _closer_pairs(
    line: Sampler, pairs: list[Pair], numeric: float, claimed: float, radius: float
) -> list[Pair]:
    """Return samples at much smaller steps, if they give the same slope; else none.

    Steps that jump over the waves of a function agree among themselves, but not with these.
    """
    wanted = 1e3 * line.rounding() / abs(claimed - numeric)
    h = min(max(wanted, line.smallest_step), pairs[-1].up)
    if 0 < radius < h:
        return []  # floats lie too far apart, or carry too much rounding, to tell
    closer: list[Pair] = []
    for step in (h, h / 4):
        pair = line.pair(step) or pairs[-1]
        allowed = 0.1 * abs(numeric) + 2 * line.rounding(pair.above) / pair.up
        allowed = min(allowed, 0.5 * abs(claimed - numeric))
        if abs(pair.slope(line.middle) - numeric) > allowed:
            return []
        closer.append(pair)
    return closer


def _is_one_slope(left: Limit, right: Limit) -> bool:
    size = max(abs(left.value), abs(right.value))
    converged = max(left.error, right.error) <= SHARP * max(size, 1e-6)
    return converged and abs(left.value - right.value) <= CAUTION * (left.error + right.error)


def _is_kinked(line: Sampler, pairs: Sequence[Pair]) -> bool:
    """Return whether the slopes to both sides differ, however small the step.

    As the step halves, so does their difference if f is smooth; it stays at a kink, and
    doubles where f jumps.
    """
    jumps = [pair.jump(line.middle) for pair in pairs]
    last = pairs[-1]
    size = max(abs((last.above - line.middle) / last.up), abs(jumps[-1]))
    visible = max(20 * line.rounding(last.above, last.below) / last.up, 1e-3 * size)
    if len(jumps) < 3 or not abs(jumps[-1]) > visible:
        return False
    ratios = [b / a if a else inf for a, b in pairwise(jumps)]
    return all(0.8 < r < 1.25 for r in ratios) or all(1.6 < r < 2.5 for r in ratios)


def _stays_kinked(line: Sampler, pairs: Sequence[Pair]) -> bool:
    """Return whether the slopes still differ as much a hair from the middle."""
    last = pairs[-1]
    jump = last.jump(line.middle)
    hair = 2.0**-36 * max(1.0, abs(line.x))
    h = max(hair, 100 * line.rounding() / abs(jump), line.smallest_step)
    pair = line.pair(h) if h < last.up / 64 else None
    if pair is None:
        return True
    ratio = pair.jump(line.middle) / jump
    return 0.67 < ratio < 1.5 or 0.67 < ratio * pair.up / last.up < 1.5


def _beside_an_edge(line: Sampler, claim: Claim, steps: Sequence[float]) -> Comparison:
    """Return the verdict where f has values on one side only: never that it is wrong."""
    best = Limit(nan, inf)
    for h in steps:
        for side in (h, -h):
            best = min(best, line.one_sided(side), key=lambda slope: slope.error)
    if best.error == inf or not math.isfinite(claim.slope):
        return Comparison(best.value, best.error, 0.0, "undefined")
    tolerance = claim.tolerance(best)
    if claim.error(best) > CAUTION * SHARP * _size(claim, best) and best.error > claim.doubt:
        return Comparison(best.value, best.error, tolerance, "noise")
    verdict = "ok" if claim.agrees(best) else "undefined"
    return Comparison(best.value, best.error, tolerance, verdict)
