"""Functions of a vector: hello, llsq, lse, det, ode."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from autograd import (
    Value,
    compile,
    dot,
    exp,
    log,
    value_and_grad,
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
    return compile(lambda x, a: exp(x - a), 0.5, 1.0, wrt=0, reduce="sum")


def lse_sum(x: Array) -> tuple[int, float]:
    """Return where the largest is, and the sum of the exponentials of the distances from it."""
    top = int(np.argmax(x))
    return top, float(lse_term()(x, np.full(len(x), x[top])).sum())


def lse_primal(x: Array) -> float:
    top, total = lse_sum(x)
    return float(x[top] + math.log(total))


def lse_gradient(x: Array) -> Array:
    top = int(np.argmax(x))
    total, slopes = lse_term().value_and_grad(x, np.full(len(x), x[top]))
    _, by_total = value_and_grad(log)(float(total))
    slopes = slopes * by_total
    slopes[top] += 1.0 - slopes.sum()  # y = a + log(sum), and a is in every term
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


@cache
def ode_step() -> Any:
    """Return a step for one component, compiled: of it and of those below, and of their x."""

    def step(y: list[Any], x: list[Any], h: Any) -> Any:
        def f(y: list[Any]) -> list[Any]:
            return [0.0, *(x[i] * y[i - 1] for i in range(1, len(y)))]

        return runge_kutta(y, f, h)[-1]

    width = REACH + 1
    return compile(step, [0.5] * width, [0.5] * width, 0.1, wrt=[0, 1], reduce=None)


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


def windows(numbers: Array, below: float) -> Array:
    """Return for each number those up to it; below the first stand ``below`` and zeros."""
    padded = np.concatenate([[0.0] * (REACH - 1), [below], numbers])
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(padded, REACH + 1))


def ode_states(x: Array, steps: int, first: float) -> list[Array]:
    """Return the components before each step, and after the last."""
    h = np.full(len(x), 2.0 / steps)
    around, y = windows(x, 0.0), np.zeros(len(x))
    states = [y]
    for _ in range(steps):
        y = ode_step()(windows(y, first), around, h)
        states.append(y)
    return states


def ode_primal(given: Any) -> Array:
    x = np.array(given["x"], dtype=float)
    return ode_states(x, given["s"], 1.0)[-1]


def ode_gradient(given: Any) -> Array:
    """Return the derivatives of the last component, by those that it depends on at all."""
    x, steps = np.array(given["x"], dtype=float), given["s"]
    start = max(0, len(x) - REACH * steps - 1)
    x = x[start:]
    n, h = len(x), np.full(len(x), 2.0 / steps)
    first = 0.0 if start else 1.0  # the derivative of the first component is x, times 1
    states, around = ode_states(x, steps, first), windows(x, 0.0)
    slopes, adjoint = np.zeros(n + REACH), np.zeros(n)
    adjoint[-1] = 1.0
    for y in reversed(states[:-1]):
        _, (by_y, by_x) = ode_step().value_and_grad(windows(y, first), around, h)
        before = np.zeros(n + REACH)
        for j in range(REACH + 1):
            before[j : j + n] += adjoint * by_y[:, j]
            slopes[j : j + n] += adjoint * by_x[:, j]
        adjoint = before[REACH:]
    return np.concatenate([np.zeros(start), slopes[REACH:]])
