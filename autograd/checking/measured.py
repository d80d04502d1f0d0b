"""The verdict on a claimed slope of a function without a graph."""

from __future__ import annotations

import math
from math import inf, nan

from autograd.checking.claim import Claim, Comparison
from autograd.checking.conclusion import SHARP_SLOPE, TELLING, Survey
from autograd.checking.jump import Jump, jump_nearby
from autograd.checking.line import EPSILON, Line
from autograd.checking.stencil import CONFIDENCE, Slope, Stencil
from autograd.checking.steps import Steps
from autograd.checking.survey import explore, look_again, look_where_steep

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
    if found.kind == "kink" and _may_hide_a_rise(line, found, verdict):
        look_where_steep(line, found, line.steepness)
        verdict = _verdict(claim, found, line.x)
    remark = ""
    if verdict == "wrong" and math.isfinite(claim.slope):
        look_where_steep(line, found, claim.slope)
        jump = jump_nearby(line, found, claim.slope)
        look_again(line, found)
        if jump is not None:
            found.slope = Slope(found.slope.value, max(found.slope.error, jump.steepness))
            remark = _remark_on_jump(jump, found.slope)
        verdict = _verdict(claim, found, line.x)
    slope = found.slope
    if verdict == "noise" and found.step:
        remark = _remark(found)
    tolerance = _tolerance(claim, slope)
    sides = (found.left.value, found.right.value)
    return Comparison(slope.value, slope.error, tolerance, verdict, remark=remark, sides=sides)


def _may_hide_a_rise(line: Line, found: Survey, verdict: str) -> bool:
    """Return whether a jump may be a steep rise that no sample lies in, and would tell more."""
    heights = [abs(seen.bend) * seen.h for seen in found.seen if seen.jumps]
    if not heights or verdict not in ("kink", "noise"):
        return False
    # Where rounding jumps, the slope between two jumps is none of f.
    return verdict == "kink" or not Steps(line, 0.0, max(heights)).are_low


def _remark(found: Survey) -> str:
    """Return what steps leave open."""
    return (
        f"f moves in steps {found.step:.0e} wide: its slope is 0 within one, and over many of them "
        f"{found.slope.value:.3g}; differences can't tell which it is meant to be"
    )


def _remark_on_jump(jump: Jump, slope: Slope) -> str:
    """Return how well a slope is known beside a jump, and which tolerance says so."""
    return (
        f"f jumps by {jump.height:.0e}, {jump.distance:.0e} away, as results of solvers that stop "
        f"early do: its slope is that of what is approximated to rtol="
        f"{slope.error / abs(slope.value):.0e}"
    )


def _tolerance(claim: Claim, slope: Slope) -> float:
    asked = claim.asked(slope)
    if asked is not None and not _is_zero(claim):
        return asked
    size = abs(slope.value)
    if math.isfinite(claim.slope):
        size = max(size, abs(claim.slope))
    return MARGIN * slope.error + FLOOR * size


def _is_zero(claim: Claim) -> bool:
    """Return whether 0 is claimed, to which no share of anything is a tolerance."""
    return claim.slope == 0 and claim.atol is None


def _verdict(claim: Claim, found: Survey, x: float) -> str:
    if found.kind == "undefined":
        return "undefined"
    if found.kind == "kink":
        return _verdict_at_kink(claim, found)
    slope = found.slope
    if not math.isfinite(claim.slope):
        flat = abs(slope.value) + slope.error <= SHARP_SLOPE * found.reach
        is_known = found.kind == "smooth" or flat or slope.is_sharper(TELLING)
        return "wrong" if is_known else "undefined"
    tolerance = _tolerance(claim, slope)
    apart = abs(claim.slope - slope.value)
    if claim.asked(slope) is not None and not _is_zero(claim):
        if apart <= tolerance:
            return "ok" if slope.error <= tolerance else "noise"
        return "wrong" if apart > tolerance + slope.error else "noise"
    if 0 < abs(claim.slope) <= found.hidden:
        return "noise"
    if found.stands and (apart <= tolerance or claim.slope == 0):
        return "noise"
    if apart > tolerance:
        if 0 < abs(claim.slope) <= EPSILON * found.reach and not slope.value:
            return "noise"  # sums inside f may lose it
        is_wild = found.is_all_noise and not found.is_flat
        if is_wild and abs(claim.slope) * math.ulp(x) > found.noise:
            return "noise"  # f would change more from one float to the next than it does at all
        if claim.slope == 0 and found.step:
            return "noise"  # the steps may be its own, and flat
        is_rough = slope.value != 0 and not slope.is_sharper(1 / 40)
        if is_rough and any(_allows(s, claim, s.h == found.h) for s in found.seen):
            return "noise"  # a kink may lie between a closer scale and the one chosen, or inside
        over = found.coarse
        return "noise" if abs(claim.slope - over.value) <= MARGIN * over.error < inf else "wrong"
    size = max(abs(claim.slope), abs(slope.value))
    if slope.error <= TELLING * size:
        return "ok"
    zero = abs(claim.slope) <= 4 * EPSILON * found.reach
    if zero and (found.is_flat or not found.reach or tolerance <= SHARP_SLOPE * found.reach):
        return "ok"
    return "noise"


def _allows(seen: Stencil, claim: Claim, is_chosen: bool) -> bool:
    """Return whether a stencil that says something of the slope has nothing against a claim.

    The one chosen has nothing against a slope between its chords: a kink may lie inside.
    """
    slope = seen.slope
    ends = [slope.value - MARGIN * slope.error, slope.value + MARGIN * slope.error]
    if is_chosen:
        noise = MARGIN * CONFIDENCE * seen.noise / seen.h
        ends += [min(seen.chords) - noise, max(seen.chords) + noise]
    return slope.is_sharper(0.5) and min(ends) <= claim.slope <= max(ends)


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
    if not low - rough <= claim.slope <= high + rough:
        return "wrong"
    steepest, error = max(abs(value) for value, _ in ends), max(error for _, error in ends)
    return "kink" if error <= max(steepest / 2, SHARP_SLOPE * found.reach) else "noise"
