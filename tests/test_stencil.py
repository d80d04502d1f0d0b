"""Samples at one scale: exact for polynomials, and honest about noise, kinks and jumps."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from math import inf

import pytest

from autograd.checking.line import Line, Sample
from autograd.checking.stencil import NONE, Slope, Stencil, one_sided, two_sided


def line_of(f: Callable[[float], float | None], x: float = 0.0) -> Line:
    def sample(t: float) -> Sample | None:
        value = f(t)
        return None if value is None else Sample(value)

    middle = sample(x)
    assert middle is not None
    return Line(sample, x, middle)


def stencil(f: Callable[[float], float | None], h: float = 1.0, x: float = 0.0) -> Stencil:
    found = two_sided(line_of(f, x), h)
    assert found is not None
    return found


def test_what_was_one_sample_too_many_is_none_when_more_are_allowed() -> None:
    line = line_of(math.exp)
    line.allow(1)
    assert [line.at(1.0), line.at(2.0)] == [(1.0, math.e), None]
    assert line.is_exhausted
    line.allow(2)
    assert not line.is_exhausted
    assert line.at(2.0) == (2.0, math.exp(2.0))
    assert not line.is_exhausted


def test_four_samples_will_do_where_no_more_are_left() -> None:
    line = line_of(lambda t: t + t**2)
    line.allow(4)
    found = two_sided(line, 1.0)
    assert found is not None
    assert abs(found.slope.value - 1) <= found.slope.error < 1e-14
    ends = line_of(lambda t: None if abs(t) in (0.61803398875,) else t)
    assert two_sided(ends, 1.0) is None
    line = line_of(lambda t: t)
    line.allow(3)
    assert two_sided(line, 1.0) is None


@pytest.mark.parametrize("h", [1.0, 0.25, 8.0])
@pytest.mark.parametrize("degree", range(1, 7))
def test_six_samples_and_the_middle_are_exact_for_quartics_and_know_the_rest(
    degree: int, h: float
) -> None:
    found = stencil(lambda t: 5.0 + 3.0 * t + h * (t / h) ** degree * (degree > 1), h)
    if degree < 5:  # the last two estimates agree: nothing but rounding is left
        # Weights below 20 of numbers below 32, each rounded by 1.2e-16 of itself.
        assert found.slope.value == pytest.approx(3.0, abs=1e-13 / h + 1e-13)
        assert found.slope.error < 1e-12 / h + 1e-12
    assert abs(found.slope.value - 3.0) <= found.slope.error
    assert (found.bend, found.jumps, found.is_constant, found.h) == (0.0, False, False, h)


def test_the_steepest_way_to_a_sample() -> None:
    assert stencil(lambda t: 3.0 * t).reach == pytest.approx(3.0)
    assert stencil(lambda t: t * t, 0.5).reach == pytest.approx(0.5)
    assert stencil(lambda t: -3.0 * t, x=2.0).reach == pytest.approx(3.0)


def test_chords_lead_to_the_farthest_samples() -> None:
    assert stencil(lambda t: t * t * t, 2.0).chords == (4.0, 4.0)
    assert stencil(lambda t: t * t, 0.5).chords == (0.5, -0.5)


@pytest.mark.parametrize("h", [1.0, -1.0, 0.125])
def test_four_samples_on_one_side_are_exact_for_quartics(h: float) -> None:
    line = line_of(lambda t: 5.0 + 3.0 * t + t**2 - 2.0 * t**3 + t**4 if t * h >= 0 else None)
    found = one_sided(line, h)
    assert found is not None
    assert found.h == abs(h)
    assert found.slope.value == pytest.approx(3.0, abs=1e-12)
    assert abs(found.slope.value - 3.0) <= found.slope.error
    assert line.evaluations == 4
    assert not found.is_constant
    assert one_sided(line, -h) is None
    assert two_sided(line, abs(h)) is None


def test_a_constant_is_one_wherever_it_is_looked_at() -> None:
    for found in (stencil(lambda t: 5.0), one_sided(line_of(lambda t: 5.0), 1.0)):
        assert found is not None
        assert found.is_constant
        assert (found.slope.value, found.reach, found.bend, found.jumps) == (0.0, 0.0, 0.0, False)
    step = stencil(lambda t: 5.0 if t < 0.9 else 6.0)
    assert not step.is_constant


@pytest.mark.parametrize(("left", "right"), [(-1.0, 1.0), (1.0, 3.0), (2.0, -0.5), (0.0, 1.0)])
def test_slopes_to_both_sides_of_a_kink(left: float, right: float) -> None:
    found = stencil(lambda t: 7.0 + (right if t > 0 else left) * t + 0.5 * t * t, 0.01)
    assert found.bend == pytest.approx(right - left, rel=0.05)
    assert not found.jumps
    for side, slope in ((found.left, left), (found.right, right)):
        assert side.value == pytest.approx(slope, abs=1e-9)
        assert abs(side.value - slope) <= side.error < 1e-9


def test_slopes_to_both_sides_of_a_jump() -> None:
    found = stencil(lambda t: 3.0 * t + (1.0 if t > 0 else 0.0), 0.01)
    assert found.jumps
    assert found.bend > 100.0
    for side in (found.left, found.right):
        assert side.value == pytest.approx(3.0, abs=1e-9)
        assert abs(side.value - 3.0) <= side.error < inf


def test_what_is_smooth_has_no_bend() -> None:
    for f in (math.exp, math.sin, lambda t: 1 / (1 + t * t), lambda t: t * abs(t)):
        assert stencil(f, 0.1).bend == 0.0
    assert stencil(math.sqrt, 0.1, x=4.0).bend == 0.0


@pytest.mark.parametrize("noise", [1e-12, 1e-8, 1e-3])
def test_noise_is_measured(noise: float) -> None:
    draw = random.Random(0)
    known: dict[float, float] = {}

    def f(t: float) -> float:  # the same number gives the same noise
        return 3.0 * t + known.setdefault(t, draw.gauss(0.0, noise))

    for h in (1.0, 0.1):
        found = stencil(f, h)
        assert found.is_noisy
        # Of six samples, the largest of a few differences: within a factor of 10.
        assert noise / 10 < found.noise < 10 * noise
        assert abs(found.slope.value - 3.0) <= found.slope.error < 100 * noise / h


def test_rounding_is_the_least_noise() -> None:
    assert 0 < stencil(lambda t: 1e6 + t).noise < 1e-9
    assert stencil(lambda t: 5.0 + t * t).noise < 1e-14
    assert not stencil(math.exp, 0.5).is_noisy


def test_a_scale_is_left_early_where_waves_lie_closer() -> None:
    line = line_of(lambda t: math.sin(1e6 * t))
    assert two_sided(line, 1.0) is not None
    assert line.evaluations == 4
    line = line_of(math.sin)
    assert two_sided(line, 1.0) is not None
    assert line.evaluations == 6


def test_numbers_that_are_none_give_no_slope() -> None:
    found = stencil(lambda t: 1e308 * t, 0.5)
    assert found.slope == NONE or math.isfinite(found.slope.error)
    found = two_sided(line_of(lambda t: 1.7e308 * math.copysign(1.0, t) if t else 0.0), 1.0)
    assert found is None or not math.isnan(found.slope.error)


def test_slopes_meet_within_their_errors() -> None:
    assert Slope(1.0, 0.1).meets(Slope(1.25, 0.2))
    assert not Slope(1.0, 0.1).meets(Slope(1.35, 0.2))
    assert Slope(-2.0, 0.1).is_sharper(0.06)
    assert not Slope(-2.0, 0.1).is_sharper(0.05)
    assert not NONE.is_sharper(inf)
