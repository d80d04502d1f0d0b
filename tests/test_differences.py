"""Differences along a line: exact where theory says so, and verdicts with their numbers."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from math import inf, isnan, nan

import pytest

from autograd.checking import differences
from autograd.checking.claim import CAUTION, Claim
from autograd.checking.differences import (
    SHARP,
    Limit,
    Pair,
    Sampler,
    compare,
    extrapolate,
    remainder_rate,
)
from autograd.checking.line import BUDGET, Line, Sample

EPS = sys.float_info.epsilon


def sampler(
    f: Callable[[float], float | None],
    x: float = 0.0,
    noise: float = 0.0,
    limit: int = BUDGET,
    pieces: bool = False,
) -> Sampler:
    """Return differences of f around x; None is where it ends, its sign may be its piece."""

    def sample(t: float) -> Sample | None:
        value = f(t)
        return None if value is None else Sample(value, math.copysign(1.0, t) if pieces else None)

    middle = f(x)
    assert middle is not None
    same = (lambda a, b: b in (0.0, a)) if pieces else (lambda a, b: True)
    return Sampler(Line(sample, x, Sample(middle), same, limit), noise)


@pytest.mark.parametrize(("up", "down"), [(1.0, 1.0), (0.5, 0.5), (1.0, 2.0), (0.25, 0.5)])
def test_the_slope_of_a_parabola_is_exact(up: float, down: float) -> None:
    def f(t: float) -> float:  # all numbers are sums of few powers of two
        return 3.0 + 2.0 * t + 5.0 * t * t

    pair = Pair(up, down, f(up), f(-down))
    assert pair.slope(f(0.0)) == pytest.approx(2.0, abs=8 * EPS)
    assert pair.jump(f(0.0)) == 5.0 * (up + down)


def test_rounding_is_that_of_the_largest_number_or_of_the_function() -> None:
    assert sampler(lambda t: 4.0).rounding(1.0) == 2 * EPS * 4.0
    assert sampler(lambda t: 4.0).rounding(1.0, -8.0) == 2 * EPS * 8.0
    assert sampler(lambda t: 4.0, noise=1.0).rounding(-8.0) == 2.0


@pytest.mark.parametrize("gain", [2, 4])
def test_extrapolation_is_exact_for_as_many_terms_as_there_are_steps(gain: int) -> None:
    power = gain // 2  # what halving the step divides by 2, or by 4
    steps = [1.0, 0.5, 0.25, 0.125]

    def quotient(h: float, terms: int) -> float:
        return 7.0 + sum(3.0 ** (k + 1) * h ** (power * (k + 1)) for k in range(terms))

    for terms in range(4):
        found = extrapolate([quotient(h, terms) for h in steps], [0.0] * 4, gain)
        # The numbers are below 100, and each of three eliminations doubles an error at most.
        assert abs(found.value - 7.0) <= found.error + 800 * EPS
        if terms < 3:  # the last two estimates then agree
            assert found.value == pytest.approx(7.0, abs=800 * EPS)
            assert found.error <= 1600 * EPS


def test_an_extrapolation_knows_its_rounding() -> None:
    assert extrapolate([], [], 4) == Limit(nan, inf) or isnan(extrapolate([], [], 4).value)
    assert extrapolate([5.0], [0.1], 4).error == inf
    assert extrapolate([5.0, 5.0], [0.1, 0.2], 4) == Limit(5.0, 0.4, 0.4)
    assert extrapolate([5.0, 5.0, 5.0], [0.1, 0.2, 0.4], 2) == Limit(5.0, 0.4, 0.4)
    # The error has the spread as well: (4 * 5 - 4) / 3 is 1/3 from 5, and 4/3 from 4.
    found = extrapolate([4.0, 5.0], [0.0, 0.0], 4)
    assert found == pytest.approx((16 / 3, 4 / 3, 0.0))


def test_a_sweep_halves_its_step() -> None:
    pairs = sampler(math.exp, 1.0).sweep(1.0)
    assert [pair.up for pair in pairs] == [pair.down for pair in pairs] == [1.0, 0.5, 0.25, 0.125]


def test_a_sweep_looks_closer_twice_where_f_ends() -> None:
    def until(end: float) -> Sampler:
        return sampler(lambda t: t if abs(t - 1.0) <= end else None, 1.0)

    assert next(pair.up for pair in until(1 / 4096).sweep(1.0)) == 1 / 4096
    line = until(1 / 64**3)
    assert line.sweep(1.0) == []
    assert line.line.evaluations == 3
    line = until(1.0)
    assert line.sweep(line.smallest_step / 32) == []
    assert line.line.evaluations == 0
    assert sampler(math.exp, 1.0, limit=3).sweep(1.0) == []  # one pair tells nothing


def test_one_sided_differences_are_exact_for_cubics() -> None:
    def f(t: float) -> float:
        return 3.0 + 2.0 * t + 5.0 * t**2 + 7.0 * t**3

    for h in (1.0, -1.0):
        assert sampler(f).one_sided(h).value == pytest.approx(2.0, abs=1e-12)
    ends = sampler(lambda t: f(t) if -0.5 <= t <= 0.5 else None)
    assert ends.one_sided(1.0).value == pytest.approx(2.0, abs=1e-12)


def test_central_differences_are_exact_for_odd_powers_up_to_the_seventh() -> None:
    line = sampler(lambda t: 2.0 * t + 5.0 * t**2 + 7.0 * t**3 + 3.0 * t**5 + t**7)
    assert line.central(line.sweep(1.0)).value == pytest.approx(2.0, abs=1e-12)


def test_noise_counts_beside_the_step() -> None:
    # Of a line, the widest steps that can be compared are best: the second of each sweep.
    n = 1e-3
    line = sampler(lambda t: 3.0 * t, noise=n)
    assert line.one_sided(1.0) == pytest.approx((3.0, 2 * (2 * n) / 0.5, 2 * (2 * n) / 0.5))
    assert line.one_sided(-1.0) == pytest.approx((3.0, 2 * (2 * n) / 0.5, 2 * (2 * n) / 0.5))
    assert line.central(line.sweep(1.0)) == pytest.approx((3.0, 4 * n, 4 * n))


def test_the_order_of_the_remainder() -> None:
    line = sampler(lambda x: x * x, 1.0)
    pairs = line.sweep(0.125)
    assert remainder_rate(line, pairs, 2.0) == pytest.approx(2.0, abs=1e-9)
    assert remainder_rate(line, pairs[:3], 2.0) == pytest.approx(2.0, abs=1e-9)
    # h**2 - h, between its two smallest steps 1/32 and 1/64
    wrong = math.log((1 / 32 - 1 / 32**2) / (1 / 64 - 1 / 64**2)) / math.log(2)
    assert remainder_rate(line, pairs, 3.0) == pytest.approx(wrong, abs=1e-9)
    line = sampler(lambda t: t**3)
    assert remainder_rate(line, line.sweep(0.125), 0.0) == pytest.approx(3.0, abs=1e-9)
    assert isnan(remainder_rate(line, line.sweep(0.125)[:1], 0.0))
    pair = Pair(1.0, 1.0, 5.0, 5.0)
    assert isnan(remainder_rate(line, [pair, pair], 0.0))
    far = Pair(1.0, 1.0, inf, 0.0)
    assert isnan(remainder_rate(line, [far, Pair(0.5, 0.5, 1.0, 0.0)], 0.0))


def test_a_remainder_of_ten_times_the_rounding_tells_nothing() -> None:
    line = sampler(lambda t: 20.0 if t else 0.0, noise=1.0)
    assert isnan(remainder_rate(line, line.sweep(1.0), 0.0))
    line = sampler(lambda t: 21.0 if t else 0.0, noise=1.0)
    assert remainder_rate(line, line.sweep(1.0), 0.0) == 0.0


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (Limit(1.0, SHARP), Limit(1.0, 0.0), True),
        (Limit(1.0, 1.01 * SHARP), Limit(1.0, 0.0), False),
        (Limit(0.0, 1e-6 * SHARP), Limit(0.0, 0.0), True),
        (Limit(-1.0, 1e-6), Limit(1.0, 1e-6), False),
        (Limit(1.0, 1e-6), Limit(1.0 + 7e-6, 1e-6), True),
        (Limit(1.0, 1e-6), Limit(1.0 + 9e-6, 1e-6), False),
    ],
)
def test_slopes_to_both_sides_are_one_within_their_errors(
    left: Limit, right: Limit, same: bool
) -> None:
    assert differences._is_one_slope(left, right) is same
    assert differences._is_one_slope(right, left) is same


@pytest.mark.parametrize(
    ("claimed", "verdict"), [(2.0, "kink"), (1.0, "kink"), (3.0, "kink"), (0.9, "wrong")]
)
def test_a_claim_at_a_kink_lies_between_the_slopes(claimed: float, verdict: str) -> None:
    found = differences._between(Claim(claimed), Limit(3.0, 1e-6), Limit(1.0, 2e-6))
    assert found == pytest.approx(found)
    assert (found.numeric, found.verdict) == (2.0, verdict)
    assert found.error == pytest.approx(3e-6)
    assert found.tolerance == pytest.approx(1.0 + CAUTION * 3e-6)


def test_slopes_that_are_not_known_excuse_any_number() -> None:
    for claimed, verdict in ((5.0, "kink"), (nan, "undefined")):
        found = differences._between(Claim(claimed), Limit(1.0, 0.1), Limit(3.0, 0.0))
        assert (found.numeric, found.error, found.tolerance) == (2.0, inf, 0.0)
        assert found.verdict == verdict


def test_a_wrong_claim_is_confirmed_where_only_it_keeps_its_distance() -> None:
    line = sampler(math.sin, 1.0)
    pairs, true = line.sweep(0.125), math.cos(1.0)
    h = 1e3 * line.rounding() / 0.1
    closer = differences._closer_pairs(line, pairs, true, true + 0.1, 0.0)
    # The steps really taken are rounded to what floats around 1.0 are.
    assert [pair.up for pair in closer] == pytest.approx([h, h / 4], abs=4 * EPS)
    assert closer == differences._closer_pairs(line, pairs, true, true - 0.1, 2 * h)
    assert differences._closer_pairs(line, pairs, true, true + 0.1, h / 2) == []
    nearly = differences._closer_pairs(line, pairs, true, true + 1e-12, 0.0)
    assert not nearly or nearly[0].up <= pairs[-1].up


def test_waves_that_wide_steps_jump_over_confirm_nothing() -> None:
    line = sampler(math.sin, 1.0)
    pairs, true = line.sweep(0.125), math.cos(1.0)
    assert differences._closer_pairs(line, pairs, 1.05 * true, 9.0, 0.0)
    assert differences._closer_pairs(line, pairs, 1.2 * true, 9.0, 0.0) == []
    assert differences._closer_pairs(line, pairs, 1.05 * true, 1.1 * true, 0.0) == []


def test_kinks_and_jumps_stay_and_bends_do_not() -> None:
    for f, kinked, stays in (
        (abs, True, True),
        (lambda t: abs(t) + t * t, True, True),
        (lambda t: 1.0 if t > 0 else 0.0, True, True),
        (lambda t: math.hypot(t, 1e-6), True, False),
        (lambda t: t * t, False, False),
    ):
        line = sampler(f)
        pairs = line.sweep(0.125)
        assert differences._is_kinked(line, pairs) is kinked
        assert not kinked or differences._stays_kinked(line, pairs) is stays
        assert not differences._is_kinked(line, pairs[:2])
    # A jump of 2 shows above 20 roundings of 2 * noise at the smallest step, 1 / 64.
    for noise, kinked in ((7e-4, True), (9e-4, False)):
        line = sampler(abs, noise=noise)
        assert differences._is_kinked(line, line.sweep(0.125)) is kinked


CURVES: list[tuple[Callable[[float], float], float, float]] = [
    (math.exp, 1.0, math.e),
    (math.sin, 2.0, math.cos(2.0)),
    (lambda x: math.sin(40 * x), 0.3, 40 * math.cos(12.0)),
    (lambda x: 1e6 + x, 2.0, 1.0),
    (lambda x: math.hypot(x, 1e-4), 0.0, 0.0),
    (lambda x: x * abs(x), 0.0, 0.0),
    (lambda x: 1e-5 * x**3, 5.0, 75e-5),
]


@pytest.mark.parametrize("steps", [[0.125], [1e-3, 0.125], [0.125, 1e-9]])
@pytest.mark.parametrize(("f", "x", "slope"), CURVES)
def test_a_verdict_has_the_true_slope_within_its_error(
    f: Callable[[float], float], x: float, slope: float, steps: list[float]
) -> None:
    found = compare(sampler(f, x), Claim(slope), steps, radius=1.0)
    assert found.verdict in ("ok", "noise")
    assert abs(found.numeric - slope) <= found.error <= found.tolerance < inf
    if found.verdict == "ok":
        assert found.error <= max(SHARP * abs(slope), 1e-6)
        assert isnan(found.rate) or found.rate > 1.2


@pytest.mark.parametrize(("f", "x", "slope"), CURVES[:4])
@pytest.mark.parametrize("claimed", [nan, inf, 1.5, -1.0, 0.0])
def test_a_wrong_claim_is_wrong_by_the_true_slope(
    f: Callable[[float], float], x: float, slope: float, claimed: float
) -> None:
    found = compare(sampler(f, x), Claim(slope * claimed), [0.125], radius=1.0)
    assert found.verdict == "wrong"
    assert abs(found.numeric - slope) <= found.error
    assert 2 * found.error < abs(slope * claimed - slope) or found.error < SHARP * abs(slope)
    assert isnan(found.rate) or abs(found.rate - 1.0) < 0.1


def test_a_slope_of_zero_is_known_as_far_as_f_keeps_its_character() -> None:
    for radius, verdict in ((0.125, "wrong"), (0.1, "undefined"), (0.0, "undefined")):
        line = sampler(lambda t: 5.0)
        assert compare(line, Claim(nan), [0.125], radius=radius).verdict == verdict


def test_steps_become_wider_where_f_allows() -> None:
    """Where rounding drowns a slope at first."""
    for radius, verdict in ((1e9, "ok"), (0.0, "noise")):
        found = compare(sampler(lambda x: 1e9 + x, 1.0), Claim(1.0), [1e-6], radius=radius)
        assert found.verdict == verdict
        assert abs(found.numeric - 1.0) <= found.error


def test_a_kink_that_is_known_is_crossed() -> None:
    for claimed, verdict in ((0.5, "kink"), (-1.0, "kink"), (1.5, "wrong")):
        line = sampler(abs, pieces=True)
        found = compare(line, Claim(claimed), [1.0], near=1e-6)
        assert (found.numeric, found.verdict) == (0.0, verdict)
    line = sampler(abs, pieces=True)
    assert compare(line, Claim(0.0), [1.0], near=1e-3).error == inf  # steps are too close to it
    smooth = compare(sampler(lambda t: t * abs(t)), Claim(0.0), [1.0], near=1e-6)
    assert smooth.verdict == "ok"
    assert compare(sampler(math.exp), Claim(1.0), [1 / 64], near=1e-6).verdict == "ok"
    assert compare(sampler(math.exp), Claim(2.0), [1 / 64], near=1e-6).verdict == "wrong"


def test_beside_an_edge_nothing_is_wrong() -> None:
    def right(t: float) -> float | None:
        return 2.0 + 3.0 * t + t * t if t >= 0 else None

    for claimed, verdict in ((3.0, "ok"), (4.0, "undefined"), (nan, "undefined")):
        found = compare(sampler(right), Claim(claimed), [0.125])
        assert found.verdict == verdict
        assert found.numeric == pytest.approx(3.0, abs=1e-9)
        assert abs(found.numeric - 3.0) <= found.error < 1e-9
        assert found.tolerance == (0.0 if isnan(claimed) else CAUTION * found.error)
    noisy = compare(sampler(right, noise=0.1), Claim(3.0), [0.125])
    assert noisy.verdict == "noise"
    assert abs(noisy.numeric - 3.0) <= noisy.error <= noisy.tolerance
    alone = compare(sampler(lambda t: None if t else 1.0), Claim(3.0), [0.125])
    assert (alone.error, alone.verdict) == (inf, "undefined")
    assert compare(sampler(lambda t: inf), Claim(3.0), [0.125]).verdict == "undefined"


def test_a_line_ends_where_another_piece_begins_unless_it_may_cross() -> None:
    line = Line(
        lambda t: Sample(abs(t), t > 0), 1.0, Sample(1.0, True), lambda a, b: a == b, limit=4
    )
    assert line.at(1.0) == (1.0, 2.0)
    assert line.at(-2.0) is None
    line.crossing = True
    assert line.at(-2.0) == (-2.0, 1.0)
    assert (line.evaluations, line.left) == (2, 2)  # each number once
    assert line.at(1e-30) is None  # no step that floats can take
    assert line.at(inf) is None
    assert line.at(2.0) == (2.0, 3.0)
    assert line.at(3.0) == (3.0, 4.0)
    assert line.at(4.0) is None  # beyond the limit
    assert line.at(3.0) == (3.0, 4.0)
    assert Line(lambda t: None, 0.0, Sample(1.0)).smallest_step < 1e-200
