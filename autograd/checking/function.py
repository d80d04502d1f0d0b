"""The user's function, ready to be evaluated anywhere: of plain numbers, of Values, of leaves."""

from __future__ import annotations

import inspect
import math
import random
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from autograd.checking.claim import Claim, Comparison
from autograd.checking.culprit import Culprit, compare_along, first_culprit
from autograd.checking.line import Line, Sample, drawn_speed
from autograd.checking.linearization import Linearization, branch, is_same_piece, total
from autograd.checking.measured import judge
from autograd.checking.point import Part, Point, element, is_array, parts
from autograd.debugging import debug
from autograd.engine import Value
from autograd.errors import ChainruleError
from autograd.operation import Op
from autograd.transforms import gradients

RESULTS = 8
"""A function of more results is checked in random combinations of them."""

COMBINATIONS = 3

Gradient = Callable[..., Any] | Sequence[Any] | float | None


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
                warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, about inf and NaN
                return self.sample(self._called(x))
        except Exception:  # away from the point, f may end in any way
            return None

    def sample(self, returned: Any) -> Sample:
        """Return the selected combination of what f has returned."""
        return Sample(float(self._combined(_items(returned))))

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
        self._results = _results(returned)
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


class Recorded(Function):
    """A function of Values, or its directional derivative of some order."""

    def __init__(self, f: Callable[..., Any], point: Point, order: int, seed: int) -> None:
        super().__init__(point)
        self._f, self._order, self._seed = f, order, seed
        self._labels = [point.label(i) for i in range(len(point.numbers))]
        self._graph: Linearization | None = None
        self.leaves: list[Value] = []
        self._last: list[Value] = []
        self._returned: Any = None
        self._x: list[float] = []

    def call(self, x: Sequence[float]) -> Any:
        """Return what f returns at a point, recorded from new leaves."""
        self._last = [Value(number, label) for number, label in zip(x, self._labels, strict=True)]
        return self._f(*self.point.filled(self._last))

    def look(self, x: Sequence[float]) -> None:
        """Record f at the point."""
        self._x = list(x)
        with self.moved(x):
            self._returned = self._called(self._x)
        self.leaves = self._last
        self._results = _results(self._returned)

    @property
    def is_by_hand(self) -> bool:
        """Whether nodes were built by hand, whose slopes may depend on what came after them."""
        order = self._graph.order if self._graph else ()
        return any(node.op is not None and node.op.by_hand for node in order)

    def look_twice(self, x: Sequence[float], other: Sequence[float]) -> None:
        """Record f at the point, and once more elsewhere before any gradient is taken."""
        self.look(x)
        self.at(list(other))

    def select(self, weights: dict[int, float] | None) -> Sample:
        """Choose a combination of the results, and take its gradient."""
        self._weights = weights
        self._last = self.leaves
        with self.moved(self._x):
            return self._select()

    def _select(self) -> Sample:
        out = self._derived(_items(self._returned))
        self._graph = self.root = None
        if not isinstance(out, Value):
            self.gradient = [0.0] * len(self.leaves)
            return Sample(float(out))
        self.root = out
        self._graph = Linearization(out)
        self.gradient = self._graph.gradient(self.leaves)
        return Sample(out.data, branch(out))

    def sample(self, returned: Any) -> Sample:
        """Return the selected combination of what f has returned, or its derivative."""
        out = self._derived(_items(returned))
        return Sample(out.data, branch(out)) if isinstance(out, Value) else Sample(float(out))

    def compare(
        self, direction: Mapping[int, float], x: list[float], middle: Sample, claim: Claim,
        limit: int,
    ) -> Comparison:  # fmt: skip
        """Return the verdict, with what the graph says of steps and rounding."""
        line = self._line(direction, x, middle, limit)
        if self._graph is None:
            return judge(line, claim)
        leaves = {self.leaves[j]: speed for j, speed in direction.items()}
        noise = self._graph.noise
        if len(direction) > 1:
            noise += total(math.ulp(x[j]) * abs(self.gradient[j]) for j in direction)
        return compare_along(self._graph, leaves, line, noise, claim)

    def _derived(self, items: list[Any]) -> Any:
        draw = random.Random(self._seed)
        out = self._combined(items)
        for _ in range(self._order - 1):
            slopes = gradients(out, self._last) if isinstance(out, Value) else []
            out = 0.0
            for slope in slopes:
                out = out + slope * drawn_speed(draw)
        return out

    @property
    def excuse(self) -> str:
        """What to say if the gradient is wrong and every op is right."""
        if self._graph is None:
            return (
                "the function returned a plain number, so that nothing was recorded: compute "
                "with Values, or give the derivatives by gradient="
            )
        if self._graph.is_at_kink():
            return "every recorded op is right; at a kink, what each takes as its slope is no sum"
        return (
            "every recorded op is right, so part of the computation was not recorded: look for "
            "float(v), v.data, functions of math, or no_grad()"
        )

    def culprit(self, leaf: int | None) -> Culprit | None:
        """Return the first wrong op on the way from an input, from any if None."""
        found = self._first_culprit(leaf)
        if found and not found.where:
            self._record_lines()
            found = self._first_culprit(leaf)
        return found

    def _first_culprit(self, leaf: int | None) -> Culprit | None:
        if self._graph is None:
            return None
        return first_culprit(self._graph, None if leaf is None else self.leaves[leaf])

    def _record_lines(self) -> None:
        """Record the graph once more, so that its nodes know their source lines."""
        weights = self._weights
        try:
            with debug():
                self.look(self._x)
                self.select(weights)
        except ChainruleError:
            return  # what is an error under debug() has no lines to tell


