"""What several scales say together: how stencils are ranked, and when slopes run away."""

from __future__ import annotations

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


def test_slopes_that_grow_without_one_that_is_sharp_run_away() -> None:
    growing = [stencil(Slope(10.0**k, 10.0 ** (k - 1))) for k in range(3)]
    assert diverges(growing)
    assert not diverges(growing[:1])
    assert not diverges(growing[::-1])
    assert not diverges([*growing, stencil(Slope(1.0, 1e-5))])
    assert not diverges([stencil(Slope(1.0, 0.1)), stencil(Slope(3.0, 0.1))])
    assert not diverges([stencil(Slope(1.0, 0.1)), stencil(NONE)])


def test_of_what_cannot_be_looked_at_nothing_is_known_no_noise_either() -> None:
    seen = explore(line_of(lambda t: 3.0 * t, 0.7))
    assert (seen.kind, seen.slope.value, seen.is_all_noise) == ("smooth", pytest.approx(3.0), False)
    assert 0.0 < seen.noise < 1e-14
    hidden = explore(line_of(lambda t: 2.0 if t == 0.7 else None, 0.7))
    assert (hidden.kind, hidden.slope, hidden.noise) == ("undefined", NONE, 0.0)
    assert (hidden.reach, hidden.step, hidden.hidden, hidden.seen) == (0.0, 0.0, 0.0, [])


def test_slopes_run_away_from_three_times_the_first_on() -> None:
    steep = lambda value: diverges([stencil(Slope(1.0, 0.25)), stencil(Slope(value, 0.25))])
    assert [steep(v) for v in (4.0, 4.25, 4.75, -4.75)] == [False, True, True, True]  # 3 * 1.25


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
