"""A function of plain numbers, with a gradient that came from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from autograd.checking.claim import Claim, Comparison
from autograd.checking.function import Function, results_of
from autograd.checking.line import Sample
from autograd.checking.measured import judge
from autograd.checking.point import Point, is_array

Gradient = Callable[..., Any] | Sequence[Any] | float | None


class Foreign(Function):
    """A function of plain numbers, with a gradient that came from elsewhere."""

    def __init__(self, f: Callable[..., Any], point: Point, gradient: Gradient) -> None:
        super().__init__(point)
        self._f, self._given = f, gradient
        self._rows: list[list[float]] = []
        self._seen: dict[tuple[float, ...], Any] = {}
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
        returned = self._called(list(x))
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
        """Return the verdict from samples alone."""
        return judge(self._line(direction, x, middle, limit), claim)

    def _called(self, x: list[float]) -> Any:
        if self.is_scalar:
            return super()._called(x)
        key = tuple(x)  # every result is looked at along the same lines
        if key not in self._seen:
            self._seen[key] = super()._called(x)
        return self._seen[key]


def _rows(point: Point, given: Any, returned: Any, is_scalar: bool) -> Iterator[list[float]]:
    """Yield the derivatives of each result: the given ones are laid out as the results are."""
    if is_scalar:
        yield from point.flat(given)
    elif isinstance(returned, dict):
        for key, inner in returned.items():
            yield from _rows(point, given[key], inner, not _is_container(inner))
    elif isinstance(returned, list | tuple) and not is_array(given):
        for part, inner in zip(given, returned, strict=True):
            yield from _rows(point, part, inner, not _is_container(inner))
    else:
        shape = tuple(returned.shape) if is_array(returned) else (len(returned),)
        yield from point.flat(given, shape)


def _is_container(x: Any) -> bool:
    return isinstance(x, dict | list | tuple) or is_array(x)
