"""A function without a graph, surveyed over several scales: its slope, and how sure that is.

The claim to be checked plays no part here. Scales follow from the input and from what the
samples say: where curvature limits the slope, closer ones; where noise does, wider ones.
"""

from __future__ import annotations

import math
from itertools import pairwise
from math import inf

from autograd.checking.conclusion import SHARP_SLOPE, TELLING, Survey, blur, conclude, diverges
from autograd.checking.kink import before_the_kink, closer_look
from autograd.checking.line import Line
from autograd.checking.precision import is_short
from autograd.checking.stencil import (
    CONFIDENCE,
    PAIRS,
    PLATEAU,
    ROUNDED,
    Slope,
    Stencil,
    one_sided,
    two_sided,
)
from autograd.checking.steps import (
    CANCELLED_HEIGHT,
    FAR,
    far_reach,
    is_short_nearby,
    kind_of_short,
    steps_of,
    unit,
)

SURVEY_START = 0.06
"""Where the survey starts, per unit of the input."""

WIDEST_SCALE = 0.5
"""How wide scales become in noise, per unit of the input or of 1."""

VAST = 1.3
"""How wide, if the slope still says little."""

CLOSER = 1 / 47
"""From a scale that is too wide to the next one."""

MISSES = 5
"""After how many scales without samples on both sides f is taken to end in the middle."""

AGAIN = 0.7236
"""The scale of a second look, per unit of the first.

Of what a curved function puts into a slope, which falls as the square of the scale, the two
looks differ by 1 - AGAIN**2 at least.
"""

INSIDE = 1e-3
"""How closely to look into steps, per unit of their width."""

VISIBLE = 3e3
"""How far the slope is to rise above rounding there."""

ROUGH = 0.1
"""How far the slope from a hair's breadth may lie from that of the stencil."""


def explore(line: Line) -> Survey:
    """Return what is to be known about a function along a line.

    Cost: mostly 8 evaluations, at most `BUDGET`.
    """
    found = Survey()
    _look_around(line, found)
    if not found.seen:
        _look_to_one_side(line, found)
    else:
        conclude(line, found)
    widest = max(found.seen, key=lambda s: s.h, default=None)
    found.reach = max(found.reach, widest.reach if widest else 0.0)
    return found


def _look_around(line: Line, found: Survey) -> None:
    """Take stencils at scale after scale, until one of them is sharp and confirmed."""
    size = abs(line.x)
    h = SURVEY_START * min(size, 1.0) if size else SURVEY_START
    if size > 1:
        h = max(h, 1e-5 * SURVEY_START * size)
    tried: list[float] = []
    missed = 0
    loudest = 0.0
    while line.left >= 2 and missed < MISSES and h >= line.smallest_step / 16:
        tried.append(h)
        seen = two_sided(line, h)
        if seen is None:
            missed += 1
            h *= CLOSER ** (1 if missed == 1 else 2)
            continue
        if not found.seen and any(line.values()) and is_short(line.values()):
            far_reach(line, FAR[1:3])  # what is far away tells a format from steps of f's own
        found.seen.append(seen)
        if seen.is_own_noise and seen.noise > 10 * loudest and found.within is None:
            loudest = seen.noise
            known = _look_within(line, found, seen)
            if known == "settled":
                return
            if known == "closer":
                h = min(tried) * CLOSER ** (1 if seen.slope.is_sharper(1.0) else 2)
                if seen.bend and not seen.jumps:
                    h = before_the_kink(line, seen) or h
                continue
        if seen.bend and h == min(tried):
            other = closer_look(line, seen)
            if other is not None:
                found.seen.append(other)
                if other.bend:
                    found.kind = "kink"
                    return
            h = before_the_kink(line, seen) or h * CLOSER
            continue
        if seen.slope.is_sharper(SHARP_SLOPE):
            other_h = _hair(line, seen)
            if other_h is None or _agrees_at(line, seen, other_h):
                return
            h = min(other_h * (0.25 if seen.is_own_noise else 10), h * CLOSER)
            continue
        h = _next_scale(line, found, tried, missed)
        if not h:
            return


def _look_within(line: Line, found: Survey, seen: Stencil) -> str | None:
    """Look whether the noise is made of steps: "settled" if that tells what f does, None if not.

    Noise that two samples at a hair's breadth don't show is no noise: f is smooth between jumps;
    or the scale is too wide, then "closer" is where to look.
    """
    if seen.noise <= ROUNDED * CANCELLED_HEIGHT * max(1.0, line.spread()):
        return None
    h = INSIDE * seen.noise / (ROUNDED * seen.reach)
    h = max(h, VISIBLE * seen.rounding / seen.reach, line.smallest_step)
    if h > seen.h / 100:
        return None
    pair = [near for near in (line.at(h), line.at(-h)) if near is not None]
    slopes = [(value - line.middle) / t for t, value in pair]
    quiet = [slope for slope in slopes if abs(slope) <= 2 * seen.reach]
    if not quiet:
        return None
    near = sum(quiet) / len(quiet)
    steps = steps_of(line, found.seen, seen, near, h)
    if steps.are_fine:
        return None
    if abs(near - seen.slope.value) <= seen.slope.error:
        return "closer"
    inside = two_sided(line, h)
    if inside is None or inside.is_own_noise:
        return None
    if inside.bend:
        found.seen.append(inside)
        found.kind = "kink"
        return "settled"
    if inside.is_constant:
        found.within = inside
        far_reach(line, FAR[1:3])  # what is far away tells a format from steps of f's own
        is_own = steps.are_wide and steps.kind == "own"
        return "settled" if is_own else None
    found.seen.append(inside)
    return "settled" if inside.slope.is_sharper(TELLING) else "closer"


