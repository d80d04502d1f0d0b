"""A function along one line, t -> f(x + t v): each sample taken once, and counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import takewhile
from random import Random
from sys import float_info
from typing import Any, NamedTuple

EPSILON = float_info.epsilon

BUDGET = 28
"""Evaluations along one line, beside two in the middle."""

FEWEST_LEFT = 9
"""With fewer evaluations left, nothing more is tried."""

RESOLVED = 64
"""The smallest step that is resolved well, per unit in the last place of an input."""


class Sample(NamedTuple):
    """A value of the function; ``piece`` tells which piece of a piecewise one computed it."""

    value: float
    piece: Any = None


def drawn_speed(draw: Random) -> float:
    """Return how fast one number of many moves: forth or back, and never next to nothing."""
    return draw.choice((-1, 1)) * draw.uniform(0.5, 1.5)


class Line:
    """A function along one line.

    Args:
        f: gives the sample at x + t, or None where there is none.
        x: the middle, as a float that steps are added to.
        middle: the sample there.
        is_same_piece: whether two samples belong to one smooth piece.
        limit: how many evaluations may be made.

    Attributes:
        crossing: whether samples of other pieces count, too.
        is_exhausted: whether a sample was asked for that was one too many.
    """

    def __init__(
        self,
        f: Callable[[float], Sample | None],
        x: float,
        middle: Sample,
        is_same_piece: Callable[[Any, Any], bool] = lambda a, b: True,
        limit: int = BUDGET,
    ) -> None:
        self.x = x
        self.middle = middle.value
        self.evaluations = 0
        self.crossing = False
        self.is_exhausted = False
        self._f = f
        self._piece = middle.piece
        self._same = is_same_piece
        self._limit = min(limit, BUDGET)
        self._samples: dict[float, Sample | None] = {}

    def at(self, t: float) -> tuple[float, float] | None:
        """Return the step really taken and the value there; None if there is none."""
        moved = self.x + t
        if moved == self.x or not math.isfinite(moved):
            return None
        if moved not in self._samples:
            if not self.left:
                self.is_exhausted = True
                return None
            self.evaluations += 1
            self._samples[moved] = self._f(moved)
        sample = self._samples[moved]
        if sample is None or not math.isfinite(sample.value):
            return None
        if not (self.crossing or self._same(self._piece, sample.piece)):
            return None
        return moved - self.x, float(sample.value)

    def allow(self, limit: int) -> None:
        """Let so many evaluations be made, those that were made among them."""
        self._limit = min(limit, BUDGET)
        self.is_exhausted = False

    def values(self, near: float = math.inf) -> list[float]:
        """Return every value that was seen, or those no farther away than ``near``."""
        seen = [s for x, s in self._samples.items() if s is not None and abs(x - self.x) <= near]
        return [float(x) for x in [self.middle, *(s.value for s in seen)] if math.isfinite(x)]

    def distances(self, beyond: float) -> list[float]:
        """Return how far away samples were asked for, the nearest first, if beyond a distance."""
        return sorted({d for x in self._samples if (d := abs(x - self.x)) > beyond})

    def spread(self) -> float:
        """Return how far a value was seen to lie from that in the middle."""
        return max(abs(value - self.middle) for value in self.values())

    def standstill(self) -> float:
        """Return how wide f is constant around the middle, as far as it was looked at."""
        samples = sorted((x - self.x, s.value) for x, s in self._samples.items() if s is not None)
        return sum(
            max((abs(t) for t, _ in takewhile(lambda s: s[1] == self.middle, side)), default=0.0)
            for side in ([s for s in samples if s[0] > 0], [s for s in samples[::-1] if s[0] < 0])
        )

    @property
    def steepness(self) -> float:
        """How steep f is over the smallest steps to both sides; 0.0 if it ends before."""
        above, below = self.at(self.smallest_step), self.at(-self.smallest_step)
        if above is None or below is None:
            return 0.0
        return abs((above[1] - below[1]) / (above[0] - below[0]))

    @property
    def left(self) -> int:
        """How many evaluations may still be made."""
        return self._limit - self.evaluations

    @property
    def smallest_step(self) -> float:
        """The smallest step that floats resolve well around the middle."""
        return RESOLVED * math.ulp(self.x) if self.x else 1e-300
