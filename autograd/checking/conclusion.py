"""What samples at several scales say together: the slope, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from math import inf

from autograd.checking.line import Line
from autograd.checking.precision import is_short, unit_of
from autograd.checking.stencil import NONE, OWN, PLATEAU, ROUNDED, Slope, Stencil
from autograd.checking.steps import Steps, far_reach, is_short_nearby, kind_of, steps_of, unit

SHARP_SLOPE = 1e-4
"""A slope is sharp if its error is below this share of it."""

TELLING = 0.05
"""A slope says something if its error is below this share of it."""

ALL = 0.03
"""Noise of this share of all that f varies is no noise on something else."""

LULL = 40
"""Noise that is lower by less than this, from one scale to the next, may be the same noise."""

HALF = 2.0**-6
"""Steps of this width, beside the input or 1, are f's own, unless its values are of a format."""

NO_NOISE, NO_SLOPE, ALIKE = 0.05, 0.97, 0.15
"""Between which powers of the distance roots vary, and how far these may lie apart."""

GLIDE_HAIR = 1e-3
"""How closely to look whether f glides or stands, per unit of what it is constant over."""


@dataclass
class Survey:
    """What was found about a function along a line.

    Attributes:
        slope: the derivative; `NONE` if there is none.
        left, right: the slopes to both sides, if there is a kink.
        kind: "smooth"; "kink"; "edge", if f has values on one side only; "undefined".
        reach: the steepest way from the middle to a sample of the widest stencil.
        noise, h: of the stencil that gives the slope.
        is_all_noise: whether f seems to be nothing else.
        is_flat: whether f varies by no more than its rounding, near and far.
        seen: every stencil.
        within: the stencil inside of one step, if f is constant there.
        step: how wide the steps are in which f moves, if that is too wide for mere rounding.
        stands: whether it may as well be constant, as it is within each of them, or nearby.
        coarse: the slope over many such steps, where it says little.
        hidden: the steepest slope that rounding to single or half precision may hide.
    """

    slope: Slope = NONE
    left: Slope = NONE
    right: Slope = NONE
    kind: str = "undefined"
    reach: float = 0.0
    within: Stencil | None = None
    step: float = 0.0
    stands: bool = False
    coarse: Slope = NONE
    hidden: float = 0.0
    noise: float = 0.0
    h: float = 0.0
    is_all_noise: bool = False
    is_flat: bool = False
    seen: list[Stencil] = field(default_factory=list)


def conclude(line: Line, found: Survey) -> None:
    """Choose among the stencils, and let those at odds with each other widen the error."""
    stencils = sorted(found.seen, key=lambda s: -s.h)
    found.noise = max(s.noise for s in stencils)
    if found.kind == "kink":
        _conclude_kink(found)
        return
    if all(s.is_constant for s in stencils):
        _conclude_constant(line, found)
        return
    moving = [s for s in stencils if not s.is_constant]
    best = _best(moving)
    still = [s for s in stencils if s.is_constant and s.h < best.h]
    within = still[0] if still else found.within
    if within is not None and not _says_more(best.slope, within.slope):
        best = _moving_or_still(line, found, best, within)
        if best is within and not is_short(line.values()):
            found.hidden = unit_of(line.values(), line.middle) / within.h
    slope = best.slope
    if not best.is_constant:
        found.coarse = _over_many_teeth(line, found, best, moving)
    closer = max((s.noise for s in moving if s.h < best.h), default=0.0)
    if closer > best.noise > 0:
        slope = Slope(slope.value, slope.error * (closer / best.noise))
    for other in moving:
        apart = abs(other.slope.value - slope.value)
        if (
            other.h > best.h
            and other.slope.is_sharper(TELLING)
            and slope.error + other.slope.error < apart <= TELLING * abs(slope.value)
        ):
            slope = Slope(slope.value, max(slope.error, apart))
    found.slope = slope
    found.kind = "smooth" if slope.error < inf else "undefined"
    found.noise, found.h = best.noise, best.h
    found.is_all_noise = best.noise > ALL * max(s.reach * s.h for s in stencils)
    if found.is_all_noise and best.noise <= OWN * best.rounding:
        far_reach(line)
        found.is_flat = line.spread() <= 2 * OWN * best.rounding
    if diverges(moving) and not still:
        found.kind = "undefined"


def _conclude_constant(line: Line, found: Survey) -> None:
    found.kind = "smooth"
    found.slope = min((s.slope for s in found.seen), key=lambda s: s.error)
    found.reach = far_reach(line)
    if (found.reach or line.is_exhausted) and kind_of(line) != "own":
        widest = max(found.seen, key=lambda s: s.h)
        unit_there = unit_of(line.values(), line.middle)
        found.hidden = max(unit_there, OWN * widest.rounding) / widest.h
        found.stands = 0 < found.reach <= found.hidden


def _best(moving: list[Stencil]) -> Stencil:
    """Return the stencil with the clearest slope, or a closer one that contradicts it."""
    best = min(moving, key=blur)
    for other in moving:
        slope = _as_noisy_as_others(other, moving)
        contradicts = other.h < best.h and not slope.meets(best.slope)
        if contradicts and slope.is_sharper(TELLING):
            best = other
    return best


