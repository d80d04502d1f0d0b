"""particle and saddle: derivatives inside of derivatives, along descents."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from autograd import (
    Value,
    compile,
    dot,
    grad,
    jvp,
    sqrt,
)

Array = Any


Gradient = Callable[[Callable[[list[Any]], Any]], Callable[[list[Any]], list[Any]]]


def reverse(f: Callable[[list[Any]], Any]) -> Callable[[list[Any]], list[Any]]:
    return grad(f)


def forward(f: Callable[[list[Any]], Any]) -> Callable[[list[Any]], list[Any]]:
    """Return the gradient by the forward mode, a pass for each argument."""

    def slopes(x: list[Any]) -> list[Any]:
        units = ([float(i == j) for j in range(len(x))] for i in range(len(x)))
        return [jvp(f, (x,), (unit,))[1] for unit in units]

    return slopes


MODES: dict[str, Gradient] = {"r": reverse, "f": forward}


def number(x: Any) -> float:
    return float(x.data) if isinstance(x, Value) else float(x)


def norm(x: list[Any]) -> float:
    return math.hypot(*map(number, x))


def argmin(
    f: Callable[[list[Any]], Any], gradient: Callable[[list[Any]], list[Any]], start: list[Any]
) -> list[Any]:
    """Return where f is least, by the descent that the definition prescribes."""
    x, fx, slopes = start, f(start), gradient(start)
    rate, i = 1e-5, 0
    while True:
        if norm(slopes) <= 1e-5:
            return x
        if i == 10:
            rate, i = rate * 2, 0
            continue
        z = [a - rate * b for a, b in zip(x, slopes, strict=True)]
        if norm([a - b for a, b in zip(x, z, strict=True)]) <= 1e-5:
            return x
        fz = f(z)
        if number(fz) < number(fx):
            x, fx, slopes, i = z, fz, gradient(z), i + 1
        else:
            rate, i = rate / 2, 0


DT = 0.1


class Flight(NamedTuple):
    """The particle's steps, compiled; a state is place and speed.

    Attributes:
        step: from state and w to the next state.
        landing: from the last state above ground to G.
        pull: the product of adjoints with the derivatives of a step.
        push: the next state, and how it moves with w.
    """

    step: Any
    landing: Any
    pull: Any
    push: Any


@cache
def flight(mode: str) -> Flight:
    """Return the steps; ``mode`` is that of the derivative inside them."""

    def step(state: list[Any], w: Any) -> list[Any]:
        def potential(z: list[Any]) -> Any:
            def distance(x: float, y: Any) -> Any:
                return sqrt((z[0] - x) * (z[0] - x) + (z[1] - y) * (z[1] - y))

            return 1.0 / distance(10.0, 10.0 - w) + 1.0 / distance(10.0, 0.0)

        place, speed = state[:2], state[2:]
        slopes = MODES[mode](potential)(place)
        moved = [p + DT * v for p, v in zip(place, speed, strict=True)]
        return [*moved, *(v - DT * slope for v, slope in zip(speed, slopes, strict=True))]

    def landing(state: list[Any]) -> Any:
        x, y = (state[i] + DT * state[i + 2] for i in range(2))
        at = x - y / state[3] * state[2]
        return at * at

    def pull(state: list[Any], w: Any, adjoint: list[Any]) -> Any:
        return dot(adjoint, step(state, w))

    def push(state: list[Any], w: Any, moving: list[Any]) -> list[Any]:
        after, tangent = jvp(step, (state, w), (moving, 1.0))
        return [*after, *tangent]

    state = [0.0, 8.0, 0.75, -0.1]
    return Flight(
        compile(step, state, 0.1),
        compile(landing, state, wrt=0),
        compile(pull, state, 0.1, state, wrt=[0, 1]),
        compile(push, state, 0.1, state),
    )


START = [0.0, 8.0, 0.75, 0.0]


def states_of(steps: Flight, w: float) -> list[list[float]]:
    """Return the states before each step, down to the last above ground."""
    states = [START]
    while states[-1][1] + DT * states[-1][3] > 0.0:
        states.append(steps.step(states[-1], w))
    return states


def particle(outer: str, inner: str) -> Callable[[Any], float]:
    def cost(w: list[float]) -> float:
        steps = flight(inner)
        return float(steps.landing(states_of(steps, w[0])[-1]))

    def reverse_slope(w: list[float]) -> list[float]:
        steps, slope = flight(inner), 0.0
        *before, last = states_of(steps, w[0])
        _, adjoint = steps.landing.value_and_grad(last)
        for state in reversed(before):
            _, (adjoint, by_w) = steps.pull.value_and_grad(state, w[0], adjoint)
            slope += by_w
        return [slope]

    def forward_slope(w: list[float]) -> list[float]:
        steps = flight(inner)
        state, moving = START, [0.0] * 4
        while state[1] + DT * state[3] > 0.0:
            found = steps.push(state, w[0], moving)
            state, moving = found[:4], found[4:]
        _, slopes = steps.landing.value_and_grad(state)
        return [sum(a * b for a, b in zip(slopes, moving, strict=True))]

    slope = reverse_slope if outer == "r" else forward_slope
    return lambda given: argmin(cost, slope, [float(given["w"])])[0]


def saddle(outer: str, inner: str) -> Callable[[Any], list[float]]:
    def f(p: list[Any], q: list[Any]) -> Any:
        return p[0] * p[0] + p[1] * p[1] - (q[0] * q[0] + q[1] * q[1])

    def found(given: Any) -> list[float]:
        start = list(map(float, given["start"]))

        def highest(p: list[Any], mode: str) -> list[Any]:
            def low(q: list[Any]) -> Any:
                return -f(p, q)

            return argmin(low, MODES[mode](low), start)

        def most(p: list[Any]) -> Any:
            return f(p, highest(p, inner))

        p = argmin(most, MODES[outer](most), start)
        p = list(map(number, p))
        return [*p, *map(number, highest(p, outer))]

    return found
