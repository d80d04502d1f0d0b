"""Data sets to learn from, and what prepares them: a pair of inputs and targets throughout.

`moons`, `circles`, `spirals` and `xor` are made here; `digits`, `iris` and `breast_cancer` come
with scikit-learn (the extra ``data``); `nn.tables` reads files, `characters` reads texts.
"""

from __future__ import annotations

import gzip
import math
import random
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from autograd import missing_extra
from nn.arguments import count, generator, number, real, share
from nn.text import characters as characters

Inputs = list[list[float]]
Data = tuple[Inputs, list[int]]


def moons(n: int = 100, noise: float = 0.1, seed: int | random.Random | None = 0) -> Data:
    """Return ``n`` points on two interleaved half circles, shuffled, and their labels 0 and 1.

    Args:
        n: how many points; half of them in each moon, the odd one in moon 1.
        noise: standard deviation of the normal noise added to both coordinates.
        seed: the same seed gives the same points.

    Source: the geometry of scikit-learn's ``make_moons``: moon 0 is the upper unit half circle,
    moon 1 the lower one about (1, 0.5).

    >>> points, labels = moons(4, noise=0.0)
    >>> sorted(labels), len(points)
    ([0, 0, 1, 1], 4)
    """
    if count("n", n) < 2:
        raise ValueError(f"n must be at least 2, one point in each moon: got {n}")
    spread = number("noise", noise)
    source = generator(seed)
    upper = [(math.cos(angle), math.sin(angle)) for angle in _angles(n // 2)]
    lower = [(1 - math.cos(angle), 0.5 - math.sin(angle)) for angle in _angles(n - n // 2)]
    return _noisy([upper, lower], spread, source)


def circles(
    n: int = 100,
    noise: float = 0.1,
    seed: int | random.Random | None = 0,
    factor: float = 0.5,
) -> Data:
    """Return ``n`` points on two circles about 0, shuffled: radius 1 has label 0, ``factor`` 1.

    Args:
        n, noise, seed: as for `moons`.
        factor: the inner circle's radius, above 0 and below 1.

    Source: the geometry of scikit-learn's ``make_circles``.
    """
    if count("n", n) < 2:
        raise ValueError(f"n must be at least 2, one point on each circle: got {n}")
    if not 0 < real("factor", factor) < 1:
        raise ValueError(f"factor must be above 0 and below 1: got {factor}")
    rings = [
        [
            (radius * math.cos(2 * math.pi * i / m), radius * math.sin(2 * math.pi * i / m))
            for i in range(m)
        ]
        for radius, m in ((1.0, n // 2), (factor, n - n // 2))
    ]
    return _noisy(rings, number("noise", noise), generator(seed))


def spirals(
    n: int = 100,
    noise: float = 0.05,
    seed: int | random.Random | None = 0,
    turns: float = 1.0,
    arms: int = 2,
) -> Data:
    """Return ``n`` points on interleaved spirals from 0 to radius 1, shuffled, and their arms.

    Args:
        n, noise, seed: as for `moons`.
        turns: how often each arm winds about 0.
        arms: how many spirals, and so how many labels.

    Source: Lang & Witbrock 1988, Learning to tell two spirals apart.
    """
    number("turns", turns, positive=True)
    if count("n", n) < count("arms", arms):
        raise ValueError(f"n must be at least {arms}, one point on each arm: got {n}")
    curves = []
    for arm in range(arms):
        m = n // arms + (arm < n % arms)
        angles = [2 * math.pi * (turns * (i + 1) / m + arm / arms) for i in range(m)]
        curves.append(
            [
                ((i + 1) / m * math.cos(angle), (i + 1) / m * math.sin(angle))
                for i, angle in enumerate(angles)
            ]
        )
    return _noisy(curves, number("noise", noise), generator(seed))


def xor(n: int = 4, noise: float = 0.0, seed: int | random.Random | None = 0) -> Data:
    """Return ``n`` of the four corners of the unit square in turn, label 1 where they differ.

    Args:
        n, noise, seed: as for `moons`, but four corners without noise are not shuffled.

    Source: Minsky & Papert 1969, Perceptrons; learnt by Rumelhart, Hinton & Williams 1986.

    >>> xor()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    spread, source = number("noise", noise), generator(seed)
    corners = [(float(i // 2 % 2), float(i % 2)) for i in range(count("n", n))]
    inputs = [[a + source.gauss(0, spread), b + source.gauss(0, spread)] for a, b in corners]
    return inputs, [int(a != b) for a, b in corners]


def digits() -> Data:
    """Return 1,797 images of handwritten digits: 64 numbers from 0 to 1 each, and the digit.

    Source: Alpaydin & Kaynak 1998, UCI; as scikit-learn has it, the pixels divided by 16.
    """
    inputs, labels = _bundled("digits")
    return [[x / 16 for x in row] for row in inputs], labels


def iris() -> Data:
    """Return 150 irises: four lengths in cm, and the species 0, 1 or 2.

    Source: Fisher 1936; as scikit-learn has it.
    """
    return _bundled("iris")


def breast_cancer() -> Data:
    """Return 569 tumours: 30 measurements, and 0 for malignant, 1 for benign.

    Source: Wolberg, Street & Mangasarian 1995, UCI; as scikit-learn has it. The measurements
    are of very different size: use a `Standardizer`.
    """
    return _bundled("breast_cancer")


class Standardizer:
    """Shifts and scales each column to mean 0 and standard deviation 1 over given inputs.

    Made of the training inputs alone, and applied to all: the test data must not take part.
    A column that never changes becomes 0.

    >>> standardizer = Standardizer([[1.0, 5.0], [3.0, 5.0]])
    >>> standardizer([[1.0, 5.0], [4.0, 5.0]])
    [[-1.0, 0.0], [2.0, 0.0]]
    """

    def __init__(self, inputs: Sequence[Sequence[float]]) -> None:
        if not len(inputs):
            raise ValueError("Standardizer needs at least one sample")
        for i, row in enumerate(inputs):
            if len(row) != len(inputs[0]):
                raise ValueError(f"inputs[{i}] has {len(row)} numbers, inputs[0] {len(inputs[0])}")
            for j, x in enumerate(row):
                if not math.isfinite(x):
                    raise ValueError(f"inputs[{i}][{j}] is {x}: clean the data first")
        columns = list(zip(*inputs, strict=True))
        spreads = list(map(_spread, columns))
        self.means = [mean for mean, _ in spreads]
        self.deviations = [deviation for _, deviation in spreads]

    def __call__(self, inputs: Sequence[Sequence[float]]) -> Inputs:
        """Return other inputs, shifted and scaled in the same way."""
        standardized = []
        for i, row in enumerate(inputs):
            if len(row) != len(self.means):
                raise ValueError(
                    f"inputs[{i}] has {len(row)} numbers, the standardizer {len(self.means)}"
                )
            standardized.append(
                [
                    _standardized(float(x), mean, deviation) if deviation else 0.0
                    for x, mean, deviation in zip(row, self.means, self.deviations, strict=True)
                ]
            )
        return standardized


def train_test_split(
    data: tuple[Sequence[Any], Sequence[Any]],
    test: float = 0.2,
    seed: int | random.Random | None = 0,
    stratified: bool = True,
) -> tuple[tuple[list[Any], list[Any]], tuple[list[Any], list[Any]]]:
    """Return ``data`` in two: for training, and a share of it for the test, both shuffled.

    Args:
        data: inputs and targets.
        test: the share of the test, above 0 and below 1.
        seed: the same seed gives the same parts.
        stratified: whether targets that are labels must each be found in both parts in their
            share, up to rounding; those with a fraction, or that occur once, are none.

    Raises:
        ValueError: one of the parts would be empty.

    >>> train, test = train_test_split(moons(100), test=0.2)
    >>> len(train[1]), test[1].count(0), test[1].count(1)
    (80, 10, 10)
    """
    inputs, targets = data
    if len(inputs) != len(targets):
        raise ValueError(f"as many inputs as targets: got {len(inputs)} and {len(targets)}")
    share("test", test)
    source = generator(seed)
    groups: dict[Any, list[int]] = {}
    for i, target in enumerate(targets):
        if stratified and isinstance(target, list):
            raise TypeError(f"targets[{i}] is a list, which is no label: pass stratified=False")
        # A number with a fraction is no label: together, such targets are split at random.
        is_label = stratified and not (isinstance(target, float) and target % 1)
        groups.setdefault(target if is_label else None, []).append(i)
    single = [label for label, group in groups.items() if len(group) == 1]
    if len(single) > 1:  # none of them can be in both parts
        groups[None] = groups.pop(None, []) + [groups.pop(x)[0] for x in single if x is not None]
    chosen: list[int] = []
    carried = 0.0
    for group in groups.values():
        source.shuffle(group)
        # What rounding takes from one label it gives to the next, so the whole keeps its share.
        carried += test * len(group)
        taken = round(carried)
        carried -= taken
        chosen += group[:taken]
    source.shuffle(chosen)
    picked = set(chosen)
    rest = [i for i in range(len(targets)) if i not in picked]
    source.shuffle(rest)
    if not rest or not chosen:
        raise ValueError(f"{len(targets)} samples can't be split with a test share of {test:g}")
    return (
        ([inputs[i] for i in rest], [targets[i] for i in rest]),
        ([inputs[i] for i in chosen], [targets[i] for i in chosen]),
    )


def batches(n: int, batch_size: int, seed: int = 0) -> Iterator[list[list[int]]]:
    """Yield for each epoch, without end, the places 0 to n - 1, shuffled, in mini-batches.

    The last batch of an epoch may be smaller. The k-th epoch's order follows from seed and k.

    >>> [len(batch) for batch in next(batches(10, 4))]
    [4, 4, 2]
    """
    size = count("batch_size", batch_size)
    order = list(range(count("n", n)))
    source = random.Random(seed)
    while True:
        source.shuffle(order)
        yield [order[i : i + size] for i in range(0, n, size)]


def _spread(column: Sequence[float]) -> tuple[float, float]:
    """Return mean and standard deviation, also where squares over- or underflow."""
    _, exponent = math.frexp(max(map(abs, column)))
    if abs(exponent) > 400:  # by a power of 2, so nothing is rounded but subnormal numbers
        mean, deviation = _spread([math.ldexp(x, -exponent) for x in column])
        return math.ldexp(mean, exponent), math.ldexp(deviation, exponent)
    mean = math.fsum(column) / len(column)
    if min(column) == max(column):
        return mean, 0.0
    return mean, math.sqrt(math.fsum((x - mean) ** 2 for x in column) / len(column))


def _standardized(x: float, mean: float, deviation: float) -> float:
    way = x - mean
    return way / deviation if math.isfinite(way) else x / deviation - mean / deviation


def _noisy(curves: list[list[tuple[float, float]]], spread: float, source: random.Random) -> Data:
    """Return the points of all curves with noise, shuffled, and the numbers of their curves."""
    samples = [
        ([x + source.gauss(0, spread), y + source.gauss(0, spread)], label)
        for label, curve in enumerate(curves)
        for x, y in curve
    ]
    source.shuffle(samples)
    return [point for point, _ in samples], [label for _, label in samples]


def _bundled(name: str) -> Data:
    """Return a data set that comes with scikit-learn.

    Its file is read without importing scikit-learn, which takes longer than to train on it.
    """
    place = find_spec("sklearn")
    folder = Path(place.origin).parent / "datasets" / "data" if place and place.origin else Path()
    for path, opener in ((folder / f"{name}.csv", open), (folder / f"{name}.csv.gz", gzip.open)):
        if path.is_file():
            with opener(path, "rt", encoding="ascii") as file:
                lines = [line.split(",") for line in file]
            width = len(lines[-1])
            rows = [line for line in lines if len(line) == width and _are_numbers(line)]
            return [list(map(float, row[:-1])) for row in rows], [
                int(float(row[-1])) for row in rows
            ]
    try:
        from sklearn import datasets
    except ImportError as error:
        missing_extra("scikit-learn", "data", error)
    found, places = getattr(datasets, f"load_{name}")(return_X_y=True)
    return found.astype(float).tolist(), places.astype(int).tolist()


def _are_numbers(cells: list[str]) -> bool:
    return not any(cell.strip().isalpha() for cell in cells)


def _angles(n: int) -> list[float]:
    """Return ``n`` angles from 0 to pi, evenly spaced."""
    return [math.pi * i / max(n - 1, 1) for i in range(n)]
