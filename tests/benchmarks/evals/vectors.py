"""Functions of a vector: hello, llsq, lse, det, ode."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from autograd import (
    Value,
    compile,
    dot,
    exp,
    gradients,
    log,
)

Array = Any


def square(x: Any) -> Any:
    return x * x


@cache
def llsq_term(m: int) -> Any:
    """Return the squared misfit at a time t, of a polynomial with m coefficients, compiled."""
    weights = [Value(0.0) for _ in range(m)]

    def term(t: Any, s: Any) -> Any:
        y = weights[-1]
        for w in reversed(weights[:-1]):
            y = y * t + w
        return (s - y) * (s - y) * 0.5

    return compile(term, 0.5, 1.0, wrt=weights, reduce="sum")


def llsq_times(given: Any) -> tuple[Array, Array]:
    n = given["n"]
    t = -1.0 + 2.0 * np.arange(n) / (n - 1)
    return t, np.sign(t)


def llsq_primal(given: Any) -> float:
    x = np.array(given["x"], dtype=float)
    return float(llsq_term(len(x))(*llsq_times(given), params=x).sum())


def llsq_gradient(given: Any) -> Array:
    x = np.array(given["x"], dtype=float)
    return llsq_term(len(x)).value_and_grad(*llsq_times(given), params=x)[1]


@cache
def lse_term() -> Any:
    """Return the exponential of the distance from the largest, a parameter, compiled."""
    top = Value(1.0)
    return compile(lambda x: exp(x - top), 0.5, wrt=[0, top], reduce="sum")


@cache
def lse_of() -> Any:
    """Return y, of the largest and the sum of the exponentials, compiled."""
    return compile(lambda top, total: top + log(total), 1.0, 1.0, wrt=[0, 1])


def lse_primal(x: Array) -> float:
    place = int(x.argmax())
    total = lse_term().reduced(x, params=x[place : place + 1])
    return float(lse_of()(float(x[place]), float(total)))


def lse_gradient(x: Array) -> Array:
    place = int(x.argmax())
    total, (slopes, (of_top,)) = lse_term().value_and_grad(x, params=x[place : place + 1])
    _, (by_top, by_total) = lse_of().value_and_grad(float(x[place]), float(total))
    slopes *= by_total
    slopes[place] += by_top + of_top * by_total  # in every term there is the largest
    return slopes


@cache
def det_of(ell: int) -> Any:
    """Return the determinant by expansion along the first row, compiled; minors are shared."""

    def det(a: list[Any]) -> Any:
        minors: dict[tuple[int, ...], Any] = {}

        def minor(columns: tuple[int, ...]) -> Any:
            if columns not in minors:
                row = ell - len(columns)
                entries = [a[row * ell + j] for j in columns]
                if len(columns) == 1:
                    return entries[0]
                cofactors = [
                    (-1.0) ** k * minor(columns[:k] + columns[k + 1 :]) for k in range(len(columns))
                ]
                minors[columns] = dot(entries, cofactors)
            return minors[columns]

        return minor(tuple(range(ell)))

    return compile(det, [1.0] * (ell * ell), wrt=0)


REACH = 4
"""So many components lower down a step of Runge-Kutta looks, one for each of its stages."""


def runge_kutta(y: list[Any], f: Callable[[list[Any]], list[Any]], h: Any) -> list[Any]:
    """Return a step of the classical method."""

    def moved(k: list[Any], by: Any) -> list[Any]:
        return [a + by * b for a, b in zip(y, k, strict=True)]

    k1 = f(y)
    k2 = f(moved(k1, h / 2))
    k3 = f(moved(k2, h / 2))
    k4 = f(moved(k3, h))
    stages = zip(y, k1, k2, k3, k4, strict=True)
    return [a + h / 6 * (p + 2 * q + 2 * r + s) for a, p, q, r, s in stages]


def stepped(y: Sequence[Any], x: Sequence[Any], h: float) -> Any:
    """Return a step for the last of some components, of them all and their x but the first."""

    def f(y: list[Any]) -> list[Any]:
        return [0.0, *(a * b for a, b in zip(x, y[:-1], strict=True))]

    return runge_kutta(list(y), f, h)[-1]


@cache
def ode_step(steps: int) -> Any:
    """Return a step for one component, of those up to it and their x, compiled."""

    def step(*v: Any) -> Any:
        return stepped(v[: REACH + 1], v[REACH + 1 :], 2.0 / steps)

    return compile(step, *[0.5] * (2 * REACH + 1))


@cache
def ode_pull(steps: int) -> Any:
    """Return what a step passes back to one component and to its x, compiled.

    Of the components around it, of their x, and of the adjoints of all that depend on it.
    """

    def pull(*v: Any) -> list[Any]:
        y, x, adjoints = v[: 2 * REACH + 1], v[2 * REACH + 1 : 4 * REACH + 1], v[4 * REACH + 1 :]
        ahead = [
            stepped(y[k : k + REACH + 1], x[k : k + REACH], 2.0 / steps) for k in range(REACH + 1)
        ]
        return gradients(dot(adjoints, ahead), [y[REACH], x[REACH - 1]])

    return compile(pull, *[0.5] * (5 * REACH + 2))


def shifted(padded: Array, n: int, count: int) -> list[Array]:
    """Return so many views of n numbers each, every one a place further on."""
    return [padded[i : i + n] for i in range(count)]


class Problem(NamedTuple):
    """The input of ode."""

    x: Array
    steps: int


def problem(given: Any) -> Problem:
    return Problem(np.array(given["x"], dtype=float), given["s"])


def ode_states(x: Array, steps: int, first: float, kept: int) -> tuple[Array, Array]:
    """Return x, and the components before each step and after the last, with a border around.

    Below the first component stand ``first``, which no step changes, and zeros.

    Args:
        kept: for so many moments there is room: later ones take the places of the first.
    """
    n = len(x)
    xs, states = np.zeros(n + 2 * REACH), np.zeros((kept, n + 2 * REACH))
    xs[REACH : REACH + n] = x
    states[:, REACH - 1] = first
    known, step = shifted(xs[1:], n, REACH), ode_step(steps)
    around = [[*shifted(state, n, REACH + 1), *known] for state in states]
    after = [state[REACH : REACH + n] for state in states]
    for i in range(steps):
        after[(i + 1) % kept][:] = step(*around[i % kept])
    return xs, states


def ode_primal(given: Problem) -> Array:
    x, steps = given
    _, states = ode_states(x, steps, 1.0, kept=2)
    return states[steps % 2, REACH : REACH + len(x)]


def ode_gradient(given: Problem) -> Array:
    """Return the derivatives of the last component, by those that it depends on at all."""
    x, steps = given
    start = max(0, len(x) - REACH * steps - 1)
    n = len(x) - start
    first = 0.0 if start else 1.0  # the derivative of the first component is x, times 1
    xs, states = ode_states(x[start:], steps, first, kept=steps + 1)
    slopes, adjoints = np.zeros(len(x)), np.zeros(n + REACH)
    adjoints[n - 1] = 1.0
    fixed = [*shifted(xs[1:], n, 2 * REACH), *shifted(adjoints, n, REACH + 1)]
    pull = ode_pull(steps)
    for y in states[-2::-1]:
        passed = pull(*shifted(y, n, 2 * REACH + 1), *fixed)
        adjoints[:n] = passed[:, 0]
        slopes[start:] += passed[:, 1]
    return slopes