def _says_more(slope: Slope, other: Slope) -> bool:
    """Return whether two slopes may be one, and this one says more of it."""
    return slope.meets(other) and slope.error < other.error


def _over_many_teeth(line: Line, found: Survey, best: Stencil, moving: list[Stencil]) -> Slope:
    """Return the slope over many teeth if the best stencil lies in one; `NONE` if it doesn't.

    A quotient of what has cancelled is smooth up to the next rounding of that, and jumps.
    """
    loud = [s for s in moving if s.h > best.h and s.noise > LULL * best.noise]
    over = min((s.slope for s in loud), key=lambda s: s.error, default=NONE)
    if not loud or over.meets(best.slope):
        return NONE
    height = min(loud, key=lambda s: s.h).noise / ROUNDED
    teeth = Steps(line, height / abs(over.value - best.slope.value), height)
    is_tooth = best.reach * best.h <= PLATEAU * height and teeth.are_narrow and teeth.are_low
    return over if is_tooth else NONE


def _as_noisy_as_others(seen: Stencil, moving: list[Stencil]) -> Slope:
    """Return the slope of a stencil, its error reckoned with the noise of farther ones.

    A few samples may meet little of a noise, where they lie within some steps of it; what is
    smooth from closer by is quieter there by far more.
    """
    wider = [s.noise for s in moving if s.h > seen.h and s.is_noisy and s.noise < LULL * seen.noise]
    louder = max(wider, default=0.0)
    if louder <= seen.noise:
        return seen.slope
    return Slope(seen.slope.value, seen.slope.error * (louder / seen.noise))


def _moving_or_still(line: Line, found: Survey, moving: Stencil, still: Stencil) -> Stencil:
    """Return what a function does that is constant nearby: move, in steps of its precision?"""
    by = steps_of(line, found.seen, moving, 0.0, still.h)
    short = is_short_nearby(line)
    kind = by.kind
    if kind == "format" or (kind == "cancelled" and moving.noise <= OWN * moving.rounding):
        return moving
    if kind == "own" and (short or by.are_wide):
        return still
    if kind != "cancelled" and _glides(line, moving, still):
        return still
    are_steps = moving.noise >= 0.1 * still.h * abs(moving.slope.value)
    may_be_short = is_short(line.values()) and still.h <= 0.5 * unit(line)
    is_too_wide = by.width > HALF * unit(line) and not may_be_short
    if (is_too_wide and kind != "cancelled") or not are_steps:
        return still
    if not moving.slope.is_sharper(0.5):
        found.coarse = moving.slope
        found.stands = kind == "cancelled" and moving.slope.error > SHARP_SLOPE * moving.reach
        return still
    if kind != "cancelled" and not by.are_fine:
        found.step = by.width
        found.stands = kind == "own" or by.are_wide
    return moving


def _glides(line: Line, moving: Stencil, still: Stencil) -> bool:
    """Return whether f changes smoothly at the ends of a stencil, as steps never do.

    Then it is constant up to a kink, as beside the larger of two numbers, not in a step.
    """
    for t in (moving.h, -moving.h):
        far, near = line.at(t), line.at(t - math.copysign(GLIDE_HAIR * still.h, t))
        if far is not None and near is not None and far[0] != near[0]:
            slope = abs((far[1] - near[1]) / (far[0] - near[0]))
            if moving.reach / 10 < slope < 10 * moving.reach:
                return True
    return False


def blur(seen: Stencil) -> tuple[float, float]:
    """Return the error beside the slope, or the error where there is no slope to speak of."""
    slope = seen.slope
    if not slope.error < inf:
        return inf, inf
    return slope.error and slope.error / max(abs(slope.value), slope.error), slope.error


def diverges(stencils: list[Stencil]) -> bool:
    """Return whether f is a root, or like one: steeper by as much with each closer scale.

    There it varies as a power of the distance, one between that of noise, 0, and of a slope, 1.
    """
    if len(stencils) < 3 or any(s.slope.is_sharper(TELLING) for s in stencils):
        return False
    varied = sorted({s.h: s.h * s.reach for s in stencils}.items())
    if not all(0.0 < v < inf for _, v in varied):
        return False
    powers = [math.log(v / w) / math.log(h / k) for (h, v), (k, w) in pairwise(varied)]
    return min(powers) > NO_NOISE and max(powers) < NO_SLOPE and max(powers) - min(powers) < ALIKE


def _conclude_kink(found: Survey) -> None:
    sides = [s for s in found.seen if s.bend]
    for name in ("left", "right"):
        best = min((getattr(s, name) for s in sides), key=lambda s: s.error)
        closest = getattr(sides[-1], name)
        if not closest.meets(best):
            best = closest
        setattr(found, name, best)
    slopes = (found.left, found.right)
    found.slope = Slope(sum(s.value for s in slopes) / 2, sum(s.error for s in slopes))
