"""Largest numbers that cancel: a gradient doesn't go through them where it would add up to 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from autograd import Value, compile, dot, exp, log, max, maximum, softmax, sum
from autograd.compiler.recording import record
from autograd.compiler.sharing import shared
from autograd.compiler.shifts import shifts_of

Numbers = Sequence[Any]
F = Callable[[Numbers], Any]


def powers(x: Numbers) -> list[Any]:
    top = max(x)
    return [exp(a - top) for a in x]


def by_hand(x: Numbers) -> Any:
    return maximum(maximum(x[0], x[1]), x[2]) + log(
        sum(exp(a - maximum(maximum(x[0], x[1]), x[2])) for a in x)
    )


def quotient(x: Numbers) -> Any:
    a, b, c = powers(x)
    return (2 * a - b) / (c + b) + dot([a, b], [b, c]) / (a * -c)


def twice(x: Numbers) -> Any:
    return dot(softmax([a * 3 for a in softmax(x)]), x)


CANCELLED: dict[F, int] = {by_hand: 1, quotient: 1, twice: 2}

KEPT: list[F] = [
    lambda x: max(x) * x[0],
    lambda x: powers(x)[0],
    lambda x: powers(x)[0] / (powers(x)[1] * powers(x)[2]),
    lambda x: powers(x)[0] / (powers(x)[1] + 1),
    lambda x: powers(x)[0] / (powers(x)[1] ** 2) + powers(x)[0] * powers(x)[1],
    lambda x: sum(powers(x)),
    lambda x: log(sum(powers(x))),
    lambda x: max(x) - log(sum(powers(x))),
    lambda x: exp(x[0] - 2 * max(x)) / exp(x[1] - max(x)),
    lambda x: exp(x[0] - max(x)) / exp(x[1] - max(x[:2])),
    lambda x: dot([powers(x)[0], powers(x)[1]], [x[0], powers(x)[2]]) / sum(powers(x)),
    lambda x: dot([powers(x)[0]], [x[0]], x[1]) / sum(powers(x)),
    lambda x: (powers(x)[0] - x[1]) / powers(x)[1],
]
"""Functions that do depend on what is largest, each by another operation."""


def shifts(f: F) -> set[Value]:
    graph = shared(record(f, [[0.0] * 3], ()))
    return shifts_of(graph.nodes, graph.outputs)


@pytest.mark.parametrize("f", CANCELLED, ids=lambda f: f.__name__)
def test_what_cancels_is_found(f: F) -> None:
    # Not the largest of the first two, of which the largest of all is made.
    assert len(shifts(f)) == CANCELLED[f]


@pytest.mark.parametrize("f", KEPT)
def test_what_does_not_cancel_is_not(f: F) -> None:
    assert not shifts(f)


@pytest.mark.parametrize("f", [*CANCELLED, *KEPT])
@pytest.mark.parametrize("x", [[0.3, -1.2, 0.9], [0.5, 0.5, -0.25], [30.0, 29.0, 30.0]])
def test_gradients_are_those_of_the_eager_engine(f: F, x: list[float]) -> None:
    """Also where several are largest, and to the rounding of a dozen operations."""
    leaves = [Value(a) for a in x]
    f(leaves).backward()
    (gradient,) = [compile(f, x, wrt=0).value_and_grad(x)[1]]
    scale = math.fsum(abs(leaf.grad) for leaf in leaves)
    assert gradient == pytest.approx([leaf.grad for leaf in leaves], rel=1e-13, abs=1e-15 * scale)


def test_no_gradient_is_computed_of_what_softmax_subtracts() -> None:
    program = compile(lambda x: dot(softmax(x), x), [0.0] * 3, wrt=0).gradient_program
    assert "sign" not in str(program)
