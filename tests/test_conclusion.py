"""What several scales say together: how stencils are ranked, and when slopes run away."""

from __future__ import annotations

from dataclasses import replace
from math import floor, inf, nan

import pytest

from autograd.checking.claim import Claim
from autograd.checking.conclusion import Survey, _glides, blur, diverges
from autograd.checking.measured import FLOOR, _verdict
from autograd.checking.stencil import NONE, Slope, Stencil
from autograd.checking.steps import far_reach
from autograd.checking.survey import _between, explore
from tests.test_stencil import line_of


def stencil(slope: Slope) -> Stencil:
    return Stencil(1.0, slope, 0.0, False, 1.0, False, 0.0)


def test_the_clearest_stencil_comes_first_and_one_without_a_slope_last() -> None:
    stencils = [
        stencil(Slope(2.0, 0.0)),
        stencil(Slope(-2.0, 0.02)),
        stencil(Slope(1.0, 0.1)),
        stencil(Slope(0.0, 0.3)),
        stencil(NONE),
    ]
    assert [blur(s) for s in stencils] == [
        (0.0, 0.0),
        (0.01, 0.02),
        (0.1, 0.1),
        (1.0, 0.3),
        (inf, inf),
    ]


def seen_at(*varied: tuple[float, float], error: float = inf) -> list[Stencil]:
    """Return stencils at scales, where f varies by so much."""
    slope = Slope(1.0, error)
    return [replace(stencil(slope), h=h, reach=v / h) for h, v in varied]


@pytest.mark.parametrize(
    ("first", "second", "is_root"),
    [
        (0.5, 0.5, True),
        (0.06, 0.06, True),
        (0.04, 0.06, False),  # noise, which is the same at all scales
        (0.96, 0.96, True),
        (0.98, 0.96, False),  # a slope
        (0.4, 0.54, True),
        (0.4, 0.56, False),  # neither
        (1.0, 0.0, False),
        (-0.5, -0.5, False),
    ],
)
def test_what_varies_as_a_power_of_the_distance_has_no_slope(
    first: float, second: float, is_root: bool
) -> None:
    scales = [(1.0, 8.0), (0.1, 8.0 * 0.1**first), (0.01, 8.0 * 0.1 ** (first + second))]
    assert diverges(seen_at(*scales)) == is_root
    assert diverges(seen_at(*scales[::-1])) == is_root
    assert diverges(seen_at(*scales, error=0.05)) == is_root
    assert not diverges(seen_at(*scales, error=0.049))  # a slope is known
    assert not diverges(seen_at(*scales[:2]))


@pytest.mark.parametrize("end", [0.0, inf])
def test_what_stands_still_or_overflows_is_no_root(end: float) -> None:
    assert not diverges(seen_at((1.0, 1.0), (0.01, 0.1), (0.0001, end)))
    assert not diverges(seen_at((1.0, end), (0.01, 0.1), (0.0001, 0.01)))


def test_a_scale_looked_at_twice_is_one() -> None:
    assert diverges(seen_at((1.0, 1.0), (0.01, 0.1), (0.01, 0.1), (0.0001, 0.01)))


def test_of_what_cannot_be_looked_at_nothing_is_known_no_noise_either() -> None:
    seen = explore(line_of(lambda t: 3.0 * t, 0.7))
    assert (seen.kind, seen.slope.value, seen.is_all_noise) == ("smooth", pytest.approx(3.0), False)
    assert 0.0 < seen.noise < 1e-14
    hidden = explore(line_of(lambda t: 2.0 if t == 0.7 else None, 0.7))
    assert (hidden.kind, hidden.slope, hidden.noise) == ("undefined", NONE, 0.0)
    assert (hidden.reach, hidden.step, hidden.hidden, hidden.seen) == (0.0, 0.0, 0.0, [])


SURVEYS: dict[str, tuple[Survey, dict[float, str]]] = {
    "at the bound, to the bit": (
        Survey(Slope(1.0, 0.25), kind="smooth", reach=1.0),
        {1.5: "ok", 0.5: "ok", 1.75: "noise", 1.8: "wrong", 0.0: "wrong"},
    ),
    "a slope that is not as clear as was asked": (
        Survey(Slope(1.0, 0.75), kind="smooth", reach=1.0),
        {1.5: "noise", 2.25: "noise", 2.3: "wrong"},
    ),
}
"""What is found, and what is said of slopes that are claimed with a tolerance of 1/2."""


@pytest.mark.parametrize("name", SURVEYS)
def test_a_tolerance_that_was_asked_for_is_kept_to_the_bit(name: str) -> None:
    found, verdicts = SURVEYS[name]
    said = {slope: _verdict(Claim(slope, atol=0.5), found, 1.0) for slope in verdicts}
    assert said == verdicts


def test_steps_that_may_be_the_functions_own_leave_0_open() -> None:
    found = Survey(Slope(1.0, 1e-6), kind="smooth", reach=1.0, stands=True)
    verdicts = [_verdict(Claim(slope), found, 1.0) for slope in (0.0, 1.0, 2.0)]
    assert verdicts == ["noise", "noise", "wrong"]


def test_the_slope_over_many_steps_excuses_what_is_near_it() -> None:
    found = Survey(Slope(1.0, 0.0), kind="smooth", reach=1.0, coarse=Slope(3.0, 0.5))
    verdicts = [_verdict(Claim(slope), found, 1.0) for slope in (2.0, 2.25, 3.75, 4.0, -3.0)]
    assert verdicts == ["wrong", "noise", "noise", "wrong", "wrong"]  # half as much again


@pytest.mark.parametrize("left", [Slope(0.0, 0.0), NONE])
@pytest.mark.parametrize("right", [Slope(1.0, 0.0), NONE])
def test_what_is_not_finite_is_wrong_beside_two_slopes_only(left: Slope, right: Slope) -> None:
    found = Survey(left=left, right=right, kind="kink")
    expected = "undefined" if NONE in (left, right) else "wrong"
    assert [_verdict(Claim(slope), found, 0.0) for slope in (inf, nan)] == [expected] * 2


def test_a_kink_ends_at_its_slopes_to_the_bit() -> None:
    found = Survey(left=Slope(0.0, 0.0), right=Slope(1.0, 0.0), kind="kink")
    claims = (-2e-5, -FLOOR, 0.0, 1.0, 1.0 + FLOOR, 1.0 + 2e-5)
    verdicts = [_verdict(Claim(slope), found, 0.0) for slope in claims]
    assert verdicts == ["wrong", "kink", "kink", "kink", "kink", "wrong"]


def test_what_changes_smoothly_at_the_ends_glides_and_steps_do_not() -> None:
    moving, still = (Stencil(h, NONE, 0.0, False, 0.5, False, 0.0) for h in (2.5, 0.9))
    assert _glides(line_of(lambda t: 10 + max(1.0, abs(t))), moving, still) is True
    assert _glides(line_of(lambda t: 10 + max(1.0, t)), moving, still) is True
    assert _glides(line_of(lambda t: 10.0 + floor(t)), moving, still) is False
    assert _glides(line_of(lambda t: 10.0 + max(1.0, 20 * t)), moving, still) is False


def test_where_there_is_nothing_else_to_look_at_there_is_no_number() -> None:
    alone = line_of(lambda t: 2.0 if t == 0.7 else None, 0.7)
    assert far_reach(alone) == 0.0
    assert _between(Survey()) == 0.0
    assert _between(Survey(seen=[stencil(Slope(1.0, 0.0))])) == 0.0
