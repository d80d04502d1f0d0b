"""Verdicts without a graph: from samples alone, with the numbers behind them."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Callable
from math import inf, isnan, nan
from types import SimpleNamespace
from typing import Any

import pytest

from autograd import gradcheck
from autograd.checking.claim import Claim
from autograd.checking.measured import MARGIN, _verdict_at_kink
from autograd.checking.report import InputCheck
from autograd.checking.stencil import Slope

F = Callable[[float], float]


def judged(f: F, x: float, claim: float, **options: Any) -> InputCheck:
    (check,) = gradcheck(f, x, gradient=claim, **options).inputs
    return check


def single(x: float) -> float:
    np = pytest.importorskip("numpy")
    return float(np.float32(x) ** 2)


SMOOTH: list[tuple[F, float, float]] = [
    (math.exp, 1.0, math.e),
    (lambda x: math.sin(30 * x), 0.3, 30 * math.cos(9.0)),
    (lambda x: 1e6 + x, 2.0, 1.0),
    (lambda x: 1e-200 * x, 1.0, 1e-200),
    (lambda x: x**5, -3.0, 405.0),
    (single, 2.3, 4.6),
]


@pytest.mark.parametrize(("f", "x", "slope"), SMOOTH)
def test_a_right_slope_is_ok_and_any_other_wrong(f: F, x: float, slope: float) -> None:
    for factor, verdict in ((1.0, "ok"), (1.05, "wrong"), (0.0, "wrong"), (-1.0, "wrong")):
        check = judged(f, x, factor * slope)
        assert check.verdict == verdict
        assert abs(check.numeric - slope) <= check.error < 1e-3 * abs(slope)
        # What is asked for is a part in 1e5 of the slope, beside what noise allows.
        assert check.error < check.tolerance < 2 * check.error + 1.1e-5 * abs(slope)
    for claim in (nan, inf, -inf):
        check = judged(f, x, claim)
        assert check.verdict == "wrong"
        assert abs(check.numeric - slope) <= check.error


@pytest.mark.parametrize("f", [lambda x: 5.0, lambda x: x * abs(x), lambda x: x**3])
def test_a_slope_of_zero(f: F) -> None:
    assert judged(f, 0.0, 0.0).verdict == "ok"
    for claim in (1e-3, -1.0, nan):
        check = judged(f, 0.0, claim)
        assert check.verdict == "wrong"
        assert abs(check.numeric) <= check.error < 1e-9


FLAT: dict[str, tuple[F, float]] = {
    "a kink beside": (lambda x: max(5.0, abs(x)), 4.9),
    "a dead zone": (lambda x: math.copysign(max(abs(x - 5) - 0.1, 0.0), x - 5), 5.01),
    "quarters": (lambda x: round(4 * x) / 4 + 0.5, -0.60577795),
    "quarters beside others": (lambda x: round(4 * x) / 2 - 0.3, -0.60577795),
}


@pytest.mark.parametrize("name", FLAT)
def test_what_is_flat_up_to_a_kink_or_a_jump_has_a_slope_of_0(name: str) -> None:
    """A straight-through gradient, or that of the other of two numbers, is wrong there."""
    f, x = FLAT[name]
    assert judged(f, x, 0.0).verdict == "ok"
    for claim in (1.0, 0.5, -1.0, nan):
        assert judged(f, x, claim).verdict == "wrong"


@pytest.mark.parametrize("distance", [1e-6, 1e-5, 1e-4, 1e-3, 0.01, -1e-5, -1e-3])
def test_a_kink_beside_the_point_leaves_it_its_slope(distance: float) -> None:
    """The slope beyond the kink is wrong, and so is that of the middle."""
    x = 1 + distance
    side = math.copysign(1.0, distance)
    f = lambda x: abs(x - 1) + x * x
    assert judged(f, x, 2 * x + side).verdict == "ok"
    for claim in (2 * x - side, 2 * x, 0.0, nan):
        assert judged(f, x, claim).verdict == "wrong"


def test_what_single_precision_hides_is_not_wrong() -> None:
    # The slopes of all but the largest, of 1e-7, are below the rounding of a sum of 7.
    np = pytest.importorskip("numpy")

    def log_of_sum(x: Any) -> float:
        z = 3 * x.astype(np.float32)
        return float(z.max() + np.log(np.exp(z - z.max()).sum(dtype=np.float32)))

    x = np.array([1.36905044, 2.30943867, -3.31927934, -0.17935459])
    shares = np.exp(3 * (x - x.max()))
    report = gradcheck(log_of_sum, x, gradient=[3 * shares / shares.sum()])
    assert "wrong" not in {check.verdict for check in report.inputs}


@pytest.mark.parametrize("steep", [1e9, 1e11, 1e13])
def test_a_steep_rise_is_no_kink_that_excuses_a_slope_of_zero(steep: float) -> None:
    """From afar it is a jump, between sides that are flat, or as steep as each other."""
    x = 0.3 + 0.3 / steep
    rise = math.tanh(steep * (x - 0.3))
    slope = steep * (1 - rise**2)
    rising = lambda t: math.tanh(steep * (t - 0.3))
    assert judged(rising, x, slope).verdict == "ok"
    for claim in (0.0, -slope, 2 * slope):
        assert judged(rising, x, claim).verdict == "wrong"
    beside = lambda t: rising(t) + t
    assert judged(beside, x, slope + 1).verdict == "ok"
    for claim in (1.0, -slope, 2 * slope):
        assert not gradcheck(beside, x, gradient=claim).ok
    # What does jump there may have what lies between.
    jump = lambda t: t + (t > 0.3)
    assert judged(jump, 0.3, 1.0).verdict == "kink"
    assert judged(jump, 0.3, 3.0).verdict == "wrong"


@pytest.mark.parametrize(
    ("steep", "middle", "x"),
    [
        (1e9, 0.18891423517317207, 0.18891423536057747),
        (1e9, 0.6655076998411693, 0.6655076993129059),
        (1e11, 0.0465801091483673, 0.04658010914346023),
        (1e11, 1.9545926304553176, 1.9545926304474117),
    ],
)
def test_a_steep_rise_on_a_line_is_no_jump_from_one_side(
    steep: float, middle: float, x: float
) -> None:
    """The samples on one side tell too little of the slope there for a kink."""
    rising = lambda t: math.tanh(steep * (t - middle)) / 2 + t
    slope = steep * (1 - math.tanh(steep * (x - middle)) ** 2) / 2 + 1
    assert judged(rising, x, slope).verdict == "ok"
    for claim in (0.0, 1.0, -slope, 1.05 * slope):
        assert judged(rising, x, claim).verdict == "wrong"


def test_what_is_constant_only_nearby_is_not_known_to_be_flat() -> None:
    def rounded(t: float) -> float:  # around 100, numbers of single precision are 7.6e-6 apart
        return float(struct.unpack("<f", struct.pack("<f", t))[0])

    tilted = lambda t: rounded(100 - rounded(5e-6 * rounded(t)))
    for claim in (0.0, -5e-6, 5e-6):
        assert judged(tilted, 0.0137, claim).verdict == "noise"
    assert judged(tilted, 0.0137, 1.0).verdict == "wrong"
    # What bends far away, by more than rounding hides, is flat here.
    assert judged(lambda t: rounded(max(100.0, t)), 0.0137, 0.0).verdict == "ok"
    assert judged(lambda t: 100.0, 0.0137, 0.0).verdict == "ok"


def test_what_a_sum_loses_is_neither_right_nor_wrong() -> None:
    # The cosines of a right angle are 6e-17: the sum of others, and its cube, hide their share.
    np = pytest.importorskip("numpy")
    weights = np.cos(np.pi * (np.arange(6) + 0.5) / 3)
    x = np.array([1.35, -1.93, 1.32, -1.28, 0.093, -1.38])
    slopes = 3 * (weights @ x) ** 2 * weights
    verdicts = [
        check.verdict
        for check in gradcheck(lambda v: (weights @ v) ** 3, x, gradient=[slopes]).inputs
    ]
    assert verdicts == ["ok", "noise", "ok", "ok", "noise", "ok"]
    # But what stays as it is far and wide has no such slope.
    assert judged(lambda x: 5.0, 1.0, 1e-13).verdict == "wrong"
    assert judged(lambda x: min(x, 5.1), 7.0, 1e-11).verdict == "wrong"
    assert judged(lambda x: min(x, 5.1), 7.0, 1e-14).verdict == "noise"


def test_what_rounding_hides_is_neither_right_nor_wrong() -> None:
    # log(1 + exp(-33)) is 21 roundings of 1 + exp(-33): 0 is no more known than exp(-33).
    for claim in (0.0, math.exp(-33)):
        assert judged(lambda x: math.log(1 + math.exp(x)), -33.0, claim).verdict == "noise"
    # 37.43 - log(exp(37.43) + exp(x)) is 0 in floats; its slope, -5.55e-17, is below EPSILON.
    f = lambda x: 37.43 - (37.43 + math.log1p(math.exp(x - 37.43)))
    assert judged(f, 0.0, -math.exp(-37.43)).verdict == "noise"
    assert judged(f, 0.0, 1e-6).verdict == "wrong"
    # exp(-64) is lost in 1 + exp(-64), while what is left of the sum, 2**-50, is as small.
    f = lambda x: (1.0 + math.exp(64 * x)) - (1.0 - 2.0**-50)
    assert judged(f, -1.0, 64 * math.exp(-64)).verdict == "noise"
    assert judged(f, -1.0, 1e-3).verdict == "wrong"


# Whose noise, at such inputs, is as large as what they vary by as closely as the input is small:
# by 1e-16 / 1e-8, in sums of 3; a few of these points are told by wider scales alone.
@pytest.mark.parametrize("x", [3.195749e-09, 3.395899e-08, 4.066082e-09, 5.122800e-08])
def test_noise_beside_a_small_input_is_seen_for_what_it_is(x: float) -> None:
    f = lambda t: ((1 + t) * (1 + t) * (1 + t) - 1) / t
    assert judged(f, x, 3.0).verdict == "ok"
    assert judged(f, x, 3.15).verdict == "wrong"


@pytest.mark.parametrize("x", [3.364632404273543e-06, 3.4766345662142745e-06])
def test_few_samples_within_steps_don_t_outweigh_noise_that_was_seen(x: float) -> None:
    f = lambda t: math.sqrt((1 + t * t) - 1)
    assert judged(f, x, 1.0).verdict == "ok"
    assert judged(f, x, 1.2).verdict == "wrong"


STEEP: list[tuple[F, F]] = [
    (lambda u: math.exp(-u * u), lambda u: -2 * u * math.exp(-u * u)),
    (lambda u: 1 / (1 + u * u), lambda u: -2 * u / (1 + u * u) ** 2),
    (math.tanh, lambda u: 1 / math.cosh(u) ** 2),
    (math.sin, math.cos),
]


@pytest.mark.parametrize("steepness", [1e3, 1e4, 1e6])
@pytest.mark.parametrize(("f", "slope"), STEEP)
def test_what_happens_within_a_thousandth_of_the_input_has_its_slope(
    f: F, slope: F, steepness: float
) -> None:
    """From afar it is a peak of one sample, or a jump."""
    for center, u in ((0.3, -0.4), (-2.7, 1.1), (40.0, 0.2)):
        x = center + u / steepness
        near = lambda t, c=center: f((t - c) * steepness)
        right = steepness * slope((x - center) * steepness)
        assert judged(near, x, right).verdict == "ok"
        for claim in (1.001 * right, -right, 0.0):
            assert judged(near, x, claim).verdict == "wrong"


@pytest.mark.parametrize("steepness", [1e7, 1e8, 1e9, 1e10])
@pytest.mark.parametrize(("f", "slope"), STEEP)
def test_a_slope_too_steep_to_be_met_is_looked_for_where_it_is_claimed(
    f: F, slope: F, steepness: float
) -> None:
    for u in (-1.9, -0.4, 0.02, 1.1):
        x = 0.3 + u / steepness
        near = lambda t: f((t - 0.3) * steepness)
        right = steepness * slope((x - 0.3) * steepness)
        assert judged(near, x, right).verdict == "ok"
        for claim in (1.1 * right, -right):
            check = judged(near, x, claim)
            assert check.verdict == "wrong"
            assert check.numeric == pytest.approx(right, rel=1e-2)


@pytest.mark.parametrize(("center", "steepness"), [(40.0, 5.61e8), (0.3, 1.74e11)])
def test_a_peak_that_all_samples_miss_is_looked_for_where_it_is_claimed(
    center: float, steepness: float
) -> None:
    """From afar it is a jump between sides of one slope, which are known to the last digit."""
    x = center + 1.2 / steepness
    u = (x - center) * steepness
    right = 1 - 2 * u * math.exp(-u * u) * steepness
    peak: F = lambda t: t + math.exp(-(((t - center) * steepness) ** 2))
    assert judged(peak, x, right).verdict == "ok"
    for claim in (1.3 * right, -right):
        check = judged(peak, x, claim)
        assert check.verdict == "wrong"
        assert check.numeric == pytest.approx(right, rel=1e-6)


def test_where_f_jumps_no_more_is_excused_than_the_slopes_to_both_sides() -> None:
    f = lambda t: t + (1.0 if t > 2 else 0.0)
    assert judged(f, 2.0, 1.0).verdict == "kink"
    for claim in (0.999, 1.1, -1.0, 0.0, 4.0):
        assert judged(f, 2.0, claim).verdict == "wrong"


def test_a_kink_whose_slopes_are_not_known_excuses_nothing() -> None:
    f = lambda t: ((1 + t) * (1 + t) * (1 + t) - 1) / t
    for claim in (3.0, -3.0):  # 1 + t is rounded to another float in the middle itself
        assert judged(f, 8.220083805533577e-08, claim).verdict == "noise"


@pytest.mark.parametrize(("left", "right"), [(-1.0, 1.0), (1.0, 3.0), (0.0, 2.0), (3.0, -4.0)])
def test_a_kink_excuses_what_lies_between_its_slopes(left: float, right: float) -> None:
    def f(x: float) -> float:
        return 7.0 + (right if x > 0 else left) * x

    low, high = sorted((left, right))
    for claim in (low, high, (low + high) / 2, low + 0.1, high - 0.1):
        check = judged(f, 0.0, claim)
        assert check.verdict == "kink"
        assert check.numeric == pytest.approx((low + high) / 2, abs=1e-9)
        assert check.error < 1e-9
    for claim in (low - 0.1, high + 0.1, nan, inf, -inf):
        assert judged(f, 0.0, claim).verdict == "wrong"


def test_where_f_has_values_on_one_side_only_the_slope_is_that_side_s() -> None:
    for sign in (1.0, -1.0):

        def f(x: float, sign: float = sign) -> float:
            return 2.0 + 3.0 * x if x * sign >= 0 else nan

        for claim, verdict in ((3.0, "ok"), (4.0, "wrong"), (nan, "wrong")):
            check = judged(f, 0.0, claim)
            assert check.verdict == verdict
            assert abs(check.numeric - 3.0) <= check.error < 1e-9


def test_where_there_is_no_slope_none_is_wrong() -> None:
    for f, x in ((lambda x: 1.0 if x == 0.0 else nan, 0.0), (lambda x: x if x - 1 else nan, 1.0)):
        for claim in (0.0, 1.0, nan):
            check = judged(f, x, claim)
            assert check.verdict == "undefined"
            assert isnan(check.numeric)
            assert check.error == inf


@pytest.mark.parametrize("power", [1 / 3, 0.5, 0.9])
def test_a_root_has_no_slope_so_that_infinity_is_not_wrong(power: float) -> None:
    odd: F = lambda x: math.copysign(abs(x) ** power, x)
    even: F = lambda x: abs(x) ** power
    for f in (odd, even, lambda x: x**power if x >= 0 else nan):
        for claim in (0.0, 1.0, inf, nan):
            assert judged(f, 0.0, claim).verdict == "undefined"
    assert judged(odd, 0.1, nan).verdict == "wrong"
    assert judged(lambda x: abs(x) ** (1 + power), 0.0, nan).verdict == "wrong"


def test_what_is_clamped_before_a_root_is_flat_there() -> None:
    """As acos(clamp(x, -1 + 1e-7, 1 - 1e-7)) at 1: from afar it looks like a root."""
    clamped: F = lambda x: math.sqrt(1 - min(x, 1 - 1e-7))
    assert judged(clamped, 1.0, 0.0).verdict == "ok"
    for claim in (-1.0, nan, inf):
        assert judged(clamped, 1.0, claim).verdict == "wrong"


def test_a_slope_of_zero_is_known_from_where_it_is_clearest() -> None:
    """Closer by, nothing but rounding is left, and that says less."""
    norm: F = lambda x: (abs(x) ** 3 + 36) ** (1 / 3)
    check = judged(norm, 0.0, 0.0)
    assert check.verdict == "ok"
    assert check.error < 1e-10
    assert judged(norm, 0.0, 1e-9).verdict == "wrong"


def test_what_has_cancelled_in_a_quotient_is_neither_right_nor_wrong() -> None:
    """t**3 / 6 is 1e5 roundings of t here: each leaves a tooth, where f falls as 1 / t**3."""
    for x in (1.2e-5, 2.7e-5):
        quotient: F = lambda t: (t - t * (1 - t * t / 6)) / t**3
        assert judged(quotient, x, 0.0).verdict == "noise"
        for claim in (1.0, -1.0, -1e3):
            assert judged(quotient, x, claim).verdict == "wrong"


@pytest.mark.parametrize(
    ("height", "width", "verdict"),
    [
        (1e-6, 1e-7, "noise"),
        (1e-6, 1e-6, "noise"),
        (1e-7, 1e-4, "wrong"),  # wider than the rounding of an input
        (1e-4, 1e-6, "wrong"),  # higher than that of single precision
    ],
)
def test_teeth_are_rounding_if_they_are_as_small(height: float, width: float, verdict: str) -> None:
    f: F = lambda t: 1 + height * (t / width - math.floor(t / width))
    x, steep = 0.31234567, height / width
    assert judged(f, x, steep).verdict == "ok"
    assert judged(f, x, 0.0).verdict == verdict
    for claim in (steep / 2, -steep):
        assert judged(f, x, claim).verdict == "wrong"


def noisy(deviation: float) -> F:
    draw = random.Random(0)
    known: dict[float, float] = {}
    return lambda x: 3.0 * x + known.setdefault(x, draw.gauss(0.0, deviation))


@pytest.mark.parametrize("deviation", [1e-10, 1e-6, 1e-4])
def test_noise_widens_what_is_allowed(deviation: float) -> None:
    for claim, verdict in ((3.0, "ok"), (3.5, "wrong"), (0.0, "wrong"), (nan, "wrong")):
        check = judged(noisy(deviation), 1.0, claim)
        assert check.verdict == verdict
        assert abs(check.numeric - 3.0) <= check.error < 1e3 * deviation


@pytest.mark.parametrize("deviation", [1.0, 100.0])
def test_what_drowns_in_noise_is_neither_right_nor_wrong(deviation: float) -> None:
    for claim in (3.0, 3.5, 0.0):
        check = judged(noisy(deviation), 1.0, claim)
        assert check.verdict == "noise"
        assert abs(check.numeric - 3.0) <= check.error


def test_a_tolerance_that_is_asked_for_counts() -> None:
    assert judged(math.exp, 1.0, 1.05 * math.e, rtol=0.1).verdict == "ok"
    assert judged(math.exp, 1.0, 1.05 * math.e, rtol=0.01).verdict == "wrong"
    assert judged(math.exp, 1.0, math.e + 0.1, atol=0.2).verdict == "ok"
    assert judged(math.exp, 1.0, math.e + 0.1, atol=0.05).verdict == "wrong"
    check = judged(math.exp, 1.0, math.e, rtol=0.1, atol=0.5)
    assert check.tolerance == pytest.approx(0.5 + 0.1 * math.e)


@pytest.mark.parametrize(("share", "verdict"), [(0.3, "kink"), (0.45, "kink"), (0.55, "noise")])
def test_beside_a_kink_slopes_are_known_to_half_of_the_steeper(share: float, verdict: str) -> None:
    left, right = Slope(-1.0, 0.0), Slope(2.0, 2.0 * share / MARGIN)
    found: Any = SimpleNamespace(left=left, right=right, reach=0.0)
    assert _verdict_at_kink(Claim(0.5), found) == verdict
