"""What flows through a box that stands for many nodes: how large, from where to where, how spread.

>>> print(spread([0.0, 0.1, 0.2, 0.2, 0.2, 0.9]))
0 ▆█▁▁▁▁▁▄ 0.9
>>> print(spread([0.5, -0.25]), "and", spread([1.0, 1.0]))
-0.25 to 0.5 and 1
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

BARS = "▁▂▃▄▅▆▇█"
"""The heights of a histogram's bars, as text; the lowest is an empty bin."""

BINS = 8
"""Bars that tell how the numbers that leave a box are spread."""

FEWEST_BINNED = 4
"""Numbers below which a histogram says nothing."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How some numbers are spread.

    Attributes:
        low, high: the least and the largest, as they are shown; the same for a single number.
        bars: how many of them lie in each part of the way from low to high, as heights from 0 (no
            number) to 7; none for a few numbers.
    """

    low: str
    high: str
    bars: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.low == self.high:
            return self.low
        between = "".join(BARS[height] for height in self.bars) or "to"
        return f"{self.low} {between} {self.high}"


def spread(xs: Sequence[float]) -> Spread:
    """Return how numbers are spread; one that is NaN is all that is said."""
    if any(x != x for x in xs):
        return Spread("nan among them", "nan among them")
    low, high = min(xs), max(xs)
    least, most = (f"{x + 0.0:.3g}" for x in (low, high))
    if least == most or len(xs) < FEWEST_BINNED or not math.isfinite(high - low):
        return Spread(least, most)
    counts = [0] * BINS
    for x in xs:
        counts[min(int((x - low) / (high - low) * BINS), BINS - 1)] += 1
    highest = len(BARS) - 1
    return Spread(least, most, tuple(math.ceil(n / max(counts) * highest) for n in counts))


def norm(xs: Iterable[float]) -> float:
    """Return the L2 norm, which neither overflows nor underflows on the way."""
    return math.hypot(*xs)
