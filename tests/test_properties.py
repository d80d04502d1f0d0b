"""Properties of every row and of random graphs, tried on examples that Hypothesis finds."""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from autograd import TABLE, DomainError, Value, gradients, trace
from autograd.engine import sweep
from autograd.testing.straightline import Assignment, StraightLine
from autograd.testing.strategies import expressions, floats_in
from tests.floats import bits

EPS = sys.float_info.epsilon


def rounding_error(out: Value) -> float:
    """Return a bound on the rounding error of a result whose ``backward`` has been run.

    A node is wrong by 4 ulp at most, and its grad says how much of that arrives at the end.
    The gelu of numbers down to -4 is wrong by 4 + 2 * 4**2 = 36 ulp.
    """
    nodes, _ = trace(out)
    return 36 * EPS * math.fsum(abs(node.grad * node.data) for node in nodes if node.grad)


def central_difference(f: Callable[[float], float], x: float, noise: float) -> tuple[float, float]:
    """Return the central difference of ``f`` at x, and a bound on its distance from the slope.

    The error of the quotient with step h is h**2 f'''(x) / 6 + O(h**4) from truncation, and
    noise / h from rounding; both are of one size near h = eps**(1/3). Going from h to 2 h
    multiplies the first by 4, so that the quotient changes by 3 times it: a bound that leaves
    a factor of 3 for the higher order. The derivative it is compared with carries the relative
    noise of its own sweep, 1e3 eps for the graphs tried here.
    """
    h = EPS ** (1 / 3) * max(1.0, abs(x))
    narrow, wide = ((f(x + d) - f(x - d)) / (2 * d) for d in (h, 2 * h))
    return narrow, abs(wide - narrow) + 2 * noise / h + 1e3 * EPS * abs(narrow)


def assert_is_slope(derivative: float, f: Callable[[float], float], x: float, noise: float) -> None:
    """Compare a derivative with the central difference, where that is good for something."""
    expected, bound = central_difference(f, x, noise)
    assume(bound < 1e-4 * (1 + abs(expected)))
    assert abs(derivative - expected) <= bound


def test_central_differences_know_their_error() -> None:
    expected, bound = central_difference(math.sin, 1.0, noise=EPS)
    assert abs(math.cos(1.0) - expected) <= bound < 1e-9


def check_gradient(program: StraightLine) -> None:
    results = program.values()
    results[-1].backward()
    noise = rounding_error(results[-1])
    assume(noise < 1e-9)
    for i, x in enumerate(program.inputs):

        def f(moved: float, i: int = i) -> float:
            return program.floats((*program.inputs[:i], moved, *program.inputs[i + 1 :]))[-1]

        assert_is_slope(results[i].grad, f, x, noise)


@pytest.mark.parametrize("name", TABLE)
@settings(max_examples=5)
@given(data=st.data())
def test_every_row_agrees_with_central_differences(name: str, data: st.DataObject) -> None:
    args = data.draw(floats_in(name))
    check_gradient(StraightLine(args, (Assignment(name, tuple(range(len(args)))),)))


@settings(max_examples=60)
@given(expressions())
def test_graphs_agree_with_central_differences(program: StraightLine) -> None:
    check_gradient(program)


def swept(program: StraightLine) -> list[bytes] | str:
    """Return the adjoint of every node by the readable sweep, or the error it raises."""
    results = program.values()
    totals = dict.fromkeys(results, 0.0)
    totals[results[-1]] = 1.0
    try:
        for step in sweep(results[-1]):
            totals[step.arg] = step.total
    except DomainError as error:
        return str(error)
    return [bits(totals[node]) for node in results]


def backpropagated(program: StraightLine, order: list[int] | None = None) -> list[bytes] | str:
    """Return the grad of every node after `backward`, or the error it raises."""
    results = program.values(order)
    try:
        results[-1].backward()
    except DomainError as error:
        return str(error)
    return [bits(node.grad) for node in results]


def check_three_ways(program: StraightLine) -> None:
    """Compare `backward` with the sweep to the bit, and with the graph of `gradients`.

    What `gradients` gives are the same numbers, but for the sign of a zero. By IEEE 754 it
    never raises, so there is nothing to compare where the others do.
    """
    expected = swept(program)
    assert backpropagated(program) == expected
    if isinstance(expected, str):
        return
    results = program.values()
    found = gradients(results[-1], results)
    for gradient, wanted in zip(found, expected, strict=True):
        (number,) = struct.unpack("d", wanted)
        assert bits(gradient.data + 0.0) == bits(number + 0.0)


any_expressions = st.booleans().flatmap(lambda smooth: expressions(smooth=smooth))


@settings(max_examples=50)
@given(any_expressions)
def test_backward_is_the_sweep_is_gradients(program: StraightLine) -> None:
    check_three_ways(program)


@pytest.mark.slow
@settings(max_examples=100_000, suppress_health_check=list(HealthCheck), deadline=None)
@given(any_expressions)
def test_backward_is_the_sweep_is_gradients_in_the_long_mode(program: StraightLine) -> None:
    check_three_ways(program)


@st.composite
def creation_orders(draw: Any, program: StraightLine) -> list[int]:
    """Return another order in which the steps of ``program`` can be carried out."""
    first = len(program.inputs)
    waiting = {
        i: {arg - first for arg in step.args if isinstance(arg, int) and arg >= first}
        for i, step in enumerate(program.steps)
    }
    order: list[int] = []
    while waiting:
        ready = [i for i, needs in waiting.items() if needs <= set(order)]
        chosen = draw(st.sampled_from(ready[::-1]))
        order.append(chosen)
        del waiting[chosen]
    return order


@settings(max_examples=30)
@given(st.data())
def test_gradients_do_not_depend_on_the_order_of_creation(data: st.DataObject) -> None:
    program = data.draw(expressions())
    order = data.draw(creation_orders(program))
    assert backpropagated(program, order) == backpropagated(program)


@pytest.mark.long
@settings(max_examples=100)
@given(expressions())
def test_second_derivatives_agree_with_central_differences(program: StraightLine) -> None:
    results = program.values()
    leaves = results[: len(program.inputs)]
    first = gradients(results[-1], leaves)[0]
    first.backward()
    noise = rounding_error(first)
    assume(noise < 1e-9)

    def slope(x: float) -> float:
        moved = program._replace(inputs=(x, *program.inputs[1:])).values()
        return gradients(moved[-1], [moved[0]])[0].data

    assert_is_slope(leaves[0].grad, slope, program.inputs[0], noise)


@settings(max_examples=50)
@given(expressions(smooth=False))
def test_forward_on_values_is_the_forward_on_floats(program: StraightLine) -> None:
    assert [bits(v.data) for v in program.values()] == [bits(x) for x in program.floats()]
