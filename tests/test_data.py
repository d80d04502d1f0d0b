"""Data sets made here: geometry, noise, seeds; splits and scales; bad arguments."""

import math
import random
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from autograd import MissingExtraError
from nn.data import (
    Standardizer,
    batches,
    breast_cancer,
    circles,
    digits,
    iris,
    moons,
    spirals,
    train_test_split,
    xor,
)


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


# Circles, spirals, xor


def test_circles_lie_on_two_circles() -> None:
    points, labels = circles(51, noise=0.0, factor=0.25, seed=2)
    assert (labels.count(0), labels.count(1)) == (25, 26)
    for point, label in zip(points, labels, strict=True):
        assert math.hypot(*point) == pytest.approx(0.25 if label else 1.0, abs=1e-15)


def test_spirals_wind_from_the_centre_outward() -> None:
    points, labels = spirals(61, noise=0.0, turns=0.5, arms=3)
    assert [labels.count(arm) for arm in range(3)] == [21, 20, 20]
    for (x, y), arm in zip(points, labels, strict=True):
        radius = math.hypot(x, y)
        angle = 2 * math.pi * (0.5 * radius + arm / 3)
        assert (x, y) == pytest.approx(
            (radius * math.cos(angle), radius * math.sin(angle)), abs=1e-14
        )
        assert 0 < radius <= 1 + 1e-15


def test_xor_is_one_where_the_corners_differ() -> None:
    points, labels = xor(40, noise=0.05)
    for (x, y), label in zip(points, labels, strict=True):
        assert (round(x) != round(y)) == bool(label)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: circles(1), "n must be at least 2, one point on each circle: got 1"),
        (lambda: circles(4, factor=1.0), r"factor must be above 0 and below 1: got 1\.0"),
        (lambda: spirals(2, arms=3), "n must be at least 3, one point on each arm: got 2"),
        (lambda: spirals(9, turns=0), "turns must be finite and above 0"),
        (lambda: xor(0), "n must be a whole number, at least 1: got 0"),
        (lambda: next(batches(0, 4)), "n must be a whole number, at least 1: got 0"),
        (lambda: next(batches(4, 0)), "batch_size must be a whole number, at least 1: got 0"),
        (lambda: train_test_split(([], [])), "0 samples can't be split with a test share of 0.2"),
        (lambda: train_test_split(([1], [])), "as many inputs as targets: got 1 and 0"),
        (lambda: train_test_split(([1], [[1.0]])), r"targets\[0\] is a list, which is no label"),
        (lambda: train_test_split(xor(), test=1.5), "test must be at least 0 and below 1"),
        (lambda: Standardizer([]), "Standardizer needs at least one sample"),
        (lambda: Standardizer([[1.0], [math.nan]]), r"inputs\[1\]\[0\] is nan: clean the data"),
        (lambda: Standardizer([[1.0], []]), r"inputs\[1\] has 0 numbers, inputs\[0\] 1"),
        (lambda: Standardizer([[1.0]])([[1.0, 2.0]]), r"inputs\[0\] has 2 numbers, the stand"),
    ],
)
def test_what_is_unusable_is_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


# scikit-learn's


@pytest.mark.parametrize("load", [digits, iris, breast_cancer])
def test_bundled_data_are_those_of_scikit_learn_s_loader(load: Callable[[], Any]) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    inputs, labels = getattr(datasets, f"load_{load.__name__}")(return_X_y=True)
    scale = 16 if load is digits else 1
    assert load() == ((inputs / scale).tolist(), labels.tolist())


@pytest.mark.parametrize(
    ("load", "n", "width", "classes"), [(digits, 1797, 64, 10), (iris, 150, 4, 3)]
)
def test_bundled_data(load: Callable[[], Any], n: int, width: int, classes: int) -> None:
    pytest.importorskip("sklearn")
    inputs, labels = load()
    assert len(inputs) == len(labels) == n
    assert {len(row) for row in inputs} == {width}
    assert set(labels) == set(range(classes))
    assert type(inputs[0][0]) is float
    assert type(labels[0]) is int


def test_bundled_data_missing_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'chainrule\[data\]'"):
        breast_cancer()


# Preparation


