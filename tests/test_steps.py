"""What makes a function move in steps: a number format, cancellation, or itself."""

from __future__ import annotations

from collections.abc import Callable
from math import floor

import pytest

from autograd.checking.stencil import Slope, Stencil
from autograd.checking.steps import FAR, Steps, far_reach, steps_of
from tests.test_stencil import line_of
from tests.test_survey import brain

KINDS: list[tuple[str, Callable[[float], float], float, float]] = [
    ("cancelled", lambda t: (t + 1e3) - 1e3, 1e-13, 1e-13),
    ("format", lambda t: brain(brain(t) * 1.5), 4e-3, 6e-3),
    ("own", lambda t: floor(10 * t + 0.5) / 10, 0.1, 0.1),
    ("own", lambda t: floor(8 * t) / 8, 0.125, 0.125),
    ("unclear", lambda t: 1.0 + t / 3, 1e-7, 1e-7),
]


@pytest.mark.parametrize(("kind", "f", "width", "height"), KINDS)
def test_what_makes_steps(
    kind: str, f: Callable[[float], float], width: float, height: float
) -> None:
    line = line_of(f, 0.7)
    for t in (0.06, -0.05, 0.3, -0.4, 1.1):
        line.at(t)
    far_reach(line, FAR[:3])
    assert Steps(line, width, height).kind == kind


def noisy(h: float, noise: float, slope: float = 2.0) -> Stencil:
    return Stencil(h, Slope(slope, 0.01), noise, True, slope, False, 1e-9)


@pytest.mark.parametrize(
    ("noise", "width"), [(0.3, 0.3 / (0.3 * 2.0)), (0.6, 0.6 / (0.3 * 2.0)), (0.61, 1e-3)]
)
def test_noise_that_grows_much_faster_than_the_scale_is_none_of_steps(
    noise: float, width: float
) -> None:
    """It comes of a kink, or is curvature: ten times as fast is the limit."""
    line = line_of(lambda t: t)
    moving, far = noisy(0.0125, 0.006), noisy(0.125, noise)
    assert steps_of(line, [far, moving], moving, 0.0, 1e-3).width == pytest.approx(
        max(width, 0.006 / (0.3 * 2.0))
    )
