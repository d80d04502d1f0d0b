"""Functions as other people write them, compiled: eager's values and gradients at other numbers."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import operator
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import autograd
from autograd import (
    Value,
    clamp,
    detach,
    dot,
    grad,
    hessian,
    logsumexp,
    maximum,
    no_grad,
    sigmoid,
    sign,
    softmax,
    tanh,
    where,
)
from nn import Layer, Residual, Sequential

W = [Value(x) for x in (0.4, -0.7, 0.9, 0.3, -0.2)]
MATRIX = np.array(W[:4]).reshape(2, 2)


@dataclass(frozen=True, eq=False)
class Affine:
    slope: Value
    shift: Value

    def __call__(self, x: Any) -> Any:
        return self.slope * x + self.shift


class Point(NamedTuple):
    x: Any
    y: Any


class Recurrent:
    def __init__(self) -> None:
        self.states: list[Any] = []

    def __call__(self, xs: Any) -> Any:
        h = 0.0
        for x in xs:
            h = tanh(W[0] * h + W[1] * x)
            self.states.append(h)
            self.last = h
        return h


def by_generator(x: Any) -> Any:
    def terms() -> Iterator[Any]:
        for k, w in enumerate(W):
            yield w * x**k

    return sum(terms())


def by_runge_kutta(y: Any) -> Any:
    def slope(y: Any) -> Any:
        return W[0] * tanh(y) - W[1] * y

    for _ in range(3):
        a = slope(y)
        b = slope(y + 0.05 * a)
        y = y + 0.1 / 6 * (a + 5 * b)
    return y


def by_a_memo(x: Any) -> Any:
    known: dict[int, Any] = {}

    def fib(n: int) -> Any:
        if n < 2:
            return W[n] * x
        if n not in known:
            known[n] = fib(n - 1) + fib(n - 2) * W[2]
        return known[n]

    return fib(7)


def by_newton(x: Any) -> Any:
    y = Value(1.0)
    for _ in range(5):
        y = y - (y * y - (x * x + W[0] * W[0] + 1)) / (2 * y)
    return y


def by_a_deque(x: Any) -> Any:
    queue = collections.deque([x, W[0]], maxlen=3)
    for w in W[1:]:
        queue.append(w * queue[-1] + queue[0])
    return queue[-1]


def by_assigning(x: Any) -> Any:
    total = 0.0
    for w in W:
        total += w * x
        total *= 0.9
    return total


def without_a_gradient(x: Any) -> Any:
    with no_grad():
        scale = sigmoid(x * W[0])
    return scale * W[1] + x * W[0].data + (detach(sign(x)) - x) * 0.5


def with_a_penalty(x: Any) -> Any:
    slope = grad(lambda t: tanh(t * W[0]) * W[1])(x)
    return slope * slope + hessian(lambda v: (v[0] * W[0]) ** 3 * v[1])([x, W[1]])[0][1]


def in_pieces(x: Any) -> Any:
    return where(x - W[0], x * x, clamp(x * W[1], -1.0, 1.0)) + maximum(x, W[2]) + abs(x - 0.3)


def attention(xs: Any) -> Any:
    keys, values = [W[1] * x for x in xs], [W[2] * x for x in xs]
    return sum(dot(softmax([W[0] * x * k for k in keys]), values) for x in xs) / len(xs)


def normed(xs: Any) -> Any:
    mean_square = sum(x.data * x.data for x in xs) / len(xs)
    return sum(x * (mean_square + 1e-5) ** -0.5 * w for x, w in zip(xs, W, strict=False))


def in_arrays(xs: Any) -> Any:
    v = np.array(xs)
    return ((MATRIX @ v) ** 2).sum() + np.exp(v * 0.3).sum() + ((v - v.mean()) ** 2).mean() * W[4]


def unpacked(xs: Any) -> Any:
    first, *others = xs
    return first * W[0] + sum(y * y for x in others if (y := x * W[1]) is not None)


def counted(x: Any) -> Any:
    letters = collections.Counter("abracadabra")
    point = Point(x * W[0], W[1])
    return sum(w * n for w, n in zip(W, letters.values(), strict=True)) * x + point.x * point[1]


OF_ONE: list[Any] = [
    lambda x: functools.reduce(lambda total, w: total * x + w, W, 0.0),
    by_generator,
    by_runge_kutta,
    by_a_memo,
    by_newton,
    by_a_deque,
    by_assigning,
    without_a_gradient,
    with_a_penalty,
    in_pieces,
    counted,
    Affine(W[0], W[1]),
    lambda x: (x * x + 1.0) ** W[0] + 2.0**x + W[3].data ** 2 * x,
]
OF_SOME: list[Any] = [
    Recurrent(),
    attention,
    normed,
    unpacked,
    lambda xs: math.prod(xs) * math.prod(W[:3]),
    lambda xs: list(itertools.accumulate([x * W[0] for x in xs], operator.mul))[-1],
    lambda xs: sum(a * b for a, b in itertools.combinations(xs, 2)) * W[0],
    lambda xs: sum(a * b for a, b in itertools.zip_longest(xs, W, fillvalue=1.0)),
    lambda xs: sum(xs[::2]) - sum(xs[1::2]) * W[0] + xs[-1],
    lambda xs: logsumexp([x * W[0] for x in xs]) + autograd.max(xs) * W[1] - autograd.min(W),
    Sequential(Layer(2, 2, activation="tanh", seed=1), Residual(Layer(2, 2, seed=2)), Layer(2, 1)),
]


@pytest.mark.parametrize("f", [*OF_ONE, *OF_SOME, in_arrays])
@pytest.mark.long
def test_a_function_in_any_style_is_eager_at_other_numbers(f: Callable[[Any], Any]) -> None:
    source = random.Random(3)
    leaves = list(getattr(f, "parameters", lambda: W)())
    old = [leaf.data for leaf in leaves]
    several = f in OF_SOME or f is in_arrays
    compiled = autograd.compile(f, [0.3, -0.2] if several else 0.3, wrt=[*leaves, 0])
    # Ragged: another length than the example's, where the function takes one.
    lengths = [2, 2] + [3] * (f in OF_SOME[:-1])
    for length in lengths:
        for leaf in leaves:
            leaf.data, leaf.grad = leaf.data * 0.7 + source.uniform(-0.3, 0.3), 0.0
        xs = [source.uniform(-1, 1.5) for _ in range(length)]
        args = [Value(x) for x in xs]
        out = f(args if several else args[0])
        out.backward()
        value, (by_x, by_leaves) = compiled.value_and_grad(xs if several else xs[0])
        eager = [out.data, *(arg.grad for arg in (args if several else args[:1]))]
        eager += [leaf.grad for leaf in leaves]
        # A few dozen operations on numbers below 10, and sums of as many products.
        got = [value, *(by_x if several else [by_x]), *by_leaves]
        assert got == pytest.approx(eager, rel=1e-11, abs=1e-12)
    for leaf, number in zip(leaves, old, strict=True):
        leaf.data = number