class Closure(Recorded):
    """A function of no arguments that uses the given leaves."""

    def call(self, x: Sequence[float]) -> Any:
        """Return what f returns; its leaves have been moved."""
        self._last = self.point.leaves
        return self._f()

    @contextmanager
    def moved(self, x: Sequence[float]) -> Iterator[None]:
        """Give the leaves these numbers, and their own afterwards, whatever happens."""
        leaves = self.point.leaves
        before = [leaf.data for leaf in leaves]
        try:
            for leaf, number in zip(leaves, x, strict=True):
                leaf.data = number
            yield
        finally:
            for leaf, number in zip(leaves, before, strict=True):
                leaf.data = number


def function_of(
    f: Callable[..., Any], args: tuple[Any, ...], gradient: Gradient, order: int, seed: int
) -> Function:
    """Return the user's function with its arguments, ready to be evaluated."""
    point = Point(args, _names(f, len(args)))
    if gradient is not None:
        return Foreign(f, point, gradient)
    return (Closure if _is_closure(f, args) else Recorded)(f, point, order, seed)


def _is_closure(f: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Return whether ``f`` takes no arguments, and uses the leaves ``args`` otherwise.

    Raises:
        TypeError: ``f`` can be called neither with ``args`` nor without.
    """
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        return False
    try:
        signature.bind(*args)
    except TypeError as error:
        try:
            signature.bind()
        except TypeError:
            name = getattr(f, "__name__", "the function")
            raise TypeError(
                f"{name} can't be called with {len(args)} argument(s): {error}"
            ) from None
    else:
        return False
    flat = [item for part in parts(args, "") for item in part.items]
    if not all(isinstance(item, Value) and item.op is None for item in flat):
        raise TypeError("the function takes no arguments, so what is checked must be leaf Values")
    if len(set(flat)) < len(flat):
        raise TypeError("a leaf is given twice")
    return True


def _names(f: Callable[..., Any], n: int) -> list[str]:
    """Return the names of the first n parameters, ``arg0``, ... where there are none."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = inspect.signature(f).parameters
        names = [p.name for p in parameters.values() if p.kind in positional]
    except (TypeError, ValueError):
        names = []
    if isinstance(f, Op) and f.arity:
        names = list(f.parameters)
    return [*names, *(f"arg{i}" for i in range(len(names), n))][:n]


def _results(returned: Any) -> list[Part]:
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


def _items(returned: Any) -> list[Any]:
    return [item for part in parts(returned, "out") for item in part.items]


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
