"""The user's function, ready to be evaluated anywhere: what all kinds of it have in common."""

from __future__ import annotations

import random
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from autograd.checking.claim import Claim, Comparison
from autograd.checking.culprit import Culprit
from autograd.checking.line import Line, Sample, drawn_speed
from autograd.checking.linearization import is_same_piece
from autograd.checking.point import Part, Point, element, parts
from autograd.engine import Value

RESULTS = 8
"""A function of more results is checked in random combinations of them."""

COMBINATIONS = 3
"""So many weighted sums of the results are checked, where these are many."""


class Function(ABC):
    """A function and its gradient at one point.

    Attributes:
        evaluations: how often f was called.
        gradient: the derivatives to be checked, of the results that `select` has chosen.
        root: the root of the recorded graph, None if there is none.
    """

    root: Value | None = None

    def __init__(self, point: Point) -> None:
        self.point = point
        self.evaluations = 0
        self.gradient: list[float] = []
        self._results: list[Part] = []
        self._weights: dict[int, float] | None = None

    @abstractmethod
    def call(self, x: Sequence[float]) -> Any:
        """Return what f returns at a point; raises whatever f does."""

    @abstractmethod
    def look(self, x: Sequence[float]) -> None:
        """Evaluate f at the point that is checked, and find out what it returns."""

    @abstractmethod
    def select(self, weights: dict[int, float] | None) -> Sample:
        """Choose a combination of the results, and return its value at the point."""

    @abstractmethod
    def compare(
        self, direction: Mapping[int, float], x: list[float], middle: Sample, claim: Claim,
        limit: int,
    ) -> Comparison:  # fmt: skip
        """Return the verdict on a claimed derivative in one direction, with ``limit`` samples."""

    def combinations(self, seed: int) -> Iterator[tuple[str, dict[int, float] | None]]:
        """Yield what is checked one after the other: each result, or combinations of many."""
        labels = [element(part, i) for part in self._results for i in range(len(part.items))]
        if self.is_scalar:
            yield "", None
        elif len(labels) <= RESULTS:
            for k, label in enumerate(labels):
                yield label, {k: 1.0}
        else:
            draw = random.Random(seed)
            for k in range(COMBINATIONS):
                yield (
                    f"combination {k + 1} of {COMBINATIONS} ({len(labels):,} results)",
                    {i: drawn_speed(draw) for i in range(len(labels))},
                )

    @property
    def is_scalar(self) -> bool:
        """Whether f returns a single number."""
        return len(self._results) == 1 and len(self._results[0].items) == 1

    def moved(self, x: Sequence[float]) -> AbstractContextManager[None]:
        """Return a context in which the leaves that f uses otherwise have these numbers."""
        return nullcontext()

    def at(self, x: list[float]) -> Sample | None:
        """Return the selected result at a point, None where there is none."""
        try:
            with warnings.catch_warnings(), self.moved(x):
                warnings.simplefilter("ignore")  # f has said at the point what it has to say
                return self.sample(self._called(x))
        except Exception:  # away from the point, f may end in any way
            return None

    def repeated(self, x: list[float]) -> tuple[float, float] | None:
        """Return what a result was at the point and what it is now, None if it is the same."""
        before = [item for part in self._results for item in part.items]
        self.evaluations += 1
        with self.moved(x):
            after = items_of(self.call(x))
        for pair in zip(before, after, strict=False):
            first, second = (t.data if isinstance(t, Value) else t for t in pair)
            if first != second and first == first:
                return first, second
        return None

    def sample(self, returned: Any) -> Sample:
        """Return the selected combination of what f has returned."""
        return Sample(float(self._combined(items_of(returned))))

    def _called(self, x: list[float]) -> Any:
        self.evaluations += 1
        return self.call(x)

    def _combined(self, items: list[Any]) -> Any:
        if self._weights is None:
            return items[0]
        terms = [items[k] * weight for k, weight in self._weights.items()]
        return terms[0] if len(terms) == 1 else sum(terms[1:], terms[0])

    def _line(
        self, direction: Mapping[int, float], x: list[float], middle: Sample, limit: int
    ) -> Line:
        """Return the function along a line: an input itself, or steps from the point."""
        single = len(direction) == 1

        def along(t: float) -> Sample | None:
            moved = list(x)
            for j, speed in direction.items():
                moved[j] = t if single else x[j] + t * speed
            return self.at(moved)

        start = x[next(iter(direction))] if single else 0.0
        return Line(along, start, middle, is_same_piece, limit)

    @property
    def excuse(self) -> str:
        """What to say if the gradient is wrong and no op is to blame."""
        return ""

    def culprit(self, leaf: int | None) -> Culprit | None:
        """Return the first wrong op on the way from an input, from any if None."""
        return None


def results_of(returned: Any) -> list[Part]:
    """Return what a function returned, in parts.

    Raises:
        TypeError: it holds something that is no real number, or nothing at all.
    """
    try:
        found = list(parts(returned, "out"))
    except TypeError as error:
        raise TypeError(f"the function must return numbers: {error}") from None
    if not any(part.items for part in found):
        raise TypeError(
            f"the function must return a scalar, or several: got a {type(returned).__name__}"
        )
    return found


def items_of(returned: Any) -> list[Any]:
    return [item for part in parts(returned, "out") for item in part.items]
