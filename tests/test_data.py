"""Two moons: the geometry, the noise, the seed; and bad arguments."""

import math
import random
from typing import Any

import pytest

from nn.data import moons


def test_without_noise_the_points_lie_on_two_half_circles() -> None:
    points, labels = moons(51, noise=0.0, seed=3)
    assert (len(points), labels.count(0), labels.count(1)) == (51, 25, 26)
    for (x, y), label in zip(points, labels, strict=True):
        across, up = (x, y) if label == 0 else (1 - x, 0.5 - y)
        # cos and sin are right to 1 ulp, at most 1.1e-16 here, and so is each further operation.
        assert math.hypot(across, up) == pytest.approx(1.0, abs=1e-15)
        assert up >= -1e-15


def test_the_geometry_is_that_of_scikit_learn() -> None:
    # make_moons(6, shuffle=False): moon 0, then moon 1, at the angles 0, pi / 2 and pi.
    points, labels = moons(6, noise=0.0)
    ordered = sorted(
        zip(labels, points, strict=True), key=lambda s: (s[0], (1 - 2 * s[0]) * -s[1][0])
    )
    expected = [[1, 0], [0, 1], [-1, 0], [0, 0.5], [1, -0.5], [2, 0.5]]
    for (_, point), corner in zip(ordered, expected, strict=True):
        assert point == pytest.approx(corner, abs=1e-15)


def test_the_noise_has_the_given_deviation() -> None:
    noisy, _ = moons(2_000, noise=0.2, seed=1)
    clean, _ = moons(2_000, noise=0.0, seed=1)
    # The noise is drawn before the shuffle, so the points are compared in moon's order.
    spread = math.fsum(x * x for p in noisy for x in p) - math.fsum(x * x for p in clean for x in p)
    # The sum of squares grows by n * noise**2 = 160 for n = 4,000 numbers; its deviation is
    # noise * sqrt(4 * sum(clean**2)) = 0.2 * sqrt(4 * 4,500) = 27.
    assert abs(spread - 160) < 4 * 27


def test_the_seed_decides() -> None:
    assert moons(20, seed=4) == moons(20, seed=4)
    assert moons(20, seed=4) != moons(20, seed=5)
    assert moons(20, seed=random.Random(4)) == moons(20, seed=4)


def test_the_labels_are_shuffled() -> None:
    _, labels = moons(100)
    assert labels != sorted(labels)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "n must be a whole number, at least 1: got 0"),
        ({"n": 1}, "n must be at least 2, one point in each moon: got 1"),
        ({"n": 10.5}, r"n must be a whole number, at least 1: got 10\.5"),
        ({"noise": -0.1}, r"noise must be finite and at least 0: got -0\.1"),
        ({"noise": math.nan}, "noise must be finite and at least 0: got nan"),
        ({"noise": "small"}, "noise must be finite and at least 0: got 'small'"),
        ({"seed": "one"}, "seed must be a whole number, a random.Random or None: got 'one'"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        moons(**arguments)
