"""Whether a kink is at the point itself, and how far away else: at the limits, to the bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from autograd.checking.kink import _bend, _hair, before_the_kink, closer_look
from autograd.checking.stencil import Slope, Stencil
from tests.test_stencil import line_of

SEEN = Stencil(1.0, Slope(0.0, 0.0), 0.0, False, 1.0, False, 0.0, bend=2.0)
"""What abs is like at 0, at the scale of 1, in numbers without rounding."""


def inner_scale(f: Callable[[float], float | None], seen: Stencil) -> float | None:
    found = closer_look(line_of(f), seen)
    return found and found.h


def test_a_kink_in_the_middle_is_there_at_a_much_closer_scale() -> None:
    assert inner_scale(math.fabs, SEEN) == 1e-5 / 7
    assert inner_scale(math.fabs, replace(SEEN, bend=-2.0)) is None  # it bends the other way
    assert inner_scale(lambda t: abs(t - 1e-5), SEEN) is None
    assert inner_scale(lambda t: t * t, SEEN) is None


@pytest.mark.parametrize(
    ("noise", "scale"),
    [(1e-4, 0.005), (1.985e-4, 0.009925), (2e-4, None), (0.1, None)],  # from 1/100 on, too wide
)
def test_noise_keeps_the_closer_scale_away(noise: float, scale: float | None) -> None:
    assert inner_scale(math.fabs, replace(SEEN, noise=noise)) == scale


@pytest.mark.parametrize(
    ("ratio", "is_same"), [(0.6, False), (0.7, False), (0.71, True), (1.39, True), (2.0, False)]
)
def test_the_slope_changes_there_by_as_much(ratio: float, is_same: bool) -> None:
    seen = replace(SEEN, bend=2.0 / ratio)
    assert 2.0 / seen.bend == ratio
    assert (inner_scale(math.fabs, seen) is not None) == is_same


def test_a_jump_is_one_at_a_much_closer_scale() -> None:
    seen = replace(SEEN, bend=1.0, jumps=True)
    assert inner_scale(lambda t: float(t > 0), seen) == 1e-5 / 7
    assert inner_scale(lambda t: float(t > 0.1), seen) is None


@pytest.mark.parametrize(("width", "is_told"), [(1e-5, True), (2e-6, True), (1e-6, False)])
def test_what_looked_like_a_jump_may_be_steep(width: float, is_told: bool) -> None:
    """Its slope need not be sharp there, only telling: then the next scale is closer still."""
    seen = replace(SEEN, bend=1.0, jumps=True)
    assert (inner_scale(lambda t: math.atan(t / width), seen) is not None) == is_told


def test_the_closest_scale_is_above_the_rounding() -> None:
    line = line_of(math.fabs)
    assert _hair(line, SEEN) == 1e-5 / 7
    assert _hair(line, replace(SEEN, rounding=1e-4)) == 0.005
    assert _hair(line, replace(SEEN, rounding=1e-4, bend=-4.0)) == 0.0025


@pytest.mark.parametrize("side", [1, -1])
def test_where_the_function_ends_nothing_is_known(side: int) -> None:
    ends = line_of(lambda t: abs(t) if side * t <= 0.5 else None)
    assert _bend(ends, 0.5) == 2.0
    assert math.isnan(_bend(ends, 1.0))
    assert before_the_kink(ends, SEEN) == 0.0  # it ends before the farthest sample
    assert before_the_kink(ends, replace(SEEN, rounding=0.02)) == 0.0  # before the closest ones


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(
    ("distance", "before"), [(0.03, 0.01), (0.12, 0.04), (0.14, 0.14 / 3), (0.16, 0.0), (0.5, 0.0)]
)
def test_a_kink_beside_the_middle_is_found_where_lines_meet(
    side: int, distance: float, before: float
) -> None:
    """A third of the way to it; beyond 0.15 of the scale, a kink does not look like one in it."""
    # The tangent is known to a rounding of values near 1, 1e-16, beside steps of 1.4e-6.
    for curve in (0.0, 0.25):
        line = line_of(lambda t, c=curve: abs(side * t - distance) + c * t * t + 3 * t)  # type: ignore[misc]
        assert before_the_kink(line, SEEN) == pytest.approx(before, abs=1e-9)
