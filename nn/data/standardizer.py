"""`Standardizer`: columns brought to mean 0 and deviation 1."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nn.data.points import Inputs


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
