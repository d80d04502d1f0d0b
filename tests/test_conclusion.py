"""What several scales say together: how stencils are ranked, and when slopes run away."""

from __future__ import annotations

from math import inf

import pytest

from autograd.checking.conclusion import blur, diverges
from autograd.checking.stencil import NONE, Slope, Stencil
from autograd.checking.survey import explore
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
