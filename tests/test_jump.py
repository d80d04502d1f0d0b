"""A small jump near a point: how high and how far away it is, and what it explains."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from autograd import gradcheck
from autograd.checking.conclusion import Survey
from autograd.checking.jump import Jump, jump_nearby
from autograd.checking.stencil import Slope, two_sided
from tests.test_stencil import line_of

F = Callable[[float], float | None]


def jump_of(f: F, claimed: float, looked: float = 0.0, error: float = 1e-9) -> Jump | None:
    """Return the jump beside 0 of a function that has the slope 1 there, known at 1e-3."""
    line = line_of(f)
    if looked:
        two_sided(line, looked)
    seen = two_sided(line, 1e-3)
    assert seen is not None
    found = Survey(Slope(1.0, error), kind="smooth", h=1e-3, seen=[seen])
    before = line.evaluations
    jump = jump_nearby(line, found, claimed)
    assert line.evaluations - before <= 10
    return jump


def stepping(height: float, at: float, curved: float = 1.0) -> F:
    """Return t + t² that jumps where t is ``at``."""
    return lambda t: t + curved * t * t + height * ((t > at) if at > 0 else (t < at))


@pytest.mark.parametrize("at", [0.00101, 0.0011, 0.0019, 0.0021, 0.0039, -0.0013, -0.003])
def test_a_jump_further_out_is_found(at: float) -> None:
    jump = jump_of(stepping(1e-5, at), 1.002)
    assert jump is not None
    assert jump.height == pytest.approx(1e-5, rel=1e-3)
    # Six halvings of a gap of 0.001 or 0.002.
    assert abs(at) < jump.distance <= abs(at) + 0.002 / 64
    assert jump.steepness == jump.height / jump.distance


@pytest.mark.parametrize("at", [0.015, -0.03, 0.05])
def test_it_is_found_among_samples_that_were_taken(at: float) -> None:
    jump = jump_of(stepping(1e-4, at), 1.002, looked=0.06)
    assert jump is not None
    assert jump.height == pytest.approx(1e-4, rel=0.01)
    assert abs(at) < jump.distance <= abs(at) + 0.023 / 64


def test_the_next_one_counts() -> None:
    both: F = lambda t: t + 1e-5 * (t > 0.0015) + 3e-5 * (t > 0.003) + 7e-5 * (t < -0.0025)
    jump = jump_of(both, 1.002)
    assert jump is not None
    assert jump.height == pytest.approx(1e-5, rel=1e-3)


def test_what_is_foretold_reckons_with_the_middle() -> None:
    jump = jump_of(lambda t: t + 3e12 * t**6 + 1e-5 * (t > 0.0015), 1.002)
    assert jump is not None
    assert jump.height == pytest.approx(1e-5, rel=1e-3)


@pytest.mark.parametrize(
    "f",
    [
        lambda t: t + t * t,
        lambda t: t + 0.01 * max(t - 0.0013, 0.0),
        lambda t: t + 0.01 * max(t - 0.00199, 0.0),
        lambda t: t + 0.01 * max(-t - 0.003, 0.0),
        lambda t: t + max(t - 0.00199, 0.0),
        lambda t: t - 0.1 * max(-t - 0.00399, 0.0),
        lambda t: t + 100 * max(t - 0.0013, 0.0) ** 2,
        lambda t: t + 1e7 * t**4,
        lambda t: t + 1e16 * t**7,
        lambda t: math.log1p(300 * t) / 300 if t > -1 / 300 else None,
        lambda t: t + math.sin(5000 * t) ** 7 / 5000,
    ],
)
def test_what_bends_or_curves_has_none(f: F) -> None:
    for claimed in (1.001, 1.01, 0.9):
        assert jump_of(f, claimed) is None


def test_what_goes_on_to_rise_behind_is_none() -> None:
    def rising(bend: float) -> F:
        return lambda t: t + 1e-5 * (t > 0.0011) + bend * max(t - 0.0011, 0.0)

    assert jump_of(rising(0.002), 1.002) is not None
    assert jump_of(rising(0.0088), 1.002) is None


def test_what_rises_over_more_than_the_smallest_gap_is_none() -> None:
    def ramp(width: float) -> F:
        return lambda t: t + 1e-5 * min(max((t - 0.0015) / width, 0.0), 1.0)

    assert jump_of(ramp(1e-6), 1.002) is not None
    for width in (3e-5, 1e-4):
        assert jump_of(ramp(width), 1.002) is None


def test_what_is_no_higher_than_rounding_is_none() -> None:
    rounding = 0.3 * 2.0**-52  # of values near 1
    assert jump_of(lambda t: 1 + t + 90 * rounding * (t > 0.0015), 1 + 1e-12) is None


@pytest.mark.parametrize(
    ("apart", "is_seen"),
    [(1e-4, False), (2e-4, False), (2.6e-4, True), (0.01, True), (0.03, False)],
)
def test_a_jump_explains_what_is_off_by_as_much(apart: float, is_seen: bool) -> None:
    """One twenty times as steep is a feature of f; one a quarter as steep explains nothing."""
    assert (jump_of(stepping(9.5e-6, 0.0019, 0.0), 1 + apart) is not None) == is_seen


@pytest.mark.parametrize(("height", "is_seen"), [(4.9e-2, True), (5.1e-2, False)])
def test_a_steep_one_is_a_feature(height: float, is_seen: bool) -> None:
    """From a twentieth of the slope on."""
    at = 0.001 + 0.001 * 58 / 64  # where one of six halvings looks
    jump = jump_of(stepping(height * at, at - 1e-9, 0.0), 1.04)
    assert (jump is not None) == is_seen


def test_what_is_off_by_more_than_jumps_explain_costs_nothing() -> None:
    for claimed, looks in ((1.049, True), (1.051, False), (0.949, False), (-1.0, False)):
        line = line_of(stepping(1e-5, 0.0015))
        seen = two_sided(line, 1e-3)
        assert seen is not None
        before = line.evaluations
        found = Survey(Slope(1.0, 1e-9), kind="smooth", h=1e-3, seen=[seen])
        jump_nearby(line, found, claimed)
        assert (line.evaluations > before) == looks


def test_a_slope_that_is_not_sharp_is_left_to_its_error() -> None:
    assert jump_of(stepping(1e-5, 0.0015), 1.002, error=9e-5) is not None
    assert jump_of(stepping(1e-5, 0.0015), 1.002, error=1.1e-4) is None


def test_values_near_the_largest_float_are_no_obstacle() -> None:
    assert gradcheck(lambda x: 1e306 * x * x, 1.0, gradient=2.02e306).inputs[0].verdict == "wrong"


def test_nothing_is_foretold_without_a_stencil() -> None:
    line = line_of(lambda t: t)
    assert jump_nearby(line, Survey(Slope(1.0, 0.0)), 1.01) is None
    assert line.evaluations == 0


def descent(a: float) -> float:
    """Return where exp(x) + x / 10 is ``a``, as closely as 1e-4."""
    x = 0.0
    while abs(rise := math.exp(x) - a + 0.1 * x) > 1e-4:
        x -= 0.1 * rise
    return x


def test_an_iteration_that_stops_early_has_the_slope_of_what_it_looks_for() -> None:
    slope = 1 / (math.exp(descent(1.1)) + 0.1)
    report = gradcheck(descent, 1.1, gradient=slope)
    (check,) = report.inputs
    assert check.verdict == "ok"
    assert 1e-4 < abs(check.numeric / slope - 1) < 1e-3  # what it has itself is another
    assert check.tolerance == pytest.approx(0.0044, rel=0.02)
    assert report.evaluations <= 30
    assert report.notes == (
        "a: f jumps by 1e-05, 3e-03 away, as results of solvers that stop early do: its slope is "
        "that of what is approximated to rtol=4e-03",
    )
    for factor in (1.02, 1.1, 0.0, -1.0):
        assert gradcheck(descent, 1.1, gradient=factor * slope).inputs[0].verdict == "wrong"


@pytest.mark.parametrize(
    ("f", "slope"),
    [
        (lambda x: 2 * x + abs(x - 1.02), 1.0),
        (lambda x: 2 * x + 0.1 * abs(x - 1.02), 1.9),
        (lambda x: x + 0.1 * (x > 1.02), 1.0),
        (lambda x: x**3, 3.0),
    ],
)
def test_a_rule_that_is_wrong_beside_a_kink_or_a_high_jump_stays_wrong(f: F, slope: float) -> None:
    assert gradcheck(f, 1.0, gradient=slope).ok
    for factor in (1.001, 1.01, 1.05):
        assert gradcheck(f, 1.0, gradient=factor * slope).inputs[0].verdict == "wrong"
