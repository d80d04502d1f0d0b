"""A kink near a point: is it the point itself, and if not, how far away is it?"""

from __future__ import annotations

from math import nan

from autograd.checking.conclusion import TELLING
from autograd.checking.line import RESOLVED, Line
from autograd.checking.precision import is_short, unit_of
from autograd.checking.stencil import PAIRS, Stencil, two_sided

KINK_HAIR = 1e-5 / 7
"""How closely to look whether a kink is in the middle itself, per unit of the scale."""

AHEAD = 0.15
"""How far a kink may lie from the middle and look as if it were there, per unit of the scale."""

LEFT = 0.03
"""Less of a bend than this may be rounding."""

TURN = 0.2
"""How closely to look at what turns around the middle, per unit of how far it turns."""


def closer_look(line: Line, seen: Stencil) -> Stencil | None:
    """Return the stencil of a much closer scale: with the same bend, or smooth.

    None where it is neither, or there is no need to look.
    """
    if not seen.jumps and abs(_bend(line, _hair(line, seen))) < 0.1 * abs(seen.bend):
        return None
    floor = 0.0 if seen.jumps else 100 * seen.noise / abs(seen.bend)
    h = max(seen.h * KINK_HAIR, floor, _resolved(line))
    if h >= seen.h / 100 or not (seen.jumps or _bend(line, h) / seen.bend > 0.5):
        return None
    other = two_sided(line, h)
    if other is None:
        return None
    if other.jumps == seen.jumps and other.bend and 0.7 < other.bend / seen.bend < 1.4:
        return other
    if seen.jumps and other.jumps:
        return other
    return other if not other.bend and other.slope.is_sharper(TELLING) else None


def _hair(line: Line, seen: Stencil) -> float:
    """Return the smallest scale at which a bend would show through the rounding of values."""
    return max(seen.h * KINK_HAIR, 100 * seen.rounding / abs(seen.bend), _resolved(line))


def _resolved(line: Line) -> float:
    """Return the smallest scale that inputs resolve, in single precision if f computes in it."""
    values = line.values()
    single = 0.0 if is_short(values) else unit_of(values, line.x)
    return max(line.smallest_step, RESOLVED * single)


def _bend(line: Line, h: float) -> float:
    """Return by how much the slopes to both sides differ at one scale; NaN if f ends before."""
    above, below = line.at(h), line.at(-h)
    if above is None or below is None:
        return nan
    return (above[1] - line.middle) / above[0] - (below[1] - line.middle) / below[0]


def before_the_kink(line: Line, seen: Stencil) -> float:
    """Return the next scale where the bend of a stencil lies beside the middle; 0.0 if unknown.

    The line through the samples behind a kink meets the tangent of the middle there; what f is
    curved is known from the other side. Where none does, f turns around the middle, over as much
    as the share of the bend tells that is left a hair from it.
    """
    hair = _hair(line, seen)
    above, below = line.at(hair), line.at(-hair)
    if above is None or below is None:
        return 0.0
    slope = (above[1] - below[1]) / (above[0] - below[0])
    crossings = []
    for side in (1, -1):
        far, near, other = (line.at(u * side * seen.h) for u in (1.0, PAIRS[1], -1.0))
        if far is None or near is None or other is None:
            continue
        curve = ((other[1] - line.middle) / other[0] - slope) / other[0]
        (t, v), (s, w) = ((t, x - line.middle - slope * t - curve * t * t) for t, x in (far, near))
        if v != w:
            crossings.append(side * (t - v * (t - s) / (v - w)))
    ahead = [t for t in crossings if 0 < t < AHEAD * seen.h]
    if ahead:
        return min(ahead) / 3
    left = _bend(line, hair) / seen.bend
    return TURN * hair / left if LEFT < left < 0.5 else 0.0
