"""A function with points, its right gradient there, and wrong ones."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import mpmath
import numpy as np

DIGITS = 100

POINTS = 6

REGISTRY: dict[str, Case] = {}


class Uniform:
    """Inputs from an interval."""

    def __init__(self, low: float, high: float, n: int = 1) -> None:
        self.low, self.high, self.n = low, high, n

    def draw(self, draw: random.Random) -> list[float]:
        """Return one input for each."""
        return [draw.uniform(self.low, self.high) for _ in range(self.n)]


class Log(Uniform):
    """Inputs whose magnitudes, not themselves, are spread evenly; of either sign if asked."""

    def __init__(self, low: float, high: float, n: int = 1, signed: bool = False) -> None:
        super().__init__(math.log(low), math.log(high), n)
        self.signed = signed

    def draw(self, draw: random.Random) -> list[float]:
        """Return one input for each."""
        sign = (lambda: draw.choice((-1, 1))) if self.signed else lambda: 1
        return [sign() * math.exp(x) for x in super().draw(draw)]


@dataclass(frozen=True)
class Case:
    """A function of one array.

    Attributes:
        f: the function as a user has it.
        exact: the same formula, or what it computes, for numbers of mpmath.
        inputs: where its inputs lie; or the points themselves.
        accuracy: how exact f is, relative to itself. Beside a gradient that is off by less
            than 40 times what that comes to, over a step of a tenth, nothing is expected.
        slopes: for points at a kink, a right gradient, where the formula has none.
    """

    name: str
    family: str
    f: Callable[[Any], Any]
    exact: Callable[[Any], Any]
    inputs: tuple[Any, ...]
    accuracy: float
    slopes: Callable[[Any], Any] | None

    def points(self, count: int = POINTS, seed: int = 0) -> list[Any]:
        """Return points to check at, the same ones for the same seed."""
        if isinstance(self.inputs[0], list):
            return [np.array(point, dtype=float) for point in self.inputs[0]]
        draw = random.Random(f"{self.name} {seed}")
        return [
            np.array([x for inputs in self.inputs for x in inputs.draw(draw)]) for _ in range(count)
        ]

    def gradient(self, x: Any) -> Any:
        """Return the derivatives, correctly rounded."""
        if self.slopes is not None:
            return np.array(self.slopes(x), dtype=float)
        with mpmath.workdps(DIGITS):
            point = np.array([mpmath.mpf(float(t)) for t in x], dtype=object)
            found = []
            for i, t in enumerate(point):
                h = abs(t or 1) * mpmath.mpf(10) ** (-DIGITS // 3)
                above, below = point.copy(), point.copy()
                above[i], below[i] = t + h, t - h
                found.append(float((self.exact(above) - self.exact(below)) / (2 * h)))
        return np.array(found)


def case(
    family: str,
    *inputs: Any,
    exact: Callable[[Any], Any] | None = None,
    accuracy: float = 0.0,
    slopes: Callable[[Any], Any] | None = None,
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Return a decorator that enters a function into the registry."""

    def enter(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        name = f.__name__.strip("_")
        assert name not in REGISTRY, name
        REGISTRY[name] = Case(name, family, f, exact or f, inputs, accuracy, slopes)
        return f

    return enter


def mutants(case: Case, x: Any, right: Any) -> Iterator[tuple[str, Any]]:
    """Yield wrong gradients, those left out that are right as well or can't be told from it."""
    n = len(right)
    one = right.copy()
    one[n // 2] *= 1.1
    nan, inf = right.copy(), right.copy()
    nan[-1], inf[0] = math.nan, math.inf
    changes = {
        "× 1.001": 1.001 * right,
        "× 2": 2 * right,
        "negated": -right,
        "zero": 0 * right,
        "NaN": nan,
        "infinite": inf,
        "reversed": right[::-1].copy(),
        "one entry × 1.1": one,
    }
    reach = case.accuracy * np.abs(case.f(x)) / (0.1 * np.maximum(np.abs(x), 0.1))
    for what, wrong in changes.items():
        far = np.abs(wrong - right) > 40 * reach + 1e-12 * np.abs(right)
        if case.slopes is not None and what in ("× 1.001", "× 2", "zero", "one entry × 1.1"):
            continue  # between the slopes, maybe
        if case.slopes is not None and what in ("negated", "reversed"):
            continue
        if far.any() or what in ("NaN", "infinite"):
            yield what, wrong
    if case.slopes is not None:
        yield "outside", right + 17 * np.max(np.abs(right), initial=1)


@cache
def right_gradients(name: str, seed: int = 0) -> tuple[tuple[Any, Any], ...]:
    """Return a case's points with the right gradients."""
    case = REGISTRY[name]
    return tuple((x, case.gradient(x)) for x in case.points(seed=seed))
