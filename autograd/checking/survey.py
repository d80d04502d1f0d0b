"""A function without a graph, surveyed over several scales: its slope, and how sure that is.

The claim to be checked plays no part here. Scales follow from the input and from what the
samples say: where curvature limits the slope, closer ones; where noise does, wider ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf

from autograd.checking.line import Line
from autograd.checking.stencil import CONFIDENCE, NONE, Slope, Stencil, one_sided, two_sided

WIDE = 0.06
"""Where the survey starts, per unit of the input."""

WIDEST = 0.5
"""How wide scales become in noise, per unit of the input or of 1."""

CLOSER = 1 / 47
"""From a scale that is too wide to the next one."""

SHARP = 1e-4
"""A slope is sharp if its error is below this share of it."""

TELLING = 0.05
"""A slope says something if its error is below this share of it."""

MISSES = 5
"""After how many scales without samples on both sides f is taken to end in the middle."""

AGAIN = 0.7236
"""The scale of a second look, per unit of the first."""

ALL = 0.03
"""Noise of this share of all that f varies is no noise on something else."""

ROUGH = 0.1
"""How far the slope from a hair's breadth may lie from that of the stencil."""

SINGLE = 2.0**-10
HALF = 2.0**-6
"""Steps on which a function stands still, beside the input or 1: below the first they are those
of single and half precision, above the second its own; in between, none can tell."""


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
        seen: every stencil.
        stands: whether f is constant nearby, in steps that may or may not be its precision.
        has_wide_steps: whether such steps are wider than single precision has them.
        coarse: the slope over many such steps, where it says little.
    """

    slope: Slope = NONE
    left: Slope = NONE
    right: Slope = NONE
    kind: str = "undefined"
    reach: float = 0.0
    stands: bool = False
    has_wide_steps: bool = False
    coarse: Slope = NONE
    noise: float = 0.0
    h: float = 0.0
    is_all_noise: bool = False
    seen: list[Stencil] = field(default_factory=list)


def explore(line: Line) -> Survey:
    """Return what is to be known about a function along a line.

    Cost: mostly 8 evaluations, at most `BUDGET`.
    """
    found = Survey()
    _look_around(line, found)
    if not found.seen:
        _look_to_one_side(line, found)
    else:
        _conclude(line, found)
    widest = max(found.seen, key=lambda s: s.h, default=None)
    found.reach = max(found.reach, widest.reach if widest else 0.0)
    return found


def unit(line: Line) -> float:
    """Return the size of the middle, or 1 if that is larger."""
    return max(abs(line.x), 1.0)


def _look_around(line: Line, found: Survey) -> None:
    """Take stencils at scale after scale, until one of them is sharp and confirmed."""
    size = abs(line.x)
    h = WIDE * min(size, 1.0) if size else WIDE
    if size > 1:
        h = max(h, 1e-5 * WIDE * size)
    tried: list[float] = []
    missed = 0
    while line.left >= 2 and missed < MISSES and h >= line.smallest_step / 16:
        tried.append(h)
        seen = two_sided(line, h)
        if seen is None:
            missed += 1
            h *= CLOSER ** (1 if missed == 1 else 2)
            continue
        found.seen.append(seen)
        if seen.bend and h == min(tried):
            other = _closer_bend(line, seen)
            if other is not None:
                found.seen.append(other)
                found.kind = "kink"
                return
            h *= CLOSER
            continue
        if seen.slope.is_sharper(SHARP):
            other_h = _hair(line, seen)
            if other_h is None or _agrees_at(line, seen, other_h):
                return
            h = min(other_h * 10, h * CLOSER)
            continue
        h = _next_scale(line, found, tried, missed)
        if not h:
            return


def _next_scale(line: Line, found: Survey, tried: list[float], missed: int) -> float:
    """Return which scale to look at after those tried; 0.0 if none promises more."""
    last = found.seen[-1]
    closer = min(tried) * CLOSER
    scales = (WIDE,) if last.is_constant else (WIDE, WIDEST)
    wider = [scale * unit(line) for scale in scales if scale * unit(line) > 3 * max(tried)]
    if missed or not (last.is_noisy or last.is_constant):
        return closer
    before = min((s.slope.error for s in found.seen[:-1]), default=inf)
    vanishes = abs(last.slope.value) <= last.slope.error < before / 2 and not last.is_constant
    if vanishes and (before < inf or len(wider) < 2):
        return closer * CLOSER
    if wider:
        return wider[0]
    return closer if last.slope.error < before / 2 or last.h == max(tried) else 0.0


def _hair(line: Line, seen: Stencil) -> float | None:
    """Return the smallest step at which a slope would show through the noise, if much smaller."""
    h = max(50 * seen.noise / abs(seen.slope.value), seen.h * 1.7e-4, 4 * line.smallest_step)
    return h if h < seen.h / 4 else None


def _agrees_at(line: Line, seen: Stencil, h: float) -> bool:
    """Return whether the slope is the same at a much smaller step."""
    above, below = line.at(h), line.at(-h)
    if above is None or below is None:
        return True
    slope = (above[1] - below[1]) / (above[0] - below[0])
    allowed = ROUGH * abs(seen.slope.value) + CONFIDENCE * seen.noise / h + seen.slope.error
    return abs(slope - seen.slope.value) <= allowed


def _closer_bend(line: Line, seen: Stencil) -> Stencil | None:
    """Return the stencil of a much closer scale, if the slope changes there as well."""
    h = seen.h * 1e-5 / 7
    floor = 0.0 if seen.jumps else 100 * seen.noise / abs(seen.bend)
    h = max(h, floor, line.smallest_step)
    other = two_sided(line, h) if h < seen.h / 100 else None
    if other is None:
        return None
    if other.jumps == seen.jumps and other.bend and 0.7 < other.bend / seen.bend < 1.4:
        return other
    if seen.jumps and other.jumps:
        return other
    return None


def _conclude(line: Line, found: Survey) -> None:
    """Choose among the stencils, and let those at odds with each other widen the error."""
    stencils = sorted(found.seen, key=lambda s: -s.h)
    found.noise = max(s.noise for s in stencils)
    if found.kind == "kink":
        _conclude_kink(found)
        return
    if all(s.is_constant for s in stencils):
        found.kind = "smooth"
        found.slope = min((s.slope for s in stencils), key=lambda s: s.error)
        found.reach = _far_reach(line)
        return
    moving = [s for s in stencils if not s.is_constant]
    best = min(moving, key=_blur)
    for other in moving:
        contradicts = other.h < best.h and not other.slope.meets(best.slope)
        if contradicts and other.slope.is_sharper(TELLING):
            best = other
    still = [s for s in stencils if s.is_constant and s.h < best.h]
    if still:
        width = still[0].h
        are_steps = best.noise >= 0.1 * width * abs(best.slope.value)
        if width > HALF * unit(line) or not are_steps:
            best = still[0]
        elif not best.slope.is_sharper(0.5):
            found.coarse = best.slope
            best = still[0]
        else:
            found.stands = width > SINGLE * unit(line)
            found.has_wide_steps = best.noise > SINGLE * unit(line) * abs(best.slope.value)
    slope = best.slope
    closer = max((s.noise for s in moving if s.h < best.h), default=0.0)
    if closer > best.noise > 0:
        slope = Slope(slope.value, slope.error * closer / best.noise)
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
    if slope.error < inf and _diverges(moving):
        found.kind = "undefined"


def _blur(seen: Stencil) -> tuple[float, float]:
    """Return the error beside the slope, or the error where there is no slope to speak of."""
    slope = seen.slope
    if not slope.error < inf:
        return inf, inf
    return slope.error and slope.error / max(abs(slope.value), slope.error), slope.error


def _diverges(stencils: list[Stencil]) -> bool:
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


def _far_reach(line: Line) -> float:
    """Return the steepest way to samples from a thousandth of the input to a million times it."""
    steps = [scale * unit(line) for scale in (1.3e-3, 2.9, 170.0, 1.1e4, 0.9e6)]
    found = [line.at(side * h) for h in steps for side in (1, -1)]
    return max((abs((value - line.middle) / t) for t, value in filter(None, found)), default=0.0)


def _look_to_one_side(line: Line, found: Survey) -> None:
    """Take stencils on the side where f has values."""
    h = WIDE * (abs(line.x) or 1.0)
    sides = [side for side in (1, -1) if line.at(side * h * 1e-3) is not None]
    for side in sides[:1]:
        for scale in (1.0, CLOSER**3, CLOSER**6):
            seen = one_sided(line, side * h * scale)
            if seen is None:
                continue
            found.seen.append(seen)
            if seen.slope.is_sharper(SHARP):
                break
    if not found.seen:
        return
    best = min(found.seen, key=_blur)
    found.slope = best.slope
    found.noise = best.noise
    found.kind = "edge"
    if _diverges(found.seen):
        found.kind = "undefined"


def look_again(line: Line, found: Survey) -> None:
    """Widen the error by what samples at nearly the same scale say."""
    if not found.h:
        return
    slope, noise = found.slope, found.noise
    again = two_sided(line, AGAIN * found.h)
    if again is not None and again.slope.error < inf:
        apart = abs(again.slope.value - slope.value)
        error = max(slope.error * max(again.noise, noise) / (noise or 1.0), apart)
        found.slope = Slope(slope.value, error)
