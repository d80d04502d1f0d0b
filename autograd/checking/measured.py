"""The verdict on a claimed slope of a function without a graph."""

from __future__ import annotations

import math
from math import inf, nan

from autograd.checking.claim import Claim, Comparison
from autograd.checking.line import EPSILON, Line
from autograd.checking.stencil import Slope
from autograd.checking.survey import SHARP, TELLING, Survey, explore, look_again

MARGIN = 1.5
"""The tolerance is this many times the error of the slope."""

FLOOR = 1e-5
"""No claim is wrong that differs by less than this share: that is what noise may hide."""


def judge(line: Line, claim: Claim) -> Comparison:
    """Return the verdict on a claim, from samples alone."""
    if not math.isfinite(line.middle):
        return Comparison(nan, inf, 0.0, "undefined")
    found = explore(line)
    verdict = _verdict(claim, found, line.x)
    if verdict == "wrong" and found.h and math.isfinite(claim.slope):
        look_again(line, found)
        verdict = _verdict(claim, found, line.x)
    slope = found.slope
    return Comparison(slope.value, slope.error, _tolerance(claim, slope), verdict)


def _tolerance(claim: Claim, slope: Slope) -> float:
    asked = claim.asked(slope)
    if asked is not None:
        return asked
    size = abs(slope.value)
    if math.isfinite(claim.slope):
        size = max(size, abs(claim.slope))
    return MARGIN * slope.error + FLOOR * size


def _verdict(claim: Claim, found: Survey, x: float) -> str:
    if found.kind == "undefined":
        return "undefined"
    if found.kind == "kink":
        return _verdict_at_kink(claim, found)
    slope = found.slope
    if not math.isfinite(claim.slope):
        flat = abs(slope.value) + slope.error <= SHARP * found.reach
        is_known = found.kind == "smooth" or flat or slope.is_sharper(TELLING)
        return "wrong" if is_known else "undefined"
    tolerance = _tolerance(claim, slope)
    apart = abs(claim.slope - slope.value)
    if claim.asked(slope) is not None:
        if apart <= tolerance:
            return "ok" if slope.error <= tolerance else "noise"
        return "wrong" if apart > tolerance + slope.error else "noise"
    if found.stands and (apart <= tolerance or claim.slope == 0):
        return "noise"
    if apart > tolerance:
        if found.is_all_noise and abs(claim.slope) * math.ulp(x) > found.noise:
            return "noise"  # f would change more from one float to the next than it does at all
        if claim.slope == 0 and found.has_wide_steps:
            return "noise"  # the steps may be its own, and flat
        over = found.coarse
        return "noise" if abs(claim.slope - over.value) <= MARGIN * over.error < inf else "wrong"
    size = max(abs(claim.slope), abs(slope.value))
    if tolerance <= TELLING * size:
        return "ok"
    zero = abs(claim.slope) <= 4 * EPSILON * found.reach
    if zero and (not found.reach or tolerance <= SHARP * found.reach):
        return "ok"
    return "noise"


def _verdict_at_kink(claim: Claim, found: Survey) -> str:
    if not math.isfinite(claim.slope):
        finite = found.left.error < inf and found.right.error < inf
        return "wrong" if finite else "undefined"
    ends = [(s.value, MARGIN * s.error) for s in (found.left, found.right) if s.error < inf]
    if len(ends) < 2:
        return "undefined"
    low = min(value - error for value, error in ends)
    high = max(value + error for value, error in ends)
    rough = FLOOR * max(abs(low), abs(high))
    return "kink" if low - rough <= claim.slope <= high + rough else "wrong"
