"""What samples at several scales say together: the slope, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from autograd.checking.line import Line
from autograd.checking.precision import is_short, steps, unit_of
from autograd.checking.stencil import NONE, OWN, Slope, Stencil

SHARP = 1e-4
"""A slope is sharp if its error is below this share of it."""

TELLING = 0.05
"""A slope says something if its error is below this share of it."""

ALL = 0.03
"""Noise of this share of all that f varies is no noise on something else."""

SINGLE = 2.0**-10
HALF = 2.0**-6
"""Steps on which a function stands still, beside the input or 1: below the first they are those
of single and half precision, above the second its own, unless its values say otherwise."""

FAR = (1.3e-3, 2.9, 170.0, 1.1e4, 0.9e6)
"""Where to look what f is far away, per unit of the input or of 1."""


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
        stands: whether f is constant nearby, in steps that may or may not be its precision.
        has_wide_steps: whether such steps are wider than single precision has them.
        coarse: the slope over many such steps, where it says little.
        hidden: the steepest slope that rounding to single or half precision may hide.
    """

    slope: Slope = NONE
    left: Slope = NONE
    right: Slope = NONE
    kind: str = "undefined"
    reach: float = 0.0
    stands: bool = False
    has_wide_steps: bool = False
    coarse: Slope = NONE
    hidden: float = 0.0
    noise: float = 0.0
    h: float = 0.0
    is_all_noise: bool = False
    is_flat: bool = False
    seen: list[Stencil] = field(default_factory=list)


def unit(line: Line) -> float:
    """Return the size of the middle, or 1 if that is larger."""
    return max(abs(line.x), 1.0)


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
    if still:
        best = _moving_or_still(line, found, best, still[0])
    slope = best.slope
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
    if slope.error < inf and diverges(moving):
        found.kind = "undefined"


def _conclude_constant(line: Line, found: Survey) -> None:
    found.kind = "smooth"
    found.slope = min((s.slope for s in found.seen), key=lambda s: s.error)
    found.reach = far_reach(line)
    if (found.reach or not line.left) and steps(line.values()) != "own":
        found.hidden = unit_of(line.values(), line.middle) / max(s.h for s in found.seen)


def _best(moving: list[Stencil]) -> Stencil:
    """Return the stencil with the clearest slope, or a closer one that contradicts it."""
    best = min(moving, key=blur)
    for other in moving:
        contradicts = other.h < best.h and not other.slope.meets(best.slope)
        if contradicts and other.slope.is_sharper(TELLING):
            best = other
    return best


def _moving_or_still(line: Line, found: Survey, moving: Stencil, still: Stencil) -> Stencil:
    """Return what a function does that is constant nearby: move, in steps of its precision?"""
    width = still.h
    kind = kind_of_steps(line) if is_short(line.values(2 * unit(line))) else "unclear"
    if kind == "unclear" and width > SINGLE * unit(line):
        kind = steps(line.values())
    if kind != "unclear":
        return moving if kind == "format" else still
    are_steps = moving.noise >= 0.1 * width * abs(moving.slope.value)
    may_be_short = is_short(line.values()) and width <= 0.5 * unit(line)
    if (width > HALF * unit(line) and not may_be_short) or not are_steps:
        return still
    if not moving.slope.is_sharper(0.5):
        found.coarse = moving.slope
        return still
    found.stands = width > SINGLE * unit(line)
    found.has_wide_steps = moving.noise > SINGLE * unit(line) * abs(moving.slope.value)
    return moving


def blur(seen: Stencil) -> tuple[float, float]:
    """Return the error beside the slope, or the error where there is no slope to speak of."""
    slope = seen.slope
    if not slope.error < inf:
        return inf, inf
    return slope.error and slope.error / max(abs(slope.value), slope.error), slope.error


def diverges(stencils: list[Stencil]) -> bool:
    """Return whether slopes grow as steps shrink, and none of them is sharp."""
    slopes = [s.slope for s in stencils if s.slope.error < inf]
    if len(slopes) < 2 or any(s.is_sharper(SHARP) for s in slopes):
        return False
    first, last = slopes[0], slopes[-1]
    return abs(last.value) - last.error > 3 * (abs(first.value) + first.error)


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


def kind_of_steps(line: Line) -> str:
    """Return what `steps` says of a function whose values nearby are short.

    What is far away tells: there, the steps of a format are others.
    """
    return steps(line.values()) if is_short(line.values()) else "own"


def far_reach(line: Line, scales: tuple[float, ...] = FAR) -> float:
    """Return the steepest way to samples far away, per scale two."""
    found = [line.at(side * scale * unit(line)) for scale in scales for side in (1, -1)]
    return max((abs((value - line.middle) / t) for t, value in filter(None, found)), default=0.0)
