"""A small jump near a point, as of what solvers compute that stop when it is good enough.

Between two jumps f is smooth, and its slope is off by about as much as they are high, per unit
of how far away they are: a slope of what is approximated, which has no jumps, differs from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from autograd.checking.conclusion import SHARP_SLOPE, TELLING, Survey
from autograd.checking.line import Line
from autograd.checking.stencil import OWN, PAIRS, Stencil

HALVINGS = 6
"""How often the gap is halved in which f may jump."""

ABRUPT = 0.03
"""What lies off the smooth course just before a jump, per unit of what does just behind."""

LEVEL = 0.3
"""By how much that may change up to the next sample."""

FEATURE = 20
"""A jump that is steeper by so much than what it is to explain is none of an approximation."""


class Jump(NamedTuple):
    """A jump of f: how high it is, and how far away."""

    height: float
    distance: float

    @property
    def steepness(self) -> float:
        """The height per unit of the distance."""
        return self.height / self.distance


def jump_nearby(line: Line, found: Survey, claimed: float) -> Jump | None:
    """Return the nearest jump, if it may be why a claim differs from a slope; else None.

    The polynomial of the best stencil foretells what f is further out. Where a sample is off,
    the gap before it is halved: at a bend, or where f is too curved for a polynomial, what is
    off grows step by step; at a jump it is there at once.

    Cost: at most 9 evaluations.
    """
    size, apart = abs(found.slope.value), abs(claimed - found.slope.value)
    smooth = next((seen for seen in found.seen if seen.h == found.h), None)
    if smooth is None or not found.slope.is_sharper(SHARP_SLOPE) or apart > TELLING * size:
        return None
    jump = _first_jump(line, smooth, apart)
    if jump is None:
        return None
    is_feature = jump.steepness > min(FEATURE * apart, TELLING * size)
    return None if is_feature else jump


def _first_jump(line: Line, smooth: Stencil, apart: float) -> Jump | None:
    nodes = [(0.0, line.middle)]
    nodes += [node for u in PAIRS for side in (1, -1) if (node := line.at(side * u * smooth.h))]

    def off(side: int, distance: float) -> float:
        """Return by how much f is not what was foretold; NaN if it has no value there."""
        node = line.at(side * distance)
        return node[1] - _foretold(nodes, node[0]) if node else math.nan

    near = smooth.h
    for far in line.distances(1.1 * near) or (2 * near, 4 * near):
        for side in (1, -1):
            if abs(off(side, far)) > max(far * apart / 4, OWN * smooth.rounding):
                return _between(partial(off, side), near, far)
        near = far
    return None


def _between(off: Callable[[float], float], near: float, far: float) -> Jump | None:
    """Return the jump between a distance where f is as foretold, and one where it is off."""
    behind = gap = off(far)
    before, farthest = 0.0, far
    for _ in range(HALVINGS):
        middle = (near + far) / 2
        halfway = off(middle)
        if abs(halfway) > abs(gap) / 2:
            far, behind = middle, halfway
        else:
            near, before = middle, halfway
    is_jump = abs(before) < ABRUPT * abs(behind) and abs(gap - behind) < LEVEL * abs(behind)
    is_seen = far < farthest  # else nothing tells whether f is level behind it
    return Jump(abs(behind), far) if is_jump and is_seen else None


def _foretold(nodes: list[tuple[float, float]], t: float) -> float:
    """Return the polynomial through nodes at ``t``."""
    places = [s for s, _ in nodes]
    return sum(value * math.prod((t - s) / (u - s) for s in places if s != u) for u, value in nodes)
