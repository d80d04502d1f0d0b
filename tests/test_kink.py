"""Whether a kink is at the point itself, and how far away else: at the limits, to the bit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from autograd.checking.kink import _bend, _hair, _resolved, before_the_kink, closer_look
from autograd.checking.stencil import Slope, Stencil
from tests.test_measured import judged
from tests.test_stencil import line_of
from tests.test_survey import half, single

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


def test_inputs_of_single_precision_resolve_less() -> None:
    def resolved(f: Callable[[float], float]) -> float:
        line = line_of(f, 1.0)
        line.at(0.3)
        return _resolved(line)

    assert resolved(math.sqrt) == 64 * 2.0**-52
    assert resolved(lambda t: single(math.sqrt(single(t)))) == 64 * 2.0**-23
    # Values of fewer bits may be anyone's.
    assert resolved(lambda t: half(math.sqrt(half(t)))) == resolved(math.floor) == 64 * 2.0**-52


def test_a_kink_in_single_precision_is_one() -> None:
    def hardswish(t: float) -> float:
        """Return t * relu6(t + 3) / 6: its slopes at -3 are 0 and -0.5."""
        t = single(t)
        return single(t * single(min(max(single(t + 3), 0.0), 6.0)) / 6)

    for claim in (-0.5, -0.25, 0.0):
        assert judged(hardswish, -3.0, claim).verdict == "kink"
    for claim in (-0.6, 0.1, 1.0):
        assert judged(hardswish, -3.0, claim).verdict == "wrong"


@pytest.mark.parametrize("side", [1, -1])
def test_what_turns_around_the_middle_is_looked_at_within_a_fifth_of_its_turn(side: int) -> None:
    def cone(width: float) -> float:
        line = line_of(lambda t: side * math.sqrt(width * width + t * t))
        return before_the_kink(line, replace(SEEN, bend=2.0 * side))

    # Its slope is t / width, and so is half of the bend of 2, at a distance of 1e-5 / 7.
    assert cone(1e-5) == pytest.approx(0.2 * 2e-5, rel=0.01)
    assert cone(2e-5) == pytest.approx(0.2 * 4e-5, rel=0.01)
    assert cone(1e-4) == 0.0  # too little of the bend is left to tell
    assert cone(1e-6) == 0.0  # and here more than half of it, as of a kink


def test_the_slope_of_a_cone_with_a_round_tip_is_that_of_the_tip() -> None:
    distance: Callable[[float], float] = lambda t: math.sqrt(1e-12 + t * t)
    assert judged(distance, 0.0, 0.0).verdict == "ok"
    for claim in (0.5, -1.0):
        assert judged(distance, 0.0, claim).verdict == "wrong"