def _next_scale(line: Line, found: Survey, tried: list[float], missed: int) -> float:
    """Return which scale to look at after those tried; 0.0 if none promises more."""
    last = found.seen[-1]
    closer = min(tried) * CLOSER
    if missed or not (last.is_noisy or last.is_constant):
        if missed or not _stays_loud(found):
            return closer
        wide = SURVEY_START * unit(line)
        return wide if wide > 3 * max(tried) else closer * CLOSER
    is_half = bool(line.middle) and is_short_nearby(line)
    if is_half and not last.is_constant and kind_of_short(line) == "own":
        return closer
    if is_half and last.slope.is_sharper(TELLING / 3):
        return 0.0
    if last.is_all_noise and max(tried) >= WIDEST_SCALE * unit(line):
        return 0.0
    scales = (SURVEY_START,) if last.is_constant and not is_half else (SURVEY_START, WIDEST_SCALE)
    wider = [scale * unit(line) for scale in scales if scale * unit(line) > 3 * max(tried)]
    before = min((s.slope.error for s in found.seen[:-1]), default=inf)
    vanishes = abs(last.slope.value) <= last.slope.error < before / 2 and not last.is_constant
    if vanishes and (before < inf or len(wider) < 2) and not is_half:
        return closer * CLOSER
    if wider:
        return wider[0]
    between = _between(found)
    if between:
        return between
    if not last.is_constant and not any(s.slope.is_sharper(TELLING / 3) for s in found.seen):
        vast = VAST * unit(line)
        if max(tried) == last.h < vast / 2:
            return vast
    return closer if last.slope.error < before / 2 or last.h == max(tried) else 0.0


def _stays_loud(found: Survey) -> bool:
    """Return whether noise stayed what it was at a much closer scale, as curvature never does."""
    if len(found.seen) < 2:
        return False
    before, last = found.seen[-2:]
    return last.h < before.h and last.noise > before.noise / PLATEAU


def _between(found: Survey) -> float:
    """Return a scale between one that is all noise and one that is too wide, 0.0 if none is."""
    stencils = sorted(found.seen, key=lambda s: s.h)
    if any(s.slope.is_sharper(TELLING / 3) for s in stencils):
        return 0.0
    for near, far in pairwise(stencils):
        if near.is_noisy and far.noise > 10 * near.noise and far.h > 6 * near.h:
            return math.sqrt(near.h * far.h)
    return 0.0


def _hair(line: Line, seen: Stencil) -> float | None:
    """Return the smallest step at which a slope would show through the noise, if much smaller."""
    visible = 500 if seen.is_own_noise else 50  # what looks like noise may be waves
    h = visible * seen.noise / abs(seen.slope.value)
    h = max(h, seen.h * 1.7e-4, 4 * line.smallest_step)
    return h if h < seen.h / 4 else None


def _agrees_at(line: Line, seen: Stencil, h: float) -> bool:
    """Return whether the slope is the same at a much smaller step."""
    above, below = line.at(h), line.at(-h)
    if above is None or below is None:
        return True
    slope = (above[1] - below[1]) / (above[0] - below[0])
    rough = ROUGH / 5 if seen.is_own_noise else ROUGH
    allowed = rough * abs(seen.slope.value) + CONFIDENCE * seen.noise / h
    return abs(slope - seen.slope.value) <= allowed


def _look_to_one_side(line: Line, found: Survey) -> None:
    """Take stencils on the side where f has values."""
    h = SURVEY_START * (abs(line.x) or 1.0)
    sides = [side for side in (1, -1) if line.at(side * h * 1e-3) is not None]
    for side in sides[:1]:
        for scale in (1.0, CLOSER**3, CLOSER**6):
            seen = one_sided(line, side * h * scale)
            if seen is None:
                continue
            found.seen.append(seen)
            if seen.slope.is_sharper(SHARP_SLOPE):
                break
    if not found.seen:
        return
    best = min(found.seen, key=blur)
    found.slope = best.slope
    found.noise = best.noise
    found.kind = "edge"
    if diverges(found.seen):
        found.kind = "undefined"


def look_again(line: Line, found: Survey) -> None:
    """Widen the error by what samples at nearly the same scale say."""
    if not found.h or line.left < 2 * len(PAIRS):
        return
    slope, noise = found.slope, found.noise
    again = two_sided(line, AGAIN * found.h)
    if again is not None and again.slope.error < inf:
        apart = abs(again.slope.value - slope.value)
        louder = max(1.0, again.noise / noise) if noise else 1.0
        error = max(slope.error * louder, apart / (1 - AGAIN**2))
        found.slope = Slope(slope.value, error)


def look_where_steep(line: Line, found: Survey, claimed: float) -> None:
    """Look so closely that f may be as steep as is claimed, where nothing told its slope.

    What varies no more than f and is so steep turns back nearby: farther samples miss it.
    """
    if not claimed or (found.slope.is_sharper(TELLING) and found.kind != "kink"):
        return
    closest = min(s.h for s in found.seen)
    h = SURVEY_START * line.spread() / abs(claimed)
    while line.left >= 2 and line.smallest_step < h < closest:
        close = two_sided(line, h)
        if close and not close.bend and close.slope.is_sharper(TELLING):
            found.seen.append(close)
            found.kind = "smooth"
            conclude(line, found)
            return
        h *= CLOSER
