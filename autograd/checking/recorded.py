"""A function of Values, recorded: with a graph, and so with culprits."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from autograd.checking.claim import Claim, Comparison
from autograd.checking.culprit import Culprit, compare_along, first_culprit
from autograd.checking.function import Function, items_of, results_of
from autograd.checking.line import Sample, drawn_speed
from autograd.checking.linearization import Linearization, branch, total
from autograd.checking.measured import judge
from autograd.checking.point import Point
from autograd.debugging import debug
from autograd.engine import Value
from autograd.errors import ChainruleError
from autograd.transforms import gradients


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
        self._results = results_of(self._returned)

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
        out = self._derived(items_of(self._returned))
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
        out = self._derived(items_of(returned))
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
        out = self._combined(items)
        if self._order == 1:
            return out
        draw = random.Random(self._seed)
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