def test_a_split_is_stratified_complete_and_seeded() -> None:
    inputs = [[float(i)] for i in range(103)]
    labels = [0] * 50 + [1] * 40 + [2] * 13
    train, test = train_test_split((inputs, labels), test=0.2, seed=1)
    assert sorted(train[0] + test[0]) == inputs
    assert len(test[1]) == 21
    # Rounding is off by less than 1 of a label.
    assert [abs(test[1].count(c) - 0.2 * labels.count(c)) < 1 for c in range(3)] == [True] * 3
    for part in (train, test):
        assert [labels[int(x)] for (x,) in part[0]] == part[1]
    assert train_test_split((inputs, labels), test=0.2, seed=1) == (train, test)
    assert train_test_split((inputs, labels), test=0.2, seed=2) != (train, test)
    plain = train_test_split((inputs, [0.1 * i for i in range(103)]), stratified=False)
    assert len(plain[1][0]) == 21


def test_standardised_columns_have_mean_0_and_deviation_1() -> None:
    source = random.Random(0)
    inputs = [[source.gauss(50, 8), source.uniform(0, 1e-6), 3.0] for _ in range(200)]
    columns = list(zip(*Standardizer(inputs)(inputs), strict=True))
    for column in columns[:2]:
        # The subtraction of a mean of 50 leaves 50 * 1.1e-16 / 8 in each number.
        assert math.fsum(column) / 200 == pytest.approx(0, abs=1e-14)
        assert math.fsum(x * x for x in column) / 200 == pytest.approx(1, abs=1e-13)
    assert set(columns[2]) == {0.0}


def test_batches_hold_every_place_once_an_epoch() -> None:
    epochs = batches(10, 4, seed=3)
    first, second = next(epochs), next(epochs)
    for epoch in (first, second):
        assert [len(batch) for batch in epoch] == [4, 4, 2]
        assert sorted(place for batch in epoch for place in batch) == list(range(10))
    assert first != second
    assert next(batches(10, 4, seed=3)) == first


def test_a_split_of_numbers_follows_the_seed() -> None:
    inputs = [[float(i)] for i in range(100)]
    for targets in (
        [0.1 * i + 0.05 for i in range(100)],  # numbers, each of its own
        list(range(100)),  # labels of which none can be in both parts
        [0.5 * (i // 2) + 0.25 for i in range(100)],  # numbers, some of them twice
    ):
        parts = [train_test_split((inputs, targets), seed=seed) for seed in (0, 0, 1)]
        assert parts[0] == parts[1] != parts[2]
        train, test = parts[0]
        assert len(test[0]) == 20
        assert sorted(train[0] + test[0]) == inputs
        # At random: not every fifth, nor a run of them.
        places = sorted(int(x) for (x,) in test[0])
        assert len({b - a for a, b in pairwise(places)}) > 3


def test_labels_that_occur_once_leave_the_others_stratified() -> None:
    labels = [0] * 50 + [1] * 50 + [2, 3, 4, 5, 6]
    _, (_, test) = train_test_split(([[0.0]] * 105, labels), test=0.2)
    assert (test.count(0), test.count(1), len(test)) == (10, 10, 21)


@pytest.mark.parametrize(
    "scale", [1.0, 2.0**600, 2.0**1000, 2.0**-600, 2.0**-1000], ids=lambda x: f"{x:.0e}"
)
def test_columns_at_the_edge_of_floats_are_standardised(scale: float) -> None:
    column = [1.0, -3.0, 2.5, 0.125]
    plain = Standardizer([[x] for x in column])
    there = Standardizer([[x * scale] for x in column])
    assert there([[x * scale] for x in column]) == plain([[x] for x in column])
    assert (there.means, there.deviations) == (
        [plain.means[0] * scale],
        [plain.deviations[0] * scale],
    )


def test_both_ends_of_the_floats_in_one_column() -> None:
    large = sys.float_info.max
    for column in ([large, -large], [large, large, -large], [large] * 3, [1e200, 2e200]):
        rows = Standardizer([[x] for x in column])([[x] for x in column])
        assert all(math.isfinite(x) for (x,) in rows)
        # A mean of 0, to a rounding of each number of at most 2.
        assert abs(sum(x for (x,) in rows)) < 1e-15
