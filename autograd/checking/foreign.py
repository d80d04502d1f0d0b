"""A function of plain numbers, with a gradient that came from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from autograd.checking.claim import Claim, Comparison
from autograd.checking.function import Function, items_of, results_of
from autograd.checking.line import BUDGET, FEWEST_LEFT, Sample
from autograd.checking.measured import judge
from autograd.checking.point import Point, is_array
from autograd.tree import children

Gradient = Callable[..., Any] | Sequence[Any] | float | None


class Foreign(Function):
    """A function of plain numbers, with a gradient that came from elsewhere."""

    def __init__(self, f: Callable[..., Any], point: Point, gradient: Gradient) -> None:
        super().__init__(point)
        self._f, self._given = f, gradient
        self._rows: list[list[float]] = []
        self._seen: dict[tuple[float, ...], list[Any]] = {}
        self._middle: list[Any] = []

    @property
    def is_callable(self) -> bool:
        """Whether the gradient is a function, so that it is known elsewhere as well."""
        return callable(self._given)

    def call(self, x: Sequence[float]) -> Any:
        """Return what f returns at a point."""
        return self._f(*self.point.filled(x))

    def look(self, x: Sequence[float]) -> None:
        """Evaluate f and the gradient."""
        self.evaluations += 1
        returned = self.call(x)
        self._results = results_of(returned)
        self._middle = [item for part in self._results for item in part.items]
        given = self._given
        if callable(given):
            given = given(*self.point.filled(x))
        self._rows = list(_rows(self.point, given, returned, self.is_scalar))

    def select(self, weights: dict[int, float] | None) -> Sample:
        """Choose a combination of the results."""
        self._weights = weights
        weights = weights or {0: 1.0}
        self.gradient = [
            sum(self._rows[k][j] * weight for k, weight in weights.items())
            for j in range(len(self.point.numbers))
        ]
        return Sample(float(self._combined(self._middle)))

    def compare(
        self, direction: Mapping[int, float], x: list[float], middle: Sample, claim: Claim,
        limit: int,
    ) -> Comparison:  # fmt: skip
        """Return the verdict from samples alone.

        Where a slope of 0 is seen with few of them, others are left for a point nearby.
        """
        line = self._line(direction, x, middle, limit)
        if claim.slope == 0 and self.is_callable and len(direction) == 1:
            line.allow(min(limit, BUDGET - FEWEST_LEFT))
            found = judge(line, claim)
            if found.verdict != "noise":
                return found
            line.allow(limit)
        return judge(line, claim)

    def sample(self, returned: list[Any]) -> Sample:
        """Return the selected combination of results."""
        return Sample(float(self._combined(returned)))

    def _called(self, x: list[float]) -> list[Any]:
        """Return the results at a point, each of them looked at along the same lines.

        As numbers, for the next call may overwrite an array that was returned.
        """
        if self.is_scalar:
            return items_of(super()._called(x))
        key = tuple(x)
        if key not in self._seen:
            self._seen[key] = items_of(super()._called(x))
        return self._seen[key]


def _rows(point: Point, given: Any, returned: Any, is_scalar: bool) -> Iterator[list[float]]:
    """Yield the derivatives of each result: the given ones are laid out as the results are.

    Raises:
        TypeError: they are not.
    """
    inner = children(returned)
    if is_scalar:
        yield from _row(point, given, returned)
    elif inner is None or is_array(given):
        shape = tuple(returned.shape) if is_array(returned) else (len(returned),)
        yield from point.flat(given, shape)
    else:
        beside = children(given) or []
        if isinstance(returned, dict) and isinstance(given, dict):
            beside = [(f"[{key!r}]", given[key]) for key in returned if key in given]
        if len(beside) != len(inner):
            raise TypeError(
                f"gradient has derivatives of {len(beside)} result(s), the function returns "
                f"{len(inner)}"
            )
        for (_, part), (_, item) in zip(beside, inner, strict=True):
            yield from _rows(point, part, item, children(item) is None and not is_array(item))


def _row(point: Point, given: Any, returned: Any) -> list[list[float]]:
    """Return the derivatives of a single result, also where they are those of an array of one."""
    try:
        return point.flat(given)
    except TypeError:
        shape = getattr(returned, "shape", ())
        if not shape:
            raise
        return point.flat(given, tuple(shape))
